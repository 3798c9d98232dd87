/* Every provider gives the published bytes, the same ones as the others, and refuses what was
 * changed.
 */
#include <string.h>

#include "crypto/aead/aead.h"
#include "tests/unit/crypto/support_crypto.h"

enum { MAX_LEN = 65507, /* the largest UDP payload */ PROVIDERS = 3 };

static const enum aead_provider providers[PROVIDERS] = {AEAD_LIBSODIUM, AEAD_LIBCRYPTO,
                                                        AEAD_IPSEC_MB};
static const enum aead_suite suites[] = {AEAD_CHACHA20_POLY1305, AEAD_AES_256_GCM};

/* Runs `check` with every provider of this build and every suite of this machine. */
static void each(void (*check)(struct aead *a, enum aead_suite suite)) {
    for (size_t p = 0; p < PROVIDERS; p++) {
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

/* ---- all providers, every length ---- */

/* What every provider gets to seal. */
struct exchange {
    struct aead *by[PROVIDERS]; /* [0] is libsodium; NULL: not in this build or on this CPU */
    uint64_t ids[PROVIDERS];
    enum aead_suite suite;
    struct aead_key key;
};

/* One packet by every provider, at addresses of any alignment; nothing behind the tag is
 * written. */
static void exchange_one(const struct exchange *x, struct rng *rng, size_t len, size_t ad_len) {
    enum { BEHIND = 64, SHIFT_MAX = 15 };
    static uint8_t plain[MAX_LEN], want[MAX_LEN + 16], room[SHIFT_MAX + MAX_LEN + 16 + BEHIND];
    uint8_t ad[40], behind[BEHIND];
    const uint64_t counter = rng_u64(rng);
    rng_fill(rng, plain, len);
    rng_fill(rng, ad, ad_len);
    memset(behind, 0xee, BEHIND);
    for (size_t p = 0; p < PROVIDERS; p++) {
        if (!x->by[p] || !(aead_suites(x->by[p]) & (unsigned)x->suite))
            continue;
        uint8_t *buf = room + (len + p) % (SHIFT_MAX + 1);
        memcpy(buf, plain, len);
        memset(buf + len, 0xee, 16 + BEHIND);
        aead_seal(x->by[p], x->suite, &x->key, x->ids[p], counter, ad_len ? ad : NULL, ad_len, buf,
                  len);
        if (p == 0)
            memcpy(want, buf, len + 16);
        assert_memory_equal(buf, want, len + 16);
        assert_true(aead_open(x->by[p], x->suite, &x->key, x->ids[p], counter, ad_len ? ad : NULL,
                              ad_len, buf, len + 16));
        assert_memory_equal(buf, plain, len);
        assert_memory_equal(buf + len, want + len, 16); /* opening leaves the tag */
        assert_memory_equal(buf + len + 16, behind, BEHIND);
    }
}

static void all_providers_give_the_same_bytes_at_every_length(void **state) {
    (void)state;
    static const size_t large[] = {1,    15,   16,   17,    63,    64,    65,    127,    128,
                                   129,  255,  256,  257,   511,   512,   513,   767,    768,
                                   769,  1023, 1024, 1025,  1400,  1440,  1472,  4096,   9000,
                                   8191, 8192, 8193, 16384, 32767, 65491, 65506, MAX_LEN};
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, 4);
    struct exchange x = {0};
    for (size_t p = 0; p < PROVIDERS; p++)
        x.by[p] = aead_new(providers[p]);
    assert_non_null(x.by[0]);
    for (size_t s = 0; s < 2; s++) {
        x.suite = suites[s];
        if (!(aead_suites(x.by[0]) & (unsigned)x.suite))
            continue;
        rng_fill(&rng, x.key.bytes, sizeof x.key.bytes);
        for (size_t p = 0; p < PROVIDERS; p++)
            x.ids[p] = x.by[p] ? aead_key_id(x.by[p]) : 0;
        for (size_t len = 0; len <= 300; len++) {
            exchange_one(&x, &rng, len, 0);
            exchange_one(&x, &rng, len, 1 + len % 40);
        }
        for (size_t len = 301; len < 4096; len += 211)
            exchange_one(&x, &rng, len, len % 41);
        for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
            exchange_one(&x, &rng, large[i], 0);
            exchange_one(&x, &rng, large[i], 11);
        }
    }
    for (size_t p = 0; p < PROVIDERS; p++)
        aead_free(x.by[p]);
}

