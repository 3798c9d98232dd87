#include <string.h>

#include "crypto/aead.h"
#include "tests/unit/crypto/support_crypto.h"

enum { MAX_LEN = 4096 };

static const enum aead_provider providers[] = {AEAD_LIBSODIUM, AEAD_LIBCRYPTO};
static const enum aead_suite suites[] = {AEAD_CHACHA20_POLY1305, AEAD_AES_256_GCM};

/* Runs `check` with every provider of this build and every suite of this machine. */
static void each(void (*check)(struct aead *a, enum aead_suite suite)) {
    for (size_t p = 0; p < 2; p++) {
        struct aead *a = aead_new(providers[p]);
        for (size_t s = 0; a && s < 2; s++) {
            if (aead_suites(a) & (unsigned)suites[s])
                check(a, suites[s]);
        }
        aead_free(a);
    }
}

/* ---- published vectors ---- */

/* RFC 8439 appendix A.5: its nonce is 4 zero bytes and 8 more, as ours. */
static const char rfc8439_key[] = "1c9240a5eb55d38af333888604f6b5f0"
                                  "473917c1402b80099dca5cbc207075c0";
static const char rfc8439_text[] =
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, "
    "replaced, or obsoleted by other documents at any time. It is inappropriate to use "
    "Internet-Drafts as reference material or to cite them other than as /\xe2\x80\x9cwork in "
    "progress./\xe2\x80\x9d";
static const char rfc8439_sealed[] =
    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
    "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
    "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
    "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
    "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
    "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
    "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
    "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
    "a6ad5cb4022b02709b"
    "eead9d67890cbb22392336fea1851f38";

static void check_rfc8439(struct aead *a, enum aead_suite suite) {
    if (suite != AEAD_CHACHA20_POLY1305)
        return;
    enum { LEN = sizeof rfc8439_text - 1 };
    struct aead_key key;
    uint8_t ad[12], buf[LEN + 16], want[LEN + 16];
    uint64_t id = aead_key_id(a);
    unhex(key.bytes, 32, rfc8439_key);
    unhex(ad, sizeof ad, "f33388860000000000004e91");
    assert_int_equal(unhex(want, sizeof want, rfc8439_sealed), sizeof want);
    memcpy(buf, rfc8439_text, LEN);
    aead_seal(a, suite, &key, id, UINT64_C(0x0807060504030201), ad, sizeof ad, buf, LEN);
    assert_memory_equal(buf, want, sizeof want);
    assert_true(aead_open(a, suite, &key, id, UINT64_C(0x0807060504030201), ad, sizeof ad, buf,
                          sizeof buf));
    assert_memory_equal(buf, rfc8439_text, LEN);
}

