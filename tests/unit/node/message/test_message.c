/* Messages: once, in order, through restarts, loss and crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_world.h"

enum { S = 1000000 };

static uint64_t say(struct world *w, unsigned from, const char *to, const char *text) {
    uint64_t seq = 0;
    assert_int_equal(
        node_message_send(w->nodes[from].node, w->now_us, to, text, strlen(text), &seq), 0);
    return seq;
}

/* Node i's history with `contact` is exactly texts[0..count), all of one direction. */
static void assert_history(struct world *w, unsigned i, const char *contact, bool outgoing,
                           unsigned count) {
    struct message_info m;
    uint64_t after = 0;
    for (unsigned k = 0; k < count; k++) {
        char text[16];
        snprintf(text, sizeof text, "text %u", k);
        assert_true(node_message_next(w->nodes[i].node, after, contact, &m));
        assert_true(m.seq > after);
        assert_int_equal(m.outgoing, outgoing);
        assert_string_equal(m.contact, contact);
        assert_int_equal(m.len, strlen(text));
        assert_memory_equal(m.text, text, m.len);
        if (outgoing)
            assert_true(m.delivered);
        after = m.seq;
    }
    assert_false(node_message_next(w->nodes[i].node, after, contact, &m));
}

static void say_many(struct world *w, unsigned from, const char *to, unsigned count) {
    for (unsigned k = 0; k < count; k++) {
        char text[16];
        snprintf(text, sizeof text, "text %u", k);
        say(w, from, to, text);
    }
}

static void messages_come_once_and_in_order_over_a_lossy_path(void **state) {
    (void)state;
    struct world *w = world_new(2, 1);
    world_pair(w, 0, 1);
    w->loss_percent = 10;
    say_many(w, 0, "n1", 50);
    world_run(w, 120 * S);
    assert_history(w, 0, "n1", true, 50);
    assert_history(w, 1, "n0", false, 50);
    assert_int_equal(world_count(w, 1, NODE_MESSAGE), 50);
    assert_int_equal(world_count(w, 0, NODE_MESSAGE_DELIVERED), 50);
    struct node_status st;
    node_status(w->nodes[0].node, w->now_us, &st);
    assert_int_equal(st.messages_queued, 0);
    assert_int_equal(store_count(w, 0, "outbox"), 0);
    world_free(w);
}

static void a_message_waits_for_a_peer_that_is_away(void **state) {
    (void)state;
    struct world *w = world_new(2, 2);
    struct contact_info c;
    world_pair(w, 0, 1);
    world_kill(w, 1);
    world_run(w, 30 * S);
    say_many(w, 0, "n1", 3);
    world_run(w, 100 * S);
    assert_true(node_contact_get(w->nodes[0].node, w->now_us, "n1", &c));
    assert_int_equal(c.queued, 3);
    world_kill(w, 0); /* the queue survives this too */
    world_start(w, 0);
    assert_true(node_contact_get(w->nodes[0].node, w->now_us, "n1", &c));
    assert_int_equal(c.queued, 3);
    world_run(w, 1000 * S);
    world_start(w, 1);
    world_run(w, 320 * S); /* within one longest backoff */
    assert_history(w, 1, "n0", false, 3);
    assert_history(w, 0, "n1", true, 3);
    world_free(w);
}

/* Either process dies at every change of its store. */
static void a_crash_neither_loses_nor_doubles(void **state) {
    (void)state;
    for (unsigned who = 0; who < 2; who++)
        for (unsigned at = 1; at <= 9; at++) {
            struct world *w = world_new(2, 100 + at);
            world_pair(w, 0, 1);
            if (who == 1)
                store_die_at(w, 1, at);
            say_many(w, 0, "n1", 2);
            if (who == 0)
                store_die_at(w, 0, at);
            world_run(w, S);
            world_kill(w, who);
            world_start(w, who);
            world_run(w, 700 * S);
            assert_history(w, 1, "n0", false, 2);
            assert_history(w, 0, "n1", true, 2);
            assert_int_equal(store_count(w, 0, "outbox"), 0);
            world_free(w);
        }
}

static void a_send_that_could_not_be_stored_is_not_promised(void **state) {
    (void)state;
    for (unsigned at = 1; at <= 2; at++) {
        struct world *w = world_new(2, 200 + at);
        struct message_info m;
        uint64_t seq;
        world_pair(w, 0, 1);
        store_die_at(w, 0, at);
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq),
                         ERR_IO);
        world_kill(w, 0);
        world_start(w, 0);
        world_run(w, 60 * S);
        assert_false(node_message_next(w->nodes[0].node, 0, NULL, &m));
        assert_false(node_message_next(w->nodes[1].node, 0, NULL, &m));
        assert_int_equal(store_count(w, 0, "outbox"), 0);
        say_many(w, 0, "n1", 1); /* and the number is used again without harm */
        world_run(w, 60 * S);
        assert_history(w, 1, "n0", false, 1);
        world_free(w);
    }
}

