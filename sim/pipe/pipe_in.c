/* pipe_in.c: what comes to a connection's end: acknowledgements, bytes, the end, a reset. */
#include <string.h>

#include "crypto/base/err.h"
#include "sim/pipe/pipe_int.h"

#define MS UINT64_C(1000000)

static const uint64_t rto_min_ns = 200 * MS, rto_max_ns = 120000 * MS;

/* ---- acknowledgements ---- */

/* RFC 6298 §2. */
static void sample_rtt(struct pipe *p, uint64_t rtt_ns) {
    if (p->srtt_ns == 0) {
        p->srtt_ns = rtt_ns;
        p->var_ns = rtt_ns / 2;
    } else {
        const uint64_t off = rtt_ns > p->srtt_ns ? rtt_ns - p->srtt_ns : p->srtt_ns - rtt_ns;
        p->var_ns = (3 * p->var_ns + off) / 4;
        p->srtt_ns = (7 * p->srtt_ns + rtt_ns) / 8;
    }
}

/* RFC 9406, in short: slow start ends when the queue begins to fill, before it overflows. */
static void watch_delay(struct pipe *p, uint64_t rtt_ns) {
    const uint64_t eighth_ns = p->min_ns / 8;
    const uint64_t more_ns = eighth_ns < 4 * MS    ? 4 * MS
                             : eighth_ns > 16 * MS ? 16 * MS
                                                   : eighth_ns;
    if (p->cwnd < p->ssthresh && p->min_ns > 0 && rtt_ns >= p->min_ns + more_ns)
        p->ssthresh = p->cwnd;
    if (p->min_ns == 0 || rtt_ns < p->min_ns)
        p->min_ns = rtt_ns;
}

static void settle_rto(struct pipe *p) {
    const uint64_t rto_ns = p->srtt_ns + 4 * p->var_ns;
    if (p->srtt_ns == 0)
        return;
    p->rto_ns = rto_ns < rto_min_ns ? rto_min_ns : rto_ns > rto_max_ns ? rto_max_ns : rto_ns;
}

static void grow_window(struct pipe *p, uint64_t acked) {
    const uint64_t mss = p->cfg.mss_bytes;
    if (p->cwnd < p->ssthresh)
        p->cwnd += acked < mss ? acked : mss;
    else
        p->cwnd += mss * mss / p->cwnd > 0 ? mss * mss / p->cwnd : 1;
    if (p->cwnd > p->cfg.buffer_bytes)
        p->cwnd = p->cfg.buffer_bytes;
}

/* RFC 6582: what follows a loss that three equal acknowledgements have told of. */
static void acked_in_recovery(struct pipe *p, uint64_t acked) {
    const uint64_t mss = p->cfg.mss_bytes;
    if (p->una >= p->recover) {
        p->cwnd = p->ssthresh;
        p->recovers = false;
        return;
    }
    p->again = true; /* the next hole */
    p->cwnd = (p->cwnd > acked ? p->cwnd - acked : 0) + mss;
    if (p->cwnd < mss)
        p->cwnd = mss;
}

static void duplicate(struct pipe *p) {
    const uint64_t mss = p->cfg.mss_bytes, flight = p->nxt - p->una;
    p->dupacks++;
    if (p->recovers) {
        p->cwnd += mss;
    } else if (p->dupacks == 3 && p->una >= p->recover) {
        p->ssthresh = flight / 2 > 2 * mss ? flight / 2 : 2 * mss;
        p->cwnd = p->ssthresh + 3 * mss;
        p->recover = p->max;
        p->recovers = p->again = true;
    }
}

static void take_ack(struct pipe *p, uint64_t now_ns, const struct segment *s) {
    const uint64_t limit = s->ack + s->window;
    if (s->ack > p->max)
        return;
    if (s->ack > p->una) {
        const uint64_t acked = s->ack - p->una;
        p->una = s->ack;
        if (p->nxt < p->una)
            p->nxt = p->una;
        if (p->timed > 0 && p->una >= p->timed) {
            sample_rtt(p, now_ns - p->timed_ns);
            watch_delay(p, now_ns - p->timed_ns);
            p->timed = 0;
        }
        settle_rto(p);
        p->tries = 0;
        p->dupacks = 0;
        if (p->recovers)
            acked_in_recovery(p, acked);
        else
            grow_window(p, acked);
        pipe_rearm(p, now_ns);
    } else if (s->ack == p->una && p->una < p->nxt && segment_span(s) == 0 && limit == p->limit) {
        if (p->limit <= p->una) /* the answer to a probe: it lives, and has no room */
            p->tries = 0;
        else
            duplicate(p);
    }
    if (limit > p->limit) {
        if (p->limit <= p->una && p->nxt > p->una) /* the probe was not taken */
            p->nxt = p->una;
        p->limit = limit;
    }
}

/* ---- bytes ---- */

