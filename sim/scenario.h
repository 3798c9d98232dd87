/* scenario.h: a scenario file, read and checked: who there is, what happens when, what must come of
 * it. The grammar is docs/SIMULATOR.md; running it is run.c's business.
 */
#ifndef MESHD_SIM_SCENARIO_H
#define MESHD_SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/lexer.h"
#include "sim/patch.h"
#include "sim/sim.h"

enum action_kind {
    ACT_LINK,
    ACT_DISK,
    ACT_CONTACTS, /* before time 0 only */
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
    ACTIONS,
};
const char *action_name(enum action_kind k);

struct host_set { /* numbers of scenario hosts, in the order they were written */
    uint32_t *hosts;
    uint32_t count;
};

struct action {
    enum action_kind kind;
    struct place at;
    bool setup;                 /* before time 0 */
    uint64_t time_ns, every_ns; /* every 0: once */
    struct host_set from, to;   /* pairs of the two, unequal; or only `from` */
    uint64_t amount, size;      /* messages and their size; a transfer's bytes */
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
    char metric[64];
    char value_text[64]; /* as written */
    enum comparison cmp;
    double value;
    bool eventually;
    uint64_t within_ns; /* eventually: after the last action that happens once */
};

struct scenario_host {
    char name[SIM_NAME_MAX + 1];
    struct sim_host_options options; /* its name is the one above */
    struct place at;
};

struct scenario {
    uint64_t seed;
    bool has_seed;
    uint64_t duration_ns;
    struct scenario_host *hosts;
    uint32_t host_count, host_cap;
    struct action *actions; /* as written */
    size_t action_count, action_cap;
    struct expectation *expects;
    size_t expect_count, expect_cap;
};

struct scenario_let { /* from the command line: overrides the file's */
    const char *name, *value;
};

/* False, with the problem and its place, if the text is not a scenario. Aborts when out of memory.
 */
bool scenario_parse(struct scenario *sc, const char *text, const struct scenario_let *lets,
                    size_t let_count, struct problem *problem);
void scenario_clear(struct scenario *sc);

#endif
