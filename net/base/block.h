/* block.h: reference-counted buffers that file workers, streams and packets share without copying.
 *
 * A block belongs to the pool that made it and goes back to it with its last reference. The
 * counter is touched by the loop's thread only: a worker that fills or reads a block is covered by
 * a reference that the loop took before and drops after. A pool keeps at most `keep` free blocks
 * and hands out no more than its bound, counted in bytes: then there is NULL, which means: wait.
 * Blocks come in sizes, so that a thousand streams with a few bytes each need little.
 *
 * What a session holds is on its account, whoever has the references, until the blocks are back.
 * Whose share it is (docs/TRANSPORT.md, Memory): what is sent may have three quarters of the pool,
 * what is received fifteen sixteenths, and of that each session what share.h allows. Beside the
 * pool there is a reserve, an eighth of it for what is received and a sixteenth for what is sent,
 * from which each session may have a little in any case, in small blocks: nobody is shut out by
 * what others hold.
 */
#ifndef MESHD_NET_BASE_BLOCK_H
#define MESHD_NET_BASE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/base/limits.h"

struct block_pool;

enum block_use { BLOCK_SEND, BLOCK_RECV, BLOCK_USES };

enum block_want {
    BLOCK_RECV_NEXT,  /* received, and next in its stream: it will be read and lets others be */
    BLOCK_RECV_AHEAD, /* ahead of a gap: nothing of the reserve, and less of the pool */
    BLOCK_SEND_BULK,
    BLOCK_SEND_SMALL, /* up to BLOCK_SMALL_BYTES: answers that let others go on */
};

struct block_account { /* of one session; private but for what the streams count in it */
    struct block_pool *pool;
    uint64_t shared_bytes[BLOCK_USES], sure_bytes[BLOCK_USES];
    uint64_t unread_bytes; /* received, and not taken by its reader yet */
    uint32_t gaps;         /* intervals that its streams remember */
    bool owned;            /* block_account_free has not been called */
};

struct block {
    struct block_pool *pool;
    struct block *next_free;
    struct block_account *account; /* NULL: the pool's owner has it */
    uint32_t refs;
    uint32_t len; /* bytes in use, kept by the user of the block */
    uint32_t cap; /* bytes of data */
    uint8_t use;  /* enum block_use */
    bool sure;    /* out of the reserve */
    _Alignas(8) uint8_t data[];
};

enum {
    BLOCK_MIN_BYTES = 512,
    BLOCK_SMALL_BYTES = 1024, /* the reserve has none larger */
};

/* Opaque, heap; max and keep count blocks of STREAM_BLOCK_BYTES. Freed by block_pool_free once the
 * last block is back: free drops the owner's hold.
 */
struct block_pool *block_pool_new(uint32_t max, uint32_t keep);
void block_pool_free(struct block_pool *p);
/* In units of STREAM_BLOCK_BYTES, rounded up. */
uint32_t block_pool_in_use(const struct block_pool *p);
/* Bytes for sending have come back since this was last asked. */
bool block_pool_send_returned(struct block_pool *p);

/* NULL: no memory. Freed by block_account_free, once the last block on it is back. */
struct block_account *block_account_new(struct block_pool *p);
void block_account_free(struct block_account *a); /* NULL is fine */
/* What the session holds of one use. */
uint64_t block_account_bytes(const struct block_account *a, enum block_use use);
/* May it have a block of this size now? */
bool block_may(const struct block_account *a, enum block_want want, size_t bytes);
/* How much the session may hold at most as things are: what windows are granted from. */
uint64_t block_allowance(const struct block_account *a, enum block_want want);

/* One reference, len 0, room for at least `bytes` (at most STREAM_BLOCK_BYTES): the next power of
 * two. NULL: the session has its share, or no memory. */
struct block *block_for(struct block_account *a, enum block_want want, size_t bytes);
/* The same for the pool's owner, on nobody's account; NULL: none left, or no memory. */
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
