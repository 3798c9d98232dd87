/* Both ends of a transfer tell the same error as whose it is: the one as its own, the other as the
 * peer's (node/api/cause.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/file/transfer/offers.h"
#include "node/node_int.h"
#include "support_world.h"

enum { S = 1000000 };

static struct world *two(uint64_t seed, enum accept_rule accept, uint64_t accept_max) {
    struct world *w = world_new(2, seed);
    world_kill(w, 1);
    w->nodes[1].cfg.accept = accept;
    w->nodes[1].cfg.accept_max_bytes = accept_max;
    world_start(w, 1);
    world_pair(w, 0, 1);
    return w;
}

static void send_one(struct world *w, const char *path) {
    uint64_t id = 0;
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
}

static void assert_told(struct world *w, unsigned node, uint64_t id, int err, enum side side,
                        enum limit limit, uint64_t max) {
    struct transfer_info t;
    assert_true(node_transfer_get(w->nodes[node].node, id, &t));
    assert_int_equal(t.state, TRANSFER_FAILED);
    assert_int_equal(t.err, err);
    assert_int_equal(t.cause.side, side);
    assert_int_equal(t.cause.limit, limit);
    assert_int_equal(t.cause.max, max);
    const struct world_node *n = &w->nodes[node];
    const struct node_event *e = NULL;
    for (unsigned i = 0; i < n->log_count; i++)
        if (n->log[i].kind == NODE_TRANSFER_FAILED && n->log[i].id == id)
            e = &n->log[i];
    assert_non_null(e);
    assert_memory_equal(&e->cause, &t.cause, sizeof t.cause); /* the event says the same */
}

/* The receiver has it as its own, the sender as the peer's. */
static void assert_receivers(struct world *w, int err) {
    world_run(w, 30 * S);
    assert_told(w, 1, 1, err, SIDE_LOCAL, LIMIT_NONE, 0);
    assert_told(w, 0, 1, err, SIDE_PEER, LIMIT_NONE, 0);
    world_free(w);
}

static void what_fails_at_the_receiver_is_the_receivers(void **state) {
    (void)state;
    static const int prepare[] = {ERR_PERM, ERR_NOT_FOUND, ERR_IO, ERR_DISK};
    for (unsigned i = 0; i < sizeof prepare / sizeof *prepare; i++) {
        struct world *w = two(1 + i, ACCEPT_CONTACTS, 0);
        disk_fill(w, 0, "/a/f", 1000, 1);
        disk_faults(w, 1)->prepare = prepare[i];
        send_one(w, "/a/f");
        assert_receivers(w, prepare[i]);
    }
    for (unsigned late = 0; late < 2; late++) {
        struct world *w = two(10 + late, ACCEPT_CONTACTS, 0);
        disk_fill(w, 0, "/a/f", 3000000, 1);
        *(late ? &disk_faults(w, 1)->room_late : &disk_faults(w, 1)->room) = 100000;
        send_one(w, "/a/f");
        assert_receivers(w, ERR_DISK);
    }
    struct world *w = two(12, ACCEPT_CONTACTS, 0);
    disk_fill(w, 0, "/a/f", 1000, 1);
    disk_fill(w, 1, "in/f", 1, 1);
    send_one(w, "/a/f");
    assert_receivers(w, ERR_EXISTS);
    static const enum limit systems[] = {LIMIT_DESCRIPTORS, LIMIT_DISK_QUOTA, LIMIT_FILE_SIZE};
    for (unsigned i = 0; i < sizeof systems / sizeof *systems; i++) {
        w = two(13 + i, ACCEPT_CONTACTS, 0);
        disk_fill(w, 0, "/a/f", 1000, 1);
        const int err = disk_faults(w, 1)->prepare = limit_err(systems[i]);
        disk_faults(w, 1)->limit = systems[i];
        send_one(w, "/a/f");
        world_run(w, 30 * S);
        assert_told(w, 1, 1, err, SIDE_LOCAL, systems[i], 0);
        assert_told(w, 0, 1, err, SIDE_PEER, systems[i], 0);
        world_free(w);
    }
}

static void assert_senders(struct world *w, int err) {
    world_run(w, 30 * S);
    assert_told(w, 0, 1, err, SIDE_LOCAL, LIMIT_NONE, 0);
    assert_told(w, 1, 1, err, SIDE_PEER, LIMIT_NONE, 0);
    world_free(w);
}

static void what_fails_at_the_sender_is_the_senders(void **state) {
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct world *w = two(20 + i, ACCEPT_CONTACTS, 0);
        struct disk_faults *f = disk_faults(w, 0);
        disk_fill(w, 0, "/a/f", 200000, 1);
        *(i == 0 ? &f->read_error : i == 1 ? &f->grow : &f->unsized) = "/a/f";
        send_one(w, "/a/f");
        assert_senders(w, i == 0 ? ERR_IO : i == 1 ? ERR_CHANGED : ERR_UNSIZED);
    }
    struct world *w = two(24, ACCEPT_ASK, 0);
    disk_fill(w, 0, "/a/f", 1000, 1);
    send_one(w, "/a/f");
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, 1), 0);
    assert_senders(w, ERR_CANCELLED);
    /* A source that is not there: the peer hears nothing of it. */
    w = two(25, ACCEPT_ASK, 0);
    send_one(w, "/a/none");
    world_run(w, S);
    assert_told(w, 0, 1, ERR_NOT_FOUND, SIDE_LOCAL, LIMIT_NONE, 0);
    world_free(w);
}

