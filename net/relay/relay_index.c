#include "net/relay/relay_index.h"

#include <assert.h>
#include <sodium.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"

struct relay_index_entry {
    uint32_t hash, place_1; /* the place + 1; 0: free */
};

static_assert(RELAY_INDEX_SECRET_BYTES == crypto_shorthash_KEYBYTES, "SipHash-2-4");

void relay_index_clear(struct relay_index *x) {
    mem_free(x->entries);
    *x = (struct relay_index){0};
}

uint32_t relay_index_hash(const struct relay_index *x, const void *key, size_t len) {
    uint8_t out[crypto_shorthash_BYTES];
    (void)crypto_shorthash(out, key, len, x->secret);
    return load_le32(out);
}

uint32_t relay_index_find(const struct relay_index *x, uint32_t hash, uint32_t *at) {
    for (; *at < x->cap; ++*at) {
        const struct relay_index_entry *e = &x->entries[(hash + *at) & (x->cap - 1)];
        if (e->place_1 == 0)
            break;
        if (e->hash == hash) {
            ++*at;
            return e->place_1 - 1;
        }
    }
    return RELAY_INDEX_NONE;
}

static void put(struct relay_index *x, struct relay_index_entry e) {
    uint32_t i = e.hash & (x->cap - 1);
    while (x->entries[i].place_1 != 0)
        i = (i + 1) & (x->cap - 1);
    x->entries[i] = e;
}

static bool grow(struct relay_index *x) {
    struct relay_index bigger = *x;
    bigger.cap = x->cap ? x->cap * 2 : 16;
    bigger.entries = mem_calloc(bigger.cap, sizeof *bigger.entries);
    if (!bigger.entries)
        return false;
    for (uint32_t i = 0; i < x->cap; i++)
        if (x->entries[i].place_1 != 0)
            put(&bigger, x->entries[i]);
    mem_free(x->entries);
    *x = bigger;
    return true;
}

bool relay_index_add(struct relay_index *x, uint32_t hash, uint32_t place) {
    if (x->count + 1 > x->cap / 3 * 2 && !grow(x))
        return false;
    put(x, (struct relay_index_entry){hash, place + 1});
    x->count++;
    return true;
}

/* Those behind it that could not have their own place move up (Knuth, TAOCP 6.4, algorithm R). */
void relay_index_remove(struct relay_index *x, uint32_t hash, uint32_t place) {
    const uint32_t mask = x->cap - 1;
    uint32_t i = hash & mask;
    while (x->entries[i].place_1 != place + 1) {
        assert(x->entries[i].place_1 != 0);
        i = (i + 1) & mask;
    }
    x->count--;
    for (uint32_t j = (i + 1) & mask; x->entries[j].place_1 != 0; j = (j + 1) & mask) {
        const uint32_t home = x->entries[j].hash & mask;
        if (((j - home) & mask) >= ((j - i) & mask)) {
            x->entries[i] = x->entries[j];
            i = j;
        }
    }
    x->entries[i] = (struct relay_index_entry){0};
}

size_t relay_index_memory(const struct relay_index *x) {
    return x->cap * sizeof *x->entries;
}
