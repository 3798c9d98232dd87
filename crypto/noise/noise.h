/* noise.h: the Noise protocol framework (revision 34), patterns IK and IKpsk2 over
 * 25519, ChaChaPoly and BLAKE2b. Straight-line code: each token of the pattern is a comment on
 * the line that does it. Value struct, no allocation; secrets are wiped by noise_clear.
 *
 *   IK:  <- s                      IKpsk2: <- s
 *        ...                               ...
 *        -> e, es, s, ss                   -> e, es, s, ss
 *        <- e, ee, se                      <- e, ee, se, psk
 *
 * With a psk modifier "e" is also mixed into the key (Noise §9.2). For IKpsk2 the psk is needed
 * only in the second message, so a responder can pick it after it has read the first one.
 */
#ifndef MESHD_CRYPTO_NOISE_NOISE_H
#define MESHD_CRYPTO_NOISE_NOISE_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/base/err.h"
#include "crypto/base/types.h"

enum noise_pattern { NOISE_IK, NOISE_IKPSK2 };

enum {
    NOISE_MSG1_OVERHEAD = 32 + 48 + 16, /* e | sealed s | tag of the payload */
    NOISE_MSG2_OVERHEAD = 32 + 16,
};

enum noise_step { NOISE_DEAD, NOISE_MSG1, NOISE_MSG2, NOISE_DONE };

struct noise { /* private to noise.c */
    enum noise_pattern pattern;
    enum noise_step step; /* what comes next; a dead or cleared state refuses everything */
    bool initiator;
    uint64_t nonce;
    uint8_t ck[NOISE_HASH_BYTES];
    uint8_t h[NOISE_HASH_BYTES];
    struct aead_key k;
    struct dh_public local_static;
    struct dh_secret local_static_secret;
    struct dh_public local_ephemeral;
    struct dh_secret local_ephemeral_secret;
    struct dh_public remote_static;
    struct dh_public remote_ephemeral;
};

/* Begins a handshake. `remote` (the responder's static key) is needed by the initiator and must be
 * NULL for the responder. */
void noise_init(struct noise *n, enum noise_pattern pattern, bool initiator,
                const uint8_t *prologue, size_t prologue_len, const struct dh_public *local,
                const struct dh_secret *local_secret, const struct dh_public *remote);
void noise_clear(struct noise *n);

/* Initiator, message 1: `out` gets NOISE_MSG1_OVERHEAD + len bytes. `ephemeral` comes from the
 * caller (randomness is injected) and is copied. False if a Diffie-Hellman result is all zeroes
 * (a low-order remote key): the handshake is dead then. */
bool noise_write1(struct noise *n, const struct dh_secret *ephemeral, const uint8_t *payload,
                  size_t len, uint8_t *out) MUST_USE;

/* Responder, message 1: `payload` gets in_len - NOISE_MSG1_OVERHEAD bytes. False on anything that
 * does not authenticate; the state is dead then. The initiator's key is noise_remote(). */
bool noise_read1(struct noise *n, const uint8_t *in, size_t in_len, uint8_t *payload) MUST_USE;

/* Responder, message 2: `out` gets NOISE_MSG2_OVERHEAD + len. `psk` may be NULL for IK only. */
bool noise_write2(struct noise *n, const struct dh_secret *ephemeral, const struct psk *psk,
                  const uint8_t *payload, size_t len, uint8_t *out) MUST_USE;

/* Initiator, message 2. Works on a copy and commits only on success, so that a forged or damaged
 * answer leaves the handshake able to take the true one. */
bool noise_read2(struct noise *n, const uint8_t *in, size_t in_len, const struct psk *psk,
                 uint8_t *payload) MUST_USE;

const struct dh_public *noise_remote(const struct noise *n);

/* After message 1 and before message 2, on either side: a key that only the two ends can compute,
 * BLAKE2b-256(key = chaining key, label). False at any other time. */
bool noise_extra_key(const struct noise *n, const char *label, uint8_t out[static 32]) MUST_USE;

/* After message 2: the two transport keys of Split(), initiator-to-responder first, the handshake
 * hash (channel binding), and a further secret that only the two ends can compute: HKDF's third
 * output over the final chaining key (as Noise's ASK extension draws it). Any pointer may be
 * NULL.*/
void noise_split(const struct noise *n, struct aead_key *i2r, struct aead_key *r2i,
                 uint8_t hash[NOISE_HASH_BYTES], struct psk *extra);

/* Transport messages of the plain Noise framework (nonce = counter, no associated data), used by
 * the vector tests: ChaChaPoly with Noise's nonce layout. `out` gets len + 16 / len - 16 bytes. */
void noise_transport_seal(const struct aead_key *k, uint64_t counter, const uint8_t *in, size_t len,
                          uint8_t *out);
bool noise_transport_open(const struct aead_key *k, uint64_t counter, const uint8_t *in, size_t len,
                          uint8_t *out) MUST_USE;

#endif
