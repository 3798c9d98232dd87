/* The curves of RFC 9438 in closed form, against the integer arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "support_cc.h"
#include "support_rand.h"

enum { MSS = 1200 };

static void near(double got, double want, double relative) {
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%g is not %g", got, want);
}

static double seconds(uint64_t us) {
    return (double)us / 1e6;
}

static double pkts(uint64_t bytes, uint64_t mss) {
    return (double)bytes / (double)mss;
}

/* §4.6: a window of `n` packets lost one; §4.2: the first ACK after recovery starts the epoch. */
static struct cc_path after_a_loss(uint64_t mss, uint64_t rtt_us, uint64_t n) {
    struct cc_path p = path_at(CC_CUBIC, mss, rtt_us, n);
    path_lose(&p);
    while (!p.c.u.cubic.epoch_running)
        path_step(&p);
    return p;
}

static void a_loss_leaves_seven_tenths(void **state) {
    (void)state;
    struct cc_path p = path_at(CC_CUBIC, MSS, 100000, 1000);
    path_lose(&p);
    assert_int_equal(p.c.cwnd_bytes, 700 * MSS);
    assert_int_equal(p.c.ssthresh_bytes, 700 * MSS);
    assert_int_equal(p.c.u.cubic.w_max_bytes, 1000 * MSS);
    path_lose(&p); /* §4.6: once per round trip */
    assert_int_equal(p.c.cwnd_bytes, 700 * MSS);
}

static void k_is_the_cube_root_of_the_gap(void **state) {
    (void)state;
    static const struct {
        uint64_t mss, n;
    } table[] = {{1200, 3},  {1200, 10},    {1200, 1000}, {1472, 100000}, {1200, 894784},
                 {65507, 3}, {65507, 2000}, {150, 10000}, {1, 1000000}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct cc c;
        cc_init(&c, CC_CUBIC, table[i].mss);
        c.cwnd_bytes = table[i].n * table[i].mss;
        cc_sent(&c, 0, 4 * table[i].mss, &(struct rate_mark){0});
        cc_lost(&c, 1000, 500, table[i].mss);
        double gap = pkts(c.u.cubic.w_max_bytes - c.cwnd_bytes, table[i].mss);
        struct cc_ack a = {.now_us = 3000,
                           .bytes = table[i].mss,
                           .newest_sent_us = 2000,
                           .srtt_us = 1000,
                           .rtt_latest_us = 1000,
                           .rtt_min_us = 1000};
        cc_acked(&c, &a);
        assert_true(c.u.cubic.epoch_running);
        near(seconds(c.u.cubic.k_us), cbrt(gap / 0.4), 1e-4);
    }
}

/* Table of (packets, round trip): the window is W_cubic(t) from a few round trips after the start
 * to twice K, and reaches W_max at K. */
static void the_window_follows_the_curve(void **state) {
    (void)state;
    static const struct {
        uint64_t mss, n, rtt_us;
    } table[] = {{1200, 1000, 100000},
                 {1472, 4000, 50000},
                 {8972, 600, 200000},
                 {1200, 8000, 30000},
                 {1, 1000, 100000}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint64_t mss = table[i].mss, n = table[i].n;
        struct cc_path p = after_a_loss(mss, table[i].rtt_us, n);
        double k = cbrt((double)n * 0.3 / 0.4), regained = 0;
        uint64_t start_us = p.now_us;
        while (seconds(p.now_us - start_us) < 2 * k) {
            path_step(&p);
            double t = seconds(p.now_us - start_us);
            double want = (double)n + 0.4 * pow(t - k, 3);
            if (t > 5 * seconds(table[i].rtt_us))
                near(pkts(p.c.cwnd_bytes, mss), want, 0.02);
            if (regained == 0 && p.c.cwnd_bytes >= n * mss)
                regained = t;
        }
        /* Around K the curve is flat: half a percent of the window is a good part of K wide. */
        assert_true(regained > 0.75 * k && regained < 1.25 * k);
    }
}

static void fast_convergence_gives_way_to_newcomers(void **state) {
    (void)state;
    struct cc_path p = after_a_loss(MSS, 100000, 1000);
    path_run(&p, 500000);
    uint64_t at = p.c.cwnd_bytes;
    assert_true(at < 1000 * MSS);
    path_lose(&p); /* §4.7: below the last maximum */
    assert_int_equal(p.c.u.cubic.w_max_bytes, at * 85 / 100);
    path_run(&p, 60 * 1000000);
    at = p.c.cwnd_bytes;
    path_lose(&p); /* above it */
    assert_int_equal(p.c.u.cubic.w_max_bytes, at);
}

