/* Messages and a store that fails: at every write, commit and barrier of a conversation the write
 * fails, the process dies, or the power is cut. What was told to be stored arrives once, in order,
 * at the one it was for; what was not told arrives at most once.
 */
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

enum { S = 1000000, MS = 1000, LINES = 4, STEPS = 120 };

/* ---- a conversation, and what must be true of it ---- */
struct line { /* what node `from` says */
    unsigned from;
    char text[16];
    uint64_t seq;  /* of its last attempt; 0: never accepted */
    bool promised; /* NODE_MESSAGE_QUEUED was seen */
};

struct talk_case {
    struct world *w;
    struct line lines[2 * LINES];
    unsigned said, seen[2];
};

static void begin(struct talk_case *t, uint64_t seed) {
    memset(t, 0, sizeof *t);
    t->w = world_new(2, seed);
    t->w->sync_us = 5 * MS;
    world_pair(t->w, 0, 1);
    world_run(t->w, S);
    world_sync(t->w, 0); /* the pairing is not what is tested here */
    world_sync(t->w, 1);
    t->seen[0] = t->w->nodes[0].log_count;
    t->seen[1] = t->w->nodes[1].log_count;
}

/* Notes which messages were promised: a seq that a power cut took is given again. */
static void listen(struct talk_case *t) {
    for (unsigned i = 0; i < 2; i++) {
        struct world_node *n = &t->w->nodes[i];
        for (; t->seen[i] < n->log_count; t->seen[i]++) {
            const struct node_event *e = &n->log[t->seen[i]];
            for (unsigned k = 0; k < t->said; k++)
                if (e->kind == NODE_MESSAGE_QUEUED && t->lines[k].from == i &&
                    t->lines[k].seq == e->id)
                    t->lines[k].promised = true;
        }
    }
}

static void say_next(struct talk_case *t) {
    unsigned k = t->said;
    struct line *l = &t->lines[k];
    l->from = k % 2;
    snprintf(l->text, sizeof l->text, "line %u", k);
    if (world_dead(&t->w->nodes[l->from]))
        return; /* said later */
    t->said++;
    int err = node_message_send(t->w->nodes[l->from].node, t->w->now_us, l->from ? "n0" : "n1",
                                l->text, strlen(l->text), &l->seq);
    if (err)
        l->seq = 0;
    for (unsigned i = 0; i < k; i++) /* the earlier one is gone, if its number is given again */
        if (l->seq && t->lines[i].from == l->from && t->lines[i].seq == l->seq) {
            assert_false(t->lines[i].promised);
            t->lines[i].seq = 0;
        }
}

/* How often node i's history has this text, and that it is from or to the right one. */
static unsigned times(struct talk_case *t, unsigned i, const struct line *l, bool *delivered) {
    struct message_info m;
    unsigned found = 0;
    for (uint64_t after = 0; node_message_next(t->w->nodes[i].node, after, NULL, &m); after = m.seq)
        if (m.len == strlen(l->text) && memcmp(m.text, l->text, m.len) == 0) {
            found++;
            assert_int_equal(m.outgoing, l->from == i);
            assert_string_equal(m.contact, i ? "n0" : "n1");
            *delivered = m.delivered;
        }
    return found;
}

static void assert_in_order(struct talk_case *t, unsigned i) {
    struct message_info m;
    char last[16] = "";
    for (uint64_t after = 0; node_message_next(t->w->nodes[i].node, after, NULL, &m);
         after = m.seq) {
        if (m.outgoing)
            continue;
        assert_true(m.len < sizeof last);
        assert_true(strncmp(last, m.text, m.len) < 0);
        memset(last, 0, sizeof last);
        memcpy(last, m.text, m.len);
    }
}

