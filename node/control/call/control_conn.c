#include "node/control/call/control_conn.h"

/* With the last notice of who overflows. */
enum { CONTROL_OUT_MAX = CONTROL_OUT_POOL + 1024 };

/* A connection's handle: its index in the low bits, a generation above them. */
enum { CONN_INDEX_BITS = 6 };
_Static_assert(CONTROL_CONNS_MAX == 1 << CONN_INDEX_BITS, "index bits; bits of `ended`");

void conns_init(struct conns *cs) {
    *cs = (struct conns){0};
    proto_writer_init(&cs->w, CONTROL_OUT_POOL / 2);
}

void conns_clear(struct conns *cs) {
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++)
        if (cs->all[i].used)
            conn_release(cs, &cs->all[i]);
    proto_writer_clear(&cs->w);
}

struct conn *conn_find(const struct conns *cs, uint32_t handle) {
    const struct conn *conn = &cs->all[handle & (CONTROL_CONNS_MAX - 1)];
    if (!conn->used || conn->generation != handle >> CONN_INDEX_BITS)
        return NULL;
    return (struct conn *)(uintptr_t)conn;
}

/* ---- the pools ---- */

/* The room that a large answer took is given back once it has been read. */
static void out_shrink(struct conn *conn) {
    if (buffer_size(&conn->out) == 0 && conn->out.cap > CONTROL_OUT_KEEP)
        buffer_clear(&conn->out);
}

static void out_drop(struct conns *cs, struct conn *conn) {
    cs->out_bytes -= conn_unread(conn);
    buffer_take(&conn->out, conn_unread(conn));
    out_shrink(conn);
}

/* Counts what `in` holds now. */
static void count_in(struct conns *cs, struct conn *conn) {
    size_t now = buffer_size(&conn->in.in);
    cs->in_bytes = cs->in_bytes - conn->in_counted + now;
    conn->in_counted = now;
}

/* Bytes that it may hold of the pool of requests. */
static size_t in_share(const struct conns *cs, const struct conn *conn) {
    size_t others = cs->in_bytes - conn->in_counted;
    return (CONTROL_IN_POOL - others) / 2;
}

static void set_ready(struct conns *cs, struct conn *conn, bool ready) {
    if (ready && !conn->ready)
        cs->ready_count++;
    else if (!ready && conn->ready)
        cs->ready_count--;
    conn->ready = ready;
}

/* ---- open and close ---- */

int conn_open(struct conns *cs, uint32_t *handle) {
    for (uint32_t i = 0; i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &cs->all[i];
        if (conn->used)
            continue;
        conn->used = true;
        conn->index = i;
        conn->generation = (conn->generation + 1) & (UINT32_MAX >> CONN_INDEX_BITS);
        proto_reader_init(&conn->in, CONTROL_REQUEST_MAX);
        *handle = conn->generation << CONN_INDEX_BITS | i;
        return 0;
    }
    return ERR_FULL;
}

void conn_release(struct conns *cs, struct conn *conn) {
    proto_msg_clear(&conn->held);
    conn->holds = false;
    uint32_t generation = conn->generation;
    set_ready(cs, conn, false);
    if (conn->closing)
        cs->closing_count--;
    cs->ended &= ~(UINT64_C(1) << conn->index);
    out_drop(cs, conn);
    proto_reader_clear(&conn->in);
    count_in(cs, conn);
    buffer_clear(&conn->out);
    *conn = (struct conn){.generation = generation};
}

void conn_end(struct conns *cs, uint64_t now_us, struct conn *conn) {
    set_ready(cs, conn, false);
    if (!conn->closing)
        cs->closing_count++;
    conn->closing = true;
    conn->events = (struct kinds){{0}};
    conn->close_us = now_us + CONTROL_LINGER_US;
    proto_reader_clear(&conn->in);
    count_in(cs, conn);
    cs->ended |= UINT64_C(1) << conn->index;
}

struct conn *conns_next_ended(struct conns *cs) {
    for (unsigned i = 0; cs->ended != 0 && i < CONTROL_CONNS_MAX; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        if (!(cs->ended & bit))
            continue;
        cs->ended &= ~bit;
        return &cs->all[i];
    }
    return NULL;
}

/* ---- in ---- */

