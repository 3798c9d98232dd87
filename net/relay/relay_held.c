#include "net/relay/relay_held.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

void relay_held_init(struct relay_held *t, const struct rng *rng) {
    *t = (struct relay_held){.rng = *rng};
    rng_fill(rng, t->by_flow.secret, sizeof t->by_flow.secret);
    rng_fill(rng, t->by_request.secret, sizeof t->by_request.secret);
    t->next_request = rng_u32(rng);
}

void relay_held_clear(struct relay_held *t) {
    relay_index_clear(&t->by_flow);
    relay_index_clear(&t->by_request);
    timer_clear(&t->timers);
    mem_free(t->homes);
    mem_free(t->holds);
    mem_free(t->events);
    mem_free(t->say);
    *t = (struct relay_held){0};
}

size_t relay_held_memory(const struct relay_held *t) {
    return t->home_cap * sizeof *t->homes + t->hold_cap * sizeof *t->holds +
           t->event_cap * sizeof *t->events + t->say_cap * sizeof *t->say +
           relay_index_memory(&t->by_flow) + relay_index_memory(&t->by_request) +
           t->timers.heap_cap * 2 * sizeof(uint64_t) + t->timers.where_cap * sizeof(uint32_t);
}

/* ---- what is to be said, and when ---- */

/* A place for each flow and relay that there may be. */
static bool room_to_say(struct relay_held *t) {
    const uint32_t need = t->hold_cap + t->home_cap, had = t->say_cap;
    uint32_t *ring = NULL, cap = 0;
    if (need <= had)
        return true;
    if (!mem_grow(&ring, &cap, need, sizeof *ring, RELAYS_MAX + RELAY_HELD_MAX))
        return false;
    for (uint32_t i = 0; i < t->say_count; i++)
        ring[i] = t->say[(t->say_first + i) % had];
    mem_free(t->say);
    t->say = ring;
    t->say_cap = cap;
    t->say_first = 0;
    return true;
}

static void say(struct relay_held *t, uint32_t id, bool *queued) {
    if (*queued)
        return;
    assert(t->say_count < t->say_cap);
    t->say[(t->say_first + t->say_count++) % t->say_cap] = id;
    *queued = true;
}

void relay_say_hold(struct relay_held *t, uint32_t place) {
    say(t, 2 * place, &t->holds[place].queued);
}

void relay_say_home(struct relay_held *t, uint32_t place) {
    say(t, 2 * place + 1, &t->homes[place].queued);
}

bool relay_say_next(struct relay_held *t, uint32_t *id) {
    if (t->say_count == 0)
        return false;
    *id = t->say[t->say_first];
    t->say_first = (t->say_first + 1) % t->say_cap;
    t->say_count--;
    if (*id % 2 == 0)
        t->holds[*id / 2].queued = false;
    else
        t->homes[*id / 2].queued = false;
    return true;
}

/* Each has had a timer since it is there, so that there is memory for it. */
static void due(struct relay_held *t, uint32_t id, uint64_t at_us) {
    const int err = timer_set(&t->timers, id, at_us);
    assert(err == 0);
}

void relay_hold_due(struct relay_held *t, uint32_t place, uint64_t at_us) {
    due(t, 2 * place, at_us);
}

void relay_home_due(struct relay_held *t, uint32_t place, uint64_t at_us) {
    due(t, 2 * place + 1, at_us);
}

/* ---- relays ---- */

uint32_t relay_home_find(const struct relay_held *t, struct peer_ref relay) {
    for (uint32_t i = 0; i < t->home_count; i++)
        if (t->homes[i].used && t->homes[i].relay.index == relay.index &&
            t->homes[i].relay.generation == relay.generation)
            return i;
    return RELAY_INDEX_NONE;
}

int relay_home_get(struct relay_held *t, struct peer_ref relay, uint32_t *place) {
    *place = relay_home_find(t, relay);
    if (*place != RELAY_INDEX_NONE)
        return 0;
    uint32_t at = 0;
    while (at < t->home_count && (t->homes[at].used || t->homes[at].queued))
        at++;
    if (at == RELAYS_MAX)
        return ERR_FULL;
    if (at == t->home_count &&
        !mem_grow(&t->homes, &t->home_cap, t->home_count + 1, sizeof *t->homes, RELAYS_MAX))
        return ERR_NOMEM;
    if (!room_to_say(t) || timer_set(&t->timers, 2 * at + 1, TIME_NEVER - 1) != 0)
        return ERR_NOMEM;
    if (at == t->home_count)
        t->home_count++;
    t->homes[at] = (struct relay_home){.relay = relay, .used = true};
    *place = at;
    return 0;
}

void relay_home_tidy(struct relay_held *t, uint32_t place) {
    struct relay_home *h = &t->homes[place];
    if (h->wish != RELAY_NO_WISH || h->flows > 0)
        return;
    h->used = false;
    due(t, 2 * place + 1, TIME_NEVER);
}

/* ---- flows ---- */

static uint32_t flow_hash(const struct relay_held *t, struct peer_ref relay, uint32_t flow) {
    const uint32_t key[3] = {relay.index, relay.generation, flow};
    return relay_index_hash(&t->by_flow, key, sizeof key);
}

static uint32_t request_hash(const struct relay_held *t, uint32_t request) {
    return relay_index_hash(&t->by_request, &request, sizeof request);
}

