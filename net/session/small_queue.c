#include "net/session/small_queue.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"
#include "net/wire/packet.h"

static const unsigned bounds[SMALL_CLASSES] = {
    [SMALL_SESSION] = SMALL_SESSION_MAX,
    [SMALL_ATTEMPT] = SMALL_ATTEMPT_MAX,
    [SMALL_ANSWER] = SMALL_ANSWER_MAX,
    [SMALL_RETRY] = SMALL_RETRY_MAX,
};

enum small_class small_class_of(const uint8_t *data) {
    switch (data[0]) {
    case PACKET_INITIATION:
        return SMALL_ATTEMPT;
    case PACKET_RESPONSE:
        return SMALL_ANSWER;
    case PACKET_RETRY:
        return SMALL_RETRY;
    default:
        return SMALL_SESSION;
    }
}

bool small_push(struct small_queue *q, const struct small_packet *head, const uint8_t *data,
                size_t len) {
    const enum small_class class = small_class_of(data);
    struct small_list *l = &q->lists[class];
    struct small_packet *p = l->count < bounds[class] ? mem_alloc(sizeof *p + len) : NULL;
    if (!p)
        return false;
    *p = *head;
    p->next = NULL;
    p->len = len;
    memcpy(p->data, data, len);
    if (l->tail)
        l->tail->next = p;
    else
        l->head = p;
    l->tail = p;
    l->count++;
    return true;
}

struct small_packet *small_pop(struct small_queue *q, const struct train *t) {
    for (unsigned i = 0; i < SMALL_CLASSES; i++) {
        struct small_list *l = &q->lists[q->turn];
        q->turn = (q->turn + 1) % SMALL_CLASSES;
        struct small_packet *before = NULL, *p = l->head;
        for (; p && t && train_is_unwanted(t, &p->to); p = p->next)
            before = p;
        if (!p)
            continue;
        *(before ? &before->next : &l->head) = p->next;
        if (!p->next)
            l->tail = before;
        l->count--;
        return p;
    }
    return NULL;
}

void small_clear(struct small_queue *q) {
    for (struct small_packet *p; (p = small_pop(q, NULL));)
        mem_free(p);
}
