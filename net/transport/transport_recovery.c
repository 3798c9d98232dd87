/* transport_recovery.c: what becomes of the packets that have left: acknowledged, lost, or silent
 * (RFC 9002). */
#include <assert.h>

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

static void run_add(const struct transport *t, const struct recovery *r, struct loss_run *run,
                    const struct sent_pkt *p) {
    bool joined = run->any;
    for (uint64_t n = run->last_pn + 1; joined && n < p->pn; n++) {
        const struct sent_pkt *between = sent_get(&t->sent, n);
        joined = !between || between->state != SENT_ACKED || between->path != p->path;
    }
    if (!joined)
        run->first_us = p->sent_us;
    run->any = true;
    run->last_us = p->sent_us;
    run->last_pn = p->pn;
    if (r->loss.first_sample_us != 0 && run->first_us > r->loss.first_sample_us &&
        run->last_us - run->first_us > LOSS_PERSISTENT_PTOS * rtt_pto_us(&r->rtt))
        run->persistent = true;
}

/* The memo is of the path in use. */
static void mtu_changed(struct transport *t, struct recovery *r) {
    recovery_mtu_changed(r);
    if (r == t->rec)
        t->memo->mtu_bytes = r->pmtud.mtu_bytes;
}

/* A probe of the packet size (RFC 8899 §3), or of the test whether this path carries marks: maybe
 * for that, and no sign of congestion. */
static bool excused(struct transport *t, struct recovery *r, uint64_t now_us, struct sent_pkt *p) {
    if (p->probe) {
        pmtud_probe_lost(&r->pmtud, now_us, p->bytes);
    } else if (ecn_in_test(&t->memo->ecn, p->ecn)) {
        t->counters->pkts_lost++;
        t->memo->pkts_lost++;
        if (ecn_lost(&t->memo->ecn, p->ecn))
            t->counters->ecn_failed++;
    } else {
        return false;
    }
    p->excused = true;
    cc_discard(&r->cc, p->bytes);
    return true;
}

struct loss_sum { /* of one path */
    struct loss_run run;
    uint64_t bytes, newest_sent_us;
    uint32_t count;
};

static void packet_lost(struct transport *t, struct recovery *r, uint64_t now_us,
                        const struct sent_pkt *p, struct loss_sum *sum) {
    sum->bytes += p->bytes;
    sum->count++;
    cc_packet_lost(&r->cc, now_us, &p->rate, p->bytes);
    if (p->sent_us > sum->newest_sent_us)
        sum->newest_sent_us = p->sent_us;
    run_add(t, r, &sum->run, p);
    if (pmtud_packet_lost(&r->pmtud, now_us, p->bytes)) {
        t->counters->black_holes++;
        mtu_changed(t, r);
    }
}

static void congested(struct transport *t, struct recovery *r, uint64_t now_us,
                      const struct loss_sum *sum) {
    t->counters->pkts_lost += sum->count;
    t->memo->pkts_lost += sum->count;
    const uint64_t before = r->cc.reductions;
    cc_lost(&r->cc, now_us, sum->newest_sent_us, sum->bytes);
    if (r->cc.reductions != before) {
        r->loss.event_open = true;
        r->loss.unproven = sum->count;
    } else if (r->loss.event_open) {
        r->loss.unproven += sum->count;
    }
    if (sum->run.persistent) {
        t->counters->persistent_congestion++;
        r->loss.event_open = false;
        cc_persistent(&r->cc);
    }
}

/* What is lost on a path that was left goes again, and says nothing about one that is in use. */
static void detect(struct transport *t, struct recovery *r, uint64_t now_us) {
    const bool left = loss_has_left(&r->loss);
    struct loss_sum sum = {0};
    uint64_t cursor = 0;
    struct sent_pkt *p;
    while ((p = loss_detect(&r->loss, &t->sent, &r->rtt, now_us, &cursor))) {
        r->outstanding--;
        if (!p->requeued)
            transport_requeue(t, p);
        if (!left && !excused(t, r, now_us, p))
            packet_lost(t, r, now_us, p, &sum);
    }
    if (sum.count > 0)
        congested(t, r, now_us, &sum);
}

void transport_detect_losses(struct transport *t, uint64_t now_us) {
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (t->paths.v[i])
            detect(t, t->paths.v[i], now_us);
    recoveries_reap(&t->paths);
}

struct ack_sum { /* what an ACK says of one path */
    uint64_t bytes, newest_pn, newest_sent_us, rtt_sample_us, lost_before;
    uint64_t marked; /* packets that had left with ECT(0) */
    bool any, app_limited, undo;
    bool newest_copied;
    struct rate_sample rate;
};

struct ack_sums {
    struct ack_sum of[RECOVERIES_MAX]; /* as in struct recoveries */
    uint64_t marked_elsewhere;         /* by paths that were left */
};

