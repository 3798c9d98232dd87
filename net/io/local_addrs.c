#include "net/io/local_addrs.h"

/* number = index | generation << 5; the generation is never 0, so that 0 is no number. */
enum { INDEX_BITS = 5, GENERATIONS = 1 << (LOCAL_NUMBER_BITS - INDEX_BITS) };

_Static_assert(LOCAL_ADDRS_MAX == 1 << INDEX_BITS, "an index fits");

static uint32_t take(struct local_addrs *t, uint32_t i) {
    t->last = i;
    t->v[i].used = ++t->uses;
    return i | t->v[i].generation << INDEX_BITS;
}

static void give_away(struct local_addrs *t, uint32_t i) {
    t->v[i].addr = (struct addr){.kind = ADDR_NONE};
    t->v[i].used = 0;
    t->v[i].generation = t->v[i].generation % (GENERATIONS - 1) + 1;
}

uint32_t local_addrs_number(struct local_addrs *t, const struct addr *a) {
    uint32_t oldest = 0;
    if (addr_equal(&t->v[t->last].addr, a) && t->v[t->last].addr.kind != ADDR_NONE)
        return take(t, t->last);
    for (uint32_t i = 0; i < LOCAL_ADDRS_MAX; i++) {
        if (t->v[i].addr.kind != ADDR_NONE && addr_equal(&t->v[i].addr, a))
            return take(t, i);
        if (t->v[i].used < t->v[oldest].used)
            oldest = i;
    }
    give_away(t, oldest);
    t->v[oldest].addr = *a;
    return take(t, oldest);
}

const struct addr *local_addrs_find(const struct local_addrs *t, uint32_t number) {
    const uint32_t i = number & (LOCAL_ADDRS_MAX - 1);
    const bool known = t->v[i].addr.kind != ADDR_NONE && t->v[i].generation == number >> INDEX_BITS;
    return known ? &t->v[i].addr : NULL;
}

void local_addrs_forget(struct local_addrs *t, uint32_t number) {
    if (local_addrs_find(t, number))
        give_away(t, number & (LOCAL_ADDRS_MAX - 1));
}
