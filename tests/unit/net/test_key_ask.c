/* A relay whose id alone is known is asked for its key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/wire/relay_msg.h"
#include "support_trio.h"

enum { S = 1000000, MS = 1000 };

static void a_relay_tells_its_key(void **state) {
    (void)state;
    for (unsigned n = 0; n < 10; n++) {
        struct trio *t = trio_new("told", n, 2);
        uint64_t nonce;
        trio_serve(t, R);
        t->loss_permille = n * 40;
        assert_int_equal(endpoint_key_ask(t->ep[A], t->now_us, AT(&t->addr[R]), &nonce), 0);
        assert_true(trio_run(t, 9 * S, A, EP_KEY_TOLD));
        const struct ep_event e = trio_told(t, A, EP_KEY_TOLD);
        if (n == 0 || e.err == 0) {
            assert_int_equal(e.err, 0);
            assert_int_equal(e.id, nonce);
            assert_true(node_id_equal(&e.node, &t->id[R].id));
            assert_memory_equal(&e.transport, &t->id[R].transport_public, sizeof e.transport);
            assert_true(hop_is_to(&e.hop, &t->addr[R]));
            assert_true(t->sent_bytes[R] <= t->sent_bytes[A]);
        } else {
            assert_int_equal(e.err, ERR_TIMEOUT);
        }
        trio_free(t);
    }
}

/* Twelve bytes there and back, and no key in it. */
static void whose_key_is_known_is_asked_for_the_round_trip_alone(void **state) {
    (void)state;
    struct trio *t = trio_new("probe", 1, 2);
    uint64_t nonce;
    trio_serve(t, R);
    assert_int_equal(endpoint_key_probe(t->ep[A], t->now_us, AT(&t->addr[R]), &nonce), 0);
    assert_true(trio_run(t, 9 * S, A, EP_KEY_TOLD));
    const struct ep_event e = trio_told(t, A, EP_KEY_TOLD);
    assert_int_equal(e.err, 0);
    assert_int_equal(e.id, nonce);
    assert_true(node_id_equal(&e.node, &(struct node_id){{0}}));
    assert_int_equal(t->sent_bytes[A], KEY_HERE_BYTES);
    assert_int_equal(t->sent_bytes[R], KEY_HERE_BYTES);
    trio_free(t);
}

/* A name has several addresses, and who has no IPv4 must not wait for what never comes. */
static void an_address_that_does_not_answer_keeps_nobody_from_the_next_one(void **state) {
    (void)state;
    static const struct addr nobody = {.kind = ADDR_IPV4, .port = 9, .ip = {203, 0, 113, 9}};
    struct trio *t = trio_new("second", 1, 2);
    const uint64_t from_us = t->now_us;
    uint64_t nonce;
    trio_serve(t, R);
    assert_int_equal(endpoint_key_ask(t->ep[A], t->now_us, AT(&nobody), &nonce), 0);
    for (unsigned i = 0; i < KEY_PLACES_MAX + 3; i++) /* what is too much is left out */
        endpoint_key_also(t->ep[A], nonce, AT(&t->addr[R]));
    assert_true(trio_run(t, 9 * S, A, EP_KEY_TOLD));
    assert_true(t->now_us - from_us < 500 * MS);
    const struct ep_event e = trio_told(t, A, EP_KEY_TOLD);
    assert_int_equal(e.err, 0);
    assert_true(hop_is_to(&e.hop, &t->addr[R]));
    trio_free(t);
}

static void who_does_not_serve_tells_nothing(void **state) {
    (void)state;
    struct trio *t = trio_new("silent", 1, 2);
    uint64_t nonce;
    const uint64_t from_us = t->now_us;
    assert_int_equal(endpoint_key_ask(t->ep[A], t->now_us, AT(&t->addr[R]), &nonce), 0);
    assert_true(trio_run(t, 20 * S, A, EP_KEY_TOLD));
    assert_int_equal(trio_told(t, A, EP_KEY_TOLD).err, ERR_TIMEOUT);
    assert_int_equal(t->now_us - from_us, 31 * KEY_ASK_RETRY_US);
    assert_int_equal(t->sent_pkts[A], KEY_ASK_TRIES);
    assert_int_equal(t->sent_pkts[R], 0);
    trio_free(t);
}

