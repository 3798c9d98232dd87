/* How long nothing comes through: around a fault, of what runs, and of flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/measure/progress.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static double worst(const struct progress *p, uint64_t now_ns, size_t *count) {
    struct samples s = {0};
    double v = 0;
    progress_gaps(p, now_ns, &s);
    *count = s.count;
    (void)samples_stat(&s, STAT_MAX, &v);
    samples_clear(&s);
    return v;
}

static bool is(double a, double b) {
    return a > b - 1e-9 && a < b + 1e-9;
}

static void the_pause_over_a_fault_counts_and_others_do_not(void **state) {
    (void)state;
    struct progress p = {0};
    size_t n;
    progress_data(&p, 1 * S, 0);
    progress_data(&p, 3 * S, 0); /* long, but nothing was wrong */
    progress_fault(&p, 3 * S + 100 * MS);
    progress_data(&p, 3 * S + 400 * MS, 0);
    assert_true(is(worst(&p, 4 * S, &n), 0.6)); /* what lasts still is one, too */
    progress_data(&p, 4 * S, 0);
    progress_over(&p, 0);
    progress_data(&p, 60 * S, 0); /* another transfer */
    assert_true(is(worst(&p, 70 * S, &n), 0.6));
    assert_int_equal(n, 1);
    progress_clear(&p);
}

static void a_pause_that_never_ends_is_one(void **state) {
    (void)state;
    struct progress p = {0};
    size_t n;
    progress_data(&p, 1 * S, 0);
    progress_fault(&p, 2 * S);
    assert_true(is(worst(&p, 50 * S, &n), 49));
    assert_int_equal(n, 1);
    progress_fault(&p, 60 * S);
    assert_true(is(worst(&p, 61 * S, &n), 60));
    assert_int_equal(n, 2);
    progress_clear(&p);
}

static void what_ran_not_is_not_measured(void **state) {
    (void)state;
    struct progress p = {0};
    size_t n;
    progress_fault(&p, 2 * S);
    progress_data(&p, 2 * S + 10 * MS, 3);
    progress_data(&p, 3 * S, 3);
    (void)worst(&p, 3 * S, &n);
    assert_int_equal(n, 0);
    progress_clear(&p);
}

static void a_flow_pauses_by_its_datagrams(void **state) {
    (void)state;
    struct progress p = {0};
    struct samples s = {0};
    double v = 0;
    for (uint64_t i = 0; i < 10; i++)
        progress_flow(&p, S + i * 20 * MS + (i > 5 ? 300 * MS : 0), 1);
    progress_flow_gaps(&p, &s);
    assert_true(samples_stat(&s, STAT_MAX, &v) && is(v, 0.32));
    assert_int_equal(s.count, 1);
    samples_clear(&s);
    progress_clear(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pause_over_a_fault_counts_and_others_do_not),
        cmocka_unit_test(a_pause_that_never_ends_is_one),
        cmocka_unit_test(what_ran_not_is_not_measured),
        cmocka_unit_test(a_flow_pauses_by_its_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
