#include "sim/nat/nat_table.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"

enum { NONE = 0, FIRST_CAP = 16 };

/* Over the words that little-endian machines have in memory: the same everywhere, since ports are
 * chosen by it. */
uint32_t nat_hash(const struct nat_key *k) {
    const uint64_t words[] = {
        load_le64(k->ip),
        load_le64(k->ip + 8),
        load_le64(k->other_ip),
        load_le64(k->other_ip + 8),
        k->port | (uint64_t)k->other_port << 16 | (uint64_t)k->kind << 32,
    };
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (uint32_t)(h >> 16);
}

_Static_assert(sizeof(struct nat_key) == 40, "no padding: keys are compared as bytes");

static void rehash(struct nat_table *t) {
    const uint32_t old = t->cap;
    t->cap = old ? old * 2 : FIRST_CAP;
    t->entries = mem_realloc(t->entries, t->cap * sizeof *t->entries);
    mem_free(t->buckets);
    t->buckets = mem_calloc(t->cap, sizeof *t->buckets);
    if (!t->entries || !t->buckets)
        abort();
    for (uint32_t i = 0; i < t->count; i++) { /* only when no entry is free: all are in use */
        const uint32_t b = nat_hash(&t->entries[i].key) & (t->cap - 1);
        t->entries[i].next = t->buckets[b];
        t->buckets[b] = i + 1;
    }
}

struct nat_entry *nat_table_find(const struct nat_table *t, const struct nat_key *k) {
    if (t->cap == 0)
        return NULL;
    uint32_t i = t->buckets[nat_hash(k) & (t->cap - 1)];
    while (i != NONE && memcmp(&t->entries[i - 1].key, k, sizeof *k) != 0)
        i = t->entries[i - 1].next;
    return i == NONE ? NULL : &t->entries[i - 1];
}

struct nat_entry *nat_table_put(struct nat_table *t, const struct nat_key *k) {
    struct nat_entry *e = nat_table_find(t, k);
    if (e)
        return e;
    if (t->free_list == NONE && t->count == t->cap)
        rehash(t);
    uint32_t i = t->free_list;
    if (i != NONE)
        t->free_list = t->entries[i - 1].next;
    else
        i = ++t->count;
    e = &t->entries[i - 1];
    const uint32_t b = nat_hash(k) & (t->cap - 1);
    *e = (struct nat_entry){.key = *k, .next = t->buckets[b]};
    t->buckets[b] = i;
    t->used++;
    return e;
}

void nat_table_take(struct nat_table *t, const struct nat_key *k) {
    if (t->cap == 0)
        return;
    uint32_t *at = &t->buckets[nat_hash(k) & (t->cap - 1)];
    while (*at != NONE && memcmp(&t->entries[*at - 1].key, k, sizeof *k) != 0)
        at = &t->entries[*at - 1].next;
    if (*at == NONE)
        return;
    const uint32_t i = *at;
    *at = t->entries[i - 1].next;
    t->entries[i - 1].next = t->free_list;
    t->free_list = i;
    t->used--;
}

void nat_table_clear(struct nat_table *t) {
    mem_free(t->entries);
    mem_free(t->buckets);
    *t = (struct nat_table){0};
}

void nat_table_sweep(struct nat_table *t,
                     bool (*stale)(const void *ctx, const struct nat_key *k, uint64_t last_ns),
                     const void *ctx) {
    for (uint32_t b = 0; b < t->cap; b++)
        for (uint32_t *at = &t->buckets[b]; *at != NONE;) {
            struct nat_entry *e = &t->entries[*at - 1];
            if (!stale(ctx, &e->key, e->last_ns)) {
                at = &e->next;
                continue;
            }
            const uint32_t i = *at;
            *at = e->next;
            e->next = t->free_list;
            t->free_list = i;
            t->used--;
        }
}
