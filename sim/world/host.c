#include "sim/world/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/world/duty.h"
#include "sim/world/inspect.h"

struct host *host_new(struct world *w, const struct sim_host_options *o) {
    struct host *h = mem_calloc(1, sizeof *h);
    if (!h)
        abort();
    h->world = w;
    h->index = w->host_count;
    (void)snprintf(h->name, sizeof h->name, "%s", o->name);
    (void)snprintf(h->group, sizeof h->group, "%s", o->group ? o->group : "");
    h->options = *o;
    h->options.name = h->options.group = NULL;
    if (!o->ipv4 && !o->ipv6)
        h->options.ipv4 = true;
    h->nic_count = 1;
    h->first = (struct nic){
        .site = o->site, .region = o->region, .ipv4 = h->options.ipv4, .ipv6 = h->options.ipv6};
    h->wake_ns = LEDGER_NEVER;
    h->clock = (struct hclock){.base_ns = w->now_ns, .local_ns = w->now_ns};
    h->store = store_mem_new();
    h->disk = disk_new(&w->draw, world_entity(h, ENTITY_DISK));
    if (!h->store || !h->disk)
        abort();
    link_init(&h->first.up, &w->draw, world_entity(h, ENTITY_UP));
    link_init(&h->first.down, &w->draw, world_entity(h, ENTITY_DOWN));
    h->first.plain_down = link_is_plain(&h->first.down);
    struct draw_stream birth;
    draw_stream_init(&birth, &w->draw, world_entity(h, ENTITY_IDENTITY), 0);
    identity_generate(&h->identity, &(struct rng){draw_stream_fill, &birth});
    return h;
}

/* A process that dies gives nothing back. The core still frees what it has handed out, so finished
 * operations go to it with an error while neither store nor disk see anything of it. */
static void bury(struct host *h) {
    const struct endpoint_counters *c = node_counters(h->node);
#define X(name) h->past.name += c->name;
    ENDPOINT_COUNTERS(X)
#undef X
    store_mem_freeze(h->store, true);
    struct arena *before = arena_enter(&h->arena);
    for (unsigned rounds = 0; h->op_count > 0 && rounds < WORLD_TURNS_MAX; rounds++) {
        struct file_op *op = h->ops[--h->op_count];
        op->err = ERR_IO;
        op->bytes = 0;
        node_file_done(h->node, host_now_us(h), op);
    }
    node_free(h->node);
    (void)arena_enter(before);
    h->leaked_bytes += h->arena.bytes;
    inspect_ended(h->world->inspection, h, h->arena.bytes);
    if (h->arena.peak_bytes > h->world->stats.peak_node_bytes)
        h->world->stats.peak_node_bytes = h->arena.peak_bytes;
    arena_clear(&h->arena);
    store_mem_freeze(h->store, false);
    disk_crash(h->disk);
    h->node = NULL;
    duty_trouble(h->world->duties, h, TROUBLE_DOWN, true);
    duty_died(h->world->duties, h);
}

void host_free(struct host *h) {
    if (h->node)
        bury(h);
    for (uint32_t i = 0; i < h->nic_count; i++) {
        link_lose(&host_nic(h, i)->up, NULL, 0);
        link_lose(&host_nic(h, i)->down, NULL, 0);
    }
    mem_free(h->more);
    store_mem_free(h->store);
    disk_free(h->disk);
    identity_clear(&h->identity);
    for (uint32_t i = 0; i < h->held_count; i++)
        if (h->held[i].kind == EVENT_DELIVER)
            slab_put(&h->world->slab, h->held[i].ref);
    mem_free(h->held);
    mem_free(h->contacts);
    mem_free(h->silences);
    mem_free(h->idle.seconds);
    mem_free(h->ops);
    mem_free(h);
}

void host_add_contact(struct host *h, uint32_t other) {
    for (uint32_t i = 0; i < h->contact_count; i++)
        if (h->contacts[i] == other)
            return;
    if (h->contact_count == h->contact_cap) {
        h->contact_cap = h->contact_cap ? h->contact_cap * 2 : 4;
        h->contacts = mem_realloc(h->contacts, h->contact_cap * sizeof *h->contacts);
        h->silences = mem_realloc(h->silences, h->contact_cap * sizeof *h->silences);
        if (!h->contacts || !h->silences)
            abort();
    }
    h->silences[h->contact_count] = (struct silence){.with = other};
    h->contacts[h->contact_count++] = other;
    inspect_contact(h->world->inspection, h, other);
}

/* ---- what it knows of itself ---- */

static unsigned nic_addresses(const struct nic *nic, struct addr out[static 3]) {
    unsigned n = 0;
    if (nic->off)
        return 0;
    if (nic->mapped.kind != ADDR_NONE)
        out[n++] = nic->mapped;
    for (unsigned i = 0; i < nic->addr_count; i++)
        out[n++] = nic->addrs[i];
    return n;
}

unsigned host_own_addresses(const struct host *h, struct addr out[static HOST_OWN_MAX]) {
    unsigned n = 0;
    if (!h->world->begun) {
        if (h->options.ipv4)
            site_number_address(h->setup_number, false, WORLD_PORT, &out[n++]);
        if (h->options.ipv6)
            site_number_address(h->setup_number, true, WORLD_PORT, &out[n++]);
        return n;
    }
    if (h->hostile && h->hostile->plan.lies) {
        const struct host *other = h->world->hosts[h->hostile->plan.lie_host];
        for (unsigned i = 0; i < other->first.addr_count; i++)
            out[n++] = other->first.addrs[i];
        return n;
    }
    for (uint32_t i = 0; i < h->nic_count; i++)
        n += nic_addresses(host_nic_of(h, i), out + n);
    return n;
}

void host_tell(struct host *h) {
    struct addr own[HOST_OWN_MAX];
    const unsigned n = host_own_addresses(h, own);
    if (h->node)
        node_set_tell(h->node, own, n < PEER_ADDRS_MAX ? n : PEER_ADDRS_MAX);
}

void host_network_changed(struct host *h) {
    if (!h->node)
        return;
    struct arena *before = arena_enter(&h->arena);
    node_network_changed(h->node, host_now_us(h));
    (void)arena_enter(before);
}

uint64_t host_wall_us(const struct host *h) {
    const uint64_t right = WORLD_WALL_US + h->world->now_ns / 1000;
    const uint64_t ahead = h->hostile ? h->hostile->plan.future_us : 0;
    return right + (uint64_t)h->clock.wall_offset_us + ahead;
}

void host_set_wall(struct host *h) {
    if (h->node)
        node_set_wall(h->node, host_now_us(h), host_wall_us(h));
}

void host_kill(struct host *h) {
    if (h->node)
        bury(h);
}

void host_power_cut(struct host *h) {
    const struct draw *draw = &h->world->draw;
    if (!h->node)
        return;
    const uint64_t at_risk = store_mem_at_risk(h->store);
    const uint64_t spared = draw_below(
        draw_u64(draw, world_entity(h, ENTITY_NODE), DRAW_POWER_CUT, h->life), at_risk + 1);
    host_kill(h);
    store_mem_power_cut(h->store, spared);
    disk_power_cut(h->disk, draw_u64(draw, world_entity(h, ENTITY_DISK), DRAW_POWER_CUT, h->life));
    ledger_lost_power(&h->world->duties->ledger, h->index);
    duty_lost_power(h->world->duties, h);
}
