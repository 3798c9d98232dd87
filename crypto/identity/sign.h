/* sign.h: Ed25519 (RFC 8032) between our key types; the one place where a signature is made or
 * believed.
 *
 * Verification is libsodium's: stricter than RFC 8032 asks, in that a non-canonical S or a
 * small-order public key or R is refused as well, so that nobody can turn one valid signature into
 * a second one or own a key that signs everything. Callers begin what they sign with a label of
 * their own purpose.
 */
#ifndef MESHD_CRYPTO_IDENTITY_SIGN_H
#define MESHD_CRYPTO_IDENTITY_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/base/err.h"
#include "crypto/base/types.h"

/* The node id that belongs to `secret`. */
void sign_public_of(struct node_id *out, const struct sign_secret *secret);

/* `id` must be the one that belongs to `secret`. */
void sign_make(uint8_t signature[static SIGN_BYTES], const struct sign_secret *secret,
               const struct node_id *id, const uint8_t *msg, size_t len);

bool sign_verify(const uint8_t signature[static SIGN_BYTES], const struct node_id *id,
                 const uint8_t *msg, size_t len) MUST_USE;

#endif
