/* What a client may cost: the work of a turn, memory, and the other clients' share of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "crypto/identity/identity.h"
#include "node/control/control.h"
#include "node/people/ticket.h"
#include "support_clients.h"

enum { S = 1000000 };

/* `count` requests without arguments, at once. Their ids end at t->last_id. */
static void pipeline(struct talk *t, const char *method, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        talk_ask(t, method);
        talk_send(t);
    }
}

static void add_contacts(struct clients *s, unsigned count) {
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
    struct clients *s = clients_open(4, 1);
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
    clients_close(s);
}

static void a_page_has_a_bounded_number_of_entries_and_bytes(void **state) {
    (void)state;
    struct clients *s = clients_open(1, 2);
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
    clients_close(s);
}

static void messages_come_in_bounded_pages_that_lose_none(void **state) {
    (void)state;
    struct clients *s = clients_open(1, 3);
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
    clients_close(s);
}

/* Short messages make short answers, and as much work in the store as long ones. */
static void steps_of_deleting_and_pages_are_spread_over_turns(void **state) {
    (void)state;
    enum { MESSAGES = 2000 };
    struct clients *s = clients_open(1, 22);
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
    clients_close(s);
}

static void attempts_to_connect_are_spread_over_turns(void **state) {
    (void)state;
    struct clients *s = clients_open(1, 4);
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
    clients_close(s);
}

/* ---- one client and the others ---- */

static void a_client_with_many_requests_does_not_starve_another(void **state) {
    (void)state;
    struct clients *s = clients_open(2, 5);
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
    clients_close(s);
}

static void a_client_that_does_not_read_is_not_read_from(void **state) {
    (void)state;
    struct clients *s = clients_open(2, 6);
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
    clients_close(s);
}

static void requests_that_never_end_share_a_pool(void **state) {
    (void)state;
    struct clients *s = clients_open(8, 7);
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
    clients_close(s);
}

static void waiting_requests_are_shared(void **state) {
    (void)state;
    struct clients *s = clients_open(CONTROL_CONNS_MAX, 8);
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
    clients_close(s);
}

static void pings_of_one_connection_are_few_and_end_with_it(void **state) {
    (void)state;
    struct clients *s = clients_open(2, 9);
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
    clients_close(s);
}

static void connections_are_bounded_and_handles_are_not_mixed_up(void **state) {
    (void)state;
    struct clients *s = clients_open(CONTROL_CONNS_MAX, 14);
    uint32_t conn, old = s->t[3].conn;
    assert_int_equal(control_open(s->c, &conn), ERR_FULL);
    talk_close(&s->t[3]);
    talk_open(&s->t[3], s->w, 0, s->c);
    assert_int_not_equal(s->t[3].conn, old);
    assert_int_equal(control_input(s->c, s->w->now_us, old, (const uint8_t *)"", 1), ERR_PROTO);
    control_close(s->c, s->w->now_us, old); /* nobody's: without effect */
    talk_ask(&s->t[3], "id");
    json_decref(talk_result(&s->t[3]));
    clients_close(s);
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
        cmocka_unit_test(connections_are_bounded_and_handles_are_not_mixed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
