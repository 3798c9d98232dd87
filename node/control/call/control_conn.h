/* control_conn.h: the connections of the control API: requests that have come in, what waits to be
 * read, and whose share of memory they are. Each pool is shared by one rule: a connection may hold
 * as much as is still free. Alone it can have half; with k greedy ones each ends at a (k + 1)th,
 * and as much stays free for the next (dynamic thresholds: Choudhury and Hahne, 1998).
 *
 * A connection that reads too slowly, or breaks the protocol, ends: nothing more is read from it,
 * what was written may still be fetched for a while. This layer knows nothing of what it waited
 * for: conns_next_ended says who has ended, and the one above lets go of that (control.c).
 *
 * For media of a call, when there is one: a message here is any MessagePack, and MessagePack has
 * binary values, which the reader takes already. So frames travel as a notification whose map holds
 * a `bin` (the writer needs a proto_bin), pushed only while conn_behind says no: a slow reader
 * loses frames and never the connection, as it loses progress. Or the client passes a descriptor:
 * the server's socket takes it, hands control_input its number next to the bytes it came with, and
 * the connection keeps it until the request that those bytes end is carried out.
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_CONN_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_CONN_H

#include "node/api/rpc/control_proto.h"
#include "node/control/call/control_kinds.h"
#include "node/control/call/control_limits.h"

struct conn {
    bool used, closing;
    bool ready; /* `in` holds a whole request, or what will never be one; or `held` waits */
    bool holds;
    struct proto_msg held; /* a large request, unpacked in an earlier turn */
    uint32_t index, generation;
    uint64_t close_us; /* when `closing`: its unread output is given up then */
    struct proto_reader in;
    size_t in_counted;   /* bytes of `in` that are counted in the pool */
    struct buffer out;   /* to be written */
    struct kinds events; /* subscribed ones */
};

struct conns {
    struct proto_writer w;               /* the message being made */
    size_t in_bytes, out_bytes;          /* of the two pools */
    unsigned next;                       /* whose turn it is */
    unsigned ready_count, closing_count; /* so that a turn without any looks at none */
    uint64_t ended;                      /* a bit for each that has, and nobody was told yet */
    struct conn all[CONTROL_CONNS_MAX];
};

void conns_init(struct conns *cs);
void conns_clear(struct conns *cs);

int conn_open(struct conns *cs, uint32_t *handle) MUST_USE; /* ERR_FULL */
struct conn *conn_find(const struct conns *cs, uint32_t handle);
/* Gives its buffers and its place back. */
void conn_release(struct conns *cs, struct conn *conn);
/* Nothing more is read from it; what was written may still be fetched for a while. */
void conn_end(struct conns *cs, uint64_t now_us, struct conn *conn);
/* One that has ended since it was asked last; NULL: none. */
struct conn *conns_next_ended(struct conns *cs);

/* ---- in ---- */
/* An error ends the connection's input: *f says what the client is to hear. */
int conn_feed(struct conns *cs, struct conn *conn, const uint8_t *buf, size_t len,
              struct failure *f) MUST_USE;
/* The next message of one that is ready: 1, the message in *m, to be cleared, and its *size. 0: a
 * large one was unpacked, which is work enough for a turn. Or an error as of proto_reader_next. */
int conn_take(struct conns *cs, struct conn *conn, struct proto_msg *m, size_t *size) MUST_USE;
/* After conn_take: whether there is more. */
void conn_look(struct conns *cs, struct conn *conn);
/* The next connection in turn that has something to be done and reads its answers. */
struct conn *conns_next_ready(struct conns *cs);
bool conn_wants_input(const struct conn *conn);

/* ---- out ---- */
/* Appends the message in cs->w to the connection's output, or ends it when it reads too slowly. */
void conn_push(struct conns *cs, uint64_t now_us, struct conn *conn);
bool conn_output(const struct conn *conn, const uint8_t **buf, size_t *len);
void conn_sent(struct conns *cs, struct conn *conn, size_t n);
static inline size_t conn_unread(const struct conn *conn) {
    return buffer_size(&conn->out);
}
/* It is so far behind with its reading that what can be missed is left out. */
static inline bool conn_behind(const struct conn *conn) {
    return conn_unread(conn) > CONTROL_OUT_SOFT;
}

uint64_t conns_deadline_us(const struct conns *cs);
void conns_timeout(struct conns *cs, uint64_t now_us);

#endif
