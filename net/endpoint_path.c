/* endpoint_path.c: where a session's packets go: when the path moves, and what is asked before (net/path/path_challenge.h). */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint_int.h"
#include "net/wire/frame.h"

enum { CHALLENGE_PACKET_BYTES = DATA_OVERHEAD_BYTES + 1 + PATH_CHALLENGE_BYTES };

/* Without memory nothing is asked: the next packet tries again. */
static struct path_challenges *challenges(struct session *s) {
    if (!s->challenges)
        s->challenges = mem_calloc(1, sizeof *s->challenges);
    return s->challenges;
}

/* False: no memory, and all is as it was. */
static bool move(struct endpoint *e, struct session *s, uint64_t now_us, const struct hop *to) {
    if (s->tp) {
        struct path_state left = {.hop = s->path.hop, .left_us = now_us};
        const bool slow_start = cc_in_slow_start(&s->tp->rec->cc);
        transport_path_state(s->tp, &left);
        if (left.rtt.has_sample)
            path_memory_leave(&s->paths_left, &left);
        if (transport_path_switched(s->tp, now_us, (uint16_t)(s->path.number + 1),
                                    path_memory_find(s->paths_left, to, now_us)))
            return false;
        e->counters.switched_in_slow_start += slow_start;
    } else {
        transport_memo_new_path(&s->memo);
    }
    s->path.hop = *to;
    s->path.doubtful = s->path.asked_around = false;
    s->path.number++;
    return true;
}

static bool is_silent(const struct session *s) {
    return s->tp && s->tp->sent.outstanding > 0 && s->tp->rec->loss.pto_count >= PATH_SILENT_PTOS;
}

static bool is_path(const struct session *s, const struct hop *at) {
    return hop_equal(at, &s->path.hop);
}

/* Both are asked once there are keys. What came from each counts without what has been sent there. */
void endpoint_path_doubt(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *to) {
    if (s->state != SESSION_RESPONDED || is_path(s, to))
        return;
    s->path.doubtful = true;
    if (!challenges(s))
        return;
    const struct path *p = &s->path;
    const size_t new_bytes = INITIATION_BYTES - RESPONSE_BYTES;
    if (!path_challenge_knows(s->challenges, &p->hop))
        (void)path_challenge_heard(s->challenges, &e->rng, now_us, &p->hop, new_bytes, true);
    (void)path_challenge_heard(s->challenges, &e->rng, now_us, to, new_bytes, true);
}

/* It does not answer. Perhaps it is where it was known to be. */
static void ask_around(struct endpoint *e, struct session *s, uint64_t now_us) {
    const struct peer *p = s->peer;
    if (!s->path.doubtful || s->path.asked_around || now_us < s->up_us + PATH_DOUBT_US ||
        !challenges(s))
        return;
    s->path.asked_around = true;
    unsigned n = 0;
    if (p->last_path.kind != HOP_NONE && !hop_same_place(&p->last_path, &s->path.hop)) {
        path_challenge_begin(s->challenges, &e->rng, now_us, &p->last_path, PATH_ASKED);
        n++;
    }
    for (unsigned i = 0; i < p->setup.addr_count && n + 1 < PATH_CANDIDATES; i++) {
        const struct addr *a = &p->setup.addrs[i];
        if (hop_is_to(&s->path.hop, a) || hop_is_to(&p->last_path, a))
            continue;
        const struct hop at = hop_udp(a, LOCAL_ANY);
        path_challenge_begin(s->challenges, &e->rng, now_us, &at, PATH_ASKED);
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
        endpoint_send_frames_to(e, s, now_us, &c->hop, frame, sizeof frame);
        e->counters.paths_challenged++;
    }
}

size_t endpoint_path_room(const struct session *s) {
    if (!s->path.doubtful)
        return SIZE_MAX;
    return s->challenges ? path_challenge_room(s->challenges, &s->path.hop) : 0;
}

/* To a place that is not known to be the peer's, as long as it may get so much. */
static bool may_send(struct session *s, const struct hop *to, size_t bytes) {
    if (is_path(s, to) && !s->path.doubtful)
        return true;
    return s->challenges && path_challenge_may_send(s->challenges, to, bytes);
}

bool endpoint_path_spend(struct session *s, size_t bytes) {
    return may_send(s, &s->path.hop, bytes);
}

bool endpoint_path_sure(const struct session *s, const struct hop *at) {
    return is_path(s, at) && !s->path.doubtful;
}

