#include "sim/nat/nat.h"

#include <stdlib.h>
#include <string.h>

#include "sim/nat/nat_int.h"
#include "sim/nat/nat_linux.h"

enum key_kind { KEY_INNER = 1, KEY_OUTER, KEY_PERMIT, KEY_HOST, KEY_KIND_MASK = 7 };

/* ---- keys ---- */

static struct nat_key key_of(enum key_kind kind, const struct addr *a, const struct addr *other,
                             enum nat_dependence on_other) {
    struct nat_key k = {.kind = kind, .port = a->port};
    memcpy(k.ip, a->ip, 16);
    if (other && on_other != NAT_ENDPOINT_INDEPENDENT)
        memcpy(k.other_ip, other->ip, 16);
    if (other && on_other == NAT_ADDRESS_PORT_DEPENDENT)
        k.other_port = other->port;
    return k;
}

struct nat_key nat_host_key(const struct addr *a) {
    struct nat_key k = {.kind = KEY_HOST};
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

static void forget_all(struct nat *n) {
    nat_linux_clear(n);
    free(n->mappings);
    nat_table_clear(&n->table);
    for (unsigned i = 0; i < NAT_POOL_MAX; i++) {
        free(n->blocks[i]);
        n->blocks[i] = NULL;
    }
    n->mappings = NULL;
    n->mapping_count = n->mapping_cap = n->live = n->hand = 0;
    n->last_port = 0;
}

void nat_reboot(struct nat *n) {
    forget_all(n);
    n->boots++;
}

void nat_free(struct nat *n) {
    if (!n)
        return;
    forget_all(n);
    free(n);
}

void nat_set_external(struct nat *n, const struct addr *pool, unsigned count) {
    forget_all(n);
    n->external_count = count < NAT_POOL_MAX ? count : NAT_POOL_MAX;
    memcpy(n->external, pool, n->external_count * sizeof *pool);
}

uint64_t nat_drawn(struct nat *n) {
    return draw_u64(n->draw, n->entity, DRAW_CHOICE, n->draws++);
}

/* ---- mappings ---- */

static bool is_dead(const struct nat *n, const struct nat_mapping *m, uint64_t now_ns) {
    return m->fixed ? now_ns >= m->expires_ns : now_ns - m->last_ns >= n->cfg.timeout_ns;
}

static struct nat_key inner_key(const struct nat *n, const struct nat_mapping *m) {
    return key_of(KEY_INNER, &m->inner, m->fixed ? NULL : &m->towards, n->cfg.mapping);
}

static void drop(struct nat *n, struct nat_mapping *m) {
    struct nat_block *b = nat_block_at(n, &m->outer);
    if (b)
        b->used--;
    struct nat_key k = inner_key(n, m);
    nat_table_take(&n->table, &k);
    k = key_of(KEY_OUTER, &m->outer, NULL, NAT_ENDPOINT_INDEPENDENT);
    nat_table_take(&n->table, &k);
    k = nat_host_key(&m->inner);
    struct nat_entry *host = nat_table_find(&n->table, &k);
    if (host && --host->value == 0)
        nat_table_take(&n->table, &k);
    m->used = false;
    n->live--;
}

/* The mapping in an entry, if it still lives. */
static struct nat_mapping *alive(struct nat *n, const struct nat_entry *e, uint64_t now_ns) {
    if (!e)
        return NULL;
    struct nat_mapping *m = &n->mappings[e->value];
    if (!is_dead(n, m, now_ns))
        return m;
    drop(n, m);
    return NULL;
}

uint32_t nat_bury(struct nat *n, uint64_t now_ns) {
    uint32_t oldest = UINT32_MAX;
    for (uint32_t i = 0; i < n->mapping_count; i++) {
        struct nat_mapping *m = &n->mappings[i];
        if (m->used && is_dead(n, m, now_ns))
            drop(n, m);
        else if (m->used && !m->fixed &&
                 (oldest == UINT32_MAX || m->last_ns < n->mappings[oldest].last_ns))
            oldest = i;
    }
    return oldest;
}

uint32_t nat_room(const struct nat *n, uint64_t now_ns) {
    if (now_ns >= n->crowd_until_ns)
        return n->cfg.table;
    const uint32_t left = n->crowd < n->cfg.table ? n->cfg.table - n->crowd : 0;
    return left == 0 && n->cfg.evicts ? 1 : left; /* the newest always has a place there */
}

/* Makes room by burying the dead, or, if need be and allowed, the oldest. */
static bool make_room(struct nat *n, uint64_t now_ns) {
    const uint32_t room = nat_room(n, now_ns);
    uint32_t oldest = nat_bury(n, now_ns);
    while (n->live >= room && n->cfg.evicts && oldest != UINT32_MAX) {
        drop(n, &n->mappings[oldest]);
        oldest = nat_bury(n, now_ns);
    }
    return n->live < room;
}

void nat_crowd(struct nat *n, uint64_t now_ns, uint32_t count, uint64_t until_ns) {
    n->crowd = count;
    n->crowd_until_ns = until_ns;
    if (n->cfg.evicts && n->live > nat_room(n, now_ns))
        (void)make_room(n, now_ns);
}

/* A place for a new mapping; index, or UINT32_MAX. */
static uint32_t place(struct nat *n, uint64_t now_ns) {
    if (n->live >= nat_room(n, now_ns) && !make_room(n, now_ns))
        return UINT32_MAX;
    for (uint32_t tries = 0; tries < 8 && n->mapping_count > 0; tries++) { /* a dead one near by? */
        n->hand = (n->hand + 1) % n->mapping_count;
        struct nat_mapping *m = &n->mappings[n->hand];
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

bool nat_is_free(struct nat *n, const struct addr *outer, uint64_t now_ns) {
    return nat_mapping_at(n, now_ns, outer) == NULL;
}

static struct nat_mapping *add(struct nat *n, uint64_t now_ns, const struct nat_mapping *model) {
    struct nat_key k = nat_host_key(&model->inner);
    const struct nat_entry *host = nat_table_find(&n->table, &k);
    if (!model->fixed && n->cfg.per_host > 0 && host && host->value >= n->cfg.per_host &&
        !(make_room(n, now_ns) &&
          (host = nat_table_find(&n->table, &k), !host || host->value < n->cfg.per_host)))
        return NULL;
    const uint32_t at = place(n, now_ns);
    if (at == UINT32_MAX)
        return NULL;
    struct nat_mapping *m = &n->mappings[at];
    *m = *model;
    m->used = true;
    m->generation = ++n->generations;
    m->last_ns = now_ns;
    n->live++;
    struct nat_block *b = nat_block_at(n, &m->outer);
    if (b) {
        b->used++;
        memcpy(b->owner, m->inner.ip, sizeof b->owner);
    }
    nat_table_put(&n->table, &k)->value++;
    k = inner_key(n, m);
    nat_table_put(&n->table, &k)->value = at;
    k = key_of(KEY_OUTER, &m->outer, NULL, NAT_ENDPOINT_INDEPENDENT);
    nat_table_put(&n->table, &k)->value = at;
    return m;
}

/* A fixed one comes first. */
struct nat_mapping *nat_mapping_from(struct nat *n, uint64_t now_ns, const struct addr *src,
                                     const struct addr *dst) {
    struct nat_key k = key_of(KEY_INNER, src, NULL, NAT_ENDPOINT_INDEPENDENT);
    struct nat_mapping *m = alive(n, nat_table_find(&n->table, &k), now_ns);
    if (m && (m->fixed || n->cfg.mapping == NAT_ENDPOINT_INDEPENDENT))
        return m;
    k = key_of(KEY_INNER, src, dst, n->cfg.mapping);
    return alive(n, nat_table_find(&n->table, &k), now_ns);
}

struct nat_mapping *nat_mapping_at(struct nat *n, uint64_t now_ns, const struct addr *outer) {
    const struct nat_key k = key_of(KEY_OUTER, outer, NULL, NAT_ENDPOINT_INDEPENDENT);
    return alive(n, nat_table_find(&n->table, &k), now_ns);
}

/* The mapping for this packet. */
static struct nat_mapping *outbound(struct nat *n, uint64_t now_ns, const struct addr *src,
                                    const struct addr *dst) {
    struct nat_mapping *m = nat_mapping_from(n, now_ns, src, dst);
    if (m)
        return m;
    struct nat_mapping model = {.inner = *src, .towards = *dst};
    return nat_choose_outer(n, now_ns, src, &model.outer) ? add(n, now_ns, &model) : NULL;
}

static struct nat_key permit_key(const struct nat *n, const struct nat_mapping *m,
                                 const struct addr *remote) {
    struct nat_key k = key_of(KEY_PERMIT, &m->outer, remote, n->cfg.filtering);
    k.kind |= m->generation << 3;
    return k;
}

/* No permission is needed: always true. `refreshes`: its time begins anew. */
bool nat_is_permitted(struct nat *n, uint64_t now_ns, const struct nat_mapping *m,
                      const struct addr *src, bool refreshes) {
    if (n->cfg.filtering == NAT_ENDPOINT_INDEPENDENT || m->fixed)
        return true;
    const struct nat_key k = permit_key(n, m, src);
    struct nat_entry *e = nat_table_find(&n->table, &k);
    if (!e || now_ns - e->last_ns >= n->cfg.timeout_ns)
        return false;
    if (refreshes)
        e->last_ns = now_ns;
    return true;
}

static void permit(struct nat *n, uint64_t now_ns, const struct nat_mapping *m,
                   const struct addr *dst) {
    if (n->cfg.filtering == NAT_ENDPOINT_INDEPENDENT || m->fixed)
        return;
    const struct nat_key k = permit_key(n, m, dst);
    nat_table_put(&n->table, &k)->last_ns = now_ns;
}

/* ---- packets ---- */

/* Permissions die of age too, but nobody asks for them again: twice a timeout all are looked through. */
static bool is_stale(const void *ctx, const struct nat_key *k, uint64_t last_ns) {
    const struct nat *n = ctx;
    return (k->kind & KEY_KIND_MASK) == KEY_PERMIT && n->sweep_ns - last_ns >= n->cfg.timeout_ns;
}

static void sweep(struct nat *n, uint64_t now_ns) {
    if (n->table.used < 64 || now_ns < n->sweep_ns)
        return;
    n->sweep_ns = now_ns; /* for is_stale */
    nat_table_sweep(&n->table, is_stale, n);
    n->sweep_ns = now_ns + n->cfg.timeout_ns / 2;
}

enum nat_verdict nat_out(struct nat *n, uint64_t now_ns, struct addr *src, const struct addr *dst) {
    if (n->cfg.conntrack)
        return nat_linux_out(n, now_ns, src, dst);
    struct nat_mapping *m = outbound(n, now_ns, src, dst);
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
    if (n->cfg.conntrack)
        return nat_linux_in(n, now_ns, src, dst);
    const bool refreshes = n->cfg.refresh != NAT_REFRESH_OUT;
    struct nat_mapping *m = nat_mapping_at(n, now_ns, dst);
    if (!m)
        return NAT_NO_MAPPING;
    if (!nat_is_permitted(n, now_ns, m, src, refreshes))
        return NAT_FILTERED;
    if (refreshes)
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

static struct nat_mapping *fixed_of(struct nat *n, const struct addr *inner) {
    const struct nat_key k = key_of(KEY_INNER, inner, NULL, NAT_ENDPOINT_INDEPENDENT);
    const struct nat_entry *e = nat_table_find(&n->table, &k);
    struct nat_mapping *m = e ? &n->mappings[e->value] : NULL;
    return m && m->fixed ? m : NULL;
}

bool nat_map_fixed(struct nat *n, uint64_t now_ns, const struct addr *inner, uint16_t wanted,
                   uint64_t expires_ns, struct addr *external) {
    struct nat_mapping *m = fixed_of(n, inner);
    if (m && is_dead(n, m, now_ns)) {
        drop(n, m);
        m = NULL;
    }
    if (!m) {
        /* An implicit endpoint-independent mapping of this address becomes the fixed one. */
        struct nat_key k = key_of(KEY_INNER, inner, NULL, NAT_ENDPOINT_INDEPENDENT);
        struct nat_mapping *old = n->cfg.mapping == NAT_ENDPOINT_INDEPENDENT
                                      ? alive(n, nat_table_find(&n->table, &k), now_ns)
                                      : NULL;
        struct nat_mapping model = {.inner = *inner, .fixed = true, .expires_ns = expires_ns};
        if (old) {
            model.outer = old->outer;
            drop(n, old);
        } else {
            struct addr preferred = *inner;
            if (wanted > 0)
                preferred.port = wanted;
            if (!nat_choose_outer(n, now_ns, &preferred, &model.outer))
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

void nat_fixed_until(struct nat *n, const struct addr *inner, uint64_t expires_ns) {
    struct nat_mapping *m = fixed_of(n, inner);
    if (m && m->expires_ns > expires_ns)
        m->expires_ns = expires_ns;
}

void nat_unmap_fixed(struct nat *n, const struct addr *inner) {
    struct nat_mapping *m = fixed_of(n, inner);
    if (m)
        drop(n, m);
}

uint32_t nat_mapping_count(const struct nat *n, uint64_t now_ns) {
    uint32_t count = nat_linux_count(n, now_ns);
    for (uint32_t i = 0; i < n->mapping_count; i++)
        count += n->mappings[i].used && !is_dead(n, &n->mappings[i], now_ns);
    return count;
}
