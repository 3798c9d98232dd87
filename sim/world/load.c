#include "sim/world/load.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "sim/engine/muldiv.h"
#include "sim/world/world.h"

static const char *const names[LOAD_KINDS] = {"ping", "message", "transfer", "flow", "connect"};
static const uint64_t flow_deadline_us = 100000; /* a call's datagram is worth nothing later */

const char *load_kind_name(enum load_kind k) {
    return names[k];
}

void load_clear(struct load *l) {
    free(l->hosts);
    free(l->targets);
    free(l->done);
    *l = (struct load){0};
}

/* Draws are numbered by (what the load says, host, how many times): a load taken away shifts no other's. */
static uint64_t draw(const struct sim *s, uint32_t load, uint32_t at, enum draw_kind kind) {
    const struct load *l = &s->loads[load];
    const struct host *h = s->hosts[l->hosts[at]];
    return draw_u64(&s->draw, world_entity(h, ENTITY_LOAD), kind, l->id + l->done[at]);
}

/* EVENT_LOAD: tag is the load, ref the place of the host in its list. */
static void plan(struct sim *s, uint32_t load, uint32_t at, uint64_t after_ns) {
    const struct load *l = &s->loads[load];
    const uint64_t now_ns = sim_now_ns(s);
    if (now_ns + after_ns >= l->until_ns)
        return;
    world_push(s, s->hosts[l->hosts[at]],
               &(struct event){.time_ns = s->now_ns + after_ns,
                               .kind = EVENT_LOAD,
                               .tag = load,
                               .ref = &l->hosts[at]});
}

/* The first time: anywhere within the first interval, so that hosts do not march in step. */
static void first(struct sim *s, uint32_t load) {
    struct load *l = &s->loads[load];
    const uint64_t now_ns = sim_now_ns(s);
    for (uint32_t i = 0; i < l->host_count; i++) {
        const uint64_t within = mul_high(draw(s, load, i, DRAW_LOAD), l->interval_ns);
        const uint64_t start_ns = l->from_ns > now_ns ? l->from_ns - now_ns : 0;
        l->done[i]++;
        plan(s, load, i, start_ns + within);
    }
}

void load_add(struct sim *s, const struct load *model) {
    s->loads = realloc(s->loads, (s->load_count + 1) * sizeof *s->loads);
    if (!s->loads)
        abort();
    struct load *l = &s->loads[s->load_count++];
    *l = *model;
    l->done = calloc(l->host_count + 1, sizeof *l->done);
    if (!l->done)
        abort();
    if (s->begun)
        first(s, s->load_count - 1);
}

void load_begin(struct sim *s) {
    for (uint32_t i = 0; i < s->load_count; i++)
        first(s, i);
}

static void act(struct sim *s, const struct load *l, uint32_t from, uint32_t to) {
    int err = 0;
    s->demands.asker = (struct demand_asker){l->line, l->may};
    switch (l->kind) {
    case LOAD_PING:
        err = sim_ping(s, from, to);
        break;
    case LOAD_MESSAGE:
        err = sim_message(s, from, to, 1, l->size);
        break;
    case LOAD_TRANSFER:
        err = sim_transfer(s, from, to, l->size, NULL);
        break;
    case LOAD_FLOW:
        err = sim_flow(s, from, to, l->size);
        break;
    case LOAD_CONNECT:
        err = sim_connect(s, from, to);
        break;
    case LOAD_KINDS:
        break;
    }
    s->demands.asker = (struct demand_asker){0};
    s->ledger.load_done++;
    s->ledger.load_refused += err != 0;
}

void load_run(struct sim *s, const struct event *e) {
    const uint32_t load = e->tag;
    struct load *l = &s->loads[load];
    const uint32_t *place = e->ref;
    const uint32_t at = (uint32_t)(place - l->hosts);
    const struct host *h = s->hosts[*place];
    const uint32_t *others = l->target_count > 0 ? l->targets : h->contacts;
    const uint32_t count = l->target_count > 0 ? l->target_count : h->contact_count;
    if (count > 0 && h->node) {
        const uint32_t to = others[draw_below(draw(s, load, at, DRAW_LOAD_TARGET), count)];
        if (to != h->index)
            act(s, l, h->index, to);
    }
    const uint64_t jitter = draw_below(draw(s, load, at, DRAW_LOAD), UINT32_MAX);
    l->done[at]++;
    plan(s, load, at, l->interval_ns / 2 + muldiv(jitter, l->interval_ns, UINT64_C(1) << 32));
}

/* ---- flows ---- */

int sim_flow(struct sim *s, uint32_t from, uint32_t to, uint64_t size) {
    struct host *h = from < s->host_count ? s->hosts[from] : NULL;
    uint8_t data[DATAGRAM_MAX_BYTES] = {0};
    if (!h || !h->node || h->state != HOST_RUNS)
        return ERR_OFFLINE;
    if (size > sizeof data)
        return ERR_USAGE;
    if (size < FLOW_HEAD_BYTES)
        size = FLOW_HEAD_BYTES;
    store_le64(data, s->ledger.flow_sent++);
    store_le64(data + 8, sim_now_ns(s));
    struct arena *before = arena_enter(&h->arena);
    const int err = node_datagram_send(h->node, host_now_us(h), s->hosts[to]->name, data,
                                       (size_t)size, host_now_us(h) + flow_deadline_us);
    (void)arena_enter(before);
    host_pump(h);
    return err;
}

void load_flow_got(struct host *h, const uint8_t *data, uint32_t len) {
    struct sim *s = h->sim;
    if (len < FLOW_HEAD_BYTES)
        return;
    ledger_flow(&s->ledger, sim_now_ns(s), load_le64(data + 8));
}
