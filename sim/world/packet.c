#include "sim/world/packet.h"

#include <string.h>

#include "net/recovery/ecn.h"
#include "sim/world/duty.h"
#include "sim/world/host.h"

struct packet *packet_new(struct host *h, const struct addr *to, const uint8_t *data,
                          uint32_t len) {
    struct packet *p = slab_get(&h->world->slab, sizeof *p + len);
    p->source = h->index;
    p->target = SIM_NO_HOST;
    p->resolved = p->hairpin = p->descends = p->tcp = false;
    p->router = SITE_NONE;
    p->top = p->at = SITE_NONE;
    p->late_ns = p->core_ns = 0;
    p->number = 0;
    p->link_host = SIM_NO_HOST;
    p->link_down = false;
    p->link_packet = 0;
    p->ecn = ECN_NOT_ECT;
    p->likely = h->index;
    p->seq = h->sent++;
    p->len = len;
    p->to = *to;
    p->from = (struct addr){.kind = ADDR_NONE};
    for (unsigned i = 0; i < h->addr_count; i++)
        if (h->addrs[i].kind == to->kind)
            p->from = h->addrs[i];
    memcpy(p->data, data, len);
    return p;
}

struct packet *packet_copy(struct world *w, const struct packet *p) {
    struct packet *copy = slab_get(&w->slab, sizeof *copy + p->len);
    memcpy(copy, p, sizeof *copy + p->len);
    return copy;
}

void packet_free(struct world *w, struct packet *p) {
    slab_put(&w->slab, p);
}

void packet_ended(struct world *w, const struct packet *p, enum fate fate) {
    if (!w->begun)
        return;
    const struct sim_datagram d = {
        .time_ns = world_run_ns(w),
        .source = p->source,
        .target = p->target,
        .from = p->from,
        .to = p->to,
        .fate = fate,
        .data = p->data,
        .len = p->len,
        .ecn = p->ecn,
        .seq = p->seq,
        .link_host = p->link_host,
        .link_down = p->link_down,
        .link_packet = p->link_packet,
    };
    const struct trace_record line = {
        .source = d.source, .target = d.target, .length = d.len, .kind = (uint16_t)fate};
    world_record(w, &line);
    if (p->tcp)
        return;
    if (w->tap.datagram)
        w->tap.datagram(w->tap.ctx, &d);
    if (fate == FATE_DELIVERED) {
        w->stats.delivered++;
        w->stats.delivered_bytes += p->len;
    } else {
        w->stats.drops[fate]++;
    }
}

void packet_drop(struct world *w, struct packet *p, enum fate fate) {
    if (!p->tcp)
        duty_lost(w->duties, p);
    packet_ended(w, p, fate);
    packet_free(w, p);
}

void packet_schedule(struct world *w, struct packet *p, uint64_t at_ns, enum event_kind kind) {
    world_push(w, w->hosts[p->source],
               &(struct event){.time_ns = at_ns,
                               .kind = (uint32_t)kind,
                               .tag = p->target != SIM_NO_HOST ? p->target : p->likely,
                               .ref = p});
}

uint32_t packet_wire_bytes(const struct packet *p) {
    return p->len + (p->to.kind == ADDR_IPV6 ? LINK_OVERHEAD_IPV6_BYTES : LINK_OVERHEAD_IPV4_BYTES);
}
