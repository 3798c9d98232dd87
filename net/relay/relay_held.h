/* relay_held.h: the tables of relay_client.h: relays that are used, flows that are held there, what
 * is to be said, and events. Places are numbers, since the arrays move. Value struct;
 * relay_held_init sets the tables' secrets.
 */
#ifndef MESHD_NET_RELAY_RELAY_HELD_H
#define MESHD_NET_RELAY_RELAY_HELD_H

#include "net/base/timer.h"
#include "net/relay/relay_client.h"
#include "net/relay/relay_index.h"

enum relay_wish { RELAY_NO_WISH, RELAY_WISHES, RELAY_HOLDS, RELAY_RENEWS, RELAY_GIVES_BACK };

struct relay_home { /* a relay that is used */
    struct peer_ref relay;
    uint64_t lifetime_us;
    uint32_t request;
    uint32_t flows, offers; /* of those held; of these, not answered */
    uint8_t wish;           /* enum relay_wish: the reservation */
    uint8_t tries;          /* of what is asked for now */
    bool used, queued;
};

struct relay_hold { /* a flow */
    struct node_id peer;
    uint64_t renewed_us, used_us, lifetime_us;
    uint32_t home;
    uint32_t flow, request;
    uint32_t next_free_1;
    uint8_t state;  /* enum relay_flow_state, or */
    uint8_t tries;  /* of OPEN or CLOSE; 0: none is out */
    uint8_t reason; /* of RELAY_FLOW_CLOSING: REFUSE is said, with this; 0: CLOSE */
    bool queued, say_accept, say_request;
};

struct relay_held {
    struct rng rng;
    struct relay_home *homes;
    struct relay_hold *holds;
    struct relay_event *events; /* a ring, of a power of two */
    uint32_t *say;              /* a ring: a flow's place x 2, a relay's x 2 + 1; each once */
    uint32_t home_count, home_cap, hold_count, hold_cap, hold_free_1, held;
    uint32_t event_first, event_count, event_cap, say_cap, say_first, say_count;
    uint32_t next_request;
    struct relay_index by_flow, by_request;
    struct timer_heap timers; /* numbered like `say` */
    struct relay_client_counters counters;
};

void relay_held_init(struct relay_held *t, const struct rng *rng);
void relay_held_clear(struct relay_held *t);
size_t relay_held_memory(const struct relay_held *t);

/* Places; RELAY_INDEX_NONE: there is none. */
uint32_t relay_home_find(const struct relay_held *t, struct peer_ref relay);
/* The same, made if there is none. ERR_FULL, ERR_NOMEM. */
int relay_home_get(struct relay_held *t, struct peer_ref relay, uint32_t *place) MUST_USE;
/* If nothing is held or wished for there, it is forgotten. */
void relay_home_tidy(struct relay_held *t, uint32_t place);

/* A flow without number and request, whose timer can be set. ERR_FULL, ERR_NOMEM. */
int relay_hold_new(struct relay_held *t, uint32_t home, const struct node_id *peer,
                   enum relay_flow_state state, uint32_t *place) MUST_USE;
void relay_hold_free(struct relay_held *t, uint32_t place);
/* It has this number, or another one than before. False: no memory. */
bool relay_hold_number(struct relay_held *t, uint32_t place, uint32_t flow) MUST_USE;
bool relay_hold_request(struct relay_held *t, uint32_t place, uint32_t request) MUST_USE;
uint32_t relay_hold_by_flow(const struct relay_held *t, struct peer_ref relay, uint32_t flow);
uint32_t relay_hold_by_request(const struct relay_held *t, uint32_t request);
uint32_t relay_hold_by_peer(const struct relay_held *t, uint32_t home, const struct node_id *peer);
/* A number that no request has had for long; never 0. */
uint32_t relay_new_request(struct relay_held *t);

/* Something is to be said of this flow, or relay. */
void relay_say_hold(struct relay_held *t, uint32_t place);
void relay_say_home(struct relay_held *t, uint32_t place);
/* Of what next, numbered as above; its `queued` is no more set. False: nothing. */
bool relay_say_next(struct relay_held *t, uint32_t *id) MUST_USE;
/* Sets its timer, which takes no memory. */
void relay_hold_due(struct relay_held *t, uint32_t place, uint64_t at_us);
void relay_home_due(struct relay_held *t, uint32_t place, uint64_t at_us);

void relay_event_push(struct relay_held *t, const struct relay_event *e);
bool relay_event_pop(struct relay_held *t, struct relay_event *out) MUST_USE;

#endif
