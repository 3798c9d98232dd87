/* draw.h: every random decision of a simulated world is hash(seed, entity, kind, number):
 * SipHash-2-4 keyed by the seed. No state is shared, so taking one host or one fault away leaves
 * all other draws as they were: that is what makes shrinking and comparing runs possible.
 */
#ifndef MESHD_SIM_ENGINE_DRAW_H
#define MESHD_SIM_ENGINE_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum draw_kind {
    DRAW_LOSS,
    DRAW_BURST,
    DRAW_REORDER,
    DRAW_DUPLICATE,
    DRAW_DUPLICATE_DELAY,
    DRAW_CORRUPT,
    DRAW_CORRUPT_BIT,
    DRAW_READ_ERROR,
    DRAW_CONTENT,
    DRAW_JITTER,
    DRAW_LOAD,
    DRAW_LOAD_TARGET,
    DRAW_HOSTILE,
    DRAW_GRAPH,
    DRAW_CHOICE,
    DRAW_POWER_CUT,
    DRAW_STREAM, /* the keys of draw_stream: from here on upwards, nothing else */
};

struct draw {
    uint8_t key[16];
};

void draw_init(struct draw *d, uint64_t seed);
uint64_t draw_u64(const struct draw *d, uint32_t entity, enum draw_kind kind, uint64_t number);

/* Probabilities are parts per billion: integers, so that every machine decides alike. */
enum { DRAW_ALWAYS_PPB = 1000000000 };
static inline bool draw_chance(uint64_t drawn, uint32_t ppb) {
    return ((drawn >> 32) * DRAW_ALWAYS_PPB) >> 32 < ppb;
}
/* 0..n-1, n < 2^32; 0 for n = 0. */
static inline uint64_t draw_below(uint64_t drawn, uint64_t n) {
    return ((drawn >> 32) * n) >> 32;
}

/* Bytes for a `struct rng` (crypto/base/rng.h): fill call number i of an entity's life number
 * `life` is ChaCha20 under a key drawn for (entity, life), with nonce i. */
struct draw_stream {
    uint8_t key[32];
    uint64_t calls;
};
void draw_stream_init(struct draw_stream *s, const struct draw *d, uint32_t entity, uint32_t life);
void draw_stream_fill(void *stream, void *buf, size_t len);

#endif
