/* train_in.h: a run of datagrams that came by one hop, as UDP_GRO hands them over: all
 * `segment_bytes` long but the last, which may be shorter, and of one ECN field. What stands
 * between the edge and the endpoint sees it once, whole. One segment is an ordinary datagram. The
 * buffer is the edge's; datagrams may be opened in place.
 */
#ifndef MESHD_NET_BASE_TRAIN_IN_H
#define MESHD_NET_BASE_TRAIN_IN_H

#include <stddef.h>
#include <stdint.h>

#include "net/base/ecn_field.h"
#include "net/base/hop.h"

struct train_in {
    uint8_t *buf;
    size_t len;           /* of all of them */
    size_t segment_bytes; /* above 0 */
    struct hop from;      /* a train to the same hop answers it */
    uint8_t ecn;          /* the field they came with; ECN_NOT_ECT if that is not known */
};

static inline struct train_in train_in_of_one(const struct hop *from, uint8_t ecn, uint8_t *buf,
                                              size_t len) {
    return (struct train_in){
        .buf = buf, .len = len, .segment_bytes = len > 0 ? len : 1, .from = *from, .ecn = ecn};
}

/* The bytes of the datagram that begins at `at`; 0: there is none. */
static inline size_t train_in_bytes_at(const struct train_in *r, size_t at) {
    const size_t left = at < r->len ? r->len - at : 0;
    return left < r->segment_bytes ? left : r->segment_bytes;
}

#endif