int conn_feed(struct conns *cs, struct conn *conn, const uint8_t *buf, size_t len,
              struct failure *f) {
    while (len > 0) {
        bool fits = conn->in_counted + len <= in_share(cs, conn);
        long took = fits ? proto_reader_feed(&conn->in, buf, len) : ERR_FULL;
        if (took < 0) {
            *f = (struct failure){.err = (int)took};
            if (!fits)
                f->cause = (struct cause){.limit = LIMIT_REQUEST_POOL, .max = CONTROL_IN_POOL};
            return f->err;
        }
        buf += took;
        len -= (size_t)took;
        count_in(cs, conn);
    }
    conn_look(cs, conn);
    return 0;
}

int conn_take(struct conns *cs, struct conn *conn, struct proto_msg *m, size_t *size) {
    const bool held = conn->holds;
    *m = conn->held;
    conn->held = (struct proto_msg){0};
    conn->holds = false;
    if (held) {
        *size = m->size;
        return 1;
    }
    const size_t before = buffer_size(&conn->in.in);
    const int r = proto_reader_next(&conn->in, m);
    *size = before - (buffer_size(&conn->in.in));
    if (r <= 0 || *size <= CONTROL_TURN_BYTES)
        return r;
    conn->held = *m;
    conn->holds = true;
    count_in(cs, conn);
    return 0;
}

void conn_look(struct conns *cs, struct conn *conn) {
    count_in(cs, conn);
    set_ready(cs, conn, conn->holds || proto_reader_ready(&conn->in));
}

struct conn *conns_next_ready(struct conns *cs) {
    for (unsigned i = 0; cs->ready_count > 0 && i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &cs->all[(cs->next + i) % CONTROL_CONNS_MAX];
        if (!conn->ready || conn_unread(conn) > CONTROL_OUT_PAUSE)
            continue;
        cs->next = (cs->next + i + 1) % CONTROL_CONNS_MAX;
        return conn;
    }
    return NULL;
}

bool conn_wants_input(const struct conn *conn) {
    return !conn->closing && !conn->ready && conn_unread(conn) <= CONTROL_OUT_PAUSE;
}

/* ---- out ---- */

static bool out_add(struct conns *cs, struct conn *conn) {
    if (!cs->w.ok || !buffer_add(&conn->out, cs->w.buf, cs->w.len, CONTROL_OUT_MAX))
        return false;
    cs->out_bytes += cs->w.len;
    return true;
}

/* It does not read, or there is no memory: it is told so behind what waits for it already, and that
 * is all it will get. */
static void overflow(struct conns *cs, uint64_t now_us, struct conn *conn) {
    proto_writer_reset(&cs->w);
    proto_notify(&cs->w, "event");
    proto_map(&cs->w, NULL);
    proto_str(&cs->w, "event", "overflow");
    proto_uint(&cs->w, "at_us", now_us);
    proto_end(&cs->w);
    (void)out_add(cs, conn);
    conn_end(cs, now_us, conn);
}

void conn_push(struct conns *cs, uint64_t now_us, struct conn *conn) {
    if (conn->closing)
        return;
    size_t n = cs->w.len, free_bytes = CONTROL_OUT_POOL - cs->out_bytes;
    if (conn_unread(conn) + n > free_bytes || !out_add(cs, conn))
        overflow(cs, now_us, conn);
}

bool conn_output(const struct conn *conn, const uint8_t **buf, size_t *len) {
    if (conn_unread(conn) == 0)
        return false;
    *buf = buffer_at(&conn->out);
    *len = conn_unread(conn);
    return true;
}

void conn_sent(struct conns *cs, struct conn *conn, size_t n) {
    buffer_take(&conn->out, n);
    cs->out_bytes -= n;
    out_shrink(conn);
}

/* ---- time ---- */

uint64_t conns_deadline_us(const struct conns *cs) {
    uint64_t first = UINT64_MAX;
    for (unsigned i = 0; cs->closing_count > 0 && i < CONTROL_CONNS_MAX; i++) {
        const struct conn *conn = &cs->all[i];
        if (conn->used && conn->closing && conn_unread(conn) > 0 && conn->close_us < first)
            first = conn->close_us;
    }
    return first;
}

void conns_timeout(struct conns *cs, uint64_t now_us) {
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++) {
        struct conn *conn = &cs->all[i];
        if (conn->used && conn->closing && now_us >= conn->close_us)
            out_drop(cs, conn);
    }
}