static void the_users_will_is_the_users_whose_it_is(void **state) {
    (void)state;
    struct world *w = two(30, ACCEPT_ASK, 0);
    disk_fill(w, 0, "/a/f", 1000, 1);
    send_one(w, "/a/f");
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    assert_int_equal(node_reject(w->nodes[1].node, w->now_us, 1), 0);
    assert_receivers(w, ERR_REFUSED);
    w = two(31, ACCEPT_ASK, 0);
    disk_fill(w, 0, "/a/f", 1000, 1);
    send_one(w, "/a/f");
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    node_shutdown(w->nodes[1].node, w->now_us);
    world_run(w, S);
    assert_told(w, 1, 1, ERR_ENDED, SIDE_LOCAL, LIMIT_NONE, 0);
    world_free(w);
    w = two(32, ACCEPT_ASK, 0);
    disk_fill(w, 0, "/a/f", 1000, 1);
    send_one(w, "/a/f");
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    node_shutdown(w->nodes[0].node, w->now_us);
    world_run(w, S);
    assert_told(w, 0, 1, ERR_ENDED, SIDE_LOCAL, LIMIT_NONE, 0);
    assert_told(w, 1, 1, ERR_CLOSED, SIDE_BETWEEN, LIMIT_NONE, 0); /* the session has ended */
    world_free(w);
}

static void what_went_between_them_is_neithers(void **state) {
    (void)state;
    struct world *w = two(40, ACCEPT_CONTACTS, 0);
    disk_fill(w, 0, "/a/f", 200000, 1);
    disk_faults(w, 0)->flip = "/a/f";
    send_one(w, "/a/f");
    world_run(w, 30 * S);
    assert_told(w, 1, 1, ERR_INTEGRITY, SIDE_BETWEEN, LIMIT_NONE, 0);
    assert_told(w, 0, 1, ERR_INTEGRITY, SIDE_BETWEEN, LIMIT_NONE, 0);
    world_free(w);
    w = two(41, ACCEPT_CONTACTS, 0);
    disk_fill(w, 0, "/a/f", 200000, 1);
    world_kill(w, 1);
    send_one(w, "/a/f");
    world_run(w, 60 * S);
    assert_told(w, 0, 1, ERR_OFFLINE, SIDE_BETWEEN, LIMIT_NONE, 0);
    world_free(w);
}

static void a_limit_is_told_with_its_name_and_number(void **state) {
    (void)state;
    struct world *w = two(50, ACCEPT_CONTACTS, 4096);
    disk_fill(w, 0, "/a/f", 4097, 1);
    send_one(w, "/a/f");
    world_run(w, 30 * S);
    assert_told(w, 1, 1, ERR_REFUSED, SIDE_LOCAL, LIMIT_ACCEPT, 4096);
    assert_told(w, 0, 1, ERR_REFUSED, SIDE_PEER, LIMIT_ACCEPT, 4096);
    world_free(w);
    w = two(51, ACCEPT_ASK, 0);
    disk_fill(w, 0, "/a/f", 10, 1);
    for (unsigned i = 0; i <= OFFERS_MAX_PER_CONTACT; i++) {
        send_one(w, "/a/f");
        world_run(w, S);
    }
    assert_told(w, 0, OFFERS_MAX_PER_CONTACT + 1, ERR_FULL, SIDE_PEER, LIMIT_OFFERS_CONTACT,
                OFFERS_MAX_PER_CONTACT);
    world_free(w);
    w = two(52, ACCEPT_ASK, 0);
    world_kill(w, 1); /* so that they stay */
    disk_fill(w, 0, "/a/f", 10, 1);
    for (unsigned i = 0; i < TRANSFERS_MAX; i++)
        send_one(w, "/a/f");
    uint64_t id;
    const char *path = "/a/f";
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), ERR_FULL);
    struct cause c = node_why(w->nodes[0].node, ERR_FULL);
    assert_int_equal(c.limit, LIMIT_TRANSFERS);
    assert_int_equal(c.max, TRANSFERS_MAX);
    assert_int_equal(node_why(w->nodes[0].node, ERR_FULL).limit, LIMIT_NONE); /* told once */
    world_free(w);
}

/* After a restart the list tells it still. */
static void whose_it_was_survives_a_restart(void **state) {
    (void)state;
    struct world *w = two(55, ACCEPT_CONTACTS, 4096);
    struct transfer_info t;
    disk_fill(w, 0, "/a/f", 4097, 1);
    send_one(w, "/a/f");
    world_run(w, 30 * S);
    world_kill(w, 0);
    world_start(w, 0);
    assert_true(node_transfer_get(w->nodes[0].node, 1, &t));
    assert_int_equal(t.err, ERR_REFUSED);
    assert_int_equal(t.cause.side, SIDE_PEER);
    assert_int_equal(t.cause.limit, LIMIT_ACCEPT);
    assert_int_equal(t.cause.max, 4096);
    world_free(w);
}

/* What its own size belies is neither sent for ever nor called changed. */
static void a_file_without_a_size_is_called_so(void **state) {
    (void)state;
    struct world *w = two(60, ACCEPT_CONTACTS, 0);
    disk_fill(w, 0, "/a/f", 1, 1);
    disk_faults(w, 0)->unsized = "/a/f";
    send_one(w, "/a/f");
    world_run(w, 30 * S);
    assert_told(w, 0, 1, ERR_UNSIZED, SIDE_LOCAL, LIMIT_NONE, 0);
    assert_int_equal(disk_open_count(w, 0), 0);
    assert_int_equal(disk_count(w, 1), 0);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_at_the_receiver_is_the_receivers),
        cmocka_unit_test(what_fails_at_the_sender_is_the_senders),
        cmocka_unit_test(the_users_will_is_the_users_whose_it_is),
        cmocka_unit_test(what_went_between_them_is_neithers),
        cmocka_unit_test(a_limit_is_told_with_its_name_and_number),
        cmocka_unit_test(whose_it_was_survives_a_restart),
        cmocka_unit_test(a_file_without_a_size_is_called_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
