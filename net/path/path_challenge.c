#include "net/path/path_challenge.h"

#include <assert.h>
#include <string.h>

#include "net/base/timer.h"
#include "net/base/train.h"

static bool bounded(const struct path_candidate *c) {
    return c->reason == PATH_HEARD;
}

static unsigned tries_of(const struct path_candidate *c) {
    return c->reason == PATH_LEFT || c->reason == PATH_RESCUE ? PATH_CHALLENGE_TRIES_LEFT
                                                              : PATH_CHALLENGE_TRIES;
}

static bool is_at(const struct path_candidate *c, const struct hop *at) {
    return c->state != PATH_FREE && hop_covers(&c->hop, at);
}

static void expire(struct path_challenges *p, uint64_t now_us) {
    for (unsigned i = 0; i < PATH_CANDIDATES; i++)
        if ((p->v[i].state == PATH_VALID || p->v[i].state == PATH_SHUNNED) &&
            now_us >= p->v[i].until_us)
            p->v[i] = (struct path_candidate){0};
}

static struct path_candidate *find(struct path_challenges *p, const struct hop *at) {
    for (unsigned i = 0; i < PATH_CANDIDATES; i++)
        if (is_at(&p->v[i], at))
            return &p->v[i];
    return NULL;
}

/* Nobody but its packets speaks for it. One that was shunned is another matter. */
static bool only_heard(const struct path_candidate *c) {
    return c->reason == PATH_HEARD && (c->state == PATH_CHECKING || c->state == PATH_VALID);
}

static void older(struct path_candidate **oldest, struct path_candidate *c) {
    if (!*oldest || c->heard_us < (*oldest)->heard_us)
        *oldest = c;
}

/* A free slot, or that of the place heard longest ago which has had its time. Whoever sends from
 * many places has the slots of such places, and no others while there is one: what the path was and
 * what is shunned stay known. And what there is better reason to ask takes one of those at once. */
static struct path_candidate *room(struct path_challenges *p, uint64_t now_us,
                                   enum path_reason why) {
    struct path_candidate *heard = NULL, *timely = NULL, *other = NULL;
    for (unsigned i = 0; i < PATH_CANDIDATES; i++) {
        struct path_candidate *c = &p->v[i];
        const bool had_its_time =
            c->state != PATH_FREE && now_us - c->began_us >= PATH_CHECK_KEEP_US;
        if (c->state == PATH_FREE)
            return c;
        if (only_heard(c))
            older(&heard, c);
        if (only_heard(c) && had_its_time)
            older(&timely, c);
        if (!only_heard(c) && had_its_time)
            older(&other, c);
    }
    if (why == PATH_HEARD)
        return heard ? timely : other;
    return heard ? heard : other;
}

static struct path_candidate *start(struct path_challenges *p, const struct rng *rng,
                                    uint64_t now_us, const struct hop *at, enum path_reason why) {
    struct path_candidate *c = room(p, now_us, why);
    if (!c)
        return NULL;
    *c = (struct path_candidate){.state = PATH_CHECKING,
                                 .reason = why,
                                 .hop = *at,
                                 .wanted = why != PATH_LEFT,
                                 .began_us = now_us,
                                 .heard_us = now_us,
                                 .until_us = now_us};
    rng_fill(rng, c->data, sizeof c->data);
    return c;
}

bool path_challenge_heard(struct path_challenges *p, const struct rng *rng, uint64_t now_us,
                          const struct hop *at, size_t bytes, bool moves) {
    expire(p, now_us);
    struct path_candidate *c = find(p, at);
    if (!c && moves)
        c = start(p, rng, now_us, at, PATH_HEARD);
    if (!c)
        return false;
    c->got_bytes += bytes;
    c->heard_us = now_us;
    if (!moves || c->state == PATH_SHUNNED)
        return false;
    c->wanted = true;
    return c->state == PATH_VALID;
}

void path_challenge_begin(struct path_challenges *p, const struct rng *rng, uint64_t now_us,
                          const struct hop *at, enum path_reason why) {
    assert(why != PATH_HEARD);
    expire(p, now_us);
    struct path_candidate *c = find(p, at);
    if (!c || c->state == PATH_SHUNNED) {
        if (c)
            *c = (struct path_candidate){0};
        (void)start(p, rng, now_us, at, why);
        return;
    }
    c->reason = why;
    c->wanted |= why != PATH_LEFT;
    c->state = PATH_CHECKING;
    c->tries = 0;
    c->until_us = now_us;
}

