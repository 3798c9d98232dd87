/* crypto_mode.h: how much of the cryptography a simulated world really computes.
 *
 *   real  all of it
 *   memo  every X25519 agreement and every Ed25519 verification is computed once per process and
 *         remembered: the
 *         two ends of a handshake share the work, and so do all who verify one signature. Same
 *         bytes as real.
 *   stub  nothing secret: agreements and signatures are hashes of public values, packets stay
 *         readable and
 *         carry a SipHash tag under the key. For runs whose question is scale; reports say so.
 *
 * The node core is not changed: the linker puts these functions in front of crypto/noise/dh,
 * crypto/identity/sign and crypto/aead/aead (`--wrap`), in meshsim and its tests only. One mode per
 * process at a time; a change counts from the next call.
 */
#ifndef MESHD_SIM_ENGINE_CRYPTO_MODE_H
#define MESHD_SIM_ENGINE_CRYPTO_MODE_H

#include <stdbool.h>
#include <stdint.h>

enum crypto_mode { CRYPTO_REAL, CRYPTO_MEMO, CRYPTO_STUB };

const char *crypto_mode_name(enum crypto_mode m);
bool crypto_mode_find(const char *name, enum crypto_mode *out);
/* False if this build can only do CRYPTO_REAL. */
bool crypto_mode_supported(enum crypto_mode m);
void crypto_mode_set(enum crypto_mode m);
enum crypto_mode crypto_mode_get(void);
/* Forgets (and wipes) what memo has remembered. */
void crypto_mode_clear(void);

/* Is told of every packet that is sealed, or opened and right, in all modes; NULL: nobody is. */
struct crypto_hooks {
    void *ctx;
    void (*sealed)(void *ctx, const uint8_t *key, uint64_t counter); /* a key has 32 bytes */
    void (*opened)(void *ctx, const uint8_t *key, uint64_t counter);
};
void crypto_mode_hook(const struct crypto_hooks *h);

struct crypto_mode_counts {
    uint64_t computed, remembered; /* asymmetric operations since the last clear */
};
void crypto_mode_counts(struct crypto_mode_counts *out);

#endif
