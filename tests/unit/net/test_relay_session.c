/* Two nodes that reach each other only through a relay: they pair, talk, and hear when it is no
 * good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/relay/relay_limits.h"
#include "support_trio.h"

enum { S = 1000000, MS = 1000 };

static struct psk secret_of(uint8_t b) {
    struct psk s;
    memset(&s, b, sizeof s);
    return s;
}

/* A and B are guests of R and cannot reach each other. */
static struct trio *behind_relay(const char *name, uint64_t number) {
    struct trio *t = trio_new(name, number, 3);
    trio_behind_relay(t);
    return t;
}

/* And are contacts, with a session through it. */
static struct trio *talking(const char *name, uint64_t number) {
    struct trio *t = trio_new(name, number, 3);
    trio_talk_by_relay(t);
    return t;
}

/* Six flows are asked for when the keys are too old: four questions leave with the new ones, long
 * before they would be repeated, and each once. */
static void what_is_said_to_a_relay_waits_for_new_keys(void **state) {
    (void)state;
    struct trio *t = behind_relay("keys", 1);
    const struct peer_ref relay = t->peer[A][R];
    assert_int_equal(endpoint_keepalive(t->ep[A], t->now_us, relay, 110 * S), 0);
    trio_run(t, 109 * S, 0, -1);
    trio_run(t, 80 * S, 0, -1);
    struct session_ref s;
    assert_true(endpoint_session(t->ep[A], relay, &s));
    assert_int_equal(session_keys_left_us(t->ep[A], t->now_us, s), 0);
    const uint64_t rekeys = endpoint_counters(t->ep[A])->rekeys;
    for (uint8_t n = 0; n < UNSAID_MAX + 2; n++) {
        const struct node_id nobody = {{n, 9}};
        uint32_t request;
        assert_int_equal(relay_open(t->ep[A], t->now_us, relay, &nobody, &request), 0);
    }
    trio_run(t, 200 * MS, 0, -1);
    assert_int_equal(endpoint_counters(t->ep[A])->rekeys, rekeys + 1);
    assert_true(session_keys_left_us(t->ep[A], t->now_us, s) > 170 * (uint64_t)S);
    assert_int_equal(trio_count(t, A, EP_RELAY_REFUSED), UNSAID_MAX);
    trio_run(t, S, 0, -1);
    assert_int_equal(trio_count(t, A, EP_RELAY_REFUSED), UNSAID_MAX + 2);
    trio_free(t);
}

static void two_that_cannot_reach_each_other_pair_by_ticket_through_a_relay(void **state) {
    (void)state;
    for (unsigned n = 0; n < 20; n++) {
        struct trio *t = behind_relay("pair", n);
        const struct psk secret = secret_of(7);
        assert_int_equal(endpoint_ticket_open(t->ep[B], &secret, t->now_us + 60 * S), 0);
        trio_know(t, A, B, true, &secret, true, PATH_AUTO);
        t->loss_permille = n < 10 ? 0 : 100;
        trio_flow(t, A, R, B);
        trio_connect(t, A, B);
        assert_int_equal(trio_count(t, A, EP_PAIRED), 1);
        assert_int_equal(trio_count(t, B, EP_PAIRED), 1);
        const struct ep_event up = trio_told(t, A, EP_SESSION_UP);
        struct session_info info;
        assert_true(endpoint_session_info(t->ep[A], t->now_us, up.session, &info));
        assert_int_equal(info.hop.kind, HOP_RELAY);
        assert_true(node_id_equal(&info.relay, &t->id[R].id));
        assert_int_equal(info.path.kind, ADDR_NONE);
        trio_free(t);
    }
}

