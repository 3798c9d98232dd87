/* RFC 9002 §7 and appendix B, and what cc.c does for every controller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_cc.h"

enum { MSS = 1200, RTT = 50000 };

static void the_initial_window_is_that_of_the_rfc(void **state) {
    (void)state;
    static const struct {
        uint64_t mss, cwnd;
    } table[] = {
        {1200, 12000}, {1460, 14600}, {1472, 14720}, {2000, 14720}, {8972, 17944}, {65507, 131014},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct cc c;
        cc_init(&c, i % 2 ? CC_RENO : CC_CUBIC, table[i].mss);
        assert_int_equal(c.cwnd_bytes, table[i].cwnd);
        assert_true(cc_in_slow_start(&c));
    }
}

static void slow_start_doubles_each_round_trip(void **state) {
    (void)state;
    struct cc_path p = path_new(CC_RENO, MSS, RTT);
    for (uint64_t want = 20; want <= 1280; want *= 2) {
        for (uint64_t n = path_flight_pkts(&p); n > 0; n--)
            path_step(&p);
        assert_int_equal(p.c.cwnd_bytes, want * MSS);
    }
}

static void avoidance_adds_one_packet_each_round_trip(void **state) {
    (void)state;
    struct cc_path p = path_at(CC_RENO, MSS, RTT, 100);
    path_lose(&p);
    assert_int_equal(p.c.cwnd_bytes, 50 * MSS);
    assert_int_equal(p.c.ssthresh_bytes, 50 * MSS);
    path_run(&p, RTT + RTT / 10); /* recovery */
    uint64_t before = p.c.cwnd_bytes;
    path_run(&p, 40 * RTT);
    assert_in_range(p.c.cwnd_bytes, before + 39 * MSS, before + 41 * MSS);
}

static void one_flight_is_reduced_once(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_RENO; kind++) {
        struct cc c;
        cc_init(&c, (enum cc_kind)kind, MSS);
        c.cwnd_bytes = 100 * MSS;
        cc_sent(&c, 0, 100 * MSS, &(struct rate_mark){0});
        cc_lost(&c, 1000, 500, MSS);
        uint64_t once = c.cwnd_bytes;
        cc_lost(&c, 1100, 900, MSS);
        cc_lost(&c, 1200, 1000, MSS);
        assert_int_equal(c.cwnd_bytes, once);
        assert_int_equal(c.reductions, 1);
        cc_lost(&c, 1300, 1001,
                MSS); /* sent after the reduction: the new speed is too fast as well */
        assert_true(c.cwnd_bytes < once);
        assert_int_equal(c.reductions, 2);
        assert_int_equal(c.bytes_in_flight, 96 * MSS);
    }
}

static void recovery_ends_with_a_packet_sent_during_it(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_RENO; kind++) {
        struct cc c;
        cc_init(&c, (enum cc_kind)kind, MSS);
        cc_sent(&c, 0, 20 * MSS, &(struct rate_mark){0});
        cc_lost(&c, 1000, 500, MSS);
        uint64_t once = c.cwnd_bytes;
        struct cc_ack a = {.now_us = 1500,
                           .bytes = 8 * MSS,
                           .newest_sent_us = 999,
                           .rtt_latest_us = 500,
                           .rtt_min_us = 500,
                           .srtt_us = 500};
        cc_acked(&c, &a);
        assert_int_equal(c.cwnd_bytes, once);
        a.newest_sent_us = 1000; /* left in the same turn, after the loss was seen */
        a.now_us = 200000;
        cc_acked(&c, &a);
        assert_true(c.cwnd_bytes > once);
        assert_int_equal(c.bytes_in_flight, 3 * MSS);
    }
}

