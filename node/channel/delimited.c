#include "node/channel/delimited.h"

#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"

enum { BLOB_FIRST_CAP = 512 };

bool varint_in_feed(struct varint_in *v, const uint8_t *in, size_t len, size_t *used,
                    uint64_t *value) {
    *used = 0;
    while (*used < len) {
        v->bytes[v->have++] = in[(*used)++];
        if (v->have == (size_t)1 << (v->bytes[0] >> 6)) {
            struct rd r = rd_init(v->bytes, v->have);
            *value = rd_varint(&r);
            return true;
        }
    }
    return false;
}

void blob_in_init(struct blob_in *b, size_t max) {
    *b = (struct blob_in){.max = max};
}

void blob_in_clear(struct blob_in *b) {
    mem_free(b->buf);
    *b = (struct blob_in){.max = b->max};
}

static bool grow(struct blob_in *b, size_t need) {
    size_t cap = b->cap ? b->cap : BLOB_FIRST_CAP;
    while (cap < need)
        cap *= 2;
    if (cap > b->want)
        cap = b->want;
    if (cap <= b->cap)
        return true;
    uint8_t *buf = mem_realloc(b->buf, cap);
    if (!buf)
        return false;
    b->buf = buf;
    b->cap = cap;
    return true;
}

int blob_in_feed(struct blob_in *b, const uint8_t *in, size_t len, size_t *used) {
    *used = 0;
    if (b->whole)
        return 0;
    if (!b->sized) {
        uint64_t want;
        if (!varint_in_feed(&b->head, in, len, used, &want))
            return 0;
        if (want == 0 || want > b->max)
            return ERR_PROTO;
        b->want = (size_t)want;
        b->sized = true;
    }
    size_t n = len - *used;
    if (n > b->want - b->len)
        n = b->want - b->len;
    if (n == 0)
        return 0;
    if (!grow(b, b->len + n))
        return ERR_NOMEM;
    memcpy(b->buf + b->len, in + *used, n);
    b->len += n;
    *used += n;
    b->whole = b->len == b->want;
    return 0;
}

uint8_t *blob_out(const uint8_t *prefix, size_t prefix_len, const void *body, size_t len,
                  size_t *out_len) {
    size_t cap = prefix_len + varint_size(len) + len;
    uint8_t *buf = mem_alloc(cap);
    if (!buf)
        return NULL;
    struct wr w = wr_init(buf, cap);
    wr_bytes(&w, prefix, prefix_len);
    wr_varint(&w, len);
    wr_bytes(&w, body, len);
    *out_len = wr_len(&w);
    return buf;
}
