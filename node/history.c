#include "node/history.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/bytes.h"
#include "node/core.h"

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

int history_put(struct node *n, uint64_t seq, const struct entry *e) {
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
int history_get(struct node *n, uint64_t seq, struct entry *e) {
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
int history_next(struct node *n, uint64_t after, uint64_t *seq, struct entry *e) {
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
int history_load(struct node *n) {
    uint64_t lo = 0,
             hi = UINT64_MAX; /* something is above lo or lo is the last; nothing above hi */
    struct entry e;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2, seq;
        int err = history_next(n, mid, &seq, &e);
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
int outbox_del(struct node *n, const struct node_id *peer, uint64_t seq) {
    uint8_t key[OUTBOX_KEY_BYTES];
    outbox_key(key, peer, seq);
    return n->env.store.del(n->env.store.ctx, outbox, key, sizeof key);
}

/* The first entry of this contact with a greater seq. */
int outbox_next(struct node *n, const struct node_id *peer, uint64_t after, uint64_t *seq) {
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

/* ---- new ones ---- */
int history_queue(struct node *n, const struct entry *e, uint64_t *seq) {
    uint8_t key[OUTBOX_KEY_BYTES];
    uint64_t s = n->messages.last_seq + 1;
    outbox_key(key, &e->peer, s);
    int err = n->env.store.put(n->env.store.ctx, outbox, key, sizeof key, "", 0);
    if (err)
        return err;
    err = history_put(n, s, e);
    if (err) {
        int swept = outbox_del(n, &e->peer, s);
        (void)swept; /* else the next start sweeps it */
        return err;
    }
    n->messages.last_seq = *seq = s;
    return 0;
}

/* True if the message has been stored before: registered, and there. */
static bool is_known(struct node *n, const struct contact *c, const struct letter *l, int *err) {
    uint8_t key[KNOWN_KEY_BYTES], value[SEQ_BYTES];
    size_t len;
    struct entry e;
    known_key(key, &c->id, l->id);
    *err = n->env.store.get(n->env.store.ctx, known, key, sizeof key, value, sizeof value, &len);
    if (*err == 0)
        *err = len == SEQ_BYTES ? history_get(n, get_seq(value), &e) : ERR_IO;
    if (*err == ERR_NOT_FOUND) {
        *err = 0;
        return false;
    }
    return *err == 0 && !e.outgoing && node_id_equal(&e.peer, &c->id) &&
           memcmp(e.id, l->id, LETTER_ID_BYTES) == 0;
}

int history_keep(struct node *n, const struct contact *c, const struct letter *l,
                 uint64_t *seq_out) {
    int err;
    *seq_out = 0;
    if (is_known(n, c, l, &err) || err)
        return err;
    struct entry e = {.wall_us = l->wall_ms * 1000, .peer = c->id, .text = l->text, .len = l->len};
    if (e.wall_us >
        node_wall_us(n)) /* a fast clock there does not make a message from the future */
        e.wall_us = node_wall_us(n);
    memcpy(e.id, l->id, sizeof e.id);
    memcpy(e.name, c->name, sizeof e.name);
    uint8_t key[KNOWN_KEY_BYTES], value[SEQ_BYTES];
    uint64_t seq = n->messages.last_seq + 1;
    known_key(key, &c->id, l->id);
    put_seq(value, seq);
    err = n->env.store.put(n->env.store.ctx, known, key, sizeof key, value, sizeof value);
    if (!err)
        err = history_put(n, seq, &e);
    if (err)
        return err;
    n->messages.last_seq = *seq_out = seq;
    return 0;
}
