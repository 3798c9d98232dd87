/* A subscriber that does not read costs little: it loses progress first, then it is told and
 * closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "crypto/identity/identity.h"
#include "node/control/control.h"
#include "node/people/ticket.h"
#include "support_clients.h"

enum { S = 1000000 };

/* ---- subscribers ---- */

static void subscribe(struct talk *t) {
    talk_ask(t, "events.subscribe");
    json_decref(talk_result(t));
}

static void tell(struct clients *s, enum node_event_kind kind, unsigned count) {
    struct node_event e = {.kind = kind, .now_us = s->w->now_us, .contact = "somebody"};
    for (unsigned i = 0; i < count; i++)
        control_event(s->c, s->w->now_us, &e);
}

static size_t unread(struct clients *s, unsigned i) {
    const uint8_t *buf;
    size_t len = 0;
    return control_output(s->c, s->t[i].conn, &buf, &len) ? len : 0;
}

static void a_deaf_subscriber_loses_progress_first(void **state) {
    (void)state;
    struct clients *s = clients_open(1, 10);
    subscribe(&s->t[0]);
    s->t[0].deaf = true;
    tell(s, NODE_TRANSFER_PROGRESS, 100000);
    size_t soft = unread(s, 0);
    assert_true(soft > CONTROL_OUT_SOFT && soft < CONTROL_OUT_SOFT + 1000);
    tell(s, NODE_PEER_UP, 1);
    assert_true(unread(s, 0) > soft);
    assert_false(control_wants_close(s->c, s->t[0].conn));
    clients_close(s);
}

/* 65,536 paths take as long to unpack as to be carried out. */
static void a_large_request_is_unpacked_in_a_turn_of_its_own(void **state) {
    (void)state;
    enum { PATHS = 5000 };
    struct clients *s = clients_open(1, 23);
    char path[128];
    memset(path, 'p', sizeof path);
    path[0] = '/';
    struct proto_writer *w = talk_ask(&s->t[0], "transfer.send");
    proto_str(w, "contact", "nobody");
    proto_array(w, "paths");
    for (unsigned i = 0; i < PATHS; i++)
        proto_strn(w, NULL, path, sizeof path);
    proto_end(w);
    const uint32_t id = talk_send(&s->t[0]);
    assert_true(control_run(s->c, s->w->now_us));
    assert_true(control_last_work(s->c).bytes > PATHS * sizeof path);
    assert_true(control_has_work(s->c, s->t[0].conn));
    assert_int_equal(unread(s, 0), 0);
    assert_false(control_run(s->c, s->w->now_us));
    assert_true(unread(s, 0) > 0);
    json_t *r = talk_answer(&s->t[0], id, 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(r, 0), "code")),
                        "not_found");
    json_decref(r);
    /* Who goes between the two turns leaves nothing. */
    w = talk_ask(&s->t[0], "transfer.send");
    proto_str(w, "contact", "nobody");
    proto_array(w, "paths");
    for (unsigned i = 0; i < PATHS; i++)
        proto_strn(w, NULL, path, sizeof path);
    proto_end(w);
    talk_send(&s->t[0]);
    assert_true(control_run(s->c, s->w->now_us));
    clients_close(s);
}

/* Contacts write faster than it reads, and more than fits: it hears of every message all the
 * same. */
static void texts_do_not_make_a_subscriber_overflow(void **state) {
    (void)state;
    enum { MESSAGES = 200, BYTES = 60000 };
    struct clients *s = clients_open(1, 21);
    static char text[BYTES];
    uint64_t seq;
    memset(text, 'x', sizeof text);
    world_pair(s->w, 0, 1);
    subscribe(&s->t[0]);
    s->t[0].deaf = true;
    for (unsigned i = 0; i < MESSAGES; i++)
        assert_int_equal(
            node_message_send(s->w->nodes[1].node, s->w->now_us, "n0", text, sizeof text, &seq), 0);
    world_run(s->w, 60 * S);
    assert_int_equal(world_count(s->w, 0, NODE_MESSAGE), MESSAGES);
    assert_true(unread(s, 0) < CONTROL_OUT_SOFT + BYTES + MESSAGES * 500);
    s->t[0].deaf = false;
    json_t *all = json_array();
    for (unsigned i = 0; i < MESSAGES; i++) {
        json_t *e = talk_notice(&s->t[0], "message", 0);
        assert_non_null(e);
        const json_t *m = json_object_get(e, "message");
        assert_int_equal(json_is_object(m), unread(s, 0) == 0 && i < CONTROL_OUT_SOFT / BYTES + 1);
        json_array_append_new(all, e);
    }
    assert_false(s->t[0].closed);
    json_decref(all);
    clients_close(s);
}

