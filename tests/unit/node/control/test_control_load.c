/* What a client may cost: the work of a turn, memory, and the other clients' share of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/identity/identity.h"
#include "node/control/control.h"
#include "node/people/ticket.h"
#include "support_talk.h"

enum { S = 1000000 };

struct scene {
    struct world *w;
    struct control *c;
    struct talk t[CONTROL_CONNS_MAX];
    unsigned count;
};

static struct scene *scene_open(unsigned clients, uint64_t seed) {
    struct scene *s = calloc(1, sizeof *s);
    s->w = world_new(2, seed);
    s->c = talk_serve(s->w, 0);
    for (s->count = 0; s->count < clients; s->count++)
        talk_open(&s->t[s->count], s->w, 0, s->c);
    return s;
}

static void scene_close(struct scene *s) {
    for (unsigned i = 0; i < s->count; i++)
        talk_close(&s->t[i]);
    talk_unserve(s->w, 0, s->c);
    world_free(s->w);
    free(s);
}

/* `count` requests without arguments, at once. Their ids end at t->last_id. */
static void pipeline(struct talk *t, const char *method, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        talk_ask(t, method);
        talk_send(t);
    }
}

static void add_contacts(struct scene *s, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct rng rng = s->w->nodes[1].env.rng;
        struct identity id;
        struct ticket k = {.expires_s = UINT32_MAX};
        char text[TICKET_TEXT_MAX + 1], name[16];
        identity_generate(&id, &rng);
        k.id = id.id;
        k.transport = id.transport_public;
        assert_int_equal(ticket_encode(&k, text), 0);
        snprintf(name, sizeof name, "peer%05u", i);
        assert_int_equal(node_contact_add(s->w->nodes[0].node, s->w->now_us, name, text), 0);
        identity_clear(&id);
    }
}

/* ---- the work of a turn ---- */

static void assert_bounded(struct control *c) {
    struct control_work k = control_last_work(c);
    assert_true(k.requests <= CONTROL_TURN_REQUESTS);
    /* The request that goes over the bound is the last: one page and one entry more, with what it
     * cost to read, or one large request. */
    assert_true(k.bytes <= CONTROL_TURN_BYTES + CONTROL_PAGE_BYTES + MESSAGE_MAX_BYTES + 4096 +
                               CONTROL_PAGE_MAX * CONTROL_READ_BYTES);
}

static void a_turn_does_a_bounded_amount_of_work(void **state) {
    (void)state;
    static const char *const methods[] = {"status", "version", "contact.list", "peer.list", "nope"};
    struct scene *s = scene_open(4, 1);
    struct talk *all[] = {&s->t[0], &s->t[1], &s->t[2], &s->t[3]};
    add_contacts(s, 300);
    for (unsigned m = 0; m < 5; m++) {
        for (unsigned i = 0; i < 4; i++)
            pipeline(&s->t[i], methods[m], 200);
        unsigned turns = 0, requests = 0;
        bool more = true;
        while (more) {
            more = control_run(s->c, s->w->now_us);
            assert_bounded(s->c);
            requests += control_last_work(s->c).requests;
            turns++;
            talk_turn(s->c, s->w->now_us, all, 4);
            assert_bounded(s->c);
            requests += control_last_work(s->c).requests;
        }
        assert_true(turns > 200 * 4 / CONTROL_TURN_REQUESTS / 2 - 1);
        assert_int_equal(requests, 800);
    }
    scene_close(s);
}

static void a_page_has_a_bounded_number_of_entries_and_bytes(void **state) {
    (void)state;
    struct scene *s = scene_open(1, 2);
    unsigned seen = 0, pages = 0;
    uint64_t offset = 0;
    add_contacts(s, 300);
    for (bool more = true; more; pages++) {
        struct proto_writer *w = talk_ask(&s->t[0], "contact.list");
        proto_uint(w, "offset", offset);
        proto_uint(w, "limit", UINT64_MAX);
        json_t *r = talk_result(&s->t[0]), *list = json_object_get(r, "contacts");
        assert_true(json_array_size(list) <= CONTROL_PAGE_MAX);
        assert_true(json_array_size(list) > 0);
        seen += (unsigned)json_array_size(list);
        more = json_is_integer(json_object_get(r, "next"));
        offset = (uint64_t)json_integer_value(json_object_get(r, "next"));
        json_decref(r);
    }
    assert_int_equal(seen, 300);
    assert_true(pages >= 300 / CONTROL_PAGE_MAX + 1);
    scene_close(s);
}

