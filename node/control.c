#include "node/control.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/control_internal.h"

/* A connection's handle: its index in the low bits, a generation above them. */
enum { CONN_INDEX_BITS = 6 };
_Static_assert(CONTROL_CONNS_MAX == 1 << CONN_INDEX_BITS, "index bits");

static struct conn *conn_find(const struct control *c, uint32_t handle) {
    const struct conn *conn = &c->conns[handle & (CONTROL_CONNS_MAX - 1)];
    if (!conn->used || conn->generation != handle >> CONN_INDEX_BITS)
        return NULL;
    return (struct conn *)(uintptr_t)conn;
}

static char *copy_str(const char *s) {
    if (!s)
        s = "";
    size_t size = strlen(s) + 1;
    char *out = malloc(size);
    if (out)
        memcpy(out, s, size);
    return out;
}

struct control *control_new(struct node *n, const struct control_facts *facts) {
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->node = n;
    c->version = copy_str(facts->version);
    c->state_dir = copy_str(facts->state_dir);
    c->socket_path = copy_str(facts->socket_path);
    c->config_path = copy_str(facts->config_path);
    c->listen_count =
        facts->listen_count < PEER_ADDRS_MAX ? facts->listen_count : (unsigned)PEER_ADDRS_MAX;
    for (unsigned i = 0; i < c->listen_count; i++)
        c->listen[i] = facts->listen[i];
    c->udp_gso = facts->udp_gso;
    c->udp_gro = facts->udp_gro;
    proto_writer_init(&c->w, CONTROL_OUT_MAX);
    if (!c->version || !c->state_dir || !c->socket_path || !c->config_path) {
        control_free(c);
        return NULL;
    }
    return c;
}

static void conn_reset(struct conn *conn) {
    uint32_t generation = conn->generation;
    proto_reader_clear(&conn->in);
    free(conn->out);
    *conn = (struct conn){.generation = generation};
}

void control_free(struct control *c) {
    if (!c)
        return;
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++)
        if (c->conns[i].used)
            conn_reset(&c->conns[i]);
    proto_writer_clear(&c->w);
    free(c->version);
    free(c->state_dir);
    free(c->socket_path);
    free(c->config_path);
    free(c);
}

int control_open(struct control *c, uint32_t *handle) {
    for (uint32_t i = 0; i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &c->conns[i];
        if (conn->used)
            continue;
        conn->used = true;
        conn->generation = (conn->generation + 1) & (UINT32_MAX >> CONN_INDEX_BITS);
        proto_reader_init(&conn->in, CONTROL_REQUEST_MAX);
        *handle = conn->generation << CONN_INDEX_BITS | i;
        return 0;
    }
    return ERR_FULL;
}

void control_close(struct control *c, uint64_t now_us, uint32_t handle) {
    (void)now_us;
    struct conn *conn = conn_find(c, handle);
    if (!conn)
        return;
    wait_drop_conn(c, (uint32_t)(conn - c->conns));
    for (unsigned i = 0; i < conn->recv_count; i++)
        node_recv_stop(c->node, conn->recvs[i]);
    conn_reset(conn);
}

/* ---- output ---- */

/* Nothing more goes out: what waits is dropped, since the client does not read it. */
static void conn_overflow(struct conn *conn) {
    conn->closing = true;
    conn->out_start = conn->out_len = 0;
}

void conn_push(struct control *c, struct conn *conn) {
    if (conn->closing)
        return;
    size_t n = c->w.len;
    if (!c->w.ok || n > CONTROL_OUT_MAX - conn_unread(conn)) {
        conn_overflow(conn);
        return;
    }
    if (conn->out_cap - conn->out_len < n && conn->out_start > 0) {
        memmove(conn->out, conn->out + conn->out_start, conn_unread(conn));
        conn->out_len -= conn->out_start;
        conn->out_start = 0;
    }
    if (conn->out_cap - conn->out_len < n) {
        size_t cap = conn->out_cap ? conn->out_cap : 4096;
        while (cap - conn->out_len < n)
            cap *= 2;
        uint8_t *grown = realloc(conn->out, cap);
        if (!grown) {
            conn_overflow(conn);
            return;
        }
        conn->out = grown;
        conn->out_cap = cap;
    }
    memcpy(conn->out + conn->out_len, c->w.buf, n);
    conn->out_len += n;
}

bool control_output(struct control *c, uint32_t handle, const uint8_t **buf, size_t *len) {
    struct conn *conn = conn_find(c, handle);
    if (!conn || conn_unread(conn) == 0)
        return false;
    *buf = conn->out + conn->out_start;
    *len = conn_unread(conn);
    return true;
}

