/* host.c: one host: its node's life, and the turns in which the world pulls what the node wants. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

static uint32_t entity(const struct host *h, enum entity e) {
    return h->index * ENTITIES + (uint32_t)e;
}

struct host *host_new(struct sim *s, const struct sim_host_options *o) {
    struct host *h = calloc(1, sizeof *h);
    if (!h)
        abort();
    h->sim = s;
    h->index = s->host_count;
    (void)snprintf(h->name, sizeof h->name, "%s", o->name);
    h->cc = o->cc;
    h->ipv6 = o->ipv6;
    h->wake_ns = LEDGER_NEVER;
    h->store = store_mem_new();
    h->disk = disk_new(&s->draw, entity(h, ENTITY_DISK));
    if (!h->store || !h->disk)
        abort();
    link_init(&h->up, &s->draw, entity(h, ENTITY_UP));
    link_init(&h->down, &s->draw, entity(h, ENTITY_DOWN));
    struct draw_stream birth;
    draw_stream_init(&birth, &s->draw, entity(h, ENTITY_IDENTITY), 0);
    identity_generate(&h->identity, &(struct rng){draw_stream_fill, &birth});
    return h;
}

/* A process that dies gives nothing back. The core still frees what it has handed out, so finished
 * operations go to it with an error while neither store nor disk see anything of it. */
static void bury(struct host *h) {
    const struct endpoint_counters *c = endpoint_counters(node_endpoint(h->node));
#define X(name) h->past.name += c->name;
    ENDPOINT_COUNTERS(X)
#undef X
    store_mem_freeze(h->store, true);
    for (unsigned rounds = 0; h->op_count > 0 && rounds < WORLD_TURNS_MAX; rounds++) {
        struct file_op *op = h->ops[--h->op_count];
        op->err = ERR_IO;
        op->bytes = 0;
        node_file_done(h->node, world_now_us(h->sim), op);
    }
    node_free(h->node);
    store_mem_freeze(h->store, false);
    disk_crash(h->disk);
    h->node = NULL;
    ledger_died(&h->sim->ledger, sim_now_ns(h->sim), h->index);
}

void host_free(struct host *h) {
    if (h->node)
        bury(h);
    store_mem_free(h->store);
    disk_free(h->disk);
    identity_clear(&h->identity);
    free(h->ops);
    free(h);
}

static void on_log(void *ctx, enum log_level level, const char *line) {
    const struct host *h = ctx;
    const struct sim_tap *tap = &h->sim->tap;
    if (tap->log && h->sim->begun)
        tap->log(tap->ctx, sim_now_ns(h->sim), h->name, level, line);
}

void host_start(struct host *h) {
    struct sim *s = h->sim;
    if (h->node)
        return;
    draw_stream_init(&h->rng, &s->draw, entity(h, ENTITY_NODE), h->life++);
    struct node_config cfg = {
        .identity = &h->identity,
        .accept = ACCEPT_CONTACTS,
        .download_dir = WORLD_DOWNLOADS,
        .cc = h->cc,
        .aead = AEAD_AUTO,
        .hash = TREEHASH_BLAKE2B,
        .tell = {h->addr},
        .tell_count = 1,
        .wall_us = WORLD_WALL_US + world_now_us(s),
    };
    const struct env env = {
        .rng = {draw_stream_fill, &h->rng},
        .store = store_mem_face(h->store),
        .log = on_log,
        .log_ctx = h,
    };
    h->node = node_new(&cfg, &env, world_now_us(s));
    if (!h->node) {
        world_fail(s, h, "the node does not start");
        return;
    }
    host_pump(h);
}

void host_kill(struct host *h) {
    if (h->node)
        bury(h);
}

void host_stop(struct host *h) {
    if (!h->node)
        return;
    node_shutdown(h->node, world_now_us(h->sim));
    host_pump(h);
    host_kill(h);
}

static void submit(struct host *h, struct file_op *op) {
    if (h->op_count == h->op_cap) {
        h->op_cap = h->op_cap ? h->op_cap * 2 : 16;
        h->ops = realloc(h->ops, h->op_cap * sizeof(struct file_op *));
        if (!h->ops)
            abort();
    }
    h->ops[h->op_count++] = op;
    h->sim->stats.file_ops++;
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
    disk_run(h->disk, h->sim->now_ns, e->ref);
    node_file_done(h->node, world_now_us(h->sim), e->ref);
    host_pump(h);
}

