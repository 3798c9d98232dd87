/* heard.h: what a node tells, and what the world makes of it: the trace, the ledger, and what was
 * asked for. */
#ifndef MESHD_SIM_WORLD_HEARD_H
#define MESHD_SIM_WORLD_HEARD_H

#include "sim/world/host.h"

enum { FLOW_HEAD_BYTES = 16 }; /* of a flow's datagram: serial, when it was sent */

void heard_event(struct host *h, const struct node_event *e);
/* Of a flow. */
void heard_datagram(struct host *h, const uint8_t *data, uint32_t len);

#endif
