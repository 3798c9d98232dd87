/* The pool's two bounds and who frees what; the leak checker sees the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

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

static void sizes_are_powers_of_two_from_512(void **state) {
    (void)state;
    static const struct {
        size_t asked;
        uint32_t cap;
    } table[] = {{0, 512},     {1, 512},       {512, 512},     {513, 1024},   {1024, 1024},
                 {1025, 2048}, {32768, 32768}, {32769, 65536}, {65536, 65536}};
    struct block_pool *p = block_pool_new(1, 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct block *b = block_new(p, table[i].asked);
        assert_non_null(b);
        assert_int_equal(b->cap, table[i].cap);
        memset(b->data, 0x5a, b->cap); /* the sanitizer knows whether that is really there */
        assert_int_equal(block_pool_in_use(p), 1); /* rounded up */
        block_put(b);
        assert_int_equal(block_pool_in_use(p), 0);
    }
    /* Only full ones are kept: a small one never comes back in place of a large one. */
    struct block *large = block_new(p, 65536);
    assert_non_null(large);
    block_put(large);
    struct block *small = block_new(p, 512);
    assert_non_null(small);
    assert_ptr_not_equal(small, large);
    assert_int_equal(small->cap, 512);
    block_put(small);
    block_pool_free(p);
}

/* The bound is in bytes; blocks up to 1,024 may go a sixteenth beyond it. */
static void small_blocks_may_go_a_sixteenth_beyond(void **state) {
    (void)state;
    enum { MAX = 16, SMALL = 64 + 1 };
    struct block_pool *p = block_pool_new(MAX, 0);
    struct block *v[MAX + SMALL + 1];
    unsigned n = 0;
    for (; n < MAX; n++)
        assert_non_null(v[n] = block_new(p, STREAM_BLOCK_BYTES));
    assert_null(block_new(p, STREAM_BLOCK_BYTES));
    assert_null(block_new(p, 1025));
    for (unsigned i = 0; i < 64; i++) { /* 65,536 bytes, a sixteenth */
        v[n] = block_new(p, 1024);
        assert_non_null(v[n++]);
    }
    assert_null(block_new(p, 1024));
    assert_null(block_new(p, 1));
    assert_int_equal(block_pool_in_use(p), MAX + 1);
    block_put(v[0]);
    assert_null(block_new(p, STREAM_BLOCK_BYTES)); /* the loan is paid back first */
    block_put(v[1]);
    v[1] = block_new(p, STREAM_BLOCK_BYTES);
    assert_non_null(v[1]);
    for (unsigned i = 1; i < n; i++)
        block_put(v[i]);
    assert_int_equal(block_pool_in_use(p), 0);
    block_pool_free(p);
}

/* Writers stop at seven eighths, what lies ahead of a gap at fifteen sixteenths. */
static void scarce_comes_before_tight_and_tight_before_full(void **state) {
    (void)state;
    struct block_pool *p = block_pool_new(32, 0);
    struct block *v[32];
    for (unsigned n = 0; n < 32; n++) {
        assert_int_equal(block_pool_scarce(p), n >= 28);
        assert_int_equal(block_pool_tight(p), n >= 30);
        v[n] = block_new(p, STREAM_BLOCK_BYTES);
        assert_non_null(v[n]);
    }
    assert_null(block_new(p, STREAM_BLOCK_BYTES));
    block_put(v[29]);
    block_put(v[30]);
    assert_true(block_pool_tight(p));
    struct block *tiny = block_new(p, 1); /* in bytes, not in blocks */
    assert_non_null(tiny);
    block_put(v[28]);
    assert_true(block_pool_tight(p));
    block_put(tiny);
    assert_false(block_pool_tight(p));
    block_put(v[31]);
    for (unsigned n = 0; n < 28; n++)
        block_put(v[n]);
    block_pool_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_max_are_out_at_once),
        cmocka_unit_test(the_last_reference_gives_it_back),
        cmocka_unit_test(a_kept_block_comes_back_empty),
        cmocka_unit_test(blocks_may_outlive_the_pools_owner),
        cmocka_unit_test(sizes_are_powers_of_two_from_512),
        cmocka_unit_test(small_blocks_may_go_a_sixteenth_beyond),
        cmocka_unit_test(scarce_comes_before_tight_and_tight_before_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
