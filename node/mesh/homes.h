/* homes.h: which relays a node keeps warm: two, so that it can be reached while one of them is
 * gone. Pure: what is known of each goes in, which two come out.
 *
 * By the round trip as it is through the relay, and by load. Its own word about load only takes it
 * out of the choice; one that says it is idle and is not is found by its own delay and loss, which
 * count in the round trip. The old ones are kept until another is clearly better (hysteresis, as
 * tailscale's netcheck has it), and among those that are as good as each other every node draws
 * for itself, so that the clients of a mesh spread.
 */
#ifndef MESHD_NODE_MESH_HOMES_H
#define MESHD_NODE_MESH_HOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/addr.h"

enum {
    HOMES_MAX = 2,
    HOMES_LOAD_MAX_PERCENT = 80,    /* over it a relay is taken only where there is no other */
    HOMES_BETTER_US = 10 * 1000,    /* another one must be below 2/3 and so much better; those that
                                     * are nearer to each other are equals */
    HOMES_UNMEASURED_US = 1000000,  /* what a round trip counts that nobody has measured */
    HOMES_REMEASURE_US = 300000000, /* give or take a tenth */
};

struct home_choice {
    bool usable;          /* it answers with the right key, and does not refuse us */
    bool home;            /* is one now */
    uint64_t net;         /* home_net of its address */
    uint64_t rtt_us;      /* smoothed, with whatever it adds; 0: not measured */
    uint8_t load_percent; /* its own word */
    uint8_t lost_percent; /* of what should have come back through it lately */
    uint32_t draw;        /* this node's, at random, once for each relay */
};

/* The network an address is in as far as failing together goes: IPv4 /16, IPv6 /32. */
uint64_t home_net(const struct addr *a);
/* What counts of a round trip: with 8 times its loss added, as for paths. */
uint64_t home_cost_us(const struct home_choice *c);
/* The best first. Gives how many there are: 0..HOMES_MAX. Two are of two networks if there are
 * such that are not overloaded. */
unsigned homes_choose(const struct home_choice *list, unsigned count,
                      unsigned out[static HOMES_MAX]);

#endif
