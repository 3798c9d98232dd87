/* The pool's two bounds and who frees what; the leak checker sees the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/block.h"

static void no_more_than_max_are_out_at_once(void **state) {
    (void)state;
    struct block_pool *p = block_pool_new(2, 1);
    struct block *a = block_new(p, STREAM_BLOCK_BYTES), *b = block_new(p, STREAM_BLOCK_BYTES);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(block_new(p, STREAM_BLOCK_BYTES));
    assert_int_equal(block_pool_in_use(p), 2);
    block_put(a);
    a = block_new(p, STREAM_BLOCK_BYTES);
    assert_non_null(a);
    block_put(a);
    block_put(b);
    assert_int_equal(block_pool_in_use(p), 0);
    block_pool_free(p);
}

static void the_last_reference_gives_it_back(void **state) {
    (void)state;
    struct block_pool *p = block_pool_new(1, 1);
    struct block *b = block_new(p, STREAM_BLOCK_BYTES);
    assert_non_null(b);
    b->len = 77;
    assert_ptr_equal(block_get(b), b);
    block_put(b);
    assert_int_equal(block_pool_in_use(p), 1);
    assert_int_equal(b->len, 77);
    block_put(b);
    assert_int_equal(block_pool_in_use(p), 0);
    block_put(NULL);
    block_pool_free(p);
}

static void a_kept_block_comes_back_empty(void **state) {
    (void)state;
    struct block_pool *p = block_pool_new(4, 4);
    struct block *b = block_new(p, STREAM_BLOCK_BYTES);
    assert_non_null(b);
    b->len = 5;
    block_put(b);
    struct block *again = block_new(p, STREAM_BLOCK_BYTES);
    assert_ptr_equal(again, b);
    assert_int_equal(again->len, 0);
    assert_int_equal(again->refs, 1);
    block_put(again);
    block_pool_free(p);
}

static void blocks_may_outlive_the_pools_owner(void **state) {
    (void)state;
    struct block_pool *p = block_pool_new(3, 3);
    struct block *a = block_new(p, STREAM_BLOCK_BYTES), *b = block_new(p, STREAM_BLOCK_BYTES),
                 *kept = block_new(p, STREAM_BLOCK_BYTES);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(kept);
    block_put(kept);
    block_pool_free(p);
    a->data[STREAM_BLOCK_BYTES - 1] = 1;
    b->data[0] = 1;
    block_put(a);
    block_put(b);
    block_pool_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_max_are_out_at_once),
        cmocka_unit_test(the_last_reference_gives_it_back),
        cmocka_unit_test(a_kept_block_comes_back_empty),
        cmocka_unit_test(blocks_may_outlive_the_pools_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
