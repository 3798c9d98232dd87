/* buffer.h: bytes that come at one end and go at the other, and may be secrets: what is taken,
 * moved or given back is wiped. Bounded; grows by doubling. A plain struct, zeroes are an empty
 * one.
 */
#ifndef MESHD_NODE_API_RPC_BUFFER_H
#define MESHD_NODE_API_RPC_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *bytes; /* bytes[start..len) are in it */
    size_t start, len, cap;
};

static inline size_t buffer_size(const struct buffer *b) {
    return b->len - b->start;
}
/* Valid until bytes are added or the buffer is cleared; NULL if it holds no memory. */
static inline const uint8_t *buffer_at(const struct buffer *b) {
    return b->start > 0 ? b->bytes + b->start : b->bytes;
}

/* Appends n bytes, as long as no more than `max` are in it then. False: they would be, or there is
 * no memory; nothing has changed. */
bool buffer_add(struct buffer *b, const void *bytes, size_t n, size_t max);
/* The first n bytes are done with: n <= buffer_size. Memory is kept. */
void buffer_take(struct buffer *b, size_t n);
/* Empty, memory given back. Idempotent. */
void buffer_clear(struct buffer *b);

#endif
