/* endpoint_session.c: how a session begins, comes up and ends, and what is told of it. */
#include <string.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"

void endpoint_tell(struct endpoint *e, enum ep_event_kind kind, const struct peer *p,
                   const struct session *s, int err) {
    struct ep_event ev = {.kind = kind,
                          .peer = peer_ref_of(p),
                          .peer_owner = p->setup.owner,
                          .err = err,
                          .guest = p->guest,
                          .node = p->setup.id};
    if (s) {
        ev.session = session_ref_of(s);
        ev.addr = *hop_addr(session_hop(s));
        ev.hop = *session_hop(s);
    }
    if (!events_push(&e->events, &ev))
        e->counters.queue_dropped++;
}

void endpoint_make_ready(struct endpoint *e, struct session *s) {
    session_table_ready(&e->sessions, s);
}

struct session *endpoint_find(const struct endpoint *e, struct session_ref r) {
    struct session *s = session_table_by_ref(&e->sessions, r);
    return s && s->state == SESSION_UP ? s : NULL;
}

struct session *endpoint_session_new(struct endpoint *e, struct peer *p, enum session_state state,
                                     uint64_t now_us) {
    struct session *s = session_table_new(&e->sessions, &e->rng, state);
    if (!s)
        return NULL;
    s->peer = p;
    s->last_recv_us = s->last_use_us = s->up_us = now_us;
    transport_memo_init(&s->memo);
    *(state == SESSION_INITIATING ? &p->dial : &p->answered) = s;
    return s;
}

void endpoint_session_end(struct endpoint *e, struct session *s, int err) {
    struct peer *p = s->peer;
    if (s->state == SESSION_ENDED)
        return;
    if (s->state == SESSION_UP) {
        p->heard_us = s->last_recv_us;
        e->counters.sessions_down++;
        endpoint_hop_down(e, s);
        endpoint_tell(e, EP_SESSION_DOWN, p, s, err);
    }
    if (p->session == s)
        p->session = NULL;
    if (p->dial == s)
        p->dial = NULL;
    if (p->answered == s)
        p->answered = NULL;
    if (s->state == SESSION_RESPONDED)
        strangers_remove(&e->strangers, s);
    session_table_end(&e->sessions, s);
}

void endpoint_reap(struct endpoint *e) {
    for (struct session *s; (s = session_table_reap(&e->sessions));) {
        struct peer *p = s->peer;
        session_free(s, e->aead);
        if ((p->stranger || p->guest) && !p->session && !p->dial && !p->answered) {
            endpoint_guest_named(e, p);
            peers_remove(&e->peers, p);
        }
    }
}

void endpoint_session_closed(struct endpoint *e, struct session *s, int err) {
    if (e->events.count == 0 || s->state != SESSION_UP) {
        endpoint_session_end(e, s, err);
        return;
    }
    session_table_close(&e->sessions, s, err);
}

void endpoint_session_up(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct peer *p = s->peer;
    if (p->session && p->session != s)
        endpoint_session_end(e, p->session, ERR_CLOSED);
    p->session = s;
    if (p->answered == s) { /* theirs has come first */
        p->answered = NULL;
        strangers_remove(&e->strangers, s);
        if (p->dial)
            endpoint_session_end(e, p->dial, 0);
    } else if (p->dial == s) {
        p->dial = NULL;
        /* Both have opened. The side with the lesser key decides, or each could take the other's:
         * what it has answered can be confirmed no more; the other side keeps its answer, in case
         * it is confirmed. */
        if (p->answered && memcmp(&e->identity.transport_public, &p->setup.transport,
                                  sizeof p->setup.transport) < 0)
            endpoint_session_end(e, p->answered, 0);
    }
    session_table_raise(&e->sessions, s);
    s->up_us = s->last_recv_us = s->last_use_us = s->sent_us = s->guest_us = now_us;
    p->asked = false;
    if (!paths_doubtful(&s->paths))
        p->last_path = *session_hop(s);
    e->counters.sessions_up++;
    endpoint_tell(e, EP_SESSION_UP, p, s, 0);
    endpoint_make_ready(e, s);
}

void endpoint_hang_up(struct endpoint *e, struct session *s, uint64_t now_us, int err) {
    uint8_t frame[10];
    struct wr w = wr_init(frame, sizeof frame);
    wr_u8(&w, FRAME_CLOSE);
    wr_varint(&w, (uint64_t)-err);
    endpoint_send_frames(e, s, now_us, frame, wr_len(&w));
    endpoint_session_end(e, s, err);
}

void endpoint_disconnect(struct endpoint *e, uint64_t now_us, struct session_ref r, int err) {
    struct session *s = endpoint_find(e, r);
    if (s)
        endpoint_hang_up(e, s, now_us, err);
    endpoint_reap(e);
}

struct transport *endpoint_attach(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (s->tp)
        return s->tp;
    struct transport_setup setup = {
        .memo = &s->memo,
        .pool = e->blocks,
        .shares = &e->shares,
        .events = &e->events,
        .counters = &e->counters,
        .rng = e->rng,
        .self = session_ref_of(s),
        .peer = peer_ref_of(s->peer),
        .initiator = s->initiator,
        .cc = e->cc,
        .mtu_max = e->mtu_max,
        .path = s->paths.current.number,
    };
    s->tp = transport_new(&setup, now_us, s->send_counter);
    session_attached(s);
    return s->tp;
}

void endpoint_send_echoes(struct endpoint *e, struct session *s, uint64_t now_us) {
    uint8_t frame[9] = {FRAME_ECHO};
    for (unsigned i = 0; i < s->echo_count; i++) {
        store_le64(frame + 1, s->echoes[i]);
        endpoint_send_frames(e, s, now_us, frame, sizeof frame);
    }
    endpoint_make_ready(e, s);
    if (s->echo_count == 0)
        return;
    if (s->echoed_us == 0)
        s->echoed_us = now_us;
    s->echo_count = 0;
    s->last_use_us = now_us;
}
