#include "node/mailbox.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/core.h"

void mailbox_clear(struct mailbox *m) {
    if (m->ring)
        sodium_memzero(m->ring, NODE_DATAGRAMS_MAX * sizeof *m->ring);
    free(m->ring);
    *m = (struct mailbox){0};
}

void mailbox_add(struct mailbox *m, const struct contact *from, const uint8_t *data, size_t len) {
    if (!m->ring)
        m->ring = malloc(NODE_DATAGRAMS_MAX * sizeof *m->ring);
    if (!m->ring || len > DATAGRAM_MAX_BYTES) {
        m->dropped++;
        return;
    }
    if (m->count == NODE_DATAGRAMS_MAX) {
        m->first = (m->first + 1) % NODE_DATAGRAMS_MAX;
        m->count--;
        m->dropped++;
    }
    struct node_datagram *d = &m->ring[(m->first + m->count++) % NODE_DATAGRAMS_MAX];
    memcpy(d->contact, from->name, sizeof d->contact);
    d->node = from->id;
    d->len = (uint32_t)len;
    memcpy(d->data, data, len);
}

bool node_datagram_next(struct node *n, struct node_datagram *out) {
    struct mailbox *m = &n->mailbox;
    if (m->count == 0)
        return false;
    const struct node_datagram *d = &m->ring[m->first];
    memcpy(out->contact, d->contact, sizeof out->contact);
    out->node = d->node;
    memcpy(out->data, d->data, d->len);
    out->len = d->len;
    m->first = (m->first + 1) % NODE_DATAGRAMS_MAX;
    m->count--;
    return true;
}

int node_datagram_send(struct node *n, uint64_t now_us, const char *contact, const void *data,
                       size_t len, uint64_t deadline_us) {
    n->now_us = now_us;
    const struct contact *c = contact_by_name(n, contact);
    if (!c)
        return ERR_NOT_FOUND;
    if (!c->online)
        return ERR_OFFLINE;
    return session_datagram(n->ep, now_us, c->session, data, len, deadline_us);
}
