/* control_methods_peer.c: ticket.*, contact.*, peer.* */
#include <sodium.h>
#include <string.h>

#include "crypto/identity/identity.h"
#include "node/base/date.h"
#include "node/control/control_internal.h"
#include "node/peer/ping.h"
#include "node/people/ticket.h"

enum {
    TICKET_TTL_DEFAULT_S = 24 * 3600,
};

#define NAME_RULE                                                                                  \
    "1 to 64 bytes of UTF-8 without '/', control or invisible characters, beginning neither with " \
    "'-' nor with a space, nor ending with one"
_Static_assert(PETNAME_MAX == 64, "the sentence says so");

/* The sentence for an error about a contact's name. A name may also be kept for an open ticket, of
 * which the list of contacts shows nothing. */
static int name_failed(struct call *call, int err, const char *name) {
    struct contact_info info;
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, name, "there is no contact of that name");
    if (err == ERR_EXISTS && name && node_contact_get(call->c->node, call->now_us, name, &info))
        return call_fail(call, err, name, "a contact has that name already");
    if (err == ERR_EXISTS)
        return call_fail(call, err, name,
                         "an open ticket keeps the name \"%s\" for whoever uses it, until it is "
                         "burnt with: meshctl contact rm NAME",
                         name ? name : "");
    if (err == ERR_USAGE && name)
        return call_fail(call, err, name, "the name is not usable (" NAME_RULE ")");
    return call_fail(call, err, name, NULL);
}

/* Answered when the ticket survives a power cut: whoever is given it must find it. */
int do_ticket_new(struct call *call) {
    char name[PETNAME_MAX + 1], ticket[TICKET_TEXT_MAX + 1];
    bool named = arg_str(call, "name", name, sizeof name);
    uint64_t ttl_s = arg_uint(call, "ttl_s", TICKET_TTL_DEFAULT_S);
    if (ttl_s == 0)
        return call_fail(call, ERR_USAGE, "ttl_s", "\"ttl_s\" must be 1 or more");
    struct wait *w = wait_new(call, WAIT_TICKET, call->now_us + CONTROL_QUEUED_US);
    if (!w)
        return ERR_FULL;
    int err = node_ticket_new(call->c->node, call->now_us, named ? name : NULL, ttl_s, ticket);
    if (!err && !(w->ticket = strdup(ticket))) {
        err = node_ticket_end(call->c->node, call->now_us, ticket);
        err = err ? err : ERR_NOMEM;
    }
    w->ref = err ? 0 : node_ticket_id(ticket);
    w->ttl_s = ttl_s;
    sodium_memzero(ticket, sizeof ticket);
    if (!err)
        return CALL_LATER;
    wait_forget(call->c, w);
    return name_failed(call, err, named ? name : NULL);
}

/* Nobody has been, or will be, told this ticket. */
int do_ticket_end(struct call *call) {
    char ticket[TICKET_TEXT_MAX + 1];
    arg_str(call, "ticket", ticket, sizeof ticket);
    int err = node_ticket_end(call->c->node, call->now_us, ticket);
    sodium_memzero(ticket, sizeof ticket);
    if (err == ERR_FORMAT)
        return call_fail(call, err, "ticket", "the ticket is damaged, or holds no secret");
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, "ticket", "this node has no such ticket open");
    if (err)
        return call_fail(call, err, "ticket", NULL);
    proto_map(call->w, NULL);
    proto_end(call->w);
    return 0;
}

struct leads { /* what a ticket says, for sentences */
    struct node_id to;
    uint64_t expires_s;
};

static int expired(struct call *call, const struct leads *t) {
    char when[DATE_TEXT_MAX], now[DATE_TEXT_MAX];
    date_text(t->expires_s, when);
    date_text(node_wall_s(call->c->node, call->now_us), now);
    return call_fail(
        call, ERR_TIMEOUT, "ticket",
        "the ticket expired on %s; this computer's clock says %s (if that is wrong, set "
        "it)",
        when, now);
}

/* Why the ticket was not taken; each cause has its own sentence. */
static int add_failed(struct call *call, int err, const char *name, const struct leads *t) {
    struct contact_info info;
    if (err == ERR_FORMAT)
        return call_fail(call, err, "ticket", "the ticket is damaged or not a ticket");
    if (err == ERR_TIMEOUT)
        return expired(call, t);
    if (err == ERR_USAGE && node_id_equal(&t->to, node_self(call->c->node)))
        return call_fail(call, err, "ticket",
                         "the ticket is this node's own: it is for the other side to add, or else "
                         "ask them for theirs");
    if (err != ERR_EXISTS)
        return name_failed(call, err, name);
    if (node_contact_get(call->c->node, call->now_us, name, &info))
        return node_id_equal(&info.id, &t->to)
                   ? call_fail(
                         call, err, name,
                         "that node is a contact under this name already, and the ticket holds "
                         "no secret to pair with again")
                   : call_fail(call, err, name,
                               "another node is called \"%s\" here already: choose another name",
                               name);
    if (node_contact_by_id(call->c->node, call->now_us, &t->to, &info))
        return call_fail(call, err, info.name,
                         "that node is a contact already, called \"%s\": pair again under that "
                         "name, or give it another first, with: meshctl contact rename",
                         info.name);
    return name_failed(call, err, name);
}