static void messages_come_in_bounded_pages_that_lose_none(void **state) {
    (void)state;
    struct scene *s = scene_open(1, 3);
    static char text[60000];
    memset(text, 'x', sizeof text);
    add_contacts(s, 1);
    for (unsigned i = 0; i < 12; i++) {
        struct proto_writer *w = talk_ask(&s->t[0], "message.send");
        proto_str(w, "contact", "peer00000");
        proto_strn(w, "text", text, i % 3 ? 10 : sizeof text);
        json_decref(talk_result(&s->t[0]));
    }
    unsigned seen = 0, pages = 0;
    uint64_t after = 0;
    for (bool more = true; more; pages++) {
        proto_uint(talk_ask(&s->t[0], "message.list"), "after", after);
        json_t *r = talk_result(&s->t[0]);
        assert_bounded(s->c);
        seen += (unsigned)json_array_size(json_object_get(r, "messages"));
        more = json_is_true(json_object_get(r, "more"));
        after = (uint64_t)json_integer_value(json_object_get(r, "last"));
        json_decref(r);
    }
    assert_int_equal(seen, 12);
    pipeline(&s->t[0], "message.list", CONTROL_TURN_REQUESTS); /* each a page of 64 KiB or more */
    unsigned turns = 1;
    for (; control_run(s->c, s->w->now_us); turns++) {
        assert_bounded(s->c);
        talk_turn(s->c, s->w->now_us, &(struct talk *){&s->t[0]}, 1);
        assert_bounded(s->c);
    }
    assert_true(turns > 1);
    assert_true(pages > 1);
    scene_close(s);
}

/* Short messages make short answers, and as much work in the store as long ones. */
static void steps_of_deleting_and_pages_are_spread_over_turns(void **state) {
    (void)state;
    enum { MESSAGES = 2000 };
    struct scene *s = scene_open(1, 22);
    struct node *n = s->w->nodes[0].node;
    uint64_t seq;
    add_contacts(s, 1);
    for (unsigned i = 0; i < MESSAGES; i++) {
        assert_int_equal(node_message_send(n, s->w->now_us, "peer00000", "x", 1, &seq), 0);
        if (i % 500 == 0)
            world_run(s->w, 1000);
    }
    world_run(s->w, S);
    assert_int_equal(node_contact_remove(n, s->w->now_us, "peer00000"), 0); /* nothing waits now */
    world_run(s->w, S);
    struct message_info m;
    char id[NODE_ID_TEXT_CHARS + 1];
    assert_true(node_message_next(n, 0, NULL, &m));
    node_id_text(&m.node, id);
    pipeline(&s->t[0], "message.list", CONTROL_TURN_REQUESTS);
    (void)control_run(s->c, s->w->now_us);
    assert_in_range(control_last_work(s->c).requests, 1, 2);
    assert_bounded(s->c);
    while (control_run(s->c, s->w->now_us))
        talk_turn(s->c, s->w->now_us, &(struct talk *){&s->t[0]}, 1);
    talk_turn(s->c, s->w->now_us, &(struct talk *){&s->t[0]}, 1);

    for (unsigned i = 0; i < CONTROL_TURN_REQUESTS; i++) {
        proto_str(talk_ask(&s->t[0], "message.delete"), "contact", id);
        talk_send(&s->t[0]);
    }
    unsigned turns = 0;
    for (bool more = true; more; turns++) {
        more = control_run(s->c, s->w->now_us);
        assert_int_equal(control_last_work(s->c).requests, 1); /* 256 deleted */
        assert_bounded(s->c);
    }
    assert_int_equal(turns, CONTROL_TURN_REQUESTS);
    assert_false(node_message_next(n, 0, NULL, &m));
    scene_close(s);
}

