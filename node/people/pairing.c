#include "node/people/pairing.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "net/wire/handshake_msg.h"
#include "node/node_int.h"
#include "node/people/contact_store.h"
#include "node/people/ticket.h"

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

static int read_secret(const char *text, struct psk *psk) {
    struct ticket t;
    int err = ticket_decode(&t, text);
    if (!err && !t.has_secret)
        err = ERR_FORMAT;
    if (!err)
        ticket_psk(&t, psk);
    ticket_clear(&t);
    return err;
}

uint64_t node_ticket_id(const char *ticket) {
    struct psk psk;
    uint64_t id = read_secret(ticket, &psk) == 0 ? psk_id(&psk) : 0;
    sodium_memzero(&psk, sizeof psk);
    return id;
}

int node_ticket_end(struct node *n, uint64_t now_us, const char *ticket) {
    n->now_us = now_us;
    struct psk psk;
    struct invite v;
    int err = read_secret(ticket, &psk);
    if (!err && !invite_find(n, &psk, &v))
        err = ERR_NOT_FOUND;
    if (!err)
        err = invite_store_del(n, &psk);
    if (!err)
        invite_forget(n, &psk);
    sodium_memzero(&psk, sizeof psk);
    sodium_memzero(&v, sizeof v);
    return err;
}

/* ---- taking one ---- */
static void connect(struct node *n, struct contact *c) {
    if (dial_now(n, c) != 0)
        node_log(n, LOG_INFO, "\"%s\" cannot be reached yet", c->name);
}

static int add(struct node *n, const char *name, const struct ticket *t) {
    struct contact model = {.id = t->id, .transport = t->transport, .pairing = t->has_secret}, *c;
    snprintf(model.name, sizeof model.name, "%s", name);
    memcpy(model.addrs, t->addrs, sizeof model.addrs);
    model.addr_count = t->addr_count;
    if (t->has_secret)
        ticket_psk(t, &model.ticket);
    int err = contact_add(n, &model, &c);
    sodium_memzero(&model, sizeof model);
    if (!err) {
        c->ticket_new = true;
        connect(n, c);
    }
    return err;
}

/* The same contact once more: what is known of it stays, the ticket's secret and addresses come to
 * it. So a pairing that came to nothing can be repeated, with this ticket or another. */
static int add_again(struct node *n, struct contact *c, const struct ticket *t) {
    struct contact was = *c;
    for (unsigned i = t->addr_count; i-- > 0;)
        contact_addr_first(c, &t->addrs[i]);
    ticket_psk(t, &c->ticket);
    c->pairing = c->ticket_new = true;
    c->denied = 0;
    c->denials_us = 0;
    int err = contact_update(n, c);
    if (err)
        *c = was;
    else
        connect(n, c);
    sodium_memzero(&was, sizeof was);
    return err;
}

static int take(struct node *n, const char *name, const struct ticket *t) {
    struct contact *c = contact_by_name(n, name);
    if (!petname_ok(name) || node_id_equal(&t->id, &n->id))
        return ERR_USAGE;
    bool again = c && t->has_secret && node_id_equal(&c->id, &t->id);
    if (!again && contact_name_taken(n, name))
        return ERR_EXISTS;
    if (t->expires_s && t->expires_s <= node_wall_us(n) / 1000000)
        return ERR_TIMEOUT;
    return again ? add_again(n, c, t) : add(n, name, t);
}

int node_contact_add(struct node *n, uint64_t now_us, const char *name, const char *ticket) {
    n->now_us = now_us;
    struct ticket t;
    int err = ticket_decode(&t, ticket);
    if (!err)
        err = take(n, name, &t);
    ticket_clear(&t);
    return err;
}

/* ---- both have met ---- */
static void kept(struct node *n, const struct owed *o) {
    struct contact *c = contact_by_serial(n, o->contact);
    if (!c || !c->paired || c->kept || o->ref != c->pairings)
        return;
    c->kept = true;
    int err = contact_tell(n, c);
    if (err)
        node_log(n, LOG_WARN, "the secret of \"%s\" waits: %s", c->name, err_text(err));
}

/* The contact, the end of the ticket and the debt of making both safe, or nothing of it. */
static int store(struct node *n, struct contact *c, const struct psk *ticket) {
    const struct owed debt = {.run = kept, .contact = c->serial, .ref = ++c->pairings};
    int err = keep_begin(n);
    if (err)
        return err;
    err = contact_store_put(n, c);
    if (!err)
        err = invite_store_del(n, ticket);
    if (!err)
        err = keep_owe(n, &debt);
    err = keep_end(n, err);
    if (!err) {
        c->unstored = false;
        c->denied_stored = c->denied;
    }
    return err;
}

static void take_secrets(struct node *n, struct contact *c, const struct ep_event *ev) {
    struct session_ref s;
    struct session_info info;
    if (endpoint_session(n->ep, ev->peer, &s) &&
        endpoint_session_info(n->ep, n->now_us, s, &info) && info.path.kind != ADDR_NONE)
        contact_addr_first(c, &info.path);
    c->transport = ev->transport;
    c->cert_seq = ev->cert_seq;
    c->psk = ev->secret;
    c->ticket = ev->ticket;
    c->paired = c->pairing = true;
    c->ticket_new = c->kept = false;
}

