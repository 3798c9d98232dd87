#include "sim/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

/* Owners and members are numbers: 0 nobody, host + 1, or SITE_BIT | site. */
#define SITE_BIT UINT32_C(0x80000000)
enum {
    NUMBERS_MAX = (1 << 17) - 2,
    SMALL_MEMBERS = 250,   /* 192.168.1.2 .. 192.168.1.251 */
    MEMBERS_MAX = 1 << 22, /* what 100.64.0.0/10 holds */
    CHAIN_MAX = 8,         /* NATs behind one another */
};

static void *grown(void *p, uint32_t count, uint32_t *cap, size_t item_bytes) {
    if (count < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 8;
    void *q = realloc(p, *cap * item_bytes);
    if (!q)
        abort();
    return q;
}

void route_clear(struct route *r) {
    for (uint32_t i = 0; i < r->site_count; i++) {
        nat_free(r->sites[i]->nat);
        nat_free(r->sites[i]->wall);
        gateway_free(r->sites[i]->gateway);
        free(r->sites[i]->members);
        free(r->sites[i]);
    }
    free(r->sites);
    free(r->owners);
    *r = (struct route){0};
}

/* ---- regions ---- */

uint32_t route_region(const struct route *r, const char *name) {
    for (uint32_t i = 0; i < r->region_count; i++)
        if (strcmp(r->regions[i], name) == 0)
            return i;
    return SITE_NONE;
}

int route_region_add(struct route *r, const char *name) {
    if (r->region_count == REGIONS_MAX)
        return ERR_FULL;
    if (route_region(r, name) != SITE_NONE)
        return ERR_EXISTS;
    (void)snprintf(r->regions[r->region_count++], sizeof *r->regions, "%s", name);
    return 0;
}

/* ---- public addresses ---- */

void route_number_address(uint32_t number, bool ipv6, uint16_t port, struct addr *out) {
    static const uint8_t ipv4[4] = {198, 18, 0, 0}, ipv6_prefix[4] = {0x20, 0x01, 0x00, 0x02};
    *out = (struct addr){.kind = ipv6 ? ADDR_IPV6 : ADDR_IPV4, .port = port};
    memcpy(out->ip, ipv6 ? ipv6_prefix : ipv4, 4);
    uint8_t *low = out->ip + (ipv6 ? 13 : 1);
    low[0] = (uint8_t)(low[0] | number >> 16);
    low[1] = (uint8_t)(number >> 8);
    low[2] = (uint8_t)number;
}

/* 0: not one of ours. */
static uint32_t number_of(const struct addr *a) {
    struct addr same;
    const uint8_t *low = a->ip + (a->kind == ADDR_IPV6 ? 13 : 1);
    const uint32_t n = (uint32_t)(low[0] & 1) << 16 | (uint32_t)low[1] << 8 | low[2];
    route_number_address(n, a->kind == ADDR_IPV6, a->port, &same);
    return addr_same_host(&same, a) ? n : 0;
}

static uint32_t owner_of(const struct sim *s, const struct addr *a) {
    const uint32_t n = number_of(a);
    return n == 0 || n > s->route.number_count ? 0 : s->route.owners[n - 1];
}

static uint32_t number_new(struct sim *s, uint32_t owner) {
    struct route *r = &s->route;
    if (r->number_count == NUMBERS_MAX)
        return 0;
    r->owners = grown(r->owners, r->number_count, &r->number_cap, sizeof *r->owners);
    r->owners[r->number_count++] = owner;
    return r->number_count;
}

uint32_t route_number_new(struct sim *s, const struct host *h) {
    return number_new(s, h->index + 1);
}

void route_number_free(struct sim *s, uint32_t number) {
    if (number > 0)
        s->route.owners[number - 1] = 0;
}

struct host *route_setup_owner(const struct sim *s, const struct addr *a) {
    const uint32_t owner = owner_of(s, a);
    return owner == 0 || (owner & SITE_BIT) ? NULL : s->hosts[owner - 1];
}

/* ---- addresses inside a site ---- */

static void member_address(uint32_t member, bool is_site, uint16_t port, struct addr *out) {
    *out = (struct addr){.kind = ADDR_IPV4, .port = port};
    uint8_t *ip = out->ip;
    const uint32_t n = is_site ? member + 1 : member;
    if (is_site) {
        ip[0] = 100;
        ip[1] = (uint8_t)(64 | n >> 16);
    } else if (member < SMALL_MEMBERS) {
        ip[0] = 192;
        ip[1] = 168;
        ip[2] = 1;
        ip[3] = (uint8_t)(2 + member);
        return;
    } else {
        ip[0] = 10;
        ip[1] = (uint8_t)(n >> 16);
    }
    ip[2] = (uint8_t)(n >> 8);
    ip[3] = (uint8_t)n;
}

/* The member that has this address within the site; 0: nobody. */
static uint32_t member_of(const struct site *w, const struct addr *a) {
    if (a->kind != ADDR_IPV4)
        return 0;
    const uint8_t *ip = a->ip;
    uint32_t at = (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
    if (ip[0] == 192)
        at = (uint32_t)ip[3] - 2;
    else if (ip[0] == 100)
        at = (at & 0x3fffff) - 1;
    if (at >= w->member_count)
        return 0;
    struct addr same;
    const uint32_t m = w->members[at];
    member_address(at, (m & SITE_BIT) != 0, a->port, &same);
    return addr_same_host(&same, a) ? m : 0;
}

static bool member_add(struct site *w, uint32_t member, uint16_t port, struct addr *out) {
    if (w->member_count == MEMBERS_MAX)
        return false;
    w->members = grown(w->members, w->member_count, &w->member_cap, sizeof *w->members);
    member_address(w->member_count, (member & SITE_BIT) != 0, port, out);
    w->members[w->member_count++] = member;
    return true;
}

/* ---- sites ---- */

uint32_t route_site_find(const struct sim *s, const char *name) {
    for (uint32_t i = 0; i < s->route.site_count; i++)
        if (strcmp(s->route.sites[i]->name, name) == 0)
            return i;
    return SITE_NONE;
}

static bool new_externals(struct sim *s, struct site *w) {
    const uint32_t self = SITE_BIT | w->index;
    w->external_count = w->cfg.pool > 0 ? w->cfg.pool : 1;
    for (unsigned i = 0; i < w->external_count; i++) {
        if (w->parent != SITE_NONE) {
            if (!member_add(s->route.sites[w->parent], self, 0, &w->external[i]))
                return false;
            continue;
        }
        const uint32_t n = number_new(s, self);
        if (n == 0)
            return false;
        route_number_address(n, false, 0, &w->external[i]);
    }
    if (w->nat)
        nat_set_external(w->nat, w->external, w->external_count);
    return true;
}

int route_site_add(struct sim *s, const char *name, uint32_t parent, uint32_t region,
                   const struct nat_config *cfg, uint32_t *site) {
    struct route *r = &s->route;
    if (r->site_count == SITES_MAX)
        return ERR_FULL;
    r->sites = grown(r->sites, r->site_count, &r->site_cap, sizeof *r->sites);
    struct site *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    *w = (struct site){.index = r->site_count, .parent = parent, .region = region, .cfg = *cfg};
    (void)snprintf(w->name, sizeof w->name, "%s", name);
    r->sites[r->site_count++] = w;
    *site = w->index;
    /* Entities of sites count down from the top, those of hosts up from 0. */
    const uint32_t entity = UINT32_MAX - w->index * 4;
    w->nat = nat_new(cfg, &s->draw, entity);
    link_init(&w->up, &s->draw, entity - 1);
    link_init(&w->down, &s->draw, entity - 2);
    struct nat_config wall;
    if (nat_config_read(&wall, "firewall"))
        abort();
    wall.timeout_ns = cfg->timeout_ns;
    w->wall = nat_new(&wall, &s->draw, entity - 3);
    return new_externals(s, w) ? 0 : ERR_FULL;
}

void route_site_reboot(struct sim *s, uint32_t site, bool move) {
    struct site *w = s->route.sites[site];
    nat_reboot(w->nat);
    nat_reboot(w->wall);
    w->reboots++;
    if (w->gateway)
        gateway_reboot(w->gateway, s->now_ns);
    if (!move)
        return;
    for (unsigned i = 0; i < w->external_count; i++) {
        const uint32_t n = number_of(&w->external[i]);
        if (w->parent == SITE_NONE && n > 0)
            route_number_free(s, n);
    }
    if (!new_externals(s, w))
        world_fail(s, NULL, "no addresses are left");
}

/* ---- hosts in sites ---- */

void route_leave(struct sim *s, struct host *h) {
    for (unsigned i = 0; i < h->addr_count; i++) {
        const uint32_t n = number_of(&h->addrs[i]);
        if (n > 0)
            route_number_free(s, n);
    }
    if (h->site != SITE_NONE) {
        struct site *w = s->route.sites[h->site];
        for (uint32_t i = 0; i < w->member_count; i++)
            if (w->members[i] == h->index + 1)
                w->members[i] = 0;
    }
    h->addr_count = 0;
    h->mapped = (struct addr){0};
}

bool route_settle(struct sim *s, struct host *h) {
    const uint16_t port = h->addr_count > 0 ? h->addrs[0].port : WORLD_PORT;
    route_leave(s, h);
    /* On the internet it keeps the address under which its contacts got to know it. */
    const bool keeps = h->setup_number > 0 && h->site == SITE_NONE;
    if (!keeps)
        route_number_free(s, h->setup_number);
    const uint32_t number = keeps ? h->setup_number : route_number_new(s, h);
    h->setup_number = 0;
    if (number == 0)
        return false;
    if (h->options.ipv4) {
        struct addr *a = &h->addrs[h->addr_count++];
        if (h->site == SITE_NONE)
            route_number_address(number, false, port, a);
        else if (!member_add(s->route.sites[h->site], h->index + 1, port, a))
            return false;
    }
    if (h->options.ipv6)
        route_number_address(number, true, port, &h->addrs[h->addr_count++]);
    return true;
}

/* ---- the way of a datagram ---- */

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
    }
    return FATE_UNREACHABLE;
}

