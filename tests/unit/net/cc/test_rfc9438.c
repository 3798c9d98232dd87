/* RFC 9438: points of the curve against the closed form in long double, and the windows of its
 * section 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "support_cc.h"

enum { MSS = 1200 };

/* §4.2: "W_cubic(t) = C * (t - K)^3 + W_max", figure 1, in segments and seconds. */
static long double w_cubic(long double t, long double k, long double w_max) {
    return 0.4L * (t - k) * (t - k) * (t - k) + w_max;
}

/* Figure 2. */
static long double k_of(long double w_max, long double cwnd_epoch) {
    return cbrtl((w_max - cwnd_epoch) / 0.4L);
}

static void within(long double got, long double want, long double by, const char *what) {
    if (!(fabsl(got - want) <= by))
        fail_msg("%s: %.9Lg is not %.9Lg", what, got, want);
}

/* A controller in congestion avoidance: W_max of `w` packets, reduced, its epoch begun at
 * `start_us` by an ACK too small to move the window. */
static struct cc reduced(uint64_t mss, uint64_t w, uint64_t rtt_us, uint64_t start_us) {
    struct cc c;
    cc_init(&c, CC_CUBIC, mss);
    c.cwnd_bytes = w * mss;
    cc_sent(&c, 1000, 3 * mss, &(struct rate_mark){0});
    cc_lost(&c, start_us - 2000, start_us - 3000, mss);
    const struct cc_ack a = {.now_us = start_us,
                             .bytes = 1,
                             .newest_sent_us = start_us - 1000,
                             .srtt_us = rtt_us,
                             .rtt_latest_us = rtt_us,
                             .rtt_min_us = rtt_us};
    cc_acked(&c, &a);
    assert_true(c.u.cubic.epoch_running);
    assert_int_equal(c.u.cubic.epoch_start_us, start_us);
    return c;
}

/* §4.4, §4.5: each ACK adds (target - cwnd) / cwnd per segment, target = W_cubic(t + RTT), so an
 * ACK of a whole window makes the window the target. That reads the curve at any point, alone. */
static void the_window_is_the_closed_form_at_every_point(void **state) {
    (void)state;
    static const struct {
        uint64_t mss, w, rtt_us;
    } table[] = {
        {1200, 100, 100000},  {1200, 1000, 100000}, {1472, 5926, 100000}, {1200, 33325, 100000},
        {8972, 20000, 10000}, {1200, 400000, 1000}, {65507, 2000, 50000}, {1452, 187, 300000},
    };
    static const unsigned percents_of_k[] = {1, 10, 33, 50, 80, 95, 100, 101, 110, 125, 140};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const uint64_t mss = table[i].mss, start_us = 5000000;
        const long double w = (long double)table[i].w, rtt = (long double)table[i].rtt_us / 1e6L;
        for (size_t p = 0; p < sizeof percents_of_k / sizeof *percents_of_k; p++) {
            struct cc c = reduced(mss, table[i].w, table[i].rtt_us, start_us);
            const long double epoch = (long double)c.cwnd_bytes / (long double)mss;
            const long double k = k_of(w, epoch);
            within((long double)c.u.cubic.k_us / 1e6L, k, 1.01e-4L, "K"); /* units of 0.1 ms */
            const uint64_t t_us = (uint64_t)(k * 1e4L) * percents_of_k[p];
            const uint64_t all = c.cwnd_bytes;
            cc_sent(&c, start_us, all, &(struct rate_mark){0});
            c.u.cubic.w_est_bytes = 0; /* the cubic region alone; §4.3 has its own test */
            const struct cc_ack a = {.now_us = start_us + t_us,
                                     .bytes = all,
                                     .newest_sent_us = start_us,
                                     .srtt_us = table[i].rtt_us,
                                     .rtt_latest_us = table[i].rtt_us,
                                     .rtt_min_us = table[i].rtt_us};
            cc_acked(&c, &a);
            long double target = w_cubic((long double)t_us / 1e6L + rtt, k, w);
            if (target > 1.5L * epoch)
                target = 1.5L * epoch; /* §4.2: the bound of target */
            within((long double)c.cwnd_bytes / (long double)mss, target, 1e-4L * w + 0.01L,
                   "window");
        }
    }
}

