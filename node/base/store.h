/* store.h: what a node remembers: named tables of (key, value), ordered by key bytes. The
 * environment provides it: meshd puts SQLite behind it, meshsim and the tests memory. Calls are
 * synchronous, small and never wait for the disk.
 *
 * Two promises, which are two things, and the only levels of durability there are: whoever commits
 * chooses by waiting for a barrier or not.
 *
 *   commit   a change made outside a transaction, and all changes of a committed one together,
 *            survive the death of the process.
 *   barrier  FILE_OP_STORE_SYNC (node/disk/file_op.h), handed out like a file operation since it
 *            takes as long as an fsync. Once it is back without an error, everything that was
 *            committed before it was handed out survives a power cut. Without one a power cut may
 *            take the
 *            last transactions: whole ones, latest first. With STORE_SYNC_SCRUB in its `id`, what
 *            was deleted before it is soon afterwards in no file of the store any more (its bytes
 *            are overwritten, or given back to the file system; what a disk does with blocks it has
 *            been given back is not ours to say).
 *
 * What a node finds when it is made survives a power cut, and no other process has it open: the
 * environment sees to that before.
 *
 * The core's modules do not call it themselves but through node/base/keep.h, which counts commits.
 */
#ifndef MESHD_NODE_BASE_STORE_H
#define MESHD_NODE_BASE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

enum { STORE_KEY_MAX = 128, STORE_VALUE_MAX = 128 * 1024 };
enum { STORE_SYNC_SCRUB = 1 };

struct store {
    void *ctx;
    /* Inserts or replaces. ERR_DISK, ERR_IO, ERR_NOMEM. */
    int (*put)(void *ctx, const char *table, const void *key, size_t key_len, const void *value,
               size_t value_len);
    /* ERR_NOT_FOUND; ERR_FULL if the value is larger than cap (len tells its size). */
    int (*get)(void *ctx, const char *table, const void *key, size_t key_len, void *value,
               size_t cap, size_t *len);
    /* Deleting what is not there is fine. */
    int (*del)(void *ctx, const char *table, const void *key, size_t key_len);
    /* The entry with the smallest key greater than key[0..*key_len) (an empty key gives the first):
     * key and value are replaced. `key` has room for STORE_KEY_MAX. ERR_NOT_FOUND at the end;
     * ERR_FULL if the value is larger than cap (key and len are set). */
    int (*next)(void *ctx, const char *table, void *key, size_t *key_len, void *value, size_t cap,
                size_t *len);
    /* The other way round: the entry with the greatest key smaller than key[0..*key_len) (an empty
     * key gives the last), else as next. */
    int (*prev)(void *ctx, const char *table, void *key, size_t *key_len, void *value, size_t cap,
                size_t *len);
    /* From here on put and del are one transaction, which get and next see as it grows. One at a
     * time. After an error in it only rollback may follow. ERR_DISK, ERR_IO, ERR_NOMEM. */
    int (*begin)(void *ctx);
    /* On an error nothing of the transaction has happened. */
    int (*commit)(void *ctx);
    void (*rollback)(void *ctx);
};

#endif
