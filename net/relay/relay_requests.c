/* relay_requests.c: what clients ask for, and how flows begin and end. */
#include <assert.h>

#include "net/relay/relay_server_int.h"

static struct relay_seat *seat_of(struct relay_server *s, uint32_t client) {
    return &s->clients.seats[client];
}

static uint64_t flow_us(const struct relay_server *s) {
    return s->limits.flow_s * UINT64_C(1000000);
}

/* ---- telling ---- */

void relay_tell(struct relay_server *s, uint32_t client, const struct relay_signal *x) {
    struct relay_seat *c = seat_of(s, client);
    struct relay_signal to = *x;
    to.client = client;
    to.serial = c->serial;
    if (c->signals >= RELAY_SIGNALS_CLIENT_MAX || !relay_signals_push(&s->signals, &to)) {
        s->counters.signals_lost++;
        return;
    }
    c->signals++;
}

static void tell_refused(struct relay_server *s, uint32_t client, uint32_t request,
                         uint8_t reason) {
    relay_tell(s, client,
               &(struct relay_signal){.op = RELAY_REFUSED, .request = request, .reason = reason});
}

static void tell_ended(struct relay_server *s, uint32_t client, uint32_t number, uint8_t reason) {
    relay_tell(s, client,
               &(struct relay_signal){.op = RELAY_ENDED, .flow = number, .reason = reason});
}

static void tell_opened(struct relay_server *s, const struct relay_end *e) {
    relay_tell(s, e->client,
               &(struct relay_signal){.op = RELAY_OPENED,
                                      .request = e->request,
                                      .flow = e->number,
                                      .lifetime_s = (uint16_t)s->limits.flow_s});
}

void relay_tell_no_flow(struct relay_server *s, uint64_t now_us, uint32_t client, uint32_t number) {
    struct relay_seat *c = seat_of(s, client);
    if (number == 0 || !relay_rate_may(&c->ends, now_us, 0))
        return;
    relay_rate_take_ns(&c->ends, now_us, RELAY_RETRY_US * UINT64_C(1000));
    tell_ended(s, client, number, RELAY_NO_FLOW);
}

/* ---- time ---- */

static bool flow_due_at(struct relay_server *s, const struct relay_entry *f, uint64_t at_us) {
    return timer_set(&s->timers, 2 * f->place, at_us) == 0;
}

/* One that has a timer already: moving it takes no memory. */
static void flow_due_later(struct relay_server *s, const struct relay_entry *f, uint64_t at_us) {
    const bool set = flow_due_at(s, f, at_us);
    assert(set);
}

/* ---- flows ---- */

void relay_end_flow(struct relay_server *s, struct relay_entry *f, uint8_t reason, uint32_t but) {
    const bool pending = f->state == RELAY_PENDING;
    for (unsigned side = 0; side < 2; side++) {
        struct relay_end *e = &f->ends[side];
        struct relay_seat *c = seat_of(s, e->client);
        const bool asks = pending && side == 0;
        if (pending && side == 1)
            c->offers--;
        else
            c->flows--;
        relay_queue_drop(&s->queues, &e->out);
        if (e->client == but || reason == RELAY_EXPIRED) /* that both ends know by themselves */
            continue;
        if (asks)
            tell_refused(s, e->client, e->request, reason);
        else
            tell_ended(s, e->client, e->number, reason);
    }
    if (!pending)
        s->counters.flows_ended++;
    const int removed = timer_set(&s->timers, 2 * f->place, TIME_NEVER);
    assert(removed == 0);
    relay_flow_free(&s->flows, &s->clients, f);
}

void relay_end_flows_of(struct relay_server *s, uint32_t client, uint8_t reason, bool told) {
    struct relay_end *e;
    while ((e = relay_end_first(&s->flows, &s->clients, client)) != NULL)
        relay_end_flow(s, relay_flow_of(e), reason, told ? RELAY_NOBODY : client);
}

static void say_incoming(struct relay_server *s, uint64_t now_us, struct relay_entry *f) {
    relay_tell(s, f->ends[1].client,
               &(struct relay_signal){.op = RELAY_INCOMING,
                                      .flow = f->ends[1].number,
                                      .lifetime_s = (uint16_t)s->limits.flow_s});
    flow_due_later(s, f, now_us + ((uint64_t)RELAY_RETRY_US << f->asks));
    f->asks++;
}

void relay_flow_due(struct relay_server *s, uint64_t now_us, struct relay_entry *f) {
    if (f->state == RELAY_PENDING) {
        if (f->asks < RELAY_OFFER_TRIES)
            say_incoming(s, now_us, f);
        else
            relay_end_flow(s, f, RELAY_GONE, RELAY_NOBODY);
        return;
    }
    if (now_us >= f->used_us + flow_us(s))
        relay_end_flow(s, f, RELAY_EXPIRED, RELAY_NOBODY);
    else
        flow_due_later(s, f, f->used_us + flow_us(s));
}

