/* Datagrams through a relay: only those of an open flow, from where its client is, with nothing
 * added; trains stay trains; what is dropped is counted by why. */
#include <stdlib.h>

#include "support_relay.h"

static struct rand_state rnd;

struct got {
    uint32_t to;
    size_t len;
    uint16_t segment_bytes;
    uint8_t ecn;
};

static uint8_t out_buf[TRAIN_MAX_BYTES];

static bool pull(struct relay_server *s, uint64_t now_us, uint32_t full, struct got *g) {
    struct train t = {.buf = out_buf, .full = full};
    if (!relay_server_output(s, now_us, &t))
        return false;
    uint32_t n = 0;
    for (;; n++) {
        const struct hop hop = relay_hop(n);
        if (hop_equal(&hop, &t.to))
            break;
        assert_true(n < 1000);
    }
    *g = (struct got){n, t.len, t.segment_bytes, t.ecn};
    return true;
}

static void a_run_leaves_as_one_train_with_new_headers_and_nothing_else_changed(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    enum { PKT = 1200, COUNT = 10, LAST = 333 };
    static uint8_t in[PKT * COUNT + LAST], was[sizeof in];
    for (uint32_t side = 0; side < 2; side++) {
        const uint32_t number = side == 0 ? f.from : f.to, other = side == 0 ? f.to : f.from;
        relay_fill(&rnd, in, sizeof in);
        for (uint32_t i = 0; i <= COUNT; i++) {
            forward_write(in + (size_t)i * PKT, PACKET_FORWARD, number);
            in[(size_t)i * PKT + FORWARD_HEADER_BYTES] = PACKET_DATA;
        }
        memcpy(was, in, sizeof in);
        const struct hop from = relay_hop(side);
        relay_server_forward(
            s, RELAY_T0,
            &(struct train_in){
                .buf = in, .len = sizeof in, .segment_bytes = PKT, .from = from, .ecn = 2});
        assert_memory_equal(in, was, sizeof in); /* read only */
        struct got g = {0};
        assert_true(pull(s, RELAY_T0, 0, &g));
        assert_true(g.to == 1 - side && g.len == sizeof in && g.segment_bytes == PKT && g.ecn == 2);
        for (uint32_t i = 0; i <= COUNT; i++) {
            uint8_t head[FORWARD_HEADER_BYTES];
            forward_write(head, PACKET_FORWARDED, other);
            const size_t at = (size_t)i * PKT, n = (i < COUNT ? PKT : LAST) - sizeof head;
            assert_memory_equal(out_buf + at, head, sizeof head);
            assert_memory_equal(out_buf + at + sizeof head, was + at + sizeof head, n);
        }
        assert_false(pull(s, RELAY_T0, 0, &g));
    }
    const struct relay_stats st = relay_stats_of(s);
    assert_int_equal(st.counters.forwarded_pkts, 2 * (COUNT + 1));
    assert_int_equal(st.counters.forwarded_bytes, 2 * sizeof in);
    relay_server_free(s);
}

/* However large the edge says that datagrams could have been. */
static void one_datagram_is_a_run_of_its_own_size(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    uint8_t buf[100];
    const struct hop from = relay_hop(0);
    static const size_t segments[] = {100, 101, 65535, 65536, 1 << 20};
    for (unsigned i = 0; i < sizeof segments / sizeof *segments; i++) {
        struct got g = {0};
        relay_packet(buf, sizeof buf, f.from, 0);
        relay_forward_run(s, RELAY_T0, &from, buf, sizeof buf, segments[i]);
        assert_true(pull(s, RELAY_T0, 0, &g));
        assert_true(g.len == sizeof buf && g.segment_bytes == sizeof buf);
    }
    relay_server_free(s);
}

static void a_run_of_several_flows_is_cut_where_they_change(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 4);
    uint32_t flow[4] = {0};
    for (uint32_t i = 1; i < 4; i++)
        flow[i] = relay_flow_up(s, RELAY_T0, 0, i).from;
    /* The flows of a run's datagrams; 0: one that is malformed. */
    static const uint8_t order[] = {1, 1, 1, 2, 2, 1, 0, 3, 3, 3, 3, 0, 2};
    enum { PKT = 100, COUNT = sizeof order };
    static uint8_t in[PKT * COUNT];
    unsigned sent[4] = {0}, got[4] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        relay_packet(in + (size_t)i * PKT, PKT, order[i] ? flow[order[i]] : 1, i);
        if (order[i] == 0)
            in[i * PKT] = PACKET_FORWARDED; /* not for a relay */
        sent[order[i]]++;
    }
    const struct hop from = relay_hop(0);
    relay_forward_run(s, RELAY_T0, &from, in, sizeof in, PKT);
    struct got g = {0};
    uint32_t last[4] = {0};
    while (pull(s, RELAY_T0, 0, &g)) {
        for (size_t at = 0; at < g.len; at += PKT) {
            const uint32_t mark = load_le32(out_buf + at + FORWARD_HEADER_BYTES + 16);
            assert_int_equal(order[mark], g.to);
            assert_true(got[g.to] == 0 || mark > last[g.to]); /* in order */
            last[g.to] = mark;
            got[g.to]++;
        }
    }
    assert_int_equal(relay_stats_of(s).counters.malformed, sent[0]);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(got[i], sent[i]);
    relay_server_free(s);
}