static bool all_zero(const uint8_t *at, size_t len) {
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= at[i];
    return any == 0;
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
/* what did not authenticate is not left lying about either */
#define REFUSED(k, i, counter, ad_len, len)                                                        \
    (!OPEN(k, i, counter, ad_len, len) && all_zero(buf, (len) < 16 ? 0 : (len)-16))

    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(REFUSED(&key, id, 42, AD, sizeof sealed));
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * AD; bit++) {
        ad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(REFUSED(&key, id, 42, AD, sizeof sealed));
        ad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < sizeof sealed; len++)
        assert_true(REFUSED(&key, id, 42, AD, len));
    assert_true(REFUSED(&key, id, 42, AD - 1, sizeof sealed));
    assert_true(REFUSED(&key, id, 42, 0, sizeof sealed));
    assert_true(REFUSED(&key, id, 43, AD, sizeof sealed));
    assert_true(REFUSED(&key, id, 42 | UINT64_C(1) << 63, AD, sizeof sealed));
    assert_true(REFUSED(&other, other_id, 42, AD, sizeof sealed));
    assert_true(OPEN(&key, id, 42, AD, sizeof sealed)); /* failures leave the cached key right */
    assert_memory_equal(buf, plain, LEN);
#undef REFUSED
#undef OPEN
}

static void every_change_of_packet_header_counter_or_key_is_refused(void **state) {
    (void)state;
    each(check_forgery);
}

/* Providers work on many blocks at once in long packets: a change in any part of one is seen
 * too. */
static void check_long_forgery(struct aead *a, enum aead_suite suite) {
    static uint8_t sealed[MAX_LEN + 16], buf[MAX_LEN + 16];
    const size_t lens[] = {1, 15, 16, 100, 1400, 1440, 9001, MAX_LEN};
    const struct aead_key key = {{4, 4}};
    const uint64_t id = aead_key_id(a);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        const size_t len = lens[i], step = 1 + len / 64;
        memset(sealed, 0x33, len);
        aead_seal(a, suite, &key, id, i, NULL, 0, sealed, len);
        for (size_t at = 0; at < len + 16; at += at < len ? step : 1) {
            memcpy(buf, sealed, len + 16);
            buf[at] ^= (uint8_t)(1u << at % 8);
            assert_false(aead_open(a, suite, &key, id, i, NULL, 0, buf, len + 16));
            assert_true(all_zero(buf, len));
        }
        assert_true(aead_open(a, suite, &key, id, i, NULL, 0, sealed, len + 16));
    }
}

static void every_change_in_packets_of_many_blocks_is_refused(void **state) {
    (void)state;
    each(check_long_forgery);
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
    for (size_t p = 0; p < PROVIDERS; p++) {
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
    assert_string_equal(aead_provider_label(AEAD_AUTO), "auto");
    for (size_t p = 0; p < PROVIDERS; p++) {
        struct aead *a = aead_new(providers[p]);
        if (a)
            assert_string_equal(aead_provider_label(providers[p]), aead_provider_name(a));
        aead_free(a);
    }
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
        cmocka_unit_test(all_providers_give_the_same_bytes_at_every_length),
        cmocka_unit_test(every_change_of_packet_header_counter_or_key_is_refused),
        cmocka_unit_test(every_change_in_packets_of_many_blocks_is_refused),
        cmocka_unit_test(more_keys_than_slots_stay_right),
        cmocka_unit_test(one_key_under_two_suites_is_two_slots),
        cmocka_unit_test(key_ids_are_never_given_twice),
        cmocka_unit_test(the_choice_is_the_same_from_both_sides),
        cmocka_unit_test(suites_and_providers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
