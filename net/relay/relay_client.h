/* relay_client.h: what a node has at its relays (docs/PROTOCOL.md §7): reservations, and the flows
 * that lead to others. Requests are repeated until they are answered, what is used is renewed in
 * time, and a flow's number is turned into who is at its other end.
 *
 * Pure: no session, no endpoint. Whoever has the sessions says when one with a relay is up or gone,
 * hands in the RECORDs of kind RECORD_KIND_RELAY, pulls out those that are to be sent, and asks for
 * events. Owns all its memory; time is an argument.
 *
 * A relay is not trusted: it can say INCOMING without end (RELAY_OFFERS_MAX are kept of one relay,
 * an id each; further ones are dropped), end flows, and give a number twice (the second is dropped:
 * a number means one peer as long as it is held). What was not asked for is counted and passed
 * over. That a flow leads to the peer it names is shown by the handshake through it, not by the
 * relay.
 */
#ifndef MESHD_NET_RELAY_RELAY_CLIENT_H
#define MESHD_NET_RELAY_RELAY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/base/rng.h"
#include "crypto/identity/identity.h"
#include "net/base/ref.h"
#include "net/relay/relay_limits.h"
#include "net/wire/relay_msg.h"

enum {
    RELAYS_MAX = 256,      /* relays that a node uses at once; more: ERR_FULL */
    RELAY_HELD_MAX = 8192, /* flows held or asked for, at all relays; more: ERR_FULL, and offers
                                 are dropped */
    RELAY_EVENTS_MAX = 1 << 14, /* events not polled yet, enough for all to end at once; more:
                                   dropped, counted. Offers leave a quarter to the others */
    RELAY_NO_ANSWER = 0,        /* the reason of a request that nobody answered */
};

enum relay_flow_state {
    RELAY_FLOW_ASKED = 1, /* OPEN is out; no number yet */
    RELAY_FLOW_OFFERED,   /* INCOMING has come and is to be answered */
    RELAY_FLOW_OPEN,      /* may be used; one that we accepted: as soon as the relay heard it */
    RELAY_FLOW_CLOSING,   /* CLOSE is out */
};

struct relay_flow { /* what is known of one */
    struct peer_ref relay;
    uint32_t flow;       /* our end's number; 0: RELAY_FLOW_ASKED */
    uint32_t request;    /* of the OPEN that asked for it; 0: it was offered */
    struct node_id peer; /* who the relay says is at the other end */
    enum relay_flow_state state;
    uint64_t expires_us;
};

enum relay_event_kind {
    RELAY_EV_RESERVED = 1, /* lifetime_s, load, flows_max, rate, quota; each renewal, too */
    RELAY_EV_UNRESERVED,   /* reason: refused, not answered, or not renewed */
    RELAY_EV_OPENED,       /* flow, request, peer; once a flow */
    RELAY_EV_REFUSED,      /* request, peer, reason: an OPEN that failed */
    RELAY_EV_INCOMING,     /* flow, peer, lifetime_s: answer it (relay_client_answer) */
    RELAY_EV_ENDED,        /* flow, peer, reason: it was open, or offered, and is no more */
    RELAY_EV_LOAD,         /* load, rate, quota */
    RELAY_EV_RESTARTING,   /* in_ms, for_ms */
};

struct relay_event { /* the fields that its kind names; the others are zero */
    enum relay_event_kind kind;
    struct peer_ref relay;
    uint8_t reason; /* enum relay_reason or RELAY_NO_ANSWER */
    uint8_t load;
    uint16_t lifetime_s, flows_max;
    uint32_t request, flow;
    uint32_t rate_kib_s, quota_left_mib;
    uint32_t in_ms, for_ms;
    struct node_id peer;
};

/* clang-format off */
#define RELAY_CLIENT_COUNTERS(X) \
    X(records_bad) X(not_asked) X(offers_dropped) X(numbers_twice) X(events_dropped) \
    X(unknown_flow) X(retries)