/* §4.2: "cwnd if W_cubic(t + RTT) < cwnd": no ACK lowers the window. */
static void a_target_below_the_window_changes_nothing(void **state) {
    (void)state;
    struct cc c = reduced(MSS, 1000, 100000, 5000000);
    const uint64_t grown = 1200 * MSS;
    c.cwnd_bytes = grown;
    cc_sent(&c, 5000000, 10 * MSS, &(struct rate_mark){0});
    cc_acked(&c, &(struct cc_ack){.now_us = 5100000,
                                  .bytes = 10 * MSS,
                                  .newest_sent_us = 5000000,
                                  .srtt_us = 100000});
    assert_int_equal(c.cwnd_bytes, grown);
}

/* §4.6, §4.7: beta 0.7; a window that did not come back to the old maximum leaves more: (1 + beta)
 * / 2 of it. */
static void reductions_and_fast_convergence_by_the_numbers(void **state) {
    (void)state;
    static const struct {
        uint64_t w_max, cwnd, w_max_after, cwnd_after;
    } table[] = {
        {0, 1000000, 1000000, 700000},       /* the first */
        {1000000, 900000, 765000, 630000},   /* below: 0.85 */
        {1000000, 999999, 849999, 699999},   /* a byte below */
        {1000000, 1000000, 1000000, 700000}, /* there: not below */
        {1000000, 1300000, 1300000, 910000},
        {1000000, 3000, 2550, 2400}, /* never below two packets */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cc c;
        cc_init(&c, CC_CUBIC, MSS);
        c.u.cubic.w_max_bytes = table[i].w_max;
        c.cwnd_bytes = table[i].cwnd;
        cc_sent(&c, 10, MSS, &(struct rate_mark){0});
        cc_lost(&c, 1000, 10, MSS);
        assert_int_equal(c.u.cubic.w_max_bytes, table[i].w_max_after);
        assert_int_equal(c.cwnd_bytes, table[i].cwnd_after);
        assert_int_equal(c.ssthresh_bytes, table[i].cwnd_after);
        assert_int_equal(c.u.cubic.cwnd_prior_bytes, table[i].cwnd);
    }
}

/* §4.3, figure 4: W_est += alpha * segments_acked / cwnd, alpha = 3 (1 - beta) / (1 + beta) = 9/17
 * until W_est reaches cwnd_prior, 1 from there; the window is W_est where that is above the
 * curve. */
static void the_reno_friendly_window_grows_as_figure_4_says(void **state) {
    (void)state;
    struct cc c = reduced(MSS, 40, 1000, 5000000);
    long double est = (long double)c.u.cubic.w_est_bytes / MSS;
    within(est, 28, 1e-3L, "W_est at the beginning");
    uint64_t now_us = 5000000;
    unsigned slow = 0, fast = 0;
    for (int i = 0; i < 2000; i++) {
        now_us += 30;
        cc_sent(&c, now_us - 20, MSS, &(struct rate_mark){0});
        const bool before = est < 40;
        est += (before ? 9.0L / 17.0L : 1.0L) * MSS / (long double)c.cwnd_bytes;
        slow += before;
        fast += !before;
        cc_acked(&c, &(struct cc_ack){.now_us = now_us,
                                      .bytes = MSS,
                                      .newest_sent_us = now_us - 20,
                                      .srtt_us = 1000,
                                      .rtt_latest_us = 1000,
                                      .rtt_min_us = 1000});
        within((long double)c.u.cubic.w_est_bytes / MSS, est, 0.01L, "W_est");
        assert_int_equal(c.cwnd_bytes, c.u.cubic.w_est_bytes);
    }
    assert_true(slow > 100 && fast > 100); /* the test saw both slopes */
}

