/* endpoint_path.c: where a session's packets go: when the path moves, and what is asked before (net/path/path_challenge.h). */
#include <stdlib.h>
#include <string.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"

enum { CHALLENGE_PACKET_BYTES = DATA_OVERHEAD_BYTES + 1 + PATH_CHALLENGE_BYTES };

/* Without memory nothing is asked: the next packet tries again. */
static struct path_challenges *challenges(struct session *s) {
    if (!s->challenges)
        s->challenges = calloc(1, sizeof *s->challenges);
    return s->challenges;
}

static void move(struct endpoint *e, struct session *s, uint64_t now_us, const struct addr *to,
                 uint32_t local) {
    if (s->tp) {
        struct path_state left = {
            .remote = s->path.remote, .local = s->path.local, .left_us = now_us};
        transport_path_state(s->tp, &left);
        if (left.rtt.has_sample)
            path_memory_leave(&s->paths_left, &left);
    }
    s->path.remote = *to;
    s->path.local = local;
    s->path.doubtful = s->path.asked_around = false;
    s->path.epoch++;
    s->memo.mtu_bytes = 0;
    s->memo.has_rtt = false;
    if (!s->tp) {
        ecn_new_path(&s->memo.ecn);
        return;
    }
    e->counters.switched_in_slow_start += cc_in_slow_start(&s->tp->rec.cc);
    transport_path_switched(s->tp, now_us, s->path.epoch,
                            path_memory_find(s->paths_left, to, local, now_us));
}

static bool is_silent(const struct session *s) {
    return s->tp && s->tp->sent.outstanding > 0 && s->tp->rec.loss.pto_count >= PATH_SILENT_PTOS;
}

static bool is_path(const struct session *s, const struct addr *a, uint32_t local) {
    return addr_equal(a, &s->path.remote) && local == s->path.local;
}

/* Both are asked once there are keys. What came from each counts without what has been sent there. */
void endpoint_path_doubt(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct addr *to, uint32_t local) {
    if (s->state != SESSION_RESPONDED || is_path(s, to, local))
        return;
    s->path.doubtful = true;
    if (!challenges(s))
        return;
    const struct path *p = &s->path;
    const size_t new_bytes = INITIATION_BYTES - RESPONSE_BYTES;
    if (!path_challenge_knows(s->challenges, &p->remote, p->local))
        (void)path_challenge_heard(s->challenges, &e->rng, now_us, &p->remote, p->local, new_bytes,
                                   true);
    (void)path_challenge_heard(s->challenges, &e->rng, now_us, to, local, new_bytes, true);
}

/* It does not answer. Perhaps it is where it was known to be. */
static void ask_around(struct endpoint *e, struct session *s, uint64_t now_us) {
    const struct peer *p = s->peer;
    if (!s->path.doubtful || s->path.asked_around || now_us < s->up_us + PATH_DOUBT_US ||
        !challenges(s))
        return;
    s->path.asked_around = true;
    unsigned n = 0;
    if (p->last_path.kind != ADDR_NONE && !addr_equal(&p->last_path, &s->path.remote)) {
        path_challenge_begin(s->challenges, &e->rng, now_us, &p->last_path, p->last_local,
                             PATH_ASKED);
        n++;
    }
    for (unsigned i = 0; i < p->setup.addr_count && n + 1 < PATH_CANDIDATES; i++) {
        const struct addr *a = &p->setup.addrs[i];
        if (addr_equal(a, &s->path.remote) || addr_equal(a, &p->last_path))
            continue;
        path_challenge_begin(s->challenges, &e->rng, now_us, a, LOCAL_ANY, PATH_ASKED);
        n++;
    }
}

void endpoint_send_challenges(struct endpoint *e, struct session *s, uint64_t now_us) {
    const struct path_candidate *c;
    ask_around(e, s, now_us);
    while (s->challenges &&
           (c = path_challenge_due(s->challenges, now_us, CHALLENGE_PACKET_BYTES))) {
        uint8_t frame[1 + PATH_CHALLENGE_BYTES] = {FRAME_PATH_CHALLENGE};
        memcpy(frame + 1, c->data, sizeof c->data);
        endpoint_send_frames_to(e, s, now_us, &c->remote, c->local, frame, sizeof frame);
        e->counters.paths_challenged++;
    }
}

size_t endpoint_path_room(const struct session *s) {
    if (!s->path.doubtful)
        return SIZE_MAX;
    return s->challenges ? path_challenge_room(s->challenges, &s->path.remote, s->path.local) : 0;
}

/* To a place that is not known to be the peer's, as long as it may get so much. */
static bool may_send(struct session *s, const struct addr *to, uint32_t local, size_t bytes) {
    if (is_path(s, to, local) && !s->path.doubtful)
        return true;
    return s->challenges && path_challenge_may_send(s->challenges, to, local, bytes);
}

bool endpoint_path_spend(struct session *s, size_t bytes) {
    return may_send(s, &s->path.remote, s->path.local, bytes);
}