/* What the session was for came to nothing here, and the other side is told so. */
static void refuse(struct node *n, const struct ep_event *ev, int err) {
    struct session_ref s;
    if (endpoint_session(n->ep, ev->peer, &s))
        endpoint_disconnect(n->ep, n->now_us, s, err);
}

static void pairing_failed(struct node *n, const struct ep_event *ev, const char *name, int err) {
    node_log(n, LOG_ERROR,
             "the pairing with \"%s\" could not be stored: %s; its ticket still holds", name,
             err_text(err));
    struct node_event *e = node_tell(n, NODE_PAIRING_FAILED, name);
    e->node = ev->node;
    e->err = err;
    e->cause = node_why(n, err);
    err = invite_reopen(n, &ev->ticket);
    if (err)
        node_log(n, LOG_ERROR, "the ticket of \"%s\" holds after the next start: %s", name,
                 err_text(err));
}

/* The session that this pairing came with was up before: a rekey. */
static bool was_up(const struct node *n, const struct contact *c, const struct ep_event *ev) {
    struct session_ref s;
    return c->online && endpoint_session(n->ep, ev->peer, &s) && session_ref_equal(s, c->session);
}

static void known(struct node *n, struct contact *c, const struct ep_event *ev) {
    struct contact was = *c;
    take_secrets(n, c, ev);
    int err = store(n, c, &ev->ticket);
    if (err) {
        was.pairings = c->pairings;
        *c = was;
    } else {
        invite_forget(n, &ev->ticket);
    }
    sodium_memzero(&was, sizeof was);
    int told = contact_tell(n, c);
    if (told)
        node_log(n, LOG_WARN, "the secrets of \"%s\" wait: %s", c->name, err_text(told));
    if (!err)
        return;
    pairing_failed(n, ev, c->name, err);
    /* One that was up before goes on: its rekey took the ticket's secret, which both still have. */
    if (!was_up(n, c, ev))
        refuse(n, ev, err);
}

/* The holder of a ticket has come. */
static void stranger(struct node *n, const struct ep_event *ev) {
    struct contact model = {.id = ev->node}, *c;
    struct invite v = {.name = ""};
    int err = invite_find(n, &ev->ticket, &v) ? 0 : ERR_AUTH; /* it has just expired */
    take_secrets(n, &model, ev);
    if (!err && v.name[0] == '\0')
        contact_free_name(n, &model.id, v.name);
    memcpy(model.name, v.name, sizeof model.name);
    if (!err)
        err = contact_take_in(n, &model, &c);
    if (!err) {
        err = store(n, c, &v.psk);
        if (err) {
            refuse(n, ev, err);
            contact_take_out(n, c);
        }
    }
    if (!err) {
        invite_forget(n, &v.psk);
        node_tell(n, NODE_CONTACT_ADDED, c->name);
    } else {
        refuse(n, ev, err);
        endpoint_peer_remove(n->ep, n->now_us, ev->peer);
        if (err != ERR_AUTH)
            pairing_failed(n, ev, v.name, err);
    }
    sodium_memzero(&v, sizeof v);
    sodium_memzero(&model, sizeof model);
}

void pairing_done(struct node *n, const struct ep_event *ev) {
    struct contact *c = contact_by_id(n, &ev->node);
    if (c)
        known(n, c, ev);
    else
        stranger(n, ev);
}

void pairing_proved(struct node *n, struct contact *c) {
    if (!c->pairing || !c->kept)
        return;
    sodium_memzero(&c->ticket, sizeof c->ticket);
    c->pairing = false;
    int err = contact_update(n, c);
    if (err)
        node_log(n, LOG_WARN, "a used ticket is still stored: %s", err_text(err));
    keep_scrub(n);
}

/* ---- the other commands ---- */
int node_contact_remove(struct node *n, uint64_t now_us, const char *name) {
    n->now_us = now_us;
    struct contact *c = contact_by_name(n, name);
    bool invited = invite_name_taken(n, name);
    if (!c && !invited)
        return ERR_NOT_FOUND;
    int err = keep_begin(n);
    if (err)
        return err;
    if (c)
        err = contact_store_del(n, &c->id);
    if (!err && c)
        err = message_contact_void(n, c);
    if (!err) /* a ticket under this name must not bring it back */
        err = invite_store_del_name(n, name);
    err = keep_end(n, err);
    if (err)
        return err;
    invite_forget_name(n, name);
    keep_scrub(n);
    if (!c)
        return 0;
    transfers_contact_gone(n, c);
    ping_peer_lost(n, c, ERR_CANCELLED);
    if (c->online) {
        chan_session_down(n, c->session);
        endpoint_disconnect(n->ep, n->now_us, c->session, ERR_UNKNOWN); /* and so it is told */
    }
    message_contact_gone(n, c);
    node_tell(n, NODE_CONTACT_REMOVED, c->name);
    contact_take_out(n, c);
    return 0;
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

bool node_contact_by_id(const struct node *n, uint64_t now_us, const struct node_id *id,
                        struct contact_info *out) {
    const struct contact *c = contact_by_id(n, id);
    if (c)
        contact_info_fill(n, c, now_us, out);
    return c != NULL;
}

int node_connect(struct node *n, uint64_t now_us, const char *name) {
    n->now_us = now_us;
    struct contact *c = contact_by_name(n, name);
    return c ? dial_now(n, c) : ERR_NOT_FOUND;
}