/* NULL: it was left. What came by it is free now, and says nothing about another path. */
static struct recovery *in_use(const struct transport *t, unsigned i) {
    struct recovery *r = t->paths.v[i];
    return r && !loss_has_left(&r->loss) ? r : NULL;
}

static void path_acked(struct transport *t, struct recovery *r, uint64_t now_us,
                       const struct sent_pkt *p, bool was_lost, struct ack_sum *sum) {
    if (!sum->any || p->pn > sum->newest_pn) {
        sum->any = true;
        sum->newest_pn = p->pn;
        sum->newest_copied = p->copied;
        sum->newest_sent_us = p->sent_us;
        sum->app_limited = p->app_limited;
    }
    if (!was_lost)
        sum->bytes += p->bytes;
    sum->marked += p->ecn != 0;
    rate_acked(&r->cc.rate, &sum->rate, now_us, p->pn, p->sent_us, p->bytes, &p->rate);
    if (!p->probe)
        pmtud_packet_acked(&r->pmtud, p->bytes);
    else if (pmtud_probe_acked(&r->pmtud, now_us, p->bytes))
        mtu_changed(t, r);
}

static void packet_acked(struct transport *t, uint64_t now_us, struct sent_pkt *p,
                         struct ack_sums *sums) {
    const bool was_lost = p->state == SENT_LOST;
    const int at = recoveries_find(&t->paths, p->path);
    struct recovery *r = at < 0 ? NULL : in_use(t, (unsigned)at);
    if (r && loss_acked(&r->loss, p, was_lost))
        sums->of[at].undo = true;
    if (was_lost) {
        t->counters->spurious_losses++;
    } else {
        assert(at >= 0); /* what is out has a path */
        t->sent.outstanding--;
        t->paths.v[at]->outstanding--;
    }
    p->state = SENT_ACKED;
    for (unsigned i = 0; i < p->nframes; i++)
        frame_acked(t, &p->frames[i]);
    t->acked |= r != t->rec ? TRANSPORT_ACKED_LEFT
                : p->copied ? TRANSPORT_ACKED_COPIED
                            : TRANSPORT_ACKED_ALONE;
    if (r)
        path_acked(t, r, now_us, p, was_lost, &sums->of[at]);
    else
        sums->marked_elsewhere += p->ecn != 0;
}

/* RFC 9002 §5.1: the newest packet gives a sample of its path, and only if the ACK's delay is of
 * it. One that has gone by two gives none. */
static void sample_rtt(struct transport *t, struct recovery *r, uint64_t now_us,
                       const struct frame_ack *a, struct ack_sum *sum) {
    if (sum->newest_pn != a->largest || sum->newest_copied)
        return;
    sum->rtt_sample_us = now_us > sum->newest_sent_us ? now_us - sum->newest_sent_us : 1;
    rtt_sample(&r->rtt, sum->rtt_sample_us, a->delay_us);
    pacer_set_rtt(&r->pacer, r->rtt.srtt_us);
    if (r->loss.first_sample_us == 0)
        r->loss.first_sample_us = now_us;
    if (r != t->rec)
        return;
    t->sampled_us = sum->rtt_sample_us > a->delay_us ? sum->rtt_sample_us - a->delay_us : 1;
    if (t->sampled_us < r->rtt.min_us) /* the delay is what the peer says */
        t->sampled_us = r->rtt.min_us;
    t->memo->rtt = r->rtt;
    t->memo->has_rtt = true;
    ack_set_rtt(&t->ack, r->rtt.srtt_us);
}

static void path_heard(struct transport *t, struct recovery *r, uint64_t now_us,
                       const struct frame_ack *a, struct ack_sum *sum) {
    if (sum->any) {
        loss_heard(&r->loss);
        t->acked_bytes += sum->bytes;
        hoard_look(&t->hoard_sent, now_us, block_account_bytes(t->account, BLOCK_SEND),
                   t->acked_bytes * HOARD_SENT_PART);
        r->probes = 0;
        sample_rtt(t, r, now_us, a, sum);
    }
    if (sum->undo) {
        const uint64_t undone = r->cc.undone;
        cc_spurious(&r->cc, now_us);
        t->counters->reductions_undone += r->cc.undone - undone;
    }
}

/* RFC 9000 §13.4.2. Returns how many more packets have met congestion on the path in use, which
 * alone marks. The peer counts for the whole session: where packets of a path that was left are
 * among them, as many of the marks are taken for theirs. */
static uint64_t input_ecn(struct transport *t, const struct frame_ack *a, const struct ack_sum *sum,
                          uint64_t elsewhere) {
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
    return sum->any && ce > elsewhere ? ce - elsewhere : 0;
}

