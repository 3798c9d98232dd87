/* cc_cubic.c: CUBIC, RFC 9438, with HyStart++ in the first slow start (RFC 9406).
 *
 * All in integers: windows in bytes up to CC_MAX_BYTES (2^30), times in microseconds. The RFC
 * counts windows in segments; a segment here is mss_bytes, and the byte forms below are the RFC's
 * formulas multiplied by it. C = 0.4 = 2/5, beta = 0.7 = 7/10, alpha = 3 (1 - beta) / (1 + beta) =
 * 9/17.
 */
#include "net/cc/cc_hystart.h"

enum {
    CUBIC_C_NUM = 2,
    CUBIC_C_DEN = 5,
    CUBIC_BETA_PERCENT = 70,
    CUBIC_BETA_ECN_PERCENT = 85,
    CUBIC_FAST_PERCENT = 85, /* (1 + beta) / 2: fast convergence */
    CUBIC_ALPHA_NUM = 9,
    CUBIC_ALPHA_DEN = 17,
    CUBIC_TIME_MAX_US = 250 * 1000000, /* from K; there the curve is gigabytes away, and the cube of
                                        * this, scaled as below, still fits in 64 bits */
};

/* The largest r with r^3 <= x. */
static uint64_t cube_root(uint64_t x) {
    uint64_t r = 0;
    for (int shift = 63; shift >= 0; shift -= 3) {
        r *= 2;
        uint64_t step = 3 * r * (r + 1) + 1; /* (r + 1)^3 - r^3 */
        if (x >> shift >= step) {
            x -= step << shift;
            r++;
        }
    }
    return r;
}

/* K = cbrt((W_max - cwnd_epoch) / C), RFC 9438 §4.2 figure 2. Computed in the finest unit of time
 * for which the cube fits: milliseconds always do, and normally a tenth or a hundredth of them. */
static uint64_t curve_k_us(uint64_t gap_bytes, uint64_t mss_bytes) {
    uint64_t cube = gap_bytes * (UINT64_C(1000000000) * CUBIC_C_DEN / CUBIC_C_NUM) / mss_bytes;
    uint64_t unit_us = 1000;
    while (unit_us > 1 && cube <= UINT64_MAX / 1000) {
        cube *= 1000;
        unit_us /= 10;
    }
    return cube_root(cube) * unit_us;
}

/* W_cubic(t) = C (t - K)^3 + W_max, RFC 9438 §4.2 figure 1. */
static uint64_t curve_bytes(const struct cc *c, uint64_t t_us) {
    const struct cc_cubic *q = &c->u.cubic;
    uint64_t off_us = t_us > q->k_us ? t_us - q->k_us : q->k_us - t_us;
    if (off_us > CUBIC_TIME_MAX_US)
        off_us = CUBIC_TIME_MAX_US;
    uint64_t cube = off_us * off_us / 1000000 * off_us / 1000000; /* s^3 times 10^6 */
    uint64_t bytes = cube * c->mss_bytes * CUBIC_C_NUM / CUBIC_C_DEN / 1000000;
    if (t_us > q->k_us)
        return q->w_max_bytes + bytes;
    return q->w_max_bytes > bytes ? q->w_max_bytes - bytes : 0;
}

/* Congestion avoidance begins: RFC 9438 §4.2, and §4.8 and §4.10 where W_max is not known: then K =
 * 0 and the curve starts from here. */
static void begin_epoch(struct cc *c, uint64_t now_us) {
    struct cc_cubic *q = &c->u.cubic;
    if (q->w_max_bytes <= c->cwnd_bytes) {
        q->w_max_bytes = c->cwnd_bytes;
        q->k_us = 0;
    } else {
        q->k_us = curve_k_us(q->w_max_bytes - c->cwnd_bytes, c->mss_bytes);
    }
    q->w_est_bytes = c->cwnd_bytes;
    q->epoch_start_us = now_us;
    q->epoch_running = true;
    q->acked_remainder = 0;
    q->est_remainder = 0;
}

/* What Reno's window would be, RFC 9438 §4.3 figure 4. */
static void grow_estimate(struct cc *c, uint64_t acked_bytes) {
    struct cc_cubic *q = &c->u.cubic;
    uint64_t alpha_num = q->w_est_bytes >= q->cwnd_prior_bytes ? CUBIC_ALPHA_DEN : CUBIC_ALPHA_NUM;
    uint64_t num = alpha_num * c->mss_bytes * acked_bytes + q->est_remainder;
    uint64_t den = CUBIC_ALPHA_DEN * c->cwnd_bytes;
    q->w_est_bytes += num / den;
    q->est_remainder = num % den;
    if (q->w_est_bytes > CC_MAX_BYTES)
        q->w_est_bytes = CC_MAX_BYTES;
}