static void a_stream_through_a_relay_is_byte_exact_whatever_is_lost(void **state) {
    (void)state;
    static const unsigned loss[] = {0, 10, 50};
    for (unsigned n = 0; n < 3; n++) {
        struct trio *t = talking("bytes", n);
        t->loss_permille = loss[n];
        trio_transfer(t, A, B, 10 << 20, 120 * S);
        trio_transfer(t, B, A, 100000, 60 * S);
        const struct endpoint_counters *c = endpoint_counters(t->ep[R]);
        assert_int_equal(c->data_accepted < 400, true); /* nothing of it is for the relay */
        assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 0);
        trio_free(t);
    }
}

static void a_relay_that_dies_is_noticed_by_both(void **state) {
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct trio *t = talking("dies", n);
        uint64_t stream;
        size_t taken;
        struct session_ref s;
        assert_true(endpoint_session(t->ep[A], t->peer[A][B], &s));
        assert_int_equal(stream_open(t->ep[A], s, &stream), 0);
        trio_run(t, 5 * S, 0, -1);
        t->dead[R] = true;
        if (n == 0) { /* something is under way: A hears soon, and B when it asks */
            assert_int_equal(stream_write(t->ep[A], s, stream, "x", 1, &taken), 0);
            assert_true(trio_run(t, 6 * S, A, EP_SESSION_DOWN));
            assert_true(trio_run(t, 105 * S, B, EP_SESSION_DOWN));
        } else { /* nothing is: within four keepalives and three questions */
            assert_true(trio_run(t, 105 * S, A, EP_SESSION_DOWN));
            trio_run(t, 30 * S, 0, -1);
        }
        static const unsigned both[] = {A, B};
        for (unsigned i = 0; i < 2; i++) {
            const struct ep_event ended = trio_told(t, both[i], EP_RELAY_ENDED);
            assert_int_equal(ended.relay.reason, RELAY_GONE);
            assert_true(node_id_equal(&ended.node, &t->id[both[!i]].id));
            assert_true(trio_count(t, both[i], EP_SESSION_DOWN) > 0);
            assert_false(trio_has_session(t, both[i], R));
        }
        trio_free(t);
    }
}

/* Asked for an echo, or called, through a relay that knows nobody any more. */
static void a_relay_that_has_restarted_is_found_by_whoever_gets_no_answer(void **state) {
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct trio *t = talking("restarted", n);
        struct session_ref s;
        trio_run(t, 5 * S, 0, -1);
        trio_restart(t, R);
        trio_serve(t, R);
        assert_true(endpoint_session(t->ep[A], t->peer[A][B], &s));
        if (n == 0) {
            assert_int_equal(session_ping(t->ep[A], t->now_us, s, 7), 0);
        } else {
            endpoint_disconnect(t->ep[A], t->now_us, s, 0);
            assert_int_equal(endpoint_connect(t->ep[A], t->now_us, t->peer[A][B]), 0);
        }
        assert_true(trio_run(t, 5 * S, A, EP_RELAY_ENDED));
        assert_int_equal(trio_told(t, A, EP_RELAY_ENDED).relay.reason, RELAY_GONE);
        trio_free(t);
    }
}

/* The relay's session alone has this rhythm: an outage of the others is survived as ever. */
static void an_outage_that_an_ordinary_session_survives_ends_one_that_is_kept(void **state) {
    (void)state;
    struct trio *t = trio_new("outage", 1, 3);
    trio_know(t, A, R, true, NULL, false, PATH_AUTO);
    trio_know(t, R, A, true, NULL, false, PATH_AUTO);
    trio_know(t, A, B, true, NULL, false, PATH_AUTO);
    trio_know(t, B, A, true, NULL, false, PATH_AUTO);
    trio_connect(t, A, R);
    trio_connect(t, A, B);
    assert_int_equal(endpoint_keepalive(t->ep[A], t->now_us, t->peer[A][R], 1 * S), 0);
    static const unsigned with[] = {R, B};
    struct session_ref s[2];
    trio_run(t, 10 * S, 0, -1);
    t->dead[R] = t->dead[B] = true;
    for (unsigned i = 0; i < 2; i++) {
        assert_true(endpoint_session(t->ep[A], t->peer[A][with[i]], &s[i]));
        assert_int_equal(session_ping(t->ep[A], t->now_us, s[i], 7), 0);
    }
    trio_run(t, 9 * S, 0, -1);
    assert_false(trio_has_session(t, A, R));
    assert_true(trio_has_session(t, A, B));
    t->dead[B] = false;
    trio_run(t, 5 * S, 0, -1);
    assert_true(trio_has_session(t, A, B));
    trio_free(t);
}

