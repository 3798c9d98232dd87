#include "crypto/noise/dh.h"

#include <sodium.h>

void dh_public_of(struct dh_public *out, const struct dh_secret *secret) {
    (void)crypto_scalarmult_curve25519_base(out->bytes, secret->bytes);
}

bool dh_shared(uint8_t out[static DH_KEY_BYTES], const struct dh_secret *ours,
               const struct dh_public *theirs) {
    int rc = crypto_scalarmult_curve25519(out, ours->bytes, theirs->bytes);
    /* libsodium refuses low-order points itself; the result is looked at too, so that the promise
     * does not hang on another library's list of points. */
    if (rc != 0 || sodium_is_zero(out, DH_KEY_BYTES)) {
        sodium_memzero(out, DH_KEY_BYTES);
        return false;
    }
    return true;
}
