/* endpoint_path.c: where a session's packets go is decided by its paths (net/path/paths.h); here
 * that is done: the transport begins anew, challenges leave, the user is told. */
#include <string.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"

enum { CHALLENGE_PACKET_BYTES = DATA_OVERHEAD_BYTES + 1 + PATH_CHALLENGE_BYTES };

/* False: no memory, and all is as it was. */
static bool leave(struct endpoint *e, struct session *s, uint64_t now_us, const struct hop *to) {
    if (!s->tp) {
        transport_memo_new_path(&s->memo);
        return true;
    }
    struct path_state left = {.hop = *paths_current(&s->paths), .left_us = now_us};
    if (s->tp->rec->loss.has_acked)
        paths_carries(&s->paths);
    const bool slow_start = cc_in_slow_start(&s->tp->rec->cc);
    transport_path_state(s->tp, &left);
    if (left.rtt.has_sample)
        paths_remember(&s->paths, &left);
    if (transport_path_switched(s->tp, now_us, (uint16_t)(s->paths.current.number + 1),
                                paths_recall(&s->paths, to, now_us)))
        return false;
    e->counters.switched_in_slow_start += slow_start;
    return true;
}

/* What the list keeps of a path that is left. */
static void note_left(struct session *s) {
    struct path_place *p = s->paths.known ? path_list_active(s->paths.known) : NULL;
    if (!p || !s->tp)
        return;
    p->mtu_bytes = transport_mtu(s->tp);
    if (s->tp->rec->rtt.has_sample)
        p->rtt = s->tp->rec->rtt;
}

void endpoint_path_take(struct endpoint *e, struct session *s, uint64_t now_us,
                        const struct paths_move *m) {
    static const uint8_t here[] = {FRAME_CONFIRMED};
    if (m->what == PATHS_STAY)
        return;
    const bool first = paths_doubtful(&s->paths);
    if (m->what == PATHS_MOVE) {
        note_left(s);
        if (!leave(e, s, now_us, &m->to))
            return;
        paths_moved(&s->paths, &e->rng, now_us, m);
        endpoint_hop_moved(e, s);
        e->counters.roamed++;
        e->counters.paths_rescued += m->why == PATH_RESCUE;
        e->counters.paths_bettered += m->why == PATH_BETTER;
        if (s->tp && (m->why == PATH_SILENT || m->why == PATH_GONE))
            s->tp->left_dead = true;
        /* The peer follows who sends more than probes. */
        if (paths_move_is_ours(m))
            endpoint_send_frames(e, s, now_us, here, sizeof here);
        endpoint_tell(e, EP_ROAMED, s->peer, s, 0);
    }
    s->peer->last_path = m->to;
    if (first)
        endpoint_path_others(e, s, now_us);
    endpoint_make_ready(e, s);
}

/* Both are asked once there are keys. What came from each counts without what has been sent
 * there. */
void endpoint_path_doubt(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *to) {
    if (s->state == SESSION_RESPONDED)
        paths_doubt(&s->paths, &e->rng, now_us, to, INITIATION_BYTES - RESPONSE_BYTES);
}

/* It does not answer. Perhaps it is where it was known to be. */
static void ask_around(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct hop places[PEER_HOPS_MAX];
    if (!paths_doubtful(&s->paths) || now_us < s->up_us + PATH_DOUBT_US)
        return;
    const unsigned n = peer_hops(s->peer, &s->peer->last_path, places);
    paths_ask_around(&s->paths, &e->rng, now_us, places, n);
}

static void send_challenge(struct endpoint *e, struct session *s, uint64_t now_us,
                           const struct hop *to, const uint8_t data[static PATH_CHALLENGE_BYTES]) {
    uint8_t frame[1 + PATH_CHALLENGE_BYTES] = {FRAME_PATH_CHALLENGE};
    memcpy(frame + 1, data, PATH_CHALLENGE_BYTES);
    endpoint_send_frames_to(e, s, now_us, to, frame, sizeof frame);
    e->counters.paths_challenged++;
}

void endpoint_send_challenges(struct endpoint *e, struct session *s, uint64_t now_us) {
    const struct path_candidate *c;
    ask_around(e, s, now_us);
    while ((c = paths_due(&s->paths, now_us, CHALLENGE_PACKET_BYTES)))
        send_challenge(e, s, now_us, &c->hop, c->data);
    for (const struct path_place *p; (p = paths_place_due(&s->paths, &e->rng, now_us));)
        send_challenge(e, s, now_us, &p->hop, p->data);
}

void endpoint_path_reply(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *to, const uint8_t *frames, size_t len) {
    if (paths_spend(&s->paths, to, DATA_OVERHEAD_BYTES + len))
        endpoint_send_frames_to(e, s, now_us, to, frames, len);
}

static bool is_suspect(const struct session *s) {
    return s->paths.known && path_list_active(s->paths.known)->status == PATH_SUSPECT;
}

/* What is sent is not acknowledged. */
static bool is_silent(const struct session *s) {
    return s->tp && (transport_is_silent(s->tp) || (s->tp->sent.outstanding > 0 && is_suspect(s)));
}