/* Answered at once, or with `timeout_us` when it is known whether the other side lets us in. */
int do_contact_add(struct call *call) {
    char name[PETNAME_MAX + 1], ticket[TICKET_TEXT_MAX + 1];
    struct contact_info info;
    struct ticket t;
    const uint64_t timeout_us = arg_uint(call, "timeout_us", 0);
    struct wait *w = timeout_us ? wait_new(call, WAIT_ADDED, call->now_us + timeout_us) : NULL;
    if (timeout_us && !w)
        return ERR_FULL;
    arg_str(call, "name", name, sizeof name);
    arg_str(call, "ticket", ticket, sizeof ticket);
    int err = ticket_decode(&t, ticket);
    const struct leads leads = {.to = t.id, .expires_s = t.expires_s};
    ticket_clear(&t);
    if (!err)
        err = node_contact_add(call->c->node, call->now_us, name, ticket);
    sodium_memzero(ticket, sizeof ticket);
    if (!err && !node_contact_get(call->c->node, call->now_us, name, &info))
        err = ERR_NOT_FOUND;
    if (!err && w && !info.online) {
        memcpy(w->contact, name, sizeof w->contact);
        return CALL_LATER;
    }
    if (w)
        wait_forget(call->c, w);
    if (err)
        return add_failed(call, err, name, &leads);
    proto_map(call->w, NULL);
    show_contact(call->w, "contact", &info);
    proto_end(call->w);
    return 0;
}

int do_contact_remove(struct call *call) {
    char name[PETNAME_MAX + 1];
    arg_str(call, "name", name, sizeof name);
    int err = node_contact_remove(call->c->node, call->now_us, name);
    if (err)
        return name_failed(call, err, name);
    proto_map(call->w, NULL);
    proto_end(call->w);
    return 0;
}

int do_contact_rename(struct call *call) {
    char name[PETNAME_MAX + 1], to[PETNAME_MAX + 1];
    struct contact_info info;
    arg_str(call, "name", name, sizeof name);
    arg_str(call, "to", to, sizeof to);
    int err = node_contact_rename(call->c->node, call->now_us, name, to);
    if (err == ERR_USAGE || err == ERR_EXISTS)
        return name_failed(call, err, to);
    if (err)
        return name_failed(call, err, name);
    if (!node_contact_get(call->c->node, call->now_us, to, &info))
        return name_failed(call, ERR_NOT_FOUND, to);
    proto_map(call->w, NULL);
    show_contact(call->w, "contact", &info);
    proto_end(call->w);
    return 0;
}

/* One page of contacts: {key: [...], "next": offset of the next page or nil}. */
static int list(struct call *call, const char *key,
                void (*show)(struct proto_writer *, const char *, const struct contact_info *)) {
    struct proto_writer *w = call->w;
    struct contact_info info;
    unsigned i = (unsigned)arg_uint(call, "offset", 0);
    uint64_t limit = arg_limit(call), shown = 0;
    proto_map(w, NULL);
    proto_array(w, key);
    for (; shown < limit && w->len < CONTROL_PAGE_BYTES; shown++, i++) {
        if (!node_contact_at(call->c->node, call->now_us, i, &info))
            break;
        show(w, NULL, &info);
    }
    proto_end(w);
    if (node_contact_at(call->c->node, call->now_us, i, &info))
        proto_uint(w, "next", i);
    else
        proto_nil(w, "next");
    proto_end(w);
    return 0;
}

int do_contact_list(struct call *call) {
    return list(call, "contacts", show_contact);
}

int do_peer_list(struct call *call) {
    return list(call, "peers", show_peer);
}

int do_peer_connect(struct call *call) {
    char name[PETNAME_MAX + 1];
    arg_str(call, "name", name, sizeof name);
    int err = node_connect(call->c->node, call->now_us, name);
    if (err)
        return name_failed(call, err, name);
    proto_map(call->w, NULL);
    proto_end(call->w);
    return 0;
}

int do_peer_ping(struct call *call) {
    char name[PETNAME_MAX + 1];
    uint64_t id, timeout_us = arg_uint(call, "timeout_us", 0);
    arg_str(call, "name", name, sizeof name);
    if (timeout_us == 0 && arg_given(call, "timeout_us"))
        return call_fail(call, ERR_USAGE, "timeout_us", "\"timeout_us\" must be 1 or more");
    if (wait_count(call->c, call->conn, WAIT_PING) >= CONTROL_PINGS_MAX)
        return call_limit(call, LIMIT_PINGS_CONNECTION, CONTROL_PINGS_MAX, name);
    /* The node gives up at timeout_us by itself; the second is there in case that it does not. */
    struct wait *w =
        wait_new(call, WAIT_PING, call->now_us + (timeout_us ? timeout_us : PING_US) + 1000000);
    if (!w)
        return ERR_FULL;
    int err = node_ping(call->c->node, call->now_us, name, timeout_us, &id);
    if (err) {
        wait_forget(call->c, w);
        return name_failed(call, err, name);
    }
    w->ref = id;
    memcpy(w->contact, name, sizeof w->contact);
    return CALL_LATER;
}
