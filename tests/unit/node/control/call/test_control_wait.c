/* What the control API does later than it is asked: waits, receptions, events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/control.h"
#include "sim/disk/store_mem.h"
#include "support_scene.h"

enum { S = 1000000 };

/* ---- requests that are answered later ---- */

static uint32_t wait_for(struct talk *t, const char *what, const char *name, uint64_t timeout_us) {
    struct proto_writer *w = talk_ask(t, "wait");
    proto_str(w, "for", what);
    proto_str(w, "name", name);
    if (timeout_us)
        proto_uint(w, "timeout_us", timeout_us);
    return talk_send(t);
}

static void a_ticket_is_told_when_a_power_cut_cannot_take_it(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 31);
    struct store_mem *m = s->w->nodes[0].store;
    store_mem_fail_sync(m, 0, ERR_IO);
    proto_str(talk_ask(&s->a, "ticket.new"), "name", "bob");
    uint32_t id = talk_send(&s->a);
    assert_null(talk_answer(&s->a, id, 3 * S));
    ends(&s->a, id, "io", 2 * S); /* not safe in time: nobody has seen it, and its name is free */
    assert_int_equal(store_mem_count(m, "tickets"), 0);
    proto_str(talk_ask(&s->a, "ticket.new"), "name", "bob");
    talk_send(&s->a);
    talk_close(&s->a); /* nobody will be told this one */
    assert_int_equal(store_mem_count(m, "tickets"), 0);
    store_mem_fail_sync(m, 0, 0);
    json_t *r = answer_of(&s->b, "ticket.new", "name", "bob");
    assert_memory_equal(text_of(r, "ticket"), "meshticket1", 11);
    assert_int_equal(store_mem_at_risk(m), 0);
    json_decref(r);
    talk_open(&s->a, s->w, 0, s->c);
    scene_close(s);
}

/* As one whose client is gone. */
static void a_ticket_of_a_connection_that_broke_is_taken_back(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 34);
    struct store_mem *m = s->w->nodes[0].store;
    store_mem_fail_sync(m, 0, ERR_IO);
    proto_str(talk_ask(&s->a, "ticket.new"), "name", "bob");
    talk_send(&s->a);
    while (control_run(s->c, s->w->now_us))
        continue;
    assert_int_equal(store_mem_count(m, "tickets"), 1);
    assert_int_equal(talk_bytes(&s->a, "\xc1", 1), 0);
    while (control_run(s->c, s->w->now_us))
        continue;
    assert_int_equal(store_mem_count(m, "tickets"), 0);
    store_mem_fail_sync(m, 0, 0);
    scene_close(s);
}

static void a_wait_ends_at_its_time_and_not_before(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 13);
    uint32_t id = wait_for(&s->a, "contact", "n1", 3 * S);
    assert_null(talk_answer(&s->a, id, 3 * S - 50000));
    ends(&s->a, id, "timeout", 100000);
    assert_int_equal(control_deadline_us(s->c), UINT64_MAX);
    scene_close(s);
}

static void a_wait_is_overtaken_by_later_answers_and_ends_when_it_is_so(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 14);
    uint32_t contact = wait_for(&s->a, "contact", "n1", 0);
    json_decref(answer_of(&s->a, "id", NULL, NULL));
    world_pair(s->w, 0, 1);
    ends(&s->a, contact, NULL, 0);
    ends(&s->a, wait_for(&s->a, "contact", "n1", 0), NULL, 0); /* it is so already */
    ends(&s->a, wait_for(&s->a, "peer", "n1", 0), NULL, 0);
    scene_close(s);
}

static void a_wait_for_a_peer_tries_again_until_it_is_there(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 15);
    world_kill(s->w, 1);
    node_shutdown(s->w->nodes[0].node, s->w->now_us);
    world_kill(s->w, 0);
    talk_close(&s->a);
    talk_close(&s->b);
    talk_unserve(s->w, 0, s->c);
    world_start(s->w, 0);
    s->c = talk_serve(s->w, 0);
    talk_open(&s->a, s->w, 0, s->c);
    talk_open(&s->b, s->w, 0, s->c);
    uint32_t id = wait_for(&s->a, "peer", "n1", 0);
    assert_null(talk_answer(&s->a, id, 30 * S));
    world_start(s->w, 1);
    ends(&s->a, id, NULL, 20 * S);
    scene_close(s);
}