/* The other end (side 1) wants it, too. */
static void accept(struct relay_server *s, uint64_t now_us, struct relay_entry *f) {
    struct relay_seat *c = seat_of(s, f->ends[1].client);
    if (c->flows >= s->limits.flows_per_client) {
        relay_end_flow(s, f, RELAY_FULL, RELAY_NOBODY);
        return;
    }
    c->offers--;
    c->flows++;
    f->state = RELAY_OPENED_UP;
    f->used_us = now_us;
    s->counters.flows_opened++;
    flow_due_later(s, f, now_us + flow_us(s));
    for (unsigned side = 0; side < 2; side++)
        if (f->ends[side].asked)
            tell_opened(s, &f->ends[side]);
}

/* OPEN for a pair that has a flow. */
static void open_again(struct relay_server *s, uint64_t now_us, struct relay_end *e,
                       uint32_t request) {
    struct relay_entry *f = relay_flow_of(e);
    const bool pending = f->state == RELAY_PENDING;
    e->asked = true;
    e->request = request;
    f->used_us = now_us;
    if (pending && relay_end_side(e) == 1)
        accept(s, now_us, f);
    else if (!pending)
        tell_opened(s, e);
}

static bool is_offer(struct relay_end *e) {
    return relay_end_side(e) == 1 && relay_flow_of(e)->state == RELAY_PENDING;
}

static uint64_t source_of(const struct relay_server *s, uint32_t client) {
    return hop_source(&s->clients.seats[client].hop);
}

/* How many of the offers to this client are of one source. */
static unsigned offers_of(struct relay_server *s, uint32_t client, uint64_t source) {
    unsigned n = 0;
    struct relay_end *e = relay_end_first(&s->flows, &s->clients, client);
    for (; e; e = relay_end_next(&s->flows, e))
        n += is_offer(e) && source_of(s, relay_end_other(e)->client) == source;
    return n;
}

/* Of the offers to this client that it has not answered the oldest of the source with most of them;
 * who asked for it hears `full`. */
static void drop_oldest_offer(struct relay_server *s, uint32_t client) {
    struct relay_end *oldest = NULL;
    unsigned most = 0;
    struct relay_end *e = relay_end_first(&s->flows, &s->clients, client);
    for (; e; e = relay_end_next(&s->flows, e)) {
        if (!is_offer(e))
            continue;
        const unsigned n = offers_of(s, client, source_of(s, relay_end_other(e)->client));
        if (n >= most) /* the newest is the first */
            oldest = e;
        most = n > most ? n : most;
    }
    assert(oldest);
    relay_end_flow(s, relay_flow_of(oldest), RELAY_FULL, RELAY_NOBODY);
}

bool relay_is_blocked(const struct relay_server *s, uint32_t client) {
    return relay_list_has(&s->block, &s->clients.seats[client].id);
}

static bool quota_is_used_up(const struct relay_server *s, uint64_t now_us, uint32_t client) {
    return s->limits.client_bytes_per_day > 0 &&
           relay_quota_used(&s->quota, now_us, &s->clients.seats[client].id) >=
               s->limits.client_bytes_per_day;
}

/* Why there is no new flow between these; 0: there may be one. */
static uint8_t refusal(struct relay_server *s, uint64_t now_us, uint32_t client, uint32_t peer) {
    struct relay_seat *c = seat_of(s, client);
    if (peer == client)
        return RELAY_DENIED;
    if (peer == RELAY_NOBODY || seat_of(s, peer)->reserved_us <= now_us)
        return RELAY_GONE;
    if (relay_is_blocked(s, peer))
        return RELAY_DENIED;
    if (quota_is_used_up(s, now_us, client))
        return RELAY_QUOTA;
    if (c->flows >= s->limits.flows_per_client ||
        seat_of(s, peer)->flows >= s->limits.flows_per_client ||
        !relay_rate_may(&c->opens, now_us, RELAY_OPENS_BURST * (uint64_t)RELAY_OPEN_US) ||
        !relay_calls_take(&s->calls, now_us, source_of(s, client), peer))
        return RELAY_FULL;
    return 0;
}

