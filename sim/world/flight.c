/* flight.c: the way of a datagram: the sender's uplink and NATs, the core, the receiver's NATs and
 * downlink.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/world/world.h"

static bool owns(const struct host *h, const struct addr *a) {
    for (unsigned i = 0; i < h->addr_count; i++)
        if (addr_equal(&h->addrs[i], a))
            return true;
    return false;
}

/* The end of a datagram: everybody who watches is told. */
static void record(struct sim *s, const struct packet *p, enum fate fate) {
    if (!s->begun)
        return;
    const struct sim_datagram d = {
        .time_ns = sim_now_ns(s),
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
    const struct trace_record line = {.time_ns = s->now_ns,
                                      .source = d.source,
                                      .target = d.target,
                                      .length = d.len,
                                      .kind = (uint16_t)fate};
    trace_add(&s->trace, &line);
    if (s->tap.record)
        s->tap.record(s->tap.ctx, &line);
    if (s->tap.datagram)
        s->tap.datagram(s->tap.ctx, &d);
    if (fate == FATE_DELIVERED) {
        s->stats.delivered++;
        s->stats.delivered_bytes += p->len;
    } else {
        s->stats.drops[fate]++;
    }
}

void wire_drop(struct sim *s, struct packet *p, enum fate fate) {
    if (fate != FATE_DELIVERED)
        duty_lost(s, p);
    record(s, p, fate);
    slab_put(&s->slab, p);
}

void wire_schedule(struct sim *s, struct packet *p, uint64_t at_ns, enum event_kind kind) {
    world_push(s, s->hosts[p->source],
               &(struct event){.time_ns = at_ns,
                               .kind = (uint32_t)kind,
                               .tag = p->target != SIM_NO_HOST ? p->target : p->likely,
                               .ref = p});
}

static uint32_t wire_bytes(const struct packet *p) {
    return p->len + (p->to.kind == ADDR_IPV6 ? LINK_OVERHEAD_IPV6_BYTES : LINK_OVERHEAD_IPV4_BYTES);
}

/* Puts a packet through one link: false if it ends there. Otherwise *at_ns is when it comes out; a
 * double that the link has made is scheduled for `next`, `more_ns` later than it comes out. */
static bool through(struct sim *s, struct packet *p, struct link *l, enum event_kind next,
                    uint64_t more_ns, uint64_t *at_ns) {
    struct link_out out;
    link_pass_ecn(l, s->now_ns, wire_bytes(p), p->ecn, &out);
    if (out.fate != FATE_DELIVERED) {
        p->link_host = l == &s->hosts[p->source]->up                                 ? p->source
                       : p->target != SIM_NO_HOST && l == &s->hosts[p->target]->down ? p->target
                                                                                     : SIM_NO_HOST;
        p->link_down = p->link_host != SIM_NO_HOST && l == &s->hosts[p->link_host]->down;
        p->link_packet = l->packets - 1;
        if (out.fate == FATE_MTU && l->cfg.icmp)
            icmp_report(s, p, ICMP_TOO_BIG, l->cfg.mtu_bytes);
        wire_drop(s, p, out.fate);
        return false;
    }
    p->ecn = out.ecn;
    s->stats.marked += out.marked;
    if (out.duplicated) {
        struct packet *copy = slab_get(&s->slab, sizeof *copy + p->len);
        memcpy(copy, p, sizeof *copy + p->len);
        s->stats.duplicated++;
        wire_schedule(s, copy, out.duplicate_at_ns + more_ns, next);
    }
    if (out.corrupted && p->len > 0) {
        const uint64_t bit = draw_below(out.corrupt_draw, (uint64_t)p->len * 8);
        p->data[bit / 8] = (uint8_t)(p->data[bit / 8] ^ 1u << bit % 8);
        s->stats.corrupted++;
        duty_lost(s, p);
    }
    s->stats.reordered += out.reordered;
    *at_ns = out.at_ns;
    return true;
}

/* Through one link, and on to whatever is next, `more_ns` after the link's other end. */
static void pass_on(struct sim *s, struct packet *p, struct link *l, enum event_kind next,
                    uint64_t more_ns) {
    uint64_t at_ns;
    if (through(s, p, l, next, more_ns, &at_ns))
        wire_schedule(s, p, at_ns + more_ns, next);
}

/* Through a link on the way up; then come the lines of the site and of those around it, then the core. Each line is an
 * event of its own: what it is shared by does not come to it in the order in which it was sent. */
static void climb(struct sim *s, struct packet *p, struct link *l, uint32_t site) {
    p->at = route_line_up(s, site, p->top);
    if (p->at != SITE_NONE) {
        pass_on(s, p, l, EVENT_LINE, 0);
        return;
    }
    p->late_ns = 0;
    const enum event_kind next = route_plain(s, p) ? EVENT_DELIVER : EVENT_ARRIVE;
    pass_on(s, p, l, next, p->core_ns + p->late_ns);
}

/* Where UDP does not pass, hosts reach only those of their own site. */
static bool is_blocked(const struct sim *s, const struct packet *p) {
    const struct host *from = s->hosts[p->source];
    if (p->target == SIM_NO_HOST)
        return from->options.no_udp;
    const struct host *to = s->hosts[p->target];
    return (from->options.no_udp || to->options.no_udp) &&
           (to->site == SITE_NONE || to->site != from->site);
}

/* Out of the host, through its NATs and its uplink. */
static void launch(struct host *h, struct packet *p) {
    struct sim *s = h->sim;
    s->stats.sent++;
    s->stats.sent_bytes += p->len;
    const bool own = h->site != SITE_NONE && owns(h, &p->from);
    enum fate fate = route_out(s, h, p);
    if (fate == FATE_DELIVERED && is_blocked(s, p))
        fate = FATE_BLOCKED;
    if (fate != FATE_DELIVERED) {
        wire_drop(s, p, fate);
        return;
    }
    if (own && p->target == SIM_NO_HOST)
        h->outer = p->from;
    p->core_ns = route_delay_ns(s, h, p);
    p->likely = h->index;
    p->router = h->site;
    climb(s, p, &h->up, h->site);
}

static struct packet *packet_new(struct host *h, const struct addr *to, const uint8_t *data,
                                 uint32_t len) {
    struct packet *p = slab_get(&h->sim->slab, sizeof *p + len);
    p->source = h->index;
    p->target = SIM_NO_HOST;
    p->resolved = p->hairpin = p->descends = false;
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

static void send_one(struct host *h, const struct addr *to, uint8_t ecn, const uint8_t *data,
                     uint32_t len) {
    struct sim *s = h->sim;
    if (h->hostile && s->begun && hostile_sends(h, to, data, len))
        return;
    inspect_sent(h, to, data, len);
    struct packet *p = packet_new(h, to, data, len);
    p->ecn = ecn;
    if (!s->begun && (to->kind == ADDR_IPV6 ? h->options.ipv6 : h->options.ipv4)) {
        route_number_address(h->setup_number, to->kind == ADDR_IPV6, WORLD_PORT, &p->from);
        wire_schedule(s, p, s->now_ns + WORLD_IDEAL_DELAY_NS, EVENT_DELIVER);
    } else if (p->from.kind == ADDR_NONE) {
        s->stats.sent++;
        wire_drop(s, p, FATE_UNREACHABLE); /* it has no address of this kind */
    } else {
        launch(h, p);
    }
}

void wire_inject(struct host *h, const struct addr *from, const struct addr *to,
                 const uint8_t *data, uint32_t len) {
    struct packet *p = packet_new(h, to, data, len);
    if (from)
        p->from = *from;
    if (p->from.kind == ADDR_NONE)
        wire_drop(h->sim, p, FATE_UNREACHABLE);
    else
        launch(h, p);
}

void wire_send(struct host *h, const struct train *t) {
    size_t at = 0;
    while (at < t->len) {
        const size_t left = t->len - at;
        const size_t len =
            t->segment_bytes > 0 && left > t->segment_bytes ? t->segment_bytes : left;
        send_one(h, hop_addr(&t->to), t->ecn, t->buf + at, (uint32_t)len);
        at += len;
    }
}

/* Whatever lies between the two hosts, when it came to the receiver's link. False: the packet is gone, or waits. */
static bool passes(struct sim *s, struct packet *p, enum event_kind again) {
    uint64_t until_ns;
    if (s->faults.count == 0)
        return true;
    if (faults_judge(&s->faults, s->now_ns - p->late_ns, p->source, p->target, &until_ns)) {
        wire_drop(s, p, FATE_CUT);
        return false;
    }
    if (until_ns == 0)
        return true;
    if (until_ns > s->now_ns)
        clog_hold(s, p, again, until_ns);
    else /* it has been let go meanwhile */
        wire_schedule(s, p, until_ns + p->late_ns, again);
    return false;
}

/* Finds out who gets it. False: the packet is gone, or waits. */
static bool resolve(struct sim *s, struct packet *p, enum event_kind again) {
    const enum fate fate = route_in(s, p);
    p->descends = true;
    if (fate != FATE_DELIVERED) {
        if (fate == FATE_NO_HOST && s->hosts[p->source]->up.cfg.icmp) {
            p->router = p->top; /* where it turned; its own routers asked there in vain */
            icmp_report(s, p, ICMP_NO_HOST, 0);
        }
        wire_drop(s, p, fate);
        return false;
    }
    if (is_blocked(s, p)) {
        wire_drop(s, p, FATE_BLOCKED);
        return false;
    }
    if (!passes(s, p, again))
        return false;
    p->resolved = true;
    return true;
}

/* The lines on the way down, the receiver's own at last. */
static void go_down(struct sim *s, struct packet *p) {
    struct host *to = s->hosts[p->target];
    if (p->at == SITE_NONE) {
        p->router = to->site;
        pass_on(s, p, &to->down, EVENT_DELIVER, 0);
        return;
    }
    struct link *line = &s->route.sites[p->at]->down;
    p->router = s->route.sites[p->at]->parent;
    p->at = route_line_down(s, to->site, p->at);
    pass_on(s, p, line, EVENT_LINE, 0);
}

void wire_arrive(struct sim *s, struct packet *p) {
    if (!resolve(s, p, EVENT_ARRIVE))
        return;
    p->at = route_line_down(s, s->hosts[p->target]->site, p->top);
    go_down(s, p);
}

void wire_line(struct sim *s, struct packet *p) {
    if (p->resolved) {
        go_down(s, p);
        return;
    }
    struct site *w = s->route.sites[p->at];
    p->router = w->index;
    climb(s, p, &w->up, w->parent);
}

/* A plain downlink was not worth an event of its own: it counts here, as it was when the packet came to it. */
static bool plain_arrival(struct sim *s, struct packet *p) {
    if (!resolve(s, p, EVENT_DELIVER))
        return false;
    struct link *down = &s->hosts[p->target]->down;
    down->packets++;
    p->router = s->hosts[p->target]->site;
    if (down->cfg.mtu_bytes > 0 && wire_bytes(p) > down->cfg.mtu_bytes) {
        if (down->cfg.icmp)
            icmp_report(s, p, ICMP_TOO_BIG, down->cfg.mtu_bytes);
        wire_drop(s, p, FATE_MTU);
        return false;
    }
    if (down->cfg.delay_ns <= p->late_ns)
        return true;
    wire_schedule(s, p, s->now_ns + down->cfg.delay_ns - p->late_ns, EVENT_DELIVER);
    return false;
}

void wire_deliver(struct sim *s, struct packet *p) {
    if (!s->begun) {
        const struct host *owner = route_setup_owner(s, &p->to);
        p->target = owner ? owner->index : SIM_NO_HOST;
    } else if (!p->resolved && !plain_arrival(s, p)) {
        return;
    }
    struct host *to = p->target == SIM_NO_HOST ? NULL : s->hosts[p->target];
    if (!to || (s->begun && !owns(to, &p->to))) {
        wire_drop(s, p, FATE_NO_HOST);
        return;
    }
    if (!to->node) {
        if (s->begun && to->down.cfg.icmp)
            icmp_report(s, p, ICMP_NO_PORT, 0);
        wire_drop(s, p, FATE_DOWN);
        return;
    }
    if (host_holds(to, &(struct event){.kind = EVENT_DELIVER, .ref = p}))
        return;
    record(s, p, FATE_DELIVERED);
    duty_heard(s, p);
    if (to->hostile && s->begun)
        hostile_receives(to, &p->from, p->data, p->len);
    /* The core opens packets in place, so the watch gets a copy of what it looks at. */
    struct packet *seen = NULL;
    const uint64_t accepted = s->watch ? inspect_accepted(to) : 0;
    if (s->watch) {
        seen = slab_get(&s->slab, sizeof *p + p->len);
        memcpy(seen, p, sizeof *p + p->len);
    }
    s->acting = to->index;
    struct arena *before = arena_enter(&to->arena);
    const struct hop from = hop_udp(&p->from, 0);
    node_input(to->node, host_now_us(to), &from, p->ecn, p->data, p->len);
    (void)arena_enter(before);
    if (seen && to->node)
        inspect_received(to, seen, accepted);
    slab_put(&s->slab, seen);
    slab_put(&s->slab, p);
    host_pump(to);
}
