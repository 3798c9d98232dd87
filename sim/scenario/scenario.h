/* scenario.h: a scenario file, read and checked: who there is, what happens when, what must come of
 * it. The grammar is docs/SIMULATOR.md; running it is run.c's business.
 */
#ifndef MESHD_SIM_SCENARIO_SCENARIO_H
#define MESHD_SIM_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/engine/crypto_mode.h"
#include "sim/scenario/lexer.h"
#include "sim/scenario/patch.h"
#include "sim/text/names.h"
#include "sim/world/load.h"
#include "sim/world/nic.h"
#include "sim/world/sim.h"
#include "sim/world/site.h"

enum action_kind {
    ACT_LINK,
    ACT_DISK,
    ACT_CONNECT,
    ACT_PING,
    ACT_TRANSFER,
    ACT_MESSAGE,
    ACT_PAIR, /* `from` uses a ticket of `to`, over the network as it is */
    ACT_CUT,
    ACT_HEAL,
    ACT_ROAM,
    ACT_REBIND,
    ACT_KILL,
    ACT_STOP,
    ACT_START,
    ACT_WIPE,
    ACT_CLOG,
    ACT_SUSPEND,
    ACT_STALL,
    ACT_RESUME,
    ACT_CLOCK,
    ACT_MOVE,    /* to another site, or "internet" */
    ACT_REBOOT,  /* sites: their NAT loses its table */
    ACT_GATEWAY, /* sites: how their port-mapping gateway behaves from now on */
    ACT_MAP,
    ACT_HOSTILE,
    ACT_LOSE,
    ACT_POWERCUT,
    ACT_CROWD, /* sites: others take places of their NAT's table */
    ACT_DIE,   /* between two writes of its store */
    ACT_STORE, /* it fails */
    ACT_STEAL, /* `from` uses the ticket that others have used */
    ACT_DOWN,  /* an interface, and `up` */
    ACT_UP,
    ACT_MARK, /* rates are counted from here */
    ACT_PATH, /* which paths its node may use from now on */
    ACTIONS,
};
const char *action_name(enum action_kind k);

struct host_set { /* numbers of scenario hosts, in the order they were written */
    uint32_t *hosts;
    uint32_t count, cap;
    bool has_share; /* each of them only with the chance below, drawn when it is needed */
    uint32_t share_ppb;
};

struct action {
    enum action_kind kind;
    struct place at;
    uint64_t id;                /* of what was written, numbers its draws */
    bool setup;                 /* before time 0 */
    uint64_t time_ns, every_ns; /* every 0: once */
    struct host_set from, to;   /* pairs of the two, unequal; or only `from` */
    bool each;                  /* the first of `from` with the first of `to`, and so on */
    bool to_contacts;           /* instead of `to`: each one's contacts */
    uint32_t giver;             /* steal */
    uint64_t amount, size;      /* messages and their size; a transfer's bytes */
    uint64_t for_ns;            /* how long it lasts; 0: for good */
    bool oneway, move, sets_drift;
    bool may;                   /* what it asks for may fail */
    bool if_up;                 /* it asks only nodes that run then */
    int64_t jump_us, drift_ppb; /* clock */
    uint32_t site;              /* move: SITE_NONE is the internet */
    uint32_t *sites; /* reboot, gateway, crowd; of the first and last also those of `from` */
    uint32_t site_count, site_cap;
    char nic[NIC_NAME_MAX + 1]; /* which interface it is about; empty: the first */
    enum path_policy path;
    bool has_path;
    struct gateway_config gateway;
    struct hostile_plan plan;
    struct sim_store_fault store;
    bool power;                      /* die: with the machine's power */
    bool directed;                   /* lose: the direction has been said */
    enum sim_direction direction;    /* lose */
    uint64_t *packets, packet_count; /* lose: ascending */
    uint32_t packet_cap;
    struct link_patch link;
    struct disk_patch disk;
};

