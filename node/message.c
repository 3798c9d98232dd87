#include "node/message.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/bytes.h"
#include "node/blob.h"
#include "node/core.h"
#include "node/letter.h"
#include "node/reply.h"
#include "node/utf8.h"

static const char history[] = "messages", known[] = "message_ids", outbox[] = "outbox";

enum {
    MESSAGE_VERSION = 1,
    FLAG_OUTGOING = 1,
    FLAG_DELIVERED = 2,
    MESSAGE_VALUE_MAX = 1 + 1 + 16 + 8 + 32 + 1 + PETNAME_MAX + MESSAGE_MAX_BYTES,
    SEQ_BYTES = 8,
    KNOWN_KEY_BYTES = NODE_ID_BYTES + LETTER_ID_BYTES,
    OUTBOX_KEY_BYTES = NODE_ID_BYTES + SEQ_BYTES,
};

struct entry { /* a message as it is stored */
    bool outgoing, delivered;
    uint8_t id[LETTER_ID_BYTES];
    uint64_t wall_us;
    struct node_id peer;
    char name[PETNAME_MAX + 1];
    const char *text;
    size_t len;
};

struct posting { /* a message on its way */
    uint64_t seq;
    uint64_t stream;
    uint8_t *out;
    size_t len, at;
    struct blob_in reply;
};

/* ---- keys and values ---- */
static void put_seq(uint8_t out[static SEQ_BYTES], uint64_t seq) {
    for (unsigned i = 0; i < SEQ_BYTES; i++)
        out[i] = (uint8_t)(seq >> (56 - 8 * i));
}

static uint64_t get_seq(const uint8_t in[static SEQ_BYTES]) {
    uint64_t seq = 0;
    for (unsigned i = 0; i < SEQ_BYTES; i++)
        seq = seq << 8 | in[i];
    return seq;
}

static void known_key(uint8_t out[static KNOWN_KEY_BYTES], const struct node_id *peer,
                      const uint8_t *id) {
    memcpy(out, peer->bytes, NODE_ID_BYTES);
    memcpy(out + NODE_ID_BYTES, id, LETTER_ID_BYTES);
}

static void outbox_key(uint8_t out[static OUTBOX_KEY_BYTES], const struct node_id *peer,
                       uint64_t seq) {
    memcpy(out, peer->bytes, NODE_ID_BYTES);
    put_seq(out + NODE_ID_BYTES, seq);
}

static bool entry_decode(struct entry *e, const uint8_t *in, size_t len) {
    struct rd r = rd_init(in, len);
    bool version = rd_u8(&r) == MESSAGE_VERSION;
    uint8_t flags = rd_u8(&r);
    e->outgoing = flags & FLAG_OUTGOING;
    e->delivered = flags & FLAG_DELIVERED;
    rd_bytes(&r, e->id, sizeof e->id);
    e->wall_us = rd_u64(&r);
    rd_bytes(&r, e->peer.bytes, sizeof e->peer.bytes);
    size_t name_len = rd_u8(&r);
    if (!version || !r.ok || name_len > PETNAME_MAX)
        return false;
    memset(e->name, 0, sizeof e->name);
    rd_bytes(&r, (uint8_t *)e->name, name_len);
    e->len = rd_left(&r);
    e->text = (const char *)rd_take(&r, e->len);
    return r.ok;
}

/* ---- the history ---- */
static uint8_t *scratch(struct node *n) {
    if (!n->messages.value)
        n->messages.value = malloc(MESSAGE_VALUE_MAX);
    return n->messages.value;
}

static int entry_put(struct node *n, uint64_t seq, const struct entry *e) {
    uint8_t key[SEQ_BYTES];
    uint8_t *value = malloc(MESSAGE_VALUE_MAX); /* e->text may be in the scratch */
    if (!value)
        return ERR_NOMEM;
    struct wr w = wr_init(value, MESSAGE_VALUE_MAX);
    wr_u8(&w, MESSAGE_VERSION);
    wr_u8(&w, (uint8_t)((e->outgoing ? FLAG_OUTGOING : 0) | (e->delivered ? FLAG_DELIVERED : 0)));
    wr_bytes(&w, e->id, sizeof e->id);
    wr_u64(&w, e->wall_us);
    wr_bytes(&w, e->peer.bytes, sizeof e->peer.bytes);
    wr_u8(&w, (uint8_t)strlen(e->name));
    wr_bytes(&w, e->name, strlen(e->name));
    wr_bytes(&w, e->text, e->len);
    put_seq(key, seq);
    int err = n->env.store.put(n->env.store.ctx, history, key, sizeof key, value, wr_len(&w));
    free(value);
    return err;
}

