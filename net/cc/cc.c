/* cc.c: what all controllers share: bytes in flight, recovery periods, undo, the pacing rate. */
#include "net/cc/cc.h"

#include <assert.h>

static uint64_t min_window(const struct cc *c) {
    return CC_MIN_PKTS * c->mss_bytes;
}

static const struct cc_ops *const all_ops[] = {
    [CC_CUBIC] = &cc_cubic_ops,
    [CC_RENO] = &cc_reno_ops,
    [CC_BBR] = &cc_bbr_ops,
};

/* RFC 9002 §7.2. */
void cc_init(struct cc *c, enum cc_kind kind, uint64_t mss_bytes) {
    assert(mss_bytes > 0 && (size_t)kind < sizeof all_ops / sizeof all_ops[0]);
    *c = (struct cc){.ops = all_ops[kind], .mss_bytes = mss_bytes, .ssthresh_bytes = UINT64_MAX};
    uint64_t floor_bytes = min_window(c) > 14720 ? min_window(c) : 14720;
    uint64_t initial_bytes = CC_INITIAL_PKTS * mss_bytes;
    c->cwnd_bytes = initial_bytes < floor_bytes ? initial_bytes : floor_bytes;
    c->ops->init(c);
}

void cc_set_mss(struct cc *c, uint64_t mss_bytes) {
    assert(mss_bytes > 0);
    c->mss_bytes = mss_bytes;
    if (c->cwnd_bytes < min_window(c))
        c->cwnd_bytes = min_window(c);
}

void cc_sent(struct cc *c, uint64_t now_us, uint64_t bytes, struct rate_mark *out) {
    if (c->ops->sent)
        c->ops->sent(c, now_us);
    rate_sent(&c->rate, now_us, bytes, c->bytes_in_flight, out);
    c->bytes_in_flight += bytes;
}

void cc_packet_lost(struct cc *c, uint64_t now_us, const struct rate_mark *m, uint64_t bytes) {
    c->rate.lost += bytes;
    if (c->ops->packet_lost)
        c->ops->packet_lost(c, now_us, m, bytes);
}

void cc_discard(struct cc *c, uint64_t bytes) {
    assert(bytes <= c->bytes_in_flight);
    c->bytes_in_flight -= bytes;
}

/* RFC 9002 §7.3.2, §B.5: recovery ends with the first packet sent during it. Input comes before
 * output in a turn, so what was sent in the microsecond of the reduction was sent after it. */
void cc_acked(struct cc *c, const struct cc_ack *a) {
    cc_discard(c, a->bytes);
    if (!c->ops->model &&
        (a->bytes == 0 || (c->in_recovery_ever && a->newest_sent_us < c->recovery_start_us)))
        return;
    c->ops->acked(c, a);
    if (c->cwnd_bytes > CC_MAX_BYTES)
        c->cwnd_bytes = CC_MAX_BYTES;
}

/* RFC 9002 §7.3.2, §B.6: one reduction for all that was sent before it. */
void cc_lost(struct cc *c, uint64_t now_us, uint64_t newest_lost_sent_us, uint64_t bytes) {
    cc_discard(c, bytes);
    if (c->in_recovery_ever && newest_lost_sent_us <= c->recovery_start_us)
        return;
    c->undo.valid = true;
    c->undo.in_recovery_ever = c->in_recovery_ever;
    c->undo.recovery_start_us = c->recovery_start_us;
    c->undo.cwnd_bytes = c->cwnd_bytes;
    c->undo.ssthresh_bytes = c->ssthresh_bytes;
    c->in_recovery_ever = true;
    c->recovery_start_us = now_us;
    c->reductions++;
    c->ops->lost(c, now_us, newest_lost_sent_us, bytes);
}

void cc_marked(struct cc *c, uint64_t now_us, uint64_t newest_sent_us) {
    c->undo.valid = false; /* whatever became of the packets: the path has said that it is full */
    if (!c->ops->marked || (c->in_recovery_ever && newest_sent_us <= c->recovery_start_us))
        return;
    c->in_recovery_ever = true;
    c->recovery_start_us = now_us;
    c->reductions++;
    c->ops->marked(c);
}

/* RFC 9438 §4.9.2. The recovery period ends too: what is lost after this is a new event. */
void cc_spurious(struct cc *c, uint64_t now_us) {
    if (!c->undo.valid)
        return;
    c->undo.valid = false;
    c->in_recovery_ever = c->undo.in_recovery_ever;
    c->recovery_start_us = c->undo.recovery_start_us;
    c->undone++;
    if (!c->ops->model) {
        if (c->cwnd_bytes >= c->undo.cwnd_bytes)
            return; /* it has grown beyond what there is to restore */
        c->cwnd_bytes = c->undo.cwnd_bytes;
        c->ssthresh_bytes = c->undo.ssthresh_bytes;
    }
    c->ops->spurious(c, now_us);
}

/* RFC 9002 §7.6.2. Unlike §B.8 the recovery period goes on: a straggler of the same outage that is
 * given up one round trip later would else set ssthresh to the minimum, and there would be no slow
 * start. */
void cc_persistent(struct cc *c) {
    c->cwnd_bytes = min_window(c);
    c->undo.valid = false;
    c->ops->persistent(c);
}

void cc_save(const struct cc *c, struct cc_seed *out) {
    *out = (struct cc_seed){.cwnd_bytes = c->cwnd_bytes};
    if (c->ops->save)
        c->ops->save(c, out);
}

void cc_resume(struct cc *c, uint64_t now_us, const struct cc_seed *seed) {
    const uint64_t half = seed->cwnd_bytes / 2;
    if (c->ops->resume) {
        c->ops->resume(c, now_us, seed);
    } else if (half > c->cwnd_bytes) {
        c->cwnd_bytes = half;
        c->ssthresh_bytes = half; /* from there on carefully */
    }
}

/* RFC 9002 §7.7. */
uint64_t cc_pacing_rate(const struct cc *c, uint64_t srtt_us) {
    if (c->ops->pacing_rate)
        return c->ops->pacing_rate(c, srtt_us);
    if (srtt_us == 0)
        srtt_us = 1;
    uint64_t quarters = cc_in_slow_start(c) ? 8 : 5;
    uint64_t rate = c->cwnd_bytes * quarters * (1000000 / 4) / srtt_us;
    return rate > 0 ? rate : 1;
}
