/* guests.c: looked through only when a guest comes or goes, beside what a handshake costs. */
#include "net/session/guests.h"

#include "crypto/base/mem.h"
#include "net/base/limits.h"

/* A /24 of the addresses, a /48 of the /56s (hop_source): with its kind before it. */
static uint64_t prefix_of(uint64_t source) {
    return source >> 8;
}

bool guests_room(const struct guests *g, uint64_t source) {
    unsigned same = 0, beside = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        same += g->sources[i] == source;
        beside += prefix_of(g->sources[i]) == prefix_of(source);
    }
    return g->count < GUESTS_MAX && same < GUESTS_SOURCE_MAX && beside < GUESTS_PREFIX_MAX;
}

bool guests_add(struct guests *g, uint64_t source) {
    if (!guests_room(g, source) ||
        !mem_grow(&g->sources, &g->cap, g->count + 1, sizeof g->sources[0], GUESTS_MAX))
        return false;
    g->sources[g->count++] = source;
    return true;
}

void guests_remove(struct guests *g, uint64_t source) {
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->sources[i] != source)
            continue;
        g->sources[i] = g->sources[--g->count];
        return;
    }
}

void guests_clear(struct guests *g) {
    mem_free(g->sources);
    *g = (struct guests){0};
}
