/* The watch: each invariant is seen when it is broken, and a clean story is silent. And its sets,
 * clocks, faults, histograms, ddmin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/identity/identity.h"
#include "sim/campaign/shrink.h"
#include "sim/engine/draw.h"
#include "sim/engine/host_clock.h"
#include "sim/invariants/invariants.h"
#include "sim/invariants/watch_set.h"
#include "sim/link/fault.h"
#include "sim/measure/hist.h"
#include "support_watch.h"

#define S UINT64_C(1000000000)

static const struct addr inner = {.kind = ADDR_IPV4, .port = 7700, .ip = {192, 168, 1, 2}};
static const struct addr outer = {.kind = ADDR_IPV4, .port = 7700, .ip = {198, 18, 0, 9}};

static struct watch *three_hosts(void) {
    struct watch *w = watch_new();
    watch_host(w, 0, "a");
    watch_host(w, 1, "b");
    watch_host(w, 2, "c");
    watch_contact(w, 0, 1);
    return w;
}

/* Without libcrypto there is no second implementation to verify signatures with. */
static void needs_libcrypto(void) {
#ifndef HAVE_LIBCRYPTO
    skip();
#endif
}

static void a_certificate_must_be_signed_and_not_older(void **state) {
    (void)state;
    needs_libcrypto();
    struct draw d;
    struct draw_stream rnd;
    struct identity id;
    struct key_cert cert;
    draw_init(&d, 1);
    draw_stream_init(&rnd, &d, 0, 0);
    identity_generate(&id, &(struct rng){draw_stream_fill, &rnd});
    identity_cert(&id, &cert);
    struct watch *w = three_hosts();
    struct watch_cert c = {.id = cert.id.bytes,
                           .transport = id.transport_public.bytes,
                           .signature = cert.signature,
                           .seq = cert.seq,
                           .checkable = true};
    watch_started(w, S, 0, &c);
    watch_started(w, S, 0, &c);
    assert_int_equal(all(w), 0);
    cert.signature[5] ^= 1;
    watch_started(w, S, 0, &c);
    assert_int_equal(count(w, NEVER_UNSIGNED_ACCEPT), 1);
    c.checkable = false;
    c.seq = 0;
    watch_started(w, S, 0, &c);
    assert_int_equal(count(w, NEVER_SEQ_BACKWARDS), 1);
    assert_string_equal(watch_verdict(w, NEVER_UNSIGNED_ACCEPT)->text,
                        "a shows a certificate its id did not sign");
    identity_clear(&id);
    watch_free(w);
}

static void a_forged_certificate_may_be_shown_but_not_accepted(void **state) {
    (void)state;
    needs_libcrypto();
    const uint8_t id[32] = {9}, key[32] = {8}, signature[64] = {7};
    struct watch *w = three_hosts();
    struct watch_cert c = {.id = id,
                           .transport = key,
                           .signature = signature,
                           .seq = 2,
                           .checkable = true,
                           .forged = true};
    watch_started(w, S, 1, &c);
    assert_int_equal(all(w), 0);
    watch_accepted(w, S, 1, 0);
    assert_int_equal(all(w), 0);
    watch_accepted(w, S, 0, 1);
    assert_int_equal(count(w, NEVER_UNSIGNED_ACCEPT), 1);
    assert_string_equal(watch_verdict(w, NEVER_UNSIGNED_ACCEPT)->text,
                        "a accepted b with a certificate its id did not sign");
    watch_free(w);
}

static void one_counter_is_sealed_and_opened_once(void **state) {
    (void)state;
    struct watch *w = three_hosts();
    uint8_t key[32] = {1}, other[32] = {2};
    for (uint64_t i = 0; i < 1000; i++) {
        watch_sealed(w, S, 0, key, i);
        watch_sealed(w, S, 1, other, i);
        watch_opened(w, S, 1, key, i ^ 1); /* out of order */
    }
    assert_int_equal(all(w), 0);
    watch_sealed(w, S, 0, key, 999);
    watch_opened(w, S, 1, key, 0);
    assert_int_equal(count(w, NEVER_NONCE_REUSE), 1);
    assert_int_equal(count(w, NEVER_REPLAYED), 1);
    watch_free(w);
}