/* Into the scratch. ERR_NOT_FOUND, ERR_FORMAT, ERR_NOMEM, what the store says. */
static int entry_get(struct node *n, uint64_t seq, struct entry *e) {
    uint8_t key[SEQ_BYTES];
    size_t len;
    if (!scratch(n))
        return ERR_NOMEM;
    put_seq(key, seq);
    int err = n->env.store.get(n->env.store.ctx, history, key, sizeof key, n->messages.value,
                               MESSAGE_VALUE_MAX, &len);
    if (!err && !entry_decode(e, n->messages.value, len))
        err = ERR_FORMAT;
    return err;
}

/* The smallest seq greater than `after` into the scratch. */
static int entry_next(struct node *n, uint64_t after, uint64_t *seq, struct entry *e) {
    uint8_t key[STORE_KEY_MAX];
    size_t key_len = SEQ_BYTES, len;
    if (!scratch(n))
        return ERR_NOMEM;
    put_seq(key, after);
    int err = n->env.store.next(n->env.store.ctx, history, key, &key_len, n->messages.value,
                                MESSAGE_VALUE_MAX, &len);
    if (err)
        return err;
    if (key_len != SEQ_BYTES)
        return ERR_FORMAT;
    *seq = get_seq(key);
    return entry_decode(e, n->messages.value, len) ? 0 : ERR_FORMAT;
}

/* The last seq, by bisection: the store only knows the next key. */
static int find_last(struct node *n) {
    uint64_t lo = 0, hi = UINT64_MAX; /* something is above lo or lo is the last; nothing above hi */
    struct entry e;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2, seq;
        int err = entry_next(n, mid, &seq, &e);
        if (err == 0)
            lo = seq;
        else if (err == ERR_NOT_FOUND)
            hi = mid;
        else
            return err;
    }
    n->messages.last_seq = lo;
    return 0;
}

/* ---- the outbox ---- */
static int outbox_del(struct node *n, const struct node_id *peer, uint64_t seq) {
    uint8_t key[OUTBOX_KEY_BYTES];
    outbox_key(key, peer, seq);
    return n->env.store.del(n->env.store.ctx, outbox, key, sizeof key);
}

/* The first entry of this contact with a greater seq. */
static int outbox_next(struct node *n, const struct node_id *peer, uint64_t after, uint64_t *seq) {
    uint8_t key[STORE_KEY_MAX], value[16];
    size_t key_len = OUTBOX_KEY_BYTES, len;
    outbox_key(key, peer, after);
    int err = n->env.store.next(n->env.store.ctx, outbox, key, &key_len, value, sizeof value, &len);
    if (err)
        return err;
    if (key_len != OUTBOX_KEY_BYTES || memcmp(key, peer->bytes, NODE_ID_BYTES) != 0)
        return ERR_NOT_FOUND;
    *seq = get_seq(key + NODE_ID_BYTES);
    return 0;
}

