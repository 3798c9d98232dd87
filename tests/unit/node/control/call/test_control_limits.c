/* Each limit that a client of the control API can meet is told by name, with its number and a
 * sentence of its own; and so is why a transfer cannot be accepted, rejected or cancelled any
 * more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/control.h"
#include "node/node_int.h"
#include "support_scene.h"

enum { S = 1000000 };

/* The request that was opened fails with this limit. */
static void meets(struct talk *t, enum limit limit, uint64_t max) {
    json_t *e = talk_error(t);
    const json_t *l = json_object_get(e, "limit");
    char number[LIMIT_TEXT_MAX];
    assert_string_equal(text_of(e, "code"), err_name(limit_err(limit)));
    assert_string_equal(text_of(e, "side"), "local");
    assert_string_equal(text_of(l, "name"), limit_name(limit));
    assert_int_equal(json_integer_value(json_object_get(l, "max")), max);
    limit_text(number, limit, max);
    assert_non_null(strstr(text_of(e, "text"), number));
    assert_non_null(strstr(text_of(e, "text"), "fixed"));
    json_decref(e);
}

static uint64_t send_file(struct scene *s) {
    struct proto_writer *w = talk_ask(&s->a, "transfer.send");
    proto_str(w, "contact", "n1");
    proto_array(w, "paths");
    proto_str(w, NULL, "/f");
    proto_end(w);
    json_t *r = talk_result(&s->a);
    uint64_t id = (uint64_t)json_integer_value(json_object_get(r, "id"));
    json_decref(r);
    return id;
}

static void limits_of_the_node_are_told_by_name(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 1);
    struct node *n = s->w->nodes[0].node;
    uint64_t id;
    char ticket[TICKET_TEXT_MAX + 1];
    for (unsigned i = 0; i < TICKETS_OPEN_MAX; i++)
        assert_int_equal(node_ticket_new(n, s->w->now_us, NULL, 60, ticket), 0);
    talk_ask(&s->a, "ticket.new");
    meets(&s->a, LIMIT_TICKETS, TICKETS_OPEN_MAX);

    for (unsigned i = 0; i < PINGS_MAX; i++)
        assert_int_equal(node_ping(n, s->w->now_us, "n1", UINT64_C(1) << 40, &id), 0);
    proto_str(talk_ask(&s->a, "peer.ping"), "name", "n1");
    meets(&s->a, LIMIT_PINGS, PINGS_MAX);

    for (unsigned i = 0; i < RECV_RULES_MAX; i++)
        assert_int_equal(node_recv_start(n, s->w->now_us, "/in", NULL, false, &id), 0);
    proto_str(talk_ask(&s->a, "recv.start"), "dir", "/in");
    meets(&s->a, LIMIT_RECVS, RECV_RULES_MAX);

    s->w->nodes[1].unplugged = true;
    contact_by_name(&n->contacts, "n1")->peering->queued = OUTBOX_MAX;
    struct proto_writer *w = talk_ask(&s->a, "message.send");
    proto_str(w, "contact", "n1");
    proto_str(w, "text", "x");
    meets(&s->a, LIMIT_OUTBOX, OUTBOX_MAX);
    contact_by_name(&n->contacts, "n1")->peering->queued = 0;

    n->keep.owed += KEEP_OWED_MAX;
    w = talk_ask(&s->a, "message.send");
    proto_str(w, "contact", "n1");
    proto_str(w, "text", "x");
    meets(&s->a, LIMIT_UNSYNCED, KEEP_OWED_MAX);
    n->keep.owed -= KEEP_OWED_MAX;

    disk_fill(s->w, 0, "/f", 10, 1);
    for (unsigned i = 0; i < TRANSFERS_MAX; i++)
        send_file(s);
    w = talk_ask(&s->a, "transfer.send");
    proto_str(w, "contact", "n1");
    proto_array(w, "paths");
    proto_str(w, NULL, "/f");
    proto_end(w);
    meets(&s->a, LIMIT_TRANSFERS, TRANSFERS_MAX);
    /* What one client has met is not told to the next. */
    assert_int_equal(node_message_send(n, s->w->now_us, "n1", "", 0, &id), ERR_USAGE);
    proto_str(talk_ask(&s->a, "peer.ping"), "name", "nobody");
    json_t *e = talk_error(&s->a);
    assert_true(json_is_null(json_object_get(e, "limit")));
    json_decref(e);
    scene_close(s);
}

