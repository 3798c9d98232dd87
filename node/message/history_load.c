/* history_load.c: the start of node/message/history: where the numbers go on, how much there is,
 * and the conversations' books for messages that were stored before there were any.
 */
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/message/history_rows.h"
#include "node/people/contact.h"

enum { STEP_ROWS = 500 }; /* of one transaction */

static int read_seq(struct history *h, const char *key, uint64_t *seq) {
    uint8_t value[SEQ_BYTES];
    size_t len;
    *seq = 0;
    int err = keep_get(h->keep, TABLE_STATE, key, 4, value, sizeof value, &len);
    if (!err && len != sizeof value)
        err = ERR_FORMAT;
    if (!err)
        *seq = load_be64(value);
    return err;
}

/* What had come, but was not safe yet when the process died: it is now. Of a later one the user was
 * not told either, since that happens in their order. */
static int tell_late(struct history *h) {
    struct entry e;
    uint64_t seq;
    int err = read_seq(h, "told", &h->told_seq);
    if (err && err != ERR_NOT_FOUND)
        return err;
    for (seq = h->told_seq; (err = history_next(h, NULL, seq, &seq, &e)) == 0;) {
        const struct contact *c = contact_by_id(h->contacts, &e.peer);
        if (e.outgoing)
            continue;
        contacts_tell(h->contacts, NODE_MESSAGE, c ? c->name : NULL)->id = seq;
        h->told_seq = seq;
        h->told_new = h->turn->unheard = true;
    }
    return err == ERR_NOT_FOUND || err == ERR_FORMAT ? 0 : err;
}

/* ---- from the form without books ---- */
/* The books of one message. In a transaction. */
static int enter(struct history *h, uint64_t seq, const struct entry *e, uint8_t flags) {
    struct dialog t;
    struct mark m = {.incoming = !e->outgoing,
                     .delivered = flags & MESSAGE_WAS_DELIVERED,
                     .bytes = (uint32_t)e->len};
    memcpy(m.id, e->id, sizeof m.id);
    int err = dialog_get(&h->dialogs, &e->peer, &t);
    if (err)
        return err;
    t.rows++;
    if (m.incoming) {
        t.count++;
        t.bytes += e->len + MESSAGE_OVERHEAD_BYTES;
    }
    err = mark_put(&h->dialogs, &e->peer, seq, &m);
    if (!err)
        err = dialog_put(&h->dialogs, &e->peer, &t);
    if (!err)
        dialog_note(&h->dialogs, &e->peer, &t);
    return err;
}

/* One transaction's worth of rows after key[0..*key_len). ERR_NOT_FOUND at the end. */
static int enter_some(struct history *h, uint8_t key[static STORE_KEY_MAX], size_t *key_len) {
    int err = keep_begin(h->keep);
    bool end = false, any = false;
    if (err)
        return err;
    for (unsigned i = 0; !err && !end && i < STEP_ROWS; i++) {
        struct entry e;
        uint8_t flags;
        size_t len;
        err = keep_next(h->keep, TABLE_MESSAGES, key, key_len, h->value, MESSAGE_VALUE_MAX, &len);
        end = err == ERR_NOT_FOUND;
        if (err)
            continue;
        if (*key_len != SEQ_BYTES || !history_decode(&e, &flags, h->value, len)) {
            turn_log(h->turn, LOG_ERROR, "a stored message cannot be read; it is left alone");
            continue;
        }
        any = true;
        h->last_seq = load_be64(key);
        err = enter(h, load_be64(key), &e, flags);
    }
    if (end && !any)
        return keep_end(h->keep, ERR_NOT_FOUND); /* nothing to write: a full disk is no hindrance */
    err = keep_end(h->keep, end ? 0 : err);
    return !err && end ? ERR_NOT_FOUND : err;
}

/* An id was put down before its message; without that one it must not stand for it. */
static int check_ids(struct history *h) {
    uint8_t key[STORE_KEY_MAX], value[SEQ_BYTES];
    size_t key_len = 0, len;
    int err;
    while ((err = keep_next(h->keep, TABLE_IDS, key, &key_len, value, sizeof value, &len)) == 0) {
        struct node_id peer;
        struct mark m;
        if (key_len != KNOWN_KEY_BYTES || len != SEQ_BYTES)
            return ERR_FORMAT;
        memcpy(peer.bytes, key, NODE_ID_BYTES);
        err = mark_get(&h->dialogs, &peer, load_be64(value), &m);
        if (err == ERR_NOT_FOUND ||
            (!err && memcmp(m.id, key + NODE_ID_BYTES, LETTER_ID_BYTES) != 0))
            err = keep_del(h->keep, TABLE_IDS, key, key_len);
        if (err)
            return err;
    }
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int make_books(struct history *h) {
    uint8_t key[STORE_KEY_MAX];
    size_t key_len = 0;
    struct node_id peer = {{0}};
    uint64_t seq = 0;
    if (!history_scratch(h))
        return ERR_NOMEM;
    int err = dialogs_clear(&h->dialogs); /* of an attempt that was cut short */
    while (!err)
        err = enter_some(h, key, &key_len);
    if (err == ERR_NOT_FOUND)
        err = check_ids(h);
    const bool any = h->last_seq > 0;
    while (!err && (err = outbox_walk(&h->dialogs, &peer, &seq)) == 0)
        if (seq > h->last_seq)
            h->last_seq = seq; /* of a message that was never stored */
    if (err != ERR_NOT_FOUND)
        return err;
    /* From here on there are books. A store without a message needs none, nor a write. */
    if (!any)
        return 0;
    err = history_told(h, h->last_seq);
    return err ? err : history_seq_next(h, &seq);
}

int history_load(struct history *h) {
    int err = read_seq(h, "last", &h->last_seq);
    if (err == ERR_NOT_FOUND)
        err = make_books(h);
    if (!err)
        err = dialogs_count(&h->dialogs, &h->count, &h->bytes);
    h->shown_seq = h->last_seq;
    return err ? err : tell_late(h);
}
