/* draw_net.h: the network of a swarm's drawn scenario beyond one NAT a host: homes that several
 * share, homes behind a carrier's NAT, routers with Linux, IPv6; and what happens to those routers.
 * Its draws are its own, so what else is drawn for a seed stays as it is.
 */
#ifndef MESHD_SIM_CAMPAIGN_DRAW_NET_H
#define MESHD_SIM_CAMPAIGN_DRAW_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/draw.h"
#include "sim/text/text.h"

enum draw_net_kind {
    DRAW_NET_PLAIN,   /* whatever else is drawn; the others are instead of that */
    DRAW_NET_HOME,    /* all movers share one */
    DRAW_NET_CARRIER, /* each has a home, all of them behind one carrier */
    DRAW_NET_BOTH,    /* one home behind a carrier */
    DRAW_NET_LINUX,   /* each has a home with Linux's NAT */
};

struct draw_net {
    const struct draw *draw; /* outlives it */
    uint64_t drawn;
    uint32_t move;
    enum draw_net_kind kind;
    const char *nat;                   /* of the homes */
    const char *stay_keys, *move_keys; /* "", or " ip=6" */
};

/* `move`: how many movers there are, m1 and on. */
void draw_net_init(struct draw_net *n, const struct draw *draw, uint32_t move);
void draw_net_sites(const struct draw_net *n, struct text *out); /* before the nodes */
/* What follows "node m[1..N]" beside the rest. */
void draw_net_places(const struct draw_net *n, struct text *out);
/* What becomes of the routers, between 5 s and 59 s. `natted`: all movers are behind some. */
void draw_net_faults(struct draw_net *n, bool natted, struct text *out);

#endif
