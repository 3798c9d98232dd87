#include "sim/world/flight.h"

#include "sim/world/duty.h"
#include "sim/world/host.h"
#include "sim/world/icmp.h"
#include "sim/world/route.h"

static struct nic *source_nic(const struct flight *f, const struct packet *p) {
    return host_nic(f->world->hosts[p->source], p->source_nic);
}

static struct nic *target_nic(const struct flight *f, const struct packet *p) {
    return host_nic(f->world->hosts[p->target], p->target_nic);
}

void flight_init(struct flight *f, struct world *w, struct sites *sites) {
    *f = (struct flight){.world = w, .sites = sites};
    clog_init(&f->clog, w);
}

/* A router's error; those about TCP are nobody's here. */
static void tell(struct flight *f, const struct packet *p, enum icmp_kind kind, uint32_t mtu) {
    if (!p->tcp)
        icmp_report(f->sites, p, kind, mtu);
}

/* A link, and what is next when a packet has passed it: `more_ns` after it has come out at the
 * other end. */
struct leg {
    struct link *link;
    enum event_kind next;
    uint64_t more_ns;
};

/* Puts a packet through one link: false if it ends there. Otherwise *at_ns is when it comes out; a
 * double that the link has made is scheduled for what is next. */
static bool through(struct flight *f, struct packet *p, const struct leg *leg, uint64_t *at_ns) {
    struct link *l = leg->link;
    struct link_out out;
    link_pass_ecn(l, f->world->now_ns, packet_wire_bytes(p), p->ecn, &out);
    if (out.fate != FATE_DELIVERED) {
        p->link_down = p->target != SIM_NO_HOST && l == &f->world->hosts[p->target]->first.down;
        p->link_host = l == &f->world->hosts[p->source]->first.up ? p->source
                       : p->link_down                             ? p->target
                                                                  : SIM_NO_HOST;
        p->link_packet = l->packets - 1;
        if (out.fate == FATE_MTU && l->cfg.icmp)
            tell(f, p, ICMP_TOO_BIG, l->cfg.mtu_bytes);
        packet_drop(f->world, p, out.fate);
        return false;
    }
    p->ecn = out.ecn;
    f->world->stats.marked += out.marked;
    if (out.duplicated) {
        f->world->stats.duplicated++;
        packet_schedule(f->world, packet_copy(f->world, p), out.duplicate_at_ns + leg->more_ns,
                        leg->next);
    }
    if (out.corrupted && p->tcp) { /* its checksum is wrong */
        packet_drop(f->world, p, FATE_LOSS);
        return false;
    }
    if (out.corrupted && p->len > 0) {
        const uint64_t bit = draw_below(out.corrupt_draw, (uint64_t)p->len * 8);
        p->data[bit / 8] = (uint8_t)(p->data[bit / 8] ^ 1u << bit % 8);
        f->world->stats.corrupted++;
        duty_lost(f->world->duties, p);
    }
    f->world->stats.reordered += out.reordered;
    *at_ns = out.at_ns;
    return true;
}

/* Through one link, and on to whatever is next. */
static void pass_on(struct flight *f, struct packet *p, const struct leg *leg) {
    uint64_t at_ns;
    if (through(f, p, leg, &at_ns))
        packet_schedule(f->world, p, at_ns + leg->more_ns, leg->next);
}

/* Through a link on the way up; then come the lines of the site and of those around it, then the
 * core. Each line is an event of its own: what it is shared by does not come to it in the order in
 * which it was sent. */
static void climb(struct flight *f, struct packet *p, struct link *l, uint32_t site) {
    p->at = route_line_up(f->sites, site, p->top);
    if (p->at != SITE_NONE) {
        pass_on(f, p, &(struct leg){l, EVENT_LINE, 0});
        return;
    }
    p->late_ns = 0;
    const enum event_kind next = route_plain(f->sites, p) ? EVENT_DELIVER : EVENT_ARRIVE;
    pass_on(f, p, &(struct leg){l, next, p->core_ns + p->late_ns});
}