static void three_times_as_much_before_proof_and_no_more(void **state) {
    (void)state;
    struct watch *w = three_hosts();
    uint8_t response[216] = {2}, initiation[288] = {1}, data[1200] = {4};
    const struct watch_packet in = {
        .from = 2, .at = 0, .src = &outer, .dst = &inner, .data = initiation, .len = 288};
    const struct watch_packet out = {
        .from = 0, .at = 0, .src = &inner, .dst = &outer, .data = response, .len = 216};
    watch_received(w, S, &in, false);
    for (unsigned i = 0; i < 4; i++) /* 848 of 852 bytes */
        watch_sent(w, S, &out);
    assert_int_equal(all(w), 0);
    watch_sent(w, S, &out);
    assert_int_equal(count(w, NEVER_AMPLIFICATION), 1);
    const struct watch_packet proof = {
        .from = 2, .at = 0, .src = &outer, .dst = &inner, .data = data, .len = 100};
    watch_received(w, S, &proof, true);
    const struct watch_packet big = {
        .from = 0, .at = 0, .src = &inner, .dst = &outer, .data = data, .len = 1200};
    for (unsigned i = 0; i < 100; i++)
        watch_sent(w, S, &big);
    assert_int_equal(count(w, NEVER_AMPLIFICATION), 1);
    watch_free(w);
}

/* A node may dial whom it likes, and whoever has called; but not answer each call with twenty. */
static void initiations_count_where_something_came_from_first(void **state) {
    (void)state;
    struct watch *w = three_hosts();
    uint8_t initiation[288] = {1};
    const struct watch_packet in = {
        .from = 2, .at = 0, .src = &outer, .dst = &inner, .data = initiation, .len = 288};
    const struct watch_packet out = {
        .from = 0, .at = 0, .src = &inner, .dst = &outer, .data = initiation, .len = 288};
    const struct watch_packet dial = {
        .from = 1, .at = 1, .src = &inner, .dst = &outer, .data = initiation, .len = 288};
    for (unsigned i = 0; i < 100; i++) {
        watch_sent(w, S, &dial);
        watch_received(w, i * S, &in, false);
        watch_sent(w, i * S, &out);
        watch_sent(w, i * S + S / 2, &out);
    }
    assert_int_equal(all(w), 0);
    const struct addr other = {.kind = ADDR_IPV4, .port = 1, .ip = {198, 18, 0, 10}};
    struct watch_packet call = in, back = out;
    call.src = back.dst = &other;
    watch_received(w, 100 * S, &call, false);
    for (unsigned i = 0; i < 20; i++)
        watch_sent(w, 100 * S, &back);
    assert_true(count(w, NEVER_AMPLIFICATION) > 0);
    watch_free(w);
}

/* To what is known of a peer; not as the answer to whoever has sent something, not more of it, not
 * faster. */
static void checks_of_known_places_have_the_pace_of_a_handshake(void **state) {
    (void)state;
    struct watch *w = three_hosts();
    uint8_t data[64] = {4};
    struct watch_packet check = {
        .from = 0, .at = 0, .src = &inner, .dst = &outer, .data = data, .len = 41};
    for (unsigned i = 0; i < 100; i++)
        watch_sent(w, i * S / 2, &check);
    assert_int_equal(all(w), 0);
    for (unsigned i = 0; i < 20; i++)
        watch_sent(w, 50 * S, &check);
    assert_true(count(w, NEVER_AMPLIFICATION) > 0);
    watch_free(w);
    w = three_hosts();
    check.len = 42;
    watch_sent(w, S, &check);
    assert_int_equal(count(w, NEVER_AMPLIFICATION), 1);
    watch_free(w);
    w = three_hosts();
    const struct watch_packet in = {
        .from = 2, .at = 0, .src = &outer, .dst = &inner, .data = data, .len = 32};
    check.len = 41;
    watch_received(w, S, &in, false);
    for (unsigned i = 0; i < 3; i++)
        watch_sent(w, S, &check);
    assert_int_equal(count(w, NEVER_AMPLIFICATION), 1);
    watch_free(w);
}

static void private_addresses_are_for_contacts(void **state) {
    (void)state;
    struct watch *w = three_hosts();
    uint8_t data[64] = {4}, wire[ADDR_WIRE_MAX];
    const size_t n = addr_write(&inner, wire);
    watch_addresses(w, 0, &inner, 1);
    memcpy(data + 20, wire + 1, n - 1);
    struct watch_packet p = {
        .from = 0, .at = 1, .src = &outer, .dst = &outer, .data = data, .len = 64};
    watch_received(w, S, &p, false);
    assert_int_equal(all(w), 0);
    p.at = 2;
    watch_received(w, S, &p, false);
    assert_int_equal(count(w, NEVER_PRIVATE_ADDRESS), 1);
    watch_free(w);
}

