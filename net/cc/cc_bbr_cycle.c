/* cc_bbr_cycle.c: entering BBR's states, and the cycle of PROBE_BW: probe upward, give way, cruise.
 * Section numbers are those of draft-ietf-ccwg-bbr; where the cycle differs from it says cc_bbr.c.
 */
#include "net/cc/cc_bbr.h"

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* ---- entering states ---- */

void bbr_enter(struct cc_bbr *b, enum cc_bbr_state state) {
    static const struct {
        uint32_t pacing, cwnd;
    } gains[] = {
        [BBR_STARTUP] = {BBR_STARTUP_PACING_PERCENT, BBR_CWND_PERCENT},
        [BBR_DRAIN] = {BBR_DRAIN_PACING_PERCENT, BBR_CWND_PERCENT},
        [BBR_PROBE_DOWN] = {BBR_DOWN_PACING_PERCENT, BBR_CWND_PERCENT},
        [BBR_PROBE_CRUISE] = {100, BBR_CWND_PERCENT},
        [BBR_PROBE_REFILL] = {100, BBR_CWND_PERCENT},
        [BBR_PROBE_UP] = {BBR_UP_PACING_PERCENT, BBR_UP_CWND_PERCENT},
        [BBR_PROBE_RTT] = {100, BBR_PROBE_RTT_CWND_PERCENT},
    };
    b->state = state;
    b->state_round = b->round_count;
    b->pacing_gain = gains[state].pacing;
    b->cwnd_gain = gains[state].cwnd;
}

/* §5.3.3.5.3, PickProbeWait: 2 to 3 s, and 0 or 1 round less. Drawn by splitmix64. */
static void pick_wait(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    uint64_t x = b->drawn += UINT64_C(0x9e3779b97f4a7c15) + now_us + c->rate.delivered;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    b->rounds_since_probe = x & 1;
    b->probe_wait_us = 2000000 + (x >> 1) % 1000000;
}

void bbr_start_down(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    bbr_reset_congestion_signals(b);
    b->probe_up_acked_per_inc = BBR_INFINITY;
    pick_wait(c, now_us);
    b->cycle_stamp_us = now_us;
    b->ack_phase = BBR_ACKS_STOPPING;
    bbr_start_round(c);
    bbr_enter(b, BBR_PROBE_DOWN);
}

void bbr_start_refill(struct cc *c) {
    struct cc_bbr *b = &c->u.bbr;
    bbr_reset_short_term(b);
    b->probe_up_rounds = 0;
    b->probe_up_acked = 0;
    b->prev_precautionary = false;
    b->ack_phase = BBR_ACKS_REFILLING;
    bbr_start_round(c);
    bbr_enter(b, BBR_PROBE_REFILL);
}

static void raise_slope(struct cc *c) {
    struct cc_bbr *b = &c->u.bbr;
    b->probe_up_acked_per_inc = larger(c->cwnd_bytes >> b->probe_up_rounds, c->mss_bytes);
    if (b->probe_up_rounds < 30)
        b->probe_up_rounds++;
}

static void start_up(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    b->ack_phase = BBR_ACKS_STARTING;
    bbr_start_round(c);
    bbr_reset_full_bw(b);
    b->full_bw = a->rate.bytes_per_s;
    bbr_enter(b, BBR_PROBE_UP);
    raise_slope(c);
}

/* ---- PROBE_BW, §5.3.3 ---- */

static bool time_to_probe(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    uint64_t rounds = bbr_target_inflight(c) / c->mss_bytes;
    if (rounds > BBR_RENO_ROUNDS_MAX)
        rounds = BBR_RENO_ROUNDS_MAX;
    if (now_us <= b->cycle_stamp_us + b->probe_wait_us && b->rounds_since_probe < rounds)
        return false;
    bbr_start_refill(c);
    return true;
}

static bool time_to_cruise(const struct cc *c) {
    return c->bytes_in_flight <= bbr_inflight_with_headroom(c) &&
           c->bytes_in_flight <= bbr_inflight(c, c->u.bbr.max_bw, 100);
}

static bool time_to_go_down(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->prev_too_high && c->bytes_in_flight >= b->inflight_longterm) {
        b->prev_precautionary = true;
        return true;
    }
    if (c->cwnd_limited && c->cwnd_bytes >= b->inflight_longterm) {
        bbr_reset_full_bw(b); /* the bound is what held it, not the path */
        b->full_bw = a->rate.bytes_per_s;
        return false;
    }
    return b->full_bw_now ||
           (!b->others && b->round_count > b->state_round &&
            c->bytes_in_flight >= bbr_inflight(c, b->max_bw, BBR_UP_PACING_PERCENT));
}

static void probe_longterm_upward(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (!c->cwnd_limited || c->cwnd_bytes < b->inflight_longterm)
        return;
    b->probe_up_acked += a->rate.newly_acked;
    if (b->probe_up_acked >= b->probe_up_acked_per_inc) {
        const uint64_t steps = b->probe_up_acked / b->probe_up_acked_per_inc;
        b->probe_up_acked -= steps * b->probe_up_acked_per_inc;
        b->inflight_longterm += steps * c->mss_bytes;
    }
    if (b->round_start)
        raise_slope(c);
}

/* True: it has decided a state. */
static bool adapt_long_term(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->ack_phase == BBR_ACKS_STARTING && b->round_start)
        b->ack_phase = BBR_ACKS_FEEDBACK;
    if (b->ack_phase == BBR_ACKS_STOPPING && b->round_start) {
        b->is_probe_sample = false;
        b->ack_phase = BBR_ACKS_INIT;
        if (bbr_in_probe_bw(b) && !a->rate.app_limited)
            bbr_advance_max_bw(b);
        if (bbr_in_probe_bw(b) && b->prev_precautionary && !b->prev_too_high) {
            bbr_start_refill(c);
            return true;
        }
    }
    if (bbr_too_high(c, a->rate.lost + b->marked_in_round, a->rate.in_flight) ||
        b->inflight_longterm == BBR_INFINITY)
        return false;
    b->inflight_longterm = larger(b->inflight_longterm, a->rate.in_flight);
    if (b->state == BBR_PROBE_UP)
        probe_longterm_upward(c, a);
    return false;
}

void bbr_update_cycle(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (!b->full_bw_reached || adapt_long_term(c, a) || !bbr_in_probe_bw(b))
        return;
    if (b->state == BBR_PROBE_DOWN) {
        if (!time_to_probe(c, a->now_us) && time_to_cruise(c)) {
            bbr_enter(b, BBR_PROBE_CRUISE);
            bbr_cruise_begins(c, a->now_us);
        }
    } else if (b->state == BBR_PROBE_CRUISE) {
        if (!time_to_probe(c, a->now_us))
            bbr_cruise_round(c, a);
    } else if (b->state == BBR_PROBE_REFILL) {
        if (b->round_start) {
            b->is_probe_sample = true;
            start_up(c, a);
        }
    } else if (time_to_go_down(c, a)) {
        b->prev_too_high = false;
        bbr_start_down(c, a->now_us);
    }
}
