/* Messages are promised when they are safe, and waited for until they have come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "support_desk.h"

extern const struct group control_group_message;

static int say(struct desk *d) {
    struct proto_writer *w = desk_ask(d, "message.send");
    proto_str(w, "contact", "ann");
    proto_str(w, "text", "hello");
    return desk_run(d);
}

static int wait_for(struct desk *d, uint64_t seq, bool until_offline) {
    struct proto_writer *w = desk_ask(d, "message.wait");
    proto_uint(w, "seq", seq);
    proto_bool(w, "until_offline", until_offline);
    return desk_run(d);
}

static void a_message_is_promised_when_it_is_safe(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_message);
    assert_int_equal(say(d), CALL_LATER);
    assert_int_equal(fake_asked("message ann hello"), 1);
    desk_event(d, (struct node_event){.kind = NODE_MESSAGE_QUEUED, .id = 1});
    assert_true(desk_hear(d));
    assert_int_equal(desk_uint(d, "seq"), 1);
    assert_int_equal(say(d), CALL_LATER);
    desk_pass(d, CONTROL_QUEUED_US);
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "io");
    fake.err = ERR_USAGE;
    assert_int_equal(say(d), ERR_USAGE);
    assert_non_null(strstr(d->call.text, "65536 bytes of UTF-8"));
    fake.err = ERR_NOT_FOUND;
    assert_int_equal(say(d), ERR_NOT_FOUND);
    assert_int_equal(d->waits.end, 0);
    desk_close(d);
}

static void who_waits_hears_what_became_of_it(void **state) {
    (void)state;
    static const struct {
        struct node_event e;
        bool until_offline;
        const char *code; /* NULL: it is delivered; "": it goes on waiting */
    } cases[] = {
        {{.kind = NODE_MESSAGE_DELIVERED, .id = 3}, false, NULL},
        {{.kind = NODE_MESSAGE_DELIVERED, .id = 4}, false, ""},
        {{.kind = NODE_MESSAGE_FAILED, .id = 3, .err = ERR_REFUSED}, false, "refused"},
        {{.kind = NODE_CONTACT_REMOVED, .contact = "ann"}, false, "not_found"},
        {{.kind = NODE_CONTACT_REMOVED, .contact = "bob"}, false, ""},
        {{.kind = NODE_CONNECT_FAILED, .contact = "ann", .err = ERR_OFFLINE}, false, ""},
        {{.kind = NODE_CONNECT_FAILED, .contact = "ann", .err = ERR_OFFLINE}, true, "offline"},
        {{.kind = NODE_PEER_SILENT, .contact = "ann", .err = ERR_OFFLINE}, true, "offline"},
        {{.kind = NODE_CONNECT_FAILED, .contact = "ann", .err = ERR_TICKET}, false, "ticket"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct desk *d = desk_open(&control_group_message);
        fake_message(3, "ann", true);
        assert_int_equal(wait_for(d, 3, cases[i].until_offline), CALL_LATER);
        desk_event(d, cases[i].e);
        const char *code = cases[i].code;
        assert_int_equal(desk_hear(d), !code || code[0] != '\0');
        if (!code)
            assert_true(proto_get_bool(&d->heard.result, "delivered"));
        else if (code[0])
            assert_string_equal(desk_str(d, "code"), code);
        desk_close(d);
    }
}

static void what_is_known_already_is_answered_at_once(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_message);
    struct message_info *m = fake_message(3, "ann", true);
    fake_message(4, "ann", false);
    assert_int_equal(wait_for(d, 4, false), ERR_NOT_FOUND);
    assert_int_equal(wait_for(d, 0, false), ERR_NOT_FOUND);
    m->state = MESSAGE_FAILED;
    m->err = ERR_REFUSED;
    assert_int_equal(wait_for(d, 3, false), ERR_REFUSED);
    m->state = MESSAGE_CANCELLED;
    assert_int_equal(wait_for(d, 3, false), ERR_CANCELLED);
    m->state = MESSAGE_DELIVERED;
    m->delivered = true;
    assert_int_equal(wait_for(d, 3, false), 0);
    assert_int_equal(d->waits.end, 0);
    desk_close(d);
}

static void one_that_was_not_let_in_is_tried_again(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_message);
    fake_message(3, "ann", true)->err = ERR_TICKET;
    assert_int_equal(wait_for(d, 3, false), CALL_LATER);
    assert_int_equal(fake_asked("connect ann"), 1);
    desk_close(d);
}

static void lists_and_deletions_cost_work(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_message);
    fake_contact("ann", CONTACT_OFFLINE);
    for (unsigned i = 1; i <= 300; i++)
        fake_message(i, "ann", false);
    desk_ask(d, "message.list");
    assert_int_equal(desk_run(d), 0);
    assert_int_equal(desk_count(d, "messages"), CONTROL_PAGE_MAX);
    assert_true(proto_get_bool(&d->heard.result, "more"));
    assert_int_equal(d->call.work_bytes, CONTROL_PAGE_MAX * CONTROL_READ_BYTES);
    struct proto_writer *w = desk_ask(d, "message.list");
    proto_uint(w, "after", desk_uint(d, "last"));
    assert_int_equal(desk_run(d), 0);
    assert_int_equal(desk_count(d, "messages"), 300 - CONTROL_PAGE_MAX);
    proto_str(desk_ask(d, "message.delete"), "contact", "ann");
    assert_int_equal(desk_run(d), 0);
    assert_int_equal(desk_uint(d, "deleted"), 3);
    assert_int_equal(d->call.work_bytes, 3 * CONTROL_DELETE_BYTES);
    proto_str(desk_ask(d, "message.list"), "contact", "nobody");
    assert_int_equal(desk_run(d), ERR_NOT_FOUND);
    desk_close(d);
}

static void a_message_is_shown_whole_or_in_brief(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_message);
    fake_message(3, "ann", false);
    desk_show(d, (struct node_event){.kind = NODE_MESSAGE, .id = 3}, false);
    assert_int_equal(desk_uint(d, "seq"), 3);
    const msgpack_object *m = proto_get(&d->heard.params, "message");
    assert_true(proto_str_is(proto_get(m, "text"), "hello"));
    desk_show(d, (struct node_event){.kind = NODE_MESSAGE, .id = 3}, true);
    assert_int_equal(proto_get(&d->heard.params, "message")->type, MSGPACK_OBJECT_NIL);
    desk_show(d, (struct node_event){.kind = NODE_MESSAGE_FULL, .total = 9}, false);
    assert_int_equal(desk_uint(d, "quota_contact_bytes"), 9);
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_promised_when_it_is_safe),
        cmocka_unit_test(who_waits_hears_what_became_of_it),
        cmocka_unit_test(what_is_known_already_is_answered_at_once),
        cmocka_unit_test(one_that_was_not_let_in_is_tried_again),
        cmocka_unit_test(lists_and_deletions_cost_work),
        cmocka_unit_test(a_message_is_shown_whole_or_in_brief),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
