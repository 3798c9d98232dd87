#include "sim/world/route.h"

#include <assert.h>

#include "sim/world/host.h"
#include "sim/world/site_int.h"

static enum fate fate_of(enum nat_verdict v) {
    switch (v) {
    case NAT_PASS:
        return FATE_DELIVERED;
    case NAT_NO_MAPPING:
        return FATE_NAT_UNMAPPED;
    case NAT_FILTERED:
        return FATE_NAT_FILTERED;
    case NAT_FULL:
        return FATE_NAT_FULL;
    case NAT_NO_HAIRPIN:
        return FATE_NAT_HAIRPIN;
    case NAT_NO_ROUTE:
        return FATE_UNREACHABLE;
    }
    return FATE_UNREACHABLE;
}

/* ---- who is where ---- */

/* A wall only filters: it leaves addresses alone. */
static bool is_wall(const struct site *w, bool ipv6) {
    return ipv6 || w->cfg.firewall;
}

struct nat *route_nat(const struct site *w, bool ipv6) {
    return ipv6 ? w->wall : w->nat;
}

/* TCP has a table of its own. */
static struct nat *nat_for(struct sites *ss, struct site *w, const struct packet *p) {
    const bool ipv6 = p->to.kind == ADDR_IPV6;
    return p->tcp ? sites_tcp_nat(ss, w, ipv6) : route_nat(w, ipv6);
}

static struct nic *nic_of(const struct sites *ss, uint32_t member) {
    return host_nic(ss->world->hosts[member_host(member)], member_nic(member));
}

static uint32_t home_of(const struct sites *ss, uint32_t member) {
    return member & SITE_BIT ? ss->list[member & ~SITE_BIT]->parent : nic_of(ss, member)->site;
}

static struct nic *target_nic(const struct sites *ss, const struct packet *p) {
    return host_nic(ss->world->hosts[p->target], p->target_nic);
}

bool route_is_within(const struct sites *ss, uint32_t at, uint32_t site) {
    while (at != SITE_NONE && at != site)
        at = ss->list[at]->parent;
    return at == site;
}

/* The innermost site that both are in; SITE_NONE: the internet. */
static uint32_t common(const struct sites *ss, uint32_t a, uint32_t b) {
    while (a != SITE_NONE && !route_is_within(ss, b, a))
        a = ss->list[a]->parent;
    return a;
}

uint32_t route_find_within(const struct sites *ss, const struct site *w, const struct addr *to) {
    const bool ipv6 = to->kind == ADDR_IPV6;
    if (!is_wall(w, ipv6))
        return site_member_of(w, to);
    const uint32_t space = sites_space(ss, w->index, ipv6);
    const uint32_t member =
        space == SITE_NONE ? sites_owner_of(ss, to) : site_member_of(ss->list[space], to);
    return member != 0 && route_is_within(ss, home_of(ss, member), w->index) ? member : 0;
}

/* ---- down, from a site (SITE_NONE: the internet) to a host ---- */

/* The walls around `home`, from the outermost inwards. */
static enum nat_verdict enter(struct sites *ss, const struct descent *d, uint32_t home,
                              uint32_t from) {
    uint32_t walls[SITE_DEPTH_MAX];
    unsigned n = 0;
    for (uint32_t at = home; at != from && at != SITE_NONE; at = ss->list[at]->parent) {
        assert(n < SITE_DEPTH_MAX);
        walls[n++] = at;
    }
    while (n-- > 0) {
        const enum nat_verdict v = d->cross(d->ctx, ss, ss->list[walls[n]]);
        if (v != NAT_PASS)
            return v;
    }
    return NAT_PASS;
}

enum fate route_descend(struct sites *ss, const struct descent *d, uint32_t member, uint32_t from,
                        uint32_t *found) {
    for (unsigned depth = 0; depth <= SITE_DEPTH_MAX && member != 0; depth++) {
        enum nat_verdict v = enter(ss, d, home_of(ss, member), from);
        if (v != NAT_PASS)
            return fate_of(v);
        if (!(member & SITE_BIT)) {
            *found = member;
            return FATE_DELIVERED;
        }
        struct site *w = ss->list[member & ~SITE_BIT];
        v = d->cross(d->ctx, ss, w);
        if (v != NAT_PASS)
            return fate_of(v);
        from = w->index;
        member = site_member_of(w, d->to);
    }
    return FATE_NO_HOST;
}

static enum nat_verdict cross_in(void *ctx, struct sites *ss, struct site *w) {
    struct packet *p = ctx;
    const bool ipv6 = p->to.kind == ADDR_IPV6;
    if (ipv6 && w->cfg.ipv6 != NAT_IPV6_FIREWALL)
        return w->cfg.ipv6 == NAT_IPV6_OPEN ? NAT_PASS : NAT_NO_ROUTE;
    return nat_in(nat_for(ss, w, p), ss->world->now_ns, &p->from, &p->to);
}

static enum fate descend(struct sites *ss, struct packet *p, uint32_t member, uint32_t from) {
    const struct descent d = {.ctx = p, .cross = cross_in, .to = &p->to};
    uint32_t found = 0;
    const enum fate fate = route_descend(ss, &d, member, from, &found);
    if (found != 0) {
        p->target = member_host(found);
        p->target_nic = (uint8_t)member_nic(found);
    }
    return fate;
}

/* ---- up ---- */

