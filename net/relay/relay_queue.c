#include "net/relay/relay_queue.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"

enum { CHUNK_MIN_BYTES = 512 };

struct relay_chunk { /* a train, of which the first `at` bytes have left or were dropped */
    struct relay_chunk *next;
    uint64_t came_us;
    uint32_t len, at;
    uint16_t segment_bytes;
    uint8_t ecn, class;
    uint8_t data[];
};

static_assert(sizeof(struct relay_chunk) <= RELAY_CHUNK_HEAD_BYTES, "a chunk's head has room");
static_assert(RELAY_TRAIN_BYTES + RELAY_CHUNK_HEAD_BYTES == CHUNK_MIN_BYTES
                                                                << (RELAY_CHUNK_CLASSES - 1),
              "the largest train fills the largest chunk");
static_assert((int)RELAY_TRAIN_BYTES <= (int)TRAIN_MAX_BYTES, "what comes out is a train");

static uint32_t class_bytes(unsigned class) {
    return (uint32_t)CHUNK_MIN_BYTES << class;
}

void relay_queues_init(struct relay_queues *q, const struct relay_queue_bounds *b) {
    *q = (struct relay_queues){.bounds = *b};
}

void relay_queues_clear(struct relay_queues *q) {
    assert(q->bytes == 0);
    for (unsigned i = 0; i < RELAY_CHUNK_CLASSES; i++)
        for (struct relay_chunk *c; (c = q->free[i]) != NULL;) {
            q->free[i] = c->next;
            mem_free(c);
        }
    *q = (struct relay_queues){0};
}

/* ---- memory ---- */

static struct relay_chunk *chunk_new(struct relay_queues *q, unsigned class) {
    struct relay_chunk *c = q->free[class];
    if (c) {
        q->free[class] = c->next;
        q->kept_bytes -= class_bytes(class);
    } else {
        c = mem_alloc(class_bytes(class));
        if (!c)
            return NULL;
        q->memory_bytes += class_bytes(class);
    }
    q->bytes += class_bytes(class);
    c->class = (uint8_t) class;
    return c;
}

static void chunk_free(struct relay_queues *q, struct relay_chunk *c) {
    const uint32_t bytes = class_bytes(c->class);
    q->bytes -= bytes;
    if (q->kept_bytes + bytes <= RELAY_CHUNKS_KEPT_BYTES) {
        c->next = q->free[c->class];
        q->free[c->class] = c;
        q->kept_bytes += bytes;
        return;
    }
    q->memory_bytes -= bytes;
    mem_free(c);
}

static void first_gone(struct relay_queues *q, struct relay_fifo *f) {
    struct relay_chunk *c = f->first;
    f->first = c->next;
    if (!f->first)
        f->last = NULL;
    f->bytes -= class_bytes(c->class);
    chunk_free(q, c);
}

/* ---- what is dropped ---- */

static uint64_t datagrams_in(const struct relay_chunk *c) {
    return (c->len - c->at + c->segment_bytes - 1u) / c->segment_bytes;
}

static uint64_t waited_us(const struct relay_chunk *c, uint64_t now_us) {
    return now_us > c->came_us ? now_us - c->came_us : 0;
}

static void note_wait(struct relay_queues *q, uint64_t us) {
    q->wait_us += us;
    q->wait_n++;
}

static void drop_late(struct relay_queues *q, struct relay_fifo *f, uint64_t now_us) {
    while (f->first && waited_us(f->first, now_us) > q->bounds.late_us) {
        q->late += datagrams_in(f->first);
        note_wait(q, q->bounds.late_us);
        first_gone(q, f);
    }
}

static void drop_one(struct relay_queues *q, struct relay_fifo *f) {
    struct relay_chunk *c = f->first;
    q->late++;
    c->at += c->segment_bytes;
    if (c->at >= c->len)
        first_gone(q, f);
}

static uint32_t root(uint32_t n) { /* the largest r with r * r <= n */
    uint32_t r = 0;
    for (uint32_t bit = 1u << 15; bit > 0; bit >>= 1)
        if ((uint64_t)(r + bit) * (r + bit) <= n)
            r += bit;
    return r;
}

