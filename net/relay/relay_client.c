#include "net/relay/relay_client.h"

#include "crypto/base/mem.h"
#include "net/relay/relay_client_int.h"

enum {
    SAID_US = 8 * 1000000,
    S_US = 1000 * 1000
}; /* a refusal is repeated with its question for so long */

struct relay_client *relay_client_new(const struct rng *rng) {
    struct relay_client *c = mem_calloc(1, sizeof *c);
    if (c)
        relay_held_init(&c->t, rng);
    return c;
}

void relay_client_free(struct relay_client *c) {
    if (!c)
        return;
    relay_held_clear(&c->t);
    mem_free(c);
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* ---- reservations ---- */

int relay_client_reserve(struct relay_client *c, uint64_t now_us, struct peer_ref relay) {
    struct relay_held *t = &c->t;
    uint32_t place;
    const int err = relay_home_get(t, relay, &place);
    if (err)
        return err;
    struct relay_home *h = &t->homes[place];
    if (h->wish == RELAY_WISHES || h->wish == RELAY_RENEWS)
        return 0; /* on its way */
    h->wish = h->wish == RELAY_HOLDS ? RELAY_RENEWS : RELAY_WISHES;
    h->request = relay_new_request(t);
    h->tries = 0;
    relay_home_ask(t, now_us, place);
    return 0;
}

void relay_client_release(struct relay_client *c, uint64_t now_us, struct peer_ref relay) {
    struct relay_held *t = &c->t;
    const uint32_t place = relay_home_find(t, relay);
    if (place == RELAY_INDEX_NONE || t->homes[place].wish == RELAY_NO_WISH ||
        t->homes[place].wish == RELAY_GIVES_BACK)
        return;
    struct relay_home *h = &t->homes[place];
    h->wish = RELAY_GIVES_BACK;
    h->request = relay_new_request(t);
    h->tries = 0;
    relay_home_ask(t, now_us, place);
}

/* ---- what the user wants of flows ---- */

static int new_request(struct relay_held *t, uint64_t now_us, uint32_t home,
                       const struct node_id *peer, uint32_t *request) {
    uint32_t place;
    const int err = relay_hold_new(t, home, peer, RELAY_FLOW_ASKED, &place);
    if (err)
        return err;
    *request = relay_new_request(t);
    if (!relay_hold_request(t, place, *request)) {
        relay_hold_free(t, place);
        return ERR_NOMEM;
    }
    relay_hold_ask(t, now_us, place);
    return 0;
}

/* One that is there: asked for, offered (which is accepted so), or open. */
static int same_flow(struct relay_held *t, uint64_t now_us, uint32_t place, uint32_t *request) {
    struct relay_hold *x = &t->holds[place];
    if (x->request == 0 && !relay_hold_request(t, place, relay_new_request(t)))
        return ERR_NOMEM;
    *request = x->request;
    if (x->state == RELAY_FLOW_OFFERED) {
        relay_hold_enter(t, place, RELAY_FLOW_ASKED);
        relay_hold_ask(t, now_us, place);
    } else if (x->state == RELAY_FLOW_OPEN) {
        x->used_us = now_us;
        relay_hold_tell(t, place, RELAY_EV_OPENED, 0);
    }
    return 0;
}

int relay_client_open(struct relay_client *c, uint64_t now_us, struct peer_ref relay,
                      const struct node_id *peer, uint32_t *request) {
    struct relay_held *t = &c->t;
    uint32_t home;
    int err = relay_home_get(t, relay, &home);
    if (err)
        return err;
    const uint32_t there = relay_hold_by_peer(t, home, peer);
    if (there != RELAY_INDEX_NONE)
        return same_flow(t, now_us, there, request);
    err = new_request(t, now_us, home, peer, request);
    if (err)
        relay_home_tidy(t, home);
    return err;
}

int relay_client_answer(struct relay_client *c, uint64_t now_us, struct peer_ref relay,
                        uint32_t flow, bool accept, enum relay_reason reason) {
    struct relay_held *t = &c->t;
    const uint32_t place = relay_hold_by_flow(t, relay, flow);
    if (place == RELAY_INDEX_NONE || t->holds[place].state != RELAY_FLOW_OFFERED)
        return ERR_NOT_FOUND;
    struct relay_hold *x = &t->holds[place];
    relay_hold_enter(t, place, accept ? RELAY_FLOW_OPEN : RELAY_FLOW_CLOSING);
    if (accept) {
        x->used_us = 0;
        relay_hold_renewed(t, now_us, place, (uint16_t)(x->lifetime_us / S_US));
    } else {
        x->reason = (uint8_t)(reason ? reason : RELAY_DENIED);
        relay_hold_due(t, place, now_us + SAID_US);
    }
    x->say_accept = true;
    relay_say_hold(t, place);
    return 0;
}

void relay_client_close(struct relay_client *c, uint64_t now_us, struct peer_ref relay,
                        uint32_t flow) {
    struct relay_held *t = &c->t;
    const uint32_t place = relay_hold_by_flow(t, relay, flow);
    if (place == RELAY_INDEX_NONE || t->holds[place].state == RELAY_FLOW_CLOSING)
        return;
    relay_hold_enter(t, place, RELAY_FLOW_CLOSING);
    relay_hold_ask(t, now_us, place);
}

const struct node_id *relay_client_use(struct relay_client *c, uint64_t now_us,
                                       struct peer_ref relay, uint32_t flow) {
    const uint32_t place = relay_hold_by_flow(&c->t, relay, flow);
    if (place == RELAY_INDEX_NONE || c->t.holds[place].state != RELAY_FLOW_OPEN) {
        c->t.counters.unknown_flow++;
        return NULL;
    }
    c->t.holds[place].used_us = now_us;
    return &c->t.holds[place].peer;
}

static struct relay_flow view(const struct relay_held *t, const struct relay_hold *x) {
    return (struct relay_flow){.relay = t->homes[x->home].relay,
                               .flow = x->flow,
                               .request = x->request,
                               .peer = x->peer,
                               .state = (enum relay_flow_state)x->state,
                               .expires_us = later(x->renewed_us, x->used_us) + x->lifetime_us};
}

bool relay_client_flow(const struct relay_client *c, struct peer_ref relay, uint32_t flow,
                       struct relay_flow *out) {
    const uint32_t place = relay_hold_by_flow(&c->t, relay, flow);
    if (place == RELAY_INDEX_NONE)
        return false;
    *out = view(&c->t, &c->t.holds[place]);
    return true;
}

bool relay_client_each(const struct relay_client *c, uint32_t *at, struct relay_flow *out) {
    while (*at < c->t.hold_count) {
        const struct relay_hold *x = &c->t.holds[(*at)++];
        if (x->state == 0)
            continue;
        *out = view(&c->t, x);
        return true;
    }
    return false;
}

void relay_client_relay_down(struct relay_client *c, uint64_t now_us, struct peer_ref relay) {
    struct relay_held *t = &c->t;
    uint32_t home = relay_home_find(t, relay);
    (void)now_us;
    if (home == RELAY_INDEX_NONE)
        return;
    for (uint32_t i = 0; i < t->hold_count; i++)
        if (t->holds[i].state != 0 && t->holds[i].home == home)
            relay_hold_over(t, i, RELAY_GONE);
    if (t->homes[home].used)
        relay_home_over(t, home, RELAY_GONE);
}

/* ---- what is said to them ---- */

/* False: nothing is to be said of it any more. */
static bool compose(struct relay_held *t, uint32_t id, struct relay_msg *m, struct peer_ref *to) {
    *m = (struct relay_msg){0};
    if (id % 2 == 1) {
        const struct relay_home *h = &t->homes[id / 2];
        if (!h->used || h->tries == 0)
            return false;
        *to = h->relay;
        m->op = RELAY_RESERVE;
        m->request = h->request;
        m->lifetime_s = h->wish == RELAY_GIVES_BACK ? 0 : UINT16_MAX;
        return true;
    }
    struct relay_hold *x = &t->holds[id / 2];
    if (x->state == 0 || (!x->say_accept && !x->say_request))
        return false;
    *to = t->homes[x->home].relay;
    m->flow = x->flow;
    m->request = x->request;
    m->peer = x->peer;
    m->reason = x->reason;
    if (x->say_accept) {
        m->op = x->state == RELAY_FLOW_OPEN ? RELAY_ACCEPT : RELAY_REFUSE;
        x->say_accept = false;
    } else {
        m->op = x->state == RELAY_FLOW_CLOSING ? RELAY_CLOSE : RELAY_OPEN;
        x->say_request = false;
    }
    if (x->say_request)
        relay_say_hold(t, id / 2);
    return true;
}

bool relay_client_next(struct relay_client *c, uint64_t now_us, struct peer_ref *to,
                       uint8_t out[static RELAY_MSG_MAX_BYTES], size_t *len) {
    struct relay_msg m;
    uint32_t id;
    (void)now_us;
    while (relay_say_next(&c->t, &id))
        if (compose(&c->t, id, &m, to)) {
            *len = relay_msg_write(&m, out);
            return true;
        }
    return false;
}

uint64_t relay_client_deadline_us(const struct relay_client *c) {
    const uint64_t at_us = timer_next_us(&c->t.timers);
    return at_us >= TIME_NEVER - 1 ? TIME_NEVER : at_us;
}

void relay_client_timeout(struct relay_client *c, uint64_t now_us) {
    uint32_t id;
    while (timer_pop(&c->t.timers, now_us, &id)) {
        if (id % 2 == 0)
            relay_hold_timeout(&c->t, now_us, id / 2);
        else
            relay_home_timeout(&c->t, now_us, id / 2);
    }
}

bool relay_client_poll(struct relay_client *c, struct relay_event *out) {
    return relay_event_pop(&c->t, out);
}

const struct relay_client_counters *relay_client_counters(const struct relay_client *c) {
    return &c->t.counters;
}

size_t relay_client_memory(const struct relay_client *c) {
    return sizeof *c + relay_held_memory(&c->t);
}
