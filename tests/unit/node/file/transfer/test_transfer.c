/* What a user relies on when files go from one node to another (node/file/transfer/transfer,
 * file_send, file_recv). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_files.h"

enum { S = 1000000 };

#ifdef MESHD_TEST_WRAP

static bool no_memory;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n) {
    return no_memory ? NULL : __real_malloc(n);
}

#endif

static void a_file_arrives_whole_by_rule(void **state) {
    (void)state;
    static const size_t sizes[] = {0,          1,           31,         65535,     65536,
                                   65537,      1048575,     1048576,    1048577,   3 * 1048576,
                                   10 * 65536, 5000000 + 7, 262144 - 1, 2 * 262144};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct world *w = files_pair(10 + i, ACCEPT_CONTACTS);
        w->disk_us = i % 3 * 500;
        w->loss_percent = i % 2 ? 2 : 0;
        disk_fill(w, 0, "/home/a/data.bin", sizes[i], i);
        uint64_t id = files_send_one(w, "/home/a/data.bin");
        struct node_event *e = world_wait(w, 0, NODE_TRANSFER_DONE, 120 * S);
        assert_non_null(e);
        assert_int_equal(e->id, id);
        files_arrived(w, "/home/a/data.bin", "in/data.bin");
        assert_int_equal(files_info(w, 0, id).bytes_done, sizes[i]);
        assert_int_equal(files_info(w, 1, 1).state, TRANSFER_DONE);
        assert_int_equal(world_count(w, 1, NODE_TRANSFER_OFFERED), 0);
        assert_int_equal(world_count(w, 1, NODE_TRANSFER_STARTED), 1);
        assert_int_equal(world_count(w, 0, NODE_TRANSFER_STARTED), 1);
        world_run(w, 5 * S);
        assert_int_equal(disk_open_count(w, 0) + disk_open_count(w, 1), 0);
        assert_int_equal(disk_count(w, 1), 1);
        assert_int_equal(block_pool_in_use(endpoint_blocks(world_endpoint(w->nodes[0].node))), 0);
        assert_int_equal(block_pool_in_use(endpoint_blocks(world_endpoint(w->nodes[1].node))), 0);
        world_free(w);
    }
}

static void an_offer_waits_for_the_users_yes(void **state) {
    (void)state;
    struct world *w = files_pair(40, ACCEPT_ASK);
    disk_fill(w, 0, "/a/letter.txt", 100000, 1);
    files_send_one(w, "/a/letter.txt");
    struct node_event *e = world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S);
    assert_non_null(e);
    assert_string_equal(e->contact, "n0");
    assert_int_equal(e->total, 100000);
    uint64_t size = 0;
    assert_string_equal(node_transfer_file(w->nodes[1].node, e->id, 0, &size), "letter.txt");
    assert_int_equal(size, 100000);
    world_run(w, 60 * S);
    assert_int_equal(files_info(w, 1, 1).state, TRANSFER_OFFERED);
    assert_int_equal(disk_count(w, 1), 0);
    assert_int_equal(node_accept(w->nodes[1].node, w->now_us, 1, "elsewhere"), 0);
    assert_int_equal(node_accept(w->nodes[1].node, w->now_us, 1, NULL), ERR_USAGE);
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_DONE, 60 * S));
    files_arrived(w, "/a/letter.txt", "elsewhere/letter.txt");
    world_free(w);
}

static void a_waiting_recv_takes_the_offer_and_once_means_once(void **state) {
    (void)state;
    struct world *w = files_pair(41, ACCEPT_ASK);
    uint64_t rule;
    disk_fill(w, 0, "/a/one", 10, 1);
    disk_fill(w, 0, "/a/two", 10, 2);
    files_send_one(w, "/a/one");
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    assert_int_equal(node_recv_start(w->nodes[1].node, w->now_us, "out", "n0", true, &rule), 0);
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_DONE, 60 * S));
    files_arrived(w, "/a/one", "out/one");
    files_send_one(w, "/a/two");
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    world_run(w, 5 * S);
    assert_int_equal(files_info(w, 1, 2).state, TRANSFER_OFFERED);
    assert_int_equal(node_recv_start(w->nodes[1].node, w->now_us, "x", "nobody", true, &rule),
                     ERR_NOT_FOUND);
    world_free(w);
}

static void many_files_arrive_each_under_its_name(void **state) {
    (void)state;
    enum { FILES = 1500 };
    struct world *w = files_pair(90, ACCEPT_CONTACTS);
    static char names[FILES][32];
    static const char *paths[FILES];
    w->disk_us = 200;
    w->loss_percent = 1;
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "/many/f%u", i);
        paths[i] = names[i];
        disk_fill(w, 0, names[i], i % 7 == 0 ? 0 : i % 100 == 1 ? 200000 : (i * 37) % 5000, i);
    }
    uint64_t id;
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", paths, FILES, 0, &id), 0);
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_DONE, 300 * S));
    for (unsigned i = 0; i < FILES; i++) {
        char to[32];
        snprintf(to, sizeof to, "in/f%u", i);
        files_arrived(w, names[i], to);
    }
    assert_int_equal(files_info(w, 1, 1).files_done, FILES);
    assert_int_equal(disk_count(w, 1), FILES);
    world_free(w);
}

static void transfers_both_ways_share_a_small_pool_without_deadlock(void **state) {
    (void)state;
    struct world *w = world_new(2, 95);
    for (unsigned i = 0; i < 2; i++) {
        world_kill(w, i);
        w->nodes[i].cfg.accept = ACCEPT_CONTACTS;
        w->nodes[i].cfg.blocks_max = 24;
        world_start(w, i);
    }
    world_pair(w, 0, 1);
    w->disk_us = 700;
    for (unsigned i = 0; i < 12; i++) {
        char path[32];
        const char *p = path;
        uint64_t id;
        snprintf(path, sizeof path, "/s/%u", i);
        disk_fill(w, i % 2, path, 1500000 + i, i);
        assert_int_equal(
            node_send(w->nodes[i % 2].node, w->now_us, i % 2 ? "n0" : "n1", &p, 1, 0, &id), 0);
    }
    world_run(w, 200 * S);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_DONE), 12);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_DONE), 12);
    world_free(w);
}

static void progress_is_told_at_most_five_times_a_second(void **state) {
    (void)state;
    struct world *w = files_pair(100, ACCEPT_CONTACTS);
    w->disk_us = 20000; /* 1 MiB in 20 ms */
    disk_fill(w, 0, "/a/slow", 64 << 20, 1);
    files_send_one(w, "/a/slow");
    uint64_t start = w->now_us;
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_DONE, 300 * S));
    uint64_t fifths = (w->now_us - start) / 200000;
    for (unsigned i = 0; i < 2; i++) {
        unsigned told = world_count(w, i, NODE_TRANSFER_PROGRESS);
        assert_true(told <= fifths + 1);
        assert_true(told + 2 >= fifths / 2);
    }
    world_free(w);
}

