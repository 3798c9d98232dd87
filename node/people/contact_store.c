#include "node/people/contact_store.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint.h"
#include "node/people/contact_table.h"
#include "node/people/denial.h"

static const char table[] = "contacts";

enum {
    CONTACT_VERSION = 2,
    CONTACT_VERSION_BY_NAME = 1,
    FLAG_PAIRED = 1,
    FLAG_PAIRING = 2,
    DENIAL_SHIFT = 2 /* the code of the denial, three bits */
};

/* ---- one entry ---- */
size_t contact_encode(const struct contact *c, uint8_t out[static CONTACT_VALUE_MAX]) {
    struct wr w = wr_init(out, CONTACT_VALUE_MAX);
    size_t name_len = strlen(c->name);
    wr_u8(&w, CONTACT_VERSION);
    wr_u8(&w, (uint8_t)((c->paired ? FLAG_PAIRED : 0) | (c->pairing ? FLAG_PAIRING : 0) |
                        denial_code(c->denied) << DENIAL_SHIFT));
    wr_u8(&w, (uint8_t)name_len);
    wr_bytes(&w, c->name, name_len);
    wr_bytes(&w, c->transport.bytes, sizeof c->transport.bytes);
    wr_u64(&w, c->cert_seq);
    wr_bytes(&w, c->psk.bytes, sizeof c->psk.bytes);
    wr_bytes(&w, c->ticket.bytes, sizeof c->ticket.bytes);
    wr_u8(&w, (uint8_t)c->addr_count);
    for (unsigned i = 0; i < c->addr_count; i++) {
        uint8_t a[ADDR_WIRE_MAX];
        wr_bytes(&w, a, addr_write(&c->addrs[i], a));
    }
    return wr_len(&w);
}

/* Who it is: id and name. The cursor stands behind version and flags. */
static bool decode_who(struct contact *c, bool by_name, struct rd *r, const uint8_t *key,
                       size_t key_len) {
    size_t name_len = by_name ? key_len : rd_u8(r);
    if (name_len > PETNAME_MAX || (!by_name && key_len != NODE_ID_BYTES))
        return false;
    if (by_name) {
        memcpy(c->name, key, key_len);
        rd_bytes(r, c->id.bytes, sizeof c->id.bytes);
    } else {
        memcpy(c->id.bytes, key, NODE_ID_BYTES);
        rd_bytes(r, (uint8_t *)c->name, name_len);
    }
    return r->ok && strlen(c->name) == name_len && petname_ok(c->name);
}

bool contact_decode(struct contact *c, const uint8_t *key, size_t key_len, const uint8_t *in,
                    size_t len) {
    struct rd r = rd_init(in, len);
    uint8_t version = rd_u8(&r), flags = rd_u8(&r);
    bool by_name = version == CONTACT_VERSION_BY_NAME;
    memset(c, 0, sizeof *c);
    if ((version != CONTACT_VERSION && !by_name) || !decode_who(c, by_name, &r, key, key_len))
        return false;
    c->paired = flags & FLAG_PAIRED;
    c->pairing = flags & FLAG_PAIRING;
    c->denied = denial_of_code(flags >> DENIAL_SHIFT & DENIAL_CODE_MAX);
    rd_bytes(&r, c->transport.bytes, sizeof c->transport.bytes);
    if (!by_name)
        c->cert_seq = rd_u64(&r);
    rd_bytes(&r, c->psk.bytes, sizeof c->psk.bytes);
    rd_bytes(&r, c->ticket.bytes, sizeof c->ticket.bytes);
    c->addr_count = rd_u8(&r);
    if (!r.ok || c->addr_count > PEER_ADDRS_MAX)
        return false;
    for (unsigned i = 0; i < c->addr_count; i++) {
        size_t n = addr_read(&c->addrs[i], r.p, rd_left(&r));
        if (n == 0 || !rd_take(&r, n))
            return false;
    }
    return r.p == r.end;
}

int contact_store_put(struct contacts *people, const struct contact *c) {
    uint8_t value[CONTACT_VALUE_MAX];
    size_t len = contact_encode(c, value);
    int err = keep_put(people->keep, table, c->id.bytes, sizeof c->id.bytes, value, len);
    sodium_memzero(value, sizeof value);
    return err;
}

int contact_store_del(struct contacts *people, const struct node_id *id) {
    return keep_del(people->keep, table, id->bytes, sizeof id->bytes);
}

/* ---- all of them ---- */
struct old_entry {
    char name[PETNAME_MAX + 1]; /* its key */
    struct node_id id;
};
struct old_entries { /* of version 1, to be written anew */
    struct old_entry *list;
    unsigned count, cap;
};

static int remember(struct old_entries *o, const struct contact *c) {
    if (o->count == o->cap) {
        unsigned cap = o->cap ? o->cap * 2 : 16;
        struct old_entry *list = realloc(o->list, cap * sizeof *list);
        if (!list)
            return ERR_NOMEM;
        o->list = list;
        o->cap = cap;
    }
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
            contact_default_name(&c->id, i, c->name);
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
            err = keep_del(people->keep, table, name, strlen(name));
    }
    keep_scrub(people->keep);
    return keep_end(people->keep, err);
}

int contacts_load(struct contacts *people) {
    uint8_t key[STORE_KEY_MAX], value[CONTACT_VALUE_MAX];
    size_t key_len = 0, len;
    struct old_entries old = {0};
    struct contact c;
    int err;
    while ((err = keep_next(people->keep, table, key, &key_len, value, sizeof value, &len)) == 0 ||
           err == ERR_FULL) {
        if (err == ERR_FULL || !contact_decode(&c, key, key_len, value, len)) {
            turn_log(people->turn, LOG_ERROR, "a stored contact cannot be read; it is left alone");
            continue;
        }
        c.kept = c.paired; /* what is found at start is safe (node/base/store.h) */
        if (value[0] == CONTACT_VERSION_BY_NAME)
            err = remember(&old, &c);
        if (!err)
            err = take_in(people, &c);
        if (err)
            break;
    }
    sodium_memzero(&c, sizeof c);
    sodium_memzero(value, sizeof value);
    if (err == ERR_NOT_FOUND)
        err = old.count ? rewrite(people, &old) : 0;
    free(old.list);
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

static void part_clear(void *self) {
    contacts_clear(self);
}

static void part_shutdown(void *self) {
    contacts_end(self);
}

const struct part_ops contacts_part = {.load = part_load,
                                       .clear = part_clear,
                                       .shutdown = part_shutdown,
                                       .network_changed = part_network_changed};