static bool is_external(const struct site *w, const struct addr *a) {
    for (unsigned i = 0; i < w->external_count; i++)
        if (addr_same_host(&w->external[i], a))
            return true;
    return false;
}

/* Out of one site. */
static enum nat_verdict cross_out(struct sites *ss, struct packet *p, struct site *w) {
    const bool ipv6 = p->to.kind == ADDR_IPV6;
    p->hairpin = !is_wall(w, ipv6) && is_external(w, &p->to);
    if (p->hairpin)
        return nat_hairpin(nat_for(ss, w, p), ss->world->now_ns, &p->from, &p->to);
    if (ipv6 && w->cfg.ipv6 != NAT_IPV6_FIREWALL)
        return w->cfg.ipv6 == NAT_IPV6_OPEN ? NAT_PASS : NAT_NO_ROUTE;
    return nat_out(nat_for(ss, w, p), ss->world->now_ns, &p->from, &p->to);
}

enum fate route_out(struct sites *ss, struct host *h, struct packet *p) {
    for (uint32_t at = host_nic(h, p->source_nic)->site; at != SITE_NONE;
         at = ss->list[at]->parent) {
        struct site *w = ss->list[at];
        const uint32_t member = route_find_within(ss, w, &p->to);
        p->top = at;
        if (member != 0)
            return descend(ss, p, member, at);
        const enum nat_verdict v = cross_out(ss, p, w);
        if (v != NAT_PASS)
            return fate_of(v);
        if (p->hairpin)
            return descend(ss, p, site_member_of(w, &p->to), at);
    }
    p->top = SITE_NONE;
    p->number = site_number_of(&p->to);
    return p->number == 0 ? FATE_UNREACHABLE : FATE_DELIVERED;
}

static uint32_t owner_now(const struct sites *ss, const struct packet *p) {
    return p->number == 0 || p->number > ss->number_count ? 0 : ss->owners[p->number - 1];
}

enum fate route_in(struct sites *ss, struct packet *p) {
    if (p->target != SIM_NO_HOST)
        return FATE_DELIVERED;
    const uint32_t owner = owner_now(ss, p);
    if ((owner & SITE_BIT) && p->to.kind == ADDR_IPV6)
        return FATE_NO_HOST; /* sites have IPv4 addresses only */
    return descend(ss, p, owner, SITE_NONE);
}

/* ---- what it meets ---- */

uint32_t route_line_up(const struct sites *ss, uint32_t at, uint32_t top) {
    while (at != SITE_NONE && at != top && !ss->list[at]->has_link)
        at = ss->list[at]->parent;
    return at == top ? SITE_NONE : at;
}

uint32_t route_line_down(const struct sites *ss, uint32_t home, uint32_t below) {
    uint32_t found = SITE_NONE;
    if (!route_is_within(ss, home, below))
        return SITE_NONE; /* the host has moved away */
    for (uint32_t at = home; at != SITE_NONE && at != below; at = ss->list[at]->parent)
        if (ss->list[at]->has_link)
            found = at;
    return found;
}

unsigned route_links(const struct sites *ss, const struct nic *from, const struct nic *to,
                     const struct link *out[static ROUTE_LINKS_MAX]) {
    const uint32_t top = common(ss, from->site, to->site);
    unsigned n = 0;
    out[n++] = &from->up;
    for (uint32_t at = route_line_up(ss, from->site, top); at != SITE_NONE;
         at = route_line_up(ss, ss->list[at]->parent, top))
        out[n++] = &ss->list[at]->up;
    for (uint32_t at = route_line_down(ss, to->site, top); at != SITE_NONE;
         at = route_line_down(ss, to->site, at))
        out[n++] = &ss->list[at]->down;
    out[n++] = &to->down;
    assert(n <= ROUTE_LINKS_MAX);
    return n;
}

bool route_plain(const struct sites *ss, struct packet *p) {
    if (p->target != SIM_NO_HOST) {
        const struct nic *to = target_nic(ss, p);
        return to->plain_down && route_line_down(ss, to->site, p->top) == SITE_NONE;
    }
    const uint32_t owner = owner_now(ss, p);
    if (owner == 0 || (owner & SITE_BIT))
        return false;
    const struct nic *to = nic_of(ss, owner);
    if (to->site != SITE_NONE || !to->plain_down || to->down.cfg.delay_ns > FAULT_MEMORY_NS)
        return false;
    p->late_ns = to->down.cfg.delay_ns;
    p->likely = member_host(owner);
    return true;
}

static uint64_t between(const struct sites *ss, uint32_t a, uint32_t b) {
    return a < ss->region_count && b < ss->region_count ? ss->rtt_ns[a][b] / 2 : 0;
}

uint64_t route_core_ns(const struct sites *ss, const struct nic *from, const struct nic *to) {
    return common(ss, from->site, to->site) == SITE_NONE ? between(ss, from->region, to->region)
                                                         : 0;
}

uint64_t route_delay_ns(const struct sites *ss, const struct host *h, const struct packet *p) {
    uint32_t to = SITE_NONE;
    if (p->target != SIM_NO_HOST)
        return 0; /* it turns before the core */
    const uint32_t owner = owner_now(ss, p);
    if (owner != 0)
        to = owner & SITE_BIT ? ss->list[owner & ~SITE_BIT]->region : nic_of(ss, owner)->region;
    return between(ss, host_nic_of(h, p->source_nic)->region, to);
}
