/* dh.h: X25519 (RFC 7748) between our key types; the one place where a shared secret is made.
 *
 * Clamping happens inside; the top bit of a public key is ignored, as RFC 7748 §5 asks. Low-order
 * public keys, for which the shared secret would be all zeroes whatever our secret is, are refused:
 * Noise leaves that check to us (§12.1), and it costs nothing.
 */
#ifndef MESHD_CRYPTO_NOISE_DH_H
#define MESHD_CRYPTO_NOISE_DH_H

#include <stdbool.h>

#include "crypto/base/err.h"
#include "crypto/base/types.h"

/* The public half of `secret`. */
void dh_public_of(struct dh_public *out, const struct dh_secret *secret);

/* False if the result is all zeroes; `out` is then all zeroes too. The caller wipes `out`. */
bool dh_shared(uint8_t out[static DH_KEY_BYTES], const struct dh_secret *ours,
               const struct dh_public *theirs) MUST_USE;

#endif
