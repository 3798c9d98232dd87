#include "sim/world/icmp.h"

#include <string.h>

#include "sim/world/host.h"
#include "sim/world/route.h"
#include "sim/world/site_int.h"

/* On its way back. */
struct trip {
    struct icmp_note *note;
    uint32_t router; /* the site it began in; SITE_NONE: the internet */
    bool descends;   /* the packet was beyond the place where it turned */
    bool far_side;   /* the NATs now are those of the packet's receiver */
};

/* The simulator changes a packet's addresses at all NATs of a side at once, so all of them turn the
 * quote back. But only those between the router and the sender meet the note: they may drop it, and
 * lend it their address. */
static bool meets(const struct trip *t, const struct sites *ss, const struct site *w) {
    const bool within = route_is_within(ss, t->router, w->index);
    return t->far_side ? t->descends && within : t->descends || !within;
}

static enum nat_verdict cross(void *ctx, struct sites *ss, struct site *w) {
    struct trip *t = ctx;
    struct icmp_note *note = t->note;
    const bool ipv6 = note->to.kind == ADDR_IPV6, met = meets(t, ss, w);
    if (met && w->cfg.drops_icmp)
        return NAT_FILTERED;
    if (ipv6 && w->cfg.ipv6 != NAT_IPV6_FIREWALL)
        return w->cfg.ipv6 == NAT_IPV6_OPEN ? NAT_PASS : NAT_NO_ROUTE;
    struct nat *n = route_nat(w, ipv6);
    if (!t->far_side)
        return nat_icmp_in(n, ss->world->now_ns, &note->from, &note->to);
    if (met && !ipv6 && w->external_count > 0)
        note->router = w->external[0];
    return nat_icmp_out(n, ss->world->now_ns, &note->from, &note->to);
}

/* From within `site` out to `top`. */
static bool climbs(struct sites *ss, struct trip *t, uint32_t site, uint32_t top) {
    t->far_side = true;
    if (!route_is_within(ss, site, top))
        return false; /* the receiver has moved away meanwhile */
    for (uint32_t at = site; at != top; at = ss->list[at]->parent)
        if (cross(t, ss, ss->list[at]) != NAT_PASS)
            return false;
    return true;
}

/* From `top` to the host that has the quoted source address there. */
static bool descends(struct sites *ss, struct trip *t, uint32_t top) {
    const struct addr *to = &t->note->from;
    const struct descent d = {.ctx = t, .cross = cross, .to = to};
    const uint32_t member =
        top == SITE_NONE ? sites_owner_of(ss, to) : route_find_within(ss, ss->list[top], to);
    t->far_side = false;
    uint32_t found = 0;
    const enum fate fate = route_descend(ss, &d, member, top, &found);
    if (found != 0) {
        t->note->host = member_host(found);
        t->note->nic = member_nic(found);
    }
    return fate == FATE_DELIVERED;
}

/* The NAT has changed both addresses of the packet, or, with hairpin=int, the destination alone. */
static bool turns_back(struct sites *ss, struct trip *t, struct site *w) {
    t->far_side = true;
    if (cross(t, ss, w) != NAT_PASS)
        return false;
    return w->cfg.hairpin == NAT_HAIRPIN_INTERNAL ||
           nat_icmp_in(w->nat, ss->world->now_ns, &t->note->from, &t->note->to) == NAT_PASS;
}

uint32_t icmp_host_of(struct sites *ss, const struct packet *p) {
    struct icmp_note note = {.from = p->to, .to = p->from, .host = SIM_NO_HOST};
    struct trip t = {.note = &note, .router = SITE_NONE};
    return descends(ss, &t, SITE_NONE) ? note.host : SIM_NO_HOST;
}

static struct nic *target_nic(const struct sites *ss, const struct packet *p) {
    return host_nic(ss->world->hosts[p->target], p->target_nic);
}

static struct nic *hearer(const struct sites *ss, const struct icmp_note *note) {
    return host_nic(ss->world->hosts[note->host], note->nic);
}

static bool finds_back(struct sites *ss, struct trip *t, const struct packet *p) {
    if (p->target != SIM_NO_HOST && !climbs(ss, t, target_nic(ss, p)->site, p->top))
        return false;
    if (p->hairpin && !turns_back(ss, t, ss->list[p->top]))
        return false;
    return descends(ss, t, p->top);
}