/* From a member of a site down to a host. */
static enum fate descend(struct sim *s, struct packet *p, uint32_t member) {
    for (unsigned depth = 0; depth < CHAIN_MAX && member != 0; depth++) {
        if (!(member & SITE_BIT)) {
            p->target = member - 1;
            return FATE_DELIVERED;
        }
        struct site *w = s->route.sites[member & ~SITE_BIT];
        const enum nat_verdict v = nat_in(w->nat, s->now_ns, &p->from, &p->to);
        if (v != NAT_PASS)
            return fate_of(v);
        member = member_of(w, &p->to);
    }
    return FATE_NO_HOST;
}

static bool is_external(const struct site *w, const struct addr *a) {
    for (unsigned i = 0; i < w->external_count; i++)
        if (addr_same_host(&w->external[i], a))
            return true;
    return false;
}

static enum fate out_ipv6(struct sim *s, const struct host *h, struct packet *p) {
    const uint32_t owner = owner_of(s, &p->to);
    for (uint32_t at = h->site; at != SITE_NONE; at = s->route.sites[at]->parent) {
        if (owner != 0 && !(owner & SITE_BIT) && s->hosts[owner - 1]->site == at)
            break; /* on the same wire */
        const enum nat_verdict v = nat_out(s->route.sites[at]->wall, s->now_ns, &p->from, &p->to);
        if (v != NAT_PASS)
            return fate_of(v);
    }
    return FATE_DELIVERED;
}

