#include "node/daemon/measure.h"

#include <stdlib.h>

#include "node/daemon/clock.h"

enum { CANDIDATES = 3, ROUNDS = 12, PIECE_BYTES = 64 * 1024, PACKET_BYTES = 1400 };

/* Does PIECE_BYTES of work, in place. */
typedef void (*work)(void *candidate, uint8_t *piece);

struct best {
    unsigned index, bytes_per_us;
};

static struct best fastest(void *const candidates[CANDIDATES], work run) {
    uint64_t best_us[CANDIDATES] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    uint8_t *piece = calloc(1, PIECE_BYTES + AEAD_TAG_BYTES);
    for (unsigned round = 0; piece && round < ROUNDS; round++)
        for (unsigned i = 0; i < CANDIDATES; i++) {
            if (!candidates[i])
                continue;
            const uint64_t start_us = clock_now_us();
            run(candidates[i], piece);
            const uint64_t us = clock_now_us() - start_us;
            if (us < best_us[i])
                best_us[i] = us;
        }
    free(piece);
    struct best b = {0};
    for (unsigned i = 1; i < CANDIDATES; i++)
        if (best_us[i] < best_us[b.index])
            b.index = i;
    if (best_us[b.index] > 0)
        b.bytes_per_us = (unsigned)(PIECE_BYTES / best_us[b.index]);
    return b;
}

static void hash_piece(void *candidate, uint8_t *piece) {
    treehash_update(candidate, piece, PIECE_BYTES);
}

enum treehash_alg measure_hash(unsigned *bytes_per_us) {
    static const enum treehash_alg algs[CANDIDATES] = {TREEHASH_BLAKE2B, TREEHASH_SHA256};
    void *candidates[CANDIDATES];
    for (unsigned i = 0; i < CANDIDATES; i++)
        candidates[i] = treehash_new(algs[i]);
    const struct best b = fastest(candidates, hash_piece);
    for (unsigned i = 0; i < CANDIDATES; i++)
        treehash_free(candidates[i]);
    if (bytes_per_us)
        *bytes_per_us = b.bytes_per_us;
    return algs[b.index];
}

static void seal_piece(void *candidate, uint8_t *piece) {
    static const struct aead_key key; /* not a secret */
    const enum aead_suite suite = aead_choose(aead_suites(candidate), aead_suites(candidate));
    for (size_t at = 0; at + PACKET_BYTES <= PIECE_BYTES; at += PACKET_BYTES)
        aead_seal(candidate, suite, &key, 1, at, NULL, 0, piece + at,
                  PACKET_BYTES - AEAD_TAG_BYTES);
}

enum aead_provider measure_aead(unsigned *bytes_per_us) {
    static const enum aead_provider providers[CANDIDATES] = {AEAD_LIBCRYPTO, AEAD_LIBSODIUM,
                                                             AEAD_IPSEC_MB};
    void *candidates[CANDIDATES];
    for (unsigned i = 0; i < CANDIDATES; i++)
        candidates[i] = aead_new(providers[i]);
    const struct best b = fastest(candidates, seal_piece);
    for (unsigned i = 0; i < CANDIDATES; i++)
        aead_free(candidates[i]);
    if (bytes_per_us)
        *bytes_per_us = b.bytes_per_us;
    return providers[b.index];
}
