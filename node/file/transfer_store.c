#include "node/file/transfer_store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/disk/file_queue.h"
#include "node/file/transfer.h"

static const char table[] = "transfers", state_table[] = "transfer_state", ids_key[] = "ids";

enum { TRANSFER_VERSION = 1, FLAG_OUTGOING = 1, KEY_BYTES = 8 };

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
static bool spent_all(const struct transfers *files) {
    return files->store.spent_us > files->turn->now_us + TRANSFER_STORE_BURST_US;
}

static void set_due(struct transfers *files) {
    struct transfer_store *s = &files->store;
    if (s->due_us)
        return;
    s->due_us = files->turn->now_us > 0 ? files->turn->now_us : 1;
    if (spent_all(files))
        s->due_us = s->spent_us - TRANSFER_STORE_BURST_US;
}

/* Numbers are laid by in time, whatever was spent. */
static void set_due_for(struct transfers *files, uint64_t id) {
    struct transfer_store *s = &files->store;
    if (id + TRANSFER_IDS_AHEAD / 2 > s->ids && !s->backoff_us)
        s->due_us = files->turn->now_us > 0 ? files->turn->now_us : 1;
    else
        set_due(files);
}

void transfer_changed(struct transfers *files, struct transfer *t) {
    t->changed = true;
    t->changed_us = files->turn->now_us;
    set_due_for(files, t->info.id);
}

static void remember_gone(struct transfers *files, uint64_t id) {
    struct transfer_store *s = &files->store;
    if (s->gone_count < TRANSFERS_STORED_MAX) /* else it is found again at the next start */
        s->gone[s->gone_count++] = id;
    set_due(files);
}

void transfer_numbered(struct transfers *files) {
    struct transfer_store *s = &files->store;
    if (files->last_id > s->ids && !s->backoff_us)
        s->due_us = files->turn->now_us > 0 ? files->turn->now_us : 1;
}

void transfer_forgotten(struct transfers *files, const struct transfer *t) {
    if (t->stored)
        remember_gone(files, t->info.id);
}

/* ---- writing ---- */
static int write_ids(struct transfers *files, uint64_t ids) {
    uint8_t value[8];
    store_le64(value, ids);
    return keep_put(files->keep, state_table, ids_key, sizeof ids_key - 1, value, sizeof value);
}

static void nothing_more(const struct owed *o) {
    (void)o;
}

/* What is committed with this is durable soon. */
static int make_durable(struct transfers *files) {
    const struct owed o = {.run = nothing_more};
    const int err = keep_owe(files->keep, &o);
    (void)turn_why(files->turn, err);
    return err == ERR_FULL ? 0 : err; /* then others wait for the same barrier */
}

static int write_changes(struct transfers *files, uint64_t ids) {
    struct transfer_store *s = &files->store;
    uint8_t key[KEY_BYTES], value[TRANSFER_VALUE_MAX];
    bool durable = ids != s->ids;
    int err = 0;
    for (unsigned i = 0; !err && i < s->gone_count; i++) {
        store_be64(key, s->gone[i]);
        err = keep_del(files->keep, table, key, sizeof key);
    }
    for (unsigned i = 0; !err && i < files->count; i++) {
        const struct transfer *t = files->list[i];
        if (!t->changed)
            continue;
        durable |= transfer_ended(t);
        store_be64(key, t->info.id);
        err = keep_put(files->keep, table, key, sizeof key, value,
                       encode(t, files->turn->now_us, value));
    }
    if (!err && ids != s->ids)
        err = write_ids(files, ids);
    if (!err && durable)
        err = make_durable(files);
    return err;
}

static void written(struct transfers *files, uint64_t ids) {
    struct transfer_store *s = &files->store;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        t->stored |= t->changed;
        t->changed = false;
    }
    uint64_t from_us = s->spent_us > files->turn->now_us ? s->spent_us : files->turn->now_us;
    if (spent_all(files)) /* it was for numbers, and is paid for by how many they are */
        from_us = files->turn->now_us + TRANSFER_STORE_BURST_US;
    *s = (struct transfer_store){.spent_us = from_us + TRANSFER_STORE_PAUSE_US, .ids = ids};
}

