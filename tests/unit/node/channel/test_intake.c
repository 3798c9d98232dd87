/* What a contact may cost before it has said what it wants (node/channel/intake): memory, places,
 * time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/channel/reply.h"
#include "node/file/file_send.h"
#include "node/message/letter.h"
#include "support_files.h"
#include "support_raw.h"

enum { S = 1000000 };

static const struct intakes *intakes(const struct world *w) {
    return &w->nodes[0].node->intakes;
}

static void say_hello(struct world *w, unsigned from) {
    uint64_t seq;
    assert_int_equal(node_message_send(w->nodes[from].node, w->now_us, "n0", "hello", 5, &seq), 0);
}

static uint64_t offer_one(struct world *w, unsigned from) {
    const char *path = "/f";
    uint64_t id = 0;
    disk_fill(w, from, path, 1000, from);
    assert_int_equal(node_send(w->nodes[from].node, w->now_us, "n0", &path, 1, 0, &id), 0);
    return id;
}

/* All but the last bytes of the largest manifest there is: 19 MiB of names and their table. */
static struct raw stall(struct world *w, unsigned from, const uint8_t *offer, size_t len) {
    struct raw r = raw_open(w, from, 0);
    (void)raw_write(&r, offer, len - 100);
    return r;
}

/* 48 MiB are for all, 24 for each, and the one with the most gives way to one with less. */
static void stalled_manifests_do_not_keep_others_out(void **state) {
    (void)state;
    struct world *w = files_star(4, 5, ACCEPT_ASK);
    size_t len;
    uint8_t *offer = raw_offer(65000, 235, 1, 'a', &len);
    assert_true(len > 15 << 20 && len < MANIFEST_MAX_BYTES);

    stall(w, 1, offer, len);
    const size_t one = intakes(w)->bytes;
    assert_true(one > 16 << 20 && one < INTAKE_BYTES_MAX_PER_CONTACT);
    stall(w, 1, offer, len);
    assert_int_equal(intakes(w)->refusals, 1);
    assert_int_equal(intakes(w)->bytes, one); /* the second had no room in its share */
    stall(w, 2, offer, len);
    assert_int_equal(intakes(w)->bytes, 2 * one);

    say_hello(w, 3);
    struct raw third = raw_open(w, 3, 0);
    assert_true(raw_write(&third, offer, len));
    world_run(w, 2 * S);
    assert_int_equal(world_count(w, 0, NODE_MESSAGE), 1);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_OFFERED), 1);
    assert_int_equal(intakes(w)->evictions, 1);
    assert_int_equal(intakes(w)->bytes, one);
    free(offer);

    world_run(w, INTAKE_PROGRESS_US);
    assert_int_equal(intakes(w)->timeouts, 1);
    assert_int_equal(intakes(w)->count, 0);
    assert_int_equal(intakes(w)->bytes, 0);
    assert_null(intakes(w)->shares);
    world_free(w);
}

