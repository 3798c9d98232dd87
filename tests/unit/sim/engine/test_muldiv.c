/* A product of 128 bits and its quotient, with and without the compiler's type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/engine/muldiv.h"

static void known_quotients(void **state) {
    (void)state;
    static const struct {
        uint64_t a, b, c, down, up;
    } cases[] = {
        {0, 7, 3, 0, 0},
        {7, 1, 2, 3, 4},
        {6, 1, 2, 3, 3},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
        {UINT64_MAX, 2, 4, UINT64_MAX / 2, UINT64_MAX / 2 + 1},
        {UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(8000000000),
         UINT64_C(12500000000000), UINT64_C(12500000000000)},
        {UINT64_MAX, UINT64_MAX, 1, UINT64_MAX, UINT64_MAX}, /* does not fit */
        {UINT64_C(1) << 63, 2, 1, UINT64_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(muldiv(cases[i].a, cases[i].b, cases[i].c), cases[i].down);
        assert_int_equal(muldiv_up(cases[i].a, cases[i].b, cases[i].c), cases[i].up);
    }
}

static void the_upper_half_is_what_does_not_fit(void **state) {
    (void)state;
    assert_int_equal(mul_high(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    assert_int_equal(mul_high(UINT64_C(1) << 63, 2), 1);
    assert_int_equal(mul_high(UINT64_C(1) << 32, UINT64_C(1) << 32), 1);
    assert_int_equal(mul_high(UINT32_MAX, UINT32_MAX), 0);
}

static void both_ways_give_the_same(void **state) {
    (void)state;
    uint64_t x = UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t v[3];
        for (unsigned k = 0; k < 3; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            v[k] = x >> (x & 63);
        }
        uint64_t rest;
        const uint64_t c = v[2] ? v[2] : 1, q = muldiv_by_halves(v[0], v[1], c, &rest);
        assert_int_equal(q, muldiv(v[0], v[1], c));
        if (q < UINT64_MAX) { /* a * b = q * c + rest, as far as 64 bits see it */
            assert_true(rest < c);
            assert_int_equal(q * c + rest, v[0] * v[1]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_quotients),
        cmocka_unit_test(the_upper_half_is_what_does_not_fit),
        cmocka_unit_test(both_ways_give_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
