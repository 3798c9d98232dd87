/* endpoint_streams.c: the calls for streams, datagrams and echoes: which session and stream one is
 * for. */
#include <string.h>

#include "net/handshake_int.h"
#include "net/wire/frame.h"

struct found {
    struct session *s;
    struct stream *st;
};

static bool find(const struct endpoint *e, struct session_ref r, uint64_t id, struct found *out) {
    out->s = endpoint_find(e, r);
    out->st = out->s && out->s->tp ? transport_stream(out->s->tp, id) : NULL;
    return out->st != NULL;
}

static void sent_something(struct endpoint *e, const struct found *f) {
    transport_activate(f->s->tp, f->st);
    endpoint_make_ready(e, f->s);
}

int stream_open(struct endpoint *e, struct session_ref r, uint64_t *stream) {
    struct session *s = endpoint_find(e, r);
    if (!s)
        return ERR_NOT_FOUND;
    struct transport *tp = endpoint_attach(e, s, s->last_use_us);
    return tp ? transport_stream_open(tp, stream) : ERR_NOMEM;
}

static int writable(const struct found *f) {
    if (f->st->out.fin || f->st->out.reset)
        return ERR_CLOSED;
    if (f->st->out.end - f->st->out.next >= STREAM_SEND_BUFFER_BYTES) {
        f->st->writable_wanted = true;
        return ERR_AGAIN;
    }
    return 0;
}

/* As much as there is room for: where a whole block is too much, a small one. */
static struct block *block_to_send(struct block_account *a, size_t bytes) {
    if (bytes <= BLOCK_SMALL_BYTES)
        return block_for(a, BLOCK_SEND_SMALL, bytes);
    struct block *b =
        block_for(a, BLOCK_SEND_BULK, bytes < STREAM_BLOCK_BYTES ? bytes : STREAM_BLOCK_BYTES);
    return b ? b : block_for(a, BLOCK_SEND_BULK, BLOCK_SMALL_BYTES);
}

int stream_write(struct endpoint *e, struct session_ref r, uint64_t stream, const void *data,
                 size_t len, size_t *taken) {
    struct found f;
    *taken = 0;
    if (!find(e, r, stream, &f))
        return ERR_NOT_FOUND;
    int err = writable(&f);
    if (err)
        return err;
    const uint8_t *p = data;
    while (len > 0 && f.st->out.end - f.st->out.next < STREAM_SEND_BUFFER_BYTES) {
        size_t n = len;
        uint8_t *at = sstream_tail(&f.st->out, &n);
        if (!at) {
            struct block *b = block_to_send(f.s->tp->account, len);
            if (!b) {
                transport_starve(f.s->tp);
                break;
            }
            n = len < b->cap ? len : b->cap;
            b->len = (uint32_t)n;
            at = b->data;
            if (sstream_push(&f.st->out, (struct span){b, 0, (uint32_t)n})) {
                block_put(b);
                transport_starve(f.s->tp);
                break;
            }
        }
        memcpy(at, p, n);
        p += n;
        len -= n;
        *taken += n;
    }
    sent_something(e, &f);
    if (len > 0)
        f.st->writable_wanted = true;
    return *taken > 0 || len == 0 ? 0 : ERR_AGAIN;
}

struct block *stream_block(struct endpoint *e, struct session_ref r, size_t bytes) {
    struct session *s = endpoint_find(e, r);
    return s && s->tp ? block_to_send(s->tp->account, bytes) : NULL;
}

int stream_write_span(struct endpoint *e, struct session_ref r, uint64_t stream, struct span span) {
    struct found f;
    if (!find(e, r, stream, &f))
        return ERR_NOT_FOUND;
    int err = writable(&f);
    if (err)
        return err;
    if (span.len == 0)
        return 0;
    err = sstream_push(&f.st->out, span);
    if (err)
        return err;
    block_get(span.block);
    sent_something(e, &f);
    return 0;
}

size_t stream_unsent(const struct endpoint *e, struct session_ref r, uint64_t stream) {
    struct found f;
    return find(e, r, stream, &f) ? (size_t)(f.st->out.end - f.st->out.next) : 0;
}

int stream_finish(struct endpoint *e, struct session_ref r, uint64_t stream) {
    struct found f;
    if (!find(e, r, stream, &f))
        return ERR_NOT_FOUND;
    if (f.st->out.reset)
        return ERR_CLOSED;
    f.st->out.fin = true;
    sent_something(e, &f);
    return 0;
}

int stream_reset(struct endpoint *e, struct session_ref r, uint64_t stream, int err) {
    struct found f;
    if (!find(e, r, stream, &f))
        return ERR_NOT_FOUND;
    if (f.st->out.reset || sstream_done(&f.st->out))
        return 0;
    sstream_reset(&f.st->out, err);
    transport_deactivate(f.s->tp, f.st);
    transport_want_ctl(f.s->tp, f.st);
    endpoint_make_ready(e, f.s);
    return 0;
}