static void store(struct pipe *p, uint64_t at, const uint8_t *data, uint64_t len) {
    for (uint64_t done = 0; done < len;) {
        const uint64_t to = (at + done) % p->cfg.buffer_bytes, left = p->cfg.buffer_bytes - to;
        const uint64_t part = len - done < left ? len - done : left;
        memcpy(p->in + to, data + done, (size_t)part);
        done += part;
    }
}

/* Remembers that lo..hi has come. False: there are too many gaps already. */
static bool remember(struct pipe *p, uint64_t lo, uint64_t hi) {
    unsigned i = 0, k;
    while (i < p->later_count && p->later[i].hi < lo)
        i++;
    for (k = i; k < p->later_count && p->later[k].lo <= hi; k++) { /* touches: one of them */
        lo = p->later[k].lo < lo ? p->later[k].lo : lo;
        hi = p->later[k].hi > hi ? p->later[k].hi : hi;
    }
    if (i == k && p->later_count == PIPE_GAPS_MAX)
        return false;
    memmove(p->later + i + 1, p->later + k, (p->later_count - k) * sizeof *p->later);
    p->later_count = p->later_count + 1 - (k - i);
    p->later[i] = (struct pipe_span){lo, hi};
    return true;
}

static void take_bytes(struct pipe *p, const struct segment *s) {
    uint64_t lo = s->seq, hi = s->seq + s->len;
    if (s->flags & SEGMENT_FIN)
        p->fin = hi;
    if (lo < p->next)
        lo = p->next < hi ? p->next : hi;
    if (hi > pipe_window_end(p))
        hi = pipe_window_end(p);
    /* What comes in order is taken even if there are too many gaps to remember one more. */
    if (lo < hi && (lo == p->next || remember(p, lo, hi)))
        store(p, lo, s->data + (lo - s->seq), hi - lo);
    if (lo == p->next && lo < hi)
        p->next = hi;
    while (p->later_count > 0 && p->later[0].lo <= p->next) {
        p->next = p->later[0].hi > p->next ? p->later[0].hi : p->next;
        p->later_count--;
        memmove(p->later, p->later + 1, p->later_count * sizeof *p->later);
    }
    if (p->fin > 0 && p->next == p->fin)
        p->next++;
}

/* ---- segments ---- */

/* Their SYN, to one that waits for it or sends its own. */
static bool take_syn(struct pipe *p, uint64_t now_ns, const struct segment *s) {
    const bool answers = (s->flags & SEGMENT_ACK) && s->ack == 1 && p->max > 0;
    if ((s->flags & SEGMENT_ACK) && !answers)
        return false;
    p->next = 1;
    p->limit = (answers ? 1 : p->una) + s->window;
    if (!answers) { /* a listener's first, or both have begun at once */
        p->limit = 1 + s->window;
        if (p->state == PIPE_CONNECTING)
            p->state = PIPE_ACCEPTING;
        p->nxt = p->una; /* SYN and ACK, (again) */
        return true;
    }
    take_ack(p, now_ns, s);
    p->state = PIPE_OPEN;
    p->ack_owed = true;
    return true;
}

static bool take_reset(struct pipe *p, const struct segment *s) {
    if (p->state == PIPE_CONNECTING) {
        if ((s->flags & SEGMENT_ACK) && s->ack == 1)
            pipe_close(p, ERR_REFUSED);
        return p->state == PIPE_CLOSED;
    }
    if (s->seq < p->next || s->seq > pipe_window_end(p)) /* RFC 5961: of another time */
        return false;
    pipe_close(p, ERR_RESET);
    return true;
}

bool pipe_input(struct pipe *p, uint64_t now_ns, const uint8_t *segment, uint32_t len) {
    struct segment s;
    if (!segment_read(segment, len, p->next, p->una, &s))
        return false;
    if (p->state == PIPE_CLOSED) { /* our last acknowledgement was lost */
        p->ack_owed = p->fin > 0 && p->err == 0 && segment_span(&s) > 0;
        return p->ack_owed;
    }
    if (s.flags & SEGMENT_RST)
        return take_reset(p, &s);
    if ((s.flags & SEGMENT_SYN) && (p->state != PIPE_OPEN))
        return take_syn(p, now_ns, &s);
    if (p->next == 0 || !(s.flags & SEGMENT_ACK))
        return false;
    if (p->state == PIPE_ACCEPTING && s.ack >= 1 && s.ack <= p->max)
        p->state = PIPE_OPEN;
    if (p->state != PIPE_OPEN)
        return false;
    take_ack(p, now_ns, &s);
    if (s.flags & SEGMENT_SYN) { /* its acknowledgement was lost */
        p->ack_owed = true;
        return true;
    }
    if (segment_span(&s) > 0) {
        take_bytes(p, &s);
        p->ack_owed = true;
    }
    if (p->shut && p->una > p->end && p->fin > 0 && p->next > p->fin) {
        const bool owed = p->ack_owed;
        pipe_close(p, 0);
        p->ack_owed = owed;
    }
    return true;
}
