/* The heap against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "net/base/timer.h"
#include "support_rand.h"

enum { IDS = 300 };

static void an_empty_heap_never_fires(void **state) {
    (void)state;
    struct timer_heap t = {0};
    uint32_t id;
    assert_true(timer_next_us(&t) == TIME_NEVER);
    assert_false(timer_pop(&t, UINT64_MAX, &id));
    assert_int_equal(timer_set(&t, 1000000, TIME_NEVER), 0); /* removing nothing takes no memory */
    assert_null(t.heap);
    assert_null(t.where);
    timer_clear(&t);
}

static void nothing_fires_before_its_time(void **state) {
    (void)state;
    struct timer_heap t = {0};
    uint32_t id = 99;
    assert_int_equal(timer_set(&t, 7, 1000), 0);
    assert_int_equal(timer_next_us(&t), 1000);
    assert_false(timer_pop(&t, 999, &id));
    assert_int_equal(id, 99);
    assert_true(timer_pop(&t, 1000, &id));
    assert_int_equal(id, 7);
    assert_false(timer_pop(&t, 1000, &id));
    timer_clear(&t);
}

static void equal_deadlines_come_by_id_whatever_happened_before(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("timer ties", 2);
    for (int round = 0; round < 20; round++) {
        struct timer_heap t = {0};
        for (int i = 0; i < 200; i++)
            assert_int_equal(timer_set(&t, (uint32_t)rand_below(&rnd, 50), rand_below(&rnd, 9)), 0);
        for (uint32_t i = 0; i < 50; i++)
            assert_int_equal(timer_set(&t, (i * 7) % 50, 5), 0);
        for (uint32_t i = 0; i < 50; i++) {
            uint32_t id;
            assert_true(timer_pop(&t, 5, &id));
            assert_int_equal(id, i);
        }
        timer_clear(&t);
    }
}

static void the_heap_agrees_with_a_plain_array(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("timer", 3);
    uint64_t model[IDS];
    memset(model, 0xff, sizeof model);
    struct timer_heap t = {0};
    for (int step = 0; step < 20000; step++) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < IDS; i++)
            if (model[i] < model[best])
                best = i;
        assert_true(timer_next_us(&t) == model[best]);
        uint32_t id = (uint32_t)rand_below(&rnd, IDS);
        uint64_t what = rand_below(&rnd, 10), when = rand_below(&rnd, 500);
        if (what < 6) {
            assert_int_equal(timer_set(&t, id, when), 0);
            model[id] = when;
        } else if (what < 8) {
            assert_int_equal(timer_set(&t, id, TIME_NEVER), 0);
            model[id] = TIME_NEVER;
        } else {
            bool due = model[best] <= when;
            assert_int_equal(timer_pop(&t, when, &id), due);
            if (due) {
                assert_int_equal(id, best);
                model[best] = TIME_NEVER;
            }
        }
    }
    timer_clear(&t);
    assert_true(timer_next_us(&t) == TIME_NEVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_never_fires),
        cmocka_unit_test(nothing_fires_before_its_time),
        cmocka_unit_test(equal_deadlines_come_by_id_whatever_happened_before),
        cmocka_unit_test(the_heap_agrees_with_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
