/* cookie.h: mac1 and mac2, WireGuard's denial-of-service shield (Donenfeld 2017, §5.3 and §5.4.4,
 * §5.4.7), with keyed BLAKE2b.
 *
 * mac1 proves that the sender knows our transport public key: without it the port is silent. Under
 * load mac2, keyed by a cookie that we made for the sender's address, proves the address before any
 * X25519 is spent. The same sealed reply also carries a freshness challenge for a peer whose clock
 * went back (see net/wire/handshake_msg.h): both are stateless.
 */
#ifndef MESHD_CRYPTO_NOISE_COOKIE_H
#define MESHD_CRYPTO_NOISE_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/rng.h"
#include "crypto/base/types.h"

enum {
    MAC_BYTES = 16,
    COOKIE_BYTES = 16,
    CHALLENGE_BYTES = 16,
    COOKIE_NONCE_BYTES = 24,
    COOKIE_SEALED_BYTES = COOKIE_BYTES + CHALLENGE_BYTES + 16,
    COOKIE_SECRET_US = 120 * 1000000, /* the secret changes; the one before it is still accepted */
};

/* mac1 = BLAKE2b-128(key = BLAKE2b-256("meshd mac1 v1" | responder transport key), msg). */
void cookie_mac1(const struct dh_public *responder, const uint8_t *msg, size_t len,
                 uint8_t out[static MAC_BYTES]);
bool cookie_mac1_ok(const struct dh_public *responder, const uint8_t *msg, size_t len,
                    const uint8_t mac[static MAC_BYTES]);
/* mac2 = BLAKE2b-128(key = cookie, msg). */
void cookie_mac2(const uint8_t cookie[static COOKIE_BYTES], const uint8_t *msg, size_t len,
                 uint8_t out[static MAC_BYTES]);

/* The responder's side. */
struct cookie_jar {
    uint64_t made_us;
    bool has_previous;
    uint8_t secret[32], previous[32];
};
void cookie_jar_init(struct cookie_jar *j, const struct rng *rng, uint64_t now_us);
void cookie_jar_clear(struct cookie_jar *j);
/* Cookie for an address in its canonical byte form (net/base/addr). Rotates the secret when due. */
void cookie_make(struct cookie_jar *j, const struct rng *rng, uint64_t now_us, const uint8_t *addr,
                 size_t addr_len, uint8_t out[static COOKIE_BYTES]);
/* mac2 of `msg` is right under the current or the previous secret's cookie for this address. */
bool cookie_mac2_ok(struct cookie_jar *j, const struct rng *rng, uint64_t now_us,
                    const uint8_t *addr, size_t addr_len, const uint8_t *msg, size_t len,
                    const uint8_t mac[static MAC_BYTES]);
/* Challenge bound to whatever bytes the caller gives; ok under the current or previous secret. */
void cookie_challenge(struct cookie_jar *j, const struct rng *rng, uint64_t now_us,
                      const uint8_t *bind, size_t bind_len, uint8_t out[static CHALLENGE_BYTES]);
bool cookie_challenge_ok(struct cookie_jar *j, const struct rng *rng, uint64_t now_us,
                         const uint8_t *bind, size_t bind_len,
                         const uint8_t challenge[static CHALLENGE_BYTES]);

/* The reply: XChaCha20-Poly1305 under BLAKE2b-256("meshd cookie v1" | responder transport key),
 * with the mac1 of the message that is being answered as associated data. */
void cookie_seal(const struct dh_public *responder, const uint8_t nonce[static COOKIE_NONCE_BYTES],
                 const uint8_t mac1[static MAC_BYTES], const uint8_t cookie[static COOKIE_BYTES],
                 const uint8_t challenge[static CHALLENGE_BYTES],
                 uint8_t out[static COOKIE_SEALED_BYTES]);
bool cookie_unseal(const struct dh_public *responder,
                   const uint8_t nonce[static COOKIE_NONCE_BYTES],
                   const uint8_t mac1[static MAC_BYTES],
                   const uint8_t in[static COOKIE_SEALED_BYTES],
                   uint8_t cookie[static COOKIE_BYTES], uint8_t challenge[static CHALLENGE_BYTES]);

#endif
