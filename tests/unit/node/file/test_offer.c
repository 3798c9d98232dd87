/* What the two ends of a transfer tell each other, and what that is worth (docs/PROTOCOL.md §5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/tree/treehash.h"
#include "node/channel/reply.h"
#include "node/file/file_send.h"
#include "support_files.h"
#include "support_raw.h"

enum { S = 1000000 };

static uint64_t send_one(struct world *w, size_t len) {
    const char *path = "/a/f";
    uint64_t id = 0;
    disk_fill(w, 0, path, len, 1);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
    return id;
}

/* The receiver dies without a word and comes back. */
static void restart(struct world *w, enum accept_rule accept) {
    world_kill(w, 1);
    w->nodes[1].cfg.accept = accept;
    world_start(w, 1);
    assert_int_equal(node_connect(w->nodes[1].node, w->now_us, "n0"), 0);
}

static void an_offer_is_made_again_to_a_peer_that_restarted(void **state) {
    (void)state;
    struct world *w = files_pair(1, ACCEPT_ASK);
    uint64_t id = send_one(w, 1000000);
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    restart(w, ACCEPT_CONTACTS);
    world_run(w, 10 * S);
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_DONE);
    world_free(w);

    w = files_pair(2, ACCEPT_ASK); /* but not for ever */
    id = send_one(w, 1000);
    for (unsigned i = 0; i < SEND_AGAIN_MAX; i++) {
        assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
        restart(w, ACCEPT_ASK);
    }
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_OFFERED);
    restart(w, ACCEPT_ASK);
    world_run(w, 10 * S);
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_FAILED);
    assert_int_equal(files_info(w, 0, id).err, ERR_OFFLINE);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_OFFERED), SEND_AGAIN_MAX + 1);
    world_free(w);
}

/* Refused, but the session ends between the STOP and the words: it was an answer. */
static void a_stop_is_an_answer_also_when_the_session_ends(void **state) {
    (void)state;
    struct world *w = files_pair(3, ACCEPT_ASK);
    const uint64_t id = send_one(w, 1000000);
    const struct node_event *e = world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S);
    assert_non_null(e);
    struct node *r = w->nodes[1].node;
    const struct transfer *t = transfer_by_id(&r->transfers, e->id);
    assert_int_equal(stream_stop(r->turn.ep, t->session, t->stream, ERR_REFUSED), 0);
    world_run(w, 1200);
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_OFFERED); /* its words may still come */
    restart(w, ACCEPT_CONTACTS);
    world_run(w, 30 * S);
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_FAILED);
    assert_int_equal(files_info(w, 0, id).err, ERR_REFUSED);
    assert_int_equal(world_count(w, 1, NODE_TRANSFER_STARTED), 0);
    world_free(w);
}

/* The receiver's answers to the one transfer, as the test wants them. */
static void answer(struct world *w, const struct reply *r) {
    struct node *n = w->nodes[1].node;
    const struct transfer *t = transfer_by_id(&n->transfers, 1);
    uint8_t buf[REPLY_MAX_BYTES];
    size_t len, taken;
    assert_non_null(t);
    assert_int_equal(reply_encode(r, buf, &len), 0);
    assert_int_equal(stream_write(n->turn.ep, t->session, t->stream, buf, len, &taken), 0);
    assert_int_equal(taken, len);
}

static void what_a_peer_says_about_a_file_is_told_as_it_is(void **state) {
    (void)state;
    struct world *w = files_pair(4, ACCEPT_ASK);
    const uint64_t id = send_one(w, 1000);
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    const struct reply no = {.err = ERR_EXISTS, .file = "a\x1b[2J\xe2\x80\xaez"};
    answer(w, &no);
    const struct node_event *e = world_wait(w, 0, NODE_TRANSFER_FAILED, 10 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_EXISTS);
    assert_string_equal(e->detail, no.file);
    assert_string_equal(files_info(w, 0, id).detail, e->detail);
    world_free(w);
}

