/* stream_recv.c: the receiving half of a stream: bytes put in order, held in proportion to what has
 * come, and read by reference (net/transport/stream.h). */
#include "net/transport/stream.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

void rstream_init(struct rstream *r, struct block_account *account, uint64_t window) {
    *r = (struct rstream){.account = account};
    allowance_init(&r->given, window);
    ranges_init(&r->got, STREAM_RANGES_MAX);
}

/* ---- where the bytes lie ---- */

static struct block **pieces_of(const struct rslot *s) {
    return (struct block **)(void *)s->pieces->data;
}

static uint32_t block_end(const struct rslot *s) {
    return s->block ? s->block->cap : 0;
}

static void drop_pieces(struct rslot *s, size_t end) {
    for (size_t i = 0; i < end / RSTREAM_PIECE_BYTES; i++) {
        block_put(pieces_of(s)[i]);
        pieces_of(s)[i] = NULL;
    }
}

static void drop_slot(struct rslot *s) {
    block_put(s->block);
    if (s->pieces)
        drop_pieces(s, STREAM_BLOCK_BYTES);
    block_put(s->pieces);
    *s = (struct rslot){0};
}

/* What of the slot lies together from `at` on; *len is made to fit. NULL: nothing. */
static struct block *place(const struct rslot *s, size_t at, size_t *offset, size_t *len) {
    struct block *b = s->block;
    size_t end = block_end(s);
    *offset = at;
    if (at >= end) {
        b = s->pieces ? pieces_of(s)[at / RSTREAM_PIECE_BYTES] : NULL;
        end = (at / RSTREAM_PIECE_BYTES + 1) * RSTREAM_PIECE_BYTES;
        *offset = at % RSTREAM_PIECE_BYTES;
    }
    if (*len > end - at)
        *len = end - at;
    return b;
}

static int reserve(struct rstream *r, uint64_t number) {
    uint64_t need = number - r->first_slot + 1;
    if (need <= r->cap)
        return 0;
    uint32_t cap = r->cap ? r->cap : 4;
    while (cap < need)
        cap *= 2;
    struct rslot *v = mem_realloc(r->slots, cap * sizeof *v);
    if (!v)
        return ERR_NOMEM;
    memset(v + r->cap, 0, (cap - r->cap) * sizeof *v);
    r->slots = v;
    r->cap = cap;
    return 0;
}

enum {
    SPARSE_FACTOR = 4,                     /* so many times what has come may be held, and */
    SPARSE_SPARE = 4 * STREAM_BLOCK_BYTES, /* so much more of a session */
};

/* Whether a block of `cap` is in proportion to what has come: into this slot with the n bytes that
 * come now, or into the whole session. A quick transfer always gets whole blocks, and so does one
 * whose reader is so quick that nothing waits. */
static bool in_proportion(const struct rstream *r, const struct rslot *s, size_t cap, size_t n) {
    const struct block_account *a = r->account;
    return cap <= BLOCK_SMALL_BYTES || cap <= SPARSE_FACTOR * (s->stored + n) ||
           block_account_bytes(a, BLOCK_RECV) + cap <=
               SPARSE_FACTOR * a->unread_bytes + SPARSE_SPARE;
}

/* One block takes the place of a smaller one and of pieces; who still reads those has
 * references. */
static void gather(struct rslot *s, struct block *b) {
    if (s->block)
        memcpy(b->data, s->block->data, s->block->cap);
    for (size_t at = block_end(s), offset, len; s->pieces && at < b->cap; at += len) {
        len = b->cap - at;
        const struct block *from = place(s, at, &offset, &len);
        if (from)
            memcpy(b->data + at, from->data + offset, len);
    }
    if (s->pieces)
        drop_pieces(s, b->cap);
    if (s->pieces && b->cap == STREAM_BLOCK_BYTES) {
        block_put(s->pieces);
        s->pieces = NULL;
    }
    block_put(s->block);
    s->block = b;
}

