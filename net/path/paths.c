/* paths.c: when a session's path moves. Why is beside each bound in path_challenge.h and
 * path_memory.h. */
#include "net/path/paths.h"

#include <assert.h>

#include "crypto/base/mem.h"
#include "net/base/timer.h"

void paths_clear(struct paths *p) {
    mem_free(p->asked);
    mem_free(p->left);
    mem_free(p->known);
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
    if (!hop_covers(&p->current.hop, from))
        return;
    p->current.hop = *from;
    if (p->known)
        path_list_active(p->known)->hop = *from;
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
    } else if (why != PATH_ASKED && why != PATH_RESCUE &&
               !path_damper_allows(&p->asked->damper, now_us)) {
        m.what = PATHS_STAY;
    }
    return m;
}

/* The peer is there as well: it may be followed without a question. */
static bool is_standby(struct paths *p, uint64_t now_us, const struct hop *at) {
    const struct path_place *place = p->known ? path_list_find(p->known, at) : NULL;
    return place && place->status == PATH_VALIDATED &&
           !(p->asked && path_challenge_shuns(p->asked, now_us, at));
}

/* Left by us a moment ago: what still comes from there was sent before the peer knew. */
static bool is_held(const struct paths *p, uint64_t now_us, const struct hop *at) {
    return p->known && now_us < p->known->hold_us && hop_equal(&p->known->held, at);
}

struct paths_move paths_heard(struct paths *p, const struct rng *rng, uint64_t now_us,
                              const struct hop *at, size_t bytes, bool moves) {
    const struct hop from = *at; /* it may be one of ours */
    if (moves && is_held(p, now_us, &from))
        return (struct paths_move){.what = PATHS_STAY};
    if (moves && is_standby(p, now_us, &from) && asked(p))
        return take(p, rng, now_us, &from, PATH_HEARD);
    if (paths_sure(p, &from) || (!p->asked && !moves) || !asked(p) ||
        !path_challenge_heard(p->asked, rng, now_us, &from, bytes, moves))
        return (struct paths_move){.what = PATHS_STAY};
    return take(p, rng, now_us, &from, PATH_HEARD);
}

/* A place that has answered, by itself, is ready to be taken. */
static void note_answer(struct paths *p, uint64_t now_us, const struct hop *at) {
    struct path_list *l = is_current(p, at) ? NULL : paths_list(p, now_us);
    if (!l)
        return;
    struct path_place *place = path_list_find(l, at);
    if (!place)
        place = path_list_add(l, now_us, at, false);
    if (!place || place->status == PATH_VALIDATED)
        return;
    if (place->status == PATH_FAILED)
        path_enter(place, now_us, PATH_PROBING, PATH_WHY_ASKED);
    path_enter(place, now_us, PATH_VALIDATED, PATH_WHY_ANSWERS);
    place->out = place->resting = false;
    place->heard_us = now_us;
    place->next_us = now_us + PATH_QUIET_US;
}

struct paths_move paths_answered(struct paths *p, const struct rng *rng, uint64_t now_us,
                                 const uint8_t data[static PATH_CHALLENGE_BYTES],
                                 const struct hop *from, bool silent) {
    const struct path_candidate *c =
        p->asked ? path_challenge_answered(p->asked, now_us, data, from) : NULL;
    const struct path_candidate *there =
        p->asked ? path_challenge_confirmed(p->asked, data, from) : NULL;
    if (there)
        note_answer(p, now_us, &there->hop);
    if (!c || !c->wanted || (c->reason == PATH_RESCUE && !silent))
        return (struct paths_move){.what = PATHS_STAY};
    const struct hop to = c->hop;
    return take(p, rng, now_us, &to, c->reason);
}

static void note_left(struct path_place *left, uint64_t now_us, enum path_reason why) {
    if (why == PATH_BETTER) {
        path_enter(left, now_us, PATH_VALIDATED, PATH_WHY_WORSE);
        left->next_us = now_us + PATH_QUIET_US;
    } else if (why == PATH_RESCUE || why == PATH_SILENT || why == PATH_GONE) {
        const bool steady = now_us >= left->since_us + PATH_STEADY_US;
        left->lapses = steady ? 1 : (uint8_t)(left->lapses + (left->lapses < PATH_LAPSES_MAX));
        path_place_fail(left, now_us, why == PATH_GONE ? PATH_WHY_WITHDRAWN : PATH_WHY_SILENT);
    } else { /* one question, unless path_challenge.h has an answer before */
        path_enter(left, now_us, PATH_PROBING, PATH_WHY_LEFT);
        left->tries_max = 1;
        left->next_us = now_us + PATH_FAILED_US;
    }
    left->out = left->resting = false;
    left->better = 0;
}

static enum path_why why_active(enum path_reason why) {
    return why == PATH_HEARD    ? PATH_WHY_PEER
           : why == PATH_ASKED  ? PATH_WHY_USER
           : why == PATH_BETTER ? PATH_WHY_BETTER
                                : PATH_WHY_ONLY;
}

/* What the list says of both. There is none without memory, or where the peer never answered. */
static void note_move(struct paths *p, uint64_t now_us, const struct paths_move *m) {
    struct path_list *l = paths_list(p, now_us);
    if (!l)
        return;
    struct path_place *to = path_list_find(l, &m->to), *left = path_list_active(l);
    if (left == to)
        return;
    note_left(left, now_us, m->why);
    if (!to)
        to = path_list_add(l, now_us, &m->to, true);
    path_enter(to, now_us, PATH_ACTIVE, why_active(m->why));
    to->hop = m->to;
    to->heard_us = now_us;
    to->number = (uint16_t)(p->current.number + 1);
    to->out = to->resting = false;
    to->better = 0;
    l->silent_us = 0;
    if (m->why != PATH_HEARD && m->why != PATH_RESCUE) { /* the peer has to hear of it first */
        l->held = p->current.hop;
        l->hold_us = now_us + PATH_HOLD_US;
    } else {
        l->hold_us = 0;
    }
}

