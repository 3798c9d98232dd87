/* control_wait.c: requests that are answered later. Each has an entry in one bounded table; an
 * event, a deadline or the end of its connection removes it.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/control_internal.h"
#include "node/peer/dial.h"

/* Whether the connection has as many as are free already. */
static bool share_used(const struct control *c, uint32_t conn) {
    unsigned used = 0, own = 0;
    for (unsigned i = 0; i < c->waits_end; i++) {
        used += c->waits[i].kind != WAIT_NONE;
        own += c->waits[i].kind != WAIT_NONE && c->waits[i].conn == conn;
    }
    return own >= CONTROL_WAITS_MAX - used;
}

struct wait *wait_new(struct call *call, enum wait_kind kind, uint64_t deadline_us) {
    struct control *c = call->c;
    uint32_t conn = (uint32_t)(call->conn - c->conns);
    bool taken = share_used(c, conn);
    for (unsigned i = 0; !taken && i < CONTROL_WAITS_MAX; i++) {
        if (c->waits[i].kind != WAIT_NONE)
            continue;
        c->waits[i] = (struct wait){.kind = kind,
                                    .conn = conn,
                                    .request = call->id,
                                    .deadline_us = deadline_us,
                                    .retry_us = UINT64_MAX};
        if (i >= c->waits_end)
            c->waits_end = i + 1;
        return &c->waits[i];
    }
    int err = call_limit(call, LIMIT_REQUESTS, CONTROL_WAITS_MAX, NULL);
    (void)err; /* the caller says so */
    return NULL;
}

void wait_forget(struct control *c, struct wait *w) {
    w->kind = WAIT_NONE;
    if (w->ticket)
        sodium_memzero(w->ticket, strlen(w->ticket));
    free(w->ticket);
    w->ticket = NULL;
    while (c->waits_end > 0 && c->waits[c->waits_end - 1].kind == WAIT_NONE)
        c->waits_end--;
}

/* Nobody will be told this ticket. */
static void take_back(struct control *c, uint64_t now_us, const struct wait *w) {
    if (w->kind == WAIT_TICKET && w->ticket && node_ticket_end(c->node, now_us, w->ticket) != 0) {
        /* It cannot be taken off the disk now: it expires, unknown to anybody. */
    }
}

unsigned wait_count(const struct control *c, const struct conn *conn, enum wait_kind kind) {
    unsigned n = 0;
    for (unsigned i = 0; i < c->waits_end; i++)
        n += c->waits[i].kind == kind && &c->conns[c->waits[i].conn] == conn;
    return n;
}

void wait_drop_conn(struct control *c, uint64_t now_us, uint32_t conn_index) {
    for (unsigned i = 0; i < c->waits_end; i++) {
        struct wait *w = &c->waits[i];
        if (w->kind == WAIT_NONE || w->conn != conn_index)
            continue;
        if (w->kind == WAIT_PING)
            node_ping_stop(c->node, w->ref);
        take_back(c, now_us, w);
        wait_forget(c, w);
    }
}

bool own_message(struct node *n, uint64_t seq, struct message_info *out) {
    return seq > 0 && node_message_next(n, seq - 1, NULL, out) && out->seq == seq && out->outgoing;
}

/* ---- answers ---- */

static void answer_failure(struct control *c, uint64_t now_us, struct wait *w,
                           const struct failure *f) {
    proto_writer_reset(&c->w);
    proto_error_told(&c->w, w->request, f);
    wait_forget(c, w);
    conn_push(c, now_us, &c->conns[w->conn]);
}

static void answer_error(struct control *c, uint64_t now_us, struct wait *w, int err,
                         const char *text) {
    const struct failure f = {err, cause_here(err), text, w->contact};
    answer_failure(c, now_us, w, &f);
}

/* With what the event says of the error. */
static void answer_event(struct control *c, uint64_t now_us, struct wait *w,
                         const struct node_event *e) {
    const struct failure f = {e->err ? e->err : ERR_FAILED, e->cause, NULL, w->contact};
    answer_failure(c, now_us, w, &f);
}

static void answer_open(struct control *c, const struct wait *w) {
    proto_writer_reset(&c->w);
    proto_response(&c->w, w->request);
    proto_map(&c->w, NULL);
}

static void answer_close(struct control *c, uint64_t now_us, struct wait *w) {
    proto_end(&c->w);
    wait_forget(c, w);
    conn_push(c, now_us, &c->conns[w->conn]);
    proto_writer_reset(&c->w); /* a ticket may have been in it */
}

static void answer_contact(struct control *c, uint64_t now_us, struct wait *w) {
    struct contact_info info;
    if (!node_contact_get(c->node, now_us, w->contact, &info)) {
        answer_error(c, now_us, w, ERR_NOT_FOUND, "the contact has been removed");
        return;
    }
    answer_open(c, w);
    if (w->kind == WAIT_ADDED)
        show_contact(&c->w, "contact", &info);
    else
        show_peer(&c->w, "peer", &info);
    answer_close(c, now_us, w);
}

