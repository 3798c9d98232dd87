/* Messages that the peer does not take: a quota, an error for now, an error for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "node/channel/reply.h"
#include "node/message/conversation.h"
#include "node/message/history.h"
#include "node/message/letter.h"
#include "node/node_int.h"
#include "support_raw.h"
#include "support_world.h"

enum { S = 1000000, MS = 1000, BIG = 60000, COST = BIG + MESSAGE_OVERHEAD_BYTES };

static char big[BIG];

/* Nodes 0 and 1.., where the others write to node 0, which has room for `contact` and `all`. */
static struct world *world_of(unsigned count, uint64_t seed, uint64_t contact, uint64_t all) {
    struct world *w = world_new(count, seed);
    memset(big, 'x', sizeof big);
    world_kill(w, 0);
    w->nodes[0].cfg.message_quota_contact_bytes = contact;
    w->nodes[0].cfg.message_quota_bytes = all;
    world_start(w, 0);
    for (unsigned i = 1; i < count; i++)
        world_pair(w, 0, i);
    return w;
}

static uint64_t say(struct world *w, unsigned from, const char *to, const char *text, size_t len) {
    uint64_t seq = 0;
    assert_int_equal(node_message_send(w->nodes[from].node, w->now_us, to, text, len, &seq), 0);
    return seq;
}

static struct message_info at(struct world *w, unsigned i, uint64_t seq) {
    struct message_info m;
    assert_true(node_message_next(w->nodes[i].node, seq - 1, NULL, &m));
    assert_int_equal(m.seq, seq);
    return m;
}

static struct contact_info contact(struct world *w, unsigned i, const char *name) {
    struct contact_info c;
    assert_true(node_contact_get(w->nodes[i].node, w->now_us, name, &c));
    return c;
}

static unsigned count(struct world *w, unsigned i, const char *with) {
    struct message_info m;
    unsigned n = 0;
    for (uint64_t after = 0; node_message_next(w->nodes[i].node, after, with, &m); after = m.seq)
        n++;
    return n;
}

static uint64_t delete_all(struct world *w, unsigned i, const char *with) {
    struct message_cut cut = {.more = true};
    uint64_t deleted = 0;
    while (cut.more) {
        assert_int_equal(
            node_message_delete(w->nodes[i].node, w->now_us, with, cut.last, UINT64_MAX, &cut), 0);
        assert_true(cut.deleted <= MESSAGES_DELETE_STEP);
        deleted += cut.deleted;
    }
    return deleted;
}

/* The sender is told that it is the peer's limit, which one, and how large it is. */
static void assert_of_peer(struct cause c, enum limit limit, uint64_t max) {
    assert_int_equal(c.side, SIDE_PEER);
    assert_int_equal(c.limit, limit);
    assert_int_equal(c.max, max);
}

static void a_full_quota_refuses_for_now_and_both_sides_see_it(void **state) {
    (void)state;
    struct world *w = world_of(2, 1, 3 * COST, 100 * COST);
    struct node_status st;
    for (unsigned i = 0; i < 5; i++)
        say(w, 1, "n0", big, sizeof big);
    uint64_t last = say(w, 1, "n0", "last", 4);
    world_run(w, 20 * S);
    assert_int_equal(count(w, 0, "n1"), 3);
    assert_int_equal(contact(w, 1, "n0").refused, ERR_FULL);
    assert_int_equal(contact(w, 1, "n0").queued, 3);
    assert_of_peer(contact(w, 1, "n0").refused_why, LIMIT_QUOTA, 3 * COST);
    assert_of_peer(at(w, 1, last).cause, LIMIT_QUOTA, 3 * COST);
    assert_int_equal(at(w, 1, last).state, MESSAGE_REFUSED);
    assert_int_equal(at(w, 1, last).err, ERR_FULL);
    assert_int_equal(world_count(w, 1, NODE_MESSAGE_REFUSED), 1); /* told once */
    assert_true(contact(w, 0, "n1").full);
    assert_int_equal(contact(w, 0, "n1").message_bytes, 3 * COST);
    assert_int_equal(world_count(w, 0, NODE_MESSAGE_FULL), 1);
    node_status(w->nodes[0].node, w->now_us, &st);
    assert_int_equal(st.message_bytes, 3 * COST);
    assert_int_equal(st.message_quota_contact_bytes, 3 * COST);
    assert_int_equal(st.message_quota_bytes, 100 * COST);
    /* What is sent to n1 is nobody's quota. */
    for (unsigned i = 0; i < 5; i++)
        say(w, 0, "n1", big, sizeof big);
    world_run(w, 5 * S);
    assert_int_equal(count(w, 1, "n0"), 6 + 5);

    assert_int_equal(delete_all(w, 0, "n1"), 3 + 5);
    world_run(w, 310 * S);                  /* the longest pause */
    assert_int_equal(count(w, 0, "n1"), 3); /* two big ones and the last */
    assert_int_equal(contact(w, 1, "n0").queued, 0);
    assert_int_equal(contact(w, 1, "n0").refused, 0);
    assert_int_equal(at(w, 1, last).state, MESSAGE_DELIVERED);
    assert_false(contact(w, 0, "n1").full);
    assert_int_equal(contact(w, 0, "n1").message_bytes, 2 * COST + 4 + MESSAGE_OVERHEAD_BYTES);
    world_free(w);
}

