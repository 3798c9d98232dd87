/* Reservations and flows of a relay: who gets them, who is told what, and when they end. */
#include "support_relay.h"

static struct rand_state rnd;

static void a_reservation_is_granted_for_as_long_as_the_relay_gives(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_up(s, RELAY_T0, 1);
    static const struct {
        uint16_t asked, given;
    } cases[] = {{60, 60}, {3600, 3600}, {3601, 3600}, {65535, 3600}, {1, 1}, {0, 0}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        relay_say(s, RELAY_T0, 1,
                  (struct relay_msg){
                      .op = RELAY_RESERVE, .request = i + 9, .lifetime_s = cases[i].asked});
        const struct relay_msg m = relay_expect(s, RELAY_T0, 1, RELAY_RESERVED);
        assert_int_equal(m.request, i + 9);
        assert_int_equal(m.lifetime_s, cases[i].given);
        assert_int_equal(m.flows_max, 64);
        assert_int_equal(m.rate_kib_s, 100000000 / 8 / 1024);
        assert_int_equal(m.quota_left_mib, RELAY_UNLIMITED);
        assert_int_equal(relay_stats_of(s).reservations, cases[i].given > 0);
    }
    relay_server_free(s);
}

static void a_reservation_ends_when_it_is_not_renewed(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_up(s, RELAY_T0, 1);
    relay_up(s, RELAY_T0, 2);
    relay_reserve_ok(s, RELAY_T0, 1);
    const uint64_t half = RELAY_T0 + UINT64_C(1800) * RELAY_S,
                   end = half + UINT64_C(3600) * RELAY_S;
    relay_reserve_ok(s, half, 1);
    relay_server_timeout(s, end - 1);
    relay_ask(s, end - 1, 2, 1);
    (void)relay_expect(s, end - 1, 1, RELAY_INCOMING);
    assert_int_equal(relay_stats_of(s).reservations, 1);
    relay_say(s, end - 1, 1, (struct relay_msg){.op = RELAY_RESERVE, .lifetime_s = 1});
    (void)relay_expect(s, end - 1, 1, RELAY_RESERVED);
    relay_server_timeout(s, end + RELAY_S);
    assert_int_equal(relay_stats_of(s).reservations, 0);
    relay_server_free(s);
}

static void a_flow_is_offered_until_the_peer_answers_and_opens_when_it_accepts(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 3);
    relay_ask(s, RELAY_T0, 0, 1);
    const struct relay_msg in = relay_expect(s, RELAY_T0, 1, RELAY_INCOMING);
    const struct node_id asker = relay_id(0);
    assert_memory_equal(&in.peer, &asker, sizeof asker);
    assert_int_equal(in.lifetime_s, 300);
    relay_expect_nothing(s, RELAY_T0);
    assert_int_equal(relay_server_deadline_us(s), RELAY_T0 + 250 * RELAY_MS);
    relay_server_timeout(s, RELAY_T0 + 250 * RELAY_MS);
    assert_int_equal(relay_expect(s, RELAY_T0, 1, RELAY_INCOMING).flow, in.flow);
    assert_int_equal(relay_server_deadline_us(s), RELAY_T0 + 750 * RELAY_MS);
    relay_ask(s, RELAY_T0 + 300 * RELAY_MS, 0, 1); /* a repetition changes nothing */
    relay_expect_nothing(s, RELAY_T0);
    relay_say(s, RELAY_T0, 1, (struct relay_msg){.op = RELAY_ACCEPT, .flow = in.flow});
    const struct relay_msg out = relay_expect(s, RELAY_T0, 0, RELAY_OPENED);
    assert_int_equal(out.request, 1001);
    assert_int_equal(out.lifetime_s, 300);
    assert_int_not_equal(out.flow, in.flow);
    relay_expect_nothing(s, RELAY_T0);
    /* Each is told again what it asks again. */
    relay_say(s, RELAY_T0, 1, (struct relay_msg){.op = RELAY_ACCEPT, .flow = in.flow});
    relay_expect_nothing(s, RELAY_T0);
    relay_ask(s, RELAY_T0, 0, 1);
    assert_int_equal(relay_expect(s, RELAY_T0, 0, RELAY_OPENED).flow, out.flow);
    relay_ask(s, RELAY_T0, 1, 0);
    assert_int_equal(relay_expect(s, RELAY_T0, 1, RELAY_OPENED).flow, in.flow);
    assert_int_equal(relay_stats_of(s).flows, 1);
    relay_server_free(s);
}

