/* Where a peer's packets may go and come from: places beside its addresses, and the policy that
 * forbids some of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/relay/relay_limits.h"
#include "net/wire/frame.h"
#include "support_trio.h"

enum { S = 1000000, MS = 1000 };

/* Counts what passes between A and B without the relay. */
struct between {
    unsigned a_to_b, b_to_a, forwards;
};

static bool count(struct trio *t, unsigned from, unsigned to, uint8_t *data, size_t len) {
    struct between *c = t->ctx;
    (void)len;
    c->a_to_b += from == A && to == B;
    c->b_to_a += from == B && to == A;
    c->forwards += data[0] == PACKET_FORWARD;
    return true;
}

/* All three reach each other; A and B are contacts with each other's address, and guests of R. */
static struct trio *start(const char *name, uint64_t number, enum path_policy a, enum path_policy b,
                          struct between *c) {
    struct trio *t = trio_new(name, number, 3);
    *c = (struct between){0};
    t->tap = count;
    t->ctx = c;
    trio_serve(t, R);
    trio_use_relay(t, A, R);
    trio_use_relay(t, B, R);
    trio_know(t, A, B, true, NULL, false, a);
    trio_know(t, B, A, true, NULL, false, b);
    return t;
}

static void relay_only_sends_nothing_to_the_peers_address(void **state) {
    (void)state;
    for (unsigned n = 0; n < 10; n++) {
        struct between c;
        struct trio *t = start("only", n, PATH_RELAY_ONLY, PATH_AUTO, &c);
        t->loss_permille = n * 10;
        trio_flow(t, A, R, B);
        /* B knows A's address and may use it: nothing that comes from there is taken. */
        trio_connect(t, n % 2 ? B : A, n % 2 ? A : B);
        trio_transfer(t, A, B, 300000, 60 * S);
        trio_transfer(t, B, A, 300000, 60 * S);
        struct session_ref s;
        assert_true(endpoint_session(t->ep[A], t->peer[A][B], &s));
        assert_int_equal(session_switch_path(t->ep[A], t->now_us, s, AT(&t->addr[B])), ERR_USAGE);
        if (endpoint_session(t->ep[B], t->peer[B][A], &s)) /* it tries to lead A there */
            assert_int_equal(session_switch_path(t->ep[B], t->now_us, s, AT(&t->addr[A])), 0);
        trio_run(t, 200 * S, 0, -1); /* rekeys, too */
        trio_transfer(t, B, A, 1000, 60 * S);
        assert_int_equal(session_hop(trio_session(t, A, B))->kind, HOP_RELAY);
        assert_int_equal(c.a_to_b, 0);
        if (n % 2)
            assert_true(c.b_to_a > 0 && endpoint_counters(t->ep[A])->policy_dropped > 0);
        trio_free(t);
    }
}

/* Not by a secret that is wrong, nor by a replay, nor by a packet of its session. */
static void relay_only_answers_nothing_that_comes_from_the_peers_address(void **state) {
    (void)state;
    struct between c;
    struct trio *t = start("silent", 1, PATH_RELAY_ONLY, PATH_AUTO, &c);
    struct psk wrong;
    memset(&wrong, 9, sizeof wrong);
    for (unsigned n = 0; n < 2; n++) {
        trio_know(t, B, A, true, n ? &wrong : NULL, false, PATH_AUTO);
        assert_int_equal(endpoint_connect(t->ep[B], t->now_us, t->peer[B][A]), 0);
        assert_true(trio_run(t, 9 * S, B, EP_CONNECT_FAILED));
        assert_int_equal(trio_told(t, B, EP_CONNECT_FAILED).err, ERR_TIMEOUT);
    }
    assert_true(c.b_to_a > 10);
    assert_int_equal(c.a_to_b, 0);
    /* A has no place of B's by now: there is nothing to call. */
    assert_int_equal(endpoint_connect(t->ep[A], t->now_us, t->peer[A][B]), ERR_OFFLINE);
    assert_int_equal(endpoint_peer_place_add(t->ep[A], t->now_us, t->peer[A][B], AT(&t->addr[B])),
                     ERR_USAGE);
    trio_run(t, 10 * S, 0, -1);
    assert_int_equal(c.a_to_b, 0);
    trio_free(t);
}

