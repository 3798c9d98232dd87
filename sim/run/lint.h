/* lint.h: lines of a scenario that say nothing: expectations that cannot fail, or cannot hold,
 * whatever the nodes do; that another line says already, and more strictly; or that are about what
 * does not happen in this scenario. Such a line looks like a test and is none, so it is an error
 * like any other.
 */
#ifndef MESHD_SIM_RUN_LINT_H
#define MESHD_SIM_RUN_LINT_H

#include "sim/run/metrics.h"
#include "sim/scenario/scenario.h"

/* False with the problem, at the line. `m`: the metrics of an empty world, which has them all. */
bool lint_scenario(const struct scenario *sc, struct metrics *m, struct problem *problem);

#endif
