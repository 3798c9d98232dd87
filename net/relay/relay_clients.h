/* relay_clients.h: a relay's clients: found by peer, by id and by where they are; and how many
 * reservations there are of each prefix. Places are numbers, since the array moves. Value structs;
 * relay_clients_init sets the secret of the tables.
 */
#ifndef MESHD_NET_RELAY_RELAY_CLIENTS_H
#define MESHD_NET_RELAY_RELAY_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/base/rng.h"
#include "crypto/identity/identity.h"
#include "net/base/hop.h"
#include "net/base/ref.h"
#include "net/relay/relay_index.h"
#include "net/relay/relay_rate.h"

#define RELAY_NOBODY UINT32_MAX

struct relay_seat { /* a client */
    struct node_id id;
    struct peer_ref peer;
    struct hop hop;
    uint64_t reserved_us;                 /* until; 0: no reservation */
    uint64_t prefix;                      /* of the reservation */
    struct relay_rate bytes, opens, ends; /* what it sends, flows it makes, ENDED it is told */
    uint32_t request;                     /* by which it has the reservation */
    uint32_t serial;                      /* another one for each client that has this place */
    uint32_t ends_1;                      /* the first of its ends of flows (relay_flows.h), + 1 */
    uint32_t flows, offers;               /* open or asked for by it; and offered to it */
    uint32_t signals;                     /* waiting to be told */
    uint32_t next_free_1;
    bool used;
};

struct relay_prefix { /* an IPv4 /24 or IPv6 /48 with reservations */
    uint64_t key;
    uint32_t reservations, next_free_1;
};

struct relay_clients {
    struct relay_seat *seats;
    struct relay_prefix *prefixes;
    uint32_t *by_peer_1; /* index of the peer's reference -> place + 1 */
    uint32_t count, cap, free_1, used, reservations;
    uint32_t prefix_count, prefix_cap, prefix_free_1, by_peer_cap;
    struct relay_index by_id, by_hop, by_prefix;
};

void relay_clients_init(struct relay_clients *t, const struct rng *rng);
void relay_clients_clear(struct relay_clients *t);
size_t relay_clients_memory(const struct relay_clients *t);

/* Its place, which it keeps; RELAY_NOBODY: none. The place of one is an index of `seats`. */
uint32_t relay_clients_by_peer(const struct relay_clients *t, struct peer_ref peer);
/* Whoever has this index, of an earlier peer, too. */
uint32_t relay_clients_by_index(const struct relay_clients *t, uint32_t index);
uint32_t relay_clients_by_id(const struct relay_clients *t, const struct node_id *id);
/* Who is there, whichever socket of ours that is: the first of several. */
uint32_t relay_clients_by_hop(const struct relay_clients *t, const struct hop *hop);

/* A client with this peer and id, of which there is none yet; at most `max`. ERR_FULL, ERR_NOMEM.
 */
int relay_clients_add(struct relay_clients *t, uint32_t max, struct peer_ref peer,
                      const struct node_id *id, const struct hop *hop, uint32_t *place) MUST_USE;
/* It has no flows any more. */
void relay_clients_remove(struct relay_clients *t, uint32_t place);
void relay_clients_move(struct relay_clients *t, uint32_t place, const struct hop *hop);

/* Makes or renews its reservation, if its prefix has fewer than `max` others. ERR_FULL, ERR_NOMEM.
 */
int relay_clients_reserve(struct relay_clients *t, uint32_t place, uint64_t until_us,
                          uint32_t max) MUST_USE;
void relay_clients_unreserve(struct relay_clients *t, uint32_t place);

#endif
