/* host.c: one host: its node's life, and the turns in which the world pulls what the node wants. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world/world.h"

struct host *host_new(struct sim *s, const struct sim_host_options *o) {
    struct host *h = calloc(1, sizeof *h);
    if (!h)
        abort();
    h->sim = s;
    h->index = s->host_count;
    (void)snprintf(h->name, sizeof h->name, "%s", o->name);
    (void)snprintf(h->group, sizeof h->group, "%s", o->group ? o->group : "");
    h->options = *o;
    h->options.name = h->options.group = NULL;
    if (!o->ipv4 && !o->ipv6)
        h->options.ipv4 = true;
    h->site = o->site;
    h->region = o->region;
    if (h->site != SITE_NONE)
        h->region = s->route.sites[h->site]->region;
    h->wake_ns = LEDGER_NEVER;
    h->clock = (struct hclock){.base_ns = s->now_ns, .local_ns = s->now_ns};
    h->store = store_mem_new();
    h->disk = disk_new(&s->draw, world_entity(h, ENTITY_DISK));
    if (!h->store || !h->disk)
        abort();
    link_init(&h->up, &s->draw, world_entity(h, ENTITY_UP));
    link_init(&h->down, &s->draw, world_entity(h, ENTITY_DOWN));
    h->plain_down = link_is_plain(&h->down);
    struct draw_stream birth;
    draw_stream_init(&birth, &s->draw, world_entity(h, ENTITY_IDENTITY), 0);
    identity_generate(&h->identity, &(struct rng){draw_stream_fill, &birth});
    return h;
}

/* A process that dies gives nothing back. The core still frees what it has handed out, so finished
 * operations go to it with an error while neither store nor disk see anything of it. */
static void bury(struct host *h) {
    const struct endpoint_counters *c = node_counters(h->node);
#define X(name) h->past.name += c->name;
    ENDPOINT_COUNTERS(X)
#undef X
    store_mem_freeze(h->store, true);
    struct arena *before = arena_enter(&h->arena);
    for (unsigned rounds = 0; h->op_count > 0 && rounds < WORLD_TURNS_MAX; rounds++) {
        struct file_op *op = h->ops[--h->op_count];
        op->err = ERR_IO;
        op->bytes = 0;
        node_file_done(h->node, host_now_us(h), op);
    }
    node_free(h->node);
    (void)arena_enter(before);
    h->leaked_bytes += h->arena.bytes;
    inspect_ended(h, h->arena.bytes);
    if (h->arena.peak_bytes > h->sim->stats.peak_node_bytes)
        h->sim->stats.peak_node_bytes = h->arena.peak_bytes;
    arena_clear(&h->arena);
    store_mem_freeze(h->store, false);
    disk_crash(h->disk);
    h->node = NULL;
    duty_trouble(h, TROUBLE_DOWN, true);
    duty_died(h);
    ledger_died(&h->sim->ledger, sim_now_ns(h->sim), h->index);
}

void host_free(struct host *h) {
    if (h->node)
        bury(h);
    hostile_clear(h);
    link_lose(&h->up, NULL, 0);
    link_lose(&h->down, NULL, 0);
    store_mem_free(h->store);
    disk_free(h->disk);
    identity_clear(&h->identity);
    for (uint32_t i = 0; i < h->held_count; i++)
        if (h->held[i].kind == EVENT_DELIVER)
            slab_put(&h->sim->slab, h->held[i].ref);
    free(h->held);
    free(h->contacts);
    free(h->silences);
    free(h->ops);
    free(h);
}

void host_add_contact(struct host *h, uint32_t other) {
    for (uint32_t i = 0; i < h->contact_count; i++)
        if (h->contacts[i] == other)
            return;
    if (h->contact_count == h->contact_cap) {
        h->contact_cap = h->contact_cap ? h->contact_cap * 2 : 4;
        h->contacts = realloc(h->contacts, h->contact_cap * sizeof *h->contacts);
        h->silences = realloc(h->silences, h->contact_cap * sizeof *h->silences);
        if (!h->contacts || !h->silences)
            abort();
    }
    h->silences[h->contact_count] = (struct silence){0};
    h->contacts[h->contact_count++] = other;
    if (h->sim->watch)
        watch_contact(h->sim->watch, h->index, other);
}

static void on_log(void *ctx, enum log_level level, const char *line) {
    const struct host *h = ctx;
    const struct sim_tap *tap = &h->sim->tap;
    struct arena *before = arena_enter(NULL);
    if (tap->log && h->sim->begun)
        tap->log(tap->ctx, sim_now_ns(h->sim), h->name, level, line);
    (void)arena_enter(before);
}

/* ---- what it knows of itself ---- */