/* Messages carry "#<serial> " (act.c). */
static void got_message(struct host *h, uint32_t peer, uint64_t seq) {
    struct message_info m;
    uint64_t serial = UINT64_MAX;
    char head[24] = {0};
    if (node_message_next(h->node, seq - 1, NULL, &m) && m.seq == seq && m.len > 1) {
        memcpy(head, m.text, m.len < sizeof head - 1 ? m.len : sizeof head - 1);
        if (head[0] == '#')
            serial = strtoull(head + 1, NULL, 10);
    }
    ledger_got_message(&h->sim->ledger, sim_now_ns(h->sim), h->index, peer, serial);
}

/* The ledger believes a "done" only if the bytes are on the other disk. */
static void check_done(struct sim *s, const struct host *h, uint64_t id) {
    struct ledger *l = &s->ledger;
    for (uint64_t i = l->transfer_count; i-- > 0;) {
        struct ledger_transfer *t = &l->transfers[i];
        if (t->from != h->index || t->id != id || !t->done)
            continue;
        char path[160];
        struct disk_file_info info;
        (void)snprintf(path, sizeof path, WORLD_DOWNLOADS "/%s", t->name);
        t->verified = disk_file_info(s->hosts[t->to]->disk, path, &info) && info.complete &&
                      info.size == t->size;
        return;
    }
}

static void on_event(struct host *h, const struct node_event *e) {
    struct sim *s = h->sim;
    if (!s->begun)
        return;
    const uint32_t peer = e->contact[0] ? sim_host_find(s, e->contact) : SIM_NO_HOST;
    trace_add(&s->trace, &(struct trace_record){.time_ns = s->now_ns,
                                                .source = h->index,
                                                .target = peer,
                                                .length = (uint32_t)-e->err,
                                                .kind = (uint16_t)(TRACE_NODE_EVENT + e->kind),
                                                .detail = e->bytes});
    if (s->tap.node_event)
        s->tap.node_event(s->tap.ctx, sim_now_ns(s), h->name, e);
    ledger_event(&s->ledger, sim_now_ns(s), h->index, peer, e);
    if (e->kind == NODE_MESSAGE)
        got_message(h, peer, e->id);
    if (e->kind == NODE_TRANSFER_DONE)
        check_done(s, h, e->id);
}

/* One event in the heap per host suffices: an earlier one than needed is taken for a reason to look
 * again, a later one is overtaken by a new one. */
static void arm(struct host *h) {
    const uint64_t deadline_us = node_deadline_us(h->node);
    if (deadline_us == TIME_NEVER || deadline_us > UINT64_MAX / 1000)
        return;
    uint64_t at_ns = deadline_us * 1000;
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

void host_pump(struct host *h) {
    struct sim *s = h->sim;
    const uint64_t now_us = world_now_us(s);
    bool more = true;
    s->stats.turns++;
    while (more) {
        if (livelocked(h)) {
            world_fail(s, h, "the node does not come to rest");
            return;
        }
        more = false;
        for (struct file_op *op; (op = node_next_file_op(h->node)) != NULL; more = true)
            submit(h, op);
        for (struct node_event e; node_poll(h->node, &e); more = true)
            on_event(h, &e);
        for (;;) {
            struct train t = {.buf = s->train, .local = LOCAL_ANY};
            if (!node_output(h->node, now_us, &t))
                break;
            wire_send(h, &t);
            more = true;
            if (livelocked(h))
                break;
        }
    }
    arm(h);
}

void host_wake(struct host *h) {
    if (h->wake_ns > h->sim->now_ns)
        return; /* overtaken by an earlier one that has been served */
    h->wake_ns = LEDGER_NEVER;
    if (!h->node)
        return;
    if (node_deadline_us(h->node) > world_now_us(h->sim)) {
        arm(h);
        return;
    }
    node_timeout(h->node, world_now_us(h->sim));
    host_pump(h);
}