uint32_t relay_hold_by_flow(const struct relay_held *t, struct peer_ref relay, uint32_t flow) {
    uint32_t at = 0, place;
    const uint32_t hash = flow_hash(t, relay, flow);
    while ((place = relay_index_find(&t->by_flow, hash, &at)) != RELAY_INDEX_NONE) {
        const struct relay_hold *x = &t->holds[place];
        const struct peer_ref *by = &t->homes[x->home].relay;
        if (x->flow == flow && by->index == relay.index && by->generation == relay.generation)
            return place;
    }
    return RELAY_INDEX_NONE;
}

uint32_t relay_hold_by_request(const struct relay_held *t, uint32_t request) {
    uint32_t at = 0, place;
    const uint32_t hash = request_hash(t, request);
    while ((place = relay_index_find(&t->by_request, hash, &at)) != RELAY_INDEX_NONE)
        if (t->holds[place].request == request)
            return place;
    return RELAY_INDEX_NONE;
}

uint32_t relay_hold_by_peer(const struct relay_held *t, uint32_t home, const struct node_id *peer) {
    for (uint32_t i = 0; i < t->hold_count; i++) {
        const struct relay_hold *x = &t->holds[i];
        if (x->state != 0 && x->home == home && x->state != RELAY_FLOW_CLOSING &&
            node_id_equal(&x->peer, peer))
            return i;
    }
    return RELAY_INDEX_NONE;
}

uint32_t relay_new_request(struct relay_held *t) {
    if (++t->next_request == 0)
        t->next_request = 1;
    return t->next_request;
}

int relay_hold_new(struct relay_held *t, uint32_t home, const struct node_id *peer,
                   enum relay_flow_state state, uint32_t *place) {
    if (t->held >= RELAY_HELD_MAX)
        return ERR_FULL;
    const bool again = t->hold_free_1 != 0;
    if (!again &&
        !mem_grow(&t->holds, &t->hold_cap, t->hold_count + 1, sizeof *t->holds, RELAY_HELD_MAX))
        return ERR_NOMEM;
    const uint32_t at = again ? t->hold_free_1 - 1 : t->hold_count;
    if (!room_to_say(t) || timer_set(&t->timers, 2 * at, TIME_NEVER - 1) != 0)
        return ERR_NOMEM;
    struct relay_hold *x = &t->holds[at];
    bool queued = false; /* of who had this place: it says nothing then */
    if (again) {
        t->hold_free_1 = x->next_free_1;
        queued = x->queued;
    } else {
        t->hold_count++;
    }
    *x =
        (struct relay_hold){.peer = *peer, .home = home, .state = (uint8_t)state, .queued = queued};
    t->held++;
    t->homes[home].flows++;
    t->homes[home].offers += state == RELAY_FLOW_OFFERED;
    *place = at;
    return 0;
}

bool relay_hold_number(struct relay_held *t, uint32_t place, uint32_t flow) {
    struct relay_hold *x = &t->holds[place];
    const struct peer_ref relay = t->homes[x->home].relay;
    if (!relay_index_add(&t->by_flow, flow_hash(t, relay, flow), place))
        return false;
    if (x->flow != 0)
        relay_index_remove(&t->by_flow, flow_hash(t, relay, x->flow), place);
    x->flow = flow;
    return true;
}

bool relay_hold_request(struct relay_held *t, uint32_t place, uint32_t request) {
    struct relay_hold *x = &t->holds[place];
    if (!relay_index_add(&t->by_request, request_hash(t, request), place))
        return false;
    if (x->request != 0)
        relay_index_remove(&t->by_request, request_hash(t, x->request), place);
    x->request = request;
    return true;
}

void relay_hold_free(struct relay_held *t, uint32_t place) {
    struct relay_hold *x = &t->holds[place];
    struct relay_home *h = &t->homes[x->home];
    assert(x->state != 0);
    if (x->flow != 0)
        relay_index_remove(&t->by_flow, flow_hash(t, h->relay, x->flow), place);
    if (x->request != 0)
        relay_index_remove(&t->by_request, request_hash(t, x->request), place);
    h->flows--;
    h->offers -= x->state == RELAY_FLOW_OFFERED;
    due(t, 2 * place, TIME_NEVER);
    const uint32_t home = x->home;
    *x = (struct relay_hold){.next_free_1 = t->hold_free_1, .queued = x->queued};
    t->hold_free_1 = place + 1;
    t->held--;
    relay_home_tidy(t, home);
}

/* ---- events ---- */

static bool room_for_event(struct relay_held *t) {
    enum { FIRST = 16 };
    if (t->event_count < t->event_cap)
        return true;
    const uint32_t cap = t->event_cap ? t->event_cap * 2 : FIRST;
    struct relay_event *ring = cap <= RELAY_EVENTS_MAX ? mem_calloc(cap, sizeof *ring) : NULL;
    if (!ring)
        return false;
    for (uint32_t i = 0; i < t->event_count; i++)
        ring[i] = t->events[(t->event_first + i) & (t->event_cap - 1)];
    mem_free(t->events);
    t->events = ring;
    t->event_cap = cap;
    t->event_first = 0;
    return true;
}

void relay_event_push(struct relay_held *t, const struct relay_event *e) {
    const bool offer = e->kind == RELAY_EV_INCOMING;
    if ((offer && t->event_count >= RELAY_EVENTS_MAX / 4 * 3) || !room_for_event(t)) {
        t->counters.events_dropped++;
        return;
    }
    t->events[(t->event_first + t->event_count++) & (t->event_cap - 1)] = *e;
}

bool relay_event_pop(struct relay_held *t, struct relay_event *out) {
    if (t->event_count == 0)
        return false;
    *out = t->events[t->event_first];
    t->event_first = (t->event_first + 1) & (t->event_cap - 1);
    t->event_count--;
    return true;
}