static void what_waits_for_a_contact_that_is_removed_ends(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 16);
    s->w->nodes[1].unplugged = true;
    struct proto_writer *w = talk_ask(&s->a, "message.send");
    proto_str(w, "contact", "n1");
    proto_str(w, "text", "x");
    json_t *r = talk_result(&s->a);
    proto_uint(talk_ask(&s->a, "message.wait"), "seq",
               (uint64_t)json_integer_value(json_object_get(r, "seq")));
    json_decref(r);
    uint32_t message = talk_send(&s->a);
    assert_null(talk_answer(&s->a, message, 60 * S)); /* long enough to be offline */
    uint32_t peer = wait_for(&s->a, "peer", "n1", 0);
    json_decref(answer_of(&s->b, "contact.remove", "name", "n1"));
    ends(&s->a, message, "not_found", 0);
    ends(&s->a, peer, "not_found", 0);
    scene_close(s);
}

static void a_message_wait_ends_with_the_receipt(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 17);
    struct proto_writer *w = talk_ask(&s->a, "message.send");
    proto_str(w, "contact", "n1");
    proto_str(w, "text", "x");
    json_t *r = talk_result(&s->a);
    uint64_t seq = (uint64_t)json_integer_value(json_object_get(r, "seq"));
    json_decref(r);
    proto_uint(talk_ask(&s->a, "message.wait"), "seq", seq);
    ends(&s->a, talk_send(&s->a), NULL, 10 * S);
    proto_uint(talk_ask(&s->a, "message.wait"), "seq", seq); /* and again: at once */
    ends(&s->a, talk_send(&s->a), NULL, 0);
    scene_close(s);
}

/* A session may be up to a peer that has died since: it is asked before somebody is told that it is
 * online. */
static void a_quiet_peer_is_asked_before_a_wait_ends(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 32);
    ends(&s->a, wait_for(&s->a, "peer", "n1", 0), NULL, 0); /* just heard */
    world_run(s->w, 60 * S);
    ends(&s->a, wait_for(&s->a, "peer", "n1", 0), NULL, 100000); /* it answers */
    world_run(s->w, 60 * S);
    s->w->nodes[1].unplugged = true;
    const uint32_t id = wait_for(&s->a, "peer", "n1", 0);
    assert_null(talk_answer(&s->a, id, 6 * S));
    json_t *peers = answer_of(&s->a, "peer.list", NULL, NULL);
    assert_string_equal(text_of(json_array_get(json_object_get(peers, "peers"), 0), "state"),
                        "silent");
    json_decref(peers);
    s->w->nodes[1].unplugged = false;
    ends(&s->a, id, NULL, 3 * S);
    scene_close(s);
}

static uint32_t message_wait(struct talk *t, bool until_offline) {
    struct proto_writer *w = talk_ask(t, "message.send");
    proto_str(w, "contact", "n1");
    proto_str(w, "text", "hello");
    json_t *r = talk_result(t);
    w = talk_ask(t, "message.wait");
    proto_uint(w, "seq", (uint64_t)json_integer_value(json_object_get(r, "seq")));
    proto_bool(w, "until_offline", until_offline);
    json_decref(r);
    return talk_send(t);
}

static void who_waits_until_offline_is_told_in_three_seconds(void **state) {
    (void)state;
    for (unsigned session = 0; session < 2; session++) {
        struct scene *s = scene_open(true, 33);
        world_run(s->w, 12 * S);
        s->w->nodes[1].unplugged = true;
        if (!session) { /* the one that was up is given up first */
            ends(&s->a, message_wait(&s->a, true), "offline", 3 * S);
            world_run(s->w, 60 * S);
        }
        const uint32_t patient = message_wait(&s->b, false);
        ends(&s->a, message_wait(&s->a, true), "offline", 3 * S);
        proto_str(talk_ask(&s->a, "peer.ping"), "name", "n1");
        ends(&s->a, talk_send(&s->a), "offline", 3 * S);
        assert_null(talk_answer(&s->b, patient, 3 * S));
        s->w->nodes[1].unplugged = false;
        ends(&s->b, patient, NULL, 100 * (uint64_t)S); /* they stay queued, and leave */
        scene_close(s);
    }
}

static void a_closed_connection_cancels_what_it_waited_for(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 18);
    for (unsigned i = 0; i < 20; i++)
        wait_for(&s->a, "contact", "n1", 5 * S);
    while (control_run(s->c, s->w->now_us))
        continue;
    assert_int_equal(control_deadline_us(s->c), s->w->now_us + 5 * S);
    talk_close(&s->a);
    assert_int_equal(control_deadline_us(s->c), UINT64_MAX);
    talk_open(&s->a, s->w, 0, s->c); /* the place's next holder gets none of those answers */
    world_pair(s->w, 0, 1);
    assert_null(talk_answer(&s->a, 1, 10 * S));
    scene_close(s);
}