static void beginnings_are_counted_per_contact_and_in_all(void **state) {
    (void)state;
    struct world *w = files_star(4, 6, ACCEPT_CONTACTS);
    static const uint8_t begun[] = {1, 0x80, 0, 0x10, 0, 0x83}; /* a manifest of 4096 bytes */
    static const uint8_t more[] = {0xa1};
    struct raw mine[INTAKES_MAX_PER_CONTACT];
    for (unsigned i = 0; i < INTAKES_MAX_PER_CONTACT; i++) {
        mine[i] = raw_open(w, 1, 0);
        assert_true(raw_write(&mine[i], begun, sizeof begun));
    }
    world_run(w, S / 10);
    assert_int_equal(intakes(w)->count, 96);
    const uint64_t refused = offer_one(w, 1);
    world_run(w, S / 10);
    assert_int_equal(files_info(w, 1, refused).err, ERR_FULL);
    assert_int_equal(intakes(w)->count, 96);
    for (unsigned from = 2; from < 4; from++)
        for (unsigned i = 0; i < INTAKES_MAX_PER_CONTACT; i++) {
            struct raw r = raw_open(w, from, 0);
            assert_true(raw_write(&r, begun, sizeof begun));
            assert_true(intakes(w)->count <= INTAKES_MAX);
        }
    world_run(w, S / 10);
    assert_int_equal(intakes(w)->count, INTAKES_MAX);
    /* 96, 96 and 64 at first; then whoever has more gives way until all have the same. */
    for (const struct intake_share *s = intakes(w)->shares; s; s = s->next)
        assert_in_range(s->count, 85, 86);
    /* Of whoever gave way, what had waited longest went. */
    assert_false(raw_write(&mine[0], more, sizeof more));
    assert_true(raw_write(&mine[INTAKES_MAX_PER_CONTACT - 1], more, sizeof more));
    /* Now nobody has more than its share, and nobody gives way: one more is refused. */
    const uint64_t evictions = intakes(w)->evictions, refusals = intakes(w)->refusals;
    for (unsigned from = 1; from < 4; from++) {
        struct raw r = raw_open(w, from, 0);
        (void)raw_write(&r, begun, sizeof begun);
    }
    world_run(w, S / 10);
    assert_int_equal(intakes(w)->evictions, evictions);
    assert_int_equal(intakes(w)->refusals, refusals + 3);
    world_run(w, INTAKE_PROGRESS_US + S);
    assert_int_equal(intakes(w)->count, 0);
    const uint64_t id = offer_one(w, 1);
    world_run(w, 5 * S);
    assert_int_equal(files_info(w, 1, id).state, TRANSFER_DONE);
    world_free(w);
}

/* 1.1 kbit/s are enough, a byte now and then is not; what times out is told so. */
static void a_slow_link_passes_and_a_dripping_one_does_not(void **state) {
    (void)state;
    struct world *w = files_star(3, 7, ACCEPT_ASK);
    size_t len;
    uint8_t *offer = raw_offer(100, 250, 1, 'a', &len);
    struct raw slow = raw_open(w, 1, 0), drip = raw_open(w, 2, 0);
    assert_true(raw_write(&drip, offer, 10));
    for (size_t at = 0; at < len; at += 4200) {
        assert_true(raw_write(&slow, offer + at, len - at < 4200 ? len - at : 4200));
        assert_int_equal(raw_write(&drip, offer + 10 + at / 4200, 1), at / 4200 < 2);
        world_run(w, INTAKE_PROGRESS_US - S / 10);
    }
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_OFFERED), 1);
    assert_int_equal(intakes(w)->timeouts, 1);
    assert_int_equal(intakes(w)->count, 0);
    free(offer);
    world_free(w);
}

static void a_session_that_ends_frees_what_it_began(void **state) {
    (void)state;
    struct world *w = files_star(2, 8, ACCEPT_ASK);
    size_t len;
    uint8_t *offer = raw_offer(1000, 200, 1, 'a', &len);
    stall(w, 1, offer, len);
    world_run(w, S);
    assert_true(intakes(w)->bytes > 100000);
    node_shutdown(w->nodes[1].node, w->now_us);
    world_run(w, S);
    assert_int_equal(intakes(w)->count, 0);
    assert_int_equal(intakes(w)->bytes, 0);
    assert_null(intakes(w)->shares);
    free(offer);
    world_free(w);
}