enum comparison {
    CMP_LESS,
    CMP_LESS_EQUAL,
    CMP_GREATER,
    CMP_GREATER_EQUAL,
    CMP_EQUAL,
    CMP_UNEQUAL
};
const char *comparison_sign(enum comparison c);

struct expectation {
    struct place at;
    bool sometimes; /* over all runs of a campaign together, not in each */
    char metric[64];
    char value_text[64]; /* as written */
    enum comparison cmp;
    double value;
    bool eventually;
    uint64_t within_ns; /* eventually: after the last action that happens once */
};

struct scenario_site {
    char name[SITE_NAME_MAX + 1];
    struct place at;
    uint32_t parent, region;
    struct nat_config nat;
    bool has_nat, has_link, has_gateway;
    struct link_patch link;
    struct gateway_config gateway;
};

struct scenario_group { /* a name for a run of hosts */
    char name[SIM_NAME_MAX + 1];
    uint32_t first, count;
};

struct scenario_rtt {
    uint32_t a, b; /* regions */
    uint64_t rtt_ns;
};

struct scenario_graph { /* contacts: every host of the set gets `degree` of them */
    struct place at;
    uint64_t id;
    struct host_set set, with; /* with: each of `set` with `degree` drawn ones of these */
    uint32_t degree;
    bool each; /* the first of `set` with the first of `with`, and so on */
};

struct scenario_load {
    struct place at;
    struct load load; /* hosts and targets are in the sets */
    struct host_set from, to;
};

struct scenario_host {
    char name[SIM_NAME_MAX + 1];
    struct sim_host_options options; /* its name is the one above */
    char group[SIM_NAME_MAX + 1];
    char nat[NAT_TEXT_MAX + 1]; /* not empty: a site of its own; may be a mix to draw from */
    uint32_t behind;            /* its own site's parent; SITE_NONE */
    uint32_t no_udp_ppb;
    struct place at;
};

struct scenario_nic { /* an interface beside a host's first */
    uint32_t host;
    struct place at;
    char name[NIC_NAME_MAX + 1];
    struct sim_host_options options; /* of these: ipv4, ipv6, site, region */
    char nat[NAT_TEXT_MAX + 1];      /* as of a host */
    uint32_t behind;
    struct link_patch link;
};

struct never { /* an invariant of sim/invariants/invariants.h by name; "all" */
    struct place at;
    char name[32];
};

struct scenario {
    uint64_t seed;
    bool has_seed;
    uint64_t duration_ns;
    struct scenario_host *hosts;
    uint32_t host_count, host_cap;
    struct scenario_nic *nics;
    uint32_t nic_count, nic_cap;
    struct action *actions; /* as written */
    size_t action_count;
    uint32_t action_cap;
    struct expectation *expects;
    size_t expect_count;
    uint32_t expect_cap;
    struct scenario_site *sites;
    uint32_t site_count, site_cap;
    struct scenario_group *groups;
    uint32_t group_count, group_cap;
    char regions[REGIONS_MAX][SITE_NAME_MAX + 1];
    uint32_t region_count;
    struct scenario_rtt *rtts;
    uint32_t rtt_count, rtt_cap;
    struct scenario_graph *graphs;
    uint32_t graph_count, graph_cap;
    struct scenario_load *loads;
    uint32_t load_count, load_cap;
    struct never *nevers;
    uint32_t never_count, never_cap;
    struct names names; /* of hosts, in `hosts` (which does not move once the names are in) */
    enum crypto_mode crypto;
    bool has_crypto;
};

struct scenario_let { /* from the command line: overrides the file's */
    const char *name, *value;
    bool optional; /* a scenario that does not use it is fine */
};

/* False, with the problem and its place, if the text is not a scenario. Aborts when out of memory.
 */
bool scenario_parse(struct scenario *sc, const char *text, const struct scenario_let *lets,
                    size_t let_count, struct problem *problem);
void scenario_clear(struct scenario *sc);
/* When the last action that happens once has ended: `eventually` counts from here. */
uint64_t scenario_settled_ns(const struct scenario *sc);

#endif