static void a_kept_session_lasts_and_costs_little(void **state) {
    (void)state;
    static const unsigned every_s[] = {25, 110};
    for (unsigned n = 0; n < 2; n++) {
        struct trio *t = trio_new("kept", n, 2);
        trio_serve(t, R);
        trio_use_relay(t, A, R);
        assert_int_equal(
            endpoint_keepalive(t->ep[A], t->now_us, t->peer[A][R], (uint64_t)every_s[n] * S), 0);
        trio_run(t, 100 * S, 0, -1);
        const uint64_t bytes = t->sent_bytes[A], pkts = t->sent_pkts[A];
        const unsigned up = trio_count(t, A, EP_SESSION_UP);
        trio_run(t, UINT64_C(3600) * S, 0, -1);
        print_message("every %u s: %.2f B/s, %u packets in an hour\n", every_s[n],
                      (double)(t->sent_bytes[A] - bytes) / 3600,
                      (unsigned)(t->sent_pkts[A] - pkts));
        assert_true(t->sent_bytes[A] - bytes < 3600 * (n == 0 ? 4 : 25) / (n == 0 ? 1 : 10));
        assert_true(trio_has_session(t, A, R) && trio_has_session(t, A, R));
        assert_int_equal(trio_count(t, A, EP_SESSION_UP), up);
        assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 0);
        assert_int_equal(trio_count(t, R, EP_SESSION_DOWN), 0);
        assert_int_equal(trio_count(t, A, EP_PONG), 0); /* nobody has asked */
        trio_free(t);
    }
}

static void who_refuses_a_flow_is_heard_at_once(void **state) {
    (void)state;
    struct trio *t = behind_relay("refuse", 1);
    uint32_t request;
    assert_int_equal(relay_open(t->ep[A], t->now_us, t->peer[A][R], &t->id[B].id, &request), 0);
    assert_true(trio_run(t, S, B, EP_RELAY_INCOMING));
    const struct ep_event in = trio_told(t, B, EP_RELAY_INCOMING);
    const uint64_t from_us = t->now_us;
    assert_int_equal(relay_answer(t->ep[B], t->now_us, t->peer[B][R], in.hop.relay.flow, false), 0);
    assert_true(trio_run(t, S, A, EP_RELAY_REFUSED));
    assert_true(t->now_us <= from_us + 2 * t->delay_us + MS);
    const struct ep_event no = trio_told(t, A, EP_RELAY_REFUSED);
    assert_int_equal(no.relay.reason, RELAY_DENIED);
    assert_int_equal(no.relay.request, request);
    assert_int_equal(no.err, ERR_REFUSED);
    /* Who is not there is said as fast. */
    struct node_id nobody = t->id[B].id;
    nobody.bytes[0] ^= 1;
    const uint64_t asked_us = t->now_us;
    assert_int_equal(relay_open(t->ep[A], t->now_us, t->peer[A][R], &nobody, &request), 0);
    assert_true(trio_run(t, S, A, EP_RELAY_REFUSED));
    assert_true(t->now_us <= asked_us + 2 * t->delay_us + MS);
    assert_int_equal(trio_told(t, A, EP_RELAY_REFUSED).relay.reason, RELAY_GONE);
    trio_free(t);
}