/* ---- receptions ---- */

static uint64_t recv_start(struct talk *t, const char *dir) {
    json_t *r = answer_of(t, "recv.start", "dir", dir);
    uint64_t id = (uint64_t)json_integer_value(json_object_get(r, "id"));
    json_decref(r);
    return id;
}

static void send_file(struct scene *s, const char *path) {
    struct proto_writer *w = talk_ask(&s->peer, "transfer.send");
    disk_fill(s->w, 1, path, 1000, 1);
    proto_str(w, "contact", "n0");
    proto_array(w, "paths");
    proto_str(w, NULL, path);
    proto_end(w);
    json_decref(talk_result(&s->peer));
}

static void a_reception_stands_until_it_is_stopped(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 19);
    json_decref(answer_of(&s->a, "events.subscribe", NULL, NULL));
    uint64_t id = recv_start(&s->a, "/in");
    send_file(s, "/one");
    json_t *n = talk_notice(&s->a, "transfer.started", 10 * S);
    assert_non_null(n);
    json_decref(n);
    n = talk_notice(&s->a, "transfer.done", 10 * S);
    assert_non_null(n);
    json_decref(n);
    proto_uint(talk_ask(&s->b, "recv.stop"), "id", id); /* another's */
    talk_fails(&s->b, "not_found");
    proto_uint(talk_ask(&s->a, "recv.stop"), "id", id);
    json_decref(talk_result(&s->a));
    proto_uint(talk_ask(&s->a, "recv.stop"), "id", id); /* again */
    talk_fails(&s->a, "not_found");
    send_file(s, "/two");
    n = talk_notice(&s->a, "transfer.offered", 10 * S); /* waits for a yes */
    assert_non_null(n);
    json_decref(n);
    assert_null(talk_notice(&s->a, "transfer.started", 5 * S));
    scene_close(s);
}

static void a_reception_ends_with_its_connection(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 20);
    json_decref(answer_of(&s->b, "events.subscribe", NULL, NULL));
    recv_start(&s->a, "/in");
    talk_close(&s->a);
    talk_open(&s->a, s->w, 0, s->c);
    send_file(s, "/one");
    json_t *n = talk_notice(&s->b, "transfer.offered", 10 * S);
    assert_non_null(n);
    json_decref(n);
    assert_null(talk_notice(&s->b, "transfer.started", 5 * S));
    scene_close(s);
}

/* Its meshctl was killed: nobody would hear how it ends, and the peer would be asked for ever. */
static void what_is_sent_ends_with_its_connection_unless_it_was_detached(void **state) {
    (void)state;
    for (unsigned detach = 0; detach < 2; detach++)
        for (unsigned running = 0; running < 2; running++) {
            struct scene *s = scene_open(true, 40 + detach);
            json_decref(answer_of(&s->a, "events.subscribe", NULL, NULL));
            disk_fill(s->w, 1, "/one", 50 << 20, 1);
            struct proto_writer *w = talk_ask(&s->peer, "transfer.send");
            proto_str(w, "contact", "n0");
            if (detach)
                proto_bool(w, "detach", true);
            proto_array(w, "paths");
            proto_str(w, NULL, "/one");
            proto_end(w);
            json_t *r = talk_result(&s->peer);
            const uint64_t id = (uint64_t)json_integer_value(json_object_get(r, "id"));
            json_decref(r);
            json_t *n = talk_notice(&s->a, "transfer.offered", 10 * S);
            assert_non_null(n);
            if (running) {
                proto_uint(talk_ask(&s->a, "transfer.accept"), "id",
                           (uint64_t)json_integer_value(json_object_get(n, "id")));
                json_decref(talk_result(&s->a));
                json_decref(talk_notice(&s->a, "transfer.started", 10 * S));
            }
            json_decref(n);
            const struct talk other = s->peer; /* another of its connections ends, too */
            talk_open(&s->peer, s->w, other.node, other.c);
            talk_close(&s->peer);
            s->peer = other;
            world_run(s->w, 10000);
            struct transfer_info t;
            struct node *sender = s->w->nodes[1].node;
            assert_true(node_transfer_get(sender, id, &t));
            assert_int_equal(t.state, running ? TRANSFER_RUNNING : TRANSFER_OFFERED);

            talk_close(&s->peer);
            talk_open(&s->peer, s->w, other.node, other.c);
            n = talk_notice(&s->a, "transfer.failed", 3 * S);
            assert_true(node_transfer_get(sender, id, &t));
            if (detach) {
                assert_null(n);
                assert_int_equal(t.state, running ? TRANSFER_DONE : TRANSFER_OFFERED);
            } else {
                assert_non_null(n);
                const json_t *in = json_object_get(n, "transfer");
                assert_string_equal(
                    json_string_value(json_object_get(json_object_get(in, "error"), "code")),
                    "cancelled");
                assert_int_equal(t.state, TRANSFER_FAILED);
                assert_int_equal(t.err, ERR_CANCELLED);
                assert_string_equal(t.detail, "what sent it was ended");
            }
            json_decref(n);
            scene_close(s);
        }
}

