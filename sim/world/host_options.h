/* host_options.h: what a host is like when it is added to a world. */
#ifndef MESHD_SIM_WORLD_HOST_OPTIONS_H
#define MESHD_SIM_WORLD_HOST_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/path_policy.h"
#include "net/cc/cc.h"

/* What a host's network lets through of TCP; all zeroes: everything. */
struct tcp_rule {
    bool blocked;       /* nothing */
    uint16_t only_port; /* only to and from this port of others; 0: any */
};

enum { SIM_RELAYS_MAX = 8 };

struct sim_relay_limits { /* what a relay's settings say; 0: nothing */
    uint64_t capacity_bps, rate_bps, quota_bytes;
    uint32_t flows, prefix;
};

struct sim_host_options {
    const char *name;  /* [A-Za-z0-9_-], also the contact name that others give it */
    const char *group; /* a label for reports; NULL: none */
    enum cc_kind cc;
    unsigned suites; /* offered AEAD suites; 0: all */
    bool ipv4, ipv6; /* neither: IPv4 */
    bool no_udp;     /* its network lets no UDP out or in */
    bool lazy;       /* dials no contact by itself */
    bool serves;     /* as a relay, for everybody */
    struct sim_relay_limits limits;
    enum path_policy path;           /* to its peers; relays themselves are reached by UDP always */
    uint32_t relays[SIM_RELAYS_MAX]; /* hosts that stand in its settings, with their ids */
    uint32_t relay_count;
    uint32_t site;   /* SITE_NONE: on the internet */
    uint32_t region; /* SITE_NONE: none, no delay of its own. That of its site, if it is in one */
};

#endif
