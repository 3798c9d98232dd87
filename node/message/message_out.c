/* message_out.c: the outbox: what waits is sent, one message per contact at a time. */
#include <stdlib.h>
#include <string.h>

#include "node/api/utf8.h"
#include "node/channel/delimited.h"
#include "node/channel/reply.h"
#include "node/message/history.h"
#include "node/message/letter.h"
#include "node/node_int.h"

struct posting { /* a message on its way */
    uint64_t seq;
    uint64_t stream;
    uint8_t *out;
    size_t len, at;
    struct blob_in reply;
};

/* ---- the outbox ---- */
/* Whether (peer, seq) is a message of ours that waits. */
static int waits(struct node *n, const struct node_id *peer, uint64_t seq, bool *out) {
    struct mark m;
    int err = mark_get(n, peer, seq, &m);
    *out = !err && !m.incoming && !m.delivered && !m.failed;
    return err == ERR_NOT_FOUND || err == ERR_FORMAT ? 0 : err;
}

/* Counts an entry, or sweeps what is none: a store that cannot delete now is no reason not to
 * start, since each entry is looked at again before it leaves. */
static int load_one(struct node *n, const struct node_id *peer, uint64_t seq) {
    struct contact *c = contact_by_id(n, peer);
    struct dialog t;
    bool waiting = false;
    int err = dialog_get(n, peer, &t);
    if (!err && seq > t.void_seq) {
        if (!c)
            return 0; /* of a contact that could not be read */
        err = waits(n, peer, seq, &waiting);
    }
    if (err)
        return err;
    if (!waiting && outbox_del(n, peer, seq) == 0)
        return 0;
    if (!waiting)
        node_log(n, LOG_WARN, "an entry of the outbox that is none cannot be removed now");
    if (c && seq > t.void_seq) {
        c->queued++;
        n->messages.queued++;
    }
    return 0;
}

int messages_load(struct node *n) {
    struct node_id peer = {{0}};
    uint64_t seq = 0;
    int err = history_load(n);
    while (!err && (err = outbox_walk(n, &peer, &seq)) == 0)
        err = load_one(n, &peer, seq);
    free(n->messages.value); /* most nodes send nothing for long */
    n->messages.value = NULL;
    return err == ERR_NOT_FOUND ? 0 : err;
}

void messages_clear(struct node *n) {
    for (unsigned i = 0; i < n->contacts.count; i++)
        message_peer_down(n, n->contacts.list[i]);
    free(n->messages.value);
    n->messages = (struct messages){0};
}

static void count_down(struct node *n, struct contact *c, uint32_t by) {
    c->queued -= by;
    n->messages.queued -= by;
}

int message_contact_void(struct node *n, const struct contact *c) {
    struct dialog t;
    int err = dialog_get(n, &c->id, &t);
    if (err || c->queued == 0)
        return err;
    t.void_seq = n->messages.last_seq;
    return dialog_put(n, &c->id, &t);
}

void message_contact_gone(struct node *n, struct contact *c) {
    message_peer_down(n, c);
    count_down(n, c, c->queued);
}

/* ---- one on its way ---- */
static void posting_free(struct contact *c) {
    if (!c->posting)
        return;
    blob_in_clear(&c->posting->reply);
    free(c->posting->out);
    free(c->posting);
    c->posting = NULL;
}

static void posting_end(struct node *n, struct contact *c) {
    if (c->online && c->posting) {
        int gone = stream_reset(n->ep, c->session, c->posting->stream, ERR_CANCELLED);
        gone = stream_stop(n->ep, c->session, c->posting->stream, ERR_CANCELLED);
        (void)gone;
    }
    posting_free(c);
}