static void two_that_ask_for_each_other_have_a_flow(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    relay_ask(s, RELAY_T0, 0, 1);
    relay_ask(s, RELAY_T0, 1, 0);
    /* The offer is no more one when it would be said. */
    const uint32_t a = relay_expect(s, RELAY_T0, 0, RELAY_OPENED).flow;
    const uint32_t b = relay_expect(s, RELAY_T0, 1, RELAY_OPENED).flow;
    assert_int_not_equal(a, b);
    relay_expect_nothing(s, RELAY_T0);
    assert_int_equal(relay_stats_of(s).flows, 1);
    relay_server_free(s);
}

static void who_is_not_there_is_gone_at_once_and_who_does_not_answer_in_time(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_up(s, RELAY_T0, 0);
    relay_ask(s, RELAY_T0, 0, 1);
    relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, RELAY_GONE);
    relay_up(s, RELAY_T0, 1); /* a session is no reservation */
    relay_ask(s, RELAY_T0, 0, 1);
    relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, RELAY_GONE);
    relay_reserve_ok(s, RELAY_T0, 1);
    relay_ask(s, RELAY_T0, 0, 1);
    uint64_t at = RELAY_T0;
    for (unsigned i = 0; i < RELAY_OFFER_TRIES; i++) {
        (void)relay_expect(s, at, 1, RELAY_INCOMING);
        relay_expect_nothing(s, at);
        at = relay_server_deadline_us(s);
        relay_server_timeout(s, at);
    }
    assert_int_equal(at - RELAY_T0, 3750 * RELAY_MS);
    relay_expect_reason(s, at, 0, RELAY_REFUSED, RELAY_GONE);
    relay_expect_reason(s, at, 1, RELAY_ENDED, RELAY_GONE);
    assert_int_equal(relay_stats_of(s).flows, 0);
    relay_server_free(s);
}

static void who_refuses_is_heard_with_the_reason(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    static const struct {
        uint8_t said, heard;
    } cases[] = {{RELAY_DENIED, RELAY_DENIED},
                 {RELAY_FULL, RELAY_FULL},
                 {0, RELAY_DENIED},
                 {200, RELAY_DENIED}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        relay_ask(s, RELAY_T0, 0, 1);
        const uint32_t flow = relay_expect(s, RELAY_T0, 1, RELAY_INCOMING).flow;
        relay_say(s, RELAY_T0, 1,
                  (struct relay_msg){.op = RELAY_REFUSE, .flow = flow, .reason = cases[i].said});
        relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, cases[i].heard);
        relay_expect_nothing(s, RELAY_T0);
        assert_int_equal(relay_stats_of(s).flows, 0);
    }
    relay_server_free(s);
}

static void a_flow_to_oneself_is_denied(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 1);
    relay_ask(s, RELAY_T0, 0, 0);
    relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, RELAY_DENIED);
    assert_int_equal(relay_stats_of(s).flows, 0);
    relay_server_free(s);
}

static void only_the_end_that_was_asked_accepts(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 3);
    relay_ask(s, RELAY_T0, 0, 1);
    const uint32_t flow = relay_expect(s, RELAY_T0, 1, RELAY_INCOMING).flow;
    for (uint32_t n = 0; n < 3; n += 2) { /* the asker, and a third one, with a number they cannot
                                             know */
        relay_say(s, RELAY_T0, n, (struct relay_msg){.op = RELAY_ACCEPT, .flow = flow});
        relay_expect_reason(s, RELAY_T0, n, RELAY_ENDED, RELAY_NO_FLOW);
        relay_say(s, RELAY_T0, n, (struct relay_msg){.op = RELAY_CLOSE, .flow = flow});
        relay_expect_nothing(s, RELAY_T0); /* said once in a while */
    }
    assert_int_equal(relay_stats_of(s).flows, 1);
    assert_int_equal(relay_stats_of(s).counters.flows_opened, 0);
    relay_server_free(s);
}

static void either_end_closes_and_both_hear_it(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    for (uint32_t side = 0; side < 2; side++) {
        const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
        const uint32_t number = side == 0 ? f.from : f.to;
        relay_say(s, RELAY_T0, side, (struct relay_msg){.op = RELAY_CLOSE, .flow = number});
        struct relay_msg m = relay_expect(s, RELAY_T0, 0, RELAY_ENDED);
        assert_true(m.flow == f.from && m.reason == RELAY_CLOSED);
        m = relay_expect(s, RELAY_T0, 1, RELAY_ENDED);
        assert_true(m.flow == f.to && m.reason == RELAY_CLOSED);
        assert_int_equal(relay_stats_of(s).flows, 0);
        const uint64_t at = RELAY_T0 + side * RELAY_S + RELAY_S;
        relay_say(s, at, side, (struct relay_msg){.op = RELAY_CLOSE, .flow = number});
        relay_expect_reason(s, at, side, RELAY_ENDED, RELAY_NO_FLOW);
    }
    relay_server_free(s);
}

