#include "sim/world/plug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/world/sim_int.h"
#include "sim/world/turn.h"

/* Entities of further interfaces' links count up from a quarter, where neither those of hosts and
 * sites nor those of TCP's tables come to. */
static uint32_t entity(uint32_t host, uint32_t nic, enum sim_direction d) {
    return UINT32_MAX / 4 + (host * HOST_NICS_MAX + nic) * 2 + (uint32_t)d;
}

int sim_nic_add(struct sim *s, uint32_t host, const struct sim_nic_options *o, uint32_t *nic) {
    struct host *h = s->world.hosts[host];
    if (h->nic_count == HOST_NICS_MAX || strlen(o->name) > NIC_NAME_MAX || s->world.begun)
        return ERR_FULL;
    for (uint32_t i = 0; i < h->nic_count; i++)
        if (strcmp(host_nic(h, i)->name, o->name) == 0)
            return ERR_EXISTS;
    h->more = mem_realloc(h->more, h->nic_count * sizeof *h->more);
    if (!h->more)
        abort();
    *nic = h->nic_count++;
    struct nic *n = host_nic(h, *nic);
    *n = (struct nic){.site = o->site, .region = o->region, .ipv6 = o->ipv6};
    n->ipv4 = o->ipv4 || !o->ipv6;
    if (o->site != SITE_NONE)
        n->region = s->sites.list[o->site]->region;
    (void)snprintf(n->name, sizeof n->name, "%s", o->name);
    link_init(&n->up, &s->world.draw, entity(host, *nic, SIM_UP));
    link_init(&n->down, &s->world.draw, entity(host, *nic, SIM_DOWN));
    n->plain_down = link_is_plain(&n->down);
    return 0;
}

uint32_t sim_nic_count(const struct sim *s, uint32_t host) {
    return s->world.hosts[host]->nic_count;
}

const char *sim_nic_name(const struct sim *s, uint32_t host, uint32_t nic) {
    return host_nic(s->world.hosts[host], nic)->name;
}

/* ---- what happens to them ---- */

static void told(struct sim *s, struct host *h) {
    duty_moment(&s->duties, h, TROUBLE_MOVED);
    host_tell(h);
    inspect_addresses(&s->inspection, h);
    if (!h->node || h->state != HOST_RUNS)
        return;
    host_network_changed(h);
    turn_pump(h);
}

static void settle(struct sim *s, struct host *h, uint32_t nic) {
    if (!sites_settle(&s->sites, h, nic))
        world_fail(&s->world, h, "no addresses are left");
    told(s, h);
}

void sim_nic_switch(struct sim *s, uint32_t host, uint32_t nic, bool up) {
    struct host *h = s->world.hosts[host];
    if (host_nic(h, nic)->off == !up)
        return;
    host_nic(h, nic)->off = !up;
    duty_line(&s->duties, h);
    told(s, h);
}

void sim_nic_roam(struct sim *s, uint32_t host, uint32_t nic) {
    settle(s, s->world.hosts[host], nic);
}

void sim_nic_move(struct sim *s, uint32_t host, uint32_t nic, uint32_t site) {
    struct host *h = s->world.hosts[host];
    sites_leave(&s->sites, h, nic);
    host_nic(h, nic)->site = site;
    if (site != SITE_NONE)
        host_nic(h, nic)->region = s->sites.list[site]->region;
    settle(s, h, nic);
}

void sim_nic_rebind(struct sim *s, uint32_t host, uint32_t nic) {
    struct host *h = s->world.hosts[host];
    struct nic *n = host_nic(h, nic);
    for (unsigned i = 0; i < n->addr_count; i++)
        n->addrs[i].port++;
    duty_moment(&s->duties, h, TROUBLE_MOVED);
}

/* ---- their links ---- */

static struct link *link_of(const struct sim *s, uint32_t host, uint32_t nic, unsigned d) {
    struct nic *n = host_nic(s->world.hosts[host], nic);
    return d == SIM_UP ? &n->up : &n->down;
}

void sim_nic_link_get(const struct sim *s, uint32_t host, uint32_t nic,
                      struct link_config out[static 2]) {
    for (unsigned d = SIM_UP; d <= SIM_DOWN; d++)
        out[d] = link_of(s, host, nic, d)->cfg;
}

void sim_nic_link_set(struct sim *s, uint32_t host, uint32_t nic,
                      const struct link_config c[static 2]) {
    struct nic *n = host_nic(s->world.hosts[host], nic);
    for (unsigned d = SIM_UP; d <= SIM_DOWN; d++) {
        struct link *l = link_of(s, host, nic, d);
        l->cfg = c[d];
        l->bad = l->bad && c[d].burst_enter_ppb > 0; /* a plain link does not pass by there */
    }
    n->plain_down = link_is_plain(&n->down);
    duty_line(&s->duties, s->world.hosts[host]);
}

/* ---- of the first ---- */

void sim_link_get(const struct sim *s, uint32_t host, enum sim_direction d,
                  struct link_config *out) {
    *out = link_of(s, host, 0, d)->cfg;
}

void sim_link_set(struct sim *s, uint32_t host, enum sim_direction d, const struct link_config *c) {
    struct link_config both[2];
    sim_nic_link_get(s, host, 0, both);
    both[d] = *c;
    sim_nic_link_set(s, host, 0, both);
}
