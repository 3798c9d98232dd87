#include "sim/disk/store_mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/arena.h"

struct entry {
    size_t key_len, value_len;
    uint8_t bytes[]; /* key, then value */
};

struct table {
    char *name;
    struct entry **entries; /* by key bytes */
    size_t count;
    uint32_t cap;
    struct table *next;
};

/* What a change replaced, so that it can be taken back; or the end of a transaction. */
struct undo {
    struct table *table;  /* NULL: a transaction was committed here */
    struct entry *before; /* NULL: there was nothing of that key */
    size_t key_len;
    uint8_t key[STORE_KEY_MAX];
};

enum {
    UNDO_MAX = 4096
}; /* more changes without a barrier: the oldest have reached the disk by
                           * themselves, as a system writes back what is old */

struct store_mem {
    struct table *tables;
    bool frozen;
    bool open;          /* in a transaction */
    size_t begun_at;    /* which began at this place of `undo` */
    struct undo **undo; /* changes a power cut may take, oldest first */
    size_t undo_count;
    uint32_t undo_cap;
    uint64_t undo_base; /* records dropped from the front since the beginning */
    uint64_t writes, fail_from;
    int fail_err;
    uint64_t die_at; /* 0: it does not; else 1 + the number of the write */
    bool died;
    uint64_t syncs, sync_fail_from;
    int sync_fail_err;
};

struct store_mem *store_mem_new(void) {
    return mem_calloc(1, sizeof(struct store_mem));
}

static void undo_free(struct undo *u) {
    mem_free(u->before);
    mem_free(u);
}

/* The oldest `count` changes are there to stay. */
static void undo_drop(struct store_mem *m, size_t count) {
    for (size_t i = 0; i < count; i++)
        undo_free(m->undo[i]);
    if (m->undo_count > count)
        memmove(m->undo, m->undo + count, (m->undo_count - count) * sizeof(struct undo *));
    m->undo_count -= count;
    m->undo_base += count;
    m->begun_at = m->begun_at > count ? m->begun_at - count : 0;
}

void store_mem_wipe(struct store_mem *m) {
    undo_drop(m, m->undo_count);
    m->open = false;
    while (m->tables) {
        struct table *t = m->tables;
        m->tables = t->next;
        for (size_t i = 0; i < t->count; i++)
            mem_free(t->entries[i]);
        mem_free(t->entries);
        mem_free(t->name);
        mem_free(t);
    }
}

void store_mem_free(struct store_mem *m) {
    if (!m)
        return;
    store_mem_wipe(m);
    mem_free(m->undo);
    mem_free(m);
}

void store_mem_fail(struct store_mem *m, uint64_t n, int err) {
    m->fail_from = m->writes + n;
    m->fail_err = err;
}

void store_mem_fail_sync(struct store_mem *m, uint64_t n, int err) {
    m->sync_fail_from = m->syncs + n;
    m->sync_fail_err = err;
}

void store_mem_die(struct store_mem *m, uint64_t n) {
    m->die_at = n == UINT64_MAX ? 0 : m->writes + n + 1;
}

bool store_mem_died(const struct store_mem *m) {
    return m->died;
}

bool store_mem_fails(const struct store_mem *m) {
    return m->fail_err != 0 || m->sync_fail_err != 0;
}

bool store_mem_failed(const struct store_mem *m) {
    return m->fail_err != 0 && m->writes > m->fail_from;
}

uint64_t store_mem_writes(const struct store_mem *m) {
    return m->writes;
}

uint64_t store_mem_syncs(const struct store_mem *m) {
    return m->syncs;
}

static struct table *find_table(const struct store_mem *m, const char *name) {
    struct table *t = m->tables;
    while (t && strcmp(t->name, name) != 0)
        t = t->next;
    return t;
}

uint64_t store_mem_count(const struct store_mem *m, const char *table) {
    uint64_t n = 0;
    for (const struct table *t = m->tables; t; t = t->next)
        if (!table || strcmp(table, t->name) == 0)
            n += t->count;
    return n;
}

static int compare(const struct entry *e, const void *key, size_t key_len) {
    const size_t common = e->key_len < key_len ? e->key_len : key_len;
    const int c = common ? memcmp(e->bytes, key, common) : 0;
    return c ? c : (e->key_len > key_len) - (e->key_len < key_len);
}

