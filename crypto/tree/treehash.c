#include "crypto/tree/treehash.h"

#include <assert.h>
#include <blake3.h>
#include <sodium.h>

#include "crypto/base/mem.h"

static_assert(TREEHASH_BYTES == BLAKE3_OUT_LEN, "the root is BLAKE3's default output");

struct treehash {
    blake3_hasher hasher;
};

struct treehash *treehash_new(void) {
    struct treehash *t = mem_alloc(sizeof *t);
    if (t)
        blake3_hasher_init(&t->hasher);
    return t;
}

void treehash_free(struct treehash *t) {
    if (!t)
        return;
    sodium_memzero(t, sizeof *t); /* the end of a file may be in it */
    mem_free(t);
}

void treehash_update(struct treehash *t, const void *data, size_t len) {
    if (len > 0) /* the library adds 0 to data */
        blake3_hasher_update(&t->hasher, data, len);
}

void treehash_final(const struct treehash *t, uint8_t root[static TREEHASH_BYTES]) {
    blake3_hasher_finalize(&t->hasher, root, TREEHASH_BYTES);
}
