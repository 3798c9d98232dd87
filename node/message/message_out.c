/* message_out.c: the outbox: what waits is sent, one message per contact at a time. */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/api/utf8.h"
#include "node/base/keep.h"
#include "node/base/owner.h"
#include "node/channel/delimited.h"
#include "node/channel/reply.h"
#include "node/message/conversation.h"
#include "node/message/history.h"
#include "node/message/letter.h"
#include "node/message/message.h"

struct posting { /* a message on its way */
    uint64_t seq;
    uint64_t stream;
    uint8_t *out;
    size_t len, at;
    struct blob_in reply;
};

void message_count_down(struct messages *talk, struct contact *c, uint32_t by) {
    c->peering->queued -= by;
    talk->queued -= by;
}

/* ---- one on its way ---- */
static void posting_free(struct contact *c) {
    if (!c->talk->posting)
        return;
    blob_in_clear(&c->talk->posting->reply);
    mem_free(c->talk->posting->out);
    mem_free(c->talk->posting);
    c->talk->posting = NULL;
}

static void posting_end(struct messages *talk, struct contact *c) {
    if (c->peering->online && c->talk->posting)
        stream_abort(talk->turn->ep, c->peering->session, c->talk->posting->stream, ERR_CANCELLED);
    posting_free(c);
}

/* Not now: later, and every time later still. */
static void hold(struct messages *talk, struct contact *c, int err) {
    turn_log(talk->turn, LOG_DEBUG, "a message to \"%s\" waits: %s", c->name, err_text(err));
    posting_end(talk, c);
    c->talk->hold_step_us =
        c->talk->hold_step_us == 0 ? MESSAGE_HOLD_US : c->talk->hold_step_us * 2;
    if (c->talk->hold_step_us > MESSAGE_HOLD_MAX_US)
        c->talk->hold_step_us = MESSAGE_HOLD_MAX_US;
    c->talk->hold_us = talk->turn->now_us + c->talk->hold_step_us;
    dial_at(talk->dials, c->peering, c->talk->hold_us);
}

/* What a peer's "no" means: true if the same message may be taken later. */
static bool is_for_now(int err) {
    switch (err) {
    case ERR_FULL:
    case ERR_DISK:
    case ERR_IO:
    case ERR_NOMEM:
    case ERR_AGAIN:
    case ERR_TIMEOUT:
    case ERR_OFFLINE:
    case ERR_CLOSED:
    case ERR_RESET:
    case ERR_CANCELLED:
        return true;
    default:
        return false;
    }
}

/* It has left the outbox, delivered or not: the next one's turn. */
static void settled(struct messages *talk, struct contact *c, int why, struct cause cause) {
    dial_answered(talk->dials, c->peering);
    uint64_t seq = c->talk->posting->seq;
    int err = history_settle(&talk->history, &c->id, seq, why);
    if (err) {
        hold(talk, c, err); /* sent again, and known there */
        return;
    }
    if (why == 0) {
        stream_let_go(talk->turn->ep, c->peering->session, c->talk->posting->stream);
        posting_free(c);
    } else {
        posting_end(talk, c);
    }
    message_count_down(talk, c, 1);
    c->talk->hold_us = c->talk->hold_step_us = 0;
    c->talk->refused = 0;
    struct node_event *e =
        contacts_tell(talk->contacts, why ? NODE_MESSAGE_FAILED : NODE_MESSAGE_DELIVERED, c->name);
    e->id = seq;
    e->err = why;
    e->cause = cause;
    message_kick(talk, c);
}

/* The peer said no, or nothing that makes sense. */
static void refused(struct messages *talk, struct contact *c, int err, struct cause cause) {
    if (!is_for_now(err)) {
        settled(talk, c, err, cause);
        return;
    }
    if (c->talk->refused != err || c->talk->refused_why.limit != cause.limit) {
        struct node_event *e = contacts_tell(talk->contacts, NODE_MESSAGE_REFUSED, c->name);
        e->id = c->talk->posting->seq;
        e->err = err;
        e->cause = cause;
    }
    c->talk->refused = err;
    c->talk->refused_why = cause;
    hold(talk, c, err);
}