static void write_all(struct transfers *files, uint64_t ids) {
    struct transfer_store *s = &files->store;
    int err = keep_begin(files->keep);
    if (!err)
        err = keep_end(files->keep, write_changes(files, ids));
    if (!err) {
        written(files, ids);
        return;
    }
    if (!s->backoff_us)
        turn_log(files->turn, LOG_WARN, "the list of transfers cannot be stored now: %s",
                 err_text(err));
    s->backoff_us = s->backoff_us ? s->backoff_us * 2 : TRANSFER_STORE_RETRY_US;
    if (s->backoff_us > TRANSFER_STORE_RETRY_MAX_US)
        s->backoff_us = TRANSFER_STORE_RETRY_MAX_US;
    s->due_us = files->turn->now_us + s->backoff_us;
}

uint64_t transfer_store_deadline_us(const struct transfers *files) {
    return files->store.due_us ? files->store.due_us : UINT64_MAX;
}

void transfer_store_pump(struct transfers *files) {
    if (!files->store.due_us || files->store.due_us > files->turn->now_us)
        return;
    const bool flood = files->store.spent_us >= files->turn->now_us + TRANSFER_STORE_BURST_US;
    const uint64_t ahead = flood ? TRANSFER_IDS_FLOOD : TRANSFER_IDS_AHEAD;
    const bool few = files->last_id + ahead / 2 > files->store.ids;
    write_all(files, few ? files->last_id + ahead : files->store.ids);
}

void transfer_store_end(struct transfers *files) {
    if (files->store.due_us || files->store.ids != files->last_id)
        write_all(files, files->last_id);
    files->store.due_us = 0; /* nobody will ask again */
}

/* ---- reading ---- */
static void cut_short(struct transfers *files, struct transfer *t) {
    if (transfer_ended(t))
        return;
    t->info.state = TRANSFER_FAILED;
    t->info.err = ERR_ENDED;
    turn_log(files->turn, LOG_INFO, "transfer %llu was under way when meshd ended",
             (unsigned long long)t->info.id);
    transfer_changed(files, t);
}

static int take_back(struct transfers *files, uint64_t id, const uint8_t *value, size_t len) {
    struct transfer *t;
    int err = transfers_add(files, id, &t);
    if (err)
        return err;
    if (!decode(t, value, len)) {
        transfers_drop_last(files);
        return ERR_FORMAT;
    }
    const struct contact *c = contact_by_id(files->contacts, &t->info.node);
    if (c) {
        t->contact = c->serial;
        memcpy(t->info.contact, c->name, sizeof t->info.contact);
    }
    t->reported = t->stored = true;
    cut_short(files, t);
    return 0;
}

static int load_ids(struct transfers *files) {
    uint8_t value[8];
    size_t len = 0;
    const int err =
        keep_get(files->keep, state_table, ids_key, sizeof ids_key - 1, value, sizeof value, &len);
    if (err && err != ERR_NOT_FOUND && err != ERR_FULL)
        return err;
    if (!err && len == sizeof value)
        files->store.ids = files->last_id = load_le64(value);
    return 0;
}

int transfers_load(struct transfers *files) {
    uint8_t key[STORE_KEY_MAX], value[TRANSFER_VALUE_MAX + 1024]; /* and what later versions add */
    size_t key_len = 0, len;
    int err = load_ids(files);
    while (!err) {
        err = keep_next(files->keep, table, key, &key_len, value, sizeof value, &len);
        if (err == ERR_NOT_FOUND)
            return 0;
        if (err && err != ERR_FULL)
            return err;
        const uint64_t id = key_len == KEY_BYTES ? load_be64(key) : 0;
        if (files->count == TRANSFERS_STORED_MAX)
            transfers_drop_oldest(files);
        if (!err)
            err = id ? take_back(files, id, value, len) : ERR_FORMAT;
        if (err == ERR_FORMAT || err == ERR_FULL) {
            turn_log(files->turn, LOG_ERROR, "a stored transfer cannot be read, and is forgotten");
            if (id)
                remember_gone(files, id);
            err = 0;
        }
        if (id > files->last_id)
            files->last_id = id;
    }
    return err;
}
