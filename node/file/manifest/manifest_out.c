#include "node/file/manifest/manifest_out.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/tree/treehash.h"
#include "node/channel/channel.h"
#include "node/disk/file_op.h"

enum {
    HEAD_MAX_BYTES = 1 + 8 + 32,                                  /* channel, length, first pairs */
    FILE_MAX_BYTES = 1 + 4 * 2 + 3 + FILE_NAME_MAX_BYTES + 9 * 3, /* a file's map */
};

/* ---- msgpack, the shortest form of each value ---- */
static void put_be(struct wr *w, uint64_t v, unsigned bytes) {
    while (bytes-- > 0)
        wr_u8(w, (uint8_t)(v >> bytes * 8));
}

static void put_uint(struct wr *w, uint64_t v) {
    if (v < 0x80) {
        wr_u8(w, (uint8_t)v);
        return;
    }
    const unsigned log = v <= UINT8_MAX ? 0 : v <= UINT16_MAX ? 1 : v <= UINT32_MAX ? 2 : 3;
    wr_u8(w, (uint8_t)(0xcc + log));
    put_be(w, v, 1u << log);
}

static void put_int(struct wr *w, int64_t v) {
    if (v >= 0) {
        put_uint(w, (uint64_t)v);
    } else if (v >= -32) {
        wr_u8(w, (uint8_t)v);
    } else {
        const unsigned log = v >= INT8_MIN ? 0 : v >= INT16_MIN ? 1 : v >= INT32_MIN ? 2 : 3;
        wr_u8(w, (uint8_t)(0xd0 + log));
        put_be(w, (uint64_t)v, 1u << log);
    }
}

static void put_str(struct wr *w, const char *s) {
    const size_t len = strlen(s);
    assert(len <= FILE_NAME_MAX_BYTES);
    if (len < 32) {
        wr_u8(w, (uint8_t)(0xa0 | len));
    } else {
        wr_u8(w, 0xd9);
        wr_u8(w, (uint8_t)len);
    }
    wr_bytes(w, s, len);
}

static void put_head(struct wr *w, uint32_t count) {
    wr_u8(w, 0x80 | 3);
    put_str(w, "v");
    put_uint(w, 1);
    put_str(w, "alg");
    put_uint(w, TREEHASH_ALG);
    put_str(w, "files");
    if (count < 16) {
        wr_u8(w, (uint8_t)(0x90 | count));
    } else {
        wr_u8(w, count <= UINT16_MAX ? 0xdc : 0xdd);
        put_be(w, count, count <= UINT16_MAX ? 2 : 4);
    }
}

static void put_file(struct wr *w, const struct manifest_file *f) {
    wr_u8(w, 0x80 | 4);
    put_str(w, "n");
    put_str(w, f->name);
    put_str(w, "s");
    put_uint(w, f->size);
    put_str(w, "m");
    put_uint(w, f->mode);
    put_str(w, "t");
    put_int(w, f->mtime_s);
}

size_t manifest_head_bytes(uint32_t count) {
    uint8_t buf[HEAD_MAX_BYTES];
    struct wr w = wr_init(buf, sizeof buf);
    put_head(&w, count);
    return wr_len(&w);
}

size_t manifest_file_bytes(const struct manifest_file *f) {
    uint8_t buf[FILE_MAX_BYTES];
    struct wr w = wr_init(buf, sizeof buf);
    put_file(&w, f);
    assert(w.ok);
    return wr_len(&w);
}

/* ---- pieces ---- */
size_t manifest_out_next(struct manifest_out *out, const struct manifest *m, uint64_t body,
                         const uint8_t **p) {
    if (out->at == out->len) {
        struct wr w = wr_init(out->piece, sizeof out->piece);
        if (!out->begun) {
            wr_varint(&w, CHANNEL_FILE);
            wr_varint(&w, body);
            put_head(&w, m->count);
        }
        out->begun = true;
        while (out->next < m->count && sizeof out->piece - wr_len(&w) >= FILE_MAX_BYTES)
            put_file(&w, &m->files[out->next++]);
        assert(w.ok);
        out->at = 0;
        out->len = wr_len(&w);
    }
    *p = out->piece + out->at;
    return out->len - out->at;
}

void manifest_out_gone(struct manifest_out *out, size_t len) {
    assert(len <= out->len - out->at);
    out->at += len;
}
