/* jobs.h: runs of dumbbells, each in a process of its own, so that a crash is a result and memory
 * is given back; results are the same for every number of processes.
 */
#ifndef MESHD_TESTS_ORACLE_JOBS_H
#define MESHD_TESTS_ORACLE_JOBS_H

#include "tests/bench/oracle/dumbbell.h"

/* Computes results[i] of setups[i], up to `parallel` at once, and tells `done` of each one in no
 * certain order. A run whose process dies gives a result that is not valid. */
void jobs_run(const struct dumbbell_setup *setups, struct dumbbell_result *results, unsigned count,
              unsigned parallel, void (*done)(void *ctx, unsigned i), void *ctx);

#endif
