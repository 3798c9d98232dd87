/* sim.c: the world's clock and its list of hosts. */
#include "sim/world/sim.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/engine/crypto_mode.h"
#include "sim/world/icmp.h"
#include "sim/world/pause.h"
#include "sim/world/sim_int.h"
#include "sim/world/turn.h"

static const uint64_t pair_limit_ns = 60 * SIM_S;
static const uint64_t ticket_ttl_s = 3600;

struct sim *sim_new(const struct sim_config *cfg) {
    if (sodium_init() < 0)
        abort();
    struct sim *s = mem_aligned(_Alignof(struct sim), sizeof *s); /* it holds a hash's state */
    if (!s)
        abort();
    memset(s, 0, sizeof *s);
    world_init(&s->world, cfg->seed, &cfg->tap);
    sites_init(&s->sites, &s->world);
    flight_init(&s->flight, &s->world, &s->sites);
    duties_init(&s->duties, &s->world, &s->sites);
    inspection_init(&s->inspection, &s->world, &s->duties.ledger, cfg->watched);
    loads_init(&s->loads, &s->world);
    pipes_init(&s->pipes, &s->flight);
    s->world.flight = &s->flight;
    s->world.duties = &s->duties;
    s->world.inspection = &s->inspection;
    return s;
}

void sim_free(struct sim *s) {
    if (!s)
        return;
    for (uint32_t i = 0; i < s->world.host_count; i++) {
        hostile_clear(s->world.hosts[i]);
        host_free(s->world.hosts[i]);
    }
    loads_clear(&s->loads);
    pipes_clear(&s->pipes);
    sites_clear(&s->sites);
    clog_clear(&s->flight.clog);
    inspection_clear(&s->inspection);
    duties_clear(&s->duties);
    world_clear(&s->world);
    mem_free(s);
}

struct pipes *sim_pipes(struct sim *s) {
    return &s->pipes;
}