static void all_together_have_a_quota_too(void **state) {
    (void)state;
    struct world *w = world_of(3, 2, 3 * COST, 6 * COST); /* and an eighth is for others */
    for (unsigned i = 0; i < 4; i++)
        say(w, 1, "n0", big, sizeof big);
    world_run(w, 5 * S);
    for (unsigned i = 0; i < 4; i++)
        say(w, 2, "n0", big, sizeof big);
    world_run(w, 5 * S);
    assert_int_equal(count(w, 0, "n1"), 3);
    assert_int_equal(count(w, 0, "n2"), 2);
    assert_of_peer(contact(w, 2, "n0").refused_why, LIMIT_QUOTA_ALL, 6 * COST);
    /* The sums are the store's: another process counts the same. */
    world_kill(w, 0);
    world_start(w, 0);
    world_run(w, 700 * S);
    assert_int_equal(count(w, 0, NULL), 5);
    assert_int_equal(delete_all(w, 0, "n1"), 3);
    world_run(w, 700 * S);
    assert_int_equal(count(w, 0, "n1"), 1);
    assert_int_equal(count(w, 0, "n2"), 3);
    world_free(w);
}

/* Whoever fills what all have together, the next contact is heard. */
static void a_part_of_all_is_for_those_with_little(void **state) {
    (void)state;
    struct world *w = world_of(4, 9, 10 * COST, 16 * COST);
    for (unsigned from = 1; from < 3; from++) {
        for (unsigned i = 0; i < 10; i++)
            say(w, from, "n0", big, sizeof big);
        world_run(w, 5 * S);
    }
    assert_int_equal(count(w, 0, "n1"), 10);
    assert_int_equal(count(w, 0, "n2"), 4); /* 14 of 16 */
    say(w, 3, "n0", "honest", 6);
    say(w, 3, "n0", big, sizeof big);
    world_run(w, 5 * S);
    assert_int_equal(count(w, 0, "n3"), 2);
    say(w, 3, "n0", big, sizeof big); /* that was not little */
    world_run(w, 700 * S);
    assert_int_equal(count(w, 0, "n3"), 2);
    assert_int_equal(count(w, 0, NULL), 16);
    assert_int_equal(contact(w, 3, "n0").refused, ERR_FULL);
    world_free(w);
}

/* Small ones are bounded as well: each costs MESSAGE_OVERHEAD_BYTES. */
static void empty_talk_fills_a_quota_too(void **state) {
    (void)state;
    struct world *w = world_of(2, 3, 20 * 300, 100 * COST);
    for (unsigned i = 0; i < 40; i++)
        say(w, 1, "n0", "y", 1);
    world_run(w, 20 * S);
    assert_int_equal(count(w, 0, "n1"), 20 * 300 / (1 + MESSAGE_OVERHEAD_BYTES));
    world_free(w);
}

