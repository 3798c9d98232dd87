/* There is one way in which a session ends: at once it is found by nothing, and when the call is
 * over it is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_hub.h"
#include "support_pair.h"

enum { MS = 1000 };

static const uint8_t goodbye[] = {FRAME_CLOSE, 0};

static void nothing_waits_to_be_reaped(const struct hub *h) {
    assert_null(h->ep[0]->sessions.ended.first);
}

static void a_broken_rule_ends_it_in_the_same_call(void **state) {
    (void)state;
    static const uint8_t no_frame[] = {0x3f, 1, 2}, cut_short[] = {FRAME_ECHO, 1},
                         then_more[] = {0x3f, FRAME_ECHO, 1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        const uint8_t *frames;
        size_t len;
    } cases[] = {
        {no_frame, sizeof no_frame}, {cut_short, sizeof cut_short}, {then_more, sizeof then_more}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hub *h = hub_new(2);
        h->unheard = true;
        hub_bytes(h, 1, 0, 0, 1000); /* it has a transport, and something to be heard */
        hub_hostile(h, 1, cases[i].frames, cases[i].len);
        assert_null(hub_session(h, 1));
        nothing_waits_to_be_reaped(h);
        assert_int_equal(endpoint_session_count(h->ep[0]), 1);
        const uint64_t unknown = endpoint_counters(h->ep[0])->unknown_index;
        hub_bytes(h, 1, 0, 1000, 1000);
        assert_int_equal(endpoint_counters(h->ep[0])->unknown_index, unknown + 1);
        hub_hear(h);
        assert_int_equal(h->told[1][EP_SESSION_DOWN], 1);
        assert_int_equal(h->told[1][EP_STREAM_READABLE], 0); /* with it went what it had said */
        assert_int_equal(block_pool_in_use(endpoint_blocks(h->ep[0])), 0);
        assert_non_null(hub_session(h, 2));
        hub_free(h);
    }
}

static void what_came_before_a_goodbye_is_heard_first(void **state) {
    (void)state;
    struct hub *h = hub_new(3);
    h->unheard = true;
    for (unsigned i = 2; i > 0; i--) {
        hub_bytes(h, i, 0, 0, 1000);
        hub_hostile(h, i, goodbye, sizeof goodbye);
        hub_bytes(h, i, 0, 1000, 1000); /* it has said that this would not come */
    }
    assert_int_equal(endpoint_session_count(h->ep[0]), 3);
    hub_hear(h);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(h->read[i], 1000);
        assert_int_equal(h->told[i][EP_SESSION_DOWN], 1);
        assert_null(hub_session(h, i));
    }
    nothing_waits_to_be_reaped(h);
    assert_int_equal(endpoint_session_count(h->ep[0]), 1);
    assert_int_equal(h->told[3][EP_SESSION_DOWN], 0);
    hub_free(h);
}

/* Where there is nothing to be heard before it. */
static void a_goodbye_alone_ends_it_at_once(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    hub_hear(h);
    hub_hostile(h, 1, goodbye, sizeof goodbye);
    assert_null(hub_session(h, 1));
    nothing_waits_to_be_reaped(h);
    hub_free(h);
}

/* The user hangs up on one that the peer has closed, and nobody has polled yet. */
static void one_that_is_closed_ends_once(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    h->unheard = true;
    hub_bytes(h, 1, 0, 0, 1000);
    hub_hostile(h, 1, goodbye, sizeof goodbye);
    endpoint_disconnect(h->ep[0], h->now_us, h->at0[1], ERR_CANCELLED);
    endpoint_disconnect(h->ep[0], h->now_us, h->at0[1], ERR_CANCELLED);
    assert_null(hub_session(h, 1));
    assert_null(h->ep[0]->sessions.closed.first);
    nothing_waits_to_be_reaped(h);
    hub_hear(h);
    assert_int_equal(h->told[1][EP_SESSION_DOWN], 1);
    assert_int_equal(endpoint_session_count(h->ep[0]), 1);
    hub_free(h);
}

