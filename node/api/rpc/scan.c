#include "node/api/rpc/scan.h"

#include <assert.h>

/* ---- one header ---- */

/* Of the formats in one byte. */
static void short_head(uint8_t b, struct scan_head *h) {
    if (b < 0x80) {
        h->kind = SCAN_UINT;
        h->number = b;
    } else if (b < 0x90) {
        h->kind = SCAN_MAP;
        h->children = 2 * (b & 0x0fu);
    } else if (b < 0xa0) {
        h->kind = SCAN_ARRAY;
        h->children = b & 0x0fu;
    } else if (b < 0xc0) {
        h->kind = SCAN_STR;
        h->body = b & 0x1fu;
    } else {
        h->kind = SCAN_NEGATIVE;
        h->number = (uint64_t)(int64_t)(int8_t)b;
    }
}

/* Of the formats 0xc0..0xdf: what they are, and the bytes after the first that say a length or a
 * value. */
static const struct {
    uint8_t kind, more;
} formats[32] = {
    [0x00] = {SCAN_OTHER, 0},    [0x02] = {SCAN_OTHER, 0}, /* nil, false */
    [0x03] = {SCAN_OTHER, 0},    [0x04] = {SCAN_BIN, 1},   /* true */
    [0x05] = {SCAN_BIN, 2},      [0x06] = {SCAN_BIN, 4},      [0x07] = {SCAN_EXT, 1},
    [0x08] = {SCAN_EXT, 2},      [0x09] = {SCAN_EXT, 4},      [0x0a] = {SCAN_OTHER, 4},
    [0x0b] = {SCAN_OTHER, 8},    [0x0c] = {SCAN_UINT, 1},     [0x0d] = {SCAN_UINT, 2},
    [0x0e] = {SCAN_UINT, 4},     [0x0f] = {SCAN_UINT, 8},     [0x10] = {SCAN_NEGATIVE, 1},
    [0x11] = {SCAN_NEGATIVE, 2}, [0x12] = {SCAN_NEGATIVE, 4}, [0x13] = {SCAN_NEGATIVE, 8},
    [0x14] = {SCAN_EXT, 0},      [0x15] = {SCAN_EXT, 0},      [0x16] = {SCAN_EXT, 0},
    [0x17] = {SCAN_EXT, 0},      [0x18] = {SCAN_EXT, 0},      [0x19] = {SCAN_STR, 1},
    [0x1a] = {SCAN_STR, 2},      [0x1b] = {SCAN_STR, 4},      [0x1c] = {SCAN_ARRAY, 2},
    [0x1d] = {SCAN_ARRAY, 4},    [0x1e] = {SCAN_MAP, 2},      [0x1f] = {SCAN_MAP, 4},
};

static void set_signed(struct scan_head *h, uint64_t n, unsigned bytes) {
    const uint64_t sign = UINT64_C(1) << (bytes * 8 - 1);
    h->kind = n & sign ? SCAN_NEGATIVE : SCAN_UINT;
    h->number = n & sign ? (n ^ sign) - sign : n;
}

/* n: the length or value that the header says. */
static void long_head(uint8_t b, uint64_t n, struct scan_head *h) {
    const bool fixed = b >= 0xd4 && b <= 0xd8;
    switch (h->kind) {
    case SCAN_UINT:
        h->number = n;
        break;
    case SCAN_NEGATIVE:
        set_signed(h, n, h->size - 1);
        break;
    case SCAN_STR:
    case SCAN_BIN:
        h->body = n;
        break;
    case SCAN_EXT: /* a byte for the type */
        h->body = 1 + (fixed ? UINT64_C(1) << (b - 0xd4) : n);
        break;
    case SCAN_ARRAY:
        h->children = n;
        break;
    case SCAN_MAP:
        h->children = 2 * n;
        break;
    case SCAN_OTHER:
        break;
    }
}

int scan_head(const uint8_t *p, size_t len, struct scan_head *h) {
    const uint8_t b = p[0];
    *h = (struct scan_head){.size = 1};
    if (b < 0xc0 || b >= 0xe0) {
        short_head(b, h);
        return 1;
    }
    if (b == 0xc1) /* never used */
        return ERR_PROTO;
    h->kind = (enum scan_kind)formats[b & 0x1f].kind;
    h->size = 1u + formats[b & 0x1f].more;
    if (len < h->size)
        return 0;
    uint64_t n = 0;
    for (unsigned i = 1; i < h->size; i++)
        n = n << 8 | p[i];
    long_head(b, n, h);
    return 1;
}

/* ---- a whole value ---- */

void scan_begin(struct scan *s) {
    *s = (struct scan){.depth = 1, .left = {1}};
}

static int against(const struct scan *s, const struct scan_rules *rules,
                   const struct scan_head *h) {
    if (h->kind == SCAN_EXT && !rules->extensions)
        return ERR_PROTO;
    const bool opens = h->kind == SCAN_ARRAY || h->kind == SCAN_MAP;
    if (s->at + h->size + h->body > rules->bytes || s->values + h->children >= rules->values ||
        (opens && s->depth > rules->depth) ||
        (h->kind == SCAN_MAP && h->children / 2 > rules->pairs))
        return ERR_FULL;
    return 0;
}

int scan_on(struct scan *s, const struct scan_rules *rules, const uint8_t *p, size_t len) {
    assert(rules->depth <= SCAN_DEPTH_MAX);
    while (s->depth > 0) {
        if (s->left[s->depth - 1] == 0) {
            s->depth--;
            continue;
        }
        if (s->at >= len)
            return s->at >= rules->bytes ? ERR_FULL : 0;
        struct scan_head h;
        const int got = scan_head(p + s->at, len - s->at, &h);
        const int err = got < 0 ? got : against(s, rules, &h);
        if (err)
            return err;
        if (got == 0 || len - s->at < h.size + h.body)
            return 0;
        s->at += h.size + (size_t)h.body;
        s->left[s->depth - 1]--;
        s->values++;
        if (h.children > 0)
            s->left[s->depth++] = h.children;
    }
    return 1;
}