static uint8_t new_flow(struct relay_server *s, uint64_t now_us, uint32_t client, uint32_t peer,
                        uint32_t request) {
    struct relay_seat *c = seat_of(s, client), *p = seat_of(s, peer);
    if (p->offers >= RELAY_OFFERS_MAX)
        drop_oldest_offer(s, peer);
    struct relay_entry *f = relay_flow_new(&s->flows, &s->clients, &s->rng, client, peer);
    if (!f)
        return RELAY_FULL;
    if (!flow_due_at(s, f, now_us)) {
        relay_flow_free(&s->flows, &s->clients, f);
        return RELAY_FULL;
    }
    relay_rate_take_ns(&c->opens, now_us, RELAY_OPEN_US * UINT64_C(1000));
    c->flows++;
    p->offers++;
    f->ends[0].asked = true;
    f->ends[0].request = request;
    say_incoming(s, now_us, f);
    return 0;
}

/* ---- requests ---- */

static void open_flow(struct relay_server *s, uint64_t now_us, uint32_t client,
                      const struct relay_msg *m) {
    uint8_t why = s->restart_us != 0            ? RELAY_RESTARTS
                  : relay_is_blocked(s, client) ? RELAY_DENIED
                                                : 0;
    if (why == 0) {
        const uint32_t peer = relay_clients_by_id(&s->clients, &m->peer);
        struct relay_end *e = peer == RELAY_NOBODY || peer == client
                                  ? NULL
                                  : relay_flow_between(&s->flows, &s->clients, client, peer);
        if (e) {
            open_again(s, now_us, e, m->request);
            return;
        }
        why = refusal(s, now_us, client, peer);
        if (why == 0)
            why = new_flow(s, now_us, client, peer, m->request);
    }
    if (why == 0)
        return;
    s->counters.opens_refused++;
    tell_refused(s, client, m->request, why);
}

void relay_client_due(struct relay_server *s, uint32_t client, uint64_t at_us) {
    const int err = timer_set(&s->timers, 2 * client + 1, at_us);
    assert(err == 0);
}

static uint8_t reservation_refused(struct relay_server *s, uint64_t now_us, uint32_t client,
                                   uint16_t lifetime_s) {
    const struct node_id *id = &seat_of(s, client)->id;
    if (s->restart_us != 0)
        return RELAY_RESTARTS;
    if (relay_is_blocked(s, client) || (s->allow.count > 0 && !relay_list_has(&s->allow, id)))
        return RELAY_DENIED;
    const uint64_t until_us = now_us + lifetime_s * UINT64_C(1000000);
    if (timer_set(&s->timers, 2 * client + 1, until_us) != 0)
        return RELAY_FULL;
    if (relay_clients_reserve(&s->clients, client, until_us, s->limits.reservations_per_prefix) ==
        0)
        return 0;
    relay_client_due(s, client, TIME_NEVER);
    return RELAY_FULL;
}

static void reserve(struct relay_server *s, uint64_t now_us, uint32_t client,
                    const struct relay_msg *m) {
    const uint16_t lifetime_s =
        m->lifetime_s > s->limits.reservation_s ? (uint16_t)s->limits.reservation_s : m->lifetime_s;
    if (lifetime_s == 0) {
        relay_clients_unreserve(&s->clients, client);
        relay_client_due(s, client, TIME_NEVER);
    } else {
        const uint8_t why = reservation_refused(s, now_us, client, lifetime_s);
        if (why != 0) {
            s->counters.reservations_refused++;
            tell_refused(s, client, m->request, why);
            return;
        }
        seat_of(s, client)->request = m->request;
    }
    relay_tell(s, client,
               &(struct relay_signal){
                   .op = RELAY_RESERVED, .request = m->request, .lifetime_s = lifetime_s});
}

/* CLOSE, ACCEPT, REFUSE: of a flow that is this client's. */
static void about_flow(struct relay_server *s, uint64_t now_us, uint32_t client,
                       const struct relay_msg *m) {
    struct relay_end *e = relay_flow_end(&s->flows, m->flow);
    if (!e || e->client != client) {
        relay_tell_no_flow(s, now_us, client, m->flow);
        return;
    }
    struct relay_entry *f = relay_flow_of(e);
    const bool offered = f->state == RELAY_PENDING && relay_end_side(e) == 1;
    if (m->op == RELAY_ACCEPT) {
        if (offered)
            accept(s, now_us, f);
    } else if (m->op == RELAY_CLOSE) {
        relay_end_flow(s, f, RELAY_CLOSED, RELAY_NOBODY);
    } else if (offered) {
        const bool known = m->reason != 0 && m->reason < RELAY_REASONS_END;
        relay_end_flow(s, f, known ? m->reason : RELAY_DENIED, client);
    }
}

void relay_request(struct relay_server *s, uint64_t now_us, uint32_t client,
                   const struct relay_msg *m) {
    switch (m->op) {
    case RELAY_RESERVE:
        reserve(s, now_us, client, m);
        return;
    case RELAY_OPEN:
        open_flow(s, now_us, client, m);
        return;
    default:
        about_flow(s, now_us, client, m);
        return;
    }
}
