/* message.c: messages that come, and the history as the user sees it. */
#include "node/message/message.h"

#include <stdlib.h>
#include <string.h>

#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/channel/reply.h"
#include "node/message/conversation.h"
#include "node/message/history.h"
#include "node/message/letter.h"

/* ---- receiving ---- */
static void answer(struct messages *talk, struct session_ref s, uint64_t stream, int why) {
    const struct cause c = turn_why(talk->turn, why);
    struct reply r = {.err = why, .limit = c.limit, .max = c.max};
    uint8_t out[REPLY_MAX_BYTES];
    size_t out_len, taken = 0;
    int err = reply_encode(&r, out, &out_len);
    if (!err)
        err = stream_write(talk->turn->ep, s, stream, out, out_len, &taken);
    if (!err && taken == out_len)
        err = stream_finish(talk->turn->ep, s, stream);
    else
        err = stream_reset(talk->turn->ep, s, stream, ERR_AGAIN);
    if (why)
        err = stream_stop(talk->turn->ep, s, stream, why);
    else
        stream_let_go(talk->turn->ep, s, stream);
    (void)err; /* a stream that is gone needs no answer: the message comes again */
}

/* It survives a power cut now: it is shown, and its sender may forget it. */
static void stored(const struct owed *o) {
    struct messages *talk = o->self;
    struct contact *c = contact_by_serial(talk->contacts, o->contact);
    if (o->ref) {
        talk->history.shown_seq = talk->history.told_seq = o->ref;
        talk->history.told_new = true;
        contacts_tell(talk->contacts, NODE_MESSAGE, c ? c->name : NULL)->id = o->ref;
    }
    if (c)
        c->talk->answers--;
    answer(talk, o->session, o->stream, 0);
}

/* Before the events leave: what was stored but not told when the process died is told by the next
 * one. If this cannot be written, it is told twice. */
void messages_turn(struct messages *talk) {
    if (!talk->history.told_new)
        return;
    talk->history.told_new = false;
    int err = history_told(&talk->history, talk->history.told_seq);
    if (err)
        turn_log(talk->turn, LOG_DEBUG, "what was told cannot be noted: %s", err_text(err));
}

/* The user learns once that there is no room, and once more after there was some. */
static void tell_full(struct messages *talk, struct contact *c) {
    if (!c->talk->full)
        contacts_tell(talk->contacts, NODE_MESSAGE_FULL, c->name)->total =
            talk->history.quota_contact_bytes;
    c->talk->full = true;
}

/* So many wait for their answer that the rest is for contacts with none, and for what we send. */
static bool owes_too_much(const struct messages *talk, const struct contact *c) {
    return c->talk->answers >= MESSAGES_UNANSWERED_MAX || talk->keep->owed >= KEEP_OWED_MAX ||
           (c->talk->answers > 0 && talk->keep->owed >= KEEP_OWED_MANY);
}

void message_come(struct messages *talk, struct contact *c, struct session_ref s, uint64_t stream,
                  const uint8_t *body, size_t len) {
    struct letter l;
    uint64_t seq = 0;
    const struct owed debt = {
        .run = stored, .self = talk, .session = s, .stream = stream, .contact = c->serial};
    stream_set_priority(talk->turn->ep, s, stream, MESSAGE_PRIORITY);
    int err = letter_decode(&l, body, len);
    if (!err && owes_too_much(talk, c))
        err = ERR_AGAIN;
    if (!err)
        err = history_keep(&talk->history, c, &l, &debt, &seq);
    if (err == ERR_FULL)
        tell_full(talk, c);
    if (err) {
        answer(talk, s, stream, err);
        return;
    }
    c->talk->answers++;
    c->talk->full = c->talk->full && seq == 0;
}

/* ---- the history ---- */
/* A petname, or the node id of somebody who was a contact. */
static bool find(const struct messages *talk, const char *who, struct node_id *id) {
    const struct contact *c = contact_by_name(talk->contacts, who);
    if (c)
        *id = c->id;
    return c || node_id_parse(id, who) == 0;
}

static enum message_state state_of(const struct contact *c, uint64_t seq, const struct mark *m) {
    if (m->incoming)
        return MESSAGE_RECEIVED;
    if (m->delivered)
        return MESSAGE_DELIVERED;
    if (m->failed)
        return MESSAGE_FAILED;
    if (!c || seq <= c->talk->dialog.void_seq)
        return MESSAGE_CANCELLED;
    return c->talk->refused ? MESSAGE_REFUSED : MESSAGE_QUEUED;
}

const char *message_state_name(enum message_state s) {
    switch (s) {
    case MESSAGE_RECEIVED:
        return "received";
    case MESSAGE_QUEUED:
        return "queued";
    case MESSAGE_REFUSED:
        return "refused";
    case MESSAGE_DELIVERED:
        return "delivered";
    case MESSAGE_FAILED:
        return "failed";
    case MESSAGE_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}

bool message_next(struct messages *talk, uint64_t after, const char *contact,
                  struct message_info *out) {
    struct entry e;
    struct node_id who;
    struct dialog t;
    uint64_t seq;
    if (contact && !find(talk, contact, &who))
        return false;
    if (history_next(&talk->history, contact ? &who : NULL, after, &seq, &e) != 0 ||
        seq > talk->history.shown_seq || dialog_get(&talk->history.dialogs, &e.peer, &t) != 0)
        return false;
    const struct contact *c = contact_by_id(talk->contacts, &e.peer);
    memset(out, 0, sizeof *out);
    out->seq = seq;
    memcpy(out->id, e.id, sizeof out->id);
    out->node = e.peer;
    memcpy(out->contact, c ? c->name : e.name, sizeof out->contact);
    out->outgoing = e.outgoing;
    out->delivered = e.mark.delivered;
    out->state = state_of(c, seq, &e.mark);
    out->err = e.mark.err;
    out->cause = cause_said(e.mark.err, LIMIT_NONE, 0);
    if (out->state == MESSAGE_REFUSED) {
        out->err = c->talk->refused;
        out->cause = c->talk->refused_why;
    } else if (out->state == MESSAGE_QUEUED && !c->peering->online) {
        out->err = c->denied;
        out->cause = cause_here(c->denied);
    }
    out->wall_us = e.wall_us;
    out->text = e.text;
    out->len = e.len;
    return true;
}

bool message_with(struct messages *talk, const char *contact) {
    struct node_id who;
    struct dialog t;
    return find(talk, contact, &who) &&
           (contact_by_id(talk->contacts, &who) ||
            (dialog_get(&talk->history.dialogs, &who, &t) == 0 && t.rows > 0));
}

int message_delete(struct messages *talk, const char *contact, uint64_t after, uint64_t upto,
                   struct message_cut *out) {
    struct node_id who;
    struct history_cut cut;
    memset(out, 0, sizeof *out);
    if (!find(talk, contact, &who) || !message_with(talk, contact))
        return ERR_NOT_FOUND;
    int err = history_delete(&talk->history, &who, after, upto, &cut);
    if (err)
        return err;
    *out = (struct message_cut){cut.deleted, cut.last, cut.more};
    return 0;
}

void message_contact_info(const struct contact *c, struct contact_info *out) {
    const struct conversation *t = c->talk;
    out->queued = c->peering->queued;
    out->refused = out->queued ? t->refused : 0;
    out->refused_why = t->refused_why;
    out->full = t->full;
    out->message_bytes = t->dialog.bytes;
}
