/* wait: what is so already is answered at once, the rest when it is so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_desk.h"

extern const struct group control_group_wait;

static int ask(struct desk *d, const char *what, const char *name, uint64_t timeout_us) {
    struct proto_writer *w = desk_ask(d, "wait");
    proto_str(w, "for", what);
    if (name)
        proto_str(w, "name", name);
    if (timeout_us)
        proto_uint(w, "timeout_us", timeout_us);
    return desk_run(d);
}

static void what_is_so_is_answered_at_once(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_wait);
    assert_int_equal(ask(d, "ready", NULL, 0), 0);
    fake_contact("ann", CONTACT_ONLINE);
    assert_int_equal(ask(d, "contact", "ann", 0), 0);
    assert_int_equal(ask(d, "peer", "ann", 0), 0);
    assert_non_null(proto_get(&d->heard.result, "peer"));
    assert_int_equal(fake.log_count, 0);
    desk_close(d);
}

static void a_peer_that_is_not_there_is_dialled(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_wait);
    fake_contact("ann", CONTACT_OFFLINE);
    assert_int_equal(ask(d, "peer", "ann", 1000), CALL_LATER);
    assert_int_equal(fake_asked("connect ann"), 1);
    desk_pass(d, 1000);
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "text"), "the peer did not come online in time");
    desk_close(d);
}

static void a_contact_is_waited_for_by_name(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_wait);
    for (unsigned renamed = 0; renamed < 2; renamed++) {
        fake.contact_count = 0;
        assert_int_equal(ask(d, "contact", "ann", 0), CALL_LATER);
        fake_contact("ann", CONTACT_OFFLINE);
        desk_event(d, (struct node_event){.kind = NODE_CONTACT_ADDED, .contact = "bob"});
        assert_false(desk_hear(d));
        desk_event(d,
                   (struct node_event){.kind = renamed ? NODE_CONTACT_RENAMED : NODE_CONTACT_ADDED,
                                       .contact = "ann",
                                       .detail = "old"});
        assert_true(desk_hear(d));
    }
    desk_close(d);
}

static void what_cannot_be_waited_for_is_an_error(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_wait);
    assert_int_equal(ask(d, "rain", NULL, 0), ERR_USAGE);
    assert_int_equal(ask(d, "peer", NULL, 0), ERR_USAGE);
    assert_string_equal(d->call.detail, "name");
    assert_int_equal(ask(d, "peer", "nobody", 0), ERR_NOT_FOUND);
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_so_is_answered_at_once),
        cmocka_unit_test(a_peer_that_is_not_there_is_dialled),
        cmocka_unit_test(a_contact_is_waited_for_by_name),
        cmocka_unit_test(what_cannot_be_waited_for_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