void paths_moved(struct paths *p, const struct rng *rng, uint64_t now_us,
                 const struct paths_move *m) {
    const struct path left = p->current;
    const bool ours = m->why == PATH_BETTER || m->why == PATH_SILENT || m->why == PATH_GONE;
    assert(m->what == PATHS_MOVE && p->asked);
    note_move(p, now_us, m);
    p->current = (struct path){.hop = m->to, .number = (uint16_t)(left.number + 1)};
    /* What never carried anything is no place to go back to: whoever leads the path from one such
     * place to the next must not make the good one forgotten. */
    if (left.carries && !left.doubtful)
        path_challenge_remember(p->asked, now_us, &left.hop);
    /* Where it has never answered it is not asked again; nor what the list asks. */
    const bool shun = m->why == PATH_RESCUE || m->why == PATH_SILENT;
    path_challenge_took(p->asked, rng, now_us, &m->to,
                        left.doubtful || (ours && !shun) ? &m->to : &left.hop, shun);
}

/* ---- several paths ---- */

struct path_list *paths_list(struct paths *p, uint64_t now_us) {
    if (p->known || p->current.doubtful || p->current.hop.kind == HOP_NONE)
        return p->current.doubtful ? NULL : p->known;
    p->known = mem_calloc(1, sizeof *p->known);
    if (!p->known)
        return NULL;
    struct path_place *now = path_list_add(p->known, now_us, &p->current.hop, true);
    path_enter(now, now_us, PATH_ACTIVE, PATH_WHY_BEGAN);
    now->number = p->current.number;
    now->heard_us = now_us;
    return p->known;
}

int paths_offer(struct paths *p, uint64_t now_us, const struct hop *at) {
    if (p->current.doubtful)
        return ERR_AGAIN;
    struct path_list *l = paths_list(p, now_us);
    if (!l || !asked(p))
        return ERR_NOMEM;
    struct path_place *place = path_list_find(l, at);
    if (place && place->status == PATH_FAILED) {
        place->wait_us = PATH_FAILED_US;
        path_place_ask(place, now_us);
        path_enter(place, now_us, PATH_PROBING, PATH_WHY_ASKED);
        place->tries_max = PATH_ASK_TRIES;
    } else if (!place) {
        place = path_list_add(l, now_us, at, false);
    }
    if (!place)
        return ERR_FULL;
    place->offered = true;
    return 0;
}

struct paths_move paths_to(struct paths *p, const struct path_place *to, enum path_reason why) {
    return (struct paths_move){
        .what = asked(p) ? PATHS_MOVE : PATHS_STAY, .to = to->hop, .why = why};
}

struct paths_move paths_place_answered(struct paths *p, uint64_t now_us,
                                       const uint8_t data[static PATH_CHALLENGE_BYTES],
                                       const struct hop *from, bool chooses, bool *ours) {
    struct path_place *place = p->known ? path_list_answered(p->known, now_us, data, from) : NULL;
    *ours = place != NULL;
    if (!place || place->status != PATH_VALIDATED)
        return (struct paths_move){.what = PATHS_STAY};
    const struct path_place *active = path_list_active(p->known);
    /* What goes by both should be acknowledged first, or a peer that was busy would be left. */
    if (active->status == PATH_SUSPECT && place->asked_us >= active->since_us + PATH_ASK_US)
        return paths_to(p, place, PATH_SILENT);
    if (active->status == PATH_SUSPECT)
        place->next_us = now_us + PATH_ASK_US;
    else if (chooses && path_list_prefers(p->known, place, now_us))
        return paths_to(p, place, PATH_BETTER);
    return (struct paths_move){.what = PATHS_STAY};
}

struct paths_move paths_withdraw(struct paths *p, uint64_t now_us, const struct hop *at) {
    struct paths_move m = {.what = PATHS_STAY};
    struct path_place *place = p->known ? path_list_find(p->known, at) : NULL;
    if (!place)
        return m;
    place->offered = false;
    if (place != path_list_active(p->known)) {
        path_list_remove(place);
        return m;
    }
    const struct path_place *other = path_list_standby(p->known);
    if (other)
        return paths_to(p, other, PATH_GONE);
    if (place->status == PATH_ACTIVE)
        path_enter(place, now_us, PATH_SUSPECT, PATH_WHY_WITHDRAWN);
    return m;
}

void paths_asked_from(struct paths *p, const struct rng *rng, uint64_t now_us, const struct hop *at,
                      size_t bytes) {
    if (p->current.doubtful || is_current(p, at) || (p->known && path_list_find(p->known, at)) ||
        !asked(p))
        return;
    path_challenge_return(p->asked, rng, now_us, at, bytes);
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

const struct path_place *paths_place_due(struct paths *p, const struct rng *rng, uint64_t now_us) {
    return p->known ? path_list_due(p->known, rng, now_us) : NULL;
}

uint64_t paths_deadline_us(const struct paths *p) {
    const uint64_t asked_us = p->asked ? path_challenge_deadline_us(p->asked) : TIME_NEVER;
    const uint64_t known_us = p->known ? path_list_deadline_us(p->known) : TIME_NEVER;
    return asked_us < known_us ? asked_us : known_us;
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
