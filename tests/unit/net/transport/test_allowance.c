/* What a receiver grants: RFC 9000 §4.1 and §4.2, and how the window follows the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/transport/allowance.h"

enum { MS = 1000, WINDOW = 64 * 1024 };

static void half_of_the_window_used_grants_more(void **state) {
    (void)state;
    struct allowance a;
    allowance_init(&a, WINDOW);
    assert_false(allowance_top_up(&a, WINDOW / 2 - 1, UINT64_MAX));
    assert_int_equal(a.limit, WINDOW);
    assert_false(a.due);
    assert_true(allowance_top_up(&a, WINDOW / 2, UINT64_MAX));
    assert_int_equal(a.limit, WINDOW / 2 + WINDOW);
    assert_true(a.due);
}

static void what_was_granted_stays_granted(void **state) {
    (void)state;
    struct allowance a;
    allowance_init(&a, WINDOW);
    assert_false(
        allowance_top_up(&a, 100, 1000)); /* room for little now: half of that is not used */
    assert_int_equal(a.limit, WINDOW);
    assert_false(allowance_widen(&a, 0, WINDOW));
    assert_false(allowance_widen(&a, 0, WINDOW - 1));
    assert_int_equal(a.window, WINDOW);
    assert_true(allowance_widen(&a, 0, WINDOW + 1));
    assert_int_equal(a.limit, WINDOW + 1);
}

static void the_window_is_what_eight_round_trips_consume(void **state) {
    (void)state;
    static const uint64_t rtt_us[] = {5 * MS, 20 * MS, 100 * MS};
    for (unsigned i = 0; i < 3; i++) {
        struct allowance a;
        allowance_init(&a, WINDOW);
        allowance_measure(&a, 1000 * MS, rtt_us[i], 0, UINT64_MAX);
        allowance_measure(&a, 1000 * MS + rtt_us[i] - 1, rtt_us[i], 1 << 20,
                          UINT64_MAX); /* too soon */
        assert_int_equal(a.window, WINDOW);
        allowance_measure(&a, 1000 * MS + rtt_us[i], rtt_us[i], 1 << 20, UINT64_MAX);
        assert_int_equal(a.window, 8 << 20);
        allowance_measure(&a, 1000 * MS + 2 * rtt_us[i], rtt_us[i], (1 << 20) + 1, UINT64_MAX);
        assert_int_equal(a.window, 8 << 20); /* it never shrinks */
    }
}

static void a_pause_is_no_measure(void **state) {
    (void)state;
    struct allowance a;
    allowance_init(&a, WINDOW);
    allowance_measure(&a, 1000 * MS, 20 * MS, 0, UINT64_MAX);
    allowance_measure(&a, 1000 * MS + 8 * 20 * MS, 20 * MS, 1 << 30, UINT64_MAX);
    assert_int_equal(a.window, WINDOW);
    allowance_measure(&a, 1000 * MS + 9 * 20 * MS, 20 * MS, (1 << 30) + (1 << 20), 3 << 20);
    assert_int_equal(a.window, 3 << 20); /* the most there may be */
}

static void it_is_open_until_the_newest_limit_is_acknowledged(void **state) {
    (void)state;
    struct allowance a;
    allowance_init(&a, WINDOW);
    assert_false(allowance_open(&a));
    assert_true(allowance_top_up(&a, WINDOW, UINT64_MAX));
    const uint64_t first = a.limit;
    allowance_told(&a, 5);
    assert_false(a.due);
    assert_int_equal(a.told_us, 5);
    assert_true(allowance_top_up(&a, 2 * WINDOW, UINT64_MAX));
    allowance_acked(&a, first);
    assert_true(allowance_open(&a));
    allowance_acked(&a, a.limit);
    assert_false(allowance_open(&a));
    allowance_acked(&a, first); /* late */
    assert_int_equal(a.known, a.limit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_window_used_grants_more),
        cmocka_unit_test(what_was_granted_stays_granted),
        cmocka_unit_test(the_window_is_what_eight_round_trips_consume),
        cmocka_unit_test(a_pause_is_no_measure),
        cmocka_unit_test(it_is_open_until_the_newest_limit_is_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