static void each_wrong_datagram_is_counted_by_why_and_none_is_forwarded(void **state) {
    (void)state;
    struct relay_limits l = relay_limits_default();
    struct relay_server *s = relay_alone(&l, &rnd);
    relay_crowd(s, RELAY_T0, 4);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    relay_ask(s, RELAY_T0, 2, 3);
    const uint32_t pending = relay_expect(s, RELAY_T0, 3, RELAY_INCOMING).flow;
    static uint8_t big[TRAIN_MAX_BYTES];
    struct got g;
    static const struct {
        uint32_t from;
        char flow; /* f, t: the two ends; p: pending; u: unknown; z: 0 */
        size_t len;
        uint8_t type, inner;
        size_t counter;
    } cases[] = {
#define COUNTER(name) offsetof(struct relay_counters, name)
        {0, 'f', 39, 5, 4, COUNTER(malformed)},  /* shorter than any datagram */
        {0, 'f', 8, 5, 4, COUNTER(malformed)},   /* nothing inside */
        {0, 'f', 3, 5, 4, COUNTER(malformed)},   /* no header */
        {0, 'z', 100, 5, 4, COUNTER(malformed)}, /* flow 0 */
        {0, 'f', 100, 6, 4, COUNTER(malformed)}, /* not to a relay */
        {0, 'f', 100, 4, 4, COUNTER(malformed)}, /* no FORWARD at all */
        {0, 'f', 100, 5, 7, COUNTER(malformed)}, /* nothing that two ends send */
        {0, 'f', 100, 5, 0, COUNTER(malformed)}, /* likewise */
        {0, 'u', 100, 5, 4, COUNTER(unknown_flow)},
        {9, 'u', 100, 5, 4, COUNTER(unknown_flow)}, /* nor a client */
        {0, 't', 100, 5, 4, COUNTER(wrong_source)}, /* the other's end */
        {1, 'f', 100, 5, 4, COUNTER(wrong_source)},
        {2, 'f', 100, 5, 4, COUNTER(wrong_source)}, /* another client */
        {9, 'f', 100, 5, 4, COUNTER(wrong_source)}, /* nobody */
        {3, 'p', 100, 5, 4, COUNTER(not_open)},     /* not accepted */
        {0, 'f', RELAY_TRAIN_BYTES + 1, 5, 4, COUNTER(too_big)},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct relay_counters before = relay_stats_of(s).counters;
        const uint32_t flow = cases[i].flow == 'f'   ? f.from
                              : cases[i].flow == 't' ? f.to
                              : cases[i].flow == 'p' ? pending
                              : cases[i].flow == 'u' ? f.from ^ 0x80000000
                                                     : 0;
        const struct hop from = relay_hop(cases[i].from);
        relay_packet(big, 100, 1, 0);
        store_le32(big, cases[i].type);
        store_le32(big + 4, flow);
        big[FORWARD_HEADER_BYTES] = cases[i].inner;
        relay_forward_run(s, RELAY_T0, &from, big, cases[i].len, cases[i].len);
        const struct relay_counters after = relay_stats_of(s).counters;
        for (size_t at = 0; at < sizeof after; at += sizeof(uint64_t)) {
            uint64_t a, b;
            memcpy(&a, (const char *)&before + at, sizeof a);
            memcpy(&b, (const char *)&after + at, sizeof b);
            if (b - a != (at == cases[i].counter))
                fail_msg("case %u: counter %zu has grown by %d", i, at / sizeof a, (int)(b - a));
        }
        assert_false(pull(s, RELAY_T0, 0, &g));
    }
    relay_server_free(s);
}

static void a_client_is_told_of_a_flow_that_is_not_there_once_in_a_while(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    relay_say(s, RELAY_T0, 1, (struct relay_msg){.op = RELAY_CLOSE, .flow = f.to});
    (void)relay_expect(s, RELAY_T0, 0, RELAY_ENDED); /* lost, say */
    (void)relay_expect(s, RELAY_T0, 1, RELAY_ENDED);
    unsigned told = 0;
    for (unsigned ms = 0; ms < 1000; ms++) {
        relay_forward_one(s, RELAY_T0 + ms * UINT64_C(1000), 0, f.from, 100, 0);
        struct relay_msg m;
        uint32_t n;
        while (relay_hear(s, RELAY_T0, &n, &m)) {
            assert_true(n == 0 && m.op == RELAY_ENDED && m.reason == RELAY_NO_FLOW &&
                        m.flow == f.from);
            told++;
        }
    }
    assert_int_equal(told, 4);
    assert_int_equal(relay_stats_of(s).counters.unknown_flow, 1000);
    relay_forward_one(s, RELAY_T0 + 9 * RELAY_S, 77, f.from, 100, 0); /* from nowhere: silence */
    relay_expect_nothing(s, RELAY_T0);
    relay_server_free(s);
}

