#include "sim/world/relays.h"

#include <stdio.h>

static void relay_of(const struct host *r, struct relay_addr *out) {
    *out = (struct relay_addr){.id = r->identity.id, .port = WORLD_PORT};
    (void)snprintf(out->host, sizeof out->host, "h%u.sim", r->index);
}

void relays_config(const struct host *h, struct relay_config *out) {
    const struct sim_relay_limits *l = &h->options.limits;
    relay_config_init(out);
    out->serve = h->options.serves;
    if (l->capacity_bps > 0)
        out->capacity_bps = l->capacity_bps;
    if (l->flows > 0)
        out->flows_per_node = l->flows;
    if (l->prefix > 0)
        out->reservations_per_prefix = l->prefix;
    out->rate_per_node_bps = l->rate_bps;
    out->quota_day_bytes = l->quota_bytes;
    for (uint32_t i = 0; i < h->options.relay_count; i++)
        relay_of(h->world->hosts[h->options.relays[i]], &out->use[out->use_count++]);
}

unsigned relays_resolve(const struct world *w, const char *name,
                        struct addr out[static RESOLVE_ADDRS_MAX]) {
    unsigned number, n = 0;
    char rest;
    if (sscanf(name, "h%u.si%c", &number, &rest) != 2 || rest != 'm' || number >= w->host_count)
        return 0;
    const struct host *h = w->hosts[number];
    if (!w->begun) {
        if (h->options.ipv4)
            site_number_address(h->setup_number, false, WORLD_PORT, &out[n++]);
        if (h->options.ipv6)
            site_number_address(h->setup_number, true, WORLD_PORT, &out[n++]);
        return n;
    }
    for (uint32_t i = 0; i < h->nic_count; i++)
        for (unsigned k = 0; k < host_nic_of(h, i)->addr_count && n < RESOLVE_ADDRS_MAX; k++)
            out[n++] = host_nic_of(h, i)->addrs[k];
    return n;
}

void relays_reload(struct host *h) {
    struct node_policy policy;
    struct relay_config relay;
    if (!h->node)
        return;
    struct arena *before = arena_enter(&h->arena);
    node_get_policy(h->node, &policy);
    relays_config(h, &relay);
    policy.download_dir = WORLD_DOWNLOADS; /* what it gives is its own memory */
    policy.relay = &relay;
    policy.path = h->options.path;
    node_set_policy(h->node, &policy);
    (void)arena_enter(before);
}
