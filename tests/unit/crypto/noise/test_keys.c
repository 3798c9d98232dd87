/* Generations of a session's keys: which one sends, which ones still open, and when they are too
 * old.
 */
#include <sodium.h>
#include <string.h>

#include "crypto/noise/keys.h"
#include "tests/unit/crypto/support_crypto.h"

static struct aead *a;

static int open_aead(void **state) {
    (void)state;
    a = aead_new(AEAD_LIBSODIUM);
    return a ? 0 : -1;
}

static int close_aead(void **state) {
    (void)state;
    aead_free(a);
    return 0;
}

static struct keygen gen(uint8_t epoch) {
    struct keygen g = {.epoch = epoch, .suite = AEAD_CHACHA20_POLY1305, .first_counter = 1000};
    memset(g.send.bytes, epoch + 1, 32);
    memset(g.recv.bytes, epoch + 101, 32);
    return g;
}

static void install(struct keys *k, uint8_t epoch, bool as_next, uint64_t now_us) {
    struct keygen g = gen(epoch);
    keys_install(k, a, &g, as_next, now_us);
}

static bool is_wiped(const struct keygen *g) {
    return sodium_is_zero((const uint8_t *)g, sizeof *g);
}

static void nothing_installed_sends_and_receives_nothing(void **state) {
    (void)state;
    struct keys k = {0};
    assert_null(keys_for_epoch(&k, 0, 5));
    assert_false(keys_may_send(&k, 5, 0));
    assert_false(keys_want_rekey(&k, 5, 0));
    keys_expire(&k, a, 5);
    keys_clear(&k, a);
}

static void an_initiators_generation_sends_at_once(void **state) {
    (void)state;
    struct keys k = {0};
    struct keygen g = gen(1);
    install(&k, 1, false, 50);
    assert_true(keys_may_send(&k, 50, 1000));
    assert_ptr_equal(keys_for_epoch(&k, 1, 50), &k.current);
    assert_true(k.current.born_us == 50 && k.current.first_counter == 1000);
    assert_memory_equal(k.current.send.bytes, g.send.bytes, 32);
    assert_memory_equal(k.current.recv.bytes, g.recv.bytes, 32);
    assert_true(k.current.send_id != k.current.recv_id);
    assert_true(is_wiped(&k.previous) && is_wiped(&k.next));
    keys_clear(&k, a);
    assert_true(is_wiped(&k.current));
}

static void a_responders_generation_only_receives_until_confirmed(void **state) {
    (void)state;
    struct keys k = {0};
    install(&k, 1, true, 50);
    assert_false(keys_may_send(&k, 50, 1000));
    assert_ptr_equal(keys_for_epoch(&k, 1, 50), &k.next);
    keys_confirm(&k, a, 60);
    assert_true(keys_may_send(&k, 60, 1000));
    assert_ptr_equal(keys_for_epoch(&k, 1, 60), &k.current);
    assert_true(is_wiped(&k.next) && is_wiped(&k.previous));
    assert_true(k.current.born_us == 50); /* its age counts from the handshake */
}

static void a_rekey_keeps_the_old_generation_for_late_packets_only(void **state) {
    (void)state;
    struct keys k = {0};
    install(&k, 1, false, 0);
    uint64_t old_recv = k.current.recv_id;
    install(&k, 2, false, 1000);
    assert_int_equal(k.current.epoch, 2);
    assert_ptr_equal(keys_for_epoch(&k, 1, 1000), &k.previous);
    assert_true(k.previous.recv_id == old_recv && k.replaced_us == 1000);
    keys_show(&k, 1000);
    assert_ptr_equal(keys_for_epoch(&k, 1, 1000 + KEYS_PREVIOUS_US - 1), &k.previous);
    assert_null(keys_for_epoch(&k, 1, 1000 + KEYS_PREVIOUS_US));
    keys_expire(&k, a, 1000 + KEYS_PREVIOUS_US - 1);
    assert_true(k.previous.valid);
    keys_expire(&k, a, 1000 + KEYS_PREVIOUS_US);
    assert_true(is_wiped(&k.previous));
    assert_ptr_equal(keys_for_epoch(&k, 2, UINT64_MAX), &k.current);
}

/* While the other side has not shown the new keys, it may have nothing but the old ones. */
static void the_old_generation_stays_until_the_new_one_is_used(void **state) {
    (void)state;
    struct keys k = {0};
    install(&k, 1, false, 0);
    install(&k, 2, false, 1000);
    assert_ptr_equal(keys_for_epoch(&k, 1, 1000 + 3 * (uint64_t)KEYS_PREVIOUS_US), &k.previous);
    keys_show(&k, 40000000);
    keys_show(&k, 45000000); /* once is enough */
    assert_true(keys_previous_until_us(&k) == 40000000 + KEYS_PREVIOUS_US);
    assert_null(keys_for_epoch(&k, 1, 40000000 + KEYS_PREVIOUS_US));

    k = (struct keys){0};
    install(&k, 1, false, 0);
    install(&k, 2, false, 1000);
    const uint64_t end_us = (uint64_t)KEYS_REJECT_US + KEYS_PREVIOUS_US; /* but not for ever */
    assert_ptr_equal(keys_for_epoch(&k, 1, end_us - 1), &k.previous);
    assert_null(keys_for_epoch(&k, 1, end_us));
    keys_expire(&k, a, end_us);
    assert_true(is_wiped(&k.previous));
}

