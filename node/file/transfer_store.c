#include "node/file/transfer_store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "node/node_int.h"

static const char table[] = "transfers", state_table[] = "transfer_state", ids_key[] = "ids";

enum { TRANSFER_VERSION = 1, FLAG_OUTGOING = 1, KEY_BYTES = SEQ_BYTES };

/* Each has its last operations back before it makes room (node/file/transfer.c, purge). */
_Static_assert((int)TRANSFERS_STORED_MAX == (int)TRANSFERS_MAX + (int)TRANSFERS_KEPT, "the list");

/* ---- one entry ---- */
static void put_text8(struct wr *w, const char *s) {
    const size_t len = strlen(s);
    wr_u8(w, (uint8_t)len);
    wr_bytes(w, s, len);
}

static size_t encode(const struct transfer *t, uint64_t now_us,
                     uint8_t out[static TRANSFER_VALUE_MAX]) {
    const struct transfer_info *i = &t->info;
    const uint64_t until_us = transfer_ended(t) ? i->ended_us : now_us;
    const uint32_t first =
        t->manifest.count < TRANSFER_FIRST_FILES ? t->manifest.count : TRANSFER_FIRST_FILES;
    struct wr w = wr_init(out, TRANSFER_VALUE_MAX);
    wr_u8(&w, TRANSFER_VERSION);
    wr_u8(&w, i->outgoing ? FLAG_OUTGOING : 0);
    wr_u8(&w, (uint8_t)i->state);
    wr_u16(&w, (uint16_t)-i->err);
    wr_bytes(&w, i->node.bytes, sizeof i->node.bytes);
    put_text8(&w, i->contact);
    wr_u32(&w, i->files);
    wr_u32(&w, i->files_done);
    wr_u64(&w, i->bytes_total);
    wr_u64(&w, i->bytes_done);
    wr_u64(&w, i->wall_us);
    wr_u64(&w, until_us - i->started_us);
    wr_u64(&w, i->accepted_us ? until_us - i->accepted_us : 0);
    put_text8(&w, i->detail);
    wr_u16(&w, (uint16_t)strlen(i->dir));
    wr_bytes(&w, i->dir, strlen(i->dir));
    wr_u8(&w, (uint8_t)first);
    for (uint32_t f = 0; f < first; f++) {
        wr_u64(&w, t->manifest.files[f].size);
        put_text8(&w, t->manifest.files[f].name);
    }
    wr_u8(&w, (uint8_t)i->cause.side);
    wr_u16(&w, (uint16_t)i->cause.limit);
    wr_u64(&w, i->cause.max);
    assert(w.ok);
    return wr_len(&w);
}

/* `len` bytes of text with a NUL; false if there is no room, or a NUL inside. */
static bool get_text(struct rd *r, size_t len, char *out, size_t cap) {
    if (len >= cap)
        return false;
    memset(out, 0, cap);
    rd_bytes(r, (uint8_t *)out, len);
    return r->ok && strlen(out) == len;
}

static bool get_first_files(struct rd *r, struct manifest *m) {
    static const uint8_t key[MANIFEST_KEY_BYTES] = {0}; /* three names collide with nobody */
    char name[FILE_NAME_MAX_BYTES + 1];
    const uint8_t count = rd_u8(r);
    manifest_init(m, key);
    for (uint8_t f = 0; f < count && r->ok && f < TRANSFER_FIRST_FILES; f++) {
        const uint64_t size = rd_u64(r);
        const size_t len = rd_u8(r);
        if (!get_text(r, len, name, sizeof name) || !manifest_name_ok(name, len) ||
            manifest_add(m, name, len) != 0)
            return false;
        m->files[f].size = size;
    }
    manifest_complete(m);
    return r->ok;
}

/* What is no time since something becomes none. */
static void set_times(struct transfer_info *i, uint64_t elapsed_us, uint64_t running_us) {
    i->started_us = 1; /* on the clock of nobody: only differences count */
    i->ended_us = elapsed_us < UINT64_MAX ? 1 + elapsed_us : 1;
    i->accepted_us = running_us > 0 && running_us < i->ended_us ? i->ended_us - running_us : 0;
}

static bool get_cause(struct rd *r, struct cause *c) {
    const uint8_t side = rd_u8(r);
    c->limit = limit_from_wire(rd_u16(r));
    c->max = rd_u64(r);
    c->side = side < SIDES ? (enum side)side : SIDE_LOCAL;
    return r->ok;
}

