#include "node/message/dialog.h"

#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/message/conversation.h"
#include "node/people/contact.h"

static const char dialogs[] = "dialogs", conversations[] = "conversations", outbox[] = "outbox";

enum {
    DIALOG_VERSION = 1,
    DIALOG_VALUE_BYTES = 1 + 4 * 8,
    MARK_INCOMING = 1,
    MARK_DELIVERED = 2,
    MARK_FAILED = 4,
    MARK_DELETED = 8,
    MARK_VALUE_BYTES = 1 + 1 + 4 + DIALOG_ID_BYTES,
    PLACE_BYTES = NODE_ID_BYTES + SEQ_BYTES,
};

/* ---- the books of one conversation ---- */
static bool dialog_decode(struct dialog *t, const uint8_t *in, size_t len) {
    struct rd r = rd_init(in, len);
    bool version = rd_u8(&r) == DIALOG_VERSION;
    t->count = rd_u64(&r);
    t->bytes = rd_u64(&r);
    t->rows = rd_u64(&r);
    t->void_seq = rd_u64(&r);
    return version && r.ok;
}

int dialog_get(const struct dialogs *books, const struct node_id *peer, struct dialog *t) {
    const struct contact *c = contact_by_id(books->contacts, peer);
    uint8_t value[DIALOG_VALUE_BYTES];
    size_t len;
    *t = (struct dialog){0};
    if (c && c->talk->dialog_known) {
        *t = c->talk->dialog;
        return 0;
    }
    int err = keep_get(books->keep, dialogs, peer->bytes, NODE_ID_BYTES, value, sizeof value, &len);
    if (!err && !dialog_decode(t, value, len))
        err = ERR_FORMAT;
    if (err == ERR_NOT_FOUND)
        err = 0;
    if (!err)
        dialog_note(books, peer, t);
    return err;
}

int dialog_put(const struct dialogs *books, const struct node_id *peer, const struct dialog *t) {
    uint8_t value[DIALOG_VALUE_BYTES];
    if (t->rows == 0 && t->void_seq == 0)
        return keep_del(books->keep, dialogs, peer->bytes, NODE_ID_BYTES);
    struct wr w = wr_init(value, sizeof value);
    wr_u8(&w, DIALOG_VERSION);
    wr_u64(&w, t->count);
    wr_u64(&w, t->bytes);
    wr_u64(&w, t->rows);
    wr_u64(&w, t->void_seq);
    return keep_put(books->keep, dialogs, peer->bytes, NODE_ID_BYTES, value, wr_len(&w));
}

void dialog_note(const struct dialogs *books, const struct node_id *peer, const struct dialog *t) {
    struct contact *c = contact_by_id(books->contacts, peer);
    if (!c)
        return;
    c->talk->dialog = *t;
    c->talk->dialog_known = true;
}

int dialogs_count(const struct dialogs *books, uint64_t *count, uint64_t *bytes) {
    uint8_t key[STORE_KEY_MAX], value[DIALOG_VALUE_BYTES];
    size_t key_len = 0, len;
    struct dialog t;
    int err;
    *count = *bytes = 0;
    while ((err = keep_next(books->keep, dialogs, key, &key_len, value, sizeof value, &len)) == 0) {
        if (!dialog_decode(&t, value, len))
            return ERR_FORMAT;
        *count += t.count;
        *bytes += t.bytes;
    }
    return err == ERR_NOT_FOUND ? 0 : err;
}

int dialogs_clear(const struct dialogs *books) {
    uint8_t key[STORE_KEY_MAX], value[DIALOG_VALUE_BYTES];
    size_t key_len = 0, len;
    int err;
    while ((err = keep_next(books->keep, dialogs, key, &key_len, value, sizeof value, &len)) == 0 &&
           (err = keep_del(books->keep, dialogs, key, key_len)) == 0)
        continue;
    return err == ERR_NOT_FOUND ? 0 : err;
}

/* ---- places in it ---- */
static void place_key(uint8_t out[static PLACE_BYTES], const struct node_id *peer, uint64_t seq) {
    memcpy(out, peer->bytes, NODE_ID_BYTES);
    store_be64(out + NODE_ID_BYTES, seq);
}

