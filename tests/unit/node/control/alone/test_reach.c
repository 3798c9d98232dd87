/* A peer is dialled until it answers, or says that it does not let us in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "node/control/methods/control_reach.h"
#include "support_desk.h"

enum { S = 1000000 };

static struct wait *begin(struct desk *d, const struct wait_kind *kind, uint64_t deadline_us) {
    d->call = (struct call){.conn = d->conn, .waits = &d->waits, .id = 5};
    struct wait *w = wait_new(&d->call, kind, deadline_us);
    assert_non_null(w);
    strcpy(w->contact, "ann");
    return w;
}

static void it_is_dialled_again_after_each_attempt(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    struct contact_info *c = fake_contact("ann", CONTACT_OFFLINE);
    struct wait *w = begin(d, &reach_peer, UINT64_MAX);
    assert_int_equal(reach_try(&d->waits, d->now_us, w), 0);
    assert_int_equal(waits_deadline_us(&d->waits), UINT64_MAX); /* under way */
    for (unsigned i = 1; i < 5; i++) {
        assert_int_equal(fake_asked("connect ann"), i);
        desk_event(d, (struct node_event){
                          .kind = NODE_CONNECT_FAILED, .contact = "ann", .err = ERR_OFFLINE});
        assert_int_equal(waits_deadline_us(&d->waits), d->now_us + CONTROL_RECONNECT_US);
        desk_pass(d, CONTROL_RECONNECT_US);
    }
    desk_event(d, (struct node_event){.kind = NODE_PEER_UP, .contact = "bob"});
    assert_false(desk_hear(d));
    c->state = CONTACT_ONLINE;
    c->online = true;
    desk_event(d, (struct node_event){.kind = NODE_PEER_UP, .contact = "ann"});
    assert_true(desk_hear(d));
    assert_int_equal(d->heard.error.type, MSGPACK_OBJECT_NIL);
    desk_close(d);
}

static void one_with_a_session_is_asked_in_it(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    struct contact_info *c = fake_contact("ann", CONTACT_ONLINE);
    assert_true(reach_answers(c));
    c->quiet_us = 60 * S;
    assert_false(reach_answers(c));
    struct wait *w = begin(d, &reach_peer, UINT64_MAX);
    assert_int_equal(reach_try(&d->waits, d->now_us, w), 0);
    assert_int_equal(fake_asked("ping ann"), 1);
    desk_event(d, (struct node_event){.kind = NODE_PONG, .contact = "ann", .id = w->ref + 1});
    assert_false(desk_hear(d));
    desk_event(d, (struct node_event){.kind = NODE_PONG, .contact = "ann", .id = w->ref});
    assert_true(desk_hear(d));
    desk_close(d);
}

static void a_denial_and_a_removal_end_it(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    fake_contact("ann", CONTACT_OFFLINE)->paired = true;
    begin(d, &reach_peer, UINT64_MAX);
    desk_event(
        d, (struct node_event){.kind = NODE_CONNECT_FAILED, .contact = "ann", .err = ERR_UNKNOWN});
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "unknown");
    assert_string_equal(desk_str(d, "text"), "\"ann\" has removed this node from its contacts");
    begin(d, &reach_peer, UINT64_MAX);
    desk_event(d, (struct node_event){.kind = NODE_CONTACT_REMOVED, .contact = "ann"});
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "not_found");
    struct wait *w = begin(d, &reach_peer, UINT64_MAX);
    fake.err = ERR_NOT_FOUND;
    fake.contact_count = 0;
    w->retry_us = d->now_us;
    desk_pass(d, 0);
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "not_found");
    desk_close(d);
}

static void who_was_added_is_there_even_if_it_does_not_answer(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    fake_contact("ann", CONTACT_CONNECTING);
    begin(d, &reach_added, d->now_us + 2 * S);
    desk_pass(d, 2 * S);
    assert_true(desk_hear(d));
    assert_int_equal(d->heard.error.type, MSGPACK_OBJECT_NIL);
    assert_non_null(proto_get(&d->heard.result, "contact"));
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_dialled_again_after_each_attempt),
        cmocka_unit_test(one_with_a_session_is_asked_in_it),
        cmocka_unit_test(a_denial_and_a_removal_end_it),
        cmocka_unit_test(who_was_added_is_there_even_if_it_does_not_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
