#include "node/mesh/link_warm.h"

#include <string.h>

#include "crypto/base/rng.h"
#include "net/endpoint.h"
#include "net/wire/relay_msg.h"

/* Echoes of ours, among those of users (node/peer/ping.h): they count from 1. */
#define ECHO_MARK (UINT64_C(1) << 63)

/* ---- reservations ---- */
static const char *refusal(unsigned reason) {
    switch (reason) {
    case RELAY_FULL:
        return "it has no room for another node";
    case RELAY_RESTARTS:
        return "it is about to restart";
    case 0: /* nobody answered */
        return "it does not answer when it is asked to take this node in";
    case RELAY_QUOTA:
        return "this node has used up its share of the day";
    default:
        return "it does not serve this node";
    }
}

static void reserve(struct links *links, struct relay *r) {
    const uint64_t now_us = links->turn->now_us;
    const int err = relay_reserve(links->turn->ep, now_us, r->peering->ref);
    /* The endpoint repeats it; and if there was nothing to send it by, it is time for it again. */
    r->renew_us = now_us + (err ? LINK_FIRST_US : 15 * 1000000);
}

void link_warm_home(struct links *links, struct relay *r) {
    if (!relay_is_up(r) || !r->peering)
        return;
    r->renew_us = 0;
    if (r->home)
        reserve(links, r);
    else
        relay_unreserve(links->turn->ep, links->turn->now_us, r->peering->ref);
}

void link_warm_reserved(struct links *links, struct relay *r, uint16_t lifetime_s, uint8_t load) {
    const bool news = r->state != RELAY_IS_RESERVED;
    if (!relay_is_up(r) || !r->peering)
        return;
    r->pause_us = 0;
    link_warm_load(r, load);
    if (lifetime_s == 0 || !r->home)
        return;
    relay_enter(r, links->turn->now_us, RELAY_IS_RESERVED, "this node can be reached through it");
    /* Before the endpoint would, at half of it: that would not wait for an echo's time. */
    r->renew_us = links->turn->now_us + link_about_us(links, (uint64_t)lifetime_s * 375000);
    if (!news)
        return;
    links->homes_changed = true;
    link_tell(links, r, RELAY_NEWS_HOME);
}

void link_warm_refused(struct links *links, struct relay *r, unsigned reason) {
    /* Gone is the session that it was asked in: that is no refusal, and has been told. */
    if (!relay_is_up(r) || reason == RELAY_GONE || links->turn->shut)
        return;
    const bool was_home = r->state == RELAY_IS_RESERVED;
    relay_enter(r, links->turn->now_us, RELAY_IS_REFUSED, refusal(reason));
    r->pause_us = r->pause_us < LINK_DENIED_US ? LINK_DENIED_US : r->pause_us * 2;
    if (r->pause_us > 10 * (uint64_t)LINK_MAX_US)
        r->pause_us = 10 * (uint64_t)LINK_MAX_US;
    r->renew_us = links->turn->now_us + link_about_us(links, r->pause_us);
    links->choose_us = links->turn->now_us;
    link_tell(links, r, was_home ? RELAY_NEWS_LOST : RELAY_NEWS_REFUSED);
}

void link_warm_load(struct relay *r, uint8_t load) {
    r->load_percent = (uint8_t)(load * 100u / 255u);
}

/* ---- echoes ---- */
static uint64_t pause_us(const struct relay *r) {
    return r->rtt_us > LINK_ECHO_US ? r->rtt_us : LINK_ECHO_US;
}

static uint64_t mark(const struct relay *r, unsigned n) {
    return r->probe.id | n;
}

static void counted(struct links *links, struct relay *r) {
    struct relay_probe *p = &r->probe;
    if (p->sent++ == 0)
        p->since_us = links->turn->now_us;
    p->last_us = links->turn->now_us;
    p->next_us = links->turn->now_us + pause_us(r);
}

static void echo(struct links *links, struct relay *r) {
    if (r->probe.id == 0)
        r->probe.id = ECHO_MARK | (rng_u64(&links->turn->env.rng) & ~UINT64_C(0xff));
    const int err = session_ping(links->turn->ep, links->turn->now_us, r->peering->session,
                                 mark(r, r->probe.sent));
    (void)err; /* another one follows */
    counted(links, r);
}

/* After a pause: what has to be said anyway is answered as well. */
static void say_anyway(struct links *links, struct relay *r) {
    const uint64_t now_us = links->turn->now_us;
    r->probe.rested = true;
    if (session_renew(links->turn->ep, now_us, r->peering->session)) {
        r->probe.other = true;
    } else if (r->renew_us && now_us + 2 * keepalive_us(&r->keepalive) >= r->renew_us) {
        reserve(links, r);
        r->probe.other = true;
    } else {
        echo(links, r);
        return;
    }
    counted(links, r);
}

static uint64_t keys_left_us(const struct links *links, const struct relay *r) {
    return session_keys_left_us(links->turn->ep, links->turn->now_us, r->peering->session);
}

/* When the next new keys of this one will begin, as far as can be told. */
static uint64_t renews_us(const struct links *links, const struct relay *r) {
    const uint64_t left_us = keys_left_us(links, r), now_us = links->turn->now_us;
    if (r->probe.sent == 0 && r->probe.next_us >= now_us + left_us)
        return r->probe.next_us;
    return now_us + (left_us > LINK_KEYS_US ? left_us - LINK_KEYS_US : 0) +
           keepalive_us(&r->keepalive);
}

