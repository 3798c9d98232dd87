/* transport_in.c: what the frames of a packet mean (RFC 9000 §19). */
#include "net/transport/transport.h"

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
    c->received += fresh;
    if (c->received > c->given.limit)
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
    hoard_look(&t->hoard_received, now_us, block_account_bytes(t->account, BLOCK_RECV),
               t->memo->credit.consumed);
    uint64_t fresh;
    err = rstream_input(&s->in, f->offset, f->data, f->len, f->fin, &fresh);
    if (err)
        return err;
    err = use_credit(t, now_us, s, fresh);
    if (err)
        return err;
    t->flows = true;
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
        return frame_read_ack(r, type, &ack) ? transport_acked(t, now_us, &ack) : ERR_PROTO;
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
