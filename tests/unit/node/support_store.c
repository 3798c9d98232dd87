#include "support_store.h"

#include <stdlib.h>
#include <string.h>

struct item {
    char table[32];
    uint8_t key[STORE_KEY_MAX];
    size_t key_len;
    uint8_t *value;
    size_t value_len;
};

struct mem_store {
    struct item *items;
    unsigned count, cap;
    unsigned die_at;
};

static int compare(const struct item *a, const char *table, const void *key, size_t key_len) {
    int c = strcmp(a->table, table);
    if (c)
        return c;
    size_t n = a->key_len < key_len ? a->key_len : key_len;
    c = n ? memcmp(a->key, key, n) : 0;
    if (c)
        return c;
    return a->key_len < key_len ? -1 : a->key_len > key_len;
}

static unsigned place(const struct mem_store *s, const char *table, const void *key,
                      size_t key_len) {
    unsigned lo = 0, hi = s->count;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (compare(&s->items[mid], table, key, key_len) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool dead(struct mem_store *s) {
    if (s->die_at > 1)
        s->die_at--;
    else if (s->die_at == 1)
        return true;
    return false;
}

static void remove_at(struct mem_store *s, unsigned at) {
    free(s->items[at].value);
    memmove(&s->items[at], &s->items[at + 1], (s->count - at - 1) * sizeof *s->items);
    s->count--;
}

static int put(void *ctx, const char *table, const void *key, size_t key_len, const void *value,
               size_t value_len) {
    struct mem_store *s = ctx;
    if (dead(s))
        return ERR_IO;
    unsigned at = place(s, table, key, key_len);
    if (at < s->count && compare(&s->items[at], table, key, key_len) == 0)
        remove_at(s, at);
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->items = realloc(s->items, s->cap * sizeof *s->items);
    }
    memmove(&s->items[at + 1], &s->items[at], (s->count - at) * sizeof *s->items);
    struct item *it = &s->items[at];
    memset(it, 0, sizeof *it);
    memcpy(it->table, table, strlen(table));
    memcpy(it->key, key, key_len);
    it->key_len = key_len;
    it->value = malloc(value_len + 1);
    memcpy(it->value, value, value_len);
    it->value_len = value_len;
    s->count++;
    return 0;
}

static int give(const struct item *it, void *value, size_t cap, size_t *len) {
    *len = it->value_len;
    if (it->value_len > cap)
        return ERR_FULL;
    memcpy(value, it->value, it->value_len);
    return 0;
}

static int get(void *ctx, const char *table, const void *key, size_t key_len, void *value,
               size_t cap, size_t *len) {
    struct mem_store *s = ctx;
    unsigned at = place(s, table, key, key_len);
    if (at == s->count || compare(&s->items[at], table, key, key_len) != 0)
        return ERR_NOT_FOUND;
    return give(&s->items[at], value, cap, len);
}

static int del(void *ctx, const char *table, const void *key, size_t key_len) {
    struct mem_store *s = ctx;
    if (dead(s))
        return ERR_IO;
    unsigned at = place(s, table, key, key_len);
    if (at < s->count && compare(&s->items[at], table, key, key_len) == 0)
        remove_at(s, at);
    return 0;
}

static int next(void *ctx, const char *table, void *key, size_t *key_len, void *value, size_t cap,
                size_t *len) {
    struct mem_store *s = ctx;
    unsigned at = place(s, table, key, *key_len);
    if (at < s->count && compare(&s->items[at], table, key, *key_len) == 0)
        at++;
    if (at == s->count || strcmp(s->items[at].table, table) != 0)
        return ERR_NOT_FOUND;
    memcpy(key, s->items[at].key, s->items[at].key_len);
    *key_len = s->items[at].key_len;
    return give(&s->items[at], value, cap, len);
}

struct mem_store *mem_store_new(void) {
    return calloc(1, sizeof(struct mem_store));
}

void mem_store_free(struct mem_store *s) {
    while (s->count)
        remove_at(s, s->count - 1);
    free(s->items);
    free(s);
}

struct store mem_store_face(struct mem_store *s) {
    return (struct store){s, put, get, del, next};
}

void mem_store_die_at(struct mem_store *s, unsigned n) {
    s->die_at = n;
}

unsigned mem_store_count(const struct mem_store *s, const char *table) {
    unsigned n = 0;
    for (unsigned i = 0; i < s->count; i++)
        n += strcmp(s->items[i].table, table) == 0;
    return n;
}
