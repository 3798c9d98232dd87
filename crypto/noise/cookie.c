#include "crypto/noise/cookie.h"

#include <sodium.h>
#include <string.h>

static const char label_mac1[] = "meshd mac1 v1";
static const char label_cookie[] = "meshd cookie v1";

/* One secret makes two kinds of values; the first byte keeps them apart. */
enum jar_kind { JAR_COOKIE = 1, JAR_CHALLENGE = 2 };

/* BLAKE2b-256(label | responder's transport key): known to whoever knows whom they are calling. */
static void label_key(uint8_t out[static 32], const char *label,
                      const struct dh_public *responder) {
    crypto_generichash_blake2b_state st;
    crypto_generichash_blake2b_init(&st, NULL, 0, 32);
    crypto_generichash_blake2b_update(&st, (const uint8_t *)label, strlen(label));
    crypto_generichash_blake2b_update(&st, responder->bytes, DH_KEY_BYTES);
    crypto_generichash_blake2b_final(&st, out, 32);
}

void cookie_mac1(const struct dh_public *responder, const uint8_t *msg, size_t len,
                 uint8_t out[static MAC_BYTES]) {
    uint8_t key[32];
    label_key(key, label_mac1, responder);
    crypto_generichash_blake2b(out, MAC_BYTES, msg, len, key, sizeof key);
    sodium_memzero(key, sizeof key);
}

bool cookie_mac1_ok(const struct dh_public *responder, const uint8_t *msg, size_t len,
                    const uint8_t mac[static MAC_BYTES]) {
    uint8_t want[MAC_BYTES];
    cookie_mac1(responder, msg, len, want);
    bool ok = sodium_memcmp(want, mac, MAC_BYTES) == 0;
    sodium_memzero(want, sizeof want);
    return ok;
}

void cookie_mac2(const uint8_t cookie[static COOKIE_BYTES], const uint8_t *msg, size_t len,
                 uint8_t out[static MAC_BYTES]) {
    crypto_generichash_blake2b(out, MAC_BYTES, msg, len, cookie, COOKIE_BYTES);
}

/* ---- the responder's jar ---- */

void cookie_jar_init(struct cookie_jar *j, const struct rng *rng, uint64_t now_us) {
    memset(j, 0, sizeof *j);
    j->made_us = now_us;
    rng_fill(rng, j->secret, sizeof j->secret);
}

void cookie_jar_clear(struct cookie_jar *j) {
    sodium_memzero(j, sizeof *j);
}

/* A new secret when the present one is old. Nobody asked for a while if it is older than two
 * lifetimes, so what it made is stale as well, and it is not kept as the previous one. */
static void jar_turn(struct cookie_jar *j, const struct rng *rng, uint64_t now_us) {
    uint64_t age_us = now_us > j->made_us ? now_us - j->made_us : 0;
    if (age_us < COOKIE_SECRET_US)
        return;
    j->has_previous = age_us < 2 * (uint64_t)COOKIE_SECRET_US;
    if (j->has_previous)
        memcpy(j->previous, j->secret, sizeof j->previous);
    else
        sodium_memzero(j->previous, sizeof j->previous);
    rng_fill(rng, j->secret, sizeof j->secret);
    j->made_us = now_us;
}

static void jar_value(const uint8_t secret[static 32], enum jar_kind kind, const uint8_t *data,
                      size_t len, uint8_t out[static 16]) {
    crypto_generichash_blake2b_state st;
    uint8_t tag = (uint8_t)kind;
    crypto_generichash_blake2b_init(&st, secret, 32, 16);
    crypto_generichash_blake2b_update(&st, &tag, 1);
    crypto_generichash_blake2b_update(&st, data, len);
    crypto_generichash_blake2b_final(&st, out, 16);
    sodium_memzero(&st, sizeof st);
}

void cookie_make(struct cookie_jar *j, const struct rng *rng, uint64_t now_us, const uint8_t *addr,
                 size_t addr_len, uint8_t out[static COOKIE_BYTES]) {
    jar_turn(j, rng, now_us);
    jar_value(j->secret, JAR_COOKIE, addr, addr_len, out);
}

