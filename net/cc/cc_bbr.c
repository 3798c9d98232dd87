/* cc_bbr.c: BBR version 3, draft-ietf-ccwg-bbr: what happens, and the window and pacing rate that
 * the states (those of PROBE_BW: cc_bbr_cycle.c) make of the model (cc_bbr_model.c).
 *
 *   STARTUP --pipe full--> DRAIN --queue gone--> PROBE_DOWN
 *   PROBE_DOWN -> PROBE_CRUISE -> PROBE_REFILL -> PROBE_UP -> PROBE_DOWN
 *   any --no lower round trip for 10 s--> PROBE_RTT --200 ms--> PROBE_CRUISE, or STARTUP
 *
 * Where it is not the draft:
 *  - Losses lower the short-term bounds only where their share is above the threshold that the
 *    draft has for probing, 2 %, over at least BBR_LOSS_SAMPLE_PKTS; a single packet never is too
 *    many. So random loss below that costs its own share and no more, where the draft's flow slows
 *    down by that share in every round trip (docs/TRANSPORT.md has figures).
 *  - Two rounds without growth are enough to see that the pipe is full if even the quickest packet
 *    waited in a queue.(1)
 *  - PROBE_UP ends, as in the first BBRv3 of Linux, already when a round has passed and a quarter
 *    more than the bandwidth-delay product is in flight: were there more bandwidth, the product
 *    would have grown. So a probe costs a queue of a quarter of the round trip, not of a whole
 *    one.(1)
 *  - PROBE_DOWN sends at 0.75 of the bandwidth, as in BBRv2, as long as a tenth more than the
 *    product is in flight.
 *  - Cruising follows the average that is delivered over eight rounds where that is less than the
 *    largest sample and a queue stands.(1)
 *    (1) Not while the queue is that of others: one that still stands after six rounds of
 *    PROBE_DOWN, until one does not in the third round of cruising. A short queue is not to be had
 *    there, and who gives way to it loses its share.
 *  - Headroom is left in the buffer, not in the pipe: not below the bandwidth-delay product.
 *  - An RTT sample equal to the minimum refreshes it, too.
 *  - Persistent congestion (RFC 9002 §7.6) stands for the retransmission timeout.
 *  - The draft has no answer to ECN (implementations have one for DCTCP's marks, which begin at a
 *    few packets of queue and are many). CE of RFC 3168 says what a loss says, so a round trip in
 *    which more than 2 % is marked counts as lossy, and a probe that meets as many marks has gone
 *    too high. Fewer marks change nothing, as fewer losses do not: a flow that keeps to the path's
 *    rate gets hardly any from CoDel.
 *  - Waiting times are drawn from the flow's own counters, since there is no other randomness
 *    here.
 */
#include "net/cc/cc_bbr.h"

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static bool is_probing(const struct cc_bbr *b) {
    return b->state == BBR_STARTUP || b->state == BBR_PROBE_REFILL || b->state == BBR_PROBE_UP;
}

/* ---- STARTUP and DRAIN, §5.3.1, §5.3.2 ---- */

static void check_startup_done(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->state == BBR_STARTUP && b->loss_round_start &&
        b->loss_events_in_round >= BBR_STARTUP_FULL_LOSS_COUNT &&
        bbr_too_high(c, a->rate.lost + b->marked_in_round, a->rate.in_flight)) {
        b->undo_state = BBR_STARTUP;
        b->full_bw_reached = b->full_bw_now = true;
        b->inflight_longterm = larger(bbr_bdp(c, b->bw, 100), b->inflight_latest);
    }
    if (b->loss_round_start) {
        b->loss_events_in_round = 0;
        b->marked_in_round = 0;
    }
    if (b->state == BBR_STARTUP && b->full_bw_reached)
        bbr_enter(b, BBR_DRAIN);
}

static void check_drain_done(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->state == BBR_DRAIN &&
        (c->bytes_in_flight <= bbr_inflight(c, b->bw, 100) || b->round_count > b->state_round + 3))
        bbr_start_down(c, a->now_us);
}

/* ---- PROBE_RTT, §5.3.4 ---- */

static void save_cwnd(struct cc *c) {
    struct cc_bbr *b = &c->u.bbr;
    if (!b->in_recovery && b->state != BBR_PROBE_RTT)
        b->prior_cwnd = c->cwnd_bytes;
    else
        b->prior_cwnd = larger(b->prior_cwnd, c->cwnd_bytes);
}

static void restore_cwnd(struct cc *c) {
    c->cwnd_bytes = larger(c->cwnd_bytes, c->u.bbr.prior_cwnd);
}