/* Counts what waits for c; sweeps entries whose message was never stored or is delivered. */
static int outbox_load(struct node *n, struct contact *c) {
    uint64_t seq = 0;
    int err;
    while ((err = outbox_next(n, &c->id, seq, &seq)) == 0) {
        struct entry e;
        err = entry_get(n, seq, &e);
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
    int err = find_last(n);
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
        err = entry_get(n, seq, &e);
    if (err)
        return err;
    struct letter l = {.wall_ms = e.wall_us / 1000, .text = e.text, .len = e.len};
    memcpy(l.id, e.id, sizeof l.id);
    struct posting *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    c->posting = p;
    p->seq = seq;
    blob_in_init(&p->reply, REPLY_MAX_BYTES);
    p->out = letter_encode(&l, &p->len);
    err = p->out ? stream_open(n->ep, c->session, &p->stream) : ERR_NOMEM;
    if (err)
        posting_free(c);
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
    int err = entry_get(n, seq, &e);
    if (!err) {
        e.delivered = true;
        err = entry_put(n, seq, &e);
    }
    if (!err)
        err = outbox_del(n, &c->id, seq);
    if (err) {
        posting_failed(n, c, err); /* sent again, and known there */
        return;
    }
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
    struct entry e = {.outgoing = true,
                      .wall_us = node_wall_us(n),
                      .peer = c->id,
                      .text = text,
                      .len = len};
    memcpy(e.name, c->name, sizeof e.name);
    rng_fill(&n->env.rng, e.id, sizeof e.id);
    uint64_t s = n->messages.last_seq + 1;
    uint8_t key[OUTBOX_KEY_BYTES];
    outbox_key(key, &c->id, s);
    int err = n->env.store.put(n->env.store.ctx, outbox, key, sizeof key, "", 0);
    if (err)
        return err;
    err = entry_put(n, s, &e);
    if (err) {
        int swept = outbox_del(n, &c->id, s);
        (void)swept; /* else the next start sweeps it */
        return err;
    }
    n->messages.last_seq = *seq = s;
    c->queued++;
    n->messages.queued++;
    if (c->online)
        message_kick(n, c);
    else if (endpoint_connect(n->ep, now_us, c->peer) != 0 && c->retry_us == 0)
        contact_retry_later(n, c);
    return 0;
}

/* ---- receiving ---- */
/* True if the message has been stored before: registered, and there. */
static bool is_known(struct node *n, const struct contact *c, const struct letter *l, int *err) {
    uint8_t key[KNOWN_KEY_BYTES], value[SEQ_BYTES];
    size_t len;
    struct entry e;
    known_key(key, &c->id, l->id);
    *err = n->env.store.get(n->env.store.ctx, known, key, sizeof key, value, sizeof value, &len);
    if (*err == 0 && len == SEQ_BYTES)
        *err = entry_get(n, get_seq(value), &e);
    if (*err == ERR_NOT_FOUND) {
        *err = 0;
        return false;
    }
    return *err == 0 && !e.outgoing && node_id_equal(&e.peer, &c->id) &&
           memcmp(e.id, l->id, LETTER_ID_BYTES) == 0;
}

static int keep(struct node *n, const struct contact *c, const struct letter *l) {
    int err;
    if (is_known(n, c, l, &err) || err)
        return err;
    struct entry e = {.wall_us = l->wall_ms * 1000, .peer = c->id, .text = l->text, .len = l->len};
    if (e.wall_us > node_wall_us(n)) /* a fast clock there does not make a message from the future */
        e.wall_us = node_wall_us(n);
    memcpy(e.id, l->id, sizeof e.id);
    memcpy(e.name, c->name, sizeof e.name);
    uint8_t key[KNOWN_KEY_BYTES], value[SEQ_BYTES];
    uint64_t seq = n->messages.last_seq + 1;
    known_key(key, &c->id, l->id);
    put_seq(value, seq);
    err = n->env.store.put(n->env.store.ctx, known, key, sizeof key, value, sizeof value);
    if (!err)
        err = entry_put(n, seq, &e);
    if (err)
        return err;
    n->messages.last_seq = seq;
    node_tell(n, NODE_MESSAGE, c->name)->id = seq;
    return 0;
}

void message_come(struct node *n, struct contact *c, struct session_ref s, uint64_t stream,
                  const uint8_t *body, size_t len) {
    struct letter l;
    struct reply r = {0};
    uint8_t out[REPLY_MAX_BYTES];
    size_t out_len, taken = 0;
    r.err = letter_decode(&l, body, len);
    if (!r.err)
        r.err = keep(n, c, &l);
    int err = reply_encode(&r, out, &out_len);
    if (!err)
        err = stream_write(n->ep, s, stream, out, out_len, &taken);
    if (!err && taken == out_len)
        err = stream_finish(n->ep, s, stream);
    else
        err = stream_reset(n->ep, s, stream, ERR_AGAIN);
    if (r.err)
        err = stream_stop(n->ep, s, stream, r.err);
    (void)err; /* a stream that is gone needs no answer: the message comes again */
}

bool node_message_next(struct node *n, uint64_t after, const char *contact,
                       struct message_info *out) {
    struct entry e;
    const struct contact *c;
    uint64_t seq = after;
    do {
        if (entry_next(n, seq, &seq, &e) != 0)
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
