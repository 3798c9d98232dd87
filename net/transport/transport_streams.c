/* transport_streams.c: the table of a session's streams (RFC 9000 §2 and §3), and what is told
 * about them. */

#include "crypto/base/mem.h"
#include "net/transport/transport.h"

enum { HASH_FIRST = 16 };

static uint32_t bucket(uint64_t id, uint32_t cap) {
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (cap - 1);
}

struct stream *transport_stream(const struct transport *t, uint64_t id) {
    if (t->hash_cap == 0)
        return NULL;
    struct stream *s = t->hash[bucket(id, t->hash_cap)];
    while (s && s->id != id)
        s = s->hash_next;
    return s;
}

static bool grow(struct transport *t) {
    uint32_t cap = t->hash_cap ? t->hash_cap * 2 : HASH_FIRST;
    struct stream **v = mem_calloc(cap, sizeof(struct stream *));
    if (!v)
        return t->hash_cap != 0;
    for (uint32_t i = 0; i < t->hash_cap; i++) {
        for (struct stream *s = t->hash[i], *next; s; s = next) {
            next = s->hash_next;
            s->hash_next = v[bucket(s->id, cap)];
            v[bucket(s->id, cap)] = s;
        }
    }
    mem_free(t->hash);
    t->hash = v;
    t->hash_cap = cap;
    return true;
}

struct stream *transport_stream_new(struct transport *t, uint64_t id) {
    if (t->stream_count >= t->hash_cap && !grow(t))
        return NULL;
    struct stream *s = mem_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->id = id;
    s->priority = STREAM_PRIORITY_DEFAULT;
    sstream_init(&s->out, STREAM_WINDOW_BYTES);
    rstream_init(&s->in, t->account, STREAM_WINDOW_BYTES);
    uint32_t b = bucket(id, t->hash_cap);
    s->hash_next = t->hash[b];
    t->hash[b] = s;
    t->stream_count++;
    return s;
}

/* A frame of ten bytes may open thousands of streams: what all sessions open before the user has
 * heard of it is bounded, so that one batch of packets does not hold the loop. Some are sure to
 * each. */
bool transport_peer_may_open(const struct transport *t) {
    const struct told *told = &t->memo->told;
    if (told->streams >= EVENTS_SESSION_SURE && t->events->count >= STREAMS_UNHEARD_MAX)
        return false;
    return events_room(t->events, told) &&
           share_allows(&t->shares->streams, t->peer_streams, 1, STREAMS_SURE, 1);
}

int transport_stream_open(struct transport *t, uint64_t *id) {
    struct transport_memo *m = t->memo;
    /* A peer may allow any number, but not make us hold it. */
    if (m->local_opened >= m->local_max || t->stream_count - t->peer_streams >= STREAMS_MAX)
        return ERR_FULL;
    uint64_t n = m->local_opened * 2 + (t->initiator ? 0 : 1);
    if (!transport_stream_new(t, n))
        return ERR_NOMEM;
    m->local_opened++;
    *id = n;
    return 0;
}

void transport_reap(struct transport *t, struct stream *s) {
    if (!sstream_done(&s->out) || !rstream_done(&s->in))
        return;
    bool peers = (s->id & 1) == (t->initiator ? 1u : 0u);
    transport_deactivate(t, s);
    transport_drop_ctl(t, s);
    transport_credit_forget(t, s);
    struct stream **at = &t->hash[bucket(s->id, t->hash_cap)];
    while (*at != s)
        at = &(*at)->hash_next;
    *at = s->hash_next;
    t->stream_count--;
    sstream_clear(&s->out);
    rstream_clear(&s->in);
    mem_free(s);
    struct transport_memo *m = t->memo;
    if (peers) {
        t->peer_streams--;
        t->shares->streams.used--;
        m->peer_closed++;
        if (m->peer_max - m->peer_opened < STREAMS_MAX / 2 &&
            m->peer_closed + STREAMS_MAX > m->peer_max) {
            m->peer_max = m->peer_closed + STREAMS_MAX;
            t->want_max_streams = true;
        }
    }
}

/* ---- events ---- */

void transport_tell(struct transport *t, enum ep_event_kind kind, uint64_t stream, int err) {
    const struct stream *s = transport_stream(t, stream);
    struct ep_event e = {.kind = kind,
                         .peer = t->peer,
                         .session = t->self,
                         .owner = s ? s->owner : 0,
                         .stream = stream,
                         .err = err};
    if (!events_push_of(t->events, &t->memo->told, &e))
        t->counters->queue_dropped++;
}

void transport_tell_readable(struct transport *t, struct stream *s) {
    if (s->readable_told)
        return;
    s->readable_told = true;
    transport_tell(t, EP_STREAM_READABLE, s->id, 0);
}
