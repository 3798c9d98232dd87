/* macs and cookies: who has shown its address, and for how long that is worth something. */
#include <sodium.h>
#include <string.h>

#include "crypto/noise/cookie.h"
#include "tests/unit/crypto/support_crypto.h"

enum { MSG = 150 };

static const struct dh_public us = {{1, 2, 3}}, them = {{1, 2, 4}};
static const uint8_t addr[6] = {192, 0, 2, 1, 0x12, 0x34},
                     other_addr[6] = {192, 0, 2, 2, 0x12, 0x34};

static struct seeded seed;
static struct rng rng;
static struct cookie_jar jar;
static uint8_t msg[MSG];

static int fresh_jar(void **state) {
    (void)state;
    rng = seeded_rng(&seed, 1);
    rng_fill(&rng, msg, sizeof msg);
    cookie_jar_init(&jar, &rng, 1000);
    return 0;
}

/* mac2 of `msg` under the cookie for `addr` made at `now_us`. */
static void mac2_at(uint64_t now_us, uint8_t mac[static MAC_BYTES]) {
    uint8_t cookie[COOKIE_BYTES];
    cookie_make(&jar, &rng, now_us, addr, sizeof addr, cookie);
    cookie_mac2(cookie, msg, MSG, mac);
}

static bool accepted(uint64_t now_us, const uint8_t mac[static MAC_BYTES]) {
    return cookie_mac2_ok(&jar, &rng, now_us, addr, sizeof addr, msg, MSG, mac);
}

static void mac1_needs_the_right_key_and_every_byte(void **state) {
    (void)state;
    uint8_t mac[MAC_BYTES];
    cookie_mac1(&us, msg, MSG, mac);
    assert_true(cookie_mac1_ok(&us, msg, MSG, mac));
    assert_false(cookie_mac1_ok(&them, msg, MSG, mac));
    assert_false(cookie_mac1_ok(&us, msg, MSG - 1, mac));
    for (size_t i = 0; i < MSG; i++) {
        msg[i] ^= 1;
        assert_false(cookie_mac1_ok(&us, msg, MSG, mac));
        msg[i] ^= 1;
    }
    for (size_t i = 0; i < MAC_BYTES; i++) {
        mac[i] ^= 0x80;
        assert_false(cookie_mac1_ok(&us, msg, MSG, mac));
        mac[i] ^= 0x80;
    }
}

static void mac1_is_what_the_header_says(void **state) {
    (void)state;
    uint8_t in[13 + 32] = "meshd mac1 v1", key[32], want[MAC_BYTES], got[MAC_BYTES];
    memcpy(in + 13, us.bytes, 32);
    crypto_generichash(key, 32, in, sizeof in, NULL, 0);
    crypto_generichash(want, MAC_BYTES, msg, MSG, key, 32);
    cookie_mac1(&us, msg, MSG, got);
    assert_memory_equal(got, want, MAC_BYTES);
}

static void mac2_proves_the_address(void **state) {
    (void)state;
    uint8_t mac[MAC_BYTES];
    mac2_at(1000, mac);
    assert_true(accepted(1000, mac));
    assert_false(cookie_mac2_ok(&jar, &rng, 1000, other_addr, sizeof other_addr, msg, MSG, mac));
    assert_false(cookie_mac2_ok(&jar, &rng, 1000, addr, sizeof addr, msg, MSG - 1, mac));
    mac[0] ^= 1;
    assert_false(accepted(1000, mac));
}

static void a_cookie_survives_one_change_of_the_secret_and_not_two(void **state) {
    (void)state;
    const uint64_t first = 1000 + COOKIE_SECRET_US, second = first + COOKIE_SECRET_US;
    uint8_t mac[MAC_BYTES], later[MAC_BYTES];
    mac2_at(first - 1, mac);
    assert_true(accepted(first - 1, mac));
    assert_true(accepted(first, mac)); /* now under the previous secret */
    assert_true(jar.has_previous);
    mac2_at(first, later);
    assert_memory_not_equal(mac, later, MAC_BYTES);
    assert_true(accepted(second - 1, mac));
    assert_false(accepted(second, mac));
    assert_true(accepted(second, later));
}

static void after_a_long_silence_nothing_old_is_accepted(void **state) {
    (void)state;
    uint8_t mac[MAC_BYTES];
    mac2_at(1000, mac);
    assert_false(accepted(1000 + 2 * (uint64_t)COOKIE_SECRET_US, mac));
    assert_false(jar.has_previous);
    assert_true(sodium_is_zero(jar.previous, sizeof jar.previous));
}

