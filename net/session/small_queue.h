/* small_queue.h: whole packets that are ready to leave: handshakes, packets of a few session
 * frames, and records (gossip). Five classes, each with a bound of its own: a flood of one kind,
 * which a stranger can cause, drops nothing of another. The four urgent ones are served in turn;
 * records only where they are asked for, so that they can take turns with streams
 * (endpoint_out.c). What a session has waiting is counted by it (endpoint_small.c).
 *
 * What is passed over because its socket is full waits in that socket's own list, which is not
 * looked at until the socket has room, and then comes first. There it counts for the socket, not
 * for the class: one that is stuck takes no place from what leaves by another. Value struct; all
 * zeroes is empty.
 */
#ifndef MESHD_NET_SESSION_SMALL_QUEUE_H
#define MESHD_NET_SESSION_SMALL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/base/train.h"

enum small_class {
    SMALL_SESSION, /* sealed: CONFIRM, ECHOED, CLOSE, ... */
    SMALL_ATTEMPT, /* our own INITIATIONs */
    SMALL_ANSWER,  /* RESPONSEs, to who has shown a secret or is a contact */
    SMALL_RETRY,   /* to anybody */
    SMALL_RECORD,  /* sealed: one RECORD */
    SMALL_CLASSES,
    SMALL_URGENT = SMALL_RECORD, /* so many come before records */
};

struct small_packet {
    struct small_packet *next;
    struct hop to;
    uint32_t slot, serial; /* of the session it is counted in; serial 0: none */
    bool of_peer;          /* it is for this one, whose policy holds until it leaves */
    struct peer_ref peer;
    enum small_class class;
    size_t len;
    uint8_t data[];
};

struct small_list {
    struct small_packet *head, *tail;
    unsigned count;
};

struct small_parked {
    struct small_list lists[SMALL_CLASSES][LOCAL_SOCKETS_MAX];
    uint32_t at[SMALL_CLASSES]; /* the sockets that there is something for */
};

struct small_queue {
    struct small_list lists[SMALL_CLASSES];
    struct small_parked *parked; /* NULL until a socket is full */
    unsigned held; /* of all classes, in lists and parked: 0 most often when it is asked */
    uint64_t dropped[SMALL_CLASSES];
    unsigned turn; /* the urgent class that is served next */
};

/* What kind of datagram of a handshake this is, by its first byte. */
enum small_class small_class_of(const uint8_t *data);
/* A copy of head with these bytes. False, and counted: its class is full, or half of that waits for
 * its socket already (limits.h), or no memory. */
bool small_push(struct small_queue *q, const struct small_packet *head, const uint8_t *data,
                size_t len);
/* The next urgent one, or the next record, that `t` wants (its socket is not full; NULL: any), to
 * be freed by the caller; NULL: there is none. */
struct small_packet *small_pop(struct small_queue *q, const struct train *t);
struct small_packet *small_pop_record(struct small_queue *q, const struct train *t);
/* One that was popped waits, after all, until this socket has room. False, and counted: half of its
 * class waits there already, or no memory; it is still the caller's. */
bool small_wait(struct small_queue *q, struct small_packet *p, int socket);
void small_clear(struct small_queue *q);

#endif