static const char *denied_how(int err, bool paired) {
    switch (err) {
    case ERR_TICKET:
        return "does not take the ticket: it was used already, has expired, or was never theirs";
    case ERR_UNKNOWN:
        return paired ? "has removed this node from its contacts"
                      : "does not have this node among its contacts";
    case ERR_SECRET:
        return "has this node as a contact, but with another secret than the one here";
    case ERR_STALE:
        return "knows a newer key of this node: this state directory is an older copy";
    case ERR_AUTH:
        return "is not who answers there: it is another node";
    default:
        return "does not let this node in";
    }
}

void denied_text(struct control *c, uint64_t now_us, const char *contact, int err,
                 char out[static DENIED_TEXT_MAX]) {
    struct contact_info info;
    const bool paired = node_contact_get(c->node, now_us, contact, &info) && info.paired;
    snprintf(out, DENIED_TEXT_MAX, "\"%s\" %s", contact, denied_how(err, paired));
}

static void answer_denied(struct control *c, uint64_t now_us, struct wait *w, int err) {
    char text[DENIED_TEXT_MAX];
    denied_text(c, now_us, w->contact, err, text);
    answer_error(c, now_us, w, err, text);
}

static void answer_transfer(struct control *c, uint64_t now_us, struct wait *w) {
    struct transfer_info info;
    if (!node_transfer_get(c->node, w->ref, &info)) {
        answer_error(c, now_us, w, ERR_NOT_FOUND, "the transfer is gone");
        return;
    }
    answer_open(c, w);
    show_transfer(&c->w, "transfer", c->node, &info, now_us);
    answer_close(c, now_us, w);
}

static void answer_pong(struct control *c, uint64_t now_us, struct wait *w,
                        const struct node_event *e) {
    answer_open(c, w);
    proto_str(&c->w, "name", e->contact);
    show_id(&c->w, "node", &e->node);
    proto_uint(&c->w, "rtt_us", e->rtt_us);
    show_addr(&c->w, "path", &e->addr);
    answer_close(c, now_us, w);
}

/* ---- a peer ---- */

bool wait_peer_answers(const struct contact_info *info) {
    return info->state == CONTACT_ONLINE && info->quiet_us < DIAL_PATIENCE_US;
}

int wait_peer_try(struct control *c, uint64_t now_us, struct wait *w) {
    struct contact_info info;
    const bool up = node_contact_get(c->node, now_us, w->contact, &info) && info.online;
    w->ref = 0;
    w->retry_us = UINT64_MAX;
    /* A peer without an address, or one we cannot reach, may still come to us. */
    const int err = up ? node_ping(c->node, now_us, w->contact, 0, &w->ref)
                       : node_connect(c->node, now_us, w->contact);
    if (err)
        w->retry_us = now_us + CONTROL_RECONNECT_US;
    return err;
}

/* ---- events ---- */

/* An attempt has come to its end, or a session: the contact's node does not let this one in. */
static bool tells_denial(const struct node_event *e) {
    return (e->kind == NODE_CONNECT_FAILED || e->kind == NODE_PEER_DOWN) && node_denied(e->err);
}

static void peer_event(struct control *c, uint64_t now_us, struct wait *w,
                       const struct node_event *e) {
    if (strcmp(w->contact, e->contact) != 0)
        return;
    if (tells_denial(e)) {
        answer_denied(c, now_us, w, e->err);
        return;
    }
    if (e->kind == NODE_PEER_UP || (e->kind == NODE_PONG && e->id == w->ref))
        answer_contact(c, now_us, w);
    else if (e->kind == NODE_CONTACT_REMOVED)
        answer_error(c, now_us, w, ERR_NOT_FOUND, "the contact has been removed");
    else if (e->kind == NODE_CONNECT_FAILED || e->kind == NODE_PEER_DOWN ||
             e->kind == NODE_PAIRING_FAILED || (e->kind == NODE_PING_FAILED && e->id == w->ref))
        w->retry_us = now_us + CONTROL_RECONNECT_US;
}

static void message_event(struct control *c, uint64_t now_us, struct wait *w,
                          const struct node_event *e) {
    if (e->kind == NODE_MESSAGE_DELIVERED && e->id == w->ref) {
        answer_open(c, w);
        proto_uint(&c->w, "seq", w->ref);
        proto_bool(&c->w, "delivered", true);
        answer_close(c, now_us, w);
    } else if (e->kind == NODE_MESSAGE_FAILED && e->id == w->ref) {
        answer_event(c, now_us, w, e);
    } else if (strcmp(w->contact, e->contact) != 0) {
        return;
    } else if (tells_denial(e)) {
        answer_denied(c, now_us, w, e->err);
    } else if (e->kind == NODE_CONTACT_REMOVED) {
        answer_error(c, now_us, w, ERR_NOT_FOUND, "the contact has been removed");
    } else if (w->until_offline && e->err == ERR_OFFLINE &&
               (e->kind == NODE_CONNECT_FAILED || e->kind == NODE_PEER_SILENT)) {
        answer_error(c, now_us, w, ERR_OFFLINE,
                     "the peer does not answer; the message stays queued");
    }
}