static void a_client_that_moves_is_followed_and_its_old_place_is_nobodys(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 2);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    const struct hop elsewhere = relay_hop(50), old = relay_hop(0);
    uint8_t buf[100];
    struct got g = {0};
    relay_forward_one(s, RELAY_T0, 1, f.to, 100, 0); /* waits while it moves */
    relay_server_client_moved(s, RELAY_T0, relay_peer(0), &elsewhere);
    assert_true(pull(s, RELAY_T0, 0, &g));
    assert_int_equal(g.to, 50);
    relay_packet(buf, sizeof buf, f.from, 0);
    relay_forward_run(s, RELAY_T0, &old, buf, sizeof buf, sizeof buf);
    assert_int_equal(relay_stats_of(s).counters.wrong_source, 1);
    relay_forward_run(s, RELAY_T0, &elsewhere, buf, sizeof buf, sizeof buf);
    assert_true(pull(s, RELAY_T0, 0, &g));
    assert_int_equal(g.to, 1);
    /* By another socket of ours it is not where its session is. */
    struct hop by_other = elsewhere;
    by_other.udp.local++;
    relay_forward_run(s, RELAY_T0, &by_other, buf, sizeof buf, sizeof buf);
    assert_int_equal(relay_stats_of(s).counters.wrong_source, 2);
    relay_packet(buf, sizeof buf, f.from ^ 0x80000000, 0);
    relay_forward_run(s, RELAY_T0, &old, buf, sizeof buf, sizeof buf);
    relay_expect_nothing(s, RELAY_T0); /* nobody is there to be told */
    relay_forward_run(s, RELAY_T0, &elsewhere, buf, sizeof buf, sizeof buf);
    relay_expect_reason(s, RELAY_T0, 0, RELAY_ENDED, RELAY_NO_FLOW);
    relay_server_free(s);
}

static void a_full_socket_holds_up_nobody_else(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 7); /* client n is behind socket n % 3 */
    for (uint32_t i = 1; i < 7; i++) {
        const uint32_t flow = relay_flow_up(s, RELAY_T0, 0, i).from;
        relay_forward_one(s, RELAY_T0, 0, flow, 100, i);
    }
    struct got g = {0};
    unsigned seen = 0;
    while (pull(s, RELAY_T0, 1u << 1, &g))
        seen |= 1u << g.to;
    assert_int_equal(seen, 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6);
    while (pull(s, RELAY_T0 + 10 * RELAY_MS, 1u << 2, &g))
        seen |= 1u << g.to;
    assert_int_equal(seen, 0x7e);
    relay_server_free(s);
}

static void what_a_flow_that_ends_has_waiting_is_dropped(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    relay_crowd(s, RELAY_T0, 3);
    const struct relay_numbers f = relay_flow_up(s, RELAY_T0, 0, 1);
    const struct relay_numbers h = relay_flow_up(s, RELAY_T0, 2, 1);
    struct got g = {0};
    relay_forward_one(s, RELAY_T0, 0, f.from, 100, 0);
    relay_forward_one(s, RELAY_T0, 2, h.from, 100, 0);
    assert_false(pull(s, RELAY_T0, 1u << 1, &g)); /* set aside, too */
    relay_server_client_down(s, RELAY_T0, relay_peer(0));
    assert_true(pull(s, RELAY_T0, 0, &g));
    assert_false(pull(s, RELAY_T0, 0, &g));
    assert_int_equal(relay_stats_of(s).queued_bytes, 0);
    relay_forward_one(s, RELAY_T0, 2, h.from, 100, 0);
    relay_server_free(s); /* with something waiting: nothing is left behind */
}

int main(void) {
    rnd = rand_seeded("relay_forward", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_leaves_as_one_train_with_new_headers_and_nothing_else_changed),
        cmocka_unit_test(one_datagram_is_a_run_of_its_own_size),
        cmocka_unit_test(a_run_of_several_flows_is_cut_where_they_change),
        cmocka_unit_test(each_wrong_datagram_is_counted_by_why_and_none_is_forwarded),
        cmocka_unit_test(a_client_is_told_of_a_flow_that_is_not_there_once_in_a_while),
        cmocka_unit_test(a_client_that_moves_is_followed_and_its_old_place_is_nobodys),
        cmocka_unit_test(a_full_socket_holds_up_nobody_else),
        cmocka_unit_test(what_a_flow_that_ends_has_waiting_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
