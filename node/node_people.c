/* node_people.c: contacts, tickets, calls and pings, as node/node.h has them. */
#include "net/endpoint.h"
#include "node/mesh/reach.h"
#include "node/node_int.h"
#include "node/people/denial.h"

/* ---- tickets ---- */
int node_ticket_new(struct node *n, uint64_t now_us, const char *name, uint64_t ttl_s,
                    char out[static TICKET_TEXT_MAX + 1]) {
    n->turn.now_us = now_us;
    struct relay_set homes;
    mesh_homes(&n->mesh, &homes);
    return pairing_ticket(&n->pairing, &homes, name, ttl_s, out);
}

uint64_t node_ticket_id(const char *ticket) {
    return pairing_ticket_id(ticket);
}

int node_ticket_end(struct node *n, uint64_t now_us, const char *ticket) {
    n->turn.now_us = now_us;
    return pairing_ticket_end(&n->pairing, ticket);
}

/* ---- contacts ---- */
int node_contact_add(struct node *n, uint64_t now_us, const char *name, const char *ticket) {
    n->turn.now_us = now_us;
    return pairing_take(&n->pairing, name, ticket);
}

int node_contact_remove(struct node *n, uint64_t now_us, const char *name) {
    n->turn.now_us = now_us;
    return pairing_remove(&n->pairing, name);
}

int node_contact_rename(struct node *n, uint64_t now_us, const char *name, const char *to) {
    n->turn.now_us = now_us;
    return pairing_rename(&n->pairing, name, to);
}

int node_contact_path(struct node *n, uint64_t now_us, const char *name, enum contact_path path) {
    n->turn.now_us = now_us;
    struct contact *c = contact_by_name(&n->contacts, name);
    return c ? contact_set_path(&n->contacts, c, path) : ERR_NOT_FOUND;
}

static bool show(const struct node *n, uint64_t now_us, const struct contact *c,
                 struct contact_info *out) {
    if (!c)
        return false;
    contact_info_fill(&n->contacts, c, now_us, out);
    reach_fill(&n->mesh, c, &out->reach);
    message_contact_info(c, out);
    return true;
}

bool node_contact_at(const struct node *n, uint64_t now_us, unsigned i, struct contact_info *out) {
    return show(n, now_us, i < n->contacts.count ? n->contacts.list[i] : NULL, out);
}

bool node_contact_get(const struct node *n, uint64_t now_us, const char *name,
                      struct contact_info *out) {
    return show(n, now_us, contact_by_name(&n->contacts, name), out);
}

bool node_contact_by_id(const struct node *n, uint64_t now_us, const struct node_id *id,
                        struct contact_info *out) {
    return show(n, now_us, contact_by_id(&n->contacts, id), out);
}

bool node_denied(int err) {
    return denial_is(err);
}

/* ---- sessions ---- */
int node_connect(struct node *n, uint64_t now_us, const char *name) {
    n->turn.now_us = now_us;
    struct contact *c = contact_by_name(&n->contacts, name);
    return c ? dial_now(&n->dials, c->peering) : ERR_NOT_FOUND;
}

int node_ping(struct node *n, uint64_t now_us, const char *name, uint64_t timeout_us,
              uint64_t *id) {
    n->turn.now_us = now_us;
    struct contact *c = contact_by_name(&n->contacts, name);
    return c ? ping_start(&n->pings, c->peering, timeout_us, id) : ERR_NOT_FOUND;
}

void node_ping_stop(struct node *n, uint64_t id) {
    ping_stop(&n->pings, id);
}

int node_datagram_send(struct node *n, uint64_t now_us, const char *contact, const void *data,
                       size_t len, uint64_t deadline_us) {
    n->turn.now_us = now_us;
    return mailbox_send(&n->mailbox, contact, data, len, deadline_us);
}

bool node_datagram_next(struct node *n, struct node_datagram *out) {
    return mailbox_next(&n->mailbox, out);
}

/* ---- relays ---- */
bool node_relay_at(const struct node *n, unsigned i, struct relay_info *out) {
    return mesh_relay_at(&n->mesh, i, out);
}

bool node_relay_get(const struct node *n, uint64_t serial, struct relay_info *out) {
    return mesh_relay_by_serial(&n->mesh, (uint32_t)serial, out);
}
