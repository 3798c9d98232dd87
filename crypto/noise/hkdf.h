/* hkdf.h: HMAC and HKDF over BLAKE2b with 64-byte output, as the Noise framework defines them
 * (revision 34, §4.3): HMAC of RFC 2104 with BLAKE2b's block length of 128 bytes, not BLAKE2b's
 * own keyed mode.
 */
#ifndef MESHD_CRYPTO_NOISE_HKDF_H
#define MESHD_CRYPTO_NOISE_HKDF_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/base/types.h"

/* HMAC-BLAKE2b(key, a | b). Keys here are always one hash long. */
void hmac_blake2b(uint8_t out[static NOISE_HASH_BYTES], const uint8_t key[static NOISE_HASH_BYTES],
                  const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* HKDF(chaining key, input key material) with two or three outputs (`o3` may be NULL). An output
 * may be `ck` itself. */
void hkdf_blake2b(const uint8_t ck[static NOISE_HASH_BYTES], const uint8_t *ikm, size_t ikm_len,
                  uint8_t o1[static NOISE_HASH_BYTES], uint8_t o2[static NOISE_HASH_BYTES],
                  uint8_t *o3);

#endif
