#include "node/base/event_queue.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"

enum { NEWS_FIRST = 4, NEWS_KEEP = 16 }; /* a larger ring is given back once it is empty */

void news_clear(struct news *q) {
    mem_free(q->ring);
    memset(q, 0, sizeof *q);
}

static bool grow(struct news *q) {
    uint32_t cap = q->cap ? q->cap * 2 : NEWS_FIRST;
    if (cap > EVENTS_MAX)
        return false;
    struct node_event *ring = mem_alloc(cap * sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < q->count; i++)
        ring[i] = q->ring[(q->first + i) % q->cap];
    mem_free(q->ring);
    q->ring = ring;
    q->cap = cap;
    q->first = 0;
    return true;
}

struct node_event *news_add(struct news *q, enum node_event_kind kind, uint64_t now_us,
                            const char *contact) {
    struct node_event *e = &q->spare;
    if (q->count == q->cap && !grow(q)) {
        q->dropped++;
        if (q->cap) {
            q->first = (q->first + 1) % q->cap;
            q->count--;
        }
    }
    if (q->count < q->cap)
        e = &q->ring[(q->first + q->count++) % q->cap];
    memset(e, 0, sizeof *e);
    e->kind = kind;
    e->now_us = now_us;
    if (contact)
        memcpy(e->contact, contact, strnlen(contact, sizeof e->contact - 1));
    return e;
}

bool news_take(struct news *q, struct node_event *out) {
    if (q->count == 0)
        return false;
    *out = q->ring[q->first];
    q->first = (q->first + 1) % q->cap;
    if (--q->count == 0 && q->cap > NEWS_KEEP) {
        mem_free(q->ring);
        q->ring = NULL;
        q->cap = q->first = 0;
    }
    return true;
}

const char *relay_news_name(enum relay_news n) {
    switch (n) {
    case RELAY_NEWS_HOME:
        return "home";
    case RELAY_NEWS_LOST:
        return "lost";
    case RELAY_NEWS_LEFT:
        return "left";
    case RELAY_NEWS_REFUSED:
        return "refused";
    case RELAY_NEWS_RESTARTING:
        return "restarting";
    case RELAY_NEWS_WRONG_KEY:
        return "wrong_key";
    }
    return "unknown";
}

const char *node_event_name(enum node_event_kind k) {
    switch (k) {
    case NODE_PEER_UP:
        return "peer.up";
    case NODE_PEER_DOWN:
        return "peer.down";
    case NODE_CONNECT_FAILED:
        return "connect.failed";
    case NODE_CONTACT_ADDED:
        return "contact.added";
    case NODE_CONTACT_REMOVED:
        return "contact.removed";
    case NODE_PATH_CHANGED:
        return "path.changed";
    case NODE_TRANSFER_OFFERED:
        return "transfer.offered";
    case NODE_TRANSFER_STARTED:
        return "transfer.started";
    case NODE_TRANSFER_PROGRESS:
        return "transfer.progress";
    case NODE_TRANSFER_DONE:
        return "transfer.done";
    case NODE_TRANSFER_FAILED:
        return "transfer.failed";
    case NODE_MESSAGE:
        return "message";
    case NODE_MESSAGE_DELIVERED:
        return "message.delivered";
    case NODE_PONG:
        return "pong";
    case NODE_PING_FAILED:
        return "ping.failed";
    case NODE_CONTACT_RENAMED:
        return "contact.renamed";
    case NODE_PAIRING_FAILED:
        return "pairing.failed";
    case NODE_MESSAGE_QUEUED:
        return "message.queued";
    case NODE_MESSAGE_REFUSED:
        return "message.refused";
    case NODE_MESSAGE_FAILED:
        return "message.failed";
    case NODE_MESSAGE_FULL:
        return "message.full";
    case NODE_TICKET_STORED:
        return "ticket.stored";
    case NODE_CONTACT_DENIED:
        return "contact.denied";
    case NODE_PEER_SILENT:
        return "peer.silent";
    case NODE_PEER_ANSWERS:
        return "peer.answers";
    case NODE_RELAY:
        return "relay";
    }
    return "unknown";
}
