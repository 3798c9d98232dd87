/* train.h: a run of datagrams to one address, as UDP_SEGMENT sends them: all `segment_bytes` long
 * but the last, which may be shorter. The caller lends the buffer; the protocol fills it. One
 * segment is an ordinary datagram.
 */
#ifndef MESHD_NET_BASE_TRAIN_H
#define MESHD_NET_BASE_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/base/ecn_field.h"
#include "net/base/hop.h"

struct train {
    uint8_t *buf; /* caller's, of TRAIN_MAX_BYTES */
    size_t len;   /* bytes filled */
    uint16_t segment_bytes;
    uint8_t ecn;   /* the field of all of them (net/base/ecn_field.h) */
    struct hop to; /* that of what it answers, or one by any socket */
    uint32_t full; /* set by the caller: sockets, a bit each, for which no train is wanted now */
};

static inline bool train_is_unwanted(const struct train *t, const struct hop *to) {
    const int socket = hop_socket(to);
    return t->full != 0 && socket >= 0 && (t->full >> socket & 1) != 0;
}

#endif
