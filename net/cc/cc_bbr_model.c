/* cc_bbr_model.c: BBR's model of the path: bandwidth, aggregation, short- and long-term bounds.
 * Section numbers are those of draft-ietf-ccwg-bbr (revision of 2026).
 */
#include "net/cc/cc_bbr.h"

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

uint64_t bbr_min_pipe(const struct cc *c) {
    return BBR_MIN_PIPE_PKTS * c->mss_bytes;
}

/* §5.6.4.2, BDPMultiple. */
uint64_t bbr_bdp(const struct cc *c, uint64_t bw, uint32_t gain_percent) {
    const struct cc_bbr *b = &c->u.bbr;
    if (b->min_rtt_us == BBR_INFINITY || bw == 0)
        return CC_INITIAL_PKTS * c->mss_bytes;
    const uint64_t bdp = bw / 1000000 * b->min_rtt_us + bw % 1000000 * b->min_rtt_us / 1000000;
    return bdp < CC_MAX_BYTES ? bdp * gain_percent / 100 : CC_MAX_BYTES;
}

/* §5.6.3, §5.6.4.2: SetSendQuantum is the offload budget. */
uint64_t bbr_quantized(const struct cc *c, uint64_t inflight) {
    uint64_t quantum = c->u.bbr.pacing_rate / 1000;
    if (quantum > BBR_QUANTUM_MAX_BYTES)
        quantum = BBR_QUANTUM_MAX_BYTES;
    inflight = larger(inflight, larger(quantum, 2 * c->mss_bytes));
    inflight = larger(inflight, bbr_min_pipe(c));
    return c->u.bbr.state == BBR_PROBE_UP ? inflight + 2 * c->mss_bytes : inflight;
}

uint64_t bbr_inflight(const struct cc *c, uint64_t bw, uint32_t gain_percent) {
    return bbr_quantized(c, bbr_bdp(c, bw, gain_percent));
}

uint64_t bbr_inflight_with_headroom(const struct cc *c) {
    const struct cc_bbr *b = &c->u.bbr;
    if (b->inflight_longterm == BBR_INFINITY)
        return BBR_INFINITY;
    const uint64_t headroom =
        larger(c->mss_bytes, b->inflight_longterm / 100 * BBR_HEADROOM_PERCENT);
    const uint64_t bdp = bbr_bdp(c, b->bw, 100);
    const uint64_t full = bdp < b->inflight_longterm ? bdp : b->inflight_longterm;
    return larger(b->inflight_longterm > headroom ? b->inflight_longterm - headroom : 0,
                  larger(full, bbr_min_pipe(c)));
}

uint64_t bbr_target_inflight(const struct cc *c) {
    const uint64_t bdp = bbr_bdp(c, c->u.bbr.bw, 100);
    return bdp < c->cwnd_bytes ? bdp : c->cwnd_bytes;
}

bool bbr_too_high(const struct cc *c, uint64_t lost, uint64_t in_flight) {
    return lost * 100 > in_flight * BBR_LOSS_THRESH_PERCENT && lost > c->mss_bytes;
}

/* At the end of a round: have there been so many losses that the path must be taken for smaller? */
static bool lossy_round(struct cc *c) {
    struct cc_bbr *b = &c->u.bbr;
    const uint64_t lost = c->rate.lost - b->sample_lost + (b->marked - b->sample_marked);
    const uint64_t all = lost + c->rate.delivered - b->sample_delivered;
    if (all < BBR_LOSS_SAMPLE_PKTS * c->mss_bytes)
        return false;
    b->sample_lost = c->rate.lost;
    b->sample_marked = b->marked;
    b->sample_delivered = c->rate.delivered;
    return lost * 100 > all * BBR_LOSS_THRESH_PERCENT;
}

/* ---- resets ---- */

