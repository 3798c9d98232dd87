/* A transfer that cannot be fails early, on both sides, with a cause, and leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "support_files.h"

enum { S = 1000000 };

/* Both sides have failed with these, nothing is left open, node 1 has exactly `files` files. */
static void assert_failed(struct world *w, uint64_t id, int err0, int err1, unsigned files) {
    world_run(w, 30 * S);
    struct transfer_info t = files_info(w, 0, id);
    assert_int_equal(t.state, TRANSFER_FAILED);
    assert_int_equal(t.err, err0);
    t = files_info(w, 1, 1);
    assert_int_equal(t.state, TRANSFER_FAILED);
    assert_int_equal(t.err, err1);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_FAILED), 1);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_FAILED), 1);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_DONE), 0);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_DONE), 0);
    assert_int_equal(disk_open_count(w, 0), 0);
    assert_int_equal(disk_open_count(w, 1), 0);
    assert_int_equal(disk_count(w, 1), files);
    assert_int_equal(block_pool_in_use(endpoint_blocks(world_endpoint(w->nodes[0].node))), 0);
    assert_int_equal(block_pool_in_use(endpoint_blocks(world_endpoint(w->nodes[1].node))), 0);
}

static void a_rejected_offer_fails_on_both_sides(void **state) {
    (void)state;
    struct world *w = files_pair(42, ACCEPT_ASK);
    disk_fill(w, 0, "/a/f", 1000, 1);
    uint64_t id = files_send_one(w, "/a/f");
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    assert_int_equal(node_reject(w->nodes[1].node, w->now_us, 1), 0);
    assert_failed(w, id, ERR_REFUSED, ERR_REFUSED, 0);
    world_free(w);
}

static void a_taken_name_is_found_before_bytes_flow(void **state) {
    (void)state;
    struct world *w = files_pair(43, ACCEPT_CONTACTS);
    const char *paths[] = {"/a/free", "/a/taken"};
    uint64_t id;
    disk_fill(w, 0, paths[0], 1000, 1);
    disk_fill(w, 0, paths[1], 1000, 2);
    disk_fill(w, 1, "in/taken", 5, 3);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", paths, 2, 0, &id), 0);
    assert_failed(w, id, ERR_EXISTS, ERR_EXISTS, 1);
    assert_string_equal(files_info(w, 0, id).detail, "taken");
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_STARTED), 0);
    world_free(w);
}

static void a_full_disk_fails_before_and_while_bytes_flow(void **state) {
    (void)state;
    struct world *w = files_pair(44, ACCEPT_CONTACTS);
    disk_fill(w, 0, "/a/big", 3000000, 1);
    disk_faults(w, 1)->room = 2999999;
    assert_failed(w, files_send_one(w, "/a/big"), ERR_DISK, ERR_DISK, 0);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_STARTED), 0);
    world_free(w);

    w = files_pair(45, ACCEPT_CONTACTS);
    w->disk_us = 300;
    disk_fill(w, 0, "/a/big", 3000000, 1);
    disk_faults(w, 1)->room_late = 1500000;
    assert_failed(w, files_send_one(w, "/a/big"), ERR_DISK, ERR_DISK, 0);
    assert_string_equal(files_info(w, 0, 1).detail, "big");
    world_free(w);
}

static void a_source_that_changes_is_never_delivered(void **state) {
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++)
        for (unsigned size = 65536; size <= 1048576; size *= 16) {
            struct world *w = files_pair(50 + kind, ACCEPT_CONTACTS);
            struct disk_faults *f = disk_faults(w, 0);
            disk_fill(w, 0, "/a/log", size, 1);
            *(kind == 0 ? &f->grow : kind == 1 ? &f->shrink : &f->touch) = "/a/log";
            assert_failed(w, files_send_one(w, "/a/log"), ERR_CHANGED, ERR_CHANGED, 0);
            world_free(w);
        }
}

static void an_unreadable_source_fails_before_the_peer_is_bothered(void **state) {
    (void)state;
    struct world *w = files_pair(55, ACCEPT_ASK);
    uint64_t id = files_send_one(w, "/a/nothing");
    struct node_event *e = world_wait(w, 0, NODE_TRANSFER_FAILED, 10 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_NOT_FOUND);
    assert_string_equal(e->detail, "/a/nothing");
    assert_int_equal(e->id, id);
    world_run(w, 5 * S);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_OFFERED), 0);
    assert_int_equal(disk_open_count(w, 0), 0);
    world_free(w);
}

