/* train.h: a run of datagrams to one address, as UDP_SEGMENT sends them: all `segment_bytes` long
 * but the last, which may be shorter. The caller lends the buffer; the protocol fills it. One
 * segment is an ordinary datagram.
 */
#ifndef MESHD_NET_BASE_TRAIN_H
#define MESHD_NET_BASE_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/base/addr.h"
#include "net/base/ecn_field.h"

struct train {
    uint8_t *buf; /* caller's, of TRAIN_MAX_BYTES */
    size_t len;   /* bytes filled */
    uint16_t segment_bytes;
    uint8_t ecn; /* the field of all of them (net/base/ecn_field.h) */
    struct addr to;
    uint32_t local; /* the `local` of what it answers, or LOCAL_ANY */
    uint32_t full;  /* set by the caller: sockets, a bit each, for which no train is wanted now */
};

/* Where a datagram came in: the low bits are the number of our socket, the others which of its addresses, known to the edge
 * alone. Two equal ones are one place. */
#define LOCAL_ANY UINT32_MAX
enum { LOCAL_SOCKET_BITS = 5, LOCAL_SOCKETS_MAX = 1 << LOCAL_SOCKET_BITS };

static inline uint32_t local_socket(uint32_t local) {
    return local & (LOCAL_SOCKETS_MAX - 1);
}
static inline bool train_is_unwanted(const struct train *t, uint32_t local) {
    return t->full != 0 && local != LOCAL_ANY && (t->full >> local_socket(local) & 1) != 0;
}

#endif
