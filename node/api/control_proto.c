#include "node/api/control_proto.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"

enum {
    FEED_BYTES = 64 * 1024, /* taken at once, so that the buffer stays near the message limit */
};

/* ---- scanning ---- */

static uint16_t load_be16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}
static uint32_t load_be32(const uint8_t *p) {
    return (uint32_t)load_be16(p) << 16 | load_be16(p + 2);
}

struct head { /* of one value: its header, the bytes after it, the values after it */
    size_t header;
    uint64_t body, children;
};

/* Bytes of the length field that follows a type byte, and where it belongs. 0: none. */
static unsigned length_field(uint8_t t) {
    switch (t) {
    case 0xc4: /* bin 8 */
    case 0xd9: /* str 8 */
        return 1;
    case 0xc5: /* bin 16 */
    case 0xda: /* str 16 */
    case 0xdc: /* array 16 */
    case 0xde: /* map 16 */
        return 2;
    case 0xc6: /* bin 32 */
    case 0xdb: /* str 32 */
    case 0xdd: /* array 32 */
    case 0xdf: /* map 32 */
        return 4;
    default:
        return 0;
    }
}

/* 1: *h is filled. 0: the header is not complete. ERR_PROTO: a type that is not allowed. */
static int read_head(const uint8_t *p, size_t len, struct head *h) {
    uint8_t t = p[0];
    *h = (struct head){.header = 1};
    if (t <= 0x7f || t >= 0xe0 || t == 0xc0 || t == 0xc2 || t == 0xc3)
        return 1; /* small integers, nil, booleans */
    if (t <= 0x8f) {
        h->children = 2 * (t & 0x0fu);
        return 1;
    }
    if (t <= 0x9f) {
        h->children = t & 0x0fu;
        return 1;
    }
    if (t <= 0xbf) {
        h->body = t & 0x1fu;
        return 1;
    }
    if (t == 0xca || t == 0xcb) { /* floats */
        h->body = t == 0xca ? 4 : 8;
        return 1;
    }
    if (t >= 0xcc && t <= 0xd3) { /* uint 8..64, int 8..64 */
        h->body = UINT64_C(1) << (t & 3);
        return 1;
    }
    unsigned field = length_field(t);
    if (field == 0)
        return ERR_PROTO; /* 0xc1 and the extension types */
    h->header = 1 + (size_t)field;
    if (len < h->header)
        return 0;
    uint64_t n = field == 1 ? p[1] : field == 2 ? load_be16(p + 1) : load_be32(p + 1);
    if (t == 0xdc || t == 0xdd)
        h->children = n;
    else if (t == 0xde || t == 0xdf)
        h->children = 2 * n;
    else
        h->body = n;
    return 1;
}

/* Walks on over the first message. 1: it is complete and r->scan is its size. Asked again without
 * new bytes, it says the same. */
static int scan(struct proto_reader *r) {
    size_t len = r->len - r->start;
    while (r->depth > 0) {
        if (r->left[r->depth - 1] == 0) {
            r->depth--;
            continue;
        }
        if (r->scan >= len)
            return r->scan >= r->max ? ERR_FULL : 0;
        struct head h;
        int got = read_head(r->buf + r->start + r->scan, len - r->scan, &h);
        if (got < 0)
            return got;
        if (r->scan + h.header + h.body > r->max || r->items + h.children >= PROTO_ITEMS_MAX)
            return ERR_FULL;
        if (h.children > 0 && r->depth > PROTO_DEPTH_MAX)
            return ERR_FULL;
        if (got == 0 || len - r->scan < h.header + h.body)
            return 0;
        r->scan += h.header + (size_t)h.body;
        r->left[r->depth - 1]--;
        r->items++;
        if (h.children > 0)
            r->left[r->depth++] = h.children;
    }
    return 1;
}

static void scan_restart(struct proto_reader *r) {
    r->scan = 0;
    r->items = 0;
    r->depth = 1;
    r->left[0] = 1;
}

/* ---- reading ---- */