static bool mark_decode(struct mark *m, const uint8_t *in, size_t len) {
    struct rd r = rd_init(in, len);
    uint8_t flags = rd_u8(&r);
    m->incoming = flags & MARK_INCOMING;
    m->delivered = flags & MARK_DELIVERED;
    m->failed = flags & MARK_FAILED;
    m->deleted = flags & MARK_DELETED;
    uint8_t number = rd_u8(&r);
    m->err = number ? err_from_wire(number) : 0;
    m->bytes = rd_u32(&r);
    rd_bytes(&r, m->id, sizeof m->id);
    return r.ok;
}

int mark_put(const struct dialogs *books, const struct node_id *peer, uint64_t seq,
             const struct mark *m) {
    uint8_t key[PLACE_BYTES], value[MARK_VALUE_BYTES];
    struct wr w = wr_init(value, sizeof value);
    place_key(key, peer, seq);
    wr_u8(&w, (uint8_t)((m->incoming ? MARK_INCOMING : 0) | (m->delivered ? MARK_DELIVERED : 0) |
                        (m->failed ? MARK_FAILED : 0) | (m->deleted ? MARK_DELETED : 0)));
    wr_u8(&w, (uint8_t)-m->err);
    wr_u32(&w, m->bytes);
    wr_bytes(&w, m->id, sizeof m->id);
    return keep_put(books->keep, conversations, key, sizeof key, value, wr_len(&w));
}

int mark_get(const struct dialogs *books, const struct node_id *peer, uint64_t seq,
             struct mark *m) {
    uint8_t key[PLACE_BYTES], value[MARK_VALUE_BYTES];
    size_t len;
    place_key(key, peer, seq);
    int err = keep_get(books->keep, conversations, key, sizeof key, value, sizeof value, &len);
    return !err && !mark_decode(m, value, len) ? ERR_FORMAT : err;
}

/* The next key of a table of places after (peer, *seq), whoever's it is, into `found`. */
static int next_place(const struct dialogs *books, const char *table, const struct node_id *peer,
                      uint64_t seq, struct node_id *found, uint64_t *found_seq, uint8_t *value,
                      size_t cap, size_t *len) {
    uint8_t key[STORE_KEY_MAX];
    size_t key_len = PLACE_BYTES;
    place_key(key, peer, seq);
    int err = keep_next(books->keep, table, key, &key_len, value, cap, len);
    if (err)
        return err;
    if (key_len != PLACE_BYTES)
        return ERR_FORMAT;
    memcpy(found->bytes, key, NODE_ID_BYTES);
    *found_seq = load_be64(key + NODE_ID_BYTES);
    return 0;
}

int mark_next(const struct dialogs *books, const struct node_id *peer, uint64_t after,
              uint64_t *seq, struct mark *m) {
    uint8_t value[MARK_VALUE_BYTES];
    struct node_id found;
    size_t len;
    int err = next_place(books, conversations, peer, after, &found, seq, value, sizeof value, &len);
    if (err)
        return err;
    if (!node_id_equal(&found, peer))
        return ERR_NOT_FOUND;
    return mark_decode(m, value, len) ? 0 : ERR_FORMAT;
}

int mark_del(const struct dialogs *books, const struct node_id *peer, uint64_t seq) {
    uint8_t key[PLACE_BYTES];
    place_key(key, peer, seq);
    return keep_del(books->keep, conversations, key, sizeof key);
}

/* ---- what waits ---- */
int outbox_put(const struct dialogs *books, const struct node_id *peer, uint64_t seq) {
    uint8_t key[PLACE_BYTES];
    place_key(key, peer, seq);
    return keep_put(books->keep, outbox, key, sizeof key, "", 0);
}

int outbox_del(const struct dialogs *books, const struct node_id *peer, uint64_t seq) {
    uint8_t key[PLACE_BYTES];
    place_key(key, peer, seq);
    return keep_del(books->keep, outbox, key, sizeof key);
}

int outbox_next(const struct dialogs *books, const struct node_id *peer, uint64_t after,
                uint64_t *seq) {
    uint8_t value[16];
    struct node_id found;
    size_t len;
    int err = next_place(books, outbox, peer, after, &found, seq, value, sizeof value, &len);
    return !err && !node_id_equal(&found, peer) ? ERR_NOT_FOUND : err;
}

int outbox_walk(const struct dialogs *books, struct node_id *peer, uint64_t *seq) {
    uint8_t value[16];
    size_t len;
    struct node_id from = *peer;
    return next_place(books, outbox, &from, *seq, peer, seq, value, sizeof value, &len);
}