void endpoint_path_reply(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *to, const uint8_t *frames, size_t len) {
    if (may_send(s, to, DATA_OVERHEAD_BYTES + len))
        endpoint_send_frames_to(e, s, now_us, to, frames, len);
}

/* The peer has answered from there. Not too often: packets from two places by turns must not make the path flap. */
static void take(struct endpoint *e, struct session *s, uint64_t now_us, const struct hop *to,
                 enum path_reason why) {
    static const uint8_t here[] = {FRAME_CONFIRMED};
    const struct path left = s->path;
    if (s->path.doubtful && is_path(s, to)) {
        s->path.doubtful = false;
        s->peer->last_path = *to;
        path_challenge_took(s->challenges, &e->rng, now_us, to, to, false);
        endpoint_make_ready(e, s);
        return;
    }
    if (why != PATH_ASKED && !path_damper_allows(&s->damper, now_us))
        return;
    if (!move(e, s, now_us, to))
        return;
    /* Where it has never answered it is not asked again. */
    path_challenge_took(s->challenges, &e->rng, now_us, to, left.doubtful ? to : &left.hop,
                        why == PATH_RESCUE);
    s->peer->last_path = *to;
    e->counters.roamed++;
    e->counters.paths_rescued += why == PATH_RESCUE;
    if (why == PATH_ASKED) /* the peer follows who sends more than probes */
        endpoint_send_frames(e, s, now_us, here, sizeof here);
    endpoint_tell(e, EP_ROAMED, s->peer, s, 0);
    endpoint_make_ready(e, s);
}

void endpoint_path_heard(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *from, size_t bytes, bool moves) {
    const struct hop at = *from;
    if (is_path(s, &at) && !s->path.doubtful)
        return;
    if (!s->challenges && !moves)
        return;
    if (challenges(s) && path_challenge_heard(s->challenges, &e->rng, now_us, &at, bytes, moves))
        take(e, s, now_us, &at, PATH_HEARD);
    endpoint_send_challenges(e, s, now_us);
}

void endpoint_path_answered(struct endpoint *e, struct session *s, uint64_t now_us,
                            const struct hop *from,
                            const uint8_t data[static PATH_CHALLENGE_BYTES]) {
    const struct path_candidate *c =
        s->challenges ? path_challenge_answered(s->challenges, now_us, data, from) : NULL;
    if (!c || !c->wanted || (c->reason == PATH_RESCUE && !is_silent(s)))
        return;
    const struct hop to = c->hop;
    take(e, s, now_us, &to, c->reason);
}

void endpoint_path_respond(struct endpoint *e, struct session *s, uint64_t now_us,
                           const struct hop *to, const uint8_t data[static PATH_CHALLENGE_BYTES]) {
    uint8_t frames[2 + PATH_CHALLENGE_BYTES] = {FRAME_PATH_RESPONSE};
    size_t len = 1 + PATH_CHALLENGE_BYTES;
    memcpy(frames + 1, data, PATH_CHALLENGE_BYTES);
    /* Asked along the path that we use: more than a probe in the answer brings back a peer that was lured away (§9.3.3). */
    if (is_path(s, to))
        frames[len++] = FRAME_CONFIRMED;
    else if (
        !s->path.doubtful) /* somebody may have sent a copy of the question first, from elsewhere */
        endpoint_send_frames(e, s, now_us, frames, len);
    /* Of a place that is not being asked nothing is counted: the answer is as long as the question was at least. */
    if ((is_path(s, to) && !s->path.doubtful) || !s->challenges ||
        !path_challenge_knows(s->challenges, to) ||
        path_challenge_may_send(s->challenges, to, DATA_OVERHEAD_BYTES + len))
        endpoint_send_frames_to(e, s, now_us, to, frames, len);
}

void endpoint_path_silent(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (!s->challenges || !is_silent(s))
        return;
    path_challenge_rescue(s->challenges, &e->rng, now_us);
    endpoint_send_challenges(e, s, now_us);
}

int session_switch_path(struct endpoint *e, uint64_t now_us, struct session_ref r,
                        const struct hop *to) {
    struct session *s = endpoint_find(e, r);
    if (!s)
        return ERR_NOT_FOUND;
    if (!challenges(s))
        return ERR_NOMEM;
    path_challenge_begin(s->challenges, &e->rng, now_us, to, PATH_ASKED);
    endpoint_send_challenges(e, s, now_us);
    endpoint_make_ready(e, s);
    return 0;
}
