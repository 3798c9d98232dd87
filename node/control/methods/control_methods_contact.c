/* control_methods_contact.c: ticket.*, contact.*: who is let in, and what they are called. */
#include <sodium.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "crypto/identity/identity.h"
#include "node/base/date.h"
#include "node/base/path_words.h"
#include "node/control/call/control_args.h"
#include "node/control/call/control_group.h"
#include "node/control/call/control_page.h"
#include "node/control/methods/control_reach.h"
#include "node/control/methods/control_show.h"
#include "node/people/ticket.h"

enum {
    TICKET_TTL_DEFAULT_S = 24 * 3600,
    PATH_WORD_MAX = 16,
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
        return call_no_contact(call, name);
    if (err == ERR_EXISTS && name && node_contact_get(call->node, call->now_us, name, &info))
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

/* ---- tickets ---- */

/* Nobody will be told this ticket. */
static void take_back(struct waits *ws, uint64_t now_us, struct wait *w) {
    if (w->text && node_ticket_end(ws->node, now_us, w->text) != 0) {
        /* It cannot be taken off the disk now: it expires, unknown to anybody. */
    }
}

static void ticket_event(struct waits *ws, uint64_t now_us, struct wait *w,
                         const struct node_event *e) {
    if (e->kind != NODE_TICKET_STORED || e->id != w->ref)
        return;
    struct proto_writer *out = wait_open(ws, w);
    proto_str(out, "ticket", w->text);
    proto_uint(out, "ttl_s", w->extra);
    wait_close(ws, now_us, w);
}

static void ticket_expired(struct waits *ws, uint64_t now_us, struct wait *w) {
    take_back(ws, now_us, w);
    wait_error(ws, now_us, w, ERR_IO,
               "the ticket could not be made safe on the disk in time, and is taken back");
}

static const struct wait_kind until_stored = {
    .event = ticket_event, .expired = ticket_expired, .dropped = take_back};

/* Answered when the ticket survives a power cut: whoever is given it must find it. */
static int do_ticket_new(struct call *call) {
    char name[PETNAME_MAX + 1], ticket[TICKET_TEXT_MAX + 1];
    bool named = arg_str(call, "name", name, sizeof name);
    uint64_t ttl_s = arg_uint(call, "ttl_s", TICKET_TTL_DEFAULT_S);
    if (ttl_s == 0)
        return call_fail(call, ERR_USAGE, "ttl_s", "\"ttl_s\" must be 1 or more");
    struct wait *w = wait_new(call, &until_stored, call->now_us + CONTROL_QUEUED_US);
    if (!w)
        return ERR_FULL;
    int err = node_ticket_new(call->node, call->now_us, named ? name : NULL, ttl_s, ticket);
    if (!err && !(w->text = mem_strdup(ticket))) {
        err = node_ticket_end(call->node, call->now_us, ticket);
        err = err ? err : ERR_NOMEM;
    }
    w->ref = err ? 0 : node_ticket_id(ticket);
    w->extra = ttl_s;
    sodium_memzero(ticket, sizeof ticket);
    if (!err)
        return CALL_LATER;
    wait_forget(call->waits, w);
    if (err == ERR_UNSUPPORTED)
        return call_fail(call, err, NULL,
                         "this node is to be reached by relays only (policy = relay_only), and "
                         "none is known that a ticket could name");
    return name_failed(call, err, named ? name : NULL);
}

/* Nobody has been, or will be, told this ticket. */
static int do_ticket_end(struct call *call) {
    char ticket[TICKET_TEXT_MAX + 1];
    arg_str(call, "ticket", ticket, sizeof ticket);
    int err = node_ticket_end(call->node, call->now_us, ticket);
    sodium_memzero(ticket, sizeof ticket);
    if (err == ERR_FORMAT)
        return call_fail(call, err, "ticket", "the ticket is damaged, or holds no secret");
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, "ticket", "this node has no such ticket open");
    if (err)
        return call_fail(call, err, "ticket", NULL);
    return call_empty(call);
}

