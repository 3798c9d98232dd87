#include "sim/world/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/world/host.h"
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
    void *q = mem_realloc(p, *cap * item_bytes);
    if (!q)
        abort();
    return q;
}

void sites_init(struct sites *ss, struct world *w) {
    *ss = (struct sites){.world = w};
}

static void forget_tcp(struct site *w) {
    nat_free(w->tcp);
    nat_free(w->tcp_wall);
    w->tcp = w->tcp_wall = NULL;
}

void sites_clear(struct sites *ss) {
    for (uint32_t i = 0; i < ss->count; i++) {
        nat_free(ss->list[i]->nat);
        nat_free(ss->list[i]->wall);
        forget_tcp(ss->list[i]);
        gateway_free(ss->list[i]->gateway);
        mem_free(ss->list[i]->members);
        mem_free(ss->list[i]);
    }
    mem_free(ss->list);
    mem_free(ss->owners);
    *ss = (struct sites){.world = ss->world};
}

/* ---- regions ---- */

uint32_t sites_region(const struct sites *ss, const char *name) {
    for (uint32_t i = 0; i < ss->region_count; i++)
        if (strcmp(ss->regions[i], name) == 0)
            return i;
    return SITE_NONE;
}

int sites_region_add(struct sites *ss, const char *name) {
    if (ss->region_count == REGIONS_MAX)
        return ERR_FULL;
    if (sites_region(ss, name) != SITE_NONE)
        return ERR_EXISTS;
    (void)snprintf(ss->regions[ss->region_count++], sizeof *ss->regions, "%s", name);
    return 0;
}

/* ---- public addresses ---- */

void site_number_address(uint32_t number, bool ipv6, uint16_t port, struct addr *out) {
    static const uint8_t ipv4[4] = {198, 18, 0, 0}, ipv6_prefix[4] = {0x20, 0x01, 0x00, 0x02};
    *out = (struct addr){.kind = ipv6 ? ADDR_IPV6 : ADDR_IPV4, .port = port};
    memcpy(out->ip, ipv6 ? ipv6_prefix : ipv4, 4);
    uint8_t *low = out->ip + (ipv6 ? 13 : 1);
    low[0] = (uint8_t)(low[0] | number >> 16);
    low[1] = (uint8_t)(number >> 8);
    low[2] = (uint8_t)number;
}

uint32_t site_number_of(const struct addr *a) {
    struct addr same;
    const uint8_t *low = a->ip + (a->kind == ADDR_IPV6 ? 13 : 1);
    const uint32_t n = (uint32_t)(low[0] & 1) << 16 | (uint32_t)low[1] << 8 | low[2];
    site_number_address(n, a->kind == ADDR_IPV6, a->port, &same);
    return addr_same_host(&same, a) ? n : 0;
}

uint32_t sites_owner_of(const struct sites *ss, const struct addr *a) {
    const uint32_t n = site_number_of(a);
    return n == 0 || n > ss->number_count ? 0 : ss->owners[n - 1];
}

/* One that never was, as long as there are such: what still goes to an old one then finds nobody.
 */
static uint32_t number_new(struct sites *ss, uint32_t owner) {
    for (uint32_t i = 0; ss->number_count == NUMBERS_MAX && i < NUMBERS_MAX; i++) {
        ss->number_hand = (ss->number_hand + 1) % NUMBERS_MAX;
        if (ss->owners[ss->number_hand] != 0)
            continue;
        ss->owners[ss->number_hand] = owner;
        return ss->number_hand + 1;
    }
    if (ss->number_count == NUMBERS_MAX)
        return 0;
    ss->owners = grown(ss->owners, ss->number_count, &ss->number_cap, sizeof *ss->owners);
    ss->owners[ss->number_count++] = owner;
    return ss->number_count;
}

uint32_t sites_number_new(struct sites *ss, const struct host *h) {
    return number_new(ss, member_of_nic(h->index, 0));
}

static void number_free(struct sites *ss, uint32_t number) {
    if (number > 0)
        ss->owners[number - 1] = 0;
}

