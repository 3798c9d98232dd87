/* delimited.h: how the channels frame their messages on a stream: a varint length, then as many
 * bytes.
 *
 *   +----------------------+----------------------+
 *   | length, varint (1-8) | length bytes msgpack |
 *   +----------------------+----------------------+
 *
 * The reader takes bytes in any pieces and grows its buffer with what has really come, never with
 * what the length promises.
 */
#ifndef MESHD_NODE_CHANNEL_DELIMITED_H
#define MESHD_NODE_CHANNEL_DELIMITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

struct varint_in { /* a varint that arrives in pieces; zeroes = empty */
    uint8_t bytes[8];
    uint8_t have;
};
/* Takes bytes from in[0..len); *used of them. True once the value is whole. */
bool varint_in_feed(struct varint_in *v, const uint8_t *in, size_t len, size_t *used,
                    uint64_t *value);

struct blob_in { /* caller's; zeroes with max set = empty */
    struct varint_in head;
    bool sized, whole;
    size_t max; /* longest body allowed */
    size_t want, len, cap;
    uint8_t *buf; /* owned */
};
void blob_in_init(struct blob_in *b, size_t max);
void blob_in_clear(struct blob_in *b);
/* *used bytes of in[0..len) belong to this blob; b->whole when it is complete. ERR_PROTO: longer
 * than max, or empty. ERR_NOMEM. */
int blob_in_feed(struct blob_in *b, const uint8_t *in, size_t len, size_t *used) MUST_USE;

/* A heap copy: prefix[0..prefix_len) + varint length + body. NULL: no memory. */
uint8_t *blob_out(const uint8_t *prefix, size_t prefix_len, const void *body, size_t len,
                  size_t *out_len);

#endif
