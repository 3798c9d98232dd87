#include "node/people/pairing.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/wire/handshake_msg.h"
#include "node/people/contact_store.h"
#include "node/people/petname.h"
#include "node/people/ticket.h"

/* ---- giving a ticket ---- */
/* Where its holder will find this node. */
static int name_ways(const struct pairing *pair, const struct relay_set *homes, struct ticket *t) {
    const enum path_policy path = pair->contacts->path;
    if (path != PATH_RELAY_ONLY) {
        t->addr_count = pair->tell_count;
        memcpy(t->addrs, pair->tell, sizeof t->addrs);
    }
    for (unsigned i = 0; path != PATH_DIRECT_ONLY && i < homes->count; i++)
        (void)ticket_relay_add(t, &homes->list[i]); /* a long name may find no room */
    return path == PATH_RELAY_ONLY && t->relays.count == 0 ? ERR_UNSUPPORTED : 0;
}

int pairing_ticket(struct pairing *pair, const struct relay_set *homes, const char *name,
                   uint64_t ttl_s, char out[static TICKET_TEXT_MAX + 1]) {
    out[0] = '\0';
    if (name && !petname_ok(name))
        return ERR_USAGE;
    if (name && invite_name_taken(pair->invites, name))
        return ERR_EXISTS;
    uint64_t expires_s = turn_wall_us(pair->turn) / 1000000;
    if (ttl_s == 0 || ttl_s > UINT32_MAX || expires_s > UINT32_MAX - ttl_s)
        return ERR_USAGE;
    expires_s += ttl_s;
    struct ticket t = {.id = pair->turn->id,
                       .transport = pair->turn->transport,
                       .has_secret = true,
                       .expires_s = (uint32_t)expires_s};
    int err = name_ways(pair, homes, &t);
    if (err)
        return err;
    rng_fill(&pair->turn->env.rng, t.secret, sizeof t.secret);
    struct invite v = {.expires_s = expires_s};
    if (name)
        snprintf(v.name, sizeof v.name, "%s", name);
    ticket_psk(&t, &v.psk);
    err = ticket_encode(&t, out);
    if (!err)
        err = invite_open(pair->invites, &v);
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

uint64_t pairing_ticket_id(const char *ticket) {
    struct psk psk;
    uint64_t id = read_secret(ticket, &psk) == 0 ? psk_id(&psk) : 0;
    sodium_memzero(&psk, sizeof psk);
    return id;
}

int pairing_ticket_end(struct pairing *pair, const char *ticket) {
    struct psk psk;
    struct invite v;
    int err = read_secret(ticket, &psk);
    if (!err && !invite_find(pair->invites, &psk, &v))
        err = ERR_NOT_FOUND;
    if (!err)
        err = invite_store_del(pair->invites, &psk);
    if (!err)
        invite_forget(pair->invites, &psk);
    sodium_memzero(&psk, sizeof psk);
    sodium_memzero(&v, sizeof v);
    return err;
}

/* ---- taking one ---- */
static void connect(struct pairing *pair, struct contact *c) {
    if (dial_now(pair->contacts->dials, c->peering) != 0)
        turn_log(pair->turn, LOG_INFO, "\"%s\" cannot be reached yet", c->name);
}

/* It has a session already, as a relay or as a guest of ours, that knows nothing of the ticket. */
static void begin_anew(struct pairing *pair, const struct contact *c) {
    struct session_ref s;
    if (endpoint_session(pair->turn->ep, c->peering->ref, &s))
        endpoint_disconnect(pair->turn->ep, pair->turn->now_us, s, ERR_CLOSED);
}

static int add(struct pairing *pair, const char *name, struct ticket *t) {
    struct contact model = {.id = t->id, .transport = t->transport, .pairing = t->has_secret}, *c;
    snprintf(model.name, sizeof model.name, "%s", name);
    memcpy(model.addrs, t->addrs, sizeof model.addrs);
    model.addr_count = t->addr_count;
    model.relays = &t->relays;
    if (t->has_secret)
        ticket_psk(t, &model.ticket);
    int err = contact_add(pair->contacts, &model, &c);
    sodium_memzero(&model, sizeof model);
    if (!err) {
        c->ticket_new = true;
        if (t->has_secret)
            begin_anew(pair, c);
        connect(pair, c);
    }
    return err;
}

/* The relays of a ticket before those that are known. NULL: there are none. */
static int join_relays(const struct contact *c, const struct ticket *t, struct relay_set **out) {
    *out = NULL;
    if (!c->relays && t->relays.count == 0)
        return 0;
    *out = mem_alloc(sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    **out = t->relays;
    for (unsigned i = 0; c->relays && i < c->relays->count; i++)
        (void)relay_set_add(*out, &c->relays->list[i]);
    return 0;
}

/* The same contact once more: what is known of it stays, the ticket's secret, addresses and relays
 * come to it. So a pairing that came to nothing can be repeated, with this ticket or another. */
static int add_again(struct pairing *pair, struct contact *c, const struct ticket *t) {
    struct contact was = *c;
    struct relay_set *relays;
    int err = join_relays(c, t, &relays);
    if (err)
        return err;
    c->relays = relays;
    for (unsigned i = t->addr_count; i-- > 0;)
        contact_addr_first(c, &t->addrs[i]);
    ticket_psk(t, &c->ticket);
    c->pairing = c->ticket_new = true;
    c->denied = 0;
    c->denials_us = 0;
    err = contact_update(pair->contacts, c);
    mem_free(err ? c->relays : was.relays);
    if (err) {
        *c = was;
    } else {
        parts_ways_changed(&pair->turn->parts, c);
        connect(pair, c);
    }
    sodium_memzero(&was, sizeof was);
    return err;
}

static int take(struct pairing *pair, const char *name, struct ticket *t) {
    struct contact *c = contact_by_name(pair->contacts, name);
    if (!petname_ok(name) || node_id_equal(&t->id, &pair->turn->id))
        return ERR_USAGE;
    bool again = c && t->has_secret && node_id_equal(&c->id, &t->id);
    if (!again && invite_name_taken(pair->invites, name))
        return ERR_EXISTS;
    if (t->expires_s && t->expires_s <= turn_wall_us(pair->turn) / 1000000)
        return ERR_TIMEOUT;
    return again ? add_again(pair, c, t) : add(pair, name, t);
}

int pairing_take(struct pairing *pair, const char *name, const char *ticket) {
    struct ticket t;
    int err = ticket_decode(&t, ticket);
    if (!err)
        err = take(pair, name, &t);
    ticket_clear(&t);
    return err;
}

/* ---- both have met ---- */
static void kept(const struct owed *o) {
    struct pairing *pair = o->self;
    struct contact *c = contact_by_serial(pair->contacts, o->contact);
    if (!c || !c->paired || c->kept || o->ref != c->pairings)
        return;
    c->kept = true;
    int err = contact_tell(pair->contacts, c);
    if (err)
        turn_log(pair->turn, LOG_WARN, "the secret of \"%s\" waits: %s", c->name, err_text(err));
}

/* The contact, the end of the ticket and the debt of making both safe, or nothing of it. */
static int store(struct pairing *pair, struct contact *c, const struct psk *ticket) {
    const struct owed debt = {
        .run = kept, .self = pair, .contact = c->serial, .ref = ++c->pairings};
    int err = keep_begin(pair->keep);
    if (err)
        return err;
    err = contact_store_put(pair->contacts, c);
    if (!err)
        err = invite_store_del(pair->invites, ticket);
    if (!err)
        err = keep_owe(pair->keep, &debt);
    err = keep_end(pair->keep, err);
    if (!err) {
        c->unstored = false;
        c->denied_stored = c->denied;
    }
    return err;
}

static void take_secrets(struct pairing *pair, struct contact *c, const struct ep_event *ev) {
    struct session_ref s;
    struct session_info info;
    if (endpoint_session(pair->turn->ep, ev->peer, &s) &&
        endpoint_session_info(pair->turn->ep, pair->turn->now_us, s, &info) &&
        info.path.kind != ADDR_NONE)
        contact_addr_first(c, &info.path);
    c->transport = ev->transport;
    c->cert_seq = ev->cert_seq;
    c->psk = ev->secret;
    c->ticket = ev->ticket;
    c->paired = c->pairing = true;
    c->ticket_new = c->kept = false;
}

/* What the session was for came to nothing here, and the other side is told so. */
static void refuse(struct pairing *pair, const struct ep_event *ev, int err) {
    struct session_ref s;
    if (endpoint_session(pair->turn->ep, ev->peer, &s))
        endpoint_disconnect(pair->turn->ep, pair->turn->now_us, s, err);
}

static void pairing_failed(struct pairing *pair, const struct ep_event *ev, const char *name,
                           int err) {
    turn_log(pair->turn, LOG_ERROR,
             "the pairing with \"%s\" could not be stored: %s; its ticket still holds", name,
             err_text(err));
    struct node_event *e = contacts_tell(pair->contacts, NODE_PAIRING_FAILED, name);
    e->node = ev->node;
    e->err = err;
    e->cause = turn_why(pair->turn, err);
    err = invite_reopen(pair->invites, &ev->ticket);
    if (err)
        turn_log(pair->turn, LOG_ERROR, "the ticket of \"%s\" holds after the next start: %s", name,
                 err_text(err));
}

/* The session that this pairing came with was up before: a rekey. */
static bool was_up(const struct pairing *pair, const struct contact *c, const struct ep_event *ev) {
    struct session_ref s;
    return c->peering->online && endpoint_session(pair->turn->ep, ev->peer, &s) &&
           session_ref_equal(s, c->peering->session);
}

static void known(struct pairing *pair, struct contact *c, const struct ep_event *ev) {
    struct contact was = *c;
    take_secrets(pair, c, ev);
    int err = store(pair, c, &ev->ticket);
    if (err)
        *c = was; /* and its own debt, if it has one, is still due */
    else
        invite_forget(pair->invites, &ev->ticket);
    sodium_memzero(&was, sizeof was);
    int told = contact_tell(pair->contacts, c);
    if (told)
        turn_log(pair->turn, LOG_WARN, "the secrets of \"%s\" wait: %s", c->name, err_text(told));
    if (!err)
        return;
    pairing_failed(pair, ev, c->name, err);
    /* One that was up before goes on: its rekey took the ticket's secret, which both still have. */
    if (!was_up(pair, c, ev))
        refuse(pair, ev, err);
}

/* The holder of a ticket has come. */
static void stranger(struct pairing *pair, const struct ep_event *ev) {
    struct contact model = {.id = ev->node}, *c;
    struct invite v = {.name = ""};
    int err = invite_find(pair->invites, &ev->ticket, &v) ? 0 : ERR_AUTH; /* it has just expired */
    take_secrets(pair, &model, ev);
    if (!err && v.name[0] == '\0')
        invite_free_name(pair->invites, &model.id, v.name);
    memcpy(model.name, v.name, sizeof model.name);
    if (!err)
        err = contact_take_in(pair->contacts, &model, &c);
    if (!err) {
        err = store(pair, c, &v.psk);
        if (err) {
            refuse(pair, ev, err);
            parts_contact_gone(&pair->turn->parts, c);
            contact_take_out(pair->contacts, c);
        }
    }
    if (!err) {
        invite_forget(pair->invites, &v.psk);
        contacts_tell(pair->contacts, NODE_CONTACT_ADDED, c->name);
    } else {
        refuse(pair, ev, err);
        endpoint_peer_remove(pair->turn->ep, pair->turn->now_us, ev->peer);
        if (err != ERR_AUTH)
            pairing_failed(pair, ev, v.name, err);
    }
    sodium_memzero(&v, sizeof v);
    sodium_memzero(&model, sizeof model);
}

void pairing_done(struct pairing *pair, const struct ep_event *ev) {
    struct contact *c = contact_by_id(pair->contacts, &ev->node);
    if (c)
        known(pair, c, ev);
    else
        stranger(pair, ev);
}

void pairing_proved(struct pairing *pair, struct contact *c) {
    if (!c->pairing || !c->kept)
        return;
    sodium_memzero(&c->ticket, sizeof c->ticket);
    c->pairing = false;
    int err = contact_update(pair->contacts, c);
    if (err)
        turn_log(pair->turn, LOG_WARN, "a used ticket is still stored: %s", err_text(err));
    keep_scrub(pair->keep);
}

/* ---- the other commands ---- */
int pairing_remove(struct pairing *pair, const char *name) {
    struct contact *c = contact_by_name(pair->contacts, name);
    bool invited = invite_name_reserved(pair->invites, name);
    if (!c && !invited)
        return ERR_NOT_FOUND;
    int err = keep_begin(pair->keep);
    if (err)
        return err;
    if (c)
        err = contact_store_del(pair->contacts, &c->id);
    if (!err && c)
        err = parts_contact_void(&pair->turn->parts, c);
    if (!err) /* a ticket under this name must not bring it back */
        err = invite_store_del_name(pair->invites, name);
    err = keep_end(pair->keep, err);
    if (err)
        return err;
    invite_forget_name(pair->invites, name);
    keep_scrub(pair->keep);
    if (!c)
        return 0;
    parts_contact_gone(&pair->turn->parts, c);
    parts_peer_gone(&pair->turn->parts, c->peering);
    if (c->peering->online) /* and so it is told */
        endpoint_disconnect(pair->turn->ep, pair->turn->now_us, c->peering->session, ERR_UNKNOWN);
    contacts_tell(pair->contacts, NODE_CONTACT_REMOVED, c->name);
    contact_take_out(pair->contacts, c);
    return 0;
}

int pairing_rename(struct pairing *pair, const char *name, const char *to) {
    struct contact *c = contact_by_name(pair->contacts, name);
    if (!c)
        return ERR_NOT_FOUND;
    if (!petname_ok(to))
        return ERR_USAGE;
    if (strcmp(name, to) == 0)
        return 0;
    return invite_name_taken(pair->invites, to) ? ERR_EXISTS
                                                : contact_rename(pair->contacts, c, to);
}
