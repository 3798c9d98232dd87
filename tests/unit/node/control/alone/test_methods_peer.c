/* Peers are connected to and pinged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_desk.h"

extern const struct group control_group_peer;

static int ask(struct desk *d, const char *method) {
    proto_str(desk_ask(d, method), "name", "ann");
    return desk_run(d);
}

static void an_answer_to_a_ping_has_its_time(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_peer);
    assert_int_equal(ask(d, "peer.ping"), CALL_LATER);
    desk_event(d, (struct node_event){.kind = NODE_PONG, .id = 2, .rtt_us = 1});
    assert_false(desk_hear(d));
    desk_event(d,
               (struct node_event){.kind = NODE_PONG, .id = 1, .rtt_us = 1234, .contact = "ann"});
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "name"), "ann");
    assert_int_equal(desk_uint(d, "rtt_us"), 1234);
    desk_close(d);
}

static void a_ping_that_fails_says_why(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_peer);
    assert_int_equal(ask(d, "peer.ping"), CALL_LATER);
    desk_event(d, (struct node_event){.kind = NODE_PING_FAILED, .id = 1, .err = ERR_OFFLINE});
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "offline");
    assert_int_equal(ask(d, "peer.ping"), CALL_LATER);
    desk_event(d, (struct node_event){.kind = NODE_PING_FAILED, .id = 2, .err = ERR_TICKET});
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "ticket");
    fake.err = ERR_NOT_FOUND;
    assert_int_equal(ask(d, "peer.ping"), ERR_NOT_FOUND);
    assert_int_equal(ask(d, "peer.connect"), ERR_NOT_FOUND);
    assert_string_equal(d->call.text, "there is no contact of that name");
    assert_int_equal(d->waits.end, 0);
    desk_close(d);
}

static void a_connection_has_few_pings_which_stop_with_it(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_peer);
    for (unsigned i = 0; i < CONTROL_PINGS_MAX; i++)
        assert_int_equal(ask(d, "peer.ping"), CALL_LATER);
    assert_int_equal(ask(d, "peer.ping"), ERR_FULL);
    assert_int_equal(d->call.cause.limit, LIMIT_PINGS_CONNECTION);
    waits_drop_conn(&d->waits, d->now_us, d->conn->index);
    assert_int_equal(fake_asked("ping stop 3"), 1);
    desk_close(d);
}

static void events_say_the_path_or_the_error(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_peer);
    const struct addr a = {.kind = ADDR_IPV4, .port = 5, .ip = {10, 0, 0, 1}};
    fake_contact("ann", CONTACT_ONLINE);
    desk_ask(d, "peer.list");
    assert_int_equal(desk_run(d), 0);
    assert_int_equal(desk_count(d, "peers"), 1);
    desk_show(d, (struct node_event){.kind = NODE_PEER_UP, .addr = a}, false);
    assert_string_equal(desk_str(d, "path"), "10.0.0.1:5");
    desk_show(d, (struct node_event){.kind = NODE_PEER_DOWN, .err = ERR_CLOSED}, false);
    const msgpack_object *e = proto_get(&d->heard.params, "error");
    assert_true(proto_str_is(proto_get(e, "code"), "closed"));
    desk_show(d, (struct node_event){.kind = NODE_PONG, .id = 3, .rtt_us = 4}, false);
    assert_int_equal(desk_uint(d, "rtt_us"), 4);
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_to_a_ping_has_its_time),
        cmocka_unit_test(a_ping_that_fails_says_why),
        cmocka_unit_test(a_connection_has_few_pings_which_stop_with_it),
        cmocka_unit_test(events_say_the_path_or_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
