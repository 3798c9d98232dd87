/* The pool's two bounds and who frees what; the leak checker sees the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "net/base/block.h"

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

/* ---- whose share it is ---- */

enum { MAX = 64, HELD = 4096 };

struct holder {
    struct block_account *account;
    struct block *v[HELD];
    unsigned n;
};

/* All it gets in blocks of this size. */
static unsigned grab(struct holder *h, enum block_want want, size_t bytes) {
    const unsigned before = h->n;
    while (h->n < HELD && (h->v[h->n] = block_for(h->account, want, bytes)))
        h->n++;
    assert_false(h->n < HELD && block_may(h->account, want, bytes));
    return h->n - before;
}

static void release(struct holder *h) {
    while (h->n > 0)
        block_put(h->v[--h->n]);
    block_account_free(h->account);
}

/* Alone eight ninths of what that use may have, and each next one eight ninths of what those before
 * have left. */
static void one_session_leaves_a_share_to_the_next(void **state) {
    (void)state;
    static struct holder h[4];
    static const unsigned got[BLOCK_USES][4] = {{43, 5, 0, 0}, {54, 6, 0, 0}};
    for (unsigned use = 0; use < BLOCK_USES; use++) {
        struct block_pool *p = block_pool_new(MAX, 0);
        const enum block_want want = use == BLOCK_RECV ? BLOCK_RECV_NEXT : BLOCK_SEND_BULK;
        memset(h, 0, sizeof h);
        unsigned sum = 0;
        for (unsigned i = 0; i < 4; i++) {
            h[i].account = block_account_new(p);
            assert_true(block_allowance(h[i].account, want) > 0);
            const unsigned n = grab(&h[i], want, STREAM_BLOCK_BYTES);
            if (n != got[use][i])
                fail_msg("%u: session %u got %u", use, i, n);
            sum += n;
        }
        assert_int_equal(block_pool_in_use(p), sum);
        for (unsigned i = 0; i < 4; i++)
            release(&h[i]);
        assert_int_equal(block_pool_in_use(p), 0);
        block_pool_free(p);
    }
}

/* Whatever is held, what is received leaves room to what is sent and the other way round. */
static void the_two_uses_do_not_take_each_others_room(void **state) {
    (void)state;
    static struct holder h[20];
    for (unsigned use = 0; use < BLOCK_USES; use++) {
        struct block_pool *p = block_pool_new(MAX, 0);
        memset(h, 0, sizeof h);
        for (unsigned i = 0; i < 20; i++) {
            h[i].account = block_account_new(p);
            grab(&h[i], use == BLOCK_RECV ? BLOCK_RECV_NEXT : BLOCK_SEND_BULK, STREAM_BLOCK_BYTES);
        }
        struct holder other = {.account = block_account_new(p)};
        const unsigned n =
            grab(&other, use == BLOCK_RECV ? BLOCK_SEND_BULK : BLOCK_RECV_NEXT, STREAM_BLOCK_BYTES);
        assert_int_equal(n, use == BLOCK_RECV ? 4
                                              : 15); /* a sixteenth; all but a block of a quarter */
        release(&other);
        for (unsigned i = 0; i < 20; i++)
            release(&h[i]);
        block_pool_free(p);
    }
}

/* The reserve: so much for each, in small blocks only, none for what is ahead, and no more than
 * there is. */
static void a_little_is_sure_to_everyone(void **state) {
    (void)state;
    static struct holder all, h[8];
    struct block_pool *p = block_pool_new(MAX, 0);
    static struct block *owners[MAX];
    memset(&all, 0, sizeof all);
    for (unsigned i = 0; i < MAX; i++)
        assert_non_null(owners[i] = block_new(p, STREAM_BLOCK_BYTES));
    assert_null(block_new(p, 1));
    static const struct {
        enum block_want want;
        size_t bytes;
        unsigned got;
    } table[] = {
        {BLOCK_RECV_NEXT, STREAM_BLOCK_BYTES, 0},
        {BLOCK_RECV_NEXT, 1025, 0},
        {BLOCK_RECV_AHEAD, 1, 0},
        {BLOCK_RECV_NEXT, 1024, RECV_SURE_BYTES / 1024},
        {BLOCK_SEND_BULK, 1025, 0},
        {BLOCK_SEND_BULK, 1024, SEND_SURE_BYTES / 2048},
        {BLOCK_SEND_SMALL, 1024, SEND_SURE_BYTES / 2048},
    };
    all.account = block_account_new(p);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(grab(&all, table[i].want, table[i].bytes), table[i].got);
    assert_int_equal(block_allowance(all.account, BLOCK_RECV_NEXT), RECV_SURE_BYTES);
    /* An eighth of 64 blocks is enough for four that receive, a sixteenth for four that send. */
    memset(h, 0, sizeof h);
    for (unsigned i = 0; i < 8; i++) {
        h[i].account = block_account_new(p);
        assert_int_equal(grab(&h[i], BLOCK_RECV_NEXT, 1024), i < 3 ? RECV_SURE_BYTES / 1024 : 0);
        assert_int_equal(grab(&h[i], BLOCK_SEND_SMALL, 1024), i < 3 ? SEND_SURE_BYTES / 1024 : 0);
    }
    assert_int_equal(block_pool_in_use(p), MAX + MAX / 8 + MAX / 16);
    for (unsigned i = 0; i < 8; i++)
        release(&h[i]);
    for (unsigned i = 0; i < MAX; i++)
        block_put(owners[i]);
    release(&all);
    assert_int_equal(block_pool_in_use(p), 0);
    block_pool_free(p);
}

/* A worker may hold a block longer than the session lives. */
static void an_account_lives_until_its_last_block_is_back(void **state) {
    (void)state;
    struct block_pool *p = block_pool_new(MAX, 4);
    struct block_account *a = block_account_new(p);
    struct block *b = block_for(a, BLOCK_RECV_NEXT, STREAM_BLOCK_BYTES);
    assert_non_null(b);
    assert_int_equal(block_account_bytes(a, BLOCK_RECV), STREAM_BLOCK_BYTES);
    block_account_free(a);
    assert_false(block_pool_send_returned(p));
    block_put(b);
    assert_false(block_pool_send_returned(p));
    block_put(block_new(p, 1));
    assert_true(block_pool_send_returned(p));
    assert_false(block_pool_send_returned(p));
    block_account_free(NULL);
    a = block_account_new(p);
    b = block_for(a, BLOCK_SEND_BULK, 1);
    block_account_free(a);
    block_pool_free(p);
    block_put(b); /* the last thing of both; the address sanitizer knows */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_max_are_out_at_once),
        cmocka_unit_test(the_last_reference_gives_it_back),
        cmocka_unit_test(a_kept_block_comes_back_empty),
        cmocka_unit_test(blocks_may_outlive_the_pools_owner),
        cmocka_unit_test(sizes_are_powers_of_two_from_512),
        cmocka_unit_test(one_session_leaves_a_share_to_the_next),
        cmocka_unit_test(the_two_uses_do_not_take_each_others_room),
        cmocka_unit_test(a_little_is_sure_to_everyone),
        cmocka_unit_test(an_account_lives_until_its_last_block_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
