/* orders.c: what hosts are told to do, and what happens to them, while the world runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "sim/world/heard.h"
#include "sim/world/route.h"
#include "sim/world/sim_int.h"
#include "sim/world/turn.h"

static const uint64_t ping_timeout_us = 10 * 1000000;
static const uint64_t ticket_ttl_s = 3600;
static const uint64_t flow_deadline_us = 100000; /* a call's datagram is worth nothing later */

/* Of a full packet, besides the payload: IP and UDP, our header and tag, the STREAM frame. */
enum { PACKET_OVERHEAD_BYTES = 32 + 16 };

/* Both ends must run for things to be asked of `from`; `to` may be anywhere. */
static struct host *running(const struct world *w, uint32_t host) {
    struct host *h = host < w->host_count ? w->hosts[host] : NULL;
    return h && h->node && h->state == HOST_RUNS ? h : NULL;
}

static int not_running(struct duties *ds, const struct duty *d) {
    duty_asked(ds, d, ERR_OFFLINE);
    return ERR_OFFLINE;
}

int sim_connect(struct sim *s, uint32_t from, uint32_t to) {
    const struct duty d = {DEMAND_CONNECT, from, to, to};
    struct host *h = running(&s->world, from);
    struct contact_info info;
    if (!h)
        return not_running(&s->duties, &d);
    struct arena *before = arena_enter(&h->arena);
    const int err = node_connect(h->node, host_now_us(h), s->world.hosts[to]->name);
    (void)arena_enter(before);
    if (!err)
        ledger_want(&s->duties.ledger, world_run_ns(&s->world), from, to);
    duty_asked(&s->duties, &d, err);
    if (!err && node_contact_get(h->node, host_now_us(h), s->world.hosts[to]->name, &info) &&
        info.online)
        duty_done(&s->duties, &d, 0); /* it is there: nothing will be told of it */
    turn_pump(h);
    return err;
}

int sim_ping(struct sim *s, uint32_t from, uint32_t to) {
    struct duty d = {DEMAND_PING, from, to, 0};
    struct host *h = running(&s->world, from);
    if (!h)
        return not_running(&s->duties, &d);
    struct arena *before = arena_enter(&h->arena);
    const int err =
        node_ping(h->node, host_now_us(h), s->world.hosts[to]->name, ping_timeout_us, &d.ref);
    (void)arena_enter(before);
    if (!err)
        ledger_want(&s->duties.ledger, world_run_ns(&s->world), from, to);
    duty_asked(&s->duties, &d, err);
    turn_pump(h);
    return err;
}

/* What a link loses on average: at random, and in bursts, where it is bad for ENTER / (ENTER +
 * LEAVE) of the packets. */
static double passing(const struct link_config *c) {
    const double enter = c->burst_enter_ppb, leave = c->burst_leave_ppb;
    const double bad = enter > 0 ? enter / (enter + leave) : 0;
    return (1 - c->loss_ppb / 1e9) * (1 - bad * c->burst_loss_ppb / 1e9);
}

/* Its first interface that is up. */
static const struct nic *usual(const struct host *h) {
    return host_nic_of(h, host_route(h, h->first.ipv4 ? ADDR_IPV4 : ADDR_IPV6));
}

/* All links in a row, and the core; the way back counts for its delay only. */
static void describe_path(const struct sites *ss, const struct host *from, const struct host *to,
                          struct response_path *out) {
    const struct link *links[ROUTE_LINKS_MAX];
    const struct nic *a = usual(from), *b = usual(to);
    uint64_t narrow = 0, rtt_ns = route_core_ns(ss, a, b) * 2;
    uint32_t mtu = LINK_MTU_MAX_BYTES;
    double passes = 1;
    unsigned n = route_links(ss, a, b, links);
    for (unsigned i = 0; i < n; i++) {
        const struct link_config *c = &links[i]->cfg;
        if (c->rate_bps > 0 && (narrow == 0 || c->rate_bps < narrow))
            narrow = c->rate_bps;
        if (c->mtu_bytes > 0 && c->mtu_bytes < mtu)
            mtu = c->mtu_bytes;
        rtt_ns += c->delay_ns;
        passes *= passing(c);
    }
    n = route_links(ss, b, a, links);
    for (unsigned i = 0; i < n; i++)
        rtt_ns += links[i]->cfg.delay_ns;
    const uint32_t headers =
        !from->options.ipv4 ? LINK_OVERHEAD_IPV6_BYTES : LINK_OVERHEAD_IPV4_BYTES;
    *out = (struct response_path){
        .rate_bps = (double)narrow,
        .rtt_s = (double)rtt_ns / 1e9,
        .loss = 1 - passes,
        .payload_bytes = (double)mtu - headers - PACKET_OVERHEAD_BYTES,
        .packet_bytes = mtu,
    };
}