static void check(struct talk_case *t) {
    listen(t);
    for (unsigned k = 0; k < t->said; k++) {
        const struct line *l = &t->lines[k];
        bool here_delivered = false, there_delivered = false;
        unsigned here = times(t, l->from, l, &here_delivered);
        unsigned there = times(t, !l->from, l, &there_delivered);
        if (l->promised) {
            assert_int_equal(here, 1);
            assert_int_equal(there, 1);
        }
        assert_in_range(here, 0, 1);
        assert_int_equal(here, there); /* what never left this node is not there either */
        assert_true(here == 0 || here_delivered);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_in_order(t, i);
        assert_int_equal(store_count(t->w, i, "outbox"), 0);
    }
}

enum fate { FAILS_ONCE, FAILS_A_WHILE, DIES, LOSES_POWER, LOSES_POWER_BUT_ONE, FATES };

/* The fate has struck node i. */
static void befall(struct talk_case *t, unsigned i, enum fate f) {
    struct world *w = t->w;
    switch (f) {
    case FAILS_ONCE:
    case FAILS_A_WHILE:
        store_die_at(w, i, 0);
        return;
    case DIES:
        world_kill(w, i);
        break;
    case LOSES_POWER:
    case LOSES_POWER_BUT_ONE:
        world_power_cut(w, i, f == LOSES_POWER_BUT_ONE);
        break;
    case FATES:
        fail();
    }
    world_run(w, 200 * MS);
    listen(t);
    world_start(w, i);
}

/* False if the conversation ended before the n-th write. */
static bool at_write(unsigned who, unsigned nth, enum fate f) {
    struct talk_case t;
    bool hit = false;
    begin(&t, 1000 + nth);
    t.w->nodes[who].mortal = f >= DIES;
    store_die_at(t.w, who, nth);
    for (unsigned step = 0; step < STEPS; step++) {
        if (step % 5 == 0 && t.said < 2 * LINES)
            say_next(&t);
        world_run(t.w, 2 * MS);
        if (!hit && store_mem_failed(t.w->nodes[who].store) &&
            (f != FAILS_A_WHILE || step % 20 == 19)) {
            hit = true;
            listen(&t);
            befall(&t, who, f);
        }
        listen(&t);
    }
    store_die_at(t.w, who, 0);
    while (t.said < 2 * LINES)
        say_next(&t);
    world_run(t.w, 700 * S);
    check(&t);
    world_free(t.w);
    return hit;
}

static void at_every_write(void **state) {
    (void)state;
    for (unsigned f = 0; f < FATES; f++)
        for (unsigned who = 0; who < 2; who++) {
            unsigned nth = 1;
            while (at_write(who, nth, (enum fate)f))
                nth++;
            assert_in_range(nth, 40, 200); /* 4 sent, 4 come, each 5 rows and a commit and more */
        }
}

/* The power goes at any moment, also while a barrier is under way. */
static void at_every_moment(void **state) {
    (void)state;
    for (unsigned who = 0; who < 2; who++)
        for (unsigned at = 1; at < STEPS; at++)
            for (unsigned f = DIES; f < FATES; f++) {
                struct talk_case t;
                begin(&t, 5000 + at);
                for (unsigned step = 0; step < STEPS; step++) {
                    if (step % 9 == 0 && t.said < 2 * LINES)
                        say_next(&t);
                    world_run(t.w, MS);
                    listen(&t);
                    if (step == at)
                        befall(&t, who, (enum fate)f);
                }
                while (t.said < 2 * LINES)
                    say_next(&t);
                world_run(t.w, 700 * S);
                check(&t);
                world_free(t.w);
            }
}

static void a_barrier_that_fails_delays_and_loses_nothing(void **state) {
    (void)state;
    for (unsigned who = 0; who < 2; who++)
        for (unsigned nth = 0; nth < 12; nth++)
            for (unsigned cut = 0; cut < 2; cut++) {
                struct talk_case t;
                begin(&t, 9000 + nth);
                store_mem_fail_sync(t.w->nodes[who].store, nth, ERR_IO);
                for (unsigned step = 0; step < STEPS; step++) {
                    if (step % 5 == 0 && t.said < 2 * LINES)
                        say_next(&t);
                    world_run(t.w, 10 * MS);
                    listen(&t);
                }
                if (cut)
                    befall(&t, who, LOSES_POWER);
                store_mem_fail_sync(t.w->nodes[who].store, 0, 0);
                world_run(t.w, 700 * S);
                check(&t);
                world_free(t.w);
            }
}

