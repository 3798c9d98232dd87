#include "crypto/noise/hkdf.h"

#include <sodium.h>

enum { BLOCK_BYTES = 128 };

void hmac_blake2b(uint8_t out[static NOISE_HASH_BYTES], const uint8_t key[static NOISE_HASH_BYTES],
                  const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len) {
    crypto_generichash_blake2b_state st;
    uint8_t pad[BLOCK_BYTES], inner[NOISE_HASH_BYTES];

    for (size_t i = 0; i < BLOCK_BYTES; i++)
        pad[i] = (i < NOISE_HASH_BYTES ? key[i] : 0) ^ 0x36;
    crypto_generichash_blake2b_init(&st, NULL, 0, NOISE_HASH_BYTES);
    crypto_generichash_blake2b_update(&st, pad, sizeof pad);
    crypto_generichash_blake2b_update(&st, a, a_len);
    crypto_generichash_blake2b_update(&st, b, b_len);
    crypto_generichash_blake2b_final(&st, inner, sizeof inner);

    for (size_t i = 0; i < BLOCK_BYTES; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    crypto_generichash_blake2b_init(&st, NULL, 0, NOISE_HASH_BYTES);
    crypto_generichash_blake2b_update(&st, pad, sizeof pad);
    crypto_generichash_blake2b_update(&st, inner, sizeof inner);
    crypto_generichash_blake2b_final(&st, out, NOISE_HASH_BYTES);

    sodium_memzero(&st, sizeof st);
    sodium_memzero(pad, sizeof pad);
    sodium_memzero(inner, sizeof inner);
}

void hkdf_blake2b(const uint8_t ck[static NOISE_HASH_BYTES], const uint8_t *ikm, size_t ikm_len,
                  uint8_t o1[static NOISE_HASH_BYTES], uint8_t o2[static NOISE_HASH_BYTES],
                  uint8_t *o3) {
    static const uint8_t one = 1, two = 2, three = 3;
    uint8_t temp[NOISE_HASH_BYTES];

    hmac_blake2b(temp, ck, ikm, ikm_len, NULL, 0);
    hmac_blake2b(o1, temp, &one, 1, NULL, 0);
    hmac_blake2b(o2, temp, o1, NOISE_HASH_BYTES, &two, 1);
    if (o3)
        hmac_blake2b(o3, temp, o2, NOISE_HASH_BYTES, &three, 1);
    sodium_memzero(temp, sizeof temp);
}
