#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/bytes.h"
#include "crypto/treehash.h"
#include "tests/unit/crypto/support_crypto.h"

enum { LEAF = TREEHASH_LEAF_BYTES, MAX_BYTES = 9 * LEAF + 100 };

static const enum treehash_alg algs[] = {TREEHASH_BLAKE2B, TREEHASH_SHA256};
static uint8_t *data;

static int make_data(void **state) {
    (void)state;
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, 1);
    if (sodium_init() < 0)
        return -1;
    data = malloc(MAX_BYTES);
    if (!data)
        return -1;
    rng_fill(&rng, data, MAX_BYTES);
    return 0;
}

static int free_data(void **state) {
    (void)state;
    free(data);
    return 0;
}

/* ---- RFC 6962 §2.1 as it is written, by recursion, over libsodium's one-shot hashes ---- */

static void plain_hash(enum treehash_alg alg, uint8_t prefix, const uint8_t *a, size_t a_len,
                       const uint8_t *b, size_t b_len, uint8_t out[static 32]) {
    uint8_t *all = malloc(1 + a_len + b_len);
    assert_non_null(all);
    all[0] = prefix;
    if (a_len > 0)
        memcpy(all + 1, a, a_len);
    if (b_len > 0)
        memcpy(all + 1 + a_len, b, b_len);
    if (alg == TREEHASH_SHA256)
        crypto_hash_sha256(out, all, 1 + a_len + b_len);
    else
        crypto_generichash(out, 32, all, 1 + a_len + b_len, NULL, 0);
    free(all);
}

static void merkle(enum treehash_alg alg, const uint8_t *p, size_t len, uint8_t out[static 32]) {
    size_t leaves = len == 0 ? 1 : (len + LEAF - 1) / LEAF, k = 1;
    uint8_t left[32], right[32];
    if (leaves == 1) {
        plain_hash(alg, 0, p, len, NULL, 0, out);
        return;
    }
    while (k * 2 < leaves) /* the largest power of two smaller than `leaves` */
        k *= 2;
    merkle(alg, p, k * LEAF, left);
    merkle(alg, p + k * LEAF, len - k * LEAF, right);
    plain_hash(alg, 1, left, 32, right, 32, out);
}

static void reference(enum treehash_alg alg, size_t len, uint8_t out[static 32]) {
    uint8_t head[9] = {(uint8_t)alg}, top[32];
    store_le64(head + 1, len);
    merkle(alg, data, len, top);
    plain_hash(alg, 2, head, sizeof head, top, 32, out);
}

/* In pieces of `piece` bytes. */
static void streamed(enum treehash_alg alg, size_t len, size_t piece, uint8_t out[static 32]) {
    struct treehash *t = treehash_new(alg);
    assert_non_null(t);
    for (size_t at = 0; at < len; at += piece)
        treehash_update(t, data + at, len - at < piece ? len - at : piece);
    assert_true(treehash_length(t) == len);
    treehash_final(t, out);
    assert_true(treehash_length(t) == len);
    treehash_free(t);
}

static const size_t lengths[] = {
    0,
    1,
    2,
    LEAF - 1,
    LEAF,
    LEAF + 1,
    2 * LEAF - 1,
    2 * LEAF,
    2 * LEAF + 1,
    3 * LEAF,
    4 * LEAF,
    4 * LEAF + 1,
    5 * LEAF,
    6 * LEAF + 7,
    7 * LEAF,
    8 * LEAF,
    9 * LEAF + 99,
};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };

/* With libcrypto in the build this also says that its SHA-256 and libsodium's are the same. */
static void roots_are_those_of_a_plain_rfc_6962_tree(void **state) {
    (void)state;
    for (size_t a = 0; a < 2; a++) {
        for (size_t i = 0; i < LENGTHS; i++) {
            uint8_t want[32], got[32];
            reference(algs[a], lengths[i], want);
            streamed(algs[a], lengths[i], MAX_BYTES, got);
            if (memcmp(want, got, 32) != 0)
                fail_msg("%s of %zu bytes", treehash_name(algs[a]), lengths[i]);
        }
    }
}

