#include "node/channel/pack.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "node/api/rpc/scan.h"

bool pack_scan(const uint8_t *in, size_t len, unsigned depth, size_t objects) {
    const struct scan_rules rules = {.bytes = len,
                                     .values = objects,
                                     .depth = depth,
                                     .pairs = PACK_KEYS_MAX,
                                     .extensions = true};
    struct scan s;
    scan_begin(&s);
    return scan_on(&s, &rules, in, len) == 1 && s.at == len;
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
static int append(void *ctx, const char *bytes, size_t n) {
    struct packer *p = ctx;
    if (!mem_grow(&p->buf.data, &p->buf.cap, p->buf.size + n, 1, UINT32_MAX))
        return -1;
    memcpy(p->buf.data + p->buf.size, bytes, n);
    p->buf.size += (uint32_t)n;
    return 0;
}

void packer_init(struct packer *p) {
    *p = (struct packer){0};
    msgpack_packer_init(&p->pk, p, append);
}

void packer_clear(struct packer *p) {
    mem_free(p->buf.data);
    *p = (struct packer){0};
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
