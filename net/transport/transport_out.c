/* transport_out.c: packets out of what waits: control frames, datagrams, streams,
 * acknowledgements. */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/timer.h"
#include "net/transport/transport.h"
#include "net/wire/frame.h"

/* One packet being written. */
struct draft {
    struct wr w;
    struct sent_frame frames[SENT_FRAMES_MAX];
    unsigned nframes;
    bool eliciting;
};

static bool draft_full(const struct draft *d) {
    return d->nframes == SENT_FRAMES_MAX;
}

static void note(struct draft *d, enum sent_frame_kind kind, uint64_t stream, uint64_t offset,
                 uint64_t len, bool fin) {
    d->frames[d->nframes++] = (struct sent_frame){.kind = (uint8_t)kind,
                                                  .stream = stream,
                                                  .offset = offset,
                                                  .len = (uint32_t)len,
                                                  .fin = fin};
    if (kind != SENT_ACK)
        d->eliciting = true;
}

static void put_ack(struct transport *t, uint64_t now_us, struct draft *d) {
    /* At most half of a small packet: data has to get through, too. */
    size_t room = wr_left(&d->w) / 2;
    if (!t->ack.has_largest)
        return;
    const unsigned ranges = frame_write_ack(&d->w, &t->ack.received, ack_delay_us(&t->ack, now_us),
                                            &t->memo->ecn.seen, room);
    if (ranges == 0)
        return;
    const struct ack_told told = ack_told(&t->ack, ranges);
    note(d, SENT_ACK, told.lowest, told.largest, told.late, false);
    ack_sent(&t->ack);
}

/* ---- control frames ---- */

enum { CONTROL_ROOM = 1 + 3 * 8 }; /* the largest control frame: RESET */

/* One stream's due frames; false if it needs another packet. */
static bool put_stream_control(struct transport *t, uint64_t now_us, struct stream *s,
                               struct draft *d) {
    if (s->out.reset && !s->out.reset_sent) {
        if (draft_full(d) || wr_left(&d->w) < CONTROL_ROOM)
            return false;
        wr_u8(&d->w, FRAME_RESET);
        wr_varint(&d->w, s->id);
        wr_varint(&d->w, (uint64_t)-s->out.reset_err);
        wr_varint(&d->w, s->out.next); /* what was sent; RFC 9000 §4.5 */
        s->out.reset_sent = true;
        note(d, SENT_RESET, s->id, 0, 0, false);
    }
    if (s->want_stop && !s->stop_sent) {
        if (draft_full(d) || wr_left(&d->w) < CONTROL_ROOM)
            return false;
        wr_u8(&d->w, FRAME_STOP);
        wr_varint(&d->w, s->id);
        wr_varint(&d->w, (uint64_t)-s->stop_err);
        s->stop_sent = true;
        note(d, SENT_STOP, s->id, 0, 0, false);
    }
    if (s->in.given.due) {
        if (draft_full(d) || wr_left(&d->w) < CONTROL_ROOM)
            return false;
        wr_u8(&d->w, FRAME_MAX_STREAM_DATA);
        wr_varint(&d->w, s->id);
        wr_varint(&d->w, s->in.given.limit);
        transport_credit_told(t, now_us, s);
        note(d, SENT_MAX_STREAM_DATA, s->id, s->in.given.limit, 0, false);
    }
    return true;
}

static void put_control(struct transport *t, uint64_t now_us, struct draft *d) {
    if (t->memo->credit.given.due && !draft_full(d) && wr_left(&d->w) >= CONTROL_ROOM) {
        wr_u8(&d->w, FRAME_MAX_DATA);
        wr_varint(&d->w, t->memo->credit.given.limit);
        transport_credit_told(t, now_us, NULL);
        note(d, SENT_MAX_DATA, 0, t->memo->credit.given.limit, 0, false);
    }
    if (t->want_max_streams && !draft_full(d) && wr_left(&d->w) >= CONTROL_ROOM) {
        wr_u8(&d->w, FRAME_MAX_STREAMS);
        wr_varint(&d->w, t->memo->peer_max);
        t->want_max_streams = false;
        note(d, SENT_MAX_STREAMS, 0, 0, 0, false);
    }
    struct stream *s;
    while ((s = LIST_OWNER(t->ctl.first, struct stream, ctl)) &&
           put_stream_control(t, now_us, s, d))
        transport_drop_ctl(t, s);
}

/* ---- datagrams and stream data ---- */

static void datagram_unsent(struct transport *t) {
    t->memo->datagrams_unsent++;
    t->counters->datagrams_expired++;
}

