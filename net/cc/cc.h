/* cc.h: congestion control of one path, behind a table of functions, so that controllers can be
 * compared on the same links: CUBIC with HyStart++ (cc_cubic.c: RFC 9438, RFC 9406) is the default,
 * Reno (cc_reno.c: RFC 9002 §7, appendix B) is the test oracle; BBR (cc_bbr.c: draft-ietf-ccwg-bbr)
 * models the path and does not take loss for congestion. Value struct without allocation.
 *
 * The transport tells what was sent, acknowledged and lost on its path; the
 * controller answers with a window (cwnd_bytes) and a pacing rate. bytes_in_flight is kept here, by
 * cc_* below.
 */
#ifndef MESHD_NET_CC_CC_H
#define MESHD_NET_CC_CC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/recovery/rate.h"

enum cc_kind { CC_CUBIC, CC_RENO, CC_BBR };

/* What one ACK frame newly acknowledged (on its path). */
struct cc_ack {
    uint64_t now_us;
    uint64_t bytes;          /* newly acknowledged in-flight bytes */
    uint64_t marked_bytes;   /* and about how many the path has newly marked CE */
    uint64_t newest_sent_us; /* send time of the newest packet among them */
    uint64_t newest_pn;      /* and its number */
    uint64_t next_pn; /* the number the next packet will get: ends a round (RFC 9406 §4.2) */
    bool app_limited; /* the window was not the limit when they were sent: no growth (§7.8) */
    uint64_t rtt_latest_us, rtt_min_us, srtt_us;
    uint64_t rtt_sample_us; /* of this very ACK; 0: it gave none */
    uint64_t rttvar_us;
    struct rate_sample rate;
};

struct cc_ops;

struct cc_hystart { /* RFC 9406 §4 */
    bool in_css;
    uint32_t rtt_samples, css_rounds;
    uint64_t round_end_pn;
    uint64_t last_round_min_us, round_min_us, css_baseline_min_us;
};

struct cc_cubic {
    struct cc_hystart hystart;
    uint64_t w_max_bytes, w_est_bytes, cwnd_prior_bytes, k_us, epoch_start_us;
    uint64_t acked_remainder, est_remainder; /* fractions of a byte carried between ACKs */
    bool epoch_running;
    uint64_t idle_since_us; /* when the window stopped being the limit; 0 = it is */
    struct {                /* state before the last reduction, for undo: RFC 9438 §4.9 */
        uint64_t w_max_bytes, w_est_bytes, cwnd_prior_bytes, k_us, epoch_start_us;
        bool epoch_running;
    } undo;
};

struct cc_seed { /* what a path carried when it was left */
    uint64_t cwnd_bytes;
    uint64_t bytes_per_s, min_rtt_us; /* 0: not known */
};

enum cc_bbr_state {
    BBR_STARTUP,
    BBR_DRAIN,
    BBR_PROBE_DOWN,
    BBR_PROBE_CRUISE,
    BBR_PROBE_REFILL,
    BBR_PROBE_UP,
    BBR_PROBE_RTT,
};

struct cc_bbr {
    /* names are those of draft-ietf-ccwg-bbr; rates in bytes per second; UINT64_MAX is
         * infinity */
    enum cc_bbr_state state, undo_state;
    uint32_t pacing_gain, cwnd_gain; /* percent */
    uint64_t pacing_rate, bw;
    /* the model of the path */
    uint64_t max_bw, bw_filter[2], bw_shortterm, bw_latest;
    uint64_t min_rtt_us, min_rtt_stamp_us, round_min_rtt_us;
    uint64_t inflight_longterm, inflight_shortterm, inflight_latest;
    uint64_t max_inflight;
    uint64_t extra_acked[2], extra_start_us, extra_delivered;
    uint32_t extra_rounds;
    /* rounds */
    uint64_t next_round_delivered, round_count, rounds_since_probe;
    uint64_t state_round; /* in which the state began */
    uint64_t loss_round_delivered, sample_lost, sample_delivered;
    uint64_t marked, sample_marked,
        marked_in_round; /* bytes with CE: of the path, until the last sample, of this round */
    bool round_start, loss_round_start, loss_in_round;
    uint32_t loss_events_in_round;
    uint64_t loss_event_us; /* when the newest of them was noted */
    /* is the pipe full? */
    uint64_t full_bw;
    uint32_t full_bw_count;
    bool full_bw_now, full_bw_reached;
    bool queue_stands, others; /* the last round had a queue; one that is not ours */
    /* probing for bandwidth */
    enum {
        BBR_ACKS_INIT,
        BBR_ACKS_REFILLING,
        BBR_ACKS_STARTING,
        BBR_ACKS_FEEDBACK,
        BBR_ACKS_STOPPING
    } ack_phase;
    uint64_t cycle_stamp_us, probe_wait_us;
    uint64_t probe_up_acked_per_inc, probe_up_acked;
    uint32_t probe_up_rounds;
    bool is_probe_sample, prev_too_high, prev_precautionary;
    uint64_t cruise_since_us, cruise_delivered, cruise_rounds; /* what cruising really brings */
    /* probing for the round trip */
    uint64_t probe_rtt_done_us, probe_rtt_cwnd;
    bool min_rtt_expired, probe_rtt_round_done, idle_restart;
    uint64_t prior_cwnd;
    uint64_t undo_bw_shortterm, undo_inflight_shortterm, undo_inflight_longterm;
    bool in_recovery, has_seen_rtt;
    uint64_t drawn; /* what the next waiting time is drawn from */
};

