/* The watch over relays and policies: each wrong of a relay is seen, and honest forwarding, also by
 * two relays in a row and beside somebody who copies packets, is silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/bytes.h"
#include "sim/invariants/invariants.h"
#include "support_watch.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { A, B, RELAY, THIRD, SECOND, HOSTS };
enum { FLOW_A = 0x1234, FLOW_B = 0x9876, INNER_BYTES = 100 };

static const struct addr places[HOSTS] = {
    {.kind = ADDR_IPV4, .port = 7700, .ip = {198, 18, 0, 1}},
    {.kind = ADDR_IPV4, .port = 7700, .ip = {198, 18, 0, 2}},
    {.kind = ADDR_IPV4, .port = 7700, .ip = {198, 18, 0, 3}},
    {.kind = ADDR_IPV4, .port = 7700, .ip = {198, 18, 0, 4}},
    {.kind = ADDR_IPV4, .port = 7700, .ip = {198, 18, 0, 5}},
};

static struct watch *world_of(enum watch_policy of_a) {
    static const char *const names[HOSTS] = {"a", "b", "relay", "third", "second"};
    static const uint8_t hello[64] = {4};
    struct watch *w = watch_new();
    for (uint32_t i = 0; i < HOSTS; i++) {
        watch_host(w, i, names[i]);
        watch_addresses(w, i, &places[i], 1);
        watch_policy(w, i, i == A ? of_a : WATCH_ANY_PATH, i == RELAY || i == SECOND);
    }
    for (uint32_t i = 0; i < HOSTS; i++) /* everybody has a session with both relays */
        for (uint32_t r = RELAY; r <= SECOND; r += SECOND - RELAY) { /* both ways */
            const struct watch_packet p = {
                .from = i, .at = r, .src = &places[i], .dst = &places[r], .data = hello, .len = 64};
            const struct watch_packet back = {
                .from = r, .at = i, .src = &places[r], .dst = &places[i], .data = hello, .len = 64};
            if (i == r)
                continue;
            watch_received(w, S, &p, true);
            watch_received(w, S, &back, true);
        }
    return w;
}

static struct watch *world(void) {
    return world_of(WATCH_ANY_PATH);
}

struct bytes {
    uint8_t at[INNER_BYTES + 16];
    uint32_t len;
};

static struct bytes sealed(uint8_t number) {
    struct bytes b = {.len = INNER_BYTES};
    b.at[0] = 4;
    memset(b.at + 16, number, INNER_BYTES - 16);
    return b;
}

static struct bytes wrapped(uint8_t type, uint32_t flow, const struct bytes *inner) {
    struct bytes b = {.len = inner->len + 8};
    b.at[0] = type;
    store_le32(b.at + 4, flow);
    memcpy(b.at + 8, inner->at, inner->len);
    return b;
}

static void leaves(struct watch *w, uint64_t now_ns, uint32_t from, uint32_t to,
                   const struct bytes *b) {
    const struct watch_packet p = {.from = from,
                                   .at = from,
                                   .src = &places[from],
                                   .dst = &places[to],
                                   .data = b->at,
                                   .len = b->len};
    watch_sent(w, now_ns, &p);
}

static void comes(struct watch *w, uint64_t now_ns, uint32_t from, uint32_t to,
                  const struct bytes *b, bool accepted) {
    const struct watch_packet p = {.from = from,
                                   .at = to,
                                   .src = &places[from],
                                   .dst = &places[to],
                                   .data = b->at,
                                   .len = b->len};
    watch_received(w, now_ns, &p, accepted);
}

/* a -> relay -> b, as it should be. */
static void forward(struct watch *w, uint64_t now_ns, uint8_t number) {
    const struct bytes inner = sealed(number), in = wrapped(5, FLOW_A, &inner),
                       out = wrapped(6, FLOW_B, &inner);
    leaves(w, now_ns, A, RELAY, &in);
    comes(w, now_ns + 10 * MS, A, RELAY, &in, false);
    leaves(w, now_ns + 11 * MS, RELAY, B, &out);
    comes(w, now_ns + 21 * MS, RELAY, B, &out, true);
}

static void honest_forwarding_is_silent_and_judged(void **state) {
    (void)state;
    struct watch *w = world();
    for (unsigned i = 0; i < 200; i++)
        forward(w, 2 * S + i * S / 2, (uint8_t)i); /* some bytes again, long after */
    assert_int_equal(all(w), 0);
    assert_int_equal(watch_verdict(w, NEVER_CROSSED_FLOWS)->judged, 200);
    assert_int_equal(watch_verdict(w, NEVER_RELAY_AMPLIFICATION)->judged, 200);
    assert_int_equal(watch_verdict(w, NEVER_RELAY_DELAY)->judged, 200);
    watch_free(w);
}

