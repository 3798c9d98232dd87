#include "net/transport/dgram_queue.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"

enum {
    HEAD_BYTES = 8 + 2, /* deadline | length */
    RING_FIRST_BYTES = 2048,
    RING_MAX_BYTES = 1 << 18,
};

static_assert(DATAGRAM_QUEUE_MAX * (HEAD_BYTES + DATAGRAM_MAX_BYTES) <= RING_MAX_BYTES,
              "as many as may wait fit");

void dgram_queue_clear(struct dgram_queue *q) {
    mem_free(q->ring);
    *q = (struct dgram_queue){0};
}

/* How many bytes from `at` bytes behind the head on lie in one piece, n at most. */
static size_t piece(const struct dgram_queue *q, uint32_t at, size_t n, uint8_t **p) {
    const uint32_t from = (q->head + at) & (q->cap - 1);
    *p = q->ring + from;
    return n < q->cap - from ? n : q->cap - from;
}

static void copy_in(struct dgram_queue *q, const uint8_t *data, size_t len) {
    uint8_t *p;
    for (size_t n; len > 0; data += n, len -= n, q->used += (uint32_t)n) {
        n = piece(q, q->used, len, &p);
        memcpy(p, data, n);
    }
}

static void copy_out(const struct dgram_queue *q, uint32_t at, uint8_t *out, size_t len) {
    uint8_t *p;
    for (size_t n; len > 0; out += n, len -= n, at += (uint32_t)n) {
        n = piece(q, at, len, &p);
        memcpy(out, p, n);
    }
}

static bool grow(struct dgram_queue *q, size_t need) {
    uint32_t cap = q->cap ? q->cap : RING_FIRST_BYTES;
    while (cap < need)
        cap *= 2;
    if (cap == q->cap)
        return true;
    uint8_t *ring = mem_alloc(cap);
    if (!ring)
        return false;
    if (q->used > 0)
        copy_out(q, 0, ring, q->used);
    mem_free(q->ring);
    q->ring = ring;
    q->cap = cap;
    q->head = 0;
    return true;
}

int dgram_queue_push(struct dgram_queue *q, const void *data, size_t len, uint64_t deadline_us,
                     bool *dropped) {
    *dropped = false;
    if (len > DATAGRAM_MAX_BYTES)
        return ERR_USAGE;
    uint8_t head[HEAD_BYTES];
    store_le64(head, deadline_us);
    store_le16(head + 8, (uint16_t)len);
    if (q->count == DATAGRAM_QUEUE_MAX) {
        dgram_queue_drop(q);
        *dropped = true;
    }
    if (!grow(q, q->used + sizeof head + len))
        return ERR_NOMEM;
    copy_in(q, head, sizeof head);
    copy_in(q, data, len);
    q->count++;
    return 0;
}

bool dgram_queue_first(const struct dgram_queue *q, uint64_t *deadline_us, size_t *len) {
    uint8_t head[HEAD_BYTES];
    if (q->count == 0)
        return false;
    copy_out(q, 0, head, sizeof head);
    *deadline_us = load_le64(head);
    *len = load_le16(head + 8);
    return true;
}

void dgram_queue_write(struct dgram_queue *q, struct wr *w) {
    uint64_t deadline_us;
    size_t len;
    if (!dgram_queue_first(q, &deadline_us, &len))
        return;
    uint8_t *at = wr_room(w, len);
    if (at)
        copy_out(q, HEAD_BYTES, at, len);
    dgram_queue_drop(q);
}

void dgram_queue_drop(struct dgram_queue *q) {
    uint64_t deadline_us;
    size_t len;
    if (!dgram_queue_first(q, &deadline_us, &len))
        return;
    q->head = (q->head + HEAD_BYTES + (uint32_t)len) & (q->cap - 1);
    q->used -= HEAD_BYTES + (uint32_t)len;
    q->count--;
}
