/* support_crypto.h: what the tests of crypto/ share: cmocka with its headers in order, hex, and a
 * randomness that is the same in every run.
 */
#ifndef MESHD_TESTS_SUPPORT_CRYPTO_H
#define MESHD_TESTS_SUPPORT_CRYPTO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/base/rng.h"

/* Decodes `hex` into `out`, which must hold it; the number of bytes. Asserts that it is hex. */
size_t unhex(uint8_t *out, size_t cap, const char *hex);

/* A stream that depends on `seed` only. `state` is the caller's and outlives the result. */
struct seeded {
    uint64_t seed, blocks;
};
struct rng seeded_rng(struct seeded *state, uint64_t seed);

/* The seven low-order points of Curve25519 in their canonical and non-canonical encodings below
 * 2^255 (cr.yp.to/ecdh.html, "validate"). */
enum { LOW_ORDER_POINTS = 7 };
extern const char *const low_order_points[LOW_ORDER_POINTS];

#endif
