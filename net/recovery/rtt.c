/* rtt.c: RFC 9002 §5. */
#include "net/recovery/rtt.h"

void rtt_init(struct rtt *r) {
    *r = (struct rtt){.srtt_us = RTT_INITIAL_US, .var_us = RTT_INITIAL_US / 2};
}

/* RFC 9002 §5.3. */
void rtt_sample(struct rtt *r, uint64_t sample_us, uint64_t ack_delay_us) {
    if (sample_us == 0)
        sample_us = 1;
    r->latest_us = sample_us;
    if (!r->has_sample) {
        /* The first sample knows no minimum that the delay could be checked against. */
        r->has_sample = true;
        r->min_us = sample_us;
        r->srtt_us = sample_us;
        r->var_us = sample_us / 2;
        return;
    }
    if (sample_us < r->min_us)
        r->min_us = sample_us;
    if (ack_delay_us > RTT_MAX_ACK_DELAY_US)
        ack_delay_us = RTT_MAX_ACK_DELAY_US;
    uint64_t adjusted_us = sample_us;
    if (sample_us - r->min_us >= ack_delay_us)
        adjusted_us -= ack_delay_us;
    uint64_t off_us =
        r->srtt_us > adjusted_us ? r->srtt_us - adjusted_us : adjusted_us - r->srtt_us;
    r->var_us = (3 * r->var_us + off_us) / 4;
    r->srtt_us = (7 * r->srtt_us + adjusted_us) / 8;
}

uint64_t rtt_pto_us(const struct rtt *r) {
    uint64_t spread_us = 4 * r->var_us;
    if (spread_us < RTT_GRANULARITY_US)
        spread_us = RTT_GRANULARITY_US;
    return r->srtt_us + spread_us + RTT_MAX_ACK_DELAY_US;
}
