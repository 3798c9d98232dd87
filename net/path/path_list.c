/* path_list.c: states, questions and scores. A handful of places, looked through one by one. */
#include "net/path/path_list.h"

#include <assert.h>
#include <string.h>

#include "net/base/timer.h"

/* ---- states ---- */

const char *path_why_text(enum path_why why) {
    static const char *const texts[PATH_WHYS] = {
        [PATH_WHY_BEGAN] = "the session began here",
        [PATH_WHY_OFFERED] = "a place of the peer's that has not been asked yet",
        [PATH_WHY_ASKED] = "asked whether the peer is there",
        [PATH_WHY_ANSWERS] = "answers, ready to take over",
        [PATH_WHY_WORSE] = "answers, but a better path is in use",
        [PATH_WHY_PEER] = "the other side sends this way now",
        [PATH_WHY_USER] = "this way was chosen",
        [PATH_WHY_BETTER] = "better than the path before",
        [PATH_WHY_ONLY] = "the path before was silent, this one answers",
        [PATH_WHY_ANSWERS_AGAIN] = "answers again",
        [PATH_WHY_SILENT] = "nothing sent by it is acknowledged",
        [PATH_WHY_NO_ANSWER] = "does not answer",
        [PATH_WHY_LEFT] = "the peer left it, asked whether it still works",
        [PATH_WHY_WITHDRAWN] = "this place is gone",
        [PATH_WHY_BLACK_HOLE] = "small packets pass, full ones do not",
    };
    return (unsigned)why < PATH_WHYS ? texts[why] : "";
}

const char *path_status_text(enum path_status status) {
    switch (status) {
    case PATH_NEW:
        return "new";
    case PATH_PROBING:
        return "probing";
    case PATH_VALIDATED:
        return "validated";
    case PATH_ACTIVE:
        return "active";
    case PATH_SUSPECT:
        return "suspect";
    case PATH_FAILED:
        return "failed";
    }
    return "";
}

#define TO(status) (1u << (status))

void path_enter(struct path_place *p, uint64_t now_us, enum path_status status, enum path_why why) {
    static const uint8_t ways[] = {
        [PATH_NEW] = TO(PATH_PROBING) | TO(PATH_ACTIVE) | TO(PATH_VALIDATED) | TO(PATH_FAILED),
        [PATH_PROBING] = TO(PATH_VALIDATED) | TO(PATH_ACTIVE) | TO(PATH_FAILED),
        [PATH_VALIDATED] = TO(PATH_ACTIVE) | TO(PATH_FAILED),
        [PATH_ACTIVE] = TO(PATH_SUSPECT) | TO(PATH_VALIDATED) | TO(PATH_PROBING) | TO(PATH_FAILED),
        [PATH_SUSPECT] = TO(PATH_ACTIVE) | TO(PATH_PROBING) | TO(PATH_FAILED),
        [PATH_FAILED] = TO(PATH_PROBING) | TO(PATH_ACTIVE),
    };
    assert(p->hop.kind != HOP_NONE && (ways[p->status] & TO(status)) != 0);
    p->status = (uint8_t)status;
    p->why = (uint8_t)why;
    p->since_us = now_us;
}

/* ---- which there are ---- */

static bool in_use(const struct path_place *p) {
    return p->hop.kind != HOP_NONE && (p->status == PATH_ACTIVE || p->status == PATH_SUSPECT);
}

struct path_place *path_list_find(struct path_list *l, const struct hop *at) {
    for (unsigned i = 0; i < PATHS_MAX; i++)
        if (hop_covers(&l->v[i].hop, at) || hop_covers(at, &l->v[i].hop))
            return &l->v[i];
    return NULL;
}

struct path_place *path_list_active(struct path_list *l) {
    for (unsigned i = 0; i < PATHS_MAX; i++)
        if (in_use(&l->v[i]))
            return &l->v[i];
    assert(false);
    return &l->v[0];
}

unsigned path_list_count(const struct path_list *l) {
    unsigned n = 0;
    for (unsigned i = 0; i < PATHS_MAX; i++)
        n += l->v[i].hop.kind != HOP_NONE;
    return n;
}

void path_list_remove(struct path_place *p) {
    *p = (struct path_place){0};
}

/* Free, or has failed and nobody's wish; else none that is needed. */
static struct path_place *room(struct path_list *l, bool must) {
    struct path_place *failed = NULL, *other = NULL;
    for (unsigned i = 0; i < PATHS_MAX; i++) {
        struct path_place *p = &l->v[i];
        if (p->hop.kind == HOP_NONE)
            return p;
        struct path_place **oldest = p->status == PATH_FAILED && !p->offered ? &failed : &other;
        if (!in_use(p) && (!*oldest || p->heard_us < (*oldest)->heard_us))
            *oldest = p;
    }
    return failed ? failed : must ? other : NULL;
}

