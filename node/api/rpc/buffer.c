#include "node/api/rpc/buffer.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "crypto/base/mem.h"

enum { FIRST_BYTES = 1024 };

/* What is in it comes to stand at the front. */
static void compact(struct buffer *b) {
    const size_t size = buffer_size(b);
    if (b->start == 0)
        return;
    memmove(b->bytes, b->bytes + b->start, size);
    sodium_memzero(b->bytes + size, b->len - size);
    b->start = 0;
    b->len = size;
}

/* Not realloc: what that leaves behind is not wiped. */
static bool grow(struct buffer *b, size_t more) {
    size_t cap = b->cap ? b->cap : FIRST_BYTES;
    while (cap - b->len < more)
        cap *= 2;
    uint8_t *grown = mem_alloc(cap);
    if (!grown)
        return false;
    if (b->len > 0) {
        memcpy(grown, b->bytes, b->len);
        sodium_memzero(b->bytes, b->len);
    }
    mem_free(b->bytes);
    b->bytes = grown;
    b->cap = cap;
    return true;
}

bool buffer_add(struct buffer *b, const void *bytes, size_t n, size_t max) {
    if (buffer_size(b) > max || n > max - buffer_size(b))
        return false;
    if (n == 0)
        return true;
    if (b->cap - b->len < n)
        compact(b);
    if (b->cap - b->len < n && !grow(b, n))
        return false;
    memcpy(b->bytes + b->len, bytes, n);
    b->len += n;
    return true;
}

void buffer_take(struct buffer *b, size_t n) {
    assert(n <= buffer_size(b));
    if (n > 0)
        sodium_memzero(b->bytes + b->start, n);
    b->start += n;
    if (b->start == b->len)
        b->start = b->len = 0;
}

void buffer_clear(struct buffer *b) {
    if (b->len > b->start)
        sodium_memzero(b->bytes + b->start, buffer_size(b));
    mem_free(b->bytes);
    *b = (struct buffer){0};
}
