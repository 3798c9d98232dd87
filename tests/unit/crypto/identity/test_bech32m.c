/* Bech32m is that of BIP-350: its own vectors, any length, and what is refused. */
#include <string.h>

#include "crypto/identity/bech32m.h"
#include "tests/unit/crypto/support_crypto.h"

/* BIP-350, "Test vectors for Bech32m". */
static const char *const valid[] = {
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
};

static const struct {
    const char *text, *why;
} invalid[] = {
    {"\x20"
     "1xj0phk",
     "prefix character out of range"},
    {"\x7f"
     "1g6xzxy",
     "prefix character out of range"},
    {"\x80"
     "1vctc34",
     "prefix character out of range"},
    {"an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
     "too long"},
    {"qyrz8wqd2c9m", "no separator"},
    {"1qyrz8wqd2c9m", "empty prefix"},
    {"y1b0jsk6g", "data character"},
    {"lt1igcx5c0", "data character"},
    {"in1muywd", "too short a checksum"},
    {"mm1crxm3i", "character in the checksum"},
    {"au1s5cgom", "character in the checksum"},
    {"M1VUXWEZ", "checksum made with an upper case prefix"},
    {"16plkw9", "empty prefix"},
    {"1p2gdwpf", "empty prefix"},
    {"", "nothing"},
    {"A1lqfn3a", "mixed case"},
    {"a1LQFN3a", "mixed case"},
    {"A12UEL5L", "bech32, not bech32m (BIP-173)"},
    {"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "bech32, not bech32m"},
};

static void the_valid_strings_of_bip350_are_valid(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        if (!bech32m_valid(valid[i], 90))
            fail_msg("%s", valid[i]);
    }
}

static void the_invalid_strings_of_bip350_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        if (bech32m_valid(invalid[i].text, 90))
            fail_msg("%s: %s", invalid[i].text, invalid[i].why);
    }
}

static void the_length_limit_is_the_callers(void **state) {
    (void)state;
    assert_true(bech32m_valid("a1lqfn3a", 8));
    assert_false(bech32m_valid("a1lqfn3a", 7));
}

static void every_length_round_trips_in_both_cases(void **state) {
    (void)state;
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, 1);
    for (size_t len = 0; len <= 600; len += len < 40 ? 1 : 37) {
        uint8_t data[640], back[640];
        char text[BECH32M_MAX_CHARS + 1];
        size_t got = 9999;
        rng_fill(&rng, data, len);
        assert_int_equal(bech32m_encode(text, sizeof text, "ticket", data, len), 0);
        assert_true(bech32m_valid(text, BECH32M_MAX_CHARS));
        assert_int_equal(bech32m_decode(back, len, &got, "ticket", text), 0);
        assert_int_equal(got, len);
        assert_memory_equal(back, data, len);
        for (char *p = text; *p; p++)
            *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
        assert_int_equal(bech32m_decode(back, sizeof back, &got, "ticket", text), 0);
        assert_int_equal(got, len);
        assert_memory_equal(back, data, len);
    }
}

static void another_prefix_is_refused(void **state) {
    (void)state;
    char text[64];
    uint8_t data[4] = {1, 2, 3, 4};
    size_t len;
    assert_int_equal(bech32m_encode(text, sizeof text, "mesh", data, sizeof data), 0);
    assert_int_equal(bech32m_decode(data, sizeof data, &len, "mesg", text), ERR_FORMAT);
    assert_int_equal(bech32m_decode(data, sizeof data, &len, "mes", text), ERR_FORMAT);
    assert_int_equal(bech32m_decode(data, sizeof data, &len, "meshx", text), ERR_FORMAT);
}

static void padding_must_be_short_and_zero(void **state) {
    (void)state;
    static const struct {
        const char *text, *what;
        int rc;
    } cases[] = {
        {"mesh1luc8pnnu", "one byte and two zero bits", 0},
        {"mesh1la934xww", "the last padding bit is set", ERR_FORMAT},
        {"mesh1l7tzqsq3", "the first padding bit is set", ERR_FORMAT},
        {"mesh1qqnrvxs", "a character that is padding only", ERR_FORMAT},
        {"mesh1luqz9a9kk", "seven bits of padding", ERR_FORMAT},
    };
    uint8_t data[64];
    size_t len;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(bech32m_valid(cases[i].text, 90)); /* nothing wrong with the 5-bit layer */
        if (bech32m_decode(data, sizeof data, &len, "mesh", cases[i].text) != cases[i].rc)
            fail_msg("%s", cases[i].what);
    }
}