void control_sent(struct control *c, uint32_t handle, size_t n) {
    struct conn *conn = conn_find(c, handle);
    if (!conn)
        return;
    assert(n <= conn_unread(conn));
    conn->out_start += n;
    if (conn->out_start < conn->out_len)
        return;
    conn->out_start = conn->out_len = 0;
    if (conn->out_cap > CONTROL_OUT_SOFT) { /* a large answer is rare: give its memory back */
        free(conn->out);
        conn->out = NULL;
        conn->out_cap = 0;
    }
}

bool control_wants_close(const struct control *c, uint32_t handle) {
    const struct conn *conn = conn_find(c, handle);
    return conn && conn->closing && conn_unread(conn) == 0;
}

bool control_wants_shutdown(const struct control *c) {
    return c->shutdown;
}

/* ---- requests ---- */

int call_fail(struct call *call, int err, const char *detail, const char *fmt, ...) {
    if (detail)
        snprintf(call->detail, sizeof call->detail, "%s", detail);
    if (fmt) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(call->text, sizeof call->text, fmt, ap);
        va_end(ap);
    }
    return err;
}

static void push_error(struct control *c, struct conn *conn, uint32_t id, int err, const char *text,
                       const char *detail) {
    proto_writer_reset(&c->w);
    proto_error(&c->w, id, err, text, detail);
    conn_push(c, conn);
}

static void dispatch(struct control *c, uint64_t now_us, struct conn *conn,
                     const struct proto_msg *m) {
    struct call call = {.c = c, .conn = conn, .now_us = now_us, .id = m->id, .w = &c->w};
    call.method = control_method(m->method);
    int r;
    if (!call.method) {
        r = call_fail(&call, ERR_UNSUPPORTED, m->method,
                      "there is no method of that name; \"version\" lists what there is");
    } else {
        r = args_check(&call, &m->params);
        if (r == 0) {
            proto_writer_reset(&c->w);
            proto_response(&c->w, m->id);
            r = call.method->run(&call);
        }
    }
    if (r == CALL_LATER)
        return;
    if (r == 0 && !c->w.ok)
        r = call_fail(&call, ERR_FULL, NULL, "the answer is too large");
    if (r == 0)
        conn_push(c, conn);
    else
        push_error(c, conn, m->id, r, call.text[0] ? call.text : NULL, call.detail);
}

/* The connection cannot go on: the stream's framing is lost. */
static int broken(struct control *c, struct conn *conn, const struct proto_msg *m, int err) {
    if (m->has_id)
        push_error(c, conn, m->id, err,
                   err == ERR_FULL ? "the request is larger than this daemon takes"
                                   : "this is not a MessagePack-RPC request",
                   NULL);
    conn->closing = true;
    proto_reader_clear(&conn->in);
    return ERR_PROTO;
}

int control_input(struct control *c, uint64_t now_us, uint32_t handle, const uint8_t *buf,
                  size_t len) {
    struct conn *conn = conn_find(c, handle);
    if (!conn || conn->closing)
        return ERR_PROTO;
    while (len > 0) {
        struct proto_msg m = {0};
        long took = proto_reader_feed(&conn->in, buf, len);
        if (took < 0)
            return broken(c, conn, &m, (int)took);
        buf += took;
        len -= (size_t)took;
        int r;
        while ((r = proto_reader_next(&conn->in, &m)) > 0) {
            /* A client has nothing to tell: notifications from it are allowed and without effect.
             */
            bool response = m.kind == PROTO_RESPONSE;
            if (m.kind == PROTO_REQUEST)
                dispatch(c, now_us, conn, &m);
            proto_msg_clear(&m);
            if (response)
                return broken(c, conn, &m, ERR_PROTO);
            if (conn->closing)
                return ERR_PROTO;
        }
        if (r < 0)
            return broken(c, conn, &m, r);
    }
    return 0;
}

/* ---- events ---- */

static void notify(struct control *c, const struct node_event *e) {
    bool made = false;
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &c->conns[i];
        if (!conn->used || conn->closing || !(conn->events & UINT32_C(1) << e->kind))
            continue;
        if (e->kind == NODE_TRANSFER_PROGRESS && conn_unread(conn) > CONTROL_OUT_SOFT)
            continue;
        if (!made) {
            proto_writer_reset(&c->w);
            proto_notify(&c->w, "event");
            show_event(&c->w, c->node, e);
            made = true;
        }
        conn_push(c, conn);
    }
}

void control_event(struct control *c, uint64_t now_us, const struct node_event *e) {
    notify(c, e);
    wait_event(c, now_us, e);
}

uint64_t control_deadline_us(const struct control *c) {
    return wait_deadline_us(c);
}

void control_timeout(struct control *c, uint64_t now_us) {
    wait_timeout(c, now_us);
}