static void a_forwarded_packet_counts_for_who_sealed_it(void **state) {
    (void)state;
    struct watch *w = world();
    for (unsigned i = 0; i < 10; i++)
        forward(w, 2 * S, (uint8_t)i);
    watch_session(w, 3 * S, B, A, 10);
    assert_int_equal(all(w), 0);
    watch_session(w, 3 * S, B, RELAY, 2); /* one was its own */
    assert_int_equal(count(w, NEVER_WRONG_PEER), 1);
    watch_free(w);
}

static void a_packet_that_nobody_gave_is_seen(void **state) {
    (void)state;
    struct watch *w = world();
    const struct bytes inner = sealed(1), out = wrapped(6, FLOW_B, &inner);
    leaves(w, 2 * S, RELAY, B, &out);
    assert_int_equal(count(w, NEVER_CROSSED_FLOWS), 1);
    assert_int_equal(count(w, NEVER_RELAY_AMPLIFICATION), 1);
    watch_free(w);
}

static void a_packet_that_leaves_twice_is_seen(void **state) {
    (void)state;
    struct watch *w = world();
    const struct bytes inner = sealed(1), out = wrapped(6, FLOW_B, &inner);
    forward(w, 2 * S, 1);
    assert_int_equal(all(w), 0);
    leaves(w, 2 * S + 12 * MS, RELAY, B, &out);
    assert_int_equal(count(w, NEVER_RELAY_AMPLIFICATION), 1);
    watch_free(w);
}

static void a_changed_byte_is_seen(void **state) {
    (void)state;
    struct watch *w = world();
    struct bytes inner = sealed(1);
    const struct bytes in = wrapped(5, FLOW_A, &inner);
    comes(w, 2 * S, A, RELAY, &in, false);
    inner.at[60] ^= 1;
    const struct bytes out = wrapped(6, FLOW_B, &inner);
    leaves(w, 2 * S, RELAY, B, &out);
    assert_int_equal(count(w, NEVER_CROSSED_FLOWS), 1);
    watch_free(w);
}

static void an_end_of_another_flow_is_seen(void **state) {
    (void)state;
    struct watch *w = world();
    forward(w, 2 * S, 1);
    const struct bytes inner = sealed(2), in = wrapped(5, FLOW_A, &inner),
                       wrong = wrapped(6, 77, &inner);
    comes(w, 3 * S, A, RELAY, &in, false);
    leaves(w, 3 * S, RELAY, THIRD, &wrong);
    assert_int_equal(count(w, NEVER_CROSSED_FLOWS), 1);
    watch_free(w);
}

/* By another's flow, on the path or off it: the relay may take it from nobody else. */
static void who_puts_something_into_anothers_flow_is_seen(void **state) {
    (void)state;
    struct watch *w = world();
    forward(w, 2 * S, 1);
    const struct bytes inner = sealed(2), in = wrapped(5, FLOW_A, &inner),
                       out = wrapped(6, FLOW_B, &inner);
    comes(w, 3 * S, THIRD, RELAY, &in, false);
    assert_int_equal(all(w), 0); /* it may be sent; it may not be forwarded */
    leaves(w, 3 * S, RELAY, B, &out);
    assert_int_equal(count(w, NEVER_CROSSED_FLOWS), 1);
    watch_free(w);
}

static void a_copy_of_a_packet_changes_nothing_for_the_packet(void **state) {
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct watch *w = world();
        forward(w, 2 * S, 1);
        const struct bytes inner = sealed(2), in = wrapped(5, FLOW_A, &inner),
                           out = wrapped(6, FLOW_B, &inner);
        leaves(w, 3 * S, A, RELAY, &in);
        comes(w, 3 * S, first == 0 ? THIRD : A, RELAY, &in, false);
        comes(w, 3 * S, first == 0 ? A : THIRD, RELAY, &in, false);
        leaves(w, 3 * S, RELAY, B, &out);
        assert_int_equal(all(w), 0);
        leaves(w, 3 * S, RELAY, B, &out); /* the copy, too */
        assert_int_equal(count(w, NEVER_RELAY_AMPLIFICATION) + count(w, NEVER_CROSSED_FLOWS), 1);
        watch_free(w);
    }
}

