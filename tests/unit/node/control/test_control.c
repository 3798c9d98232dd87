/* The control API's server side, fed with bytes: framing, arguments, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/call/control_group.h"
#include "support_scene.h"

enum { S = 1000000 };

/* ---- framing ---- */

static void a_request_may_come_byte_by_byte(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 1);
    talk_ask(&s->a, "status");
    proto_end(&s->a.out);
    for (size_t i = 0; i < s->a.out.len; i++) {
        assert_true(control_wants_input(s->c, s->a.conn));
        assert_false(control_has_work(s->c, s->a.conn));
        assert_int_equal(talk_bytes(&s->a, s->a.out.buf + i, 1), 0);
        if (i + 1 < s->a.out.len)
            assert_null(talk_answer(&s->a, s->a.last_id, 0));
    }
    json_t *r = talk_answer(&s->a, s->a.last_id, 0);
    assert_non_null(r);
    json_decref(r);
    scene_close(s);
}

static void requests_in_one_piece_are_answered_in_order(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 2);
    struct proto_writer all;
    proto_writer_init(&all, 1 << 20);
    for (uint32_t id = 1; id <= 50; id++) {
        proto_request(&all, id, id % 2 ? "id" : "nope");
        proto_map(&all, NULL);
        proto_end(&all);
    }
    assert_int_equal(talk_bytes(&s->a, all.buf, all.len), 0);
    for (uint32_t id = 1; id <= 50; id++) {
        json_t *r = talk_answer(&s->a, id, 0); /* passes over nothing: the next is the next */
        assert_non_null(r);
        assert_int_equal(json_is_null(json_array_get(r, 0)), id % 2);
        json_decref(r);
    }
    proto_writer_clear(&all);
    scene_close(s);
}

static void an_id_may_be_used_again(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 3);
    for (unsigned i = 0; i < 3; i++) {
        s->a.last_id = 6;
        json_decref(answer_of(&s->a, "id", NULL, NULL));
    }
    scene_close(s);
}

static void generic_clients_may_send_params_in_an_array_or_none(void **state) {
    (void)state;
    static const uint8_t nil[] = {0x94, 0, 1, 0xa2, 'i', 'd', 0xc0},
                         empty[] = {0x94, 0, 2, 0xa2, 'i', 'd', 0x90},
                         map[] = {0x94, 0, 3, 0xa2, 'i', 'd', 0x91, 0x80},
                         number[] = {0x94, 0, 4, 0xa2, 'i', 'd', 0x07},
                         two[] = {0x94, 0, 5, 0xa2, 'i', 'd', 0x92, 0x80, 0x80};
    struct scene *s = scene_open(false, 4);
    talk_bytes(&s->a, nil, sizeof nil);
    talk_bytes(&s->a, empty, sizeof empty);
    talk_bytes(&s->a, map, sizeof map);
    talk_bytes(&s->a, number, sizeof number);
    talk_bytes(&s->a, two, sizeof two);
    for (uint32_t id = 1; id <= 5; id++) {
        json_t *r = talk_answer(&s->a, id, 0);
        assert_non_null(r);
        assert_int_equal(json_is_null(json_array_get(r, 0)), id <= 3);
        json_decref(r);
    }
    scene_close(s);
}

static void a_notification_from_a_client_is_without_effect(void **state) {
    (void)state;
    static const uint8_t note[] = {0x93, 2, 0xa8, 's', 'h', 'u', 't', 'd', 'o', 'w', 'n', 0x80};
    struct scene *s = scene_open(false, 5);
    assert_int_equal(talk_bytes(&s->a, note, sizeof note), 0);
    json_decref(answer_of(&s->a, "id", NULL, NULL));
    assert_false(control_wants_shutdown(s->c));
    scene_close(s);
}

struct garbage {
    uint8_t bytes[24];
    size_t len;
    const char *code; /* what request 7 is told; NULL: nothing */
};

