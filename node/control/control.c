#include "node/control/control.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/control_internal.h"

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
    c->private_network = facts->private_network;
    proto_writer_init(&c->w, CONTROL_OUT_POOL / 2);
    if (!c->version || !c->state_dir || !c->socket_path || !c->config_path) {
        control_free(c);
        return NULL;
    }
    return c;
}

void control_free(struct control *c) {
    if (!c)
        return;
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++)
        if (c->conns[i].used)
            conn_release(c, &c->conns[i]);
    while (c->waits_end > 0)
        wait_forget(c, &c->waits[c->waits_end - 1]);
    proto_writer_clear(&c->w);
    free(c->version);
    free(c->state_dir);
    free(c->socket_path);
    free(c->config_path);
    free(c);
}

bool control_set_config_path(struct control *c, const char *path) {
    char *copy = copy_str(path);
    if (!copy)
        return false;
    free(c->config_path);
    c->config_path = copy;
    return true;
}

void control_set_longest_turn(struct control *c, uint64_t us) {
    c->longest_turn_us = us;
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

int call_limit(struct call *call, enum limit limit, uint64_t max, const char *detail) {
    call->cause = (struct cause){.limit = limit, .max = max};
    return call_fail(call, limit_err(limit), detail, NULL);
}

static void push_error(struct control *c, uint64_t now_us, struct conn *conn, uint32_t id,
                       const struct failure *f) {
    proto_writer_reset(&c->w);
    proto_error_told(&c->w, id, f);
    c->work.bytes += c->w.len;
    conn_push(c, now_us, conn);
}

static void dispatch(struct control *c, uint64_t now_us, struct conn *conn,
                     const struct proto_msg *m) {
    struct call call = {.c = c, .conn = conn, .now_us = now_us, .id = m->id, .w = &c->w};
    call.method = control_method(m->method);
    (void)node_why(c->node, ERR_OK); /* a limit that others met is not ours */
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
    if (r != 0) {
        const struct cause why = node_why(c->node, r);
        const struct failure f = {r, call.cause.limit != LIMIT_NONE ? call.cause : why,
                                  call.text[0] ? call.text : NULL, call.detail};
        push_error(c, now_us, conn, m->id, &f);
        return;
    }
    c->work.bytes += c->w.len;
    conn_push(c, now_us, conn);
    proto_writer_reset(&c->w); /* a ticket may have been in it */
}

/* What was sent is no request, or none that is taken. */
static struct failure unreadable(int err) {
    struct failure f = {.err = err};
    if (err == ERR_FULL)
        f.cause = (struct cause){.limit = LIMIT_REQUEST_BYTES, .max = CONTROL_REQUEST_MAX};
    else if (err == ERR_PROTO)
        f.text = "this is not a MessagePack-RPC request";
    return f;
}

/* The connection cannot go on: the stream's framing is lost. */
static void broken(struct control *c, uint64_t now_us, struct conn *conn, const struct proto_msg *m,
                   const struct failure *f) {
    if (m->has_id)
        push_error(c, now_us, conn, m->id, f);
    if (!conn->closing)
        conn_end(c, now_us, conn);
}

int control_input(struct control *c, uint64_t now_us, uint32_t handle, const uint8_t *buf,
                  size_t len) {
    struct conn *conn = conn_find(c, handle);
    if (!conn || conn->closing)
        return ERR_PROTO;
    struct proto_msg m = {0};
    while (len > 0) {
        bool fits = conn->in_counted + len <= conn_in_share(c, conn);
        long took = fits ? proto_reader_feed(&conn->in, buf, len) : ERR_FULL;
        if (took < 0) {
            struct failure f = unreadable((int)took);
            if (!fits)
                f.cause = (struct cause){.limit = LIMIT_REQUEST_POOL, .max = CONTROL_IN_POOL};
            proto_reader_peek(&conn->in, &m);
            broken(c, now_us, conn, &m, &f);
            return ERR_PROTO;
        }
        buf += took;
        len -= (size_t)took;
        conn_count_in(c, conn);
    }
    conn_set_ready(c, conn, conn->holds || proto_reader_ready(&conn->in));
    return 0;
}

/* The next thing that the connection has sent is carried out. */
static void run_one(struct control *c, uint64_t now_us, struct conn *conn) {
    struct proto_msg m = conn->held;
    const bool held = conn->holds;
    size_t before = conn->in.len - conn->in.start;
    int r = held ? 1 : proto_reader_next(&conn->in, &m);
    size_t size = held ? m.size : before - (conn->in.len - conn->in.start);
    conn->holds = false;
    conn->held = (struct proto_msg){0};
    c->work.requests++;
    c->work.bytes += size;
    /* To unpack a large one is work enough for a turn. */
    if (r > 0 && !held && size > CONTROL_TURN_BYTES) {
        conn->held = m;
        conn->holds = true;
        conn_count_in(c, conn);
        return;
    }
    /* A client has nothing to tell: notifications from it are allowed and without effect. */
    if (r > 0 && m.kind == PROTO_REQUEST)
        dispatch(c, now_us, conn, &m);
    bool response = r > 0 && m.kind == PROTO_RESPONSE;
    if (r > 0)
        proto_msg_clear(&m);
    if (r < 0 || response) {
        const struct failure f = unreadable(r < 0 ? r : ERR_PROTO);
        broken(c, now_us, conn, &m, &f);
    }
    if (conn->closing)
        return;
    conn_count_in(c, conn);
    conn_set_ready(c, conn, proto_reader_ready(&conn->in));
}

/* The next connection in turn that has something to be done and reads its answers. */
static struct conn *next_ready(struct control *c) {
    for (unsigned i = 0; c->ready_count > 0 && i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &c->conns[(c->next + i) % CONTROL_CONNS_MAX];
        if (!conn->ready || conn_unread(conn) > CONTROL_OUT_PAUSE)
            continue;
        c->next = (c->next + i + 1) % CONTROL_CONNS_MAX;
        return conn;
    }
    return NULL;
}

bool control_run(struct control *c, uint64_t now_us) {
    struct conn *conn = NULL;
    c->work = (struct control_work){0};
    while (c->work.requests < CONTROL_TURN_REQUESTS && c->work.bytes < CONTROL_TURN_BYTES &&
           (conn = next_ready(c)) != NULL)
        run_one(c, now_us, conn);
    unsigned turn = c->next;
    bool more = conn && next_ready(c);
    c->next = turn;
    return more;
}

struct control_work control_last_work(const struct control *c) {
    return c->work;
}

/* ---- events ---- */

/* A subscriber that is behind with its reading hears of a message without the text, which it can ask for: contacts' texts
 * do not make it overflow. */
static bool is_brief(const struct conn *conn, const struct node_event *e) {
    return e->kind == NODE_MESSAGE && conn_unread(conn) > CONTROL_OUT_SOFT;
}

static void notify(struct control *c, uint64_t now_us, const struct node_event *e) {
    bool made = false, made_brief = false;
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &c->conns[i];
        if (!conn->used || conn->closing || !(conn->events & UINT32_C(1) << e->kind))
            continue;
        if (e->kind == NODE_TRANSFER_PROGRESS && conn_unread(conn) > CONTROL_OUT_SOFT)
            continue;
        const bool brief = is_brief(conn, e);
        if (!made || brief != made_brief) {
            proto_writer_reset(&c->w);
            proto_notify(&c->w, "event");
            show_event(&c->w, c->node, e, brief);
            made = true;
            made_brief = brief;
        }
        conn_push(c, now_us, conn);
        made = made && !conn->closing; /* the writer held "overflow" in between */
    }
}

void control_event(struct control *c, uint64_t now_us, const struct node_event *e) {
    notify(c, now_us, e);
    wait_event(c, now_us, e);
}

uint64_t control_deadline_us(const struct control *c) {
    uint64_t waits_us = wait_deadline_us(c), conns_us = conn_deadline_us(c);
    return waits_us < conns_us ? waits_us : conns_us;
}

void control_timeout(struct control *c, uint64_t now_us) {
    wait_timeout(c, now_us);
    conn_timeout(c, now_us);
}