/* By number, too: of one contact, and of all. */
static void so_many_messages_fill_a_quota_too(void **state) {
    (void)state;
    for (unsigned all = 0; all < 2; all++) {
        struct world *w = world_of(2, 8 + all, 0, 0);
        struct node *n = w->nodes[0].node;
        say(w, 1, "n0", "first", 5);
        world_run(w, S);
        struct contact *c = contact_by_name(&n->contacts, "n1");
        assert_true(c->talk->dialog_known && c->talk->dialog.count == 1 &&
                    n->messages.history.count == 1);
        if (all)
            n->messages.history.count = MESSAGES_MAX - 1;
        else
            c->talk->dialog.count = MESSAGES_CONTACT_MAX - 1;
        say(w, 1, "n0", "second", 6);
        say(w, 1, "n0", "third", 5);
        world_run(w, S);
        assert_int_equal(count(w, 0, "n1"), 2);
        assert_int_equal(contact(w, 1, "n0").refused, ERR_FULL);
        assert_of_peer(contact(w, 1, "n0").refused_why,
                       all ? LIMIT_MESSAGES : LIMIT_MESSAGES_CONTACT,
                       all ? MESSAGES_MAX : MESSAGES_CONTACT_MAX);
        world_free(w);
    }
}

/* While the disk makes nothing safe, each contact may have so many messages that wait for their
 * answer. */
static void one_contact_has_so_many_unanswered(void **state) {
    (void)state;
    struct world *w = world_of(3, 10, 0, 0);
    struct reply reply = {0};
    w->sync_us = 100 * S;
    for (unsigned i = 0; i <= MESSAGES_UNANSWERED_MAX; i++) {
        struct letter l = {.wall_ms = 1, .text = "x", .len = 1, .id = {(uint8_t)i}};
        struct raw r = raw_open(w, 1, 0);
        size_t len;
        uint8_t *bytes = letter_encode(&l, &len);
        if (i == MESSAGES_UNANSWERED_MAX)
            raw_listen(&r);
        assert_true(raw_write(&r, bytes, len));
        if (i == MESSAGES_UNANSWERED_MAX) {
            assert_true(raw_reply(&r, &reply));
            raw_deaf(&r);
        }
        free(bytes);
    }
    assert_int_equal(reply.err, ERR_AGAIN);
    world_run(w, S);
    assert_int_equal(store_count(w, 0, "messages"), MESSAGES_UNANSWERED_MAX);
    struct raw r = raw_open(w, 2, 0); /* somebody else's are taken */
    struct letter l = {.wall_ms = 1, .text = "y", .len = 1};
    size_t len;
    uint8_t *bytes = letter_encode(&l, &len);
    assert_true(raw_write(&r, bytes, len));
    free(bytes);
    world_run(w, S);
    assert_int_equal(store_count(w, 0, "messages"), MESSAGES_UNANSWERED_MAX + 1);
    world_free(w);
}

static void the_outbox_is_bounded(void **state) {
    (void)state;
    struct world *w = world_of(2, 12, 0, 0);
    struct contact *c = contact_by_name(&w->nodes[1].node->contacts, "n0");
    uint64_t seq;
    c->peering->queued = OUTBOX_MAX;
    assert_int_equal(node_message_send(w->nodes[1].node, w->now_us, "n0", "x", 1, &seq), ERR_FULL);
    c->peering->queued = 0;
    say(w, 1, "n0", "y", 1);
    world_run(w, S);
    assert_int_equal(count(w, 0, "n1"), 1);
    world_free(w);
}

static void count_waiting(void *ctx, enum log_level level, const char *line) {
    (void)level;
    *(unsigned *)ctx += strstr(line, "waits: ") != NULL;
}

/* Refused for now: how often it is tried, also when sessions come and go. */
static void a_refused_message_is_tried_later_and_later(void **state) {
    (void)state;
    struct world *w = world_of(2, 4, 1, 100 * COST);
    unsigned tries = 0;
    world_kill(w, 1);
    w->nodes[1].env.log = count_waiting;
    w->nodes[1].env.log_ctx = &tries;
    world_start(w, 1);
    say(w, 1, "n0", "hello", 5);
    world_run(w, 1000 * S);
    assert_in_range(tries, 7, 10); /* 5, 10, 20, 40, 80, 160, 300, 300.. s apart */
    const unsigned before = tries;
    world_run(w, UINT64_C(3000) * S);
    assert_in_range(tries, before + 9, before + 11);
    tries = 0;
    for (unsigned i = 0; i < 20; i++) { /* node 0 starts again: a new session each time */
        world_kill(w, 0);
        world_start(w, 0);
        assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
        world_run(w, 10 * S);
        assert_true(contact(w, 1, "n0").online);
    }
    assert_in_range(tries, 0, 2);
    world_free(w);
}

