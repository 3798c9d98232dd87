/* What a relay lets one client have, one prefix, and all; its lists; and the load it tells. */
#include <stdlib.h>

#include "support_relay.h"

static struct rand_state rnd;

static struct hop at_ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    return hop_udp(&(struct addr){.kind = ADDR_IPV4, .port = 1, .ip = {a, b, c, d}}, 0);
}

static struct hop at_ip6(uint8_t b5, uint8_t b6, uint8_t last) {
    return hop_udp(&(struct addr){.kind = ADDR_IPV6,
                                  .port = 1,
                                  .ip = {0x20, 1, 0xd, 0xb8, 0, b5, b6, [15] = last}},
                   0);
}

static bool reserves(struct relay_server *s, uint32_t n, const struct hop *hop) {
    const struct node_id id = relay_id(n);
    struct relay_msg m = {0};
    uint32_t to = 0;
    assert_int_equal(relay_server_client_up(s, RELAY_T0, relay_peer(n), &id, hop), 0);
    relay_say(s, RELAY_T0, n, (struct relay_msg){.op = RELAY_RESERVE, .lifetime_s = 100});
    assert_true(relay_hear(s, RELAY_T0, &to, &m));
    assert_int_equal(to, n);
    assert_true(m.op == RELAY_RESERVED || (m.op == RELAY_REFUSED && m.reason == RELAY_FULL));
    return m.op == RELAY_RESERVED;
}

static void a_prefix_has_its_share_of_reservations(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    l.reservations_per_prefix = 3;
    struct relay_server *s = relay_alone(&l, &rnd);
    static const struct {
        bool v6;
        uint8_t a, b, c;
        bool ok;
    } cases[] = {
        {false, 1, 2, 3, true},  {false, 1, 2, 4, true},  {false, 1, 2, 5, true},
        {false, 1, 2, 6, false}, /* the fourth of a /24 */
        {false, 1, 3, 6, true},  {true, 1, 7, 1, true},   {true, 1, 8, 1, true},
        {true, 1, 9, 1, true},   {true, 1, 10, 1, false}, /* the fourth of a /48 */
        {true, 2, 7, 1, true},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct hop hop = cases[i].v6 ? at_ip6(cases[i].a, cases[i].b, cases[i].c)
                                           : at_ip(9, cases[i].a, cases[i].b, cases[i].c);
        assert_true(reserves(s, i, &hop) == cases[i].ok);
    }
    /* One that is given back, or goes, makes room; a renewal needs none. */
    relay_say(s, RELAY_T0, 0, (struct relay_msg){.op = RELAY_RESERVE});
    (void)relay_expect(s, RELAY_T0, 0, RELAY_RESERVED);
    const struct hop there = at_ip(9, 1, 2, 99);
    assert_true(reserves(s, 50, &there));
    assert_false(reserves(s, 51, &there));
    relay_server_client_down(s, RELAY_T0, relay_peer(1));
    assert_true(reserves(s, 51, &there));
    relay_reserve_ok(s, RELAY_T0, 51);
    /* Who moves takes its reservation along. */
    const struct hop elsewhere = at_ip(9, 1, 77, 1);
    relay_server_client_moved(s, RELAY_T0, relay_peer(51), &elsewhere);
    assert_true(reserves(s, 52, &there));
    assert_false(reserves(s, 53, &there));
    relay_server_free(s);
}

static void clients_are_bounded(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    l.clients = 4;
    struct relay_server *s = relay_alone(&l, &rnd);
    for (uint32_t i = 0; i < 4; i++)
        relay_up(s, RELAY_T0, i);
    const struct node_id id = relay_id(4);
    const struct hop hop = relay_hop(4);
    assert_int_equal(relay_server_client_up(s, RELAY_T0, relay_peer(4), &id, &hop), ERR_FULL);
    relay_server_client_down(s, RELAY_T0, relay_peer(2));
    relay_up(s, RELAY_T0, 4);
    relay_server_free(s);
}

static void flows_of_a_client_and_of_all_are_bounded(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    l.flows_per_client = 3;
    l.flows = 4;
    struct relay_server *s = relay_alone(&l, &rnd);
    relay_crowd(s, RELAY_T0, 8);
    for (uint32_t i = 1; i <= 3; i++)
        (void)relay_flow_up(s, RELAY_T0, 0, i);
    relay_ask(s, RELAY_T0, 0, 4); /* its own are used up */
    relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, RELAY_FULL);
    relay_ask(s, RELAY_T0, 5, 0); /* and so nobody gets one to it */
    relay_expect_reason(s, RELAY_T0, 5, RELAY_REFUSED, RELAY_FULL);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 5, 6);
    relay_ask(s, RELAY_T0, 6, 7); /* all are used up */
    relay_expect_reason(s, RELAY_T0, 6, RELAY_REFUSED, RELAY_FULL);
    relay_say(s, RELAY_T0, 5, (struct relay_msg){.op = RELAY_CLOSE, .flow = f.from});
    (void)relay_expect(s, RELAY_T0, 5, RELAY_ENDED);
    (void)relay_expect(s, RELAY_T0, 6, RELAY_ENDED);
    (void)relay_flow_up(s, RELAY_T0, 6, 7);
    assert_int_equal(relay_stats_of(s).counters.opens_refused, 3);
    relay_server_free(s);
}

