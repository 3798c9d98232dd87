/* control_limits.h: what bounds the control API: memory, work of a turn, entries of a list. What a
 * client can meet is in docs/CONTROL.md, too.
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_LIMITS_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_LIMITS_H

#include <stdint.h>

enum {
    CONTROL_CONNS_MAX = 64,
    CONTROL_REQUEST_MAX = 4 << 20, /* one request's bytes; larger: error "full", closed */
    CONTROL_IN_POOL = 16 << 20,    /* bytes of all requests that are not carried out yet */
    CONTROL_OUT_POOL = 16 << 20,   /* bytes of all answers and events that are not read yet */
    /* One call of control_run: it ends when either is reached. Sized for less than 5 ms: the
     * slowest request computes two X25519 or writes a row, 0.2 ms. */
    CONTROL_TURN_REQUESTS = 8,
    CONTROL_TURN_BYTES = 128 << 10,
    /* What counts as bytes there, too: a message read from the store, 4 us, or deleted, 10 us. */
    CONTROL_READ_BYTES = 256,
    CONTROL_DELETE_BYTES = 512,

    CONTROL_OUT_SOFT = 1 << 20,    /* unread bytes above which progress notifications are dropped */
    CONTROL_OUT_PAUSE = 256 << 10, /* above it no further request of this client is carried out */
    CONTROL_OUT_KEEP = 64 << 10,   /* a larger buffer is given back once it has been read */
    CONTROL_LINGER_US = 5 * 1000000, /* so long the last bytes of a closing one wait to be read */

    CONTROL_WAITS_MAX = 512, /* unanswered requests; who has as many as are free gets ERR_FULL */
    /* Attempts to connect of wait for=peer in one turn; the rest in the next. */
    CONTROL_RETRIES = 8,
    CONTROL_RECONNECT_US = 1000000, /* wait for=peer: pause between two attempts */
    CONTROL_PINGS_MAX = 16,         /* unanswered pings of one connection; then ERR_FULL */
    /* ticket.new, message.send: until it survives a power cut */
    CONTROL_QUEUED_US = 4 * 1000 * 1000,
    CONTROL_RECVS_MAX = 8, /* standing recv.start of one connection; further ones get ERR_FULL */

    CONTROL_PAGE_MAX = 256,        /* entries in one answer of a listing */
    CONTROL_PAGE_BYTES = 64 << 10, /* and bytes after which it stops */
    CONTROL_PATH_MAX = 4096,       /* a path's bytes, as Linux has it */
    CONTROL_FEW_MAX = 64,          /* entries of an ARG_FEW */
    CONTROL_ARGS_MAX = 6,
    CONTROL_TTL_MAX_S = 366 * 24 * 3600,
};
/* Longer than any wait that makes sense, and far from overflowing a time. */
#define CONTROL_TIMEOUT_MAX_US (UINT64_C(1) << 50)

#endif
