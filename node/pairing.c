#include "node/pairing.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/core.h"
#include "node/ticket.h"

/* ---- giving a ticket ---- */
int node_ticket_new(struct node *n, uint64_t now_us, const char *name, uint64_t ttl_s,
                    char out[static TICKET_TEXT_MAX + 1]) {
    n->now_us = now_us;
    out[0] = '\0';
    if (name && !petname_ok(name))
        return ERR_USAGE;
    if (name && contact_name_taken(n, name))
        return ERR_EXISTS;
    uint64_t expires_s = node_wall_us(n) / 1000000;
    if (ttl_s == 0 || ttl_s > UINT32_MAX || expires_s > UINT32_MAX - ttl_s)
        return ERR_USAGE;
    expires_s += ttl_s;
    struct ticket t = {.id = n->id,
                       .transport = n->transport,
                       .has_secret = true,
                       .expires_s = (uint32_t)expires_s,
                       .addr_count = n->tell_count};
    memcpy(t.addrs, n->tell, sizeof t.addrs);
    rng_fill(&n->env.rng, t.secret, sizeof t.secret);
    struct invite v = {.expires_s = expires_s};
    if (name)
        snprintf(v.name, sizeof v.name, "%s", name);
    ticket_psk(&t, &v.psk);
    int err = ticket_encode(&t, out);
    if (!err)
        err = invite_open(n, &v);
    if (err)
        sodium_memzero(out, TICKET_TEXT_MAX + 1);
    ticket_clear(&t);
    sodium_memzero(&v, sizeof v);
    return err;
}

/* ---- taking one ---- */
static int add(struct node *n, const char *name, const struct ticket *t) {
    struct contact model = {.id = t->id, .transport = t->transport, .pairing = t->has_secret}, *c;
    snprintf(model.name, sizeof model.name, "%s", name);
    memcpy(model.addrs, t->addrs, sizeof model.addrs);
    model.addr_count = t->addr_count;
    if (t->has_secret)
        ticket_psk(t, &model.ticket);
    int err = contact_add(n, &model, &c);
    sodium_memzero(&model, sizeof model);
    if (!err && endpoint_connect(n->ep, n->now_us, c->peer) != 0)
        node_log(n, LOG_INFO, "\"%s\" cannot be reached yet", name);
    return err;
}

int node_contact_add(struct node *n, uint64_t now_us, const char *name, const char *ticket) {
    n->now_us = now_us;
    struct ticket t;
    int err = ticket_decode(&t, ticket);
    if (err)
        return err;
    if (!petname_ok(name) || node_id_equal(&t.id, &n->id))
        err = ERR_USAGE;
    else if (contact_name_taken(n, name))
        err = ERR_EXISTS;
    else if (t.expires_s && t.expires_s <= node_wall_us(n) / 1000000)
        err = ERR_TIMEOUT;
    else
        err = add(n, name, &t);
    ticket_clear(&t);
    return err;
}

/* ---- both have met ---- */
/* The holder of a ticket has come. */
static int stranger(struct node *n, const struct ep_event *ev) {
    struct invite v;
    struct contact model = {.id = ev->node, .transport = ev->transport, .psk = ev->secret}, *c;
    if (!invite_find(n, &ev->ticket, &v))
        return ERR_NOT_FOUND;
    model.paired = true;
    if (v.name[0])
        memcpy(model.name, v.name, sizeof model.name);
    else
        contact_free_name(n, &model.id, model.name);
    int err = contact_add(n, &model, &c);
    if (!err) /* After the contact is stored: a crash between leaves both, and the next start burns
                 it. */
        invite_burn(n, &v.psk);
    sodium_memzero(&v, sizeof v);
    sodium_memzero(&model, sizeof model);
    return err;
}

void pairing_done(struct node *n, const struct ep_event *ev) {
    struct contact *c = contact_by_id(n, &ev->node);
    int err;
    if (c) {
        c->transport = ev->transport;
        c->psk = ev->secret;
        c->paired = true;
        c->just_paired = true;
        err = contact_update(n, c);
        invite_burn(n, &ev->ticket);
    } else {
        err = stranger(n, ev);
        if (err)
            endpoint_peer_remove(n->ep, n->now_us, ev->peer);
    }
    if (err)
        node_log(n, LOG_ERROR, "a pairing could not be kept: %s", err_text(err));
}

void pairing_session_up(struct node *n, struct contact *c) {
    if (!c->just_paired && c->paired && c->pairing) {
        sodium_memzero(&c->ticket, sizeof c->ticket);
        c->pairing = false;
        int err = contact_update(n, c);
        if (err)
            node_log(n, LOG_WARN, "a used ticket is still stored: %s", err_text(err));
    }
    c->just_paired = false;
}

/* ---- the other commands ---- */
int node_contact_remove(struct node *n, uint64_t now_us, const char *name) {
    n->now_us = now_us;
    struct contact *c = contact_by_name(n, name);
    bool invited = invite_name_taken(n, name);
    invite_burn_name(n, name); /* a ticket under this name must not bring it back */
    if (!c)
        return invited ? 0 : ERR_NOT_FOUND;
    transfers_contact_gone(n, c);
    ping_peer_lost(n, c, ERR_CANCELLED);
    if (c->online)
        chan_session_down(n, c->session);
    int err = message_contact_gone(n, c);
    return err ? err : contact_drop(n, c);
}

int node_contact_rename(struct node *n, uint64_t now_us, const char *name, const char *to) {
    n->now_us = now_us;
    struct contact *c = contact_by_name(n, name);
    if (!c)
        return ERR_NOT_FOUND;
    if (!petname_ok(to))
        return ERR_USAGE;
    if (strcmp(name, to) == 0)
        return 0;
    return contact_name_taken(n, to) ? ERR_EXISTS : contact_rename(n, c, to);
}

bool node_contact_at(const struct node *n, uint64_t now_us, unsigned i, struct contact_info *out) {
    if (i >= n->contacts.count)
        return false;
    contact_info_fill(n, n->contacts.list[i], now_us, out);
    return true;
}

bool node_contact_get(const struct node *n, uint64_t now_us, const char *name,
                      struct contact_info *out) {
    const struct contact *c = contact_by_name(n, name);
    if (c)
        contact_info_fill(n, c, now_us, out);
    return c != NULL;
}

int node_connect(struct node *n, uint64_t now_us, const char *name) {
    n->now_us = now_us;
    struct contact *c = contact_by_name(n, name);
    return c ? endpoint_connect(n->ep, now_us, c->peer) : ERR_NOT_FOUND;
}
