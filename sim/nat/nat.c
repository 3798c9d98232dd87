/* nat.c: permissions and packets of a NAT after RFC 4787; mappings on request. */
#include "sim/nat/nat.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/nat/nat_int.h"
#include "sim/nat/nat_linux.h"
#include "sim/nat/nat_mapping.h"

/* ---- life ---- */

struct nat *nat_new(const struct nat_config *cfg, const struct draw *draw, uint32_t entity) {
    struct nat *n = mem_calloc(1, sizeof *n);
    if (!n)
        abort();
    n->cfg = *cfg;
    n->draw = draw;
    n->entity = entity;
    return n;
}

static void forget_all(struct nat *n) {
    nat_linux_clear(n);
    nat_mapping_clear(n);
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
    mem_free(n);
}

void nat_set_external(struct nat *n, const struct addr *pool, unsigned count) {
    forget_all(n);
    n->external_count = count < NAT_POOL_MAX ? count : NAT_POOL_MAX;
    memcpy(n->external, pool, n->external_count * sizeof *pool);
}

/* The mapping for this packet. */
static struct nat_mapping *outbound(struct nat *n, uint64_t now_ns, const struct addr *src,
                                    const struct addr *dst) {
    struct nat_mapping *m = nat_mapping_from(n, now_ns, src, dst);
    if (m)
        return m;
    struct nat_mapping model = {.inner = *src, .towards = *dst};
    return nat_choose_outer(n, now_ns, src, &model.outer) ? nat_mapping_add(n, now_ns, &model)
                                                          : NULL;
}

static struct nat_key permit_key(const struct nat *n, const struct nat_mapping *m,
                                 const struct addr *remote) {
    struct nat_key k = nat_key_of(KEY_PERMIT, &m->outer, remote, n->cfg.filtering);
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

/* Permissions die of age too, but nobody asks for them again: twice a timeout all are looked
 * through. */
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

bool nat_map_fixed(struct nat *n, uint64_t now_ns, const struct addr *inner, uint16_t wanted,
                   uint64_t expires_ns, struct addr *external) {
    struct nat_mapping *m = nat_mapping_fixed(n, inner);
    if (m && nat_mapping_is_dead(n, m, now_ns)) {
        nat_mapping_drop(n, m);
        m = NULL;
    }
    if (!m) {
        /* An implicit endpoint-independent mapping of this address becomes the fixed one. */
        struct nat_mapping *old = n->cfg.mapping == NAT_ENDPOINT_INDEPENDENT
                                      ? nat_mapping_from(n, now_ns, inner, inner)
                                      : NULL;
        struct nat_mapping model = {.inner = *inner, .fixed = true, .expires_ns = expires_ns};
        if (old) {
            model.outer = old->outer;
            nat_mapping_drop(n, old);
        } else {
            struct addr preferred = *inner;
            if (wanted > 0)
                preferred.port = wanted;
            if (!nat_choose_outer(n, now_ns, &preferred, &model.outer))
                return false;
        }
        m = nat_mapping_add(n, now_ns, &model);
    }
    if (!m)
        return false;
    m->expires_ns = expires_ns;
    *external = m->outer;
    return true;
}

void nat_fixed_until(struct nat *n, const struct addr *inner, uint64_t expires_ns) {
    struct nat_mapping *m = nat_mapping_fixed(n, inner);
    if (m && m->expires_ns > expires_ns)
        m->expires_ns = expires_ns;
}

void nat_unmap_fixed(struct nat *n, const struct addr *inner) {
    struct nat_mapping *m = nat_mapping_fixed(n, inner);
    if (m)
        nat_mapping_drop(n, m);
}

uint32_t nat_mapping_count(const struct nat *n, uint64_t now_ns) {
    return nat_linux_count(n, now_ns) + nat_mapping_alive(n, now_ns);
}