static void a_third_generation_pushes_the_first_out(void **state) {
    (void)state;
    struct keys k = {0};
    install(&k, 1, false, 0);
    install(&k, 2, false, 1);
    install(&k, 3, true, 2);
    assert_non_null(keys_for_epoch(&k, 1, 2));
    keys_confirm(&k, a, 3);
    assert_null(keys_for_epoch(&k, 1, 3));
    assert_ptr_equal(keys_for_epoch(&k, 2, 3), &k.previous);
    assert_ptr_equal(keys_for_epoch(&k, 3, 3), &k.current);
}

static void an_unconfirmed_generation_is_replaced_by_a_newer_one(void **state) {
    (void)state;
    struct keys k = {0};
    install(&k, 1, false, 0);
    install(&k, 2, true, 1);
    install(&k, 3, true, 2);
    assert_null(keys_for_epoch(&k, 2, 2));
    assert_ptr_equal(keys_for_epoch(&k, 3, 2), &k.next);
    assert_ptr_equal(keys_for_epoch(&k, 1, 2), &k.current);
}

static void one_epoch_byte_never_names_two_generations(void **state) {
    (void)state;
    struct keys k = {0};
    install(&k, 1, false, 0);
    install(&k, 2, true, 1);  /* the peer's rekey, */
    install(&k, 2, false, 2); /* and ours, at the same time */
    assert_true(is_wiped(&k.next));
    assert_ptr_equal(keys_for_epoch(&k, 2, 2), &k.current);

    install(&k, 3, true, 3);
    install(&k, 4, false, 4); /* another byte: both live */
    assert_ptr_equal(keys_for_epoch(&k, 3, 4), &k.next);
    assert_ptr_equal(keys_for_epoch(&k, 4, 4), &k.current);
}

static void a_wrapped_epoch_finds_the_newest_generation(void **state) {
    (void)state;
    struct keys k = {0};
    install(&k, 255, false, 0);
    install(&k, 0, false, 1);
    assert_ptr_equal(keys_for_epoch(&k, 0, 1), &k.current);
    assert_ptr_equal(keys_for_epoch(&k, 255, 1), &k.previous);
}

static void key_ids_never_repeat(void **state) {
    (void)state;
    struct keys k = {0};
    uint64_t last = 0;
    for (unsigned i = 0; i < 600; i++) {
        install(&k, (uint8_t)i, i % 2, i);
        const struct keygen *g = i % 2 ? &k.next : &k.current;
        assert_true(g->send_id > last && g->recv_id > g->send_id);
        last = g->recv_id;
    }
    keys_clear(&k, a);
    assert_true(sodium_is_zero((const uint8_t *)&k, sizeof k));
}

static void keys_age_by_time(void **state) {
    (void)state;
    struct keys k = {0};
    const uint64_t born = 77;
    install(&k, 1, false, born);
    assert_false(keys_want_rekey(&k, born + KEYS_REKEY_US - 1, 1000));
    assert_true(keys_want_rekey(&k, born + KEYS_REKEY_US, 1000));
    assert_true(keys_may_send(&k, born + KEYS_REJECT_US - 1, 1000));
    assert_false(keys_may_send(&k, born + KEYS_REJECT_US, 1000));
    assert_true(keys_may_send(&k, born - 1, 1000)); /* a clock that stands is no age */
}

static void keys_age_by_packets_of_this_generation(void **state) {
    (void)state;
    struct keys k = {0};
    install(&k, 1, false, 0); /* first_counter 1000 */
    assert_false(keys_want_rekey(&k, 0, 1000 + KEYS_MAX_PACKETS / 2 - 1));
    assert_true(keys_want_rekey(&k, 0, 1000 + KEYS_MAX_PACKETS / 2));
    assert_true(keys_may_send(&k, 0, 1000 + KEYS_MAX_PACKETS - 1));
    assert_false(keys_may_send(&k, 0, 1000 + KEYS_MAX_PACKETS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_installed_sends_and_receives_nothing),
        cmocka_unit_test(an_initiators_generation_sends_at_once),
        cmocka_unit_test(a_responders_generation_only_receives_until_confirmed),
        cmocka_unit_test(a_rekey_keeps_the_old_generation_for_late_packets_only),
        cmocka_unit_test(the_old_generation_stays_until_the_new_one_is_used),
        cmocka_unit_test(a_third_generation_pushes_the_first_out),
        cmocka_unit_test(an_unconfirmed_generation_is_replaced_by_a_newer_one),
        cmocka_unit_test(one_epoch_byte_never_names_two_generations),
        cmocka_unit_test(a_wrapped_epoch_finds_the_newest_generation),
        cmocka_unit_test(key_ids_never_repeat),
        cmocka_unit_test(keys_age_by_time),
        cmocka_unit_test(keys_age_by_packets_of_this_generation),
    };
    return cmocka_run_group_tests(tests, open_aead, close_aead);
}
