/* The list of transfers survives whatever ends the process, says what became of each, and gives no
 * number twice; and it costs the disk little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/file/transfer/transfer_store.h"
#include "support_list.h"

enum { S = 1000000, MS = 1000 };

static void the_list_survives_a_restart(void **state) {
    (void)state;
    enum { KILLED, ORDERLY, POWER_CUT, WAYS };
    for (unsigned i = 0; i < 2; i++)
        for (unsigned way = 0; way < WAYS; way++) {
            struct world *w = list_pair(1 + i);
            struct transfer_info ends[ENDS], t;
            list_ends(w, i, ends);
            const struct node_id peer = w->nodes[!i].identity.id;
            for (unsigned round = 0; round < 2; round++) {
                if (way == POWER_CUT) {
                    world_power_cut(w, i, 0);
                    world_start(w, i);
                } else {
                    list_restart(w, i, way == ORDERLY);
                }
                world_run(w, 10 * S);
            }
            struct node *n = w->nodes[i].node;
            for (unsigned k = 0; k < ENDS; k++) {
                assert_true(node_transfer_at(n, k, &t));
                list_same(&t, &ends[k]);
            }
            assert_false(node_transfer_at(n, ENDS, &t));
            /* The first of its names are there, too. */
            uint64_t size;
            assert_string_equal(node_transfer_file(n, ends[0].id, 0, &size), "a.txt");
            assert_int_equal(size, 1000);
            assert_string_equal(node_transfer_file(n, ends[0].id, 2, &size), "c");
            assert_null(node_transfer_file(n, ends[0].id, 3, &size));
            /* It is with the contact, whatever that is called, and stays when it is gone. */
            assert_int_equal(node_contact_rename(n, w->now_us, i ? "n0" : "n1", "somebody else"),
                             0);
            world_run(w, S);
            list_restart(w, i, false);
            n = w->nodes[i].node;
            assert_string_equal(files_info(w, i, ends[0].id).contact, "somebody else");
            assert_int_equal(node_contact_remove(n, w->now_us, "somebody else"), 0);
            world_run(w, S);
            list_restart(w, i, false);
            t = files_info(w, i, ends[0].id);
            assert_string_equal(t.contact, "somebody else");
            assert_memory_equal(&t.node, &peer, sizeof peer);
            world_free(w);
        }
}

/* At any stage: it is told as ended with meshd, on its side, and the peer hears of it. */
static void what_was_under_way_has_ended_with_the_process(void **state) {
    (void)state;
    enum { WAITS, RUNS, STAGES };
    for (unsigned who = 0; who < 2; who++)
        for (unsigned stage = 0; stage < STAGES; stage++)
            for (unsigned orderly = 0; orderly < 2; orderly++) {
                struct world *w = list_pair(10);
                uint64_t out;
                w->disk_us = 3 * MS;
                disk_fill(w, 0, "/d/long", 100 << 20, 1);
                const uint64_t in = list_offer(w, "/d/long", &out), own = who ? in : out;
                if (stage == RUNS) {
                    assert_int_equal(node_accept(w->nodes[1].node, w->now_us, in, "in"), 0);
                    for (unsigned i = 0; i < 2000 && files_info(w, who, own).bytes_done < 20 << 20;
                         i++)
                        world_run(w, 10 * MS);
                    assert_in_range(files_info(w, who, own).bytes_done, 20 << 20, 90 << 20);
                }
                list_restart(w, who, orderly);
                const struct transfer_info t = files_info(w, who, own);
                assert_int_equal(t.state, TRANSFER_FAILED);
                assert_int_equal(t.err, ERR_ENDED);
                assert_int_equal(t.files, 1);
                assert_int_equal(t.bytes_total, 100 << 20);
                assert_int_equal(node_accept(w->nodes[1].node, w->now_us, in, "in"), who ? ERR_USAGE
                                                                                     : stage == RUNS
                                                                                         ? ERR_USAGE
                                                                                         : 0);
                if (who == 0) /* its offer ends there, with a sentence */
                    world_run(w, 60 * S);
                if (who == 0) {
                    const struct transfer_info there = files_info(w, 1, in);
                    assert_int_equal(there.state, TRANSFER_FAILED);
                    assert_true(there.err == ERR_CLOSED || there.err == ERR_OFFLINE);
                }
                list_restart(w, who, false);
                assert_int_equal(files_info(w, who, own).err, ERR_ENDED);
                world_free(w);
            }
}

static void a_long_one_is_stored_on_its_way_but_rarely(void **state) {
    (void)state;
    struct world *w = list_pair(20);
    uint64_t out;
    w->disk_us = 40 * MS;
    disk_fill(w, 0, "/d/long", 300 << 20, 1);
    const uint64_t in = list_offer(w, "/d/long", &out);
    assert_int_equal(node_accept(w->nodes[1].node, w->now_us, in, "in"), 0);
    world_run(w, S);
    for (unsigned who = 0; who < 2; who++) {
        struct store_mem *store = w->nodes[who].store;
        const uint64_t writes = store_mem_writes(store), syncs = store_mem_syncs(store);
        const uint64_t from_us = w->now_us, done = files_info(w, who, who ? in : out).bytes_done;
        world_run(w, 11 * S);
        const struct transfer_info t = files_info(w, who, who ? in : out);
        assert_int_equal(t.state, TRANSFER_RUNNING);
        assert_true(t.bytes_done > done);
        assert_true(world_count(w, who, NODE_TRANSFER_PROGRESS) > 30);
        /* A row and a commit each time; and no fsync at all. */
        assert_in_range(store_mem_writes(store) - writes, 2,
                        2 * ((w->now_us - from_us) / TRANSFER_PROGRESS_STORED_US + 1));
        assert_int_equal(store_mem_syncs(store), syncs);
    }
    list_restart(w, 1, false);
    assert_int_equal(files_info(w, 1, in).err, ERR_ENDED);
    assert_true(files_info(w, 1, in).bytes_done > 1 << 20); /* how far it was */
    world_free(w);
}