static void a_fresh_jar_has_no_previous_secret(void **state) {
    (void)state;
    /* a mac under the all-zero secret must not pass as "previous" */
    uint8_t mac[MAC_BYTES];
    struct cookie_jar zero = jar;
    memset(zero.secret, 0, sizeof zero.secret);
    uint8_t cookie[COOKIE_BYTES];
    cookie_make(&zero, &rng, 1000, addr, sizeof addr, cookie);
    cookie_mac2(cookie, msg, MSG, mac);
    assert_false(accepted(1000, mac));
}

static void a_challenge_is_bound_and_turns_like_a_cookie(void **state) {
    (void)state;
    const uint64_t first = 1000 + COOKIE_SECRET_US, second = first + COOKIE_SECRET_US;
    uint8_t ch[CHALLENGE_BYTES];
    cookie_challenge(&jar, &rng, 1000, addr, sizeof addr, ch);
    assert_true(cookie_challenge_ok(&jar, &rng, 1000, addr, sizeof addr, ch));
    assert_false(cookie_challenge_ok(&jar, &rng, 1000, other_addr, sizeof other_addr, ch));
    assert_true(cookie_challenge_ok(&jar, &rng, first, addr, sizeof addr, ch));
    assert_false(cookie_challenge_ok(&jar, &rng, second, addr, sizeof addr, ch));
}

static void a_cookie_is_no_challenge(void **state) {
    (void)state;
    uint8_t cookie[COOKIE_BYTES], ch[CHALLENGE_BYTES];
    cookie_make(&jar, &rng, 1000, addr, sizeof addr, cookie);
    cookie_challenge(&jar, &rng, 1000, addr, sizeof addr, ch);
    assert_memory_not_equal(cookie, ch, COOKIE_BYTES);
    assert_false(cookie_challenge_ok(&jar, &rng, 1000, addr, sizeof addr, cookie));
}

static void clearing_leaves_nothing(void **state) {
    (void)state;
    cookie_jar_clear(&jar);
    assert_true(sodium_is_zero((const uint8_t *)&jar, sizeof jar));
}

static void a_sealed_reply_opens_for_its_message_only(void **state) {
    (void)state;
    uint8_t nonce[COOKIE_NONCE_BYTES], mac1[MAC_BYTES], cookie[COOKIE_BYTES], ch[CHALLENGE_BYTES];
    uint8_t sealed[COOKIE_SEALED_BYTES], got_cookie[COOKIE_BYTES] = {0}, got_ch[CHALLENGE_BYTES];
    rng_fill(&rng, nonce, sizeof nonce);
    rng_fill(&rng, mac1, sizeof mac1);
    rng_fill(&rng, cookie, sizeof cookie);
    rng_fill(&rng, ch, sizeof ch);
    cookie_seal(&us, nonce, mac1, cookie, ch, sealed);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_false(cookie_unseal(&us, nonce, mac1, sealed, got_cookie, got_ch));
        sealed[i] ^= 1;
    }
    assert_false(cookie_unseal(&them, nonce, mac1, sealed, got_cookie, got_ch));
    mac1[3] ^= 1;
    assert_false(cookie_unseal(&us, nonce, mac1, sealed, got_cookie, got_ch));
    mac1[3] ^= 1;
    nonce[23] ^= 1;
    assert_false(cookie_unseal(&us, nonce, mac1, sealed, got_cookie, got_ch));
    nonce[23] ^= 1;
    assert_true(sodium_is_zero(got_cookie, sizeof got_cookie)); /* failures wrote nothing */
    assert_true(cookie_unseal(&us, nonce, mac1, sealed, got_cookie, got_ch));
    assert_memory_equal(got_cookie, cookie, COOKIE_BYTES);
    assert_memory_equal(got_ch, ch, CHALLENGE_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(mac1_needs_the_right_key_and_every_byte, fresh_jar),
        cmocka_unit_test_setup(mac1_is_what_the_header_says, fresh_jar),
        cmocka_unit_test_setup(mac2_proves_the_address, fresh_jar),
        cmocka_unit_test_setup(a_cookie_survives_one_change_of_the_secret_and_not_two, fresh_jar),
        cmocka_unit_test_setup(after_a_long_silence_nothing_old_is_accepted, fresh_jar),
        cmocka_unit_test_setup(a_fresh_jar_has_no_previous_secret, fresh_jar),
        cmocka_unit_test_setup(a_challenge_is_bound_and_turns_like_a_cookie, fresh_jar),
        cmocka_unit_test_setup(a_cookie_is_no_challenge, fresh_jar),
        cmocka_unit_test_setup(clearing_leaves_nothing, fresh_jar),
        cmocka_unit_test_setup(a_sealed_reply_opens_for_its_message_only, fresh_jar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