static void ping_failed(struct control *c, uint64_t now_us, struct wait *w,
                        const struct node_event *e) {
    if (node_denied(e->err))
        answer_denied(c, now_us, w, e->err);
    else
        answer_event(c, now_us, w, e);
}

static void wait_one_event(struct control *c, uint64_t now_us, struct wait *w,
                           const struct node_event *e) {
    switch (w->kind) {
    case WAIT_NONE:
        return;
    case WAIT_PEER:
    case WAIT_ADDED:
        peer_event(c, now_us, w, e);
        return;
    case WAIT_CONTACT:
        if ((e->kind == NODE_CONTACT_ADDED || e->kind == NODE_CONTACT_RENAMED) &&
            strcmp(w->contact, e->contact) == 0)
            answer_contact(c, now_us, w);
        return;
    case WAIT_PING:
        if (e->kind == NODE_PONG && e->id == w->ref)
            answer_pong(c, now_us, w, e);
        else if (e->kind == NODE_PING_FAILED && e->id == w->ref)
            ping_failed(c, now_us, w, e);
        return;
    case WAIT_TRANSFER:
        if ((e->kind == NODE_TRANSFER_DONE || e->kind == NODE_TRANSFER_FAILED) && e->id == w->ref)
            answer_transfer(c, now_us, w);
        return;
    case WAIT_QUEUED:
        if (e->kind == NODE_MESSAGE_QUEUED && e->id == w->ref) {
            answer_open(c, w);
            proto_uint(&c->w, "seq", w->ref);
            answer_close(c, now_us, w);
        }
        return;
    case WAIT_TICKET:
        if (e->kind == NODE_TICKET_STORED && e->id == w->ref) {
            answer_open(c, w);
            proto_str(&c->w, "ticket", w->ticket);
            proto_uint(&c->w, "ttl_s", w->ttl_s);
            answer_close(c, now_us, w);
        }
        return;
    case WAIT_MESSAGE:
        message_event(c, now_us, w, e);
        return;
    }
}

void wait_event(struct control *c, uint64_t now_us, const struct node_event *e) {
    if (e->kind == NODE_TRANSFER_PROGRESS)
        return;
    for (unsigned i = 0; i < c->waits_end; i++) {
        struct wait *w = &c->waits[i];
        /* Who waits for a contact goes on waiting for it under its new name. */
        if (e->kind == NODE_CONTACT_RENAMED && w->kind != WAIT_CONTACT &&
            strcmp(w->contact, e->detail) == 0)
            memcpy(w->contact, e->contact, sizeof w->contact);
        wait_one_event(c, now_us, w, e);
    }
}

/* ---- time ---- */

static const char *timeout_text(enum wait_kind k) {
    switch (k) {
    case WAIT_PEER:
        return "the peer did not come online in time";
    case WAIT_CONTACT:
        return "no contact of that name appeared in time";
    case WAIT_PING:
        return "no answer came in time";
    case WAIT_TRANSFER:
        return "the transfer did not end in time; it goes on";
    case WAIT_QUEUED:
        return "the message is stored, but not safe on the disk yet; it leaves once it is";
    case WAIT_TICKET:
        return "the ticket could not be made safe on the disk in time, and is taken back";
    case WAIT_MESSAGE:
        return "the peer has not confirmed the message yet; it stays queued";
    case WAIT_ADDED:
    case WAIT_NONE:
        break;
    }
    return NULL;
}

uint64_t wait_deadline_us(const struct control *c) {
    uint64_t first = UINT64_MAX;
    for (unsigned i = 0; i < c->waits_end; i++) {
        const struct wait *w = &c->waits[i];
        if (w->kind == WAIT_NONE)
            continue;
        if (w->deadline_us < first)
            first = w->deadline_us;
        if (w->retry_us < first)
            first = w->retry_us;
    }
    return first;
}

/* Tries again: the peer may have come up, may be unreachable still, or may be gone. */
static void reconnect(struct control *c, uint64_t now_us, struct wait *w) {
    struct contact_info info;
    if (node_contact_get(c->node, now_us, w->contact, &info) && wait_peer_answers(&info))
        answer_contact(c, now_us, w);
    else if (wait_peer_try(c, now_us, w) == ERR_NOT_FOUND)
        answer_error(c, now_us, w, ERR_NOT_FOUND, "the contact has been removed");
}

void wait_timeout(struct control *c, uint64_t now_us) {
    unsigned retries = 0; /* each costs X25519: what is over is due at the next turn, too */
    for (unsigned i = 0; i < c->waits_end; i++) {
        struct wait *w = &c->waits[i];
        if (w->kind == WAIT_NONE)
            continue;
        if (now_us >= w->deadline_us && w->kind == WAIT_ADDED) {
            answer_contact(c, now_us, w); /* it is added, and not there yet */
        } else if (now_us >= w->deadline_us) {
            const bool disk = w->kind == WAIT_QUEUED || w->kind == WAIT_TICKET;
            take_back(c, now_us, w);
            answer_error(c, now_us, w, disk ? ERR_IO : ERR_TIMEOUT, timeout_text(w->kind));
        } else if (now_us >= w->retry_us && retries++ < CONTROL_RETRIES)
            reconnect(c, now_us, w);
    }
}
