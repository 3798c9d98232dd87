#include "node/message/history.h"

#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/message/history_rows.h"
#include "node/people/contact.h"

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

uint8_t *history_scratch(struct history *h) {
    if (!h->value)
        h->value = mem_alloc(MESSAGE_VALUE_MAX);
    return h->value;
}

void history_setup(struct history *h, struct turn *turn, struct keep *keep,
                   struct contacts *contacts) {
    h->turn = turn;
    h->keep = keep;
    h->contacts = contacts;
    h->dialogs = (struct dialogs){.keep = keep, .contacts = contacts};
}

void history_clear(struct history *h) {
    mem_free(h->value);
    h->value = NULL;
}

static void known_key(uint8_t out[static KNOWN_KEY_BYTES], const struct node_id *peer,
                      const uint8_t *id) {
    memcpy(out, peer->bytes, NODE_ID_BYTES);
    memcpy(out + NODE_ID_BYTES, id, LETTER_ID_BYTES);
}

static int ids_put(struct history *h, const struct node_id *peer, const uint8_t *id, uint64_t seq) {
    uint8_t key[KNOWN_KEY_BYTES], value[SEQ_BYTES];
    known_key(key, peer, id);
    store_be64(value, seq);
    return keep_put(h->keep, TABLE_IDS, key, sizeof key, value, sizeof value);
}

int history_ids_del(struct history *h, const struct node_id *peer, const uint8_t *id) {
    uint8_t key[KNOWN_KEY_BYTES];
    known_key(key, peer, id);
    return keep_del(h->keep, TABLE_IDS, key, sizeof key);
}

/* ---- reading ---- */
static int with_mark(struct history *h, uint64_t seq, struct entry *e, size_t len) {
    uint8_t flags;
    if (!history_decode(e, &flags, h->value, len))
        return ERR_FORMAT;
    int err = mark_get(&h->dialogs, &e->peer, seq, &e->mark);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_FORMAT : err;
    return e->mark.incoming == e->outgoing ? ERR_FORMAT : 0;
}

int history_get(struct history *h, uint64_t seq, struct entry *e) {
    uint8_t key[SEQ_BYTES];
    size_t len;
    if (!history_scratch(h))
        return ERR_NOMEM;
    store_be64(key, seq);
    int err = keep_get(h->keep, TABLE_MESSAGES, key, sizeof key, h->value, MESSAGE_VALUE_MAX, &len);
    if (err == ERR_FULL)
        return ERR_FORMAT; /* longer than any message */
    return err ? err : with_mark(h, seq, e, len);
}

static int next_of_all(struct history *h, uint64_t after, uint64_t *seq, struct entry *e) {
    uint8_t key[STORE_KEY_MAX];
    size_t key_len = SEQ_BYTES, len;
    if (!history_scratch(h))
        return ERR_NOMEM;
    store_be64(key, after);
    int err = keep_next(h->keep, TABLE_MESSAGES, key, &key_len, h->value, MESSAGE_VALUE_MAX, &len);
    if (err && err != ERR_FULL)
        return err;
    if (key_len != SEQ_BYTES)
        return ERR_FORMAT;
    *seq = load_be64(key);
    return err ? ERR_FORMAT : with_mark(h, *seq, e, len);
}

static int next_of(struct history *h, const struct node_id *peer, uint64_t after, uint64_t *seq,
                   struct entry *e) {
    struct mark m;
    *seq = after;
    do { /* of deleted ones there are at most MESSAGES_KNOWN_KEPT */
        int err = mark_next(&h->dialogs, peer, *seq, seq, &m);
        if (err)
            return err;
    } while (m.deleted);
    int err = history_get(h, *seq, e);
    return err == ERR_NOT_FOUND ? ERR_FORMAT : err; /* books of a message that is none */
}

/* What cannot be read, since the disk or somebody has damaged it, hides nothing but itself. */
int history_next(struct history *h, const struct node_id *peer, uint64_t after, uint64_t *seq,
                 struct entry *e) {
    int err = ERR_FORMAT;
    for (unsigned i = 0; err == ERR_FORMAT && i < HISTORY_SKIPS; i++) {
        *seq = after;
        err = peer ? next_of(h, peer, after, seq, e) : next_of_all(h, after, seq, e);
        if (err == ERR_FORMAT && *seq == after)
            break; /* a key that is none: there is no way around it */
        after = *seq;
    }
    return err;
}

/* ---- new ones ---- */
int history_seq_next(struct history *h, uint64_t *seq) {
    uint8_t value[SEQ_BYTES];
    *seq = ++h->last_seq;
    store_be64(value, *seq);
    return keep_put(h->keep, TABLE_STATE, "last", 4, value, sizeof value);
}

int history_told(struct history *h, uint64_t seq) {
    uint8_t value[SEQ_BYTES];
    store_be64(value, seq);
    return keep_put(h->keep, TABLE_STATE, "told", 4, value, sizeof value);
}

static int put_message(struct history *h, uint64_t seq, const struct entry *e) {
    uint8_t key[SEQ_BYTES];
    if (!history_scratch(h))
        return ERR_NOMEM;
    struct wr w = wr_init(h->value, MESSAGE_VALUE_MAX);
    wr_u8(&w, MESSAGE_VERSION);
    wr_u8(&w, e->outgoing ? MESSAGE_OUTGOING : 0);
    wr_bytes(&w, e->id, sizeof e->id);
    wr_u64(&w, e->wall_us);
    wr_bytes(&w, e->peer.bytes, sizeof e->peer.bytes);
    wr_u8(&w, (uint8_t)strlen(e->name));
    wr_bytes(&w, e->name, strlen(e->name));
    wr_bytes(&w, e->text, e->len);
    store_be64(key, seq);
    return keep_put(h->keep, TABLE_MESSAGES, key, sizeof key, h->value, wr_len(&w));
}

