/* support_forge.h: handshake messages as a hostile peer makes them: with real keys, right macs and
 * Noise as it should be, but any value in every field of the payload. */
#ifndef MESHD_TESTS_SUPPORT_FORGE_H
#define MESHD_TESTS_SUPPORT_FORGE_H

#include "crypto/base/rng.h"
#include "net/wire/handshake_msg.h"

struct forged_initiation {
    uint8_t version, suites, epoch, flags;
    uint32_t caps;
    uint64_t timestamp_us, session_id, psk_id;
    uint8_t challenge[CHALLENGE_BYTES];
    struct key_cert cert;
};

struct forged_response {
    uint8_t version, suites, suite, epoch;
    uint32_t flags, caps; /* bit 0 of flags: continues */
    uint64_t session_id;
    struct key_cert cert;
};

/* False: the key given is of low order. `n` is then ready for the answer. */
bool forge_initiation(struct noise *n, const struct handshake_self *self, const struct rng *rng,
                      const struct dh_public *to, const struct forged_initiation *f,
                      uint32_t sender, uint8_t out[static INITIATION_BYTES]);
/* `n` has read the initiation. */
bool forge_response(struct noise *n, const struct rng *rng, const struct psk *psk,
                    const struct forged_response *f, uint32_t sender, uint32_t receiver,
                    uint8_t out[static RESPONSE_BYTES]);

#endif
