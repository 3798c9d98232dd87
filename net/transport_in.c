#include "net/frame.h"
#include "net/timer.h"
#include "net/transport.h"

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
    if (t->loss.first_sample_us != 0 && run->first_us > t->loss.first_sample_us &&
        run->last_us - run->first_us > LOSS_PERSISTENT_PTOS * rtt_pto_us(&t->rtt))
        run->persistent = true;
}

/* A packet of the test whether this path carries marks. */
static void marked_lost(struct transport *t, struct sent_pkt *p) {
    p->excused = true;
    cc_discard(&t->cc, p->bytes);
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
    while ((p = loss_detect(&t->loss, &t->sent, &t->rtt, now_us, &cursor))) {
        if (!p->requeued)
            transport_requeue(t, p);
        if (p->epoch != t->epoch)
            continue;
        if (p->probe) { /* RFC 8899 §3: not a sign of congestion */
            pmtud_probe_lost(&t->pmtud, now_us, p->bytes);
            cc_discard(&t->cc, p->bytes);
            p->excused = true;
            continue;
        }
        if (ecn_in_test(&t->memo->ecn, p->ecn)) { /* maybe for its mark: not a sign of congestion */
            marked_lost(t, p);
            continue;
        }
        bytes += p->bytes;
        count++;
        cc_packet_lost(&t->cc, now_us, &p->rate, p->bytes);
        if (p->sent_us > newest_sent_us)
            newest_sent_us = p->sent_us;
        run_add(t, &run, p);
        if (pmtud_packet_lost(&t->pmtud, now_us, p->bytes)) {
            t->counters->black_holes++;
            cc_set_mss(&t->cc, t->pmtud.mtu_bytes);
            t->memo->mtu_bytes = t->pmtud.mtu_bytes;
        }
    }
    if (count == 0)
        return;
    t->counters->pkts_lost += count;
    t->memo->pkts_lost += count;
    uint64_t before = t->cc.reductions;
    cc_lost(&t->cc, now_us, newest_sent_us, bytes);
    if (t->cc.reductions != before) {
        t->loss.event_open = true;
        t->loss.unproven = count;
    } else if (t->loss.event_open) {
        t->loss.unproven += count;
    }
    if (run.persistent) {
        t->counters->persistent_congestion++;
        t->loss.event_open = false;
        cc_persistent(&t->cc);
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
    if (loss_acked(&t->loss, p, was_lost))
        sum->undo = true;
    if (was_lost)
        t->counters->spurious_losses++;
    else
        t->sent.outstanding--;
    p->state = SENT_ACKED;
    for (unsigned i = 0; i < p->nframes; i++)
        frame_acked(t, &p->frames[i]);
    if (p->epoch != t->epoch)
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
    rate_acked(&t->cc.rate, &sum->rate, now_us, p->pn, p->sent_us, p->bytes, &p->rate);
    if (p->probe) {
        if (pmtud_probe_acked(&t->pmtud, now_us, p->bytes)) {
            cc_set_mss(&t->cc, t->pmtud.mtu_bytes);
            t->memo->mtu_bytes = t->pmtud.mtu_bytes;
        }
    } else {
        pmtud_packet_acked(&t->pmtud, p->bytes);
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

static int input_ack(struct transport *t, uint64_t now_us, const struct frame_ack *a) {
    if (a->largest >= t->next_pn)
        return ERR_PROTO;
    for (unsigned i = 0; i < a->count; i++)
        if (ranges_touches(&t->skipped, a->ranges[i].lo, a->ranges[i].hi))
            return ERR_PROTO; /* acknowledged what was never sent: RFC 9000 §21.4 */
    struct ack_sum sum = {0};
    const uint64_t lost_before = t->cc.rate.lost;
    uint64_t pn, rtt_sample_us = 0;
    for (unsigned i = 0; i < a->count; i++)
        while (sent_next_acked(&t->sent, a->ranges[i].lo, a->ranges[i].hi, &pn))
            packet_acked(t, now_us, sent_get(&t->sent, pn), &sum);
    if (sum.any) {
        loss_heard(&t->loss);
        t->acked_bytes += sum.bytes;
        transport_hoard_look(t, &t->hoard_sent, BLOCK_SEND, now_us);
        t->probes = 0;
        if (sum.newest_pn == a->largest) { /* RFC 9002 §5.1 */
            rtt_sample_us = now_us > sum.newest_sent_us ? now_us - sum.newest_sent_us : 1;
            rtt_sample(&t->rtt, rtt_sample_us, a->delay_us);
            t->memo->rtt = t->rtt;
            t->memo->has_rtt = true;
            ack_set_rtt(&t->ack, t->rtt.srtt_us);
            pacer_set_rtt(&t->pacer, t->rtt.srtt_us);
            if (t->loss.first_sample_us == 0)
                t->loss.first_sample_us = now_us;
        }
    }
    if (sum.undo) {
        const uint64_t undone = t->cc.undone;
        cc_spurious(&t->cc, now_us);
        t->counters->reductions_undone += t->cc.undone - undone;
    }
    const uint64_t ce =
        input_ecn(t, a, &sum); /* first: a test that has succeeded excuses no loss */
    transport_detect_losses(t, now_us);
    if (ce > 0) {                   /* RFC 9002 §B.7 */
        t->loss.event_open = false; /* losses that prove false do not undo it */
        cc_marked(&t->cc, now_us, sum.newest_sent_us);
    }
    rate_finish(&t->cc.rate, &sum.rate, t->rtt.has_sample ? t->rtt.min_us : 0);
    sum.rate.newly_lost = t->cc.rate.lost - lost_before;
    if (sum.any)
        cc_acked(&t->cc, &(struct cc_ack){
                             .now_us = now_us,
                             .bytes = sum.bytes,
                             .marked_bytes = ce * t->pmtud.mtu_bytes,
                             .newest_sent_us = sum.newest_sent_us,
                             .newest_pn = sum.newest_pn,
                             .next_pn = t->next_pn,
                             .app_limited = sum.app_limited,
                             .rtt_latest_us = t->rtt.latest_us,
                             .rtt_min_us = t->rtt.min_us,
                             .srtt_us = t->rtt.srtt_us,
                             .rtt_sample_us = rtt_sample_us,
                             .rttvar_us = t->rtt.var_us,
                             .rate = sum.rate,
                         });
    uint64_t keep = 2 * rtt_pto_us(&t->rtt);
    sent_trim(&t->sent, now_us > keep ? now_us - keep : 0);
    ranges_drop_below(&t->skipped, t->sent.base);
    return 0;
}

/* ---- what the peer sends ---- */

/* The stream a frame names. 0 with *out NULL: it existed and is gone (a late repetition). Streams
 * of the peer are opened in order: a higher number opens those below it, too (RFC 9000 §3.2). */
static int find(struct transport *t, uint64_t id, struct stream **out) {
    struct transport_memo *m = t->memo;
    uint64_t n = id >> 1;
    bool ours = (id & 1) == (t->initiator ? 0u : 1u);
    *out = NULL;
    if (ours) {
        if (n >= m->local_opened)
            return ERR_PROTO;
    } else {
        if (n >= m->peer_max)
            return ERR_PROTO;
        while (m->peer_opened <= n) {
            uint64_t next = m->peer_opened * 2 + (t->initiator ? 1 : 0);
            if (!transport_peer_may_open(t))
                return ERR_FULL;
            if (!transport_stream_new(t, next))
                return ERR_NOMEM;
            m->peer_opened++;
            t->peer_streams++;
            t->shares->streams.used++;
            transport_tell(t, EP_STREAM_OPENED, next, 0);
        }
    }
    *out = transport_stream(t, id);
    return 0;
}

static int use_credit(struct transport *t, uint64_t now_us, struct stream *s, uint64_t fresh) {
    struct credit *c = &t->memo->credit;
    c->recv_used += fresh;
    if (c->recv_used > c->recv_limit)
        return ERR_PROTO;
    if (s->in.reset || s->in.stopped) /* nobody will read them */
        transport_credit_consumed(t, now_us, fresh);
    return 0;
}

static int input_stream(struct transport *t, uint64_t now_us, const struct frame_stream *f) {
    struct stream *s;
    int err = find(t, f->id, &s);
    if (err || !s)
        return err;
    if (!s->readable_told && !events_room(t->events, &t->memo->told))
        return ERR_FULL; /* nobody would ever hear of it */
    transport_hoard_look(t, &t->hoard_received, BLOCK_RECV, now_us);
    uint64_t fresh;
    err = rstream_input(&s->in, f->offset, f->data, f->len, f->fin, &fresh);
    if (err)
        return err;
    err = use_credit(t, now_us, s, fresh);
    if (err)
        return err;
    transport_stream_arrived(t, s);
    if (rstream_ready(&s->in) > 0 ||
        (s->in.has_final && s->in.read == s->in.final_size && !s->in.fin_told))
        transport_tell_readable(t, s);
    transport_reap(t, s);
    return 0;
}

static int input_reset(struct transport *t, uint64_t now_us, uint64_t id, uint64_t error,
                       uint64_t final_size) {
    struct stream *s;
    int err = find(t, id, &s);
    if (err || !s)
        return err;
    if (s->in.reset || (s->in.has_final && s->in.fin_told))
        return 0;
    if (!events_room(t->events, &t->memo->told))
        return ERR_FULL;
    uint64_t unread = s->in.highest - s->in.read, fresh;
    err = rstream_input_reset(&s->in, final_size, &fresh);
    if (err)
        return err;
    err = use_credit(t, now_us, s, fresh);
    if (err)
        return err;
    if (!s->in.stopped)
        transport_credit_consumed(t, now_us, unread);
    transport_tell(t, EP_STREAM_RESET, id, err_from_wire(error));
    transport_reap(t, s);
    return 0;
}

static int input_stop(struct transport *t, uint64_t id, uint64_t error) {
    struct stream *s;
    int err = find(t, id, &s);
    if (err || !s)
        return err;
    if (s->out.reset || sstream_done(&s->out))
        return 0;
    if (!events_room(t->events, &t->memo->told))
        return ERR_FULL;
    transport_tell(t, EP_STREAM_STOPPED, id, err_from_wire(error));
    sstream_reset(&s->out, err_from_wire(error)); /* RFC 9000 §3.5: answered by a reset */
    transport_deactivate(t, s);
    transport_want_ctl(t, s);
    return 0;
}

static void reactivate_all(struct transport *t) {
    for (uint32_t i = 0; i < t->hash_cap; i++)
        for (struct stream *s = t->hash[i]; s; s = s->hash_next)
            transport_activate(t, s);
}

static int input_max_data(struct transport *t, uint64_t limit) {
    struct credit *c = &t->memo->credit;
    if (limit <= c->send_limit)
        return 0;
    bool was_out = c->send_used >= c->send_limit;
    c->send_limit = limit;
    if (was_out)
        reactivate_all(t);
    return 0;
}

static int input_max_stream_data(struct transport *t, uint64_t id, uint64_t limit) {
    struct stream *s;
    int err = find(t, id, &s);
    if (err || !s)
        return err;
    if (limit > s->out.credit) {
        s->out.credit = limit;
        transport_activate(t, s);
    }
    return 0;
}

static int input_datagram(struct transport *t, struct rd *r) {
    uint64_t len = rd_varint(r);
    if (!r->ok || len > rd_left(r) || len > DATAGRAM_MAX_BYTES) {
        r->ok = false;
        return ERR_PROTO;
    }
    const uint8_t *data = rd_take(r, (size_t)len);
    struct ep_event e = {
        .kind = EP_DATAGRAM, .peer = t->peer, .session = t->self, .data = data, .len = (size_t)len};
    if (!events_push_data(t->events, &t->memo->told, &e))
        t->counters->queue_dropped++;
    return 0;
}

int transport_frame(struct transport *t, uint64_t now_us, uint8_t type, struct rd *r,
                    bool *eliciting) {
    uint64_t a, b, c;
    if (type != FRAME_ACK && type != FRAME_ACK_ECN)
        *eliciting = true;
    if (type >= FRAME_STREAM && type <= FRAME_STREAM + 7) {
        struct frame_stream f;
        return frame_read_stream(r, type, &f) ? input_stream(t, now_us, &f) : ERR_PROTO;
    }
    if (type >= FRAME_LATER_TRANSPORT && type < FRAME_LATER_END)
        return frame_skip(r) ? 0 : ERR_PROTO;
    switch (type) {
    case FRAME_PING:
        return 0;
    case FRAME_ACK:
    case FRAME_ACK_ECN: {
        struct frame_ack ack;
        return frame_read_ack(r, type, &ack) ? input_ack(t, now_us, &ack) : ERR_PROTO;
    }
    case FRAME_RESET:
        a = rd_varint(r);
        b = rd_varint(r);
        c = rd_varint(r);
        return r->ok ? input_reset(t, now_us, a, b, c) : ERR_PROTO;
    case FRAME_STOP:
        a = rd_varint(r);
        b = rd_varint(r);
        return r->ok ? input_stop(t, a, b) : ERR_PROTO;
    case FRAME_MAX_DATA:
        a = rd_varint(r);
        return r->ok ? input_max_data(t, a) : ERR_PROTO;
    case FRAME_MAX_STREAM_DATA:
        a = rd_varint(r);
        b = rd_varint(r);
        return r->ok ? input_max_stream_data(t, a, b) : ERR_PROTO;
    case FRAME_MAX_STREAMS:
        a = rd_varint(r);
        if (r->ok && a > t->memo->local_max)
            t->memo->local_max = a;
        return r->ok ? 0 : ERR_PROTO;
    case FRAME_DATAGRAM:
        return input_datagram(t, r);
    default:
        return ERR_PROTO;
    }
}

int transport_received(struct transport *t, uint64_t now_us, uint64_t pn, bool eliciting,
                       uint8_t ecn) {
    t->touched_us = now_us;
    int err = ack_received(&t->ack, now_us, pn, eliciting);
    if (err)
        return err;
    ecn_received(&t->memo->ecn, ecn);
    if (ecn == ECN_CE) {
        t->counters->ce_received++;
        if (eliciting)
            t->ack.due = true; /* RFC 9000 §13.2.1 */
    }
    return 0;
}
