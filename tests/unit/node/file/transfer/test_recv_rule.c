/* Standing orders where to put what comes, and who is told what they took
 * (node/file/transfer/recv_rule). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "node/api/rpc/control_proto.h"
#include "node/control/control.h"
#include "support_world.h"

enum { S = 1000000 };

static uint64_t recv_start(struct world *w, const char *dir, bool once) {
    uint64_t id = 0;
    assert_int_equal(node_recv_start(w->nodes[1].node, w->now_us, dir, NULL, once, &id), 0);
    return id;
}

/* Node 0 sends a file to node 1, where it becomes transfer `number`. */
static struct transfer_info send_one(struct world *w, const char *path, uint64_t number) {
    uint64_t id;
    struct transfer_info t = {0};
    disk_fill(w, 0, path, 10, 1);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
    world_run(w, 5 * S);
    assert_true(node_transfer_get(w->nodes[1].node, number, &t));
    return t;
}

/* The directory does not tell: one may be the beginning of the other, or the same. */
static void a_transfer_knows_which_order_took_it(void **state) {
    (void)state;
    struct world *w = world_new(2, 1);
    world_pair(w, 0, 1);
    const uint64_t standing = recv_start(w, "x", false), once = recv_start(w, "x2", true);
    struct transfer_info t = send_one(w, "/a", 1);
    assert_int_equal(t.state, TRANSFER_DONE);
    assert_int_equal(t.rule, standing);
    assert_string_equal(t.dir, "x");
    assert_true(node_recv_stands(w->nodes[1].node, once));
    node_recv_stop(w->nodes[1].node, standing);
    assert_false(node_recv_stands(w->nodes[1].node, standing));
    t = send_one(w, "/b", 2);
    assert_int_equal(t.rule, once);
    assert_string_equal(t.dir, "x2");
    assert_false(node_recv_stands(w->nodes[1].node, once));
    t = send_one(w, "/c", 3);
    assert_int_equal(t.state, TRANSFER_OFFERED);
    assert_int_equal(t.rule, 0);
    assert_int_equal(node_accept(w->nodes[1].node, w->now_us, 3, "y"), 0);
    world_run(w, 5 * S);
    assert_true(node_transfer_get(w->nodes[1].node, 3, &t));
    assert_int_equal(t.state, TRANSFER_DONE);
    assert_int_equal(t.rule, 0);
    world_free(w);
}

/* The user's rules change while the node runs: for what comes from then on. */
static void rules_hold_from_when_they_were_set(void **state) {
    (void)state;
    struct world *w = world_new(2, 3);
    struct node_policy p, read;
    world_pair(w, 0, 1);
    node_get_policy(w->nodes[1].node, &p);
    assert_int_equal(p.accept, ACCEPT_ASK);
    assert_string_equal(p.download_dir, "in");
    assert_int_equal(p.message_quota_bytes, MESSAGES_BYTES_MAX);
    struct transfer_info t = send_one(w, "/a", 1);
    assert_int_equal(t.state, TRANSFER_OFFERED);

    p = (struct node_policy){.accept = ACCEPT_CONTACTS,
                             .download_dir = "later",
                             .accept_max_bytes = 10,
                             .message_quota_bytes = 3 << 20,
                             .message_quota_contact_bytes = 1 << 20};
    node_set_policy(w->nodes[1].node, &p);
    node_get_policy(w->nodes[1].node, &read);
    assert_int_equal(read.message_quota_contact_bytes, 1 << 20);
    t = send_one(w, "/b", 2);
    assert_int_equal(t.state, TRANSFER_DONE);
    assert_string_equal(t.dir, "later");
    assert_true(node_transfer_get(w->nodes[1].node, 1, &t));
    assert_int_equal(t.state, TRANSFER_OFFERED); /* it asked before */

    p.accept_max_bytes = 9;
    node_set_policy(w->nodes[1].node, &p);
    const char *path = "/b";
    uint64_t id;
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_FAILED, 5 * S));
    world_free(w);
}

/* ---- over the control socket ---- */
struct client {
    struct control *c;
    uint32_t conn, last_id;
    struct proto_writer out;
    struct proto_reader in;
};

/* `dir` NULL: transfer.get of `id`. Gives the answer, to be cleared. */
static struct proto_msg ask(struct world *w, struct client *cl, const char *dir, uint64_t id) {
    struct proto_msg m;
    const uint8_t *buf;
    size_t len;
    proto_writer_reset(&cl->out);
    proto_request(&cl->out, ++cl->last_id, dir ? "recv.start" : "transfer.get");
    proto_map(&cl->out, NULL);
    if (dir) {
        proto_str(&cl->out, "dir", dir);
        proto_bool(&cl->out, "once", true);
    } else {
        proto_uint(&cl->out, "id", id);
    }
    proto_end(&cl->out);
    assert_true(cl->out.ok);
    assert_int_equal(control_input(cl->c, w->now_us, cl->conn, cl->out.buf, cl->out.len), 0);
    assert_false(control_run(cl->c, w->now_us));
    assert_true(control_output(cl->c, cl->conn, &buf, &len));
    assert_int_equal(proto_reader_feed(&cl->in, buf, len), (long)len);
    control_sent(cl->c, cl->conn, len);
    assert_int_equal(proto_reader_next(&cl->in, &m), 1);
    return m;
}

/* Eight orders that stand are a connection's share; those that were used up are none any more. */
static void used_up_orders_take_no_place_of_a_connection(void **state) {
    (void)state;
    struct world *w = world_new(2, 2);
    world_pair(w, 0, 1);
    struct control_facts facts = {
        .version = "", .state_dir = "", .socket_path = "", .config_path = ""};
    struct client cl = {.c = control_new(w->nodes[1].node, &facts)};
    assert_non_null(cl.c);
    assert_int_equal(control_open(cl.c, &cl.conn), 0);
    proto_writer_init(&cl.out, 1 << 16);
    proto_reader_init(&cl.in, 1 << 20);
    for (unsigned i = 0; i < 20; i++) {
        char path[16];
        struct proto_msg m = ask(w, &cl, "/in", 0);
        const uint64_t id = proto_get_uint(&m.result, "id", 0);
        assert_int_equal(id, i + 1);
        proto_msg_clear(&m);
        snprintf(path, sizeof path, "/f%u", i);
        assert_int_equal(send_one(w, path, i + 1).state, TRANSFER_DONE);
        m = ask(w, &cl, NULL, i + 1);
        assert_int_equal(proto_get_uint(proto_get(&m.result, "transfer"), "recv", 0), id);
        proto_msg_clear(&m);
    }
    for (unsigned i = 0; i <= 8; i++) {
        struct proto_msg m = ask(w, &cl, "/in", 0);
        assert_int_equal(proto_get_uint(&m.error, "num", 0), i == 8 ? -ERR_FULL : 0);
        proto_msg_clear(&m);
    }
    proto_reader_clear(&cl.in);
    proto_writer_clear(&cl.out);
    control_close(cl.c, w->now_us, cl.conn);
    control_free(cl.c);
    assert_int_equal(send_one(w, "/last", 21).state, TRANSFER_OFFERED); /* they went with it */
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_knows_which_order_took_it),
        cmocka_unit_test(rules_hold_from_when_they_were_set),
        cmocka_unit_test(used_up_orders_take_no_place_of_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