static void sessions_take_only_their_peers_packets(void **state) {
    (void)state;
    struct watch *w = three_hosts();
    uint8_t data[64] = {4};
    const struct watch_packet p = {
        .from = 1, .at = 0, .src = &outer, .dst = &inner, .data = data, .len = 64};
    for (unsigned i = 0; i < 10; i++)
        watch_received(w, S, &p, true);
    watch_session(w, S, 0, 1, 10);
    assert_int_equal(all(w), 0);
    watch_session(w, S, 0, 1, 11);
    watch_session(w, S, 0, 2, 1);
    assert_int_equal(count(w, NEVER_WRONG_PEER), 2);
    watch_free(w);
}

static void a_busy_loop_is_seen_and_a_new_second_is_a_new_one(void **state) {
    (void)state;
    struct watch *w = three_hosts();
    for (unsigned s = 1; s < 4; s++)
        for (unsigned i = 0; i < WATCH_TURNS_PER_S; i++)
            watch_turn(w, s * S + i, 0);
    assert_int_equal(all(w), 0);
    for (unsigned i = 0; i <= WATCH_TURNS_PER_S; i++)
        watch_turn(w, 9 * S, 0);
    assert_int_equal(count(w, NEVER_LIVELOCK), 1);
    watch_free(w);
}

/* Against a bitmap: any order, with repetitions. */
static void a_set_knows_what_was_there(void **state) {
    (void)state;
    struct watch_set s = {0};
    static uint8_t seen[5000];
    uint64_t x = 3;
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < 50000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const uint64_t n = (x >> 33) % sizeof seen;
        assert_int_equal(watch_set_add(&s, n, 100000), !seen[n]);
        seen[n] = 1;
    }
    watch_set_clear(&s);
    for (uint64_t i = 0; i < 100;
         i++) /* only gaps: the oldest are forgotten, and never called seen */
        assert_true(watch_set_add(&s, 2 * i, 10));
    assert_true(watch_set_add(&s, 1, 10));
    assert_int_equal(s.count, 10);
    watch_set_clear(&s);
}

static void a_clock_drifts_stops_and_can_be_asked_when(void **state) {
    (void)state;
    struct hclock c = {.base_ns = 7 * S, .local_ns = 7 * S};
    assert_true(hclock_at_ns(&c, 9 * S) == 9 * S);
    hclock_drift(&c, 10 * S, 100000000); /* a tenth faster */
    assert_true(hclock_at_ns(&c, 20 * S) == 21 * S);
    uint64_t x = 1;
    for (unsigned i = 0; i < 1000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const uint64_t want = 10 * S + (x >> 24) % (1000 * S), at = hclock_when_ns(&c, want);
        assert_true(hclock_at_ns(&c, at) >= want);
        assert_true(at == 10 * S || hclock_at_ns(&c, at - 1) < want);
    }
    hclock_resume(&c, 20 * S, 500 * S);
    assert_true(hclock_at_ns(&c, 500 * S) == 21 * S);
    assert_true(hclock_at_ns(&c, 510 * S) == 32 * S);
}

static void cuts_and_clogs_end(void **state) {
    (void)state;
    struct faults f = {0};
    const uint32_t a[] = {0, 1}, b[] = {2};
    const struct fault cut = {
        .kind = FAULT_CUT, .hosts = 4, .oneway = true, .from_ns = S, .until_ns = 10 * S};
    uint64_t until;
    faults_add(&f, &cut, a, 2, b, 1);
    assert_true(faults_judge(&f, S, 1, 2, &until));
    assert_false(faults_judge(&f, S - 1, 1, 2, &until));
    assert_false(faults_judge(&f, S, 2, 1, &until));
    assert_false(faults_judge(&f, S, 3, 2, &until));
    assert_false(faults_judge(&f, 10 * S, 1, 2, &until));
    faults_forget(&f, 10 * S + FAULT_MEMORY_NS); /* who came before asks still */
    assert_true(faults_judge(&f, 10 * S - 1, 1, 2, &until));
    faults_forget(&f, 10 * S + FAULT_MEMORY_NS + 1);
    assert_int_equal(f.count, 0);
    faults_add(&f, &(struct fault){.kind = FAULT_CLOG, .hosts = 4, .until_ns = 20 * S}, a, 2, b, 1);
    assert_false(faults_judge(&f, S, 2, 0, &until));
    assert_true(until == 20 * S);
    faults_heal(&f, 5 * S);
    assert_false(faults_judge(&f, S, 2, 0, &until));
    assert_true(until == 5 * S);
    assert_false(faults_judge(&f, 5 * S, 2, 0, &until));
    assert_true(until == 0);
    faults_clear(&f);
}

