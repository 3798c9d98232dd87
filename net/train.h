/* train.h: a run of datagrams to one address, as UDP_SEGMENT sends them: all `segment_bytes` long
 * but the last, which may be shorter. The caller lends the buffer; the protocol fills it. One
 * segment is an ordinary datagram.
 */
#ifndef MESHD_NET_TRAIN_H
#define MESHD_NET_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/ecn.h"

struct train {
    uint8_t *buf; /* caller's, of TRAIN_MAX_BYTES */
    size_t len;   /* bytes filled */
    uint16_t segment_bytes;
    uint8_t ecn; /* the field of all of them (net/ecn.h) */
    struct addr to;
    uint32_t local; /* which of our sockets: the number it came in on, or LOCAL_ANY */
};

#define LOCAL_ANY UINT32_MAX

#endif