struct cc {
    const struct cc_ops *ops;
    uint64_t mss_bytes; /* largest datagram now */
    uint64_t cwnd_bytes, ssthresh_bytes, bytes_in_flight;
    struct rate rate;
    bool cwnd_limited; /* the window has held something back since the controller last looked */
    uint64_t recovery_start_us; /* a loss of a packet sent before this is the same event */
    bool in_recovery_ever;
    uint64_t reductions, undone; /* counters for reports */
    struct {                     /* before the last reduction; the controller keeps its own part */
        bool valid, in_recovery_ever;
        uint64_t cwnd_bytes, ssthresh_bytes, recovery_start_us;
    } undo;
    union {
        struct cc_cubic cubic;
        struct cc_bbr bbr;
        struct {
            uint64_t acked_bytes; /* towards the next increase */
        } reno;
    } u;
};

/* What differs between controllers; cc.c keeps recovery periods and undo, which do not. `lost` is
 * called once per reduction, `acked` only outside recovery, unless it is a model, which hears of
 * everything and restores its window itself. NULL: does not care. */
struct cc_ops {
    const char *name;
    bool model;
    void (*init)(struct cc *c);
    void (*acked)(struct cc *c, const struct cc_ack *a);
    void (*lost)(struct cc *c, uint64_t now_us, uint64_t newest_lost_sent_us, uint64_t bytes);
    void (*marked)(struct cc *c); /* once per reduction; NULL: looks at cc_ack.marked_bytes */
    void (*spurious)(struct cc *c, uint64_t now_us); /* cwnd and ssthresh are restored already */
    void (*persistent)(struct cc *c);                /* the window is at the minimum already */
    void (*sent)(struct cc *c, uint64_t now_us);     /* before the packet counts */
    void (*packet_lost)(struct cc *c, uint64_t now_us, const struct rate_mark *m, uint64_t bytes);
    uint64_t (*pacing_rate)(const struct cc *c, uint64_t srtt_us);
    void (*save)(const struct cc *c, struct cc_seed *out);
    void (*resume)(struct cc *c, uint64_t now_us, const struct cc_seed *seed);
};

enum {
    CC_INITIAL_PKTS = 10,
    CC_MIN_PKTS = 2,
    CC_MAX_BYTES = 1 << 30, /* windows stop here, so that the arithmetic stays within 64 bits */
};

/* RFC 9002 §7.2: initial window min(10 mss, max(2 mss, 14720)). */
void cc_init(struct cc *c, enum cc_kind kind, uint64_t mss_bytes);
/* PLPMTUD found a larger one, or fell back. The window is kept, but never below CC_MIN_PKTS of it.
 */
void cc_set_mss(struct cc *c, uint64_t mss_bytes);

/* Every in-flight packet passes through exactly one cc_sent and one of the ways out:
 * cc_acked's bytes, cc_lost's bytes, or cc_discard (forgotten without a verdict). cc_packet_lost is
 * told of each of cc_lost's packets before it. */
void cc_sent(struct cc *c, uint64_t now_us, uint64_t bytes, struct rate_mark *out);
void cc_packet_lost(struct cc *c, uint64_t now_us, const struct rate_mark *m, uint64_t bytes);
void cc_acked(struct cc *c, const struct cc_ack *a);
void cc_lost(struct cc *c, uint64_t now_us, uint64_t newest_lost_sent_us, uint64_t bytes);
void cc_discard(struct cc *c, uint64_t bytes);
/* The path has marked packets CE (RFC 9002 §7.1, §B.7): one reduction for all that was sent before
 * it, like a loss, but for good. newest_sent_us: of the newest packet that the ACK settles. Called
 * before its cc_acked. */
void cc_marked(struct cc *c, uint64_t now_us, uint64_t newest_sent_us);
/* Every loss of the last reduction was false: as if it had not been (RFC 9438 §4.9). Nothing
 * happens if that reduction was undone before, or persistent congestion came after it. */
void cc_spurious(struct cc *c, uint64_t now_us);
/* RFC 9002 §7.6: the window becomes the minimum. Called after the cc_lost that revealed it. */
void cc_persistent(struct cc *c);

/* A path that was left not long ago is taken again: after cc_init, starts from half of what it
 * carried (the caution is that of RFC 9959, careful resume). */
void cc_save(const struct cc *c, struct cc_seed *out);
void cc_resume(struct cc *c, uint64_t now_us, const struct cc_seed *seed);

static inline bool cc_may_send(const struct cc *c) {
    return c->bytes_in_flight + c->mss_bytes <= c->cwnd_bytes ||
           (c->bytes_in_flight == 0 && c->cwnd_bytes > 0);
}
static inline bool cc_in_slow_start(const struct cc *c) {
    return c->cwnd_bytes < c->ssthresh_bytes;
}

/* Bytes per second for the pacer: cwnd / srtt times 2 in slow start and 1.25 after (RFC 9002 §7.7;
 * the factors Linux uses are 2 and 1.2). */
uint64_t cc_pacing_rate(const struct cc *c, uint64_t srtt_us);

extern const struct cc_ops cc_cubic_ops, cc_reno_ops, cc_bbr_ops;

#endif
