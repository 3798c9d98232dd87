/* control_proto_write.c: the writing half of control_proto.h. */
#include "crypto/base/mem.h"
#include "node/api/rpc/control_proto.h"

#include <sodium.h>
#include <string.h>

static int append(void *ctx, const char *buf, size_t len) {
    struct proto_writer *w = ctx;
    if (!w->ok)
        return -1;
    struct buffer b = {.bytes = w->buf, .len = w->len, .cap = w->cap};
    w->ok = buffer_add(&b, buf, len, w->max);
    w->buf = b.bytes;
    w->len = b.len;
    w->cap = b.cap;
    return w->ok ? 0 : -1;
}

static msgpack_packer packer(struct proto_writer *w) {
    msgpack_packer pk;
    msgpack_packer_init(&pk, w, append);
    return pk;
}

void proto_writer_init(struct proto_writer *w, size_t max) {
    *w = (struct proto_writer){.max = max, .ok = true};
}

void proto_writer_clear(struct proto_writer *w) {
    proto_writer_reset(w);
    mem_free(w->buf);
    *w = (struct proto_writer){0};
}

void proto_writer_reset(struct proto_writer *w) {
    if (w->len > 0)
        sodium_memzero(w->buf, w->len);
    w->len = 0;
    w->ok = true;
    w->depth = 0;
}

static void raw_str(struct proto_writer *w, const char *s, size_t len) {
    msgpack_packer pk = packer(w);
    msgpack_pack_str(&pk, len);
    append(w, s, len);
}

/* Before every value: counts it where it goes, and writes its key. */
static msgpack_packer begin(struct proto_writer *w, const char *key) {
    if (w->depth > 0)
        w->open[w->depth - 1].items++;
    if (key)
        raw_str(w, key, strlen(key));
    return packer(w);
}

static void open_level(struct proto_writer *w, const char *key, const char *header) {
    begin(w, key);
    if (w->depth == PROTO_DEPTH_MAX) {
        w->ok = false;
        return;
    }
    w->open[w->depth].at = w->len;
    w->open[w->depth].items = 0;
    w->depth++;
    append(w, header, 5);
}

void proto_map(struct proto_writer *w, const char *key) {
    open_level(w, key, "\xdf\0\0\0\0");
}

void proto_array(struct proto_writer *w, const char *key) {
    open_level(w, key, "\xdd\0\0\0\0");
}

void proto_end(struct proto_writer *w) {
    if (!w->ok || w->depth == 0)
        return;
    w->depth--;
    uint32_t n = w->open[w->depth].items;
    uint8_t *p = w->buf + w->open[w->depth].at + 1;
    p[0] = (uint8_t)(n >> 24);
    p[1] = (uint8_t)(n >> 16);
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
}

void proto_strn(struct proto_writer *w, const char *key, const char *s, size_t len) {
    begin(w, key);
    raw_str(w, s, len);
}

void proto_str(struct proto_writer *w, const char *key, const char *s) {
    proto_strn(w, key, s, strlen(s));
}

void proto_uint(struct proto_writer *w, const char *key, uint64_t v) {
    msgpack_packer pk = begin(w, key);
    msgpack_pack_uint64(&pk, v);
}

void proto_bool(struct proto_writer *w, const char *key, bool v) {
    msgpack_packer pk = begin(w, key);
    if (v)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
}

void proto_nil(struct proto_writer *w, const char *key) {
    msgpack_packer pk = begin(w, key);
    msgpack_pack_nil(&pk);
}

static void write_limit(struct proto_writer *w, const struct cause *c) {
    if (c->limit == LIMIT_NONE) {
        proto_nil(w, "limit");
        return;
    }
    proto_map(w, "limit");
    proto_str(w, "name", limit_name(c->limit));
    if (c->max > 0)
        proto_uint(w, "max", c->max);
    else
        proto_nil(w, "max");
    if (limit_key(c->limit)[0])
        proto_str(w, "key", limit_key(c->limit));
    else
        proto_nil(w, "key");
    proto_end(w);
}

void proto_failure(struct proto_writer *w, const char *key, const struct failure *f) {
    char text[CAUSE_TEXT_MAX];
    cause_text(text, f->err, &f->cause);
    proto_map(w, key);
    proto_str(w, "code", err_name(f->err));
    proto_uint(w, "num", f->err < 0 ? (uint64_t)-f->err : 0);
    proto_str(w, "side", side_name(f->cause.side));
    proto_str(w, "text", f->text ? f->text : text);
    proto_str(w, "detail", f->detail ? f->detail : "");
    write_limit(w, &f->cause);
    proto_end(w);
}

void proto_err(struct proto_writer *w, const char *key, int err, const char *text,
               const char *detail) {
    const struct failure f = {err, cause_here(err), text, detail};
    proto_failure(w, key, &f);
}

void proto_request(struct proto_writer *w, uint32_t id, const char *method) {
    msgpack_packer pk = packer(w);
    msgpack_pack_array(&pk, 4);
    msgpack_pack_uint8(&pk, PROTO_REQUEST);
    msgpack_pack_uint32(&pk, id);
    raw_str(w, method, strlen(method));
}

void proto_response(struct proto_writer *w, uint32_t id) {
    msgpack_packer pk = packer(w);
    msgpack_pack_array(&pk, 4);
    msgpack_pack_uint8(&pk, PROTO_RESPONSE);
    msgpack_pack_uint32(&pk, id);
    msgpack_pack_nil(&pk);
}

void proto_notify(struct proto_writer *w, const char *method) {
    msgpack_packer pk = packer(w);
    msgpack_pack_array(&pk, 3);
    msgpack_pack_uint8(&pk, PROTO_NOTIFY);
    raw_str(w, method, strlen(method));
}

void proto_error_told(struct proto_writer *w, uint32_t id, const struct failure *f) {
    msgpack_packer pk = packer(w);
    msgpack_pack_array(&pk, 4);
    msgpack_pack_uint8(&pk, PROTO_RESPONSE);
    msgpack_pack_uint32(&pk, id);
    proto_failure(w, NULL, f);
    msgpack_pack_nil(&pk);
}

void proto_error(struct proto_writer *w, uint32_t id, int err, const char *text,
                 const char *detail) {
    const struct failure f = {err, cause_here(err), text, detail};
    proto_error_told(w, id, &f);
}