const struct path_candidate *path_challenge_due(struct path_challenges *p, uint64_t now_us,
                                                size_t bytes) {
    for (unsigned i = 0; i < PATH_CANDIDATES; i++) {
        struct path_candidate *c = &p->v[i];
        if (c->state != PATH_CHECKING || now_us < c->until_us)
            continue;
        if (c->tries == tries_of(c)) {
            *c = (struct path_candidate){0};
            continue;
        }
        c->until_us = now_us + ((uint64_t)PATH_CHALLENGE_RETRY_US << c->tries++);
        if (bounded(c) && c->spent_bytes + bytes > PATH_AMPLIFICATION * c->got_bytes)
            continue; /* perhaps more has come until the next time */
        c->spent_bytes += bytes;
        return c;
    }
    return NULL;
}

const struct path_candidate *path_challenge_answered(
    struct path_challenges *p, uint64_t now_us, const uint8_t data[static PATH_CHALLENGE_BYTES],
    const struct hop *from) {
    for (unsigned i = 0; i < PATH_CANDIDATES; i++) {
        struct path_candidate *c = &p->v[i];
        if (c->state != PATH_CHECKING || c->tries == 0 ||
            memcmp(c->data, data, sizeof c->data) != 0)
            continue;
        /* Any way back will do (RFC 9000 §8.2.3): a copy of the answer may come first, and from
         * elsewhere. */
        if (hop_covers(&c->hop, from))
            c->hop = *from;
        c->state = PATH_VALID;
        c->until_us = now_us + PATH_VALID_US;
        return c;
    }
    return NULL;
}

const struct path_candidate *path_challenge_confirmed(
    const struct path_challenges *p, const uint8_t data[static PATH_CHALLENGE_BYTES],
    const struct hop *from) {
    for (unsigned i = 0; i < PATH_CANDIDATES; i++)
        if (p->v[i].state == PATH_VALID && hop_equal(&p->v[i].hop, from) &&
            memcmp(p->v[i].data, data, sizeof p->v[i].data) == 0)
            return &p->v[i];
    return NULL;
}

bool path_challenge_knows(struct path_challenges *p, const struct hop *at) {
    return find(p, at) != NULL;
}

bool path_challenge_shuns(struct path_challenges *p, uint64_t now_us, const struct hop *at) {
    expire(p, now_us);
    const struct path_candidate *c = find(p, at);
    return c && c->state == PATH_SHUNNED;
}

void path_challenge_return(struct path_challenges *p, const struct rng *rng, uint64_t now_us,
                           const struct hop *at, size_t bytes) {
    expire(p, now_us);
    struct path_candidate *c = find(p, at) ? NULL : start(p, rng, now_us, at, PATH_HEARD);
    if (!c)
        return;
    c->wanted = false;
    c->got_bytes = bytes;
}

bool path_challenge_may_send(struct path_challenges *p, const struct hop *to, size_t bytes) {
    struct path_candidate *c = find(p, to);
    if (!c)
        return false;
    if (!bounded(c) || c->state == PATH_VALID)
        return true;
    if (c->spent_bytes + bytes > PATH_AMPLIFICATION * c->got_bytes)
        return false;
    c->spent_bytes += bytes;
    return true;
}

uint64_t path_challenge_room(struct path_challenges *p, const struct hop *to) {
    const struct path_candidate *c = find(p, to);
    if (!c || c->spent_bytes >= PATH_AMPLIFICATION * c->got_bytes)
        return 0;
    return PATH_AMPLIFICATION * c->got_bytes - c->spent_bytes;
}

void path_challenge_took(struct path_challenges *p, const struct rng *rng, uint64_t now_us,
                         const struct hop *at, const struct hop *left, bool shun) {
    struct path_candidate *c = find(p, at);
    if (c)
        *c = (struct path_candidate){0};
    if (hop_equal(at, left))
        return;
    path_challenge_begin(p, rng, now_us, left, PATH_LEFT);
    c = find(p, left);
    if (!c || !shun)
        return;
    c->state = PATH_SHUNNED;
    c->until_us = now_us + PATH_SHUN_US;
}

void path_challenge_remember(struct path_challenges *p, uint64_t now_us, const struct hop *left) {
    p->before = *left;
    p->before_us = now_us;
}

void path_challenge_rescue(struct path_challenges *p, const struct rng *rng, uint64_t now_us) {
    if (p->before.kind == HOP_NONE || now_us - p->before_us > PATH_RETURN_US)
        return;
    const struct path_candidate *c = find(p, &p->before);
    if (!c || c->state == PATH_SHUNNED || c->reason != PATH_RESCUE)
        path_challenge_begin(p, rng, now_us, &p->before, PATH_RESCUE);
}

uint64_t path_challenge_deadline_us(const struct path_challenges *p) {
    uint64_t d = TIME_NEVER;
    for (unsigned i = 0; i < PATH_CANDIDATES; i++)
        if (p->v[i].state == PATH_CHECKING && p->v[i].until_us < d)
            d = p->v[i].until_us;
    return d;
}
