#include "net/relay/relay_signals.h"

#include "crypto/base/mem.h"
#include "net/relay/relay_limits.h"

enum { FIRST = 64 };

void relay_signals_clear(struct relay_signals *s) {
    mem_free(s->ring);
    *s = (struct relay_signals){0};
}

static bool grow(struct relay_signals *s) {
    const uint32_t cap = s->cap ? s->cap * 2 : FIRST;
    if (cap > RELAY_SIGNALS_MAX)
        return false;
    struct relay_signal *ring = mem_calloc(cap, sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        ring[i] = s->ring[(s->first + i) % s->cap];
    mem_free(s->ring);
    s->ring = ring;
    s->cap = cap;
    s->first = 0;
    return true;
}

bool relay_signals_push(struct relay_signals *s, const struct relay_signal *x) {
    if (s->count == s->cap && !grow(s))
        return false;
    s->ring[(s->first + s->count++) % s->cap] = *x;
    return true;
}

bool relay_signals_pop(struct relay_signals *s, struct relay_signal *out) {
    if (s->count == 0)
        return false;
    *out = s->ring[s->first];
    s->first = (s->first + 1) % s->cap;
    s->count--;
    if (s->count == 0 && s->cap > FIRST) /* a rush is over */
        relay_signals_clear(s);
    return true;
}

size_t relay_signals_memory(const struct relay_signals *s) {
    return s->cap * sizeof *s->ring;
}
