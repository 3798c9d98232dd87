#include "node/control/control.h"

#include "crypto/base/mem.h"
#include "node/control/call/control_args.h"
#include "node/control/call/control_group.h"
#include "node/control/call/control_wait.h"
#include "node/control/methods/control_facts.h"
#include "node/control/methods/control_show.h"

/* The parts of the node that have something to say here, in the order in which "version" lists
 * their methods. Another one is a file control_methods_<name>.c and a row. */
#define GROUPS(X) X(node) X(wait) X(contact) X(peer) X(relay) X(transfer) X(message) X(events)

#define X(name) extern const struct group control_group_##name;
GROUPS(X)
#undef X
#define X(name) &control_group_##name,
const struct group *const control_groups[] = {GROUPS(X) NULL};
#undef X
enum { GROUP_COUNT = sizeof control_groups / sizeof *control_groups - 1 };

struct control {
    struct node *node;
    struct facts facts;
    struct control_work work;
    struct conns conns;
    struct waits waits;
    void *states[GROUP_COUNT]; /* what each group remembers */
};

/* ---- life ---- */

static bool make_states(struct control *c) {
    for (unsigned g = 0; g < GROUP_COUNT; g++) {
        const size_t size = control_groups[g]->state_bytes;
        if (size > 0 && !(c->states[g] = mem_calloc(1, size)))
            return false;
    }
    return true;
}

struct control *control_new(struct node *n, const struct control_facts *facts) {
    struct control *c = mem_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->node = n;
    conns_init(&c->conns);
    waits_init(&c->waits, n, &c->conns);
    const char *const strings[] = {facts->version, facts->state_dir, facts->socket_path,
                                   facts->config_path};
    bool ok = facts_init(&c->facts, strings);
    struct facts *f = &c->facts;
    f->listen_count =
        facts->listen_count < PEER_ADDRS_MAX ? facts->listen_count : (unsigned)PEER_ADDRS_MAX;
    for (unsigned i = 0; i < f->listen_count; i++)
        f->listen[i] = facts->listen[i];
    f->udp_gso = facts->udp_gso;
    f->udp_gro = facts->udp_gro;
    f->private_network = facts->private_network;
    if (ok && make_states(c))
        return c;
    control_free(c);
    return NULL;
}

void control_free(struct control *c) {
    if (!c)
        return;
    waits_clear(&c->waits);
    conns_clear(&c->conns);
    facts_clear(&c->facts);
    for (unsigned g = 0; g < GROUP_COUNT; g++)
        mem_free(c->states[g]);
    mem_free(c);
}

bool control_set_config_path(struct control *c, const char *path) {
    return facts_set_config_path(&c->facts, path);
}

void control_set_longest_turn(struct control *c, uint64_t us) {
    c->facts.longest_turn_us = us;
}

bool control_wants_shutdown(const struct control *c) {
    return c->facts.shutdown;
}

/* ---- connections ---- */

int control_open(struct control *c, uint32_t *handle) {
    return conn_open(&c->conns, handle);
}

void control_refusal(struct proto_writer *w) {
    const struct failure f = {
        ERR_FULL, {.limit = LIMIT_CONNECTIONS, .max = CONTROL_CONNS_MAX}, NULL, NULL};
    proto_error_told(w, 0, &f);
}

void control_close(struct control *c, uint64_t now_us, uint32_t handle) {
    struct conn *conn = conn_find(&c->conns, handle);
    if (!conn)
        return;
    waits_drop_conn(&c->waits, now_us, conn->index);
    for (unsigned g = 0; g < GROUP_COUNT; g++)
        if (control_groups[g]->closed)
            control_groups[g]->closed(c->states[g], c->node, now_us, conn->index);
    conn_release(&c->conns, conn);
}

/* What those waited for whose connection has just ended is not waited for any more. */
static void let_go(struct control *c, uint64_t now_us) {
    const struct conn *conn;
    while ((conn = conns_next_ended(&c->conns)) != NULL)
        waits_drop_conn(&c->waits, now_us, conn->index);
}