static void garbage_closes_the_connection_and_is_answered_if_an_id_is_readable(void **state) {
    (void)state;
    static const struct garbage all[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18, NULL},
        {"\xc1", 1, NULL},
        {"\xc7\x01\x01\x00", 4, NULL},         /* an extension */
        {"\x94\x00\x07\xc1", 4, "protocol"},   /* [0, 7, garbage */
        {"\x93\x00\x07\xa2id", 6, "protocol"}, /* three elements */
        {"\x95\x00\x07\xa2id\x80\x80", 8, "protocol"},
        {"\x94\x00\x07\x05\x80", 5, "protocol"}, /* the method is a number */
        {"\x94\x03\x07\xa2id\x80", 7, NULL},     /* no such kind */
        {"\x94\x01\x07\xc0\x80", 5, NULL},       /* a response */
        {"\x94\x00\xff\xa2id\x80", 7, NULL},     /* id -1 */
        {"\x94\x00\x07\xa2id\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0", 17, "full"},
        {"\x94\x00\x07\xdb\xff\xff\xff\xff", 8, "full"},
        {"\x94\x00\x07\xa2id\xdd\xff\xff\xff\xff", 11, "full"},
    };
    struct scene *s = scene_open(false, 6);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct talk t;
        talk_open(&t, s->w, 0, s->c);
        (void)talk_bytes(&t, all[i].bytes, all[i].len);
        json_t *r = talk_answer(&t, 7, 0);
        assert_true(t.closed);
        assert_int_equal(r != NULL, all[i].code != NULL);
        if (r)
            assert_string_equal(text_of(json_array_get(r, 0), "code"), all[i].code);
        if (r && strcmp(all[i].code, "full") == 0)
            assert_string_equal(text_of(json_object_get(json_array_get(r, 0), "limit"), "name"),
                                "request_bytes");
        json_decref(r);
        assert_int_equal(talk_bytes(&t, "\x94\x00\x08\xa2id\x80", 7), ERR_PROTO);
        assert_null(talk_answer(&t, 8, 0));
        talk_close(&t);
    }
    json_decref(answer_of(&s->a, "id", NULL, NULL)); /* the others are untouched */
    scene_close(s);
}

static void a_request_before_garbage_is_carried_out(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 7);
    (void)talk_bytes(&s->a, "\x94\x00\x01\xa2id\x80\xc1", 8);
    json_t *r = talk_answer(&s->a, 1, 0);
    assert_non_null(r);
    assert_true(s->a.closed);
    json_decref(r);
    scene_close(s);
}

/* ---- arguments: every method, from its own table ---- */

static void put_good(struct proto_writer *w, const struct arg_spec *a) {
    switch (a->kind) {
    case ARG_STR:
    case ARG_TEXT:
        proto_str(w, a->name, "x");
        break;
    case ARG_UINT:
        proto_uint(w, a->name, 1);
        break;
    case ARG_BOOL:
        proto_bool(w, a->name, true);
        break;
    case ARG_STRS:
    case ARG_FEW:
        proto_array(w, a->name);
        proto_str(w, NULL, "x");
        proto_end(w);
        break;
    }
}

enum spoil { UNKNOWN, MISSING, ILL_TYPED, TOO_LARGE, TWICE, BAD_ELEMENT, TOO_MANY };

/* False if this argument cannot be spoilt in that way. */
static bool put_spoilt(struct proto_writer *w, const struct arg_spec *a, enum spoil how) {
    bool strs = a->kind == ARG_STRS || a->kind == ARG_FEW;
    char *text;
    switch (how) {
    case UNKNOWN:
        return false;
    case MISSING:
        return a->required;
    case ILL_TYPED:
        proto_map(w, a->name);
        proto_end(w);
        return true;
    case TOO_LARGE:
        if (a->kind == ARG_UINT && a->max > 0)
            proto_uint(w, a->name, a->max + 1);
        if (a->kind == ARG_STR || a->kind == ARG_TEXT) {
            text = calloc(1, a->max + 2);
            memset(text, 'x', a->max + 1);
            proto_str(w, a->name, text);
            free(text);
        }
        return !strs && a->kind != ARG_BOOL && a->max > 0;
    case TWICE:
        put_good(w, a);
        put_good(w, a);
        return true;
    case BAD_ELEMENT:
        proto_array(w, a->name);
        proto_uint(w, NULL, 1);
        proto_end(w);
        return strs;
    case TOO_MANY:
        proto_array(w, a->name);
        for (unsigned i = 0; i <= CONTROL_FEW_MAX; i++)
            proto_str(w, NULL, "x");
        proto_end(w);
        return a->kind == ARG_FEW;
    }
    return false;
}

static void spoil_one(struct talk *t, const struct method *m, unsigned k, enum spoil how) {
    struct proto_writer *w = talk_ask(t, m->name);
    bool spoilt = false;
    for (unsigned i = 0; m->args[i].name; i++) {
        if (i != k)
            put_good(w, &m->args[i]);
        else
            spoilt = put_spoilt(w, &m->args[i], how);
    }
    if (!spoilt)
        return;
    json_t *e = talk_error(t);
    assert_string_equal(text_of(e, "code"), "usage");
    assert_string_equal(text_of(e, "detail"), m->args[k].name);
    assert_non_null(strstr(text_of(e, "text"), m->args[k].name));
    json_decref(e);
}

