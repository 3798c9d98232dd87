/* content.c: what files of a virtual disk contain: a 64-bit word per 8 bytes of offset, mixed as
 * splitmix64 does. */
#include <string.h>

#include "crypto/base/bytes.h"
#include "sim/disk/disk.h"

enum { WORD = 8, CHUNK = 4096 };

uint64_t disk_content_key(const struct draw *draw, const char *name) {
    uint64_t key = 0;
    for (size_t at = 0, len = strlen(name); at < len; at += WORD) {
        uint8_t word[WORD] = {0};
        memcpy(word, name + at, len - at < WORD ? len - at : WORD);
        key = draw_u64(draw, (uint32_t)(at / WORD), DRAW_CONTENT, key ^ load_le64(word));
    }
    return key;
}

static uint64_t word_at(uint64_t key, uint64_t index) {
    uint64_t z = key + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void disk_generate(uint64_t key, uint64_t offset, uint8_t *out, size_t len) {
    uint64_t index = offset / WORD;
    const size_t skip = (size_t)(offset % WORD);
    if (skip > 0 && len > 0) {
        uint8_t word[WORD];
        const size_t n = len < WORD - skip ? len : WORD - skip;
        store_le64(word, word_at(key, index++));
        memcpy(out, word + skip, n);
        out += n;
        len -= n;
    }
    for (; len >= WORD; out += WORD, len -= WORD)
        store_le64(out, word_at(key, index++));
    if (len > 0) {
        uint8_t word[WORD];
        store_le64(word, word_at(key, index));
        memcpy(out, word, len);
    }
}

uint64_t disk_wrong_bytes(uint64_t key, uint64_t offset, const uint8_t *in, size_t len) {
    uint8_t want[CHUNK];
    uint64_t wrong = 0;
    while (len > 0) {
        const size_t n = len < CHUNK ? len : CHUNK;
        disk_generate(key, offset, want, n);
        if (memcmp(in, want, n) != 0)
            for (size_t i = 0; i < n; i++)
                wrong += in[i] != want[i];
        offset += n;
        in += n;
        len -= n;
    }
    return wrong;
}