/* ---- promises, one by one ---- */
static void nothing_is_told_before_it_is_safe(void **state) {
    (void)state;
    struct world *w = world_new(2, 1);
    struct message_info m;
    uint64_t seq;
    world_pair(w, 0, 1);
    world_run(w, S);
    w->sync_us = 300 * MS;
    assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
    world_run(w, 299 * MS); /* not safe here: not shown, not told, not sent */
    assert_false(node_message_next(w->nodes[0].node, 0, NULL, &m));
    assert_int_equal(world_count(w, 0, NODE_MESSAGE_QUEUED), 0);
    assert_int_equal(store_count(w, 1, "messages"), 0);
    world_run(w, 100 * MS); /* safe here, come there, but not safe there */
    assert_int_equal(world_count(w, 0, NODE_MESSAGE_QUEUED), 1);
    assert_int_equal(store_count(w, 1, "messages"), 1);
    assert_false(node_message_next(w->nodes[1].node, 0, NULL, &m));
    assert_int_equal(world_count(w, 1, NODE_MESSAGE), 0);
    assert_int_equal(world_count(w, 0, NODE_MESSAGE_DELIVERED), 0);
    world_run(w, 300 * MS);
    assert_int_equal(world_count(w, 1, NODE_MESSAGE), 1);
    assert_int_equal(world_count(w, 0, NODE_MESSAGE_DELIVERED), 1);
    world_free(w);
}

/* It was stored and not safe yet when the process died: the sender repeats it, and it is known; the
 * user is told all the same, once. */
static void what_came_before_a_death_is_told_after_it(void **state) {
    (void)state;
    struct world *w = world_new(2, 2);
    uint64_t seq;
    world_pair(w, 0, 1);
    world_run(w, S);
    for (unsigned round = 1; round <= 3; round++) {
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
        world_run(w, 5 * MS);
        w->sync_us = 300 * MS;
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "y", 1, &seq), 0);
        world_run(w, 310 * MS);
        assert_int_equal(store_count(w, 1, "messages"), 2 * round);
        assert_int_equal(world_count(w, 1, NODE_MESSAGE), 2 * round - 1);
        world_kill(w, 1);
        w->sync_us = 0;
        world_start(w, 1);
        world_run(w, 60 * S);
        assert_int_equal(world_count(w, 1, NODE_MESSAGE), 2 * round);
        assert_int_equal(world_count(w, 0, NODE_MESSAGE_DELIVERED), 2 * round);
    }
    world_free(w);
}

/* Node `to`'s history has `text` so many times. */
static unsigned has(struct world *w, unsigned i, const char *text) {
    struct message_info m;
    unsigned found = 0;
    for (uint64_t after = 0; node_message_next(w->nodes[i].node, after, NULL, &m); after = m.seq)
        found += m.len == strlen(text) && memcmp(m.text, text, m.len) == 0;
    return found;
}

static int say(struct world *w, const char *to, const char *text) {
    uint64_t seq;
    return node_message_send(w->nodes[0].node, w->now_us, to, text, strlen(text), &seq);
}