static void how_the_bytes_are_cut_does_not_matter(void **state) {
    (void)state;
    static const size_t pieces[] = {17, 1000, 65536, LEAF - 1, LEAF, LEAF + 1, 3 * LEAF};
    const size_t len = 5 * LEAF + 12345;
    for (size_t a = 0; a < 2; a++) {
        uint8_t want[32], got[32];
        streamed(algs[a], len, len, want);
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            streamed(algs[a], len, pieces[i], got);
            assert_memory_equal(got, want, 32);
        }
    }
}

static void random_pieces_and_empty_ones_do_not_matter(void **state) {
    (void)state;
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, 9);
    for (size_t a = 0; a < 2; a++) {
        uint8_t want[32], got[32];
        streamed(algs[a], MAX_BYTES, MAX_BYTES, want);
        struct treehash *t = treehash_new(algs[a]);
        for (size_t at = 0; at < MAX_BYTES;) {
            size_t n = rng_u32(&rng) % (rng_u32(&rng) % 4 ? 5000 : 2 * LEAF);
            n = n < MAX_BYTES - at ? n : MAX_BYTES - at;
            treehash_update(t, data + at, n);
            treehash_update(t, NULL, 0);
            at += n;
        }
        treehash_final(t, got);
        treehash_free(t);
        assert_memory_equal(got, want, 32);
    }
}

static void an_empty_file_has_one_empty_leaf(void **state) {
    (void)state;
    /* SHA-256(02 | 02 | 0^8 | SHA-256(00)), by coreutils */
    static const char zero_leaf[] =
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    uint8_t in[42] = {2, TREEHASH_SHA256}, want[32], got[32];
    unhex(in + 10, 32, zero_leaf);
    crypto_hash_sha256(want, in, sizeof in);
    streamed(TREEHASH_SHA256, 0, 1, got);
    assert_memory_equal(got, want, 32);
}

static void content_length_and_algorithm_all_change_the_root(void **state) {
    (void)state;
    uint8_t roots[6][32];
    streamed(TREEHASH_SHA256, 3 * LEAF, LEAF, roots[0]);
    streamed(TREEHASH_BLAKE2B, 3 * LEAF, LEAF, roots[1]);
    streamed(TREEHASH_SHA256, 3 * LEAF - 1, LEAF, roots[2]);
    data[LEAF + 5] ^= 1;
    streamed(TREEHASH_SHA256, 3 * LEAF, LEAF, roots[3]);
    data[LEAF + 5] ^= 1;
    streamed(TREEHASH_SHA256, 2 * LEAF, LEAF, roots[4]);
    streamed(TREEHASH_SHA256, 0, LEAF, roots[5]);
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = i + 1; j < 6; j++)
            assert_memory_not_equal(roots[i], roots[j], 32);
    }
}

static void unknown_algorithms_are_refused(void **state) {
    (void)state;
    assert_true(treehash_known(TREEHASH_BLAKE2B) && treehash_known(TREEHASH_SHA256));
    assert_false(treehash_known(0) || treehash_known(3) || treehash_known(~0U));
    assert_null(treehash_new((enum treehash_alg)0));
    assert_null(treehash_new((enum treehash_alg)3));
    assert_string_equal(treehash_name(1), "blake2b");
    assert_string_equal(treehash_name(2), "sha256");
    assert_string_equal(treehash_name(3), "unknown");
    treehash_free(NULL);
}

static void giving_up_half_way_is_fine(void **state) {
    (void)state;
    for (size_t a = 0; a < 2; a++) {
        struct treehash *t = treehash_new(algs[a]);
        treehash_update(t, data, LEAF + 3);
        treehash_free(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_a_plain_rfc_6962_tree),
        cmocka_unit_test(how_the_bytes_are_cut_does_not_matter),
        cmocka_unit_test(random_pieces_and_empty_ones_do_not_matter),
        cmocka_unit_test(an_empty_file_has_one_empty_leaf),
        cmocka_unit_test(content_length_and_algorithm_all_change_the_root),
        cmocka_unit_test(unknown_algorithms_are_refused),
        cmocka_unit_test(giving_up_half_way_is_fine),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