void bbr_reset_congestion_signals(struct cc_bbr *b) {
    b->loss_in_round = false;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

void bbr_reset_short_term(struct cc_bbr *b) {
    b->bw_shortterm = BBR_INFINITY;
    b->inflight_shortterm = BBR_INFINITY;
}

void bbr_reset_full_bw(struct cc_bbr *b) {
    b->full_bw = 0;
    b->full_bw_count = 0;
    b->full_bw_now = false;
}

void bbr_start_round(struct cc *c) {
    c->u.bbr.next_round_delivered = c->rate.delivered;
}

/* ---- §5.5.6: the maximum of this probing cycle and the one before ---- */

void bbr_advance_max_bw(struct cc_bbr *b) {
    if (b->bw_filter[1] == 0)
        return; /* nothing measured in this cycle: keep what there is */
    b->bw_filter[0] = b->bw_filter[1];
    b->bw_filter[1] = 0;
    b->max_bw = b->bw_filter[0];
}

static void update_max_bw(struct cc_bbr *b, const struct rate_sample *s) {
    if (s->bytes_per_s == 0 || (s->bytes_per_s < b->max_bw && s->app_limited))
        return;
    b->bw_filter[1] = larger(b->bw_filter[1], s->bytes_per_s);
    b->max_bw = larger(b->bw_filter[0], b->bw_filter[1]);
}

/* §5.5.1. */
static void update_round(struct cc *c, const struct rate_sample *s) {
    struct cc_bbr *b = &c->u.bbr;
    b->round_start = s->any && s->prior_delivered >= b->next_round_delivered;
    if (!b->round_start)
        return;
    bbr_start_round(c);
    b->round_count++;
    b->rounds_since_probe++;
}

/* ---- §5.5.9: how much more arrives at once than the bandwidth explains ---- */

uint64_t bbr_extra_acked(const struct cc_bbr *b) {
    return larger(b->extra_acked[0], b->extra_acked[1]);
}

static void update_aggregation(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    const uint64_t rounds = b->full_bw_reached ? BBR_EXTRA_ACKED_ROUNDS : 1;
    if (b->round_start && ++b->extra_rounds >= rounds) {
        b->extra_rounds = 0;
        b->extra_acked[0] = b->extra_acked[1];
        b->extra_acked[1] = 0;
    }
    const uint64_t interval_us = a->now_us - b->extra_start_us;
    uint64_t expected = interval_us < 1000000 ? b->bw * interval_us / 1000000 : BBR_INFINITY;
    if (b->extra_delivered <= expected) {
        b->extra_delivered = 0;
        b->extra_start_us = a->now_us;
        expected = 0;
    }
    b->extra_delivered += a->rate.newly_acked;
    uint64_t extra = b->extra_delivered - expected;
    if (extra > c->cwnd_bytes)
        extra = c->cwnd_bytes;
    b->extra_acked[1] = larger(b->extra_acked[1], extra);
}

/* ---- §5.5.10: lower bounds after losses, once a round ---- */

static void adapt_lower_bounds(struct cc *c) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->bw_shortterm == BBR_INFINITY)
        b->bw_shortterm = b->max_bw;
    if (b->inflight_shortterm == BBR_INFINITY)
        b->inflight_shortterm = c->cwnd_bytes;
    b->bw_shortterm = larger(b->bw_latest, b->bw_shortterm / 100 * BBR_BETA_PERCENT);
    b->inflight_shortterm =
        larger(b->inflight_latest, b->inflight_shortterm / 100 * BBR_BETA_PERCENT);
}

void bbr_model_acked(struct cc *c, const struct cc_ack *a, bool probing) {
    struct cc_bbr *b = &c->u.bbr;
    const struct rate_sample *s = &a->rate;
    b->loss_round_start = false;
    if (s->any) {
        b->bw_latest = larger(b->bw_latest, s->bytes_per_s);
        b->inflight_latest = larger(b->inflight_latest, s->delivered);
        if (s->prior_delivered >= b->loss_round_delivered) {
            b->loss_round_delivered = c->rate.delivered;
            b->loss_round_start = true;
        }
    }
    update_round(c, s);
    update_max_bw(b, s);
    if (b->loss_round_start) {
        if (lossy_round(c) && b->loss_in_round && !probing)
            adapt_lower_bounds(c);
        b->loss_in_round = false;
    }
    update_aggregation(c, a);
}

