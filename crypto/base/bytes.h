/* bytes.h: the only way bytes of a packet, record or file are read and written.
 *
 * A cursor over caller's memory with a sticky error: once a read or write would leave the
 * buffer, `ok` is false, every later call does nothing (reads give 0), and the caller checks
 * `ok` once at the end. Fixed integers are little-endian; varints are those of RFC 9000 §16
 * (1, 2, 4 or 8 bytes, big-endian, value < 2^62). Nothing here allocates.
 */
#ifndef MESHD_CRYPTO_BASE_BYTES_H
#define MESHD_CRYPTO_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VARINT_MAX ((UINT64_C(1) << 62) - 1)

static inline uint16_t load_le16(const uint8_t *p) {
    return (uint16_t)(p[0] | (uint16_t)p[1] << 8);
}
static inline uint32_t load_le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t load_le64(const uint8_t *p) {
    return (uint64_t)load_le32(p) | (uint64_t)load_le32(p + 4) << 32;
}
/* Big-endian: keys of the store, whose order as bytes is the order of the numbers. */
static inline uint64_t load_be64(const uint8_t *p) {
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}
static inline void store_be64(uint8_t *p, uint64_t v) {
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}
static inline void store_le16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
static inline void store_le32(uint8_t *p, uint32_t v) {
    store_le16(p, (uint16_t)v);
    store_le16(p + 2, (uint16_t)(v >> 16));
}
static inline void store_le64(uint8_t *p, uint64_t v) {
    store_le32(p, (uint32_t)v);
    store_le32(p + 4, (uint32_t)(v >> 32));
}

/* ---- reading ---- */
struct rd {
    const uint8_t *p;
    const uint8_t *end;
    bool ok;
};

static inline struct rd rd_init(const uint8_t *buf, size_t len) {
    return (struct rd){buf, buf + len, true};
}
static inline size_t rd_left(const struct rd *r) {
    return r->ok ? (size_t)(r->end - r->p) : 0;
}
/* `n` bytes in place, or NULL with the error set. */
static inline const uint8_t *rd_take(struct rd *r, size_t n) {
    if (!r->ok || (size_t)(r->end - r->p) < n) {
        r->ok = false;
        return NULL;
    }
    const uint8_t *at = r->p;
    r->p += n;
    return at;
}
static inline void rd_bytes(struct rd *r, uint8_t *out, size_t n) {
    const uint8_t *at = rd_take(r, n);
    if (at)
        memcpy(out, at, n);
    else
        memset(out, 0, n);
}
static inline uint8_t rd_u8(struct rd *r) {
    const uint8_t *at = rd_take(r, 1);
    return at ? *at : 0;
}
static inline uint16_t rd_u16(struct rd *r) {
    const uint8_t *at = rd_take(r, 2);
    return at ? load_le16(at) : 0;
}
static inline uint32_t rd_u32(struct rd *r) {
    const uint8_t *at = rd_take(r, 4);
    return at ? load_le32(at) : 0;
}
static inline uint64_t rd_u64(struct rd *r) {
    const uint8_t *at = rd_take(r, 8);
    return at ? load_le64(at) : 0;
}
static inline uint64_t rd_varint(struct rd *r) {
    if (!r->ok || r->p == r->end) {
        r->ok = false;
        return 0;
    }
    size_t n = (size_t)1 << (*r->p >> 6);
    const uint8_t *at = rd_take(r, n);
    if (!at)
        return 0;
    uint64_t v = at[0] & 0x3f;
    for (size_t i = 1; i < n; i++)
        v = v << 8 | at[i];
    return v;
}

/* ---- writing ---- */
struct wr {
    uint8_t *p;
    uint8_t *start;
    uint8_t *end;
    bool ok;
};

static inline struct wr wr_init(uint8_t *buf, size_t cap) {
    return (struct wr){buf, buf, buf + cap, true};
}
static inline size_t wr_len(const struct wr *w) {
    return (size_t)(w->p - w->start);
}
static inline size_t wr_left(const struct wr *w) {
    return w->ok ? (size_t)(w->end - w->p) : 0;
}
/* Room for `n` bytes that the caller fills, or NULL with the error set. */
static inline uint8_t *wr_room(struct wr *w, size_t n) {
    if (!w->ok || (size_t)(w->end - w->p) < n) {
        w->ok = false;
        return NULL;
    }
    uint8_t *at = w->p;
    w->p += n;
    return at;
}
static inline void wr_bytes(struct wr *w, const void *src, size_t n) {
    uint8_t *at = wr_room(w, n);
    if (at && n > 0)
        memcpy(at, src, n);
}
static inline void wr_zero(struct wr *w, size_t n) {
    uint8_t *at = wr_room(w, n);
    if (at)
        memset(at, 0, n);
}
static inline void wr_u8(struct wr *w, uint8_t v) {
    uint8_t *at = wr_room(w, 1);
    if (at)
        *at = v;
}
static inline void wr_u16(struct wr *w, uint16_t v) {
    uint8_t *at = wr_room(w, 2);
    if (at)
        store_le16(at, v);
}
static inline void wr_u32(struct wr *w, uint32_t v) {
    uint8_t *at = wr_room(w, 4);
    if (at)
        store_le32(at, v);
}
static inline void wr_u64(struct wr *w, uint64_t v) {
    uint8_t *at = wr_room(w, 8);
    if (at)
        store_le64(at, v);
}
/* Bytes that the varint form of `v` takes. */
static inline size_t varint_size(uint64_t v) {
    return v < 0x40 ? 1 : v < 0x4000 ? 2 : v < 0x40000000 ? 4 : 8;
}
static inline void wr_varint(struct wr *w, uint64_t v) {
    if (v > VARINT_MAX) {
        w->ok = false;
        return;
    }
    size_t n = varint_size(v);
    uint8_t *at = wr_room(w, n);
    if (!at)
        return;
    for (size_t i = n; i-- > 0; v >>= 8)
        at[i] = (uint8_t)v;
    at[0] |= (uint8_t)((n == 1 ? 0 : n == 2 ? 1 : n == 4 ? 2 : 3) << 6);
}

#endif
