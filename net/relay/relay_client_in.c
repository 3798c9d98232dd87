/* relay_client_in.c: what relays say. None of it is trusted: what was not asked for is counted and
 * passed over. */
#include "net/relay/relay_client_int.h"

enum {
    OFFER_US = 10 * 1000000, /* an offer nobody answers is forgotten; the relay has long since */
    S_US = 1000 * 1000,
};

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static void got_reserved(struct relay_held *t, uint64_t now_us, uint32_t home,
                         const struct relay_msg *m) {
    struct relay_home *h = &t->homes[home];
    if (h->tries == 0 || h->request != m->request) {
        t->counters.not_asked++;
        return;
    }
    if (h->wish == RELAY_GIVES_BACK || m->lifetime_s == 0) {
        relay_home_over(t, home, RELAY_EXPIRED);
        return;
    }
    h->wish = RELAY_HOLDS;
    h->tries = 0;
    h->lifetime_us = (uint64_t)m->lifetime_s * S_US;
    relay_home_due(t, home, now_us + h->lifetime_us / 2);
    relay_event_push(t, &(struct relay_event){.kind = RELAY_EV_RESERVED,
                                              .relay = h->relay,
                                              .load = m->load,
                                              .lifetime_s = m->lifetime_s,
                                              .flows_max = m->flows_max,
                                              .rate_kib_s = m->rate_kib_s,
                                              .quota_left_mib = m->quota_left_mib});
}

/* The request of a flow there; RELAY_INDEX_NONE: nobody has asked. */
static uint32_t asked(struct relay_held *t, uint32_t home, const struct relay_msg *m) {
    const uint32_t place = relay_hold_by_request(t, m->request);
    if (place == RELAY_INDEX_NONE || t->holds[place].home != home || t->holds[place].tries == 0 ||
        t->holds[place].state == RELAY_FLOW_CLOSING) {
        t->counters.not_asked++;
        return RELAY_INDEX_NONE;
    }
    return place;
}

static void got_opened(struct relay_held *t, uint64_t now_us, uint32_t home,
                       const struct relay_msg *m) {
    const uint32_t place = asked(t, home, m);
    if (place == RELAY_INDEX_NONE)
        return;
    struct relay_hold *x = &t->holds[place];
    const bool was_open = x->state == RELAY_FLOW_OPEN;
    if (x->flow != m->flow) {
        if (relay_hold_by_flow(t, t->homes[home].relay, m->flow) != RELAY_INDEX_NONE) {
            t->counters.numbers_twice++;
            return;
        }
        if (was_open) /* the relay has lost that one, and made another */
            relay_hold_tell(t, place, RELAY_EV_ENDED, RELAY_NO_FLOW);
        if (!relay_hold_number(t, place, m->flow)) {
            relay_hold_free(t, place); /* no memory; ends as if it had never come */
            return;
        }
        relay_hold_enter(t, place, RELAY_FLOW_OPEN);
    } else if (was_open) {
        relay_hold_renewed(t, now_us, place, m->lifetime_s);
        return;
    }
    relay_hold_enter(t, place, RELAY_FLOW_OPEN);
    relay_hold_renewed(t, now_us, place, m->lifetime_s);
    relay_hold_tell(t, place, RELAY_EV_OPENED, 0);
}

static void got_refused(struct relay_held *t, uint32_t home, const struct relay_msg *m) {
    struct relay_home *h = &t->homes[home];
    const uint8_t reason = m->reason ? m->reason : RELAY_DENIED;
    /* Of one that is held: it is taken back. */
    if ((h->tries > 0 || h->wish == RELAY_HOLDS) && h->request == m->request) {
        relay_home_over(t, home, reason);
        return;
    }
    const uint32_t place = asked(t, home, m);
    if (place == RELAY_INDEX_NONE)
        return;
    struct relay_hold *x = &t->holds[place];
    if (x->state != RELAY_FLOW_OPEN || reason != RELAY_RESTARTS) {
        relay_hold_over(t, place, reason);
        return;
    }
    x->tries = 0; /* it goes on until the relay stops */
    x->say_request = false;
    relay_hold_due(t, place, later(x->renewed_us, x->used_us) + x->lifetime_us);
}

