#include "crypto/identity/sign.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_SEEDBYTES == 32,
               "libsodium's secret key is the seed followed by the public key");

void sign_public_of(struct node_id *out, const struct sign_secret *secret) {
    uint8_t sk[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_seed_keypair(out->bytes, sk, secret->bytes);
    sodium_memzero(sk, sizeof sk);
}

void sign_make(uint8_t signature[static SIGN_BYTES], const struct sign_secret *secret,
               const struct node_id *id, const uint8_t *msg, size_t len) {
    uint8_t sk[crypto_sign_SECRETKEYBYTES];
    memcpy(sk, secret->bytes, 32);
    memcpy(sk + 32, id->bytes, NODE_ID_BYTES);
    (void)crypto_sign_detached(signature, NULL, msg, len, sk);
    sodium_memzero(sk, sizeof sk);
}

bool sign_verify(const uint8_t signature[static SIGN_BYTES], const struct node_id *id,
                 const uint8_t *msg, size_t len) {
    return crypto_sign_verify_detached(signature, msg, len, id->bytes) == 0;
}