static void chacha20_poly1305_is_that_of_rfc_8439(void **state) {
    (void)state;
    each(check_rfc8439);
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 and 14. */
static void check_gcm(struct aead *a, enum aead_suite suite) {
    if (suite != AEAD_AES_256_GCM)
        return;
    const struct aead_key zero = {{0}};
    uint8_t buf[32] = {0}, want[32];
    uint64_t id = aead_key_id(a);
    unhex(want, 16, "530f8afbc74536b9a963b4f1c4cb738b");
    aead_seal(a, suite, &zero, id, 0, NULL, 0, buf, 0);
    assert_memory_equal(buf, want, 16);
    assert_true(aead_open(a, suite, &zero, id, 0, NULL, 0, buf, 16));
    unhex(want, 32, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    memset(buf, 0, sizeof buf);
    aead_seal(a, suite, &zero, id, 0, NULL, 0, buf, 16);
    assert_memory_equal(buf, want, 32);
    assert_true(aead_open(a, suite, &zero, id, 0, NULL, 0, buf, 32));
}

static void aes_256_gcm_gives_the_published_bytes(void **state) {
    (void)state;
    each(check_gcm);
}

/* ---- both providers, every length ---- */

static void providers_give_the_same_bytes_and_open_each_others(void **state) {
    (void)state;
    struct aead *sodium = aead_new(AEAD_LIBSODIUM), *crypto = aead_new(AEAD_LIBCRYPTO);
    assert_non_null(sodium);
    if (!crypto) {
        aead_free(sodium);
        skip();
    }
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, 4);
    static uint8_t plain[MAX_LEN], one[MAX_LEN + 16], two[MAX_LEN + 16];
    uint8_t ad[40];
    for (size_t s = 0; s < 2; s++) {
        if (!(aead_suites(sodium) & aead_suites(crypto) & (unsigned)suites[s]))
            continue;
        struct aead_key key;
        rng_fill(&rng, key.bytes, sizeof key.bytes);
        uint64_t id1 = aead_key_id(sodium), id2 = aead_key_id(crypto);
        for (size_t len = 0; len <= MAX_LEN; len += len < 300 ? 1 : 211) {
            size_t ad_len = len % (sizeof ad + 1);
            uint64_t counter = rng_u64(&rng);
            rng_fill(&rng, plain, len);
            rng_fill(&rng, ad, ad_len);
            memcpy(one, plain, len);
            memcpy(two, plain, len);
            aead_seal(sodium, suites[s], &key, id1, counter, ad, ad_len, one, len);
            aead_seal(crypto, suites[s], &key, id2, counter, ad, ad_len, two, len);
            assert_memory_equal(one, two, len + 16);
            assert_true(
                aead_open(sodium, suites[s], &key, id1, counter, ad, ad_len, two, len + 16));
            assert_true(
                aead_open(crypto, suites[s], &key, id2, counter, ad, ad_len, one, len + 16));
            assert_memory_equal(one, plain, len);
            assert_memory_equal(two, plain, len);
        }
    }
    aead_free(sodium);
    aead_free(crypto);
}

static void check_forgery(struct aead *a, enum aead_suite suite) {
    enum { LEN = 70, AD = 16 };
    struct aead_key key = {{9, 8, 7}}, other = {{9, 8, 6}};
    uint64_t id = aead_key_id(a), other_id = aead_key_id(a);
    uint8_t sealed[LEN + 16], buf[LEN + 16], ad[AD] = {5}, plain[LEN] = {1, 2, 3};
    memcpy(sealed, plain, LEN);
    aead_seal(a, suite, &key, id, 42, ad, AD, sealed, LEN);
#define OPEN(k, i, counter, ad_len, len)                                                           \
    (memcpy(buf, sealed, sizeof buf),                                                              \
     aead_open(a, suite, (k), (i), (counter), ad, (ad_len), buf, (len)))

    for (size_t at = 0; at < sizeof sealed; at++) {
        sealed[at] ^= 0x10;
        assert_false(OPEN(&key, id, 42, AD, sizeof sealed));
        /* what did not authenticate is not left lying about either */
        assert_memory_not_equal(buf, plain, LEN);
        sealed[at] ^= 0x10;
    }
    for (size_t at = 0; at < AD; at++) {
        ad[at] ^= 1;
        assert_false(OPEN(&key, id, 42, AD, sizeof sealed));
        ad[at] ^= 1;
    }
    for (size_t len = 0; len < sizeof sealed; len++)
        assert_false(OPEN(&key, id, 42, AD, len));
    assert_false(OPEN(&key, id, 42, AD - 1, sizeof sealed));
    assert_false(OPEN(&key, id, 43, AD, sizeof sealed));
    assert_false(OPEN(&key, id, 42 | UINT64_C(1) << 63, AD, sizeof sealed));
    assert_false(OPEN(&other, other_id, 42, AD, sizeof sealed));
    assert_true(OPEN(&key, id, 42, AD, sizeof sealed)); /* failures leave the cached key right */
    assert_memory_equal(buf, plain, LEN);
#undef OPEN
}

static void every_change_of_packet_header_counter_or_key_is_refused(void **state) {
    (void)state;
    each(check_forgery);
}

/* ---- the cache ---- */

enum { MANY = 3 * AEAD_SLOTS + 1 };

/* One packet sealed under each of many keys with a cache of its own, as the truth. */
static void truth(enum aead_suite suite, const struct aead_key *key, uint64_t counter,
                  uint8_t out[static 48]) {
    struct aead *fresh = aead_new(AEAD_LIBSODIUM);
    memset(out, 0x5a, 48);
    aead_seal(fresh, suite, key, aead_key_id(fresh), counter, NULL, 0, out, 32);
    aead_free(fresh);
}

static void check_eviction(struct aead *a, enum aead_suite suite) {
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, 6);
    struct aead_key keys[MANY];
    uint64_t ids[MANY];
    for (size_t i = 0; i < MANY; i++) {
        rng_fill(&rng, keys[i].bytes, sizeof keys[i].bytes);
        ids[i] = aead_key_id(a);
    }
    for (uint64_t n = 0; n < 400; n++) {
        size_t i = n < 2 * MANY ? (size_t)n % MANY : rng_u32(&rng) % MANY;
        uint8_t want[48], got[48];
        truth(suite, &keys[i], n, want);
        memset(got, 0x5a, sizeof got);
        if (n % 3 != 0) { /* sealing and opening share the slots in changing order */
            aead_seal(a, suite, &keys[i], ids[i], n, NULL, 0, got, 32);
            assert_memory_equal(got, want, sizeof want);
        }
        if (n % 3 != 1) {
            assert_true(aead_open(a, suite, &keys[i], ids[i], n, NULL, 0, want, sizeof want));
            assert_int_equal(want[0] | want[31], 0x5a);
        }
        if (n % 17 == 0)
            aead_forget(a, ids[rng_u32(&rng) % MANY]); /* only makes the next use slower */
    }
}

