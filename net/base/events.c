#include "net/base/events.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"

enum { EVENTS_FIRST = 16 };

static void free_bytes(const uint8_t *p) {
    union { /* the event shows its bytes as const; here is their owner */
        const uint8_t *in;
        uint8_t *out;
    } u = {.in = p};
    mem_free(u.out);
}

void events_clear(struct events *q) {
    for (uint32_t i = 0; i < q->count; i++)
        free_bytes(q->ring[(q->head + i) % q->cap].data);
    mem_free(q->lent);
    if (q->ring)
        sodium_memzero(q->ring, q->cap * sizeof *q->ring);
    mem_free(q->ring);
    *q = (struct events){0};
}

static bool grow(struct events *q) {
    uint32_t cap = q->cap ? q->cap * 2 : EVENTS_FIRST;
    if (cap > EVENTS_MAX)
        return false;
    struct ep_event *ring = mem_calloc(cap, sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < q->count; i++)
        ring[i] = q->ring[(q->head + i) % q->cap];
    if (q->ring)
        sodium_memzero(q->ring, q->cap * sizeof *q->ring);
    mem_free(q->ring);
    q->ring = ring;
    q->cap = cap;
    q->head = 0;
    return true;
}

/* The ring grows ahead of time, so that where it cannot there are still places for what is told
 * only once. */
static bool reserve(struct events *q) {
    return q->count + EVENTS_SPARE <= q->cap || grow(q);
}

bool events_init(struct events *q) {
    return reserve(q);
}

bool events_push(struct events *q, const struct ep_event *e) {
    if (!reserve(q) && q->count == q->cap) {
        q->dropped++;
        return false;
    }
    q->ring[(q->head + q->count) % q->cap] = *e;
    q->count++;
    q->records += e->kind == EP_RECORD;
    return true;
}

static uint32_t *count_of(struct told *of, enum ep_event_kind kind) {
    if (kind == EP_DATAGRAM || kind == EP_PONG)
        return &of->noise;
    if (kind == EP_RECORD)
        return &of->records;
    return kind >= EP_STREAM_OPENED && kind <= EP_STREAM_STOPPED ? &of->streams : NULL;
}

/* The rest is for what is told only once. */
static bool too_noisy(struct events *q, const struct told *of, enum ep_event_kind kind) {
    if (!reserve(q))
        return true;
    if (kind == EP_RECORD)
        return q->records >= EVENTS_RECORDS_MAX || q->count >= EVENTS_MAX - EVENTS_MAX / 4 ||
               of->records >= EVENTS_RECORDS_SESSION_MAX;
    return q->count >= EVENTS_MAX / 4 || of->noise >= EVENTS_NOISE_SESSION_MAX;
}

bool events_push_of(struct events *q, struct told *of, const struct ep_event *e) {
    uint32_t *count = count_of(of, e->kind);
    if (count && count != &of->streams && too_noisy(q, of, e->kind)) {
        q->dropped++;
        return false;
    }
    if (!events_push(q, e))
        return false;
    if (count)
        (*count)++;
    return true;
}

bool events_push_data(struct events *q, struct told *of, const struct ep_event *e) {
    struct ep_event copy = *e;
    uint8_t *data = too_noisy(q, of, e->kind) ? NULL : mem_alloc(e->len ? e->len : 1);
    if (!data) {
        q->dropped++;
        return false;
    }
    if (e->len > 0)
        memcpy(data, e->data, e->len);
    copy.data = data;
    if (events_push_of(q, of, &copy))
        return true;
    mem_free(data);
    return false;
}

bool events_room(struct events *q, const struct told *of) {
    if (!reserve(q))
        return false;
    if (of->streams < EVENTS_SESSION_SURE)
        return q->count < EVENTS_MAX - EVENTS_MAX / 16;
    return of->streams < EVENTS_SESSION_MAX && q->count < EVENTS_MAX - EVENTS_MAX / 4;
}

void events_heard(struct told *of, enum ep_event_kind kind) {
    uint32_t *count = count_of(of, kind);
    if (count && *count > 0)
        (*count)--;
}

bool events_pop(struct events *q, struct ep_event *out) {
    if (q->count == 0)
        return false;
    *out = q->ring[q->head];
    mem_free(q->lent);
    q->lent = NULL;
    if (out->data) {
        union {
            const uint8_t *in;
            uint8_t *out;
        } u = {.in = out->data};
        q->lent = u.out;
    }
    if (out->kind == EP_PAIRED)
        sodium_memzero(&q->ring[q->head], sizeof *q->ring);
    q->head = (q->head + 1) % q->cap;
    q->count--;
    q->records -= out->kind == EP_RECORD;
    return true;
}
