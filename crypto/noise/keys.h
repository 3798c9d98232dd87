/* keys.h: the key generations of one session.
 *
 * A session outlives its keys: every rekey is a full new handshake that gives the next generation,
 * named on the wire by one byte, the key epoch. Packet counters are not per generation: they go on
 * across rekeys, so a (key, counter) pair can never repeat and one replay window serves all.
 *
 *   current   sends; receives
 *   previous  receives only, for KEYS_PREVIOUS_US after the other side was seen to use current,
 *             then
 *             wiped. Until then the other side cannot but send under it (our proof may be lost for
 *             a
 *             while), so it stays, but never beyond KEYS_REJECT_US + KEYS_PREVIOUS_US of age
 *   next      the responder's unconfirmed generation: receives only; the first packet that opens
 *             under it proves the initiator has it and makes it current (keys_confirm)
 */
#ifndef MESHD_CRYPTO_NOISE_KEYS_H
#define MESHD_CRYPTO_NOISE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/aead/aead.h"

enum {
    KEYS_REKEY_US = 120 * 1000000,  /* begin a rekey: WireGuard's REKEY_AFTER_TIME */
    KEYS_REJECT_US = 180 * 1000000, /* never send with an older key: REJECT_AFTER_TIME */
    KEYS_PREVIOUS_US = 10 * 1000000 /* late packets of the old generation */
};
/* AES-GCM's confidentiality bound for 16 KiB-and-smaller packets is far above this (RFC 9001
 * appendix B gives 2^23 full-size packets for a 2^-57 advantage; the counters here are one
 * session's, and at 120 s per key the time limit comes first on any link below 100 Gbit/s). */
#define KEYS_MAX_PACKETS (UINT64_C(1) << 32)

struct keygen {
    bool valid;
    uint8_t epoch;
    enum aead_suite suite;
    uint64_t born_us;
    uint64_t first_counter; /* our send counter when it was made */
    struct aead_key send, recv;
    uint64_t send_id, recv_id; /* aead cache ids */
};

struct keys {
    struct keygen current, previous, next;
    uint64_t replaced_us; /* when `previous` became that */
    bool shown; /* the other side has used `current`: it has no need of `previous` any more */
};

/* Everything wiped, also in the aead cache. Legal on zeroes. */
void keys_clear(struct keys *k, struct aead *a);

/* Installs a copy of `g`; the caller fills epoch, suite, first_counter, send and recv (and wipes
 * its own), the rest is set here: born_us = now_us, key ids are drawn from `a`. as_next = true for
 * the responder (unconfirmed), false for the initiator (current at once; what was current becomes
 * previous). An unconfirmed `next` that was there is replaced by a new one, and dropped if a new
 * current has the same epoch byte. The epoch must differ from the current generation's. */
void keys_install(struct keys *k, struct aead *a, const struct keygen *g, bool as_next,
                  uint64_t now_us);

/* next -> current -> previous. Asserts that next is valid. */
void keys_confirm(struct keys *k, struct aead *a, uint64_t now_us);

/* A packet under `current` has come: from now on `previous` has KEYS_PREVIOUS_US left. */
void keys_show(struct keys *k, uint64_t now_us);
/* When keys_expire has something to do; UINT64_MAX without a previous generation. */
uint64_t keys_previous_until_us(const struct keys *k);

/* The generation that a packet's epoch byte names, or NULL; previous only while it is accepted. */
struct keygen *keys_for_epoch(struct keys *k, uint8_t epoch, uint64_t now_us);

/* Wipes `previous` if its time is over. */
void keys_expire(struct keys *k, struct aead *a, uint64_t now_us);

/* Time for a rekey: KEYS_REKEY_US old, or half of KEYS_MAX_PACKETS sent. False without a current
 * generation: then there is nothing to renew. */
bool keys_want_rekey(const struct keys *k, uint64_t now_us, uint64_t next_counter);
/* There is a current generation, younger than KEYS_REJECT_US and below KEYS_MAX_PACKETS. */
bool keys_may_send(const struct keys *k, uint64_t now_us, uint64_t next_counter);

#endif
