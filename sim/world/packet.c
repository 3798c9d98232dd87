#include "sim/world/packet.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/recovery/ecn.h"
#include "sim/world/duty.h"
#include "sim/world/host.h"

static void leave_by(const struct host *h, struct packet *p, uint32_t nic) {
    const struct addr *own = nic_addr(host_nic_of(h, nic), p->to.kind);
    p->source_nic = (uint8_t)nic;
    p->from = own ? *own : (struct addr){.kind = ADDR_NONE};
}

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
    p->target_nic = 0;
    leave_by(h, p, host_route(h, to->kind));
    memcpy(p->data, data, len);
    return p;
}

void packet_leave_by(struct host *h, struct packet *p, int nic) {
    if (nic >= 0 && nic < (int)h->nic_count && !host_nic(h, (uint32_t)nic)->off &&
        nic_addr(host_nic(h, (uint32_t)nic), p->to.kind))
        leave_by(h, p, (uint32_t)nic);
}

struct packet *packet_copy(struct world *w, const struct packet *p) {
    struct packet *copy = slab_get(&w->slab, sizeof *copy + p->len);
    memcpy(copy, p, sizeof *copy + p->len);
    return copy;
}

void packet_free(struct world *w, struct packet *p) {
    slab_put(&w->slab, p);
}

/* Seconds pass: those that are too old fall out of the sum. */
static void count_second(struct host_idle *idle, uint64_t second, size_t bytes) {
    if (!idle->seconds && !(idle->seconds = mem_calloc(IDLE_SECONDS, sizeof *idle->seconds)))
        abort();
    for (; idle->second < second; idle->second++) {
        uint32_t *oldest = &idle->seconds[(idle->second + 1) % IDLE_SECONDS];
        idle->last -= *oldest;
        *oldest = 0;
        if (idle->last == 0) {
            idle->second = second;
            break;
        }
    }
    idle->seconds[second % IDLE_SECONDS] += (uint32_t)bytes;
    idle->last += bytes;
    if (idle->last > idle->worst)
        idle->worst = idle->last;
}

/* Who says something to whom, since it was marked. */
static void count_idle(struct world *w, const struct packet *p) {
    struct host *from = w->hosts[p->source];
    struct host *to = p->target == SIM_NO_HOST ? NULL : w->hosts[p->target];
    if (to && to->options.serves) {
        from->idle.to_relays += packet_wire_bytes(p);
        count_second(&from->idle, (w->now_ns - w->marked_ns) / 1000000000, packet_wire_bytes(p));
    } else {
        from->idle.to_others += packet_wire_bytes(p);
    }
    if (to && from->options.serves)
        to->idle.from_relays += packet_wire_bytes(p);
}

void packet_ended(struct world *w, const struct packet *p, enum fate fate) {
    if (!w->begun)
        return;
    if (w->marked_ns > 0 && !p->tcp)
        count_idle(w, p);
    const struct sim_datagram d = {
        .time_ns = world_run_ns(w),
        .source = p->source,
        .target = p->target,
        .from = p->from,
        .to = p->to,
        .source_nic = p->source_nic,
        .target_nic = p->target_nic,
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
        .source = d.source,
        .target = d.target,
        .length = d.len,
        .kind = (uint16_t)fate,
        .detail = (uint64_t)d.source_nic << 8 | d.target_nic,
    };
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
