/* Connections share two pools; who breaks the rules, or does not read, ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/control/call/control_conn.h"

static struct conns *open_conns(struct conn **first, unsigned count) {
    struct conns *cs = malloc(sizeof *cs);
    assert_non_null(cs);
    conns_init(cs);
    for (unsigned i = 0; i < count; i++) {
        uint32_t handle;
        assert_int_equal(conn_open(cs, &handle), 0);
        if (i == 0)
            *first = conn_find(cs, handle);
    }
    return cs;
}

static void close_conns(struct conns *cs) {
    conns_clear(cs);
    assert_int_equal(cs->in_bytes, 0);
    assert_int_equal(cs->out_bytes, 0);
    assert_int_equal(cs->ready_count, 0);
    free(cs);
}

/* A notification of about `bytes`. */
static void push(struct conns *cs, struct conn *conn, size_t bytes) {
    char *text = calloc(1, bytes + 1);
    memset(text, 'x', bytes);
    proto_writer_reset(&cs->w);
    proto_notify(&cs->w, "event");
    proto_str(&cs->w, NULL, text);
    conn_push(cs, 1, conn);
    free(text);
}

static void a_handle_names_one_connection_and_not_the_next_in_its_place(void **state) {
    (void)state;
    struct conns *cs = malloc(sizeof *cs);
    uint32_t handle[CONTROL_CONNS_MAX], more;
    conns_init(cs);
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++) {
        assert_int_equal(conn_open(cs, &handle[i]), 0);
        assert_int_equal(conn_find(cs, handle[i])->index, i);
    }
    assert_int_equal(conn_open(cs, &more), ERR_FULL);
    conn_release(cs, conn_find(cs, handle[5]));
    assert_null(conn_find(cs, handle[5]));
    assert_int_equal(conn_open(cs, &more), 0);
    assert_int_not_equal(more, handle[5]);
    assert_null(conn_find(cs, handle[5]));
    assert_int_equal(conn_find(cs, more)->index, 5);
    close_conns(cs);
}

static void a_request_is_taken_when_its_last_byte_is_there(void **state) {
    (void)state;
    static const uint8_t req[] = {0x94, 0, 9, 0xa2, 'i', 'd', 0x80};
    struct conn *conn;
    struct conns *cs = open_conns(&conn, 1);
    struct failure f;
    struct proto_msg m;
    size_t size;
    for (size_t i = 0; i < sizeof req; i++) {
        assert_null(conns_next_ready(cs));
        assert_true(conn_wants_input(conn));
        assert_int_equal(conn_feed(cs, conn, req + i, 1, &f), 0);
        assert_int_equal(cs->in_bytes, i + 1);
    }
    assert_ptr_equal(conns_next_ready(cs), conn);
    assert_false(conn_wants_input(conn));
    assert_int_equal(conn_take(cs, conn, &m, &size), 1);
    assert_int_equal(size, sizeof req);
    assert_int_equal(m.id, 9);
    proto_msg_clear(&m);
    conn_look(cs, conn);
    assert_null(conns_next_ready(cs));
    assert_int_equal(cs->in_bytes, 0);
    close_conns(cs);
}

static void those_that_are_ready_come_in_turn(void **state) {
    (void)state;
    static const uint8_t req[] = {0x94, 0, 9, 0xa2, 'i', 'd', 0x80};
    struct conn *conn;
    struct conns *cs = open_conns(&conn, 3);
    struct failure f;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(conn_feed(cs, &cs->all[i], req, sizeof req, &f), 0);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(conns_next_ready(cs)->index, i % 3);
    push(cs, &cs->all[0], CONTROL_OUT_PAUSE); /* it does not read */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(conns_next_ready(cs)->index, 1 + i % 2);
    close_conns(cs);
}

static void a_large_request_waits_for_the_next_turn_unpacked(void **state) {
    (void)state;
    struct conn *conn;
    struct conns *cs = open_conns(&conn, 1);
    struct failure f;
    struct proto_msg m;
    struct proto_writer w;
    size_t size;
    const size_t bytes = CONTROL_TURN_BYTES + 1;
    char *text = calloc(1, bytes + 1);
    memset(text, 'x', bytes);
    proto_writer_init(&w, 1 << 20);
    proto_request(&w, 3, "big");
    proto_str(&w, NULL, text);
    assert_int_equal(conn_feed(cs, conn, w.buf, w.len, &f), 0);
    assert_int_equal(conn_take(cs, conn, &m, &size), 0);
    assert_int_equal(size, w.len);
    conn_look(cs, conn);
    assert_ptr_equal(conns_next_ready(cs), conn);
    assert_int_equal(conn_take(cs, conn, &m, &size), 1);
    assert_int_equal(m.id, 3);
    proto_msg_clear(&m);
    proto_writer_clear(&w);
    free(text);
    close_conns(cs);
}