int transport_datagram(struct transport *t, const void *data, size_t len, uint64_t deadline_us) {
    bool dropped;
    const int err = dgram_queue_push(&t->datagrams, data, len, deadline_us, &dropped);
    if (dropped)
        datagram_unsent(t);
    return err;
}

/* `largest`: the plaintext of the largest packet that the path carries. What is larger, or late,
 * will not leave. */
static void put_datagrams(struct transport *t, uint64_t now_us, size_t largest, struct draft *d) {
    uint64_t deadline_us;
    for (size_t len; dgram_queue_first(&t->datagrams, &deadline_us, &len);) {
        const size_t frame_bytes = 1 + varint_size(len) + len;
        if (now_us > deadline_us || frame_bytes > largest) {
            dgram_queue_drop(&t->datagrams);
            datagram_unsent(t);
            continue;
        }
        if (wr_left(&d->w) < frame_bytes)
            return;
        wr_u8(&d->w, FRAME_DATAGRAM);
        wr_varint(&d->w, len);
        dgram_queue_write(&t->datagrams, &d->w);
        d->eliciting = true;
    }
}

/* One STREAM frame of `s`; false if nothing of it fits or it has nothing. */
static bool put_stream(struct transport *t, struct stream *s, struct draft *d) {
    struct credit *c = &t->memo->credit;
    uint64_t offset, len;
    bool fin;
    if (!sstream_next(&s->out, &offset, &len, &fin))
        return false;
    uint64_t max = len;
    if (offset >= s->out.next && max > c->send_limit - c->send_used)
        max = c->send_limit - c->send_used;
    /* The length field as it will be: a packet that is filled to the last byte keeps the train
     * going. */
    size_t left = wr_left(&d->w);
    size_t head = frame_stream_overhead(s->id, offset, max < left ? (size_t)max : left);
    if (left <= head && !(max == 0 && len == 0 && left == head))
        return false;
    if (max > left - head)
        max = left - head;
    if (max == 0 && len != 0)
        return false;
    fin = fin && max == len;
    frame_write_stream_header(&d->w, s->id, offset, (size_t)max, fin);
    uint8_t *at = wr_room(&d->w, (size_t)max);
    if (at)
        sstream_copy(&s->out, offset, at, (size_t)max);
    c->send_used += sstream_sent(&s->out, offset, max, fin);
    note(d, SENT_STREAM, s->id, offset, max, fin);
    return true;
}

static void tell_writable(struct transport *t, struct stream *s) {
    if (list_has(&t->starved)) /* there is no memory for more: told when there is */
        return;
    if (s->writable_wanted && s->out.end - s->out.next <= STREAM_SEND_BUFFER_BYTES / 2) {
        s->writable_wanted = false;
        transport_tell(t, EP_STREAM_WRITABLE, s->id, 0);
    }
}

static void put_streams(struct transport *t, struct draft *d) {
    for (unsigned p = 0; p < STREAM_PRIORITIES; p++) {
        struct stream *s;
        while ((s = LIST_OWNER(t->active[p].first, struct stream, active))) {
            if (draft_full(d))
                return;
            bool put = put_stream(t, s, d);
            tell_writable(t, s);
            /* Out of the list and, if there is more, to its end: streams take turns packet by
             * packet. */
            bool full = wr_left(&d->w) < 64;
            if (!put && full)
                return;
            transport_deactivate(t, s);
            transport_activate(t, s);
            if (full || (!put && list_has(&s->active)))
                return;
        }
    }
}

/* ---- the packet ---- */

/* A PLPMTU probe pays when there is more than a packet to send (RFC 8899 §3: not on an idle path).
 */
static size_t build_probe(struct transport *t, uint64_t now_us, uint8_t *buf, size_t cap,
                          size_t overhead, struct draft *d) {
    if (t->rec->probes > 0 || t->copies || t->sent.outstanding <= 4 || !transport_has_streams(t))
        return 0;
    uint16_t size = pmtud_probe(&t->rec->pmtud, now_us);
    if (size <= overhead || size - overhead > cap)
        return 0;
    pmtud_probe_sent(&t->rec->pmtud, size);
    size_t len = size - overhead;
    memset(buf, 0, len); /* FRAME_PADDING */
    buf[0] = FRAME_PING;
    d->eliciting = true;
    return len;
}

