/* The side that dials has keys once it is answered; the side that has answered keeps nothing before
 * it hears from it under them. If it dies in between, the dialler holds a session with nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_pair.h"

enum { MS = 1000, S = 1000000 };

static const struct psk secret = {{1, 2, 3}};

static struct pair *dialled(uint64_t rekey_us) {
    struct pair *p = pair_new(5);
    pair_start(p, rekey_us);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 5 * S, 0, EP_SESSION_UP));
    return p;
}

/* Nobody writes anything: the silence alone is enough. */
static void a_peer_that_died_with_its_answer_is_noticed(void **state) {
    (void)state;
    struct pair *p = dialled(0);
    p->cut = true;
    assert_true(pair_run(p, 20 * S, 0, EP_SESSION_DOWN));
    assert_int_equal(pair_event(p, 0, EP_SESSION_DOWN)->err, ERR_TIMEOUT);
    assert_int_equal(endpoint_session_count(p->ep[0]), 0);
    pair_free(p);
}

static void one_that_comes_back_gets_a_session(void **state) {
    (void)state;
    struct pair *p = dialled(0);
    pair_restart(p, 1);
    pair_know(p, 1, NULL, false);
    assert_true(pair_run(p, 10 * S, 1, EP_SESSION_UP));
    pair_run(p, S, -1, -1);
    struct session_ref s[2];
    for (int i = 0; i < 2; i++)
        assert_true(endpoint_session(p->ep[i], p->peer[i], &s[i]));
    assert_int_equal(endpoint_find(p->ep[0], s[0])->id, endpoint_find(p->ep[1], s[1])->id);
    pair_free(p);
}

/* The maker of a ticket dies with its answer: it still knows nobody by it, and cannot dial. */
static void a_pairing_is_made_again_by_itself(void **state) {
    (void)state;
    struct pair *p = pair_new(6);
    pair_start(p, 0);
    pair_know(p, 0, &secret, true);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &secret, p->now_us + 1000 * (uint64_t)S), 0);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 5 * S, 0, EP_PAIRED));
    assert_int_equal(pair_count(p, 1, EP_PAIRED), 0);
    pair_restart(p, 1);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &secret, p->now_us + 1000 * (uint64_t)S), 0);
    assert_true(pair_run(p, 10 * S, 1, EP_PAIRED));
    pair_run(p, S, -1, -1);
    assert_int_equal(pair_count(p, 0, EP_PAIRED), 2);
    assert_memory_equal(&pair_event(p, 0, EP_PAIRED)->secret, &pair_event(p, 1, EP_PAIRED)->secret,
                        sizeof(struct psk));
    pair_free(p);
}

static bool no_data(struct pair *p, int from, uint8_t *data, size_t len) {
    unsigned *dials = p->tap_ctx;
    (void)len;
    *dials += from == 0 && data[0] == PACKET_INITIATION;
    return data[0] != PACKET_DATA;
}

/* Where only handshakes pass, they come to an end. */
static void answers_alone_are_not_enough(void **state) {
    (void)state;
    struct pair *p = pair_new(7);
    unsigned dials = 0;
    pair_start(p, 0);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    p->tap = no_data;
    p->tap_ctx = &dials;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 40 * S, -1, -1);
    assert_int_equal(endpoint_session_count(p->ep[0]), 0);
    assert_int_equal(pair_event(p, 0, EP_SESSION_DOWN)->err, ERR_TIMEOUT);
    assert_in_range(dials, 1, 1 + UNPROVED_ASKS);
    dials = 0;
    pair_run(p, 600 * (uint64_t)S, -1, -1);
    assert_int_equal(dials, 0);
    pair_free(p);
}

/* A session that is proved and idle owes nothing: it may be cut off for long. */
static void a_proved_one_is_left_alone(void **state) {
    (void)state;
    struct pair *p = dialled(0);
    pair_run(p, S, -1, -1);
    p->cut = true;
    pair_run(p, 100 * (uint64_t)S, -1, -1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair_count(p, i, EP_SESSION_DOWN), 0);
        assert_true(endpoint_deadline_us(p->ep[i]) > p->now_us + 10 * S);
    }
    pair_free(p);
}

/* The peer has restarted and knows nothing of the session any more: whoever only asks whether it is
 * there finds out, too. */
static void an_echo_without_answer_is_asked_after(void **state) {
    (void)state;
    for (int back = 0; back < 2; back++) {
        struct pair *p = dialled(0);
        struct session_ref s;
        pair_run(p, 30 * S, -1, -1);
        assert_true(endpoint_session(p->ep[0], p->peer[0], &s));
        pair_restart(p, 1);
        pair_know(p, 1, NULL, false);
        p->cut = !back;
        assert_int_equal(session_ping(p->ep[0], p->now_us, s, 7), 0);
        assert_true(pair_run(p, 20 * S, 0, EP_SESSION_DOWN));
        pair_run(p, S, -1, -1);
        assert_int_equal(endpoint_session(p->ep[0], p->peer[0], &s), back);
        if (back) {
            assert_int_equal(session_ping(p->ep[0], p->now_us, s, 8), 0);
            assert_true(pair_run(p, S, 0, EP_PONG));
        }
        pair_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_died_with_its_answer_is_noticed),
        cmocka_unit_test(one_that_comes_back_gets_a_session),
        cmocka_unit_test(a_pairing_is_made_again_by_itself),
        cmocka_unit_test(answers_alone_are_not_enough),
        cmocka_unit_test(an_echo_without_answer_is_asked_after),
        cmocka_unit_test(a_proved_one_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
