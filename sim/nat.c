#include "sim/nat.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = 0, FIRST_CAP = 16, PORT_FIRST = 1024, PORTS = 65536 - PORT_FIRST, PORT_TRIES = 64 };

struct key { /* what a table is asked for */
    uint8_t ip[16], other_ip[16];
    uint16_t port, other_port;
    uint32_t kind; /* tables share one hash: enum key_kind; of a permission also whose */
};
enum key_kind { KEY_INNER = 1, KEY_OUTER, KEY_PERMIT, KEY_HOST, KEY_KIND_MASK = 7 };

struct entry {
    struct key key;
    uint32_t next;  /* in its bucket; index + 1 */
    uint32_t value; /* inner, outer: the mapping. permit: unused. host: mappings it has */
    uint64_t last_ns;
};

struct mapping {
    bool used, fixed;
    uint32_t
        generation; /* the how-manieth of this NAT: permissions of an earlier one are not its */
    struct addr inner, outer;
    struct addr towards; /* address- and port-dependent mappings: to whom */
    uint64_t last_ns, expires_ns;
};

struct table { /* chained hash of entries in an array; freed ones are chained by `next` */
    struct entry *entries;
    uint32_t *buckets;
    uint32_t count, cap, free_list, used;
};

struct nat {
    struct nat_config cfg;
    const struct draw *draw;
    uint32_t entity;
    uint64_t draws;
    struct addr external[NAT_POOL_MAX];
    unsigned external_count;
    struct mapping *mappings;
    uint32_t mapping_count, mapping_cap, live, generations;
    uint64_t sweep_ns;  /* when permissions are looked through next */
    uint32_t hand;      /* where the search for old mappings goes on */
    uint16_t last_port; /* sequential */
    struct table table;
};

/* ---- the table ---- */