/* Strangers that offer flows without end do not keep others out: an honest offer is answered within
 * a round trip, the oldest one gives way. */
static void offers_nobody_answers_give_way(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 40);
    for (uint32_t i = 1; i < 40; i++) {
        relay_ask(s, RELAY_T0, i, 0);
        if (i > RELAY_OFFERS_MAX) {
            relay_expect_reason(s, RELAY_T0, i - RELAY_OFFERS_MAX, RELAY_REFUSED, RELAY_FULL);
            relay_expect_reason(s, RELAY_T0, 0, RELAY_ENDED, RELAY_FULL);
        }
        (void)relay_expect(s, RELAY_T0, 0, RELAY_INCOMING);
    }
    assert_int_equal(relay_stats_of(s).flows, RELAY_OFFERS_MAX);
    relay_server_free(s);
}

static void who_opens_without_end_is_refused(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    enum { PEERS = 25 };
    relay_crowd(s, RELAY_T0, 1 + PEERS);
    unsigned opened = 0, refused = 0;
    for (unsigned i = 0; i < 400; i++) { /* ten seconds */
        const uint64_t now_us = RELAY_T0 + i * UINT64_C(25) * RELAY_MS;
        struct relay_msg m = {0};
        uint32_t to = 0;
        relay_ask(s, now_us, 0, 1 + i % PEERS);
        assert_true(relay_hear(s, now_us, &to, &m));
        if (m.op == RELAY_REFUSED) {
            assert_true(to == 0 && m.reason == RELAY_FULL);
            refused++;
            continue;
        }
        opened++;
        relay_say(s, now_us, to, (struct relay_msg){.op = RELAY_REFUSE, .flow = m.flow});
        (void)relay_expect(s, now_us, 0, RELAY_REFUSED);
    }
    assert_true(opened >= RELAY_OPENS_BURST + 39 && opened <= RELAY_OPENS_BURST + 42);
    assert_int_equal(opened + refused, 400);
    relay_server_free(s);
}

static uint64_t forwarded(struct relay_server *s, uint64_t now_us) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    uint64_t bytes = 0;
    while (relay_server_output(s, now_us, &t))
        bytes += t.len;
    return bytes;
}

static void a_client_sends_no_more_than_its_rate(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    l.client_bytes_per_s = 1000 * 1000;
    struct relay_server *s = relay_alone(&l, &rnd);
    relay_crowd(s, RELAY_T0, 3);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    const struct relay_numbers other = relay_flow_up(s, RELAY_T0, 2, 1);
    uint64_t out = 0;
    for (unsigned ms = 0; ms < 4000; ms++) { /* 4 MB/s are tried */
        const uint64_t now_us = RELAY_T0 + ms * UINT64_C(1000);
        for (unsigned i = 0; i < 4; i++)
            relay_forward_one(s, now_us, 0, f.from, 1000, 0);
        out += forwarded(s, now_us);
    }
    assert_true(out >= 4000 * 1000 && out <= 4000 * 1000 + 250 * 1000 + 2000);
    assert_int_equal(relay_stats_of(s).counters.over_rate, 16000 - out / 1000);
    relay_forward_one(s, RELAY_T0 + 4 * RELAY_S, 2, other.from, 1000, 0);
    assert_int_equal(forwarded(s, RELAY_T0 + 4 * RELAY_S), 1000); /* nobody else's */
    relay_server_free(s);
}