static void path_finished(const struct transport *t, struct recovery *r, uint64_t now_us,
                          struct ack_sum *sum, uint64_t ce) {
    rate_finish(&r->cc.rate, &sum->rate, r->rtt.has_sample ? r->rtt.min_us : 0);
    sum->rate.newly_lost = r->cc.rate.lost - sum->lost_before;
    if (sum->any)
        cc_acked(&r->cc, &(struct cc_ack){
                             .now_us = now_us,
                             .bytes = sum->bytes,
                             .marked_bytes = ce * r->pmtud.mtu_bytes,
                             .newest_sent_us = sum->newest_sent_us,
                             .newest_pn = sum->newest_pn,
                             .next_pn = t->next_pn,
                             .app_limited = sum->app_limited,
                             .rtt_latest_us = r->rtt.latest_us,
                             .rtt_min_us = r->rtt.min_us,
                             .srtt_us = r->rtt.srtt_us,
                             .rtt_sample_us = sum->rtt_sample_us,
                             .rttvar_us = r->rtt.var_us,
                             .rate = sum->rate,
                         });
}

int transport_acked(struct transport *t, uint64_t now_us, const struct frame_ack *a) {
    if (a->largest >= t->next_pn)
        return ERR_PROTO;
    for (unsigned i = 0; i < a->count; i++)
        if (ranges_touches(&t->skipped, a->ranges[i].lo, a->ranges[i].hi))
            return ERR_PROTO; /* acknowledged what was never sent: RFC 9000 §21.4 */
    struct ack_sums sums = {0};
    uint64_t pn;
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (in_use(t, i))
            sums.of[i].lost_before = t->paths.v[i]->cc.rate.lost;
    for (unsigned i = 0; i < a->count; i++)
        while (sent_next_acked(&t->sent, a->ranges[i].lo, a->ranges[i].hi, &pn))
            packet_acked(t, now_us, sent_get(&t->sent, pn), &sums);
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (in_use(t, i))
            path_heard(t, t->paths.v[i], now_us, a, &sums.of[i]);
    const struct ack_sum *main = &sums.of[recoveries_find(&t->paths, t->rec->loss.path)];
    /* Before the losses: a test that has succeeded excuses none. */
    const uint64_t ce = input_ecn(t, a, main, sums.marked_elsewhere);
    transport_detect_losses(t, now_us);
    if (ce > 0) {                        /* RFC 9002 §B.7 */
        t->rec->loss.event_open = false; /* losses that prove false do not undo it */
        cc_marked(&t->rec->cc, now_us, main->newest_sent_us);
    }
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (in_use(t, i))
            path_finished(t, t->paths.v[i], now_us, &sums.of[i], t->paths.v[i] == t->rec ? ce : 0);
    uint64_t keep = 2 * rtt_pto_us(&t->rec->rtt);
    sent_trim(&t->sent, now_us > keep ? now_us - keep : 0);
    ranges_drop_below(&t->skipped, t->sent.base);
    return 0;
}

/* ---- the probe timeout ---- */

/* RFC 9002 §6.2.4: the oldest unacknowledged data goes again, without calling it lost. The oldest,
 * since what a receiver waits for makes it answer with more than an acknowledgement. */
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
    if (t->sent.outstanding == 0 || t->rec->loss.pto_count == 0)
        return;
    t->rec->probes = 2;
    requeue_oldest(t, 2);
}

unsigned transport_take_acked(struct transport *t, uint64_t *sample_us) {
    const unsigned acked = t->acked;
    *sample_us = t->sampled_us;
    t->sampled_us = t->acked = 0;
    return acked;
}

void transport_copies(struct transport *t, uint64_t now_us) {
    t->copies = true;
    t->rec->probes = 2;
    /* The next probe timeout is one of a path that may be well; that this one is silent stays. */
    t->rec->loss.even_ptos = t->rec->loss.pto_count;
    t->rec->loss.last_sent_us = now_us;
    requeue_oldest(t, 2);
}

void transport_left_are_dead(struct transport *t, uint64_t now_us) {
    t->left_dead = false;
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (t->paths.v[i] && loss_has_left(&t->paths.v[i]->loss))
            t->paths.v[i]->loss.give_up_us = now_us;
    transport_detect_losses(t, now_us);
}

void transport_timeout(struct transport *t, uint64_t now_us) {
    if (now_us >= t->rec->pacer_until_us)
        t->rec->pacer_until_us = TIME_NEVER;
    if (now_us >= t->rec->loss.loss_time_us || now_us >= recoveries_give_up_us(&t->paths)) {
        transport_detect_losses(t, now_us);
        return;
    }
    if (t->sent.outstanding == 0 ||
        now_us < loss_deadline_us(&t->rec->loss, &t->sent, &t->rec->rtt))
        return;
    t->rec->loss.pto_count++;
    if (t->rec->loss.even_ptos < LOSS_EVEN_PTOS && transport_credit_starves(t))
        t->rec->loss.even_ptos++;
    ecn_timeout(&t->memo->ecn, t->rec->loss.pto_count);
    t->rec->loss.last_sent_us =
        now_us; /* the next one counts from here, even if the socket is full */
    t->counters->ptos++;
    t->rec->probes = 2;
    requeue_oldest(t, 2);
}
