/* sim.c: the world's clock and its list of hosts. */
#include "sim/world/sim.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world/sim_int.h"

static const uint64_t pair_limit_ns = 60 * SIM_S;
static const uint64_t ticket_ttl_s = 3600;

struct sim *sim_new(const struct sim_config *cfg) {
    if (sodium_init() < 0)
        abort();
    struct sim *s = aligned_alloc(_Alignof(struct sim), sizeof *s); /* it holds a hash's state */
    if (!s)
        abort();
    memset(s, 0, sizeof *s);
    world_init(&s->world, cfg->seed, &cfg->tap);
    sites_init(&s->sites, &s->world);
    s->watch = cfg->watched ? watch_new() : NULL;
    return s;
}

void sim_free(struct sim *s) {
    if (!s)
        return;
    for (uint32_t i = 0; i < s->world.host_count; i++)
        host_free(s->world.hosts[i]);
    for (uint32_t i = 0; i < s->load_count; i++)
        load_clear(&s->loads[i]);
    free(s->loads);
    sites_clear(&s->sites);
    clog_clear(s);
    world_clear(&s->world);
    ledger_clear(&s->ledger);
    free(s->tickets);
    demand_clear(&s->demands);
    troubles_clear(&s->troubles);
    if (s->watch)
        crypto_mode_hook(NULL);
    watch_free(s->watch);
    free(s);
}

uint64_t sim_seed(const struct sim *s) {
    return s->world.seed;
}

uint64_t sim_now_ns(const struct sim *s) {
    return world_run_ns(&s->world);
}

uint64_t sim_start_ns(void) {
    return WORLD_START_NS;
}

uint64_t sim_node_now_us(const struct sim *s, uint32_t host) {
    return host_now_us(s->world.hosts[host]);
}

const char *sim_failure(const struct sim *s) {
    return s->world.failure[0] ? s->world.failure : NULL;
}

const struct trace *sim_trace(const struct sim *s) {
    return &s->world.trace;
}

/* ---- hosts ---- */

static bool name_ok(const char *name) {
    const size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
            return false;
    return len > 0 && len <= SIM_NAME_MAX;
}

static void settle(struct sim *s, struct host *h) {
    if (!sites_settle(&s->sites, h))
        world_fail(&s->world, h, "no addresses are left");
}

int sim_host_add(struct sim *s, const struct sim_host_options *o, uint32_t *host) {
    if (!name_ok(o->name))
        return ERR_USAGE;
    if (world_find(&s->world, o->name) != SIM_NO_HOST)
        return ERR_EXISTS;
    if (s->world.host_count == SIM_HOSTS_MAX)
        return ERR_FULL;
    struct host *h = host_new(s, o);
    *host = h->index;
    world_add_host(&s->world, h);
    h->setup_number = sites_number_new(&s->sites, h);
    if (h->setup_number == 0)
        return ERR_FULL;
    if (s->world.begun) {
        settle(s, h);
        host_start(h);
    }
    return 0;
}

uint32_t sim_host_count(const struct sim *s) {
    return s->world.host_count;
}

uint32_t sim_host_find(const struct sim *s, const char *name) {
    return world_find(&s->world, name);
}

const char *sim_host_label(const struct sim *s, uint32_t host) {
    if (host >= s->world.host_count)
        return "?";
    const struct host *h = s->world.hosts[host];
    if (h->site != SITE_NONE)
        return s->sites.list[h->site]->name;
    return h->group[0] ? h->group : "public";
}

const char *sim_host_name(const struct sim *s, uint32_t host) {
    return world_name(&s->world, host);
}

void sim_link_get(const struct sim *s, uint32_t host, enum sim_direction d,
                  struct link_config *out) {
    const struct host *h = s->world.hosts[host];
    *out = d == SIM_UP ? h->up.cfg : h->down.cfg;
}

