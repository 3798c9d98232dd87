#include "node/people/contact_table.h"

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include <assert.h>
#include <sodium.h>
#include <string.h>

/* ---- places: the first whose key is not smaller ---- */
static unsigned place_name(const struct contacts *t, const char *name) {
    unsigned lo = 0, hi = t->count;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (strcmp(t->list[mid]->name, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static unsigned place_id(const struct contacts *t, const struct node_id *id) {
    unsigned lo = 0, hi = t->count;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (memcmp(t->by_id[mid]->id.bytes, id->bytes, sizeof id->bytes) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static unsigned place_serial(const struct contacts *t, uint32_t serial) {
    unsigned lo = 0, hi = t->count;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (t->by_serial[mid]->serial < serial)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* ---- lists ---- */
static bool grow(struct contact ***list, uint32_t cap) {
    struct contact **v = mem_realloc(*list, cap * sizeof *v);
    if (v)
        *list = v;
    return v != NULL;
}

static int room(struct contacts *t) {
    if (t->count >= CONTACTS_MAX)
        return ERR_FULL;
    if (t->count < t->cap)
        return 0;
    unsigned cap = t->cap ? t->cap * 2 : 8;
    if (!grow(&t->list, cap) || !grow(&t->by_id, cap) || !grow(&t->by_serial, cap))
        return ERR_NOMEM;
    t->cap = cap;
    return 0;
}

static void open_at(struct contact **list, unsigned count, unsigned at, struct contact *c) {
    memmove(&list[at + 1], &list[at], (count - at) * sizeof *list);
    list[at] = c;
}

static void close_at(struct contact **list, unsigned count, unsigned at, const struct contact *c) {
    assert(at < count && list[at] == c);
    memmove(&list[at], &list[at + 1], (count - at - 1) * sizeof *list);
}

int contact_table_insert(struct contacts *t, struct contact *c) {
    int err = room(t);
    if (err)
        return err;
    c->serial = ++t->last_serial;
    open_at(t->list, t->count, place_name(t, c->name), c);
    open_at(t->by_id, t->count, place_id(t, &c->id), c);
    t->by_serial[t->count] = c; /* the greatest so far */
    t->count++;
    return 0;
}

void contact_table_remove(struct contacts *t, struct contact *c) {
    close_at(t->list, t->count, place_name(t, c->name), c);
    close_at(t->by_id, t->count, place_id(t, &c->id), c);
    close_at(t->by_serial, t->count, place_serial(t, c->serial), c);
    t->count--;
}

void contact_table_rename(struct contacts *t, struct contact *c, const char *name) {
    close_at(t->list, t->count, place_name(t, c->name), c);
    t->count--;
    memset(c->name, 0, sizeof c->name);
    memcpy(c->name, name, strlen(name));
    open_at(t->list, t->count, place_name(t, name), c);
    t->count++;
}

void contact_free(struct contact *c) {
    mem_free(c->relays);
    sodium_memzero(c, sizeof *c);
    mem_free(c);
}

void contact_table_clear(struct contacts *t) {
    for (unsigned i = 0; i < t->count; i++)
        contact_free(t->list[i]);
    mem_free(t->list);
    mem_free(t->by_id);
    mem_free(t->by_serial);
    t->list = t->by_id = t->by_serial = NULL;
    t->count = t->cap = 0;
}

/* ---- finding ---- */
struct contact *contact_by_name(const struct contacts *people, const char *name) {
    unsigned at = place_name(people, name);
    return at < people->count && strcmp(people->list[at]->name, name) == 0 ? people->list[at]
                                                                           : NULL;
}

struct contact *contact_by_id(const struct contacts *people, const struct node_id *id) {
    unsigned at = place_id(people, id);
    return at < people->count && node_id_equal(&people->by_id[at]->id, id) ? people->by_id[at]
                                                                           : NULL;
}

struct contact *contact_by_serial(const struct contacts *people, uint32_t serial) {
    unsigned at = place_serial(people, serial);
    return at < people->count && people->by_serial[at]->serial == serial ? people->by_serial[at]
                                                                         : NULL;
}