static bool lets_tcp(const struct host *h, uint16_t far_port) {
    return !h->tcp.blocked && (h->tcp.only_port == 0 || h->tcp.only_port == far_port);
}

static bool is_of_one_site(const struct flight *f, const struct packet *p) {
    const uint32_t site = target_nic(f, p)->site;
    return site != SITE_NONE && site == source_nic(f, p)->site;
}

/* The sender's network looks at it when it leaves, the receiver's when it comes; within one site
 * nobody does. */
static bool is_tcp_blocked(const struct flight *f, const struct packet *p) {
    const struct host *from = f->world->hosts[p->source];
    if (p->target == SIM_NO_HOST)
        return !lets_tcp(from, p->to.port);
    const struct host *to = f->world->hosts[p->target];
    if (is_of_one_site(f, p))
        return false;
    return !lets_tcp(to, p->from.port) || (p->top != SITE_NONE && !lets_tcp(from, p->to.port));
}

/* Where UDP does not pass, hosts reach only those of their own site. */
static bool is_blocked(const struct flight *f, const struct packet *p) {
    if (p->tcp)
        return is_tcp_blocked(f, p);
    const struct host *from = f->world->hosts[p->source];
    if (p->target == SIM_NO_HOST)
        return from->options.no_udp;
    const struct host *to = f->world->hosts[p->target];
    return (from->options.no_udp || to->options.no_udp) && !is_of_one_site(f, p);
}

/* Out of the host, through its NATs and its uplink. */
static void launch(struct flight *f, struct host *h, struct packet *p) {
    f->world->stats.sent += !p->tcp;
    f->world->stats.sent_bytes += p->tcp ? 0 : p->len;
    struct nic *nic = source_nic(f, p);
    const bool own = !p->tcp && nic->site != SITE_NONE && nic_owns(nic, &p->from);
    if (nic->off) {
        packet_drop(f->world, p, FATE_UNPLUGGED);
        return;
    }
    enum fate fate = route_out(f->sites, h, p);
    if (fate == FATE_DELIVERED && is_blocked(f, p))
        fate = FATE_BLOCKED;
    if (fate != FATE_DELIVERED) {
        packet_drop(f->world, p, fate);
        return;
    }
    if (own && p->target == SIM_NO_HOST)
        nic->outer = p->from;
    p->core_ns = route_delay_ns(f->sites, h, p);
    p->likely = h->index;
    p->router = nic->site;
    climb(f, p, &nic->up, nic->site);
}

/* Before time 0 everybody reaches everybody, by the address that the host will have on the
 * internet. */
static bool is_ideal(const struct flight *f, const struct host *h, const struct packet *p) {
    const bool has = p->to.kind == ADDR_IPV6 ? h->options.ipv6 : h->options.ipv4;
    return !f->world->begun && has;
}

void flight_send(struct flight *f, struct packet *p) {
    struct world *w = f->world;
    struct host *h = w->hosts[p->source];
    if (is_ideal(f, h, p)) {
        site_number_address(h->setup_number, p->to.kind == ADDR_IPV6, WORLD_PORT, &p->from);
        packet_schedule(w, p, w->now_ns + WORLD_IDEAL_DELAY_NS, EVENT_DELIVER);
    } else if (p->from.kind == ADDR_NONE) {
        w->stats.sent++;
        packet_drop(w, p, FATE_UNREACHABLE); /* it has no address of this kind */
    } else {
        launch(f, h, p);
    }
}

/* Whatever lies between the two hosts, when it came to the receiver's link. False: the packet is
 * gone, or waits. */
static bool passes(struct flight *f, struct packet *p, enum event_kind again) {
    uint64_t until_ns;
    if (f->world->faults.count == 0)
        return true;
    if (faults_judge(&f->world->faults, f->world->now_ns - p->late_ns, p->source, p->target,
                     &until_ns)) {
        packet_drop(f->world, p, FATE_CUT);
        return false;
    }
    if (until_ns == 0)
        return true;
    if (until_ns > f->world->now_ns)
        clog_hold(&f->clog, p, again, until_ns);
    else /* it has been let go meanwhile */
        packet_schedule(f->world, p, until_ns + p->late_ns, again);
    return false;
}