void sim_link_set(struct sim *s, uint32_t host, enum sim_direction d, const struct link_config *c) {
    struct host *h = s->world.hosts[host];
    struct link *l = d == SIM_UP ? &h->up : &h->down;
    l->cfg = *c;
    l->bad = l->bad && c->burst_enter_ppb > 0; /* a plain link does not pass by there */
    h->plain_down = link_is_plain(&h->down);
    duty_line(h);
}

void sim_link_lose(struct sim *s, uint32_t host, enum sim_direction d, const uint64_t *packets,
                   uint64_t count) {
    struct host *h = s->world.hosts[host];
    link_lose(d == SIM_UP ? &h->up : &h->down, packets, (uint32_t)count);
    h->plain_down = link_is_plain(&h->down);
}

const uint32_t *sim_contacts(const struct sim *s, uint32_t host, uint32_t *count) {
    *count = s->world.hosts[host]->contact_count;
    return s->world.hosts[host]->contacts;
}

uint64_t sim_choice(const struct sim *s, uint32_t host, uint64_t number) {
    return draw_u64(&s->world.draw, host, DRAW_GRAPH, number);
}

struct disk *sim_disk(struct sim *s, uint32_t host) {
    return s->world.hosts[host]->disk;
}

struct store_mem *sim_store(struct sim *s, uint32_t host) {
    return s->world.hosts[host]->store;
}

struct node *sim_node(struct sim *s, uint32_t host) {
    return s->world.hosts[host]->node;
}

void sim_touch(struct sim *s, uint32_t host) {
    if (s->world.hosts[host]->node)
        host_pump(s->world.hosts[host]);
}

/* ---- before time 0 ---- */

static bool is_paired(const struct host *h, const struct host *with) {
    struct contact_info info;
    return node_contact_get(h->node, host_now_us(h), with->name, &info) && info.paired &&
           info.online;
}

int sim_pair(struct sim *s, uint32_t a, uint32_t b) {
    struct host *ha = s->world.hosts[a], *hb = s->world.hosts[b];
    char ticket[TICKET_TEXT_MAX + 1];
    host_start(ha);
    host_start(hb);
    if (s->world.failure[0])
        return ERR_FAILED;
    struct arena *before = arena_enter(&ha->arena);
    int err = node_ticket_new(ha->node, host_now_us(ha), hb->name, ticket_ttl_s, ticket);
    (void)arena_enter(&hb->arena);
    if (!err)
        err = node_contact_add(hb->node, host_now_us(hb), ha->name, ticket);
    (void)arena_enter(before);
    if (err)
        return err;
    host_add_contact(ha, b);
    host_add_contact(hb, a);
    host_pump(ha);
    host_pump(hb);
    const uint64_t limit = s->world.now_ns + pair_limit_ns;
    while (!is_paired(ha, hb) || !is_paired(hb, ha)) {
        const struct event *e = heap_top(&s->world.heap);
        if (!e || e->time_ns > limit || !sim_step(s))
            return ERR_TIMEOUT;
    }
    return 0;
}

void sim_begin(struct sim *s) {
    inspect_begin(s);
    if (s->world.tap.begin)
        s->world.tap.begin(s->world.tap.ctx, s);
    for (uint32_t i = 0; i < s->world.host_count; i++)
        host_stop(s->world.hosts[i]);
    clog_clear(s);
    world_drop_events(&s->world);
    ledger_clear(&s->ledger);
    s->world.stats = (struct world_stats){0};
    s->world.now_ns = WORLD_START_NS;
    s->world.begun = true;
    for (uint32_t i = 0; i < s->world.host_count; i++) {
        struct host *h = s->world.hosts[i];
        h->past = (struct endpoint_counters){0};
        h->seq = h->sent = 0;
        h->wake_ns = LEDGER_NEVER;
        h->leaked_bytes = 0;
        h->clock.base_ns = h->clock.local_ns = s->world.now_ns;
        for (uint32_t k = 0; k < h->contact_count && !h->options.lazy; k++)
            ledger_bond(&s->ledger, i, h->contacts[k])->willing = true;
        settle(s, h);
    }
    for (uint32_t i = 0; i < s->world.host_count; i++) {
        struct host *h = s->world.hosts[i];
        if (h->hostile) {
            const struct hostile_plan plan = h->hostile->plan;
            hostile_clear(h);
            hostile_begin(h, &plan);
        }
        host_start(h);
        duty_line(h);
    }
    load_begin(s);
}

