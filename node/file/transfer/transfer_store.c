#include "node/file/transfer/transfer_store.h"

#include <string.h>

#include "crypto/base/bytes.h"
#include "node/base/keep.h"
#include "node/file/transfer/transfer_entry.h"
#include "node/people/contact.h"

static const char table[] = "transfers", state_table[] = "transfer_state", ids_key[] = "ids";

enum { KEY_BYTES = 8 };

/* Each has its last operations back before it makes room (node/file/transfer/transfer.c, purge). */
_Static_assert((int)TRANSFERS_STORED_MAX == (int)TRANSFERS_MAX + (int)TRANSFERS_KEPT, "the list");

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
    const struct write_pace *p = &files->pace;
    uint8_t key[KEY_BYTES], value[TRANSFER_VALUE_MAX];
    bool durable = ids != p->ids;
    int err = 0;
    for (unsigned i = 0; !err && i < p->gone_count; i++) {
        store_be64(key, p->gone[i]);
        err = keep_del(files->keep, table, key, sizeof key);
    }
    for (unsigned i = 0; !err && i < files->count; i++) {
        const struct transfer *t = files->list[i];
        if (!t->changed)
            continue;
        durable |= transfer_ended(t);
        store_be64(key, t->info.id);
        err = keep_put(files->keep, table, key, sizeof key, value,
                       transfer_entry_write(t, files->turn->now_us, value));
    }
    if (!err && ids != p->ids)
        err = write_ids(files, ids);
    if (!err && durable)
        err = make_durable(files);
    return err;
}

static void written(struct transfers *files, uint64_t ids) {
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        t->stored |= t->changed;
        t->changed = false;
    }
    write_pace_written(&files->pace, files->turn->now_us, ids);
}

static void write_all(struct transfers *files, uint64_t ids) {
    int err = keep_begin(files->keep);
    if (!err)
        err = keep_end(files->keep, write_changes(files, ids));
    if (!err)
        written(files, ids);
    else if (write_pace_failed(&files->pace, files->turn->now_us))
        turn_log(files->turn, LOG_WARN, "the list of transfers cannot be stored now: %s",
                 err_text(err));
}

void transfer_store_pump(struct transfers *files) {
    const struct write_pace *p = &files->pace;
    const uint64_t now_us = files->turn->now_us;
    if (write_pace_due(p, now_us))
        write_all(files, write_pace_ids(p, now_us, files->last_id));
}

void transfer_store_end(struct transfers *files) {
    if (files->pace.due_us || files->pace.ids != files->last_id)
        write_all(files, files->last_id);
    files->pace.due_us = 0; /* nobody will ask again */
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
    if (!transfer_entry_read(t, value, len)) {
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
        files->pace.ids = files->last_id = load_le64(value);
    return 0;
}

int transfer_store_load(struct transfers *files) {
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
                write_pace_gone(&files->pace, files->turn->now_us, id);
            err = 0;
        }
        if (id > files->last_id)
            files->last_id = id;
    }
    return err;
}