/* On the path it is there first, also with the first packet of all. */
static void a_spy_on_the_path_is_not_taken_for_a_client(void **state) {
    (void)state;
    struct watch *w = world();
    for (uint8_t i = 0; i < 5; i++) {
        const struct bytes inner = sealed(i), in = wrapped(5, FLOW_A, &inner),
                           out = wrapped(6, FLOW_B, &inner);
        const struct watch_packet copy = {.from = THIRD,
                                          .at = RELAY,
                                          .src = &places[THIRD],
                                          .dst = &places[RELAY],
                                          .data = in.at,
                                          .len = in.len,
                                          .liar = true};
        leaves(w, 3 * S, A, RELAY, &in);
        watch_received(w, 3 * S, &copy, false);
        comes(w, 3 * S + 80 * MS, A, RELAY, &in, false);
        leaves(w, 3 * S + 80 * MS, RELAY, B, &out);
    }
    assert_int_equal(all(w), 0);
    watch_free(w);
}

/* The same bytes again, by a flow that was opened anew, since the first was not open yet. */
static void who_says_it_again_by_another_flow_is_right(void **state) {
    (void)state;
    struct watch *w = world();
    const struct bytes inner = sealed(1), first = wrapped(5, 70, &inner),
                       again = wrapped(5, 71, &inner), out = wrapped(6, 72, &inner);
    const struct bytes other = sealed(2), used = wrapped(5, 70, &other),
                       passed = wrapped(6, 69, &other);
    comes(w, 2 * S, A, RELAY, &used, false);
    leaves(w, 2 * S, RELAY, B, &passed);
    comes(w, 3 * S, A, RELAY, &first, false); /* it does not leave: the flow has ended */
    comes(w, 4 * S, A, RELAY, &again, false);
    leaves(w, 4 * S, RELAY, B, &out);
    assert_int_equal(all(w), 0);
    watch_free(w);
}

static void two_relays_in_a_row_are_looked_into(void **state) {
    (void)state;
    enum { TO_SECOND = 3, AT_SECOND = 4 };
    struct watch *w = world();
    const struct bytes inner = sealed(9), asked = wrapped(5, FLOW_A, &inner),
                       out = wrapped(6, FLOW_B, &inner), twice = wrapped(5, TO_SECOND, &asked),
                       half = wrapped(6, AT_SECOND, &asked);
    leaves(w, 2 * S, A, RELAY, &twice);
    comes(w, 2 * S, A, RELAY, &twice, false);
    leaves(w, 2 * S, RELAY, SECOND, &half);
    comes(w, 2 * S, RELAY, SECOND, &half, false);
    leaves(w, 2 * S, SECOND, B, &out);
    comes(w, 2 * S, SECOND, B, &out, true);
    watch_session(w, 3 * S, B, A, 1);
    assert_int_equal(all(w), 0);
    assert_int_equal(watch_verdict(w, NEVER_CROSSED_FLOWS)->judged, 2);
    leaves(w, 2 * S, SECOND, B, &out);
    assert_int_equal(count(w, NEVER_RELAY_AMPLIFICATION), 1);
    watch_free(w);
}

static void what_waits_too_long_is_seen_but_not_while_the_relay_sleeps(void **state) {
    (void)state;
    struct watch *w = world();
    const struct bytes inner = sealed(1), in = wrapped(5, FLOW_A, &inner),
                       out = wrapped(6, FLOW_B, &inner);
    comes(w, 2 * S, A, RELAY, &in, false);
    leaves(w, 2 * S + 54 * MS, RELAY, B, &out);
    assert_int_equal(all(w), 0);
    comes(w, 3 * S, A, RELAY, &in, false);
    watch_resumed(w, 3 * S + 80 * MS, RELAY);
    leaves(w, 3 * S + 80 * MS, RELAY, B, &out);
    assert_int_equal(all(w), 0);
    comes(w, 4 * S, A, RELAY, &in, false);
    leaves(w, 4 * S + 56 * MS, RELAY, B, &out);
    assert_int_equal(count(w, NEVER_RELAY_DELAY), 1);
    assert_string_equal(watch_verdict(w, NEVER_RELAY_DELAY)->text,
                        "relay has kept a packet for 56.0 ms");
    watch_free(w);
}

static void a_place_that_has_not_spoken_gets_nothing(void **state) {
    (void)state;
    struct watch *w = world();
    const struct bytes inner = sealed(1), in = wrapped(5, FLOW_A, &inner),
                       out = wrapped(6, FLOW_B, &inner);
    const struct addr silent = {.kind = ADDR_IPV4, .port = 9, .ip = {198, 18, 0, 77}};
    const struct watch_packet p = {.from = RELAY,
                                   .at = RELAY,
                                   .src = &places[RELAY],
                                   .dst = &silent,
                                   .data = out.at,
                                   .len = out.len};
    comes(w, 2 * S, A, RELAY, &in, false);
    watch_sent(w, 2 * S, &p);
    assert_int_equal(count(w, NEVER_RELAY_AMPLIFICATION), 1);
    watch_free(w);
}

