/* RFC 9002 §5 and §6.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/recovery/rtt.h"

static void before_a_sample_the_initial_values_hold(void **state) {
    (void)state;
    struct rtt r;
    rtt_init(&r);
    assert_false(r.has_sample);
    assert_int_equal(r.srtt_us, 333000);
    assert_int_equal(r.var_us, 166500);
    assert_int_equal(rtt_pto_us(&r), 333000 + 4 * 166500 + 25000);
}

static void the_first_sample_replaces_the_guess(void **state) {
    (void)state;
    struct rtt r;
    rtt_init(&r);
    rtt_sample(&r, 80000, 20000); /* §5.3: the delay is not subtracted from the first */
    assert_true(r.has_sample);
    assert_int_equal(r.latest_us, 80000);
    assert_int_equal(r.min_us, 80000);
    assert_int_equal(r.srtt_us, 80000);
    assert_int_equal(r.var_us, 40000);
}

static void samples_are_smoothed_as_the_rfc_says(void **state) {
    (void)state;
    /* After a first sample of 100 ms without delay: srtt 100, var 50. */
    static const struct {
        uint64_t sample_us, delay_us, min_us, srtt_us, var_us;
    } table[] = {
        /* adjusted 108: var (3*50+8)/4, srtt (7*100+108)/8 */
        {108000, 0, 100000, 101000, 39500},
        /* the delay is taken off while the rest is no less than min: adjusted 100 */
        {110000, 10000, 100000, 100000, 37500},
        /* it would fall below min_rtt: not taken off, adjusted 108 */
        {108000, 10000, 100000, 101000, 39500},
        /* capped at 25 ms: adjusted 140 - 25 = 115 */
        {140000, 90000, 100000, 101875, 41250},
        /* a new minimum counts first: adjusted 60 */
        {60000, 5000, 60000, 95000, 47500},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct rtt r;
        rtt_init(&r);
        rtt_sample(&r, 100000, 0);
        rtt_sample(&r, table[i].sample_us, table[i].delay_us);
        assert_int_equal(r.latest_us, table[i].sample_us);
        assert_int_equal(r.min_us, table[i].min_us);
        assert_int_equal(r.srtt_us, table[i].srtt_us);
        assert_int_equal(r.var_us, table[i].var_us);
    }
}

static void a_round_trip_below_the_clock_is_one_microsecond(void **state) {
    (void)state;
    struct rtt r;
    rtt_init(&r);
    rtt_sample(&r, 0, 0);
    assert_int_equal(r.min_us, 1);
    assert_int_equal(r.srtt_us, 1);
    for (int i = 0; i < 100; i++)
        rtt_sample(&r, 0, 25000);
    assert_int_equal(r.srtt_us, 1);
    assert_int_equal(rtt_pto_us(&r), 1 + 1000 + 25000); /* the granularity is the least spread */
}

static void a_steady_path_is_learnt(void **state) {
    (void)state;
    struct rtt r;
    rtt_init(&r);
    rtt_sample(&r, 300000, 0);
    for (int i = 0; i < 200; i++)
        rtt_sample(&r, 50000, 0);
    assert_in_range(r.srtt_us, 50000, 50010);
    assert_in_range(r.var_us, 0, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_a_sample_the_initial_values_hold),
        cmocka_unit_test(the_first_sample_replaces_the_guess),
        cmocka_unit_test(samples_are_smoothed_as_the_rfc_says),
        cmocka_unit_test(a_round_trip_below_the_clock_is_one_microsecond),
        cmocka_unit_test(a_steady_path_is_learnt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
