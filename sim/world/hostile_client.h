/* hostile_client.h: what a hostile host asks of a relay over its node's own session with it, as no
 * honest node does. */
#ifndef MESHD_SIM_WORLD_HOSTILE_CLIENT_H
#define MESHD_SIM_WORLD_HOSTILE_CLIENT_H

#include "sim/world/host.h"

/* Asks `relay` for a flow to that id, whoever that is. False: its node has no session there. */
bool hostile_client_open(struct host *h, const struct host *relay, const struct node_id *to);

#endif
