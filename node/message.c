#include "node/message.h"

#include <stdlib.h>
#include <string.h>

#include "node/blob.h"
#include "node/core.h"
#include "node/history.h"
#include "node/letter.h"
#include "node/reply.h"
#include "node/utf8.h"

struct posting { /* a message on its way */
    uint64_t seq;
    uint64_t stream;
    uint8_t *out;
    size_t len, at;
    struct blob_in reply;
};

/* ---- the outbox ---- */
/* Counts what waits for c; sweeps entries whose message was never stored or is delivered. */
static int outbox_load(struct node *n, struct contact *c) {
    uint64_t seq = 0;
    int err;
    while ((err = outbox_next(n, &c->id, seq, &seq)) == 0) {
        struct entry e;
        err = history_get(n, seq, &e);
        bool stale = err == ERR_NOT_FOUND ||
                     (!err && (!e.outgoing || e.delivered || !node_id_equal(&e.peer, &c->id)));
        if (stale)
            err = outbox_del(n, &c->id, seq);
        else if (!err)
            c->queued++;
        if (err)
            return err;
    }
    if (c->queued) {
        n->messages.queued += c->queued;
        contact_retry_later(n, c);
    }
    return err == ERR_NOT_FOUND ? 0 : err;
}

int messages_load(struct node *n) {
    int err = history_load(n);
    for (unsigned i = 0; !err && i < n->contacts.count; i++)
        err = outbox_load(n, n->contacts.list[i]);
    free(n->messages.value); /* most nodes send nothing for long */
    n->messages.value = NULL;
    return err;
}

void messages_clear(struct node *n) {
    for (unsigned i = 0; i < n->contacts.count; i++)
        message_peer_down(n, n->contacts.list[i]);
    free(n->messages.value);
    n->messages = (struct messages){0};
}

/* ---- sending ---- */
static void posting_free(struct contact *c) {
    if (!c->posting)
        return;
    blob_in_clear(&c->posting->reply);
    free(c->posting->out);
    free(c->posting);
    c->posting = NULL;
}

/* Given up for now: tried again later. */
static void posting_failed(struct node *n, struct contact *c, int err) {
    node_log(n, LOG_DEBUG, "a message to \"%s\" waits: %s", c->name, err_text(err));
    if (c->online) {
        int gone = stream_reset(n->ep, c->session, c->posting->stream, ERR_CANCELLED);
        gone = stream_stop(n->ep, c->session, c->posting->stream, ERR_CANCELLED);
        (void)gone;
    }
    posting_free(c);
    contact_retry_later(n, c);
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
        posting_failed(n, c, err);
}

static int post(struct node *n, struct contact *c) {
    uint64_t seq;
    struct entry e;
    int err = outbox_next(n, &c->id, 0, &seq);
    if (!err)
        err = history_get(n, seq, &e);
    if (err)
        return err;
    struct letter l = {.wall_ms = e.wall_us / 1000, .text = e.text, .len = e.len};
    memcpy(l.id, e.id, sizeof l.id);
    struct posting *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    c->posting = p;
    watch_start(n);
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
    int err = post(n, c);
    if (err) {
        node_log(n, LOG_WARN, "a message to \"%s\" cannot be sent: %s", c->name, err_text(err));
        contact_retry_later(n, c);
        return;
    }
    posting_write(n, c);
}

static void delivered(struct node *n, struct contact *c) {
    uint64_t seq = c->posting->seq;
    struct entry e;
    int err = history_get(n, seq, &e);
    if (!err) {
        e.delivered = true;
        err = history_put(n, seq, &e);
    }
    if (!err)
        err = outbox_del(n, &c->id, seq);
    if (err) {
        posting_failed(n, c, err); /* sent again, and known there */
        return;
    }
    stream_let_go(n, c->session, c->posting->stream);
    posting_free(c);
    c->queued--;
    n->messages.queued--;
    contact_retry_reset(c);
    node_tell(n, NODE_MESSAGE_DELIVERED, c->name)->id = seq;
    message_kick(n, c);
}

void message_peer_down(struct node *n, struct contact *c) {
    (void)n;
    posting_free(c);
}

