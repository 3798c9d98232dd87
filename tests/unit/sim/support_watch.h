/* support_watch.h: how often what is watched was broken. */
#ifndef MESHD_TESTS_SUPPORT_WATCH_H
#define MESHD_TESTS_SUPPORT_WATCH_H

#include <stdint.h>

#include "sim/invariants/invariants.h"

static inline uint64_t count(const struct watch *w, enum invariant i) {
    return watch_verdict(w, i)->count;
}

static inline uint64_t all(const struct watch *w) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < INVARIANTS; i++)
        sum += count(w, (enum invariant)i);
    return sum;
}

#endif