enum fate route_out(struct sim *s, struct host *h, struct packet *p) {
    if (p->to.kind == ADDR_IPV6)
        return out_ipv6(s, h, p);
    for (uint32_t at = h->site; at != SITE_NONE; at = s->route.sites[at]->parent) {
        struct site *w = s->route.sites[at];
        const uint32_t member = member_of(w, &p->to);
        if (member != 0)
            return descend(s, p, member);
        const bool back = is_external(w, &p->to);
        const enum nat_verdict v = back ? nat_hairpin(w->nat, s->now_ns, &p->from, &p->to)
                                        : nat_out(w->nat, s->now_ns, &p->from, &p->to);
        if (v != NAT_PASS)
            return fate_of(v);
        if (back)
            return descend(s, p, member_of(w, &p->to));
    }
    return number_of(&p->to) == 0 ? FATE_UNREACHABLE : FATE_DELIVERED;
}

/* The walls around a host, from the outermost inwards; none that the sender stands behind, too. */
static enum fate in_ipv6(struct sim *s, struct packet *p, const struct host *to) {
    const struct host *from = s->hosts[p->source];
    if (to->site == SITE_NONE || to->site == from->site)
        return FATE_DELIVERED;
    for (uint32_t at = to->site; at != SITE_NONE; at = s->route.sites[at]->parent) {
        const enum nat_verdict v = nat_in(s->route.sites[at]->wall, s->now_ns, &p->from, &p->to);
        if (v != NAT_PASS)
            return fate_of(v);
    }
    return FATE_DELIVERED;
}