/* The stream takes all of a small file at once; until a slow line has carried it the sender is told
 * how far it is, and at last that everything has left. */
static void progress_goes_on_until_the_last_byte_has_left(void **state) {
    (void)state;
    struct world *w = files_pair(103, ACCEPT_CONTACTS);
    w->delay_us = 300000;
    disk_fill(w, 0, "/a/small", 800000, 1);
    uint64_t id = files_send_one(w, "/a/small"), last = 0, told = 0;
    while (files_info(w, 0, id).state != TRANSFER_DONE) {
        const struct node_event *e = world_wait(w, 0, NODE_TRANSFER_PROGRESS, 30 * S);
        if (!e)
            break;
        assert_true(e->bytes > last);
        last = e->bytes;
        told += files_info(w, 0, id).state == TRANSFER_VERIFYING;
    }
    assert_int_equal(last, 800000);
    assert_true(told >= 3);
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_DONE, 30 * S));
    world_free(w);
}

static void the_only_file_may_get_another_name(void **state) {
    (void)state;
    struct world *w = files_pair(104, ACCEPT_CONTACTS);
    static const char *const bad[] = {"", "..", "a/b"};
    disk_fill(w, 0, "/proc/1/fd/700", 1000, 1);
    for (size_t i = 0; i < 4; i++) {
        struct send_order order = {.contact = "n1", .count = 1, .name = i < 3 ? bad[i] : "given"};
        uint64_t id = 0;
        order.paths = malloc(sizeof *order.paths + 32);
        assert_non_null(order.paths);
        order.paths[0] = strcpy((char *)(order.paths + 1), "/proc/1/fd/700");
        int err = node_send_taken(w->nodes[0].node, w->now_us, &order, &id);
        if (i < 3) {
            assert_true(err || files_info(w, 0, id).state == TRANSFER_FAILED);
            continue;
        }
        assert_int_equal(err, 0);
        assert_non_null(world_wait(w, 0, NODE_TRANSFER_DONE, 30 * S));
    }
    char path[1024];
    snprintf(path, sizeof path, "%s/given", w->nodes[1].cfg.download_dir);
    files_arrived(w, "/proc/1/fd/700", path);
    /* Not one for several. */
    struct send_order order = {.contact = "n1", .count = 2, .name = "given"};
    uint64_t id;
    order.paths = calloc(2, sizeof *order.paths);
    assert_non_null(order.paths);
    assert_int_equal(node_send_taken(w->nodes[0].node, w->now_us, &order, &id), ERR_USAGE);
    world_free(w);
}

