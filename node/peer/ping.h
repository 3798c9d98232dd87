/* ping.h: echoes asked for by node_ping that have not come back yet. */
#ifndef MESHD_NODE_PEER_PING_H
#define MESHD_NODE_PEER_PING_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/turn.h"
#include "node/peer/dial.h"

enum {
    PINGS_MAX = 256, /* further ones are refused with ERR_FULL */
    PING_US = 5 * 1000000,
};

struct ping {
    uint64_t id, deadline_us, sent_us;
    struct peer_ref peer;
    bool sent;
    bool patient; /* the user has said how long it is waited for */
};
struct pings { /* zeroes but for these = empty */
    struct turn *turn;
    struct peerings *peers;
    struct dials *dials;
    struct ping *list;
    uint32_t count, cap;
    uint64_t last_id;
};

/* As node_ping and node_ping_stop. */
int ping_start(struct pings *pings, struct peering *peer, uint64_t timeout_us,
               uint64_t *id) MUST_USE;
void ping_stop(struct pings *pings, uint64_t id);
void pings_clear(struct pings *pings);
void ping_peer_up(struct pings *pings, struct peering *peer);
void ping_peer_lost(struct pings *pings, struct peering *peer,
                    int err); /* session down, connect failed, removed */
/* As transfers_peer_silent. */
uint64_t ping_peer_silent(struct pings *pings, struct peering *peer, uint64_t before_us);
/* The peer's answer has come; at: where its packets go (EP_PONG). */
void ping_answered(struct pings *pings, struct peering *peer, uint64_t id, const struct addr *at);
uint64_t pings_deadline_us(const struct pings *pings);
void pings_timeout(struct pings *pings);

extern const struct part_ops pings_part; /* self: the struct pings */

#endif
