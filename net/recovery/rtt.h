/* rtt.h: round-trip time estimation of one path, RFC 9002 §5. Value struct; all times in us.
 */
#ifndef MESHD_NET_RECOVERY_RTT_H
#define MESHD_NET_RECOVERY_RTT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RTT_INITIAL_US = 333 * 1000,      /* RFC 9002 §6.2.2 */
    RTT_GRANULARITY_US = 1000,        /* RFC 9002 kGranularity */
    RTT_MAX_ACK_DELAY_US = 25 * 1000, /* what a receiver may wait before it acknowledges */
};

struct rtt {
    bool has_sample;
    uint64_t latest_us, min_us, srtt_us, var_us;
};

void rtt_init(struct rtt *r); /* srtt = initial, var = initial / 2 */
/* One sample from the largest newly acknowledged packet. ack_delay as the peer reported it; it is
 * capped at RTT_MAX_ACK_DELAY_US and never makes the sample smaller than min_rtt (§5.3). A sample
 * of 0 counts as 1 us. */
void rtt_sample(struct rtt *r, uint64_t sample_us, uint64_t ack_delay_us);
/* srtt + max(4 var, granularity) + max_ack_delay: RFC 9002 §6.2.1, without backoff. */
uint64_t rtt_pto_us(const struct rtt *r);

#endif