bool control_output(struct control *c, uint32_t handle, const uint8_t **buf, size_t *len) {
    const struct conn *conn = conn_find(&c->conns, handle);
    return conn && conn_output(conn, buf, len);
}

void control_sent(struct control *c, uint32_t handle, size_t n) {
    struct conn *conn = conn_find(&c->conns, handle);
    if (conn)
        conn_sent(&c->conns, conn, n);
}

bool control_wants_close(const struct control *c, uint32_t handle) {
    const struct conn *conn = conn_find(&c->conns, handle);
    return conn && conn->closing && conn_unread(conn) == 0;
}

bool control_wants_input(const struct control *c, uint32_t handle) {
    const struct conn *conn = conn_find(&c->conns, handle);
    return conn && conn_wants_input(conn);
}

bool control_has_work(const struct control *c, uint32_t handle) {
    const struct conn *conn = conn_find(&c->conns, handle);
    return conn && conn->ready;
}

/* ---- requests ---- */

static void push_error(struct control *c, uint64_t now_us, struct conn *conn, uint32_t id,
                       const struct failure *f) {
    struct proto_writer *w = &c->conns.w;
    proto_writer_reset(w);
    proto_error_told(w, id, f);
    c->work.bytes += w->len;
    conn_push(&c->conns, now_us, conn);
}

/* 0 and the answer is in call->w, CALL_LATER, or an error. */
static int carry_out(struct control *c, struct call *call, const struct proto_msg *m) {
    unsigned group = 0;
    call->method = group_method(control_groups, m->method, &group);
    if (!call->method)
        return call_fail(call, ERR_UNSUPPORTED, m->method,
                         "there is no method of that name; \"version\" lists what there is");
    int r = args_check(call, &m->params);
    if (r != 0)
        return r;
    call->state = c->states[group];
    proto_writer_reset(call->w);
    proto_response(call->w, m->id);
    r = call->method->run(call);
    if (r == 0 && !call->w->ok)
        r = call_fail(call, ERR_FULL, NULL, "the answer is too large");
    return r;
}

static void dispatch(struct control *c, uint64_t now_us, struct conn *conn,
                     const struct proto_msg *m) {
    struct call call = {.node = c->node,
                        .conn = conn,
                        .conns = &c->conns,
                        .waits = &c->waits,
                        .facts = &c->facts,
                        .groups = control_groups,
                        .now_us = now_us,
                        .id = m->id,
                        .w = &c->conns.w};
    (void)node_why(c->node, ERR_OK); /* a limit that others met is not ours */
    const int r = carry_out(c, &call, m);
    c->work.bytes += call.work_bytes;
    if (r == CALL_LATER)
        return;
    if (r != 0) {
        const struct cause why = node_why(c->node, r);
        const struct failure f = {r, call.cause.limit != LIMIT_NONE ? call.cause : why,
                                  call.text[0] ? call.text : NULL, call.detail};
        push_error(c, now_us, conn, m->id, &f);
        return;
    }
    c->work.bytes += call.w->len;
    conn_push(&c->conns, now_us, conn);
    proto_writer_reset(call.w); /* a ticket may have been in it */
}

/* The connection cannot go on: the stream's framing is lost. */
static void broken(struct control *c, uint64_t now_us, struct conn *conn, const struct proto_msg *m,
                   struct failure *f) {
    if (f->err == ERR_FULL && f->cause.limit == LIMIT_NONE)
        f->cause = (struct cause){.limit = LIMIT_REQUEST_BYTES, .max = CONTROL_REQUEST_MAX};
    else if (f->err == ERR_PROTO)
        f->text = "this is not a MessagePack-RPC request";
    if (m->has_id)
        push_error(c, now_us, conn, m->id, f);
    if (!conn->closing)
        conn_end(&c->conns, now_us, conn);
}

int control_input(struct control *c, uint64_t now_us, uint32_t handle, const uint8_t *buf,
                  size_t len) {
    struct conn *conn = conn_find(&c->conns, handle);
    struct proto_msg m = {0};
    struct failure f;
    if (!conn || conn->closing)
        return ERR_PROTO;
    if (conn_feed(&c->conns, conn, buf, len, &f) == 0)
        return 0;
    proto_reader_peek(&conn->in, &m);
    broken(c, now_us, conn, &m, &f);
    let_go(c, now_us);
    return ERR_PROTO;
}