void message_contact_gone(struct node *n, struct contact *c) {
    uint64_t seq;
    posting_free(c);
    while (outbox_next(n, &c->id, 0, &seq) == 0 && outbox_del(n, &c->id, seq) == 0)
        continue;
    n->messages.queued -= c->queued;
    c->queued = 0;
}

bool message_owns(const struct contact *c, uint64_t stream) {
    return c->posting && c->posting->stream == stream;
}

static void read_reply(struct node *n, struct contact *c) {
    while (c->posting) {
        struct posting *p = c->posting;
        struct span sp;
        struct reply r;
        bool fin = false;
        size_t used = 0;
        if (stream_peek(n->ep, c->session, p->stream, 0, &sp, 1, &fin) == 0) {
            if (fin)
                posting_failed(n, c, ERR_PROTO);
            return;
        }
        int err = blob_in_feed(&p->reply, sp.block->data + sp.offset, sp.len, &used);
        stream_consume(n->ep, n->now_us, c->session, p->stream, used);
        if (!err && p->reply.whole) {
            err = reply_decode(&r, p->reply.buf, p->reply.len);
            if (!err && r.err == 0) {
                delivered(n, c);
                return;
            }
            err = err ? err : r.err;
        }
        if (err)
            posting_failed(n, c, err);
    }
}

void message_stream_event(struct node *n, struct contact *c, const struct ep_event *ev) {
    if (ev->kind == EP_STREAM_READABLE)
        read_reply(n, c);
    else if (ev->kind == EP_STREAM_WRITABLE)
        posting_write(n, c);
    else if (ev->kind == EP_STREAM_RESET || ev->kind == EP_STREAM_STOPPED)
        posting_failed(n, c, ev->err ? ev->err : ERR_RESET);
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
        return ERR_FULL;
    struct entry e = {
        .outgoing = true, .wall_us = node_wall_us(n), .peer = c->id, .text = text, .len = len};
    memcpy(e.name, c->name, sizeof e.name);
    rng_fill(&n->env.rng, e.id, sizeof e.id);
    int err = history_queue(n, &e, seq);
    if (err)
        return err;
    c->queued++;
    n->messages.queued++;
    if (c->online)
        message_kick(n, c);
    else if (endpoint_connect(n->ep, now_us, c->peer) != 0 && c->retry_us == 0)
        contact_retry_later(n, c);
    return 0;
}

/* ---- receiving ---- */
void message_come(struct node *n, struct contact *c, struct session_ref s, uint64_t stream,
                  const uint8_t *body, size_t len) {
    struct letter l;
    struct reply r = {0};
    uint8_t out[REPLY_MAX_BYTES];
    size_t out_len, taken = 0;
    uint64_t seq = 0;
    stream_set_priority(n->ep, s, stream, MESSAGE_PRIORITY);
    r.err = letter_decode(&l, body, len);
    if (!r.err)
        r.err = history_keep(n, c, &l, &seq);
    if (!r.err && seq)
        node_tell(n, NODE_MESSAGE, c->name)->id = seq;
    int err = reply_encode(&r, out, &out_len);
    if (!err)
        err = stream_write(n->ep, s, stream, out, out_len, &taken);
    if (!err && taken == out_len)
        err = stream_finish(n->ep, s, stream);
    else
        err = stream_reset(n->ep, s, stream, ERR_AGAIN);
    if (r.err)
        err = stream_stop(n->ep, s, stream, r.err);
    else
        stream_let_go(n, s, stream);
    (void)err; /* a stream that is gone needs no answer: the message comes again */
}

bool node_message_next(struct node *n, uint64_t after, const char *contact,
                       struct message_info *out) {
    struct entry e;
    const struct contact *c;
    uint64_t seq = after;
    do {
        if (history_next(n, seq, &seq, &e) != 0)
            return false;
        c = contact_by_id(n, &e.peer);
    } while (contact && strcmp(c ? c->name : e.name, contact) != 0);
    memset(out, 0, sizeof *out);
    out->seq = seq;
    memcpy(out->id, e.id, sizeof out->id);
    memcpy(out->contact, c ? c->name : e.name, sizeof out->contact);
    out->outgoing = e.outgoing;
    out->delivered = e.delivered;
    out->wall_us = e.wall_us;
    out->text = e.text;
    out->len = e.len;
    return true;
}
