/* heap.h: what happens next: a 4-ary min-heap of events keyed (time, source, sequence). A source
 * numbers its own events, so the order of a run never depends on addresses or on insertion history,
 * and later parallel shards can merge to the same order.
 */
#ifndef MESHD_SIM_ENGINE_HEAP_H
#define MESHD_SIM_ENGINE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
    uint64_t time_ns;
    uint32_t source, seq;
    uint32_t kind, tag; /* the owner's */
    void *ref;          /* the owner's */
};

struct heap { /* all zeroes is empty */
    struct event *events;
    size_t count;
    uint32_t cap;
};

void heap_clear(struct heap *h);                       /* does not touch what refs point to */
void heap_push(struct heap *h, const struct event *e); /* aborts when out of memory */
const struct event *heap_top(const struct heap *h);    /* NULL if empty */
bool heap_pop(struct heap *h, struct event *out);

#endif