static void update_min_rtt(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    b->min_rtt_expired = a->now_us > b->min_rtt_stamp_us + BBR_MIN_RTT_FILTER_US;
    if (b->min_rtt_expired && b->state != BBR_PROBE_RTT)
        b->probe_rtt_cwnd = larger(bbr_bdp(c, b->bw, BBR_PROBE_RTT_CWND_PERCENT), bbr_min_pipe(c));
    if (a->rtt_sample_us > 0 && (a->rtt_sample_us <= b->min_rtt_us || b->min_rtt_expired)) {
        b->min_rtt_us = a->rtt_sample_us;
        b->min_rtt_stamp_us = a->now_us;
    }
}

static void probe_rtt_done(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->probe_rtt_done_us == 0 || now_us <= b->probe_rtt_done_us)
        return;
    b->min_rtt_stamp_us = now_us;
    restore_cwnd(c);
    bbr_reset_short_term(b);
    if (b->full_bw_reached) {
        bbr_start_down(c, now_us);
        bbr_enter(b, BBR_PROBE_CRUISE);
        bbr_cruise_begins(c, now_us);
    } else {
        bbr_enter(b, BBR_STARTUP);
    }
}

/* Four packets of the size of now: the MTU may have grown since the state was entered. */
static uint64_t probe_rtt_cwnd(const struct cc *c) {
    return larger(c->u.bbr.probe_rtt_cwnd, bbr_min_pipe(c));
}

static void handle_probe_rtt(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    rate_app_limited(&c->rate, c->bytes_in_flight); /* low rates say nothing now */
    if (b->probe_rtt_done_us == 0) {
        if (c->bytes_in_flight > probe_rtt_cwnd(c))
            return;
        b->probe_rtt_done_us = now_us + BBR_PROBE_RTT_US;
        b->probe_rtt_round_done = false;
        bbr_start_round(c);
        return;
    }
    if (b->round_start)
        b->probe_rtt_round_done = true;
    if (b->probe_rtt_round_done)
        probe_rtt_done(c, now_us);
}

static void check_probe_rtt(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->state != BBR_PROBE_RTT && b->min_rtt_expired && !b->idle_restart) {
        save_cwnd(c);
        bbr_enter(b, BBR_PROBE_RTT);
        b->probe_rtt_done_us = 0;
        b->ack_phase = BBR_ACKS_STOPPING;
        bbr_start_round(c);
    }
    if (b->state == BBR_PROBE_RTT)
        handle_probe_rtt(c, a->now_us);
    if (a->rate.newly_acked > 0)
        b->idle_restart = false;
}

/* ---- window and rate, §5.6 ---- */

static void set_pacing_rate(struct cc *c, uint32_t gain_percent) {
    struct cc_bbr *b = &c->u.bbr;
    const uint64_t rate = b->bw / 100 * gain_percent / 100 * (100 - BBR_PACING_MARGIN_PERCENT);
    if (b->full_bw_reached || rate > b->pacing_rate)
        b->pacing_rate = rate;
}

static void bound_by_model(struct cc *c) {
    const struct cc_bbr *b = &c->u.bbr;
    uint64_t cap = BBR_INFINITY;
    if (b->state == BBR_PROBE_RTT || b->state == BBR_PROBE_CRUISE)
        cap = bbr_inflight_with_headroom(c);
    else if (bbr_in_probe_bw(b))
        cap = b->inflight_longterm;
    if (cap > b->inflight_shortterm)
        cap = b->inflight_shortterm;
    cap = larger(cap, bbr_min_pipe(c));
    if (c->cwnd_bytes > cap)
        c->cwnd_bytes = cap;
}

static void set_cwnd(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    b->max_inflight = bbr_quantized(c, bbr_bdp(c, b->bw, b->cwnd_gain) + bbr_extra_acked(b));
    const uint64_t grown = c->cwnd_bytes + a->rate.newly_acked;
    if (b->full_bw_reached)
        c->cwnd_bytes = grown < b->max_inflight ? grown : b->max_inflight;
    else if (c->cwnd_bytes < b->max_inflight || c->rate.delivered < CC_INITIAL_PKTS * c->mss_bytes)
        c->cwnd_bytes = grown;
    c->cwnd_bytes = larger(c->cwnd_bytes, bbr_min_pipe(c));
    if (b->state == BBR_PROBE_RTT && c->cwnd_bytes > probe_rtt_cwnd(c))
        c->cwnd_bytes = probe_rtt_cwnd(c);
    bound_by_model(c);
}

