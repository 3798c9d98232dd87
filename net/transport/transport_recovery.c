/* transport_recovery.c: what becomes of the packets that have left: acknowledged, lost, or silent (RFC 9002). */
#include "net/base/timer.h"
#include "net/transport/transport.h"
#include "net/wire/frame.h"

/* ---- fate of what we sent ---- */

static void frame_acked(struct transport *t, const struct sent_frame *f) {
    struct stream *s;
    switch ((enum sent_frame_kind)f->kind) {
    case SENT_STREAM:
        s = transport_stream(t, f->stream);
        if (!s)
            return;
        sstream_acked(&s->out, f->offset, f->len, f->fin);
        if (sstream_done(&s->out) && !s->out.reset && !s->finished_told) {
            s->finished_told = true;
            transport_tell(t, EP_STREAM_FINISHED, s->id, 0);
        }
        transport_reap(t, s);
        return;
    case SENT_RESET:
        s = transport_stream(t, f->stream);
        if (!s)
            return;
        s->out.reset_acked = true;
        transport_reap(t, s);
        return;
    case SENT_ACK:
        ack_forget(&t->ack, &(struct ack_told){f->stream, f->offset, f->len});
        return;
    case SENT_MAX_DATA:
        transport_credit_acked(t, NULL, f->offset);
        return;
    case SENT_MAX_STREAM_DATA:
        s = transport_stream(t, f->stream);
        if (s)
            transport_credit_acked(t, s, f->offset);
        return;
    case SENT_STOP:
    case SENT_MAX_STREAMS:
        return;
    }
}

/* What was lost is not sent again as it was: the newest form of it becomes due. */
static void frame_lost(struct transport *t, const struct sent_frame *f) {
    struct stream *s = NULL;
    if (f->kind == SENT_STREAM || f->kind == SENT_RESET || f->kind == SENT_STOP ||
        f->kind == SENT_MAX_STREAM_DATA) {
        s = transport_stream(t, f->stream);
        if (!s)
            return;
    }
    switch ((enum sent_frame_kind)f->kind) {
    case SENT_STREAM:
        sstream_lost(&s->out, f->offset, f->len, f->fin);
        transport_activate(t, s);
        return;
    case SENT_RESET:
        if (!s->out.reset_acked) {
            s->out.reset_sent = false;
            transport_want_ctl(t, s);
        }
        return;
    case SENT_STOP:
        s->stop_sent = false;
        transport_want_ctl(t, s);
        return;
    case SENT_MAX_STREAM_DATA:
    case SENT_MAX_DATA:
        transport_credit_lost(t, s);
        return;
    case SENT_MAX_STREAMS:
        t->want_max_streams = true;
        return;
    case SENT_ACK:
        return;
    }
}

void transport_requeue(struct transport *t, const struct sent_pkt *p) {
    for (unsigned i = 0; i < p->nframes; i++)
        frame_lost(t, &p->frames[i]);
}

struct loss_run { /* RFC 9002 §7.6: a stretch of losses with nothing acknowledged in between */
    uint64_t first_us, last_us, last_pn;
    bool any, persistent;
};

static void run_add(struct transport *t, struct loss_run *run, const struct sent_pkt *p) {
    bool joined = run->any;
    for (uint64_t n = run->last_pn + 1; joined && n < p->pn; n++) {
        const struct sent_pkt *between = sent_get(&t->sent, n);
        joined = !between || between->state != SENT_ACKED;
    }
    if (!joined)
        run->first_us = p->sent_us;
    run->any = true;
    run->last_us = p->sent_us;
    run->last_pn = p->pn;
    if (t->rec.loss.first_sample_us != 0 && run->first_us > t->rec.loss.first_sample_us &&
        run->last_us - run->first_us > LOSS_PERSISTENT_PTOS * rtt_pto_us(&t->rec.rtt))
        run->persistent = true;
}

/* A packet of the test whether this path carries marks. */
static void marked_lost(struct transport *t, struct sent_pkt *p) {
    p->excused = true;
    cc_discard(&t->rec.cc, p->bytes);
    t->counters->pkts_lost++;
    t->memo->pkts_lost++;
    if (ecn_lost(&t->memo->ecn, p->ecn))
        t->counters->ecn_failed++;
}