static bool is_there(const struct rslot *s, size_t at, size_t end) {
    for (size_t offset, len; at < end; at += len) {
        len = end - at;
        if (!place(s, at, &offset, &len))
            return false;
    }
    return true;
}

static int make_pieces(struct rstream *r, struct rslot *s, size_t at, size_t end,
                       enum block_want want) {
    if (!s->pieces) {
        s->pieces = block_for(r->account, want, RSTREAM_PIECES * sizeof(struct block *));
        if (!s->pieces)
            return ERR_NOMEM;
        memset(s->pieces->data, 0, RSTREAM_PIECES * sizeof(struct block *));
    }
    for (size_t offset, len; at < end; at += len) {
        len = end - at;
        if (place(s, at, &offset, &len))
            continue;
        struct block *b = block_for(r->account, want, RSTREAM_PIECE_BYTES);
        if (!b)
            return ERR_NOMEM;
        pieces_of(s)[at / RSTREAM_PIECE_BYTES] = b;
    }
    return 0;
}

/* Room for [at, end) of a slot. The first block of a stream starts small and is replaced by a
 * larger one as it fills. */
static int room_in(struct rstream *r, uint64_t number, size_t at, size_t end, bool next) {
    struct rslot *s = &r->slots[number - r->first_slot];
    if (end <= block_end(s))
        return 0;
    size_t cap = number == 0 ? BLOCK_MIN_BYTES : STREAM_BLOCK_BYTES;
    while (cap < end)
        cap *= 2;
    const enum block_want want = next ? BLOCK_RECV_NEXT : BLOCK_RECV_AHEAD;
    if (in_proportion(r, s, cap, end - at)) {
        /* The block that the next bytes will be in is needed anyway. */
        const bool soon =
            cap > BLOCK_SMALL_BYTES && number == (r->read + rstream_ready(r)) / STREAM_BLOCK_BYTES;
        struct block *b = block_for(r->account, soon ? BLOCK_RECV_NEXT : want, cap);
        if (b) {
            gather(s, b);
            return 0;
        }
    }
    return is_there(s, at, end) ? 0 : make_pieces(r, s, at, end, want);
}

static int copy_in(struct rstream *r, uint64_t offset, const uint8_t *data, size_t len) {
    /* Bytes that are next may end in a slot that nothing has needed yet. */
    const bool next = offset == r->read + rstream_ready(r);
    while (len > 0) {
        uint64_t number = offset / STREAM_BLOCK_BYTES;
        size_t at = (size_t)(offset % STREAM_BLOCK_BYTES);
        size_t n = STREAM_BLOCK_BYTES - at < len ? STREAM_BLOCK_BYTES - at : len;
        int err = reserve(r, number);
        if (err)
            return err;
        err = room_in(r, number, at, at + n, next);
        if (err)
            return err;
        struct rslot *s = &r->slots[number - r->first_slot];
        s->stored += (uint32_t)n;
        offset += n;
        len -= n;
        while (n > 0) {
            size_t to, k = n;
            struct block *b = place(s, at, &to, &k);
            memcpy(b->data + to, data, k);
            at += k;
            data += k;
            n -= k;
        }
    }
    return 0;
}

/* ---- what arrives ---- */

/* A session whose streams have too many gaps may fill them and go on in order, but not make
 * more. */
static bool too_many_gaps(const struct rstream *r, const struct range *gap) {
    return r->account->gaps >= SESSION_GAPS_MAX && gap->lo != r->read + rstream_ready(r) &&
           !ranges_has(&r->got, gap->lo - 1) && !ranges_has(&r->got, gap->hi);
}