/* A queue is left from probing: out with it in about a round trip. */
static bool drains(const struct cc *c) {
    const struct cc_bbr *b = &c->u.bbr;
    return b->state == BBR_PROBE_DOWN &&
           c->bytes_in_flight > bbr_inflight(c, b->max_bw, BBR_DRAIN_ABOVE_PERCENT);
}

/* ---- events ---- */

static void bbr_init(struct cc *c) {
    c->u.bbr = (struct cc_bbr){
        .undo_state = BBR_PROBE_CRUISE, /* stands for none */
        .min_rtt_us = BBR_INFINITY,
        .round_min_rtt_us = BBR_INFINITY,
        .inflight_longterm = BBR_INFINITY,
        .probe_up_acked_per_inc = BBR_INFINITY,
        .probe_rtt_cwnd = c->cwnd_bytes,
        /* §5.6.2, InitPacingRate: as if the round trip were 1 ms, until it is known. */
        .pacing_rate = c->cwnd_bytes * 1000 / 100 * BBR_STARTUP_PACING_PERCENT,
    };
    bbr_reset_short_term(&c->u.bbr);
    bbr_enter(&c->u.bbr, BBR_STARTUP);
}

/* §5.4.1, HandleRestartFromIdle. */
static void bbr_sent(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->min_rtt_stamp_us == 0)
        b->min_rtt_stamp_us = b->extra_start_us = now_us;
    if (c->bytes_in_flight > 0 || c->rate.bubble == 0)
        return;
    b->idle_restart = true;
    b->extra_start_us = now_us;
    b->extra_delivered = 0;
    if (bbr_in_probe_bw(b))
        set_pacing_rate(c, 100);
    else if (b->state == BBR_PROBE_RTT)
        probe_rtt_done(c, now_us);
}

static void first_rtt(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (b->has_seen_rtt || a->srtt_us == 0 || a->rtt_sample_us == 0)
        return;
    b->has_seen_rtt = true;
    b->pacing_rate =
        CC_INITIAL_PKTS * c->mss_bytes * 1000000 / a->srtt_us / 100 * BBR_STARTUP_PACING_PERCENT;
}

/* The first sign of congestion in a round: what will be restored if it was false. */
static void note_congestion(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    if (!b->loss_in_round) {
        b->loss_round_delivered = c->rate.delivered;
        save_cwnd(c);
        b->undo_state = BBR_PROBE_CRUISE;
        b->undo_bw_shortterm = b->bw_shortterm;
        b->undo_inflight_shortterm = b->inflight_shortterm;
        b->undo_inflight_longterm = b->inflight_longterm;
    }
    b->loss_in_round = true;
    if (b->loss_event_us != now_us)
        b->loss_events_in_round++;
    b->loss_event_us = now_us;
}

/* §5.5.10, HandleInflightTooHigh. `high`: what the path has shown to be too much; infinity: it has
 * not, for want of data. */
static void probed_too_high(struct cc *c, uint64_t now_us, uint64_t high) {
    struct cc_bbr *b = &c->u.bbr;
    b->prev_too_high = true;
    b->is_probe_sample = false; /* once per probe */
    if (high != BBR_INFINITY)
        b->inflight_longterm = larger(high, bbr_target_inflight(c) / 100 * BBR_BETA_PERCENT);
    if (b->state == BBR_PROBE_UP) {
        bbr_start_down(c, now_us);
        b->undo_state = BBR_PROBE_UP;
    }
}

/* §5.5.10, HandleLostPacket. */
static void bbr_packet_lost(struct cc *c, uint64_t now_us, const struct rate_mark *m,
                            uint64_t bytes) {
    struct cc_bbr *b = &c->u.bbr;
    note_congestion(c, now_us);
    const uint64_t lost = rate_lost_since(&c->rate, m);
    if (!b->is_probe_sample || !bbr_too_high(c, lost, m->in_flight))
        return;
    /* InflightAtLoss: at which part of this packet the losses became too many. */
    const uint64_t before = m->in_flight > bytes ? m->in_flight - bytes : 0;
    const uint64_t lost_before = lost > bytes ? lost - bytes : 0;
    const uint64_t may = before * BBR_LOSS_THRESH_PERCENT / 100;
    const uint64_t prefix =
        may > lost_before ? (may - lost_before) * 100 / (100 - BBR_LOSS_THRESH_PERCENT) : 0;
    probed_too_high(c, now_us, m->app_limited ? BBR_INFINITY : before + prefix);
}

/* Bytes of this ACK came with CE, or about so many. */
static void packets_marked(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    if (a->marked_bytes == 0)
        return;
    note_congestion(c, a->now_us);
    b->marked += a->marked_bytes;
    b->marked_in_round += a->marked_bytes;
    if (b->is_probe_sample && bbr_too_high(c, b->marked_in_round, a->rate.in_flight))
        probed_too_high(c, a->now_us, a->rate.app_limited ? BBR_INFINITY : a->rate.in_flight);
}