void sim_tcp_rule(struct sim *s, uint32_t host, const struct tcp_rule *rule) {
    s->world.hosts[host]->tcp = *rule;
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

const struct watch *sim_watch(const struct sim *s) {
    return s->inspection.watch;
}

const struct demands *sim_demands(const struct sim *s) {
    return &s->duties.demands;
}

const struct ledger *sim_ledger(const struct sim *s) {
    return &s->duties.ledger;
}

/* ---- hosts ---- */

static bool name_ok(const char *name) {
    const size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
            return false;
    return len > 0 && len <= SIM_NAME_MAX;
}

static void settle(struct sites *ss, struct host *h) {
    for (uint32_t i = 0; i < h->nic_count; i++)
        if (!sites_settle(ss, h, i))
            world_fail(ss->world, h, "no addresses are left");
}

int sim_host_add(struct sim *s, const struct sim_host_options *o, uint32_t *host) {
    if (!name_ok(o->name))
        return ERR_USAGE;
    if (world_find(&s->world, o->name) != SIM_NO_HOST)
        return ERR_EXISTS;
    if (s->world.host_count == SIM_HOSTS_MAX)
        return ERR_FULL;
    struct sim_host_options own = *o;
    if (o->site != SITE_NONE)
        own.region = s->sites.list[o->site]->region;
    struct host *h = host_new(&s->world, &own);
    *host = h->index;
    world_add_host(&s->world, h);
    h->setup_number = sites_number_new(&s->sites, h);
    if (h->setup_number == 0)
        return ERR_FULL;
    if (s->world.begun) {
        settle(&s->sites, h);
        turn_start(h);
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
    if (h->first.site != SITE_NONE)
        return s->sites.list[h->first.site]->name;
    return h->group[0] ? h->group : "public";
}

const char *sim_host_name(const struct sim *s, uint32_t host) {
    return world_name(&s->world, host);
}

void sim_link_lose(struct sim *s, uint32_t host, enum sim_direction d, const uint64_t *packets,
                   uint64_t count) {
    struct host *h = s->world.hosts[host];
    link_lose(d == SIM_UP ? &h->first.up : &h->first.down, packets, (uint32_t)count);
    h->first.plain_down = link_is_plain(&h->first.down);
}

const uint32_t *sim_contacts(const struct sim *s, uint32_t host, uint32_t *count) {
    *count = s->world.hosts[host]->contact_count;
    return s->world.hosts[host]->contacts;
}

uint64_t sim_choice(const struct sim *s, uint32_t host, uint64_t number) {
    return draw_u64(&s->world.draw, host, DRAW_GRAPH, number);
}

bool sim_runs(const struct sim *s, uint32_t host) {
    return s->world.hosts[host]->node && s->world.hosts[host]->state == HOST_RUNS;
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
        turn_pump(s->world.hosts[host]);
}

/* ---- before time 0 ---- */

static bool is_paired(const struct host *h, const struct host *with) {
    struct contact_info info;
    return node_contact_get(h->node, host_now_us(h), with->name, &info) && info.paired &&
           info.online;
}

/* With the relays that it knows. */
static void start_for_pairing(struct world *w, struct host *h) {
    for (uint32_t i = 0; i < h->options.relay_count; i++)
        turn_start(w->hosts[h->options.relays[i]]);
    turn_start(h);
}

int sim_pair(struct sim *s, uint32_t a, uint32_t b) {
    struct host *ha = s->world.hosts[a], *hb = s->world.hosts[b];
    char ticket[TICKET_TEXT_MAX + 1];
    start_for_pairing(&s->world, ha);
    start_for_pairing(&s->world, hb);
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
    turn_pump(ha);
    turn_pump(hb);
    const uint64_t limit = s->world.now_ns + pair_limit_ns;
    while (!is_paired(ha, hb) || !is_paired(hb, ha)) {
        uint64_t next_ns;
        if (!world_next(&s->world, &next_ns) || next_ns > limit || !sim_step(s))
            return ERR_TIMEOUT;
    }
    return 0;
}

void sim_begin(struct sim *s) {
    inspect_begin(&s->inspection);
    if (s->world.tap.begin)
        s->world.tap.begin(s->world.tap.ctx, s);
    for (uint32_t i = 0; i < s->world.host_count; i++)
        turn_stop(s->world.hosts[i]);
    clog_clear(&s->flight.clog);
    world_drop_events(&s->world);
    ledger_clear(&s->duties.ledger);
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
            ledger_bond(&s->duties.ledger, i, h->contacts[k])->willing = true;
        settle(&s->sites, h);
    }
    for (uint32_t i = 0; i < s->world.host_count; i++) {
        struct host *h = s->world.hosts[i];
        if (h->hostile) {
            const struct hostile_plan plan = h->hostile->plan;
            hostile_clear(h);
            (void)hostile_begin(h, &plan); /* none runs */
        }
        turn_start(h);
        duty_line(&s->duties, h);
    }
    loads_begin(&s->loads);
}

void sim_settle(struct sim *s) {
    inspect_confirmed(&s->inspection);
    duties_settle(&s->duties);
}

void sim_end(struct sim *s) {
    inspect_end(&s->inspection);
    for (uint32_t i = 0; i < s->world.host_count; i++)
        host_kill(s->world.hosts[i]);
    for (uint32_t i = 0; i < s->world.host_count; i++)
        pause_end(s->world.hosts[i]);
    clog_clear(&s->flight.clog);
    world_drop_events(&s->world);
    inspect_packets(&s->inspection);
}

/* ---- time ---- */

static void hear_icmp(struct world *w, struct icmp_note *note) {
    if (icmp_heard(w, note) && note->kind == ICMP_TOO_BIG)
        turn_too_big(w->hosts[note->host], note);
    slab_put(&w->slab, note);
}

static void deliver(struct sim *s, const struct event *e) {
    struct packet *p = flight_deliver(&s->flight, e->ref);
    struct host *h = p ? s->world.hosts[p->target] : NULL;
    if (!h || pause_holds(h, e))
        return;
    if (p->tcp)
        pipes_receive(&s->pipes, h, p);
    else
        turn_receive(h, p);
}

static void run_load(struct sim *s, const struct event *e) {
    struct load_due due;
    if (loads_due(&s->loads, e, &due))
        order_load(s, &due);
    loads_again(&s->loads, e);
}

static void dispatch(struct sim *s, const struct event *e) {
    struct host *source = s->world.hosts[e->source];
    switch ((enum event_kind)e->kind) {
    case EVENT_ARRIVE:
        flight_arrive(&s->flight, e->ref);
        break;
    case EVENT_LINE:
        flight_line(&s->flight, e->ref);
        break;
    case EVENT_DELIVER: /* asks itself whether the receiver runs */
        deliver(s, e);
        break;
    case EVENT_WAKE:
        if (!pause_holds(source, e))
            turn_wake(source);
        break;
    case EVENT_FILE:
        if (!pause_holds(source, e))
            turn_file_done(source, e);
        break;
    case EVENT_LOAD:
        if (!pause_holds(source, e))
            run_load(s, e);
        break;
    case EVENT_HOSTILE:
        if (!pause_holds(source, e))
            hostile_run(source, e);
        if (source->node && source->hostile && source->hostile->plan.opens)
            turn_pump(source); /* its node has been asked for something */
        break;
    case EVENT_ICMP:
        hear_icmp(&s->world, e->ref);
        break;
    case EVENT_PIPE:
        if (!pause_holds(source, e))
            pipes_wake(&s->pipes, e);
        break;
    case EVENT_UNCLOG:
        clog_release(&s->flight.clog, false);
        break;
    case EVENT_RESUME:
        if (source->pauses == e->tag)
            pause_end(source);
        break;
    }
}

/* At ten thousand nodes nothing is in the cache when its turn comes: what the events near the top
 * of the heap will touch is fetched while this one runs. */
static void fetch(const void *at, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)at + i);
}

