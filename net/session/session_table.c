#include "net/session/session_table.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

enum { SLOTS_FIRST = 8, SLOT_MASK = (1 << SESSION_SLOT_BITS) - 1 };

void session_table_clear(struct session_table *t, struct aead *a) {
    struct session *s;
    for (uint32_t at = 0; (s = session_table_each(t, &at));)
        session_free(s, a);
    while ((s = session_table_reap(t)))
        session_free(s, a);
    mem_free(t->slots);
    timer_clear(&t->timers);
    *t = (struct session_table){0};
}

static bool grow(struct session_table *t) {
    const uint32_t cap = t->cap ? t->cap * 2 : SLOTS_FIRST;
    if (cap > SESSIONS_MAX)
        return false;
    struct session **v = mem_realloc(t->slots, cap * sizeof(struct session *));
    if (!v)
        return false;
    memset(v + t->cap, 0, (cap - t->cap) * sizeof(struct session *));
    t->slots = v;
    t->cap = cap;
    return true;
}

/* By turns, so that one that has just become free is not taken again at once. */
static bool free_slot(struct session_table *t, uint32_t *slot) {
    for (uint32_t looked = 0; looked < t->cap; looked++) {
        *slot = (t->next + looked) % t->cap;
        if (!t->slots[*slot])
            return true;
    }
    *slot = t->cap;
    return grow(t);
}

struct session *session_table_new(struct session_table *t, struct rng *rng,
                                  enum session_state state) {
    uint32_t slot = 0;
    struct session *s = free_slot(t, &slot) ? mem_calloc(1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    t->next = slot + 1;
    t->slots[slot] = s;
    t->half_open++;
    s->state = state;
    s->local_index = slot | (rng_u32(rng) & (UINT32_MAX >> SESSION_SLOT_BITS)) << SESSION_SLOT_BITS;
    session_table_renew(t, s);
    return s;
}

void session_table_renew(struct session_table *t, struct session *s) {
    s->serial = ++t->serial;
}

void session_table_raise(struct session_table *t, struct session *s) {
    assert(s->state == SESSION_INITIATING || s->state == SESSION_RESPONDED);
    s->state = SESSION_UP;
    t->half_open--;
    t->up++;
}

void session_table_lower(struct session_table *t, struct session *s) {
    assert(s->state == SESSION_UP);
    if (s->closed) /* the one that it was: nothing of that is heard any more */
        list_remove(&t->closed, &s->leaving);
    s->closed = false;
    s->close_err = 0;
    s->state = SESSION_INITIATING;
    t->up--;
    t->half_open++;
}

struct session *session_table_by_ref(const struct session_table *t, struct session_ref r) {
    struct session *s = r.index < t->cap ? t->slots[r.index] : NULL;
    return s && s->serial == r.serial ? s : NULL;
}

struct session *session_table_by_index(const struct session_table *t, uint32_t index) {
    const uint32_t slot = index & SLOT_MASK;
    struct session *s = slot < t->cap ? t->slots[slot] : NULL;
    return s && s->local_index == index ? s : NULL;
}

struct session *session_table_each(const struct session_table *t, uint32_t *at) {
    while (*at < t->cap) {
        struct session *s = t->slots[(*at)++];
        if (s)
            return s;
    }
    return NULL;
}

/* Out of whichever list of ready ones it is in. */
void session_table_unready(struct session_table *t, struct session *s) {
    const unsigned socket = s->parked - 1u;
    list_remove(s->parked ? &t->parked[socket] : &t->ready, &s->ready);
    if (s->parked && !t->parked[socket].first)
        t->parked_at &= ~(UINT32_C(1) << socket);
    s->parked = 0;
}

void session_table_ready(struct session_table *t, struct session *s) {
    if (s->state == SESSION_ENDED)
        return;
    if (s->parked && s->parked != hop_socket(session_hop(s)) + 1)
        session_table_unready(t, s); /* it leaves by another one by now */
    if (!list_has(&s->ready))
        list_add(&t->ready, &s->ready);
}

void session_table_turn(struct session_table *t, struct session *s) {
    session_table_unready(t, s);
    session_table_ready(t, s);
}

void session_table_park(struct session_table *t, struct session *s, int socket) {
    session_table_unready(t, s);
    list_add(&t->parked[socket], &s->ready);
    t->parked_at |= UINT32_C(1) << socket;
    s->parked = (uint8_t)(socket + 1);
}

/* The first of those whose socket was full and is not any more; else of the others. */
static struct session *first_ready(struct session_table *t, uint32_t full) {
    const uint32_t at = t->parked_at & ~full;
    unsigned socket = 0;
    while (at != 0 && (at >> socket & 1) == 0)
        socket++;
    t->looked_at++;
    return LIST_OWNER(at != 0 ? t->parked[socket].first : t->ready.first, struct session, ready);
}

struct session *session_table_next_ready(struct session_table *t, const struct train *train) {
    struct session *s;
    while ((s = first_ready(t, train->full)) && s->tp && train_is_unwanted(train, session_hop(s)))
        session_table_park(t, s, hop_socket(session_hop(s)));
    return s;
}

int session_table_due(struct session_table *t, struct session *s, uint64_t deadline_us) {
    return timer_set(&t->timers, session_slot(s), deadline_us);
}

struct session *session_table_pop_due(struct session_table *t, uint64_t now_us) {
    uint32_t slot;
    if (!timer_pop(&t->timers, now_us, &slot))
        return NULL;
    assert(t->slots[slot]); /* whoever has ended has no timer */
    return t->slots[slot];
}

void session_table_close(struct session_table *t, struct session *s, int err) {
    assert(s->state == SESSION_UP && !s->closed);
    s->closed = true;
    s->close_err = err;
    session_table_unready(t, s);
    list_add(&t->closed, &s->leaving);
}

struct session *session_table_closed(const struct session_table *t) {
    return LIST_OWNER(t->closed.first, struct session, leaving);
}

void session_table_end(struct session_table *t, struct session *s) {
    assert(s->state != SESSION_ENDED);
    if (s->state == SESSION_UP)
        t->up--;
    else
        t->half_open--;
    if (s->closed)
        list_remove(&t->closed, &s->leaving);
    session_table_unready(t, s);
    if (session_table_due(t, s, TIME_NEVER)) {
        /* Removing never fails. */
    }
    t->slots[session_slot(s)] = NULL;
    s->state = SESSION_ENDED;
    list_add(&t->ended, &s->leaving);
}

struct session *session_table_reap(struct session_table *t) {
    struct session *s = LIST_OWNER(t->ended.first, struct session, leaving);
    if (s)
        list_remove(&t->ended, &s->leaving);
    return s;
}