static unsigned own_addresses(const struct host *h, struct addr out[static 3]) {
    unsigned n = 0;
    if (!h->sim->begun) {
        if (h->options.ipv4)
            route_number_address(h->setup_number, false, WORLD_PORT, &out[n++]);
        if (h->options.ipv6)
            route_number_address(h->setup_number, true, WORLD_PORT, &out[n++]);
        return n;
    }
    if (h->hostile && h->hostile->plan.lies) {
        const struct host *other = h->sim->hosts[h->hostile->plan.lie_host];
        for (unsigned i = 0; i < other->addr_count; i++)
            out[n++] = other->addrs[i];
        return n;
    }
    if (h->mapped.kind != ADDR_NONE)
        out[n++] = h->mapped;
    for (unsigned i = 0; i < h->addr_count; i++)
        out[n++] = h->addrs[i];
    return n;
}

void host_tell(struct host *h) {
    struct addr own[3];
    if (h->node)
        node_set_tell(h->node, own, own_addresses(h, own));
}

void host_network_changed(struct host *h) {
    if (!h->node)
        return;
    struct arena *before = arena_enter(&h->arena);
    node_network_changed(h->node, host_now_us(h));
    (void)arena_enter(before);
}

uint64_t host_wall_us(const struct host *h) {
    const uint64_t right = WORLD_WALL_US + h->sim->now_ns / 1000;
    const uint64_t ahead = h->hostile ? h->hostile->plan.future_us : 0;
    return right + (uint64_t)h->clock.wall_offset_us + ahead;
}

void host_set_wall(struct host *h) {
    if (h->node)
        node_set_wall(h->node, host_now_us(h), host_wall_us(h));
}

/* ---- its node's life ---- */

void host_start(struct host *h) {
    struct sim *s = h->sim;
    if (h->node)
        return;
    draw_stream_init(&h->rng, &s->draw, world_entity(h, ENTITY_NODE), h->life++);
    struct addr own[3];
    struct node_config cfg = {
        .identity = h->hostile && h->hostile->plan.forges ? &h->hostile->forged : &h->identity,
        .accept = ACCEPT_CONTACTS,
        .lazy = h->options.lazy,
        .download_dir = WORLD_DOWNLOADS,
        .cc = h->options.cc,
        .aead = AEAD_AUTO,
        .suites = h->options.suites,
        .tell_count = own_addresses(h, own),
        .wall_us = host_wall_us(h),
    };
    memcpy(cfg.tell, own, cfg.tell_count * sizeof *own);
    const struct env env = {
        .rng = {draw_stream_fill, &h->rng},
        .store = store_mem_face(h->store),
        .log = on_log,
        .log_ctx = h,
    };
    /* What it finds is on the disk (node/base/store.h). */
    if (store_mem_sync_end(h->store, store_mem_sync_begin(h->store)) != 0)
        return; /* a broken disk: it says so and ends */
    struct arena *before = arena_enter(&h->arena);
    h->node = node_new(&cfg, &env, host_now_us(h));
    (void)arena_enter(before);
    if (!h->node && store_mem_fails(h->store))
        return;
    if (!h->node) {
        world_fail(s, h, "the node does not start");
        return;
    }
    duty_trouble(h, TROUBLE_DOWN, false);
    duty_hostile(h);
    inspect_started(h);
    host_pump(h);
}

void host_kill(struct host *h) {
    if (h->node)
        bury(h);
}

void host_stop(struct host *h) {
    if (!h->node)
        return;
    duty_trouble(h, TROUBLE_DOWN, true); /* whatever ends with it ends for that */
    struct arena *before = arena_enter(&h->arena);
    node_shutdown(h->node, host_now_us(h));
    (void)arena_enter(before);
    if (h->state == HOST_RUNS)
        host_pump(h);
    host_kill(h);
}

/* ---- turns ---- */

static void submit(struct host *h, struct file_op *op) {
    if (h->op_count == h->op_cap) {
        h->op_cap = h->op_cap ? h->op_cap * 2 : 16;
        h->ops = realloc(h->ops, h->op_cap * sizeof(struct file_op *));
        if (!h->ops)
            abort();
    }
    h->ops[h->op_count++] = op;
    h->sim->stats.file_ops++;
    if (op->kind == FILE_OP_STORE_SYNC)
        h->sync_token = store_mem_sync_begin(h->store);
    world_push(h->sim, h,
               &(struct event){.time_ns = disk_submit(h->disk, h->sim->now_ns, op),
                               .kind = EVENT_FILE,
                               .tag = h->life,
                               .ref = op});
}