static void all_together_send_no_more_than_the_capacity(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    l.bytes_per_s = 1000 * 1000;
    struct relay_server *s = relay_alone(&l, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    uint64_t out = 0, now_us = RELAY_T0;
    for (unsigned i = 0; i < 5000; i++) { /* 5 MB in 2 s */
        now_us = RELAY_T0 + i * UINT64_C(400);
        relay_forward_one(s, now_us, 0, f.from, 1000, 0);
        out += forwarded(s, now_us);
        relay_server_timeout(s, now_us);
        const uint64_t deadline_us = relay_server_deadline_us(s);
        assert_true(deadline_us > now_us); /* it says when more may leave, and does not spin */
        assert_true(relay_stats_of(s).queued_bytes == 0 || deadline_us < now_us + 50 * RELAY_MS);
    }
    assert_true(out >= 1950 * 1000 && out <= 2100 * 1000);
    relay_server_free(s);
}

static void a_quota_of_the_day_outlives_the_session(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    l.client_bytes_per_day = 3 << 20;
    struct relay_server *s = relay_alone(&l, &rnd);
    uint64_t now_us = RELAY_T0;
    relay_crowd(s, now_us, 2);
    struct relay_numbers f = relay_flow_up(s, now_us, 0, 1);
    for (unsigned i = 0; i < 2 << 10; i++) {
        relay_forward_one(s, now_us, 0, f.from, 1024, 0);
        now_us += RELAY_MS;
        (void)forwarded(s, now_us);
    }
    relay_up(s, now_us, 0);
    relay_expect_reason(s, now_us, 1, RELAY_ENDED, RELAY_GONE);
    relay_say(s, now_us, 0, (struct relay_msg){.op = RELAY_RESERVE, .lifetime_s = 9});
    assert_int_equal(relay_expect(s, now_us, 0, RELAY_RESERVED).quota_left_mib, 1);
    f = relay_flow_up(s, now_us, 0, 1);
    for (unsigned i = 0; i < 1 << 10; i++)
        relay_forward_one(s, now_us += RELAY_MS, 0, f.from, 1024, 0);
    relay_expect_nothing(s, now_us);
    relay_forward_one(s, now_us, 0, f.from, 1024, 0); /* one too many: both hear it at once */
    relay_expect_reason(s, now_us, 0, RELAY_ENDED, RELAY_QUOTA);
    relay_expect_reason(s, now_us, 1, RELAY_ENDED, RELAY_QUOTA);
    assert_int_equal(relay_stats_of(s).counters.over_quota, 1);
    relay_ask(s, now_us, 0, 1);
    relay_expect_reason(s, now_us, 0, RELAY_REFUSED, RELAY_QUOTA);
    const struct relay_numbers back = relay_flow_up(s, now_us, 1, 0); /* the other has its own */
    relay_forward_one(s, now_us, 1, back.from, 1024, 0);
    assert_int_equal(relay_stats_of(s).counters.over_quota, 1);
    now_us += UINT64_C(86400) * RELAY_S; /* another day */
    relay_server_timeout(s, now_us);
    struct relay_msg m;
    uint32_t n;
    while (relay_hear(s, now_us, &n, &m))
        ;
    relay_reserve_ok(s, now_us, 1);
    relay_ask(s, now_us, 0, 1);
    (void)relay_expect(s, now_us, 1, RELAY_INCOMING);
    relay_server_free(s);
}

static void who_is_blocked_has_nothing_here_and_who_is_not_allowed_no_reservation(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 5);
    (void)relay_flow_up(s, RELAY_T0, 0, 1);
    (void)relay_flow_up(s, RELAY_T0, 2, 3);
    const struct node_id block[] = {relay_id(7), relay_id(0), relay_id(6)};
    const struct node_id allow[] = {relay_id(3), relay_id(1), relay_id(0)};
    assert_int_equal(relay_server_lists(s, RELAY_T0, allow, 3, block, 3), 0);
    relay_expect_reason(s, RELAY_T0, 0, RELAY_ENDED, RELAY_DENIED);
    relay_expect_reason(s, RELAY_T0, 1, RELAY_ENDED, RELAY_DENIED);
    for (uint32_t n = 0; n < 5; n += 2) { /* by the request that it was asked for with */
        const struct relay_msg m = relay_expect(s, RELAY_T0, n, RELAY_REFUSED);
        assert_true(m.request == n && m.reason == RELAY_DENIED);
    }
    relay_expect_nothing(s, RELAY_T0);
    assert_int_equal(relay_stats_of(s).reservations, 2);
    assert_int_equal(relay_stats_of(s).flows, 1); /* nobody's business */
    for (uint32_t n = 0; n < 5; n++) {
        relay_say(s, RELAY_T0, n, (struct relay_msg){.op = RELAY_RESERVE, .lifetime_s = 9});
        if (n == 1 || n == 3)
            (void)relay_expect(s, RELAY_T0, n, RELAY_RESERVED);
        else
            relay_expect_reason(s, RELAY_T0, n, RELAY_REFUSED, RELAY_DENIED);
    }
    relay_ask(s, RELAY_T0, 0, 1); /* blocked: neither asks ... */
    relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, RELAY_DENIED);
    (void)relay_flow_up(s, RELAY_T0, 4, 1); /* anybody else may ask for one with a reservation */
    assert_int_equal(relay_server_lists(s, RELAY_T0, NULL, 0, NULL, 0), 0);
    relay_reserve_ok(s, RELAY_T0, 0);
    struct node_id *many = calloc(RELAY_LIST_MAX + 1, sizeof *many);
    assert_non_null(many);
    assert_int_equal(relay_server_lists(s, RELAY_T0, NULL, 0, many, RELAY_LIST_MAX + 1), ERR_FULL);
    assert_int_equal(relay_server_lists(s, RELAY_T0, many, RELAY_LIST_MAX, NULL, 0), 0);
    free(many);
    relay_server_free(s);
}

