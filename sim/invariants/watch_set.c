#include "sim/invariants/watch_set.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

void watch_set_clear(struct watch_set *s) {
    mem_free(s->spans);
    *s = (struct watch_set){0};
}

/* The first span that ends after n. */
static uint32_t lower(const struct watch_set *s, uint64_t n) {
    uint32_t lo = 0, hi = s->count;
    if (s->count > 0 && s->spans[s->count - 1].hi <= n)
        return s->count;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (s->spans[mid].hi <= n)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void insert(struct watch_set *s, uint32_t at, uint64_t n) {
    grow(&s->spans, &s->cap, s->count + 1, sizeof *s->spans);
    memmove(s->spans + at + 1, s->spans + at, (s->count - at) * sizeof *s->spans);
    s->spans[at] = (struct watch_span){n, n + 1};
    s->count++;
}

static void drop(struct watch_set *s, uint32_t at) {
    memmove(s->spans + at, s->spans + at + 1, (s->count - at - 1) * sizeof *s->spans);
    s->count--;
}

bool watch_set_add(struct watch_set *s, uint64_t n, uint32_t max) {
    if (n < s->floor || n == UINT64_MAX)
        return true;
    const uint32_t at = lower(s, n);
    if (at < s->count && s->spans[at].lo <= n)
        return false;
    const bool joins_left = at > 0 && s->spans[at - 1].hi == n;
    const bool joins_right = at < s->count && s->spans[at].lo == n + 1;
    if (joins_left && joins_right) {
        s->spans[at - 1].hi = s->spans[at].hi;
        drop(s, at);
    } else if (joins_left) {
        s->spans[at - 1].hi++;
    } else if (joins_right) {
        s->spans[at].lo = n;
    } else {
        insert(s, at, n);
        if (s->count > max) {
            s->floor = s->spans[0].hi;
            drop(s, 0);
        }
    }
    return true;
}

/* ---- the map: open addressing ---- */

static uint64_t mix(uint64_t k0, uint64_t k1, uint64_t k2) {
    uint64_t h = k0 * UINT64_C(0x9e3779b97f4a7c15) ^ k1;
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93) ^ k2;
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static struct watch_entry *slot(const struct watch_map *m, uint64_t k0, uint64_t k1, uint64_t k2) {
    uint32_t i = (uint32_t)mix(k0, k1, k2) & (m->cap - 1);
    for (;; i = (i + 1) & (m->cap - 1)) {
        struct watch_entry *e = &m->entries[i];
        if (!e->used || (e->key[0] == k0 && e->key[1] == k1 && e->key[2] == k2))
            return e;
    }
}

void watch_map_clear(struct watch_map *m) {
    for (uint32_t i = 0; i < m->cap; i++)
        watch_set_clear(&m->entries[i].set);
    mem_free(m->entries);
    *m = (struct watch_map){0};
}

static void rehash(struct watch_map *m) {
    const struct watch_map old = *m;
    m->cap = old.cap ? old.cap * 2 : 64;
    m->entries = mem_calloc(m->cap, sizeof *m->entries);
    if (!m->entries)
        abort();
    for (uint32_t i = 0; i < old.cap; i++) {
        const struct watch_entry *e = &old.entries[i];
        if (e->used)
            *slot(m, e->key[0], e->key[1], e->key[2]) = *e;
    }
    mem_free(old.entries);
}

struct watch_entry *watch_map_at(struct watch_map *m, uint64_t k0, uint64_t k1, uint64_t k2) {
    if (4 * (m->count + 1) > 3 * m->cap)
        rehash(m);
    struct watch_entry *e = slot(m, k0, k1, k2);
    if (!e->used) {
        *e = (struct watch_entry){.key = {k0, k1, k2}, .used = true};
        m->count++;
    }
    return e;
}

const struct watch_entry *watch_map_find(const struct watch_map *m, uint64_t k0, uint64_t k1,
                                         uint64_t k2) {
    if (m->count == 0)
        return NULL;
    const struct watch_entry *e = slot(m, k0, k1, k2);
    return e->used ? e : NULL;
}
