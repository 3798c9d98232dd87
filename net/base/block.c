/* block.c: a free list with a bound, accounts, and a pool that outlives its owner until the last
 * block. */
#include "net/base/block.h"

#include <assert.h>

#include "crypto/base/mem.h"
#include "net/base/share.h"

struct block_pool {
    struct block *free_list;
    uint64_t in_use_bytes; /* the reserve's, too */
    struct share all, use[BLOCK_USES], reserve[BLOCK_USES];
    uint32_t keep, free_count; /* only of full size */
    bool send_returned;
    bool owned; /* block_pool_free has not been called */
};

static const struct rule {
    enum block_use use;
    unsigned factor;
    uint32_t sure_bytes; /* of the reserve */
} rules[] = {
    [BLOCK_RECV_NEXT] = {BLOCK_RECV, SHARE_FACTOR, RECV_SURE_BYTES},
    [BLOCK_RECV_AHEAD] = {BLOCK_RECV, SHARE_FACTOR_AHEAD, 0},
    [BLOCK_SEND_BULK] = {BLOCK_SEND, SHARE_FACTOR, SEND_SURE_BYTES / 2},
    [BLOCK_SEND_SMALL] = {BLOCK_SEND, SHARE_FACTOR, SEND_SURE_BYTES},
};

struct block_pool *block_pool_new(uint32_t max, uint32_t keep) {
    struct block_pool *p = mem_alloc(sizeof *p);
    const uint64_t bytes = (uint64_t)max * STREAM_BLOCK_BYTES;
    if (p)
        *p = (struct block_pool){.all = {.max = bytes},
                                 .use[BLOCK_SEND] = {.max = bytes - bytes / 4},
                                 .use[BLOCK_RECV] = {.max = bytes - bytes / 16},
                                 .reserve[BLOCK_SEND] = {.max = bytes / 16},
                                 .reserve[BLOCK_RECV] = {.max = bytes / 8},
                                 .keep = keep,
                                 .owned = true};
    return p;
}

void block_pool_free(struct block_pool *p) {
    if (!p)
        return;
    assert(p->owned);
    p->owned = false;
    while (p->free_list) {
        struct block *b = p->free_list;
        p->free_list = b->next_free;
        mem_free(b);
    }
    p->free_count = 0;
    if (p->in_use_bytes == 0)
        mem_free(p);
}

uint32_t block_pool_in_use(const struct block_pool *p) {
    return (uint32_t)((p->in_use_bytes + STREAM_BLOCK_BYTES - 1) / STREAM_BLOCK_BYTES);
}

bool block_pool_send_returned(struct block_pool *p) {
    const bool returned = p->send_returned;
    p->send_returned = false;
    return returned;
}

/* ---- accounts ---- */

struct block_account *block_account_new(struct block_pool *p) {
    struct block_account *a = mem_calloc(1, sizeof *a);
    if (a) {
        a->pool = p;
        a->owned = true;
    }
    return a;
}

static bool is_empty(const struct block_account *a) {
    return block_account_bytes(a, BLOCK_SEND) + block_account_bytes(a, BLOCK_RECV) == 0;
}

void block_account_free(struct block_account *a) {
    if (!a)
        return;
    assert(a->owned);
    a->owned = false;
    if (is_empty(a))
        mem_free(a);
}

uint64_t block_account_bytes(const struct block_account *a, enum block_use use) {
    return a->shared_bytes[use] + a->sure_bytes[use];
}

static uint64_t left_for(const struct block_pool *p, enum block_use use) {
    const uint64_t all = share_free(&p->all), part = share_free(&p->use[use]);
    return all < part ? all : part;
}

static bool may_share(const struct block_account *a, const struct rule *r, uint32_t cap) {
    const uint64_t left = left_for(a->pool, r->use);
    return cap <= left && a->shared_bytes[r->use] + cap <= r->factor * left;
}

static bool may_be_sure(const struct block_account *a, const struct rule *r, uint32_t cap) {
    return cap <= BLOCK_SMALL_BYTES && cap <= share_free(&a->pool->reserve[r->use]) &&
           a->sure_bytes[r->use] + cap <= r->sure_bytes;
}

