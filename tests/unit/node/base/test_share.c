/* Offers and transfers of one contact do not keep the others' out (node/file/transfer/offers). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/channel/reply.h"
#include "node/file/file_recv.h"
#include "node/file/file_send.h"
#include "node/file/source.h"
#include "node/file/transfer/offers.h"
#include "support_files.h"
#include "support_raw.h"

enum { S = 1000000 };

static uint64_t offer(struct world *w, unsigned from, const char *path) {
    uint64_t id = 0;
    disk_fill(w, from, path, 1000, from);
    assert_int_equal(node_send(w->nodes[from].node, w->now_us, "n0", &path, 1, 0, &id), 0);
    world_run(w, S / 10);
    return id;
}

/* Offers of files of 100000 bytes that nobody sends; gives how many were taken. */
static unsigned promise(struct world *w, unsigned from, unsigned count) {
    unsigned taken = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t len;
        uint8_t *bytes = raw_offer(1, 10, 100000, 'a', &len);
        struct raw r = raw_open(w, from, 0);
        const unsigned before = w->nodes[0].node->transfers.count;
        assert_true(raw_write(&r, bytes, len));
        world_run(w, S / 100);
        taken += w->nodes[0].node->transfers.count > before;
        free(bytes);
    }
    return taken;
}

static unsigned live_of(struct world *w, const char *contact) {
    unsigned n = 0;
    struct transfer_info t;
    for (unsigned i = 0; node_transfer_at(w->nodes[0].node, i, &t); i++)
        n += strcmp(t.contact, contact) == 0 && t.state != TRANSFER_FAILED;
    return n;
}

static void offers_that_wait_give_way_to_a_contact_with_fewer(void **state) {
    (void)state;
    struct world *w = files_star(4, 1, ACCEPT_ASK);
    uint64_t last = 0;
    for (unsigned i = 0; i < OFFERS_MAX_PER_CONTACT; i++)
        last = offer(w, 1, "/f");
    for (unsigned i = OFFERS_MAX_PER_CONTACT; i < OFFERS_MAX; i++)
        (void)offer(w, 2, "/f");
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_OFFERED), OFFERS_MAX);
    uint64_t id = offer(w, 3, "/f");
    assert_int_equal(files_info(w, 3, id).state, TRANSFER_OFFERED);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_OFFERED), OFFERS_MAX + 1);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_FAILED), 1);
    assert_int_equal(files_info(w, 1, last).err,
                     ERR_FULL); /* the newest of the one with the most */
    assert_int_equal(live_of(w, "n1"), OFFERS_MAX_PER_CONTACT - 1);
    assert_int_equal(live_of(w, "n2"), OFFERS_MAX - OFFERS_MAX_PER_CONTACT);
    /* Whoever has most himself gets no more. */
    id = offer(w, 1, "/f");
    assert_int_equal(files_info(w, 1, id).err, ERR_FULL);
    assert_int_equal(live_of(w, "n1"), OFFERS_MAX_PER_CONTACT - 1);
    world_free(w);
}

static void the_memory_of_offers_is_shared_too(void **state) {
    (void)state;
    struct world *w = files_star(4, 2, ACCEPT_ASK);
    size_t len;
    uint8_t *bytes = raw_offer(50000, 235, 1, 'a', &len);
    unsigned taken[4] = {0};
    for (unsigned from = 1; from < 4; from++)
        for (unsigned i = 0; i < 2; i++) {
            const unsigned before = world_count(w, 0, NODE_TRANSFER_OFFERED);
            struct raw r = raw_open(w, from, 0);
            assert_true(raw_write(&r, bytes, len));
            world_run(w, S);
            taken[from] += world_count(w, 0, NODE_TRANSFER_OFFERED) - before;
        }
    free(bytes);
    for (unsigned from = 1; from < 4; from++)
        assert_int_equal(taken[from], 1); /* 14 MiB of 24 */
    const uint64_t id = offer(w, 3, "/f");
    assert_int_equal(files_info(w, 3, id).state, TRANSFER_OFFERED);
    world_free(w);
}

/* Two contacts hold all places with transfers that go on for ever, a byte now and then: one that
 * has none is let in all the same. */
static void who_has_none_is_let_in_by_whoever_has_most(void **state) {
    (void)state;
    struct world *w = files_star(4, 4, ACCEPT_CONTACTS);
    (void)promise(w, 1, OFFERS_MAX_PER_CONTACT);
    (void)promise(w, 2, OFFERS_MAX - OFFERS_MAX_PER_CONTACT);
    uint64_t id = offer(w, 3, "/f");
    world_run(w, S);
    assert_int_equal(files_info(w, 3, id).state, TRANSFER_DONE);
    assert_int_equal(live_of(w, "n1"), OFFERS_MAX_PER_CONTACT - 1);
    assert_int_equal(live_of(w, "n2"), OFFERS_MAX - OFFERS_MAX_PER_CONTACT);
    assert_int_equal(files_info(w, 0, OFFERS_MAX_PER_CONTACT).err, ERR_FULL); /* the newest */
    world_free(w);
}