static void buckets_are_narrow_and_in_order(void **state) {
    (void)state;
    unsigned last = 0;
    for (double v = 1e-9; v < 1e17; v *= 1.01) {
        const unsigned b = hist_bucket(v);
        const double middle = hist_value(b);
        assert_true(b >= last && b < HIST_BUCKETS - 1);
        assert_true(middle > v * 0.968 && middle < v * 1.032);
        last = b;
    }
    assert_int_equal(hist_bucket(0), 0);
    assert_int_equal(hist_bucket(-1), 0);
    assert_int_equal(hist_bucket(1e30), HIST_BUCKETS - 1);
}

struct wanted {
    const bool *keep;
    unsigned tests;
};

static bool needs_3_17_and_40(void *ctx) {
    struct wanted *w = ctx;
    w->tests++;
    return w->keep[3] && w->keep[17] && w->keep[40];
}

static void ddmin_finds_the_three_that_matter(void **state) {
    (void)state;
    bool keep[64];
    struct wanted w = {.keep = keep};
    memset(keep, 1, sizeof keep);
    shrink_ddmin(keep, 64, needs_3_17_and_40, &w);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(keep[i], i == 3 || i == 17 || i == 40);
    assert_true(w.tests < 400);
}

static bool has_kill_and_small_file(void *ctx, const char *text) {
    (void)ctx;
    return strstr(text, "kill b") && strstr(text, "transfer a b") && strstr(text, "node");
}

static void a_text_shrinks_to_what_makes_it_fail(void **state) {
    (void)state;
    static const char text[] =
        "# a comment\nseed 4; for 100s\nnode a b\nnode n[1..8]\nlink all loss=1% delay=20ms\n"
        "contacts all\nat 1s transfer a b 800KiB\nat 5s kill b\nat 7s start b\nat 9s roam n1\n"
        "expect transfer.done == 1\n";
    struct shrinker s = {.fails = has_kill_and_small_file, .budget = 2000};
    struct text out = {0};
    shrink(&s, text, &out);
    assert_string_equal(text_of(&out), "node\nat transfer a b\nat kill b\n");
    text_clear(&out);
}

static bool always(void *ctx, const char *text) {
    (void)ctx;
    return strstr(text, "y") != NULL;
}

static void what_is_marked_is_kept(void **state) {
    (void)state;
    struct shrinker s = {.fails = always, .budget = 2000, .keep_marked = true};
    struct text out = {0};
    shrink(&s, "a x\nb y 10\n#! keep\nat 60s heal # now\nc z\n", &out);
    assert_string_equal(text_of(&out), "b y\n#! keep\nat 60s heal\nc z\n");
    text_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_must_be_signed_and_not_older),
        cmocka_unit_test(a_forged_certificate_may_be_shown_but_not_accepted),
        cmocka_unit_test(one_counter_is_sealed_and_opened_once),
        cmocka_unit_test(three_times_as_much_before_proof_and_no_more),
        cmocka_unit_test(initiations_count_where_something_came_from_first),
        cmocka_unit_test(checks_of_known_places_have_the_pace_of_a_handshake),
        cmocka_unit_test(private_addresses_are_for_contacts),
        cmocka_unit_test(sessions_take_only_their_peers_packets),
        cmocka_unit_test(a_busy_loop_is_seen_and_a_new_second_is_a_new_one),
        cmocka_unit_test(a_set_knows_what_was_there),
        cmocka_unit_test(a_clock_drifts_stops_and_can_be_asked_when),
        cmocka_unit_test(cuts_and_clogs_end),
        cmocka_unit_test(buckets_are_narrow_and_in_order),
        cmocka_unit_test(ddmin_finds_the_three_that_matter),
        cmocka_unit_test(a_text_shrinks_to_what_makes_it_fail),
        cmocka_unit_test(what_is_marked_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
