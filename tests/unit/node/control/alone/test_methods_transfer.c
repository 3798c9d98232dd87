/* Transfers: what is asked reaches the node, what cannot be says why; connections hold theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "support_desk.h"

extern const struct group control_group_transfer;

static int send_paths(struct desk *d, const char *a, const char *b, bool detach) {
    struct proto_writer *w = desk_ask(d, "transfer.send");
    proto_str(w, "contact", "ann");
    proto_array(w, "paths");
    if (a)
        proto_str(w, NULL, a);
    if (b)
        proto_str(w, NULL, b);
    proto_end(w);
    proto_bool(w, "detach", detach);
    return desk_run(d);
}

static int ask(struct desk *d, const char *method, uint64_t id) {
    proto_uint(desk_ask(d, method), "id", id);
    return desk_run(d);
}

static void what_is_sent_ends_with_the_connection_unless_it_is_let_go_of(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_transfer);
    assert_int_equal(send_paths(d, "/a", NULL, false), 0);
    assert_int_equal(desk_uint(d, "id"), 1);
    assert_int_equal(send_paths(d, "/b", NULL, true), 0);
    control_group_transfer.closed(d->state, NULL, d->now_us, d->conn->index);
    assert_int_equal(fake_asked("send ann /a"), 1);
    assert_int_equal(fake_asked("abandon 1"), 1);
    assert_int_equal(fake_asked("abandon 2"), 0);
    desk_close(d);
}

static void paths_that_mean_nothing_here_are_refused(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_transfer);
    assert_int_equal(send_paths(d, NULL, NULL, false), ERR_USAGE);
    assert_int_equal(send_paths(d, "a", NULL, false), ERR_USAGE);
    assert_string_equal(d->call.text, "paths must be absolute");
    assert_int_equal(send_paths(d, "/a/", NULL, false), ERR_USAGE);
    fake.err = ERR_USAGE;
    assert_int_equal(send_paths(d, "/a/f", "/b/f", false), ERR_USAGE);
    assert_non_null(strstr(d->call.text, "same name"));
    fake.err = ERR_NOT_FOUND;
    assert_int_equal(send_paths(d, "/a", NULL, false), ERR_NOT_FOUND);
    assert_string_equal(d->call.detail, "ann");
    desk_close(d);
}

static void who_waits_is_told_how_it_ended(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_transfer);
    struct transfer_info *t = fake_transfer(4, true, TRANSFER_RUNNING);
    assert_int_equal(ask(d, "transfer.wait", 9), ERR_NOT_FOUND);
    assert_int_equal(ask(d, "transfer.wait", 4), CALL_LATER);
    desk_event(d, (struct node_event){.kind = NODE_TRANSFER_DONE, .id = 5});
    assert_false(desk_hear(d));
    t->state = TRANSFER_DONE;
    desk_event(d, (struct node_event){.kind = NODE_TRANSFER_DONE, .id = 4});
    assert_true(desk_hear(d));
    assert_non_null(proto_get(&d->heard.result, "transfer"));
    assert_int_equal(ask(d, "transfer.wait", 4), 0);
    desk_close(d);
}

static void what_cannot_be_accepted_any_more_says_why(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_transfer);
    fake_transfer(1, true, TRANSFER_RUNNING);
    fake_transfer(2, false, TRANSFER_RUNNING);
    fake_transfer(3, false, TRANSFER_DONE);
    fake_transfer(4, false, TRANSFER_OFFERED);
    struct transfer_info *t = fake_transfer(5, false, TRANSFER_FAILED);
    t->err = ERR_CANCELLED;
    t->cause.side = SIDE_LOCAL;
    fake.err = ERR_USAGE;
    static const char *const says[] = {"no transfer of that number",
                                       "sent by this node",
                                       "accepted already",
                                       "is done",
                                       "no directory",
                                       "cancelled here already"};
    for (unsigned id = 0; id < 6; id++) {
        assert_int_equal(ask(d, "transfer.accept", id), id ? ERR_USAGE : ERR_NOT_FOUND);
        assert_non_null(strstr(d->call.text, says[id]));
    }
    assert_int_equal(ask(d, "transfer.cancel", 3), ERR_USAGE);
    fake.err = 0;
    assert_int_equal(ask(d, "transfer.reject", 4), 0);
    assert_int_equal(fake_asked("reject 4"), 2 - 1);
    desk_close(d);
}

static void lists_are_pages(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_transfer);
    for (unsigned i = 1; i <= 300; i++)
        fake_transfer(i, true, TRANSFER_DONE);
    fake.files = 10;
    struct proto_writer *w = desk_ask(d, "transfer.list");
    proto_uint(w, "limit", 5);
    assert_int_equal(desk_run(d), 0);
    assert_int_equal(desk_count(d, "transfers"), 5);
    assert_int_equal(desk_uint(d, "next"), 5);
    w = desk_ask(d, "transfer.files");
    proto_uint(w, "id", 7);
    proto_uint(w, "offset", 8);
    assert_int_equal(desk_run(d), 0);
    assert_int_equal(desk_count(d, "files"), 2);
    assert_int_equal(desk_uint(d, "next"), UINT64_MAX);
    assert_int_equal(ask(d, "transfer.get", 7), 0);
    assert_int_equal(ask(d, "transfer.get", 700), ERR_NOT_FOUND);
    desk_close(d);
}

static void events_show_the_transfer_while_it_is_known(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_transfer);
    struct transfer_info *t = fake_transfer(1, false, TRANSFER_RUNNING);
    fake.files = t->files = 100;
    t->files_done = 99;
    struct node_event e = {.kind = NODE_TRANSFER_PROGRESS, .id = 1, .bytes = 5, .total = 9};
    desk_show(d, e, false);
    assert_string_equal(desk_str(d, "file"), "file");
    assert_int_equal(desk_uint(d, "files_done"), 99);
    assert_int_equal(desk_uint(d, "bytes_done"), 5);
    e.kind = NODE_TRANSFER_DONE;
    desk_show(d, e, false);
    assert_int_equal(proto_get(&d->heard.params, "transfer")->type, MSGPACK_OBJECT_MAP);
    fake.transfer_count = 0;
    desk_show(d, e, false);
    assert_int_equal(proto_get(&d->heard.params, "transfer")->type, MSGPACK_OBJECT_NIL);
    e.kind = NODE_TRANSFER_PROGRESS;
    desk_show(d, e, false);
    assert_int_equal(proto_get(&d->heard.params, "file")->type, MSGPACK_OBJECT_NIL);
    desk_close(d);
}

static void receptions_belong_to_a_connection(void **state) {
    (void)state;
    struct desk *d = desk_open(&control_group_transfer);
    for (unsigned i = 0; i < CONTROL_RECVS_MAX; i++) {
        desk_ask(d, "recv.start");
        assert_int_equal(desk_run(d), 0);
    }
    desk_ask(d, "recv.start");
    assert_int_equal(desk_run(d), ERR_FULL);
    assert_int_equal(d->call.cause.limit, LIMIT_RECVS_CONNECTION);
    assert_int_equal(ask(d, "recv.stop", 3), 0);
    assert_int_equal(ask(d, "recv.stop", 3), ERR_NOT_FOUND);
    proto_str(desk_ask(d, "recv.start"), "dir", "relative");
    assert_int_equal(desk_run(d), ERR_USAGE);
    control_group_transfer.closed(d->state, NULL, d->now_us, d->conn->index);
    assert_int_equal(fake.standing, 0);
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_ends_with_the_connection_unless_it_is_let_go_of),
        cmocka_unit_test(paths_that_mean_nothing_here_are_refused),
        cmocka_unit_test(who_waits_is_told_how_it_ended),
        cmocka_unit_test(what_cannot_be_accepted_any_more_says_why),
        cmocka_unit_test(lists_are_pages),
        cmocka_unit_test(events_show_the_transfer_while_it_is_known),
        cmocka_unit_test(receptions_belong_to_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