static void one_alone_may_have_half_of_the_pool_of_requests(void **state) {
    (void)state;
    struct conn *conn;
    struct conns *cs = open_conns(&conn, 1);
    struct failure f = {0};
    int err = 0;
    size_t in = 0;
    static const uint8_t req[] = {0x94, 0, 9, 0xa2, 'i', 'd', 0x80};
    uint8_t *many = malloc(7 * 9000);
    for (unsigned i = 0; i < 9000; i++)
        memcpy(many + (size_t)7 * i, req, 7);
    for (; (err = conn_feed(cs, conn, many, (size_t)7 * 9000, &f)) == 0; in += (size_t)7 * 9000)
        assert_true(in <= CONTROL_IN_POOL);
    assert_int_equal(err, ERR_FULL);
    assert_int_equal(f.cause.limit, LIMIT_REQUEST_POOL);
    assert_in_range(in, CONTROL_IN_POOL / 2 - 7 * 9000, CONTROL_IN_POOL / 2);
    free(many);
    close_conns(cs);
}

static void who_does_not_read_is_told_so_once_and_ends(void **state) {
    (void)state;
    struct conn *conn;
    struct conns *cs = open_conns(&conn, 2);
    const uint8_t *buf;
    size_t len;
    conn->events = kinds_all();
    while (!conn->closing) {
        push(cs, conn, 1 << 20);
        assert_true(cs->out_bytes <= CONTROL_OUT_POOL);
    }
    assert_true(conn_unread(conn) > (size_t)CONTROL_OUT_POOL / 2 - (2 << 20));
    assert_true(conn_behind(conn));
    assert_false(kinds_has(&conn->events, 0));
    assert_ptr_equal(conns_next_ended(cs), conn);
    assert_null(conns_next_ended(cs));
    const size_t unread = conn_unread(conn);
    push(cs, conn, 10);
    assert_int_equal(conn_unread(conn), unread);
    assert_true(conn_output(conn, &buf, &len));
    assert_non_null(memmem(buf + len - 60, 60, "overflow", 8));
    assert_int_equal(conns_deadline_us(cs), 1 + CONTROL_LINGER_US);
    conns_timeout(cs, CONTROL_LINGER_US);
    assert_int_equal(conn_unread(conn), len);
    conns_timeout(cs, 1 + CONTROL_LINGER_US);
    assert_int_equal(conn_unread(conn), 0);
    assert_int_equal(conns_deadline_us(cs), UINT64_MAX);
    push(cs, &cs->all[1], 100); /* the other one has its share */
    assert_false(cs->all[1].closing);
    close_conns(cs);
}

static void what_was_sent_leaves_the_pool_and_a_large_buffer_is_given_back(void **state) {
    (void)state;
    struct conn *conn;
    struct conns *cs = open_conns(&conn, 1);
    const uint8_t *buf;
    size_t len;
    push(cs, conn, 1 << 20);
    while (conn_output(conn, &buf, &len)) {
        assert_int_equal(cs->out_bytes, len);
        conn_sent(cs, conn, len > 70000 ? 70000 : len);
    }
    assert_int_equal(cs->out_bytes, 0);
    assert_int_equal(conn->out.cap, 0);
    push(cs, conn, 100);
    assert_true(conn_output(conn, &buf, &len));
    conn_sent(cs, conn, len);
    assert_true(conn->out.cap > 0);
    close_conns(cs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_names_one_connection_and_not_the_next_in_its_place),
        cmocka_unit_test(a_request_is_taken_when_its_last_byte_is_there),
        cmocka_unit_test(those_that_are_ready_come_in_turn),
        cmocka_unit_test(a_large_request_waits_for_the_next_turn_unpacked),
        cmocka_unit_test(one_alone_may_have_half_of_the_pool_of_requests),
        cmocka_unit_test(who_does_not_read_is_told_so_once_and_ends),
        cmocka_unit_test(what_was_sent_leaves_the_pool_and_a_large_buffer_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