/* The first entry whose key is >= key. */
static size_t lower_bound(const struct table *t, const void *key, size_t key_len) {
    size_t lo = 0, hi = t->count;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (compare(t->entries[mid], key, key_len) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool found_at(const struct table *t, size_t at, const void *key, size_t key_len) {
    return at < t->count && compare(t->entries[at], key, key_len) == 0;
}

static struct table *make_table(struct store_mem *m, const char *name) {
    struct table *t = mem_calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->name = mem_strdup(name);
    if (!t->name) {
        mem_free(t);
        return NULL;
    }
    t->next = m->tables;
    m->tables = t;
    return t;
}

static bool make_room(struct table *t) {
    return mem_grow(&t->entries, &t->cap, t->count + 1, sizeof(struct entry *), UINT32_MAX);
}

/* False: the write is one of a process that is dead. */
static bool lives(struct store_mem *m) {
    if (m->die_at == 0 || m->writes + 1 < m->die_at || m->frozen)
        return !m->frozen;
    m->died = true;
    store_mem_freeze(m, true);
    return false;
}

static int check_write(struct store_mem *m) {
    const uint64_t n = m->writes++;
    return m->fail_err != 0 && n >= m->fail_from ? m->fail_err : 0;
}

/* ---- changes, and taking them back ---- */

/* A new record at the end; NULL: no memory. */
static struct undo *undo_new(struct store_mem *m) {
    if (!mem_grow(&m->undo, &m->undo_cap, m->undo_count + 1, sizeof(struct undo *), UINT32_MAX))
        return NULL;
    struct undo *u = mem_calloc(1, sizeof *u);
    if (u)
        m->undo[m->undo_count++] = u;
    return u;
}

/* Puts e (NULL: nothing) under its key; gives what was there. There is room. */
static struct entry *exchange(struct table *t, const void *key, size_t key_len, struct entry *e) {
    const size_t at = lower_bound(t, key, key_len);
    struct entry *before = NULL;
    if (found_at(t, at, key, key_len)) {
        before = t->entries[at];
        if (!e) {
            memmove(t->entries + at, t->entries + at + 1,
                    (t->count - at - 1) * sizeof(struct entry *));
            t->count--;
        }
    } else if (e) {
        memmove(t->entries + at + 1, t->entries + at, (t->count - at) * sizeof(struct entry *));
        t->count++;
    }
    if (e)
        t->entries[at] = e;
    return before;
}

/* Takes back the latest changes until `count` are left. */
static void undo_back(struct store_mem *m, size_t count) {
    while (m->undo_count > count) {
        struct undo *u = m->undo[--m->undo_count];
        if (u->table) {
            if (u->before && !make_room(u->table))
                abort();
            mem_free(exchange(u->table, u->key, u->key_len, u->before));
            u->before = NULL;
        }
        undo_free(u);
    }
}

static int end_transaction(struct store_mem *m) {
    if (!undo_new(m))
        return ERR_NOMEM;
    if (m->undo_count > UNDO_MAX) {
        size_t half = m->undo_count / 2;
        while (m->undo[half - 1]->table)
            half++;
        undo_drop(m, half);
    }
    return 0;
}

/* e NULL: deletes. Takes e, also when it fails. */
static int change(struct store_mem *m, struct table *t, const void *key, size_t key_len,
                  struct entry *e) {
    struct undo *u = undo_new(m);
    if (!u || (e && !make_room(t))) {
        if (u)
            m->undo_count--;
        mem_free(u);
        mem_free(e);
        return ERR_NOMEM;
    }
    u->table = t;
    u->key_len = key_len;
    if (key_len)
        memcpy(u->key, key, key_len);
    u->before = exchange(t, key, key_len, e);
    const int err = m->open ? 0 : end_transaction(m);
    if (err)
        undo_back(m, m->undo_count - 1);
    return err;
}

static int put_entry(void *ctx, const char *table, const void *key, size_t key_len,
                     const void *value, size_t value_len) {
    struct store_mem *m = ctx;
    assert(key_len > 0 && key_len <= STORE_KEY_MAX && value_len <= STORE_VALUE_MAX);
    if (!lives(m))
        return 0;
    const int err = check_write(m);
    if (err)
        return err;
    struct table *t = find_table(m, table);
    if (!t)
        t = make_table(m, table);
    struct entry *e = mem_alloc(sizeof *e + key_len + value_len);
    if (!t || !e) {
        mem_free(e);
        return ERR_NOMEM;
    }
    e->key_len = key_len;
    e->value_len = value_len;
    memcpy(e->bytes, key, key_len);
    if (value_len)
        memcpy(e->bytes + key_len, value, value_len);
    return change(m, t, key, key_len, e);
}

static int give(const struct entry *e, void *value, size_t cap, size_t *len) {
    *len = e->value_len;
    if (e->value_len > cap)
        return ERR_FULL;
    if (e->value_len)
        memcpy(value, e->bytes + e->key_len, e->value_len);
    return 0;
}

static int get(void *ctx, const char *table, const void *key, size_t key_len, void *value,
               size_t cap, size_t *len) {
    const struct table *t = find_table(ctx, table);
    if (!t)
        return ERR_NOT_FOUND;
    const size_t at = lower_bound(t, key, key_len);
    return found_at(t, at, key, key_len) ? give(t->entries[at], value, cap, len) : ERR_NOT_FOUND;
}

static int del_entry(void *ctx, const char *table, const void *key, size_t key_len) {
    struct store_mem *m = ctx;
    if (!lives(m))
        return 0;
    const int err = check_write(m);
    if (err)
        return err;
    struct table *t = find_table(m, table);
    if (!t || !found_at(t, lower_bound(t, key, key_len), key, key_len))
        return 0;
    return change(m, t, key, key_len, NULL);
}

static int give_key(const struct entry *e, void *key, size_t *key_len, void *value, size_t cap,
                    size_t *len) {
    memcpy(key, e->bytes, e->key_len);
    *key_len = e->key_len;
    return give(e, value, cap, len);
}

static int next(void *ctx, const char *table, void *key, size_t *key_len, void *value, size_t cap,
                size_t *len) {
    const struct table *t = find_table(ctx, table);
    if (!t)
        return ERR_NOT_FOUND;
    size_t at = lower_bound(t, key, *key_len);
    if (*key_len > 0 && found_at(t, at, key, *key_len))
        at++;
    return at < t->count ? give_key(t->entries[at], key, key_len, value, cap, len) : ERR_NOT_FOUND;
}

static int prev(void *ctx, const char *table, void *key, size_t *key_len, void *value, size_t cap,
                size_t *len) {
    const struct table *t = find_table(ctx, table);
    if (!t)
        return ERR_NOT_FOUND;
    const size_t end = *key_len > 0 ? lower_bound(t, key, *key_len) : t->count;
    return end > 0 ? give_key(t->entries[end - 1], key, key_len, value, cap, len) : ERR_NOT_FOUND;
}

/* The store is not the node's memory: it is its disk. */
static int put(void *ctx, const char *table, const void *key, size_t key_len, const void *value,
               size_t value_len) {
    struct arena *before = arena_enter(NULL);
    const int err = put_entry(ctx, table, key, key_len, value, value_len);
    (void)arena_enter(before);
    return err;
}

static int del(void *ctx, const char *table, const void *key, size_t key_len) {
    struct arena *before = arena_enter(NULL);
    const int err = del_entry(ctx, table, key, key_len);
    (void)arena_enter(before);
    return err;
}

/* ---- transactions ---- */

static void rollback_entries(struct store_mem *m) {
    if (m->open)
        undo_back(m, m->begun_at);
    m->open = false;
}

static int begin(void *ctx) {
    struct store_mem *m = ctx;
    assert(!m->open);
    if (m->frozen)
        return 0;
    m->open = true;
    m->begun_at = m->undo_count;
    return 0;
}

static void rollback(void *ctx) {
    struct arena *before = arena_enter(NULL);
    rollback_entries(ctx);
    (void)arena_enter(before);
}

static int commit(void *ctx) {
    struct store_mem *m = ctx;
    struct arena *before = arena_enter(NULL);
    int err = 0;
    if (!lives(m)) {
        (void)arena_enter(before);
        return 0;
    }
    assert(m->open);
    err = check_write(m);
    if (!err)
        err = end_transaction(m);
    if (err)
        rollback_entries(m);
    m->open = false;
    (void)arena_enter(before);
    return err;
}

void store_mem_freeze(struct store_mem *m, bool frozen) {
    if (frozen)
        rollback_entries(m); /* a process that dies in a transaction */
    else
        m->died = false;
    if (frozen)
        m->die_at = 0;
    m->frozen = frozen;
}

struct store store_mem_face(struct store_mem *m) {
    return (struct store){.ctx = m,
                          .put = put,
                          .get = get,
                          .del = del,
                          .next = next,
                          .prev = prev,
                          .begin = begin,
                          .commit = commit,
                          .rollback = rollback};
}

/* ---- the disk under it ---- */

uint64_t store_mem_sync_begin(const struct store_mem *m) {
    assert(!m->open);
    return m->undo_base + m->undo_count;
}

int store_mem_sync_end(struct store_mem *m, uint64_t token) {
    const uint64_t n = m->syncs++;
    if (m->sync_fail_err != 0 && n >= m->sync_fail_from)
        return m->sync_fail_err;
    if (token > m->undo_base) {
        struct arena *before = arena_enter(NULL);
        undo_drop(m, (size_t)(token - m->undo_base));
        (void)arena_enter(before);
    }
    return 0;
}

void store_mem_power_cut(struct store_mem *m, uint64_t spared) {
    size_t keep = 0;
    rollback_entries(m);
    for (size_t i = 0; i < m->undo_count && spared > 0; i++)
        if (!m->undo[i]->table) {
            keep = i + 1;
            spared--;
        }
    struct arena *before = arena_enter(NULL);
    undo_back(m, keep);
    (void)arena_enter(before);
}

uint64_t store_mem_at_risk(const struct store_mem *m) {
    uint64_t n = 0;
    for (size_t i = 0; i < m->undo_count; i++)
        n += !m->undo[i]->table;
    return n;
}
