#include "net/relay/relay_server.h"

#include <assert.h>

#include "crypto/base/mem.h"
#include "net/relay/relay_server_int.h"

/* ---- lifecycle ---- */

static uint32_t between(uint32_t v, uint32_t low, uint32_t high) {
    return v < low ? low : v > high ? high : v;
}

static struct relay_limits sane(const struct relay_limits *given) {
    struct relay_limits l = given ? *given : relay_limits_default();
    l.clients = between(l.clients, 1, RELAY_CLIENTS_MAX);
    l.flows = between(l.flows, 1, RELAY_FLOWS_MAX);
    l.reservation_s = between(l.reservation_s, 1, UINT16_MAX);
    l.flow_s = between(l.flow_s, 1, UINT16_MAX);
    l.queue_ms = between(l.queue_ms, 1, 10 * 1000);
    return l;
}

/* All take their turns within a quarter of the time that anything may wait. */
static struct relay_queue_bounds queue_bounds(const struct relay_limits *l) {
    static const uint64_t fast = 10ull * 1000 * 1000 * 1000 / 8; /* where nothing bounds it */
    const uint64_t late_us = l->queue_ms * UINT64_C(1000);
    const uint64_t rate = l->bytes_per_s > 0 && l->bytes_per_s < fast ? l->bytes_per_s : fast;
    return (struct relay_queue_bounds){.late_us = late_us,
                                       .bytes_per_fifo = l->queue_bytes_per_flow,
                                       .bytes = l->queue_bytes,
                                       .round_bytes = rate * late_us / 4 / 1000000};
}

struct relay_server *relay_server_new(const struct relay_limits *limits, const struct rng *rng,
                                      uint64_t now_us) {
    struct relay_server *s = mem_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    (void)now_us;
    s->limits = sane(limits);
    s->rng = *rng;
    relay_clients_init(&s->clients, rng);
    relay_flows_init(&s->flows, s->limits.flows);
    const struct relay_queue_bounds bounds = queue_bounds(&s->limits);
    relay_queues_init(&s->queues, &bounds);
    rng_fill(rng, s->quota.by_id.secret, sizeof s->quota.by_id.secret);
    relay_calls_init(&s->calls, rng);
    return s;
}

void relay_server_free(struct relay_server *s) {
    if (!s)
        return;
    for (uint32_t i = 0; i < s->flows.count; i++)
        for (unsigned side = 0; side < 2; side++)
            relay_queue_drop(&s->queues, &relay_flow_at(&s->flows, i)->ends[side].out);
    relay_queues_clear(&s->queues);
    relay_flows_clear(&s->flows);
    relay_clients_clear(&s->clients);
    relay_signals_clear(&s->signals);
    relay_quota_clear(&s->quota);
    relay_calls_clear(&s->calls);
    relay_list_clear(&s->allow);
    relay_list_clear(&s->block);
    timer_clear(&s->timers);
    mem_free(s);
}

void relay_server_set_limits(struct relay_server *s, const struct relay_limits *limits) {
    const uint32_t flows = s->limits.flows;
    s->limits = sane(limits);
    s->limits.flows = flows;
    s->queues.bounds = queue_bounds(&s->limits);
}

static void unreserve(struct relay_server *s, uint32_t client) {
    relay_clients_unreserve(&s->clients, client);
    relay_client_due(s, client, TIME_NEVER);
}

int relay_server_lists(struct relay_server *s, uint64_t now_us, const struct node_id *allow,
                       size_t allow_count, const struct node_id *block, size_t block_count) {
    struct relay_list a, b;
    (void)now_us;
    int err = relay_list_init(&a, allow, allow_count);
    if (err)
        return err;
    err = relay_list_init(&b, block, block_count);
    if (err) {
        relay_list_clear(&a);
        return err;
    }
    relay_list_clear(&s->allow);
    relay_list_clear(&s->block);
    s->allow = a;
    s->block = b;
    for (uint32_t i = 0; i < s->clients.count; i++) {
        const struct relay_seat *c = &s->clients.seats[i];
        if (!c->used)
            continue;
        const bool blocked = relay_is_blocked(s, i);
        if (blocked)
            relay_end_flows_of(s, i, RELAY_DENIED, true);
        if (c->reserved_us == 0 ||
            (!blocked && (s->allow.count == 0 || relay_list_has(&s->allow, &c->id))))
            continue;
        relay_tell(s, i,
                   &(struct relay_signal){
                       .op = RELAY_REFUSED, .request = c->request, .reason = RELAY_DENIED});
        unreserve(s, i);
    }
    return 0;
}

/* ---- sessions ---- */

static void forget(struct relay_server *s, uint32_t client) {
    if (client == RELAY_NOBODY)
        return;
    relay_end_flows_of(s, client, RELAY_GONE, false);
    unreserve(s, client);
    relay_clients_remove(&s->clients, client);
}

