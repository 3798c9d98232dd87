/* block.h: reference-counted buffers that file workers, streams and packets share without copying.
 *
 * A block belongs to the pool that made it and goes back to it with its last reference. The
 * counter is touched by the loop's thread only: a worker that fills or reads a block is covered by
 * a reference that the loop took before and drops after. A pool keeps at most `keep` free blocks
 * and never hands out more than `max` at once, counted in bytes: then block_new gives NULL, which means: wait. Blocks come in
 * sizes, so that a thousand streams with a few bytes each need little.
 */
#ifndef MESHD_NET_BLOCK_H
#define MESHD_NET_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/limits.h"

struct block_pool;

struct block {
    struct block_pool *pool;
    struct block *next_free;
    uint32_t refs;
    uint32_t len; /* bytes in use, kept by the user of the block */
    uint32_t cap; /* bytes of data */
    uint8_t data[];
};

enum {
    BLOCK_MIN_BYTES = 512,
    BLOCK_SMALL_BYTES =
        1024, /* blocks up to here may go a sixteenth beyond `max`: answers that let others go on */
};

/* Opaque, heap; max and keep count blocks of STREAM_BLOCK_BYTES. Freed by block_pool_free once the last block is back: free drops the owner's hold.
 */
struct block_pool *block_pool_new(uint32_t max, uint32_t keep);
void block_pool_free(struct block_pool *p);
/* In units of STREAM_BLOCK_BYTES, rounded up. */
uint32_t block_pool_in_use(const struct block_pool *p);
/* Only the last eighth is left: writers wait, so that what arrives always finds room. */
bool block_pool_scarce(const struct block_pool *p);
/* Only the last sixteenth is left: what arrives ahead of a gap waits (it will be sent again), so that what fills the gap
 * finds room. Else streams full of bytes that cannot be read yet could keep each other from ever being read. */
bool block_pool_tight(const struct block_pool *p);

/* One reference, len 0, room for at least `bytes` (at most STREAM_BLOCK_BYTES): the next power of two. NULL: none left, or
 * no memory. */
struct block *block_new(struct block_pool *p, size_t bytes);
struct block *block_get(struct block *b); /* one more reference; returns b */
void block_put(struct block *b);          /* NULL is fine */

/* A piece of a block. Who holds a span holds a reference unless said otherwise. */
struct span {
    struct block *block;
    uint32_t offset;
    uint32_t len;
};

#endif
