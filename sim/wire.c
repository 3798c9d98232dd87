/* wire.c: the way of a datagram: the sender's uplink, the core, the receiver's downlink. */
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

/* 198.18.0.0/15 and 2001:2::/48 are set aside for tests of networks (RFC 2544, RFC 5180): not
 * private, so nodes treat them as they would the internet's. The low bits are the address number,
 * from 1. */
enum { ADDRS_MAX = (1 << 17) - 2 };

static void set_number(struct addr *a, bool ipv6, uint32_t n) {
    static const uint8_t ipv4[4] = {198, 18, 0, 0}, ipv6_prefix[4] = {0x20, 0x01, 0x00, 0x02};
    *a = (struct addr){.kind = ipv6 ? ADDR_IPV6 : ADDR_IPV4, .port = WORLD_PORT};
    memcpy(a->ip, ipv6 ? ipv6_prefix : ipv4, 4);
    uint8_t *low = a->ip + (ipv6 ? 13 : 1);
    low[0] = (uint8_t)(low[0] | n >> 16);
    low[1] = (uint8_t)(n >> 8);
    low[2] = (uint8_t)n;
}

/* 0: not one of ours. */
static uint32_t number_of(const struct addr *a) {
    const uint8_t *low = a->ip + (a->kind == ADDR_IPV6 ? 13 : 1);
    const uint32_t n = (uint32_t)(low[0] & 1) << 16 | (uint32_t)low[1] << 8 | low[2];
    struct addr same;
    set_number(&same, a->kind == ADDR_IPV6, n);
    return addr_same_host(&same, a) ? n : 0;
}

void wire_new_address(struct sim *s, struct host *h) {
    const uint32_t old = number_of(&h->addr);
    if (old > 0 && old <= s->addr_count)
        s->owners[old - 1] = 0;
    if (s->addr_count == ADDRS_MAX) {
        world_fail(s, h, "no addresses are left");
        return;
    }
    if (s->addr_count == s->addr_cap) {
        s->addr_cap = s->addr_cap ? s->addr_cap * 2 : 16;
        s->owners = realloc(s->owners, s->addr_cap * sizeof *s->owners);
        if (!s->owners)
            abort();
    }
    s->owners[s->addr_count++] = h->index + 1;
    set_number(&h->addr, h->ipv6, s->addr_count);
}

struct host *wire_owner(const struct sim *s, const struct addr *a) {
    const uint32_t n = number_of(a);
    if (n == 0 || n > s->addr_count || s->owners[n - 1] == 0)
        return NULL;
    struct host *h = s->hosts[s->owners[n - 1] - 1];
    return addr_equal(&h->addr, a) ? h : NULL;
}

/* The end of a datagram: everybody who watches is told. */
static void record(struct sim *s, const struct packet *p, const struct host *to, enum fate fate) {
    if (!s->begun)
        return;
    const struct sim_datagram d = {
        .time_ns = sim_now_ns(s),
        .source = p->source,
        .target = to ? to->index : SIM_NO_HOST,
        .from = p->from,
        .to = p->to,
        .fate = fate,
        .data = p->data,
        .len = p->len,
    };
    trace_add(&s->trace, &(struct trace_record){.time_ns = s->now_ns,
                                                .source = d.source,
                                                .target = d.target,
                                                .length = d.len,
                                                .kind = (uint16_t)fate});
    if (s->tap.datagram)
        s->tap.datagram(s->tap.ctx, &d);
    if (fate == FATE_DELIVERED) {
        s->stats.delivered++;
        s->stats.delivered_bytes += p->len;
    } else {
        s->stats.drops[fate]++;
    }
}

static void drop(struct sim *s, struct packet *p, const struct host *to, enum fate fate) {
    record(s, p, to, fate);
    slab_put(&s->slab, p);
}

static void schedule(struct sim *s, struct packet *p, uint64_t at_ns, enum event_kind kind) {
    world_push(s, s->hosts[p->source],
               &(struct event){.time_ns = at_ns, .kind = (uint32_t)kind, .ref = p});
}

/* Puts a packet through one link; `next` happens at its other end. */
static void through(struct sim *s, struct packet *p, struct link *l, enum event_kind next) {
    const uint32_t overhead =
        p->to.kind == ADDR_IPV6 ? LINK_OVERHEAD_IPV6_BYTES : LINK_OVERHEAD_IPV4_BYTES;
    struct link_out out;
    link_pass(l, s->now_ns, p->len + overhead, &out);
    if (out.fate != FATE_DELIVERED) {
        drop(s, p, wire_owner(s, &p->to), out.fate);
        return;
    }
    if (out.duplicated) {
        struct packet *copy = slab_get(&s->slab, sizeof *copy + p->len);
        memcpy(copy, p, sizeof *copy + p->len);
        s->stats.duplicated++;
        schedule(s, copy, out.duplicate_at_ns, next);
    }
    if (out.corrupted && p->len > 0) {
        const uint64_t bit = draw_below(out.corrupt_draw, (uint64_t)p->len * 8);
        p->data[bit / 8] = (uint8_t)(p->data[bit / 8] ^ 1u << bit % 8);
        s->stats.corrupted++;
    }
    s->stats.reordered += out.reordered;
    schedule(s, p, out.at_ns, next);
}

static void send_one(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len) {
    struct sim *s = h->sim;
    struct packet *p = slab_get(&s->slab, sizeof *p + len);
    p->source = h->index;
    p->len = len;
    p->from = h->addr;
    p->to = *to;
    memcpy(p->data, data, len);
    if (!s->begun) {
        schedule(s, p, s->now_ns + WORLD_IDEAL_DELAY_NS, EVENT_DELIVER);
        return;
    }
    s->stats.sent++;
    s->stats.sent_bytes += len;
    through(s, p, &h->up, EVENT_ARRIVE);
}

void wire_send(struct host *h, const struct train *t) {
    size_t at = 0;
    while (at < t->len) {
        const size_t left = t->len - at;
        const size_t len =
            t->segment_bytes > 0 && left > t->segment_bytes ? t->segment_bytes : left;
        send_one(h, &t->to, t->buf + at, (uint32_t)len);
        at += len;
    }
}

static bool is_cut(const struct sim *s, uint32_t a, uint32_t b) {
    for (uint32_t i = 0; i < s->cut_count; i++)
        if ((s->cuts[i].a == a && s->cuts[i].b == b) || (s->cuts[i].a == b && s->cuts[i].b == a))
            return true;
    return false;
}

void wire_arrive(struct sim *s, struct packet *p) {
    struct host *to = wire_owner(s, &p->to);
    if (!to)
        drop(s, p, NULL, FATE_NO_HOST);
    else if (is_cut(s, p->source, to->index))
        drop(s, p, to, FATE_CUT);
    else
        through(s, p, &to->down, EVENT_DELIVER);
}

void wire_deliver(struct sim *s, struct packet *p) {
    struct host *to = wire_owner(s, &p->to);
    if (!to || !to->node) {
        drop(s, p, to, to ? FATE_DOWN : FATE_NO_HOST);
        return;
    }
    record(s, p, to, FATE_DELIVERED);
    node_input(to->node, world_now_us(s), &p->from, 0, p->data, p->len);
    slab_put(&s->slab, p);
    host_pump(to);
}
