#include "node/control/methods/control_reach.h"

#include <stdio.h>
#include <string.h>

#include "node/control/methods/control_show.h"
#include "node/peer/dial.h"

enum { DENIED_TEXT_MAX = 256 };

/* ---- answers ---- */

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

bool reach_denied(const struct node_event *e) {
    return (e->kind == NODE_CONNECT_FAILED || e->kind == NODE_PEER_DOWN) && node_denied(e->err);
}

void reach_answer_denied(struct waits *ws, uint64_t now_us, struct wait *w, int err) {
    char text[DENIED_TEXT_MAX];
    struct contact_info info;
    const bool paired = node_contact_get(ws->node, now_us, w->contact, &info) && info.paired;
    snprintf(text, sizeof text, "\"%s\" %s", w->contact, denied_how(err, paired));
    wait_error(ws, now_us, w, err, text);
}

void reach_answer_removed(struct waits *ws, uint64_t now_us, struct wait *w) {
    wait_error(ws, now_us, w, ERR_NOT_FOUND, "the contact has been removed");
}

void reach_answer(struct waits *ws, uint64_t now_us, struct wait *w, bool as_contact) {
    struct contact_info info;
    if (!node_contact_get(ws->node, now_us, w->contact, &info)) {
        reach_answer_removed(ws, now_us, w);
        return;
    }
    struct proto_writer *out = wait_open(ws, w);
    if (as_contact)
        show_contact(out, "contact", &info);
    else
        show_peer(out, "peer", &info);
    wait_close(ws, now_us, w);
}

/* ---- attempts ---- */

bool reach_answers(const struct contact_info *info) {
    return info->state == CONTACT_ONLINE && info->quiet_us < DIAL_PATIENCE_US;
}

int reach_try(struct waits *ws, uint64_t now_us, struct wait *w) {
    struct contact_info info;
    const bool up = node_contact_get(ws->node, now_us, w->contact, &info) && info.online;
    w->ref = 0;
    w->retry_us = UINT64_MAX;
    /* A peer without an address, or one we cannot reach, may still come to us. */
    const int err = up ? node_ping(ws->node, now_us, w->contact, 0, &w->ref)
                       : node_connect(ws->node, now_us, w->contact);
    /* What was asked may be lost, and the peer heard by something else. */
    if (err || w->ref != 0)
        w->retry_us = now_us + CONTROL_RECONNECT_US;
    return err;
}

/* Tries again: the peer may have come up, may be unreachable still, or may be gone. */
static void retry(struct waits *ws, uint64_t now_us, struct wait *w) {
    struct contact_info info;
    if (node_contact_get(ws->node, now_us, w->contact, &info) && reach_answers(&info))
        reach_answer(ws, now_us, w, w->kind == &reach_added);
    else if (w->ref != 0) /* asked already */
        w->retry_us = now_us + CONTROL_RECONNECT_US;
    else if (reach_try(ws, now_us, w) == ERR_NOT_FOUND)
        reach_answer_removed(ws, now_us, w);
}

static void on_event(struct waits *ws, uint64_t now_us, struct wait *w,
                     const struct node_event *e) {
    if (strcmp(w->contact, e->contact) != 0)
        return;
    if (reach_denied(e)) {
        reach_answer_denied(ws, now_us, w, e->err);
        return;
    }
    if (e->kind == NODE_PEER_UP || (e->kind == NODE_PONG && e->id == w->ref))
        reach_answer(ws, now_us, w, w->kind == &reach_added);
    else if (e->kind == NODE_CONTACT_REMOVED)
        reach_answer_removed(ws, now_us, w);
    else if (e->kind == NODE_CONNECT_FAILED || e->kind == NODE_PEER_DOWN ||
             e->kind == NODE_PAIRING_FAILED || (e->kind == NODE_PING_FAILED && e->id == w->ref)) {
        w->ref = 0;
        w->retry_us = now_us + CONTROL_RECONNECT_US;
    }
}

/* It is added, and not there yet. */
static void added_expired(struct waits *ws, uint64_t now_us, struct wait *w) {
    reach_answer(ws, now_us, w, true);
}

const struct wait_kind reach_peer = {
    .event = on_event, .retry = retry, .late = "the peer did not come online in time"};
const struct wait_kind reach_added = {.event = on_event, .retry = retry, .expired = added_expired};