/* clang-format on */
struct relay_client_counters {
#define X(name) uint64_t name;
    RELAY_CLIENT_COUNTERS(X)
#undef X
};

struct relay_client; /* opaque */

struct relay_client *relay_client_new(const struct rng *rng); /* NULL: no memory */
void relay_client_free(struct relay_client *c);               /* NULL is legal */

/* The session with a relay is gone: so is everything there. What was open or offered ends with
 * RELAY_GONE, requests fail with RELAY_GONE, a reservation with RELAY_EV_UNRESERVED. (That it is up
 * need not be said: the functions below are called for relays with a session.) */
void relay_client_relay_down(struct relay_client *c, uint64_t now_us, struct peer_ref relay);

/* ---- reservations ---- */

/* Wants one, from now on and renewed at half its lifetime, until it fails (RELAY_EV_UNRESERVED) or
 * is given back. Legal when there is one: it is asked for again. ERR_FULL, ERR_NOMEM. */
int relay_client_reserve(struct relay_client *c, uint64_t now_us, struct peer_ref relay) MUST_USE;
/* Gives it back. No event. */
void relay_client_release(struct relay_client *c, uint64_t now_us, struct peer_ref relay);

/* ---- flows ---- */

/* Asks for a flow to `peer`; RELAY_EV_OPENED or _REFUSED says how it ended, with this request. If
 * one is held or asked for there already, it is that one (and if it is open, RELAY_EV_OPENED comes
 * again). ERR_FULL, ERR_NOMEM. */
int relay_client_open(struct relay_client *c, uint64_t now_us, struct peer_ref relay,
                      const struct node_id *peer, uint32_t *request) MUST_USE;
/* Answers RELAY_EV_INCOMING, with a reason if not accepted (RELAY_DENIED). ERR_NOT_FOUND: the offer
 * is gone. The answer is repeated with each repetition of the question. */
int relay_client_answer(struct relay_client *c, uint64_t now_us, struct peer_ref relay,
                        uint32_t flow, bool accept, enum relay_reason reason) MUST_USE;
/* Ends one that is held; no event. One that is not known is passed over. */
void relay_client_close(struct relay_client *c, uint64_t now_us, struct peer_ref relay,
                        uint32_t flow);

/* Whether a datagram may go by it or be taken from it: who is at its other end; NULL: it is not
 * open (counted). Something passes by it, which keeps it from running out. One look into a table.
 * The id is the module's until the next call. */
const struct node_id *relay_client_use(struct relay_client *c, uint64_t now_us,
                                       struct peer_ref relay, uint32_t flow);
/* The same without use; false: not held in any state. */
bool relay_client_flow(const struct relay_client *c, struct peer_ref relay, uint32_t flow,
                       struct relay_flow *out);
/* All of them, in no order: `at` begins as 0. Do not change anything in between. */
bool relay_client_each(const struct relay_client *c, uint32_t *at, struct relay_flow *out);

/* ---- records, time, events ---- */

void relay_client_input(struct relay_client *c, uint64_t now_us, struct peer_ref from,
                        const uint8_t *data, size_t len);
/* The next record that is to be sent, to which relay; false: none now. One that cannot be sent is
 * lost like any other: it is repeated. */
bool relay_client_next(struct relay_client *c, uint64_t now_us, struct peer_ref *to,
                       uint8_t out[static RELAY_MSG_MAX_BYTES], size_t *len) MUST_USE;
uint64_t relay_client_deadline_us(const struct relay_client *c); /* TIME_NEVER: none */
void relay_client_timeout(struct relay_client *c, uint64_t now_us);
bool relay_client_poll(struct relay_client *c, struct relay_event *out) MUST_USE;

const struct relay_client_counters *relay_client_counters(const struct relay_client *c);
size_t relay_client_memory(const struct relay_client *c); /* bytes */

#endif
