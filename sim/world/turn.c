#include "sim/world/turn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/world/duty.h"
#include "sim/world/flight.h"
#include "sim/world/heard.h"
#include "sim/world/hostile.h"
#include "sim/world/inspect.h"
#include "sim/world/relays.h"

/* ---- its node's life ---- */

static void on_log(void *ctx, enum log_level level, const char *line) {
    const struct host *h = ctx;
    const struct sim_tap *tap = &h->world->tap;
    struct arena *before = arena_enter(NULL);
    if (tap->log && h->world->begun)
        tap->log(tap->ctx, world_run_ns(h->world), h->name, level, line);
    (void)arena_enter(before);
}

void turn_start(struct host *h) {
    struct world *w = h->world;
    if (h->node)
        return;
    draw_stream_init(&h->rng, &w->draw, world_entity(h, ENTITY_NODE), h->life++);
    struct addr own[HOST_OWN_MAX];
    const unsigned own_count = host_own_addresses(h, own);
    struct relay_config relay;
    relays_config(h, &relay);
    struct node_config cfg = {
        .identity = h->hostile && h->hostile->plan.forges ? &h->hostile->forged : &h->identity,
        .accept = ACCEPT_CONTACTS,
        .lazy = h->options.lazy,
        .download_dir = WORLD_DOWNLOADS,
        .cc = h->options.cc,
        .aead = AEAD_AUTO,
        .suites = h->options.suites,
        .tell_count = own_count < PEER_ADDRS_MAX ? own_count : PEER_ADDRS_MAX,
        .wall_us = host_wall_us(h),
        .relay = &relay,
        .path = h->options.path,
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
        world_fail(w, h, "the node does not start");
        return;
    }
    duty_trouble(h->world->duties, h, TROUBLE_DOWN, false);
    duty_hostile(h->world->duties, h);
    inspect_started(h->world->inspection, h);
    turn_pump(h);
}

void turn_stop(struct host *h) {
    if (!h->node)
        return;
    duty_trouble(h->world->duties, h, TROUBLE_DOWN, true); /* whatever ends with it ends for that */
    struct arena *before = arena_enter(&h->arena);
    node_shutdown(h->node, host_now_us(h));
    (void)arena_enter(before);
    if (h->state == HOST_RUNS)
        turn_pump(h);
    host_kill(h);
}

/* ---- turns ---- */

static void submit(struct host *h, struct file_op *op) {
    if (h->op_count == h->op_cap) {
        h->op_cap = h->op_cap ? h->op_cap * 2 : 16;
        h->ops = mem_realloc(h->ops, h->op_cap * sizeof(struct file_op *));
        if (!h->ops)
            abort();
    }
    h->ops[h->op_count++] = op;
    h->world->stats.file_ops++;
    if (op->kind == FILE_OP_STORE_SYNC)
        h->sync_token = store_mem_sync_begin(h->store);
    world_push(h->world, h,
               &(struct event){.time_ns = disk_submit(h->disk, h->world->now_ns, op),
                               .kind = EVENT_FILE,
                               .tag = h->life,
                               .ref = op});
}

void turn_file_done(struct host *h, const struct event *e) {
    if (!h->node || e->tag != h->life)
        return; /* an operation of an earlier life */
    uint32_t i = 0;
    while (i < h->op_count && h->ops[i] != e->ref)
        i++;
    assert(i < h->op_count);
    memmove(h->ops + i, h->ops + i + 1, (h->op_count - i - 1) * sizeof(struct file_op *));
    h->op_count--;
    struct file_op *op = e->ref;
    disk_run(h->disk, h->world->now_ns, op);
    if (op->kind == FILE_OP_STORE_SYNC)
        op->err = store_mem_sync_end(h->store, h->sync_token);
    if (op->kind == FILE_OP_COMMIT && !op->err)
        inspect_commit(h->world->inspection, h);
    if (op->err == ERR_DISK || op->err == ERR_IO)
        duty_moment(h->world->duties, h,
                    op->kind == FILE_OP_STORE_SYNC ? TROUBLE_STORE : TROUBLE_DISK);
    struct arena *before = arena_enter(&h->arena);
    node_file_done(h->node, host_now_us(h), e->ref);
    (void)arena_enter(before);
    turn_pump(h);
}

static void arm(struct host *h) {
    struct world *w = h->world;
    const uint64_t deadline_us = node_deadline_us(h->node);
    uint64_t at_ns = LEDGER_NEVER;
    if (deadline_us <= UINT64_MAX / 1000)
        at_ns = hclock_when_ns(&h->clock, deadline_us * 1000);
    if (at_ns < w->now_ns)
        at_ns = w->now_ns;
    if (h->wake_ns == at_ns)
        return;
    h->wake_ns = at_ns;
    if (at_ns == LEDGER_NEVER)
        wakes_drop(&w->wakes, h->index);
    else
        wakes_set(&w->wakes, &(struct wake){at_ns, h->index, h->seq++});
}