uint8_t *proto_grow(uint8_t *old, size_t used, size_t *cap, size_t more) {
    size_t n = *cap ? *cap : 1024;
    while (n - used < more)
        n *= 2;
    uint8_t *grown = malloc(n); /* not realloc: what it leaves behind is not wiped */
    if (!grown)
        return NULL;
    if (used > 0) {
        memcpy(grown, old, used);
        sodium_memzero(old, used);
    }
    free(old);
    *cap = n;
    return grown;
}

static void reader_give_back(struct proto_reader *r) {
    if (r->buf)
        sodium_memzero(r->buf, r->len);
    free(r->buf);
    r->buf = NULL;
    r->start = r->len = r->cap = 0;
}

void proto_reader_init(struct proto_reader *r, size_t max) {
    *r = (struct proto_reader){.max = max};
    scan_restart(r);
}

void proto_reader_clear(struct proto_reader *r) {
    reader_give_back(r);
    *r = (struct proto_reader){0};
}

long proto_reader_feed(struct proto_reader *r, const uint8_t *buf, size_t len) {
    if (len > FEED_BYTES)
        len = FEED_BYTES;
    if (len == 0)
        return 0;
    if (r->start > 0) {
        size_t rest = r->len - r->start;
        memmove(r->buf, r->buf + r->start, rest);
        sodium_memzero(r->buf + rest, r->start);
        r->len = rest;
        r->start = 0;
    }
    if (r->cap - r->len < len) {
        uint8_t *grown = proto_grow(r->buf, r->len, &r->cap, len);
        if (!grown)
            return ERR_NOMEM;
        r->buf = grown;
    }
    memcpy(r->buf + r->len, buf, len);
    r->len += len;
    return (long)len;
}

/* The id of a request whose rest is unusable: [0, id, ...] with any form of array header. */
static void peek_id(const uint8_t *p, size_t len, struct proto_msg *m) {
    struct head h;
    if (len == 0 || read_head(p, len, &h) != 1 || h.children == 0 || (p[0] & 0xf0) == 0x80)
        return;
    if (len < h.header + 2 || p[h.header] != PROTO_REQUEST)
        return;
    p += h.header + 1;
    len -= h.header + 1;
    if (p[0] <= 0x7f)
        m->id = p[0];
    else if (p[0] == 0xcc && len >= 2)
        m->id = p[1];
    else if (p[0] == 0xcd && len >= 3)
        m->id = load_be16(p + 1);
    else if (p[0] == 0xce && len >= 5)
        m->id = load_be32(p + 1);
    else
        return;
    m->has_id = true;
}

static bool take_method(const msgpack_object *o, char out[static PROTO_METHOD_MAX + 1]) {
    if (o->type != MSGPACK_OBJECT_STR || o->via.str.size > PROTO_METHOD_MAX)
        return false;
    if (o->via.str.size > 0)
        memcpy(out, o->via.str.ptr, o->via.str.size);
    out[o->via.str.size] = '\0';
    return strlen(out) == o->via.str.size;
}

static bool take_id(const msgpack_object *o, struct proto_msg *m) {
    if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > UINT32_MAX)
        return false;
    m->id = (uint32_t)o->via.u64;
    m->has_id = true;
    return true;
}

static bool interpret(const msgpack_object *o, struct proto_msg *m) {
    if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size < 3)
        return false;
    const msgpack_object *at = o->via.array.ptr;
    uint32_t count = o->via.array.size;
    if (at[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER || at[0].via.u64 > PROTO_NOTIFY)
        return false;
    m->kind = (enum proto_kind)at[0].via.u64;
    switch (m->kind) {
    case PROTO_REQUEST:
        if (!take_id(&at[1], m) || count != 4 || !take_method(&at[2], m->method))
            return false;
        m->params = at[3];
        return true;
    case PROTO_RESPONSE:
        if (count != 4 || !take_id(&at[1], m))
            return false;
        m->error = at[2];
        m->result = at[3];
        return true;
    case PROTO_NOTIFY:
        if (count != 3 || !take_method(&at[1], m->method))
            return false;
        m->params = at[2];
        return true;
    }
    return false;
}