static void pay_nothing(const struct owed *o) {
    (void)o;
}

/* A message that node 1 itself would refuse to send, past its checks. */
static uint64_t queue_bad(struct world *w) {
    struct node *n = w->nodes[1].node;
    struct contact *c = contact_by_name(&n->contacts, "n0");
    struct entry e = {.outgoing = true, .peer = c->id, .text = "\xff\xfe", .len = 2};
    uint64_t seq;
    say(w, 1, "n0", "before", 6);
    memset(e.id, 7, sizeof e.id);
    memcpy(e.name, c->name, sizeof e.name);
    assert_int_equal(
        history_queue(&n->messages.history, &e, &(struct owed){.run = pay_nothing}, &seq), 0);
    c->peering->queued++;
    n->messages.queued++;
    return seq;
}

static void what_is_refused_for_good_blocks_nothing(void **state) {
    (void)state;
    struct world *w = world_of(2, 5, 0, 0);
    world_run(w, S);
    uint64_t bad = queue_bad(w);
    uint64_t after = say(w, 1, "n0", "after", 5);
    world_run(w, 2 * S);
    assert_int_equal(count(w, 0, "n1"), 2);
    assert_int_equal(at(w, 1, bad).state, MESSAGE_FAILED);
    assert_int_equal(at(w, 1, bad).err, ERR_PROTO);
    assert_int_equal(at(w, 1, after).state, MESSAGE_DELIVERED);
    assert_int_equal(contact(w, 1, "n0").queued, 0);
    struct node_event *e = world_wait(w, 1, NODE_MESSAGE_FAILED, 0);
    assert_non_null(e);
    assert_int_equal(e->id, bad);
    assert_int_equal(e->err, ERR_PROTO);
    world_kill(w, 1); /* and it is not tried again */
    world_start(w, 1);
    world_run(w, 100 * S);
    assert_int_equal(at(w, 1, bad).state, MESSAGE_FAILED);
    assert_int_equal(contact(w, 1, "n0").queued, 0);
    world_free(w);
}

/* Takes a message as a peer may: its stream is answered with this error; 0: with FIN and no
 * word. */
static int no_to_all;
static void say_no(void *ctx) {
    struct world *w = ctx;
    struct node *n = w->nodes[0].node;
    struct ep_event ev;
    while (endpoint_poll(n->turn.ep, &ev))
        if (ev.kind == EP_STREAM_OPENED) {
            int gone = no_to_all ? stream_reset(n->turn.ep, ev.session, ev.stream, no_to_all)
                                 : stream_finish(n->turn.ep, ev.session, ev.stream);
            if (no_to_all)
                gone = stream_stop(n->turn.ep, ev.session, ev.stream, no_to_all);
            (void)gone;
        }
}

/* docs/PROTOCOL.md, section 5: which numbers are for now; every other one is for good. */
static void each_error_is_for_now_or_for_good(void **state) {
    (void)state;
    static const int for_now[] = {6, 9, 10, 11, 12, 14, 18, 19, 20, 22};
    for (int number = 0; number <= 24; number++) {
        struct world *w = world_of(2, 100 + (uint64_t)number, 0, 0);
        bool now = false;
        for (unsigned i = 0; i < sizeof for_now / sizeof *for_now; i++)
            now |= for_now[i] == number;
        world_run(w, S);
        no_to_all = -number;
        w->heard = say_no;
        w->heard_ctx = w;
        const uint64_t seq = say(w, 1, "n0", "hello", 5);
        world_run(w, S);
        if (at(w, 1, seq).state != (now ? MESSAGE_REFUSED : MESSAGE_FAILED))
            fail_msg("error %d: state %d", number, (int)at(w, 1, seq).state);
        assert_int_equal(at(w, 1, seq).err, number ? -number : ERR_PROTO);
        w->heard = NULL;
        world_run(w, 10 * S);
        assert_int_equal(at(w, 1, seq).state, now ? MESSAGE_DELIVERED : MESSAGE_FAILED);
        world_free(w);
    }
}