int sim_transfer(struct sim *s, uint32_t from, uint32_t to, uint64_t size, uint64_t *index) {
    struct duty d = {DEMAND_TRANSFER, from, to, 0};
    struct host *h = running(&s->world, from);
    if (!h)
        return not_running(&s->duties, &d);
    struct ledger_transfer *t = ledger_add_transfer(&s->duties.ledger);
    const uint64_t number = d.ref = s->duties.ledger.transfer_count - 1;
    char path[128];
    (void)snprintf(t->name, sizeof t->name, "%s-%s-%llu.bin", h->name, s->world.hosts[to]->name,
                   (unsigned long long)number);
    (void)snprintf(path, sizeof path, "/outbox/%s", t->name);
    t->from = from;
    t->to = to;
    t->size = size;
    t->asked_ns = world_run_ns(&s->world);
    describe_path(&s->sites, h, s->world.hosts[to], &t->path);
    int err = disk_make_file(h->disk, path, size);
    if (err == ERR_EXISTS)
        err = 0; /* made for an attempt that was refused */
    if (err)
        duty_moment(&s->duties, h, TROUBLE_DISK);
    if (!err) {
        const char *paths[] = {path};
        struct arena *before = arena_enter(&h->arena);
        err = node_send(h->node, host_now_us(h), s->world.hosts[to]->name, paths, 1, 0, &t->id);
        (void)arena_enter(before);
    }
    duty_asked(&s->duties, &d, err);
    if (err) {
        s->duties.ledger.transfer_count--;
        return err;
    }
    ledger_begun(&s->duties.ledger, number);
    ledger_want(&s->duties.ledger, world_run_ns(&s->world), from, to);
    if (index)
        *index = number;
    turn_pump(h);
    return 0;
}

int sim_message(struct sim *s, uint32_t from, uint32_t to, uint64_t count, uint64_t size) {
    struct duty d = {DEMAND_MESSAGE, from, to, 0};
    struct host *h = running(&s->world, from);
    if (!h)
        return not_running(&s->duties, &d);
    if (size > MESSAGE_MAX_BYTES)
        return ERR_USAGE;
    char *text = mem_alloc(MESSAGE_MAX_BYTES + 1);
    if (!text)
        abort();
    int err = 0;
    for (uint64_t i = 0; i < count && !err; i++) {
        struct ledger_message *m = ledger_add_message(&s->duties.ledger);
        m->from = from;
        m->to = to;
        m->asked_ns = world_run_ns(&s->world);
        memset(text, '.', MESSAGE_MAX_BYTES);
        const int head = snprintf(text, MESSAGE_MAX_BYTES, "#%llu ",
                                  (unsigned long long)(s->duties.ledger.message_count - 1));
        text[head] = '.';
        const size_t len = size > (uint64_t)head ? (size_t)size : (size_t)head;
        struct arena *before = arena_enter(&h->arena);
        err = node_message_send(h->node, host_now_us(h), s->world.hosts[to]->name, text, len,
                                &m->seq);
        (void)arena_enter(before);
        d.ref = s->duties.ledger.message_count - 1;
        duty_asked(&s->duties, &d, err);
        if (!err && store_mem_died(h->store)) { /* it has said yes to nobody */
            m->excused = true;
            duty_lost_power(&s->duties, h);
        }
        if (err)
            s->duties.ledger.message_count--;
        else
            ledger_want(&s->duties.ledger, world_run_ns(&s->world), from, to);
    }
    mem_free(text);
    turn_pump(h);
    return err;
}

