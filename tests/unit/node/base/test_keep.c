/* What is committed, what is durable, and when a debt is paid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/node_int.h"
#include "support_world.h"

enum { S = 1000000, MS = 1000 };

static unsigned paid;
static uint64_t last_paid;

static void pay(const struct owed *o) {
    paid++;
    assert_true(o->ref > last_paid); /* in the order in which they were made */
    last_paid = o->ref;
}

static struct world *one_node(void) {
    struct world *w = world_new(1, 1);
    paid = 0;
    last_paid = 0;
    world_run(w, S);
    return w;
}

static int put(struct world *w, const char *key) {
    return keep_put(&w->nodes[0].node->keep, "t", key, strlen(key), "v", 1);
}

static bool has(struct world *w, const char *key) {
    char value[8];
    size_t len;
    return keep_get(&w->nodes[0].node->keep, "t", key, strlen(key), value, sizeof value, &len) == 0;
}

static void owe(struct world *w, uint64_t ref) {
    assert_int_equal(keep_owe(&w->nodes[0].node->keep, &(struct owed){.run = pay, .ref = ref}), 0);
}

static void a_debt_is_paid_only_after_the_barrier(void **state) {
    (void)state;
    struct world *w = one_node();
    w->sync_us = 20 * MS;
    assert_int_equal(put(w, "a"), 0);
    owe(w, 1);
    assert_int_equal(paid, 0);
    world_run(w, 19 * MS);
    assert_int_equal(paid, 0);
    world_run(w, 2 * MS);
    assert_int_equal(paid, 1);
    /* Nothing new: the next one is due at once, without a further barrier. */
    uint64_t syncs = store_mem_syncs(w->nodes[0].store);
    owe(w, 2);
    assert_int_equal(paid, 1);
    world_run(w, MS);
    assert_int_equal(paid, 2);
    assert_int_equal(store_mem_syncs(w->nodes[0].store), syncs);
    world_free(w);
}

static void many_debts_cost_two_barriers(void **state) {
    (void)state;
    struct world *w = one_node();
    w->sync_us = 20 * MS;
    uint64_t syncs = store_mem_syncs(w->nodes[0].store);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(put(w, "a"), 0);
        owe(w, i + 1);
        world_run(w, 100);
    }
    world_run(w, S);
    assert_int_equal(paid, 100);
    assert_int_equal(store_mem_syncs(w->nodes[0].store), syncs + 2);
    world_free(w);
}

static void a_barrier_that_fails_is_repeated_and_debts_wait(void **state) {
    (void)state;
    struct world *w = one_node();
    store_mem_fail_sync(w->nodes[0].store, 0, ERR_IO);
    assert_int_equal(put(w, "a"), 0);
    owe(w, 1);
    world_run(w, 60 * S);
    assert_int_equal(paid, 0);
    uint64_t tries = store_mem_syncs(w->nodes[0].store);
    assert_in_range(tries, 5, 12); /* later and later */
    store_mem_fail_sync(w->nodes[0].store, 0, 0);
    world_run(w, 61 * S);
    assert_int_equal(paid, 1);
    world_run(w, 1000 * S);
    assert_in_range(store_mem_syncs(w->nodes[0].store), tries + 1, tries + 1);
    world_free(w);
}

/* What was deleted is wiped by a barrier of its own kind; one that failed has wiped nothing. */
static void a_secret_is_wiped_until_that_succeeds(void **state) {
    (void)state;
    struct world *w = one_node();
    const unsigned before = w->nodes[0].scrubs;
    assert_int_equal(put(w, "a"), 0);
    owe(w, 1);
    world_run(w, S);
    assert_int_equal(w->nodes[0].scrubs, before);
    store_mem_fail_sync(w->nodes[0].store, 0, ERR_IO);
    keep_scrub(&w->nodes[0].node->keep);
    world_run(w, 10 * S);
    assert_int_equal(w->nodes[0].scrubs, before);
    store_mem_fail_sync(w->nodes[0].store, 0, 0);
    world_run(w, 61 * S);
    assert_int_equal(w->nodes[0].scrubs, before + 1);
    world_free(w);
}