/* Bytes wait for more before they are written, but not for longer than a moment: here the link goes
 * in between. */
static void few_bytes_are_written_soon(void **state) {
    (void)state;
    struct world *w = files_pair(101, ACCEPT_CONTACTS);
    w->delay_us = 10000;
    disk_fill(w, 0, "/a/short", 200000, 1);
    files_send_one(w, "/a/short");
    const struct endpoint_counters *heard = endpoint_counters(world_endpoint(w->nodes[1].node));
    const uint64_t before = heard->bytes_in;
    while (heard->bytes_in < before + 20000)
        world_run(w, 1000);
    w->nodes[0].unplugged = true;
    world_run(w, 10000);
    const uint64_t done = files_info(w, 1, 1).bytes_done;
    assert_true(done > 10000 && done < 200000);
    assert_int_equal(block_pool_in_use(endpoint_blocks(world_endpoint(w->nodes[1].node))), 0);
    world_run(w, 100000);
    assert_int_equal(files_info(w, 1, 1).bytes_done, done);
    w->nodes[0].unplugged = false;
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_DONE, 30 * S));
    world_free(w);
}

/* The receiver says that all is there and goodbye, and one batch brings both: what was said first
 * is heard first. */
static void a_goodbye_does_not_swallow_what_came_before_it(void **state) {
    (void)state;
    struct world *w = files_pair(102, ACCEPT_CONTACTS);
    disk_fill(w, 0, "/a/b", 200000, 1);
    const uint64_t id = files_send_one(w, "/a/b");
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_DONE, 30 * S));
    node_shutdown(w->nodes[1].node, w->now_us);
    world_run(w, 10 * S);
    assert_int_equal(files_info(w, 1, 1).state, TRANSFER_DONE);
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_DONE);
    world_free(w);
}

#ifdef MESHD_TEST_WRAP

/* Without memory to write what was held back, or to close the file, the transfer ends on the
 * spot. */
static void bytes_held_back_without_memory_to_write_them_fail_the_transfer(void **state) {
    (void)state;
    struct world *w = files_pair(103, ACCEPT_CONTACTS);
    disk_fill(w, 0, "/a/short", 200000, 1);
    files_send_one(w, "/a/short");
    const struct endpoint_counters *heard = endpoint_counters(world_endpoint(w->nodes[1].node));
    const uint64_t before = heard->bytes_in;
    while (heard->bytes_in < before + 8000)
        world_run(w, 100);
    w->nodes[0].unplugged = true;
    world_run(w, 2000); /* what is under way arrives, and the first pieces are written */
    struct work *work = &w->nodes[1].node->work;
    assert_int_equal(work->out, 0);
    const uint64_t due_us = file_channel_deadline_us(&w->nodes[1].node->files);
    assert_true(due_us > w->now_us && due_us <= w->now_us + 5000);
    struct file_op *spare = work->spare;
    const unsigned spare_count = work->spare_count;
    work->spare = NULL;
    work->spare_count = 0;
    no_memory = true;
    node_timeout(w->nodes[1].node, due_us);
    no_memory = false;
    work->spare = spare;
    work->spare_count = spare_count;
    w->now_us = due_us;
    assert_int_equal(files_info(w, 1, 1).state, TRANSFER_FAILED);
    assert_int_equal(files_info(w, 1, 1).err, ERR_NOMEM);
    w->nodes[0].unplugged = false;
    world_run(w, 30 * S);
    assert_int_equal(files_info(w, 0, 1).state, TRANSFER_FAILED);
    world_free(w);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_bytes_are_written_soon),
        cmocka_unit_test(a_goodbye_does_not_swallow_what_came_before_it),
#ifdef MESHD_TEST_WRAP
        cmocka_unit_test(bytes_held_back_without_memory_to_write_them_fail_the_transfer),
#endif
        cmocka_unit_test(a_file_arrives_whole_by_rule),
        cmocka_unit_test(an_offer_waits_for_the_users_yes),
        cmocka_unit_test(a_waiting_recv_takes_the_offer_and_once_means_once),
        cmocka_unit_test(many_files_arrive_each_under_its_name),
        cmocka_unit_test(transfers_both_ways_share_a_small_pool_without_deadlock),
        cmocka_unit_test(progress_is_told_at_most_five_times_a_second),
        cmocka_unit_test(progress_goes_on_until_the_last_byte_has_left),
        cmocka_unit_test(the_only_file_may_get_another_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