/* A closes the flow: the place goes at both ends, and B hears. */
static void a_flow_that_is_closed_is_no_place_any_more(void **state) {
    (void)state;
    struct trio *t = talking("closed", 1);
    const struct hop at = *session_hop(trio_session(t, A, B));
    assert_int_equal(at.kind, HOP_RELAY);
    relay_close(t->ep[A], t->now_us, &at);
    assert_true(trio_run(t, S, B, EP_RELAY_ENDED));
    assert_int_equal(trio_count(t, A, EP_RELAY_ENDED), 0);
    assert_int_equal(peers_by_ref(&t->ep[A]->peers, t->peer[A][B])->place_count, 0);
    assert_int_equal(peers_by_ref(&t->ep[B]->peers, t->peer[B][A])->place_count, 0);
    const uint64_t none = endpoint_counters(t->ep[A])->relay_no_way;
    struct session_ref s;
    assert_true(endpoint_session(t->ep[A], t->peer[A][B], &s));
    assert_int_equal(session_ping(t->ep[A], t->now_us, s, 5), 0);
    trio_run(t, S, 0, -1);
    assert_true(endpoint_counters(t->ep[A])->relay_no_way > none); /* dropped, and counted */
    assert_int_equal(trio_count(t, A, EP_PONG), 0);
    trio_free(t);
}

/* A uses R alone and R2 through R; B uses R2: each insists on its own. */
static void two_relays_in_a_row_carry_a_stream(void **state) {
    (void)state;
    struct trio *t = trio_new("row", 1, 4);
    t->cut[A][B] = t->cut[B][A] = t->cut[A][R2] = t->cut[R2][A] = true;
    t->cut[B][R] = t->cut[R][B] = true;
    trio_serve(t, R);
    trio_serve(t, R2);
    trio_use_relay(t, A, R);
    trio_use_relay(t, R2, R);
    trio_use_relay(t, B, R2);
    trio_know(t, A, R2, false, NULL, false, PATH_AUTO);
    trio_flow(t, A, R, R2); /* R2 takes A as a guest, who has no place there yet */
    trio_connect(t, A, R2);
    assert_int_equal(session_hop(trio_session(t, A, R2))->kind, HOP_RELAY);
    assert_int_equal(endpoint_keepalive(t->ep[A], t->now_us, t->peer[A][R2], 25 * S), 0);
    trio_know(t, A, B, false, NULL, false, PATH_AUTO);
    trio_know(t, B, A, false, NULL, false, PATH_AUTO);
    trio_flow(t, A, R2, B);
    trio_connect(t, A, B);
    t->loss_permille = 10;
    trio_transfer(t, A, B, 2 << 20, 120 * S);
    trio_transfer(t, B, A, 2 << 20, 120 * S);
    assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 0);
    assert_int_equal(trio_count(t, B, EP_SESSION_DOWN), 0);
    trio_free(t);
}

/* Underlays of 1,280 and 1,124 bytes, and one of jumbo frames: no datagram is larger than what
 * passes but for the probes that find that out. */
static void packets_through_a_relay_are_as_large_as_its_path_carries(void **state) {
    (void)state;
    static const size_t mtus[] = {1280 - 28, 1124 - 28, 9000 - 28};
    for (unsigned n = 0; n < 3; n++) {
        struct trio *t = trio_new("mtu", n, 3);
        t->mtu = mtus[n];
        trio_talk_by_relay(t);
        trio_transfer(t, A, B, 4 << 20, 120 * S);
        struct session_ref s;
        struct session_info info;
        assert_true(endpoint_session(t->ep[A], t->peer[A][B], &s));
        assert_true(endpoint_session_info(t->ep[A], t->now_us, s, &info));
        assert_true(info.mtu_bytes <= mtus[n] && info.mtu_bytes > mtus[n] * 9 / 10);
        trio_free(t);
    }
}