/* ---- time ---- */

static void hear_icmp(struct sim *s, struct icmp_note *note) {
    if (icmp_heard(&s->world, note) && note->kind == ICMP_TOO_BIG)
        host_too_big(s->world.hosts[note->host], note);
    slab_put(&s->world.slab, note);
}

static void dispatch(struct sim *s, const struct event *e) {
    struct host *source = s->world.hosts[e->source];
    switch ((enum event_kind)e->kind) {
    case EVENT_ARRIVE:
        wire_arrive(s, e->ref);
        break;
    case EVENT_LINE:
        wire_line(s, e->ref);
        break;
    case EVENT_DELIVER: /* asks itself whether the receiver runs */
        wire_deliver(s, e->ref);
        break;
    case EVENT_WAKE:
        if (!host_holds(source, e))
            host_wake(source);
        break;
    case EVENT_FILE:
        if (!host_holds(source, e))
            host_file_done(source, e);
        break;
    case EVENT_LOAD:
        if (!host_holds(source, e))
            load_run(s, e);
        break;
    case EVENT_HOSTILE:
        if (!host_holds(source, e))
            hostile_run(source, e);
        break;
    case EVENT_ICMP:
        hear_icmp(s, e->ref);
        break;
    case EVENT_UNCLOG:
        clog_release(s, false);
        break;
    case EVENT_RESUME:
        if (source->pauses == e->tag)
            host_resume(source);
        break;
    }
}

/* At ten thousand nodes nothing is in the cache when its turn comes: what the events near the top of
 * the heap will touch is fetched while this one runs. */
static void fetch_ahead(const struct sim *s) {
    const struct heap *heap = &s->world.heap;
    for (size_t i = 1; i < 5 && i < heap->count; i++) {
        const struct event *e = &heap->events[i];
        const uint32_t host = e->kind == EVENT_DELIVER ? e->tag : e->source;
        const char *h = (const char *)s->world.hosts[host];
        __builtin_prefetch(h);
        __builtin_prefetch(h + 64);
        __builtin_prefetch(h + 128);
        if (e->kind == EVENT_DELIVER)
            __builtin_prefetch(e->ref);
    }
    if (heap->count > 0) {
        const struct event *e = &heap->events[0];
        const struct host *h = s->world.hosts[e->kind == EVENT_DELIVER ? e->tag : e->source];
        __builtin_prefetch(h->node);
        __builtin_prefetch((const char *)h->node + 64);
        if (e->kind == EVENT_DELIVER)
            __builtin_prefetch((const char *)e->ref + 64);
    }
}

bool sim_step(struct sim *s) {
    struct event e;
    if (s->world.failure[0] || !heap_pop(&s->world.heap, &e))
        return false;
    fetch_ahead(s);
    s->world.now_ns = e.time_ns;
    s->world.stats.events++;
    if (s->watch)
        inspect_seconds(s);
    dispatch(s, &e);
    return true;
}

bool sim_run_while_not(struct sim *s, uint64_t time_ns, bool (*done)(void *ctx), void *ctx) {
    const uint64_t until = WORLD_START_NS + time_ns;
    for (;;) {
        if (done && done(ctx))
            return true;
        const struct event *e = heap_top(&s->world.heap);
        if (!e || e->time_ns > until || !sim_step(s))
            break;
    }
    if (!s->world.failure[0] && s->world.now_ns < until)
        s->world.now_ns = until;
    return false;
}

void sim_run_until(struct sim *s, uint64_t time_ns) {
    (void)sim_run_while_not(s, time_ns, NULL, NULL);
}
