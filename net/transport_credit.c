#include "net/transport.h"

/* ---- receive credit (RFC 9000 §4.2): topped up when half of the window is used. The window follows what is consumed in
 * a round trip: eight times that much. A sender that doubles needs six: what is granted at the end of a round trip, in which X
 * was consumed, has to last until the next grant has come to it, and by then 2 X and 4 X have arrived. The rest is for what
 * waits behind a gap. The idea is that of Linux' receive buffer (dynamic right-sizing, Fisk and Feng, LACSI 2001). Nobody is
 * granted more than its session may hold of the memory (net/block.h). ---- */

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void tune(uint64_t now_us, uint64_t srtt_us, uint64_t consumed, struct credit_tune *c,
                 uint64_t *window, uint64_t window_max) {
    const uint64_t elapsed_us = now_us - c->since_us;
    const uint64_t span_us = larger(CREDIT_ROUND_TRIPS * srtt_us, CREDIT_SPAN_MIN_US);
    srtt_us = larger(srtt_us, CREDIT_MEASURE_MIN_US);
    if (c->since_us == 0 || elapsed_us >= 8 * srtt_us) { /* a beginning, or after a pause */
        c->since_us = now_us;
        c->consumed = consumed;
        return;
    }
    if (elapsed_us < srtt_us)
        return;
    const uint64_t want = (consumed - c->consumed) * span_us / elapsed_us;
    if (want > *window)
        *window = want < window_max ? want : window_max;
    c->since_us = now_us;
    c->consumed = consumed;
}

static bool top_up(const struct transport *t, uint64_t consumed, uint64_t *limit, uint64_t window) {
    window = smaller(window, block_allowance(t->account, BLOCK_RECV_NEXT));
    /* What was granted stays granted, also where it is more than would be today. */
    if (*limit - consumed > window / 2)
        return false;
    *limit = consumed + window;
    return true;
}

/* The reader has taken all there is in order, a gap holds back the rest, and the writer will soon be out of credit: what
 * keeps it waiting then is the window, not the reader. */
static bool gap_bound(const struct rstream *in) {
    return in->highest > in->read && in->limit - in->highest < in->window / 2 &&
           rstream_ready(in) == 0;
}

/* A window doubles for a gap only as far as readers have shown that they read: to four times of what they have taken so far. A
 * transfer that has only begun needs no more, and who sends what nobody reads gets no more. */
static uint64_t doubled(const struct transport *t, uint64_t want, uint64_t consumed,
                        uint64_t window_max) {
    want = smaller(want, smaller(window_max, CREDIT_PER_CONSUMED * consumed));
    return smaller(want, block_allowance(t->account, BLOCK_RECV_AHEAD));
}

void transport_stream_arrived(struct transport *t, struct stream *s) {
    struct rstream *in = &s->in;
    struct credit *c = &t->memo->credit;
    if (in->has_final || in->stopped || !gap_bound(in) || in->window >= STREAM_WINDOW_MAX_BYTES)
        return;
    const uint64_t window = doubled(t, in->window * 2, in->read, STREAM_WINDOW_MAX_BYTES);
    if (window <= in->window || in->read + window <= in->limit)
        return;
    in->window = window;
    in->limit = in->read + window;
    s->want_credit = true;
    transport_want_ctl(t, s);
    const uint64_t all =
        doubled(t, window + window / 2, c->recv_consumed, SESSION_WINDOW_MAX_BYTES);
    if (all > c->recv_window && c->recv_consumed + all > c->recv_limit) {
        c->recv_window = all;
        c->recv_limit = c->recv_consumed + all;
        t->want_max_data = true;
    }
}

void transport_credit_consumed(struct transport *t, uint64_t now_us, uint64_t n) {
    struct credit *c = &t->memo->credit;
    c->recv_consumed += n;
    tune(now_us, t->rec.rtt.srtt_us, c->recv_consumed, &c->recv_tune, &c->recv_window,
         SESSION_WINDOW_MAX_BYTES);
    if (top_up(t, c->recv_consumed, &c->recv_limit, c->recv_window))
        t->want_max_data = true;
}