static bool mac2_under(const uint8_t secret[static 32], const uint8_t *addr, size_t addr_len,
                       const uint8_t *msg, size_t len, const uint8_t mac[static MAC_BYTES]) {
    uint8_t cookie[COOKIE_BYTES], want[MAC_BYTES];
    jar_value(secret, JAR_COOKIE, addr, addr_len, cookie);
    cookie_mac2(cookie, msg, len, want);
    bool ok = sodium_memcmp(want, mac, MAC_BYTES) == 0;
    sodium_memzero(cookie, sizeof cookie);
    sodium_memzero(want, sizeof want);
    return ok;
}

bool cookie_mac2_ok(struct cookie_jar *j, const struct rng *rng, uint64_t now_us,
                    const uint8_t *addr, size_t addr_len, const uint8_t *msg, size_t len,
                    const uint8_t mac[static MAC_BYTES]) {
    jar_turn(j, rng, now_us);
    return mac2_under(j->secret, addr, addr_len, msg, len, mac) ||
           (j->has_previous && mac2_under(j->previous, addr, addr_len, msg, len, mac));
}

void cookie_challenge(struct cookie_jar *j, const struct rng *rng, uint64_t now_us,
                      const uint8_t *bind, size_t bind_len, uint8_t out[static CHALLENGE_BYTES]) {
    jar_turn(j, rng, now_us);
    jar_value(j->secret, JAR_CHALLENGE, bind, bind_len, out);
}

static bool challenge_under(const uint8_t secret[static 32], const uint8_t *bind, size_t bind_len,
                            const uint8_t challenge[static CHALLENGE_BYTES]) {
    uint8_t want[CHALLENGE_BYTES];
    jar_value(secret, JAR_CHALLENGE, bind, bind_len, want);
    bool ok = sodium_memcmp(want, challenge, CHALLENGE_BYTES) == 0;
    sodium_memzero(want, sizeof want);
    return ok;
}

bool cookie_challenge_ok(struct cookie_jar *j, const struct rng *rng, uint64_t now_us,
                         const uint8_t *bind, size_t bind_len,
                         const uint8_t challenge[static CHALLENGE_BYTES]) {
    jar_turn(j, rng, now_us);
    return challenge_under(j->secret, bind, bind_len, challenge) ||
           (j->has_previous && challenge_under(j->previous, bind, bind_len, challenge));
}

/* ---- the reply ---- */

_Static_assert(COOKIE_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce size");
_Static_assert(COOKIE_SEALED_BYTES ==
                   COOKIE_BYTES + CHALLENGE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "sealed size");

void cookie_seal(const struct dh_public *responder, const uint8_t nonce[static COOKIE_NONCE_BYTES],
                 const uint8_t mac1[static MAC_BYTES], const uint8_t cookie[static COOKIE_BYTES],
                 const uint8_t challenge[static CHALLENGE_BYTES],
                 uint8_t out[static COOKIE_SEALED_BYTES]) {
    uint8_t key[32], plain[COOKIE_BYTES + CHALLENGE_BYTES];
    label_key(key, label_cookie, responder);
    memcpy(plain, cookie, COOKIE_BYTES);
    memcpy(plain + COOKIE_BYTES, challenge, CHALLENGE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain, sizeof plain, mac1,
                                                     MAC_BYTES, NULL, nonce, key);
    sodium_memzero(key, sizeof key);
    sodium_memzero(plain, sizeof plain);
}

bool cookie_unseal(const struct dh_public *responder,
                   const uint8_t nonce[static COOKIE_NONCE_BYTES],
                   const uint8_t mac1[static MAC_BYTES],
                   const uint8_t in[static COOKIE_SEALED_BYTES],
                   uint8_t cookie[static COOKIE_BYTES], uint8_t challenge[static CHALLENGE_BYTES]) {
    uint8_t key[32], plain[COOKIE_BYTES + CHALLENGE_BYTES];
    label_key(key, label_cookie, responder);
    bool ok = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, in, COOKIE_SEALED_BYTES,
                                                         mac1, MAC_BYTES, nonce, key) == 0;
    if (ok) {
        memcpy(cookie, plain, COOKIE_BYTES);
        memcpy(challenge, plain + COOKIE_BYTES, CHALLENGE_BYTES);
    }
    sodium_memzero(key, sizeof key);
    sodium_memzero(plain, sizeof plain);
    return ok;
}
