#include "sim/engine/heap.h"

#include <stdlib.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

enum { ARITY = 4 };

static bool before(const struct event *a, const struct event *b) {
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    if (a->source != b->source)
        return a->source < b->source;
    return a->seq < b->seq;
}

void heap_clear(struct heap *h) {
    mem_free(h->events);
    *h = (struct heap){0};
}

void heap_push(struct heap *h, const struct event *e) {
    grow(&h->events, &h->cap, h->count + 1, sizeof *h->events);
    size_t at = h->count++;
    while (at > 0) {
        size_t parent = (at - 1) / ARITY;
        if (!before(e, &h->events[parent]))
            break;
        h->events[at] = h->events[parent];
        at = parent;
    }
    h->events[at] = *e;
}

const struct event *heap_top(const struct heap *h) {
    return h->count > 0 ? &h->events[0] : NULL;
}

bool heap_pop(struct heap *h, struct event *out) {
    if (h->count == 0)
        return false;
    *out = h->events[0];
    const struct event last = h->events[--h->count];
    size_t at = 0;
    for (;;) {
        size_t child = at * ARITY + 1, end = child + ARITY, least = child;
        if (child >= h->count)
            break;
        if (end > h->count)
            end = h->count;
        while (++child < end)
            if (before(&h->events[child], &h->events[least]))
                least = child;
        if (!before(&h->events[least], &last))
            break;
        h->events[at] = h->events[least];
        at = least;
    }
    if (h->count > 0)
        h->events[at] = last;
    return true;
}
