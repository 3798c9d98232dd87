#include "net/relay/relay_clients.h"

#include <assert.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"
#include "net/relay/relay_limits.h"

void relay_clients_init(struct relay_clients *t, const struct rng *rng) {
    *t = (struct relay_clients){0};
    rng_fill(rng, t->by_id.secret, sizeof t->by_id.secret);
    rng_fill(rng, t->by_hop.secret, sizeof t->by_hop.secret);
    rng_fill(rng, t->by_prefix.secret, sizeof t->by_prefix.secret);
}

void relay_clients_clear(struct relay_clients *t) {
    relay_index_clear(&t->by_id);
    relay_index_clear(&t->by_hop);
    relay_index_clear(&t->by_prefix);
    mem_free(t->seats);
    mem_free(t->prefixes);
    mem_free(t->by_peer_1);
    *t = (struct relay_clients){0};
}

size_t relay_clients_memory(const struct relay_clients *t) {
    return t->cap * sizeof *t->seats + t->prefix_cap * sizeof *t->prefixes +
           t->by_peer_cap * sizeof *t->by_peer_1 + relay_index_memory(&t->by_id) +
           relay_index_memory(&t->by_hop) + relay_index_memory(&t->by_prefix);
}

/* ---- finding ---- */

static uint32_t hop_hash(const struct relay_clients *t, const struct hop *hop) {
    uint8_t key[HOP_BYTES_MAX];
    const size_t len = hop_write(hop, key);
    return relay_index_hash(&t->by_hop, key, len);
}

static uint32_t id_hash(const struct relay_clients *t, const struct node_id *id) {
    return relay_index_hash(&t->by_id, id, sizeof *id);
}

uint32_t relay_clients_by_index(const struct relay_clients *t, uint32_t index) {
    return index < t->by_peer_cap && t->by_peer_1[index] != 0 ? t->by_peer_1[index] - 1
                                                              : RELAY_NOBODY;
}

uint32_t relay_clients_by_peer(const struct relay_clients *t, struct peer_ref peer) {
    const uint32_t at = relay_clients_by_index(t, peer.index);
    return at != RELAY_NOBODY && t->seats[at].peer.generation == peer.generation ? at
                                                                                 : RELAY_NOBODY;
}

uint32_t relay_clients_by_id(const struct relay_clients *t, const struct node_id *id) {
    uint32_t at = 0, place;
    const uint32_t hash = id_hash(t, id);
    while ((place = relay_index_find(&t->by_id, hash, &at)) != RELAY_INDEX_NONE)
        if (node_id_equal(&t->seats[place].id, id))
            return place;
    return RELAY_NOBODY;
}

uint32_t relay_clients_by_hop(const struct relay_clients *t, const struct hop *hop) {
    uint32_t at = 0, place;
    const uint32_t hash = hop_hash(t, hop);
    while ((place = relay_index_find(&t->by_hop, hash, &at)) != RELAY_INDEX_NONE)
        if (hop_covers(&t->seats[place].hop, hop))
            return place;
    return RELAY_NOBODY;
}

/* ---- coming and going ---- */

static bool room_for_peer(struct relay_clients *t, uint32_t index) {
    const uint32_t had = t->by_peer_cap;
    if (index < had)
        return true;
    if (!mem_grow(&t->by_peer_1, &t->by_peer_cap, (size_t)index + 1, sizeof *t->by_peer_1,
                  PEERS_MAX))
        return false;
    for (uint32_t i = had; i < t->by_peer_cap; i++)
        t->by_peer_1[i] = 0;
    return true;
}

static bool room_for_seat(struct relay_clients *t) {
    return t->free_1 != 0 ||
           mem_grow(&t->seats, &t->cap, t->count + 1, sizeof *t->seats, RELAY_CLIENTS_MAX);
}

int relay_clients_add(struct relay_clients *t, uint32_t max, struct peer_ref peer,
                      const struct node_id *id, const struct hop *hop, uint32_t *place) {
    if (t->used >= max)
        return ERR_FULL;
    if (!room_for_peer(t, peer.index) || !room_for_seat(t))
        return ERR_NOMEM;
    const bool again = t->free_1 != 0;
    const uint32_t at = again ? t->free_1 - 1 : t->count;
    if (!relay_index_add(&t->by_id, id_hash(t, id), at))
        return ERR_NOMEM;
    if (!relay_index_add(&t->by_hop, hop_hash(t, hop), at)) {
        relay_index_remove(&t->by_id, id_hash(t, id), at);
        return ERR_NOMEM;
    }
    struct relay_seat *c = &t->seats[at];
    const uint32_t serial = again ? c->serial + 1 : 1;
    if (again)
        t->free_1 = c->next_free_1;
    else
        t->count++;
    *c = (struct relay_seat){.id = *id, .peer = peer, .hop = *hop, .serial = serial, .used = true};
    t->by_peer_1[peer.index] = at + 1;
    t->used++;
    *place = at;
    return 0;
}