/* Nothing that is there ends by it. */
static void other_limits_count_from_now_on(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    struct relay_server *s = relay_alone(&l, &rnd);
    relay_crowd(s, RELAY_T0, 3);
    (void)relay_flow_up(s, RELAY_T0, 0, 1);
    l.flows_per_client = 1;
    relay_server_set_limits(s, &l);
    relay_expect_nothing(s, RELAY_T0);
    assert_int_equal(relay_stats_of(s).reservations, 3);
    relay_ask(s, RELAY_T0, 0, 2);
    relay_expect_reason(s, RELAY_T0, 0, RELAY_REFUSED, RELAY_FULL);
    l.flows_per_client = 2;
    relay_server_set_limits(s, &l);
    (void)relay_flow_up(s, RELAY_T0, 0, 2);
    relay_server_free(s);
}

/* 80 s at a tenth of the capacity, then 80 s at full, then nothing. */
static void a_load_is_told_when_it_has_changed_and_not_often(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    l.bytes_per_s = 1000 * 1000;
    struct relay_server *s = relay_alone(&l, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    relay_up(s, RELAY_T0, 2); /* without a reservation */
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    uint64_t told_us = 0;
    unsigned told[3] = {0};
    uint8_t last = 0;
    for (unsigned ms = 0; ms < 240 * 1000; ms += 10) {
        const uint64_t now_us = RELAY_T0 + ms * UINT64_C(1000);
        const unsigned part = ms / 80000;
        for (unsigned i = 0; i < (part == 0 ? 1 : part == 1 ? 10 : 0); i++)
            relay_forward_one(s, now_us, 0, f.from, 1000, 0);
        (void)forwarded(s, now_us);
        relay_server_timeout(s, now_us);
        struct relay_msg m = {0};
        uint32_t n = 0;
        while (relay_hear(s, now_us, &n, &m)) {
            assert_int_equal(m.op, RELAY_LOAD);
            assert_int_not_equal(n, 2);
            if (n != 0)
                continue;
            assert_true(told_us == 0 || now_us >= told_us + RELAY_LOAD_US);
            told_us = now_us;
            told[part]++;
            last = m.load;
        }
        if (ms == 79990)
            assert_true(relay_stats_of(s).load >= 20 && relay_stats_of(s).load <= 32);
        if (ms == 159990)
            assert_true(last >= 240 && relay_stats_of(s).load >= 240);
    }
    assert_true(told[0] == 0 && told[1] >= 1 && told[1] <= 3 && told[2] >= 1 && told[2] <= 3);
    assert_true(last < RELAY_LOAD_STEP);
    assert_int_equal(relay_stats_of(s).load, 0);
    /* Idle again: nothing is measured. */
    assert_true(relay_server_deadline_us(s) == RELAY_T0 + UINT64_C(300) * RELAY_S);
    relay_server_free(s);
}

static void what_waits_to_be_told_is_bounded(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 1);
    for (unsigned i = 0; i < 10000; i++)
        relay_say(s, RELAY_T0, 0, (struct relay_msg){.op = RELAY_RESERVE, .lifetime_s = 9});
    unsigned heard = 0;
    struct relay_msg m;
    uint32_t n;
    while (relay_hear(s, RELAY_T0, &n, &m))
        heard++;
    assert_int_equal(heard, RELAY_SIGNALS_CLIENT_MAX);
    assert_int_equal(relay_stats_of(s).counters.signals_lost, 10000 - RELAY_SIGNALS_CLIENT_MAX);
    relay_server_free(s);
}

int main(void) {
    rnd = rand_seeded("relay_limits", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_has_its_share_of_reservations),
        cmocka_unit_test(clients_are_bounded),
        cmocka_unit_test(flows_of_a_client_and_of_all_are_bounded),
        cmocka_unit_test(offers_nobody_answers_give_way),
        cmocka_unit_test(who_opens_without_end_is_refused),
        cmocka_unit_test(a_client_sends_no_more_than_its_rate),
        cmocka_unit_test(all_together_send_no_more_than_the_capacity),
        cmocka_unit_test(a_quota_of_the_day_outlives_the_session),
        cmocka_unit_test(other_limits_count_from_now_on),
        cmocka_unit_test(who_is_blocked_has_nothing_here_and_who_is_not_allowed_no_reservation),
        cmocka_unit_test(a_load_is_told_when_it_has_changed_and_not_often),
        cmocka_unit_test(what_waits_to_be_told_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
