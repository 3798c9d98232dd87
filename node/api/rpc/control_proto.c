#include "node/api/rpc/control_proto.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/mem.h"

enum {
    FEED_BYTES = 64 * 1024, /* taken at once, so that the buffer stays near the message limit */
};

/* ---- reading ---- */

static int scan(struct proto_reader *r) {
    const struct scan_rules rules = {.bytes = r->max,
                                     .values = PROTO_ITEMS_MAX,
                                     .depth = PROTO_DEPTH_MAX,
                                     .pairs = PROTO_ITEMS_MAX};
    return scan_on(&r->scan, &rules, buffer_at(&r->in), buffer_size(&r->in));
}

void proto_reader_init(struct proto_reader *r, size_t max) {
    *r = (struct proto_reader){.max = max};
    scan_begin(&r->scan);
}

void proto_reader_clear(struct proto_reader *r) {
    buffer_clear(&r->in);
    *r = (struct proto_reader){0};
}

long proto_reader_feed(struct proto_reader *r, const uint8_t *buf, size_t len) {
    if (len > FEED_BYTES)
        len = FEED_BYTES;
    const size_t most = 2 * r->max + FEED_BYTES;
    if (buffer_size(&r->in) + len > most)
        return ERR_FULL;
    return buffer_add(&r->in, buf, len, most) ? (long)len : ERR_NOMEM;
}

/* The id of a request whose rest is unusable: [0, id, ...] with any form of array header. */
static void peek_id(const uint8_t *p, size_t len, struct proto_msg *m) {
    struct scan_head h;
    if (len == 0 || scan_head(p, len, &h) != 1 || h.kind != SCAN_ARRAY || h.children == 0)
        return;
    if (len < h.size + 2 || p[h.size] != PROTO_REQUEST)
        return;
    p += h.size + 1;
    len -= h.size + 1;
    if (scan_head(p, len, &h) != 1 || h.kind != SCAN_UINT || h.number > UINT32_MAX)
        return;
    m->id = (uint32_t)h.number;
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
    m->bytes = mem_alloc(size);
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
    peek_id(buffer_at(&r->in), buffer_size(&r->in), m);
}

int proto_reader_next(struct proto_reader *r, struct proto_msg *m) {
    *m = (struct proto_msg){0};
    int got = scan(r);
    if (got == 0) {
        if (buffer_size(&r->in) == 0 && r->in.cap > 2 * FEED_BYTES) /* a large message is rare */
            buffer_clear(&r->in);
        return 0;
    }
    if (got > 0) {
        const size_t size = r->scan.at;
        got = unpack(buffer_at(&r->in), size, m);
        if (got > 0) {
            buffer_take(&r->in, size);
            scan_begin(&r->scan);
            return 1;
        }
    }
    if (!m->has_id)
        peek_id(buffer_at(&r->in), buffer_size(&r->in), m);
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
    mem_free(m->bytes);
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