static void the_window_never_falls_below_two_packets(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, 1200, 65507};
    for (int kind = CC_CUBIC; kind <= CC_RENO; kind++)
        for (size_t i = 0; i < 3; i++) {
            struct cc_path p = path_new((enum cc_kind)kind, sizes[i], RTT);
            for (int n = 0; n < 100; n++) {
                path_lose(&p);
                assert_true(p.c.cwnd_bytes >= 2 * sizes[i]);
                path_run(&p, RTT + 1);
                assert_true(p.c.cwnd_bytes >= 2 * sizes[i]);
            }
            uint64_t low = p.c.cwnd_bytes;
            path_run(&p, 100 * RTT);
            assert_true(p.c.cwnd_bytes > low); /* and it recovers */
        }
}

static void an_application_that_sends_less_gains_no_window(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_RENO; kind++)
        for (int avoidance = 0; avoidance < 2; avoidance++) {
            struct cc_path p = path_new((enum cc_kind)kind, MSS, RTT);
            if (avoidance) {
                path_lose(&p);
                path_run(&p, 2 * RTT);
            }
            uint64_t before = p.c.cwnd_bytes;
            for (int i = 0; i < 1000; i++) {
                path_tick(&p);
                struct cc_ack a = path_ack(&p, 1);
                a.app_limited = true;
                cc_acked(&p.c, &a);
                path_fill(&p);
            }
            assert_int_equal(p.c.cwnd_bytes, before);
        }
}

static void persistent_congestion_leaves_two_packets_and_slow_start(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_RENO; kind++) {
        struct cc_path p = path_at((enum cc_kind)kind, MSS, RTT, 100);
        path_lose(&p);
        uint64_t ssthresh = p.c.ssthresh_bytes;
        cc_persistent(&p.c);
        assert_int_equal(p.c.cwnd_bytes, 2 * MSS);
        assert_int_equal(p.c.ssthresh_bytes, ssthresh);
        assert_true(cc_in_slow_start(&p.c));
        cc_spurious(&p.c, p.now_us); /* nothing to undo now */
        assert_int_equal(p.c.cwnd_bytes, 2 * MSS);
        /* A straggler of the outage does not take slow start away. */
        cc_lost(&p.c, p.now_us + RTT, p.now_us - 1, MSS);
        assert_int_equal(p.c.ssthresh_bytes, ssthresh);
    }
}

static void a_false_loss_is_undone_once(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_RENO; kind++) {
        struct cc_path p = path_at((enum cc_kind)kind, MSS, RTT, 100);
        uint64_t ssthresh = p.c.ssthresh_bytes;
        path_lose(&p);
        cc_spurious(&p.c, p.now_us);
        assert_int_equal(p.c.cwnd_bytes, 100 * MSS);
        assert_int_equal(p.c.ssthresh_bytes, ssthresh);
        assert_int_equal(p.c.undone, 1);
        path_fill(&p);
        path_lose(&p); /* of the same flight, and true: the undone one does not excuse it */
        assert_true(p.c.cwnd_bytes <= 70 * MSS);
        assert_int_equal(p.c.reductions, 2);
        path_run(&p, 100 * RTT);
        cc_spurious(&p.c, p.now_us);
        cc_spurious(&p.c, p.now_us);
        assert_int_equal(p.c.undone, 2);
        assert_true(p.c.cwnd_bytes >= 100 * MSS);
    }
}

static void an_undone_first_reduction_excuses_nothing(void **state) {
    (void)state;
    struct cc c;
    cc_init(&c, CC_RENO, MSS);
    cc_sent(&c, 0, 10 * MSS, &(struct rate_mark){0});
    cc_lost(&c, 1000, 0, MSS); /* sent when time began */
    cc_spurious(&c, 1100);
    assert_int_equal(c.cwnd_bytes, 10 * MSS);
    cc_lost(&c, 1200, 0, MSS);
    assert_int_equal(c.cwnd_bytes, 5 * MSS);
}

static void acks_that_do_not_divide_the_window_lose_nothing(void **state) {
    (void)state;
    struct cc c;
    cc_init(&c, CC_RENO, MSS);
    c.ssthresh_bytes = c.cwnd_bytes;
    cc_sent(&c, 0, 50 * MSS, &(struct rate_mark){0});
    struct cc_ack a = {.now_us = 1000, .bytes = 13 * MSS, .newest_sent_us = 500, .srtt_us = 500};
    cc_acked(&c, &a);
    assert_int_equal(c.cwnd_bytes, 11 * MSS); /* ten of thirteen */
    a.bytes = 8 * MSS;
    cc_acked(&c, &a);
    assert_int_equal(c.cwnd_bytes, 12 * MSS); /* three and eight */
}

