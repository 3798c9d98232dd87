/* aead_ops.h: what crypto/aead/aead.c asks of a provider of packet encryption; each has its file.
 *
 * A provider has one state per `struct aead`, with room for the expanded forms of AEAD_SLOTS keys.
 * aead.c decides which key has which slot, and clears a slot before another key gets it; the
 * provider expands a key at its slot's first packet. All providers give the same bytes.
 */
#ifndef MESHD_CRYPTO_AEAD_AEAD_OPS_H
#define MESHD_CRYPTO_AEAD_AEAD_OPS_H

#include "crypto/aead/aead.h"

enum { AEAD_NONCE_BYTES = 12 };

/* One packet, sealed or opened in place. aead.c has checked the suite; lengths fit an int. */
struct aead_packet {
    enum aead_suite suite;
    const struct aead_key *key;
    const uint8_t *nonce; /* AEAD_NONCE_BYTES */
    const uint8_t *ad;    /* may be NULL if ad_len is 0 */
    size_t ad_len;
    uint8_t *buf;
    size_t len; /* of the plaintext; the tag stands at buf + len */
};

struct aead_ops {
    const char *name;
    /* Suites whose keys have an expanded form. Packets of the others come with slot 0, which is
     * then another key's: it must not be touched. */
    unsigned expands;
    /* *suites: what it can do on this CPU. NULL: out of memory, or nothing it can do here. */
    void *(*new)(unsigned *suites);
    void (*free)(void *state); /* every slot has been cleared */
    /* Wipes the slot; legal on an empty one. */
    void (*clear)(void *state, unsigned slot);
    /* Cannot fail: what needs memory falls back to aead_once_seal. */
    void (*seal)(void *state, unsigned slot, const struct aead_packet *p);
    /* False if it does not authenticate; buf[0..len) is then zeroes. */
    bool (*open)(void *state, unsigned slot, const struct aead_packet *p);
};

extern const struct aead_ops aead_libsodium;
#ifdef HAVE_LIBCRYPTO
extern const struct aead_ops aead_libcrypto;
#endif
#ifdef HAVE_IPSEC_MB
extern const struct aead_ops aead_ipsec_mb;
#endif

/* By libsodium, the key expanded for this packet only: needs no memory and no slot. */
void aead_once_seal(const struct aead_packet *p);
bool aead_once_open(const struct aead_packet *p) MUST_USE;

#endif
