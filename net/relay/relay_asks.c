#include "net/relay/relay_asks.h"

#include <assert.h>

enum { S_US = 1000 * 1000 };

/* After the n-th try, until the next. */
static uint64_t retry_us(uint8_t tries) {
    return (uint64_t)RELAY_RETRY_US << (tries - 1);
}

/* ---- flows: what is asked, and how it ends ---- */

void relay_hold_tell(struct relay_held *t, uint32_t place, enum relay_event_kind kind,
                     uint8_t reason) {
    const struct relay_hold *x = &t->holds[place];
    relay_event_push(t, &(struct relay_event){.kind = kind,
                                              .relay = t->homes[x->home].relay,
                                              .reason = reason,
                                              .lifetime_s = (uint16_t)(x->lifetime_us / S_US),
                                              .request = x->request,
                                              .flow = x->flow,
                                              .peer = x->peer});
}

/* Whoever has it, or asked for it, is told. */
void relay_hold_over(struct relay_held *t, uint32_t place, uint8_t reason) {
    switch ((enum relay_flow_state)t->holds[place].state) {
    case RELAY_FLOW_ASKED:
        relay_hold_tell(t, place, RELAY_EV_REFUSED, reason);
        break;
    case RELAY_FLOW_OFFERED:
    case RELAY_FLOW_OPEN:
        relay_hold_tell(t, place, RELAY_EV_ENDED, reason);
        break;
    case RELAY_FLOW_CLOSING:
        break;
    }
    relay_hold_free(t, place);
}

/* OPEN or CLOSE, once more. */
void relay_hold_ask(struct relay_held *t, uint64_t now_us, uint32_t place) {
    struct relay_hold *x = &t->holds[place];
    t->counters.retries += x->tries > 0;
    x->tries++;
    x->say_request = true;
    relay_say_hold(t, place);
    relay_hold_due(t, place, now_us + retry_us(x->tries));
}

void relay_hold_enter(struct relay_held *t, uint32_t place, enum relay_flow_state state) {
    struct relay_hold *x = &t->holds[place];
    const uint8_t was = x->state;
    assert(was != RELAY_FLOW_CLOSING && state != RELAY_FLOW_OFFERED);
    assert(state != RELAY_FLOW_ASKED || was == RELAY_FLOW_OFFERED);
    t->homes[x->home].offers -= was == RELAY_FLOW_OFFERED;
    x->state = (uint8_t)state;
    x->tries = 0;
    x->say_accept = x->say_request = false;
}

void relay_hold_renewed(struct relay_held *t, uint64_t now_us, uint32_t place,
                        uint16_t lifetime_s) {
    struct relay_hold *x = &t->holds[place];
    x->tries = 0;
    x->say_request = false;
    x->renewed_us = now_us;
    x->lifetime_us = (uint64_t)(lifetime_s ? lifetime_s : 1) * S_US;
    relay_hold_due(t, place, now_us + x->lifetime_us / 2);
}

/* An open flow: in use it is renewed; unused, it runs out. What was used and is no more is not
 * worth a record: the relay has seen the last use as well. */
static void open_due(struct relay_held *t, uint64_t now_us, uint32_t place) {
    struct relay_hold *x = &t->holds[place];
    const bool used = x->used_us > x->renewed_us;
    const uint64_t last_us = used ? x->used_us : x->renewed_us;
    const bool in_use = used && now_us < x->used_us + x->lifetime_us / 4;
    if (x->tries > 0 ? x->tries < RELAY_TRIES : in_use) {
        if (x->request == 0 && !relay_hold_request(t, place, relay_new_request(t)))
            relay_hold_over(t, place, RELAY_EXPIRED); /* no memory */
        else
            relay_hold_ask(t, now_us, place);
    } else if (x->tries > 0) {
        relay_hold_over(t, place, RELAY_NO_ANSWER);
    } else if (now_us >= last_us + x->lifetime_us) {
        relay_hold_over(t, place, RELAY_EXPIRED);
    } else {
        relay_hold_due(t, place, last_us + x->lifetime_us);
    }
}

void relay_hold_timeout(struct relay_held *t, uint64_t now_us, uint32_t place) {
    const struct relay_hold *x = &t->holds[place];
    switch ((enum relay_flow_state)x->state) {
    case RELAY_FLOW_OPEN:
        open_due(t, now_us, place);
        return;
    case RELAY_FLOW_OFFERED:
        relay_hold_over(t, place, RELAY_EXPIRED);
        return;
    case RELAY_FLOW_ASKED:
    case RELAY_FLOW_CLOSING:
        if (x->tries < RELAY_TRIES && x->reason == 0)
            relay_hold_ask(t, now_us, place);
        else
            relay_hold_over(t, place, RELAY_NO_ANSWER);
        return;
    }
}

/* ---- reservations ---- */

void relay_home_ask(struct relay_held *t, uint64_t now_us, uint32_t place) {
    struct relay_home *h = &t->homes[place];
    t->counters.retries += h->tries > 0;
    h->tries++;
    relay_say_home(t, place);
    relay_home_due(t, place, now_us + retry_us(h->tries));
}

void relay_home_over(struct relay_held *t, uint32_t place, uint8_t reason) {
    struct relay_home *h = &t->homes[place];
    const bool told = h->wish != RELAY_GIVES_BACK && h->wish != RELAY_NO_WISH;
    if (told)
        relay_event_push(t, &(struct relay_event){
                                .kind = RELAY_EV_UNRESERVED, .relay = h->relay, .reason = reason});
    h->wish = RELAY_NO_WISH;
    h->tries = 0;
    relay_home_due(t, place, TIME_NEVER - 1);
    relay_home_tidy(t, place);
}

void relay_home_timeout(struct relay_held *t, uint64_t now_us, uint32_t place) {
    struct relay_home *h = &t->homes[place];
    if (h->tries >= RELAY_TRIES) {
        relay_home_over(t, place, RELAY_NO_ANSWER);
        return;
    }
    if (h->wish == RELAY_HOLDS) {
        h->wish = RELAY_RENEWS;
        h->request = relay_new_request(t);
    }
    relay_home_ask(t, now_us, place);
}