static void attempts_to_connect_are_spread_over_turns(void **state) {
    (void)state;
    struct scene *s = scene_open(1, 4);
    add_contacts(s, 100);
    for (unsigned i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "peer%05u", i);
        struct proto_writer *w = talk_ask(&s->t[0], "wait");
        proto_str(w, "for", "peer");
        proto_str(w, "name", name);
        talk_send(&s->t[0]);
    }
    while (control_run(s->c, s->w->now_us))
        continue;
    /* None of them has an address: each waits for its next attempt, all at the same time. */
    s->w->now_us += CONTROL_RECONNECT_US;
    unsigned turns = 0;
    for (; control_deadline_us(s->c) <= s->w->now_us; turns++)
        control_timeout(s->c, s->w->now_us);
    assert_in_range(turns, 100 / CONTROL_RETRIES, 100);
    scene_close(s);
}

/* ---- one client and the others ---- */

static void a_client_with_many_requests_does_not_starve_another(void **state) {
    (void)state;
    struct scene *s = scene_open(2, 5);
    struct talk *all[] = {&s->t[0], &s->t[1]};
    pipeline(&s->t[0], "status", 1000);
    talk_ask(&s->t[1], "id");
    uint32_t id = talk_send(&s->t[1]);
    talk_turn(s->c, s->w->now_us, all, 2);
    struct proto_msg m;
    assert_int_equal(proto_reader_next(&s->t[1].in, &m), 1);
    assert_int_equal(m.id, id);
    proto_msg_clear(&m);
    assert_false(control_wants_input(s->c, s->t[0].conn));
    assert_true(control_wants_input(s->c, s->t[1].conn));
    scene_close(s);
}

static void a_client_that_does_not_read_is_not_read_from(void **state) {
    (void)state;
    struct scene *s = scene_open(2, 6);
    const uint8_t *buf;
    size_t len;
    s->t[0].deaf = true;
    pipeline(&s->t[0], "status", 1000);
    while (control_run(s->c, s->w->now_us))
        continue;
    assert_true(control_output(s->c, s->t[0].conn, &buf, &len));
    assert_true(len > CONTROL_OUT_PAUSE && len < CONTROL_OUT_PAUSE + CONTROL_PAGE_BYTES);
    assert_false(control_wants_input(s->c, s->t[0].conn));
    assert_false(control_wants_close(s->c, s->t[0].conn));
    /* The other is not held up, and when it reads, all its answers come, in order. */
    talk_ask(&s->t[1], "id");
    json_decref(talk_result(&s->t[1]));
    s->t[0].deaf = false;
    for (uint32_t id = 1; id <= 1000; id++) {
        json_t *a = talk_answer(&s->t[0], id, 0);
        assert_non_null(a);
        json_decref(a);
    }
    scene_close(s);
}

static void requests_that_never_end_share_a_pool(void **state) {
    (void)state;
    struct scene *s = scene_open(8, 7);
    static uint8_t zeroes[64 << 10];
    /* [0, 1, "id", "...": a string of almost 4 MiB */
    static const uint8_t begin[] = {0x94, 0, 1, 0xa2, 'i', 'd', 0xdb, 0x00, 0x3f, 0x00, 0x00};
    size_t held[7] = {0}, all = 0;
    unsigned refused = 0;
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(talk_bytes(&s->t[i], begin, sizeof begin), 0);
        while (held[i] < 0x3e0000 && talk_bytes(&s->t[i], zeroes, sizeof zeroes) == 0)
            held[i] += sizeof zeroes;
        json_t *a = talk_answer(&s->t[i], 1, 0);
        if (!a) {
            all += held[i];
            continue;
        }
        refused++; /* and what it held is given back */
        assert_string_equal(json_string_value(json_object_get(json_array_get(a, 0), "code")),
                            "full");
        const json_t *limit = json_object_get(json_array_get(a, 0), "limit");
        assert_string_equal(json_string_value(json_object_get(limit, "name")), "request_pool");
        assert_true(s->t[i].closed);
        json_decref(a);
    }
    assert_true(held[0] == 0x3e0000); /* alone, one has all it may ask for */
    assert_true(all <= CONTROL_IN_POOL);
    assert_true(refused > 0);
    /* There is room for everybody else's requests still. */
    json_t *r;
    struct proto_writer *w = talk_ask(&s->t[7], "message.send");
    proto_str(w, "contact", "nobody");
    proto_strn(w, "text", (const char *)zeroes, sizeof zeroes);
    r = talk_error(&s->t[7]);
    assert_string_equal(json_string_value(json_object_get(r, "code")), "not_found");
    json_decref(r);
    scene_close(s);
}

