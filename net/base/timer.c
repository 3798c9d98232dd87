/* timer.c: the heap's order is (deadline, id), so it is the same whatever happened before. */
#include "net/base/timer.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

enum {
    TIMER_ARITY = 4, /* shallower than binary, and four entries share a cache line */
    TIMER_FIRST_CAP = 16,
};

struct timer_entry {
    uint64_t deadline_us;
    uint32_t id;
};

static bool before(const struct timer_entry *a, const struct timer_entry *b) {
    return a->deadline_us != b->deadline_us ? a->deadline_us < b->deadline_us : a->id < b->id;
}

static void place(struct timer_heap *t, uint32_t pos, struct timer_entry e) {
    t->heap[pos] = e;
    t->where[e.id] = pos + 1;
}

static void sift_up(struct timer_heap *t, uint32_t pos, struct timer_entry e) {
    while (pos > 0) {
        uint32_t parent = (pos - 1) / TIMER_ARITY;
        if (!before(&e, &t->heap[parent]))
            break;
        place(t, pos, t->heap[parent]);
        pos = parent;
    }
    place(t, pos, e);
}

static void sift_down(struct timer_heap *t, uint32_t pos, struct timer_entry e) {
    for (;;) {
        uint64_t first = (uint64_t)pos * TIMER_ARITY + 1;
        if (first >= t->count)
            break;
        uint32_t best = (uint32_t)first;
        for (uint32_t i = best + 1; i < t->count && i < first + TIMER_ARITY; i++)
            if (before(&t->heap[i], &t->heap[best]))
                best = i;
        if (!before(&t->heap[best], &e))
            break;
        place(t, pos, t->heap[best]);
        pos = best;
    }
    place(t, pos, e);
}

/* Puts `e` at `pos`, whose old content is gone, and moves it where it belongs. */
static void settle(struct timer_heap *t, uint32_t pos, struct timer_entry e) {
    if (pos > 0 && before(&e, &t->heap[(pos - 1) / TIMER_ARITY]))
        sift_up(t, pos, e);
    else
        sift_down(t, pos, e);
}

static void remove_at(struct timer_heap *t, uint32_t pos) {
    t->where[t->heap[pos].id] = 0;
    struct timer_entry last = t->heap[--t->count];
    if (pos < t->count)
        settle(t, pos, last);
}

/* The next capacity from `cap` that holds `need` entries. */
static uint32_t grown(uint32_t cap, uint32_t need) {
    uint64_t n = cap ? cap : TIMER_FIRST_CAP;
    while (n < need)
        n *= 2;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int reserve(struct timer_heap *t, uint32_t id) {
    if (id >= t->where_cap) {
        uint32_t cap = grown(t->where_cap, id + 1);
        uint32_t *where = mem_realloc(t->where, cap * sizeof *where);
        if (!where)
            return ERR_NOMEM;
        memset(where + t->where_cap, 0, (cap - t->where_cap) * sizeof *where);
        t->where = where;
        t->where_cap = cap;
    }
    const bool room =
        mem_grow(&t->heap, &t->heap_cap, (size_t)t->count + 1, sizeof *t->heap, UINT32_MAX);
    return room ? 0 : ERR_NOMEM;
}

void timer_clear(struct timer_heap *t) {
    mem_free(t->heap);
    mem_free(t->where);
    *t = (struct timer_heap){0};
}

int timer_set(struct timer_heap *t, uint32_t id, uint64_t deadline_us) {
    assert(id < UINT32_MAX);
    uint32_t at = id < t->where_cap ? t->where[id] : 0;
    if (deadline_us == TIME_NEVER) {
        if (at)
            remove_at(t, at - 1);
        return 0;
    }
    struct timer_entry e = {deadline_us, id};
    if (at) {
        settle(t, at - 1, e);
        return 0;
    }
    int err = reserve(t, id);
    if (err)
        return err;
    sift_up(t, t->count++, e);
    return 0;
}

uint64_t timer_next_us(const struct timer_heap *t) {
    return t->count ? t->heap[0].deadline_us : TIME_NEVER;
}

bool timer_pop(struct timer_heap *t, uint64_t now_us, uint32_t *id) {
    if (t->count == 0 || t->heap[0].deadline_us > now_us)
        return false;
    *id = t->heap[0].id;
    remove_at(t, 0);
    return true;
}
