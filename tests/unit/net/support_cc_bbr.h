/* support_cc_bbr.h: BBR by hand: acknowledgements and whole rounds as the test says, and a flow
 * that knows its path. */
#ifndef MESHD_TESTS_SUPPORT_CC_BBR_H
#define MESHD_TESTS_SUPPORT_CC_BBR_H

#include "net/cc/cc_bbr.h"

enum { MSS = 1200, MS = 1000, S = 1000000 };

/* An ACK that settles nothing in flight, so that the test alone says what is. */
struct hand {
    uint64_t now_us, rtt_us;   /* rtt_us 0: no sample */
    uint64_t prior, delivered; /* of the sample */
    uint64_t bytes_per_s, lost, in_flight, newly;
    uint64_t sent_us;
    bool app_limited;
};

static inline void ack(struct cc *c, struct hand h) {
    cc_acked(c, &(struct cc_ack){
                    .now_us = h.now_us,
                    .newest_sent_us = h.sent_us,
                    .rtt_latest_us = h.rtt_us,
                    .rtt_min_us = h.rtt_us,
                    .srtt_us = h.rtt_us,
                    .rtt_sample_us = h.rtt_us,
                    .rate = {.any = true,
                             .prior_delivered = h.prior,
                             .delivered = h.delivered,
                             .bytes_per_s = h.bytes_per_s,
                             .lost = h.lost,
                             .in_flight = h.in_flight,
                             .newly_acked = h.newly,
                             .app_limited = h.app_limited},
                });
}

/* A round with that rate: everything in flight is acknowledged. */
static inline void round_at(struct cc *c, uint64_t now_us, uint64_t rtt_us, uint64_t bytes_per_s) {
    const uint64_t bytes = bytes_per_s / 1000 * rtt_us / 1000;
    const uint64_t prior = c->rate.delivered;
    c->rate.delivered += bytes;
    ack(c, (struct hand){.now_us = now_us,
                         .rtt_us = rtt_us,
                         .prior = prior,
                         .delivered = bytes,
                         .bytes_per_s = bytes_per_s,
                         .in_flight = bytes,
                         .newly = bytes,
                         .sent_us = now_us - rtt_us});
}

static inline struct cc fresh(void) {
    struct cc c;
    cc_init(&c, CC_BBR, MSS);
    cc_sent(&c, 1 * S, MSS, &(struct rate_mark){0}); /* the clock of the minimum begins */
    assert_int_equal(c.u.bbr.state, BBR_STARTUP);
    return c;
}

/* A flow that knows its path, 10 MB/s and 40 ms, in the given state since now. */
static inline struct cc knowing(enum cc_bbr_state state, uint64_t now_us) {
    struct cc c = fresh();
    struct cc_bbr *b = &c.u.bbr;
    b->has_seen_rtt = true;
    b->max_bw = b->bw = b->bw_filter[0] = 10000000;
    b->min_rtt_us = 40 * MS;
    b->min_rtt_stamp_us = now_us;
    b->full_bw_reached = state != BBR_STARTUP;
    b->state = state;
    b->pacing_gain = 100;
    b->cwnd_gain = 200;
    b->cycle_stamp_us = now_us;
    b->probe_wait_us = 2500 * MS;
    b->extra_start_us = now_us;
    b->pacing_rate = 10000000;
    c.cwnd_bytes = 800000;
    c.bytes_in_flight = 400000;
    c.rate.delivered = b->next_round_delivered = 50000000;
    b->sample_delivered = c.rate.delivered;
    return c;
}

#endif