/* Finds out who gets it. False: the packet is gone, or waits. */
static bool resolve(struct flight *f, struct packet *p, enum event_kind again) {
    const enum fate fate = route_in(f->sites, p);
    p->descends = true;
    if (fate != FATE_DELIVERED) {
        if (fate == FATE_NO_HOST && source_nic(f, p)->up.cfg.icmp) {
            p->router = p->top; /* where it turned; its own routers asked there in vain */
            tell(f, p, ICMP_NO_HOST, 0);
        }
        packet_drop(f->world, p, fate);
        return false;
    }
    if (is_blocked(f, p)) {
        packet_drop(f->world, p, FATE_BLOCKED);
        return false;
    }
    if (!passes(f, p, again))
        return false;
    p->resolved = true;
    return true;
}

/* The lines on the way down, the receiver's own at last. */
static void go_down(struct flight *f, struct packet *p) {
    struct nic *to = target_nic(f, p);
    if (p->at == SITE_NONE) {
        p->router = to->site;
        pass_on(f, p, &(struct leg){&to->down, EVENT_DELIVER, 0});
        return;
    }
    struct link *line = &f->sites->list[p->at]->down;
    p->router = f->sites->list[p->at]->parent;
    p->at = route_line_down(f->sites, to->site, p->at);
    pass_on(f, p, &(struct leg){line, EVENT_LINE, 0});
}

void flight_arrive(struct flight *f, struct packet *p) {
    if (!resolve(f, p, EVENT_ARRIVE))
        return;
    p->at = route_line_down(f->sites, target_nic(f, p)->site, p->top);
    go_down(f, p);
}

void flight_line(struct flight *f, struct packet *p) {
    if (p->resolved) {
        go_down(f, p);
        return;
    }
    struct site *w = f->sites->list[p->at];
    p->router = w->index;
    climb(f, p, &w->up, w->parent);
}

/* A plain downlink was not worth an event of its own: it counts here, as it was when the packet
 * came to it. */
static bool plain_arrival(struct flight *f, struct packet *p) {
    if (!resolve(f, p, EVENT_DELIVER))
        return false;
    struct link *down = &target_nic(f, p)->down;
    down->packets++;
    p->router = target_nic(f, p)->site;
    if (down->cfg.mtu_bytes > 0 && packet_wire_bytes(p) > down->cfg.mtu_bytes) {
        if (down->cfg.icmp)
            tell(f, p, ICMP_TOO_BIG, down->cfg.mtu_bytes);
        packet_drop(f->world, p, FATE_MTU);
        return false;
    }
    if (down->cfg.delay_ns <= p->late_ns)
        return true;
    packet_schedule(f->world, p, f->world->now_ns + down->cfg.delay_ns - p->late_ns, EVENT_DELIVER);
    return false;
}

struct packet *flight_deliver(struct flight *f, struct packet *p) {
    struct world *w = f->world;
    if (!w->begun) {
        const struct host *owner = sites_setup_owner(f->sites, &p->to);
        p->target = owner ? owner->index : SIM_NO_HOST;
    } else if (!p->resolved && !plain_arrival(f, p)) {
        return NULL;
    }
    const struct host *to = p->target == SIM_NO_HOST ? NULL : w->hosts[p->target];
    const struct nic *nic = to ? target_nic(f, p) : NULL;
    if (!to || (w->begun && !(p->tcp ? nic_has(nic, &p->to) : nic_owns(nic, &p->to)))) {
        packet_drop(w, p, FATE_NO_HOST);
        return NULL;
    }
    if (nic->off) {
        packet_drop(w, p, FATE_UNPLUGGED);
        return NULL;
    }
    if (to->node || p->tcp)
        return p;
    if (w->begun && nic->down.cfg.icmp)
        tell(f, p, ICMP_NO_PORT, 0);
    packet_drop(w, p, FATE_DOWN);
    return NULL;
}