static bool decode(struct transfer *t, const uint8_t *in, size_t len) {
    struct transfer_info *i = &t->info;
    struct rd r = rd_init(in, len);
    const bool known = rd_u8(&r) == TRANSFER_VERSION;
    i->outgoing = rd_u8(&r) & FLAG_OUTGOING;
    const uint8_t state = rd_u8(&r);
    const uint16_t err = rd_u16(&r);
    i->err = err ? err_from_wire(err) : 0;
    rd_bytes(&r, i->node.bytes, sizeof i->node.bytes);
    if (!known || state > TRANSFER_FAILED ||
        !get_text(&r, rd_u8(&r), i->contact, sizeof i->contact))
        return false;
    i->state = (enum transfer_state)state;
    i->files = rd_u32(&r);
    i->files_done = rd_u32(&r);
    i->bytes_total = rd_u64(&r);
    i->bytes_done = rd_u64(&r);
    i->wall_us = rd_u64(&r);
    const uint64_t elapsed_us = rd_u64(&r);
    set_times(i, elapsed_us, rd_u64(&r));
    return get_text(&r, rd_u8(&r), i->detail, sizeof i->detail) &&
           get_text(&r, rd_u16(&r), i->dir, sizeof i->dir) && get_first_files(&r, &t->manifest) &&
           get_cause(&r, &i->cause);
}

/* ---- what has changed ---- */
static bool spent_all(const struct node *n) {
    return n->transfers.store.spent_us > n->now_us + TRANSFER_STORE_BURST_US;
}

static void set_due(struct node *n) {
    struct transfer_store *s = &n->transfers.store;
    if (s->due_us)
        return;
    s->due_us = n->now_us > 0 ? n->now_us : 1;
    if (spent_all(n))
        s->due_us = s->spent_us - TRANSFER_STORE_BURST_US;
}

/* Numbers are laid by in time, whatever was spent. */
static void set_due_for(struct node *n, uint64_t id) {
    struct transfer_store *s = &n->transfers.store;
    if (id + TRANSFER_IDS_AHEAD / 2 > s->ids && !s->backoff_us)
        s->due_us = n->now_us > 0 ? n->now_us : 1;
    else
        set_due(n);
}

void transfer_changed(struct node *n, struct transfer *t) {
    t->changed = true;
    t->changed_us = n->now_us;
    set_due_for(n, t->info.id);
}

static void remember_gone(struct node *n, uint64_t id) {
    struct transfer_store *s = &n->transfers.store;
    if (s->gone_count < TRANSFERS_STORED_MAX) /* else it is found again at the next start */
        s->gone[s->gone_count++] = id;
    set_due(n);
}

void transfer_numbered(struct node *n) {
    struct transfer_store *s = &n->transfers.store;
    if (n->transfers.last_id > s->ids && !s->backoff_us)
        s->due_us = n->now_us > 0 ? n->now_us : 1;
}

void transfer_forgotten(struct node *n, const struct transfer *t) {
    if (t->stored)
        remember_gone(n, t->info.id);
}

/* ---- writing ---- */
static int write_ids(struct node *n, uint64_t ids) {
    uint8_t value[8];
    store_le64(value, ids);
    return keep_put(n, state_table, ids_key, sizeof ids_key - 1, value, sizeof value);
}

static void nothing_more(struct node *n, const struct owed *o) {
    (void)n;
    (void)o;
}

/* What is committed with this is durable soon. */
static int make_durable(struct node *n) {
    const struct owed o = {.run = nothing_more};
    const int err = keep_owe(n, &o);
    (void)node_why(n, err);
    return err == ERR_FULL ? 0 : err; /* then others wait for the same barrier */
}

static int write_changes(struct node *n, uint64_t ids) {
    struct transfer_store *s = &n->transfers.store;
    uint8_t key[KEY_BYTES], value[TRANSFER_VALUE_MAX];
    bool durable = ids != s->ids;
    int err = 0;
    for (unsigned i = 0; !err && i < s->gone_count; i++) {
        seq_put(key, s->gone[i]);
        err = keep_del(n, table, key, sizeof key);
    }
    for (unsigned i = 0; !err && i < n->transfers.count; i++) {
        const struct transfer *t = n->transfers.list[i];
        if (!t->changed)
            continue;
        durable |= transfer_ended(t);
        seq_put(key, t->info.id);
        err = keep_put(n, table, key, sizeof key, value, encode(t, n->now_us, value));
    }
    if (!err && ids != s->ids)
        err = write_ids(n, ids);
    if (!err && durable)
        err = make_durable(n);
    return err;
}

