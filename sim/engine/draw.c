#include "sim/engine/draw.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/bytes.h"

_Static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "SipHash-2-4");

void draw_init(struct draw *d, uint64_t seed) {
    static const char label[8] = "meshsim1";
    store_le64(d->key, seed);
    memcpy(d->key + 8, label, sizeof label);
}

uint64_t draw_u64(const struct draw *d, uint32_t entity, enum draw_kind kind, uint64_t number) {
    uint8_t in[16], out[8];
    store_le32(in, entity);
    store_le32(in + 4, (uint32_t)kind);
    store_le64(in + 8, number);
    (void)crypto_shorthash(out, in, sizeof in, d->key);
    return load_le64(out);
}

void draw_stream_init(struct draw_stream *s, const struct draw *d, uint32_t entity, uint32_t life) {
    for (unsigned i = 0; i < 4; i++)
        store_le64(s->key + 8 * i, draw_u64(d, entity, DRAW_STREAM, (uint64_t)life << 8 | i));
    s->calls = 0;
}

void draw_stream_fill(void *stream, void *buf, size_t len) {
    struct draw_stream *s = stream;
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    store_le64(nonce, s->calls++);
    (void)crypto_stream_chacha20(buf, len, nonce, s->key);
}