static void bip350s_own_data_comes_out(void **state) {
    (void)state;
    uint8_t data[64];
    size_t len;
    assert_int_equal(bech32m_decode(data, sizeof data, &len, "abcdef", valid[3]), 0);
    assert_int_equal(len, 20); /* the 32 characters 31, 30, ... 0 */
    const uint8_t want[5] = {0xff, 0xbb, 0xcd, 0xeb, 0x38};
    assert_memory_equal(data, want, sizeof want);
    assert_int_equal(bech32m_decode(data, sizeof data, &len, "?", valid[6]), 0);
    assert_int_equal(len, 0);
    /* characters of all ones: 1 bits in the padding, and too many of them */
    assert_int_equal(bech32m_decode(data, sizeof data, &len, "1", valid[4]), ERR_FORMAT);
}

static void what_does_not_fit_is_said(void **state) {
    (void)state;
    static uint8_t data[BECH32M_MAX_CHARS * 2];
    char text[BECH32M_MAX_CHARS + 1];
    size_t len;
    const uint8_t four[4] = {1, 2, 3, 4};
    assert_int_equal(bech32m_encode(text, 17, "abc", four, 4), ERR_FULL); /* 3+1+7+6, and a NUL */
    assert_int_equal(bech32m_encode(text, 18, "abc", four, 4), 0);
    assert_int_equal(strlen(text), 17);
    assert_int_equal(bech32m_decode(data, 3, &len, "abc", text), ERR_FULL);
    assert_int_equal(bech32m_decode(data, 4, &len, "abc", text), 0);
    assert_int_equal(bech32m_encode(text, sizeof text, "a", data, sizeof data), ERR_FULL);
    assert_int_equal(bech32m_encode(text, sizeof text, "a", data, 640), ERR_FULL);
    /* 1 + 1 + 1015 + 6 = 1023: 634 bytes are 1015 characters */
    assert_int_equal(bech32m_encode(text, sizeof text, "a", data, 634), 0);
    assert_int_equal(strlen(text), BECH32M_MAX_CHARS);
    assert_int_equal(bech32m_encode(text, sizeof text, "a", data, 635), ERR_FULL);
}

static void an_unusable_prefix_is_refused(void **state) {
    (void)state;
    char text[256], long_hrp[BECH32M_HRP_MAX + 2];
    memset(long_hrp, 'a', sizeof long_hrp);
    long_hrp[BECH32M_HRP_MAX + 1] = '\0';
    const uint8_t d = 0;
    assert_int_equal(bech32m_encode(text, sizeof text, "", &d, 1), ERR_FORMAT);
    assert_int_equal(bech32m_encode(text, sizeof text, "Mesh", &d, 1), ERR_FORMAT);
    assert_int_equal(bech32m_encode(text, sizeof text, "me sh", &d, 1), ERR_FORMAT);
    assert_int_equal(bech32m_encode(text, sizeof text, "me\xc3\xa4", &d, 1), ERR_FORMAT);
    assert_int_equal(bech32m_encode(text, sizeof text, long_hrp, &d, 1), ERR_FORMAT);
    assert_int_equal(bech32m_encode(text, sizeof text, long_hrp + 1, &d, 1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_valid_strings_of_bip350_are_valid),
        cmocka_unit_test(the_invalid_strings_of_bip350_are_refused),
        cmocka_unit_test(the_length_limit_is_the_callers),
        cmocka_unit_test(every_length_round_trips_in_both_cases),
        cmocka_unit_test(another_prefix_is_refused),
        cmocka_unit_test(padding_must_be_short_and_zero),
        cmocka_unit_test(bip350s_own_data_comes_out),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(an_unusable_prefix_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