static void every_wrong_argument_of_every_method_is_named(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 8);
    const struct method *m;
    for (unsigned i = 0; (m = group_method_at(control_groups, i)) != NULL; i++) {
        proto_bool(talk_ask(&s->a, m->name), "surplus", true);
        json_t *e = talk_error(&s->a);
        assert_string_equal(text_of(e, "code"), "usage");
        assert_string_equal(text_of(e, "detail"), "surplus");
        json_decref(e);
        for (unsigned k = 0; m->args[k].name; k++)
            for (enum spoil how = MISSING; how <= TOO_MANY; how++)
                spoil_one(&s->a, m, k, how);
    }
    assert_false(control_wants_shutdown(s->c));
    scene_close(s);
}

static void nil_stands_for_an_argument_that_may_be_missing(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 9);
    proto_nil(talk_ask(&s->a, "contact.list"), "offset");
    json_decref(talk_result(&s->a));
    proto_nil(talk_ask(&s->a, "contact.remove"), "name");
    talk_fails(&s->a, "usage");
    scene_close(s);
}

static void names_from_the_client_come_back_without_control_characters(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 10);
    proto_bool(talk_ask(&s->a, "id"), "a\x1b[31m\xc2\x9b", true);
    json_t *e = talk_error(&s->a);
    assert_string_equal(text_of(e, "detail"), "a?[31m??");
    json_decref(e);
    scene_close(s);
}

struct bad { /* a request that names what is not there, or makes no sense */
    const char *method, *key, *text, *code; /* text NULL: the number 12345 */
    const char *key2, *text2;
};

static void requests_that_cannot_be_done_say_why(void **state) {
    (void)state;
    static const struct bad all[] = {
        {"no.such.method", "x", "y", "unsupported", NULL, NULL},
        {"wait", "for", "rain", "usage", NULL, NULL},
        {"wait", "for", "peer", "usage", NULL, NULL},
        {"wait", "for", "contact", "usage", NULL, NULL},
        {"wait", "for", "peer", "not_found", "name", "nobody"},
        {"ticket.new", "name", "n1", "exists", NULL, NULL},
        {"contact.add", "name", "c", "format", "ticket", "meshticket1qqqq"},
        {"contact.remove", "name", "nobody", "not_found", NULL, NULL},
        {"peer.connect", "name", "nobody", "not_found", NULL, NULL},
        {"peer.ping", "name", "nobody", "not_found", NULL, NULL},
        {"transfer.get", "id", NULL, "not_found", NULL, NULL},
        {"transfer.files", "id", NULL, "not_found", NULL, NULL},
        {"transfer.accept", "id", NULL, "not_found", NULL, NULL},
        {"transfer.accept", "id", NULL, "usage", "dir", "relative"},
        {"transfer.reject", "id", NULL, "not_found", NULL, NULL},
        {"transfer.cancel", "id", NULL, "not_found", NULL, NULL},
        {"transfer.wait", "id", NULL, "not_found", NULL, NULL},
        {"recv.start", "dir", "relative", "usage", NULL, NULL},
        {"recv.start", "contact", "nobody", "not_found", NULL, NULL},
        {"recv.stop", "id", NULL, "not_found", NULL, NULL},
        {"message.send", "contact", "nobody", "not_found", "text", "x"},
        {"message.send", "contact", "n1", "usage", "text", ""},
        {"message.send", "contact", "n1", "usage", "text", "\xff"},
        {"message.list", "contact", "nobody", "not_found", NULL, NULL},
        {"message.wait", "seq", NULL, "not_found", NULL, NULL},
    };
    struct scene *s = scene_open(true, 11);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct proto_writer *w = talk_ask(&s->a, all[i].method);
        if (all[i].text)
            proto_str(w, all[i].key, all[i].text);
        else
            proto_uint(w, all[i].key, 12345);
        if (all[i].key2)
            proto_str(w, all[i].key2, all[i].text2);
        talk_fails(&s->a, all[i].code);
    }
    struct proto_writer *w = talk_ask(&s->a, "transfer.send");
    proto_str(w, "contact", "n1");
    proto_array(w, "paths");
    proto_end(w);
    talk_fails(&s->a, "usage");
    w = talk_ask(&s->a, "transfer.send");
    proto_str(w, "contact", "n1");
    proto_array(w, "paths");
    proto_str(w, NULL, "relative");
    proto_end(w);
    talk_fails(&s->a, "usage");
    w = talk_ask(&s->a, "events.subscribe");
    proto_array(w, "kinds");
    proto_str(w, NULL, "peer.up");
    proto_str(w, NULL, "peer.sideways");
    proto_end(w);
    talk_fails(&s->a, "usage");
    proto_uint(talk_ask(&s->a, "ticket.new"), "ttl_s", 0);
    talk_fails(&s->a, "usage");
    scene_close(s);
}

