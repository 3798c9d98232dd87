/* block.c: a free list with a bound, and a pool that outlives its owner until the last block. */
#include "net/block.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

struct block_pool {
    struct block *free_list;
    uint32_t max, keep;
    uint32_t in_use, free_count;
    bool owned; /* block_pool_free has not been called */
};

struct block_pool *block_pool_new(uint32_t max, uint32_t keep) {
    struct block_pool *p = malloc(sizeof *p);
    if (p)
        *p = (struct block_pool){.max = max, .keep = keep, .owned = true};
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
    if (p->in_use == 0)
        free(p);
}

uint32_t block_pool_in_use(const struct block_pool *p) {
    return p->in_use;
}

bool block_pool_scarce(const struct block_pool *p) {
    return p->in_use >= p->max - p->max / 8;
}

struct block *block_new(struct block_pool *p) {
    assert(p->owned);
    if (p->in_use >= p->max)
        return NULL;
    struct block *b = p->free_list;
    if (b) {
        p->free_list = b->next_free;
        p->free_count--;
    } else {
        b = malloc(sizeof *b); /* data is not cleared: len says what of it means anything */
        if (!b)
            return NULL;
    }
    b->pool = p;
    b->next_free = NULL;
    b->refs = 1;
    b->len = 0;
    p->in_use++;
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
    assert(p->in_use > 0);
    p->in_use--;
    if (p->owned && p->free_count < p->keep) {
        b->next_free = p->free_list;
        p->free_list = b;
        p->free_count++;
        return;
    }
    free(b);
    if (!p->owned && p->in_use == 0)
        free(p);
}