/* What runs, and whose bytes have stopped coming, gives way after a minute; what moves does not, to
 * somebody who has a place already. */
static void stalled_transfers_give_way_and_moving_ones_do_not(void **state) {
    (void)state;
    struct world *w = files_star(4, 3, ACCEPT_CONTACTS);
    assert_int_equal(promise(w, 1, OFFERS_MAX_PER_CONTACT), OFFERS_MAX_PER_CONTACT);
    assert_int_equal(promise(w, 2, OFFERS_MAX - OFFERS_MAX_PER_CONTACT),
                     OFFERS_MAX - OFFERS_MAX_PER_CONTACT);
    (void)promise(w, 3, 1);
    assert_int_equal(live_of(w, "n3"), 1);
    uint64_t id = offer(w, 3, "/early");
    assert_int_equal(files_info(w, 3, id).err, ERR_FULL);
    /* All of the first contact's send something shortly before the minute is over, but for one. */
    world_run(w, RECV_STALL_US - 5 * S);
    const struct transfers *all = &w->nodes[0].node->transfers;
    static uint8_t some[SINK_MOVED_BYTES];
    for (unsigned i = 0; i < OFFERS_MAX_PER_CONTACT - 1; i++) {
        struct transfer *t = all->list[i];
        struct raw r = {.w = w, .from = 1, .stream = t->stream};
        r.session = contact_by_name(&w->nodes[1].node->contacts, "n0")->peering->session;
        if (i != 7)
            assert_true(raw_write(&r, some, sizeof some));
    }
    world_run(w, 8 * S);
    const uint64_t stalled = all->list[7]->info.id;
    id = offer(w, 3, "/late");
    world_run(w, S);
    assert_int_equal(files_info(w, 3, id).state, TRANSFER_DONE);
    assert_int_equal(files_info(w, 0, stalled).err, ERR_FULL);
    assert_int_equal(live_of(w, "n1"), OFFERS_MAX_PER_CONTACT - 2);
    world_free(w);
}

/* 64 transfers that have ended are remembered, but not with 10 MiB of names each. */
static void a_transfer_that_broke_off_keeps_few_names(void **state) {
    (void)state;
    struct world *w = files_star(2, 5, ACCEPT_CONTACTS);
    const struct transfers *all = &w->nodes[0].node->transfers;
    struct endpoint *ep = w->nodes[1].node->turn.ep;
    size_t len;
    uint8_t *bytes = raw_offer(30000, 235, 1, 'a', &len);
    w->disk_us = 1000;
    for (unsigned i = 0; i < 4; i++) {
        struct raw r = raw_open(w, 1, 0);
        assert_true(raw_write(&r, bytes, len));
        world_run(w, S / 10 + i * 500); /* files are open, and some are being made */
        assert_int_equal(all->list[i]->info.state, TRANSFER_RUNNING);
        assert_int_equal(stream_reset(ep, r.session, r.stream, ERR_CANCELLED), 0);
        world_run(w, S);
        assert_int_equal(all->list[i]->info.state, TRANSFER_FAILED);
        assert_int_equal(all->list[i]->info.files, 30000);
        assert_int_equal(all->list[i]->manifest.count, TRANSFER_FIRST_FILES);
        assert_true(all->list[i]->manifest.held_bytes < 4096);
    }
    assert_int_equal(disk_open_count(w, 0), 0);
    free(bytes);
    world_free(w);
}

static void what_breaks_off_while_the_disk_is_slow_counts(void **state) {
    (void)state;
    struct world *w = files_star(2, 6, ACCEPT_CONTACTS);
    const struct transfers *all = &w->nodes[0].node->transfers;
    size_t len;
    uint8_t *bytes = raw_offer(50000, 235, 1, 'a', &len);
    w->disk_us = 60 * S;
    for (unsigned i = 0; i < 4; i++) {
        struct raw r = raw_open(w, 1, 0);
        assert_true(raw_write(&r, bytes, len));
        world_run(w, S);
        const int gone =
            stream_reset(w->nodes[1].node->turn.ep, r.session, r.stream, ERR_CANCELLED);
        assert_true(gone == 0 || i > 0); /* refused already */
        world_run(w, S);
        assert_int_equal(all->count, 1); /* 14 MiB of 24 */
    }
    w->disk_us = 1000;
    world_run(w, 70 * S); /* the disk is back */
    struct raw r = raw_open(w, 1, 0);
    assert_true(raw_write(&r, bytes, len));
    world_run(w, S);
    assert_int_equal(all->count, 2);
    free(bytes);
    world_free(w);
}

