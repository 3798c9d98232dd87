/* cc_bbr.h: what the three parts of BBR share: cc_bbr_model.c keeps the model of the path,
 * cc_bbr_cycle.c the states of probing and cruising, cc_bbr.c the others, and what all make of it.
 * Functions and constants have the names of draft-ietf-ccwg-bbr, written our way.
 */
#ifndef MESHD_NET_CC_CC_BBR_H
#define MESHD_NET_CC_CC_BBR_H

#include "net/cc/cc.h"

enum {
    BBR_STARTUP_PACING_PERCENT = 277,
    BBR_DRAIN_PACING_PERCENT = 50,
    BBR_DOWN_PACING_PERCENT = 90,
    BBR_DRAIN_DOWN_PACING_PERCENT = 75,
    BBR_DRAIN_ABOVE_PERCENT = 110,
    BBR_UP_PACING_PERCENT = 125,
    BBR_CWND_PERCENT = 200,
    BBR_UP_CWND_PERCENT = 225,
    BBR_PROBE_RTT_CWND_PERCENT = 50,
    BBR_PACING_MARGIN_PERCENT = 1,
    BBR_LOSS_THRESH_PERCENT = 2,
    BBR_BETA_PERCENT = 70,
    BBR_HEADROOM_PERCENT = 15,
    BBR_MIN_PIPE_PKTS = 4,
    BBR_STARTUP_FULL_LOSS_COUNT = 6,
    BBR_MIN_RTT_FILTER_US = 10 * 1000000,
    BBR_PROBE_RTT_US = 200 * 1000,
    BBR_EXTRA_ACKED_ROUNDS = 5, /* of each of two windows */
    BBR_RENO_ROUNDS_MAX = 63,
    BBR_QUEUE_MIN_US = 2000,    /* a round trip longer by less may be chance */
    BBR_DOWN_OTHERS_ROUNDS = 6, /* a whole product too much is gone by then */
    BBR_CRUISE_CALM_ROUNDS = 3, /* nothing that left before is still acknowledged */
    BBR_CRUISE_ROUNDS = 8,      /* long enough for an average without noise */
    BBR_CRUISE_LEAST_PERCENT = 90,
    BBR_QUANTUM_MAX_BYTES = 64 * 1024,
    BBR_LOSS_SAMPLE_PKTS = 100, /* fewer say nothing about a share of 2 % */
};
#define BBR_INFINITY UINT64_MAX

/* ---- the model (cc_bbr_model.c) ---- */
uint64_t bbr_bdp(const struct cc *c, uint64_t bw, uint32_t gain_percent);
/* At least what offloads and delayed acknowledgements need. */
uint64_t bbr_inflight(const struct cc *c, uint64_t bw, uint32_t gain_percent);
uint64_t bbr_quantized(const struct cc *c, uint64_t inflight);
uint64_t bbr_inflight_with_headroom(const struct cc *c);
uint64_t bbr_target_inflight(const struct cc *c);
uint64_t bbr_min_pipe(const struct cc *c);
uint64_t bbr_extra_acked(const struct cc_bbr *b);
void bbr_reset_congestion_signals(struct cc_bbr *b);
void bbr_reset_short_term(struct cc_bbr *b);
void bbr_reset_full_bw(struct cc_bbr *b);
void bbr_start_round(struct cc *c);
void bbr_advance_max_bw(struct cc_bbr *b);
/* The parts of an ACK before and after the states' decisions. */
void bbr_model_acked(struct cc *c, const struct cc_ack *a, bool probing);
void bbr_model_finished(struct cc *c, const struct cc_ack *a);
void bbr_check_full_bw(struct cc *c, const struct cc_ack *a);
/* Cruising is measured over some rounds: where less is delivered than is sent, and a queue stands,
 * no more is sent. */
void bbr_cruise_begins(struct cc *c, uint64_t now_us);
void bbr_cruise_round(struct cc *c, const struct cc_ack *a);
/* Losses since a packet left are more than the path may have. */
bool bbr_too_high(const struct cc *c, uint64_t lost, uint64_t in_flight);

/* ---- the cycle (cc_bbr_cycle.c) ---- */
static inline bool bbr_in_probe_bw(const struct cc_bbr *b) {
    return b->state >= BBR_PROBE_DOWN && b->state <= BBR_PROBE_UP;
}
void bbr_enter(struct cc_bbr *b, enum cc_bbr_state state);
void bbr_start_down(struct cc *c, uint64_t now_us);
void bbr_start_refill(struct cc *c);
/* What an ACK means for the state, once the pipe has been full. */
void bbr_update_cycle(struct cc *c, const struct cc_ack *a);

#endif
