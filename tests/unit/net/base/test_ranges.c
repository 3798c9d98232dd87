/* ranges against a bitmap, and its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/base/ranges.h"
#include "support_rand.h"

enum { UNIVERSE = 200 };

static void expect(const struct ranges *r, size_t n, const struct range *want) {
    assert_int_equal(r->count, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(ranges_at(r, i).lo, want[i].lo);
        assert_int_equal(ranges_at(r, i).hi, want[i].hi);
    }
}

static void neighbours_and_overlaps_become_one_interval(void **state) {
    (void)state;
    struct ranges r;
    ranges_init(&r, 8);
    assert_int_equal(ranges_add(&r, 10, 20), 0);
    assert_int_equal(ranges_add(&r, 20, 30), 0);
    assert_int_equal(ranges_add(&r, 5, 10), 0);
    expect(&r, 1, (struct range[]){{5, 30}});
    assert_int_equal(ranges_add(&r, 40, 50), 0);
    assert_int_equal(ranges_add(&r, 60, 70), 0);
    expect(&r, 3, (struct range[]){{5, 30}, {40, 50}, {60, 70}});
    assert_int_equal(ranges_add(&r, 30, 60), 0);
    expect(&r, 1, (struct range[]){{5, 70}});
    assert_int_equal(ranges_add(&r, 99, 99), 0);
    expect(&r, 1, (struct range[]){{5, 70}});
    ranges_clear(&r);
}

static void the_ends_of_the_number_line_are_ordinary(void **state) {
    (void)state;
    struct ranges r;
    ranges_init(&r, 4);
    assert_int_equal(ranges_add(&r, UINT64_MAX - 1, UINT64_MAX), 0);
    assert_int_equal(ranges_add(&r, 0, 1), 0);
    expect(&r, 2, (struct range[]){{0, 1}, {UINT64_MAX - 1, UINT64_MAX}});
    assert_int_equal(ranges_add(&r, 0, UINT64_MAX), 0);
    expect(&r, 1, (struct range[]){{0, UINT64_MAX}});
    assert_int_equal(ranges_remove(&r, 0, UINT64_MAX), 0);
    assert_true(ranges_empty(&r));
    ranges_clear(&r);
}

static void a_full_set_refuses_and_stays_as_it_was(void **state) {
    (void)state;
    struct ranges r;
    ranges_init(&r, 3);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(ranges_add(&r, i * 10, i * 10 + 5), 0);
    const struct range before[] = {{0, 5}, {10, 15}, {20, 25}};
    assert_int_equal(ranges_add(&r, 30, 31), ERR_FULL);
    assert_int_equal(ranges_remove(&r, 12, 13), ERR_FULL);
    expect(&r, 3, before);
    assert_int_equal(ranges_add(&r, 25, 30), 0); /* what needs no further interval still goes */
    assert_int_equal(ranges_remove(&r, 10, 12), 0);
    expect(&r, 3, (struct range[]){{0, 5}, {12, 15}, {20, 30}});
    ranges_drop_first(&r);
    assert_int_equal(ranges_add(&r, 40, 41), 0);
    expect(&r, 3, (struct range[]){{12, 15}, {20, 30}, {40, 41}});
    ranges_clear(&r);
    assert_int_equal(r.max, 3);

    struct ranges none = {0};
    assert_int_equal(ranges_add(&none, 1, 2), ERR_FULL);
    assert_false(ranges_has(&none, 1));
}

static void an_owner_may_be_moved_in_memory(void **state) {
    (void)state;
    struct ranges a, b;
    ranges_init(&a, 4);
    assert_int_equal(ranges_add(&a, 3, 9), 0);
    b = a;
    a.one = (struct range){0, 0};
    assert_int_equal(ranges_at(&b, 0).lo, 3);
    assert_true(ranges_covers(&b, 3, 9));
}

static bool model_all(const bool *m, uint64_t lo, uint64_t hi) {
    for (uint64_t i = lo; i < hi; i++)
        if (!m[i])
            return false;
    return true;
}

static size_t model_count(const bool *m) {
    size_t n = 0;
    for (size_t i = 0; i < UNIVERSE; i++)
        n += m[i] && (i == 0 || !m[i - 1]);
    return n;
}

static void compare(const struct ranges *r, const bool *m, struct rand_state *rnd) {
    assert_int_equal(r->count, model_count(m));
    for (uint32_t i = 0; i < r->count; i++) {
        struct range at = ranges_at(r, i);
        assert_true(at.lo < at.hi);
        if (i > 0)
            assert_true(ranges_at(r, i - 1).hi < at.lo);
        assert_true(model_all(m, at.lo, at.hi));
    }
    uint64_t lo = rand_below(rnd, UNIVERSE), hi = lo + rand_below(rnd, UNIVERSE - lo + 1);
    assert_int_equal(ranges_has(r, lo), m[lo]);
    assert_int_equal(ranges_covers(r, lo, hi), model_all(m, lo, hi));
    bool any = false;
    for (uint64_t i = lo; i < hi; i++)
        any |= m[i];
    assert_int_equal(ranges_touches(r, lo, hi), any);
    uint64_t first = lo;
    while (first < hi && m[first])
        first++;
    uint64_t end = first;
    while (end < hi && !m[end])
        end++;
    struct range gap;
    assert_int_equal(ranges_first_gap(r, lo, hi, &gap), first < hi);
    if (first < hi) {
        assert_int_equal(gap.lo, first);
        assert_int_equal(gap.hi, end);
    }
}

static void every_operation_agrees_with_a_bitmap(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("ranges", 1);
    for (int round = 0; round < 200; round++) {
        const uint32_t max = 1 + (uint32_t)rand_below(&rnd, 40);
        struct ranges r;
        bool m[UNIVERSE] = {0}, next[UNIVERSE];
        ranges_init(&r, max);
        for (int step = 0; step < 200; step++) {
            uint64_t lo = rand_below(&rnd, UNIVERSE);
            uint64_t hi = lo + rand_below(&rnd, round % 2 ? 6 : 60);
            hi = hi > UNIVERSE ? UNIVERSE : hi;
            uint64_t what = rand_below(&rnd, 20);
            int err = 0;
            for (size_t i = 0; i < UNIVERSE; i++)
                next[i] = m[i];
            if (what == 0) {
                ranges_drop_below(&r, lo);
                for (size_t i = 0; i < lo; i++)
                    next[i] = false;
            } else if (what == 1 && !ranges_empty(&r)) {
                struct range first = ranges_at(&r, 0);
                ranges_drop_first(&r);
                for (uint64_t i = first.lo; i < first.hi; i++)
                    next[i] = false;
            } else {
                bool add = what < 14;
                err = add ? ranges_add(&r, lo, hi) : ranges_remove(&r, lo, hi);
                for (uint64_t i = lo; i < hi; i++)
                    next[i] = add;
            }
            assert_int_equal(err, model_count(next) > max ? ERR_FULL : 0);
            for (size_t i = 0; i < UNIVERSE && err == 0; i++)
                m[i] = next[i];
            assert_true(r.cap <= max);
            compare(&r, m, &rnd);
        }
        ranges_clear(&r);
        assert_true(ranges_empty(&r));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_and_overlaps_become_one_interval),
        cmocka_unit_test(the_ends_of_the_number_line_are_ordinary),
        cmocka_unit_test(a_full_set_refuses_and_stays_as_it_was),
        cmocka_unit_test(an_owner_may_be_moved_in_memory),
        cmocka_unit_test(every_operation_agrees_with_a_bitmap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