static void limits_of_a_connection_are_told_by_name(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 2);
    s->w->nodes[1].unplugged = true;
    for (unsigned i = 0; i < CONTROL_PINGS_MAX; i++) {
        struct proto_writer *w = talk_ask(&s->a, "peer.ping");
        proto_str(w, "name", "n1");
        proto_uint(w, "timeout_us", 1000 * S);
        talk_send(&s->a);
    }
    proto_str(talk_ask(&s->a, "peer.ping"), "name", "n1");
    meets(&s->a, LIMIT_PINGS_CONNECTION, CONTROL_PINGS_MAX);
    for (unsigned i = 0; i < CONTROL_RECVS_MAX; i++) {
        proto_str(talk_ask(&s->a, "recv.start"), "dir", "/in");
        json_decref(talk_result(&s->a));
    }
    proto_str(talk_ask(&s->a, "recv.start"), "dir", "/in");
    meets(&s->a, LIMIT_RECVS_CONNECTION, CONTROL_RECVS_MAX);
    for (unsigned i = 0; i < CONTROL_WAITS_MAX; i++) {
        struct proto_writer *w = talk_ask(&s->a, "wait");
        proto_str(w, "for", "contact");
        proto_str(w, "name", "nobody");
        talk_send(&s->a);
    }
    struct proto_writer *w = talk_ask(&s->a, "wait");
    proto_str(w, "for", "contact");
    proto_str(w, "name", "nobody");
    meets(&s->a, LIMIT_REQUESTS, CONTROL_WAITS_MAX);
    scene_close(s);
}

/* ---- too late, or not the right one ---- */

static void is_told(struct talk *t, const char *method, uint64_t id, const char *words) {
    proto_uint(talk_ask(t, method), "id", id);
    json_t *e = talk_error(t);
    assert_string_equal(text_of(e, "code"), "usage");
    if (!strstr(text_of(e, "text"), words))
        fail_msg("%s: \"%s\" instead of \"%s\"", method, text_of(e, "text"), words);
    json_decref(e);
}

static void done(struct talk *t, const char *method, uint64_t id) {
    struct proto_writer *w = talk_ask(t, method);
    proto_uint(w, "id", id);
    if (strcmp(method, "transfer.accept") == 0)
        proto_str(w, "dir", "/in");
    json_decref(talk_result(t));
}

static void what_comes_too_late_is_told_why(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 3);
    s->w->disk_us = 1000;
    s->w->nodes[1].node->files.recv.rules.download_dir[0] = '\0';
    disk_fill(s->w, 0, "/f", 20 << 20, 1);
    uint64_t id = send_file(s);
    assert_non_null(world_wait(s->w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    is_told(&s->a, "transfer.accept", id, "sent by this node");
    is_told(&s->a, "transfer.reject", id, "can be rejected");
    is_told(&s->peer, "transfer.accept", 1, "no directory");
    done(&s->peer, "transfer.accept", 1);
    is_told(&s->peer, "transfer.accept", 1, "accepted already, into /in");
    is_told(&s->peer, "transfer.reject", 1, "accepted already, into /in");
    assert_non_null(world_wait(s->w, 0, NODE_TRANSFER_DONE, 100 * S));
    is_told(&s->peer, "transfer.accept", 1, "is done: there is nothing to accept");
    is_told(&s->peer, "transfer.reject", 1, "is done: there is nothing to reject");
    is_told(&s->peer, "transfer.cancel", 1, "is done: there is nothing to cancel");
    is_told(&s->a, "transfer.cancel", id, "is done");

    id = send_file(s);
    assert_non_null(world_wait(s->w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    done(&s->peer, "transfer.reject", 2);
    world_run(s->w, S);
    is_told(&s->peer, "transfer.accept", 2, "was rejected here already");
    is_told(&s->a, "transfer.cancel", id, "has failed already: the peer refused");

    id = send_file(s);
    assert_non_null(world_wait(s->w, 1, NODE_TRANSFER_OFFERED, 10 * S));
    done(&s->a, "transfer.cancel", id);
    world_run(s->w, S);
    is_told(&s->a, "transfer.cancel", id, "was cancelled here already");
    is_told(&s->peer, "transfer.accept", 3, "has failed already: the peer cancelled it");
    talk_ask(&s->peer, "recv.start");
    json_t *e = talk_error(&s->peer);
    assert_non_null(strstr(text_of(e, "text"), "download_dir"));
    json_decref(e);
    scene_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_of_the_node_are_told_by_name),
        cmocka_unit_test(limits_of_a_connection_are_told_by_name),
        cmocka_unit_test(what_comes_too_late_is_told_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
