/* pipe.c: the life of a connection's end, the bytes of its user, what it sends, and its timer. */
#include "sim/pipe/pipe.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/err.h"
#include "crypto/base/mem.h"
#include "sim/pipe/pipe_int.h"

#define MS UINT64_C(1000000)
#define NEVER UINT64_MAX

enum { FIRST_WINDOW = 10 }; /* segments (RFC 6928) */

/* RFC 6298 §2, with the lower end that systems use. */
static const uint64_t rto_first_ns = 1000 * MS, rto_max_ns = 120000 * MS;

struct pipe *pipe_new(const struct pipe_config *c) {
    struct pipe *p = mem_calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->cfg.buffer_bytes = c && c->buffer_bytes > 0 ? c->buffer_bytes : PIPE_BUFFER_BYTES;
    p->cfg.mss_bytes = c && c->mss_bytes > 0 ? c->mss_bytes : PIPE_MSS_BYTES;
    assert(p->cfg.buffer_bytes <= SEGMENT_WINDOW_MAX);
    p->out = mem_alloc(p->cfg.buffer_bytes);
    p->in = mem_alloc(p->cfg.buffer_bytes);
    p->state = PIPE_CLOSED;
    p->timer_ns = NEVER;
    if (p->out && p->in)
        return p;
    pipe_free(p);
    return NULL;
}

void pipe_free(struct pipe *p) {
    if (!p)
        return;
    mem_free(p->out);
    mem_free(p->in);
    mem_free(p);
}

static void begin(struct pipe *p, enum pipe_state state) {
    assert(p->state == PIPE_CLOSED && p->end == 0);
    p->state = state;
    p->end = p->read = 1;
    p->cwnd = (uint64_t)FIRST_WINDOW * p->cfg.mss_bytes;
    p->ssthresh = UINT64_MAX;
    p->rto_ns = rto_first_ns;
}

void pipe_connect(struct pipe *p) {
    begin(p, PIPE_CONNECTING);
}

void pipe_accept(struct pipe *p) {
    begin(p, PIPE_ACCEPTING);
}

void pipe_close(struct pipe *p, int err) {
    p->state = PIPE_CLOSED;
    p->err = err;
    p->timer_ns = NEVER;
    p->ack_owed = p->again = p->probe = false;
}

/* ---- bytes ---- */

size_t pipe_write(struct pipe *p, const void *bytes, size_t len) {
    const uint8_t *from = bytes;
    struct pipe_info now;
    pipe_info(p, &now);
    const size_t n = len < now.room ? len : now.room;
    for (size_t done = 0; done < n;) {
        const size_t at = (size_t)(p->end % p->cfg.buffer_bytes);
        const size_t part =
            n - done < p->cfg.buffer_bytes - at ? n - done : p->cfg.buffer_bytes - at;
        memcpy(p->out + at, from + done, part);
        p->end += part;
        done += part;
    }
    return n;
}

size_t pipe_read(struct pipe *p, void *out, size_t len) {
    uint8_t *to = out;
    struct pipe_info now;
    pipe_info(p, &now);
    const size_t n = len < now.unread ? len : now.unread;
    for (size_t done = 0; done < n;) {
        const size_t at = (size_t)(p->read % p->cfg.buffer_bytes);
        const size_t part =
            n - done < p->cfg.buffer_bytes - at ? n - done : p->cfg.buffer_bytes - at;
        memcpy(to + done, p->in + at, part);
        p->read += part;
        done += part;
    }
    /* Not each byte is worth a word (RFC 9293 §3.8.6.2.2). */
    const uint64_t worth = p->cfg.buffer_bytes / 2 < 2 * p->cfg.mss_bytes ? p->cfg.buffer_bytes / 2
                                                                          : 2 * p->cfg.mss_bytes;
    if (p->state == PIPE_OPEN && p->fin == 0 && pipe_window_end(p) >= p->told + worth)
        p->ack_owed = true;
    return n;
}

void pipe_shut(struct pipe *p) {
    p->shut = p->shut || p->state != PIPE_CLOSED;
}

void pipe_reset(struct pipe *p) {
    if (p->state == PIPE_CLOSED)
        return;
    p->resets = p->max > 0;
    pipe_close(p, ERR_RESET);
}

void pipe_info(const struct pipe *p, struct pipe_info *out) {
    const uint64_t acked = p->una < 1 ? 1 : p->una < p->end ? p->una : p->end;
    const bool dead = p->state == PIPE_CLOSED, whole = p->fin > 0 && p->next > p->fin;
    const uint64_t come = whole ? p->fin : p->next;
    *out = (struct pipe_info){
        .state = p->state,
        .err = p->err,
        .room = dead || p->shut ? 0 : (size_t)(p->cfg.buffer_bytes - (p->end - acked)),
        .unread = (dead && p->err) || come <= p->read ? 0 : (size_t)(come - p->read),
        .ended = whole && p->read == p->fin,
        .read_bytes = p->read > 0 ? p->read - 1 : 0,
        .acked_bytes = p->end > 0 ? acked - 1 : 0,
        .resent = p->resent,
        .srtt_ns = p->srtt_ns,
        .cwnd_bytes = p->cwnd,
    };
}

/* ---- what is sent ---- */