static void direct_only_uses_no_relay(void **state) {
    (void)state;
    struct between c;
    struct trio *t = start("direct", 1, PATH_DIRECT_ONLY, PATH_AUTO, &c);
    uint32_t request;
    assert_int_equal(relay_open(t->ep[B], t->now_us, t->peer[B][R], &t->id[A].id, &request), 0);
    assert_true(trio_run(t, S, A, EP_RELAY_INCOMING));
    const struct ep_event in = trio_told(t, A, EP_RELAY_INCOMING);
    assert_int_equal(endpoint_peer_place_add(t->ep[A], t->now_us, t->peer[A][B], &in.hop),
                     ERR_USAGE);
    assert_int_equal(relay_answer(t->ep[A], t->now_us, t->peer[A][R], in.hop.relay.flow, true), 0);
    assert_true(trio_run(t, S, B, EP_RELAY_OPENED));
    const struct hop at = trio_told(t, B, EP_RELAY_OPENED).hop;
    assert_int_equal(endpoint_peer_place_add(t->ep[B], t->now_us, t->peer[B][A], &at), 0);
    t->cut[B][A] = true; /* so that B's call comes through the relay alone */
    assert_int_equal(endpoint_connect(t->ep[B], t->now_us, t->peer[B][A]), 0);
    assert_true(trio_run(t, 9 * S, B, EP_CONNECT_FAILED));
    assert_true(endpoint_counters(t->ep[A])->policy_dropped > 0);
    t->cut[B][A] = false;
    trio_connect(t, A, B);
    trio_transfer(t, A, B, 100000, 10 * S);
    assert_int_equal(session_hop(trio_session(t, A, B))->kind, HOP_UDP);
    trio_free(t);
}

/* A session that goes where the policy no longer lets it ends, without a goodbye there. */
static void a_policy_that_comes_later_counts_at_once(void **state) {
    (void)state;
    struct between c;
    struct trio *t = start("later", 1, PATH_AUTO, PATH_AUTO, &c);
    trio_connect(t, A, B);
    assert_int_equal(session_hop(trio_session(t, A, B))->kind, HOP_UDP);
    const unsigned sent = c.a_to_b;
    trio_know(t, A, B, true, NULL, false, PATH_RELAY_ONLY);
    assert_false(trio_has_session(t, A, B));
    trio_run(t, 20 * S, 0, -1);
    assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 1);
    assert_int_equal(c.a_to_b, sent);
    trio_flow(t, A, R, B);
    trio_connect(t, A, B);
    trio_transfer(t, A, B, 10000, 10 * S);
    assert_int_equal(c.a_to_b, sent);
    trio_free(t);
}

/* Nor does what waited for its turn to leave, of a call or of a session, go there any more. */
static void what_waits_to_leave_is_no_exception(void **state) {
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct between c;
        struct trio *t = start("waits", n, PATH_AUTO, PATH_AUTO, &c);
        struct session_ref s;
        if (n == 0) {
            assert_int_equal(endpoint_connect(t->ep[A], t->now_us, t->peer[A][B]), 0);
        } else {
            trio_connect(t, A, B);
            trio_run(t, S, 0, -1);
            assert_true(endpoint_session(t->ep[A], t->peer[A][B], &s));
            assert_int_equal(session_ping(t->ep[A], t->now_us, s, 1), 0);
        }
        const unsigned sent = c.a_to_b;
        trio_know(t, A, B, true, NULL, false, PATH_RELAY_ONLY);
        trio_run(t, S, 0, -1);
        assert_int_equal(c.a_to_b, sent);
        trio_free(t);
    }
}

/* The call goes to all places at once, as the same bytes; whichever answers first carries data. */
static void a_call_goes_to_addresses_and_through_relays_at_once(void **state) {
    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        struct between c;
        struct trio *t = start("dial", n, PATH_AUTO, PATH_AUTO, &c);
        trio_flow(t, A, R, B);
        const unsigned forwards = c.forwards;
        t->cut[A][B] = n == 1; /* no direct way there, or none back */
        t->cut[B][A] = n == 2;
        const uint64_t from_us = t->now_us;
        assert_int_equal(endpoint_connect(t->ep[A], t->now_us, t->peer[A][B]), 0);
        assert_true(trio_run(t, S, A, EP_SESSION_UP));
        /* One round trip of the way that works, no try of the other before. */
        assert_true(t->now_us <= from_us + (n == 0 ? 2 : 4) * t->delay_us + MS);
        assert_true(c.a_to_b >= 1 && c.forwards > forwards);
        trio_run(t, 2 * S, 0, -1);
        assert_int_equal(trio_count(t, A, EP_SESSION_UP), 2); /* with R, and B */
        assert_int_equal(trio_count(t, B, EP_SESSION_UP), 2);
        trio_transfer(t, A, B, 200000, 20 * S);
        trio_transfer(t, B, A, 200000, 20 * S);
        trio_free(t);
    }
}

