/* Tickets and contacts: each error has its own sentence, a ticket that nobody hears is taken
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "node/people/ticket.h"
#include "support_desk.h"

extern const struct group control_group_contact;

enum { S = 1000000 };

static int ask(struct desk *d, const char *method, const char *key, const char *value) {
    struct proto_writer *w = desk_ask(d, method);
    if (key)
        proto_str(w, key, value);
    return desk_run(d);
}

static void a_ticket_is_told_when_it_is_safe(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_contact);
    assert_int_equal(ask(d, "ticket.new", "name", "ann"), CALL_LATER);
    desk_event(d, (struct node_event){.kind = NODE_TICKET_STORED, .id = 2});
    assert_false(desk_hear(d));
    desk_event(d, (struct node_event){.kind = NODE_TICKET_STORED, .id = 1});
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "ticket"), "ticket1");
    assert_int_equal(desk_uint(d, "ttl_s"), 24 * 3600);
    assert_int_equal(fake_asked("ticket end ticket1"), 0);
    desk_close(d);
}

static void one_that_is_not_told_is_taken_back(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_contact);
    assert_int_equal(ask(d, "ticket.new", NULL, NULL), CALL_LATER);
    desk_pass(d, CONTROL_QUEUED_US);
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "io");
    assert_int_equal(fake_asked("ticket end ticket1"), 1);
    assert_int_equal(ask(d, "ticket.new", NULL, NULL), CALL_LATER);
    waits_drop_conn(&d->waits, d->now_us, d->conn->index);
    assert_int_equal(fake_asked("ticket end ticket2"), 1);
    assert_int_equal(d->waits.end, 0);
    desk_close(d);
}

static void errors_of_names_have_sentences(void **state) {
    (void)state;
    static const struct {
        int err;
        const char *says;
    } cases[] = {
        {ERR_NOT_FOUND, "there is no contact of that name"},
        {ERR_EXISTS, "an open ticket keeps the name \"ann\""},
        {ERR_USAGE, "the name is not usable"},
        {ERR_IO, ""},
    };
    struct desk *d = desk_open(&control_group_contact);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake.err = cases[i].err;
        assert_int_equal(ask(d, "contact.remove", "name", "ann"), cases[i].err);
        assert_non_null(strstr(d->call.text, cases[i].says));
        assert_string_equal(d->call.detail, "ann");
    }
    fake_contact("ann", CONTACT_OFFLINE);
    fake.err = ERR_EXISTS;
    assert_int_equal(ask(d, "ticket.new", "name", "ann"), ERR_EXISTS);
    assert_string_equal(d->call.text, "a contact has that name already");
    assert_int_equal(d->waits.end, 0);
    desk_close(d);
}

static int add(struct desk *d, const char *name, uint64_t timeout_us) {
    struct ticket t = {.id = {{9}}, .expires_s = 100};
    char text[TICKET_TEXT_MAX + 1];
    assert_int_equal(ticket_encode(&t, text), 0);
    struct proto_writer *w = desk_ask(d, "contact.add");
    proto_str(w, "name", name);
    proto_str(w, "ticket", text);
    if (timeout_us)
        proto_uint(w, "timeout_us", timeout_us);
    return desk_run(d);
}

static void a_contact_is_added_at_once_or_when_it_is_there(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_contact);
    assert_int_equal(add(d, "ann", 0), 0);
    assert_non_null(proto_get(&d->heard.result, "contact"));
    assert_int_equal(add(d, "bob", 5 * S), CALL_LATER);
    desk_event(d, (struct node_event){.kind = NODE_PEER_UP, .contact = "bob"});
    assert_true(desk_hear(d));
    assert_non_null(proto_get(&d->heard.result, "contact"));
    desk_close(d);
}

static void a_ticket_that_is_not_taken_says_why(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_contact);
    fake.err = ERR_TIMEOUT;
    assert_int_equal(add(d, "ann", 5 * S), ERR_TIMEOUT);
    assert_non_null(strstr(d->call.text, "1970-01-01"));
    assert_int_equal(d->waits.end, 0);
    fake_contact("ann", CONTACT_OFFLINE)->id = (struct node_id){{9}};
    fake.err = ERR_EXISTS;
    assert_int_equal(add(d, "ann", 0), ERR_EXISTS);
    assert_non_null(strstr(d->call.text, "under this name already"));
    assert_int_equal(add(d, "bob", 0), ERR_EXISTS);
    assert_non_null(strstr(d->call.text, "called \"ann\""));
    struct proto_writer *w = desk_ask(d, "contact.add");
    proto_str(w, "name", "ann");
    proto_str(w, "ticket", "nonsense");
    assert_int_equal(desk_run(d), ERR_FORMAT);
    desk_close(d);
}

static void a_path_is_one_of_four_words(void **state) {
    (void)state;
    static const struct {
        const char *word;
        enum contact_path path;
    } cases[] = {{"auto", CONTACT_PATH_AUTO},
                 {"relay_only", CONTACT_PATH_RELAY_ONLY},
                 {"direct_only", CONTACT_PATH_DIRECT_ONLY},
                 {"default", CONTACT_PATH_NODE}};
    struct desk *d = desk_open(&control_group_contact);
    struct contact_info *ann = fake_contact("ann", CONTACT_OFFLINE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_writer *w = desk_ask(d, "contact.path");
        proto_str(w, "name", "ann");
        proto_str(w, "path", cases[i].word);
        assert_int_equal(desk_run(d), 0);
        assert_int_equal(ann->path_own, cases[i].path);
        const msgpack_object *own = proto_get(proto_get(&d->heard.result, "contact"), "path_own");
        assert_int_equal(proto_str_is(own, cases[i].word), cases[i].path != CONTACT_PATH_NODE);
    }
    struct proto_writer *w = desk_ask(d, "contact.path");
    proto_str(w, "name", "ann");
    proto_str(w, "path", "Auto");
    assert_int_equal(desk_run(d), ERR_USAGE);
    assert_non_null(strstr(d->call.text, "auto, relay_only, direct_only or default"));
    fake.err = ERR_NOT_FOUND;
    w = desk_ask(d, "contact.path");
    proto_str(w, "name", "bob");
    proto_str(w, "path", "auto");
    assert_int_equal(desk_run(d), ERR_NOT_FOUND);
    assert_non_null(strstr(d->call.text, "no contact of that name"));
    desk_close(d);
}

static void a_ticket_says_what_is_wrong_with_it(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_contact);
    struct ticket t = {.id = {{9}}};
    char text[TICKET_TEXT_MAX + 1];
    struct relay_addr r = {.port = 1, .host = "Relay", .id = {{8}}}; /* not in its one form */
    assert_true(ticket_relay_add(&t, &r));
    assert_int_equal(ticket_encode(&t, text), 0);
    struct proto_writer *w = desk_ask(d, "contact.add");
    proto_str(w, "name", "ann");
    proto_str(w, "ticket", text);
    assert_int_equal(desk_run(d), ERR_FORMAT);
    assert_non_null(strstr(d->call.text, "a relay that cannot be used: the host's name may have"));
    w = desk_ask(d, "contact.add");
    proto_str(w, "name", "ann");
    proto_str(w, "ticket", "nonsense");
    assert_int_equal(desk_run(d), ERR_FORMAT);
    assert_non_null(strstr(d->call.text, "begins with meshticket1"));
    fake.err = ERR_UNSUPPORTED;
    (void)desk_ask(d, "ticket.new");
    assert_int_equal(desk_run(d), ERR_UNSUPPORTED);
    assert_non_null(strstr(d->call.text, "by relays only"));
    desk_close(d);
}

