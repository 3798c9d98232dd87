#include "node/message/history.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "node/message/history_rows.h"
#include "node/node_int.h"

/* ---- values ---- */
bool history_decode(struct entry *e, uint8_t *flags, const uint8_t *in, size_t len) {
    struct rd r = rd_init(in, len);
    bool version = rd_u8(&r) == MESSAGE_VERSION;
    *flags = rd_u8(&r);
    e->outgoing = *flags & MESSAGE_OUTGOING;
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

uint8_t *history_scratch(struct node *n) {
    if (!n->messages.value)
        n->messages.value = malloc(MESSAGE_VALUE_MAX);
    return n->messages.value;
}

static void known_key(uint8_t out[static KNOWN_KEY_BYTES], const struct node_id *peer,
                      const uint8_t *id) {
    memcpy(out, peer->bytes, NODE_ID_BYTES);
    memcpy(out + NODE_ID_BYTES, id, LETTER_ID_BYTES);
}

static int ids_put(struct node *n, const struct node_id *peer, const uint8_t *id, uint64_t seq) {
    uint8_t key[KNOWN_KEY_BYTES], value[SEQ_BYTES];
    known_key(key, peer, id);
    seq_put(value, seq);
    return keep_put(n, TABLE_IDS, key, sizeof key, value, sizeof value);
}

int history_ids_del(struct node *n, const struct node_id *peer, const uint8_t *id) {
    uint8_t key[KNOWN_KEY_BYTES];
    known_key(key, peer, id);
    return keep_del(n, TABLE_IDS, key, sizeof key);
}

/* ---- reading ---- */
static int with_mark(struct node *n, uint64_t seq, struct entry *e, size_t len) {
    uint8_t flags;
    if (!history_decode(e, &flags, n->messages.value, len))
        return ERR_FORMAT;
    int err = mark_get(n, &e->peer, seq, &e->mark);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_FORMAT : err;
    return e->mark.incoming == e->outgoing ? ERR_FORMAT : 0;
}

int history_get(struct node *n, uint64_t seq, struct entry *e) {
    uint8_t key[SEQ_BYTES];
    size_t len;
    if (!history_scratch(n))
        return ERR_NOMEM;
    seq_put(key, seq);
    int err =
        keep_get(n, TABLE_MESSAGES, key, sizeof key, n->messages.value, MESSAGE_VALUE_MAX, &len);
    if (err == ERR_FULL)
        return ERR_FORMAT; /* longer than any message */
    return err ? err : with_mark(n, seq, e, len);
}

static int next_of_all(struct node *n, uint64_t after, uint64_t *seq, struct entry *e) {
    uint8_t key[STORE_KEY_MAX];
    size_t key_len = SEQ_BYTES, len;
    if (!history_scratch(n))
        return ERR_NOMEM;
    seq_put(key, after);
    int err =
        keep_next(n, TABLE_MESSAGES, key, &key_len, n->messages.value, MESSAGE_VALUE_MAX, &len);
    if (err && err != ERR_FULL)
        return err;
    if (key_len != SEQ_BYTES)
        return ERR_FORMAT;
    *seq = seq_get(key);
    return err ? ERR_FORMAT : with_mark(n, *seq, e, len);
}

static int next_of(struct node *n, const struct node_id *peer, uint64_t after, uint64_t *seq,
                   struct entry *e) {
    struct mark m;
    *seq = after;
    do { /* of deleted ones there are at most MESSAGES_KNOWN_KEPT */
        int err = mark_next(n, peer, *seq, seq, &m);
        if (err)
            return err;
    } while (m.deleted);
    int err = history_get(n, *seq, e);
    return err == ERR_NOT_FOUND ? ERR_FORMAT : err; /* books of a message that is none */
}

/* What cannot be read, since the disk or somebody has damaged it, hides nothing but itself. */
int history_next(struct node *n, const struct node_id *peer, uint64_t after, uint64_t *seq,
                 struct entry *e) {
    int err = ERR_FORMAT;
    for (unsigned i = 0; err == ERR_FORMAT && i < HISTORY_SKIPS; i++) {
        *seq = after;
        err = peer ? next_of(n, peer, after, seq, e) : next_of_all(n, after, seq, e);
        if (err == ERR_FORMAT && *seq == after)
            break; /* a key that is none: there is no way around it */
        after = *seq;
    }
    return err;
}

/* ---- new ones ---- */
int history_seq_next(struct node *n, uint64_t *seq) {
    uint8_t value[SEQ_BYTES];
    *seq = ++n->messages.last_seq;
    seq_put(value, *seq);
    return keep_put(n, TABLE_STATE, "last", 4, value, sizeof value);
}

int history_told(struct node *n, uint64_t seq) {
    uint8_t value[SEQ_BYTES];
    seq_put(value, seq);
    return keep_put(n, TABLE_STATE, "told", 4, value, sizeof value);
}

static int put_message(struct node *n, uint64_t seq, const struct entry *e) {
    uint8_t key[SEQ_BYTES];
    if (!history_scratch(n))
        return ERR_NOMEM;
    struct wr w = wr_init(n->messages.value, MESSAGE_VALUE_MAX);
    wr_u8(&w, MESSAGE_VERSION);
    wr_u8(&w, e->outgoing ? MESSAGE_OUTGOING : 0);
    wr_bytes(&w, e->id, sizeof e->id);
    wr_u64(&w, e->wall_us);
    wr_bytes(&w, e->peer.bytes, sizeof e->peer.bytes);
    wr_u8(&w, (uint8_t)strlen(e->name));
    wr_bytes(&w, e->name, strlen(e->name));
    wr_bytes(&w, e->text, e->len);
    seq_put(key, seq);
    return keep_put(n, TABLE_MESSAGES, key, sizeof key, n->messages.value, wr_len(&w));
}

/* All of a new message but what is special to its direction. In a transaction. */
static int put_new(struct node *n, const struct entry *e, struct dialog *t, const struct owed *debt,
                   uint64_t *seq) {
    struct mark m = {.incoming = !e->outgoing, .bytes = (uint32_t)e->len};
    struct owed owed = *debt;
    memcpy(m.id, e->id, sizeof m.id);
    t->rows++;
    int err = history_seq_next(n, seq);
    owed.ref = *seq;
    if (!err)
        err = put_message(n, *seq, e);
    if (!err)
        err = mark_put(n, &e->peer, *seq, &m);
    if (!err)
        err = dialog_put(n, &e->peer, t);
    return err ? err : keep_owe(n, &owed);
}

int history_queue(struct node *n, const struct entry *e, const struct owed *debt, uint64_t *seq) {
    struct dialog t;
    int err = dialog_get(n, &e->peer, &t);
    if (!err)
        err = keep_begin(n);
    if (err)
        return err;
    err = put_new(n, e, &t, debt, seq);
    if (!err)
        err = outbox_put(n, &e->peer, *seq);
    err = keep_end(n, err);
    if (!err)
        dialog_note(n, &e->peer, &t);
    return err;
}

static int is_known(struct node *n, const struct node_id *peer, const uint8_t *id, bool *known) {
    uint8_t key[KNOWN_KEY_BYTES], value[SEQ_BYTES];
    size_t len;
    known_key(key, peer, id);
    int err = keep_get(n, TABLE_IDS, key, sizeof key, value, sizeof value, &len);
    *known = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* Whether a contact with so little is let into the reserve. */
static bool has_little(const struct messages *m, const struct dialog *t, uint64_t bytes) {
    const uint64_t one = MESSAGE_MAX_BYTES + MESSAGE_OVERHEAD_BYTES;
    const uint64_t part = m->quota_bytes / MESSAGES_SURE_PART;
    return t->bytes + bytes <= (part > one ? part : one) &&
           t->count < MESSAGES_MAX / MESSAGES_SURE_PART;
}

/* 0, or ERR_FULL. */
static int need_room(struct node *n, const struct dialog *t, uint64_t bytes) {
    const struct messages *m = &n->messages;
    uint64_t most = MESSAGES_MAX, most_bytes = m->quota_bytes;
    if (!has_little(m, t, bytes)) {
        most -= most / MESSAGES_RESERVE_PART;
        most_bytes -= most_bytes / MESSAGES_RESERVE_PART;
    }
    if (t->bytes + bytes > m->quota_contact_bytes)
        return node_met(n, LIMIT_QUOTA, m->quota_contact_bytes);
    if (t->count >= MESSAGES_CONTACT_MAX)
        return node_met(n, LIMIT_MESSAGES_CONTACT, MESSAGES_CONTACT_MAX);
    if (m->bytes + bytes > most_bytes)
        return node_met(n, LIMIT_QUOTA_ALL, m->quota_bytes);
    return m->count < most ? 0 : node_met(n, LIMIT_MESSAGES, MESSAGES_MAX);
}

int history_keep(struct node *n, const struct contact *c, const struct letter *l,
                 const struct owed *debt, uint64_t *seq) {
    bool known;
    struct dialog t;
    const uint64_t bytes = l->len + MESSAGE_OVERHEAD_BYTES;
    *seq = 0;
    int err = is_known(n, &c->id, l->id, &known);
    if (err)
        return err;
    if (known)
        return keep_owe(n, debt);
    err = dialog_get(n, &c->id, &t);
    if (!err)
        err = need_room(n, &t, bytes);
    if (err)
        return err;
    struct entry e = {.wall_us = l->wall_ms * 1000, .peer = c->id, .text = l->text, .len = l->len};
    if (e.wall_us > node_wall_us(n)) /* a fast clock there makes no message from the future */
        e.wall_us = node_wall_us(n);
    memcpy(e.id, l->id, sizeof e.id);
    memcpy(e.name, c->name, sizeof e.name);
    t.count++;
    t.bytes += bytes;
    err = keep_begin(n);
    if (err)
        return err;
    err = put_new(n, &e, &t, debt, seq);
    if (!err)
        err = ids_put(n, &c->id, l->id, *seq);
    err = keep_end(n, err);
    if (err) {
        *seq = 0;
        return err;
    }
    dialog_note(n, &c->id, &t);
    n->messages.count++;
    n->messages.bytes += bytes;
    return 0;
}

int history_settle(struct node *n, const struct node_id *peer, uint64_t seq, int why) {
    struct mark m;
    int err = mark_get(n, peer, seq, &m);
    if (!err)
        err = keep_begin(n);
    if (err)
        return err;
    m.delivered = why == 0;
    m.failed = why != 0;
    m.err = why;
    err = mark_put(n, peer, seq, &m);
    if (!err)
        err = outbox_del(n, peer, seq);
    return keep_end(n, err);
}