static void the_others_of_a_client_that_goes_hear_gone_at_once(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 5);
    const struct relay_numbers to1 = relay_flow_up(s, RELAY_T0, 0, 1);
    const struct relay_numbers from2 = relay_flow_up(s, RELAY_T0, 2, 0);
    const struct relay_numbers others = relay_flow_up(s, RELAY_T0, 1, 2);
    (void)others;
    relay_ask(s, RELAY_T0, 0, 3); /* pending, asked for by who goes */
    (void)relay_expect(s, RELAY_T0, 3, RELAY_INCOMING);
    relay_ask(s, RELAY_T0, 4, 0); /* pending, offered to who goes */
    (void)relay_expect(s, RELAY_T0, 0, RELAY_INCOMING);
    relay_server_client_down(s, RELAY_T0, relay_peer(0));
    unsigned heard = 0;
    for (unsigned i = 0; i < 4; i++) {
        struct relay_msg m;
        uint32_t n = 0;
        assert_true(relay_hear(s, RELAY_T0, &n, &m));
        assert_int_equal(m.reason, RELAY_GONE);
        assert_int_equal(m.op, n == 4 ? RELAY_REFUSED : RELAY_ENDED);
        assert_true(n != 1 || m.flow == to1.to);
        assert_true(n != 2 || m.flow == from2.from);
        heard |= 1u << n;
    }
    assert_int_equal(heard, 0x1e);
    relay_expect_nothing(s, RELAY_T0);
    const struct relay_stats st = relay_stats_of(s);
    assert_true(st.clients == 4 && st.reservations == 4 && st.flows == 1);
    assert_false(relay_server_has_client(s, relay_peer(0)));
    relay_server_free(s);
}

static void a_new_session_of_a_client_has_nothing_of_the_old_one(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    (void)relay_flow_up(s, RELAY_T0, 0, 1);
    relay_up(s, RELAY_T0, 0);
    relay_expect_reason(s, RELAY_T0, 1, RELAY_ENDED, RELAY_GONE);
    assert_int_equal(relay_stats_of(s).reservations, 1);
    /* Nor has one whose peer has another reference now, or whose reference is another's. */
    (void)relay_flow_up(s, RELAY_T0, 0, 1);
    const struct node_id id = relay_id(0), other = relay_id(9);
    const struct hop hop = relay_hop(0);
    const struct peer_ref again = {99, 1}, reused = {99, 2};
    assert_int_equal(relay_server_client_up(s, RELAY_T0, again, &id, &hop), 0);
    relay_expect_reason(s, RELAY_T0, 1, RELAY_ENDED, RELAY_GONE);
    assert_false(relay_server_has_client(s, relay_peer(0)));
    assert_int_equal(relay_server_client_up(s, RELAY_T0, reused, &other, &hop), 0);
    assert_false(relay_server_has_client(s, again));
    assert_int_equal(relay_stats_of(s).clients, 2);
    relay_server_free(s);
}

static void a_flow_ends_when_nobody_uses_it(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    uint64_t used = RELAY_T0;
    for (unsigned i = 0; i < 4; i++) { /* forwarded, or asked for again, by either side */
        used += UINT64_C(299) * RELAY_S;
        relay_server_timeout(s, used);
        if (i < 2) {
            relay_forward_one(s, used, i, i == 0 ? f.from : f.to, 100, 0);
        } else {
            relay_ask(s, used, i % 2, 1 - i % 2);
            (void)relay_expect(s, used, i % 2, RELAY_OPENED);
        }
        relay_expect_nothing(s, used);
    }
    relay_server_timeout(s, used + UINT64_C(300) * RELAY_S - 1);
    assert_int_equal(relay_stats_of(s).flows, 1);
    relay_server_timeout(s, used + UINT64_C(300) * RELAY_S);
    relay_expect_nothing(s, used); /* both ends know */
    assert_int_equal(relay_stats_of(s).flows, 0);
    relay_server_free(s);
}

