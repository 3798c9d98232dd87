/* A connection subscribes to the kinds of events that it names, or to all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_desk.h"

extern const struct group control_group_events;

static int subscribe(struct desk *d, const char *a, const char *b) {
    struct proto_writer *w = desk_ask(d, "events.subscribe");
    proto_array(w, "kinds");
    proto_str(w, NULL, a);
    proto_str(w, NULL, b);
    proto_end(w);
    return desk_run(d);
}

static void each_kind_may_be_named(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_events);
    for (unsigned k = 0; k + 1 < NODE_EVENT_KINDS; k++) {
        char other[20];
        const char *name = node_event_name((enum node_event_kind)(k + 1));
        for (unsigned i = 0; i < sizeof other; i++)
            other[i] = name[i < 16 ? i : 15];
        assert_int_equal(subscribe(d, node_event_name((enum node_event_kind)k), other), 0);
        for (unsigned j = 0; j < NODE_EVENT_KINDS; j++)
            assert_int_equal(kinds_has(&d->conn->events, j), j == k || j == k + 1);
    }
    desk_close(d);
}

static void all_none_and_unknown_ones(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_events);
    desk_ask(d, "events.subscribe");
    assert_int_equal(desk_run(d), 0);
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++)
        assert_true(kinds_has(&d->conn->events, k));
    assert_int_equal(subscribe(d, "event.1", "rain"), ERR_USAGE);
    assert_string_equal(d->call.detail, "rain");
    assert_true(kinds_has(&d->conn->events, 2)); /* as before */
    desk_ask(d, "events.unsubscribe");
    assert_int_equal(desk_run(d), 0);
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++)
        assert_false(kinds_has(&d->conn->events, k));
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_may_be_named),
        cmocka_unit_test(all_none_and_unknown_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
