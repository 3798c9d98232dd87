#include "sim/world/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world/sim_int.h"
#include "sim/world/site_int.h"

enum {
    NUMBERS_MAX = (1 << 17) - 2,
    SMALL_MEMBERS = 250,   /* 192.168.1.2 .. 192.168.1.251 */
    MEMBERS_MAX = 1 << 20, /* 100.64.0.0/10 holds more */
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

uint32_t route_number_of(const struct addr *a) {
    struct addr same;
    const uint8_t *low = a->ip + (a->kind == ADDR_IPV6 ? 13 : 1);
    const uint32_t n = (uint32_t)(low[0] & 1) << 16 | (uint32_t)low[1] << 8 | low[2];
    route_number_address(n, a->kind == ADDR_IPV6, a->port, &same);
    return addr_same_host(&same, a) ? n : 0;
}

uint32_t route_owner_of(const struct sim *s, const struct addr *a) {
    const uint32_t n = route_number_of(a);
    return n == 0 || n > s->route.number_count ? 0 : s->route.owners[n - 1];
}

/* One that never was, as long as there are such: what still goes to an old one then finds nobody. */
static uint32_t number_new(struct sim *s, uint32_t owner) {
    struct route *r = &s->route;
    for (uint32_t i = 0; r->number_count == NUMBERS_MAX && i < NUMBERS_MAX; i++) {
        r->number_hand = (r->number_hand + 1) % NUMBERS_MAX;
        if (r->owners[r->number_hand] != 0)
            continue;
        r->owners[r->number_hand] = owner;
        return r->number_hand + 1;
    }
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
    const uint32_t owner = route_owner_of(s, a);
    return owner == 0 || (owner & SITE_BIT) ? NULL : s->world.hosts[owner - 1];
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

/* Which place in the list of members this address has. */
static uint32_t place_of(const struct addr *a) {
    const uint8_t *ip = a->ip;
    const uint32_t at = (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
    return ip[0] == 192 ? (uint32_t)ip[3] - 2 : ip[0] == 100 ? (at & 0x3fffff) - 1 : at;
}

uint32_t route_member_of(const struct site *w, const struct addr *a) {
    const uint32_t at = place_of(a);
    if (a->kind != ADDR_IPV4 || at >= w->member_count)
        return 0;
    struct addr same;
    const uint32_t m = w->members[at];
    member_address(at, (m & SITE_BIT) != 0, a->port, &same);
    return addr_same_host(&same, a) ? m : 0;
}

static bool member_add(struct site *w, uint32_t member, uint16_t port, struct addr *out) {
    uint32_t at = w->member_count;
    for (uint32_t i = 0; at == MEMBERS_MAX && i < MEMBERS_MAX; i++) {
        w->member_hand = (w->member_hand + 1) % MEMBERS_MAX;
        if (w->members[w->member_hand] == 0)
            at = w->member_hand;
    }
    if (at == MEMBERS_MAX)
        return false;
    if (at == w->member_count) {
        w->members = grown(w->members, w->member_count, &w->member_cap, sizeof *w->members);
        w->member_count++;
    }
    member_address(at, (member & SITE_BIT) != 0, port, out);
    w->members[at] = member;
    return true;
}

/* An address in that space (SITE_NONE: the internet) is free again. */
static void address_free(struct sim *s, uint32_t space, uint32_t member, const struct addr *a) {
    const uint32_t n = route_number_of(a);
    struct site *w = space == SITE_NONE ? NULL : s->route.sites[space];
    if (n > 0)
        route_number_free(s, n);
    else if (w && route_member_of(w, a) == member)
        w->members[place_of(a)] = 0;
}

/* ---- sites ---- */

uint32_t route_site_find(const struct sim *s, const char *name) {
    for (uint32_t i = 0; i < s->route.site_count; i++)
        if (strcmp(s->route.sites[i]->name, name) == 0)
            return i;
    return SITE_NONE;
}

uint32_t route_space(const struct sim *s, uint32_t at, bool ipv6) {
    while (at != SITE_NONE && (ipv6 || s->route.sites[at]->cfg.firewall))
        at = s->route.sites[at]->parent;
    return at;
}

/* A firewall has no addresses of its own: those within have addresses of around it. */
static bool new_externals(struct sim *s, struct site *w) {
    const uint32_t self = SITE_BIT | w->index, space = route_space(s, w->parent, false);
    w->external_count = w->cfg.firewall ? 0 : w->cfg.pool > 0 ? w->cfg.pool : 1;
    for (unsigned i = 0; i < w->external_count; i++) {
        if (space != SITE_NONE) {
            if (!member_add(s->route.sites[space], self, 0, &w->external[i]))
                return false;
            continue;
        }
        const uint32_t n = number_new(s, self);
        if (n == 0)
            return false;
        route_number_address(n, false, 0, &w->external[i]);
    }
    if (w->nat && w->external_count > 0)
        nat_set_external(w->nat, w->external, w->external_count);
    return true;
}

int route_site_add(struct sim *s, const char *name, uint32_t parent, uint32_t region,
                   const struct nat_config *cfg, uint32_t *site) {
    struct route *r = &s->route;
    unsigned depth = 1;
    for (uint32_t at = parent; at != SITE_NONE; at = r->sites[at]->parent)
        depth++;
    if (r->site_count == SITES_MAX || depth > SITE_DEPTH_MAX)
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
    w->nat = nat_new(cfg, &s->world.draw, entity);
    link_init(&w->up, &s->world.draw, entity - 1);
    link_init(&w->down, &s->world.draw, entity - 2);
    struct nat_config wall;
    if (nat_config_read(&wall, "firewall"))
        abort();
    wall.timeout_ns = cfg->timeout_ns;
    wall.unreplied_ns = cfg->unreplied_ns;
    wall.conntrack = cfg->conntrack;
    w->wall = nat_new(&wall, &s->world.draw, entity - 3);
    return new_externals(s, w) ? 0 : ERR_FULL;
}

void route_site_reboot(struct sim *s, uint32_t site, bool move) {
    struct site *w = s->route.sites[site];
    nat_reboot(w->nat);
    nat_reboot(w->wall);
    w->reboots++;
    if (w->gateway)
        gateway_reboot(w->gateway, s->world.now_ns);
    if (!move)
        return;
    for (unsigned i = 0; i < w->external_count; i++)
        address_free(s, route_space(s, w->parent, false), SITE_BIT | site, &w->external[i]);
    if (!new_externals(s, w))
        world_fail(&s->world, NULL, "no addresses are left");
}

/* ---- hosts in sites ---- */

void route_leave(struct sim *s, struct host *h) {
    const uint32_t space = route_space(s, h->site, false);
    for (unsigned i = 0; i < h->addr_count; i++)
        address_free(s, space, h->index + 1, &h->addrs[i]);
    h->addr_count = 0;
    h->mapped = h->outer = (struct addr){0};
}

bool route_settle(struct sim *s, struct host *h) {
    const uint16_t port = h->addr_count > 0 ? h->addrs[0].port : WORLD_PORT;
    route_leave(s, h);
    /* On the internet it keeps the address under which its contacts got to know it. */
    const bool keeps = h->setup_number > 0 && h->site == SITE_NONE;
    if (!keeps)
        route_number_free(s, h->setup_number);
    const uint32_t space = route_space(s, h->site, false);
    const bool needs = h->options.ipv6 || space == SITE_NONE;
    const uint32_t number = keeps ? h->setup_number : needs ? route_number_new(s, h) : 0;
    h->setup_number = 0;
    if (needs && number == 0)
        return false;
    if (h->options.ipv4) {
        struct addr *a = &h->addrs[h->addr_count++];
        if (space == SITE_NONE)
            route_number_address(number, false, port, a);
        else if (!member_add(s->route.sites[space], h->index + 1, port, a))
            return false;
    }
    if (h->options.ipv6)
        route_number_address(number, true, port, &h->addrs[h->addr_count++]);
    return true;
}
