#include "net/session/small_queue.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"
#include "net/wire/packet.h"

static const unsigned bounds[SMALL_CLASSES] = {
    [SMALL_SESSION] = SMALL_SESSION_MAX, [SMALL_ATTEMPT] = SMALL_ATTEMPT_MAX,
    [SMALL_ANSWER] = SMALL_ANSWER_MAX,   [SMALL_RETRY] = SMALL_RETRY_MAX,
    [SMALL_RECORD] = SMALL_RECORD_MAX,
};

enum small_class small_class_of(const uint8_t *data) {
    switch (data[0]) {
    case PACKET_INITIATION:
    case PACKET_KEY_ASK:
        return SMALL_ATTEMPT;
    case PACKET_RESPONSE:
        return SMALL_ANSWER;
    case PACKET_RETRY:
    case PACKET_KEY_TOLD: /* to anybody, too */
        return SMALL_RETRY;
    default:
        return SMALL_SESSION;
    }
}

static void append(struct small_list *l, struct small_packet *p) {
    p->next = NULL;
    if (l->tail)
        l->tail->next = p;
    else
        l->head = p;
    l->tail = p;
    l->count++;
}

static struct small_packet *take(struct small_list *l) {
    struct small_packet *p = l->head;
    if (!p)
        return NULL;
    l->head = p->next;
    if (!l->head)
        l->tail = NULL;
    l->count--;
    return p;
}

static bool has_room(const struct small_queue *q, const struct small_packet *p) {
    const int socket = hop_socket(&p->to);
    return q->lists[p->class].count < bounds[p->class] &&
           (socket < 0 || !q->parked ||
            q->parked->lists[p->class][socket].count < bounds[p->class] / 2);
}

bool small_push(struct small_queue *q, const struct small_packet *head, const uint8_t *data,
                size_t len) {
    struct small_packet *p = has_room(q, head) ? mem_alloc(sizeof *p + len) : NULL;
    if (!p) {
        q->dropped[head->class]++;
        return false;
    }
    *p = *head;
    p->len = len;
    memcpy(p->data, data, len);
    append(&q->lists[p->class], p);
    q->held++;
    return true;
}

/* The oldest of those whose socket was full and is not any more. */
static struct small_packet *take_parked(struct small_parked *parked, enum small_class class,
                                        uint32_t full) {
    const uint32_t at = parked ? parked->at[class] & ~full : 0;
    unsigned socket = 0;
    if (at == 0)
        return NULL;
    while ((at >> socket & 1) == 0)
        socket++;
    struct small_list *l = &parked->lists[class][socket];
    struct small_packet *p = take(l);
    if (!l->head)
        parked->at[class] &= ~(UINT32_C(1) << socket);
    return p;
}

/* False: no memory. */
static bool may_park(struct small_queue *q) {
    if (!q->parked)
        q->parked = mem_calloc(1, sizeof *q->parked);
    return q->parked != NULL;
}

static void park(struct small_queue *q, struct small_packet *p, int socket) {
    append(&q->parked->lists[p->class][socket], p);
    q->parked->at[p->class] |= UINT32_C(1) << socket;
}

bool small_wait(struct small_queue *q, struct small_packet *p, int socket) {
    if (!may_park(q) || q->parked->lists[p->class][socket].count >= bounds[p->class] / 2) {
        q->dropped[p->class]++;
        return false;
    }
    park(q, p, socket);
    q->held++;
    return true;
}

static struct small_packet *next_of(struct small_queue *q, enum small_class class,
                                    const struct train *t) {
    struct small_list *l = &q->lists[class];
    struct small_packet *p = take_parked(q->parked, class, t ? t->full : 0);
    if (p)
        return p;
    while ((p = l->head) && t && train_is_unwanted(t, &p->to)) {
        if (!may_park(q))
            return NULL; /* it stays where it is */
        (void)take(l);
        park(q, p, hop_socket(&p->to));
    }
    return take(l);
}

static struct small_packet *pop_of(struct small_queue *q, enum small_class class,
                                   const struct train *t) {
    struct small_packet *p = next_of(q, class, t);
    q->held -= p != NULL;
    return p;
}

struct small_packet *small_pop(struct small_queue *q, const struct train *t) {
    for (unsigned i = 0; i < SMALL_URGENT; i++) {
        const enum small_class class = (enum small_class)q->turn;
        q->turn = (q->turn + 1) % SMALL_URGENT;
        struct small_packet *p = pop_of(q, class, t);
        if (p)
            return p;
    }
    return NULL;
}

struct small_packet *small_pop_record(struct small_queue *q, const struct train *t) {
    return pop_of(q, SMALL_RECORD, t);
}

void small_clear(struct small_queue *q) {
    for (struct small_packet *p; (p = small_pop(q, NULL)) || (p = small_pop_record(q, NULL));)
        mem_free(p);
    mem_free(q->parked);
    q->parked = NULL;
}
