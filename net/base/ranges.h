/* ranges.h: a set of uint64 kept as sorted, disjoint, non-adjacent half-open intervals [lo, hi).
 *
 * Used for packets received, stream bytes received, and stream bytes acknowledged or lost.
 * Intervals live in one small array that grows up to a bound; the usual case is one interval, and
 * adding at the end is O(1). Value struct; all zeroes is an empty set with bound 0 (call
 * ranges_init).
 */
#ifndef MESHD_NET_BASE_RANGES_H
#define MESHD_NET_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

struct range {
    uint64_t lo, hi;
};

struct ranges {
    struct range *v;  /* ascending; heap once count > 1 was ever needed */
    struct range one; /* inline storage for a single interval */
    uint32_t count, cap, max;
};

void ranges_init(struct ranges *r, uint32_t max);
void ranges_clear(struct ranges *r); /* frees; leaves an empty set with the same bound */

/* Adds [lo, hi), lo <= hi; empty adds nothing. ERR_FULL if that needs more than `max` intervals
 * (the set is unchanged), ERR_NOMEM. */
int ranges_add(struct ranges *r, uint64_t lo, uint64_t hi) MUST_USE;
/* Removes [lo, hi). Splitting may need one more interval: the same errors. */
int ranges_remove(struct ranges *r, uint64_t lo, uint64_t hi) MUST_USE;
/* Drops everything below `lo`; cannot fail. */
void ranges_drop_below(struct ranges *r, uint64_t lo);
/* Drops the lowest interval; asserts that there is one. */
void ranges_drop_first(struct ranges *r);

bool ranges_has(const struct ranges *r, uint64_t x);
bool ranges_touches(const struct ranges *r, uint64_t lo, uint64_t hi); /* any of it */
bool ranges_covers(const struct ranges *r, uint64_t lo, uint64_t hi); /* all of it; true if empty */
/* The first part of [lo, hi) that is not in the set; false if there is none. */
bool ranges_first_gap(const struct ranges *r, uint64_t lo, uint64_t hi, struct range *gap);

static inline bool ranges_empty(const struct ranges *r) {
    return r->count == 0;
}
/* The i-th interval in ascending order, i < count. */
struct range ranges_at(const struct ranges *r, uint32_t i);

#endif
