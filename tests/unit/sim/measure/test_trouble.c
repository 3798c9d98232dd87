/* What excuses that something was not done, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/measure/trouble.h"

#define S UINT64_C(1000000000)

enum { A, B, C }; /* A asks B for something; C is somebody else */

static struct demand_item item(enum demand_kind kind, uint64_t asked_ns) {
    return (struct demand_item){.kind = kind, .from = A, .to = B, .asked_ns = asked_ns};
}

/* Of this host from..until, for an item asked then that has ended at 100 s. */
static bool excused(enum trouble_kind kind, uint32_t host, uint64_t from_ns, uint64_t until_ns,
                    enum demand_kind what, uint64_t asked_ns) {
    struct troubles t = {0};
    trouble_begin(&t, kind, host, from_ns);
    trouble_end(&t, kind, host, until_ns);
    const struct demand_item i = item(what, asked_ns);
    const bool yes = trouble_excuse(&t, &i, 100 * S) != NULL;
    troubles_clear(&t);
    return yes;
}

static void a_trouble_excuses_its_own_kinds_of_work_of_its_own_host(void **state) {
    (void)state;
    for (unsigned k = 0; k < DEMAND_KINDS; k++) {
        const enum demand_kind what = (enum demand_kind)k;
        assert_true(excused(TROUBLE_DOWN, A, 80 * S, 90 * S, what, 85 * S));
        assert_true(excused(TROUBLE_DOWN, B, 80 * S, 90 * S, what, 85 * S));
        assert_false(excused(TROUBLE_DOWN, C, 80 * S, 90 * S, what, 85 * S));
        assert_int_equal(excused(TROUBLE_DISK, B, 80 * S, 90 * S, what, 85 * S),
                         what == DEMAND_TRANSFER);
        assert_int_equal(excused(TROUBLE_MOVED, B, 80 * S, 80 * S, what, 79 * S),
                         what == DEMAND_CONNECT || what == DEMAND_PING);
        /* A second of sleep costs an echo and nothing else. */
        assert_int_equal(excused(TROUBLE_PAUSED, B, 80 * S, 81 * S, what, 70 * S),
                         what == DEMAND_PING);
        assert_true(excused(TROUBLE_PAUSED, B, 80 * S, 90 * S, what, 70 * S));
    }
}

static void it_excuses_while_it_lasts_and_half_a_minute_more(void **state) {
    (void)state;
    assert_true(excused(TROUBLE_DOWN, B, 10 * S, 60 * S, DEMAND_CONNECT, 89 * S));
    assert_false(excused(TROUBLE_DOWN, B, 10 * S, 60 * S, DEMAND_CONNECT, 91 * S));
    assert_false(excused(TROUBLE_DOWN, B, 101 * S, 110 * S, DEMAND_CONNECT, 90 * S));
    struct troubles t = {0};
    const struct demand_item i = item(DEMAND_PING, 99 * S);
    trouble_begin(&t, TROUBLE_DOWN, B, S);
    assert_non_null(trouble_excuse(&t, &i, 100 * S));
    troubles_clear(&t);
    assert_null(trouble_excuse(&t, &i, 100 * S));
}

static void at_the_end_a_message_is_excused_by_what_is_so_then(void **state) {
    (void)state;
    struct troubles t = {0};
    struct demand_item m = item(DEMAND_MESSAGE, 5 * S), f = item(DEMAND_TRANSFER, 5 * S);
    trouble_begin(&t, TROUBLE_DOWN, B, 4 * S);
    trouble_end(&t, TROUBLE_DOWN, B, 20 * S);
    assert_null(trouble_excuse_undone(&t, &m, 100 * S));
    assert_non_null(trouble_excuse_undone(&t, &f, 100 * S));
    trouble_begin(&t, TROUBLE_DOWN, B, 90 * S);
    assert_non_null(trouble_excuse_undone(&t, &m, 100 * S));
    troubles_clear(&t);
    m.asked_ns = 91 * S; /* too late to be done */
    assert_non_null(trouble_excuse_undone(&t, &m, 100 * S));
    m.asked_ns = 89 * S;
    assert_null(trouble_excuse_undone(&t, &m, 100 * S));
    m.impossible = "there is no way";
    assert_string_equal(trouble_excuse_undone(&t, &m, 100 * S), m.impossible);
    assert_string_equal(trouble_excuse(&t, &m, 100 * S), m.impossible);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trouble_excuses_its_own_kinds_of_work_of_its_own_host),
        cmocka_unit_test(it_excuses_while_it_lasts_and_half_a_minute_more),
        cmocka_unit_test(at_the_end_a_message_is_excused_by_what_is_so_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
