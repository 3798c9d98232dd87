/* rng.h: randomness is handed in, never fetched (docs/ARCHITECTURE.md, the one seam).
 *
 * meshd fills it from libsodium's randombytes_buf, meshsim from the run's seed. A source that
 * can fail must abort inside `fill`: no caller could go on without randomness. Numbers are made of
 * its bytes in the same way on every machine, so that a seed means the same run.
 */
#ifndef MESHD_CRYPTO_BASE_RNG_H
#define MESHD_CRYPTO_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/base/bytes.h"

struct rng {
    void (*fill)(void *ctx, void *buf, size_t len);
    void *ctx;
};

static inline void rng_fill(const struct rng *r, void *buf, size_t len) {
    r->fill(r->ctx, buf, len);
}
static inline uint32_t rng_u32(const struct rng *r) {
    uint8_t b[4];
    r->fill(r->ctx, b, sizeof b);
    return load_le32(b);
}
static inline uint64_t rng_u64(const struct rng *r) {
    uint8_t b[8];
    r->fill(r->ctx, b, sizeof b);
    return load_le64(b);
}

#endif
