/* Clients of a control API: requests out, answers and notifications in. */
#include "support_talk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heard {
    struct control *c;
    struct world *w;
};

static void on_event(void *ctx, const struct node_event *e) {
    struct heard *h = ctx;
    control_event(h->c, h->w->now_us, e);
}

struct control *talk_serve(struct world *w, unsigned i) {
    struct control_facts facts = {.version = "0.0.0-test",
                                  .state_dir = "/state",
                                  .socket_path = "/state/control.sock",
                                  .config_path = "",
                                  .listen = &w->nodes[i].addr,
                                  .listen_count = 1,
                                  .udp_gso = 1};
    struct heard *h = malloc(sizeof *h);
    *h = (struct heard){control_new(w->nodes[i].node, &facts), w};
    assert(h->c);
    w->nodes[i].heard = on_event;
    w->nodes[i].heard_ctx = h;
    return h->c;
}

void talk_unserve(struct world *w, unsigned i, struct control *c) {
    control_free(c);
    free(w->nodes[i].heard_ctx);
    w->nodes[i].heard = NULL;
    w->nodes[i].heard_ctx = NULL;
}

void talk_open(struct talk *t, struct world *w, unsigned node, struct control *c) {
    *t = (struct talk){.w = w, .node = node, .c = c};
    int err = control_open(c, &t->conn);
    assert(err == 0);
    proto_writer_init(&t->out, 8 << 20);
    proto_reader_init(&t->in, 16 << 20);
    t->notes = json_array();
    t->answers = json_object();
}

void talk_close(struct talk *t) {
    control_close(t->c, t->w->now_us, t->conn);
    proto_writer_clear(&t->out);
    proto_reader_clear(&t->in);
    json_decref(t->notes);
    json_decref(t->answers);
    *t = (struct talk){0};
}

json_t *talk_json(const msgpack_object *o) {
    json_t *out;
    switch (o->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(o->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return json_integer((json_int_t)o->via.u64);
    case MSGPACK_OBJECT_STR:
        out = json_stringn(o->via.str.ptr, o->via.str.size);
        return out ? out : json_string("(not UTF-8)");
    case MSGPACK_OBJECT_ARRAY:
        out = json_array();
        for (uint32_t i = 0; i < o->via.array.size; i++)
            json_array_append_new(out, talk_json(&o->via.array.ptr[i]));
        return out;
    case MSGPACK_OBJECT_MAP:
        out = json_object();
        for (uint32_t i = 0; i < o->via.map.size; i++) {
            char key[64] = "";
            size_t n = o->via.map.ptr[i].key.via.str.size;
            assert(n < sizeof key);
            memcpy(key, o->via.map.ptr[i].key.via.str.ptr, n);
            assert(!json_object_get(out, key)); /* no key is given twice */
            json_object_set_new(out, key, talk_json(&o->via.map.ptr[i].val));
        }
        return out;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
        break;
    }
    return json_null();
}

int talk_bytes(struct talk *t, const void *bytes, size_t len) {
    return control_input(t->c, t->w->now_us, t->conn, bytes, len);
}

struct proto_writer *talk_ask(struct talk *t, const char *method) {
    proto_writer_reset(&t->out);
    proto_request(&t->out, ++t->last_id, method);
    proto_map(&t->out, NULL);
    return &t->out;
}

uint32_t talk_send(struct talk *t) {
    proto_end(&t->out);
    assert(t->out.ok);
    int err = talk_bytes(t, t->out.buf, t->out.len);
    assert(err == 0);
    return t->last_id;
}

/* Takes the connection's output into its reader. */
static void fetch(struct talk *t) {
    const uint8_t *buf;
    size_t len;
    while (!t->deaf && control_output(t->c, t->conn, &buf, &len)) {
        long took = proto_reader_feed(&t->in, buf, len);
        assert(took > 0);
        control_sent(t->c, t->conn, (size_t)took);
    }
    t->closed = control_wants_close(t->c, t->conn);
}

static void work(struct talk *t) {
    if (control_deadline_us(t->c) <= t->w->now_us)
        control_timeout(t->c, t->w->now_us);
    while (control_run(t->c, t->w->now_us))
        continue;
    world_run(t->w, 0);
    fetch(t);
}

/* Everything that has come is put in its place; the answer to `id`, if it is there, is taken. */
static json_t *look(struct talk *t, uint32_t id) {
    struct proto_msg m;
    char key[16];
    int got;
    while ((got = proto_reader_next(&t->in, &m)) != 0) {
        assert(got > 0);
        snprintf(key, sizeof key, "%u", m.id);
        if (m.kind == PROTO_NOTIFY)
            json_array_append_new(t->notes, talk_json(&m.params));
        else if (m.kind == PROTO_RESPONSE)
            json_object_set_new(t->answers, key,
                                json_pack("[o,o]", talk_json(&m.error), talk_json(&m.result)));
        proto_msg_clear(&m);
    }
    snprintf(key, sizeof key, "%u", id);
    json_t *found = json_incref(json_object_get(t->answers, key));
    json_object_del(t->answers, key);
    return found;
}

json_t *talk_answer(struct talk *t, uint32_t id, uint64_t us) {
    uint64_t end = t->w->now_us + us;
    for (;;) {
        work(t);
        json_t *a = look(t, id);
        if (a || t->w->now_us >= end)
            return a;
        world_run(t->w, 10000);
    }
}

static json_t *half(struct talk *t, unsigned i) {
    json_t *a = talk_answer(t, talk_send(t), 60 * 1000000);
    assert(a);
    json_t *o = json_incref(json_array_get(a, i));
    json_t *other = json_array_get(a, 1 - i);
    if (!json_is_null(other) || !json_is_object(o)) {
        json_dumpf(a, stderr, 0);
        abort(); /* the request did not end as it should */
    }
    json_decref(a);
    return o;
}

json_t *talk_result(struct talk *t) {
    return half(t, 1);
}

json_t *talk_error(struct talk *t) {
    return half(t, 0);
}

void talk_fails(struct talk *t, const char *code) {
    json_t *e = talk_error(t);
    const char *got = json_string_value(json_object_get(e, "code"));
    if (strcmp(got, code) != 0)
        json_dumpf(e, stderr, 0);
    assert(strcmp(got, code) == 0);
    json_decref(e);
}

json_t *talk_notice(struct talk *t, const char *kind, uint64_t us) {
    uint64_t end = t->w->now_us + us;
    for (;;) {
        work(t);
        json_t *none = look(t, 0);
        assert(!none);
        for (size_t i = 0; i < json_array_size(t->notes); i++) {
            json_t *n = json_array_get(t->notes, i);
            if (strcmp(json_string_value(json_object_get(n, "event")), kind) != 0)
                continue;
            json_incref(n);
            json_array_remove(t->notes, i);
            return n;
        }
        if (t->w->now_us >= end)
            return NULL;
        world_run(t->w, 10000);
    }
}

void talk_turn(struct control *c, uint64_t now_us, struct talk **all, unsigned count) {
    (void)control_run(c, now_us);
    for (unsigned i = 0; i < count; i++)
        fetch(all[i]);
}