void host_file_done(struct host *h, const struct event *e) {
    if (!h->node || e->tag != h->life)
        return; /* an operation of an earlier life */
    uint32_t i = 0;
    while (i < h->op_count && h->ops[i] != e->ref)
        i++;
    assert(i < h->op_count);
    memmove(h->ops + i, h->ops + i + 1, (h->op_count - i - 1) * sizeof(struct file_op *));
    h->op_count--;
    struct file_op *op = e->ref;
    disk_run(h->disk, h->sim->now_ns, op);
    if (op->kind == FILE_OP_STORE_SYNC)
        op->err = store_mem_sync_end(h->store, h->sync_token);
    if (op->kind == FILE_OP_COMMIT && !op->err)
        inspect_commit(h);
    if (op->err == ERR_DISK || op->err == ERR_IO)
        duty_moment(h, op->kind == FILE_OP_STORE_SYNC ? TROUBLE_STORE : TROUBLE_DISK);
    struct arena *before = arena_enter(&h->arena);
    node_file_done(h->node, host_now_us(h), e->ref);
    (void)arena_enter(before);
    host_pump(h);
}

/* One event in the heap per host suffices: an earlier one than needed is taken for a reason to look
 * again, a later one is overtaken by a new one. */
static void arm(struct host *h) {
    const uint64_t deadline_us = node_deadline_us(h->node);
    if (deadline_us == TIME_NEVER || deadline_us > UINT64_MAX / 1000)
        return;
    uint64_t at_ns = hclock_when_ns(&h->clock, deadline_us * 1000);
    if (at_ns < h->sim->now_ns)
        at_ns = h->sim->now_ns;
    if (h->wake_ns != LEDGER_NEVER && h->wake_ns <= at_ns)
        return;
    h->wake_ns = at_ns;
    world_push(h->sim, h, &(struct event){.time_ns = at_ns, .kind = EVENT_WAKE, .tag = h->index});
}

static bool livelocked(struct host *h) {
    if (h->turn_ns != h->sim->now_ns) {
        h->turn_ns = h->sim->now_ns;
        h->turns = 0;
    }
    return ++h->turns > WORLD_TURNS_MAX;
}

/* What the core allocates counts for the host; what the world does with the answer does not. */
static struct file_op *next_file_op(struct host *h) {
    struct arena *before = arena_enter(&h->arena);
    struct file_op *op = node_next_file_op(h->node);
    (void)arena_enter(before);
    return op;
}

static bool next_event(struct host *h, struct node_event *e) {
    struct arena *before = arena_enter(&h->arena);
    const bool any = node_poll(h->node, e);
    (void)arena_enter(before);
    return any;
}

static bool next_train(struct host *h, uint64_t now_us, struct train *t) {
    struct arena *before = arena_enter(&h->arena);
    const bool any = node_output(h->node, now_us, t);
    (void)arena_enter(before);
    return any;
}

static bool dead(const struct host *h) {
    return store_mem_died(h->store);
}

/* Everything the node has to give; false: it does not come to rest. */
static bool pull(struct host *h) {
    struct sim *s = h->sim;
    s->acting = h->index;
    const uint64_t now_us = host_now_us(h);
    bool more = true;
    while (more) {
        if (livelocked(h))
            return false;
        more = false;
        for (struct file_op *op; (op = next_file_op(h)) != NULL; more = true)
            submit(h, op);
        for (struct node_event e; !dead(h) && next_event(h, &e) && !dead(h); more = true)
            heard_event(h, &e);
        if (dead(h))
            return true;
        for (struct node_datagram d; node_datagram_next(h->node, &d); more = true)
            load_flow_got(h, d.data, d.len);
        for (;;) {
            struct train t = {.buf = s->train};
            if (!next_train(h, now_us, &t) || dead(h))
                break;
            wire_send(h, &t);
            more = true;
            if (livelocked(h))
                break;
        }
    }
    return true;
}

/* Between two writes: nothing that it would have said afterwards leaves. */
static bool dies(struct host *h) {
    if (!store_mem_died(h->store))
        return false;
    const bool power = h->dies_of_power;
    h->dies_of_power = false;
    if (power)
        sim_power_cut(h->sim, h->index);
    else
        host_kill(h);
    return true;
}

void host_pump(struct host *h) {
    h->sim->stats.turns++;
    inspect_turn(h);
    const bool rests = pull(h);
    if (dies(h))
        return;
    if (!rests)
        world_fail(h->sim, h, "the node does not come to rest");
    else
        arm(h);
}

void host_wake(struct host *h) {
    if (h->wake_ns > h->sim->now_ns)
        return; /* overtaken by an earlier one that has been served */
    h->wake_ns = LEDGER_NEVER;
    if (!h->node)
        return;
    if (node_deadline_us(h->node) > host_now_us(h)) {
        arm(h);
        return;
    }
    struct arena *before = arena_enter(&h->arena);
    node_timeout(h->node, host_now_us(h));
    (void)arena_enter(before);
    host_pump(h);
}