static void relay_only_speaks_with_relays_alone(void **state) {
    (void)state;
    struct watch *w = world_of(WATCH_RELAY_ONLY);
    const struct bytes data = sealed(1);
    watch_policy(w, B, WATCH_RELAY_ONLY, false); /* another than before: it has told others */
    comes(w, 2 * S, THIRD, B, &data, false);
    assert_int_equal(all(w), 0);
    watch_policy(w, B, WATCH_ANY_PATH, false);
    watch_policy(w, A, WATCH_RELAY_ONLY, false);
    leaves(w, 2 * S, A, RELAY, &data);
    comes(w, 2 * S, A, RELAY, &data, true);
    comes(w, 2 * S, RELAY, A, &data, true);
    assert_int_equal(all(w), 0);
    assert_true(watch_verdict(w, NEVER_FORBIDDEN_ADDRESS)->judged >= 3);
    leaves(w, 3 * S, A, B, &data);
    assert_int_equal(count(w, NEVER_FORBIDDEN_ADDRESS), 1);
    comes(w, 3 * S, B, A, &data, false);
    assert_int_equal(count(w, NEVER_FORBIDDEN_ADDRESS), 2);
    watch_free(w);
}

static void relay_only_shows_no_address_of_its_own(void **state) {
    (void)state;
    struct watch *w = world();
    struct bytes data = sealed(1);
    uint8_t wire[ADDR_WIRE_MAX];
    const size_t n = addr_write(&places[A], wire);
    memcpy(data.at + 40, wire + 1, n - 1);
    leaves(w, 2 * S, A, RELAY, &data);
    assert_int_equal(all(w), 0);
    watch_policy(w, A, WATCH_RELAY_ONLY, false);
    leaves(w, 2 * S, A, RELAY, &data);
    assert_int_equal(count(w, NEVER_FORBIDDEN_ADDRESS), 1);
    watch_free(w);
}

static void direct_only_gives_no_relay_anything(void **state) {
    (void)state;
    struct watch *w = world();
    const struct bytes inner = sealed(1), in = wrapped(5, FLOW_A, &inner);
    watch_policy(w, A, WATCH_DIRECT_ONLY, false);
    leaves(w, 2 * S, A, RELAY, &inner);
    assert_int_equal(all(w), 0);
    leaves(w, 2 * S, A, RELAY, &in);
    assert_int_equal(count(w, NEVER_FORBIDDEN_ADDRESS), 1);
    watch_free(w);
}

/* Whoever has only a name for a relay asks it for its key before anything has come from there. */
static void asking_for_a_key_is_like_dialling(void **state) {
    (void)state;
    struct watch *w = watch_new();
    struct bytes ask = sealed(0), told = sealed(0);
    ask.at[0] = 7;
    told.at[0] = 8;
    leaves(w, 2 * S, A, RELAY, &ask);
    comes(w, 2 * S, A, RELAY, &ask, false);
    leaves(w, 2 * S, RELAY, A, &told);
    assert_int_equal(all(w), 0);
    for (unsigned i = 0; i < 3; i++)
        leaves(w, 2 * S, RELAY, A, &told);
    assert_int_equal(count(w, NEVER_AMPLIFICATION), 1);
    watch_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_forwarding_is_silent_and_judged),
        cmocka_unit_test(a_forwarded_packet_counts_for_who_sealed_it),
        cmocka_unit_test(a_packet_that_nobody_gave_is_seen),
        cmocka_unit_test(a_packet_that_leaves_twice_is_seen),
        cmocka_unit_test(a_changed_byte_is_seen),
        cmocka_unit_test(an_end_of_another_flow_is_seen),
        cmocka_unit_test(who_puts_something_into_anothers_flow_is_seen),
        cmocka_unit_test(a_copy_of_a_packet_changes_nothing_for_the_packet),
        cmocka_unit_test(a_spy_on_the_path_is_not_taken_for_a_client),
        cmocka_unit_test(who_says_it_again_by_another_flow_is_right),
        cmocka_unit_test(two_relays_in_a_row_are_looked_into),
        cmocka_unit_test(what_waits_too_long_is_seen_but_not_while_the_relay_sleeps),
        cmocka_unit_test(a_place_that_has_not_spoken_gets_nothing),
        cmocka_unit_test(relay_only_speaks_with_relays_alone),
        cmocka_unit_test(relay_only_shows_no_address_of_its_own),
        cmocka_unit_test(direct_only_gives_no_relay_anything),
        cmocka_unit_test(asking_for_a_key_is_like_dialling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