static void the_list_is_bounded_and_its_oldest_go(void **state) {
    (void)state;
    struct world *w = list_pair(30);
    struct transfer_info t;
    uint64_t out = 0, first;
    disk_fill(w, 0, "/d/f", 10, 1);
    for (unsigned k = 0; k < 3 * TRANSFERS_KEPT; k++) {
        (void)list_offer(w, "/d/f", &out);
        assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out), 0);
        world_run(w, 100 * MS);
    }
    world_run(w, 5 * S);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(node_transfer_at(w->nodes[i].node, 0, &t));
        first = t.id;
        assert_true(first >= 2 * TRANSFERS_KEPT);
        assert_in_range(store_count(w, i, "transfers"), TRANSFERS_KEPT, TRANSFERS_KEPT + 1);
        list_restart(w, i, false);
        assert_true(node_transfer_at(w->nodes[i].node, 0, &t));
        assert_int_equal(t.id, first);
    }
    world_free(w);
}

/* A contact that offers and takes back, as fast as it can. */
static void a_flood_of_offers_costs_few_transactions(void **state) {
    (void)state;
    struct world *w = list_pair(40);
    uint64_t out;
    disk_fill(w, 0, "/d/f", 10, 1);
    struct store_mem *store = w->nodes[1].store;
    const uint64_t syncs = store_mem_syncs(store), from_us = w->now_us;
    for (unsigned k = 0; k < 1000; k++) {
        (void)list_offer(w, "/d/f", &out);
        assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out), 0);
        world_run(w, MS);
    }
    const uint64_t took_us = w->now_us - from_us;
    assert_true(took_us < 60 * S);
    const uint64_t transactions = 10 + took_us / (200 * MS) + 2;
    assert_in_range(store_mem_syncs(store) - syncs, 10, transactions);
    assert_in_range(store_count(w, 1, "transfers"), 1, TRANSFERS_STORED_MAX);
    world_free(w);
}

static void a_number_is_never_given_twice(void **state) {
    (void)state;
    enum { KILLED, ORDERLY, POWER_CUT, WAYS };
    for (unsigned way = 0; way < WAYS; way++)
        for (unsigned wait_ms = 0; wait_ms < 30; wait_ms += 7) {
            struct world *w = list_pair(50 + way);
            uint64_t last = 0, out;
            const char *path = "/d/f";
            disk_fill(w, 0, path, 10, 1);
            (void)list_offer(w, path, &out);
            world_run(w, S);
            for (unsigned round = 0; round < 6; round++) {
                for (unsigned k = 0; k < 4; k++) {
                    out = files_send(w, &path, 1);
                    assert_true(out > last);
                    assert_true(way != ORDERLY || last == 0 || out == last + 1);
                    assert_true(out <= last + 1 + 2 * WRITE_PACE_IDS);
                    last = out;
                    world_run(w, wait_ms * MS);
                }
                if (way == POWER_CUT) {
                    world_power_cut(w, 0, 0);
                    world_start(w, 0);
                } else {
                    list_restart(w, 0, way == ORDERLY);
                }
            }
            world_free(w);
        }
}

/* What was told before a transaction that is put off is not told of another transfer after it. */
static void nor_in_a_flood_that_a_crash_ends(void **state) {
    (void)state;
    for (unsigned offers = 30; offers <= 330; offers += 15) {
        struct world *w = list_pair(70);
        uint64_t out, told = 0;
        disk_fill(w, 0, "/d/f", 10, 1);
        for (unsigned k = 0; k < offers; k++) {
            told = list_offer(w, "/d/f", &out);
            assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out), 0);
        }
        world_power_cut(w, 1, 0);
        world_start(w, 1);
        world_run(w, 30 * S);
        assert_true(list_offer(w, "/d/f", &out) > told);
        world_free(w);
    }
}

/* Faster than the list is written: the numbers are, nevertheless. */
static void nor_in_a_flood_that_ends_in_order_or_not(void **state) {
    (void)state;
    for (unsigned way = 0; way < 2; way++)
        for (unsigned many = 10; many < 400; many += 30) {
            struct world *w = list_pair(60 + way);
            uint64_t out = 0, last = 0;
            disk_fill(w, 0, "/d/f", 10, 1);
            for (unsigned k = 0; k < many; k++) {
                last = list_offer(w, "/d/f", &out);
                assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out), 0);
                world_run(w, MS);
            }
            for (unsigned i = 0; i < 2; i++) {
                if (way) {
                    world_power_cut(w, i, 0);
                    world_start(w, i);
                } else {
                    list_restart(w, i, false);
                }
            }
            assert_non_null(world_wait(w, 0, NODE_PEER_UP, 10 * S));
            world_run(w, S);
            const uint64_t sent = out, next = list_offer(w, "/d/f", &out);
            assert_true(next > last);
            assert_true(out > sent);
            world_free(w);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_survives_a_restart),
        cmocka_unit_test(what_was_under_way_has_ended_with_the_process),
        cmocka_unit_test(a_long_one_is_stored_on_its_way_but_rarely),
        cmocka_unit_test(the_list_is_bounded_and_its_oldest_go),
        cmocka_unit_test(a_flood_of_offers_costs_few_transactions),
        cmocka_unit_test(a_number_is_never_given_twice),
        cmocka_unit_test(nor_in_a_flood_that_a_crash_ends),
        cmocka_unit_test(nor_in_a_flood_that_ends_in_order_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
