#include "net/session/peers.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "net/base/limits.h"
#include "net/base/train.h"

static uint32_t bucket(const struct node_id *id, uint32_t cap) {
    return (load_le32(id->bytes) ^ load_le32(id->bytes + 16)) & (cap - 1);
}

void peers_clear(struct peers *t) {
    for (uint32_t i = 0; i < t->count; i++) {
        mem_free(t->list[i]->places);
        mem_free(t->list[i]->unsaid);
        sodium_memzero(t->list[i], sizeof *t->list[i]);
        mem_free(t->list[i]);
    }
    mem_free(t->list);
    mem_free(t->buckets);
    *t = (struct peers){0};
}

struct peer *peers_by_ref(const struct peers *t, struct peer_ref r) {
    if (r.index >= t->count)
        return NULL;
    struct peer *p = t->list[r.index];
    return p->used && p->generation == r.generation ? p : NULL;
}

struct peer *peers_by_id(const struct peers *t, const struct node_id *id) {
    if (t->bucket_cap == 0)
        return NULL;
    for (uint32_t i = t->buckets[bucket(id, t->bucket_cap)]; i; i = t->list[i - 1]->next_in_bucket)
        if (node_id_equal(&t->list[i - 1]->setup.id, id))
            return t->list[i - 1];
    return NULL;
}

static bool rehash(struct peers *t) {
    uint32_t cap = t->bucket_cap ? t->bucket_cap * 2 : 16;
    uint32_t *v = mem_calloc(cap, sizeof *v);
    if (!v)
        return t->bucket_cap != 0;
    for (uint32_t i = 0; i < t->count; i++) {
        struct peer *p = t->list[i];
        if (!p->used)
            continue;
        uint32_t b = bucket(&p->setup.id, cap);
        p->next_in_bucket = v[b];
        v[b] = i + 1;
    }
    mem_free(t->buckets);
    t->buckets = v;
    t->bucket_cap = cap;
    return true;
}

static struct peer *free_slot(struct peers *t) {
    if (t->free > 0) {
        struct peer *p = t->list[t->free - 1];
        t->free = p->next_in_bucket;
        return p;
    }
    if (t->count == PEERS_MAX)
        return NULL;
    if (!mem_grow(&t->list, &t->cap, t->count + 1, sizeof *t->list, PEERS_MAX))
        return NULL;
    struct peer *p = mem_calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->index = t->count;
    t->list[t->count++] = p;
    return p;
}

struct peer *peers_add(struct peers *t, const struct node_id *id) {
    if (t->used >= t->bucket_cap && !rehash(t))
        return NULL;
    struct peer *p = free_slot(t);
    if (!p)
        return NULL;
    uint32_t index = p->index, generation = p->generation + 1;
    *p = (struct peer){.used = true, .index = index, .generation = generation};
    p->setup.id = *id;
    uint32_t b = bucket(id, t->bucket_cap);
    p->next_in_bucket = t->buckets[b];
    t->buckets[b] = index + 1;
    t->used++;
    return p;
}

void peers_remove(struct peers *t, struct peer *p) {
    uint32_t *at = &t->buckets[bucket(&p->setup.id, t->bucket_cap)];
    while (*at != p->index + 1)
        at = &t->list[*at - 1]->next_in_bucket;
    *at = p->next_in_bucket;
    uint32_t index = p->index, generation = p->generation;
    mem_free(p->places);
    mem_free(p->unsaid);
    sodium_memzero(p, sizeof *p);
    p->index = index;
    p->generation = generation;
    p->next_in_bucket = t->free;
    t->free = index + 1;
    t->used--;
}

/* ---- where they are ---- */

int peer_place_add(struct peer *p, const struct hop *at) {
    for (unsigned i = 0; i < p->place_count; i++)
        if (hop_same_place(&p->places[i], at))
            return 0;
    if (p->place_count == PEER_PLACES_MAX)
        return ERR_FULL;
    if (!p->places)
        p->places = mem_calloc(PEER_PLACES_MAX, sizeof *p->places);
    if (!p->places)
        return ERR_NOMEM;
    p->places[p->place_count++] = *at;
    return 0;
}

bool peer_place_remove(struct peer *p, const struct hop *at) {
    unsigned i = 0;
    while (i < p->place_count && !hop_same_place(&p->places[i], at))
        i++;
    if (i == p->place_count)
        return false;
    for (p->place_count--; i < p->place_count; i++)
        p->places[i] = p->places[i + 1];
    return true;
}

struct hops {
    const struct peer *peer;
    struct hop *v;
    unsigned count;
};

static void add_hop(struct hops *l, const struct hop *at) {
    if (at->kind == HOP_NONE || !peer_takes(l->peer, at))
        return;
    for (unsigned i = 0; i < l->count; i++)
        if (hop_same_place(&l->v[i], at))
            return;
    l->v[l->count++] = *at;
}

unsigned peer_hops(const struct peer *p, const struct hop *first,
                   struct hop out[static PEER_HOPS_MAX]) {
    struct hops l = {.peer = p, .v = out};
    for (unsigned i = 0; i < p->place_count; i++)
        add_hop(&l, &p->places[i]);
    add_hop(&l, first);
    for (unsigned i = 0; i < p->setup.addr_count; i++) {
        const struct hop at = hop_udp(&p->setup.addrs[i], LOCAL_ANY);
        add_hop(&l, &at);
    }
    return l.count;
}

/* ---- their keys ---- */

static bool same_key(const struct peer *p, const struct dh_public *key) {
    return memcmp(&p->setup.transport, key, sizeof *key) == 0;
}

bool peers_cert_ok(const struct peer *p, const struct node_id *id, const struct key_cert *c,
                   const struct dh_public *key) {
    if (!node_id_equal(&c->id, id))
        return false;
    /* The very bytes that were found right before need no second look. */
    if (p && p->cert_seen && same_key(p, key) && c->seq == p->setup.cert_seq &&
        memcmp(c->signature, p->cert_signature, sizeof c->signature) == 0)
        return true;
    return key_cert_verify(c, key);
}

bool peers_key_counts(const struct peer *p, const struct key_cert *c, const struct dh_public *key) {
    return same_key(p, key) || c->seq > p->setup.cert_seq;
}

bool peers_keep_key(struct peer *p, const struct key_cert *c, const struct dh_public *key) {
    bool news = !same_key(p, key) || c->seq > p->setup.cert_seq;
    if (news || c->seq == p->setup.cert_seq) {
        p->setup.transport = *key;
        p->setup.cert_seq = c->seq;
        p->cert_seen = true;
        memcpy(p->cert_signature, c->signature, sizeof c->signature);
    }
    return news;
}