/* §4.3: short round trips: alpha packets per round trip up to the old window, one per round trip
 * after. */
static void the_reno_friendly_region_grows_by_alpha_and_then_by_one(void **state) {
    (void)state;
    const uint64_t rtt_us = 2000;
    struct cc_path p = after_a_loss(MSS, rtt_us, 40);
    uint64_t t_us = p.now_us;
    while (p.now_us < t_us + 20 * rtt_us)
        path_step(&p);
    near(pkts(p.c.cwnd_bytes, MSS), 28 + 20 * 9.0 / 17, 0.01);
    while (p.c.cwnd_bytes < 41 * MSS)
        path_step(&p);
    uint64_t from = p.c.cwnd_bytes;
    path_run(&p, 30 * rtt_us);
    near(pkts(p.c.cwnd_bytes - from, MSS), 30, 0.04);
}

/* §4.3: with that alpha the mean window is Reno's at the same loss rate. */
static void on_short_paths_the_mean_window_is_renos(void **state) {
    (void)state;
    double mean[2];
    for (int kind = CC_CUBIC; kind <= CC_RENO; kind++) {
        struct cc_path p = path_at((enum cc_kind)kind, MSS, 2000, 40);
        path_lose(&p);
        double sum = 0;
        for (int i = 1; i <= 500 * 300; i++) {
            if (i % 500 == 0)
                path_lose(&p);
            else
                path_step(&p);
            sum += pkts(p.c.cwnd_bytes, MSS);
        }
        mean[kind] = sum / (500 * 300);
    }
    near(mean[CC_CUBIC], mean[CC_RENO], 0.05);
}

/* §4.2: whatever the time, one round trip adds at most a half. */
static void a_round_trip_adds_at_most_a_half(void **state) {
    (void)state;
    struct cc_path p = after_a_loss(MSS, 100000, 1000);
    p.now_us += 100 * 1000000;
    uint64_t before = p.c.cwnd_bytes, n = path_flight_pkts(&p);
    struct cc_ack a = path_ack(&p, n / 2);
    cc_acked(&p.c, &a);
    a = path_ack(&p, path_flight_pkts(&p));
    cc_acked(&p.c, &a);
    assert_true(p.c.cwnd_bytes > before + before / 3);
    assert_true(p.c.cwnd_bytes <= before + before / 2 + before / 8); /* 1.25 squared */
}

static struct cc_ack whole_flight(struct cc_path *p) {
    p->now_us += p->rtt_us;
    return path_ack(p, path_flight_pkts(p));
}

/* §5.8: twins, one of which pauses for a minute: afterwards their windows are the same. */
static void a_pause_does_not_move_the_curve(void **state) {
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct cc_path busy = after_a_loss(MSS, 100000, 1000);
        path_run(&busy, 2000000);
        struct cc_path pausing = busy;
        struct cc_ack a = whole_flight(&busy);
        cc_acked(&busy.c, &a);
        path_fill(&busy);
        a = whole_flight(&pausing);
        cc_acked(&pausing.c, &a);
        assert_int_equal(pausing.c.cwnd_bytes, busy.c.cwnd_bytes);
        for (int s = 0; s < 60; s++) {
            pausing.now_us += 1000000;
            if (silent)
                continue;
            cc_sent(&pausing.c, 0, MSS, &(struct rate_mark){0}); /* a little now and then */
            pausing.next_pn++;
            a = path_ack(&pausing, 1);
            a.app_limited = true;
            cc_acked(&pausing.c, &a);
        }
        assert_int_equal(pausing.c.cwnd_bytes, busy.c.cwnd_bytes);
        path_fill(&pausing);
        pausing.now_us += pausing.rtt_us; /* until the first of them is acknowledged */
        busy.now_us += busy.rtt_us;
        for (int i = 0; i < 20000; i++) {
            path_step(&pausing);
            path_step(&busy);
        }
        assert_true(busy.c.cwnd_bytes > 900 * MSS);
        near(pkts(pausing.c.cwnd_bytes, MSS), pkts(busy.c.cwnd_bytes, MSS), 0.01);
    }
}

