#include "node/channel/reply.h"

#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint.h"
#include "node/base/turn.h"
#include "node/channel/pack.h"

int reply_encode(const struct reply *r, uint8_t out[static REPLY_MAX_BYTES], size_t *len) {
    struct packer p;
    packer_init(&p);
    if (r->err == 0) {
        packer_map(&p, r->has_files ? 2 : 1);
        packer_key(&p, "ok");
        packer_true(&p);
        if (r->has_files) {
            packer_key(&p, "files");
            packer_uint(&p, r->files);
        }
    } else {
        size_t n = strlen(r->file);
        packer_map(&p, 1u + (n > 0) + 2u * (r->limit != LIMIT_NONE));
        packer_key(&p, "err");
        packer_uint(&p, (uint64_t)-r->err);
        if (n) {
            packer_key(&p, "file");
            packer_str(&p, r->file, n);
        }
        if (r->limit != LIMIT_NONE) {
            packer_key(&p, "limit");
            packer_uint(&p, (uint64_t)r->limit);
            packer_key(&p, "max");
            packer_uint(&p, r->max);
        }
    }
    struct wr w = wr_init(out, REPLY_MAX_BYTES);
    if (!p.failed) {
        wr_varint(&w, p.buf.size);
        wr_bytes(&w, p.buf.data, p.buf.size);
    }
    *len = wr_len(&w);
    bool good = !p.failed && w.ok;
    packer_clear(&p);
    return good ? 0 : ERR_NOMEM;
}

static bool from_map(struct reply *r, const msgpack_object *map) {
    static const char *const keys[] = {"ok", "err", "files", "file", "limit", "max"};
    const msgpack_object *f[6];
    uint64_t v;
    const char *s;
    size_t n;
    if (!pack_fields(map, keys, 6, f) || (f[0] != NULL) == (f[1] != NULL))
        return false;
    if (f[0] && (f[0]->type != MSGPACK_OBJECT_BOOLEAN || !f[0]->via.boolean))
        return false;
    if (f[1]) {
        if (!pack_uint(f[1], UINT32_MAX, &v) || v == 0)
            return false;
        r->err = err_from_wire(v);
    }
    if (f[2]) {
        if (!pack_uint(f[2], UINT32_MAX, &v))
            return false;
        r->has_files = true;
        r->files = (uint32_t)v;
    }
    if (f[3]) {
        if (!pack_str(f[3], &s, &n) || n > REPLY_FILE_MAX || memchr(s, 0, n))
            return false;
        memcpy(r->file, s, n);
    }
    if (f[4]) {
        if (!pack_uint(f[4], UINT32_MAX, &v))
            return false;
        r->limit = limit_from_wire(v);
    }
    if (f[5] && !pack_uint(f[5], UINT64_MAX, &r->max))
        return false;
    return true;
}

int reply_decode(struct reply *r, const uint8_t *in, size_t len) {
    memset(r, 0, sizeof *r);
    struct pack p;
    int err = pack_open(&p, in, len, 3, 64);
    if (err)
        return err;
    if (!from_map(r, &p.root))
        err = ERR_PROTO;
    pack_close(&p);
    return err;
}

/* ---- from a stream ---- */
void reply_in_init(struct reply_in *in, struct session_ref s, uint64_t stream) {
    in->session = s;
    in->stream = stream;
    blob_in_init(&in->blob, REPLY_MAX_BYTES);
}

void reply_in_clear(struct reply_in *in) {
    blob_in_clear(&in->blob);
}

int reply_in_next(struct reply_in *in, struct turn *turn, struct reply *r) {
    while (!in->blob.whole) {
        struct span sp;
        bool fin = false;
        size_t used = 0;
        if (stream_peek(turn->ep, in->session, in->stream, 0, &sp, 1, &fin) == 0)
            return fin ? ERR_CLOSED : ERR_AGAIN;
        const int err = blob_in_feed(&in->blob, sp.block->data + sp.offset, sp.len, &used);
        stream_consume(turn->ep, turn->now_us, in->session, in->stream, used);
        if (err)
            return err;
    }
    const int err = reply_decode(r, in->blob.buf, in->blob.len);
    blob_in_clear(&in->blob);
    return err;
}
