/* handshake_msg.h: the three handshake messages (packet.h, docs/PROTOCOL.md §3) made and read: the
 * glue between wire and Noise. No state machine here: who answers what, and when, is
 * net/handshake_answer.c.
 */
#ifndef MESHD_NET_WIRE_HANDSHAKE_MSG_H
#define MESHD_NET_WIRE_HANDSHAKE_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/aead/aead.h"
#include "crypto/identity/identity.h"
#include "crypto/noise/keys.h"
#include "crypto/noise/noise.h"
#include "net/wire/packet.h"

struct handshake_self { /* what a node brings to every handshake */
    const struct identity *identity;
    const struct key_cert *cert;
    const uint8_t *prologue; /* "meshd v1" | network id */
    size_t prologue_len;
    unsigned suites;
};

struct initiation { /* payload of message 1 */
    uint8_t version;
    unsigned suites;
    uint8_t epoch;
    uint32_t caps;
    uint64_t timestamp_us, session_id, psk_id;
    uint8_t challenge[CHALLENGE_BYTES];
    struct key_cert cert;
};

struct response { /* payload of message 2 */
    uint8_t version;
    unsigned suites, suite;
    uint8_t epoch;
    uint32_t caps;
    bool continues; /* the session named in message 1 goes on; else a new one begins */
    uint64_t session_id;
    struct key_cert cert;
};

/* 0 for no psk; else the first 8 bytes of BLAKE2b("meshd psk id v1" | psk). */
uint64_t psk_id(const struct psk *psk);

/* Initiator. `n` keeps the state for read_response. mac2 is zero until handshake_set_mac2. False: a
 * low-order key. */
bool handshake_write_initiation(struct noise *n, const struct handshake_self *self,
                                const struct dh_public *peer, const struct dh_secret *ephemeral,
                                const struct initiation *in, uint32_t sender,
                                uint8_t out[static INITIATION_BYTES]) MUST_USE;
/* mac2 over everything before it, for either message. */
void handshake_set_mac2(uint8_t *msg, size_t len, const uint8_t cookie[static COOKIE_BYTES]);

/* Responder. mac1 is for us. */
bool handshake_mac1_ok(const struct identity *self, const uint8_t msg[static INITIATION_BYTES]);
/* Why nobody is let in whose message 1 opens: docs/PROTOCOL.md §3. 0 is none. */
enum refusal {
    REFUSAL_UNKNOWN = 1,
    REFUSAL_SECRET,
    REFUSAL_KEY,
    REFUSAL_FULL, /* a relay has guests enough */
    REFUSALS_MAX = 7,
};
/* A refusal is a RETRY without cookie and challenge, whose nonce is made with what message 1 has
 * made common: nobody but the two ends can make it, or tell the reason. After
 * handshake_read_initiation. */
bool handshake_refusal(const struct noise *n, enum refusal why,
                       const uint8_t msg[static INITIATION_BYTES],
                       uint8_t nonce[static COOKIE_NONCE_BYTES]) MUST_USE;
/* Initiator, after handshake_write_initiation: the reason, 1 to REFUSALS_MAX; 0: not by who was
 * asked. */
unsigned handshake_refused(const struct noise *n, const uint8_t msg[static INITIATION_BYTES],
                           const uint8_t nonce[static COOKIE_NONCE_BYTES]);
/* Decrypts message 1; n is then ready for handshake_write_response. False: not authentic or
 * malformed. */
bool handshake_read_initiation(struct noise *n, const struct handshake_self *self,
                               const uint8_t msg[static INITIATION_BYTES], struct initiation *out,
                               uint32_t *sender) MUST_USE;
bool handshake_write_response(struct noise *n, const struct handshake_self *self,
                              const struct dh_secret *ephemeral, const struct psk *psk,
                              const struct response *r, uint32_t sender, uint32_t receiver,
                              uint8_t out[static RESPONSE_BYTES]) MUST_USE;

/* Initiator. mac1 is by whoever could read our initiation: nobody else can make us spend X25519 on
 * an answer, or tell from it whose it is. */
bool handshake_response_mac1_ok(const struct noise *n, const uint8_t msg[static RESPONSE_BYTES]);
/* False leaves `n` as it was. */
bool handshake_read_response(struct noise *n, const uint8_t msg[static RESPONSE_BYTES],
                             const struct psk *psk, struct response *out,
                             uint32_t *sender) MUST_USE;

/* What an initiation of ours has offered, as its session stands when the answer comes. */
struct offer {
    unsigned suites;
    uint64_t session_id;
    bool rekey;    /* of a session that is up */
    uint8_t epoch; /* of a rekey: the one after the present one */
};

/* Here, and nowhere else, what the other side chose is held against what it was given to choose
 * from: a message that authenticates is still a peer's word. What does not fit is passed over as if
 * it had not come. */
bool handshake_response_fits(const struct offer *o, const struct response *r) MUST_USE;
bool handshake_initiation_fits(unsigned suites, const struct initiation *in) MUST_USE;

/* Both, after message 2: a key generation (ids not set) and the secret for pairing. */
void handshake_keys(const struct noise *n, bool initiator, enum aead_suite suite, uint8_t epoch,
                    struct keygen *out, struct psk *pairing);

#endif