/* RFC 9438 §4.3 to §4.5. */
static void avoid(struct cc *c, const struct cc_ack *a) {
    struct cc_cubic *q = &c->u.cubic;
    if (!q->epoch_running)
        begin_epoch(c, a->now_us);
    grow_estimate(c, a->bytes);
    uint64_t t_us = a->now_us > q->epoch_start_us ? a->now_us - q->epoch_start_us : 0;
    if (curve_bytes(c, t_us) < q->w_est_bytes) {
        if (q->w_est_bytes > c->cwnd_bytes)
            c->cwnd_bytes = q->w_est_bytes;
        return;
    }
    uint64_t target = curve_bytes(c, t_us + a->srtt_us);
    uint64_t most = c->cwnd_bytes + c->cwnd_bytes / 2;
    if (target > most)
        target = most;
    if (target <= c->cwnd_bytes)
        return;
    uint64_t num = (target - c->cwnd_bytes) * a->bytes + q->acked_remainder;
    q->acked_remainder = num % c->cwnd_bytes;
    c->cwnd_bytes += num / c->cwnd_bytes;
}

/* RFC 9438 §4.10. Only the first slow start ends by delay; later ones know where to stop. */
static void slow_start(struct cc *c, const struct cc_ack *a) {
    if (c->ssthresh_bytes == UINT64_MAX) {
        bool leave;
        c->cwnd_bytes += cc_hystart_acked(&c->u.cubic.hystart, a, &leave);
        if (leave)
            c->ssthresh_bytes = c->cwnd_bytes;
        return;
    }
    c->cwnd_bytes += a->bytes;
    if (c->cwnd_bytes > c->ssthresh_bytes)
        c->cwnd_bytes = c->ssthresh_bytes;
}

static void cubic_init(struct cc *c) {
    c->u.cubic = (struct cc_cubic){0};
    cc_hystart_init(&c->u.cubic.hystart);
}

/* RFC 9438 §4.2 and §5.8: while the application is the limit the window stays and the curve's clock
 * stands still, from the ACK that showed it to the packet that filled the window again. A flight
 * that was acknowledged to the last byte may be the beginning of such a pause. */
static void cubic_acked(struct cc *c, const struct cc_ack *a) {
    struct cc_cubic *q = &c->u.cubic;
    if (!a->app_limited && q->idle_since_us != 0) {
        if (q->epoch_running && a->newest_sent_us > q->idle_since_us)
            q->epoch_start_us += a->newest_sent_us - q->idle_since_us;
        q->idle_since_us = 0;
    }
    if (q->idle_since_us == 0 && (a->app_limited || c->bytes_in_flight == 0))
        q->idle_since_us = a->now_us;
    if (a->app_limited)
        return;
    if (cc_in_slow_start(c))
        slow_start(c, a);
    else
        avoid(c, a);
}

/* RFC 9438 §4.6 (decrease) and §4.7 (fast convergence). The window stands for the flight size: it
 * does not grow while it is not used. */
static void reduce(struct cc *c, uint64_t beta_percent) {
    struct cc_cubic *q = &c->u.cubic;
    q->w_max_bytes =
        c->cwnd_bytes < q->w_max_bytes ? c->cwnd_bytes * CUBIC_FAST_PERCENT / 100 : c->cwnd_bytes;
    q->cwnd_prior_bytes = c->cwnd_bytes;
    uint64_t least = CC_MIN_PKTS * c->mss_bytes;
    uint64_t less = c->cwnd_bytes * beta_percent / 100;
    c->ssthresh_bytes = less > least ? less : least;
    c->cwnd_bytes = c->ssthresh_bytes;
    q->epoch_running = false;
}

/* RFC 8511 §3: queues that mark are short, so less has to be given up to empty them; in slow start,
 * which overshoots by up to the window, as much as for a loss. */
static void cubic_marked(struct cc *c) {
    reduce(c, cc_in_slow_start(c) ? CUBIC_BETA_PERCENT : CUBIC_BETA_ECN_PERCENT);
}

static void cubic_lost(struct cc *c, uint64_t now_us, uint64_t newest_lost_sent_us,
                       uint64_t bytes) {
    (void)now_us, (void)newest_lost_sent_us, (void)bytes;
    struct cc_cubic *q = &c->u.cubic;
    q->undo.w_max_bytes = q->w_max_bytes;
    q->undo.w_est_bytes = q->w_est_bytes;
    q->undo.cwnd_prior_bytes = q->cwnd_prior_bytes;
    q->undo.k_us = q->k_us;
    q->undo.epoch_start_us = q->epoch_start_us;
    q->undo.epoch_running = q->epoch_running;
    reduce(c, CUBIC_BETA_PERCENT);
}

/* RFC 9438 §4.9.2. */
static void cubic_spurious(struct cc *c, uint64_t now_us) {
    (void)now_us;
    struct cc_cubic *q = &c->u.cubic;
    q->w_max_bytes = q->undo.w_max_bytes;
    q->w_est_bytes = q->undo.w_est_bytes;
    q->cwnd_prior_bytes = q->undo.cwnd_prior_bytes;
    q->k_us = q->undo.k_us;
    q->epoch_start_us = q->undo.epoch_start_us;
    q->epoch_running = q->undo.epoch_running;
}

/* RFC 9438 §4.8: W_max is what the window will be when slow start ends. */
static void cubic_persistent(struct cc *c) {
    struct cc_cubic *q = &c->u.cubic;
    q->w_max_bytes = 0;
    q->epoch_running = false;
}

const struct cc_ops cc_cubic_ops = {
    .name = "cubic",
    .init = cubic_init,
    .acked = cubic_acked,
    .lost = cubic_lost,
    .marked = cubic_marked,
    .spurious = cubic_spurious,
    .persistent = cubic_persistent,
};