/* All of a new message but what is special to its direction. In a transaction. */
static int put_new(struct history *h, const struct entry *e, struct dialog *t,
                   const struct owed *debt, uint64_t *seq) {
    struct mark m = {.incoming = !e->outgoing, .bytes = (uint32_t)e->len};
    struct owed owed = *debt;
    memcpy(m.id, e->id, sizeof m.id);
    t->rows++;
    int err = history_seq_next(h, seq);
    owed.ref = *seq;
    if (!err)
        err = put_message(h, *seq, e);
    if (!err)
        err = mark_put(&h->dialogs, &e->peer, *seq, &m);
    if (!err)
        err = dialog_put(&h->dialogs, &e->peer, t);
    return err ? err : keep_owe(h->keep, &owed);
}

int history_queue(struct history *h, const struct entry *e, const struct owed *debt,
                  uint64_t *seq) {
    struct dialog t;
    int err = dialog_get(&h->dialogs, &e->peer, &t);
    if (!err)
        err = keep_begin(h->keep);
    if (err)
        return err;
    err = put_new(h, e, &t, debt, seq);
    if (!err)
        err = outbox_put(&h->dialogs, &e->peer, *seq);
    err = keep_end(h->keep, err);
    if (!err)
        dialog_note(&h->dialogs, &e->peer, &t);
    return err;
}

static int is_known(struct history *h, const struct node_id *peer, const uint8_t *id, bool *known) {
    uint8_t key[KNOWN_KEY_BYTES], value[SEQ_BYTES];
    size_t len;
    known_key(key, peer, id);
    int err = keep_get(h->keep, TABLE_IDS, key, sizeof key, value, sizeof value, &len);
    *known = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* Whether a contact with so little is let into the reserve. */
static bool has_little(const struct history *h, const struct dialog *t, uint64_t bytes) {
    const uint64_t one = MESSAGE_MAX_BYTES + MESSAGE_OVERHEAD_BYTES;
    const uint64_t part = h->quota_bytes / MESSAGES_SURE_PART;
    return t->bytes + bytes <= (part > one ? part : one) &&
           t->count < MESSAGES_MAX / MESSAGES_SURE_PART;
}

/* 0, or ERR_FULL. */
static int need_room(struct history *h, const struct dialog *t, uint64_t bytes) {
    uint64_t most = MESSAGES_MAX, most_bytes = h->quota_bytes;
    if (!has_little(h, t, bytes)) {
        most -= most / MESSAGES_RESERVE_PART;
        most_bytes -= most_bytes / MESSAGES_RESERVE_PART;
    }
    if (t->bytes + bytes > h->quota_contact_bytes)
        return turn_met(h->turn, LIMIT_QUOTA, h->quota_contact_bytes);
    if (t->count >= MESSAGES_CONTACT_MAX)
        return turn_met(h->turn, LIMIT_MESSAGES_CONTACT, MESSAGES_CONTACT_MAX);
    if (h->bytes + bytes > most_bytes)
        return turn_met(h->turn, LIMIT_QUOTA_ALL, h->quota_bytes);
    return h->count < most ? 0 : turn_met(h->turn, LIMIT_MESSAGES, MESSAGES_MAX);
}

int history_keep(struct history *h, const struct contact *c, const struct letter *l,
                 const struct owed *debt, uint64_t *seq) {
    bool known;
    struct dialog t;
    const uint64_t bytes = l->len + MESSAGE_OVERHEAD_BYTES;
    *seq = 0;
    int err = is_known(h, &c->id, l->id, &known);
    if (err)
        return err;
    if (known)
        return keep_owe(h->keep, debt);
    err = dialog_get(&h->dialogs, &c->id, &t);
    if (!err)
        err = need_room(h, &t, bytes);
    if (err)
        return err;
    struct entry e = {.wall_us = l->wall_ms * 1000, .peer = c->id, .text = l->text, .len = l->len};
    if (e.wall_us > turn_wall_us(h->turn)) /* a fast clock there makes no message from the future */
        e.wall_us = turn_wall_us(h->turn);
    memcpy(e.id, l->id, sizeof e.id);
    memcpy(e.name, c->name, sizeof e.name);
    t.count++;
    t.bytes += bytes;
    err = keep_begin(h->keep);
    if (err)
        return err;
    err = put_new(h, &e, &t, debt, seq);
    if (!err)
        err = ids_put(h, &c->id, l->id, *seq);
    err = keep_end(h->keep, err);
    if (err) {
        *seq = 0;
        return err;
    }
    dialog_note(&h->dialogs, &c->id, &t);
    h->count++;
    h->bytes += bytes;
    return 0;
}

int history_settle(struct history *h, const struct node_id *peer, uint64_t seq, int why) {
    struct mark m;
    int err = mark_get(&h->dialogs, peer, seq, &m);
    if (!err)
        err = keep_begin(h->keep);
    if (err)
        return err;
    m.delivered = why == 0;
    m.failed = why != 0;
    m.err = why;
    err = mark_put(&h->dialogs, peer, seq, &m);
    if (!err)
        err = outbox_del(&h->dialogs, peer, seq);
    return keep_end(h->keep, err);
}
