/* ranges.c: a sorted array of intervals; every operation is a binary search and one memmove. */
#include "net/base/ranges.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

enum { RANGES_FIRST_CAP = 8 };

/* Until a second interval is needed the only one lives inside the struct, without a pointer to
 * itself, so that an owner may be moved in memory. */
static struct range *items(struct ranges *r) {
    return r->v ? r->v : &r->one;
}

static const struct range *citems(const struct ranges *r) {
    return r->v ? r->v : &r->one;
}

/* Makes room for `count` intervals. */
static int reserve(struct ranges *r, uint32_t count) {
    if (count > r->max)
        return ERR_FULL;
    uint32_t have = r->v ? r->cap : 1;
    if (count <= have)
        return 0;
    uint32_t cap = r->cap ? r->cap : RANGES_FIRST_CAP;
    while (cap < count)
        cap = cap > UINT32_MAX / 2 ? UINT32_MAX : cap * 2;
    if (cap > r->max)
        cap = r->max;
    struct range *v = mem_realloc(r->v, cap * sizeof *v);
    if (!v)
        return ERR_NOMEM;
    if (!r->v)
        v[0] = r->one;
    r->v = v;
    r->cap = cap;
    return 0;
}

/* The first interval that ends above `x`; count if there is none. */
static uint32_t first_ending_above(const struct ranges *r, uint64_t x) {
    const struct range *v = citems(r);
    if (r->count == 0 || v[r->count - 1].hi <= x)
        return r->count;
    uint32_t a = 0, b = r->count - 1;
    while (a < b) {
        uint32_t mid = a + (b - a) / 2;
        if (v[mid].hi > x)
            b = mid;
        else
            a = mid + 1;
    }
    return a;
}

/* The first interval that starts at or above `x`; count if there is none. */
static uint32_t first_starting_from(const struct ranges *r, uint64_t x) {
    const struct range *v = citems(r);
    if (r->count == 0 || v[r->count - 1].lo < x)
        return r->count;
    uint32_t a = 0, b = r->count - 1;
    while (a < b) {
        uint32_t mid = a + (b - a) / 2;
        if (v[mid].lo >= x)
            b = mid;
        else
            a = mid + 1;
    }
    return a;
}

/* Replaces the intervals [from, to) by room for `n` others; reserve() was called for the sum. */
static void splice(struct ranges *r, uint32_t from, uint32_t to, uint32_t n) {
    struct range *v = items(r);
    uint32_t tail = r->count - to;
    if (tail > 0 && from + n != to)
        memmove(v + from + n, v + to, tail * sizeof *v);
    r->count = from + n + tail;
}

void ranges_init(struct ranges *r, uint32_t max) {
    *r = (struct ranges){.max = max};
}

void ranges_clear(struct ranges *r) {
    mem_free(r->v);
    ranges_init(r, r->max);
}

int ranges_add(struct ranges *r, uint64_t lo, uint64_t hi) {
    assert(lo <= hi);
    if (lo == hi)
        return 0;
    /* What touches [lo, hi), neighbours included, becomes one interval. */
    uint32_t from = lo == 0 ? 0 : first_ending_above(r, lo - 1);
    uint32_t to = hi == UINT64_MAX ? r->count : first_starting_from(r, hi + 1);
    if (from == to) {
        int err = reserve(r, r->count + 1);
        if (err)
            return err;
    } else {
        const struct range *v = citems(r);
        lo = v[from].lo < lo ? v[from].lo : lo;
        hi = v[to - 1].hi > hi ? v[to - 1].hi : hi;
    }
    splice(r, from, to, 1);
    items(r)[from] = (struct range){lo, hi};
    return 0;
}

int ranges_remove(struct ranges *r, uint64_t lo, uint64_t hi) {
    assert(lo <= hi);
    if (lo == hi)
        return 0;
    uint32_t from = first_ending_above(r, lo);
    uint32_t to = first_starting_from(r, hi);
    if (from >= to)
        return 0;
    struct range first = citems(r)[from], last = citems(r)[to - 1];
    struct range rest[2];
    uint32_t n = 0;
    if (first.lo < lo)
        rest[n++] = (struct range){first.lo, lo};
    if (last.hi > hi)
        rest[n++] = (struct range){hi, last.hi};
    if (n > to - from) {
        int err = reserve(r, r->count + 1);
        if (err)
            return err;
    }
    splice(r, from, to, n);
    for (uint32_t i = 0; i < n; i++)
        items(r)[from + i] = rest[i];
    return 0;
}

void ranges_drop_below(struct ranges *r, uint64_t lo) {
    uint32_t n = first_ending_above(r, lo);
    splice(r, 0, n, 0);
    if (r->count > 0 && items(r)[0].lo < lo)
        items(r)[0].lo = lo;
}

void ranges_drop_first(struct ranges *r) {
    assert(r->count > 0);
    splice(r, 0, 1, 0);
}

bool ranges_has(const struct ranges *r, uint64_t x) {
    uint32_t i = first_ending_above(r, x);
    return i < r->count && citems(r)[i].lo <= x;
}

bool ranges_touches(const struct ranges *r, uint64_t lo, uint64_t hi) {
    uint32_t i = first_ending_above(r, lo);
    return lo < hi && i < r->count && citems(r)[i].lo < hi;
}

bool ranges_covers(const struct ranges *r, uint64_t lo, uint64_t hi) {
    assert(lo <= hi);
    if (lo == hi)
        return true;
    uint32_t i = first_ending_above(r, lo);
    return i < r->count && citems(r)[i].lo <= lo && citems(r)[i].hi >= hi;
}

bool ranges_first_gap(const struct ranges *r, uint64_t lo, uint64_t hi, struct range *gap) {
    assert(lo <= hi);
    const struct range *v = citems(r);
    uint32_t i = first_ending_above(r, lo);
    if (i < r->count && v[i].lo <= lo)
        lo = v[i++].hi;
    if (lo >= hi)
        return false;
    *gap = (struct range){lo, i < r->count && v[i].lo < hi ? v[i].lo : hi};
    return true;
}

struct range ranges_at(const struct ranges *r, uint32_t i) {
    assert(i < r->count);
    return citems(r)[i];
}