/* A place that becomes known while the call is out is called at once. */
static void a_place_that_comes_later_is_called_at_once(void **state) {
    (void)state;
    struct between c;
    struct trio *t = start("late", 1, PATH_AUTO, PATH_AUTO, &c);
    t->cut[A][B] = t->cut[B][A] = true;
    assert_int_equal(endpoint_connect(t->ep[A], t->now_us, t->peer[A][B]), 0);
    trio_run(t, 300 * MS, 0, -1);
    uint32_t request;
    assert_int_equal(relay_open(t->ep[A], t->now_us, t->peer[A][R], &t->id[B].id, &request), 0);
    assert_true(trio_run(t, S, B, EP_RELAY_INCOMING));
    const struct ep_event in = trio_told(t, B, EP_RELAY_INCOMING);
    assert_int_equal(relay_answer(t->ep[B], t->now_us, t->peer[B][R], in.hop.relay.flow, true), 0);
    assert_true(trio_run(t, S, A, EP_RELAY_OPENED));
    const struct hop at = trio_told(t, A, EP_RELAY_OPENED).hop;
    const uint64_t from_us = t->now_us;
    assert_int_equal(endpoint_peer_place_add(t->ep[A], t->now_us, t->peer[A][B], &at), 0);
    assert_int_equal(endpoint_peer_place_add(t->ep[A], t->now_us, t->peer[A][B], &at), 0);
    assert_true(trio_run(t, S, A, EP_SESSION_UP));
    assert_true(t->now_us <= from_us + 4 * t->delay_us + MS);
    trio_free(t);
}

static void places_are_bounded_and_go(void **state) {
    (void)state;
    struct trio *t = trio_new("places", 1, 2);
    trio_know(t, A, R, false, NULL, false, PATH_AUTO);
    struct hop at = {.kind = HOP_RELAY, .relay = {t->peer[A][R], 1}};
    for (unsigned n = 0; n <= PEER_PLACES_MAX; n++, at.relay.flow++)
        assert_int_equal(endpoint_peer_place_add(t->ep[A], t->now_us, t->peer[A][R], &at),
                         n < PEER_PLACES_MAX ? 0 : ERR_FULL);
    at.relay.flow = 2;
    endpoint_peer_place_remove(t->ep[A], t->now_us, t->peer[A][R], &at);
    at.relay.flow = 100;
    assert_int_equal(endpoint_peer_place_add(t->ep[A], t->now_us, t->peer[A][R], &at), 0);
    /* A relay through itself leads nowhere; nothing hangs, and what was to leave is counted. */
    assert_int_equal(endpoint_connect(t->ep[A], t->now_us, t->peer[A][R]), 0);
    assert_true(trio_run(t, 9 * S, A, EP_CONNECT_FAILED));
    assert_true(endpoint_counters(t->ep[A])->relay_no_way > 0);
    assert_int_equal(t->sent_pkts[A], 0);
    endpoint_peer_remove(t->ep[A], t->now_us, t->peer[A][R]);
    assert_int_equal(endpoint_peer_place_add(t->ep[A], t->now_us, t->peer[A][R], &at),
                     ERR_NOT_FOUND);
    trio_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_only_sends_nothing_to_the_peers_address),
        cmocka_unit_test(relay_only_answers_nothing_that_comes_from_the_peers_address),
        cmocka_unit_test(direct_only_uses_no_relay),
        cmocka_unit_test(a_policy_that_comes_later_counts_at_once),
        cmocka_unit_test(what_waits_to_leave_is_no_exception),
        cmocka_unit_test(a_call_goes_to_addresses_and_through_relays_at_once),
        cmocka_unit_test(a_place_that_comes_later_is_called_at_once),
        cmocka_unit_test(places_are_bounded_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