/* The disk hangs, and two contacts break off what they began: the user can still send. */
static void what_hangs_takes_no_place_of_what_we_send(void **state) {
    (void)state;
    struct world *w = files_star(4, 8, ACCEPT_CONTACTS);
    struct endpoint *ep;
    const char *path = "/mine";
    uint64_t id;
    size_t len;
    uint8_t *bytes = raw_offer(1, 10, 100000, 'a', &len);
    disk_fill(w, 0, path, 10, 1);
    w->disk_us = 60 * S;
    for (unsigned i = 0; i < 2 * TRANSFERS_MAX; i++) {
        struct raw r = raw_open(w, 1 + i % 2, 0);
        ep = w->nodes[r.from].node->turn.ep;
        assert_true(raw_write(&r, bytes, len));
        const int gone = stream_reset(ep, r.session, r.stream, ERR_CANCELLED);
        assert_true(gone == 0 || i >= OFFERS_MAX);
        world_run(w, S / 100);
    }
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n3", &path, 1, 0, &id), 0);
    assert_int_equal(w->nodes[0].node->transfers.count, OFFERS_MAX + 1);
    w->disk_us = 1000;
    world_run(w, 70 * S);
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_OFFERED); /* n3's user is asked */
    free(bytes);
    world_free(w);
}

static uint64_t ahead_of(const struct transfer *t) {
    const struct file_send *s = t->side;
    return s->sources.ahead_bytes;
}

/* What others send, or promise to, takes nothing of what we read ahead to send. */
static void what_comes_does_not_slow_what_we_send(void **state) {
    (void)state;
    struct world *w = files_star(4, 9, ACCEPT_CONTACTS);
    struct node *n = w->nodes[0].node;
    const char *path = "/big";
    uint64_t id, rule;
    disk_fill(w, 0, path, 8 << 20, 1);
    (void)promise(w, 1, OFFERS_MAX_PER_CONTACT);
    (void)promise(w, 2, OFFERS_MAX - OFFERS_MAX_PER_CONTACT);
    assert_int_equal(transfers_running(&n->transfers), OFFERS_MAX);
    assert_int_equal(node_recv_start(w->nodes[3].node, w->now_us, "in", NULL, true, &rule), 0);
    assert_int_equal(node_send(n, w->now_us, "n3", &path, 1, 0, &id), 0);
    while (transfers_running(&n->transfers) == OFFERS_MAX)
        world_run(w, 1000);
    w->nodes[0].unplugged = true; /* nothing leaves: all that may be read ahead is */
    world_run(w, S);
    assert_in_range(ahead_of(transfer_by_id(&n->transfers, id)), SOURCE_AHEAD_BYTES / 2,
                    SOURCE_AHEAD_BYTES + FILE_OP_SPANS * STREAM_BLOCK_BYTES);
    world_free(w);
}

/* A contact whose offers fail, one after the other, does not push out of the list what was done
 * with others. */
static void failed_offers_of_one_do_not_push_out_what_others_did(void **state) {
    (void)state;
    struct world *w = files_star(3, 7, ACCEPT_ASK);
    const char *path = "/mine";
    uint64_t mine;
    disk_fill(w, 0, path, 10, 1);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n2", &path, 1, 0, &mine), 0);
    world_run(w, S);
    assert_int_equal(node_reject(w->nodes[2].node, w->now_us, 1), 0);
    world_run(w, S);
    assert_int_equal(files_info(w, 0, mine).err, ERR_REFUSED);
    for (unsigned i = 0; i < 2 * TRANSFERS_KEPT; i++) {
        const uint64_t id = offer(w, 1, "/f");
        assert_int_equal(node_cancel(w->nodes[1].node, w->now_us, id), 0);
        world_run(w, S / 100);
    }
    assert_int_equal(files_info(w, 0, mine).err, ERR_REFUSED);
    assert_in_range(w->nodes[0].node->transfers.count, TRANSFERS_KEPT, TRANSFERS_KEPT + 1);
    const struct transfer *newest =
        w->nodes[0].node->transfers.list[w->nodes[0].node->transfers.count - 1];
    assert_int_equal(newest->info.id, mine + 2 * TRANSFERS_KEPT);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_that_wait_give_way_to_a_contact_with_fewer),
        cmocka_unit_test(the_memory_of_offers_is_shared_too),
        cmocka_unit_test(who_has_none_is_let_in_by_whoever_has_most),
        cmocka_unit_test(stalled_transfers_give_way_and_moving_ones_do_not),
        cmocka_unit_test(a_transfer_that_broke_off_keeps_few_names),
        cmocka_unit_test(what_breaks_off_while_the_disk_is_slow_counts),
        cmocka_unit_test(what_hangs_takes_no_place_of_what_we_send),
        cmocka_unit_test(what_comes_does_not_slow_what_we_send),
        cmocka_unit_test(failed_offers_of_one_do_not_push_out_what_others_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