void transport_detect_losses(struct transport *t, uint64_t now_us) {
    uint64_t cursor = 0, bytes = 0, newest_sent_us = 0;
    uint32_t count = 0;
    struct loss_run run = {0};
    struct sent_pkt *p;
    while ((p = loss_detect(&t->rec.loss, &t->sent, &t->rec.rtt, now_us, &cursor))) {
        if (!p->requeued)
            transport_requeue(t, p);
        if (p->epoch != t->rec.loss.epoch)
            continue;
        if (p->probe) { /* RFC 8899 §3: not a sign of congestion */
            pmtud_probe_lost(&t->rec.pmtud, now_us, p->bytes);
            cc_discard(&t->rec.cc, p->bytes);
            p->excused = true;
            continue;
        }
        if (ecn_in_test(&t->memo->ecn, p->ecn)) { /* maybe for its mark: not a sign of congestion */
            marked_lost(t, p);
            continue;
        }
        bytes += p->bytes;
        count++;
        cc_packet_lost(&t->rec.cc, now_us, &p->rate, p->bytes);
        if (p->sent_us > newest_sent_us)
            newest_sent_us = p->sent_us;
        run_add(t, &run, p);
        if (pmtud_packet_lost(&t->rec.pmtud, now_us, p->bytes)) {
            t->counters->black_holes++;
            recovery_mtu_changed(&t->rec);
            t->memo->mtu_bytes = t->rec.pmtud.mtu_bytes;
        }
    }
    if (count == 0)
        return;
    t->counters->pkts_lost += count;
    t->memo->pkts_lost += count;
    uint64_t before = t->rec.cc.reductions;
    cc_lost(&t->rec.cc, now_us, newest_sent_us, bytes);
    if (t->rec.cc.reductions != before) {
        t->rec.loss.event_open = true;
        t->rec.loss.unproven = count;
    } else if (t->rec.loss.event_open) {
        t->rec.loss.unproven += count;
    }
    if (run.persistent) {
        t->counters->persistent_congestion++;
        t->rec.loss.event_open = false;
        cc_persistent(&t->rec.cc);
    }
}

struct ack_sum {
    uint64_t bytes, newest_pn, newest_sent_us;
    uint64_t marked; /* packets that had left with ECT(0) */
    bool any, app_limited, undo;
    struct rate_sample rate;
};

static void packet_acked(struct transport *t, uint64_t now_us, struct sent_pkt *p,
                         struct ack_sum *sum) {
    bool was_lost = p->state == SENT_LOST;
    if (loss_acked(&t->rec.loss, p, was_lost))
        sum->undo = true;
    if (was_lost)
        t->counters->spurious_losses++;
    else
        t->sent.outstanding--;
    p->state = SENT_ACKED;
    for (unsigned i = 0; i < p->nframes; i++)
        frame_acked(t, &p->frames[i]);
    if (p->epoch != t->rec.loss.epoch)
        return;
    if (!sum->any || p->pn > sum->newest_pn) {
        sum->any = true;
        sum->newest_pn = p->pn;
        sum->newest_sent_us = p->sent_us;
        sum->app_limited = p->app_limited;
    }
    if (!was_lost)
        sum->bytes += p->bytes;
    sum->marked += p->ecn != 0;
    rate_acked(&t->rec.cc.rate, &sum->rate, now_us, p->pn, p->sent_us, p->bytes, &p->rate);
    if (p->probe) {
        if (pmtud_probe_acked(&t->rec.pmtud, now_us, p->bytes)) {
            recovery_mtu_changed(&t->rec);
            t->memo->mtu_bytes = t->rec.pmtud.mtu_bytes;
        }
    } else {
        pmtud_packet_acked(&t->rec.pmtud, p->bytes);
    }
}

/* RFC 9000 §13.4.2. Returns how many more packets have met congestion. */
static uint64_t input_ecn(struct transport *t, const struct frame_ack *a,
                          const struct ack_sum *sum) {
    uint64_t ce;
    switch (ecn_acked(&t->memo->ecn, a->largest, a->has_ecn ? &a->ecn : NULL, sum->marked, &ce)) {
    case ECN_VALIDATED:
        t->counters->ecn_validated++;
        break;
    case ECN_REFUTED:
        t->counters->ecn_failed++;
        break;
    case ECN_AS_BEFORE:
        break;
    }
    return sum->any ? ce : 0;
}