/* The socket to the relay is full: what goes through it waits, and what does not leaves. */
static void what_goes_through_a_relay_waits_for_its_socket(void **state) {
    (void)state;
    struct trio *t = talking("full", 1);
    struct session_ref b, r;
    uint64_t stream;
    size_t taken;
    trio_run(t, 5 * S, 0, -1);
    assert_true(endpoint_session(t->ep[A], t->peer[A][B], &b));
    assert_true(endpoint_session(t->ep[A], t->peer[A][R], &r));
    t->full[A] = 1; /* all come in by socket 0 */
    const uint64_t pkts = t->sent_pkts[A];
    assert_int_equal(stream_open(t->ep[A], b, &stream), 0);
    assert_int_equal(stream_write(t->ep[A], b, stream, "0123456789", 10, &taken), 0);
    assert_int_equal(session_ping(t->ep[A], t->now_us, b, 1), 0);
    assert_int_equal(session_record(t->ep[A], t->now_us, b, "\2x", 2), 0);
    trio_run(t, 300 * MS, 0, -1);
    assert_int_equal(t->sent_pkts[A], pkts);
    t->full[A] = 0;
    assert_true(trio_run(t, S, A, EP_PONG));
    trio_run(t, S, 0, -1);
    assert_int_equal(trio_count(t, B, EP_STREAM_OPENED), 1);
    assert_int_equal(trio_count(t, B, EP_RECORD), 1);
    assert_int_equal(endpoint_counters(t->ep[A])->relay_no_way, 0);
    trio_free(t);
}

/* A's NAT gives it another address in mid-transfer, either way. Nothing of its is forwarded from
 * there, or reaches it, before the relay has it from A's session: A asks as soon as it hears
 * nothing. */
static void a_client_that_moves_keeps_its_flows(void **state) {
    (void)state;
    for (unsigned n = 0; n < 6; n++) {
        struct trio *t = talking("moves", n);
        const unsigned from = n % 2 ? B : A;
        t->moves_us = t->now_us + 100 * MS;
        const uint64_t from_us = t->now_us;
        trio_transfer(t, from, from == A ? B : A, 3 << 20, 40 * S);
        assert_int_equal(t->moves_us, 0); /* it was in the middle */
        print_message("moved: %.1f s\n", (double)(t->now_us - from_us) / S);
        assert_true(t->now_us - from_us < 5 * (uint64_t)S);
        assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 0);
        assert_int_equal(trio_count(t, B, EP_SESSION_DOWN), 0);
        trio_free(t);
    }
}

/* The relay has a transfer of its own with A while B's streams pass through it. */
static void what_a_relay_forwards_and_what_it_sends_take_turns(void **state) {
    (void)state;
    struct trio *t = talking("turns", 1);
    static uint8_t buf[TRAIN_MAX_BYTES], data[200000];
    trio_know(t, R, A, true, NULL, false, PATH_AUTO);
    trio_transfer(t, R, A, 3 << 20, 60 * S); /* so that both have a large window */
    trio_transfer(t, B, A, 3 << 20, 60 * S);
    struct session_ref s[2];
    uint64_t stream;
    size_t taken;
    assert_true(endpoint_session(t->ep[R], t->peer[R][A], &s[0]));
    assert_true(endpoint_session(t->ep[B], t->peer[B][A], &s[1]));
    assert_int_equal(stream_open(t->ep[B], s[1], &stream), 0);
    assert_int_equal(stream_write(t->ep[B], s[1], stream, data, sizeof data, &taken), 0);
    struct train out = {.buf = buf};
    assert_true(endpoint_output(t->ep[B], t->now_us, &out));
    for (unsigned n = 0; n < 6; n++) { /* the relay does not know what it has seen */
        const struct train_in in = {.buf = buf,
                                    .len = out.len,
                                    .segment_bytes = out.segment_bytes,
                                    .from = *AT(&t->addr[B])};
        endpoint_input_train(t->ep[R], t->now_us, &in);
    }
    assert_int_equal(stream_open(t->ep[R], s[0], &stream), 0);
    assert_int_equal(stream_write(t->ep[R], s[0], stream, data, sizeof data, &taken), 0);
    unsigned turns[2] = {0}, last = 2, changes = 0;
    while (endpoint_output(t->ep[R], t->now_us, &out) && turns[0] + turns[1] < 6) {
        const unsigned kind = buf[0] == PACKET_FORWARDED;
        changes += kind != last;
        last = kind;
        turns[kind]++;
    }
    print_message("%u of its own, %u forwarded\n", turns[0], turns[1]);
    assert_true(turns[0] >= 2 && turns[1] >= 2);
    assert_true(changes >= 4); /* of six trains hardly two in a row */
    trio_free(t);
}