/* More of them than there is room for at once, one after the other, and some of them over. */
static void every_one_of_many_sent_ends_with_its_connection(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 44);
    struct node *sender = s->w->nodes[1].node;
    struct transfer_info t;
    for (uint64_t id = 1; id <= 2 * TRANSFERS_MAX; id++) {
        send_file(s, "/one");
        if (id > 20)
            assert_int_equal(node_cancel(sender, s->w->now_us, id - 20), 0);
    }
    talk_close(&s->peer);
    for (unsigned i = 0; node_transfer_at(sender, i, &t); i++)
        assert_int_equal(t.state, TRANSFER_FAILED);
    talk_open(&s->peer, s->w, 1, s->c1);
    scene_close(s);
}

static void receptions_of_one_connection_are_bounded(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 21);
    uint64_t last = 0;
    for (unsigned i = 0; i < CONTROL_RECVS_MAX; i++)
        last = recv_start(&s->a, "/in");
    proto_str(talk_ask(&s->a, "recv.start"), "dir", "/in");
    talk_fails(&s->a, "full");
    recv_start(&s->b, "/in"); /* another connection has its own */
    proto_uint(talk_ask(&s->a, "recv.stop"), "id", last);
    json_decref(talk_result(&s->a));
    recv_start(&s->a, "/in");
    scene_close(s);
}

/* ---- events ---- */

static void a_subscriber_gets_the_kinds_it_asked_for(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 22);
    struct proto_writer *w = talk_ask(&s->a, "events.subscribe");
    proto_array(w, "kinds");
    proto_str(w, NULL, "peer.up");
    proto_end(w);
    json_decref(talk_result(&s->a));
    json_decref(answer_of(&s->b, "events.subscribe", NULL, NULL));
    world_pair(s->w, 0, 1);
    json_t *n = talk_notice(&s->b, "contact.added", S), *up = talk_notice(&s->a, "peer.up", S);
    assert_non_null(n);
    assert_non_null(up);
    assert_string_equal(text_of(up, "contact"), "n1");
    assert_int_equal(json_array_size(s->a.notes), 0);
    json_decref(n);
    json_decref(up);
    json_decref(answer_of(&s->b, "events.unsubscribe", NULL, NULL));
    json_array_clear(s->b.notes);
    json_decref(answer_of(&s->a, "contact.remove", "name", "n1"));
    assert_null(talk_notice(&s->b, "contact.removed", S));
    assert_int_equal(json_array_size(s->b.notes), 0);
    scene_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_is_told_when_a_power_cut_cannot_take_it),
        cmocka_unit_test(a_ticket_of_a_connection_that_broke_is_taken_back),
        cmocka_unit_test(a_wait_ends_at_its_time_and_not_before),
        cmocka_unit_test(a_wait_is_overtaken_by_later_answers_and_ends_when_it_is_so),
        cmocka_unit_test(a_wait_for_a_peer_tries_again_until_it_is_there),
        cmocka_unit_test(what_waits_for_a_contact_that_is_removed_ends),
        cmocka_unit_test(a_message_wait_ends_with_the_receipt),
        cmocka_unit_test(a_quiet_peer_is_asked_before_a_wait_ends),
        cmocka_unit_test(who_waits_until_offline_is_told_in_three_seconds),
        cmocka_unit_test(a_closed_connection_cancels_what_it_waited_for),
        cmocka_unit_test(a_reception_stands_until_it_is_stopped),
        cmocka_unit_test(a_reception_ends_with_its_connection),
        cmocka_unit_test(what_is_sent_ends_with_its_connection_unless_it_was_detached),
        cmocka_unit_test(every_one_of_many_sent_ends_with_its_connection),
        cmocka_unit_test(receptions_of_one_connection_are_bounded),
        cmocka_unit_test(a_subscriber_gets_the_kinds_it_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