int sim_flow(struct sim *s, uint32_t from, uint32_t to, uint64_t size) {
    struct host *h = running(&s->world, from);
    uint8_t data[NODE_DATAGRAM_MAX_BYTES] = {0};
    if (!h)
        return ERR_OFFLINE;
    if (size > sizeof data)
        return ERR_USAGE;
    if (size < FLOW_HEAD_BYTES)
        size = FLOW_HEAD_BYTES;
    store_le64(data, s->duties.ledger.flow_sent++);
    store_le64(data + 8, world_run_ns(&s->world));
    struct arena *before = arena_enter(&h->arena);
    const int err = node_datagram_send(h->node, host_now_us(h), s->world.hosts[to]->name, data,
                                       (size_t)size, host_now_us(h) + flow_deadline_us);
    (void)arena_enter(before);
    turn_pump(h);
    return err;
}

/* Only one that has been used: until then whoever comes first gets in, and that is right. */
int sim_steal_ticket(struct sim *s, uint32_t thief, uint32_t user, uint32_t giver) {
    struct host *h = running(&s->world, thief);
    struct used_ticket *t = used_tickets_find(&s->inspection.tickets, user, giver);
    if (!h)
        return ERR_OFFLINE;
    if (!t || !duty_paired(&s->world, user, giver))
        return ERR_NOT_FOUND;
    t->thief = thief;
    struct arena *before = arena_enter(&h->arena);
    const int err = node_contact_add(h->node, host_now_us(h), s->world.hosts[giver]->name, t->text);
    (void)arena_enter(before);
    turn_pump(h);
    return err;
}

int sim_use_ticket(struct sim *s, uint32_t from, uint32_t to) {
    const struct duty d = {DEMAND_PAIR, from, to, to};
    struct host *user = running(&s->world, from), *giver = running(&s->world, to);
    char ticket[TICKET_TEXT_MAX + 1];
    if (!user || !giver)
        return not_running(&s->duties, &d);
    struct arena *before = arena_enter(&giver->arena);
    int err = node_ticket_new(giver->node, host_now_us(giver), user->name, ticket_ttl_s, ticket);
    (void)arena_enter(before);
    if (err) {
        duty_asked(&s->duties, &d, err);
        return err;
    }
    before = arena_enter(&user->arena);
    err = node_contact_add(user->node, host_now_us(user), giver->name, ticket);
    (void)arena_enter(before);
    duty_asked(&s->duties, &d, err);
    if (!err) {
        /* Contacts they are when they have met (heard.c); one that may fail is not waited for. */
        const bool wanted =
            !s->duties.demands.asker.may || ledger_bond(&s->duties.ledger, from, to)->wanted;
        ledger_want(&s->duties.ledger, world_run_ns(&s->world), from, to);
        ledger_bond(&s->duties.ledger, from, to)->wanted = wanted;
        used_tickets_add(&s->inspection.tickets, from, to, ticket);
    }
    turn_pump(giver);
    turn_pump(user);
    return err;
}

void sim_asks(struct sim *s, const struct demand_asker *by) {
    s->duties.demands.asker = *by;
}

void order_load(struct sim *s, const struct load_due *due) {
    const struct load *l = due->load;
    int err = 0;
    s->duties.demands.asker = (struct demand_asker){l->line, l->may};
    switch (l->kind) {
    case LOAD_PING:
        err = sim_ping(s, due->from, due->to);
        break;
    case LOAD_MESSAGE:
        err = sim_message(s, due->from, due->to, 1, l->size);
        break;
    case LOAD_TRANSFER:
        err = sim_transfer(s, due->from, due->to, l->size, NULL);
        break;
    case LOAD_FLOW:
        err = sim_flow(s, due->from, due->to, l->size);
        break;
    case LOAD_CONNECT:
        err = sim_connect(s, due->from, due->to);
        break;
    case LOAD_KINDS:
        break;
    }
    s->duties.demands.asker = (struct demand_asker){0};
    s->duties.ledger.load_done++;
    s->duties.ledger.load_refused += err != 0;
}