static void a_renamed_one_is_shown_under_its_new_name(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_contact);
    fake_contact("ann", CONTACT_OFFLINE);
    struct proto_writer *w = desk_ask(d, "contact.rename");
    proto_str(w, "name", "ann");
    proto_str(w, "to", "eve");
    assert_int_equal(desk_run(d), 0);
    const msgpack_object *c = proto_get(&d->heard.result, "contact");
    assert_true(proto_str_is(proto_get(c, "name"), "eve"));
    assert_int_equal(ask(d, "contact.list", NULL, NULL), 0);
    assert_int_equal(desk_count(d, "contacts"), 1);
    desk_show(d, (struct node_event){.kind = NODE_CONTACT_RENAMED, .detail = "ann"}, false);
    assert_string_equal(desk_str(d, "was"), "ann");
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_is_told_when_it_is_safe),
        cmocka_unit_test(one_that_is_not_told_is_taken_back),
        cmocka_unit_test(errors_of_names_have_sentences),
        cmocka_unit_test(a_contact_is_added_at_once_or_when_it_is_there),
        cmocka_unit_test(a_ticket_that_is_not_taken_says_why),
        cmocka_unit_test(a_renamed_one_is_shown_under_its_new_name),
        cmocka_unit_test(a_path_is_one_of_four_words),
        cmocka_unit_test(a_ticket_says_what_is_wrong_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
