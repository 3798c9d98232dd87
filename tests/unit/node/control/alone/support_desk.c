/* One client's connection to control methods over the tests' own node. */
#include "support_desk.h"

#include <assert.h>
#include <stdlib.h>

#include "node/control/call/control_args.h"

struct desk *desk_open(const struct group *group) {
    static const char *const strings[] = {"1.2.3", "/state", "/state/control.sock", ""};
    struct desk *d = calloc(1, sizeof *d);
    uint32_t handle = 0;
    assert(d);
    fake_reset();
    conns_init(&d->conns);
    waits_init(&d->waits, NULL, &d->conns);
    bool ok = facts_init(&d->facts, strings) && conn_open(&d->conns, &handle) == 0;
    assert(ok);
    d->conn = conn_find(&d->conns, handle);
    d->now_us = 1000000;
    d->groups[0] = group;
    d->state = group && group->state_bytes ? calloc(1, group->state_bytes) : NULL;
    proto_writer_init(&d->ask, 1 << 20);
    proto_reader_init(&d->in, 1 << 20);
    return d;
}

void desk_close(struct desk *d) {
    proto_msg_clear(&d->heard);
    proto_reader_clear(&d->in);
    proto_writer_clear(&d->ask);
    waits_clear(&d->waits);
    conns_clear(&d->conns);
    facts_clear(&d->facts);
    free(d->state);
    free(d);
}

struct proto_writer *desk_ask(struct desk *d, const char *method) {
    proto_writer_reset(&d->ask);
    proto_request(&d->ask, 7, method);
    proto_map(&d->ask, NULL);
    return &d->ask;
}

int desk_run(struct desk *d) {
    struct proto_reader r;
    struct proto_msg m;
    unsigned group = 0;
    proto_end(&d->ask);
    proto_reader_init(&r, 1 << 20);
    long took = proto_reader_feed(&r, d->ask.buf, d->ask.len);
    int got = proto_reader_next(&r, &m);
    assert(took == (long)d->ask.len && got == 1);
    d->call = (struct call){.conn = d->conn,
                            .conns = &d->conns,
                            .waits = &d->waits,
                            .facts = &d->facts,
                            .groups = d->groups,
                            .state = d->state,
                            .now_us = d->now_us,
                            .id = m.id,
                            .w = &d->conns.w};
    d->call.method = group_method(d->groups, m.method, &group);
    assert(d->call.method);
    int err = args_check(&d->call, &m.params);
    if (!err) {
        proto_writer_reset(&d->conns.w);
        proto_response(&d->conns.w, m.id);
        err = d->call.method->run(&d->call);
    }
    d->call.params = NULL;
    proto_msg_clear(&m);
    proto_reader_clear(&r);
    if (!err) {
        conn_push(&d->conns, d->now_us, d->conn);
        bool heard = desk_hear(d);
        assert(heard);
    }
    return err;
}

bool desk_hear(struct desk *d) {
    const uint8_t *buf;
    size_t len;
    while (conn_output(d->conn, &buf, &len)) {
        long took = proto_reader_feed(&d->in, buf, len);
        assert(took > 0);
        conn_sent(&d->conns, d->conn, (size_t)took);
    }
    proto_msg_clear(&d->heard);
    return proto_reader_next(&d->in, &d->heard) == 1;
}

static const msgpack_object *body(const struct desk *d) {
    if (d->heard.kind == PROTO_NOTIFY)
        return &d->heard.params;
    return d->heard.error.type == MSGPACK_OBJECT_MAP ? &d->heard.error : &d->heard.result;
}

const char *desk_str(struct desk *d, const char *key) {
    static char text[1024];
    proto_copy_str(body(d), key, text, sizeof text);
    return text;
}

uint64_t desk_uint(const struct desk *d, const char *key) {
    return proto_get_uint(body(d), key, UINT64_MAX);
}

unsigned desk_count(const struct desk *d, const char *key) {
    const msgpack_object *list = proto_get(body(d), key);
    unsigned n = 0;
    while (proto_at(list, n))
        n++;
    return n;
}

void desk_event(struct desk *d, struct node_event e) {
    waits_event(&d->waits, d->now_us, &e);
}

void desk_pass(struct desk *d, uint64_t us) {
    d->now_us += us;
    waits_timeout(&d->waits, d->now_us);
}

void desk_show(struct desk *d, struct node_event e, bool brief) {
    const struct event_row *row = group_event(d->groups, e.kind);
    assert(row);
    proto_writer_reset(&d->conns.w);
    proto_notify(&d->conns.w, "event");
    proto_map(&d->conns.w, NULL);
    const struct telling t = {.w = &d->conns.w, .e = &e, .brief = brief};
    if (row->show)
        row->show(&t);
    proto_end(&d->conns.w);
    conn_push(&d->conns, d->now_us, d->conn);
    bool heard = desk_hear(d);
    assert(heard);
}
