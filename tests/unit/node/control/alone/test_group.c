/* Methods and events are found in whichever group has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/control/call/control_group.h"

static int run(struct call *call) {
    (void)call;
    return 0;
}

static const struct method first[] = {{"a", run, {{0}}}, {"b", run, {{0}}}, {NULL, NULL, {{0}}}};
static const struct method second[] = {{"c", run, {{0}}}, {NULL, NULL, {{0}}}};
static const struct event_row events[] = {{.kind = NODE_PONG}, {.kind = NODE_PEER_UP}};
static const struct group one = {.methods = first};
static const struct group two = {.events = events, .event_count = 2};
static const struct group three = {.methods = second};
static const struct group *const groups[] = {&one, &two, &three, NULL};

static void a_method_comes_with_its_group(void **state) {
    (void)state;
    unsigned g = 9;
    assert_ptr_equal(group_method(groups, "b", &g), &first[1]);
    assert_int_equal(g, 0);
    assert_ptr_equal(group_method(groups, "c", &g), &second[0]);
    assert_int_equal(g, 2);
    assert_null(group_method(groups, "d", &g));
    assert_null(group_method(groups, "", &g));
}

static void all_methods_are_counted_through(void **state) {
    (void)state;
    assert_ptr_equal(group_method_at(groups, 0), &first[0]);
    assert_ptr_equal(group_method_at(groups, 2), &second[0]);
    assert_null(group_method_at(groups, 3));
}

static void an_event_has_one_row_or_none(void **state) {
    (void)state;
    assert_ptr_equal(group_event(groups, NODE_PEER_UP), &events[1]);
    assert_null(group_event(groups, NODE_MESSAGE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_method_comes_with_its_group),
        cmocka_unit_test(all_methods_are_counted_through),
        cmocka_unit_test(an_event_has_one_row_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