/* §4.9.2: after the undo it goes on as if nothing had been lost. */
static void an_undone_reduction_leaves_no_trace(void **state) {
    (void)state;
    struct cc_path p = after_a_loss(MSS, 50000, 2000);
    path_run(&p, 3000000);
    struct cc before = p.c;
    cc_lost(&p.c, p.now_us, p.now_us - 50000, 0);
    assert_true(p.c.cwnd_bytes < before.cwnd_bytes);
    cc_spurious(&p.c, p.now_us);
    assert_int_equal(p.c.cwnd_bytes, before.cwnd_bytes);
    assert_int_equal(p.c.ssthresh_bytes, before.ssthresh_bytes);
    assert_int_equal(p.c.recovery_start_us, before.recovery_start_us);
    const struct cc_cubic *a = &p.c.u.cubic, *b = &before.u.cubic;
    assert_int_equal(a->w_max_bytes, b->w_max_bytes);
    assert_int_equal(a->w_est_bytes, b->w_est_bytes);
    assert_int_equal(a->cwnd_prior_bytes, b->cwnd_prior_bytes);
    assert_int_equal(a->k_us, b->k_us);
    assert_int_equal(a->epoch_start_us, b->epoch_start_us);
    assert_true(a->epoch_running);
}

/* §4.8: slow start to ssthresh, then the curve with K = 0 from there. */
static void after_persistent_congestion_the_curve_starts_at_ssthresh(void **state) {
    (void)state;
    struct cc_path p = path_at(CC_CUBIC, MSS, 100000, 1000);
    path_lose(&p);
    cc_persistent(&p.c);
    assert_int_equal(p.c.cwnd_bytes, 2 * MSS);
    while (path_flight_pkts(&p) > 0) /* what was under way */
        cc_discard(&p.c, MSS);
    path_fill(&p);
    p.now_us += p.rtt_us;
    while (cc_in_slow_start(&p.c))
        path_step(&p);
    assert_int_equal(p.c.cwnd_bytes, 700 * MSS);
    path_step(&p);
    assert_int_equal(p.c.u.cubic.k_us, 0);
    assert_int_equal(p.c.u.cubic.w_max_bytes, 700 * MSS);
    uint64_t start_us = p.now_us;
    path_run(&p, 5000000);
    double t = seconds(p.now_us - start_us);
    near(pkts(p.c.cwnd_bytes, MSS), 700 + 0.4 * t * t * t, 0.02);
}

/* A window of a gigabyte: K is over a minute, and nothing overflows. */
static void a_gigabyte_window_recovers_in_its_time(void **state) {
    (void)state;
    struct cc c;
    cc_init(&c, CC_CUBIC, MSS);
    c.cwnd_bytes = CC_MAX_BYTES;
    cc_sent(&c, 0, MSS, &(struct rate_mark){0});
    cc_lost(&c, 1000000, 900000, MSS);
    double k = cbrt(0.3 * CC_MAX_BYTES / MSS / 0.4); /* 87.6 s */
    uint64_t now_us = 2000000;
    double reached = 0;
    for (int i = 0; i < 1500; i++, now_us += 100000) {
        uint64_t before = c.cwnd_bytes, n = c.cwnd_bytes;
        cc_sent(&c, 0, n + 1, &(struct rate_mark){0});
        struct cc_ack a = {.now_us = now_us,
                           .bytes = n,
                           .newest_sent_us = now_us - 100000,
                           .rtt_latest_us = 100000,
                           .rtt_min_us = 100000,
                           .srtt_us = 100000};
        cc_acked(&c, &a);
        assert_true(c.cwnd_bytes >= before && c.cwnd_bytes <= CC_MAX_BYTES);
        double t = seconds(now_us - 2000000);
        if (t > 1 && t < k)
            near((double)c.cwnd_bytes, CC_MAX_BYTES + 0.4 * MSS * pow(t - k, 3), 0.005);
        if (reached == 0 && c.cwnd_bytes == CC_MAX_BYTES)
            reached = t;
    }
    near(reached, k, 0.02);
}