static void waiting_requests_are_shared(void **state) {
    (void)state;
    struct scene *s = scene_open(CONTROL_CONNS_MAX, 8);
    unsigned got[CONTROL_CONNS_MAX] = {0}, all = 0;
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++) {
        for (bool ok = true; ok;) {
            struct proto_writer *w = talk_ask(&s->t[i], "wait");
            proto_str(w, "for", "contact");
            proto_str(w, "name", "nobody");
            json_t *a = talk_answer(&s->t[i], talk_send(&s->t[i]), 0);
            ok = a == NULL;
            got[i] += ok;
            if (a)
                assert_string_equal(
                    json_string_value(json_object_get(json_array_get(a, 0), "code")), "full");
            json_decref(a);
        }
        all += got[i];
        assert_true(i > 7 || got[i] > 0); /* however many the earlier ones took */
    }
    assert_int_equal(got[0], CONTROL_WAITS_MAX / 2);
    assert_true(all <= CONTROL_WAITS_MAX);
    /* A connection that ends gives its places back. */
    talk_close(&s->t[0]);
    talk_open(&s->t[0], s->w, 0, s->c);
    struct proto_writer *w = talk_ask(&s->t[0], "wait");
    proto_str(w, "for", "contact");
    proto_str(w, "name", "nobody");
    proto_uint(w, "timeout_us", 5 * S);
    talk_fails(&s->t[0], "timeout");
    scene_close(s);
}

static void pings_of_one_connection_are_few_and_end_with_it(void **state) {
    (void)state;
    struct scene *s = scene_open(2, 9);
    world_pair(s->w, 0, 1);
    s->w->nodes[1].unplugged = true;
    for (unsigned round = 0; round < 40; round++) { /* 640 of 256 if they did not end */
        unsigned taken = 0;
        for (bool ok = true; ok;) {
            struct proto_writer *w = talk_ask(&s->t[0], "peer.ping");
            proto_str(w, "name", "n1");
            proto_uint(w, "timeout_us", CONTROL_TIMEOUT_MAX_US);
            json_t *a = talk_answer(&s->t[0], talk_send(&s->t[0]), 0);
            ok = a == NULL;
            taken += ok;
            json_decref(a);
        }
        assert_int_equal(taken, CONTROL_PINGS_MAX);
        talk_close(&s->t[0]);
        talk_open(&s->t[0], s->w, 0, s->c);
    }
    scene_close(s);
}

/* ---- subscribers ---- */

static void subscribe(struct talk *t) {
    talk_ask(t, "events.subscribe");
    json_decref(talk_result(t));
}

static void tell(struct scene *s, enum node_event_kind kind, unsigned count) {
    struct node_event e = {.kind = kind, .now_us = s->w->now_us, .contact = "somebody"};
    for (unsigned i = 0; i < count; i++)
        control_event(s->c, s->w->now_us, &e);
}

static size_t unread(struct scene *s, unsigned i) {
    const uint8_t *buf;
    size_t len = 0;
    return control_output(s->c, s->t[i].conn, &buf, &len) ? len : 0;
}

