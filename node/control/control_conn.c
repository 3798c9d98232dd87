/* control_conn.c: the connections of the control API: their bytes out, and whose share of memory
 * they are. Each pool is shared by one rule: a connection may hold as much as is still free. Alone
 * it can have half; with k greedy ones each ends at a (k + 1)th, and as much stays free for the
 * next (dynamic thresholds: Choudhury and Hahne, 1998).
 */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/control_internal.h"

/* A connection's handle: its index in the low bits, a generation above them. */
enum { CONN_INDEX_BITS = 6 };
_Static_assert(CONTROL_CONNS_MAX == 1 << CONN_INDEX_BITS, "index bits");

struct conn *conn_find(const struct control *c, uint32_t handle) {
    const struct conn *conn = &c->conns[handle & (CONTROL_CONNS_MAX - 1)];
    if (!conn->used || conn->generation != handle >> CONN_INDEX_BITS)
        return NULL;
    return (struct conn *)(uintptr_t)conn;
}

/* ---- the pools ---- */

static void out_drop(struct control *c, struct conn *conn) {
    c->out_bytes -= conn_unread(conn);
    if (conn->out_len > 0)
        sodium_memzero(conn->out, conn->out_len);
    conn->out_start = conn->out_len = 0;
    if (conn->out_cap > CONTROL_OUT_KEEP) {
        free(conn->out);
        conn->out = NULL;
        conn->out_cap = 0;
    }
}

void conn_count_in(struct control *c, struct conn *conn) {
    size_t now = conn->in.len - conn->in.start;
    c->in_bytes = c->in_bytes - conn->in_counted + now;
    conn->in_counted = now;
}

size_t conn_in_share(const struct control *c, const struct conn *conn) {
    size_t others = c->in_bytes - conn->in_counted;
    return (CONTROL_IN_POOL - others) / 2;
}

void conn_set_ready(struct control *c, struct conn *conn, bool ready) {
    if (ready && !conn->ready)
        c->ready_count++;
    else if (!ready && conn->ready)
        c->ready_count--;
    conn->ready = ready;
}

void conn_release(struct control *c, struct conn *conn) {
    proto_msg_clear(&conn->held);
    conn->holds = false;
    uint32_t generation = conn->generation;
    conn_set_ready(c, conn, false);
    if (conn->closing)
        c->closing_count--;
    out_drop(c, conn);
    proto_reader_clear(&conn->in);
    conn_count_in(c, conn);
    free(conn->out);
    *conn = (struct conn){.generation = generation};
}

/* ---- open and close ---- */

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

void control_refusal(struct proto_writer *w) {
    const struct failure f = {
        ERR_FULL, {.limit = LIMIT_CONNECTIONS, .max = CONTROL_CONNS_MAX}, NULL, NULL};
    proto_error_told(w, 0, &f);
}

void control_close(struct control *c, uint64_t now_us, uint32_t handle) {
    struct conn *conn = conn_find(c, handle);
    if (!conn)
        return;
    wait_drop_conn(c, now_us, (uint32_t)(conn - c->conns));
    for (unsigned i = 0; i < conn->recv_count; i++)
        node_recv_stop(c->node, conn->recvs[i]);
    hold_drop_conn(c, now_us, conn);
    conn_release(c, conn);
}

void conn_end(struct control *c, uint64_t now_us, struct conn *conn) {
    conn_set_ready(c, conn, false);
    if (!conn->closing)
        c->closing_count++;
    conn->closing = true;
    conn->events = 0;
    conn->close_us = now_us + CONTROL_LINGER_US;
    proto_reader_clear(&conn->in);
    conn_count_in(c, conn);
}

/* ---- output ---- */

/* Makes room for n more bytes behind the unread ones. */
static bool out_grow(struct conn *conn, size_t n) {
    if (conn->out_cap - conn->out_len < n && conn->out_start > 0) {
        size_t rest = conn_unread(conn);
        memmove(conn->out, conn->out + conn->out_start, rest);
        sodium_memzero(conn->out + rest, conn->out_start);
        conn->out_len = rest;
        conn->out_start = 0;
    }
    if (conn->out_cap - conn->out_len >= n)
        return true;
    uint8_t *grown = proto_grow(conn->out, conn->out_len, &conn->out_cap, n);
    if (!grown)
        return false;
    conn->out = grown;
    return true;
}

static void out_append(struct control *c, struct conn *conn) {
    memcpy(conn->out + conn->out_len, c->w.buf, c->w.len);
    conn->out_len += c->w.len;
    c->out_bytes += c->w.len;
}

/* It does not read, or there is no memory: it is told so behind what waits for it already, and that
 * is all it will get. */
static void overflow(struct control *c, uint64_t now_us, struct conn *conn) {
    proto_writer_reset(&c->w);
    proto_notify(&c->w, "event");
    proto_map(&c->w, NULL);
    proto_str(&c->w, "event", "overflow");
    proto_uint(&c->w, "at_us", now_us);
    proto_end(&c->w);
    if (c->w.ok && out_grow(conn, c->w.len))
        out_append(c, conn);
    wait_drop_conn(c, now_us, (uint32_t)(conn - c->conns));
    conn_end(c, now_us, conn);
}

void conn_push(struct control *c, uint64_t now_us, struct conn *conn) {
    if (conn->closing)
        return;
    size_t n = c->w.len, free_bytes = CONTROL_OUT_POOL - c->out_bytes;
    if (!c->w.ok || conn_unread(conn) + n > free_bytes || !out_grow(conn, n))
        overflow(c, now_us, conn);
    else
        out_append(c, conn);
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
    c->out_bytes -= n;
    if (conn->out_start == conn->out_len)
        out_drop(c, conn);
}

bool control_wants_close(const struct control *c, uint32_t handle) {
    const struct conn *conn = conn_find(c, handle);
    return conn && conn->closing && conn_unread(conn) == 0;
}

bool control_wants_input(const struct control *c, uint32_t handle) {
    const struct conn *conn = conn_find(c, handle);
    return conn && !conn->closing && !conn->ready && conn_unread(conn) <= CONTROL_OUT_PAUSE;
}

bool control_has_work(const struct control *c, uint32_t handle) {
    const struct conn *conn = conn_find(c, handle);
    return conn && conn->ready;
}

/* ---- time ---- */

uint64_t conn_deadline_us(const struct control *c) {
    uint64_t first = UINT64_MAX;
    for (unsigned i = 0; c->closing_count > 0 && i < CONTROL_CONNS_MAX; i++) {
        const struct conn *conn = &c->conns[i];
        if (conn->used && conn->closing && conn_unread(conn) > 0 && conn->close_us < first)
            first = conn->close_us;
    }
    return first;
}

void conn_timeout(struct control *c, uint64_t now_us) {
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &c->conns[i];
        if (conn->used && conn->closing && now_us >= conn->close_us)
            out_drop(c, conn);
    }
}
