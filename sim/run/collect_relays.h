/* collect_relays.h: the metrics of relays and of their clients. */
#ifndef MESHD_SIM_RUN_COLLECT_RELAYS_H
#define MESHD_SIM_RUN_COLLECT_RELAYS_H

#include "sim/run/metrics.h"
#include "sim/world/world.h"

void collect_relays(const struct world *w, struct metrics *m);

#endif
