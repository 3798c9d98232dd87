/* clock.h: the two clocks, in microseconds. Only the daemon reads them; the core is told. */
#ifndef MESHD_NODE_DAEMON_OS_CLOCK_H
#define MESHD_NODE_DAEMON_OS_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_us(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}
static inline uint64_t clock_now_us(void) {
    return clock_read_us(CLOCK_MONOTONIC);
}
static inline uint64_t clock_wall_us(void) {
    return clock_read_us(CLOCK_REALTIME);
}

/* Processor time of this thread. */
static inline uint64_t clock_busy_us(void) {
    return clock_read_us(CLOCK_THREAD_CPUTIME_ID);
}

#endif