/* Not now: later, and every time later still. */
static void hold(struct node *n, struct contact *c, int err) {
    node_log(n, LOG_DEBUG, "a message to \"%s\" waits: %s", c->name, err_text(err));
    posting_end(n, c);
    c->hold_step_us = c->hold_step_us == 0 ? MESSAGE_HOLD_US : c->hold_step_us * 2;
    if (c->hold_step_us > MESSAGE_HOLD_MAX_US)
        c->hold_step_us = MESSAGE_HOLD_MAX_US;
    c->hold_us = n->now_us + c->hold_step_us;
    dial_at(n, c, c->hold_us);
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
static void settled(struct node *n, struct contact *c, int why, struct cause cause) {
    dial_answered(n, c);
    uint64_t seq = c->posting->seq;
    int err = history_settle(n, &c->id, seq, why);
    if (err) {
        hold(n, c, err); /* sent again, and known there */
        return;
    }
    if (why == 0) {
        stream_let_go(n, c->session, c->posting->stream);
        posting_free(c);
    } else {
        posting_end(n, c);
    }
    count_down(n, c, 1);
    c->hold_us = c->hold_step_us = 0;
    c->refused = 0;
    struct node_event *e =
        node_tell(n, why ? NODE_MESSAGE_FAILED : NODE_MESSAGE_DELIVERED, c->name);
    e->id = seq;
    e->err = why;
    e->cause = cause;
    message_kick(n, c);
}

/* The peer said no, or nothing that makes sense. */
static void refused(struct node *n, struct contact *c, int err, struct cause cause) {
    if (!is_for_now(err)) {
        settled(n, c, err, cause);
        return;
    }
    if (c->refused != err || c->refused_why.limit != cause.limit) {
        struct node_event *e = node_tell(n, NODE_MESSAGE_REFUSED, c->name);
        e->id = c->posting->seq;
        e->err = err;
        e->cause = cause;
    }
    c->refused = err;
    c->refused_why = cause;
    hold(n, c, err);
}

static void posting_write(struct node *n, struct contact *c) {
    struct posting *p = c->posting;
    int err = 0;
    while (!err && p->at < p->len) {
        size_t taken = 0;
        err = stream_write(n->ep, c->session, p->stream, p->out + p->at, p->len - p->at, &taken);
        p->at += taken;
    }
    if (!err)
        err = stream_finish(n->ep, c->session, p->stream);
    if (err && err != ERR_AGAIN)
        hold(n, c, err);
}

/* The next one that may leave. What is no message of ours to this contact never leaves: it is
 * dropped. ERR_NOT_FOUND: none, or not yet. */
static int choose(struct node *n, struct contact *c, uint64_t *seq, struct entry *e) {
    struct dialog t;
    int err = dialog_get(n, &c->id, &t);
    for (unsigned skips = 0; !err && skips < MESSAGE_SKIPS; skips++) {
        err = outbox_next(n, &c->id, t.void_seq, seq);
        if (err == ERR_NOT_FOUND)
            count_down(n, c, c->queued);
        if (err)
            return err;
        if (*seq > n->messages.shown_seq && *seq <= n->messages.last_seq)
            return ERR_NOT_FOUND; /* its debt is paid soon */
        err = history_get(n, *seq, e);
        if (!err && e->outgoing && node_id_equal(&e->peer, &c->id) && !e->mark.delivered &&
            !e->mark.failed)
            return 0;
        if (err && err != ERR_NOT_FOUND && err != ERR_FORMAT)
            return err;
        node_log(n, LOG_WARN, "entry %llu of the outbox is no message to \"%s\"; dropped",
                 (unsigned long long)*seq, c->name);
        err = outbox_del(n, &c->id, *seq);
        if (!err)
            count_down(n, c, 1);
    }
    return err ? err : ERR_AGAIN;
}

static int post(struct node *n, struct contact *c) {
    uint64_t seq;
    struct entry e;
    int err = choose(n, c, &seq, &e);
    if (err)
        return err;
    struct letter l = {.wall_ms = e.wall_us / 1000, .text = e.text, .len = e.len};
    memcpy(l.id, e.id, sizeof l.id);
    struct posting *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    c->posting = p;
    watch_start(n);
    dial_expect(n, c);
    p->seq = seq;
    blob_in_init(&p->reply, REPLY_MAX_BYTES);
    p->out = letter_encode(&l, &p->len);
    err = p->out ? stream_open(n->ep, c->session, &p->stream) : ERR_NOMEM;
    if (err)
        posting_free(c);
    else
        stream_set_priority(n->ep, c->session, p->stream, MESSAGE_PRIORITY);
    return err;
}

void message_kick(struct node *n, struct contact *c) {
    if (!c->online || c->posting || c->queued == 0 || n->shut)
        return;
    if (c->hold_us > n->now_us) { /* a new session does not make a "no" a "yes" */
        dial_at(n, c, c->hold_us);
        return;
    }
    int err = post(n, c);
    if (!err)
        posting_write(n, c);
    else if (err != ERR_NOT_FOUND)
        hold(n, c, err);
}

void message_peer_down(struct node *n, struct contact *c) {
    (void)n;
    posting_free(c);
}

bool message_owns(const struct contact *c, uint64_t stream) {
    return c->posting && c->posting->stream == stream;
}

/* An answer that does not parse, or none before the end, is for good as error 16 is: whatever the
 * peer did with the message, it would do it again. */
static void read_reply(struct node *n, struct contact *c) {
    while (c->posting) {
        struct posting *p = c->posting;
        struct span sp;
        struct reply r;
        bool fin = false;
        size_t used = 0;
        if (stream_peek(n->ep, c->session, p->stream, 0, &sp, 1, &fin) == 0) {
            if (fin)
                refused(n, c, ERR_PROTO, cause_here(ERR_PROTO));
            return;
        }
        int err = blob_in_feed(&p->reply, sp.block->data + sp.offset, sp.len, &used);
        stream_consume(n->ep, n->now_us, c->session, p->stream, used);
        if (err == ERR_NOMEM) {
            hold(n, c, err);
        } else if (err) {
            refused(n, c, err, cause_here(err));
        } else if (p->reply.whole) {
            err = reply_decode(&r, p->reply.buf, p->reply.len);
            if (err == ERR_NOMEM)
                hold(n, c, err);
            else if (err)
                refused(n, c, err, cause_here(err));
            else if (r.err)
                refused(n, c, r.err, cause_said(r.err, r.limit, r.max));
            else
                settled(n, c, 0, (struct cause){0});
            return;
        }
    }
}

void message_stream_event(struct node *n, struct contact *c, const struct ep_event *ev) {
    if (ev->kind == EP_STREAM_READABLE)
        read_reply(n, c);
    else if (ev->kind == EP_STREAM_WRITABLE)
        posting_write(n, c);
    else if (ev->kind == EP_STREAM_RESET || ev->kind == EP_STREAM_STOPPED)
        refused(n, c, ev->err ? ev->err : ERR_RESET,
                cause_said(ev->err ? ev->err : ERR_RESET, LIMIT_BEGINNINGS, 0));
}

/* ---- a new one ---- */
/* It survives a power cut now: it is shown, and leaves. */
static void queued(struct node *n, const struct owed *o) {
    struct contact *c = contact_by_serial(n, o->contact);
    n->messages.shown_seq = n->messages.told_seq = o->ref;
    n->messages.told_new |=
        o->ref % MESSAGE_TOLD_STEP == 0; /* so that a start need not look far back */
    node_tell(n, NODE_MESSAGE_QUEUED, c ? c->name : NULL)->id = o->ref;
    if (c)
        message_kick(n, c);
}

int node_message_send(struct node *n, uint64_t now_us, const char *contact, const char *text,
                      size_t len, uint64_t *seq) {
    n->now_us = now_us;
    struct contact *c = contact_by_name(n, contact);
    if (!c)
        return ERR_NOT_FOUND;
    if (len == 0 || len > MESSAGE_MAX_BYTES || !utf8_valid(text, len))
        return ERR_USAGE;
    if (c->queued >= OUTBOX_MAX)
        return node_met(n, LIMIT_OUTBOX, OUTBOX_MAX);
    struct entry e = {
        .outgoing = true, .wall_us = node_wall_us(n), .peer = c->id, .text = text, .len = len};
    const struct owed debt = {.run = queued, .contact = c->serial};
    memcpy(e.name, c->name, sizeof e.name);
    rng_fill(&n->env.rng, e.id, sizeof e.id);
    int err = history_queue(n, &e, &debt, seq);
    if (err)
        return err;
    c->queued++;
    n->messages.queued++;
    if (c->posting) /* behind another one, which may have been waiting for long */
        dial_probe(n, c);
    if (!c->online && dial_now(n, c) != 0)
        dial_at(n, c, now_us + DIAL_FIRST_US);
    return 0;
}
