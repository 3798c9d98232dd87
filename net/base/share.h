/* share.h: how something bounded is divided among sessions without knowing how many want of it:
 * dynamic thresholds (Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). Whoever
 * asks may hold up to `factor` times what is free. One alone gets factor / (factor + 1) of all, n
 * that want everything get factor / (n * factor + 1) each, and one part of that many is always free
 * for who comes next. Beside it each has a small share that is sure, so that nobody is shut out by
 * those who came first. Value struct.
 */
#ifndef MESHD_NET_BASE_SHARE_H
#define MESHD_NET_BASE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct share {
    uint64_t max, used; /* used may be more than max by what was sure to some */
};

static inline uint64_t share_free(const struct share *s) {
    return s->used < s->max ? s->max - s->used : 0;
}

/* May one that holds `held` have `more`? `sure`: up to so much in any case. */
static inline bool share_allows(const struct share *s, uint64_t held, uint64_t more, uint64_t sure,
                                unsigned factor) {
    const uint64_t left = share_free(s);
    return held + more <= sure || (more <= left && held + more <= factor * left);
}

#endif
