#include "crypto/treehash.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBCRYPTO
#include <openssl/evp.h>
#endif

#include "crypto/bytes.h"

enum { PREFIX_LEAF = 0, PREFIX_INNER = 1, PREFIX_ROOT = 2 };

struct treehash {
    enum treehash_alg alg;
    bool ended;
    uint64_t length;
    size_t leaf_fill; /* bytes in the running leaf */
    /* Complete subtrees, largest first. Their sizes are the binary digits of `leaves`, so one more
     * than TREEHASH_LEVELS is enough for the moment between adding a leaf and merging. */
    uint64_t leaves;
    unsigned depth;
    uint8_t stack[TREEHASH_LEVELS + 1][TREEHASH_BYTES];
    union {
        crypto_generichash_blake2b_state blake2b;
        crypto_hash_sha256_state sha256;
    } run;
#ifdef HAVE_LIBCRYPTO
    EVP_MD *md; /* NULL: libsodium hashes */
    EVP_MD_CTX *ctx;
#endif
};

/* ---- one hash with a prefix ---- */

#ifdef HAVE_LIBCRYPTO
/* A context that was begun once allocates nothing any more. There is no wrong hash to go on with.
 */
static void must(int rc) {
    if (rc != 1)
        abort();
}
#endif

static void hash_add(struct treehash *t, const uint8_t *data, size_t len) {
#ifdef HAVE_LIBCRYPTO
    if (t->md) {
        must(EVP_DigestUpdate(t->ctx, data, len));
        return;
    }
#endif
    if (t->alg == TREEHASH_SHA256)
        (void)crypto_hash_sha256_update(&t->run.sha256, data, len);
    else
        (void)crypto_generichash_blake2b_update(&t->run.blake2b, data, len);
}

static void hash_begin(struct treehash *t, uint8_t prefix) {
#ifdef HAVE_LIBCRYPTO
    if (t->md) {
        must(EVP_DigestInit_ex(t->ctx, t->md, NULL));
        hash_add(t, &prefix, 1);
        return;
    }
#endif
    if (t->alg == TREEHASH_SHA256)
        (void)crypto_hash_sha256_init(&t->run.sha256);
    else
        (void)crypto_generichash_blake2b_init(&t->run.blake2b, NULL, 0, TREEHASH_BYTES);
    hash_add(t, &prefix, 1);
}

static void hash_end(struct treehash *t, uint8_t out[static TREEHASH_BYTES]) {
#ifdef HAVE_LIBCRYPTO
    if (t->md) {
        must(EVP_DigestFinal_ex(t->ctx, out, NULL));
        return;
    }
#endif
    if (t->alg == TREEHASH_SHA256)
        (void)crypto_hash_sha256_final(&t->run.sha256, out);
    else
        (void)crypto_generichash_blake2b_final(&t->run.blake2b, out, TREEHASH_BYTES);
}

/* ---- the tree ---- */

/* The two topmost subtrees become one. */
static void merge_top(struct treehash *t) {
    uint8_t *left = t->stack[t->depth - 2];
    hash_begin(t, PREFIX_INNER);
    hash_add(t, left, TREEHASH_BYTES);
    hash_add(t, t->stack[t->depth - 1], TREEHASH_BYTES);
    hash_end(t, left);
    t->depth--;
}

/* Ends the running leaf, then merges subtrees of equal size: as many as `leaves` ends in ones. */
static void end_leaf(struct treehash *t) {
    assert(t->depth <= TREEHASH_LEVELS);
    hash_end(t, t->stack[t->depth++]);
    for (uint64_t n = t->leaves; n & 1; n >>= 1)
        merge_top(t);
    t->leaves++;
    t->leaf_fill = 0;
}

/* libsodium's BLAKE2b state, and so the struct, wants more alignment than malloc gives. */
static struct treehash *aligned_new(void) {
#ifdef _WIN32
    struct treehash *t = _aligned_malloc(sizeof *t, _Alignof(struct treehash));
#else
    struct treehash *t = aligned_alloc(_Alignof(struct treehash), sizeof *t);
#endif
    if (t)
        memset(t, 0, sizeof *t);
    return t;
}

static void aligned_free(struct treehash *t) {
#ifdef _WIN32
    _aligned_free(t);
#else
    free(t);
#endif
}

struct treehash *treehash_new(enum treehash_alg alg) {
    if (!treehash_known(alg))
        return NULL;
    struct treehash *t = aligned_new();
    if (!t)
        return NULL;
    t->alg = alg;
#ifdef HAVE_LIBCRYPTO
    if (alg == TREEHASH_SHA256) {
        t->md = EVP_MD_fetch(NULL, "SHA256", NULL);
        t->ctx = EVP_MD_CTX_new();
        if (!t->md || !t->ctx || EVP_DigestInit_ex(t->ctx, t->md, NULL) != 1) {
            EVP_MD_free(t->md);
            t->md = NULL; /* libsodium needs no memory */
        }
    }
#endif
    hash_begin(t, PREFIX_LEAF);
    return t;
}

void treehash_free(struct treehash *t) {
    if (!t)
        return;
#ifdef HAVE_LIBCRYPTO
    EVP_MD_CTX_free(t->ctx);
    EVP_MD_free(t->md);
#endif
    sodium_memzero(t, sizeof *t);
    aligned_free(t);
}

void treehash_update(struct treehash *t, const void *data, size_t len) {
    assert(!t->ended);
    const uint8_t *p = data;
    while (len > 0) {
        /* A full leaf is ended only when a byte follows it: the last leaf is never an empty one. */
        if (t->leaf_fill == TREEHASH_LEAF_BYTES) {
            end_leaf(t);
            hash_begin(t, PREFIX_LEAF);
        }
        size_t room = TREEHASH_LEAF_BYTES - t->leaf_fill;
        size_t n = len < room ? len : room;
        hash_add(t, p, n);
        t->leaf_fill += n;
        t->length += n;
        p += n;
        len -= n;
    }
}

void treehash_final(struct treehash *t, uint8_t root[static TREEHASH_BYTES]) {
    assert(!t->ended);
    t->ended = true;
    end_leaf(t);
    while (t->depth > 1) /* RFC 6962's right edge: the smaller subtree is the right one */
        merge_top(t);

    uint8_t head[9];
    head[0] = (uint8_t)t->alg;
    store_le64(head + 1, t->length);
    hash_begin(t, PREFIX_ROOT);
    hash_add(t, head, sizeof head);
    hash_add(t, t->stack[0], TREEHASH_BYTES);
    hash_end(t, root);
}

uint64_t treehash_length(const struct treehash *t) {
    return t->length;
}

bool treehash_known(unsigned alg) {
    return alg == TREEHASH_BLAKE2B || alg == TREEHASH_SHA256;
}

const char *treehash_name(unsigned alg) {
    switch (alg) {
    case TREEHASH_BLAKE2B:
        return "blake2b";
    case TREEHASH_SHA256:
        return "sha256";
    default:
        return "unknown";
    }
}