static void posting_write(struct messages *talk, struct contact *c) {
    struct posting *p = c->talk->posting;
    int err = 0;
    while (!err && p->at < p->len) {
        size_t taken = 0;
        err = stream_write(talk->turn->ep, c->peering->session, p->stream, p->out + p->at,
                           p->len - p->at, &taken);
        p->at += taken;
    }
    if (!err)
        err = stream_finish(talk->turn->ep, c->peering->session, p->stream);
    if (err && err != ERR_AGAIN)
        hold(talk, c, err);
}

/* The next one that may leave. What is no message of ours to this contact never leaves: it is
 * dropped. ERR_NOT_FOUND: none, or not yet. */
static int choose(struct messages *talk, struct contact *c, uint64_t *seq, struct entry *e) {
    struct dialog t;
    int err = dialog_get(&talk->history.dialogs, &c->id, &t);
    for (unsigned skips = 0; !err && skips < MESSAGE_SKIPS; skips++) {
        err = outbox_next(&talk->history.dialogs, &c->id, t.void_seq, seq);
        if (err == ERR_NOT_FOUND)
            message_count_down(talk, c, c->peering->queued);
        if (err)
            return err;
        if (*seq > talk->history.shown_seq && *seq <= talk->history.last_seq)
            return ERR_NOT_FOUND; /* its debt is paid soon */
        err = history_get(&talk->history, *seq, e);
        if (!err && e->outgoing && node_id_equal(&e->peer, &c->id) && !e->mark.delivered &&
            !e->mark.failed)
            return 0;
        if (err && err != ERR_NOT_FOUND && err != ERR_FORMAT)
            return err;
        turn_log(talk->turn, LOG_WARN, "entry %llu of the outbox is no message to \"%s\"; dropped",
                 (unsigned long long)*seq, c->name);
        err = outbox_del(&talk->history.dialogs, &c->id, *seq);
        if (!err)
            message_count_down(talk, c, 1);
    }
    return err ? err : ERR_AGAIN;
}

/* Whose stream it is: one message of each contact is on its way at a time. */
static uint64_t owner_of(const struct messages *talk, const struct contact *c) {
    return owner_pack(talk->part, c->serial);
}

static int post(struct messages *talk, struct contact *c) {
    uint64_t seq;
    struct entry e;
    int err = choose(talk, c, &seq, &e);
    if (err)
        return err;
    struct letter l = {.wall_ms = e.wall_us / 1000, .text = e.text, .len = e.len};
    memcpy(l.id, e.id, sizeof l.id);
    struct posting *p = mem_calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    c->talk->posting = p;
    watch_start(talk->watch);
    dial_expect(talk->dials, c->peering);
    p->seq = seq;
    blob_in_init(&p->reply, REPLY_MAX_BYTES);
    p->out = letter_encode(&l, &p->len);
    err = p->out ? stream_open(talk->turn->ep, c->peering->session, &p->stream) : ERR_NOMEM;
    if (err) {
        posting_free(c);
        return err;
    }
    stream_set_priority(talk->turn->ep, c->peering->session, p->stream, MESSAGE_PRIORITY);
    stream_set_owner(talk->turn->ep, c->peering->session, p->stream, owner_of(talk, c));
    return 0;
}

void message_kick(struct messages *talk, struct contact *c) {
    if (!c->peering->online || c->talk->posting || c->peering->queued == 0 || talk->turn->shut)
        return;
    if (c->talk->hold_us > talk->turn->now_us) { /* a new session does not make a "no" a "yes" */
        dial_at(talk->dials, c->peering, c->talk->hold_us);
        return;
    }
    int err = post(talk, c);
    if (!err)
        posting_write(talk, c);
    else if (err != ERR_NOT_FOUND)
        hold(talk, c, err);
}

void message_peer_down(struct messages *talk, struct contact *c) {
    (void)talk;
    posting_free(c);
}