void endpoint_path_heard(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *from, size_t bytes, bool moves) {
    if (paths_sure(&s->paths, from))
        return;
    struct paths_move m = paths_heard(&s->paths, &e->rng, now_us, from, bytes, moves);
    if (is_suspect(s)) /* it is answered there, and not here */
        m.why = PATH_SILENT;
    endpoint_path_take(e, s, now_us, &m);
    endpoint_send_challenges(e, s, now_us);
}

void endpoint_path_answered(struct endpoint *e, struct session *s, uint64_t now_us,
                            const struct hop *from,
                            const uint8_t data[static PATH_CHALLENGE_BYTES]) {
    bool ours;
    const struct paths_move own =
        paths_place_answered(&s->paths, now_us, data, from, s->initiator, &ours);
    if (ours) {
        endpoint_path_take(e, s, now_us, &own);
        if (own.what == PATHS_STAY && is_suspect(s) && s->tp && !s->tp->copies)
            transport_copies(s->tp, now_us); /* now there is a standby */
        return;
    }
    const bool silent = is_silent(s);
    const struct paths_move m = paths_answered(&s->paths, &e->rng, now_us, data, from, silent);
    endpoint_path_take(e, s, now_us, &m);
}

void endpoint_path_respond(struct endpoint *e, struct session *s, uint64_t now_us,
                           const struct hop *to, const uint8_t data[static PATH_CHALLENGE_BYTES]) {
    uint8_t frames[2 + PATH_CHALLENGE_BYTES] = {FRAME_PATH_RESPONSE};
    size_t len = 1 + PATH_CHALLENGE_BYTES;
    memcpy(frames + 1, data, PATH_CHALLENGE_BYTES);
    /* Asked along the path that we use: more than a probe in the answer brings back a peer that was
     * lured away (§9.3.3). Else somebody may have sent a copy of the question first, from
     * elsewhere. */
    if (hop_equal(to, paths_current(&s->paths)))
        frames[len++] = FRAME_CONFIRMED;
    else if (!paths_doubtful(&s->paths))
        endpoint_send_frames(e, s, now_us, frames, len);
    /* The answer is as long as the question was at least. */
    if (paths_answers(&s->paths, to, DATA_OVERHEAD_BYTES + len))
        endpoint_send_frames_to(e, s, now_us, to, frames, len);
    /* It knows of several paths, and this is one of them: it is ours, too, if it answers us. */
    if (s->caps & CAPABILITY_PATHS) {
        paths_asked_from(&s->paths, &e->rng, now_us, to, CHALLENGE_PACKET_BYTES);
        endpoint_send_challenges(e, s, now_us);
    }
}

void endpoint_path_silent(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct carrier c;
    if (!is_silent(s))
        return;
    if (session_hop(s)->kind == HOP_RELAY && endpoint_carrier(e, session_hop(s), &c))
        for (unsigned i = 0; i < c.relays; i++)
            endpoint_keep_asks(e, c.by[i], now_us);
    paths_rescue(&s->paths, &e->rng, now_us);
    endpoint_send_challenges(e, s, now_us);
}

int session_switch_path(struct endpoint *e, uint64_t now_us, struct session_ref r,
                        const struct hop *to) {
    struct session *s = endpoint_find(e, r);
    if (!s)
        return ERR_NOT_FOUND;
    if (!peer_takes(s->peer, to))
        return ERR_USAGE;
    const int err = paths_ask(&s->paths, &e->rng, now_us, to);
    if (err)
        return err;
    endpoint_send_challenges(e, s, now_us);
    endpoint_make_ready(e, s);
    return 0;
}

/* ---- where else it may be ---- */

int endpoint_path_offer(struct endpoint *e, struct session *s, uint64_t now_us,
                        const struct hop *at) {
    if (s->state != SESSION_UP)
        return ERR_AGAIN;
    if (!peer_takes(s->peer, at))
        return ERR_USAGE;
    const int err = paths_offer(&s->paths, now_us, at);
    if (err)
        return err;
    endpoint_send_challenges(e, s, now_us);
    endpoint_make_ready(e, s);
    return 0;
}

/* Taken at once where the one in use is no good, or goes through a relay and this one does not;
 * else a standby. */
void endpoint_path_candidate(struct endpoint *e, struct session *s, uint64_t now_us,
                             const struct hop *at) {
    const bool worse = session_hop(s)->kind != HOP_RELAY && at->kind == HOP_RELAY;
    const bool wanted = (!worse && paths_doubtful(&s->paths)) ||
                        (s->tp && transport_is_silent(s->tp)) ||
                        (session_hop(s)->kind == HOP_RELAY && at->kind != HOP_RELAY);
    if (hop_same_place(at, session_hop(s)) || !peer_takes(s->peer, at))
        return;
    if (!wanted && endpoint_path_offer(e, s, now_us, at) == 0)
        return;
    if (!wanted || paths_ask(&s->paths, &e->rng, now_us, at))
        return;
    endpoint_send_challenges(e, s, now_us);
    endpoint_make_ready(e, s);
}

void endpoint_path_others(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct hop to[PEER_HOPS_MAX];
    if (paths_doubtful(&s->paths))
        return;
    const bool relayed = session_hop(s)->kind == HOP_RELAY;
    const unsigned n = peer_hops(s->peer, session_hop(s), to);
    for (unsigned i = 0; i < n && s->state == SESSION_UP; i++)
        if (to[i].kind == HOP_RELAY || relayed)
            endpoint_path_candidate(e, s, now_us, &to[i]);
}
