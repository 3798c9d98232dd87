/* transport_credit.c: what peers are granted (net/transport/allowance.h), for the session as a
 * whole and each stream. Nobody is granted more than its session may hold of the memory
 * (net/base/block.h). */
#include "net/transport/transport.h"

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void stream_due(struct transport *t, struct stream *s) {
    s->in.given.due = true;
    transport_want_ctl(t, s);
}

/* The reader has taken all there is in order, a gap holds back the rest, and the writer will soon
 * be out of credit: what keeps it waiting then is the window, not the reader. */
static bool gap_bound(const struct rstream *in) {
    return in->highest > in->read && in->given.limit - in->highest < in->given.window / 2 &&
           rstream_ready(in) == 0;
}

/* A window doubles for a gap only as far as readers have shown that they read: to four times of
 * what they have taken so far. A transfer that has only begun needs no more, and who sends what
 * nobody reads gets no more. */
static uint64_t doubled(const struct transport *t, uint64_t want, uint64_t consumed,
                        uint64_t window_max) {
    want = smaller(want, smaller(window_max, CREDIT_PER_CONSUMED * consumed));
    return smaller(want, block_allowance(t->account, BLOCK_RECV_AHEAD));
}

void transport_stream_arrived(struct transport *t, struct stream *s) {
    struct rstream *in = &s->in;
    struct credit *c = &t->memo->credit;
    if (in->has_final || in->stopped || !gap_bound(in) ||
        in->given.window >= STREAM_WINDOW_MAX_BYTES)
        return;
    const uint64_t window = doubled(t, in->given.window * 2, in->read, STREAM_WINDOW_MAX_BYTES);
    if (!allowance_widen(&in->given, in->read, window))
        return;
    stream_due(t, s);
    (void)allowance_widen(&c->given, c->consumed,
                          doubled(t, window + window / 2, c->consumed, SESSION_WINDOW_MAX_BYTES));
}

void transport_credit_consumed(struct transport *t, uint64_t now_us, uint64_t n) {
    struct credit *c = &t->memo->credit;
    c->consumed += n;
    allowance_measure(&c->given, now_us, t->rec->rtt.srtt_us, c->consumed,
                      SESSION_WINDOW_MAX_BYTES);
    (void)allowance_top_up(&c->given, c->consumed, block_allowance(t->account, BLOCK_RECV_NEXT));
}

void transport_stream_credit(struct transport *t, uint64_t now_us, struct stream *s) {
    struct rstream *in = &s->in;
    if (in->has_final || in->stopped)
        return;
    allowance_measure(&in->given, now_us, t->rec->rtt.srtt_us, in->read, STREAM_WINDOW_MAX_BYTES);
    if (allowance_top_up(&in->given, in->read, block_allowance(t->account, BLOCK_RECV_NEXT)))
        stream_due(t, s);
}

/* ---- what was told, until the peer is known to have it (RFC 9000 §13.3). Who only receives has
 * few packets in flight whose acknowledgement could show that one with credit was lost, and the
 * probe timeout comes late and backs off. So the newest limit rides along with an acknowledgement
 * each PTO, which never backs off here, until it is acknowledged. ---- */

enum {
    REMIND_STREAMS_MAX = 2
}; /* in one packet: SENT_FRAMES_MAX less ACK, MAX_DATA and a STREAM */

void transport_credit_forget(struct transport *t, struct stream *s) {
    list_remove(&t->open, &s->open);
}

void transport_credit_told(struct transport *t, uint64_t now_us, struct stream *s) {
    if (!s) {
        allowance_told(&t->memo->credit.given, now_us);
        return;
    }
    transport_credit_forget(t, s);
    allowance_told(&s->in.given, now_us);
    list_add(&t->open, &s->open);
}

void transport_credit_acked(struct transport *t, struct stream *s, uint64_t limit) {
    if (!s) {
        allowance_acked(&t->memo->credit.given, limit);
        return;
    }
    allowance_acked(&s->in.given, limit);
    if (!allowance_open(&s->in.given))
        transport_credit_forget(t, s);
}

static bool stream_needs(const struct stream *s) {
    return allowance_open(&s->in.given) && !s->in.has_final && !s->in.stopped;
}

void transport_credit_lost(struct transport *t, struct stream *s) {
    struct allowance *all = &t->memo->credit.given;
    if (!s)
        all->due = all->due || allowance_open(all);
    else if (stream_needs(s))
        stream_due(t, s);
}

void transport_credit_remind(struct transport *t, uint64_t now_us) {
    /* A peer that has it has acknowledged it by now, however long it waited with that. */
    const uint64_t answer_us = t->rec->probes > 0 ? 0 : rtt_pto_us(&t->rec->rtt);
    struct allowance *all = &t->memo->credit.given;
    if (!all->due && allowance_open(all) && now_us >= all->told_us + answer_us) {
        all->due = true;
        t->counters->credit_repeated++;
    }
    struct list_link *next = t->open.first;
    for (unsigned n = 0; n < REMIND_STREAMS_MAX && next; n++) {
        struct stream *s = LIST_OWNER(next, struct stream, open);
        next = list_after(&t->open, next);
        if (now_us < s->in.given.told_us + answer_us)
            return;
        if (!stream_needs(s)) {
            transport_credit_forget(t, s);
        } else if (!s->in.given.due) {
            stream_due(t, s);
            t->counters->credit_repeated++;
        }
    }
}

bool transport_credit_starves(const struct transport *t) {
    const struct credit *c = &t->memo->credit;
    if (allowance_open(&c->given) && c->received >= c->given.known)
        return true;
    for (struct list_link *x = t->open.first; x; x = list_after(&t->open, x)) {
        const struct stream *s = LIST_OWNER(x, struct stream, open);
        if (stream_needs(s) && s->in.highest >= s->in.given.known)
            return true;
    }
    return false;
}
