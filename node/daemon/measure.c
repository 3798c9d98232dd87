#include "node/daemon/measure.h"

#include <stdlib.h>

#include "net/os/clock.h"

enum { CANDIDATES = 2, ROUNDS = 12, PIECE_BYTES = 64 * 1024, PACKET_BYTES = 1400 };

static void seal_piece(struct aead *a, uint8_t *piece) {
    static const struct aead_key key; /* not a secret */
    const enum aead_suite suite = aead_choose(aead_suites(a), aead_suites(a));
    for (size_t at = 0; at + PACKET_BYTES <= PIECE_BYTES; at += PACKET_BYTES)
        aead_seal(a, suite, &key, 1, at, NULL, 0, piece + at, PACKET_BYTES - AEAD_TAG_BYTES);
}

/* The index of the fastest; *best_us of its best piece. */
static unsigned fastest(struct aead *const candidates[CANDIDATES], uint64_t *best_us) {
    unsigned best = candidates[0] ? 0 : 1;
    uint8_t *piece = calloc(1, PIECE_BYTES + AEAD_TAG_BYTES);
    *best_us = UINT64_MAX;
    for (unsigned round = 0; piece && round < ROUNDS; round++)
        for (unsigned i = 0; i < CANDIDATES; i++) {
            if (!candidates[i])
                continue;
            const uint64_t start_us = clock_now_us();
            seal_piece(candidates[i], piece);
            const uint64_t us = clock_now_us() - start_us;
            if (us < *best_us) {
                *best_us = us;
                best = i;
            }
        }
    free(piece);
    return best;
}

enum aead_provider measure_aead(unsigned *bytes_per_us) {
    enum aead_provider providers[CANDIDATES] = {AEAD_IPSEC_MB, AEAD_LIBSODIUM};
    struct aead *candidates[CANDIDATES] = {aead_new(AEAD_IPSEC_MB), aead_new(AEAD_LIBSODIUM)};
    uint64_t best_us;
    /* Not all three: where ipsec-mb runs it was ahead of OpenSSL 3.0 with every instruction set it
     * knows (docs/TRANSPORT.md), and what is not called takes less memory. */
    if (!candidates[0]) {
        providers[0] = AEAD_LIBCRYPTO;
        candidates[0] = aead_new(AEAD_LIBCRYPTO);
    }
    const unsigned best = fastest(candidates, &best_us);
    for (unsigned i = 0; i < CANDIDATES; i++)
        aead_free(candidates[i]);
    if (bytes_per_us)
        *bytes_per_us = best_us > 0 ? (unsigned)(PIECE_BYTES / best_us) : 0;
    return providers[best];
}