static uint32_t cap_for(size_t bytes) {
    uint32_t cap = BLOCK_MIN_BYTES;
    assert(bytes <= STREAM_BLOCK_BYTES);
    while (cap < bytes)
        cap *= 2;
    return cap;
}

bool block_may(const struct block_account *a, enum block_want want, size_t bytes) {
    const uint32_t cap = cap_for(bytes);
    return may_share(a, &rules[want], cap) || may_be_sure(a, &rules[want], cap);
}

uint64_t block_allowance(const struct block_account *a, enum block_want want) {
    const struct rule *r = &rules[want];
    const uint64_t shared = r->factor * left_for(a->pool, r->use);
    return shared > r->sure_bytes ? shared : r->sure_bytes;
}

/* ---- blocks ---- */

static struct block *take(struct block_pool *p, uint32_t cap) {
    struct block *b = cap == STREAM_BLOCK_BYTES ? p->free_list : NULL;
    if (b) {
        p->free_list = b->next_free;
        p->free_count--;
    } else {
        b = mem_alloc(sizeof *b +
                      cap); /* data is not cleared: len says what of it means anything */
        if (!b)
            return NULL;
    }
    b->pool = p;
    b->next_free = NULL;
    b->account = NULL;
    b->refs = 1;
    b->len = 0;
    b->cap = cap;
    b->use = BLOCK_SEND;
    b->sure = false;
    p->in_use_bytes += cap;
    return b;
}

struct block *block_new(struct block_pool *p, size_t bytes) {
    assert(p->owned);
    const uint32_t cap = cap_for(bytes);
    struct block *b = cap <= share_free(&p->all) ? take(p, cap) : NULL;
    if (b)
        p->all.used += cap;
    return b;
}

struct block *block_for(struct block_account *a, enum block_want want, size_t bytes) {
    struct block_pool *p = a->pool;
    const struct rule *r = &rules[want];
    const uint32_t cap = cap_for(bytes);
    const bool shared = may_share(a, r, cap);
    assert(p->owned && a->owned);
    if (!shared && !may_be_sure(a, r, cap))
        return NULL;
    struct block *b = take(p, cap);
    if (!b)
        return NULL;
    b->account = a;
    b->use = (uint8_t)r->use;
    b->sure = !shared;
    if (shared) {
        p->all.used += cap;
        p->use[r->use].used += cap;
        a->shared_bytes[r->use] += cap;
    } else {
        p->reserve[r->use].used += cap;
        a->sure_bytes[r->use] += cap;
    }
    return b;
}

struct block *block_get(struct block *b) {
    assert(b->refs > 0 && b->refs < UINT32_MAX);
    b->refs++;
    return b;
}

/* Off the pool's books and the account's; the last block of an account without an owner takes it
 * along. */
static void settle(struct block_pool *p, const struct block *b) {
    struct block_account *a = b->account;
    assert(p->in_use_bytes >= b->cap);
    p->in_use_bytes -= b->cap;
    if (!b->sure)
        p->all.used -= b->cap;
    if (b->use == BLOCK_SEND)
        p->send_returned = true;
    if (!a)
        return;
    uint64_t *on_account = b->sure ? &a->sure_bytes[b->use] : &a->shared_bytes[b->use];
    struct share *s = b->sure ? &p->reserve[b->use] : &p->use[b->use];
    assert(*on_account >= b->cap && s->used >= b->cap);
    *on_account -= b->cap;
    s->used -= b->cap;
    if (!a->owned && is_empty(a))
        mem_free(a);
}

void block_put(struct block *b) {
    if (!b)
        return;
    assert(b->refs > 0);
    if (--b->refs > 0)
        return;
    struct block_pool *p = b->pool;
    settle(p, b);
    if (p->owned && p->free_count < p->keep && b->cap == STREAM_BLOCK_BYTES) {
        b->next_free = p->free_list;
        p->free_list = b;
        p->free_count++;
        return;
    }
    mem_free(b);
    if (!p->owned && p->in_use_bytes == 0)
        mem_free(p);
}
