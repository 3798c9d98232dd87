/* The hash of a file is BLAKE3's, however its bytes are cut. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/tree/treehash.h"
#include "tests/unit/crypto/support_crypto.h"

/* As BLAKE3's own vectors count (test_vectors.json): byte i is i mod 251. */
enum { PERIOD = 251, MAX_BYTES = 300000 };

static uint8_t *data;

static int make_data(void **state) {
    (void)state;
    data = malloc(MAX_BYTES);
    for (size_t i = 0; data && i < MAX_BYTES; i++)
        data[i] = (uint8_t)(i % PERIOD);
    return data && sodium_init() >= 0 ? 0 : -1;
}

static int free_data(void **state) {
    (void)state;
    free(data);
    return 0;
}

static void of(size_t len, uint8_t root[static TREEHASH_BYTES]) {
    struct treehash *t = treehash_new();
    assert_non_null(t);
    treehash_update(t, data, len);
    treehash_final(t, root);
    treehash_free(t);
}

/* Of each length's first 32 bytes. */
static const struct {
    size_t len;
    const char *root;
} vectors[] = {
    {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
    {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
    {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
    {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
    {31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"},
    {102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
};

static void the_published_vectors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t root[TREEHASH_BYTES];
        char hex[2 * TREEHASH_BYTES + 1];
        of(vectors[i].len, root);
        sodium_bin2hex(hex, sizeof hex, root, sizeof root);
        assert_string_equal(hex, vectors[i].root);
    }
}

static void how_the_bytes_are_cut_does_not_matter(void **state) {
    (void)state;
    static const size_t pieces[] = {17, 1000, 1023, 1024, 1025, 65536, 65537, MAX_BYTES};
    uint8_t want[TREEHASH_BYTES], got[TREEHASH_BYTES];
    of(MAX_BYTES, want);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct treehash *t = treehash_new();
        assert_non_null(t);
        for (size_t at = 0; at < MAX_BYTES; at += pieces[i])
            treehash_update(t, data + at, MAX_BYTES - at < pieces[i] ? MAX_BYTES - at : pieces[i]);
        treehash_final(t, got);
        treehash_free(t);
        assert_memory_equal(got, want, sizeof want);
    }
}

static void random_pieces_and_empty_ones_do_not_matter(void **state) {
    (void)state;
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, 9);
    uint8_t want[TREEHASH_BYTES], got[TREEHASH_BYTES];
    of(MAX_BYTES, want);
    for (int round = 0; round < 20; round++) {
        struct treehash *t = treehash_new();
        assert_non_null(t);
        for (size_t at = 0; at < MAX_BYTES;) {
            size_t n = rng_u32(&rng) % (rng_u32(&rng) % 4 ? 5000 : 150000);
            n = n < MAX_BYTES - at ? n : MAX_BYTES - at;
            treehash_update(t, data + at, n);
            treehash_update(t, NULL, 0);
            at += n;
        }
        treehash_final(t, got);
        treehash_free(t);
        assert_memory_equal(got, want, sizeof want);
    }
}

static void every_length_and_every_byte_counts(void **state) {
    (void)state;
    uint8_t last[TREEHASH_BYTES] = {0}, got[TREEHASH_BYTES];
    for (size_t len = 0; len < 3000; len += 7) {
        of(len, got);
        assert_memory_not_equal(got, last, sizeof got);
        memcpy(last, got, sizeof last);
    }
    of(MAX_BYTES, last);
    for (size_t at = 0; at < MAX_BYTES; at += 9973) {
        data[at] ^= 1;
        of(MAX_BYTES, got);
        data[at] ^= 1;
        assert_memory_not_equal(got, last, sizeof got);
    }
}

static void the_end_may_be_asked_for_before_the_end(void **state) {
    (void)state;
    struct treehash *t = treehash_new();
    uint8_t want[TREEHASH_BYTES], got[TREEHASH_BYTES];
    assert_non_null(t);
    treehash_update(t, data, 5000);
    treehash_final(t, got);
    of(5000, want);
    assert_memory_equal(got, want, sizeof want);
    treehash_update(t, data + 5000, 5000);
    treehash_final(t, got);
    of(10000, want);
    assert_memory_equal(got, want, sizeof want);
    treehash_free(t);
    treehash_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors),
        cmocka_unit_test(how_the_bytes_are_cut_does_not_matter),
        cmocka_unit_test(random_pieces_and_empty_ones_do_not_matter),
        cmocka_unit_test(every_length_and_every_byte_counts),
        cmocka_unit_test(the_end_may_be_asked_for_before_the_end),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