struct path_place *path_list_add(struct path_list *l, uint64_t now_us, const struct hop *at,
                                 bool must) {
    struct path_place *p = room(l, must);
    if (!p)
        return NULL;
    *p = (struct path_place){.hop = *at,
                             .status = PATH_NEW,
                             .why = PATH_WHY_OFFERED,
                             .since_us = now_us,
                             .next_us = now_us,
                             .wait_us = PATH_FAILED_US,
                             .tries_max = PATH_ASK_TRIES};
    rtt_init(&p->rtt);
    return p;
}

struct path_place *path_list_standby(struct path_list *l) {
    struct path_place *best = NULL;
    for (unsigned i = 0; i < PATHS_MAX; i++) {
        struct path_place *p = &l->v[i];
        if (p->hop.kind != HOP_NONE && p->status == PATH_VALIDATED &&
            (!best || path_place_score(p) < path_place_score(best)))
            best = p;
    }
    return best;
}

/* ---- questions ---- */

static bool flows(const struct path_list *l, uint64_t now_us) {
    return l->used_us > 0 && now_us < l->used_us + PATH_FLOW_US;
}

void path_list_used(struct path_list *l, uint64_t now_us) {
    if (!flows(l, now_us))
        for (unsigned i = 0; i < PATHS_MAX; i++)
            l->v[i].resting = false;
    l->used_us = now_us;
}

void path_place_ask(struct path_place *p, uint64_t now_us) {
    p->next_us = now_us;
    p->resting = false;
}

void path_list_ask_failed(struct path_list *l, uint64_t now_us) {
    for (unsigned i = 0; i < PATHS_MAX; i++) {
        struct path_place *p = &l->v[i];
        if (p->hop.kind == HOP_NONE || p->status != PATH_FAILED)
            continue;
        p->wait_us = PATH_FAILED_US;
        path_place_ask(p, now_us);
    }
}

void path_place_fail(struct path_place *p, uint64_t now_us, enum path_why why) {
    path_enter(p, now_us, PATH_FAILED, why);
    p->out = false;
    p->better = 0;
    p->next_us = now_us + p->wait_us;
    p->wait_us = p->wait_us * 2 > PATH_FAILED_MAX_US ? PATH_FAILED_MAX_US : p->wait_us * 2;
}

/* A quiet place and a failed one cost something only where there is use of them. A question that is
 * out is seen through. */
static bool only_in_flow(const struct path_place *p) {
    return p->status == PATH_FAILED || (p->status == PATH_VALIDATED && !p->out);
}

static void ask_with_new(struct path_place *p, const struct rng *rng, uint64_t now_us) {
    rng_fill(rng, p->data, sizeof p->data);
    p->out = true;
    p->tries = 0;
    p->asked_us = now_us;
}

static uint64_t patience_us(const struct path_place *p) {
    const uint64_t rtts_us = p->rtt.has_sample ? 2 * p->rtt.srtt_us : 0;
    return (rtts_us > PATH_ASK_US ? rtts_us : PATH_ASK_US) << (p->tries - 1);
}

/* Its time has come: is it to be asked now? */
static bool look_at(struct path_list *l, struct path_place *p, const struct rng *rng,
                    uint64_t now_us) {
    if (only_in_flow(p) && !flows(l, now_us)) {
        p->resting = true;
        return false;
    }
    if (p->status == PATH_NEW) {
        path_enter(p, now_us, PATH_PROBING, PATH_WHY_ASKED);
        p->tries_max = PATH_ASK_TRIES;
    } else if (p->status == PATH_FAILED) {
        if (!p->offered && now_us > p->heard_us + PATH_FORGET_US) {
            path_list_remove(p);
            return false;
        }
        path_enter(p, now_us, PATH_PROBING, PATH_WHY_ASKED);
        p->tries_max = 1;
    } else if (p->status == PATH_VALIDATED && !p->out) {
        p->tries_max = PATH_ASK_TRIES;
    }
    if (!p->out)
        ask_with_new(p, rng, now_us);
    if (p->tries == p->tries_max) {
        path_place_fail(p, now_us, PATH_WHY_NO_ANSWER);
        return false;
    }
    if (p->tries++ > 0)
        p->better = 0; /* one without an answer is no sample */
    p->next_us = now_us + patience_us(p);
    return true;
}

struct path_place *path_list_due(struct path_list *l, const struct rng *rng, uint64_t now_us) {
    for (unsigned i = 0; i < PATHS_MAX; i++) {
        struct path_place *p = &l->v[i];
        if (p->hop.kind != HOP_NONE && !in_use(p) && !p->resting && now_us >= p->next_us &&
            look_at(l, p, rng, now_us))
            return p;
    }
    return NULL;
}

uint64_t path_list_deadline_us(const struct path_list *l) {
    uint64_t d = TIME_NEVER;
    for (unsigned i = 0; i < PATHS_MAX; i++) {
        const struct path_place *p = &l->v[i];
        if (p->hop.kind == HOP_NONE || in_use(p) || p->resting || p->next_us >= d)
            continue;
        if (!only_in_flow(p) || flows(l, p->next_us))
            d = p->next_us;
    }
    return d;
}

