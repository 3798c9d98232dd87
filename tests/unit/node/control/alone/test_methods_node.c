/* The daemon's own methods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_desk.h"

extern const struct group control_group_node;

static void version_lists_the_methods_that_there_are(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_node);
    desk_ask(d, "version");
    assert_int_equal(desk_run(d), 0);
    assert_string_equal(desk_str(d, "version"), "1.2.3");
    assert_int_equal(desk_uint(d, "api"), PROTO_API_VERSION);
    assert_int_equal(desk_count(d, "methods"), 4);
    desk_close(d);
}

static void status_shows_the_node_and_the_daemon(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_node);
    fake_contact("ann", CONTACT_OFFLINE);
    d->facts.longest_turn_us = 1234;
    d->facts.listen_count = 2;
    desk_ask(d, "status");
    assert_int_equal(desk_run(d), 0);
    assert_int_equal(desk_uint(d, "contacts"), 1);
    assert_int_equal(desk_uint(d, "longest_turn_us"), 1234);
    assert_int_equal(desk_uint(d, "uptime_us"), d->now_us);
    assert_int_equal(desk_count(d, "listen"), 2);
    assert_string_equal(desk_str(d, "state_dir"), "/state");
    assert_string_equal(desk_str(d, "download_dir"), "/in");
    assert_string_equal(desk_str(d, "accept"), "ask");
    desk_close(d);
}

static void shutdown_is_remembered_for_the_daemon(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_node);
    desk_ask(d, "id");
    assert_int_equal(desk_run(d), 0);
    assert_memory_equal(desk_str(d, "id"), "mesh1", 5);
    assert_false(d->facts.shutdown);
    desk_ask(d, "shutdown");
    assert_int_equal(desk_run(d), 0);
    assert_true(d->facts.shutdown);
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_lists_the_methods_that_there_are),
        cmocka_unit_test(status_shows_the_node_and_the_daemon),
        cmocka_unit_test(shutdown_is_remembered_for_the_daemon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
