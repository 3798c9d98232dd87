/* block.c: a free list with a bound, and a pool that outlives its owner until the last block. */
#include "net/block.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

struct block_pool {
    struct block *free_list;
    uint64_t max_bytes, in_use_bytes;
    uint32_t keep, free_count; /* only of full size */
    bool owned;                /* block_pool_free has not been called */
};

struct block_pool *block_pool_new(uint32_t max, uint32_t keep) {
    struct block_pool *p = malloc(sizeof *p);
    if (p)
        *p = (struct block_pool){
            .max_bytes = (uint64_t)max * STREAM_BLOCK_BYTES, .keep = keep, .owned = true};
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
        free(b);
    }
    p->free_count = 0;
    if (p->in_use_bytes == 0)
        free(p);
}

uint32_t block_pool_in_use(const struct block_pool *p) {
    return (uint32_t)((p->in_use_bytes + STREAM_BLOCK_BYTES - 1) / STREAM_BLOCK_BYTES);
}

bool block_pool_scarce(const struct block_pool *p) {
    return p->in_use_bytes >= p->max_bytes - p->max_bytes / 8;
}

bool block_pool_tight(const struct block_pool *p) {
    return p->in_use_bytes + STREAM_BLOCK_BYTES > p->max_bytes - p->max_bytes / 16;
}

static uint32_t cap_for(size_t bytes) {
    uint32_t cap = BLOCK_MIN_BYTES;
    assert(bytes <= STREAM_BLOCK_BYTES);
    while (cap < bytes)
        cap *= 2;
    return cap;
}

struct block *block_new(struct block_pool *p, size_t bytes) {
    assert(p->owned);
    const uint32_t cap = cap_for(bytes);
    const uint64_t beyond = cap <= BLOCK_SMALL_BYTES ? p->max_bytes / 16 : 0;
    if (p->in_use_bytes + cap > p->max_bytes + beyond)
        return NULL;
    struct block *b = cap == STREAM_BLOCK_BYTES ? p->free_list : NULL;
    if (b) {
        p->free_list = b->next_free;
        p->free_count--;
    } else {
        b = malloc(sizeof *b + cap); /* data is not cleared: len says what of it means anything */
        if (!b)
            return NULL;
    }
    b->pool = p;
    b->next_free = NULL;
    b->refs = 1;
    b->len = 0;
    b->cap = cap;
    p->in_use_bytes += cap;
    return b;
}

struct block *block_get(struct block *b) {
    assert(b->refs > 0 && b->refs < UINT32_MAX);
    b->refs++;
    return b;
}

void block_put(struct block *b) {
    if (!b)
        return;
    assert(b->refs > 0);
    if (--b->refs > 0)
        return;
    struct block_pool *p = b->pool;
    assert(p->in_use_bytes >= b->cap);
    p->in_use_bytes -= b->cap;
    if (p->owned && p->free_count < p->keep && b->cap == STREAM_BLOCK_BYTES) {
        b->next_free = p->free_list;
        p->free_list = b;
        p->free_count++;
        return;
    }
    free(b);
    if (!p->owned && p->in_use_bytes == 0)
        free(p);
}
