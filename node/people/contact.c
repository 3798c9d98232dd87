#include "node/people/contact.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/utf8.h"
#include "node/node_int.h"
#include "node/people/contact_store.h"
#include "node/people/contact_table.h"

/* ---- names ---- */
bool petname_ok(const char *name) {
    size_t n = strlen(name);
    return n >= 1 && n <= PETNAME_MAX && utf8_all_plain(name, n) && !memchr(name, '/', n) &&
           name[0] != ' ' && name[0] != '-' && name[n - 1] != ' ';
}

bool contact_name_taken(const struct node *n, const char *name) {
    return contact_by_name(n, name) || invite_name_taken(n, name);
}

void contact_free_name(const struct node *n, const struct node_id *id,
                       char out[static PETNAME_MAX + 1]) {
    char text[NODE_ID_TEXT_CHARS + 1];
    node_id_text(id, text);
    snprintf(out, PETNAME_MAX + 1, "peer-%.8s", text + sizeof NODE_ID_HRP);
    for (unsigned i = 2; contact_name_taken(n, out); i++)
        snprintf(out, PETNAME_MAX + 1, "peer-%.8s-%u", text + sizeof NODE_ID_HRP, i);
}

/* ---- in and out ---- */
/* What is planned for it is kept by the index of its peer. */
static int known_as(struct node *n, struct contact *c, struct peer_ref ref) {
    const bool moved = ref.index != c->peer.index;
    if (moved)
        dial_forget(n, c);
    int err = contact_table_peer(&n->contacts, c, ref);
    if (moved)
        dial_again(n, c);
    return err;
}

int contact_tell(struct node *n, struct contact *c) {
    struct peer_setup s = {.id = c->id,
                           .transport = c->transport,
                           .pairing = c->pairing,
                           .addr_count = c->addr_count,
                           .cert_seq = c->cert_seq};
    struct peer_ref ref = {0};
    if (c->paired && c->kept)
        s.psks[s.psk_count++] = c->psk;
    if (c->pairing)
        s.psks[s.psk_count++] = c->ticket;
    memcpy(s.addrs, c->addrs, sizeof s.addrs);
    int err = endpoint_peer_add(n->ep, &s, &ref);
    sodium_memzero(&s, sizeof s);
    if (!err && c->serial)
        err = known_as(n, c, ref);
    else if (!err)
        c->peer = ref; /* not in the table yet */
    return err;
}

int contact_take_in(struct node *n, const struct contact *model, struct contact **out) {
    if (contact_by_name(n, model->name) || contact_by_id(n, &model->id))
        return ERR_EXISTS;
    struct contact *c = calloc(1, sizeof *c);
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
    int err = contact_tell(n, c);
    if (!err) {
        err = contact_table_insert(&n->contacts, c);
        if (err == ERR_FULL)
            err = node_met(n, LIMIT_CONTACTS, CONTACTS_MAX);
        if (err)
            endpoint_peer_remove(n->ep, n->now_us, c->peer);
    }
    if (err)
        contact_free(c);
    else
        *out = c;
    return err;
}

void contact_take_out(struct node *n, struct contact *c) {
    dial_forget(n, c);
    contact_table_remove(&n->contacts, c);
    endpoint_peer_remove(n->ep, n->now_us, c->peer);
    contact_free(c);
}

void contacts_clear(struct node *n) {
    contact_table_clear(&n->contacts);
}

struct contact *contact_by_session(const struct node *n, struct session_ref s) {
    struct peer_ref p;
    struct contact *c = endpoint_session_peer(n->ep, s, &p) ? contact_by_peer(n, p) : NULL;
    return c && c->online && session_ref_equal(c->session, s) ? c : NULL;
}

/* ---- changing ---- */
int contact_add(struct node *n, const struct contact *model, struct contact **out) {
    int err = contact_take_in(n, model, out);
    if (err)
        return err;
    err = contact_store_put(n, *out);
    if (err)
        contact_take_out(n, *out);
    else
        node_tell(n, NODE_CONTACT_ADDED, (*out)->name);
    return err;
}

int contact_update(struct node *n, struct contact *c) {
    int err = contact_store_put(n, c);
    c->unstored = err != 0;
    if (!err)
        c->denied_stored = c->denied;
    return err ? err : contact_tell(n, c);
}

int contact_rename(struct node *n, struct contact *c, const char *to) {
    char was[PETNAME_MAX + 1];
    struct contact renamed = *c;
    memcpy(was, c->name, sizeof was);
    snprintf(renamed.name, sizeof renamed.name, "%s", to);
    int err = contact_store_put(n, &renamed);
    sodium_memzero(&renamed, sizeof renamed);
    if (err)
        return err;
    c->denied_stored = c->denied;
    contact_table_rename(&n->contacts, c, to);
    transfers_contact_renamed(n, c);
    struct node_event *e = node_tell(n, NODE_CONTACT_RENAMED, c->name);
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
static bool may_store(const struct node *n, struct contact *c) {
    if (c->stored_us < n->now_us)
        c->stored_us = n->now_us;
    if (c->stored_us - n->now_us > (uint64_t)(CONTACT_SEEN_BURST - 1) * CONTACT_SEEN_US)
        return false;
    c->stored_us += CONTACT_SEEN_US;
    return true;
}

void contact_seen_at(struct node *n, struct contact *c, const struct addr *at) {
    bool news = c->addr_count == 0 || !addr_equal(&c->addrs[0], at);
    if (at->kind == ADDR_NONE || (!news && !c->unstored))
        return;
    contact_addr_first(c, at);
    const bool store = may_store(n, c);
    int err = store ? contact_update(n, c) : contact_tell(n, c);
    c->unstored |= !store;
    if (err)
        node_log(n, LOG_WARN, "the address of \"%s\" was not stored: %s", c->name, err_text(err));
}

void contacts_end(struct node *n) {
    for (unsigned i = 0; i < n->contacts.count; i++) {
        struct contact *c = n->contacts.list[i];
        const int err = c->unstored ? contact_update(n, c) : 0;
        if (err)
            node_log(n, LOG_WARN, "what is new of \"%s\" was not stored: %s", c->name,
                     err_text(err));
    }
}

void contact_info_fill(const struct node *n, const struct contact *c, uint64_t now_us,
                       struct contact_info *out) {
    memset(out, 0, sizeof *out);
    memcpy(out->name, c->name, sizeof out->name);
    out->id = c->id;
    out->paired = c->paired && c->kept;
    out->online = c->online && endpoint_session_info(n->ep, now_us, c->session, &out->session);
    out->state = dial_state(n, c);
    const uint64_t heard_us = endpoint_heard_us(n->ep, c->peer);
    out->quiet_us = heard_us == 0 ? UINT64_MAX : now_us > heard_us ? now_us - heard_us : 0;
    memcpy(out->addrs, c->addrs, sizeof out->addrs);
    out->addr_count = c->addr_count;
    out->queued = c->queued;
    out->denied = out->online ? 0 : c->denied;
    out->refused = c->queued ? c->refused : 0;
    out->refused_why = c->refused_why;
    out->full = c->full;
    out->message_bytes = c->dialog.bytes;
}