/* ---- contacts ---- */

static int answer_contact(struct call *call, const struct contact_info *info) {
    proto_map(call->w, NULL);
    show_contact(call->w, "contact", info);
    proto_end(call->w);
    return 0;
}

struct leads { /* what a ticket says, for sentences */
    struct node_id to;
    uint64_t expires_s;
    char wrong[TICKET_WRONG_MAX]; /* why it is none; empty: it is one */
};

static int expired(struct call *call, const struct leads *t) {
    char when[DATE_TEXT_MAX], now[DATE_TEXT_MAX];
    date_text(t->expires_s, when);
    date_text(node_wall_s(call->node, call->now_us), now);
    return call_fail(
        call, ERR_TIMEOUT, "ticket",
        "the ticket expired on %s; this computer's clock says %s (if that is wrong, set "
        "it)",
        when, now);
}

/* Why the ticket was not taken; each cause has its own sentence. */
static int add_failed(struct call *call, int err, const char *name, const struct leads *t) {
    struct contact_info info;
    if (t->wrong[0])
        return call_fail(call, err, "ticket", "%s", t->wrong);
    if (err == ERR_TIMEOUT)
        return expired(call, t);
    if (err == ERR_USAGE && node_id_equal(&t->to, node_self(call->node)))
        return call_fail(call, err, "ticket",
                         "the ticket is this node's own: it is for the other side to add, or else "
                         "ask them for theirs");
    if (err != ERR_EXISTS)
        return name_failed(call, err, name);
    if (node_contact_get(call->node, call->now_us, name, &info))
        return node_id_equal(&info.id, &t->to)
                   ? call_fail(
                         call, err, name,
                         "that node is a contact under this name already, and the ticket holds "
                         "no secret to pair with again")
                   : call_fail(call, err, name,
                               "another node is called \"%s\" here already: choose another name",
                               name);
    if (node_contact_by_id(call->node, call->now_us, &t->to, &info))
        return call_fail(call, err, info.name,
                         "that node is a contact already, called \"%s\": pair again under that "
                         "name, or give it another first, with: meshctl contact rename",
                         info.name);
    return name_failed(call, err, name);
}

/* Answered at once, or with `timeout_us` when it is known whether the other side lets us in. */
static int do_contact_add(struct call *call) {
    char name[PETNAME_MAX + 1], ticket[TICKET_TEXT_MAX + 1];
    struct contact_info info;
    struct ticket t;
    const uint64_t timeout_us = arg_uint(call, "timeout_us", 0);
    struct wait *w = timeout_us ? wait_new(call, &reach_added, call->now_us + timeout_us) : NULL;
    if (timeout_us && !w)
        return ERR_FULL;
    arg_str(call, "name", name, sizeof name);
    arg_str(call, "ticket", ticket, sizeof ticket);
    int err = ticket_decode(&t, ticket);
    struct leads leads = {.to = t.id, .expires_s = t.expires_s};
    ticket_clear(&t);
    if (err)
        ticket_wrong(ticket, leads.wrong);
    if (!err)
        err = node_contact_add(call->node, call->now_us, name, ticket);
    sodium_memzero(ticket, sizeof ticket);
    if (!err && !node_contact_get(call->node, call->now_us, name, &info))
        err = ERR_NOT_FOUND;
    if (!err && w && !info.online) {
        memcpy(w->contact, name, sizeof w->contact);
        return CALL_LATER;
    }
    if (w)
        wait_forget(call->waits, w);
    if (err)
        return add_failed(call, err, name, &leads);
    return answer_contact(call, &info);
}

static int do_contact_remove(struct call *call) {
    char name[PETNAME_MAX + 1];
    arg_str(call, "name", name, sizeof name);
    int err = node_contact_remove(call->node, call->now_us, name);
    if (err)
        return name_failed(call, err, name);
    return call_empty(call);
}

