/* load.h: what is asked of a relay: as much as it can, a moderate rate with the time each packet
 * takes, many pairs at once. */
#ifndef MESHD_BENCH_THROUGH_LOAD_H
#define MESHD_BENCH_THROUGH_LOAD_H

#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/through/ends.h"

struct load {
    struct pair *pairs;
    unsigned count;
    size_t bytes;       /* of a packet, without the relay's head */
    pid_t relay;        /* whose CPU time counts; 0: nobody's */
    void (*tend)(void); /* called ten times a second: what keeps the relay content. May be NULL */
};

struct load_result {
    double seconds, cpu_s;
    uint64_t sent, received;
    uint64_t p50_ns, p99_ns, max_ns; /* load_rate */
    double first_s, last_s;          /* load_race: when the first and last pair were through */
};

/* As much as comes through for so long: each pair has at most `window` packets under way, in runs
 * of at most `run`. What has not come when nothing has for STALL_NS is given up. */
struct load_result load_most(struct load *l, double seconds, unsigned window, unsigned run);
/* `per_s` packets a second of all pairs together, one at a time, evenly. */
struct load_result load_rate(struct load *l, double seconds, unsigned per_s);
/* As load_most until each pair has sent `packets` of its own: who is ready when? */
struct load_result load_race(struct load *l, uint64_t packets, unsigned window, unsigned run);

#endif
