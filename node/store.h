/* store.h: what a node remembers: named tables of (key, value), ordered by key bytes. The
 * environment provides it: meshd puts SQLite behind it, meshsim and the tests memory. Calls are
 * synchronous and small; a returned 0 means that the change survives the death of the process.
 */
#ifndef MESHD_NODE_STORE_H
#define MESHD_NODE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/err.h"

enum { STORE_KEY_MAX = 128, STORE_VALUE_MAX = 128 * 1024 };

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
     * key and value are replaced. `key` has room for STORE_KEY_MAX. ERR_NOT_FOUND at the end. */
    int (*next)(void *ctx, const char *table, void *key, size_t *key_len, void *value, size_t cap,
                size_t *len);
};

#endif
