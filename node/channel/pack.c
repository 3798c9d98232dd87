#include "node/channel/pack.h"

#include <string.h>

#include "crypto/base/bytes.h"

struct scan {
    const uint8_t *p, *end;
    size_t objects; /* how many may still come */
};

static bool take(struct scan *s, size_t n) {
    if ((size_t)(s->end - s->p) < n)
        return false;
    s->p += n;
    return true;
}

/* A big-endian length of 1, 2 or 4 bytes (msgpack spec). */
static bool take_len(struct scan *s, unsigned bytes, size_t *out) {
    if ((size_t)(s->end - s->p) < bytes)
        return false;
    *out = 0;
    for (unsigned i = 0; i < bytes; i++)
        *out = *out << 8 | *s->p++;
    return true;
}

static bool skip_object(struct scan *s, unsigned depth);

static bool skip_many(struct scan *s, unsigned depth, size_t n, bool map) {
    if (depth == 0 || (map && n > PACK_KEYS_MAX))
        return false;
    if (map)
        n *= 2;
    /* Each object takes a byte at least, so a count is believed only as far as there are bytes. */
    if (n > s->objects || n > (size_t)(s->end - s->p))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!skip_object(s, depth - 1))
            return false;
    return true;
}

static bool skip_sized(struct scan *s, unsigned len_bytes, size_t extra) {
    size_t n;
    return take_len(s, len_bytes, &n) && take(s, n) && take(s, extra);
}

/* The formats 0xc0..0xdf, by their number in the msgpack spec. */
static bool skip_other(struct scan *s, unsigned depth, uint8_t b) {
    static const uint8_t fixed[32] = {
        [0x0a] = 4, [0x0b] = 8,                                     /* float */
        [0x0c] = 1, [0x0d] = 2, [0x0e] = 4, [0x0f] = 8,             /* uint */
        [0x10] = 1, [0x11] = 2, [0x12] = 4, [0x13] = 8,             /* int */
        [0x14] = 2, [0x15] = 3, [0x16] = 5, [0x17] = 9, [0x18] = 17 /* fixext */
    };
    size_t n;
    if (b == 0xc1)
        return false;
    if (b >= 0xc4 && b <= 0xc6) /* bin */
        return skip_sized(s, 1u << (b - 0xc4), 0);
    if (b >= 0xc7 && b <= 0xc9) /* ext: one more byte for the type */
        return skip_sized(s, 1u << (b - 0xc7), 1);
    if (b >= 0xd9 && b <= 0xdb) /* str */
        return skip_sized(s, 1u << (b - 0xd9), 0);
    if (b == 0xdc || b == 0xdd)
        return take_len(s, b == 0xdc ? 2 : 4, &n) && skip_many(s, depth, n, false);
    if (b == 0xde || b == 0xdf)
        return take_len(s, b == 0xde ? 2 : 4, &n) && skip_many(s, depth, n, true);
    return take(s, fixed[b & 0x1f]);
}

/* Recursion is bounded by `depth`, which the callers give as a small constant. */
static bool skip_object(struct scan *s, unsigned depth) {
    if (s->p == s->end || s->objects == 0)
        return false;
    s->objects--;
    uint8_t b = *s->p++;
    if (b < 0x80 || b >= 0xe0)
        return true; /* fixint */
    if (b < 0x90)
        return skip_many(s, depth, b & 0x0f, true);
    if (b < 0xa0)
        return skip_many(s, depth, b & 0x0f, false);
    if (b < 0xc0)
        return take(s, b & 0x1f);
    return skip_other(s, depth, b);
}

bool pack_scan(const uint8_t *in, size_t len, unsigned depth, size_t objects) {
    struct scan s = {in, in + len, objects};
    return skip_object(&s, depth) && s.p == s.end;
}

int pack_open(struct pack *p, const uint8_t *in, size_t len, unsigned depth, size_t objects) {
    if (!pack_scan(in, len, depth, objects))
        return ERR_PROTO;
    if (!msgpack_zone_init(&p->zone, len < 1024 ? 1024 : 32768))
        return ERR_NOMEM;
    size_t at = 0;
    msgpack_unpack_return r = msgpack_unpack((const char *)in, len, &at, &p->zone, &p->root);
    if (r == MSGPACK_UNPACK_SUCCESS)
        return 0;
    msgpack_zone_destroy(&p->zone);
    return r == MSGPACK_UNPACK_NOMEM_ERROR ? ERR_NOMEM : ERR_PROTO;
}

void pack_close(struct pack *p) {
    msgpack_zone_destroy(&p->zone);
}

bool pack_fields(const msgpack_object *map, const char *const *keys, unsigned nkeys,
                 const msgpack_object **out) {
    for (unsigned k = 0; k < nkeys; k++)
        out[k] = NULL;
    if (map->type != MSGPACK_OBJECT_MAP)
        return false;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *kv = &map->via.map.ptr[i];
        if (kv->key.type != MSGPACK_OBJECT_STR)
            return false;
        for (unsigned k = 0; k < nkeys; k++) {
            size_t n = strlen(keys[k]);
            if (kv->key.via.str.size != n || memcmp(kv->key.via.str.ptr, keys[k], n) != 0)
                continue;
            if (out[k])
                return false;
            out[k] = &kv->val;
        }
    }
    return true;
}

bool pack_uint(const msgpack_object *o, uint64_t max, uint64_t *out) {
    if (!o || o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > max)
        return false;
    *out = o->via.u64;
    return true;
}

bool pack_int(const msgpack_object *o, int64_t *out) {
    uint64_t u;
    if (pack_uint(o, INT64_MAX, &u)) {
        *out = (int64_t)u;
        return true;
    }
    if (!o || o->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return false;
    *out = o->via.i64;
    return true;
}

bool pack_str(const msgpack_object *o, const char **s, size_t *len) {
    if (!o || o->type != MSGPACK_OBJECT_STR)
        return false;
    *s = o->via.str.ptr;
    *len = o->via.str.size;
    return true;
}

/* ---- writing ---- */
void packer_init(struct packer *p) {
    msgpack_sbuffer_init(&p->buf);
    msgpack_packer_init(&p->pk, &p->buf, msgpack_sbuffer_write);
    p->failed = false;
}

void packer_clear(struct packer *p) {
    msgpack_sbuffer_destroy(&p->buf);
}

void packer_map(struct packer *p, size_t pairs) {
    p->failed |= msgpack_pack_map(&p->pk, pairs) != 0;
}

void packer_array(struct packer *p, size_t n) {
    p->failed |= msgpack_pack_array(&p->pk, n) != 0;
}

void packer_str(struct packer *p, const char *s, size_t len) {
    p->failed |= msgpack_pack_str_with_body(&p->pk, s, len) != 0;
}

void packer_key(struct packer *p, const char *key) {
    packer_str(p, key, strlen(key));
}

void packer_uint(struct packer *p, uint64_t v) {
    p->failed |= msgpack_pack_uint64(&p->pk, v) != 0;
}

void packer_int(struct packer *p, int64_t v) {
    p->failed |= msgpack_pack_int64(&p->pk, v) != 0;
}

void packer_true(struct packer *p) {
    p->failed |= msgpack_pack_true(&p->pk) != 0;
}

void packer_bin(struct packer *p, const void *b, size_t len) {
    p->failed |= msgpack_pack_bin_with_body(&p->pk, b, len) != 0;
}