void bbr_model_finished(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->loss_round_start) {
        b->bw_latest = a->rate.bytes_per_s;
        b->inflight_latest = a->rate.delivered;
    }
    b->bw = b->max_bw < b->bw_shortterm ? b->max_bw : b->bw_shortterm;
}

/* ---- cruising: the largest of many noisy samples is some percent too much, and a queue would grow
 * by as much of a round trip in each ---- */

void bbr_cruise_begins(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    b->cruise_since_us = now_us;
    b->cruise_delivered = c->rate.delivered;
    b->cruise_rounds = b->round_count;
}

void bbr_cruise_round(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->state != BBR_PROBE_CRUISE || b->round_count - b->cruise_rounds < BBR_CRUISE_ROUNDS)
        return;
    const uint64_t us = a->now_us - b->cruise_since_us;
    const uint64_t average = us > 0 ? (c->rate.delivered - b->cruise_delivered) * 1000000 / us : 0;
    if (b->queue_stands && !b->others && c->rate.bubble == 0 && average < b->bw)
        b->bw_shortterm = larger(average, b->bw / 100 * BBR_CRUISE_LEAST_PERCENT);
    bbr_cruise_begins(c, a->now_us);
}

/* Even the quickest packet of the round that has ended waited in a queue. */
static bool round_had_queue(struct cc_bbr *b, const struct cc_ack *a) {
    const uint64_t quickest_us = b->round_min_rtt_us;
    uint64_t much_us = b->min_rtt_us / 8;
    b->round_min_rtt_us = a->rtt_sample_us > 0 ? a->rtt_sample_us : BBR_INFINITY;
    if (much_us < BBR_QUEUE_MIN_US)
        much_us = BBR_QUEUE_MIN_US;
    if (much_us < 2 * a->rttvar_us) /* a path that is never quiet */
        much_us = 2 * a->rttvar_us;
    return quickest_us != BBR_INFINITY && b->min_rtt_us != BBR_INFINITY &&
           quickest_us > b->min_rtt_us + much_us;
}

/* A queue that stands although ours has been drained is somebody else's. Alone, PROBE_DOWN does not
 * last that long: it ends once the flight fits the product. */
static void look_for_others(struct cc_bbr *b) {
    const uint64_t rounds = b->round_count - b->state_round;
    if (b->state == BBR_PROBE_DOWN && rounds == BBR_DOWN_OTHERS_ROUNDS)
        b->others = b->queue_stands;
    else if (b->state == BBR_PROBE_CRUISE && rounds == BBR_CRUISE_CALM_ROUNDS && !b->queue_stands)
        b->others = false;
}

/* §5.3.1.2: three rounds without a quarter more; or two, and a queue of ours stands. */
void bbr_check_full_bw(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (a->rtt_sample_us > 0 && a->rtt_sample_us < b->round_min_rtt_us)
        b->round_min_rtt_us = a->rtt_sample_us;
    if (b->round_start) {
        b->queue_stands = round_had_queue(b, a);
        look_for_others(b);
    }
    if (b->full_bw_now || !b->round_start || a->rate.app_limited)
        return;
    if (a->rate.bytes_per_s >= b->full_bw + b->full_bw / 4) {
        bbr_reset_full_bw(b);
        b->full_bw = a->rate.bytes_per_s;
        return;
    }
    b->full_bw_now = ++b->full_bw_count >= (b->queue_stands && !b->others ? 2u : 3u);
    if (b->full_bw_now)
        b->full_bw_reached = true;
}