static void any_size_up_to_the_limit_arrives(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 244, 255, 256, 1199, 1200, 1201, 65535, 65536};
    struct world *w = world_new(2, 3);
    char *text = malloc(MESSAGE_MAX_BYTES + 1);
    uint64_t seq, after = 0;
    struct message_info m;
    memset(text, 'x', MESSAGE_MAX_BYTES + 1);
    world_pair(w, 0, 1);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        text[0] = (char)('a' + i);
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", text, sizes[i], &seq),
                         0);
        text[0] = 'x';
    }
    world_run(w, 30 * S);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_true(node_message_next(w->nodes[1].node, after, "n0", &m));
        assert_int_equal(m.len, sizes[i]);
        assert_int_equal(m.text[0], 'a' + i);
        after = m.seq;
    }
    struct node *n = w->nodes[0].node;
    assert_int_equal(node_message_send(n, w->now_us, "n1", text, 0, &seq), ERR_USAGE);
    assert_int_equal(node_message_send(n, w->now_us, "n1", text, MESSAGE_MAX_BYTES + 1, &seq),
                     ERR_USAGE);
    assert_int_equal(node_message_send(n, w->now_us, "n1", "\xff", 1, &seq), ERR_USAGE);
    assert_int_equal(node_message_send(n, w->now_us, "nobody", "x", 1, &seq), ERR_NOT_FOUND);
    free(text);
    world_free(w);
}

static void the_outbox_is_bounded(void **state) {
    (void)state;
    struct world *w = world_new(2, 4);
    uint64_t seq;
    world_pair(w, 0, 1);
    world_kill(w, 1);
    for (unsigned i = 0; i < OUTBOX_MAX; i++)
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
    assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), ERR_FULL);
    world_free(w);
}

static void both_ways_at_once_each_keeps_its_order(void **state) {
    (void)state;
    struct world *w = world_new(3, 5);
    world_pair(w, 0, 1);
    world_pair(w, 0, 2);
    for (unsigned k = 0; k < 10; k++) {
        char text[16];
        snprintf(text, sizeof text, "text %u", k);
        say(w, 1, "n0", text);
        say(w, 2, "n0", text);
        world_run(w, 3000);
    }
    world_run(w, 10 * S);
    assert_history(w, 0, "n1", false, 10);
    assert_history(w, 0, "n2", false, 10);
    assert_history(w, 1, "n0", true, 10);
    struct message_info m;
    unsigned all = 0;
    for (uint64_t after = 0; node_message_next(w->nodes[0].node, after, NULL, &m); after = m.seq)
        all++;
    assert_int_equal(all, 20);
    world_free(w);
}

/* Each message is a stream of its own, of which a session has 4,096 at a time. */
static void a_session_carries_any_number_of_messages(void **state) {
    (void)state;
    struct world *w = world_new(2, 6);
    world_pair(w, 0, 1);
    w->delay_us = 10;
    for (unsigned k = 0; k < 5; k++) {
        say_many(w, 0, "n1", 1000);
        world_run(w, 20 * S);
        struct contact_info c;
        assert_true(node_contact_get(w->nodes[0].node, w->now_us, "n1", &c));
        assert_int_equal(c.queued, 0);
        assert_true(c.online);
    }
    assert_int_equal(world_count(w, 0, NODE_PEER_UP), 1);
    world_free(w);
}

static void a_transfer_does_not_hold_up_a_message(void **state) {
    (void)state;
    struct world *w = world_new(2, 8);
    world_kill(w, 1);
    w->nodes[1].cfg.accept = ACCEPT_CONTACTS;
    world_start(w, 1);
    world_pair(w, 0, 1);
    w->disk_us = 2000;
    disk_fill(w, 0, "/a/long", 100 << 20, 1);
    const char *path = "/a/long";
    uint64_t id;
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_STARTED, 10 * S));
    world_run(w, 100000);
    uint64_t start = w->now_us;
    say(w, 0, "n1", "now");
    assert_non_null(world_wait(w, 1, NODE_MESSAGE, 10 * S));
    assert_true(w->now_us - start <= 20000);
    struct transfer_info t;
    assert_true(node_transfer_get(w->nodes[0].node, id, &t));
    assert_int_equal(t.state, TRANSFER_RUNNING);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_once_and_in_order_over_a_lossy_path),
        cmocka_unit_test(a_message_waits_for_a_peer_that_is_away),
        cmocka_unit_test(a_crash_neither_loses_nor_doubles),
        cmocka_unit_test(a_send_that_could_not_be_stored_is_not_promised),
        cmocka_unit_test(any_size_up_to_the_limit_arrives),
        cmocka_unit_test(the_outbox_is_bounded),
        cmocka_unit_test(both_ways_at_once_each_keeps_its_order),
        cmocka_unit_test(a_session_carries_any_number_of_messages),
        cmocka_unit_test(a_transfer_does_not_hold_up_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