/* Only {"ok", "files": all of them}, and only after the last byte, means that all is there. */
static void an_answer_out_of_place_is_no_success(void **state) {
    (void)state;
    static const struct {
        struct reply answers[2];
        int err;
    } cases[] = {
        {{{.has_files = true, .files = 1}, {.has_files = true, .files = 1}}, ERR_PROTO},
        {{{0}, {0}}, ERR_PROTO},
        {{{0}, {.has_files = true, .files = 2}}, ERR_PROTO},
        {{{0}, {.err = -4711}}, ERR_FAILED},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = files_pair(10 + i, ACCEPT_ASK);
        const uint64_t id = send_one(w, 3000000); /* not at an end by then, if that matters */
        assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S));
        answer(w, &cases[i].answers[0]);
        if (i > 0)
            world_run(w, S);
        answer(w, &cases[i].answers[1]);
        world_run(w, 10 * S);
        assert_int_equal(files_info(w, 0, id).state, TRANSFER_FAILED);
        assert_int_equal(files_info(w, 0, id).err, cases[i].err);
        world_free(w);
    }
}

/* "Done" means that it survives a power cut: the directory is synced before the sender hears it. */
static void what_is_done_survives_a_power_cut(void **state) {
    (void)state;
    struct world *w = files_pair(20, ACCEPT_CONTACTS);
    w->disk_us = 500;
    const uint64_t id = send_one(w, 100000);
    for (unsigned i = 0; i < 100000 && files_info(w, 0, id).state != TRANSFER_DONE; i++)
        world_run(w, 100);
    assert_int_equal(files_info(w, 0, id).state, TRANSFER_DONE);
    world_kill(w, 1);
    disk_power_cut(w->nodes[1].disk, 0);
    assert_true(disk_has(w, 1, "in/f", 100000));
    world_free(w);

    w = files_pair(21, ACCEPT_CONTACTS);
    disk_faults(w, 1)->sync_error = true;
    const uint64_t failed = send_one(w, 100000);
    world_run(w, 10 * S);
    assert_int_equal(files_info(w, 0, failed).err, ERR_IO);
    assert_int_equal(files_info(w, 1, 1).err, ERR_IO);
    world_free(w);
}

/* The end that belongs there: not before the last root, and nothing after it. */
static void all_is_there_when_the_sender_has_ended(void **state) {
    (void)state;
    enum { GOOD, EXTRA, SHORT, KINDS };
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct world *w = files_pair(30 + kind, ACCEPT_CONTACTS);
        struct reply reply;
        size_t len;
        uint8_t *offer = raw_offer(1, 8, 5, 'a', &len);
        uint8_t body[5 + TREEHASH_BYTES + 1] = "hello";
        struct treehash *h = treehash_new();
        treehash_update(h, body, 5);
        treehash_final(h, body + 5);
        treehash_free(h);
        struct raw r = raw_open(w, 0, 1);
        raw_listen(&r);
        assert_true(raw_write(&r, offer, len));
        assert_true(raw_reply(&r, &reply));
        assert_int_equal(reply.err, 0);
        assert_false(reply.has_files);
        assert_true(raw_write(&r, body, 5 + TREEHASH_BYTES - (kind == SHORT)));
        world_run(w, 5 * S);
        assert_false(r.in.whole); /* no word before the end */
        assert_int_equal(files_info(w, 1, 1).state,
                         kind == SHORT ? TRANSFER_RUNNING : TRANSFER_VERIFYING);
        if (kind == EXTRA)
            assert_true(raw_write(&r, "x", 1));
        else
            raw_finish(&r);
        assert_true(raw_reply(&r, &reply));
        assert_int_equal(reply.err, kind == GOOD ? 0 : ERR_PROTO);
        assert_int_equal(reply.files, kind == GOOD);
        assert_int_equal(files_info(w, 1, 1).state, kind == GOOD ? TRANSFER_DONE : TRANSFER_FAILED);
        raw_deaf(&r);
        free(offer);
        world_free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_made_again_to_a_peer_that_restarted),
        cmocka_unit_test(a_stop_is_an_answer_also_when_the_session_ends),
        cmocka_unit_test(what_a_peer_says_about_a_file_is_told_as_it_is),
        cmocka_unit_test(an_answer_out_of_place_is_no_success),
        cmocka_unit_test(what_is_done_survives_a_power_cut),
        cmocka_unit_test(all_is_there_when_the_sender_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