static void a_read_error_in_the_middle_fails_both(void **state) {
    (void)state;
    struct world *w = files_pair(56, ACCEPT_CONTACTS);
    disk_fill(w, 0, "/a/bad", 100000, 1);
    disk_faults(w, 0)->read_error = "/a/bad";
    assert_failed(w, files_send_one(w, "/a/bad"), ERR_IO, ERR_IO, 0);
    world_free(w);
}

static void a_flipped_bit_leaves_nothing_under_a_final_name(void **state) {
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct world *w = files_pair(60 + i, ACCEPT_CONTACTS);
        w->disk_us = i * 400;
        disk_fill(w, 0, "/a/data", 1u + i * 700000, 1);
        disk_faults(w, 0)->flip = "/a/data";
        assert_failed(w, files_send_one(w, "/a/data"), ERR_INTEGRITY, ERR_INTEGRITY, 0);
        assert_string_equal(files_info(w, 0, 1).detail, "data");
        world_free(w);
    }
}

static void a_peer_that_disappears_fails_the_transfer_and_temporaries_go(void **state) {
    (void)state;
    for (unsigned who = 0; who < 2; who++) {
        struct world *w = files_pair(70 + who, ACCEPT_CONTACTS);
        w->disk_us = 2000;
        disk_fill(w, 0, "/a/long", 20000000, 1);
        uint64_t id = files_send_one(w, "/a/long");
        assert_non_null(world_wait(w, 0, NODE_TRANSFER_STARTED, 10 * S));
        world_run(w, 20000);
        assert_int_equal(files_info(w, 0, id).state, TRANSFER_RUNNING);
        w->nodes[who].unplugged = true;
        world_run(w, 30 * S);
        assert_int_equal(files_info(w, 0, id).state, TRANSFER_FAILED);
        assert_int_equal(files_info(w, 0, id).err, ERR_OFFLINE);
        assert_int_equal(files_info(w, 1, 1).state, TRANSFER_FAILED);
        assert_int_equal(files_info(w, 1, 1).err, ERR_CLOSED);
        assert_int_equal(disk_count(w, 1), 0);
        assert_int_equal(disk_open_count(w, 0) + disk_open_count(w, 1), 0);
        world_free(w);
    }
}

static void a_goodbye_ends_transfers_at_once(void **state) {
    (void)state;
    struct world *w = files_pair(75, ACCEPT_CONTACTS);
    w->disk_us = 2000;
    disk_fill(w, 0, "/a/long", 20000000, 1);
    uint64_t id = files_send_one(w, "/a/long");
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_STARTED, 10 * S));
    world_run(w, 20000);
    node_shutdown(w->nodes[1].node, w->now_us);
    world_run(w, 2 * S);
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_FAILED);
    assert_int_equal(files_info(w, 0, id).err, ERR_OFFLINE);
    assert_int_equal(files_info(w, 1, 1).err, ERR_ENDED);
    assert_int_equal(disk_count(w, 1), 0);
    world_free(w);
}

static void nobody_there_is_offline_and_too_late_is_timeout(void **state) {
    (void)state;
    struct world *w = files_pair(76, ACCEPT_ASK);
    disk_fill(w, 0, "/a/f", 10, 1);
    const char *path = "/a/f";
    uint64_t id;
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 3 * S, &id), 0);
    struct node_event *e = world_wait(w, 0, NODE_TRANSFER_FAILED, 10 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_TIMEOUT);
    world_run(w, 5 * S);
    assert_int_equal(files_info(w, 1, 1).err, ERR_TIMEOUT);
    world_kill(w, 0);
    world_kill(w, 1);
    world_start(w, 0);
    id = files_send_one(w, "/a/f");
    e = world_wait(w, 0, NODE_TRANSFER_FAILED, 60 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_OFFLINE);
    world_free(w);
}