static void a_transaction_happens_whole_or_not_at_all(void **state) {
    (void)state;
    struct world *w = one_node();
    struct node *n = w->nodes[0].node;
    assert_int_equal(keep_begin(&n->keep), 0);
    assert_int_equal(put(w, "a"), 0);
    owe(w, 1);
    assert_true(has(w, "a"));
    assert_int_equal(keep_end(&n->keep, ERR_FULL), ERR_FULL);
    assert_false(has(w, "a"));
    for (unsigned at = 1; at <= 3; at++) {
        store_die_at(w, 0, at);
        int err = keep_begin(&n->keep);
        assert_int_equal(err, 0);
        err = put(w, "a");
        if (!err)
            err = keep_del(&n->keep, "t", "z", 1);
        assert_int_equal(keep_end(&n->keep, err), ERR_IO);
        store_die_at(w, 0, 0);
        assert_false(has(w, "a"));
    }
    world_run(w, S);
    assert_int_equal(paid, 0);                 /* a debt of what has not happened is none */
    assert_int_equal(keep_begin(&n->keep), 0); /* nor does it come with the next one that happens */
    assert_int_equal(put(w, "a"), 0);
    owe(w, 2);
    assert_int_equal(keep_end(&n->keep, 0), 0);
    world_run(w, S);
    assert_int_equal(paid, 1);
    assert_int_equal(last_paid, 2);
    world_free(w);
}

static void a_power_cut_takes_whole_transactions_from_the_end(void **state) {
    (void)state;
    for (unsigned spared = 0; spared <= 3; spared++) {
        struct world *w = one_node();
        struct node *n = w->nodes[0].node;
        assert_int_equal(put(w, "safe"), 0);
        owe(w, 1);
        world_run(w, S);
        assert_int_equal(store_mem_at_risk(w->nodes[0].store), 0);
        assert_int_equal(put(w, "1"), 0);
        assert_int_equal(keep_begin(&n->keep), 0);
        assert_int_equal(put(w, "2"), 0);
        assert_int_equal(keep_del(&n->keep, "t", "safe", 4), 0);
        assert_int_equal(keep_end(&n->keep, 0), 0);
        assert_int_equal(put(w, "3"), 0);
        assert_int_equal(store_mem_at_risk(w->nodes[0].store), 3);
        world_power_cut(w, 0, spared);
        world_start(w, 0);
        assert_int_equal(has(w, "1"), spared >= 1);
        assert_int_equal(has(w, "2"), spared >= 2);
        assert_int_equal(has(w, "safe"), spared < 2);
        assert_int_equal(has(w, "3"), spared >= 3);
        world_free(w);
    }
}

static void debts_are_bounded(void **state) {
    (void)state;
    struct world *w = one_node();
    assert_int_equal(put(w, "a"), 0);
    for (unsigned i = 0; i < KEEP_OWED_MAX; i++)
        owe(w, i + 1);
    assert_int_equal(keep_owe(&w->nodes[0].node->keep, &(struct owed){.run = pay}), ERR_FULL);
    world_run(w, S);
    assert_int_equal(paid, KEEP_OWED_MAX);
    world_free(w);
}

/* One barrier may make thousands of messages safe: each turn of the loop tells of a few. */
static void many_debts_are_paid_in_steps(void **state) {
    (void)state;
    enum { DEBTS = 1000 };
    struct world *w = one_node();
    struct node *n = w->nodes[0].node;
    struct node_event e;
    assert_int_equal(put(w, "a"), 0);
    for (unsigned i = 1; i <= DEBTS; i++)
        owe(w, i);
    struct file_op *op = node_next_file_op(n);
    assert_non_null(op);
    assert_int_equal(op->kind, FILE_OP_STORE_SYNC);
    op->err = store_mem_sync_end(w->nodes[0].store, store_mem_sync_begin(w->nodes[0].store));
    assert_int_equal(paid, 0);
    node_file_done(n, w->now_us, op);
    while (node_poll(n, &e))
        ;
    assert_in_range(paid, 1, KEEP_PAY_STEP);
    for (unsigned before = paid; paid < DEBTS; before = paid) {
        assert_true(node_deadline_us(n) <= w->now_us);
        node_timeout(n, w->now_us);
        while (node_poll(n, &e))
            ;
        assert_null(node_next_file_op(n));
        assert_in_range(paid - before, 1, KEEP_PAY_STEP);
    }
    assert_true(node_deadline_us(n) > w->now_us);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_debt_is_paid_only_after_the_barrier),
        cmocka_unit_test(many_debts_cost_two_barriers),
        cmocka_unit_test(a_barrier_that_fails_is_repeated_and_debts_wait),
        cmocka_unit_test(a_secret_is_wiped_until_that_succeeds),
        cmocka_unit_test(a_transaction_happens_whole_or_not_at_all),
        cmocka_unit_test(a_power_cut_takes_whole_transactions_from_the_end),
        cmocka_unit_test(debts_are_bounded),
        cmocka_unit_test(many_debts_are_paid_in_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