static int do_contact_rename(struct call *call) {
    char name[PETNAME_MAX + 1], to[PETNAME_MAX + 1];
    struct contact_info info;
    arg_str(call, "name", name, sizeof name);
    arg_str(call, "to", to, sizeof to);
    int err = node_contact_rename(call->node, call->now_us, name, to);
    if (err == ERR_USAGE || err == ERR_EXISTS)
        return name_failed(call, err, to);
    if (err)
        return name_failed(call, err, name);
    if (!node_contact_get(call->node, call->now_us, to, &info))
        return name_failed(call, ERR_NOT_FOUND, to);
    return answer_contact(call, &info);
}

/* "default": the node's policy holds. */
static int path_of(const char *word, enum contact_path *out) {
    enum path_policy p;
    *out = CONTACT_PATH_NODE;
    if (strcmp(word, "default") == 0)
        return 0;
    if (path_policy_parse(&p, word) != 0)
        return ERR_USAGE;
    switch (p) {
    case PATH_AUTO:
        *out = CONTACT_PATH_AUTO;
        break;
    case PATH_RELAY_ONLY:
        *out = CONTACT_PATH_RELAY_ONLY;
        break;
    case PATH_DIRECT_ONLY:
        *out = CONTACT_PATH_DIRECT_ONLY;
        break;
    }
    return 0;
}

static int do_contact_path(struct call *call) {
    char name[PETNAME_MAX + 1], word[PATH_WORD_MAX + 1];
    struct contact_info info;
    enum contact_path path;
    arg_str(call, "name", name, sizeof name);
    arg_str(call, "path", word, sizeof word);
    if (path_of(word, &path) != 0)
        return call_fail(call, ERR_USAGE, "path",
                         "\"path\" may be: " PATH_WORDS " or default (what the settings say)");
    const int err = node_contact_path(call->node, call->now_us, name, path);
    if (err)
        return name_failed(call, err, name);
    if (!node_contact_get(call->node, call->now_us, name, &info))
        return name_failed(call, ERR_NOT_FOUND, name);
    return answer_contact(call, &info);
}

static int do_contact_list(struct call *call) {
    struct contact_info info;
    struct page p = page_open(call, "contacts");
    while (page_room(&p) && node_contact_at(call->node, call->now_us, p.at, &info)) {
        show_contact(call->w, NULL, &info);
        page_step(&p);
    }
    return page_close(&p, node_contact_at(call->node, call->now_us, p.at, &info));
}

static const struct method methods[] = {
    {"ticket.new",
     do_ticket_new,
     {{"name", ARG_STR, false, PETNAME_MAX}, {"ttl_s", ARG_UINT, false, CONTROL_TTL_MAX_S}}},
    {"ticket.end", do_ticket_end, {{"ticket", ARG_STR, true, TICKET_TEXT_MAX}}},
    {"contact.add",
     do_contact_add,
     {ARG_NAME, {"ticket", ARG_STR, true, TICKET_TEXT_MAX}, ARG_TIMEOUT}},
    {"contact.list", do_contact_list, {ARGS_PAGE}},
    {"contact.remove", do_contact_remove, {ARG_NAME}},
    {"contact.path", do_contact_path, {ARG_NAME, {"path", ARG_STR, true, PATH_WORD_MAX}}},
    {"contact.rename", do_contact_rename, {ARG_NAME, {"to", ARG_STR, true, PETNAME_MAX}}},
    {NULL, NULL, {{0}}},
};

/* ---- events ---- */

static void show_was(const struct telling *t) {
    proto_str(t->w, "was", t->e->detail);
}

static void show_why(const struct telling *t) {
    show_event_error(t->w, t->e);
}

static const struct event_row events[] = {
    {.kind = NODE_CONTACT_ADDED},
    {.kind = NODE_CONTACT_REMOVED},
    {.kind = NODE_CONTACT_RENAMED, .show = show_was},
    {.kind = NODE_CONTACT_DENIED, .show = show_why},
    {.kind = NODE_PAIRING_FAILED, .show = show_why},
    {.kind = NODE_TICKET_STORED},
};

const struct group control_group_contact = {
    .methods = methods, .events = events, .event_count = sizeof events / sizeof *events};
