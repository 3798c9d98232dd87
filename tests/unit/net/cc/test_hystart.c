/* HyStart++ in the first slow start of CUBIC: RFC 9406. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/cc/cc_hystart.h"

enum { MSS = 1200 };

/* A connection whose rounds the test makes one by one. */
struct conn {
    struct cc c;
    uint64_t now_us, next_pn;
};

static struct conn fresh(void) {
    struct conn k = {.now_us = 1000000};
    cc_init(&k.c, CC_CUBIC, MSS);
    return k;
}

/* Sends `pkts` and gets them acknowledged one by one; all samples are `rtt_us`. The first of them
 * was sent next when the flight before was acknowledged, so its ACK ends that round (§4.2), the
 * rest is a new one. */
static void round_of(struct conn *k, uint64_t pkts, uint64_t rtt_us) {
    uint64_t first = k->next_pn, sent_us = k->now_us;
    for (uint64_t i = 0; i < pkts; i++)
        cc_sent(&k->c, 0, MSS, &(struct rate_mark){0});
    k->next_pn += pkts;
    k->now_us += rtt_us;
    for (uint64_t i = 0; i < pkts; i++) {
        struct cc_ack a = {.now_us = k->now_us,
                           .bytes = MSS,
                           .newest_sent_us = sent_us,
                           .newest_pn = first + i,
                           .next_pn = k->next_pn,
                           .rtt_latest_us = rtt_us,
                           .rtt_min_us = rtt_us,
                           .srtt_us = rtt_us};
        cc_acked(&k->c, &a);
    }
}

static bool in_css(const struct conn *k) {
    return k->c.u.cubic.hystart.in_css;
}

static void a_steady_round_trip_doubles_the_window_for_ever(void **state) {
    (void)state;
    struct conn k = fresh();
    for (uint64_t pkts = 10; pkts < 20000; pkts *= 2) {
        assert_int_equal(k.c.cwnd_bytes, pkts * MSS);
        round_of(&k, pkts, 30000);
    }
    assert_true(cc_in_slow_start(&k.c));
    assert_false(in_css(&k));
}