/* contact.add of the peer's latest ticket: the error's code, sentence and detail. */
static void add_says(struct scene *s, const char *name, const char *code, const char *text,
                     const char *detail) {
    json_t *ticket = answer_of(&s->peer, "ticket.new", NULL, NULL);
    struct proto_writer *w = talk_ask(&s->a, "contact.add");
    proto_str(w, "name", name);
    proto_str(w, "ticket", text_of(ticket, "ticket"));
    json_t *e = talk_error(&s->a);
    assert_string_equal(text_of(e, "code"), code);
    assert_non_null(strstr(text_of(e, "text"), text));
    assert_string_equal(text_of(e, "detail"), detail);
    json_decref(e);
    json_decref(ticket);
}

/* A name may be in the way because a contact has it, because an open ticket keeps it, which no list
 * shows, or because its node is a contact under another name: each has its own way out. */
static void a_taken_name_says_by_whom(void **state) {
    (void)state;
    struct scene *s = scene_open(true, 13);
    json_decref(answer_of(&s->a, "ticket.new", "name", "kept"));
    add_says(s, "kept", "exists", "that node is a contact already", "n1");
    add_says(s, "other", "exists", "that node is a contact already", "n1");
    add_says(s, "-other", "usage", "'-'", "-other");
    struct proto_writer *w = talk_ask(&s->a, "contact.remove");
    proto_str(w, "name", "n1");
    json_decref(talk_result(&s->a));
    add_says(s, "kept", "exists", "an open ticket", "kept");
    static const struct {
        const char *name, *code, *text;
    } tickets[] = {{"kept", "exists", "an open ticket"}, {"-x", "usage", "not usable"}};
    for (size_t i = 0; i < sizeof tickets / sizeof *tickets; i++) {
        proto_str(talk_ask(&s->a, "ticket.new"), "name", tickets[i].name);
        json_t *e = talk_error(&s->a);
        assert_string_equal(text_of(e, "code"), tickets[i].code);
        assert_non_null(strstr(text_of(e, "text"), tickets[i].text));
        json_decref(e);
    }
    proto_str(talk_ask(&s->peer, "ticket.new"), "name", "n0");
    json_t *e = talk_error(&s->peer);
    assert_non_null(strstr(text_of(e, "text"), "a contact has that name"));
    json_decref(e);
    scene_close(s);
}

static void an_expired_ticket_is_error_timeout(void **state) {
    (void)state;
    struct scene *s = scene_open(false, 12);
    proto_uint(talk_ask(&s->peer, "ticket.new"), "ttl_s", 1);
    json_t *r = talk_result(&s->peer);
    world_run(s->w, 10 * S);
    struct proto_writer *w = talk_ask(&s->a, "contact.add");
    proto_str(w, "name", "late");
    proto_str(w, "ticket", text_of(r, "ticket"));
    talk_fails(&s->a, "timeout");
    json_decref(r);
    scene_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(requests_in_one_piece_are_answered_in_order),
        cmocka_unit_test(an_id_may_be_used_again),
        cmocka_unit_test(generic_clients_may_send_params_in_an_array_or_none),
        cmocka_unit_test(a_notification_from_a_client_is_without_effect),
        cmocka_unit_test(garbage_closes_the_connection_and_is_answered_if_an_id_is_readable),
        cmocka_unit_test(a_request_before_garbage_is_carried_out),
        cmocka_unit_test(every_wrong_argument_of_every_method_is_named),
        cmocka_unit_test(nil_stands_for_an_argument_that_may_be_missing),
        cmocka_unit_test(names_from_the_client_come_back_without_control_characters),
        cmocka_unit_test(requests_that_cannot_be_done_say_why),
        cmocka_unit_test(a_taken_name_says_by_whom),
        cmocka_unit_test(an_expired_ticket_is_error_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