/* It was opened for the dial, and another place was quicker: when that dies, this one must be there
 * already. (path_cut, seed 196) */
static void a_flow_that_was_there_before_the_session_is_a_standby_of_it(void **state) {
    (void)state;
    for (unsigned n = 0; n < 20; n++) {
        struct trio *t = trio_new("before", n, 3);
        struct path_info info[PATHS_MAX];
        trio_serve(t, R);
        trio_use_relay(t, A, R);
        trio_use_relay(t, B, R);
        trio_know(t, A, B, true, NULL, false, PATH_AUTO);
        trio_know(t, B, A, true, NULL, false, PATH_AUTO);
        trio_flow(t, A, R, B);
        t->loss_permille = n < 10 ? 0 : 100;
        t->cut[A][R] = t->cut[B][R] = true; /* the other way is quicker */
        trio_connect(t, A, B);
        t->cut[A][R] = t->cut[B][R] = false;
        t->loss_permille = 0;
        trio_run(t, 2 * S, 0, -1);
        const struct ep_event up = trio_told(t, A, EP_SESSION_UP);
        assert_int_equal(session_paths(t->ep[A], up.session, info), 2);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(info[i].status, i == 0 ? PATH_ACTIVE : PATH_VALIDATED);
        trio_free(t);
    }
}

/* A relay whose user changes a setting, of relays or not, keeps all that it has. */
static void other_limits_send_nobody_away(void **state) {
    (void)state;
    struct trio *t = talking("reload", 1);
    struct relay_limits l = relay_limits_default();
    l.client_bytes_per_s = 100 * 1000;
    assert_int_equal(endpoint_relay_serve(t->ep[R], &l, t->now_us), 0);
    const uint64_t from_us = t->now_us;
    trio_transfer(t, A, B, 400 * 1000, 60 * S);
    assert_true(t->now_us - from_us > 2 * S); /* and the new ones hold */
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(trio_count(t, i, EP_SESSION_DOWN), 0);
        assert_int_equal(trio_count(t, i, EP_RELAY_RESTARTING), 0);
    }
    trio_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_that_was_there_before_the_session_is_a_standby_of_it),
        cmocka_unit_test(other_limits_send_nobody_away),
        cmocka_unit_test(a_client_that_moves_keeps_its_flows),
        cmocka_unit_test(what_a_relay_forwards_and_what_it_sends_take_turns),
        cmocka_unit_test(a_relay_that_dies_is_noticed_by_both),
        cmocka_unit_test(a_relay_that_has_restarted_is_found_by_whoever_gets_no_answer),
        cmocka_unit_test(an_outage_that_an_ordinary_session_survives_ends_one_that_is_kept),
        cmocka_unit_test(a_kept_session_lasts_and_costs_little),
        cmocka_unit_test(who_refuses_a_flow_is_heard_at_once),
        cmocka_unit_test(a_flow_that_is_closed_is_no_place_any_more),
        cmocka_unit_test(two_relays_in_a_row_carry_a_stream),
        cmocka_unit_test(packets_through_a_relay_are_as_large_as_its_path_carries),
        cmocka_unit_test(what_goes_through_a_relay_waits_for_its_socket),
        cmocka_unit_test(what_is_said_to_a_relay_waits_for_new_keys),
        cmocka_unit_test(two_that_cannot_reach_each_other_pair_by_ticket_through_a_relay),
        cmocka_unit_test(a_stream_through_a_relay_is_byte_exact_whatever_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
