#include "sim/text/names.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"

/* FNV-1a: these names are the user's own, nobody else chooses them. */
static uint32_t hash(const char *s) {
    uint32_t h = 2166136261u;
    for (; *s; s++)
        h = (h ^ (uint8_t)*s) * 16777619u;
    return h;
}

static struct names_entry *slot(const struct names *n, const char *name) {
    uint32_t i = hash(name) & (n->cap - 1);
    while (n->entries[i].name && strcmp(n->entries[i].name, name) != 0)
        i = (i + 1) & (n->cap - 1);
    return &n->entries[i];
}

void names_clear(struct names *n) {
    mem_free(n->entries);
    *n = (struct names){0};
}

static void grow(struct names *n) {
    const struct names old = *n;
    n->cap = old.cap ? old.cap * 2 : 32;
    n->entries = mem_calloc(n->cap, sizeof *n->entries);
    if (!n->entries)
        abort();
    for (uint32_t i = 0; i < old.cap; i++)
        if (old.entries[i].name)
            *slot(n, old.entries[i].name) = old.entries[i];
    mem_free(old.entries);
}

void names_add(struct names *n, const char *name, uint32_t number) {
    if (2 * (n->count + 1) > n->cap)
        grow(n);
    *slot(n, name) = (struct names_entry){name, number};
    n->count++;
}

uint32_t names_find(const struct names *n, const char *name) {
    if (n->count == 0)
        return NAMES_NONE;
    const struct names_entry *e = slot(n, name);
    return e->name ? e->number : NAMES_NONE;
}