static void all_are_told_that_the_relay_restarts_and_nothing_new_begins(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 3);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    relay_server_restarting(s, RELAY_T0, 5000, 3000);
    for (uint32_t n = 0; n < 3; n++) {
        const struct relay_msg m = relay_expect(s, RELAY_T0 + RELAY_S, n, RELAY_RESTARTING);
        assert_true(m.in_ms == 4000 && m.for_ms == 3000);
    }
    relay_expect_nothing(s, RELAY_T0);
    for (unsigned again = 1; again < RELAY_RESTARTING_TRIES; again++) {
        const uint64_t now_us = relay_server_deadline_us(s);
        assert_int_equal(now_us, RELAY_T0 + again * RELAY_RETRY_US);
        relay_server_timeout(s, now_us);
        for (uint32_t n = 0; n < 3; n++)
            (void)relay_expect(s, now_us, n, RELAY_RESTARTING);
        relay_expect_nothing(s, now_us);
    }
    relay_ask(s, RELAY_T0, 0, 2);
    relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, RELAY_RESTARTS);
    relay_say(s, RELAY_T0, 0, (struct relay_msg){.op = RELAY_RESERVE, .lifetime_s = 10});
    relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, RELAY_RESTARTS);
    relay_forward_one(s, RELAY_T0, 0, f.from, 100, 0); /* what there is goes on */
    uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    assert_true(relay_server_output(s, RELAY_T0, &t));
    relay_server_free(s);
}

static void who_stops_now_says_so_three_times_at_once(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    relay_server_restarting(s, RELAY_T0, 0, 3000);
    for (uint32_t i = 0; i < 2 * RELAY_RESTARTING_TRIES; i++)
        assert_int_equal(relay_expect(s, RELAY_T0, i % 2, RELAY_RESTARTING).in_ms, 0);
    relay_expect_nothing(s, RELAY_T0);
    relay_server_free(s);
}

static void what_is_no_request_is_counted_and_answered_by_nothing(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    const struct relay_stats before = relay_stats_of(s);
    uint8_t out[RELAY_MSG_MAX_BYTES];
    size_t len =
        relay_msg_write(&(struct relay_msg){.op = RELAY_ENDED, .flow = 1, .reason = 1}, out);
    relay_server_input(s, RELAY_T0, relay_peer(0), out, len); /* the relay's words */
    len = relay_msg_write(&(struct relay_msg){.op = RELAY_RESERVE, .lifetime_s = 1}, out);
    relay_server_input(s, RELAY_T0, relay_peer(5), out, len);           /* no client */
    relay_server_input(s, RELAY_T0, (struct peer_ref){1, 8}, out, len); /* nor any more */
    for (size_t cut = 0; cut < len; cut++)
        relay_server_input(s, RELAY_T0, relay_peer(0), out, cut);
    relay_expect_nothing(s, RELAY_T0);
    assert_int_equal(relay_stats_of(s).counters.records_bad, before.counters.records_bad + 3 + len);
    assert_int_equal(relay_stats_of(s).counters.records_in, before.counters.records_in);
    relay_server_free(s);
}

static void an_idle_relay_has_no_deadline_but_the_end_of_reservations(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    assert_true(relay_server_deadline_us(s) == TIME_NEVER);
    relay_up(s, RELAY_T0, 0);
    assert_true(relay_server_deadline_us(s) == TIME_NEVER);
    relay_reserve_ok(s, RELAY_T0, 0);
    assert_true(relay_server_deadline_us(s) == RELAY_T0 + UINT64_C(3600) * RELAY_S);
    relay_server_client_down(s, RELAY_T0, relay_peer(0));
    assert_true(relay_server_deadline_us(s) == TIME_NEVER);
    relay_server_free(s);
}

int main(void) {
    rnd = rand_seeded("relay_server", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reservation_is_granted_for_as_long_as_the_relay_gives),
        cmocka_unit_test(a_reservation_ends_when_it_is_not_renewed),
        cmocka_unit_test(a_flow_is_offered_until_the_peer_answers_and_opens_when_it_accepts),
        cmocka_unit_test(two_that_ask_for_each_other_have_a_flow),
        cmocka_unit_test(who_is_not_there_is_gone_at_once_and_who_does_not_answer_in_time),
        cmocka_unit_test(who_refuses_is_heard_with_the_reason),
        cmocka_unit_test(a_flow_to_oneself_is_denied),
        cmocka_unit_test(only_the_end_that_was_asked_accepts),
        cmocka_unit_test(either_end_closes_and_both_hear_it),
        cmocka_unit_test(the_others_of_a_client_that_goes_hear_gone_at_once),
        cmocka_unit_test(a_new_session_of_a_client_has_nothing_of_the_old_one),
        cmocka_unit_test(a_flow_ends_when_nobody_uses_it),
        cmocka_unit_test(who_stops_now_says_so_three_times_at_once),
        cmocka_unit_test(all_are_told_that_the_relay_restarts_and_nothing_new_begins),
        cmocka_unit_test(what_is_no_request_is_counted_and_answered_by_nothing),
        cmocka_unit_test(an_idle_relay_has_no_deadline_but_the_end_of_reservations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
