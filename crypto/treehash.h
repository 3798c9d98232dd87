/* treehash.h: the content hash of a file: a binary Merkle tree over fixed leaves, computed while
 * the bytes stream by, in O(log n) memory.
 *
 *   leaf  = H(0x00 | bytes)            leaves of TREEHASH_LEAF_BYTES, the last one may be shorter;
 *                                      an empty file has one empty leaf
 *   inner = H(0x01 | left | right)     tree shape of RFC 6962 §2.1
 *   root  = H(0x02 | algorithm u8 | length u64 LE | top of the tree)
 *
 * H gives 32 bytes: BLAKE2b-256 (libsodium) or SHA-256 (libcrypto with SHA instructions where
 * found, else libsodium). Both ends know both; the sender names the one it chose by measurement.
 */
#ifndef MESHD_CRYPTO_TREEHASH_H
#define MESHD_CRYPTO_TREEHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/err.h"

enum treehash_alg { TREEHASH_BLAKE2B = 1, TREEHASH_SHA256 = 2 };

enum {
    TREEHASH_BYTES = 32,
    TREEHASH_LEAF_BYTES = 256 * 1024,
    TREEHASH_LEVELS = 46, /* 2^46 leaves: more than a 64-bit length can hold */
};

struct treehash; /* opaque: holds the provider's running state */

struct treehash *treehash_new(enum treehash_alg alg); /* NULL: no memory, or unknown algorithm */
void treehash_free(struct treehash *t);
/* May be called from any one thread at a time: the object has no shared state. */
void treehash_update(struct treehash *t, const void *data, size_t len);
/* Ends it; update must not follow. */
void treehash_final(struct treehash *t, uint8_t root[static TREEHASH_BYTES]);
uint64_t treehash_length(const struct treehash *t);

bool treehash_known(unsigned alg);
const char *treehash_name(unsigned alg); /* "blake2b" | "sha256" | "unknown" */

#endif