static void fetch_ahead(const struct world *w) {
    enum { HOST_BYTES = 192, NODE_BYTES = 1024, ARENA_BYTES = 192 };
    const struct heap *heap = &w->heap;
    const struct wake *wake = wakes_top(&w->wakes);
    for (size_t i = 1; i < 5 && i < heap->count; i++) {
        const struct event *e = &heap->events[i];
        fetch(w->hosts[e->kind == EVENT_DELIVER ? e->tag : e->source], HOST_BYTES);
        if (e->kind == EVENT_DELIVER)
            __builtin_prefetch(e->ref);
    }
    if (wake)
        fetch(w->hosts[wake->host], HOST_BYTES);
    if (heap->count > 0) {
        const struct event *e = &heap->events[0];
        const struct host *h = w->hosts[e->kind == EVENT_DELIVER ? e->tag : e->source];
        fetch(h->node, NODE_BYTES);
        fetch(h->arena.heap, ARENA_BYTES);
        if (e->kind == EVENT_DELIVER)
            __builtin_prefetch((const char *)e->ref + 64);
    }
}

bool sim_step(struct sim *s) {
    struct event e;
    if (s->world.failure[0] || !world_pop(&s->world, &e))
        return false;
    fetch_ahead(&s->world);
    s->world.now_ns = e.time_ns;
    s->world.stats.events++;
    inspect_seconds(&s->inspection);
    dispatch(s, &e);
    return true;
}

bool sim_run_while_not(struct sim *s, uint64_t time_ns, bool (*done)(void *ctx), void *ctx) {
    const uint64_t until = WORLD_START_NS + time_ns;
    for (;;) {
        if (done && done(ctx))
            return true;
        uint64_t next_ns;
        if (!world_next(&s->world, &next_ns) || next_ns > until || !sim_step(s))
            break;
    }
    if (!s->world.failure[0] && s->world.now_ns < until)
        s->world.now_ns = until;
    return false;
}

void sim_run_until(struct sim *s, uint64_t time_ns) {
    (void)sim_run_while_not(s, time_ns, NULL, NULL);
}
