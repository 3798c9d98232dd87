#include "node/people/contact.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/api/utf8.h"
#include "node/people/contact_store.h"
#include "node/people/contact_table.h"

struct node_event *contacts_tell(const struct contacts *people, enum node_event_kind kind,
                                 const char *name) {
    struct node_event *e = turn_tell(people->turn, kind, name);
    const struct contact *c = name ? contact_by_name(people, name) : NULL;
    if (c)
        e->node = c->id;
    return e;
}

/* ---- ways ---- */
enum path_policy contact_path_policy(const struct contacts *people, const struct contact *c) {
    switch (c->path) {
    case CONTACT_PATH_NODE:
        break;
    case CONTACT_PATH_AUTO:
        return PATH_AUTO;
    case CONTACT_PATH_RELAY_ONLY:
        return PATH_RELAY_ONLY;
    case CONTACT_PATH_DIRECT_ONLY:
        return PATH_DIRECT_ONLY;
    }
    return people->path;
}

/* A copy on the heap; NULL for an empty set. */
static int copy_relays(const struct relay_set *set, struct relay_set **out) {
    *out = NULL;
    if (!set || set->count == 0)
        return 0;
    *out = mem_alloc(sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    **out = *set;
    return 0;
}

/* What holds for the endpoint: the session with a relay of the user's goes to the relay's address,
 * which the policy of contacts has no say in. */
static enum path_policy path_of(const struct contacts *people, const struct contact *c) {
    const enum path_policy p = contact_path_policy(people, c);
    return p == PATH_RELAY_ONLY && c->peering && c->peering->as_relay ? PATH_AUTO : p;
}

/* ---- in and out ---- */
int contact_tell(struct contacts *people, struct contact *c) {
    struct peer_setup s = {.id = c->id,
                           .transport = c->transport,
                           .pairing = c->pairing,
                           .addr_count = c->addr_count,
                           .cert_seq = c->cert_seq,
                           .path = path_of(people, c)};
    if (c->paired && c->kept)
        s.psks[s.psk_count++] = c->psk;
    if (c->pairing)
        s.psks[s.psk_count++] = c->ticket;
    memcpy(s.addrs, c->addrs, sizeof s.addrs);
    int err;
    if (c->peering) {
        err = peering_tell(people->peers, c->peering, &s);
    } else {
        err = peering_new(people->peers, &s, &c->peering);
        if (!err)
            c->peering->contact = c;
    }
    sodium_memzero(&s, sizeof s);
    if (c->peering) {
        c->peering->name = c->name;
        c->peering->refused = c->denied != 0;
    }
    return err;
}

/* Somebody else may hold the peer still. */
static void let_go(struct contacts *people, struct contact *c) {
    c->peering->contact = NULL;
    c->peering->name = NULL;
    c->peering->refused = false;
    peering_end(people->peers, c->peering);
}

int contact_take_in(struct contacts *people, const struct contact *model, struct contact **out) {
    if (contact_by_name(people, model->name) || contact_by_id(people, &model->id))
        return ERR_EXISTS;
    struct contact *c = mem_calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    memcpy(c->name, model->name, sizeof c->name);
    c->id = model->id;
    c->transport = model->transport;
    c->cert_seq = model->cert_seq;
    c->psk = model->psk;
    c->ticket = model->ticket;
    c->paired = model->paired;
    c->pairing = model->pairing;
    c->kept = model->kept;
    c->denied = c->denied_stored = model->denied;
    memcpy(c->addrs, model->addrs, sizeof c->addrs);
    c->addr_count = model->addr_count;
    c->path = model->path;
    int err = copy_relays(model->relays, &c->relays);
    if (!err)
        err = contact_tell(people, c);
    if (!err) {
        err = contact_table_insert(people, c);
        if (err == ERR_FULL)
            err = turn_met(people->turn, LIMIT_CONTACTS, CONTACTS_MAX);
        if (err)
            let_go(people, c);
    }
    if (err) {
        contact_free(c);
        return err;
    }
    err = parts_contact_new(&people->turn->parts, c);
    if (err)
        contact_take_out(people, c);
    else
        *out = c;
    return err;
}

void contact_take_out(struct contacts *people, struct contact *c) {
    dial_forget(people->dials, c->peering);
    contact_table_remove(people, c);
    let_go(people, c);
    contact_free(c);
}

void contacts_clear(struct contacts *people) {
    contact_table_clear(people);
}

struct contact *contact_by_peer(const struct contacts *people, struct peer_ref p) {
    const struct peering *peer = peering_by_ref(people->peers, p);
    return peer ? peer->contact : NULL;
}

struct contact *contact_by_session(const struct contacts *people, struct session_ref s) {
    const struct peering *peer = peering_by_session(people->peers, s);
    return peer ? peer->contact : NULL;
}

/* ---- changing ---- */
int contact_add(struct contacts *people, const struct contact *model, struct contact **out) {
    int err = contact_take_in(people, model, out);
    if (err)
        return err;
    err = contact_store_put(people, *out);
    if (err) {
        parts_contact_gone(&people->turn->parts, *out);
        contact_take_out(people, *out);
    } else {
        contacts_tell(people, NODE_CONTACT_ADDED, (*out)->name);
    }
    return err;
}

int contact_update(struct contacts *people, struct contact *c) {
    int err = contact_store_put(people, c);
    c->unstored = err != 0;
    if (!err)
        c->denied_stored = c->denied;
    return err ? err : contact_tell(people, c);
}

int contact_rename(struct contacts *people, struct contact *c, const char *to) {
    char was[PETNAME_MAX + 1];
    struct contact renamed = *c;
    memcpy(was, c->name, sizeof was);
    snprintf(renamed.name, sizeof renamed.name, "%s", to);
    int err = contact_store_put(people, &renamed);
    sodium_memzero(&renamed, sizeof renamed);
    if (err)
        return err;
    c->denied_stored = c->denied;
    contact_table_rename(people, c, to);
    parts_renamed(&people->turn->parts, c);
    struct node_event *e = contacts_tell(people, NODE_CONTACT_RENAMED, c->name);
    snprintf(e->detail, sizeof e->detail, "%s", was);
    return 0;
}

void contact_addr_first(struct contact *c, const struct addr *at) {
    unsigned i = 0;
    while (i < c->addr_count && !addr_equal(&c->addrs[i], at))
        i++;
    if (i == c->addr_count) {
        if (c->addr_count < PEER_ADDRS_MAX)
            c->addr_count++;
        else
            i--; /* the last one, tried last, gives way */
    }
    struct addr first = *at;
    memmove(&c->addrs[1], &c->addrs[0], i * sizeof c->addrs[0]);
    c->addrs[0] = first;
}

/* Whoever comes from another address each time costs the disk no more than that. */
static bool may_store(const struct contacts *people, struct contact *c) {
    if (c->stored_us < people->turn->now_us)
        c->stored_us = people->turn->now_us;
    if (c->stored_us - people->turn->now_us > (uint64_t)(CONTACT_SEEN_BURST - 1) * CONTACT_SEEN_US)
        return false;
    c->stored_us += CONTACT_SEEN_US;
    return true;
}

static void store_seen(struct contacts *people, struct contact *c) {
    const bool store = may_store(people, c);
    int err = store ? contact_update(people, c) : contact_tell(people, c);
    c->unstored |= !store;
    if (err)
        turn_log(people->turn, LOG_WARN, "the address of \"%s\" was not stored: %s", c->name,
                 err_text(err));
}

void contact_seen_at(struct contacts *people, struct contact *c, const struct addr *at) {
    bool news = c->addr_count == 0 || !addr_equal(&c->addrs[0], at);
    if (at->kind == ADDR_NONE || (!news && !c->unstored))
        return;
    contact_addr_first(c, at);
    store_seen(people, c);
}

int contact_set_relays(struct contacts *people, struct contact *c, const struct relay_set *set) {
    static const struct relay_set none;
    struct relay_set *made;
    if (relay_set_equal(c->relays ? c->relays : &none, set))
        return 0;
    const int err = copy_relays(set, &made);
    if (err)
        return err;
    mem_free(c->relays);
    c->relays = made;
    store_seen(people, c);
    parts_ways_changed(&people->turn->parts, c);
    return 0;
}

int contact_set_path(struct contacts *people, struct contact *c, enum contact_path path) {
    const enum contact_path was = c->path;
    c->path = path;
    int err = was == path ? 0 : contact_store_put(people, c);
    if (err) {
        c->path = was;
        return err;
    }
    err = contact_tell(people, c);
    parts_ways_changed(&people->turn->parts, c);
    return err;
}

void contacts_set_path(struct contacts *people, enum path_policy path) {
    const bool news = people->path != path;
    people->path = path;
    for (unsigned i = 0; news && i < people->count; i++) {
        struct contact *c = people->list[i];
        if (c->path != CONTACT_PATH_NODE)
            continue;
        const int err = contact_tell(people, c);
        if (err)
            turn_log(people->turn, LOG_WARN, "the ways of \"%s\" are as before: %s", c->name,
                     err_text(err));
        parts_ways_changed(&people->turn->parts, c);
    }
}

void contacts_end(struct contacts *people) {
    for (unsigned i = 0; i < people->count; i++) {
        struct contact *c = people->list[i];
        const int err = c->unstored ? contact_update(people, c) : 0;
        if (err)
            turn_log(people->turn, LOG_WARN, "what is new of \"%s\" was not stored: %s", c->name,
                     err_text(err));
    }
}

static enum contact_state state_of(const struct contacts *people, const struct contact *c) {
    switch (dial_state(people->dials, c->peering)) {
    case PEER_ONLINE:
        return CONTACT_ONLINE;
    case PEER_SILENT:
        return CONTACT_SILENT;
    case PEER_IDLE:
        return CONTACT_IDLE;
    case PEER_CONNECTING:
        return CONTACT_CONNECTING;
    case PEER_OFFLINE:
        break;
    }
    return CONTACT_OFFLINE;
}

void contact_info_fill(const struct contacts *people, const struct contact *c, uint64_t now_us,
                       struct contact_info *out) {
    memset(out, 0, sizeof *out);
    memcpy(out->name, c->name, sizeof out->name);
    out->id = c->id;
    out->paired = c->paired && c->kept;
    out->online = c->peering->online && endpoint_session_info(people->turn->ep, now_us,
                                                              c->peering->session, &out->session);
    const uint64_t heard_us = endpoint_heard_us(people->turn->ep, c->peering->ref);
    out->quiet_us = heard_us == 0 ? UINT64_MAX : now_us > heard_us ? now_us - heard_us : 0;
    out->state = state_of(people, c);
    memcpy(out->addrs, c->addrs, sizeof out->addrs);
    out->addr_count = c->addr_count;
    out->relays = c->relays;
    out->path_own = c->path;
    out->path = contact_path_policy(people, c);
    out->denied = out->online ? 0 : c->denied;
}
