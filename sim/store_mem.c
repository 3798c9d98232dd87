#include "sim/store_mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/arena.h"

struct entry {
    size_t key_len, value_len;
    uint8_t bytes[]; /* key, then value */
};

struct table {
    char *name;
    struct entry **entries; /* by key bytes */
    size_t count, cap;
    struct table *next;
};

struct store_mem {
    struct table *tables;
    bool frozen;
    uint64_t writes, fail_from;
    int fail_err;
};

struct store_mem *store_mem_new(void) {
    return calloc(1, sizeof(struct store_mem));
}

void store_mem_wipe(struct store_mem *m) {
    while (m->tables) {
        struct table *t = m->tables;
        m->tables = t->next;
        for (size_t i = 0; i < t->count; i++)
            free(t->entries[i]);
        free(t->entries);
        free(t->name);
        free(t);
    }
}

void store_mem_free(struct store_mem *m) {
    if (!m)
        return;
    store_mem_wipe(m);
    free(m);
}

void store_mem_freeze(struct store_mem *m, bool frozen) {
    m->frozen = frozen;
}

void store_mem_fail(struct store_mem *m, uint64_t n, int err) {
    m->fail_from = m->writes + n;
    m->fail_err = err;
}

uint64_t store_mem_writes(const struct store_mem *m) {
    return m->writes;
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
    struct table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->name = strdup(name);
    if (!t->name) {
        free(t);
        return NULL;
    }
    t->next = m->tables;
    m->tables = t;
    return t;
}

static bool make_room(struct table *t) {
    if (t->count < t->cap)
        return true;
    const size_t cap = t->cap ? t->cap * 2 : 16;
    struct entry **grown = realloc(t->entries, cap * sizeof *grown);
    if (!grown)
        return false;
    t->entries = grown;
    t->cap = cap;
    return true;
}

static int check_write(struct store_mem *m) {
    const uint64_t n = m->writes++;
    return m->fail_err != 0 && n >= m->fail_from ? m->fail_err : 0;
}

static int put_entry(void *ctx, const char *table, const void *key, size_t key_len,
                     const void *value, size_t value_len) {
    struct store_mem *m = ctx;
    assert(key_len > 0 && key_len <= STORE_KEY_MAX && value_len <= STORE_VALUE_MAX);
    if (m->frozen)
        return 0;
    const int err = check_write(m);
    if (err)
        return err;
    struct table *t = find_table(m, table);
    if (!t)
        t = make_table(m, table);
    struct entry *e = malloc(sizeof *e + key_len + value_len);
    if (!t || !e || !make_room(t)) {
        free(e);
        return ERR_NOMEM;
    }
    e->key_len = key_len;
    e->value_len = value_len;
    if (key_len)
        memcpy(e->bytes, key, key_len);
    if (value_len)
        memcpy(e->bytes + key_len, value, value_len);
    const size_t at = lower_bound(t, key, key_len);
    if (found_at(t, at, key, key_len)) {
        free(t->entries[at]);
    } else {
        memmove(t->entries + at + 1, t->entries + at, (t->count - at) * sizeof(struct entry *));
        t->count++;
    }
    t->entries[at] = e;
    return 0;
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
    if (m->frozen)
        return 0;
    const int err = check_write(m);
    if (err)
        return err;
    struct table *t = find_table(m, table);
    if (!t)
        return 0;
    const size_t at = lower_bound(t, key, key_len);
    if (!found_at(t, at, key, key_len))
        return 0;
    free(t->entries[at]);
    memmove(t->entries + at, t->entries + at + 1, (t->count - at - 1) * sizeof(struct entry *));
    t->count--;
    return 0;
}

static int next(void *ctx, const char *table, void *key, size_t *key_len, void *value, size_t cap,
                size_t *len) {
    const struct table *t = find_table(ctx, table);
    if (!t)
        return ERR_NOT_FOUND;
    size_t at = lower_bound(t, key, *key_len);
    if (*key_len > 0 && found_at(t, at, key, *key_len))
        at++;
    if (at >= t->count)
        return ERR_NOT_FOUND;
    const struct entry *e = t->entries[at];
    memcpy(key, e->bytes, e->key_len);
    *key_len = e->key_len;
    return give(e, value, cap, len);
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

struct store store_mem_face(struct store_mem *m) {
    return (struct store){.ctx = m, .put = put, .get = get, .del = del, .next = next};
}