static uint32_t hash_key(const struct key *k) {
    const uint8_t *p = (const uint8_t *)k;
    uint64_t h = UINT64_C(0xcbf29ce484222325), w;
    _Static_assert(sizeof *k == 40, "whole words, no padding");
    for (size_t i = 0; i < sizeof *k; i += 8) {
        memcpy(&w, p + i, 8);
        h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (uint32_t)(h >> 16);
}

static void rehash(struct table *t) {
    const uint32_t old = t->cap;
    t->cap = old ? old * 2 : FIRST_CAP;
    t->entries = realloc(t->entries, t->cap * sizeof *t->entries);
    free(t->buckets);
    t->buckets = calloc(t->cap, sizeof *t->buckets);
    if (!t->entries || !t->buckets)
        abort();
    for (uint32_t i = 0; i < t->count; i++) { /* only when no entry is free: all are in use */
        const uint32_t b = hash_key(&t->entries[i].key) & (t->cap - 1);
        t->entries[i].next = t->buckets[b];
        t->buckets[b] = i + 1;
    }
}

static struct entry *find(const struct table *t, const struct key *k) {
    if (t->cap == 0)
        return NULL;
    uint32_t i = t->buckets[hash_key(k) & (t->cap - 1)];
    while (i != NONE && memcmp(&t->entries[i - 1].key, k, sizeof *k) != 0)
        i = t->entries[i - 1].next;
    return i == NONE ? NULL : &t->entries[i - 1];
}

static struct entry *put(struct table *t, const struct key *k) {
    struct entry *e = find(t, k);
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
    const uint32_t b = hash_key(k) & (t->cap - 1);
    *e = (struct entry){.key = *k, .next = t->buckets[b]};
    t->buckets[b] = i;
    t->used++;
    return e;
}

static void take(struct table *t, const struct key *k) {
    if (t->cap == 0)
        return;
    uint32_t *at = &t->buckets[hash_key(k) & (t->cap - 1)];
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

static struct key key_of(enum key_kind kind, const struct addr *a, const struct addr *other,
                         enum nat_dependence on_other) {
    struct key k = {.kind = kind, .port = a->port};
    memcpy(k.ip, a->ip, 16);
    if (other && on_other != NAT_ENDPOINT_INDEPENDENT)
        memcpy(k.other_ip, other->ip, 16);
    if (other && on_other == NAT_ADDRESS_PORT_DEPENDENT)
        k.other_port = other->port;
    return k;
}

static struct key host_key(const struct addr *a) {
    struct key k = {.kind = KEY_HOST};
    memcpy(k.ip, a->ip, 16);
    return k;
}

/* ---- life ---- */

struct nat *nat_new(const struct nat_config *cfg, const struct draw *draw, uint32_t entity) {
    struct nat *n = calloc(1, sizeof *n);
    if (!n)
        abort();
    n->cfg = *cfg;
    n->draw = draw;
    n->entity = entity;
    return n;
}

void nat_reboot(struct nat *n) {
    free(n->mappings);
    free(n->table.entries);
    free(n->table.buckets);
    n->table = (struct table){0};
    n->mappings = NULL;
    n->mapping_count = n->mapping_cap = n->live = n->hand = 0;
    n->last_port = 0;
}

void nat_free(struct nat *n) {
    if (!n)
        return;
    nat_reboot(n);
    free(n);
}

void nat_set_external(struct nat *n, const struct addr *pool, unsigned count) {
    nat_reboot(n);
    n->external_count = count < NAT_POOL_MAX ? count : NAT_POOL_MAX;
    memcpy(n->external, pool, n->external_count * sizeof *pool);
}

static uint64_t drawn(struct nat *n) {
    return draw_u64(n->draw, n->entity, DRAW_CHOICE, n->draws++);
}

/* ---- mappings ---- */

static bool is_dead(const struct nat *n, const struct mapping *m, uint64_t now_ns) {
    return m->fixed ? now_ns >= m->expires_ns : now_ns - m->last_ns >= n->cfg.timeout_ns;
}

static struct key inner_key(const struct nat *n, const struct mapping *m) {
    return key_of(KEY_INNER, &m->inner, m->fixed ? NULL : &m->towards, n->cfg.mapping);
}

static void drop(struct nat *n, struct mapping *m) {
    struct key k = inner_key(n, m);
    take(&n->table, &k);
    k = key_of(KEY_OUTER, &m->outer, NULL, NAT_ENDPOINT_INDEPENDENT);
    take(&n->table, &k);
    k = host_key(&m->inner);
    struct entry *host = find(&n->table, &k);
    if (host && --host->value == 0)
        take(&n->table, &k);
    m->used = false;
    n->live--;
}

/* The mapping in an entry, if it still lives. */
static struct mapping *alive(struct nat *n, const struct entry *e, uint64_t now_ns) {
    if (!e)
        return NULL;
    struct mapping *m = &n->mappings[e->value];
    if (!is_dead(n, m, now_ns))
        return m;
    drop(n, m);
    return NULL;
}

/* Makes room by burying the dead, or, if need be and allowed, the oldest. */
static bool make_room(struct nat *n, uint64_t now_ns) {
    uint32_t oldest = UINT32_MAX;
    for (uint32_t i = 0; i < n->mapping_count; i++) {
        struct mapping *m = &n->mappings[i];
        if (m->used && is_dead(n, m, now_ns))
            drop(n, m);
        else if (m->used && !m->fixed &&
                 (oldest == UINT32_MAX || m->last_ns < n->mappings[oldest].last_ns))
            oldest = i;
    }
    if (n->live < n->cfg.table)
        return true;
    if (!n->cfg.evicts || oldest == UINT32_MAX)
        return false;
    drop(n, &n->mappings[oldest]);
    return true;
}

/* A place for a new mapping; index, or UINT32_MAX. */
static uint32_t place(struct nat *n, uint64_t now_ns) {
    if (n->live >= n->cfg.table && !make_room(n, now_ns))
        return UINT32_MAX;
    for (uint32_t tries = 0; tries < 8 && n->mapping_count > 0; tries++) { /* a dead one near by? */
        n->hand = (n->hand + 1) % n->mapping_count;
        struct mapping *m = &n->mappings[n->hand];
        if (m->used && is_dead(n, m, now_ns))
            drop(n, m);
        if (!m->used)
            return n->hand;
    }
    if (n->mapping_count == n->mapping_cap) {
        n->mapping_cap = n->mapping_cap ? n->mapping_cap * 2 : 4;
        n->mappings = realloc(n->mappings, n->mapping_cap * sizeof *n->mappings);
        if (!n->mappings)
            abort();
    }
    return n->mapping_count++;
}

static bool is_free(struct nat *n, const struct addr *outer, uint64_t now_ns) {
    const struct key k = key_of(KEY_OUTER, outer, NULL, NAT_ENDPOINT_INDEPENDENT);
    return alive(n, find(&n->table, &k), now_ns) == NULL;
}

/* RFC 4787 §4.1: paired keeps a host on one external address. */
static const struct addr *external_for(struct nat *n, const struct addr *inner) {
    if (n->external_count <= 1)
        return &n->external[0];
    const struct key k = host_key(inner);
    const uint64_t at = n->cfg.arbitrary ? drawn(n) >> 32 : hash_key(&k);
    return &n->external[at % n->external_count];
}

/* The block of an inner host among those of its external address: its own, wherever it lies. */
static uint32_t block_of(const struct nat *n, const struct addr *inner) {
    const struct key k = host_key(inner);
    return hash_key(&k) / 8 % (PORTS / n->cfg.block_ports);
}

static uint16_t port_try(struct nat *n, const struct addr *inner, uint32_t tries) {
    switch (n->cfg.ports) {
    case NAT_PORTS_PRESERVE: /* taken: one near by, else any */
        if (tries == 0)
            return inner->port;
        if (tries < 16)
            return (uint16_t)(PORT_FIRST + (inner->port + (PORTS - PORT_FIRST) + tries) % PORTS);
        return (uint16_t)(PORT_FIRST + draw_below(drawn(n), PORTS));
    case NAT_PORTS_SEQUENTIAL:
        if (n->last_port == 0)
            n->last_port = (uint16_t)(PORT_FIRST + draw_below(drawn(n), PORTS));
        n->last_port =
            (uint16_t)(PORT_FIRST + (n->last_port - PORT_FIRST + n->cfg.port_step) % PORTS);
        return n->last_port;
    case NAT_PORTS_RANDOM:
        return (uint16_t)(PORT_FIRST + draw_below(drawn(n), PORTS));
    case NAT_PORTS_BLOCK: /* a second block after many failures in the first */
        return (uint16_t)(PORT_FIRST +
                          (block_of(n, inner) + tries / 32) % (PORTS / n->cfg.block_ports) *
                              n->cfg.block_ports +
                          draw_below(drawn(n), n->cfg.block_ports));
    }
    return 0;
}

static bool choose_outer(struct nat *n, uint64_t now_ns, const struct addr *inner,
                         struct addr *outer) {
    if (n->cfg.firewall) {
        *outer = *inner;
        return true;
    }
    if (n->external_count == 0)
        return false;
    *outer = *external_for(n, inner);
    for (uint32_t tries = 0; tries < PORT_TRIES; tries++) {
        outer->port = port_try(n, inner, tries);
        if (is_free(n, outer, now_ns))
            return true;
    }
    return false;
}

static struct mapping *add(struct nat *n, uint64_t now_ns, const struct mapping *model) {
    struct key k = host_key(&model->inner);
    const struct entry *host = find(&n->table, &k);
    if (!model->fixed && n->cfg.per_host > 0 && host && host->value >= n->cfg.per_host &&
        !(make_room(n, now_ns) &&
          (host = find(&n->table, &k), !host || host->value < n->cfg.per_host)))
        return NULL;
    const uint32_t at = place(n, now_ns);
    if (at == UINT32_MAX)
        return NULL;
    struct mapping *m = &n->mappings[at];
    *m = *model;
    m->used = true;
    m->generation = ++n->generations;
    m->last_ns = now_ns;
    n->live++;
    put(&n->table, &k)->value++;
    k = inner_key(n, m);
    put(&n->table, &k)->value = at;
    k = key_of(KEY_OUTER, &m->outer, NULL, NAT_ENDPOINT_INDEPENDENT);
    put(&n->table, &k)->value = at;
    return m;
}

/* The mapping for this packet: a fixed one comes first. */
static struct mapping *outbound(struct nat *n, uint64_t now_ns, const struct addr *src,
                                const struct addr *dst) {
    struct key k = key_of(KEY_INNER, src, NULL, NAT_ENDPOINT_INDEPENDENT);
    struct mapping *m = alive(n, find(&n->table, &k), now_ns);
    if (m && (m->fixed || n->cfg.mapping == NAT_ENDPOINT_INDEPENDENT))
        return m;
    k = key_of(KEY_INNER, src, dst, n->cfg.mapping);
    m = alive(n, find(&n->table, &k), now_ns);
    if (m)
        return m;
    struct mapping model = {.inner = *src, .towards = *dst};
    return choose_outer(n, now_ns, src, &model.outer) ? add(n, now_ns, &model) : NULL;
}

static struct key permit_key(const struct nat *n, const struct mapping *m, const struct addr *far) {
    struct key k = key_of(KEY_PERMIT, &m->outer, far, n->cfg.filtering);
    k.kind |= m->generation << 3;
    return k;
}

static void permit(struct nat *n, uint64_t now_ns, const struct mapping *m,
                   const struct addr *dst) {
    if (n->cfg.filtering == NAT_ENDPOINT_INDEPENDENT || m->fixed)
        return;
    const struct key k = permit_key(n, m, dst);
    put(&n->table, &k)->last_ns = now_ns;
}

/* ---- packets ---- */

/* Permissions die of age too, but nobody asks for them again: twice a timeout all are looked through. */
static void sweep(struct nat *n, uint64_t now_ns) {
    struct table *t = &n->table;
    if (t->used < 64 || now_ns < n->sweep_ns)
        return;
    n->sweep_ns = now_ns + n->cfg.timeout_ns / 2;
    for (uint32_t b = 0; b < t->cap; b++)
        for (uint32_t *at = &t->buckets[b]; *at != NONE;) {
            struct entry *e = &t->entries[*at - 1];
            if ((e->key.kind & KEY_KIND_MASK) != KEY_PERMIT ||
                now_ns - e->last_ns < n->cfg.timeout_ns) {
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

enum nat_verdict nat_out(struct nat *n, uint64_t now_ns, struct addr *src, const struct addr *dst) {
    struct mapping *m = outbound(n, now_ns, src, dst);
    if (!m)
        return NAT_FULL;
    if (n->cfg.refresh != NAT_REFRESH_IN)
        m->last_ns = now_ns;
    permit(n, now_ns, m, dst);
    *src = m->outer;
    sweep(n, now_ns);
    return NAT_PASS;
}

enum nat_verdict nat_in(struct nat *n, uint64_t now_ns, const struct addr *src, struct addr *dst) {
    struct key k = key_of(KEY_OUTER, dst, NULL, NAT_ENDPOINT_INDEPENDENT);
    struct mapping *m = alive(n, find(&n->table, &k), now_ns);
    if (!m)
        return NAT_NO_MAPPING;
    if (n->cfg.filtering != NAT_ENDPOINT_INDEPENDENT && !m->fixed) {
        k = permit_key(n, m, src);
        struct entry *e = find(&n->table, &k);
        if (!e || now_ns - e->last_ns >= n->cfg.timeout_ns)
            return NAT_FILTERED;
        if (n->cfg.refresh != NAT_REFRESH_OUT)
            e->last_ns = now_ns;
    }
    if (n->cfg.refresh != NAT_REFRESH_OUT)
        m->last_ns = now_ns;
    *dst = m->inner;
    return NAT_PASS;
}

enum nat_verdict nat_hairpin(struct nat *n, uint64_t now_ns, struct addr *src, struct addr *dst) {
    if (n->cfg.hairpin == NAT_HAIRPIN_NONE)
        return NAT_NO_HAIRPIN;
    struct addr outer = *src;
    enum nat_verdict v = nat_out(n, now_ns, &outer, dst);
    if (v == NAT_PASS)
        v = nat_in(n, now_ns, &outer, dst);
    if (v == NAT_PASS && n->cfg.hairpin == NAT_HAIRPIN_EXTERNAL)
        *src = outer;
    return v;
}

/* ---- on request ---- */

static struct mapping *fixed_of(struct nat *n, const struct addr *inner) {
    const struct key k = key_of(KEY_INNER, inner, NULL, NAT_ENDPOINT_INDEPENDENT);
    const struct entry *e = find(&n->table, &k);
    struct mapping *m = e ? &n->mappings[e->value] : NULL;
    return m && m->fixed ? m : NULL;
}

bool nat_map_fixed(struct nat *n, uint64_t now_ns, const struct addr *inner, uint16_t wanted,
                   uint64_t expires_ns, struct addr *external) {
    struct mapping *m = fixed_of(n, inner);
    if (m && is_dead(n, m, now_ns)) {
        drop(n, m);
        m = NULL;
    }
    if (!m) {
        /* An implicit endpoint-independent mapping of this address becomes the fixed one. */
        struct key k = key_of(KEY_INNER, inner, NULL, NAT_ENDPOINT_INDEPENDENT);
        struct mapping *old = n->cfg.mapping == NAT_ENDPOINT_INDEPENDENT
                                  ? alive(n, find(&n->table, &k), now_ns)
                                  : NULL;
        struct mapping model = {.inner = *inner, .fixed = true, .expires_ns = expires_ns};
        if (old) {
            model.outer = old->outer;
            drop(n, old);
        } else {
            struct addr preferred = *inner;
            if (wanted > 0)
                preferred.port = wanted;
            if (!choose_outer(n, now_ns, &preferred, &model.outer))
                return false;
        }
        m = add(n, now_ns, &model);
    }
    if (!m)
        return false;
    m->expires_ns = expires_ns;
    *external = m->outer;
    return true;
}

void nat_unmap_fixed(struct nat *n, const struct addr *inner) {
    struct mapping *m = fixed_of(n, inner);
    if (m)
        drop(n, m);
}

uint32_t nat_mapping_count(const struct nat *n, uint64_t now_ns) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->mapping_count; i++)
        count += n->mappings[i].used && !is_dead(n, &n->mappings[i], now_ns);
    return count;
}