/* RFC 8289 §3.1: interval / sqrt(count). */
static uint64_t control_law(uint64_t from_us, uint16_t count) {
    enum { FIXED = 256 }; /* of the root, twice as many bits below it */
    return from_us +
           (uint64_t)RELAY_CODEL_INTERVAL_US * FIXED / root((uint32_t)count * FIXED * FIXED);
}

/* Everything has waited longer than the target for an interval. Not if one datagram is all. */
static bool stands(struct relay_fifo *f, uint64_t now_us) {
    const struct relay_chunk *c = f->first;
    if (!c || waited_us(c, now_us) < RELAY_CODEL_TARGET_US ||
        (!c->next && c->len - c->at <= c->segment_bytes)) {
        f->above_us = 0;
        return false;
    }
    if (f->above_us == 0)
        f->above_us = now_us + RELAY_CODEL_INTERVAL_US;
    return now_us >= f->above_us;
}

/* RFC 8289 §5.6, the dequeue routine. */
static void codel(struct relay_queues *q, struct relay_fifo *f, uint64_t now_us) {
    bool drop = stands(f, now_us);
    if (!f->dropping) {
        if (!drop)
            return;
        drop_one(q, f);
        (void)stands(f, now_us);
        f->dropping = true;
        const uint16_t since = (uint16_t)(f->drops - f->drops_last);
        const bool again = since > 1 && now_us < f->drop_next_us + 16 * RELAY_CODEL_INTERVAL_US;
        f->drops = again ? since : 1;
        f->drop_next_us = control_law(now_us, f->drops);
        f->drops_last = f->drops;
        return;
    }
    while (drop && now_us >= f->drop_next_us) {
        drop_one(q, f);
        if (f->drops < UINT16_MAX)
            f->drops++;
        drop = stands(f, now_us);
        f->drop_next_us = control_law(f->drop_next_us, f->drops);
    }
    f->dropping = drop;
}

/* ---- whose turn it is ---- */

static struct list *list_of(struct relay_queues *q, const struct relay_fifo *f) {
    return f->aside ? &q->aside[f->socket] : &q->turn;
}

static void join(struct relay_queues *q, struct relay_fifo *f) {
    list_add(&q->turn, &f->link);
    q->active++;
}

/* What it may send in its turn, so that all have had theirs within round_bytes. */
static uint32_t quantum(const struct relay_queues *q) {
    const uint64_t bytes = q->bounds.round_bytes / (q->active ? q->active : 1);
    return bytes < RELAY_QUANTUM_MIN_BYTES ? RELAY_QUANTUM_MIN_BYTES
           : bytes > RELAY_TRAIN_BYTES     ? RELAY_TRAIN_BYTES
                                           : (uint32_t)bytes;
}

static void leave(struct relay_queues *q, struct relay_fifo *f) {
    if (!f->aside && list_has(&f->link))
        q->active--;
    list_remove(list_of(q, f), &f->link);
    if (f->aside && !q->aside[f->socket].first)
        q->aside_mask &= ~(1u << f->socket);
    f->aside = false;
    if (!f->first) { /* RFC 8289: nothing is above the target any more */
        f->above_us = 0;
        f->dropping = false;
    }
}

static void set_aside(struct relay_queues *q, struct relay_fifo *f) {
    leave(q, f);
    f->aside = true;
    list_add(&q->aside[f->socket], &f->link);
    q->aside_mask |= 1u << f->socket;
}

static void take_back(struct relay_queues *q, uint32_t sockets) {
    for (int i = 0; sockets != 0; i++, sockets >>= 1)
        while ((sockets & 1) != 0 && q->aside[i].first) {
            struct relay_fifo *f = LIST_OWNER(q->aside[i].first, struct relay_fifo, link);
            leave(q, f);
            join(q, f);
        }
}

void relay_queue_drop(struct relay_queues *q, struct relay_fifo *f) {
    leave(q, f);
    while (f->first)
        first_gone(q, f);
    *f = (struct relay_fifo){.socket = f->socket};
}

void relay_queue_moved(struct relay_queues *q, struct relay_fifo *f, int socket) {
    assert(socket < LOCAL_SOCKETS_MAX);
    if (f->aside) {
        leave(q, f);
        join(q, f);
    }
    f->socket = (int8_t)socket;
}

/* ---- in and out ---- */