static void more_keys_than_slots_stay_right(void **state) {
    (void)state;
    each(check_eviction);
}

static void one_key_under_two_suites_is_two_slots(void **state) {
    (void)state;
    for (size_t p = 0; p < 2; p++) {
        struct aead *a = aead_new(providers[p]);
        if (!a || !(aead_suites(a) & AEAD_AES_256_GCM)) {
            aead_free(a);
            continue;
        }
        const struct aead_key key = {{3}};
        uint64_t id = aead_key_id(a);
        for (uint64_t n = 0; n < 4; n++) {
            uint8_t want[48], got[48];
            truth(suites[n % 2], &key, n, want);
            memset(got, 0x5a, sizeof got);
            aead_seal(a, suites[n % 2], &key, id, n, NULL, 0, got, 32);
            assert_memory_equal(got, want, sizeof want);
        }
        aead_forget(a, id);
        aead_free(a);
    }
}

static void key_ids_are_never_given_twice(void **state) {
    (void)state;
    struct aead *a = aead_new(AEAD_AUTO);
    uint64_t last = aead_key_id(a);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t id = aead_key_id(a);
        assert_true(id > last);
        last = id;
    }
    aead_forget(a, last + 1); /* unknown: nothing happens */
    aead_free(a);
    aead_free(NULL);
}

/* ---- choosing ---- */

static void the_choice_is_the_same_from_both_sides(void **state) {
    (void)state;
    const unsigned c = AEAD_CHACHA20_POLY1305, g = AEAD_AES_256_GCM;
    const struct {
        unsigned a, b, want;
    } cases[] = {
        {c, c, c},     {c | g, c | g, g}, {c, c | g, c}, {g, c, 0},
        {0, c | g, 0}, {g, c | g, g},     {8, 8, 0},     {c | 8, c | 8, c},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(aead_choose(cases[i].a, cases[i].b), cases[i].want);
        assert_int_equal(aead_choose(cases[i].b, cases[i].a), cases[i].want);
    }
}

static void suites_and_providers_have_names(void **state) {
    (void)state;
    assert_string_equal(aead_suite_name(AEAD_CHACHA20_POLY1305), "chacha20-poly1305");
    assert_string_equal(aead_suite_name(AEAD_AES_256_GCM), "aes-256-gcm");
    assert_string_equal(aead_suite_name(0), "none");
    assert_string_equal(aead_suite_name(AEAD_CHACHA20_POLY1305 | AEAD_AES_256_GCM), "none");
    struct aead *sodium = aead_new(AEAD_LIBSODIUM), *crypto = aead_new(AEAD_LIBCRYPTO),
                *automatic = aead_new(AEAD_AUTO);
    assert_string_equal(aead_provider_name(sodium), "libsodium");
    assert_string_equal(aead_provider_name(automatic), crypto ? "libcrypto" : "libsodium");
    assert_true(aead_suites(sodium) & AEAD_CHACHA20_POLY1305);
    assert_true(aead_suites(automatic) & AEAD_CHACHA20_POLY1305);
    aead_free(sodium);
    aead_free(crypto);
    aead_free(automatic);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chacha20_poly1305_is_that_of_rfc_8439),
        cmocka_unit_test(aes_256_gcm_gives_the_published_bytes),
        cmocka_unit_test(providers_give_the_same_bytes_and_open_each_others),
        cmocka_unit_test(every_change_of_packet_header_counter_or_key_is_refused),
        cmocka_unit_test(more_keys_than_slots_stay_right),
        cmocka_unit_test(one_key_under_two_suites_is_two_slots),
        cmocka_unit_test(key_ids_are_never_given_twice),
        cmocka_unit_test(the_choice_is_the_same_from_both_sides),
        cmocka_unit_test(suites_and_providers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