static void either_side_can_cancel_at_any_moment(void **state) {
    (void)state;
    for (unsigned who = 0; who < 2; who++)
        for (unsigned ms = 0; ms < 60; ms += 7) {
            struct world *w = files_pair(80, ACCEPT_CONTACTS);
            w->disk_us = 1500;
            disk_fill(w, 0, "/a/long", 30000000, 1);
            uint64_t id = files_send_one(w, "/a/long");
            assert_non_null(world_wait(w, who, NODE_TRANSFER_STARTED, 10 * S));
            world_run(w, ms * 1000);
            assert_int_equal(node_cancel(w->nodes[who].node, w->now_us, who ? 1 : id), 0);
            assert_failed(w, id, ERR_CANCELLED, ERR_CANCELLED, 0);
            world_free(w);
        }
}

static void bad_arguments_are_refused_at_once(void **state) {
    (void)state;
    struct world *w = files_pair(97, ACCEPT_ASK);
    const char *twice[] = {"/a/x", "/b/x"}, *none[] = {"/a/"};
    uint64_t id;
    struct node *n = w->nodes[0].node;
    assert_int_equal(node_send(n, w->now_us, "nobody", twice, 1, 0, &id), ERR_NOT_FOUND);
    assert_int_equal(node_send(n, w->now_us, "n1", twice, 0, 0, &id), ERR_USAGE);
    assert_int_equal(node_send(n, w->now_us, "n1", twice, 2, 0, &id), ERR_USAGE);
    assert_int_equal(node_send(n, w->now_us, "n1", none, 1, 0, &id), ERR_USAGE);
    assert_int_equal(node_cancel(n, w->now_us, 99), ERR_NOT_FOUND);
    assert_int_equal(node_accept(n, w->now_us, 99, NULL), ERR_NOT_FOUND);
    struct transfer_info t;
    assert_false(node_transfer_at(n, 0, &t));
    world_free(w);
}

static void more_than_the_limit_of_transfers_is_refused(void **state) {
    (void)state;
    struct world *w = files_pair(98, ACCEPT_ASK);
    const char *path = "/a/f";
    uint64_t id;
    disk_fill(w, 0, path, 10, 1);
    for (unsigned i = 0; i < 33; i++) /* one contact may have 32 offers waiting */
        files_send_one(w, path);
    world_run(w, 5 * S);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_OFFERED), 32);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_FAILED), 1);
    assert_int_equal(files_info(w, 0, 33).err, ERR_FULL);
    assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, 5), 0);
    world_run(w, 5 * S);
    files_send_one(w, path);
    world_run(w, 5 * S);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_OFFERED), 33);
    world_kill(w, 1);
    for (unsigned i = 32; i < TRANSFERS_MAX; i++)
        files_send_one(w, path);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), ERR_FULL);
    world_free(w);
}

static void a_transfer_above_the_limit_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(2, 99);
    world_kill(w, 1);
    w->nodes[1].cfg.accept = ACCEPT_CONTACTS;
    w->nodes[1].cfg.accept_max_bytes = 1000;
    world_start(w, 1);
    world_pair(w, 0, 1);
    disk_fill(w, 0, "/a/f", 1001, 1);
    assert_failed(w, files_send_one(w, "/a/f"), ERR_REFUSED, ERR_REFUSED, 0);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rejected_offer_fails_on_both_sides),
        cmocka_unit_test(a_taken_name_is_found_before_bytes_flow),
        cmocka_unit_test(a_full_disk_fails_before_and_while_bytes_flow),
        cmocka_unit_test(a_source_that_changes_is_never_delivered),
        cmocka_unit_test(an_unreadable_source_fails_before_the_peer_is_bothered),
        cmocka_unit_test(a_read_error_in_the_middle_fails_both),
        cmocka_unit_test(a_flipped_bit_leaves_nothing_under_a_final_name),
        cmocka_unit_test(a_peer_that_disappears_fails_the_transfer_and_temporaries_go),
        cmocka_unit_test(a_goodbye_ends_transfers_at_once),
        cmocka_unit_test(nobody_there_is_offline_and_too_late_is_timeout),
        cmocka_unit_test(either_side_can_cancel_at_any_moment),
        cmocka_unit_test(bad_arguments_are_refused_at_once),
        cmocka_unit_test(more_than_the_limit_of_transfers_is_refused),
        cmocka_unit_test(a_transfer_above_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