int relay_server_client_up(struct relay_server *s, uint64_t now_us, struct peer_ref peer,
                           const struct node_id *id, const struct hop *hop) {
    (void)now_us;
    forget(s, relay_clients_by_index(&s->clients, peer.index));
    forget(s, relay_clients_by_id(&s->clients, id));
    uint32_t place;
    return relay_clients_add(&s->clients, s->limits.clients, peer, id, hop, &place);
}

void relay_server_client_moved(struct relay_server *s, uint64_t now_us, struct peer_ref peer,
                               const struct hop *hop) {
    const uint32_t client = relay_clients_by_peer(&s->clients, peer);
    (void)now_us;
    if (client == RELAY_NOBODY)
        return;
    relay_clients_move(&s->clients, client, hop);
    struct relay_end *e = relay_end_first(&s->flows, &s->clients, client);
    for (; e; e = relay_end_next(&s->flows, e))
        relay_queue_moved(&s->queues, &e->out, hop_socket(hop));
}

void relay_server_client_down(struct relay_server *s, uint64_t now_us, struct peer_ref peer) {
    (void)now_us;
    forget(s, relay_clients_by_peer(&s->clients, peer));
}

bool relay_server_has_client(const struct relay_server *s, struct peer_ref peer) {
    return relay_clients_by_peer(&s->clients, peer) != RELAY_NOBODY;
}

bool relay_server_uses(const struct relay_server *s, struct peer_ref peer) {
    const uint32_t place = relay_clients_by_peer(&s->clients, peer);
    return place != RELAY_NOBODY &&
           (s->clients.seats[place].reserved_us > 0 || s->clients.seats[place].flows > 0);
}

/* ---- control ---- */

void relay_server_input(struct relay_server *s, uint64_t now_us, struct peer_ref from,
                        const uint8_t *data, size_t len) {
    struct relay_msg m;
    const uint32_t client = relay_clients_by_peer(&s->clients, from);
    if (client == RELAY_NOBODY || !relay_msg_read(&m, data, len) || relay_op_is_relays(m.op)) {
        s->counters.records_bad++;
        return;
    }
    s->counters.records_in++;
    relay_request(s, now_us, client, &m);
}

static uint32_t at_most_u32(uint64_t v) {
    return v < RELAY_UNLIMITED ? (uint32_t)v : RELAY_UNLIMITED - 1;
}

/* What the relay has to offer to this client now. */
static void describe(const struct relay_server *s, uint64_t now_us, const struct relay_seat *c,
                     struct relay_msg *m) {
    const struct relay_limits *l = &s->limits;
    const uint64_t rate = l->client_bytes_per_s > 0 ? l->client_bytes_per_s : l->bytes_per_s;
    const uint64_t day = l->client_bytes_per_day;
    m->load = s->load.load;
    m->flows_max = l->flows_per_client;
    m->rate_kib_s = rate == 0 ? RELAY_UNLIMITED : at_most_u32(rate / 1024);
    m->quota_left_mib = RELAY_UNLIMITED;
    if (day > 0) {
        const uint64_t used = relay_quota_used(&s->quota, now_us, &c->id);
        m->quota_left_mib = used < day ? at_most_u32((day - used) >> 20) : 0;
    }
}

/* False: who is told, or what about, is no more. */
static bool compose(struct relay_server *s, uint64_t now_us, const struct relay_signal *x,
                    struct relay_msg *m) {
    struct relay_seat *c = &s->clients.seats[x->client];
    if (!c->used || c->serial != x->serial)
        return false;
    c->signals--;
    *m = (struct relay_msg){.op = x->op,
                            .reason = x->reason,
                            .request = x->request,
                            .flow = x->flow,
                            .lifetime_s = x->lifetime_s};
    if (x->op == RELAY_RESERVED)
        describe(s, now_us, c, m);
    if (x->op == RELAY_INCOMING) {
        struct relay_end *e = relay_flow_end(&s->flows, x->flow);
        if (!e || relay_flow_of(e)->state != RELAY_PENDING)
            return false;
        m->peer = s->clients.seats[relay_end_other(e)->client].id;
    }
    return true;
}

/* The next client of those who are told something all at once. */
static struct relay_seat *announce(struct relay_server *s, struct relay_announcement *a,
                                   bool reserved) {
    while (a->under_way && a->next < s->clients.count) {
        struct relay_seat *c = &s->clients.seats[a->next++];
        if (c->used && (!reserved || c->reserved_us != 0) && (!a->users || c->flows > 0))
            return c;
    }
    a->under_way = false;
    return NULL;
}

/* Some may not have heard it. */
static void tell_restart_again(struct relay_server *s, uint64_t now_us) {
    if (s->restart_tells == 0 || s->tell_restart.under_way || now_us < s->restart_tell_us)
        return;
    s->restart_tells--;
    s->restart_tell_us = now_us + s->restart_gap_us;
    s->tell_restart = (struct relay_announcement){.under_way = true};
}