void relay_clients_remove(struct relay_clients *t, uint32_t place) {
    struct relay_seat *c = &t->seats[place];
    assert(c->used && c->ends_1 == 0);
    relay_clients_unreserve(t, place);
    relay_index_remove(&t->by_id, id_hash(t, &c->id), place);
    relay_index_remove(&t->by_hop, hop_hash(t, &c->hop), place);
    t->by_peer_1[c->peer.index] = 0;
    *c = (struct relay_seat){.serial = c->serial, .next_free_1 = t->free_1};
    t->free_1 = place + 1;
    t->used--;
}

/* ---- reservations ---- */

static uint64_t prefix_of(const struct hop *hop) {
    const struct addr *a = hop_addr(hop);
    if (a->kind == ADDR_NONE)
        return hop_source(hop);
    uint64_t key = a->kind;
    for (unsigned i = 0; i < (a->kind == ADDR_IPV4 ? 3u : 6u); i++)
        key = key << 8 | a->ip[i];
    return key;
}

static uint32_t prefix_find(const struct relay_clients *t, uint64_t key) {
    uint32_t at = 0, place;
    const uint32_t hash = relay_index_hash(&t->by_prefix, &key, sizeof key);
    while ((place = relay_index_find(&t->by_prefix, hash, &at)) != RELAY_INDEX_NONE)
        if (t->prefixes[place].key == key)
            break;
    return place;
}

/* One more of this prefix; false: no memory. */
static bool prefix_more(struct relay_clients *t, uint64_t key) {
    uint32_t at = prefix_find(t, key);
    if (at != RELAY_INDEX_NONE) {
        t->prefixes[at].reservations++;
        return true;
    }
    const bool again = t->prefix_free_1 != 0;
    if (!again && !mem_grow(&t->prefixes, &t->prefix_cap, t->prefix_count + 1, sizeof *t->prefixes,
                            RELAY_CLIENTS_MAX))
        return false;
    at = again ? t->prefix_free_1 - 1 : t->prefix_count;
    if (!relay_index_add(&t->by_prefix, relay_index_hash(&t->by_prefix, &key, sizeof key), at))
        return false;
    if (again)
        t->prefix_free_1 = t->prefixes[at].next_free_1;
    else
        t->prefix_count++;
    t->prefixes[at] = (struct relay_prefix){.key = key, .reservations = 1};
    return true;
}

static void prefix_less(struct relay_clients *t, uint64_t key) {
    const uint32_t at = prefix_find(t, key);
    assert(at != RELAY_INDEX_NONE);
    if (--t->prefixes[at].reservations > 0)
        return;
    relay_index_remove(&t->by_prefix, relay_index_hash(&t->by_prefix, &key, sizeof key), at);
    t->prefixes[at] = (struct relay_prefix){.next_free_1 = t->prefix_free_1};
    t->prefix_free_1 = at + 1;
}

int relay_clients_reserve(struct relay_clients *t, uint32_t place, uint64_t until_us,
                          uint32_t max) {
    struct relay_seat *c = &t->seats[place];
    if (c->reserved_us == 0) {
        const uint64_t key = prefix_of(&c->hop);
        const uint32_t at = prefix_find(t, key);
        if (at != RELAY_INDEX_NONE && t->prefixes[at].reservations >= max)
            return ERR_FULL;
        if (!prefix_more(t, key))
            return ERR_NOMEM;
        c->prefix = key;
        t->reservations++;
    }
    c->reserved_us = until_us;
    return 0;
}

void relay_clients_unreserve(struct relay_clients *t, uint32_t place) {
    struct relay_seat *c = &t->seats[place];
    if (c->reserved_us == 0)
        return;
    prefix_less(t, c->prefix);
    c->reserved_us = 0;
    t->reservations--;
}

/* A reservation counts where it was made until it moves; there is no refusing one that moved. */
void relay_clients_move(struct relay_clients *t, uint32_t place, const struct hop *hop) {
    struct relay_seat *c = &t->seats[place];
    if (hop_hash(t, hop) != hop_hash(t, &c->hop)) {
        relay_index_remove(&t->by_hop, hop_hash(t, &c->hop), place);
        /* It has just become smaller. */
        const bool added = relay_index_add(&t->by_hop, hop_hash(t, hop), place);
        assert(added);
    }
    const uint64_t key = prefix_of(hop);
    if (c->reserved_us != 0 && key != c->prefix && prefix_more(t, key)) {
        prefix_less(t, c->prefix);
        c->prefix = key;
    }
    c->hop = *hop;
}
