/* contact_load.c: the contacts as a part of the node: taken from the store at the start, dialled
 * then and when the network has changed, stored at the end. An older form of the table becomes this
 * one.
 */
#include <sodium.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "node/people/contact.h"
#include "node/people/contact_store.h"
#include "node/people/petname.h"

struct old_entry {
    char name[PETNAME_MAX + 1]; /* its key */
    struct node_id id;
};
struct old_entries { /* of version 1, to be written anew */
    struct old_entry *list;
    uint32_t count, cap;
};

static int remember(struct old_entries *o, const struct contact *c) {
    if (!mem_grow(&o->list, &o->cap, o->count + 1, sizeof *o->list, CONTACTS_MAX))
        return ERR_NOMEM;
    struct old_entry *e = &o->list[o->count++];
    memcpy(e->name, c->name, sizeof e->name);
    e->id = c->id;
    return 0;
}

/* One that a damaged table holds under a name that another has gets one of its own. */
static int take_in(struct contacts *people, struct contact *c) {
    struct contact *made;
    if (contact_by_id(people, &c->id)) /* an old entry beside its successor */
        return 0;
    if (contact_by_name(people, c->name)) {
        turn_log(people->turn, LOG_ERROR, "two stored contacts are called \"%s\"; one is renamed",
                 c->name);
        for (unsigned i = 0; contact_by_name(people, c->name); i++)
            petname_default(&c->id, i, c->name);
    }
    return contact_take_in(people, c, &made);
}

static int rewrite(struct contacts *people, const struct old_entries *o) {
    int err = keep_begin(people->keep);
    if (err)
        return err;
    for (unsigned i = 0; !err && i < o->count; i++) {
        const char *name = o->list[i].name;
        const struct contact *c = contact_by_id(people, &o->list[i].id);
        if (c)
            err = contact_store_put(people, c);
        if (!err)
            err = contact_store_del_by_name(people, name);
    }
    keep_scrub(people->keep);
    return keep_end(people->keep, err);
}

int contacts_load(struct contacts *people) {
    uint8_t key[STORE_KEY_MAX];
    size_t key_len = 0;
    struct old_entries old = {0};
    struct contact c;
    struct relay_set relays;
    bool by_name;
    int err;
    while ((err = contact_store_next(people, key, &key_len, &c, &relays, &by_name)) == 0 ||
           err == ERR_FORMAT) {
        if (err) {
            turn_log(people->turn, LOG_ERROR, "a stored contact cannot be read; it is left alone");
            continue;
        }
        c.kept = c.paired; /* what is found at start is safe (node/base/store.h) */
        if (by_name)
            err = remember(&old, &c);
        if (!err)
            err = take_in(people, &c);
        if (err)
            break;
    }
    sodium_memzero(&c, sizeof c);
    if (err == ERR_NOT_FOUND)
        err = old.count ? rewrite(people, &old) : 0;
    mem_free(old.list);
    return err;
}

/* ---- as a part of the node (node/base/part.h) ---- */
static int part_load(void *self) {
    struct contacts *people = self;
    const int err = contacts_load(people);
    for (unsigned i = 0; !err && i < people->count; i++)
        dial_soon(people->dials, people->list[i]->peering);
    return err;
}

/* Sessions first: dial_recheck. */
static void part_network_changed(void *self) {
    struct contacts *people = self;
    for (unsigned i = 0; i < people->count; i++)
        dial_recheck(people->dials, people->list[i]->peering);
}

/* That nobody has answered where it could be called so far says nothing of the ways that there are
 * now. */
static void part_ways_changed(void *self, struct contact *c) {
    struct contacts *people = self;
    if (c->peering && !c->peering->online)
        dial_recheck(people->dials, c->peering);
}

static void part_clear(void *self) {
    contacts_clear(self);
}

static void part_shutdown(void *self) {
    contacts_end(self);
}

const struct part_ops contacts_part = {.load = part_load,
                                       .clear = part_clear,
                                       .shutdown = part_shutdown,
                                       .network_changed = part_network_changed,
                                       .ways_changed = part_ways_changed};