/* An answer that does not parse, or none before the end, is for good as error 16 is: whatever the
 * peer did with the message, it would do it again. */
static void read_reply(struct messages *talk, struct contact *c) {
    while (c->talk->posting) {
        struct posting *p = c->talk->posting;
        struct span sp;
        struct reply r;
        bool fin = false;
        size_t used = 0;
        if (stream_peek(talk->turn->ep, c->peering->session, p->stream, 0, &sp, 1, &fin) == 0) {
            if (fin)
                refused(talk, c, ERR_PROTO, cause_here(ERR_PROTO));
            return;
        }
        int err = blob_in_feed(&p->reply, sp.block->data + sp.offset, sp.len, &used);
        stream_consume(talk->turn->ep, talk->turn->now_us, c->peering->session, p->stream, used);
        if (err == ERR_NOMEM) {
            hold(talk, c, err);
        } else if (err) {
            refused(talk, c, err, cause_here(err));
        } else if (p->reply.whole) {
            err = reply_decode(&r, p->reply.buf, p->reply.len);
            if (err == ERR_NOMEM)
                hold(talk, c, err);
            else if (err)
                refused(talk, c, err, cause_here(err));
            else if (r.err)
                refused(talk, c, r.err, cause_said(r.err, r.limit, r.max));
            else
                settled(talk, c, 0, (struct cause){0});
            return;
        }
    }
}

bool message_stream_event(struct messages *talk, struct contact *c, const struct ep_event *ev) {
    const struct posting *p = c->talk->posting;
    if (!p || p->stream != ev->stream || ev->owner != owner_of(talk, c))
        return false;
    if (ev->kind == EP_STREAM_READABLE)
        read_reply(talk, c);
    else if (ev->kind == EP_STREAM_WRITABLE)
        posting_write(talk, c);
    else if (ev->kind == EP_STREAM_RESET || ev->kind == EP_STREAM_STOPPED)
        refused(talk, c, ev->err ? ev->err : ERR_RESET,
                cause_said(ev->err ? ev->err : ERR_RESET, LIMIT_BEGINNINGS, 0));
    return true;
}

/* ---- a new one ---- */
/* It survives a power cut now: it is shown, and leaves. */
static void queued(const struct owed *o) {
    struct messages *talk = o->self;
    struct contact *c = contact_by_serial(talk->contacts, o->contact);
    talk->history.shown_seq = talk->history.told_seq = o->ref;
    talk->history.told_new |=
        o->ref % MESSAGE_TOLD_STEP == 0; /* so that a start need not look far back */
    contacts_tell(talk->contacts, NODE_MESSAGE_QUEUED, c ? c->name : NULL)->id = o->ref;
    if (c)
        message_kick(talk, c);
}

int message_send(struct messages *talk, const char *contact, const char *text, size_t len,
                 uint64_t *seq) {
    struct contact *c = contact_by_name(talk->contacts, contact);
    if (!c)
        return ERR_NOT_FOUND;
    if (len == 0 || len > MESSAGE_MAX_BYTES || !utf8_valid(text, len))
        return ERR_USAGE;
    if (c->peering->queued >= OUTBOX_MAX)
        return turn_met(talk->turn, LIMIT_OUTBOX, OUTBOX_MAX);
    struct entry e = {.outgoing = true,
                      .wall_us = turn_wall_us(talk->turn),
                      .peer = c->id,
                      .text = text,
                      .len = len};
    const struct owed debt = {.run = queued, .self = talk, .contact = c->serial};
    memcpy(e.name, c->name, sizeof e.name);
    rng_fill(&talk->turn->env.rng, e.id, sizeof e.id);
    int err = history_queue(&talk->history, &e, &debt, seq);
    if (err)
        return err;
    c->peering->queued++;
    talk->queued++;
    if (c->talk->posting) /* behind another one, which may have been waiting for long */
        dial_probe(talk->dials, c->peering);
    if (!c->peering->online && dial_now(talk->dials, c->peering) != 0)
        dial_at(talk->dials, c->peering, talk->turn->now_us + DIAL_FIRST_US);
    return 0;
}