static void a_failed_write_sends_nothing_to_the_wrong_contact(void **state) {
    (void)state;
    for (unsigned nth = 1; nth <= 8; nth++) {
        struct world *w = world_new(3, 10 + nth);
        world_pair(w, 0, 1);
        world_pair(w, 0, 2);
        w->nodes[1].unplugged = w->nodes[2].unplugged = true;
        world_run(w, 60 * S);
        store_die_at(w, 0, nth);
        int err = say(w, "n1", "for n1, not promised");
        store_die_at(w, 0, 0);
        assert_int_equal(say(w, "n2", "for n2 alone"), 0);
        assert_int_equal(say(w, "n1", "for n1"), 0);
        w->nodes[1].unplugged = false;
        world_run(w, 400 * S);
        assert_int_equal(has(w, 1, "for n2 alone"), 0);
        assert_int_equal(has(w, 1, "for n1, not promised"), err == 0);
        assert_int_equal(has(w, 1, "for n1"), 1);
        world_kill(w, 0);
        world_start(w, 0);
        w->nodes[2].unplugged = false;
        world_run(w, 700 * S);
        assert_int_equal(has(w, 2, "for n2 alone"), 1);
        assert_int_equal(has(w, 2, "for n1"), 0);
        world_free(w);
    }
}

static void pay_nothing(const struct owed *o) {
    (void)o;
}

/* Entries as an earlier version left them behind, or a damaged database has. */
static void entries_that_are_no_messages_to_this_contact_never_leave(void **state) {
    (void)state;
    for (unsigned restart = 0; restart < 2; restart++) {
        struct world *w = world_new(3, 30 + restart);
        struct message_info m;
        struct contact_info c;
        world_pair(w, 0, 1);
        world_pair(w, 0, 2);
        uint64_t come;
        assert_int_equal(node_message_send(w->nodes[2].node, w->now_us, "n0", "private", 7, &come),
                         0);
        world_run(w, 5 * S);
        assert_true(node_message_next(w->nodes[0].node, 0, NULL, &m));
        w->nodes[2].unplugged = true;
        assert_int_equal(say(w, "n2", "for n2 alone"), 0);
        world_run(w, S);
        struct node *n = w->nodes[0].node;
        const struct node_id n1 = w->nodes[1].identity.id;
        uint64_t back;
        assert_int_equal(node_message_send(w->nodes[1].node, w->now_us, "n0", "from n1", 7, &back),
                         0);
        assert_int_equal(say(w, "n1", "had it"), 0);
        world_run(w, 5 * S);
        const uint64_t top =
            n->messages.history.last_seq; /* both in some order: one came, one is delivered */
        assert_int_equal(has(w, 1, "had it"), 1);
        assert_int_equal(outbox_put(&n->messages.history.dialogs, &n1, top), 0);
        assert_int_equal(outbox_put(&n->messages.history.dialogs, &n1, top - 1), 0);
        uint64_t bad; /* and one that was refused for good */
        struct entry e = {.outgoing = true, .peer = n1, .text = "failed", .len = 6, .id = {9}};
        assert_int_equal(
            history_queue(&n->messages.history, &e, &(struct owed){.run = pay_nothing}, &bad), 0);
        assert_int_equal(history_settle(&n->messages.history, &n1, bad, ERR_PROTO), 0);
        assert_int_equal(outbox_put(&n->messages.history.dialogs, &n1, bad), 0);
        contact_by_name(&n->contacts, "n1")->peering->queued +=
            4; /* and one too many was counted */
        n->messages.queued += 4;
        assert_int_equal(outbox_put(&n->messages.history.dialogs, &n1, m.seq),
                         0); /* it came from n2 */
        assert_int_equal(outbox_put(&n->messages.history.dialogs, &n1, m.seq + 1),
                         0); /* it goes to n2 */
        contact_by_name(&n->contacts, "n1")->peering->queued += 2;
        n->messages.queued += 2;
        if (restart) {
            assert_int_equal(outbox_put(&n->messages.history.dialogs, &n1, 77),
                             0); /* there is none */
            world_kill(w, 0);
            store_die_at(w, 0, 1); /* a full disk is no reason not to start */
            world_start(w, 0);
            store_die_at(w, 0, 0);
            n = w->nodes[0].node;
        }
        assert_int_equal(say(w, "n1", "for n1"), 0);
        world_run(w, 400 * S);
        assert_int_equal(has(w, 1, "private"), 0);
        assert_int_equal(has(w, 1, "for n2 alone"), 0);
        assert_int_equal(has(w, 1, "for n1"), 1);
        assert_int_equal(has(w, 1, "from n1"), 1); /* it does not come back */
        assert_int_equal(has(w, 1, "failed"), 0);
        assert_int_equal(world_count(w, 0, NODE_MESSAGE_DELIVERED), 2); /* "had it" is told once */
        assert_true(node_contact_get(n, w->now_us, "n1", &c));
        assert_int_equal(c.queued, 0);
        assert_int_equal(store_count(w, 0, "outbox"), 1); /* what waits for n2 */
        w->nodes[2].unplugged = false;
        world_run(w, 400 * S);
        assert_int_equal(has(w, 2, "for n2 alone"), 1);
        world_free(w);
    }
}