/* The largest offer is taken in, and the loop never has more of it in one go than a step. */
static void the_largest_manifest_is_taken_in_steps(void **state) {
    (void)state;
    struct world *w = files_star(2, 9, ACCEPT_ASK);
    size_t len;
    uint8_t *offer = raw_offer(TRANSFER_FILES_MAX, 200, 1, 'a', &len);
    struct raw r = raw_open(w, 1, 0);
    assert_true(raw_write(&r, offer, len));
    world_run(w, 2 * S);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_OFFERED), 1);
    assert_int_equal(files_info(w, 0, 1).files, TRANSFER_FILES_MAX);
    assert_true(intakes(w)->taken_bytes >= len);
    assert_in_range(intakes(w)->step_most, INTAKE_STEP_BYTES / 4, INTAKE_STEP_BYTES);
    uint64_t size;
    const char *last = node_transfer_file(w->nodes[0].node, 1, TRANSFER_FILES_MAX - 1, &size);
    assert_string_equal(last + 193, "0065535");
    free(offer);
    world_free(w);
}

/* A message of one byte, complete, as a contact may send hundreds of without waiting for an
 * answer. */
static void write_short(struct world *w, unsigned from, uint64_t id) {
    struct endpoint *ep = w->nodes[from].node->turn.ep;
    struct raw r = raw_open(w, from, 0);
    struct letter l = {.text = "x", .len = 1};
    memcpy(l.id, &id, sizeof id);
    size_t len, taken = 0;
    uint8_t *bytes = letter_encode(&l, &len);
    assert_int_equal(stream_write(ep, r.session, r.stream, bytes, len, &taken), 0);
    assert_int_equal(taken, len);
    assert_int_equal(stream_finish(ep, r.session, r.stream), 0);
    free(bytes);
}

/* All that a node has to send now comes to node 0 in one batch. */
static void send_all(struct world *w, unsigned from) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    const struct hop hop = hop_udp(&w->nodes[from].addr, 0);
    while (node_output(w->nodes[from].node, w->now_us, &t))
        node_input(w->nodes[0].node, w->now_us,
                   &(struct train_in){t.buf, t.len, t.segment_bytes, hop, t.ecn});
}

/* Each costs the store as much as a long one does: few in a turn of the loop, however short. */
static void many_short_messages_are_taken_in_steps(void **state) {
    (void)state;
    enum { EACH = 80, FROM = 3, MOST = INTAKE_STEP_BYTES / INTAKE_WHOLE_BYTES };
    struct world *w = files_star(1 + FROM, 12, ACCEPT_ASK);
    struct node *n = w->nodes[0].node;
    const struct history *m = &n->messages.history;
    struct node_event e;
    for (unsigned i = 0; i < EACH * FROM; i++)
        write_short(w, 1 + i % FROM, i);
    for (unsigned from = 1; from <= FROM; from++)
        send_all(w, from);
    for (uint64_t before = 0, turns = 0; m->count < EACH * FROM; before = m->count) {
        assert_true(turns++ <= EACH * FROM / MOST + 1); /* and not one by one */
        if (turns > 1)
            node_timeout(n, w->now_us);
        while (node_poll(n, &e))
            ;
        assert_in_range(m->count - before, 1, MOST);
        assert_true(m->count == EACH * FROM || node_deadline_us(n) <= w->now_us);
    }
    world_run(w, S);
    assert_int_equal(n->intakes.count, 0);
    world_free(w);
}

static void nothing(const struct owed *o) {
    (void)o;
}

/* While a disk is slow many contacts wait for answers: the last places are for those with none. */
static void unanswered_messages_of_many_leave_room_to_the_next(void **state) {
    (void)state;
    struct world *w = files_star(3, 13, ACCEPT_ASK);
    struct node *n = w->nodes[0].node;
    w->sync_us = 5 * S;
    assert_int_equal(keep_put(&n->keep, "t", "k", 1, "v", 1), 0);
    while (n->keep.owed < KEEP_OWED_MANY)
        assert_int_equal(keep_owe(&n->keep, &(struct owed){.run = nothing}), 0);
    for (unsigned from = 1; from <= 2; from++) {
        for (uint64_t i = 0; i < 10; i++)
            write_short(w, from, i);
        world_run(w, S);
        assert_int_equal(n->messages.history.count, from); /* its first */
    }
    world_run(w, 20 * S);
    assert_int_equal(world_count(w, 0, NODE_MESSAGE), 2);
    assert_int_equal(n->keep.owed, 0);
    world_free(w);
}

