/* scenario_int.h: private to scenario*.c: what each kind of statement gives the others. */
#ifndef MESHD_SIM_SCENARIO_SCENARIO_INT_H
#define MESHD_SIM_SCENARIO_SCENARIO_INT_H

#include "sim/scenario/parser.h"
#include "sim/scenario/scenario.h"

/* scenario_site.c: sites and regions */
bool parse_site(struct parser *p);
bool parse_region(struct parser *p);
bool parse_rtt(struct parser *p);
bool parse_site_name(struct parser *p, const struct word *w, const char *name, uint32_t *out);
bool scenario_has_site(const struct scenario *sc, const char *name);
bool parse_region_name(struct parser *p, const struct word *w, const char *name, uint32_t *out);
/* How many sites there are from this one outwards; SITE_NONE: 0. */
unsigned scenario_site_depth(const struct scenario *sc, uint32_t site);

/* scenario_names.c */
struct span_of_names { /* what a word stands for: prefix + first..last, or just prefix */
    char prefix[SIM_NAME_MAX + 1];
    bool numbered;
    unsigned long first, last;
};
bool parse_names(struct parser *p, const struct word *w, struct span_of_names *out);
void name_at(const struct span_of_names *n, unsigned long i, char out[static SIM_NAME_MAX + 1]);
bool scenario_is_taken(const struct scenario *sc, const char *name);
bool scenario_add_host(struct parser *p, const struct word *w, const char *name);
uint32_t scenario_find_host(const struct scenario *sc, const char *name); /* SIM_NO_HOST */
/* A word that stands for hosts, added to the set. */
bool parse_hosts(struct parser *p, const struct word *w, struct host_set *set);
void host_set_clear(struct host_set *set);

/* scenario_node.c */
bool parse_node(struct parser *p);
bool parse_group(struct parser *p);
/* One key=value of a node; and whether where it is to be makes sense. */
bool parse_node_option(struct parser *p, const struct word *w, struct scenario_host *h);
bool parse_place_check(struct parser *p, const struct scenario_host *h);

/* scenario_relay.c: false with a problem; *used: it was one of these. */
bool parse_relay_option(struct parser *p, const struct word *w, struct sim_host_options *o,
                        bool *used);
bool scenario_path_policy(const char *word, enum path_policy *out);

/* scenario_nic.c */
bool parse_nic(struct parser *p);
bool parse_nic_name(struct parser *p, const struct word *w, const char *name,
                    char out[static NIC_NAME_MAX + 1]);
const struct scenario_nic *scenario_find_nic(const struct scenario *sc, uint32_t host,
                                             const char *name);
/* nic=NAME of an action, behind its hosts, who all have it. */
bool parse_which_nic(struct parser *p, const struct word *w, const char *name, struct action *a);

/* scenario_contacts.c */
bool parse_contacts(struct parser *p);

/* scenario_act.c: actions; scenario_option.c: what follows their hosts */
struct action *scenario_add_action(struct scenario *sc);
bool parse_action(struct parser *p, const struct word *verb, struct action *a);
bool parse_options(struct parser *p, struct action *a);

/* scenario_load.c */
bool parse_load(struct parser *p);

/* scenario_expect.c */
bool parse_expect(struct parser *p);
bool parse_eventually(struct parser *p);
bool parse_sometimes(struct parser *p);
bool parse_never(struct parser *p);

#endif
