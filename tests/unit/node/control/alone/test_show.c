/* Contacts, peers and transfers as maps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/control/methods/control_show.h"
#include "node/control/methods/control_show_transfer.h"
#include "support_desk.h"

static struct proto_writer *begin(struct desk *d) {
    proto_writer_reset(&d->conns.w);
    proto_notify(&d->conns.w, "x");
    proto_map(&d->conns.w, NULL);
    return &d->conns.w;
}

static const msgpack_object *shown(struct desk *d, const char *key) {
    proto_end(&d->conns.w);
    conn_push(&d->conns, d->now_us, d->conn);
    assert_true(desk_hear(d));
    return proto_get(&d->heard.params, key);
}

static void what_is_not_known_is_nil(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    struct contact_info *c = fake_contact("ann", CONTACT_OFFLINE);
    c->quiet_us = UINT64_MAX;
    show_contact(begin(d), "c", c);
    const msgpack_object *o = shown(d, "c");
    assert_int_equal(proto_get(o, "quiet_us")->type, MSGPACK_OBJECT_NIL);
    assert_int_equal(proto_get(o, "denied")->type, MSGPACK_OBJECT_NIL);
    assert_int_equal(proto_get(o, "refused")->type, MSGPACK_OBJECT_NIL);
    show_peer(begin(d), "p", c);
    assert_int_equal(proto_get(shown(d, "p"), "session")->type, MSGPACK_OBJECT_NIL);
    show_addr(begin(d), "a", &(struct addr){.kind = ADDR_NONE});
    assert_int_equal(shown(d, "a")->type, MSGPACK_OBJECT_NIL);
    show_event_error(begin(d), &(struct node_event){.err = 0});
    assert_int_equal(shown(d, "error")->type, MSGPACK_OBJECT_NIL);
    desk_close(d);
}

static void why_somebody_is_not_let_in_is_an_error(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    struct contact_info *c = fake_contact("ann", CONTACT_ONLINE);
    c->denied = ERR_TICKET;
    c->refused = ERR_FULL;
    c->addr_count = 2;
    show_contact(begin(d), "c", c);
    const msgpack_object *o = shown(d, "c");
    assert_true(proto_str_is(proto_get(proto_get(o, "denied"), "code"), "ticket"));
    assert_true(proto_str_is(proto_get(proto_get(o, "refused"), "code"), "full"));
    assert_non_null(proto_at(proto_get(o, "addrs"), 1));
    show_peer(begin(d), "p", c);
    assert_int_equal(proto_get(shown(d, "p"), "session")->type, MSGPACK_OBJECT_MAP);
    desk_close(d);
}

static void a_transfer_shows_its_times_and_its_first_files(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    struct transfer_info *t = fake_transfer(1, false, TRANSFER_RUNNING);
    fake.files = 100;
    t->files = 100;
    t->files_done = 99;
    t->started_us = 1000;
    t->accepted_us = 3000;
    show_transfer(begin(d), "t", NULL, t, 5000);
    const msgpack_object *o = shown(d, "t");
    assert_int_equal(proto_get_uint(o, "elapsed_us", 0), 4000);
    assert_int_equal(proto_get_uint(o, "running_us", 0), 2000);
    assert_non_null(proto_at(proto_get(o, "first"), TRANSFER_FIRST_FILES - 1));
    assert_null(proto_at(proto_get(o, "first"), TRANSFER_FIRST_FILES));
    t->state = TRANSFER_FAILED;
    t->ended_us = 4000;
    t->err = ERR_DISK;
    show_transfer(begin(d), "t", NULL, t, 5000);
    o = shown(d, "t");
    assert_int_equal(proto_get_uint(o, "elapsed_us", 0), 3000);
    assert_true(proto_str_is(proto_get(proto_get(o, "error"), "code"), "disk"));
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_nil),
        cmocka_unit_test(why_somebody_is_not_let_in_is_an_error),
        cmocka_unit_test(a_transfer_shows_its_times_and_its_first_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
