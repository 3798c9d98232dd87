/* What clients of the control API hear of a contact that does not let this node in, and of tickets
 * that cannot be added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/control.h"
#include "support_talk.h"

enum { S = 1000000 };

struct scene { /* node 2, driven by t, has a ticket of node 0's that node 1 has used */
    struct world *w;
    struct control *c;
    struct talk t;
    char used[TICKET_TEXT_MAX + 1];
};

static void ticket_of(struct scene *s, unsigned i, char out[static TICKET_TEXT_MAX + 1]) {
    assert_int_equal(node_ticket_new(s->w->nodes[i].node, s->w->now_us, NULL, 3600, out), 0);
    world_sync(s->w, i);
}

static void scene_open(struct scene *s, uint64_t seed) {
    s->w = world_new(3, seed);
    ticket_of(s, 0, s->used);
    assert_int_equal(node_contact_add(s->w->nodes[1].node, s->w->now_us, "anna", s->used), 0);
    assert_non_null(world_wait(s->w, 1, NODE_PEER_UP, 10 * S));
    s->c = talk_serve(s->w, 2);
    talk_open(&s->t, s->w, 2, s->c);
}

static void scene_close(struct scene *s) {
    talk_close(&s->t);
    talk_unserve(s->w, 2, s->c);
    world_free(s->w);
}

static uint32_t add(struct scene *s, const char *name, const char *ticket, uint64_t timeout_us) {
    struct proto_writer *w = talk_ask(&s->t, "contact.add");
    proto_str(w, "name", name);
    proto_str(w, "ticket", ticket);
    if (timeout_us)
        proto_uint(w, "timeout_us", timeout_us);
    return talk_send(&s->t);
}

static const char *text_of(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* The answer within `us` is this error, and its sentence has this in it. */
static void fails(struct scene *s, uint32_t id, const char *code, const char *says, uint64_t us) {
    json_t *r = talk_answer(&s->t, id, us);
    assert_non_null(r);
    const json_t *e = json_array_get(r, 0);
    assert_string_equal(text_of(e, "code"), code);
    if (!strstr(text_of(e, "text"), says))
        fail_msg("\"%s\" is not in \"%s\"", says, text_of(e, "text"));
    json_decref(r);
}

static json_t *succeeds(struct scene *s, uint32_t id, uint64_t us) {
    json_t *r = talk_answer(&s->t, id, us);
    assert_non_null(r);
    assert_true(json_is_null(json_array_get(r, 0)));
    json_t *result = json_incref(json_array_get(r, 1));
    json_decref(r);
    return result;
}

static json_t *first_of(struct scene *s, const char *method, const char *key) {
    talk_ask(&s->t, method);
    json_t *r = talk_result(&s->t);
    json_t *first = json_incref(json_array_get(json_object_get(r, key), 0));
    json_decref(r);
    assert_non_null(first);
    return first;
}

static void denied_is(struct scene *s, const char *code) {
    static const char *const lists[][2] = {{"contact.list", "contacts"}, {"peer.list", "peers"}};
    for (int i = 0; i < 2; i++) {
        json_t *c = first_of(s, lists[i][0], lists[i][1]);
        assert_string_equal(text_of(json_object_get(c, "denied"), "code"), code);
        json_decref(c);
    }
}

static void adding_says_what_became_of_it(void **state) {
    (void)state;
    struct scene s;
    char ticket[TICKET_TEXT_MAX + 1];
    scene_open(&s, 1);
    fails(&s, add(&s, "anna", s.used, 3 * S), "ticket", "\"anna\" does not take the ticket", S);
    denied_is(&s, "ticket");
    ticket_of(&s, 0, ticket);
    json_t *r = succeeds(&s, add(&s, "anna", ticket, 3 * S), S);
    assert_true(json_is_true(json_object_get(json_object_get(r, "contact"), "online")));
    json_decref(r);
    denied_is(&s, "");
    /* The same once more: it is online, and that is told at once. */
    json_decref(succeeds(&s, add(&s, "anna", ticket, 60 * S), 1000));
    scene_close(&s);
}

static void who_does_not_answer_is_added_all_the_same(void **state) {
    (void)state;
    struct scene s;
    char ticket[TICKET_TEXT_MAX + 1];
    scene_open(&s, 2);
    ticket_of(&s, 0, ticket);
    s.w->nodes[0].unplugged = true;
    const uint64_t before_us = s.w->now_us;
    json_t *r = succeeds(&s, add(&s, "anna", ticket, 3 * S), 4 * S);
    assert_true(s.w->now_us >= before_us + 3 * S);
    assert_true(json_is_false(json_object_get(json_object_get(r, "contact"), "online")));
    json_decref(r);
    denied_is(&s, "");
    s.w->nodes[0].unplugged = false;
    scene_close(&s);
}

/* Without a time it is answered at once, as ever. */
static void without_a_timeout_adding_waits_for_nothing(void **state) {
    (void)state;
    struct scene s;
    scene_open(&s, 3);
    json_decref(succeeds(&s, add(&s, "anna", s.used, 0), 1000));
    scene_close(&s);
}

static void waits_messages_and_pings_end_with_the_reason_at_once(void **state) {
    (void)state;
    struct scene s;
    scene_open(&s, 4);
    json_decref(succeeds(&s, add(&s, "anna", s.used, 0), 1000));
    world_run(s.w, S);
    struct proto_writer *w = talk_ask(&s.t, "wait");
    proto_str(w, "for", "peer");
    proto_str(w, "name", "anna");
    fails(&s, talk_send(&s.t), "ticket", "\"anna\" does not take the ticket", S);
    w = talk_ask(&s.t, "peer.ping");
    proto_str(w, "name", "anna");
    fails(&s, talk_send(&s.t), "ticket", "\"anna\" does not take the ticket", S);
    w = talk_ask(&s.t, "message.send");
    proto_str(w, "contact", "anna");
    proto_str(w, "text", "hi");
    json_t *r = succeeds(&s, talk_send(&s.t), S);
    const uint64_t seq = (uint64_t)json_integer_value(json_object_get(r, "seq"));
    json_decref(r);
    world_run(s.w, S); /* the attempt has ended before anybody asks */
    w = talk_ask(&s.t, "message.wait");
    proto_uint(w, "seq", seq);
    fails(&s, talk_send(&s.t), "ticket", "\"anna\" does not take the ticket", S);
    json_t *m = first_of(&s, "message.list", "messages");
    assert_string_equal(text_of(m, "state"), "queued");
    assert_string_equal(text_of(json_object_get(m, "error"), "code"), "ticket");
    json_decref(m);
    scene_close(&s);
}

static void it_is_an_event_once(void **state) {
    (void)state;
    struct scene s;
    scene_open(&s, 5);
    talk_ask(&s.t, "events.subscribe");
    json_decref(talk_result(&s.t));
    json_decref(succeeds(&s, add(&s, "anna", s.used, 0), 1000));
    json_t *e = talk_notice(&s.t, "contact.denied", S);
    assert_non_null(e);
    assert_string_equal(text_of(e, "contact"), "anna");
    assert_string_equal(text_of(json_object_get(e, "error"), "code"), "ticket");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(e, "error"), "num")), 26);
    json_decref(e);
    assert_int_equal(node_connect(s.w->nodes[2].node, s.w->now_us, "anna"), 0);
    assert_null(talk_notice(&s.t, "contact.denied", 2 * S));
    scene_close(&s);
}