static bool livelocked(struct host *h) {
    if (h->turn_ns != h->world->now_ns) {
        h->turn_ns = h->world->now_ns;
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

/* Names are found at once: what a lookup takes is no subject here. */
static bool look_up(struct host *h, uint64_t now_us) {
    struct addr found[RESOLVE_ADDRS_MAX];
    struct resolve ask;
    struct arena *before = arena_enter(&h->arena);
    const bool any = node_next_resolve(h->node, &ask);
    if (any)
        node_resolved(h->node, now_us, ask.id, found, relays_resolve(h->world, ask.host, found));
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
    return h->mortal && store_mem_died(h->store);
}

static void send_one(struct host *h, const struct train *t, const uint8_t *data, uint32_t len) {
    struct world *w = h->world;
    const struct addr *to = hop_addr(&t->to);
    if (h->hostile && w->begun && hostile_keeps(h, to, data, len))
        return;
    struct packet *p = packet_new(h, to, data, len);
    packet_leave_by(h, p, hop_socket(&t->to));
    p->ecn = t->ecn;
    inspect_sent(w->inspection, h, p);
    if (w->spies > 0 && w->begun)
        hostile_overheard(w, h->index, p);
    flight_send(w->flight, p);
}

static void send_train(struct host *h, const struct train *t) {
    for (size_t at = 0; at < t->len;) {
        const size_t left = t->len - at;
        const size_t len =
            t->segment_bytes > 0 && left > t->segment_bytes ? t->segment_bytes : left;
        send_one(h, t, t->buf + at, (uint32_t)len);
        at += len;
    }
}

/* Everything the node has to give; false: it does not come to rest. */
static bool pull(struct host *h) {
    inspect_acting(h->world->inspection, h);
    const uint64_t now_us = host_now_us(h);
    bool more = true;
    while (more) {
        if (livelocked(h))
            return false;
        more = false;
        for (struct file_op *op; (op = next_file_op(h)) != NULL; more = true)
            submit(h, op);
        while (!dead(h) && look_up(h, now_us))
            more = true;
        for (struct node_event e; !dead(h) && next_event(h, &e) && !dead(h); more = true)
            heard_event(h, &e);
        if (dead(h))
            return true;
        for (struct node_datagram d; node_datagram_next(h->node, &d); more = true)
            heard_datagram(h, d.data, d.len);
        for (;;) {
            struct train t = {.buf = h->world->train};
            if (!next_train(h, now_us, &t) || dead(h))
                break;
            send_train(h, &t);
            more = true;
            if (livelocked(h))
                break;
        }
    }
    return true;
}

/* Between two writes: nothing that it would have said afterwards leaves. */
static bool dies(struct host *h) {
    if (!dead(h))
        return false;
    const bool power = h->dies_of_power;
    h->dies_of_power = false;
    if (power)
        host_power_cut(h);
    else
        host_kill(h);
    return true;
}

void turn_pump(struct host *h) {
    h->world->stats.turns++;
    inspect_turn(h->world->inspection, h);
    const bool rests = pull(h);
    if (dies(h))
        return;
    if (!rests)
        world_fail(h->world, h, "the node does not come to rest");
    else
        arm(h);
}

void turn_receive(struct host *h, struct packet *p) {
    struct world *w = h->world;
    packet_ended(w, p, FATE_DELIVERED);
    duty_heard(w->duties, p);
    if (h->hostile && w->begun)
        hostile_receives(h, p);
    /* The core opens packets in place, so the watch gets a copy of what it looks at. */
    struct packet *seen = w->inspection->watch ? packet_copy(w, p) : NULL;
    const uint64_t accepted = inspect_accepted(h);
    const bool large = w->begun && p->len > PROGRESS_DATA_BYTES;
    inspect_acting(w->inspection, h);
    const struct hop from = hop_udp(&p->from, p->target_nic);
    struct arena *before = arena_enter(&h->arena);
    const struct train_in one = train_in_of_one(&from, p->ecn, p->data, p->len);
    node_input(h->node, host_now_us(h), &one);
    (void)arena_enter(before);
    if (large && inspect_accepted(h) > accepted)
        ledger_data(&w->duties->ledger, world_run_ns(w), h->index);
    if (seen && h->node)
        inspect_received(w->inspection, h, seen, accepted);
    packet_free(w, seen);
    packet_free(w, p);
    turn_pump(h);
}

void turn_too_big(struct host *h, const struct icmp_note *note) {
    const uint32_t overhead =
        note->to.kind == ADDR_IPV6 ? LINK_OVERHEAD_IPV6_BYTES : LINK_OVERHEAD_IPV4_BYTES;
    const struct icmp_quote quote = {
        .to = note->to, .bytes = note->bytes, .head = note->head, .len = note->head_len};
    struct arena *before = arena_enter(&h->arena);
    node_icmp_too_big(h->node, host_now_us(h), &quote,
                      note->mtu_bytes > overhead ? note->mtu_bytes - overhead : 0);
    (void)arena_enter(before);
    turn_pump(h);
}

void turn_wake(struct host *h) {
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
    turn_pump(h);
}
