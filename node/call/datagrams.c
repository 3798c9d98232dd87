#include "node/call/datagrams.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/people/contact.h"

void mailbox_clear(struct mailbox *m) {
    if (m->all)
        sodium_memzero(m->all, NODE_DATAGRAMS_MAX * sizeof *m->all);
    mem_free(m->all);
    m->all = NULL;
    m->count = 0;
}

static bool prepare(struct mailbox *m) {
    if (m->all)
        return true;
    m->all = mem_alloc(NODE_DATAGRAMS_MAX * sizeof *m->all);
    for (unsigned i = 0; i < NODE_DATAGRAMS_MAX; i++)
        m->order[i] = (uint8_t)i;
    return m->all != NULL;
}

/* The i-th oldest; its place is the first free one afterwards. */
static const struct node_datagram *take(struct mailbox *m, unsigned i) {
    const uint8_t place = m->order[i];
    memmove(&m->order[i], &m->order[i + 1], m->count - i - 1);
    m->order[--m->count] = place;
    return &m->all[place];
}

/* The oldest of whoever has most. */
static unsigned victim(const struct mailbox *m) {
    unsigned most = 0, at = 0;
    for (unsigned i = 0; i + most < m->count;
         i++) {            /* of what is left, more than `most` cannot be */
        unsigned with = 0; /* from here on: greatest at the oldest */
        for (unsigned k = i; k < m->count; k++)
            with += node_id_equal(&m->all[m->order[k]].node, &m->all[m->order[i]].node);
        if (with > most) {
            most = with;
            at = i;
        }
    }
    return at;
}

void mailbox_add(struct mailbox *m, const struct contact *from, const uint8_t *data, size_t len) {
    if (!prepare(m) || len > NODE_DATAGRAM_MAX_BYTES) {
        m->dropped++;
        return;
    }
    if (m->count == NODE_DATAGRAMS_MAX) {
        (void)take(m, victim(m));
        m->dropped++;
    }
    struct node_datagram *d = &m->all[m->order[m->count++]];
    memcpy(d->contact, from->name, sizeof d->contact);
    d->node = from->id;
    d->len = (uint32_t)len;
    memcpy(d->data, data, len);
}

void mailbox_come(struct mailbox *m, const struct contact *from, const uint8_t *bytes, size_t len) {
    if (len > 1 && bytes[0] == DATAGRAM_CALL)
        mailbox_add(m, from, bytes + 1, len - 1);
    else
        m->unknown++;
}

bool mailbox_next(struct mailbox *m, struct node_datagram *out) {
    if (m->count == 0)
        return false;
    const struct node_datagram *d = take(m, 0);
    memcpy(out->contact, d->contact, sizeof out->contact);
    out->node = d->node;
    memcpy(out->data, d->data, d->len);
    out->len = d->len;
    return true;
}

int mailbox_send(struct mailbox *m, const char *contact, const void *data, size_t len,
                 uint64_t deadline_us) {
    uint8_t bytes[DATAGRAM_MAX_BYTES] = {DATAGRAM_CALL};
    const struct contact *c = contact_by_name(m->contacts, contact);
    if (!c)
        return ERR_NOT_FOUND;
    if (!c->peering->online)
        return ERR_OFFLINE;
    if (len == 0 || len > NODE_DATAGRAM_MAX_BYTES)
        return ERR_USAGE;
    memcpy(bytes + 1, data, len);
    return session_datagram(m->turn->ep, m->turn->now_us, c->peering->session, bytes, len + 1,
                            deadline_us);
}

/* ---- as a part of the node (node/base/part.h) ---- */
static void part_clear(void *self) {
    mailbox_clear(self);
}

const struct part_ops mailbox_part = {.clear = part_clear};