static uint64_t between_us(uint64_t a, uint64_t b) {
    return a < b ? b - a : a - b;
}

/* New keys of another home begin at about the same time. Of two only one gives way. */
static bool crowded(const struct links *links, const struct relay *r, uint64_t at_us) {
    for (unsigned i = 0; i < links->book.count; i++) {
        const struct relay *o = links->book.list[i];
        if (o->serial < r->serial && o->home && relay_is_up(o) && o->peering &&
            between_us(at_us, renews_us(links, o)) < LINK_APART_US)
            return true;
    }
    return false;
}

/* As long as the NAT allows; but once more right before the keys are too old, so that they serve
 * for longer. */
static uint64_t rest_us(const struct links *links, const struct relay *r) {
    const uint64_t us = keepalive_drawn_us(&r->keepalive, rng_u64(&links->turn->env.rng));
    const uint64_t left_us = keys_left_us(links, r);
    const uint64_t until_us = left_us > LINK_KEYS_US ? left_us - LINK_KEYS_US : 0;
    if (us <= until_us)
        return us;
    if (2 * until_us >= us)
        return until_us;
    return crowded(links, r, links->turn->now_us + us) ? us / 3 : us;
}

/* An echo, since a relay that was restarted without a word is found out by nothing less. The
 * endpoint, which would send a keepalive by itself, need not. */
static void rest(struct links *links, struct relay *r) {
    r->probe = (struct relay_probe){.next_us = links->turn->now_us + rest_us(links, r)};
}

/* The session stays, though nobody uses it. */
static void keep_alive(struct links *links, const struct relay *r) {
    const int err = endpoint_keepalive(links->turn->ep, links->turn->now_us, r->peering->ref,
                                       keepalive_us(&r->keepalive) + LINK_ECHO_FIRST_US);
    (void)err; /* a peer there is, and the pause is within bounds */
}

static void harm(struct links *links, struct relay *r) {
    keepalive_harm(&r->keepalive, links->turn->now_us);
    if (relay_is_up(r))
        keep_alive(links, r);
}

void link_warm_ask(struct links *links, struct relay *r) {
    if (relay_is_up(r) && r->peering && r->probe.sent == 0)
        echo(links, r);
}

/* It has answered; after a pause that is news: so long the NAT has held. */
static void well(struct links *links, struct relay *r) {
    if (r->probe.rested)
        keepalive_well(&r->keepalive, links->turn->now_us);
    keep_alive(links, r);
    rest(links, r);
}

void link_warm_echo(struct links *links, struct relay *r, uint64_t id) {
    const unsigned sent = r->probe.sent;
    if (sent == 0 || (id & ~UINT64_C(0xff)) != mark(r, 0))
        return;
    if (id == mark(r, sent - 1))
        relay_measured(r, links->turn->now_us, links->turn->now_us - r->probe.last_us);
    for (unsigned i = 1; i < sent; i++)
        relay_echoed(r, false);
    relay_echoed(r, true);
    if (sent == 1) {
        well(links, r);
        return;
    }
    harm(links, r);
    rest(links, r);
}

void link_warm_up(struct links *links, struct relay *r) {
    relay_enter(r, links->turn->now_us, RELAY_IS_UP, "a session is up");
    r->pause_us = 0;
    r->renew_us = 0;
    r->up_us = links->turn->now_us;
    r->doubted = r->asking = r->complained = false;
    r->due_us = UINT64_MAX;
    r->probe = (struct relay_probe){0};
    keep_alive(links, r);
    echo(links, r);
    if (r->home)
        reserve(links, r);
}

/* ---- its time ---- */
static void echo_late(struct links *links, struct relay *r) {
    if (r->probe.sent > 0 &&
        endpoint_heard_us(links->turn->ep, r->peering->ref) > r->probe.since_us) {
        if (r->probe.other && r->probe.sent == 1) {
            well(links, r);
            return;
        }
        relay_echoed(r, false); /* it lives, only the echo was lost */
        rest(links, r);
    } else if (r->probe.sent >= LINK_ECHOES) {
        relay_echoed(r, false);
        harm(links, r);
        r->probe = (struct relay_probe){.next_us = UINT64_MAX};
        endpoint_disconnect(links->turn->ep, links->turn->now_us, r->peering->session, ERR_TIMEOUT);
    } else if (r->probe.sent == 0) {
        say_anyway(links, r);
    } else {
        echo(links, r);
    }
}

void link_warm_step(struct links *links, struct relay *r) {
    const uint64_t now_us = links->turn->now_us;
    if (!relay_is_up(r) || !r->peering)
        return;
    if (r->state == RELAY_IS_RESTARTING) { /* it is another process now, which knows no session */
        r->due_us = UINT64_MAX;
        endpoint_disconnect(links->turn->ep, now_us, r->peering->session, ERR_CLOSED);
        return;
    }
    if (r->renew_us && now_us >= r->renew_us)
        reserve(links, r);
    if (r->probe.next_us <= now_us)
        echo_late(links, r);
}

uint64_t link_warm_due_us(const struct relay *r) {
    if (!relay_is_up(r) || !r->peering)
        return UINT64_MAX;
    if (r->state == RELAY_IS_RESTARTING)
        return r->due_us;
    return r->renew_us && r->renew_us < r->probe.next_us ? r->renew_us : r->probe.next_us;
}