static void written(struct node *n, uint64_t ids) {
    struct transfer_store *s = &n->transfers.store;
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        t->stored |= t->changed;
        t->changed = false;
    }
    uint64_t from_us = s->spent_us > n->now_us ? s->spent_us : n->now_us;
    if (spent_all(n)) /* it was for numbers, and is paid for by how many they are */
        from_us = n->now_us + TRANSFER_STORE_BURST_US;
    *s = (struct transfer_store){.spent_us = from_us + TRANSFER_STORE_PAUSE_US, .ids = ids};
}

static void write_all(struct node *n, uint64_t ids) {
    struct transfer_store *s = &n->transfers.store;
    int err = keep_begin(n);
    if (!err)
        err = keep_end(n, write_changes(n, ids));
    if (!err) {
        written(n, ids);
        return;
    }
    if (!s->backoff_us)
        node_log(n, LOG_WARN, "the list of transfers cannot be stored now: %s", err_text(err));
    s->backoff_us = s->backoff_us ? s->backoff_us * 2 : TRANSFER_STORE_RETRY_US;
    if (s->backoff_us > TRANSFER_STORE_RETRY_MAX_US)
        s->backoff_us = TRANSFER_STORE_RETRY_MAX_US;
    s->due_us = n->now_us + s->backoff_us;
}

uint64_t transfer_store_deadline_us(const struct node *n) {
    return n->transfers.store.due_us ? n->transfers.store.due_us : UINT64_MAX;
}

void transfer_store_pump(struct node *n) {
    const struct transfers *t = &n->transfers;
    if (!t->store.due_us || t->store.due_us > n->now_us)
        return;
    const bool flood = t->store.spent_us >= n->now_us + TRANSFER_STORE_BURST_US;
    const uint64_t ahead = flood ? TRANSFER_IDS_FLOOD : TRANSFER_IDS_AHEAD;
    const bool few = t->last_id + ahead / 2 > t->store.ids;
    write_all(n, few ? t->last_id + ahead : t->store.ids);
}

void transfer_store_end(struct node *n) {
    const struct transfers *t = &n->transfers;
    if (t->store.due_us || t->store.ids != t->last_id)
        write_all(n, t->last_id);
    n->transfers.store.due_us = 0; /* nobody will ask again */
}

/* ---- reading ---- */
static void cut_short(struct node *n, struct transfer *t) {
    if (transfer_ended(t))
        return;
    t->info.state = TRANSFER_FAILED;
    t->info.err = ERR_ENDED;
    node_log(n, LOG_INFO, "transfer %llu was under way when meshd ended",
             (unsigned long long)t->info.id);
    transfer_changed(n, t);
}

static int take_back(struct node *n, uint64_t id, const uint8_t *value, size_t len) {
    struct transfer *t;
    int err = transfers_add(n, id, &t);
    if (err)
        return err;
    if (!decode(t, value, len)) {
        transfers_drop_last(n);
        return ERR_FORMAT;
    }
    const struct contact *c = contact_by_id(n, &t->info.node);
    if (c) {
        t->contact = c->serial;
        memcpy(t->info.contact, c->name, sizeof t->info.contact);
    }
    t->reported = t->stored = true;
    cut_short(n, t);
    return 0;
}

static int load_ids(struct node *n) {
    uint8_t value[8];
    size_t len = 0;
    const int err =
        keep_get(n, state_table, ids_key, sizeof ids_key - 1, value, sizeof value, &len);
    if (err && err != ERR_NOT_FOUND && err != ERR_FULL)
        return err;
    if (!err && len == sizeof value)
        n->transfers.store.ids = n->transfers.last_id = load_le64(value);
    return 0;
}

int transfers_load(struct node *n) {
    uint8_t key[STORE_KEY_MAX], value[TRANSFER_VALUE_MAX + 1024]; /* and what later versions add */
    size_t key_len = 0, len;
    int err = load_ids(n);
    while (!err) {
        err = keep_next(n, table, key, &key_len, value, sizeof value, &len);
        if (err == ERR_NOT_FOUND)
            return 0;
        if (err && err != ERR_FULL)
            return err;
        const uint64_t id = key_len == KEY_BYTES ? seq_get(key) : 0;
        if (n->transfers.count == TRANSFERS_STORED_MAX)
            transfers_drop_oldest(n);
        if (!err)
            err = id ? take_back(n, id, value, len) : ERR_FORMAT;
        if (err == ERR_FORMAT || err == ERR_FULL) {
            node_log(n, LOG_ERROR, "a stored transfer cannot be read, and is forgotten");
            if (id)
                remember_gone(n, id);
            err = 0;
        }
        if (id > n->transfers.last_id)
            n->transfers.last_id = id;
    }
    return err;
}