void transport_stream_credit(struct transport *t, uint64_t now_us, struct stream *s) {
    if (s->in.has_final || s->in.stopped)
        return;
    tune(now_us, t->rec.rtt.srtt_us, s->in.read, &s->in.tune, &s->in.window,
         STREAM_WINDOW_MAX_BYTES);
    if (top_up(t, s->in.read, &s->in.limit, s->in.window)) {
        s->want_credit = true;
        transport_want_ctl(t, s);
    }
}

/* ---- what was told, until the peer is known to have it (RFC 9000 §13.3). Who only receives has few packets in flight whose
 * acknowledgement could show that one with credit was lost, and the probe timeout comes late and backs off. So the newest
 * limit rides along with an acknowledgement each PTO, which never backs off here, until it is acknowledged. ---- */

enum {
    REMIND_STREAMS_MAX = 2
}; /* in one packet: SENT_FRAMES_MAX less ACK, MAX_DATA and a STREAM */

void transport_credit_forget(struct transport *t, struct stream *s) {
    if (!s->credit_open)
        return;
    s->credit_open = false;
    if (s->open_next == s) {
        t->open_head = NULL;
        return;
    }
    s->open_prev->open_next = s->open_next;
    s->open_next->open_prev = s->open_prev;
    if (t->open_head == s)
        t->open_head = s->open_next;
}

static void append(struct transport *t, struct stream *s) {
    s->credit_open = true;
    if (!t->open_head) {
        t->open_head = s->open_next = s->open_prev = s;
        return;
    }
    s->open_next = t->open_head;
    s->open_prev = t->open_head->open_prev;
    s->open_prev->open_next = s;
    s->open_next->open_prev = s;
}

void transport_credit_told(struct transport *t, uint64_t now_us, struct stream *s) {
    if (!s) {
        t->max_data_told_us = now_us;
        return;
    }
    transport_credit_forget(t, s);
    s->credit_told_us = now_us;
    append(t, s);
}

void transport_credit_acked(struct transport *t, struct stream *s, uint64_t limit) {
    struct credit *c = &t->memo->credit;
    if (!s) {
        if (limit > c->recv_known)
            c->recv_known = limit;
        return;
    }
    if (limit > s->credit_known)
        s->credit_known = limit;
    if (s->credit_known == s->in.limit)
        transport_credit_forget(t, s);
}

/* More may be sent, and the peer may not know. */
static bool session_needs(const struct transport *t) {
    return t->memo->credit.recv_known < t->memo->credit.recv_limit;
}

static bool stream_needs(const struct stream *s) {
    return s->credit_known < s->in.limit && !s->in.has_final && !s->in.stopped;
}

void transport_credit_lost(struct transport *t, struct stream *s) {
    if (!s) {
        t->want_max_data = t->want_max_data || session_needs(t);
    } else if (stream_needs(s)) {
        s->want_credit = true;
        transport_want_ctl(t, s);
    }
}

void transport_credit_remind(struct transport *t, uint64_t now_us) {
    /* A peer that has it has acknowledged it by now, however long it waited with that. */
    const uint64_t answer_us = t->rec.probes > 0 ? 0 : rtt_pto_us(&t->rec.rtt);
    if (!t->want_max_data && session_needs(t) && now_us >= t->max_data_told_us + answer_us) {
        t->want_max_data = true;
        t->counters->credit_repeated++;
    }
    struct stream *s = t->open_head;
    for (unsigned n = 0; n < REMIND_STREAMS_MAX && s; n++) {
        struct stream *next = s->open_next == t->open_head ? NULL : s->open_next;
        if (now_us < s->credit_told_us + answer_us)
            return;
        if (!stream_needs(s)) {
            transport_credit_forget(t, s);
        } else if (!s->want_credit) {
            s->want_credit = true;
            transport_want_ctl(t, s);
            t->counters->credit_repeated++;
        }
        s = next;
    }
}

bool transport_credit_starves(const struct transport *t) {
    const struct credit *c = &t->memo->credit;
    if (session_needs(t) && c->recv_used >= c->recv_known)
        return true;
    const struct stream *s = t->open_head;
    while (s) {
        if (stream_needs(s) && s->in.highest >= s->credit_known)
            return true;
        s = s->open_next == t->open_head ? NULL : s->open_next;
    }
    return false;
}