static uint32_t put(struct pipe *p, uint8_t flags, uint64_t seq, uint32_t len, uint8_t *out) {
    struct segment s = {.seq = seq, .flags = flags, .len = 0};
    if (flags & SEGMENT_ACK) {
        s.ack = p->next;
        s.window = p->next < pipe_window_end(p) ? (uint32_t)(pipe_window_end(p) - p->next) : 0;
        p->told = pipe_window_end(p);
        p->ack_owed = false;
    }
    const uint32_t head = segment_write(&s, out);
    for (uint32_t done = 0; done < len;) {
        const uint32_t at = (uint32_t)((seq + done) % p->cfg.buffer_bytes);
        const uint32_t left = p->cfg.buffer_bytes - at;
        const uint32_t part = len - done < left ? len - done : left;
        memcpy(out + head + done, p->out + at, part);
        done += part;
    }
    return head + len;
}

/* What goes out at `seq`, of at most `most` bytes of the sequence; FIN goes with the last ones. */
static uint32_t send_at(struct pipe *p, uint64_t now_ns, uint64_t seq, uint64_t most,
                        uint8_t *out) {
    const uint8_t ack = p->state == PIPE_CONNECTING ? 0 : SEGMENT_ACK;
    uint64_t len = seq < p->end ? p->end - seq : 0;
    uint8_t flags = ack;
    if (seq == 0) {
        flags |= SEGMENT_SYN;
        len = 0;
    } else {
        len = len < most ? len : most;
        len = len < p->cfg.mss_bytes ? len : p->cfg.mss_bytes;
        if (p->shut && seq + len == p->end)
            flags |= SEGMENT_FIN;
    }
    const uint64_t after = seq + len + (seq == 0) + ((flags & SEGMENT_FIN) != 0);
    if (seq < p->max)
        p->resent++;
    else if (p->timed == 0) { /* never of one that goes twice (Karn) */
        p->timed = after;
        p->timed_ns = now_ns;
    }
    if (p->nxt < after)
        p->nxt = after;
    if (p->max < after)
        p->max = after;
    if (p->timer_ns == NEVER)
        p->timer_ns = now_ns + p->rto_ns;
    return put(p, flags, seq, (uint32_t)len, out);
}

static uint32_t send_more(struct pipe *p, uint64_t now_ns, uint8_t *out) {
    const uint64_t window = p->una + p->cwnd < p->limit ? p->una + p->cwnd : p->limit;
    const uint64_t last = pipe_last(p);
    if (p->again) {
        p->again = false;
        p->timed = 0;
        return send_at(p, now_ns, p->una, UINT64_MAX, out);
    }
    if (p->probe) {
        p->probe = false;
        if (p->nxt < last)
            return send_at(p, now_ns, p->nxt, 1, out);
    }
    /* A FIN alone needs no window. */
    if (p->nxt < last && (p->nxt < window || p->nxt == p->end))
        return send_at(p, now_ns, p->nxt, window > p->nxt ? window - p->nxt : 0, out);
    return 0;
}

uint32_t pipe_output(struct pipe *p, uint64_t now_ns, uint8_t *out) {
    uint32_t n = 0;
    switch (p->state) {
    case PIPE_CLOSED:
        if (p->resets)
            n = put(p, SEGMENT_RST | SEGMENT_ACK, p->nxt, 0, out);
        else if (p->ack_owed) /* of their FIN, which was the last of all */
            n = put(p, SEGMENT_ACK, p->nxt, 0, out);
        p->resets = false;
        return n;
    case PIPE_CONNECTING:
        return p->nxt == 0 ? send_at(p, now_ns, 0, 0, out) : 0;
    case PIPE_ACCEPTING:
        if (p->nxt == 0 && p->next > 0)
            return send_at(p, now_ns, 0, 0, out);
        return 0;
    case PIPE_OPEN:
        n = send_more(p, now_ns, out);
        if (n == 0 && p->ack_owed)
            n = put(p, SEGMENT_ACK, p->nxt, 0, out);
        /* A closed window is asked about from time to time. */
        if (n == 0 && p->timer_ns == NEVER && p->nxt < pipe_last(p))
            p->timer_ns = now_ns + p->rto_ns;
        return n;
    }
    return 0;
}

/* ---- time ---- */

void pipe_rearm(struct pipe *p, uint64_t now_ns) {
    p->timer_ns = p->una < p->nxt ? now_ns + p->rto_ns : NEVER;
}

uint64_t pipe_deadline_ns(const struct pipe *p) {
    return p->timer_ns;
}

void pipe_timeout(struct pipe *p, uint64_t now_ns) {
    if (now_ns < p->timer_ns)
        return;
    const unsigned most = p->state == PIPE_OPEN ? PIPE_DATA_TRIES : PIPE_CONNECT_TRIES;
    p->timer_ns = NEVER;
    if (p->tries++ == most) {
        pipe_close(p, ERR_TIMEOUT);
        return;
    }
    p->rto_ns = p->rto_ns * 2 < rto_max_ns ? p->rto_ns * 2 : rto_max_ns;
    const bool closed_window = p->state == PIPE_OPEN && p->limit <= p->una;
    if (!closed_window && p->state == PIPE_OPEN) {
        const uint64_t flight = p->nxt - p->una, least = 2 * (uint64_t)p->cfg.mss_bytes;
        p->ssthresh = flight / 2 > least ? flight / 2 : least;
        p->cwnd = p->cfg.mss_bytes;
    }
    p->probe = closed_window;
    p->nxt = p->una;
    p->timed = 0;
    p->recovers = false;
    p->dupacks = 0;
}