int transport_acked(struct transport *t, uint64_t now_us, const struct frame_ack *a) {
    if (a->largest >= t->next_pn)
        return ERR_PROTO;
    for (unsigned i = 0; i < a->count; i++)
        if (ranges_touches(&t->skipped, a->ranges[i].lo, a->ranges[i].hi))
            return ERR_PROTO; /* acknowledged what was never sent: RFC 9000 §21.4 */
    struct ack_sum sum = {0};
    const uint64_t lost_before = t->rec.cc.rate.lost;
    uint64_t pn, rtt_sample_us = 0;
    for (unsigned i = 0; i < a->count; i++)
        while (sent_next_acked(&t->sent, a->ranges[i].lo, a->ranges[i].hi, &pn))
            packet_acked(t, now_us, sent_get(&t->sent, pn), &sum);
    if (sum.any) {
        loss_heard(&t->rec.loss);
        t->acked_bytes += sum.bytes;
        transport_hoard_look(t, &t->hoard_sent, BLOCK_SEND, now_us);
        t->rec.probes = 0;
        if (sum.newest_pn == a->largest) { /* RFC 9002 §5.1 */
            rtt_sample_us = now_us > sum.newest_sent_us ? now_us - sum.newest_sent_us : 1;
            rtt_sample(&t->rec.rtt, rtt_sample_us, a->delay_us);
            t->memo->rtt = t->rec.rtt;
            t->memo->has_rtt = true;
            ack_set_rtt(&t->ack, t->rec.rtt.srtt_us);
            pacer_set_rtt(&t->rec.pacer, t->rec.rtt.srtt_us);
            if (t->rec.loss.first_sample_us == 0)
                t->rec.loss.first_sample_us = now_us;
        }
    }
    if (sum.undo) {
        const uint64_t undone = t->rec.cc.undone;
        cc_spurious(&t->rec.cc, now_us);
        t->counters->reductions_undone += t->rec.cc.undone - undone;
    }
    const uint64_t ce =
        input_ecn(t, a, &sum); /* first: a test that has succeeded excuses no loss */
    transport_detect_losses(t, now_us);
    if (ce > 0) {                       /* RFC 9002 §B.7 */
        t->rec.loss.event_open = false; /* losses that prove false do not undo it */
        cc_marked(&t->rec.cc, now_us, sum.newest_sent_us);
    }
    rate_finish(&t->rec.cc.rate, &sum.rate, t->rec.rtt.has_sample ? t->rec.rtt.min_us : 0);
    sum.rate.newly_lost = t->rec.cc.rate.lost - lost_before;
    if (sum.any)
        cc_acked(&t->rec.cc, &(struct cc_ack){
                                 .now_us = now_us,
                                 .bytes = sum.bytes,
                                 .marked_bytes = ce * t->rec.pmtud.mtu_bytes,
                                 .newest_sent_us = sum.newest_sent_us,
                                 .newest_pn = sum.newest_pn,
                                 .next_pn = t->next_pn,
                                 .app_limited = sum.app_limited,
                                 .rtt_latest_us = t->rec.rtt.latest_us,
                                 .rtt_min_us = t->rec.rtt.min_us,
                                 .srtt_us = t->rec.rtt.srtt_us,
                                 .rtt_sample_us = rtt_sample_us,
                                 .rttvar_us = t->rec.rtt.var_us,
                                 .rate = sum.rate,
                             });
    uint64_t keep = 2 * rtt_pto_us(&t->rec.rtt);
    sent_trim(&t->sent, now_us > keep ? now_us - keep : 0);
    ranges_drop_below(&t->skipped, t->sent.base);
    return 0;
}

/* ---- the probe timeout ---- */

/* RFC 9002 §6.2.4: the oldest unacknowledged data goes again, without calling it lost. The oldest, since what a receiver waits
 * for makes it answer with more than an acknowledgement. */
static void requeue_oldest(struct transport *t, unsigned packets) {
    for (uint64_t pn = t->sent.base; pn < t->sent.next && packets > 0; pn++) {
        struct sent_pkt *p = sent_get(&t->sent, pn);
        if (!p || p->state != SENT_OUTSTANDING || p->probe)
            continue;
        packets--; /* again if need be: the probe that carried it may be lost, too */
        p->requeued = true;
        transport_requeue(t, p);
    }
}

void transport_peer_lives(struct transport *t) {
    if (t->sent.outstanding == 0 || t->rec.loss.pto_count == 0)
        return;
    t->rec.probes = 2;
    requeue_oldest(t, 2);
}

void transport_timeout(struct transport *t, uint64_t now_us) {
    if (now_us >= t->rec.pacer_until_us)
        t->rec.pacer_until_us = TIME_NEVER;
    uint64_t loss_us = t->rec.loss.loss_time_us < t->rec.loss.old_epoch_us
                           ? t->rec.loss.loss_time_us
                           : t->rec.loss.old_epoch_us;
    if (now_us >= loss_us) {
        transport_detect_losses(t, now_us);
        return;
    }
    if (t->sent.outstanding == 0 || now_us < loss_deadline_us(&t->rec.loss, &t->sent, &t->rec.rtt))
        return;
    t->rec.loss.pto_count++;
    if (t->rec.loss.even_ptos < LOSS_EVEN_PTOS && transport_credit_starves(t))
        t->rec.loss.even_ptos++;
    ecn_timeout(&t->memo->ecn, t->rec.loss.pto_count);
    t->rec.loss.last_sent_us =
        now_us; /* the next one counts from here, even if the socket is full */
    t->counters->ptos++;
    t->rec.probes = 2;
    requeue_oldest(t, 2);
}