/* And the sender makes it in steps too. */
static void an_offer_of_many_files_is_made_in_steps(void **state) {
    (void)state;
    enum { FILES = 5000 };
    struct world *w = files_star(2, 10, ACCEPT_ASK);
    static char names[FILES][210];
    static const char *paths[FILES];
    for (unsigned i = 0; i < FILES; i++) {
        memset(names[i], 'n', sizeof names[i]);
        snprintf(names[i], sizeof names[i], "/d/%05u", i);
        names[i][8] = 'n';
        names[i][209] = '\0';
        paths[i] = names[i];
        disk_fill(w, 1, paths[i], 0, 0);
    }
    uint64_t id = 0;
    struct node *n = w->nodes[1].node;
    assert_int_equal(node_send(n, w->now_us, "n0", paths, FILES, 0, &id), 0);
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_OFFERED, 60 * S));
    assert_int_equal(files_info(w, 0, 1).files, FILES);
    /* A piece or a name more, which was begun within the step. */
    assert_in_range(n->files.send.step_most, SEND_STEP_BYTES / 2, SEND_STEP_BYTES + 8192);

    memcpy(names[FILES - 1], names[0], sizeof names[0]); /* found after node_send said yes */
    names[FILES - 1][1] = 'e';
    assert_int_equal(node_send(n, w->now_us, "n0", paths, FILES, 0, &id), 0);
    struct node_event *e = world_wait(w, 1, NODE_TRANSFER_FAILED, 10 * S);
    assert_non_null(e);
    assert_int_equal(e->id, id);
    assert_int_equal(e->err, ERR_USAGE);
    assert_string_equal(e->detail, names[0] + 3);
    world_free(w);
}

/* A manifest that is wrong is answered as soon as that is seen; one that is not a blob is reset. */
static void a_broken_manifest_is_answered_at_once(void **state) {
    (void)state;
    struct world *w = files_star(2, 11, ACCEPT_ASK);
    static const uint8_t later[] = {1, 0x80, 0, 0x10, 0, 0x83, 0xa1, 'v', 2};
    static const uint8_t list[] = {1, 0x80, 0, 0x10, 0, 0x93};
    static const uint8_t empty[] = {1, 0};
    struct reply reply = {0};
    static const struct {
        const uint8_t *bytes;
        size_t len;
        int err; /* 0: no answer, a reset */
    } cases[] = {{later, sizeof later, ERR_UNSUPPORTED},
                 {list, sizeof list, ERR_PROTO},
                 {empty, sizeof empty, 0}};
    for (unsigned i = 0; i < 3; i++) {
        struct raw r = raw_open(w, 1, 0);
        size_t taken;
        raw_listen(&r);
        assert_int_equal(stream_write(w->nodes[1].node->turn.ep, r.session, r.stream,
                                      cases[i].bytes, cases[i].len, &taken),
                         0);
        assert_int_equal(raw_reply(&r, &reply), cases[i].err != 0);
        assert_int_equal(reply.err, cases[i].err);
        raw_deaf(&r);
        reply.err = 0;
    }
    assert_int_equal(intakes(w)->count, 0);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stalled_manifests_do_not_keep_others_out),
        cmocka_unit_test(beginnings_are_counted_per_contact_and_in_all),
        cmocka_unit_test(a_slow_link_passes_and_a_dripping_one_does_not),
        cmocka_unit_test(a_session_that_ends_frees_what_it_began),
        cmocka_unit_test(the_largest_manifest_is_taken_in_steps),
        cmocka_unit_test(many_short_messages_are_taken_in_steps),
        cmocka_unit_test(unanswered_messages_of_many_leave_room_to_the_next),
        cmocka_unit_test(an_offer_of_many_files_is_made_in_steps),
        cmocka_unit_test(a_broken_manifest_is_answered_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