static void a_deaf_subscriber_loses_progress_first(void **state) {
    (void)state;
    struct scene *s = scene_open(1, 10);
    subscribe(&s->t[0]);
    s->t[0].deaf = true;
    tell(s, NODE_TRANSFER_PROGRESS, 100000);
    size_t soft = unread(s, 0);
    assert_true(soft > CONTROL_OUT_SOFT && soft < CONTROL_OUT_SOFT + 1000);
    tell(s, NODE_PEER_UP, 1);
    assert_true(unread(s, 0) > soft);
    assert_false(control_wants_close(s->c, s->t[0].conn));
    scene_close(s);
}

/* 65,536 paths take as long to unpack as to be carried out. */
static void a_large_request_is_unpacked_in_a_turn_of_its_own(void **state) {
    (void)state;
    enum { PATHS = 5000 };
    struct scene *s = scene_open(1, 23);
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
    scene_close(s);
}

/* Contacts write faster than it reads, and more than fits: it hears of every message all the
 * same. */
static void texts_do_not_make_a_subscriber_overflow(void **state) {
    (void)state;
    enum { MESSAGES = 200, BYTES = 60000 };
    struct scene *s = scene_open(1, 21);
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
    scene_close(s);
}

static void a_deaf_subscriber_is_told_overflow_then_closed(void **state) {
    (void)state;
    struct scene *s = scene_open(2, 11);
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
    scene_close(s);
}

static void what_an_overflowed_subscriber_does_not_read_is_given_up(void **state) {
    (void)state;
    struct scene *s = scene_open(1, 12);
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
    scene_close(s);
}

static void many_deaf_subscribers_leave_memory_for_the_next_client(void **state) {
    (void)state;
    struct scene *s = scene_open(CONTROL_CONNS_MAX, 13);
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
    scene_close(s);
}

static void connections_are_bounded_and_handles_are_not_mixed_up(void **state) {
    (void)state;
    struct scene *s = scene_open(CONTROL_CONNS_MAX, 14);
    uint32_t conn, old = s->t[3].conn;
    assert_int_equal(control_open(s->c, &conn), ERR_FULL);
    talk_close(&s->t[3]);
    talk_open(&s->t[3], s->w, 0, s->c);
    assert_int_not_equal(s->t[3].conn, old);
    assert_int_equal(control_input(s->c, s->w->now_us, old, (const uint8_t *)"", 1), ERR_PROTO);
    control_close(s->c, s->w->now_us, old); /* nobody's: without effect */
    talk_ask(&s->t[3], "id");
    json_decref(talk_result(&s->t[3]));
    scene_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_does_a_bounded_amount_of_work),
        cmocka_unit_test(a_page_has_a_bounded_number_of_entries_and_bytes),
        cmocka_unit_test(messages_come_in_bounded_pages_that_lose_none),
        cmocka_unit_test(steps_of_deleting_and_pages_are_spread_over_turns),
        cmocka_unit_test(attempts_to_connect_are_spread_over_turns),
        cmocka_unit_test(a_client_with_many_requests_does_not_starve_another),
        cmocka_unit_test(a_client_that_does_not_read_is_not_read_from),
        cmocka_unit_test(requests_that_never_end_share_a_pool),
        cmocka_unit_test(waiting_requests_are_shared),
        cmocka_unit_test(pings_of_one_connection_are_few_and_end_with_it),
        cmocka_unit_test(a_deaf_subscriber_loses_progress_first),
        cmocka_unit_test(a_large_request_is_unpacked_in_a_turn_of_its_own),
        cmocka_unit_test(texts_do_not_make_a_subscriber_overflow),
        cmocka_unit_test(a_deaf_subscriber_is_told_overflow_then_closed),
        cmocka_unit_test(what_an_overflowed_subscriber_does_not_read_is_given_up),
        cmocka_unit_test(many_deaf_subscribers_leave_memory_for_the_next_client),
        cmocka_unit_test(connections_are_bounded_and_handles_are_not_mixed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
