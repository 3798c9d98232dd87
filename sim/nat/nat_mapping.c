/* nat_mapping.c: the table of mappings: how one is found, made, dies and makes room. */
#include "sim/nat/nat_mapping.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

/* ---- keys ---- */

struct nat_key nat_key_of(enum nat_key_kind kind, const struct addr *a, const struct addr *other,
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

uint64_t nat_drawn(struct nat *n) {
    return draw_u64(n->draw, n->entity, DRAW_CHOICE, n->draws++);
}

struct nat_block *nat_block_at(struct nat *n, const struct addr *outer) {
    const uint32_t size = n->cfg.block_ports;
    if (n->cfg.firewall || n->cfg.ports != NAT_PORTS_BLOCK || outer->port < NAT_PORT_FIRST)
        return NULL;
    const uint32_t at = (outer->port - NAT_PORT_FIRST) / size;
    for (unsigned i = 0; i < n->external_count && at < NAT_PORT_COUNT / size; i++) {
        if (!addr_same_host(&n->external[i], outer))
            continue;
        if (!n->blocks[i] &&
            !(n->blocks[i] = mem_calloc(NAT_PORT_COUNT / size, sizeof *n->blocks[i])))
            abort();
        return &n->blocks[i][at];
    }
    return NULL;
}

/* ---- mappings ---- */

bool nat_mapping_is_dead(const struct nat *n, const struct nat_mapping *m, uint64_t now_ns) {
    return m->fixed ? now_ns >= m->expires_ns : now_ns - m->last_ns >= n->cfg.timeout_ns;
}

static struct nat_key inner_key(const struct nat *n, const struct nat_mapping *m) {
    return nat_key_of(KEY_INNER, &m->inner, m->fixed ? NULL : &m->towards, n->cfg.mapping);
}

void nat_mapping_drop(struct nat *n, struct nat_mapping *m) {
    struct nat_block *b = nat_block_at(n, &m->outer);
    if (b)
        b->used--;
    struct nat_key k = inner_key(n, m);
    nat_table_take(&n->table, &k);
    k = nat_key_of(KEY_OUTER, &m->outer, NULL, NAT_ENDPOINT_INDEPENDENT);
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
    if (!nat_mapping_is_dead(n, m, now_ns))
        return m;
    nat_mapping_drop(n, m);
    return NULL;
}

uint32_t nat_bury(struct nat *n, uint64_t now_ns) {
    uint32_t oldest = UINT32_MAX;
    for (uint32_t i = 0; i < n->mapping_count; i++) {
        struct nat_mapping *m = &n->mappings[i];
        if (m->used && nat_mapping_is_dead(n, m, now_ns))
            nat_mapping_drop(n, m);
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
        nat_mapping_drop(n, &n->mappings[oldest]);
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
        if (m->used && nat_mapping_is_dead(n, m, now_ns))
            nat_mapping_drop(n, m);
        if (!m->used)
            return n->hand;
    }
    grow(&n->mappings, &n->mapping_cap, n->mapping_count + 1, sizeof *n->mappings);
    return n->mapping_count++;
}

bool nat_is_free(struct nat *n, const struct addr *outer, uint64_t now_ns) {
    return nat_mapping_at(n, now_ns, outer) == NULL;
}

struct nat_mapping *nat_mapping_add(struct nat *n, uint64_t now_ns,
                                    const struct nat_mapping *model) {
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
    k = nat_key_of(KEY_OUTER, &m->outer, NULL, NAT_ENDPOINT_INDEPENDENT);
    nat_table_put(&n->table, &k)->value = at;
    return m;
}

/* A fixed one comes first. */
struct nat_mapping *nat_mapping_from(struct nat *n, uint64_t now_ns, const struct addr *src,
                                     const struct addr *dst) {
    struct nat_key k = nat_key_of(KEY_INNER, src, NULL, NAT_ENDPOINT_INDEPENDENT);
    struct nat_mapping *m = alive(n, nat_table_find(&n->table, &k), now_ns);
    if (m && (m->fixed || n->cfg.mapping == NAT_ENDPOINT_INDEPENDENT))
        return m;
    k = nat_key_of(KEY_INNER, src, dst, n->cfg.mapping);
    return alive(n, nat_table_find(&n->table, &k), now_ns);
}

struct nat_mapping *nat_mapping_at(struct nat *n, uint64_t now_ns, const struct addr *outer) {
    const struct nat_key k = nat_key_of(KEY_OUTER, outer, NULL, NAT_ENDPOINT_INDEPENDENT);
    return alive(n, nat_table_find(&n->table, &k), now_ns);
}

/* ---- on request ---- */

struct nat_mapping *nat_mapping_fixed(struct nat *n, const struct addr *inner) {
    const struct nat_key k = nat_key_of(KEY_INNER, inner, NULL, NAT_ENDPOINT_INDEPENDENT);
    const struct nat_entry *e = nat_table_find(&n->table, &k);
    struct nat_mapping *m = e ? &n->mappings[e->value] : NULL;
    return m && m->fixed ? m : NULL;
}

uint32_t nat_mapping_alive(const struct nat *n, uint64_t now_ns) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->mapping_count; i++)
        count += n->mappings[i].used && !nat_mapping_is_dead(n, &n->mappings[i], now_ns);
    return count;
}

void nat_mapping_clear(struct nat *n) {
    mem_free(n->mappings);
    nat_table_clear(&n->table);
    for (unsigned i = 0; i < NAT_POOL_MAX; i++) {
        mem_free(n->blocks[i]);
        n->blocks[i] = NULL;
    }
    n->mappings = NULL;
    n->mapping_count = n->mapping_cap = n->live = n->hand = 0;
}
