/* relay_rate.h: so many bytes a second, or so many times: a token bucket kept as the time at which
 * all that was taken is paid off (GCRA, ITU-T I.371). What is taken last may go into debt, which
 * is paid before more is given. All zeroes: nothing taken.
 */
#ifndef MESHD_NET_RELAY_RELAY_RATE_H
#define MESHD_NET_RELAY_RELAY_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct relay_rate {
    uint64_t paid_ns;
};

/* More may be taken; `burst_us` is how far ahead of the rate somebody may be who took nothing. */
static inline bool relay_rate_may(const struct relay_rate *r, uint64_t now_us, uint64_t burst_us) {
    return r->paid_ns <= (now_us + burst_us) * 1000;
}
static inline void relay_rate_take_ns(struct relay_rate *r, uint64_t now_us, uint64_t cost_ns) {
    if (r->paid_ns < now_us * 1000)
        r->paid_ns = now_us * 1000;
    r->paid_ns += cost_ns;
}
/* bytes < 2^32 */
static inline uint64_t relay_rate_cost_ns(uint64_t bytes, uint64_t bytes_per_s) {
    return bytes * 1000000000 / bytes_per_s;
}
/* When relay_rate_may will be true. */
static inline uint64_t relay_rate_when_us(const struct relay_rate *r, uint64_t burst_us) {
    const uint64_t at_us = (r->paid_ns + 999) / 1000;
    return at_us > burst_us ? at_us - burst_us : 0;
}

#endif
