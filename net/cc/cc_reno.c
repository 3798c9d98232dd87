/* cc_reno.c: NewReno as RFC 9002 §7 and appendix B write it down: slow enough to be sure of, and so
 * the controller that the others are compared with. */
#include "net/cc/cc.h"

static void reno_init(struct cc *c) {
    c->u.reno.acked_bytes = 0;
}

/* RFC 9002 §7.3.1, §7.3.3, §7.8, §B.5. In congestion avoidance one packet per window acknowledged,
 * counted in whole windows so that no fraction is lost. */
static void reno_acked(struct cc *c, const struct cc_ack *a) {
    if (a->app_limited)
        return;
    if (cc_in_slow_start(c)) {
        c->cwnd_bytes += a->bytes;
        return;
    }
    c->u.reno.acked_bytes += a->bytes;
    while (c->u.reno.acked_bytes >= c->cwnd_bytes) {
        c->u.reno.acked_bytes -= c->cwnd_bytes;
        c->cwnd_bytes += c->mss_bytes;
    }
}

/* RFC 9002 §7.3.2, §B.6: kLossReductionFactor is one half. */
static void reno_lost(struct cc *c, uint64_t now_us, uint64_t newest_lost_sent_us, uint64_t bytes) {
    (void)now_us, (void)newest_lost_sent_us, (void)bytes;
    uint64_t half = c->cwnd_bytes / 2, least = CC_MIN_PKTS * c->mss_bytes;
    c->ssthresh_bytes = half > least ? half : least;
    c->cwnd_bytes = c->ssthresh_bytes;
    c->u.reno.acked_bytes = 0;
}

/* RFC 3168 §6.1.2: as for a loss. */
static void reno_marked(struct cc *c) {
    reno_lost(c, 0, 0, 0);
}

static void reno_spurious(struct cc *c, uint64_t now_us) {
    (void)now_us;
    c->u.reno.acked_bytes = 0;
}

static void reno_persistent(struct cc *c) {
    c->u.reno.acked_bytes = 0;
}

const struct cc_ops cc_reno_ops = {
    .name = "reno",
    .init = reno_init,
    .acked = reno_acked,
    .lost = reno_lost,
    .marked = reno_marked,
    .spurious = reno_spurious,
    .persistent = reno_persistent,
};
