/* relay_queue.h: what waits to be forwarded: a queue for each end of a flow, served in turn.
 *
 * A queue holds trains as they came, so that they leave as trains; datagrams are dropped from its
 * head. By time: what has waited longer than the bound is dropped when it would leave, and before
 * that CoDel (RFC 8289; target and interval below) drops one now and then while everything waits
 * longer than the target. By bytes: a queue takes no more than its own bound, nor than twice what
 * is free of the bound for all, of which an eighth is for those that have little; so a few long
 * queues leave room to others.
 * Queues with something in them take turns by bytes (deficit round robin, Shreedhar and Varghese
 * 1996): each sends its quantum and goes behind the others. The quantum is large when they are few,
 * so that trains are, and small when they are many, so that nobody waits too long for its turn. One
 * whose socket is full is set aside, a list for each socket, and looked at again when that has
 * room.
 *
 * Memory: trains lie in chunks of 512 bytes to 64 KiB, powers of two, of which free ones are kept
 * (RELAY_CHUNKS_KEPT_BYTES) and others go back to the system. Value structs.
 */
#ifndef MESHD_NET_RELAY_RELAY_QUEUE_H
#define MESHD_NET_RELAY_RELAY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/hop.h"
#include "net/base/list.h"

enum {
    RELAY_CODEL_TARGET_US = 10 * 1000, /* RFC 8289 §4.3 has 5 ms, for links that are always up */
    RELAY_CODEL_INTERVAL_US = 100 * 1000,
    RELAY_QUANTUM_MIN_BYTES = 1500, /* an MTU: one datagram in a turn, or nearly */
    RELAY_RESERVE_PART = 8,
    RELAY_SURE_BYTES = 8 * 1024, /* have little */
    RELAY_CHUNKS_KEPT_BYTES = 2 << 20,
    RELAY_CHUNK_CLASSES = 8, /* 512 << 0 .. 512 << 7 */
    RELAY_CHUNK_HEAD_BYTES = 40,
    RELAY_TRAIN_BYTES = 65536 - RELAY_CHUNK_HEAD_BYTES, /* the largest train, or datagram */
};

struct relay_chunk; /* private: a train in its memory */

struct relay_fifo {        /* one queue; all zeroes (but `socket`) is empty */
    struct list_link link; /* in the list of those that are served, or of a socket that is full */
    struct relay_chunk *first, *last;
    uint32_t bytes, deficit_bytes;
    uint64_t above_us, drop_next_us; /* CoDel's first_above_time and drop_next */
    uint16_t drops, drops_last;      /* its count and lastcount */
    bool dropping, aside;
    int8_t socket; /* the one its datagrams leave by; -1: any (hop_socket) */
};

struct relay_queue_bounds {
    uint64_t late_us; /* nothing leaves that has waited longer */
    uint32_t bytes_per_fifo, bytes;
    uint64_t round_bytes; /* all have had a turn when so much has left, if there are not too many */
};

struct relay_queues {
    struct relay_queue_bounds bounds;
    struct list turn, aside[LOCAL_SOCKETS_MAX];
    uint32_t aside_mask; /* sockets with somebody in their list */
    uint32_t active;     /* in `turn` */
    uint32_t bytes;      /* waiting */
    struct relay_chunk *free[RELAY_CHUNK_CLASSES];
    size_t kept_bytes, memory_bytes;
    uint64_t late, full;      /* datagrams dropped: by time, by bytes or without memory */
    uint64_t wait_us, wait_n; /* how long trains waited that have left, summed; reset by reader */
};

void relay_queues_init(struct relay_queues *q, const struct relay_queue_bounds *b);
/* All queues must have been dropped before. */
void relay_queues_clear(struct relay_queues *q);

/* A train for this queue: `len` bytes in datagrams of `segment_bytes`, at most RELAY_TRAIN_BYTES
 * and TRAIN_MAX_SEGMENTS. Returns where the caller writes them, or NULL: no room (counted). */
uint8_t *relay_queue_push(struct relay_queues *q, struct relay_fifo *f, uint64_t now_us, size_t len,
                          uint16_t segment_bytes, uint8_t ecn);
/* Drops all that is in it. */
void relay_queue_drop(struct relay_queues *q, struct relay_fifo *f);
/* Its datagrams leave by another socket from now on. */
void relay_queue_moved(struct relay_queues *q, struct relay_fifo *f, int socket);

struct relay_pulled { /* a train that leaves; the bytes were copied to the caller */
    struct relay_fifo *of;
    size_t len;
    uint16_t segment_bytes;
    uint8_t ecn;
};

/* The next train into `buf`, of RELAY_TRAIN_BYTES; a queue whose socket is in `full` waits. False:
 * none. */
bool relay_queue_pull(struct relay_queues *q, uint64_t now_us, uint32_t full, uint8_t *buf,
                      struct relay_pulled *out) MUST_USE;
static inline bool relay_queues_ready(const struct relay_queues *q) { /* something may leave */
    return q->turn.first != NULL;
}

#endif