/* Whatever was cut short before: nothing has to be written at a start. */
static void a_full_disk_is_no_reason_not_to_start(void **state) {
    (void)state;
    for (unsigned sent = 0; sent < 2; sent++) {
        struct world *w = world_new(2, 40);
        struct message_info m;
        world_pair(w, 0, 1);
        w->nodes[1].unplugged = true;
        if (sent)
            assert_int_equal(say(w, "n1", "waits"), 0);
        world_run(w, S);
        store_die_at(w, 0, 2);
        assert_int_not_equal(say(w, "n1", "never stored"), 0);
        const uint8_t *id = w->nodes[1].identity.id.bytes;
        uint8_t place[40] = {0};
        memcpy(place, id, 32);
        place[39] = 9;
        store_die_at(w, 0, 0);
        const struct store *s = &w->nodes[0].env.store;
        assert_int_equal(s->put(s->ctx, "outbox", place, sizeof place, "", 0), 0); /* an orphan */
        world_kill(w, 0);
        store_die_at(w, 0, 1);
        world_start(w, 0); /* asserts that it does */
        assert_int_equal(node_message_next(w->nodes[0].node, 0, "n1", &m), sent);
        store_die_at(w, 0, 0);
        assert_int_equal(say(w, "n1", "after"), 0);
        w->nodes[1].unplugged = false;
        world_run(w, 700 * S);
        assert_int_equal(has(w, 1, "waits"), sent);
        assert_int_equal(has(w, 1, "after"), 1);
        world_free(w);
    }
}

static void a_number_is_given_once(void **state) {
    (void)state;
    struct world *w = world_new(2, 50);
    uint64_t seq = 0, last = 0;
    struct message_cut cut;
    world_pair(w, 0, 1);
    for (unsigned round = 0; round < 6; round++) {
        store_die_at(w, 0, round + 1);
        int err = node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq);
        store_die_at(w, 0, 0);
        if (!err)
            assert_true(seq > last);
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
        assert_true(seq > last);
        last = seq;
        world_run(w, 10 * S);
        /* The latest is deleted, and the process starts again: its number is not given again. */
        assert_int_equal(
            node_message_delete(w->nodes[0].node, w->now_us, "n1", 0, UINT64_MAX, &cut), 0);
        assert_true(cut.deleted >= 1);
        world_kill(w, 0);
        world_start(w, 0);
        world_run(w, 10 * S);
    }
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_every_write),
        cmocka_unit_test(at_every_moment),
        cmocka_unit_test(a_barrier_that_fails_delays_and_loses_nothing),
        cmocka_unit_test(nothing_is_told_before_it_is_safe),
        cmocka_unit_test(what_came_before_a_death_is_told_after_it),
        cmocka_unit_test(a_failed_write_sends_nothing_to_the_wrong_contact),
        cmocka_unit_test(entries_that_are_no_messages_to_this_contact_never_leave),
        cmocka_unit_test(a_full_disk_is_no_reason_not_to_start),
        cmocka_unit_test(a_number_is_given_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