static void track(struct transport *t, uint64_t now_us, struct sent_pkt *p, const struct draft *d,
                  size_t bytes, bool probe) {
    p->sent_us = now_us;
    p->bytes = (uint16_t)bytes;
    p->path = t->rec->loss.path;
    p->in_flight = true;
    p->probe = probe;
    p->copied = t->copies;
    p->app_limited = t->rec->app_limited;
    p->ecn = t->rec->marks ? ecn_sent(&t->memo->ecn, !probe) : 0;
    p->nframes = (uint8_t)d->nframes;
    memcpy(p->frames, d->frames, d->nframes * sizeof d->frames[0]);
    loss_sent(&t->rec->loss, now_us);
    t->rec->outstanding++;
    cc_sent(&t->rec->cc, now_us, bytes, &p->rate);
    pacer_sent(&t->rec->pacer, bytes);
    t->bare_acks = 0;
    if (t->rec->probes > 0)
        t->rec->probes--;
}

static size_t build_bare_ack(struct transport *t, uint64_t now_us, uint8_t *buf, size_t cap) {
    struct draft d = {.w = wr_init(buf, cap)};
    if (!frame_write_ack(&d.w, &t->ack.received, ack_delay_us(&t->ack, now_us), &t->memo->ecn.seen,
                         cap))
        return 0;
    ack_sent(&t->ack);
    t->bare_acks++;
    return wr_len(&d.w);
}

/* A packet that asks for no acknowledgement is not marked, since nobody would notice that marked
 * ones do not come through: but one later in a train goes with the others. */
static uint8_t mark_untracked(struct transport *t, size_t len, bool first) {
    if (first)
        t->rec->marks = false;
    if (!t->rec->marks || len == 0)
        return ECN_NOT_ECT;
    (void)ecn_sent(&t->memo->ecn, false);
    return ECN_ECT0;
}

static void skip_number(struct transport *t, uint64_t pn, struct transport_packet *info) {
    if (pn < t->skip_at)
        return;
    transport_next_skip(t, pn);
    ranges_drop_below(&t->skipped, t->sent.base);
    /* Never full, as limits.h says. A number that could not be remembered is not left out. */
    info->skip_after = ranges_add(&t->skipped, pn + 1, pn + 2) == 0;
}

enum { BARE_ACKS_MAX = 32 };

size_t transport_build(struct transport *t, uint64_t now_us, uint64_t pn, uint8_t *buf, size_t cap,
                       size_t overhead, bool first, struct transport_packet *info) {
    *info = (struct transport_packet){0};
    size_t mtu = recovery_datagram_bytes(t->rec) - overhead;
    if (t->copies && t->rec->probes == 1) /* what the other path carries is not known */
        mtu = MTU_MIN_BYTES - overhead;
    size_t room = cap < mtu ? cap : mtu;
    if (t->rec->probes > 0 || ack_wanted(&t->ack, now_us))
        transport_credit_remind(t, now_us);
    bool work = transport_has_work(t);
    bool ping = t->bare_acks >= BARE_ACKS_MAX && ack_wanted(&t->ack, now_us);
    struct sent_pkt *p = NULL;
    if (!work && !ping) {
        t->rec->app_limited = true;
        if (cc_may_send(&t->rec->cc))
            rate_app_limited(&t->rec->cc.rate, t->rec->cc.bytes_in_flight);
    }
    if ((!work && !ping) || !recovery_may_send(t->rec, now_us) || sent_add(&t->sent, pn, &p)) {
        size_t bare = ack_wanted(&t->ack, now_us) ? build_bare_ack(t, now_us, buf, room) : 0;
        info->ecn = mark_untracked(t, bare, first);
        return bare;
    }

    struct draft d = {.w = wr_init(buf, room)};
    size_t len = first ? build_probe(t, now_us, buf, cap, overhead, &d) : 0;
    info->probe = len > 0;
    if (len == 0) {
        if (t->ack.waiting > 0 || t->ack.due)
            put_ack(t, now_us, &d);
        put_control(t, now_us, &d);
        put_datagrams(t, now_us, t->rec->pmtud.mtu_bytes - overhead, &d);
        put_streams(t, &d);
        if (!d.eliciting && (t->rec->probes > 0 || ping)) {
            wr_u8(&d.w, FRAME_PING);
            d.eliciting = true;
        }
        len = wr_len(&d.w);
    }
    if (!d.eliciting) { /* only an ACK, or nothing after all: not tracked */
        sent_undo(&t->sent);
        if (len > 0)
            t->bare_acks++;
        info->ecn = mark_untracked(t, len, first);
        return len;
    }
    if (first) /* a probe's loss says nothing */
        t->rec->marks =
            !info->probe && !t->copies && ecn_marks(&t->memo->ecn, t->rec->outstanding > 0);
    info->ecn = t->rec->marks ? ECN_ECT0 : ECN_NOT_ECT;
    track(t, now_us, p, &d, len + overhead, info->probe);
    skip_number(t, pn, info);
    t->touched_us = now_us;
    return len;
}