struct host *sites_setup_owner(const struct sites *ss, const struct addr *a) {
    const uint32_t owner = sites_owner_of(ss, a);
    return owner == 0 || (owner & SITE_BIT) ? NULL : ss->world->hosts[member_host(owner)];
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

uint32_t site_member_of(const struct site *w, const struct addr *a) {
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
static void address_free(struct sites *ss, uint32_t space, uint32_t member, const struct addr *a) {
    const uint32_t n = site_number_of(a);
    struct site *w = space == SITE_NONE ? NULL : ss->list[space];
    if (n > 0)
        number_free(ss, n);
    else if (w && site_member_of(w, a) == member)
        w->members[place_of(a)] = 0;
}

/* ---- sites ---- */

uint32_t sites_space(const struct sites *ss, uint32_t at, bool ipv6) {
    while (at != SITE_NONE && (ipv6 || ss->list[at]->cfg.firewall))
        at = ss->list[at]->parent;
    return at;
}

/* A firewall has no addresses of its own: those within have addresses of around it. */
static bool new_externals(struct sites *ss, struct site *w) {
    const uint32_t self = SITE_BIT | w->index, space = sites_space(ss, w->parent, false);
    w->external_count = w->cfg.firewall ? 0 : w->cfg.pool > 0 ? w->cfg.pool : 1;
    for (unsigned i = 0; i < w->external_count; i++) {
        if (space != SITE_NONE) {
            if (!member_add(ss->list[space], self, 0, &w->external[i]))
                return false;
            continue;
        }
        const uint32_t n = number_new(ss, self);
        if (n == 0)
            return false;
        site_number_address(n, false, 0, &w->external[i]);
    }
    if (w->nat && w->external_count > 0)
        nat_set_external(w->nat, w->external, w->external_count);
    return true;
}

int sites_add(struct sites *ss, const struct site_options *o, uint32_t *site) {
    unsigned depth = 1;
    for (uint32_t at = o->parent; at != SITE_NONE; at = ss->list[at]->parent)
        depth++;
    if (ss->count == SITES_MAX || depth > SITE_DEPTH_MAX)
        return ERR_FULL;
    ss->list = grown(ss->list, ss->count, &ss->cap, sizeof *ss->list);
    struct site *w = mem_calloc(1, sizeof *w);
    if (!w)
        abort();
    *w =
        (struct site){.index = ss->count, .parent = o->parent, .region = o->region, .cfg = *o->cfg};
    (void)snprintf(w->name, sizeof w->name, "%s", o->name);
    ss->list[ss->count++] = w;
    *site = w->index;
    /* Entities of sites count down from the top, those of hosts up from 0. */
    const uint32_t entity = UINT32_MAX - w->index * 4;
    w->nat = nat_new(o->cfg, &ss->world->draw, entity);
    link_init(&w->up, &ss->world->draw, entity - 1);
    link_init(&w->down, &ss->world->draw, entity - 2);
    struct nat_config wall;
    if (nat_config_read(&wall, "firewall"))
        abort();
    wall.timeout_ns = o->cfg->timeout_ns;
    wall.unreplied_ns = o->cfg->unreplied_ns;
    wall.conntrack = o->cfg->conntrack;
    w->wall = nat_new(&wall, &ss->world->draw, entity - 3);
    return new_externals(ss, w) ? 0 : ERR_FULL;
}

/* Entities of these count up from the middle, where neither hosts nor sites come to. */
struct nat *sites_tcp_nat(struct sites *ss, struct site *w, bool ipv6) {
    struct nat **n = ipv6 ? &w->tcp_wall : &w->tcp;
    if (*n)
        return *n;
    struct nat_config c;
    nat_config_tcp(&w->cfg, ipv6, &c);
    *n = nat_new(&c, &ss->world->draw, UINT32_MAX / 2 + w->index * 2 + ipv6);
    if (!ipv6 && w->external_count > 0)
        nat_set_external(*n, w->external, w->external_count);
    return *n;
}

bool sites_reboot(struct sites *ss, uint32_t site, bool move) {
    struct site *w = ss->list[site];
    nat_reboot(w->nat);
    nat_reboot(w->wall);
    forget_tcp(w);
    w->reboots++;
    if (w->gateway)
        gateway_reboot(w->gateway, ss->world->now_ns);
    if (!move)
        return true;
    for (unsigned i = 0; i < w->external_count; i++)
        address_free(ss, sites_space(ss, w->parent, false), SITE_BIT | site, &w->external[i]);
    return new_externals(ss, w);
}

/* ---- hosts in sites ---- */

void sites_leave(struct sites *ss, struct host *h, uint32_t nic) {
    struct nic *n = host_nic(h, nic);
    const uint32_t space = sites_space(ss, n->site, false);
    for (unsigned i = 0; i < n->addr_count; i++)
        address_free(ss, space, member_of_nic(h->index, nic), &n->addrs[i]);
    n->addr_count = 0;
    n->mapped = n->outer = (struct addr){0};
}

/* A public number, if the interface needs one. On the internet the first keeps that under which
 * the host's contacts got to know it. False: none is left. */
static bool number_for(struct sites *ss, struct host *h, uint32_t nic, uint32_t *number) {
    const struct nic *n = host_nic(h, nic);
    const uint32_t setup = nic == 0 ? h->setup_number : 0;
    const bool keeps = setup > 0 && n->site == SITE_NONE;
    const bool needs = n->ipv6 || sites_space(ss, n->site, false) == SITE_NONE;
    if (!keeps)
        number_free(ss, setup);
    *number = keeps ? setup : needs ? number_new(ss, member_of_nic(h->index, nic)) : 0;
    if (nic == 0)
        h->setup_number = 0;
    return !needs || *number > 0;
}

bool sites_settle(struct sites *ss, struct host *h, uint32_t nic) {
    struct nic *n = host_nic(h, nic);
    const uint16_t port = n->addr_count > 0 ? n->addrs[0].port : WORLD_PORT;
    uint32_t number;
    sites_leave(ss, h, nic);
    if (!number_for(ss, h, nic, &number))
        return false;
    const uint32_t space = sites_space(ss, n->site, false);
    if (n->ipv4) {
        struct addr *a = &n->addrs[n->addr_count++];
        if (space == SITE_NONE)
            site_number_address(number, false, port, a);
        else if (!member_add(ss->list[space], member_of_nic(h->index, nic), port, a))
            return false;
    }
    if (n->ipv6)
        site_number_address(number, true, port, &n->addrs[n->addr_count++]);
    return true;
}
