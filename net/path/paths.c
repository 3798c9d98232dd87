/* paths.c: when a session's path moves. Why is beside each bound in path_challenge.h and
 * path_memory.h. */
#include "net/path/paths.h"

#include <assert.h>

#include "crypto/base/mem.h"
#include "net/base/timer.h"

void paths_clear(struct paths *p) {
    mem_free(p->asked);
    mem_free(p->left);
    *p = (struct paths){0};
}

void paths_begin(struct paths *p, const struct hop *at, bool doubtful) {
    p->current.hop = *at;
    p->current.doubtful = doubtful;
    p->current.carries = true;
}

static bool is_current(const struct paths *p, const struct hop *at) {
    return hop_equal(at, &p->current.hop);
}

bool paths_sure(const struct paths *p, const struct hop *at) {
    return is_current(p, at) && !p->current.doubtful;
}

void paths_settle(struct paths *p, const struct hop *from) {
    if (hop_covers(&p->current.hop, from))
        p->current.hop = *from;
}

/* Without memory nothing is asked: the next packet tries again. */
static struct path_challenges *asked(struct paths *p) {
    if (!p->asked)
        p->asked = mem_calloc(1, sizeof *p->asked);
    return p->asked;
}

/* ---- what comes ---- */

void paths_doubt(struct paths *p, const struct rng *rng, uint64_t now_us, const struct hop *to,
                 size_t bytes) {
    if (is_current(p, to))
        return;
    p->current.doubtful = true;
    if (!asked(p))
        return;
    if (!path_challenge_knows(p->asked, &p->current.hop))
        (void)path_challenge_heard(p->asked, rng, now_us, &p->current.hop, bytes, true);
    (void)path_challenge_heard(p->asked, rng, now_us, to, bytes, true);
}

/* The peer has answered from there. Not too often: packets from two places by turns must not make
 * the path flap. Back to one that was good it may always: nobody can bring that about more often
 * than he can lead away from it. */
static struct paths_move take(struct paths *p, const struct rng *rng, uint64_t now_us,
                              const struct hop *to, enum path_reason why) {
    struct paths_move m = {.what = PATHS_MOVE, .to = *to, .why = why};
    if (p->current.doubtful && is_current(p, to)) {
        p->current.doubtful = false;
        path_challenge_took(p->asked, rng, now_us, to, to, false);
        m.what = PATHS_SURE;
    } else if (why != PATH_ASKED && why != PATH_RESCUE && !path_damper_allows(&p->damper, now_us)) {
        m.what = PATHS_STAY;
    }
    return m;
}

struct paths_move paths_heard(struct paths *p, const struct rng *rng, uint64_t now_us,
                              const struct hop *at, size_t bytes, bool moves) {
    const struct hop from = *at; /* it may be one of ours */
    if (paths_sure(p, &from) || (!p->asked && !moves) || !asked(p) ||
        !path_challenge_heard(p->asked, rng, now_us, &from, bytes, moves))
        return (struct paths_move){.what = PATHS_STAY};
    return take(p, rng, now_us, &from, PATH_HEARD);
}

struct paths_move paths_answered(struct paths *p, const struct rng *rng, uint64_t now_us,
                                 const uint8_t data[static PATH_CHALLENGE_BYTES],
                                 const struct hop *from, bool silent) {
    const struct path_candidate *c =
        p->asked ? path_challenge_answered(p->asked, now_us, data, from) : NULL;
    if (!c || !c->wanted || (c->reason == PATH_RESCUE && !silent))
        return (struct paths_move){.what = PATHS_STAY};
    const struct hop to = c->hop;
    return take(p, rng, now_us, &to, c->reason);
}

void paths_moved(struct paths *p, const struct rng *rng, uint64_t now_us,
                 const struct paths_move *m) {
    const struct path left = p->current;
    assert(m->what == PATHS_MOVE && p->asked);
    p->current = (struct path){.hop = m->to, .number = (uint16_t)(left.number + 1)};
    /* What never carried anything is no place to go back to: whoever leads the path from one such
     * place to the next must not make the good one forgotten. */
    if (left.carries && !left.doubtful)
        path_challenge_remember(p->asked, now_us, &left.hop);
    /* Where it has never answered it is not asked again. */
    path_challenge_took(p->asked, rng, now_us, &m->to, left.doubtful ? &m->to : &left.hop,
                        m->why == PATH_RESCUE);
}

/* ---- what is asked ---- */

int paths_ask(struct paths *p, const struct rng *rng, uint64_t now_us, const struct hop *to) {
    if (!asked(p))
        return ERR_NOMEM;
    path_challenge_begin(p->asked, rng, now_us, to, PATH_ASKED);
    return 0;
}

static bool is_among(const struct hop *places, unsigned count, const struct hop *at) {
    for (unsigned i = 0; i < count; i++)
        if (hop_same_place(&places[i], at))
            return true;
    return false;
}

void paths_ask_around(struct paths *p, const struct rng *rng, uint64_t now_us,
                      const struct hop *places, unsigned count) {
    if (!p->current.doubtful || p->current.asked_around || !asked(p))
        return;
    p->current.asked_around = true;
    unsigned n = 0;
    for (unsigned i = 0; i < count && n + 1 < PATH_CANDIDATES; i++) {
        if (hop_same_place(&places[i], &p->current.hop) || is_among(places, i, &places[i]))
            continue;
        path_challenge_begin(p->asked, rng, now_us, &places[i], PATH_ASKED);
        n++;
    }
}

void paths_rescue(struct paths *p, const struct rng *rng, uint64_t now_us) {
    if (p->asked)
        path_challenge_rescue(p->asked, rng, now_us);
}

const struct path_candidate *paths_due(struct paths *p, uint64_t now_us, size_t bytes) {
    return p->asked ? path_challenge_due(p->asked, now_us, bytes) : NULL;
}

uint64_t paths_deadline_us(const struct paths *p) {
    return p->asked ? path_challenge_deadline_us(p->asked) : TIME_NEVER;
}

/* ---- what may be sent ---- */

size_t paths_room(const struct paths *p) {
    if (!p->current.doubtful)
        return SIZE_MAX;
    return p->asked ? path_challenge_room(p->asked, &p->current.hop) : 0;
}

bool paths_spend(struct paths *p, const struct hop *to, size_t bytes) {
    return paths_sure(p, to) || (p->asked && path_challenge_may_send(p->asked, to, bytes));
}

bool paths_answers(struct paths *p, const struct hop *to, size_t bytes) {
    return paths_sure(p, to) || !p->asked || !path_challenge_knows(p->asked, to) ||
           path_challenge_may_send(p->asked, to, bytes);
}

/* ---- what they were like ---- */

void paths_remember(struct paths *p, const struct path_state *left) {
    path_memory_leave(&p->left, left);
}

const struct path_state *paths_recall(const struct paths *p, const struct hop *at,
                                      uint64_t now_us) {
    return path_memory_find(p->left, at, now_us);
}