/* ---- deleting ---- */
static void a_repetition_of_what_was_deleted_does_not_come_back(void **state) {
    (void)state;
    struct world *w = world_of(2, 6, 0, 0);
    for (unsigned i = 0; i < 300; i++)
        say(w, 1, "n0", "old", 3);
    world_run(w, 10 * S);
    assert_int_equal(count(w, 0, "n1"), 300);
    /* The answer to the last one is lost with node 1, which repeats it. */
    w->sync_us = 100 * MS;
    uint64_t last = say(w, 1, "n0", "last", 4);
    world_run(w, 150 * MS);
    assert_int_equal(store_count(w, 0, "messages"), 301);
    world_kill(w, 1);
    world_run(w, 100 * MS);
    assert_int_equal(count(w, 0, "n1"), 301);
    assert_int_equal(delete_all(w, 0, "n1"), 301);
    assert_int_equal(store_count(w, 0, "messages"), 0);
    assert_in_range(store_count(w, 0, "message_ids"), 1, MESSAGES_KNOWN_KEPT);
    world_start(w, 1);
    world_run(w, 60 * S);
    assert_int_equal(at(w, 1, last).state, MESSAGE_DELIVERED);
    assert_int_equal(count(w, 0, "n1"), 0);
    /* The ids kept stay bounded, however often. */
    w->sync_us = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 200; i++)
            say(w, 1, "n0", "new", 3);
        world_run(w, 20 * S);
        assert_int_equal(count(w, 0, "n1"), 200);
        assert_int_equal(delete_all(w, 0, "n1"), 200);
        assert_in_range(store_count(w, 0, "message_ids"), 1, MESSAGES_KNOWN_KEPT);
        assert_int_equal(store_count(w, 0, "conversations"), store_count(w, 0, "message_ids"));
        assert_int_equal(contact(w, 0, "n1").message_bytes, 0);
    }
    world_free(w);
}

static void what_waits_is_not_deleted(void **state) {
    (void)state;
    struct world *w = world_of(2, 7, 0, 0);
    struct message_cut cut;
    uint64_t first = say(w, 1, "n0", "one", 3);
    world_run(w, S);
    w->nodes[0].unplugged = true;
    say(w, 1, "n0", "two", 3);
    world_run(w, S);
    assert_int_equal(delete_all(w, 1, "n0"), 1);
    assert_int_equal(count(w, 1, "n0"), 1);
    w->nodes[0].unplugged = false;
    world_run(w, 400 * S);
    assert_int_equal(count(w, 0, "n1"), 2);
    /* Up to a number, and nothing of somebody else's. */
    assert_int_equal(node_message_delete(w->nodes[0].node, w->now_us, "n1", 0, first, &cut), 0);
    assert_int_equal(cut.deleted, 1);
    assert_int_equal(count(w, 0, "n1"), 1);
    assert_int_equal(node_message_delete(w->nodes[0].node, w->now_us, "n9", 0, 9, &cut),
                     ERR_NOT_FOUND);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_quota_refuses_for_now_and_both_sides_see_it),
        cmocka_unit_test(all_together_have_a_quota_too),
        cmocka_unit_test(a_part_of_all_is_for_those_with_little),
        cmocka_unit_test(empty_talk_fills_a_quota_too),
        cmocka_unit_test(so_many_messages_fill_a_quota_too),
        cmocka_unit_test(the_outbox_is_bounded),
        cmocka_unit_test(one_contact_has_so_many_unanswered),
        cmocka_unit_test(each_error_is_for_now_or_for_good),
        cmocka_unit_test(a_refused_message_is_tried_later_and_later),
        cmocka_unit_test(what_is_refused_for_good_blocks_nothing),
        cmocka_unit_test(a_repetition_of_what_was_deleted_does_not_come_back),
        cmocka_unit_test(what_waits_is_not_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
