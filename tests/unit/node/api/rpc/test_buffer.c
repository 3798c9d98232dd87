/* A buffer gives what it took, in order; within its bound; and leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/api/rpc/buffer.h"

static void what_went_in_comes_out_in_order(void **state) {
    (void)state;
    struct buffer b = {0};
    uint8_t in = 0, out = 0;
    for (unsigned round = 1; round < 400; round++) {
        for (unsigned i = 0; i < round % 37; i++, in++)
            assert_true(buffer_add(&b, &in, 1, 1 << 20));
        for (unsigned i = 0; i < round % 29 && buffer_size(&b) > 0; i++, out++) {
            assert_int_equal(*buffer_at(&b), out);
            buffer_take(&b, 1);
        }
    }
    while (buffer_size(&b) > 0) {
        assert_int_equal(*buffer_at(&b), out++);
        buffer_take(&b, 1);
    }
    assert_int_equal(in, out);
    buffer_clear(&b);
}

static void more_than_the_bound_changes_nothing(void **state) {
    (void)state;
    static const uint8_t many[5000];
    struct buffer b = {0};
    assert_true(buffer_add(&b, many, 3000, 4000));
    assert_false(buffer_add(&b, many, 1001, 4000));
    assert_false(buffer_add(&b, many, 1, 2000));
    assert_int_equal(buffer_size(&b), 3000);
    buffer_take(&b, 1);
    assert_true(buffer_add(&b, many, 1001, 4000)); /* it bounds what is in it */
    assert_int_equal(buffer_size(&b), 4000);
    buffer_clear(&b);
}

static void memory_stays_within_twice_the_bound_however_much_passes(void **state) {
    (void)state;
    static const uint8_t many[1000];
    struct buffer b = {0};
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(buffer_add(&b, many, sizeof many, 3000));
        if (i > 1)
            buffer_take(&b, sizeof many);
        assert_true(b.cap <= 8192);
    }
    buffer_clear(&b);
}

static void what_was_taken_is_wiped(void **state) {
    (void)state;
    struct buffer b = {0};
    assert_true(buffer_add(&b, "secretpublic", 12, 100));
    const uint8_t *at = buffer_at(&b);
    buffer_take(&b, 6);
    assert_memory_equal(at, "\0\0\0\0\0\0public", 12);
    buffer_take(&b, 6);
    assert_memory_equal(at, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
    buffer_clear(&b);
}

static void a_cleared_one_is_empty_and_may_be_used_again(void **state) {
    (void)state;
    struct buffer b = {0};
    buffer_clear(&b);
    assert_int_equal(buffer_size(&b), 0);
    assert_null(buffer_at(&b));
    assert_true(buffer_add(&b, NULL, 0, 0));
    assert_true(buffer_add(&b, "x", 1, 1));
    buffer_clear(&b);
    buffer_clear(&b);
    assert_int_equal(buffer_size(&b), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_in_comes_out_in_order),
        cmocka_unit_test(more_than_the_bound_changes_nothing),
        cmocka_unit_test(memory_stays_within_twice_the_bound_however_much_passes),
        cmocka_unit_test(what_was_taken_is_wiped),
        cmocka_unit_test(a_cleared_one_is_empty_and_may_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
