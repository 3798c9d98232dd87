/* relay_index.h: finds places in an array by a key: open addressing, linear probing, places and
 * hashes only. The keys stay with their owner, who compares them. Keys are chosen by strangers, so
 * they are hashed with a secret (SipHash-2-4). Value struct; all zeroes but the secret is empty.
 */
#ifndef MESHD_NET_RELAY_RELAY_INDEX_H
#define MESHD_NET_RELAY_RELAY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

#define RELAY_INDEX_NONE UINT32_MAX
enum { RELAY_INDEX_SECRET_BYTES = 16 };

struct relay_index {
    struct relay_index_entry *entries;
    uint32_t cap, count; /* cap: a power of two, at most two thirds full */
    uint8_t secret[RELAY_INDEX_SECRET_BYTES];
};

void relay_index_clear(struct relay_index *x);
uint32_t relay_index_hash(const struct relay_index *x, const void *key, size_t len);
/* A place entered under this hash, the next one each time; `at` begins as 0. RELAY_INDEX_NONE:
 * there is no further one. */
uint32_t relay_index_find(const struct relay_index *x, uint32_t hash, uint32_t *at);
bool relay_index_add(struct relay_index *x, uint32_t hash, uint32_t place) MUST_USE; /* memory */
void relay_index_remove(struct relay_index *x, uint32_t hash, uint32_t place);
size_t relay_index_memory(const struct relay_index *x);

#endif