/* Unpacks a complete message of `size` bytes at p, which m takes a copy of. */
static int unpack(const uint8_t *p, size_t size, struct proto_msg *m) {
    m->bytes = malloc(size);
    if (!m->bytes)
        return ERR_NOMEM;
    m->size = size;
    memcpy(m->bytes, p, size);
    msgpack_unpacked u;
    msgpack_unpacked_init(&u);
    size_t off = 0;
    msgpack_unpack_return ret = msgpack_unpack_next(&u, (const char *)m->bytes, size, &off);
    m->zone = msgpack_unpacked_release_zone(&u);
    if (ret == MSGPACK_UNPACK_NOMEM_ERROR)
        return ERR_NOMEM;
    if (ret != MSGPACK_UNPACK_SUCCESS || off != size)
        return ERR_PROTO;
    return interpret(&u.data, m) ? 1 : ERR_PROTO;
}

bool proto_reader_ready(struct proto_reader *r) {
    return scan(r) != 0;
}

void proto_reader_peek(const struct proto_reader *r, struct proto_msg *m) {
    if (r->len > r->start)
        peek_id(r->buf + r->start, r->len - r->start, m);
}

int proto_reader_next(struct proto_reader *r, struct proto_msg *m) {
    *m = (struct proto_msg){0};
    int got = scan(r);
    if (got == 0) {
        if (r->start == r->len && r->cap > 2 * FEED_BYTES) /* a large message is rare */
            reader_give_back(r);
        return 0;
    }
    if (got > 0) {
        size_t size = r->scan;
        got = unpack(r->buf + r->start, size, m);
        if (got > 0) {
            sodium_memzero(r->buf + r->start, size);
            r->start += size;
            scan_restart(r);
            return 1;
        }
    }
    if (!m->has_id)
        peek_id(r->buf + r->start, r->len - r->start, m);
    uint32_t id = m->id;
    bool has_id = m->has_id;
    proto_msg_clear(m);
    m->id = id;
    m->has_id = has_id;
    return got;
}

void proto_msg_clear(struct proto_msg *m) {
    if (m->zone)
        msgpack_zone_free(m->zone);
    if (m->bytes)
        sodium_memzero(m->bytes, m->size);
    free(m->bytes);
    *m = (struct proto_msg){0};
}

/* ---- looking into objects ---- */

bool proto_str_is(const msgpack_object *o, const char *s) {
    size_t len = strlen(s);
    return o && o->type == MSGPACK_OBJECT_STR && o->via.str.size == len &&
           memcmp(o->via.str.ptr, s, len) == 0;
}

const msgpack_object *proto_get(const msgpack_object *o, const char *key) {
    if (!o || o->type != MSGPACK_OBJECT_MAP)
        return NULL;
    for (uint32_t i = 0; i < o->via.map.size; i++)
        if (proto_str_is(&o->via.map.ptr[i].key, key))
            return &o->via.map.ptr[i].val;
    return NULL;
}

uint64_t proto_get_uint(const msgpack_object *o, const char *key, uint64_t fallback) {
    const msgpack_object *v = proto_get(o, key);
    return v && v->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? v->via.u64 : fallback;
}

bool proto_get_bool(const msgpack_object *o, const char *key) {
    const msgpack_object *v = proto_get(o, key);
    return v && v->type == MSGPACK_OBJECT_BOOLEAN && v->via.boolean;
}

const char *proto_get_str(const msgpack_object *o, const char *key, size_t *len) {
    const msgpack_object *v = proto_get(o, key);
    if (!v || v->type != MSGPACK_OBJECT_STR || v->via.str.size == 0) {
        *len = 0;
        return "";
    }
    *len = v->via.str.size;
    return v->via.str.ptr;
}

bool proto_copy_str(const msgpack_object *o, const char *key, char *out, size_t cap) {
    size_t len;
    const char *s = proto_get_str(o, key, &len);
    if (len > cap - 1)
        len = cap - 1;
    memcpy(out, s, len);
    out[len] = '\0';
    const msgpack_object *v = proto_get(o, key);
    return v && v->type == MSGPACK_OBJECT_STR;
}

const msgpack_object *proto_at(const msgpack_object *array, uint32_t i) {
    if (!array || array->type != MSGPACK_OBJECT_ARRAY || i >= array->via.array.size)
        return NULL;
    return &array->via.array.ptr[i];
}