/* §4.9.2: W_max, K, epoch, ssthresh and the window are what they were, and the curve goes on from
 * there as if nothing had been: also after ACKs in between have begun a new epoch. */
static void a_spurious_reduction_is_undone_exactly(void **state) {
    (void)state;
    struct cc c = reduced(MSS, 1000, 100000, 5000000);
    struct cc quiet = c;
    cc_sent(&c, 5500000, 100 * MSS, &(struct rate_mark){0});
    cc_lost(&c, 6000000, 5500000, 10 * MSS);
    assert_int_equal(c.cwnd_bytes, quiet.cwnd_bytes * 7 / 10);
    cc_acked(&c,
             &(struct cc_ack){
                 .now_us = 6100000, .bytes = MSS, .newest_sent_us = 6050000, .srtt_us = 100000});
    assert_int_equal(c.u.cubic.epoch_start_us, 6100000);
    cc_spurious(&c, 6200000);
    assert_int_equal(c.undone, 1);
    assert_int_equal(c.cwnd_bytes, quiet.cwnd_bytes);
    assert_true(c.ssthresh_bytes == quiet.ssthresh_bytes);
    assert_int_equal(c.u.cubic.w_max_bytes, quiet.u.cubic.w_max_bytes);
    assert_int_equal(c.u.cubic.k_us, quiet.u.cubic.k_us);
    assert_int_equal(c.u.cubic.epoch_start_us, quiet.u.cubic.epoch_start_us);
    for (uint64_t now_us = 6300000; now_us < 20000000; now_us += 100000) {
        struct cc *both[] = {&c, &quiet};
        for (int i = 0; i < 2; i++) {
            cc_sent(both[i], now_us - 100000, 500 * MSS, &(struct rate_mark){0});
            cc_acked(both[i], &(struct cc_ack){.now_us = now_us,
                                               .bytes = 500 * MSS,
                                               .newest_sent_us = now_us - 100000,
                                               .srtt_us = 100000});
        }
        within((long double)c.cwnd_bytes / MSS, (long double)quiet.cwnd_bytes / MSS, 1.0L,
               "window after the undo");
    }
    assert_true(quiet.cwnd_bytes > 1000 * MSS);
}

/* §5.1, figure 6, tables 1 and 2: the average window when exactly one of 1/p packets is lost. Where
 * the tables have Reno's number, the Reno-friendly region holds and the model's is 1.2 /
 * sqrt(p). */
static void the_average_windows_of_section_5(void **state) {
    (void)state;
    static const struct {
        uint64_t rtt_us, lost_one_of;
        long double pkts;
    } table[] = {
        {100000, 10000, 187}, {100000, 100000, 1054}, {100000, 1000000, 5926}, {10000, 1000, 38},
        {10000, 10000, 120},  {10000, 100000, 379},   {10000, 1000000, 1200},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cc_path p =
            path_at(CC_CUBIC, MSS, table[i].rtt_us, (uint64_t)(table[i].pkts * 1.2L));
        const int periods = table[i].lost_one_of >= 1000000 ? 6 : 24;
        long double sum = 0, time = 0;
        for (int k = 0; k < periods; k++) {
            path_lose(&p);
            for (uint64_t n = 1; n < table[i].lost_one_of; n++) {
                const uint64_t before_us = p.now_us;
                path_step(&p);
                if (k < periods / 3)
                    continue;
                const long double us = (long double)(p.now_us - before_us);
                sum += us * (long double)p.c.cwnd_bytes / MSS;
                time += us;
            }
        }
        within(sum / time, table[i].pkts, 0.12L * table[i].pkts, "average window");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_is_the_closed_form_at_every_point),
        cmocka_unit_test(a_target_below_the_window_changes_nothing),
        cmocka_unit_test(reductions_and_fast_convergence_by_the_numbers),
        cmocka_unit_test(the_reno_friendly_window_grows_as_figure_4_says),
        cmocka_unit_test(a_spurious_reduction_is_undone_exactly),
        cmocka_unit_test(the_average_windows_of_section_5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
