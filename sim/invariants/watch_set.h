/* watch_set.h: which numbers have been there: a set of 64-bit counters as sorted intervals, and a
 * hash table of such sets and of byte counts, keyed by three words.
 */
#ifndef MESHD_SIM_INVARIANTS_WATCH_SET_H
#define MESHD_SIM_INVARIANTS_WATCH_SET_H

#include <stdbool.h>
#include <stdint.h>

struct watch_span {
    uint64_t lo, hi; /* lo <= n < hi */
};

struct watch_set { /* all zeroes is empty */
    struct watch_span *spans;
    uint32_t count, cap;
    uint64_t floor; /* below it nothing is known any more */
};

void watch_set_clear(struct watch_set *s);
/* Adds n. False if it was in it already; true also for numbers below the floor. At most `max` spans
 * are kept. */
bool watch_set_add(struct watch_set *s, uint64_t n, uint32_t max);

struct watch_entry {
    uint64_t key[3];
    bool used;
    struct watch_set set;
    uint64_t a, b, c; /* the user's */
};

struct watch_map { /* all zeroes is empty */
    struct watch_entry *entries;
    uint32_t count, cap;
};

void watch_map_clear(struct watch_map *m);
/* The entry of this key, made if need be. Valid until the next call. */
struct watch_entry *watch_map_at(struct watch_map *m, uint64_t k0, uint64_t k1, uint64_t k2);
const struct watch_entry *watch_map_find(const struct watch_map *m, uint64_t k0, uint64_t k1,
                                         uint64_t k2);

#endif