static void one_that_timed_out_is_gone_with_the_call(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    h->deaf[1] = true;
    size_t taken;
    uint64_t id;
    assert_int_equal(stream_open(h->ep[0], h->at0[1], &id), 0);
    assert_int_equal(stream_write(h->ep[0], h->at0[1], id, "hello", 5, &taken), 0);
    for (unsigned i = 0; i < 60 && hub_session(h, 1); i++) {
        hub_run(h, 1000 * MS);
        nothing_waits_to_be_reaped(h);
    }
    assert_null(hub_session(h, 1));
    assert_int_equal(h->told[1][EP_SESSION_DOWN], 1);
    hub_free(h);
}

/* Of side `from` the next train goes to the other one, if it is of this type. */
static void carry(struct pair *p, int from, enum packet_type type) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    do
        assert_true(endpoint_output(p->ep[from], p->now_us, &t));
    while (t.buf[0] != type);
    const struct hop at = hop_udp(&p->addr[from], 0);
    endpoint_input(p->ep[!from], p->now_us, &at, t.ecn, t.buf, t.len);
}

/* The peer has lost the session and offers a new one: what waited to leave in the old one is no
 * debt of the new one's. */
static void one_that_begins_anew_owes_nothing_of_the_old(void **state) {
    (void)state;
    struct pair *p = pair_new(3);
    pair_start(p, 5000 * MS);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    struct session_ref s[2], now;
    pair_connect(p, s);
    pair_run(p, 1000 * MS, -1, -1);
    pair_restart(p, 1);
    pair_know(p, 1, NULL, false);
    p->now_us += 6000 * MS;
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], i), 0);
    carry(p, 0, PACKET_INITIATION);
    assert_true(endpoint_find(p->ep[0], s[0])->small_waiting > 1);
    carry(p, 1, PACKET_RESPONSE);
    assert_null(endpoint_find(p->ep[0], s[0]));
    pair_run(p, 1000 * MS, -1, -1);
    assert_true(endpoint_session(p->ep[0], p->peer[0], &now));
    assert_int_equal(endpoint_find(p->ep[0], now)->small_waiting, 0);
    pair_free(p);
}

/* Its farewell and its next session may come in one batch. */
static void a_goodbye_to_the_old_one_does_not_end_the_new_one(void **state) {
    (void)state;
    static uint8_t bytes[4][TRAIN_MAX_BYTES];
    struct train last[4];
    unsigned trains = 0;
    struct pair *p = pair_new(4);
    pair_start(p, 5000 * MS);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    struct session_ref s[2], now;
    pair_connect(p, s);
    pair_run(p, 1000 * MS, -1, -1);
    assert_int_equal(session_datagram(p->ep[1], p->now_us, s[1], "bye", 3, TIME_NEVER), 0);
    for (bool more = true; more && trains < 4; trains += more) {
        last[trains] = (struct train){.buf = bytes[trains]};
        more = endpoint_output(p->ep[1], p->now_us, &last[trains]);
        if (!more && endpoint_session(p->ep[1], p->peer[1], &now)) {
            endpoint_disconnect(p->ep[1], p->now_us, now, ERR_CLOSED);
            more = endpoint_output(p->ep[1], p->now_us, &last[trains]);
        }
    }
    pair_restart(p, 1);
    pair_know(p, 1, NULL, false);
    p->now_us += 6000 * MS;
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
    carry(p, 0, PACKET_INITIATION);
    const struct hop at = hop_udp(&p->addr[1], 0);
    for (unsigned i = 0; i < trains; i++)
        endpoint_input(p->ep[0], p->now_us, &at, last[i].ecn, last[i].buf, last[i].len);
    assert_true(endpoint_find(p->ep[0], s[0])->closed); /* there is something to be heard yet */
    carry(p, 1, PACKET_RESPONSE);
    pair_run(p, 5000 * MS, -1, -1);
    assert_int_equal(pair_count(p, 0, EP_SESSION_UP), 2);
    assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN), 1);
    assert_true(endpoint_session(p->ep[0], p->peer[0], &now));
    assert_true(endpoint_session(p->ep[1], p->peer[1], &now));
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_rule_ends_it_in_the_same_call),
        cmocka_unit_test(what_came_before_a_goodbye_is_heard_first),
        cmocka_unit_test(a_goodbye_alone_ends_it_at_once),
        cmocka_unit_test(one_that_is_closed_ends_once),
        cmocka_unit_test(one_that_timed_out_is_gone_with_the_call),
        cmocka_unit_test(one_that_begins_anew_owes_nothing_of_the_old),
        cmocka_unit_test(a_goodbye_to_the_old_one_does_not_end_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
