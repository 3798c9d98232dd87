/* The history: read in bounded steps however long it is, one person's whatever the name, and what
 * an earlier form of it becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/message/history.h"
#include "node/node_int.h"
#include "support_world.h"

enum { S = 1000000, LONG = 200000, PAGE = 200 };

/* ---- a store that counts how often it is asked ---- */
static struct store counted;
static uint64_t calls;

static int get(void *ctx, const char *table, const void *key, size_t key_len, void *value,
               size_t cap, size_t *len) {
    calls++;
    return counted.get(ctx, table, key, key_len, value, cap, len);
}

static int next(void *ctx, const char *table, void *key, size_t *key_len, void *value, size_t cap,
                size_t *len) {
    calls++;
    return counted.next(ctx, table, key, key_len, value, cap, len);
}

static int put(void *ctx, const char *table, const void *key, size_t key_len, const void *value,
               size_t value_len) {
    calls++;
    return counted.put(ctx, table, key, key_len, value, value_len);
}

static int del(void *ctx, const char *table, const void *key, size_t key_len) {
    calls++;
    return counted.del(ctx, table, key, key_len);
}

static void count_calls(struct world *w, unsigned i) {
    counted = w->nodes[i].env.store;
    w->nodes[i].env.store.get = get;
    w->nodes[i].env.store.next = next;
    w->nodes[i].env.store.put = put;
    w->nodes[i].env.store.del = del;
}

/* ---- messages as they were stored before conversations had books ---- */
static void put_old(const struct store *s, uint64_t seq, uint8_t flags, const struct node_id *peer,
                    const char *name, const char *text, bool with_id) {
    uint8_t key[8], value[512], id_key[48], *at = value;
    store_be64(key, seq);
    *at++ = 1;
    *at++ = flags; /* 1: outgoing, 2: delivered */
    memset(at, 0, 16);
    memcpy(at, key, 8); /* the id */
    at += 16;
    for (unsigned i = 0; i < 8; i++)
        *at++ = (uint8_t)(UINT64_C(1700000000000000) >> 8 * i);
    memcpy(at, peer->bytes, 32);
    at += 32;
    *at++ = (uint8_t)strlen(name);
    memcpy(at, name, strlen(name));
    at += strlen(name);
    memcpy(at, text, strlen(text));
    at += strlen(text);
    assert_int_equal(s->put(s->ctx, "messages", key, sizeof key, value, (size_t)(at - value)), 0);
    if (!with_id)
        return;
    memcpy(id_key, peer->bytes, 32);
    memcpy(id_key + 32, value + 2, 16);
    assert_int_equal(s->put(s->ctx, "message_ids", id_key, sizeof id_key, key, sizeof key), 0);
}

/* Node 0 with two contacts and a long history, all of it n1's but three of n2's. */
static struct world *long_history(uint64_t length) {
    struct world *w = world_new(3, 1);
    world_pair(w, 0, 1);
    world_pair(w, 0, 2);
    world_kill(w, 0);
    const struct store *s = &w->nodes[0].env.store;
    for (uint64_t seq = 1; seq <= length; seq++) {
        bool other = seq == 2 || seq == length / 2 || seq == length - 1;
        put_old(s, seq, 0, &w->nodes[other ? 2 : 1].identity.id, other ? "n2" : "n1", "text",
                other);
    }
    world_start(w, 0);
    return w;
}

static void a_page_costs_the_same_however_long_the_history_is(void **state) {
    (void)state;
    struct world *w = long_history(LONG);
    struct message_info m;
    /* A start reads it once to make its books, and never again. */
    world_kill(w, 0);
    count_calls(w, 0);
    calls = 0;
    world_start(w, 0);
    assert_in_range(calls, 1, 100);
    struct node *n = w->nodes[0].node;
    uint64_t after = 0;
    calls = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(node_message_next(n, after, "n2", &m));
        after = m.seq;
    }
    assert_int_equal(after, LONG - 1);
    assert_false(node_message_next(n, after, "n2", &m));
    assert_in_range(calls, 4, 20);
    uint64_t total = 0;
    bool more = true;
    for (after = 0; more;) {
        unsigned shown = 0;
        calls = 0;
        while (shown < PAGE && (more = node_message_next(n, after, "n1", &m))) {
            after = m.seq;
            shown++;
        }
        assert_true(calls <= 3 * PAGE + 3);
        total += shown;
    }
    assert_int_equal(total, LONG - 3);
    world_free(w);
}

static void a_long_history_is_deleted_in_bounded_steps(void **state) {
    (void)state;
    struct world *w = long_history(LONG / 20); /* the store in memory is slow at its front */
    world_kill(w, 0);
    count_calls(w, 0);
    world_start(w, 0);
    struct message_cut cut = {.more = true};
    uint64_t deleted = 0;
    while (cut.more) {
        calls = 0;
        assert_int_equal(
            node_message_delete(w->nodes[0].node, w->now_us, "n1", cut.last, UINT64_MAX, &cut), 0);
        assert_true(calls <= 4 * MESSAGES_DELETE_STEP + 8);
        deleted += cut.deleted;
    }
    assert_int_equal(deleted, LONG / 20 - 3);
    assert_int_equal(store_count(w, 0, "messages"), 3);
    world_free(w);
}