enum fate route_in(struct sim *s, struct packet *p) {
    if (p->target != SIM_NO_HOST)
        return FATE_DELIVERED;
    const uint32_t owner = owner_of(s, &p->to);
    if (owner == 0)
        return FATE_NO_HOST;
    if (p->to.kind == ADDR_IPV4)
        return descend(s, p, owner);
    const enum fate fate = in_ipv6(s, p, s->hosts[owner - 1]);
    if (fate == FATE_DELIVERED)
        p->target = owner - 1;
    return fate;
}

/* ---- what it meets ---- */

static const struct site *outermost(const struct sim *s, uint32_t at) {
    const struct site *w = NULL;
    for (; at != SITE_NONE; at = w->parent)
        w = s->route.sites[at];
    return w;
}

struct link *route_site_down(const struct sim *s, const struct packet *p) {
    if (p->target == SIM_NO_HOST)
        return NULL;
    const struct host *to = s->hosts[p->target], *from = s->hosts[p->source];
    if (to->site == SITE_NONE || to->site == from->site || !s->route.sites[to->site]->has_link)
        return NULL;
    return &s->route.sites[to->site]->down;
}

bool route_plain(const struct sim *s, struct packet *p) {
    if (p->target != SIM_NO_HOST)
        return s->hosts[p->target]->plain_down;
    const uint32_t owner = owner_of(s, &p->to);
    if (owner == 0 || (owner & SITE_BIT))
        return false;
    const struct host *to = s->hosts[owner - 1];
    if (to->site != SITE_NONE || !to->plain_down)
        return false;
    p->late_ns = to->down.cfg.delay_ns;
    p->likely = to->index;
    return true;
}

uint64_t route_delay_ns(const struct sim *s, const struct host *h, const struct packet *p) {
    const struct route *r = &s->route;
    uint32_t to = SITE_NONE;
    if (p->target != SIM_NO_HOST && h->site != SITE_NONE &&
        outermost(s, h->site) == outermost(s, s->hosts[p->target]->site))
        return 0; /* it stays at home */
    const uint32_t owner = p->target != SIM_NO_HOST ? p->target + 1 : owner_of(s, &p->to);
    if (owner != 0)
        to = owner & SITE_BIT ? r->sites[owner & ~SITE_BIT]->region : s->hosts[owner - 1]->region;
    if (h->region >= r->region_count || to >= r->region_count)
        return 0;
    return r->rtt_ns[h->region][to] / 2;
}