int stream_stop(struct endpoint *e, struct session_ref r, uint64_t stream, int err) {
    struct found f;
    if (!find(e, r, stream, &f))
        return ERR_NOT_FOUND;
    struct rstream *in = &f.st->in;
    if (in->stopped || in->reset)
        return 0;
    /* What is here and will not be read counts as read for the session's credit. */
    transport_credit_consumed(f.s->tp, f.s->last_use_us, in->highest - in->read);
    in->stopped = true;
    rstream_drop_unread(in);
    /* Also after the FIN: the peer may have to repeat what came before it (RFC 9000 §3.5), and it
     * is not told the error otherwise. */
    f.st->want_stop = true;
    f.st->stop_err = err;
    transport_want_ctl(f.s->tp, f.st);
    endpoint_make_ready(e, f.s);
    transport_reap(f.s->tp, f.st);
    return 0;
}

void stream_abort(struct endpoint *e, struct session_ref r, uint64_t stream, int err) {
    if (stream_reset(e, r, stream, err) || stream_stop(e, r, stream, err)) {
        /* Gone, so there is nothing to give up. */
    }
}

unsigned stream_peek(struct endpoint *e, struct session_ref r, uint64_t stream, size_t skip,
                     struct span *spans, unsigned max, bool *fin) {
    struct found f;
    *fin = false;
    if (!find(e, r, stream, &f) || f.st->in.stopped || f.st->in.reset)
        return 0;
    unsigned n = rstream_peek(&f.st->in, skip, spans, max, fin);
    if (*fin) {
        f.st->in.fin_told = true;
        if (n == 0 && f.st->in.read == f.st->in.final_size)
            transport_reap(f.s->tp, f.st);
    }
    return n;
}

void stream_let_go(struct endpoint *e, struct session_ref r, uint64_t stream) {
    struct span sp;
    bool fin;
    if (stream_peek(e, r, stream, 0, &sp, 1, &fin) > 0 && stream_stop(e, r, stream, ERR_CLOSED)) {
        /* Gone, so it is let go. */
    }
}

uint64_t stream_window(const struct endpoint *e, struct session_ref r, uint64_t stream) {
    struct found f;
    return find(e, r, stream, &f) ? f.st->in.given.window : 0;
}

void stream_consume(struct endpoint *e, uint64_t now_us, struct session_ref r, uint64_t stream,
                    size_t n) {
    struct found f;
    if (!find(e, r, stream, &f) || f.st->in.stopped || f.st->in.reset)
        return;
    rstream_consume(&f.st->in, n);
    transport_credit_consumed(f.s->tp, now_us, n);
    transport_stream_credit(f.s->tp, now_us, f.st);
    endpoint_make_ready(e, f.s);
    transport_reap(f.s->tp, f.st);
}

void stream_set_owner(struct endpoint *e, struct session_ref r, uint64_t stream, uint64_t owner) {
    struct found f;
    if (find(e, r, stream, &f))
        f.st->owner = owner;
}

void stream_set_priority(struct endpoint *e, struct session_ref r, uint64_t stream, unsigned prio) {
    struct found f;
    if (!find(e, r, stream, &f) || prio >= STREAM_PRIORITIES)
        return;
    transport_deactivate(f.s->tp, f.st);
    f.st->priority = (uint8_t)prio;
    transport_activate(f.s->tp, f.st);
}

int session_datagram(struct endpoint *e, uint64_t now_us, struct session_ref r, const void *data,
                     size_t len, uint64_t deadline_us) {
    struct session *s = endpoint_find(e, r);
    if (!s)
        return ERR_NOT_FOUND;
    struct transport *tp = endpoint_attach(e, s, now_us);
    if (!tp)
        return ERR_NOMEM;
    endpoint_make_ready(e, s);
    return transport_datagram(tp, data, len, deadline_us);
}

static size_t packet_bytes(const struct session *s) {
    const size_t known = s->tp ? transport_mtu(s->tp) : s->memo.mtu_bytes;
    return known > 0 ? known : MTU_BASE_BYTES;
}

int session_record(struct endpoint *e, uint64_t now_us, struct session_ref r, const void *data,
                   size_t len) {
    struct session *s = endpoint_find(e, r);
    if (!s)
        return ERR_NOT_FOUND;
    if (!(s->caps & CAPABILITY_RECORD))
        return ERR_UNSUPPORTED;
    if (len > RECORD_MAX_BYTES ||
        DATA_OVERHEAD_BYTES + 1 + varint_size(len) + len > packet_bytes(s))
        return ERR_USAGE;
    if (keys_may_send(&s->keys, now_us, s->send_counter))
        return endpoint_send_record(e, s, data, len);
    endpoint_maybe_rekey(e, s, now_us); /* and only then: gossip alone asks for no new keys */
    endpoint_reap(e);
    return ERR_AGAIN;
}

int session_ping(struct endpoint *e, uint64_t now_us, struct session_ref r, uint64_t id) {
    struct session *s = endpoint_find(e, r);
    if (!s)
        return ERR_NOT_FOUND;
    if (s->echo_count == SESSION_ECHOES)
        return ERR_FULL;
    s->echoes[s->echo_count++] = id;
    /* What cannot leave now leaves when the handshake under way has given new keys. */
    endpoint_renew(e, s, now_us);
    if (keys_may_send(&s->keys, now_us, s->send_counter))
        endpoint_send_echoes(e, s, now_us);
    return s->hs_out || s->hs_in || s->echo_count == 0 ? 0 : ERR_NOMEM;
}
