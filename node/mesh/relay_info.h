/* relay_info.h: what a node says of relays to whoever asks. */
#ifndef MESHD_NODE_MESH_RELAY_INFO_H
#define MESHD_NODE_MESH_RELAY_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "net/relay/relay_server.h"
#include "node/base/relay_addr.h"

struct relay_info {
    struct relay_addr at;
    uint32_t serial;
    bool named, home, reserved, contact; /* by the user; one of two; we can be reached there; */
    const char *state;                   /* it is a contact, too. "reserved", ... */
    const char *why;                     /* a sentence */
    bool is_wrong;
    struct node_id wrong;          /* who answers there instead */
    struct addr place;             /* in use; ADDR_NONE: not resolved */
    uint64_t rtt_us, keepalive_us; /* 0: not measured; no session */
    uint64_t since_us;             /* it is so since, monotonic */
    uint8_t load_percent, lost_percent;
    unsigned ways; /* to peers, through it */
};

struct relay_use { /* counts */
    unsigned known, homes, up, ways;
    uint64_t ways_opened, ways_failed, ways_in; /* since the start */
    bool serves;
    struct relay_stats served; /* if so */
};

#endif