bool endpoint_path_sure(const struct session *s, const struct addr *at, uint32_t local) {
    return is_path(s, at, local) && !s->path.doubtful;
}

void endpoint_path_reply(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct addr *to, uint32_t local, const uint8_t *frames, size_t len) {
    if (may_send(s, to, local, DATA_OVERHEAD_BYTES + len))
        endpoint_send_frames_to(e, s, now_us, to, local, frames, len);
}

/* The peer has answered from there. Not too often: packets from two places by turns must not make the path flap. */
static void take(struct endpoint *e, struct session *s, uint64_t now_us, const struct addr *to,
                 uint32_t local, enum path_reason why) {
    static const uint8_t here[] = {FRAME_CONFIRMED};
    const struct path left = s->path;
    if (s->path.doubtful && is_path(s, to, local)) {
        s->path.doubtful = false;
        s->peer->last_path = *to;
        s->peer->last_local = local;
        path_challenge_took(s->challenges, &e->rng, now_us, to, local, to, local, false);
        endpoint_make_ready(e, s);
        return;
    }
    if (why != PATH_ASKED && !path_damper_allows(&s->damper, now_us))
        return;
    move(e, s, now_us, to, local);
    /* Where it has never answered it is not asked again. */
    path_challenge_took(s->challenges, &e->rng, now_us, to, local,
                        left.doubtful ? to : &left.remote, left.doubtful ? local : left.local,
                        why == PATH_RESCUE);
    s->peer->last_path = *to;
    s->peer->last_local = local;
    e->counters.roamed++;
    e->counters.paths_rescued += why == PATH_RESCUE;
    if (why == PATH_ASKED) /* the peer follows who sends more than probes */
        endpoint_send_frames(e, s, now_us, here, sizeof here);
    endpoint_tell(e, EP_ROAMED, s->peer, s, 0);
    endpoint_make_ready(e, s);
}

void endpoint_path_heard(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct addr *from, uint32_t local, size_t bytes, bool moves) {
    const struct addr at = *from;
    if (is_path(s, &at, local) && !s->path.doubtful)
        return;
    if (!s->challenges && !moves)
        return;
    if (challenges(s) &&
        path_challenge_heard(s->challenges, &e->rng, now_us, &at, local, bytes, moves))
        take(e, s, now_us, &at, local, PATH_HEARD);
    endpoint_send_challenges(e, s, now_us);
}

void endpoint_path_answered(struct endpoint *e, struct session *s, uint64_t now_us,
                            const struct addr *from, uint32_t local,
                            const uint8_t data[static PATH_CHALLENGE_BYTES]) {
    const struct path_candidate *c =
        s->challenges ? path_challenge_answered(s->challenges, now_us, data, from, local) : NULL;
    if (!c || !c->wanted || (c->reason == PATH_RESCUE && !is_silent(s)))
        return;
    const struct addr to = c->remote;
    take(e, s, now_us, &to, c->local, c->reason);
}

void endpoint_path_respond(struct endpoint *e, struct session *s, uint64_t now_us,
                           const struct addr *to, uint32_t local,
                           const uint8_t data[static PATH_CHALLENGE_BYTES]) {
    uint8_t frames[2 + PATH_CHALLENGE_BYTES] = {FRAME_PATH_RESPONSE};
    size_t len = 1 + PATH_CHALLENGE_BYTES;
    memcpy(frames + 1, data, PATH_CHALLENGE_BYTES);
    /* Asked along the path that we use: more than a probe in the answer brings back a peer that was lured away (§9.3.3). */
    if (is_path(s, to, local))
        frames[len++] = FRAME_CONFIRMED;
    else if (
        !s->path.doubtful) /* somebody may have sent a copy of the question first, from elsewhere */
        endpoint_send_frames(e, s, now_us, frames, len);
    /* Of a place that is not being asked nothing is counted: the answer is as long as the question was at least. */
    if ((is_path(s, to, local) && !s->path.doubtful) || !s->challenges ||
        !path_challenge_knows(s->challenges, to, local) ||
        path_challenge_may_send(s->challenges, to, local, DATA_OVERHEAD_BYTES + len))
        endpoint_send_frames_to(e, s, now_us, to, local, frames, len);
}

void endpoint_path_silent(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (!s->challenges || !is_silent(s))
        return;
    path_challenge_rescue(s->challenges, &e->rng, now_us);
    endpoint_send_challenges(e, s, now_us);
}

int session_switch_path(struct endpoint *e, uint64_t now_us, struct session_ref r,
                        const struct addr *to, uint32_t local) {
    struct session *s = endpoint_find(e, r);
    if (!s)
        return ERR_NOT_FOUND;
    if (!challenges(s))
        return ERR_NOMEM;
    path_challenge_begin(s->challenges, &e->rng, now_us, to, local, PATH_ASKED);
    endpoint_send_challenges(e, s, now_us);
    endpoint_make_ready(e, s);
    return 0;
}
