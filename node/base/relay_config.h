/* relay_config.h: what the user has set about relays: which ones this node uses, and what it does
 * for others if it serves as one. Plain data, filled by the settings (node/config), handed to
 * whoever uses relays when a node is made and again whenever the settings change.
 */
#ifndef MESHD_NODE_BASE_RELAY_CONFIG_H
#define MESHD_NODE_BASE_RELAY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/relay_addr.h"

enum {
    RELAYS_USE_MAX = 8,       /* named by the user; further ones are an error of the settings */
    RELAY_IDS_MAX = 64,       /* ids in `allow`, and in `block`; likewise */
    RELAY_PREFIX_MAX = 65535, /* the largest values of the two counts */
    RELAY_FLOWS_SET_MAX = 65535,
    RELAY_CAPACITY_DEFAULT_BPS = 100000000,
    RELAY_FLOWS_DEFAULT = 64,
    RELAY_PREFIX_DEFAULT = 256,
};

struct relay_ids {
    struct node_id list[RELAY_IDS_MAX];
    unsigned count;
};

struct relay_config { /* relay_config_init */
    struct relay_addr use[RELAYS_USE_MAX];
    unsigned use_count;
    bool serve;
    uint64_t capacity_bps;      /* bit/s forwarded in all; never 0 */
    uint64_t rate_per_node_bps; /* bit/s forwarded for one client; 0: only `capacity` limits */
    uint64_t quota_day_bytes;   /* forwarded for one client in a day; 0: no limit */
    uint32_t flows_per_node;    /* of one client */
    uint32_t reservations_per_prefix; /* clients from one IPv4 /24, one IPv6 /48 */
    struct relay_ids allow;           /* only these are served; none named: everybody is */
    struct relay_ids block;           /* never these */
};

static inline void relay_config_init(struct relay_config *c) {
    *c = (struct relay_config){.capacity_bps = RELAY_CAPACITY_DEFAULT_BPS,
                               .flows_per_node = RELAY_FLOWS_DEFAULT,
                               .reservations_per_prefix = RELAY_PREFIX_DEFAULT};
}

#endif
