/* types.h: key types, each its own struct, so that the compiler keeps them apart.
 *
 * All are plain bytes owned by whoever embeds them. Secret ones are wiped by their owner with
 * sodium_memzero before the memory is given back.
 */
#ifndef MESHD_CRYPTO_BASE_TYPES_H
#define MESHD_CRYPTO_BASE_TYPES_H

#include <stdint.h>

enum {
    NODE_ID_BYTES = 32,
    SIGN_BYTES = 64,
    DH_KEY_BYTES = 32,
    PSK_BYTES = 32,
    AEAD_KEY_BYTES = 32,
    AEAD_TAG_BYTES = 16,
    NOISE_HASH_BYTES = 64, /* BLAKE2b */
};

struct node_id { /* Ed25519 public key; names the node */
    uint8_t bytes[NODE_ID_BYTES];
};
struct sign_secret { /* Ed25519 seed */
    uint8_t bytes[32];
};
struct dh_public { /* X25519 */
    uint8_t bytes[DH_KEY_BYTES];
};
struct dh_secret {
    uint8_t bytes[DH_KEY_BYTES];
};
struct psk { /* all zeroes = none */
    uint8_t bytes[PSK_BYTES];
};
struct aead_key {
    uint8_t bytes[AEAD_KEY_BYTES];
};

#endif