static int take_in(struct rstream *r, struct range gap, const uint8_t *data) {
    if (too_many_gaps(r, &gap))
        return ERR_FULL;
    const uint32_t before = r->got.count;
    int err = copy_in(r, gap.lo, data, (size_t)(gap.hi - gap.lo));
    if (!err)
        err = ranges_add(&r->got, gap.lo, gap.hi);
    if (err)
        return err;
    r->account->gaps += r->got.count - before;
    r->account->unread_bytes += gap.hi - gap.lo;
    r->unread += gap.hi - gap.lo;
    return 0;
}

/* RFC 9000 §4.5: a final size, once known, cannot change, and nothing lies beyond it. */
static bool final_ok(const struct rstream *r, uint64_t end, bool fin) {
    if (r->has_final && (end > r->final_size || (fin && end != r->final_size)))
        return false;
    return !fin || end >= r->highest;
}

int rstream_input(struct rstream *r, uint64_t offset, const uint8_t *data, size_t len, bool fin,
                  uint64_t *fresh) {
    *fresh = 0;
    uint64_t end = offset + len;
    if (end > r->given.limit || !final_ok(r, end, fin))
        return ERR_PROTO;
    if (!r->reset && !r->stopped && end > r->read) {
        uint64_t from = offset > r->read ? offset : r->read;
        /* Bytes that are here already must not be written again: the user may be reading them. */
        struct range gap;
        for (uint64_t lo = from; lo < end && ranges_first_gap(&r->got, lo, end, &gap);
             lo = gap.hi) {
            int err = take_in(r, gap, data + (gap.lo - offset));
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
    for (uint32_t i = 0; i < r->cap; i++)
        drop_slot(&r->slots[i]);
    mem_free(r->slots);
    r->slots = NULL;
    r->cap = 0;
    if (r->account) {
        r->account->unread_bytes -= r->unread;
        r->account->gaps -= r->got.count;
    }
    r->unread = 0;
    ranges_clear(&r->got);
}

void rstream_clear(struct rstream *r) {
    rstream_drop_unread(r);
    *r = (struct rstream){0};
}

int rstream_input_reset(struct rstream *r, uint64_t final_size, uint64_t *fresh) {
    *fresh = 0;
    if (final_size > r->given.limit || !final_ok(r, final_size, true))
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
        const uint64_t number = at / STREAM_BLOCK_BYTES;
        size_t offset, len = (size_t)(end - at);
        struct block *b = place(&r->slots[number - r->first_slot],
                                (size_t)(at % STREAM_BLOCK_BYTES), &offset, &len);
        spans[n++] = (struct span){b, (uint32_t)offset, (uint32_t)len};
        at += len;
    }
    *fin = r->has_final && !r->reset && at >= r->final_size;
    return n;
}

void rstream_consume(struct rstream *r, uint64_t n) {
    assert(n <= rstream_ready(r));
    r->read += n;
    r->unread -= n;
    r->account->unread_bytes -= n;
    const uint64_t number = r->read / STREAM_BLOCK_BYTES;
    const uint64_t passed = number - r->first_slot;
    const uint32_t gone = passed < r->cap ? (uint32_t)passed : r->cap;
    for (uint32_t i = 0; i < gone; i++)
        drop_slot(&r->slots[i]);
    if (gone > 0) {
        memmove(r->slots, r->slots + gone, (r->cap - gone) * sizeof *r->slots);
        memset(r->slots + (r->cap - gone), 0, gone * sizeof *r->slots);
    }
    r->first_slot = number;
    if (r->cap == 0)
        return;
    if (r->read == r->highest) /* nothing is left: the last, partly filled block goes, too */
        drop_slot(&r->slots[0]);
    else if (r->slots[0].pieces)
        drop_pieces(&r->slots[0], r->read % STREAM_BLOCK_BYTES);
}

bool rstream_whole(const struct rstream *r) {
    return r->reset || r->stopped || (r->has_final && r->read + r->unread == r->final_size);
}

bool rstream_done(const struct rstream *r) {
    if (r->reset)
        return true;
    return r->has_final && (r->stopped || (r->read == r->final_size && r->fin_told));
}
