#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint_int.h"

/* Ids are public keys: their bytes are as good as a hash, but chosen by strangers. Only ids that
 * the user or a ticket let in are ever stored, so chains cannot be grown by an attacker at will. */
static uint32_t bucket(const struct node_id *id, uint32_t cap) {
    return (load_le32(id->bytes) ^ load_le32(id->bytes + 16)) & (cap - 1);
}

struct peer *peers_by_ref(const struct endpoint *e, struct peer_ref r) {
    if (r.index >= e->peer_count)
        return NULL;
    struct peer *p = e->peers[r.index];
    return p->used && p->generation == r.generation ? p : NULL;
}

struct peer *peers_by_id(const struct endpoint *e, const struct node_id *id) {
    if (e->bucket_cap == 0)
        return NULL;
    for (uint32_t i = e->buckets[bucket(id, e->bucket_cap)]; i; i = e->peers[i - 1]->next_in_bucket)
        if (node_id_equal(&e->peers[i - 1]->setup.id, id))
            return e->peers[i - 1];
    return NULL;
}

static bool rehash(struct endpoint *e) {
    uint32_t cap = e->bucket_cap ? e->bucket_cap * 2 : 16;
    uint32_t *v = calloc(cap, sizeof *v);
    if (!v)
        return e->bucket_cap != 0;
    for (uint32_t i = 0; i < e->peer_count; i++) {
        struct peer *p = e->peers[i];
        if (!p->used)
            continue;
        uint32_t b = bucket(&p->setup.id, cap);
        p->next_in_bucket = v[b];
        v[b] = i + 1;
    }
    free(e->buckets);
    e->buckets = v;
    e->bucket_cap = cap;
    return true;
}

static struct peer *free_slot(struct endpoint *e) {
    if (e->peers_used < e->peer_count)
        for (uint32_t i = 0; i < e->peer_count; i++)
            if (!e->peers[i]->used)
                return e->peers[i];
    if (e->peer_count == PEERS_MAX)
        return NULL;
    if (e->peer_count == e->peer_cap) {
        uint32_t cap = e->peer_cap ? e->peer_cap * 2 : 4;
        struct peer **v = realloc(e->peers, cap * sizeof(struct peer *));
        if (!v)
            return NULL;
        e->peers = v;
        e->peer_cap = cap;
    }
    struct peer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->index = e->peer_count;
    e->peers[e->peer_count++] = p;
    return p;
}

struct peer *peers_add(struct endpoint *e, const struct node_id *id) {
    if (e->peers_used >= e->bucket_cap && !rehash(e))
        return NULL;
    struct peer *p = free_slot(e);
    if (!p)
        return NULL;
    uint32_t index = p->index, generation = p->generation + 1;
    *p = (struct peer){.used = true, .index = index, .generation = generation};
    p->setup.id = *id;
    p->last_local = LOCAL_ANY;
    uint32_t b = bucket(id, e->bucket_cap);
    p->next_in_bucket = e->buckets[b];
    e->buckets[b] = index + 1;
    e->peers_used++;
    return p;
}

void peers_remove(struct endpoint *e, struct peer *p) {
    uint32_t *at = &e->buckets[bucket(&p->setup.id, e->bucket_cap)];
    while (*at != p->index + 1)
        at = &e->peers[*at - 1]->next_in_bucket;
    *at = p->next_in_bucket;
    uint32_t index = p->index, generation = p->generation;
    sodium_memzero(p, sizeof *p);
    p->index = index;
    p->generation = generation;
    e->peers_used--;
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