/* Each cause has a sentence of its own. */
static void a_ticket_that_cannot_be_added_says_why(void **state) {
    (void)state;
    struct scene s;
    char own[TICKET_TEXT_MAX + 1], one[TICKET_TEXT_MAX + 1], two[TICKET_TEXT_MAX + 1];
    scene_open(&s, 6);
    ticket_of(&s, 2, own);
    ticket_of(&s, 0, one);
    ticket_of(&s, 1, two);
    json_decref(succeeds(&s, add(&s, "anna", one, 3 * S), S));
    fails(&s, add(&s, "me", own, 0), "usage", "this node's own", S);
    fails(&s, add(&s, "-x", two, 0), "usage", "the name is not usable", S);
    fails(&s, add(&s, "anna", two, 0), "exists", "another node is called \"anna\"", S);
    fails(&s, add(&s, "bob", one, 0), "exists", "called \"anna\"", S);
    fails(&s, add(&s, "bob", "meshticket1qqqq", 0), "format", "damaged", S);
    node_set_wall(s.w->nodes[2].node, s.w->now_us,
                  UINT64_C(1000000) * (365 * 86400 + node_wall_s(s.w->nodes[2].node, s.w->now_us)));
    fails(&s, add(&s, "bob", two, 0), "timeout", "this computer's clock says", S);
    scene_close(&s);
}

static void a_ticket_is_taken_back(void **state) {
    (void)state;
    struct scene s;
    char ticket[TICKET_TEXT_MAX + 1];
    scene_open(&s, 7);
    assert_int_equal(node_ticket_new(s.w->nodes[2].node, s.w->now_us, "carl", 3600, ticket), 0);
    struct proto_writer *w = talk_ask(&s.t, "ticket.end");
    proto_str(w, "ticket", ticket);
    json_decref(succeeds(&s, talk_send(&s.t), S));
    assert_int_equal(store_count(s.w, 2, "tickets"), 0);
    w = talk_ask(&s.t, "ticket.end");
    proto_str(w, "ticket", ticket);
    fails(&s, talk_send(&s.t), "not_found", "no such ticket", S);
    w = talk_ask(&s.t, "ticket.end");
    proto_str(w, "ticket", "x");
    fails(&s, talk_send(&s.t), "format", "damaged", S);
    /* Its name is free again. */
    assert_int_equal(node_ticket_new(s.w->nodes[2].node, s.w->now_us, "carl", 3600, ticket), 0);
    scene_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_says_what_became_of_it),
        cmocka_unit_test(who_does_not_answer_is_added_all_the_same),
        cmocka_unit_test(without_a_timeout_adding_waits_for_nothing),
        cmocka_unit_test(waits_messages_and_pings_end_with_the_reason_at_once),
        cmocka_unit_test(it_is_an_event_once),
        cmocka_unit_test(a_ticket_that_cannot_be_added_says_why),
        cmocka_unit_test(a_ticket_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