struct path_place *path_list_answered(struct path_list *l, uint64_t now_us,
                                      const uint8_t data[static PATH_CHALLENGE_BYTES],
                                      const struct hop *from) {
    for (unsigned i = 0; i < PATHS_MAX; i++) {
        struct path_place *p = &l->v[i];
        if (!p->out || in_use(p) || memcmp(p->data, data, sizeof p->data) != 0 ||
            !hop_covers(&p->hop, from))
            continue;
        p->hop = *from;
        p->out = false;
        p->heard_us = now_us;
        p->next_us = now_us + PATH_QUIET_US;
        /* Sent twice: which of them was answered nobody knows (Karn's rule). */
        if (p->tries == 1 || !p->rtt.has_sample)
            path_place_sample(p, now_us, now_us - p->asked_us, false);
        if (p->status == PATH_PROBING)
            path_enter(p, now_us, PATH_VALIDATED, PATH_WHY_ANSWERS);
        else
            p->wait_us = PATH_FAILED_US; /* it has answered twice in a row */
        return p;
    }
    return NULL;
}

void path_list_suspect(struct path_list *l, uint64_t now_us) {
    path_enter(path_list_active(l), now_us, PATH_SUSPECT, PATH_WHY_SILENT);
    for (unsigned i = 0; i < PATHS_MAX; i++) {
        struct path_place *p = &l->v[i];
        if (p->hop.kind == HOP_NONE || p->status != PATH_VALIDATED)
            continue;
        p->out = false;
        path_place_ask(p, now_us);
    }
}

void path_list_trust(struct path_list *l, uint64_t now_us) {
    struct path_place *p = path_list_active(l);
    if (p->status == PATH_SUSPECT)
        path_enter(p, now_us, PATH_ACTIVE, PATH_WHY_ANSWERS_AGAIN);
}

/* ---- scores ---- */

void path_place_sample(struct path_place *p, uint64_t now_us, uint64_t rtt_us, bool loaded) {
    rtt_us += rtt_us == 0;
    if (!loaded || !in_use(p))
        rtt_sample(&p->rtt, rtt_us, 0);
    if (loaded) {
        for (unsigned i = 0; i < 2; i++)
            if (p->low_us[i] > 0 && rtt_us < p->low_us[i])
                p->low_us[i] = rtt_us;
        if (p->low_us[0] > 0)
            return;
    }
    if (p->low_us[0] == 0 || now_us >= p->low_since_us + PATH_LOW_US) {
        p->low_us[1] = p->low_us[0];
        p->low_us[0] = rtt_us;
        p->low_since_us = now_us;
    } else if (rtt_us < p->low_us[0]) {
        p->low_us[0] = rtt_us;
    }
}

void path_place_losses(struct path_place *p, uint64_t sent, uint64_t lost) {
    if (sent < PATH_LOSS_ENOUGH_PKTS)
        return;
    const uint64_t now = lost >= sent ? 1000 : 1000 * lost / sent;
    p->loss_permille =
        (uint16_t)((p->loss_permille * (PATH_LOSS_WEIGHT - 1) + now) / PATH_LOSS_WEIGHT);
}

int64_t path_place_score(const struct path_place *p) {
    const uint64_t low_us =
        p->low_us[1] > 0 && p->low_us[1] < p->low_us[0] ? p->low_us[1] : p->low_us[0];
    if (low_us == 0)
        return INT64_MAX;
    const uint64_t loss =
        p->loss_permille > PATH_LOSS_FREE_PERMILLE ? p->loss_permille - PATH_LOSS_FREE_PERMILLE : 0;
    int64_t score = (int64_t)(low_us + low_us * PATH_SCORE_LOSSES * loss / 1000);
    if (p->hop.kind == HOP_UDP && p->hop.udp.remote.kind == ADDR_IPV6)
        score -= PATH_SCORE_IPV6_US;
    if (p->hop.kind == HOP_RELAY)
        score += PATH_SCORE_RELAY_US;
    return score;
}

static bool is_better(const struct path_place *p, const struct path_place *active) {
    const int64_t now = path_place_score(active), other = path_place_score(p);
    if (now == INT64_MAX || other == INT64_MAX)
        return false;
    const int64_t part = now / PATH_BETTER_PART;
    return now - other >= (part > PATH_BETTER_US ? part : PATH_BETTER_US);
}

bool path_list_prefers(struct path_list *l, struct path_place *p, uint64_t now_us) {
    const struct path_place *active = path_list_active(l);
    if (p->status != PATH_VALIDATED || !active || active->status != PATH_ACTIVE)
        return false;
    if (path_place_score(active) == INT64_MAX) { /* nothing has come back by it yet */
        p->next_us = now_us + PATH_BETTER_ASK_US;
        return false;
    }
    if (!is_better(p, active)) {
        p->better = 0;
        return false;
    }
    p->next_us = now_us + PATH_BETTER_ASK_US;
    return ++p->better >= PATH_BETTER_SAMPLES << p->lapses;
}