/* §4.2: max(4 ms, min(last / 8, 16 ms)). */
static void the_threshold_is_an_eighth_within_its_bounds(void **state) {
    (void)state;
    static const struct {
        uint64_t base_us, threshold_us;
    } table[] = {{100, 4000},    {8000, 4000},    {32000, 4000},   {40000, 5000},
                 {80000, 10000}, {128000, 16000}, {400000, 16000}, {2000000, 16000}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (int enough = 0; enough < 2; enough++) {
            struct conn k = fresh();
            round_of(&k, 10, table[i].base_us);
            round_of(&k, 20, table[i].base_us);
            round_of(&k, 40, table[i].base_us + table[i].threshold_us - !enough);
            assert_int_equal(in_css(&k), enough);
            assert_true(cc_in_slow_start(&k.c));
        }
}

static void fewer_than_eight_samples_say_nothing(void **state) {
    (void)state;
    for (uint64_t samples = 7; samples <= 8; samples++) {
        struct conn k = fresh();
        round_of(&k, 10, 20000);
        round_of(&k, 1 + samples, 90000);
        assert_int_equal(in_css(&k), samples == 8);
    }
}

static void the_minimum_of_a_round_counts_not_its_peaks(void **state) {
    (void)state;
    struct conn k = fresh();
    round_of(&k, 10, 20000);
    for (int r = 0; r < 5; r++) { /* one packet of each round is not delayed */
        uint64_t first = k.next_pn, sent_us = k.now_us;
        for (int i = 0; i < 10; i++)
            cc_sent(&k.c, 0, MSS, &(struct rate_mark){0});
        k.next_pn += 10;
        k.now_us += 20000;
        for (uint64_t i = 0; i < 10; i++) {
            struct cc_ack a = {.now_us = k.now_us,
                               .bytes = MSS,
                               .newest_sent_us = sent_us,
                               .newest_pn = first + i,
                               .next_pn = k.next_pn,
                               .rtt_latest_us = i == 1 ? 20000 : 90000,
                               .srtt_us = 20000};
            cc_acked(&k.c, &a);
        }
        assert_false(in_css(&k));
    }
}

/* The initial window leaves as a burst; on a slow link its packets queue behind each other. */
static void the_first_flight_is_one_round(void **state) {
    (void)state;
    struct conn k = fresh();
    cc_sent(&k.c, 0, 10 * MSS, &(struct rate_mark){0});
    for (uint64_t i = 0; i < 10; i++) {
        struct cc_ack a = {.now_us = k.now_us + 20000 + i * 10000,
                           .bytes = MSS,
                           .newest_sent_us = k.now_us,
                           .newest_pn = i,
                           .next_pn = 10 + 2 * i,
                           .rtt_latest_us = 20000 + i * 10000,
                           .srtt_us = 20000};
        cc_acked(&k.c, &a);
    }
    assert_false(in_css(&k));
    assert_int_equal(k.c.cwnd_bytes, 20 * MSS);
}

static void conservative_growth_is_a_quarter_for_five_rounds(void **state) {
    (void)state;
    struct conn k = fresh();
    round_of(&k, 10, 20000);
    round_of(&k, 20, 20000);
    assert_int_equal(k.c.cwnd_bytes, 40 * MSS);
    /* The eighth sample of this round enters CSS: nine packets count in full, the rest a quarter.
     * This partial round is the first of the five. */
    round_of(&k, 40, 30000);
    assert_true(in_css(&k));
    uint64_t want = 40 * MSS + 9 * MSS + 31 * MSS / 4;
    assert_int_equal(k.c.cwnd_bytes, want);
    for (int r = 2; r <= 5; r++) {
        round_of(&k, 40, 30000);
        want += 40 * MSS / 4;
        assert_int_equal(k.c.cwnd_bytes, want);
        assert_true(cc_in_slow_start(&k.c));
    }
    round_of(&k, 1, 30000); /* ends the fifth */
    want += MSS / 4;
    assert_false(cc_in_slow_start(&k.c));
    assert_int_equal(k.c.cwnd_bytes, want);
    assert_int_equal(k.c.ssthresh_bytes, want);
    /* RFC 9438 §4.10: the curve starts here, with K = 0. */
    round_of(&k, 1, 30000);
    assert_int_equal(k.c.u.cubic.k_us, 0);
    assert_int_equal(k.c.u.cubic.w_max_bytes, want);
}

static void jitter_only_pauses_slow_start(void **state) {
    (void)state;
    struct conn k = fresh();
    round_of(&k, 10, 20000);
    round_of(&k, 20, 30000);
    assert_true(in_css(&k));
    round_of(&k, 20, 30000);
    round_of(&k, 20, 31000);
    assert_true(in_css(&k));
    round_of(&k, 20, 29999); /* §4.2: below the baseline: it was not the queue */
    assert_false(in_css(&k));
    uint64_t before = k.c.cwnd_bytes;
    round_of(&k, 40, 20000);
    assert_int_equal(k.c.cwnd_bytes, before + 40 * MSS);
    assert_true(cc_in_slow_start(&k.c));
    /* A second suspicion has all its five rounds again. */
    round_of(&k, 40, 40000);
    assert_true(in_css(&k));
    for (int r = 2; r <= 5; r++)
        round_of(&k, 40, 40000);
    assert_true(cc_in_slow_start(&k.c));
    round_of(&k, 1, 40000);
    assert_false(cc_in_slow_start(&k.c));
}

static void a_loss_ends_either_phase(void **state) {
    (void)state;
    for (int css = 0; css < 2; css++) {
        struct conn k = fresh();
        round_of(&k, 10, 20000);
        round_of(&k, 20, css ? 30000 : 20000);
        assert_int_equal(in_css(&k), css);
        uint64_t before = k.c.cwnd_bytes;
        cc_sent(&k.c, 0, MSS, &(struct rate_mark){0});
        cc_lost(&k.c, k.now_us, k.now_us - 1, MSS);
        assert_int_equal(k.c.cwnd_bytes, before * 7 / 10);
        assert_false(cc_in_slow_start(&k.c));
    }
}

/* §4.3: later slow starts know where to stop. */
static void a_later_slow_start_does_not_look_at_delay(void **state) {
    (void)state;
    struct conn k = fresh();
    round_of(&k, 10, 20000);
    round_of(&k, 20, 20000);
    cc_sent(&k.c, 0, MSS, &(struct rate_mark){0});
    cc_lost(&k.c, k.now_us, k.now_us - 1, MSS);
    cc_persistent(&k.c);
    uint64_t ssthresh = k.c.ssthresh_bytes;
    assert_int_equal(ssthresh, 28 * MSS);
    round_of(&k, 10, 20000);
    assert_int_equal(k.c.cwnd_bytes, 12 * MSS);
    round_of(&k, 10, 90000);
    assert_int_equal(k.c.cwnd_bytes, 22 * MSS);
    cc_sent(&k.c, 0, 10 * MSS, &(struct rate_mark){0});
    struct cc_ack a = {
        .now_us = k.now_us, .bytes = 10 * MSS, .newest_sent_us = k.now_us, .srtt_us = 1};
    cc_acked(&k.c, &a);
    assert_int_equal(k.c.cwnd_bytes, ssthresh); /* and stops exactly there */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_round_trip_doubles_the_window_for_ever),
        cmocka_unit_test(the_threshold_is_an_eighth_within_its_bounds),
        cmocka_unit_test(fewer_than_eight_samples_say_nothing),
        cmocka_unit_test(the_minimum_of_a_round_counts_not_its_peaks),
        cmocka_unit_test(the_first_flight_is_one_round),
        cmocka_unit_test(conservative_growth_is_a_quarter_for_five_rounds),
        cmocka_unit_test(jitter_only_pauses_slow_start),
        cmocka_unit_test(a_loss_ends_either_phase),
        cmocka_unit_test(a_later_slow_start_does_not_look_at_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