/* The next one who is told that it stops. */
static const struct relay_seat *tell_restart(struct relay_server *s, uint64_t now_us) {
    const struct relay_seat *c = announce(s, &s->tell_restart, false);
    while (!c && s->restart_tells > 0 && now_us >= s->restart_tell_us) {
        tell_restart_again(s, now_us);
        c = announce(s, &s->tell_restart, false);
    }
    return c;
}

bool relay_server_next(struct relay_server *s, uint64_t now_us, struct peer_ref *to,
                       uint8_t out[static RELAY_MSG_MAX_BYTES], size_t *len) {
    struct relay_signal x;
    struct relay_msg m = {0};
    const struct relay_seat *c = NULL;
    while (!c && relay_signals_pop(&s->signals, &x))
        if (compose(s, now_us, &x, &m))
            c = &s->clients.seats[x.client];
    if (!c && (c = tell_restart(s, now_us)) != NULL) {
        const uint64_t in_us = s->restart_us > now_us ? s->restart_us - now_us : 0;
        m = (struct relay_msg){.op = RELAY_RESTARTING,
                               .in_ms = at_most_u32(in_us / 1000),
                               .for_ms = s->restart_for_ms};
    }
    if (!c && (c = announce(s, &s->tell_load, true)) != NULL) {
        describe(s, now_us, c, &m);
        m.op = RELAY_LOAD;
    }
    if (!c)
        return false;
    *to = c->peer;
    *len = relay_msg_write(&m, out);
    return true;
}

void relay_server_restarting(struct relay_server *s, uint64_t now_us, uint32_t in_ms,
                             uint32_t for_ms) {
    s->restart_us = now_us + in_ms * UINT64_C(1000);
    s->restart_for_ms = for_ms;
    s->restart_gap_us = in_ms < RELAY_RESTARTING_TRIES * RELAY_RETRY_US / 1000
                            ? in_ms * 1000 / RELAY_RESTARTING_TRIES
                            : RELAY_RETRY_US;
    s->restart_tells = RELAY_RESTARTING_TRIES - 1;
    s->restart_tell_us = now_us + s->restart_gap_us;
    s->tell_restart = (struct relay_announcement){.under_way = true};
}

/* ---- time ---- */

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t relay_server_deadline_us(const struct relay_server *s) {
    const uint64_t look_us = s->load.look_us ? s->load.look_us : TIME_NEVER;
    const uint64_t out_us = s->out_from_us ? s->out_from_us : TIME_NEVER;
    const uint64_t tell_us =
        s->restart_tells > 0 && !s->tell_restart.under_way ? s->restart_tell_us : TIME_NEVER;
    return earlier(timer_next_us(&s->timers), earlier(tell_us, earlier(look_us, out_us)));
}

void relay_server_timeout(struct relay_server *s, uint64_t now_us) {
    uint32_t id;
    while (timer_pop(&s->timers, now_us, &id))
        if (id % 2 == 0)
            relay_flow_due(s, now_us, relay_flow_at(&s->flows, id / 2));
        else
            relay_clients_unreserve(&s->clients, id / 2);
    tell_restart_again(s, now_us);
    if (s->out_from_us != 0 && now_us >= s->out_from_us)
        s->out_from_us = 0;
    if (s->load.look_us == 0 || now_us < s->load.look_us)
        return;
    struct relay_queues *q = &s->queues;
    const uint64_t wait_us = q->wait_n > 0 ? q->wait_us / q->wait_n : 0;
    q->wait_us = q->wait_n = 0;
    const enum relay_load_news news = relay_load_look(
        &s->load, now_us, &(struct relay_load_bounds){s->limits.bytes_per_s, q->bounds.late_us},
        wait_us);
    if (news != RELAY_LOAD_NO_NEWS)
        s->tell_load =
            (struct relay_announcement){.under_way = true, .users = news == RELAY_LOAD_TO_USERS};
}

void relay_server_busy(struct relay_server *s, uint8_t busy) {
    s->load.busy = busy;
}

void relay_server_stats(const struct relay_server *s, struct relay_stats *out) {
    *out = (struct relay_stats){
        .clients = s->clients.used,
        .reservations = s->clients.reservations,
        .flows = s->flows.used,
        .queued_bytes = s->queues.bytes,
        .load = s->load.load,
        .counters = s->counters,
        .memory_bytes =
            sizeof *s + relay_clients_memory(&s->clients) + relay_flows_memory(&s->flows) +
            s->queues.memory_bytes + relay_signals_memory(&s->signals) +
            relay_quota_memory(&s->quota) + relay_calls_memory(&s->calls) +
            (s->allow.count + s->block.count) * sizeof(struct node_id) +
            s->timers.heap_cap * 2 * sizeof(uint64_t) + s->timers.where_cap * sizeof(uint32_t)};
    out->counters.queue_late = s->queues.late;
    out->counters.queue_full = s->queues.full;
}
