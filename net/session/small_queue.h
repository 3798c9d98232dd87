/* small_queue.h: handshake packets and packets of a few session frames that are ready to leave. Four classes, each a list with a
 * bound of its own, served in turn: a flood of one kind, which a stranger can cause, drops nothing of another. What a
 * session has waiting is counted by it (endpoint_small.c). Value struct; all zeroes is empty.
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
    SMALL_CLASSES,
};

struct small_packet {
    struct small_packet *next;
    struct hop to;
    uint32_t slot, serial; /* of the session it is counted in; serial 0: none */
    size_t len;
    uint8_t data[];
};

struct small_queue {
    struct small_list {
        struct small_packet *head, *tail;
        unsigned count;
    } lists[SMALL_CLASSES];
    unsigned turn; /* the class that is served next */
};

/* What kind of datagram this is, by its first byte. */
enum small_class small_class_of(const uint8_t *data);
/* False: its class is full (limits.h), or no memory. */
bool small_push(struct small_queue *q, const struct small_packet *head, const uint8_t *data,
                size_t len);
/* The next one that `t` wants (its socket is not full; NULL: any), to be freed by the caller; NULL: there is none. */
struct small_packet *small_pop(struct small_queue *q, const struct train *t);
void small_clear(struct small_queue *q);

#endif
