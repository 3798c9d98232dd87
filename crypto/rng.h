/* rng.h: randomness is handed in, never fetched (DESIGN §3, the one seam).
 *
 * meshd fills it from libsodium's randombytes_buf, meshsim from the run's seed. A source that
 * can fail must abort inside `fill`: no caller could go on without randomness.
 */
#ifndef MESHD_CRYPTO_RNG_H
#define MESHD_CRYPTO_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    void (*fill)(void *ctx, void *buf, size_t len);
    void *ctx;
};

static inline void rng_fill(const struct rng *r, void *buf, size_t len) {
    r->fill(r->ctx, buf, len);
}
static inline uint32_t rng_u32(const struct rng *r) {
    uint32_t v;
    r->fill(r->ctx, &v, sizeof v);
    return v;
}
static inline uint64_t rng_u64(const struct rng *r) {
    uint64_t v;
    r->fill(r->ctx, &v, sizeof v);
    return v;
}

#endif