static void bbr_acked(struct cc *c, const struct cc_ack *a) {
    struct cc_bbr *b = &c->u.bbr;
    first_rtt(c, a);
    packets_marked(c, a);
    bbr_model_acked(c, a, is_probing(b));
    bbr_check_full_bw(c, a);
    check_startup_done(c, a);
    check_drain_done(c, a);
    bbr_update_cycle(c, a);
    update_min_rtt(c, a);
    check_probe_rtt(c, a);
    bbr_model_finished(c, a);
    if (b->in_recovery && a->newest_sent_us >= c->recovery_start_us) {
        b->in_recovery = false;
        restore_cwnd(c);
    }
    set_pacing_rate(c, drains(c) ? BBR_DRAIN_DOWN_PACING_PERCENT : b->pacing_gain);
    set_cwnd(c, a);
    if (b->round_start)
        c->cwnd_limited = false;
    c->ssthresh_bytes = b->state == BBR_STARTUP ? UINT64_MAX : 0;
}

static void bbr_lost(struct cc *c, uint64_t now_us, uint64_t newest_lost_sent_us, uint64_t bytes) {
    (void)now_us, (void)newest_lost_sent_us, (void)bytes;
    save_cwnd(c);
    c->u.bbr.in_recovery = true;
}

/* §5.5.11. */
static void bbr_spurious(struct cc *c, uint64_t now_us) {
    struct cc_bbr *b = &c->u.bbr;
    (void)now_us;
    restore_cwnd(c);
    b->in_recovery = false;
    b->loss_in_round = false;
    bbr_reset_full_bw(b);
    b->bw_shortterm = larger(b->bw_shortterm, b->undo_bw_shortterm);
    b->inflight_shortterm = larger(b->inflight_shortterm, b->undo_inflight_shortterm);
    b->inflight_longterm = larger(b->inflight_longterm, b->undo_inflight_longterm);
    if (b->undo_state == BBR_STARTUP && b->state != BBR_STARTUP) {
        b->full_bw_reached = false;
        if (b->state != BBR_PROBE_RTT)
            bbr_enter(b, BBR_STARTUP);
    } else if (b->undo_state == BBR_PROBE_UP && b->state != BBR_PROBE_UP &&
               b->state != BBR_PROBE_RTT) {
        bbr_start_refill(c);
    }
    b->undo_state = BBR_PROBE_CRUISE;
}

/* §5.6.4.4, OnEnterRTO: everything in flight is gone; the window grows again with each ACK. */
static void bbr_persistent(struct cc *c) {
    c->u.bbr.in_recovery = true;
}

static uint64_t bbr_pacing_rate(const struct cc *c, uint64_t srtt_us) {
    (void)srtt_us;
    return c->u.bbr.pacing_rate > 0 ? c->u.bbr.pacing_rate : 1;
}

static void bbr_save(const struct cc *c, struct cc_seed *out) {
    const struct cc_bbr *b = &c->u.bbr;
    out->bytes_per_s = b->max_bw;
    out->min_rtt_us = b->min_rtt_us == BBR_INFINITY ? 0 : b->min_rtt_us;
}

/* Still in STARTUP, which doubles from here. */
static void bbr_resume(struct cc *c, uint64_t now_us, const struct cc_seed *seed) {
    struct cc_bbr *b = &c->u.bbr;
    if (seed->bytes_per_s == 0 || seed->min_rtt_us == 0)
        return;
    b->has_seen_rtt = true;
    b->min_rtt_us = seed->min_rtt_us;
    b->min_rtt_stamp_us = b->extra_start_us = now_us;
    b->bw = b->max_bw = b->bw_filter[0] = seed->bytes_per_s / 2;
    b->pacing_rate = 0; /* the guess of the beginning */
    set_pacing_rate(c, b->pacing_gain);
    c->cwnd_bytes = larger(c->cwnd_bytes, bbr_bdp(c, b->bw, b->cwnd_gain));
}

const struct cc_ops cc_bbr_ops = {
    .name = "bbr",
    .model = true,
    .init = bbr_init,
    .acked = bbr_acked,
    .lost = bbr_lost,
    .spurious = bbr_spurious,
    .persistent = bbr_persistent,
    .sent = bbr_sent,
    .packet_lost = bbr_packet_lost,
    .pacing_rate = bbr_pacing_rate,
    .save = bbr_save,
    .resume = bbr_resume,
};
