/* demand.h: what nodes were asked for, item by item (a connection, an echo, a message, a transfer,
 * a pairing), and what came of it. An item that was refused, failed, or is undone when the run ends
 * counts against the run, unless whoever asked has said that it may fail, or the world made it
 * impossible (sim/measure/trouble.h). Only items that are open take memory.
 */
#ifndef MESHD_SIM_MEASURE_DEMAND_H
#define MESHD_SIM_MEASURE_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

enum demand_kind {
    DEMAND_CONNECT,
    DEMAND_PING,
    DEMAND_MESSAGE,
    DEMAND_TRANSFER,
    DEMAND_PAIR,
    DEMAND_KINDS
};
const char *demand_kind_name(enum demand_kind k);

struct demand_asker { /* who asks: a line of the scenario */
    unsigned line;    /* 0: none, a program */
    bool may;         /* it may fail */
};

struct demand_item {
    enum demand_kind kind;
    uint32_t from, to;
    uint64_t ref; /* with kind and from: which one. Host (connect, pair), echo, serial, transfer */
    uint64_t asked_ns;
    bool relayed; /* both have a relay beside whatever lies between them: set when it ends */
    const char *impossible; /* why it could not be done from the beginning; NULL: it could */
    struct demand_asker by;
    uint32_t next; /* of the same host; private */
};

struct demand_failure {
    unsigned line;
    char text[160];
};

enum { DEMAND_NOTES = 16 };

struct demand_count {
    uint64_t asked, done, failed, excused, allowed; /* failed: neither excused nor allowed */
};

struct demands { /* all zeroes is empty */
    struct demand_item *items;
    uint32_t count, cap, free;   /* free: 1 + the first of those that can be used again; 0: none */
    uint32_t *heads, head_count; /* by host: 1 + its first open item; 0: none */
    struct demand_asker asker;   /* of whatever is asked now */
    struct demand_count counts[DEMAND_KINDS];
    struct demand_failure failures[DEMAND_NOTES]; /* the first ones */
    uint64_t failed;
};

void demand_clear(struct demands *w);
/* A new item, open. `item` is copied; who asks is added. */
void demand_ask(struct demands *w, const struct demand_item *item);
/* The open items of a host, newest first: *at begins as 0. NULL: no more. The item may be ended in
 * between. */
struct demand_item *demand_next(struct demands *w, uint32_t from, uint32_t *at);
/* It is over. err 0: done. `excuse`: why it could not be done, or NULL. `names`: of hosts. */
struct demand_end {
    int err;               /* 0: done */
    const char *what;      /* instead of err's words: "undone at the end"; NULL */
    const char *excuse;    /* NULL: none */
    const char *from, *to; /* names, for the text */
};
void demand_end(struct demands *w, struct demand_item *item, const struct demand_end *e);
/* One that was never begun, since the node refused. */
void demand_refuse(struct demands *w, const struct demand_item *item, const struct demand_end *e);

#endif
