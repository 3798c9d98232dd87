/* history_delete.c: the user deletes what was said. A step at a time, so that the loop goes on. */
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/message/history_rows.h"
#include "node/people/contact.h"

static int delete_text(struct history *h, uint64_t seq) {
    uint8_t key[SEQ_BYTES];
    store_be64(key, seq);
    return keep_del(h->keep, TABLE_MESSAGES, key, sizeof key);
}

/* Out of all tables; or, if its id is among the last ones, out of all but the books. */
static int delete_one(struct history *h, const struct node_id *peer, uint64_t seq, struct mark *m,
                      struct dialog *t) {
    bool keep_id = m->incoming && t->rows <= MESSAGES_KNOWN_KEPT;
    int err = m->deleted ? 0 : delete_text(h, seq);
    if (!m->deleted && m->incoming) {
        t->count--;
        t->bytes -= m->bytes + MESSAGE_OVERHEAD_BYTES;
    }
    if (err)
        return err;
    if (keep_id) {
        m->deleted = true;
        return mark_put(&h->dialogs, peer, seq, m);
    }
    t->rows--;
    err = mark_del(&h->dialogs, peer, seq);
    return !err && m->incoming ? history_ids_del(h, peer, m->id) : err;
}

static bool waits(const struct history *h, const struct node_id *peer, uint64_t seq,
                  const struct mark *m, const struct dialog *t) {
    return !m->incoming && !m->delivered && !m->failed && seq > t->void_seq &&
           contact_by_id(h->contacts, peer);
}

/* In a transaction. */
static int delete_some(struct history *h, const struct node_id *peer, uint64_t upto,
                       struct dialog *t, struct history_cut *cut) {
    for (unsigned i = 0; i < MESSAGES_DELETE_STEP; i++) {
        struct mark m;
        uint64_t seq;
        int err = mark_next(&h->dialogs, peer, cut->last, &seq, &m);
        if (err == ERR_NOT_FOUND || (!err && (seq > upto || seq > h->shown_seq))) {
            cut->more = false;
            return 0;
        }
        if (err)
            return err;
        cut->last = seq;
        if (waits(h, peer, seq, &m, t))
            continue;
        cut->deleted += !m.deleted;
        err = delete_one(h, peer, seq, &m, t);
        if (err)
            return err;
    }
    cut->more = true;
    return 0;
}

int history_delete(struct history *h, const struct node_id *peer, uint64_t after, uint64_t upto,
                   struct history_cut *cut) {
    struct dialog t, before;
    *cut = (struct history_cut){.last = after};
    int err = dialog_get(&h->dialogs, peer, &t);
    if (!err)
        err = keep_begin(h->keep);
    if (err)
        return err;
    before = t;
    err = delete_some(h, peer, upto, &t, cut);
    if (!err)
        err = dialog_put(&h->dialogs, peer, &t);
    err = keep_end(h->keep, err);
    if (err) {
        *cut = (struct history_cut){.last = after};
        return err;
    }
    dialog_note(&h->dialogs, peer, &t);
    h->count -= before.count - t.count;
    h->bytes -= before.bytes - t.bytes;
    keep_scrub(h->keep); /* what was said is nobody's business any more */
    return 0;
}