static void an_older_store_gets_its_books(void **state) {
    (void)state;
    struct world *w = world_new(2, 2);
    struct message_info m;
    struct contact_info c;
    world_pair(w, 0, 1);
    world_kill(w, 0);
    const struct store *s = &w->nodes[0].env.store;
    const struct node_id *n1 = &w->nodes[1].identity.id;
    put_old(s, 3, 0, n1, "n1", "came", true);
    put_old(s, 4, 3, n1, "n1", "went", false);
    put_old(s, 9, 1, n1, "n1", "waits", false);
    /* An id whose message was never stored: it must come again. */
    uint8_t orphan[48] = {0}, place[40], seq[8];
    memcpy(orphan, n1->bytes, 32);
    memset(orphan + 32, 5, 16);
    store_be64(seq, 10);
    assert_int_equal(s->put(s->ctx, "message_ids", orphan, sizeof orphan, seq, sizeof seq), 0);
    /* What waits, and what was never stored. */
    for (uint64_t waits = 9; waits <= 12; waits += 3) {
        memcpy(place, n1->bytes, 32);
        store_be64(place + 32, waits);
        assert_int_equal(s->put(s->ctx, "outbox", place, sizeof place, "", 0), 0);
    }
    for (unsigned start = 0; start < 2; start++) {
        if (start)
            world_kill(w, 0);
        w->nodes[1].unplugged = start == 0;
        world_start(w, 0);
        struct node *n = w->nodes[0].node;
        assert_true(node_message_next(n, 0, "n1", &m));
        assert_int_equal(m.seq, 3);
        assert_int_equal(m.state, MESSAGE_RECEIVED);
        assert_true(node_message_next(n, 3, "n1", &m));
        assert_int_equal(m.state, MESSAGE_DELIVERED);
        assert_true(node_message_next(n, 4, "n1", &m));
        assert_int_equal(m.state, MESSAGE_QUEUED);
        assert_true(node_contact_get(n, w->now_us, "n1", &c));
        assert_int_equal(c.queued, 1);
        assert_int_equal(c.message_bytes, 4 + MESSAGE_OVERHEAD_BYTES);
        assert_int_equal(store_count(w, 0, "message_ids"), 1);
        assert_int_equal(store_count(w, 0, "outbox"), 1);
    }
    uint64_t next_seq;
    assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "new", 3, &next_seq), 0);
    assert_true(next_seq > 12); /* also above what was never stored */
    world_run(w, 400 * S);
    assert_true(node_message_next(w->nodes[1].node, 0, "n0", &m));
    assert_memory_equal(m.text, "waits", 5);
    assert_true(node_message_next(w->nodes[1].node, m.seq, "n0", &m));
    assert_memory_equal(m.text, "new", 3);
    assert_int_equal(world_count(w, 0, NODE_MESSAGE), 0); /* nothing old is told as new */
    world_free(w);
}

static uint64_t say(struct world *w, unsigned from, const char *to, const char *text) {
    uint64_t seq = 0;
    assert_int_equal(
        node_message_send(w->nodes[from].node, w->now_us, to, text, strlen(text), &seq), 0);
    return seq;
}

static void a_name_used_again_does_not_merge_two_people(void **state) {
    (void)state;
    struct world *w = world_new(3, 3);
    struct message_info m;
    char ticket[TICKET_TEXT_MAX + 1], id[NODE_ID_TEXT_CHARS + 1];
    world_pair(w, 0, 1);
    say(w, 1, "n0", "from the first");
    world_run(w, 5 * S);
    assert_int_equal(node_contact_remove(w->nodes[0].node, w->now_us, "n1"), 0);
    assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, "n1", 3600, ticket), 0);
    assert_int_equal(node_contact_add(w->nodes[2].node, w->now_us, "n0", ticket), 0);
    say(w, 2, "n0", "from the second");
    world_run(w, 20 * S);
    struct node *n = w->nodes[0].node;
    assert_true(node_message_next(n, 0, "n1", &m));
    assert_memory_equal(m.text, "from the second", 15);
    assert_true(node_id_equal(&m.node, &w->nodes[2].identity.id));
    assert_false(node_message_next(n, m.seq, "n1", &m));
    /* The first one's is there still, by its id. */
    node_id_text(&w->nodes[1].identity.id, id);
    assert_true(node_message_with(n, id));
    assert_true(node_message_next(n, 0, id, &m));
    assert_memory_equal(m.text, "from the first", 14);
    assert_true(node_id_equal(&m.node, &w->nodes[1].identity.id));
    assert_false(node_message_next(n, m.seq, id, &m));
    struct message_cut cut;
    assert_int_equal(node_message_delete(n, w->now_us, id, 0, UINT64_MAX, &cut), 0);
    assert_int_equal(cut.deleted, 1);
    assert_true(node_message_next(n, 0, "n1", &m));
    world_free(w);
}