/* From whom, with what nonce, with what signature: one thing wrong, and it is nothing. */
static void only_the_answer_to_a_question_counts(void **state) {
    (void)state;
    struct trio *t = trio_new("forged", 1, 4);
    uint64_t nonce;
    t->dead[R] = true;
    assert_int_equal(endpoint_key_ask(t->ep[A], t->now_us, AT(&t->addr[R]), &nonce), 0);
    struct key_told told = {.transport = t->id[R].transport_public, .cert = t->ep[R]->cert};
    uint8_t good[KEY_TOLD_BYTES], msg[KEY_TOLD_BYTES];
    store_le64(told.nonce, nonce);
    key_told_write(&told, good);
    unsigned n = 0;
    for (size_t at = 1; at < sizeof good; at++, n++) {
        memcpy(msg, good, sizeof msg);
        msg[at] ^= 4;
        trio_inject(t, A, &t->addr[R], msg, sizeof msg);
    }
    trio_inject(t, A, &t->addr[B], good, sizeof good);
    trio_inject(t, A, &t->addr[R], good, sizeof good - 1);
    trio_run(t, 100 * MS, 0, -1);
    assert_int_equal(trio_count(t, A, EP_KEY_TOLD), 0);
    assert_int_equal(endpoint_counters(t->ep[A])->key_told_refused, n + 2);
    trio_inject(t, A, &t->addr[R], good, sizeof good);
    trio_inject(t, A, &t->addr[R], good, sizeof good);
    trio_run(t, 100 * MS, 0, -1);
    assert_int_equal(trio_count(t, A, EP_KEY_TOLD), 1); /* the second one answers nothing */
    assert_int_equal(trio_told(t, A, EP_KEY_TOLD).err, 0);
    trio_free(t);
}

static void questions_and_answers_are_bounded(void **state) {
    (void)state;
    struct trio *t = trio_new("many", 1, 3);
    uint64_t nonce;
    trio_serve(t, R);
    for (unsigned n = 0; n <= KEY_ASKS_MAX; n++)
        assert_int_equal(endpoint_key_ask(t->ep[A], t->now_us, AT(&t->addr[R]), &nonce),
                         n < KEY_ASKS_MAX ? 0 : ERR_FULL);
    trio_run(t, S, 0, -1);
    assert_int_equal(trio_count(t, A, EP_KEY_TOLD), KEY_ASKS_MAX);
    /* One source gets so many answers, and leaves the others theirs. */
    uint8_t ask[KEY_ASK_BYTES], nonce_bytes[KEY_NONCE_BYTES] = {1};
    const struct addr flooder = {.kind = ADDR_IPV4, .port = 9, .ip = {203, 0, 113, 9}};
    const uint64_t told = endpoint_counters(t->ep[R])->keys_told;
    key_ask_write(nonce_bytes, ask);
    for (unsigned n = 0; n < 1000; n++)
        trio_inject(t, R, &flooder, ask, sizeof ask);
    trio_run(t, 10 * MS, 0, -1);
    assert_true(endpoint_counters(t->ep[R])->keys_told - told <= HANDSHAKE_SOURCE_BURST);
    assert_int_equal(endpoint_key_ask(t->ep[A], t->now_us, AT(&t->addr[R]), &nonce), 0);
    assert_true(trio_run(t, S, A, EP_KEY_TOLD));
    assert_int_equal(trio_told(t, A, EP_KEY_TOLD).err, 0);
    trio_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relay_tells_its_key),
        cmocka_unit_test(whose_key_is_known_is_asked_for_the_round_trip_alone),
        cmocka_unit_test(an_address_that_does_not_answer_keeps_nobody_from_the_next_one),
        cmocka_unit_test(who_does_not_serve_tells_nothing),
        cmocka_unit_test(only_the_answer_to_a_question_counts),
        cmocka_unit_test(questions_and_answers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