/* A router's own address there. */
static void router_address(uint32_t site, bool ipv6, struct addr *out) {
    static const struct addr inside = {.kind = ADDR_IPV4, .ip = {192, 168, 1, 1}};
    if (site != SITE_NONE && !ipv6)
        *out = inside;
    else
        site_number_address(0, ipv6, 0, out); /* nobody's number: the core's */
}

/* How long it takes: the links back have their delays, but neither queues nor losses for it. */
static uint64_t way_ns(const struct sites *ss, const struct trip *t, const struct packet *p) {
    const struct nic *h = hearer(ss, t->note);
    uint64_t ns = h->down.cfg.delay_ns;
    for (uint32_t at = h->site; at != SITE_NONE; at = ss->list[at]->parent)
        if (ss->list[at]->has_link && meets(t, ss, ss->list[at]))
            ns += ss->list[at]->down.cfg.delay_ns;
    return t->descends && p->target != SIM_NO_HOST ? ns + route_core_ns(ss, target_nic(ss, p), h)
                                                   : ns;
}

static void schedule(struct world *w, const struct icmp_note *note, uint64_t after_ns) {
    struct icmp_note *kept = slab_get(&w->slab, sizeof *kept);
    *kept = *note;
    world_push(
        w, w->hosts[note->host],
        &(struct event){
            .time_ns = w->now_ns + after_ns, .kind = EVENT_ICMP, .tag = note->host, .ref = kept});
}

void icmp_report(struct sites *ss, const struct packet *p, enum icmp_kind kind,
                 uint32_t mtu_bytes) {
    struct icmp_note note = {.kind = kind,
                             .host = SIM_NO_HOST,
                             .mtu_bytes = mtu_bytes,
                             .from = p->from,
                             .to = p->to,
                             .bytes = p->len,
                             .head_len = p->len < ICMP_HEAD_BYTES ? p->len : ICMP_HEAD_BYTES};
    struct trip t = {.note = &note, .router = p->router, .descends = p->descends};
    uint64_t held_until_ns;
    memcpy(note.head, p->data, note.head_len);
    router_address(p->router, p->to.kind == ADDR_IPV6, &note.router);
    if (!finds_back(ss, &t, p) || (p->target != SIM_NO_HOST && p->descends &&
                                   faults_judge(&ss->world->faults, ss->world->now_ns, p->target,
                                                note.host, &held_until_ns))) {
        ss->world->stats.icmp_lost++;
        return;
    }
    schedule(ss->world, &note, way_ns(ss, &t, p));
}

void icmp_forge(struct sites *ss, struct host *h, const struct icmp_note *model) {
    const struct nic *nic = &h->first;
    struct icmp_note note = *model;
    struct trip t = {.note = &note, .router = nic->site, .descends = true};
    uint32_t at = nic->site;
    bool passes = true;
    router_address(nic->site, note.to.kind == ADDR_IPV6, &note.router);
    for (; passes && at != SITE_NONE && !route_find_within(ss, ss->list[at], &note.from);
         at = ss->list[at]->parent) {
        t.far_side = true; /* out of its own sites, as of a packet that has come in */
        passes = cross(&t, ss, ss->list[at]) == NAT_PASS;
    }
    if (!passes || !descends(ss, &t, at)) {
        ss->world->stats.icmp_lost++;
        return;
    }
    schedule(ss->world, &note,
             nic->up.cfg.delay_ns + hearer(ss, &note)->down.cfg.delay_ns +
                 route_core_ns(ss, nic, hearer(ss, &note)));
}

static void record(struct world *w, const struct icmp_note *note) {
    const struct trace_record line = {.source = SIM_NO_HOST,
                                      .target = note->host,
                                      .length = note->bytes,
                                      .kind = (uint16_t)(TRACE_ICMP + note->kind),
                                      .detail = note->mtu_bytes};
    w->stats.icmp[note->kind]++;
    world_record(w, &line);
    if (w->tap.icmp)
        w->tap.icmp(w->tap.ctx, world_run_ns(w), note);
}

/* The system looks only for a socket of that address; who has sent what is the node's to know. */
bool icmp_heard(struct world *w, const struct icmp_note *note) {
    const struct host *h = w->hosts[note->host];
    if (!h->node || h->state != HOST_RUNS || !host_owns(h, &note->from)) {
        w->stats.icmp_lost++;
        return false;
    }
    record(w, note);
    return true;
}