static void what_waits_for_a_removed_contact_is_never_sent(void **state) {
    (void)state;
    for (unsigned restart = 0; restart < 2; restart++) {
        struct world *w = world_new(2, 4 + restart);
        struct message_info m;
        char ticket[TICKET_TEXT_MAX + 1];
        world_pair(w, 0, 1);
        w->nodes[1].unplugged = true;
        uint64_t old = say(w, 0, "n1", "not meant any more");
        world_run(w, 5 * S);
        assert_int_equal(node_contact_remove(w->nodes[0].node, w->now_us, "n1"), 0);
        assert_true(node_message_next(w->nodes[0].node, old - 1, NULL, &m));
        assert_int_equal(m.state, MESSAGE_CANCELLED);
        if (restart) {
            world_kill(w, 0);
            world_start(w, 0);
            assert_int_equal(store_count(w, 0, "outbox"), 0);
        }
        w->nodes[1].unplugged = false;
        assert_int_equal(node_contact_remove(w->nodes[1].node, w->now_us, "n0"), 0);
        assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, "n1", 3600, ticket), 0);
        assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "n0", ticket), 0);
        world_run(w, 20 * S);
        say(w, 0, "n1", "meant");
        world_run(w, 400 * S);
        assert_true(node_message_next(w->nodes[1].node, 0, NULL, &m));
        assert_memory_equal(m.text, "meant", 5);
        assert_false(node_message_next(w->nodes[1].node, m.seq, NULL, &m));
        world_free(w);
    }
}

static void no_message_is_from_the_future(void **state) {
    (void)state;
    struct world *w = world_new(2, 6);
    struct message_info m;
    world_pair(w, 0, 1);
    const uint64_t wall = UINT64_C(1700000000000000);
    node_set_wall(w->nodes[0].node, w->now_us, wall + UINT64_C(3600) * S);
    node_set_wall(w->nodes[1].node, w->now_us, wall);
    say(w, 0, "n1", "from a fast clock");
    say(w, 1, "n0", "from a slow one");
    world_run(w, 5 * S);
    for (unsigned i = 0; i < 2; i++) { /* an early time is believed */
        const char *other = i ? "n0" : "n1";
        unsigned come = 0;
        for (uint64_t after = 0; node_message_next(w->nodes[i].node, after, other, &m);
             after = m.seq)
            if (!m.outgoing) {
                come++;
                assert_in_range(m.wall_us, wall, wall + 5 * S);
            }
        assert_int_equal(come, 1);
    }
    world_free(w);
}

static unsigned messages_with(struct world *w, unsigned i, const char *contact) {
    struct message_info m;
    unsigned count = 0;
    for (uint64_t after = 0; node_message_next(w->nodes[i].node, after, contact, &m); after = m.seq)
        count++;
    return count;
}

/* Damaged in any of its places, one message cannot be shown; the others can, and what had come but
 * not been told is told. */
static void a_damaged_message_hides_no_other(void **state) {
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct world *w = long_history(9);
        assert_int_equal(messages_with(w, 0, "n1"), 6);
        world_kill(w, 0);
        const struct store *s = &w->nodes[0].env.store;
        static uint8_t junk[STORE_VALUE_MAX];
        uint8_t key[8];
        store_be64(key, 3);
        if (how < 3)
            assert_int_equal(s->put(s->ctx, "messages", key, sizeof key, junk,
                                    (size_t[]){0, 60, sizeof junk}[how]),
                             0);
        else
            assert_int_equal(s->del(s->ctx, "messages", key, sizeof key), 0);
        store_be64(key, 2);
        assert_int_equal(s->put(s->ctx, "message_state", "told", 4, key, sizeof key), 0);
        const unsigned told = world_count(w, 0, NODE_MESSAGE);
        world_start(w, 0);
        world_run(w, S);
        assert_int_equal(messages_with(w, 0, "n1"), 5);
        assert_int_equal(messages_with(w, 0, "n2"), 3);
        assert_int_equal(messages_with(w, 0, NULL), 8);
        assert_int_equal(world_count(w, 0, NODE_MESSAGE) - told, 6);
        say(w, 1, "n0", "a new one");
        world_run(w, 30 * S); /* it first has to notice that the other has restarted */
        assert_int_equal(messages_with(w, 0, NULL), 9);
        world_free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_costs_the_same_however_long_the_history_is),
        cmocka_unit_test(a_long_history_is_deleted_in_bounded_steps),
        cmocka_unit_test(an_older_store_gets_its_books),
        cmocka_unit_test(a_name_used_again_does_not_merge_two_people),
        cmocka_unit_test(what_waits_for_a_removed_contact_is_never_sent),
        cmocka_unit_test(a_damaged_message_hides_no_other),
        cmocka_unit_test(no_message_is_from_the_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