static void a_larger_packet_keeps_the_window(void **state) {
    (void)state;
    struct cc c;
    cc_init(&c, CC_RENO, MSS);
    cc_set_mss(&c, 1472);
    assert_int_equal(c.cwnd_bytes, 12000);
    cc_set_mss(&c, 65507); /* but one packet at a time would be no window */
    assert_int_equal(c.cwnd_bytes, 131014);
    cc_set_mss(&c, MSS);
    assert_int_equal(c.cwnd_bytes, 131014);
}

static void the_flight_decides_what_may_be_sent(void **state) {
    (void)state;
    struct cc c;
    cc_init(&c, CC_RENO, MSS);
    for (int i = 0; i < 10; i++) {
        assert_true(cc_may_send(&c));
        cc_sent(&c, 0, MSS, &(struct rate_mark){0});
    }
    assert_false(cc_may_send(&c));
    cc_discard(&c, MSS);
    assert_true(cc_may_send(&c));
    assert_int_equal(c.cwnd_bytes, 12000); /* no verdict, no change */
}

static void the_pacing_rate_is_a_little_more_than_the_window(void **state) {
    (void)state;
    struct cc c;
    cc_init(&c, CC_RENO, MSS);
    c.cwnd_bytes = 100000;
    assert_int_equal(cc_pacing_rate(&c, 50000), 4000000); /* slow start: twice 2 MB/s */
    c.ssthresh_bytes = 100000;
    assert_int_equal(cc_pacing_rate(&c, 50000), 2500000); /* then 1.25 times */
    assert_true(cc_pacing_rate(&c, UINT64_MAX) == 1);
    c.cwnd_bytes = CC_MAX_BYTES;
    assert_int_equal(cc_pacing_rate(&c, 0), UINT64_C(1250000) * CC_MAX_BYTES);
}

/* The mean window under one loss in every 1/p packets is sqrt(3/2 / p): the square root law. */
static void the_mean_window_follows_the_square_root_law(void **state) {
    (void)state;
    struct cc_path p = path_at(CC_RENO, MSS, RTT, 40);
    path_lose(&p);
    uint64_t sum = 0, steps = 200 * 500;
    for (uint64_t i = 1; i <= steps; i++) {
        if (i % 500 == 0)
            path_lose(&p);
        else
            path_step(&p);
        sum += p.c.cwnd_bytes;
    }
    /* A mean over packets weighs large windows more: by 28/27 for a window between W/2 and W. */
    assert_in_range(sum / steps, 27 * MSS, 29 * MSS); /* 27.4 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initial_window_is_that_of_the_rfc),
        cmocka_unit_test(slow_start_doubles_each_round_trip),
        cmocka_unit_test(avoidance_adds_one_packet_each_round_trip),
        cmocka_unit_test(one_flight_is_reduced_once),
        cmocka_unit_test(recovery_ends_with_a_packet_sent_during_it),
        cmocka_unit_test(the_window_never_falls_below_two_packets),
        cmocka_unit_test(an_application_that_sends_less_gains_no_window),
        cmocka_unit_test(persistent_congestion_leaves_two_packets_and_slow_start),
        cmocka_unit_test(a_false_loss_is_undone_once),
        cmocka_unit_test(an_undone_first_reduction_excuses_nothing),
        cmocka_unit_test(acks_that_do_not_divide_the_window_lose_nothing),
        cmocka_unit_test(a_larger_packet_keeps_the_window),
        cmocka_unit_test(the_flight_decides_what_may_be_sent),
        cmocka_unit_test(the_pacing_rate_is_a_little_more_than_the_window),
        cmocka_unit_test(the_mean_window_follows_the_square_root_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