/* The next thing that the connection has sent is carried out. */
static void run_one(struct control *c, uint64_t now_us, struct conn *conn) {
    struct proto_msg m;
    size_t size = 0;
    const int r = conn_take(&c->conns, conn, &m, &size);
    c->work.requests++;
    c->work.bytes += size;
    if (r == 0)
        return;
    /* A client has nothing to tell: notifications from it are allowed and without effect. */
    if (r > 0 && m.kind == PROTO_REQUEST)
        dispatch(c, now_us, conn, &m);
    const bool response = r > 0 && m.kind == PROTO_RESPONSE;
    if (r > 0)
        proto_msg_clear(&m);
    if (r < 0 || response) {
        struct failure f = {.err = r < 0 ? r : ERR_PROTO};
        broken(c, now_us, conn, &m, &f);
    }
    if (!conn->closing)
        conn_look(&c->conns, conn);
    let_go(c, now_us);
}

bool control_run(struct control *c, uint64_t now_us) {
    struct conn *conn = NULL;
    c->work = (struct control_work){0};
    while (c->work.requests < CONTROL_TURN_REQUESTS && c->work.bytes < CONTROL_TURN_BYTES &&
           (conn = conns_next_ready(&c->conns)) != NULL)
        run_one(c, now_us, conn);
    unsigned turn = c->conns.next;
    bool more = conn && conns_next_ready(&c->conns);
    c->conns.next = turn;
    return more;
}

struct control_work control_last_work(const struct control *c) {
    return c->work;
}

/* ---- events ---- */

static void write_event(struct control *c, const struct event_row *row, const struct node_event *e,
                        bool brief) {
    struct proto_writer *w = &c->conns.w;
    proto_writer_reset(w);
    proto_notify(w, "event");
    proto_map(w, NULL);
    proto_str(w, "event", node_event_name(e->kind));
    proto_uint(w, "at_us", e->now_us);
    if (e->contact[0]) {
        proto_str(w, "contact", e->contact);
        show_id(w, "node", &e->node);
    }
    const struct telling t = {.w = w, .node = c->node, .e = e, .brief = brief};
    if (row->show)
        row->show(&t);
    proto_end(w);
}

/* Who is behind with its reading does without what can be missed, and hears the rest in short: what
 * contacts write does not make it overflow. */
static void notify(struct control *c, uint64_t now_us, const struct event_row *row,
                   const struct node_event *e) {
    bool made = false, made_brief = false;
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &c->conns.all[i];
        if (!conn->used || conn->closing || !kinds_has(&conn->events, e->kind))
            continue;
        if (row->flags & EVENT_DROPS && conn_behind(conn))
            continue;
        const bool brief = row->flags & EVENT_SHORTENS && conn_behind(conn);
        if (!made || brief != made_brief)
            write_event(c, row, e, brief);
        made_brief = brief;
        conn_push(&c->conns, now_us, conn);
        made = !conn->closing; /* the writer held "overflow" in between */
    }
    let_go(c, now_us);
}

void control_event(struct control *c, uint64_t now_us, const struct node_event *e) {
    const struct event_row *row = group_event(control_groups, e->kind);
    if (!row)
        return;
    notify(c, now_us, row, e);
    if (row->flags & EVENT_DROPS)
        return;
    waits_event(&c->waits, now_us, e);
    let_go(c, now_us);
}

/* ---- time ---- */

uint64_t control_deadline_us(const struct control *c) {
    uint64_t waits_us = waits_deadline_us(&c->waits), conns_us = conns_deadline_us(&c->conns);
    return waits_us < conns_us ? waits_us : conns_us;
}

void control_timeout(struct control *c, uint64_t now_us) {
    waits_timeout(&c->waits, now_us);
    let_go(c, now_us);
    conns_timeout(&c->conns, now_us);
}