/* A question that has been heard before is answered as before. */
static void offered_again(struct relay_held *t, uint32_t place, const struct relay_msg *m) {
    struct relay_hold *x = &t->holds[place];
    if (!node_id_equal(&x->peer, &m->peer)) {
        t->counters.numbers_twice++;
        return;
    }
    if (x->state == RELAY_FLOW_OPEN || (x->state == RELAY_FLOW_CLOSING && x->reason != 0)) {
        x->say_accept = true;
        relay_say_hold(t, place);
    }
}

static void got_incoming(struct relay_held *t, uint64_t now_us, uint32_t home,
                         const struct relay_msg *m) {
    struct relay_home *h = &t->homes[home];
    uint32_t place = relay_hold_by_flow(t, h->relay, m->flow);
    if (place != RELAY_INDEX_NONE) {
        offered_again(t, place, m);
        return;
    }
    if (h->wish == RELAY_NO_WISH || h->wish == RELAY_GIVES_BACK) {
        t->counters.not_asked++;
        return;
    }
    const uint32_t own = relay_hold_by_peer(t, home, &m->peer);
    if (own != RELAY_INDEX_NONE && t->holds[own].state == RELAY_FLOW_ASKED)
        return; /* our OPEN, which is on its way, accepts it */
    if (h->offers >= RELAY_OFFERS_MAX ||
        relay_hold_new(t, home, &m->peer, RELAY_FLOW_OFFERED, &place) != 0) {
        t->counters.offers_dropped++;
        return;
    }
    if (!relay_hold_number(t, place, m->flow)) {
        relay_hold_free(t, place);
        return;
    }
    t->holds[place].lifetime_us = (uint64_t)m->lifetime_s * S_US;
    relay_hold_due(t, place, now_us + OFFER_US);
    relay_hold_tell(t, place, RELAY_EV_INCOMING, 0);
}

static void got_ended(struct relay_held *t, uint32_t home, const struct relay_msg *m) {
    const uint32_t place = relay_hold_by_flow(t, t->homes[home].relay, m->flow);
    if (place == RELAY_INDEX_NONE)
        t->counters.not_asked++;
    else
        relay_hold_over(t, place, m->reason ? m->reason : RELAY_DENIED);
}

static void got(struct relay_held *t, uint64_t now_us, uint32_t home, const struct relay_msg *m) {
    const struct peer_ref relay = t->homes[home].relay;
    switch (m->op) {
    case RELAY_RESERVED:
        got_reserved(t, now_us, home, m);
        return;
    case RELAY_OPENED:
        got_opened(t, now_us, home, m);
        return;
    case RELAY_REFUSED:
        got_refused(t, home, m);
        return;
    case RELAY_INCOMING:
        got_incoming(t, now_us, home, m);
        return;
    case RELAY_ENDED:
        got_ended(t, home, m);
        return;
    case RELAY_RESTARTING:
        relay_event_push(t, &(struct relay_event){.kind = RELAY_EV_RESTARTING,
                                                  .relay = relay,
                                                  .in_ms = m->in_ms,
                                                  .for_ms = m->for_ms});
        return;
    default:
        relay_event_push(t, &(struct relay_event){.kind = RELAY_EV_LOAD,
                                                  .relay = relay,
                                                  .load = m->load,
                                                  .rate_kib_s = m->rate_kib_s,
                                                  .quota_left_mib = m->quota_left_mib});
        return;
    }
}

void relay_client_input(struct relay_client *c, uint64_t now_us, struct peer_ref from,
                        const uint8_t *data, size_t len) {
    struct relay_msg m;
    if (!relay_msg_read(&m, data, len) || !relay_op_is_relays(m.op)) {
        c->t.counters.records_bad++;
        return;
    }
    const uint32_t home = relay_home_find(&c->t, from);
    if (home == RELAY_INDEX_NONE)
        c->t.counters.not_asked++;
    else
        got(&c->t, now_us, home, &m);
}
