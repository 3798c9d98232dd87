/* collect.h: a world's metrics (sim/run/metrics.h): everything that is measured, by name. */
#ifndef MESHD_SIM_RUN_COLLECT_H
#define MESHD_SIM_RUN_COLLECT_H

#include "sim/run/metrics.h"
#include "sim/world/sim.h"

/* All of them, as they are now. */
void metrics_collect(const struct sim *s, struct metrics *m);

#endif
