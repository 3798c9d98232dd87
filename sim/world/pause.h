/* pause.h: hosts that do not run for a while: suspended (a closed lid: clocks stand still, the
 * network is gone) or stalled (the CPU is elsewhere: clocks run on, the socket's buffer fills).
 */
#ifndef MESHD_SIM_WORLD_PAUSE_H
#define MESHD_SIM_WORLD_PAUSE_H

#include "sim/world/host.h"

/* True if the event waits or is gone (its packet then, too), since the host does not run now. */
bool pause_holds(struct host *h, const struct event *e);
/* for_ns 0: until pause_end. If it is paused already, the later end counts. */
void pause_begin(struct host *h, enum host_state state, uint64_t for_ns);
void pause_end(struct host *h);

#endif
