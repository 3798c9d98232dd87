#include "net/transport.h"

/* ---- receive credit (RFC 9000 §4.2): topped up when half of the window is used. The window follows what is consumed in
 * a round trip: four times that much, which leaves room for a sender that doubles its rate and for what waits behind a
 * gap. The idea is that of Linux' receive buffer (dynamic right-sizing, Fisk and Feng, LACSI 2001). ---- */

static void tune(uint64_t now_us, uint64_t srtt_us, uint64_t consumed, struct credit_tune *c,
                 uint64_t *window, uint64_t window_max) {
    const uint64_t elapsed_us = now_us - c->since_us;
    if (srtt_us < CREDIT_ROUND_TRIP_MIN_US)
        srtt_us = CREDIT_ROUND_TRIP_MIN_US;
    if (c->since_us == 0 || elapsed_us >= 8 * srtt_us) { /* a beginning, or after a pause */
        c->since_us = now_us;
        c->consumed = consumed;
        return;
    }
    if (elapsed_us < srtt_us)
        return;
    const uint64_t want = (consumed - c->consumed) * CREDIT_ROUND_TRIPS * srtt_us / elapsed_us;
    if (want > *window)
        *window = want < window_max ? want : window_max;
    c->since_us = now_us;
    c->consumed = consumed;
}

static bool top_up(uint64_t consumed, uint64_t *limit, uint64_t window) {
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

void transport_stream_arrived(struct transport *t, struct stream *s) {
    struct rstream *in = &s->in;
    struct credit *c = &t->memo->credit;
    if (in->has_final || in->stopped || !gap_bound(in) || in->window >= STREAM_WINDOW_MAX_BYTES)
        return;
    in->window =
        in->window * 2 < STREAM_WINDOW_MAX_BYTES ? in->window * 2 : STREAM_WINDOW_MAX_BYTES;
    in->limit = in->read + in->window;
    s->want_credit = true;
    transport_want_ctl(t, s);
    if (c->recv_window < in->window + in->window / 2 && c->recv_window < SESSION_WINDOW_MAX_BYTES) {
        c->recv_window = in->window + in->window / 2;
        if (c->recv_window > SESSION_WINDOW_MAX_BYTES)
            c->recv_window = SESSION_WINDOW_MAX_BYTES;
        c->recv_limit = c->recv_consumed + c->recv_window;
        t->want_max_data = true;
    }
}

void transport_credit_consumed(struct transport *t, uint64_t now_us, uint64_t n) {
    struct credit *c = &t->memo->credit;
    c->recv_consumed += n;
    tune(now_us, t->rtt.srtt_us, c->recv_consumed, &c->recv_tune, &c->recv_window,
         SESSION_WINDOW_MAX_BYTES);
    if (top_up(c->recv_consumed, &c->recv_limit, c->recv_window))
        t->want_max_data = true;
}

void transport_stream_credit(struct transport *t, uint64_t now_us, struct stream *s) {
    if (s->in.has_final || s->in.stopped)
        return;
    tune(now_us, t->rtt.srtt_us, s->in.read, &s->in.tune, &s->in.window, STREAM_WINDOW_MAX_BYTES);
    if (top_up(s->in.read, &s->in.limit, s->in.window)) {
        s->want_credit = true;
        transport_want_ctl(t, s);
    }
}