/* The last part of what there is for all is for those that have little. */
static bool may_hold(const struct relay_queues *q, const struct relay_fifo *f, uint32_t bytes) {
    const uint64_t all = q->bounds.bytes, reserve = all / RELAY_RESERVE_PART;
    const uint64_t holds = (uint64_t)f->bytes + bytes, taken = (uint64_t)q->bytes + bytes;
    if (holds > q->bounds.bytes_per_fifo || taken > all)
        return false;
    if (holds <= RELAY_SURE_BYTES)
        return true;
    return taken <= all - reserve && holds <= 2 * (all - reserve - q->bytes);
}

uint8_t *relay_queue_push(struct relay_queues *q, struct relay_fifo *f, uint64_t now_us, size_t len,
                          uint16_t segment_bytes, uint8_t ecn) {
    assert(len > 0 && len <= RELAY_TRAIN_BYTES && segment_bytes > 0 &&
           len <= (size_t)segment_bytes * TRAIN_MAX_SEGMENTS);
    unsigned class = 0;
    while (class_bytes(class) < len + sizeof(struct relay_chunk))
        class ++;
    const uint32_t bytes = class_bytes(class);
    if (f->aside) /* others are dropped when they leave */
        drop_late(q, f, now_us);
    struct relay_chunk *c = may_hold(q, f, bytes) ? chunk_new(q, class) : NULL;
    if (!c) {
        q->full += (len + segment_bytes - 1u) / segment_bytes;
        return NULL;
    }
    c->next = NULL;
    c->came_us = now_us;
    c->len = (uint32_t)len;
    c->at = 0;
    c->segment_bytes = segment_bytes;
    c->ecn = ecn;
    f->bytes += bytes;
    if (f->last)
        f->last->next = c;
    else
        f->first = c;
    f->last = c;
    if (!list_has(&f->link)) {
        join(q, f);
        f->deficit_bytes = quantum(q);
    }
    return c->data;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Datagrams of its head, as far as they make one train with each other and the deficit goes. */
static void gather(struct relay_queues *q, struct relay_fifo *f, uint64_t now_us, uint8_t *buf,
                   struct relay_pulled *out) {
    const size_t segment = f->first->segment_bytes;
    const uint8_t ecn = f->first->ecn;
    size_t room =
        smaller(smaller(f->deficit_bytes, RELAY_TRAIN_BYTES), segment * TRAIN_MAX_SEGMENTS);
    size_t len = 0;
    for (struct relay_chunk *c; (c = f->first) != NULL;) {
        const size_t left = c->len - c->at;
        const size_t n = left <= room ? left : room / segment * segment;
        if (n == 0 || c->segment_bytes != segment || c->ecn != ecn ||
            waited_us(c, now_us) > q->bounds.late_us)
            break;
        memcpy(buf + len, c->data + c->at, n);
        len += n;
        room -= n;
        c->at += (uint32_t)n;
        if (c->at < c->len)
            break;
        note_wait(q, waited_us(c, now_us));
        first_gone(q, f);
        if (n % segment != 0)
            break; /* a shorter one is the last */
    }
    f->deficit_bytes -= (uint32_t)len;
    *out = (struct relay_pulled){f, len, (uint16_t)segment, ecn};
}

static size_t head_bytes(const struct relay_fifo *f) {
    return smaller(f->first->segment_bytes, f->first->len - f->first->at);
}

bool relay_queue_pull(struct relay_queues *q, uint64_t now_us, uint32_t full, uint8_t *buf,
                      struct relay_pulled *out) {
    if ((q->aside_mask & ~full) != 0)
        take_back(q, q->aside_mask & ~full);
    while (q->turn.first) {
        struct relay_fifo *f = LIST_OWNER(q->turn.first, struct relay_fifo, link);
        if (f->socket >= 0 && (full >> f->socket & 1) != 0) {
            set_aside(q, f);
            continue;
        }
        drop_late(q, f, now_us);
        if (f->first)
            codel(q, f, now_us);
        if (!f->first) {
            leave(q, f);
            continue;
        }
        if (head_bytes(f) > f->deficit_bytes) {
            f->deficit_bytes += quantum(q);
            list_turn(&q->turn);
            continue;
        }
        gather(q, f, now_us, buf, out);
        if (!f->first)
            leave(q, f);
        return true;
    }
    return false;
}