static void a_deaf_subscriber_is_told_overflow_then_closed(void **state) {
    (void)state;
    struct clients *s = clients_open(2, 11);
    subscribe(&s->t[0]);
    subscribe(&s->t[1]);
    struct proto_writer *w = talk_ask(&s->t[0], "recv.start");
    proto_str(w, "dir", "/in");
    json_decref(talk_result(&s->t[0]));
    s->t[0].deaf = true;
    unsigned told = 0;
    for (size_t before = 0; unread(s, 0) > before || told == 0; told += 1000) {
        before = unread(s, 0);
        assert_true(before <= CONTROL_OUT_POOL / 2 + 1000);
        tell(s, NODE_PEER_UP, 1000);
        json_decref(talk_notice(&s->t[1], "peer.up", 0)); /* the other reads and loses nothing */
        assert_false(s->t[1].closed);
    }
    assert_true(told > 10000);
    assert_int_equal(control_input(s->c, s->w->now_us, s->t[0].conn, (const uint8_t *)"", 1),
                     ERR_PROTO);
    s->t[0].deaf = false;
    json_t *last = talk_notice(&s->t[0], "overflow", 0);
    assert_non_null(last);
    json_decref(last);
    assert_true(s->t[0].closed);
    /* What it had lost is the end: nothing follows. */
    assert_int_equal(unread(s, 0), 0);
    tell(s, NODE_PEER_UP, 1);
    assert_int_equal(unread(s, 0), 0);
    clients_close(s);
}

static void what_an_overflowed_subscriber_does_not_read_is_given_up(void **state) {
    (void)state;
    struct clients *s = clients_open(1, 12);
    subscribe(&s->t[0]);
    s->t[0].deaf = true;
    tell(s, NODE_PEER_UP, 200000);
    assert_true(unread(s, 0) > 1000000);
    assert_false(control_wants_close(s->c, s->t[0].conn));
    uint64_t at = control_deadline_us(s->c);
    assert_int_equal(at, s->w->now_us + CONTROL_LINGER_US);
    control_timeout(s->c, at);
    assert_int_equal(unread(s, 0), 0);
    assert_true(control_wants_close(s->c, s->t[0].conn));
    clients_close(s);
}

static void many_deaf_subscribers_leave_memory_for_the_next_client(void **state) {
    (void)state;
    struct clients *s = clients_open(CONTROL_CONNS_MAX, 13);
    for (unsigned i = 0; i + 1 < CONTROL_CONNS_MAX; i++) {
        subscribe(&s->t[i]);
        s->t[i].deaf = true;
    }
    size_t most = 0;
    for (unsigned k = 0; k < 200; k++) {
        size_t all = 0;
        tell(s, NODE_PEER_UP, 100);
        for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++)
            all += unread(s, i);
        most = all > most ? all : most;
    }
    assert_true(most > CONTROL_OUT_POOL / 4 * 3 && most <= CONTROL_OUT_POOL);
    talk_ask(&s->t[CONTROL_CONNS_MAX - 1], "version");
    json_decref(talk_result(&s->t[CONTROL_CONNS_MAX - 1]));
    clients_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deaf_subscriber_loses_progress_first),
        cmocka_unit_test(a_large_request_is_unpacked_in_a_turn_of_its_own),
        cmocka_unit_test(texts_do_not_make_a_subscriber_overflow),
        cmocka_unit_test(a_deaf_subscriber_is_told_overflow_then_closed),
        cmocka_unit_test(what_an_overflowed_subscriber_does_not_read_is_given_up),
        cmocka_unit_test(many_deaf_subscribers_leave_memory_for_the_next_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
