/* scenario_int.h: private to scenario*.c: scenario.c (statements), scenario_node.c (nodes, groups, contacts),
 * scenario_site.c (sites, regions), scenario_act.c (actions), scenario_option.c (what follows their hosts), scenario_load.c (workloads).
 */
#ifndef MESHD_SIM_SCENARIO_SCENARIO_INT_H
#define MESHD_SIM_SCENARIO_SCENARIO_INT_H

#include "sim/engine/quantity.h"
#include "sim/scenario/scenario.h"

struct parser {
    struct lexer lexer;
    struct scenario *sc;
    size_t next; /* the word to read */
};

/* All give false once there is a problem. */
bool parse_fail(struct parser *p, struct place at, const char *format, ...) PRINTF_LIKE(3, 4);
const struct word *parse_word(struct parser *p, const char *what); /* NULL at the end */
/* The next word, left where it is; NULL at the end. */
const struct word *parse_peek(const struct parser *p);
bool parse_end(struct parser *p);
/* A number for the statement from this word on: the same wherever it stands, so that taking another statement away
 * leaves its draws as they were. */
uint64_t parse_id(const struct parser *p, const struct word *from);
bool parse_quantity(struct parser *p, enum quantity q, const char *what, uint64_t *out);
bool parse_keyword(struct parser *p, const char *keyword);
/* If the word is "key=...", what follows; else NULL. */
const char *parse_key(const struct word *w, const char *key);
/* The value of such a word as a quantity. */
bool parse_value(struct parser *p, const struct word *w, const char *value, enum quantity q,
                 uint64_t *out);

/* An array that holds `count` gets room for one more, zeroed. Aborts when out of memory. */
void *scenario_room(void *items, uint32_t count, uint32_t *cap, size_t item_bytes);
struct action *scenario_add_action(struct scenario *sc);

/* scenario_site.c */
bool parse_site(struct parser *p);
bool parse_region(struct parser *p);
bool parse_rtt(struct parser *p);
bool parse_site_name(struct parser *p, const struct word *w, const char *name, uint32_t *out);
bool scenario_has_site(const struct scenario *sc, const char *name);
bool parse_region_name(struct parser *p, const struct word *w, const char *name, uint32_t *out);
/* How many sites there are from this one outwards; SITE_NONE: 0. */
unsigned scenario_site_depth(const struct scenario *sc, uint32_t site);

/* scenario_node.c */
bool parse_node(struct parser *p);
bool parse_group(struct parser *p);
bool parse_contacts(struct parser *p);
/* A word that stands for hosts, added to the set. */
bool parse_hosts(struct parser *p, const struct word *w, struct host_set *set);
uint32_t scenario_find_host(const struct scenario *sc, const char *name); /* SIM_NO_HOST */

/* scenario_option.c */
bool parse_options(struct parser *p, struct action *a);

bool parse_action(struct parser *p, const struct word *verb, struct action *a);
bool parse_load(struct parser *p);

#endif
