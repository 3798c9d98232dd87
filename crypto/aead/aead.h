/* aead.h: sealing and opening packets in place, behind one face for two suites and three providers.
 *
 * Suites: ChaCha20-Poly1305 (RFC 8439) always, AES-256-GCM where the CPU has AES and carry-less
 * multiply. Providers: libsodium always; libcrypto and Intel's ipsec-mb where the build found them
 * (HAVE_LIBCRYPTO, HAVE_IPSEC_MB). All give the same bytes. The nonce is 4 zero bytes and the
 * 64-bit counter, little-endian.
 *
 * Expanded keys (AES round keys, GHASH tables, EVP contexts) are large, a session has several,
 * and most sessions are idle: so keys stay 32 bytes in the session, and `struct aead` (one per
 * node, opaque) caches AEAD_SLOTS expanded ones by the key's `key_id`. Evicted slots are wiped.
 */
#ifndef MESHD_CRYPTO_AEAD_AEAD_H
#define MESHD_CRYPTO_AEAD_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/base/types.h"

enum aead_suite { /* one bit each: an offered list is their OR */
                  AEAD_CHACHA20_POLY1305 = 1,
                  AEAD_AES_256_GCM = 2,
};

enum aead_provider { AEAD_AUTO, AEAD_LIBSODIUM, AEAD_LIBCRYPTO, AEAD_IPSEC_MB };

enum { AEAD_SLOTS = 16 };

struct aead;

/* NULL on out of memory, or if the build or the CPU has no such provider. AEAD_AUTO is a fixed
 * preference without a clock or a look at the CPU: libcrypto where the build has it, else
 * libsodium. It is never ipsec-mb, which tests itself for 0.15 ms and holds 16 KiB: much for each
 * of a simulator's thousands of nodes. The daemon, which has one, measures instead. Calls
 * sodium_init. Not thread-safe: one `struct aead` belongs to one thread at a time. */
struct aead *aead_new(enum aead_provider provider);
void aead_free(struct aead *a); /* wipes; NULL is fine */

/* What this machine offers: always ChaCha20-Poly1305. */
unsigned aead_suites(const struct aead *a);

/* The fixed function of both offers (CAPABILITIES B10): AES-256-GCM if both have it, else
 * ChaCha20-Poly1305; 0 if the lists have nothing in common. */
unsigned aead_choose(unsigned ours, unsigned theirs);

const char *aead_suite_name(unsigned suite); /* "chacha20-poly1305" | "aes-256-gcm" | "none" */
const char *aead_provider_name(const struct aead *a); /* "libsodium" | "libcrypto" | "ipsec-mb" */
const char *aead_provider_label(enum aead_provider provider); /* the same, or "auto" */

/* Encrypts buf[0..len) in place and writes the 16-byte tag at buf + len. `key_id` must differ for
 * every key that ever lives in this process (aead_key_id gives one). */
void aead_seal(struct aead *a, enum aead_suite suite, const struct aead_key *key, uint64_t key_id,
               uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf, size_t len);

/* Opens buf[0..len) (ciphertext and tag, len >= 16) in place: len - 16 bytes of plaintext. False if
 * it does not authenticate; what would be plaintext is then zeroes. */
bool aead_open(struct aead *a, enum aead_suite suite, const struct aead_key *key, uint64_t key_id,
               uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf,
               size_t len) MUST_USE;

/* A key id never given before by this `a`. */
uint64_t aead_key_id(struct aead *a);
/* Wipes the expanded form of a key that is being thrown away. */
void aead_forget(struct aead *a, uint64_t key_id);

#endif
