/* relay_flows.h: a relay's flows. A flow has two ends, each with a number that its client uses: the
 * low bits are its place, the others are random, so that a number is not guessed and a stale one
 * not taken for another's. They lie in pages that do not move, since their queues are linked, and
 * stay when flows end. Value structs.
 */
#ifndef MESHD_NET_RELAY_RELAY_FLOWS_H
#define MESHD_NET_RELAY_RELAY_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/base/rng.h"
#include "net/relay/relay_clients.h"
#include "net/relay/relay_queue.h"

struct relay_end {
    struct relay_fifo out;   /* what goes to this end's client */
    uint32_t number;         /* what its client calls the flow */
    uint32_t client;         /* its place */
    uint32_t next_1, prev_1; /* of its client's ends */
    uint32_t request;        /* of its OPEN, if `asked` */
    bool asked;              /* it wants to be told when the flow is open */
};

enum relay_state { RELAY_UNUSED, RELAY_PENDING, RELAY_OPENED_UP };

struct relay_entry { /* a flow; ends[0] is that of who asked for it */
    struct relay_end ends[2];
    uint64_t used_us; /* forwarded or renewed */
    uint32_t place, next_free_1;
    uint8_t state; /* enum relay_state */
    uint8_t asks;  /* INCOMING has been said so often */
};

enum { RELAY_PAGE_ENTRIES = 64, RELAY_NUMBER_BITS_MIN = 12, RELAY_NUMBER_BITS_MAX = 20 };

struct relay_flows {
    struct relay_entry **pages;
    uint32_t page_count, page_cap;
    uint32_t max, count, free_1, used;
    unsigned bits; /* of a number that are its place */
};

/* `max` is RELAY_FLOWS_MAX at most. */
void relay_flows_init(struct relay_flows *t, uint32_t max);
void relay_flows_clear(struct relay_flows *t); /* all queues are empty */
size_t relay_flows_memory(const struct relay_flows *t);

static inline struct relay_entry *relay_flow_at(const struct relay_flows *t, uint32_t place) {
    return &t->pages[place / RELAY_PAGE_ENTRIES][place % RELAY_PAGE_ENTRIES];
}
/* Which of the two ends it is, 0 or 1, is in its number. */
static inline unsigned relay_end_side(const struct relay_end *e) {
    return e->number & 1;
}
static inline struct relay_end *relay_end_other(struct relay_end *e) {
    return relay_end_side(e) ? e - 1 : e + 1;
}
static inline struct relay_entry *relay_flow_of(struct relay_end *e) {
    return (struct relay_entry *)(void *)((char *)(e - relay_end_side(e)) -
                                          offsetof(struct relay_entry, ends));
}
static inline struct relay_end *relay_end_of_fifo(struct relay_fifo *f) {
    return (struct relay_end *)(void *)((char *)f - offsetof(struct relay_end, out));
}

/* The end with this number, in whatever state; NULL: none. */
static inline struct relay_end *relay_flow_end(const struct relay_flows *t, uint32_t number) {
    const uint32_t low = number & ((1u << t->bits) - 1);
    if (low / 2 >= t->count)
        return NULL;
    struct relay_entry *f = relay_flow_at(t, low / 2);
    return f->state != RELAY_UNUSED && f->ends[low & 1].number == number ? &f->ends[low & 1] : NULL;
}

/* A pending flow between two clients; `asker` has ends[0]. NULL: no more flows, or no memory. */
struct relay_entry *relay_flow_new(struct relay_flows *t, struct relay_clients *c,
                                   const struct rng *rng, uint32_t asker, uint32_t peer);
/* Its queues are empty. */
void relay_flow_free(struct relay_flows *t, struct relay_clients *c, struct relay_entry *f);
/* The end of this client in a flow to that one; NULL: they have none. */
struct relay_end *relay_flow_between(const struct relay_flows *t, const struct relay_clients *c,
                                     uint32_t client, uint32_t peer);
/* The first end of a client, the next of the same; NULL: no further. */
struct relay_end *relay_end_first(const struct relay_flows *t, const struct relay_clients *c,
                                  uint32_t client);
struct relay_end *relay_end_next(const struct relay_flows *t, const struct relay_end *e);

#endif