/* Any order of events: the window stays between its bounds and the books balance. */
static void no_order_of_events_breaks_the_bounds(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("cubic", 8);
    for (int round = 0; round < 200; round++) {
        uint64_t mss = round % 3 ? 1200 : 1 + rand_below(&rnd, 65507);
        struct cc_path p = path_new(CC_CUBIC, mss, 1 + rand_below(&rnd, 400000));
        for (int i = 0; i < 1000; i++) {
            p.now_us += rand_below(&rnd, 50) ? rand_below(&rnd, 20000) : rand_below(&rnd, 1u << 30);
            uint64_t n = 1 + rand_below(&rnd, path_flight_pkts(&p));
            struct cc_ack a = path_ack(&p, n);
            switch (rand_below(&rnd, 40)) {
            case 0:
                cc_lost(&p.c, p.now_us, a.newest_sent_us, n * mss);
                break;
            case 1:
                cc_spurious(&p.c, p.now_us);
                break;
            case 2:
                if (rand_below(&rnd, 8) == 0)
                    cc_persistent(&p.c);
                break;
            case 3:
                cc_discard(&p.c, n * mss);
                break;
            default:
                a.app_limited = rand_below(&rnd, 4) == 0;
                a.rtt_latest_us += rand_below(&rnd, 10000);
                cc_acked(&p.c, &a);
            }
            assert_in_range(p.c.cwnd_bytes, 2 * mss, CC_MAX_BYTES);
            assert_true(cc_pacing_rate(&p.c, a.srtt_us) > 0);
            if (p.c.cwnd_bytes > 4000 * mss) /* keeps filling the window short */
                p.c.cwnd_bytes = 4000 * mss;
            path_fill(&p);
        }
    }
}

/* RFC 8511, RFC 9002 §B.7. */
static void marks_take_less_than_a_loss_and_are_not_undone(void **state) {
    (void)state;
    struct cc_path p = path_new(CC_CUBIC, 1200, 50000);
    path_run(&p, 100000);
    const uint64_t slow = p.c.cwnd_bytes;
    assert_true(cc_in_slow_start(&p.c));
    cc_marked(&p.c, p.now_us, p.now_us - p.rtt_us);
    assert_int_equal(p.c.cwnd_bytes, slow * 70 / 100); /* slow start overshoots */
    assert_int_equal(p.c.ssthresh_bytes, p.c.cwnd_bytes);
    cc_marked(&p.c, p.now_us, p.now_us - p.rtt_us / 2);
    assert_int_equal(p.c.cwnd_bytes, slow * 70 / 100); /* the same round trip */
    path_run(&p, 1000000);
    const uint64_t before = p.c.cwnd_bytes;
    assert_false(cc_in_slow_start(&p.c));
    cc_marked(&p.c, p.now_us, p.now_us - p.rtt_us);
    assert_int_equal(p.c.cwnd_bytes, before * 85 / 100);
    assert_int_equal(p.c.reductions, 2);
    cc_spurious(&p.c, p.now_us);
    assert_int_equal(p.c.undone, 0);
    assert_int_equal(p.c.cwnd_bytes, before * 85 / 100);
    /* A loss that was false beside a mark that was not. */
    path_run(&p, 200000);
    path_lose(&p);
    const uint64_t lost = p.c.cwnd_bytes;
    cc_marked(&p.c, p.now_us, p.now_us - p.rtt_us);
    assert_int_equal(p.c.cwnd_bytes, lost);
    cc_spurious(&p.c, p.now_us);
    assert_int_equal(p.c.cwnd_bytes, lost);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_leaves_seven_tenths),
        cmocka_unit_test(k_is_the_cube_root_of_the_gap),
        cmocka_unit_test(the_window_follows_the_curve),
        cmocka_unit_test(fast_convergence_gives_way_to_newcomers),
        cmocka_unit_test(the_reno_friendly_region_grows_by_alpha_and_then_by_one),
        cmocka_unit_test(on_short_paths_the_mean_window_is_renos),
        cmocka_unit_test(a_round_trip_adds_at_most_a_half),
        cmocka_unit_test(a_pause_does_not_move_the_curve),
        cmocka_unit_test(an_undone_reduction_leaves_no_trace),
        cmocka_unit_test(marks_take_less_than_a_loss_and_are_not_undone),
        cmocka_unit_test(after_persistent_congestion_the_curve_starts_at_ssthresh),
        cmocka_unit_test(a_gigabyte_window_recovers_in_its_time),
        cmocka_unit_test(no_order_of_events_breaks_the_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
