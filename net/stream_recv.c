#include "net/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void rstream_init(struct rstream *r, uint64_t window) {
    *r = (struct rstream){.limit = window, .window = window};
    ranges_init(&r->got, STREAM_RANGES_MAX);
}

void rstream_clear(struct rstream *r) {
    for (uint32_t i = 0; i < r->cap; i++)
        block_put(r->blocks[i]);
    free(r->blocks);
    ranges_clear(&r->got);
    *r = (struct rstream){0};
}

static int reserve(struct rstream *r, uint64_t block) {
    uint64_t need = block - r->first_block + 1;
    if (need <= r->cap)
        return 0;
    uint32_t cap = r->cap ? r->cap : 4;
    while (cap < need)
        cap *= 2;
    struct block **v = realloc(r->blocks, cap * sizeof(struct block *));
    if (!v)
        return ERR_NOMEM;
    for (uint32_t i = r->cap; i < cap; i++)
        v[i] = NULL;
    r->blocks = v;
    r->cap = cap;
    return 0;
}

/* The block that holds bytes up to `end` of itself. The first block of a stream starts small and is replaced by a larger one
 * as it fills; who still reads the old one has a reference. */
static int room_in(struct rstream *r, struct block_pool *pool, uint64_t number, size_t end,
                   bool next) {
    struct block **at = &r->blocks[number - r->first_block];
    if (*at && (*at)->cap >= end)
        return 0;
    const bool ahead = number > (r->read + rstream_ready(r)) / STREAM_BLOCK_BYTES;
    if (ahead && !next && block_pool_tight(pool))
        return ERR_NOMEM;
    struct block *b = block_new(pool, number == 0 ? end : STREAM_BLOCK_BYTES);
    if (!b)
        return ERR_NOMEM;
    if (*at)
        memcpy(b->data, (*at)->data, (*at)->cap);
    block_put(*at);
    *at = b;
    return 0;
}

static int copy_in(struct rstream *r, struct block_pool *pool, uint64_t offset, const uint8_t *data,
                   size_t len) {
    /* Bytes that are next may end in a block that nothing has needed yet. */
    const bool next = offset == r->read + rstream_ready(r);
    while (len > 0) {
        uint64_t number = offset / STREAM_BLOCK_BYTES;
        size_t at = (size_t)(offset % STREAM_BLOCK_BYTES);
        size_t n = STREAM_BLOCK_BYTES - at < len ? STREAM_BLOCK_BYTES - at : len;
        int err = reserve(r, number);
        if (err)
            return err;
        err = room_in(r, pool, number, at + n, next);
        if (err)
            return err;
        memcpy(r->blocks[number - r->first_block]->data + at, data, n);
        offset += n;
        data += n;
        len -= n;
    }
    return 0;
}

/* RFC 9000 §4.5: a final size, once known, cannot change, and nothing lies beyond it. */
static bool final_ok(const struct rstream *r, uint64_t end, bool fin) {
    if (r->has_final && (end > r->final_size || (fin && end != r->final_size)))
        return false;
    return !fin || end >= r->highest;
}

int rstream_input(struct rstream *r, struct block_pool *pool, uint64_t offset, const uint8_t *data,
                  size_t len, bool fin, uint64_t *fresh) {
    *fresh = 0;
    uint64_t end = offset + len;
    if (end > r->limit || !final_ok(r, end, fin))
        return ERR_PROTO;
    if (!r->reset && !r->stopped && end > r->read) {
        uint64_t from = offset > r->read ? offset : r->read;
        /* Bytes that are here already must not be written again: the user may be reading them. */
        struct range gap;
        for (uint64_t lo = from; lo < end && ranges_first_gap(&r->got, lo, end, &gap);
             lo = gap.hi) {
            int err = copy_in(r, pool, gap.lo, data + (gap.lo - offset), (size_t)(gap.hi - gap.lo));
            if (err)
                return err;
            err = ranges_add(&r->got, gap.lo, gap.hi);
            if (err)
                return err;
        }
    }
    if (end > r->highest) {
        *fresh = end - r->highest;
        r->highest = end;
    }
    if (fin) {
        r->has_final = true;
        r->final_size = end;
    }
    return 0;
}

void rstream_drop_unread(struct rstream *r) {
    for (uint32_t i = 0; i < r->cap; i++) {
        block_put(r->blocks[i]);
        r->blocks[i] = NULL;
    }
}

int rstream_input_reset(struct rstream *r, uint64_t final_size, uint64_t *fresh) {
    *fresh = 0;
    if (final_size > r->limit || !final_ok(r, final_size, true))
        return ERR_PROTO;
    *fresh = final_size - r->highest;
    r->highest = final_size;
    r->final_size = final_size;
    r->has_final = true;
    r->reset = true;
    rstream_drop_unread(r);
    return 0;
}

uint64_t rstream_ready(const struct rstream *r) {
    if (r->reset || r->stopped || ranges_empty(&r->got))
        return 0;
    struct range first = ranges_at(&r->got, 0);
    return first.lo <= r->read && first.hi > r->read ? first.hi - r->read : 0;
}

unsigned rstream_peek(const struct rstream *r, uint64_t skip, struct span *spans, unsigned max,
                      bool *fin) {
    uint64_t ready = rstream_ready(r);
    uint64_t at = r->read + skip, end = r->read + ready;
    unsigned n = 0;
    while (n < max && at < end) {
        uint64_t number = at / STREAM_BLOCK_BYTES;
        uint64_t stop = (number + 1) * STREAM_BLOCK_BYTES;
        if (stop > end)
            stop = end;
        spans[n++] = (struct span){r->blocks[number - r->first_block],
                                   (uint32_t)(at % STREAM_BLOCK_BYTES), (uint32_t)(stop - at)};
        at = stop;
    }
    *fin = r->has_final && !r->reset && at >= r->final_size;
    return n;
}

void rstream_consume(struct rstream *r, uint64_t n) {
    assert(n <= rstream_ready(r));
    r->read += n;
    uint64_t number = r->read / STREAM_BLOCK_BYTES;
    uint64_t gone = number - r->first_block;
    if (r->read == r->highest)
        gone = r->cap; /* nothing is left: the last, partly filled block too */
    if (gone == 0)
        return;
    if (gone > r->cap)
        gone = r->cap;
    for (uint64_t i = 0; i < gone; i++)
        block_put(r->blocks[i]);
    memmove(r->blocks, r->blocks + gone, (r->cap - gone) * sizeof(struct block *));
    for (uint64_t i = r->cap - gone; i < r->cap; i++)
        r->blocks[i] = NULL;
    r->first_block = number;
}

bool rstream_done(const struct rstream *r) {
    if (r->reset)
        return true;
    return r->has_final && (r->stopped || (r->read == r->final_size && r->fin_told));
}
