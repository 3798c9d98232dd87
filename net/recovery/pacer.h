/* pacer.h: spreads a window over its round trip: a token bucket in bytes, filled at the pacing
 * rate. The bucket's size, the burst, is the larger of 10 packets (but at most one train) and
 * burst_us of rate, an eighth of the round trip between PACER_BURST_MIN_US and PACER_BURST_MAX_US;
 * the invariant is: over any interval T no more than burst + rate * T bytes leave. RFC 9002 §7.7.
 * Value struct, integer arithmetic only.
 */
#ifndef MESHD_NET_RECOVERY_PACER_H
#define MESHD_NET_RECOVERY_PACER_H

#include <stdint.h>

enum {
    PACER_BURST_PKTS = 10,
    PACER_BURST_MAX_US = 1000, /* one loop timer tick: so a 1 ms timer loses no rate */
    /* A timer that is set less than a tick ahead and slept on costs 25 us of CPU in a virtual
     * machine. At 2 Gbit/s half of this is a train. */
    PACER_BURST_MIN_US = 500,
    PACER_BURSTS_PER_RTT = 8,
};

struct pacer {
    uint64_t tokens_bytes; /* what may leave now */
    uint64_t last_us;      /* when tokens_bytes was right */
    uint64_t remainder;    /* byte-microseconds not yet turned into tokens */
    uint64_t burst_us;
};

void pacer_init(struct pacer *p, uint64_t now_us, uint64_t mss_bytes); /* full initial burst */
void pacer_set_rtt(struct pacer *p, uint64_t srtt_us);
/* Bytes that may leave at `now_us`. */
uint64_t pacer_allowance(struct pacer *p, uint64_t now_us, uint64_t rate_bytes_per_s,
                         uint64_t mss_bytes);
/* `bytes` left. May take the bucket to 0, never below. */
void pacer_sent(struct pacer *p, uint64_t bytes);
/* When `need` bytes, at most a burst, will be allowed; now_us if they are, TIME_NEVER at rate 0.
 * Call after pacer_allowance. */
uint64_t pacer_when_us(const struct pacer *p, uint64_t now_us, uint64_t rate_bytes_per_s,
                       uint64_t need_bytes);

#endif
