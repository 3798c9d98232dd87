/* result.h: results as JSON that can be added up: metrics with histograms (sim/hist.h), seeds that failed. Those of runs,
 * of sweeps over seeds and of swarms have one shape, and so has a sum of them (docs/SIMULATOR.md).
 */
#ifndef MESHD_SIM_RESULT_H
#define MESHD_SIM_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "sim/metrics.h"

enum { RESULT_SCHEMA = 2 };

/* {"name": number | {count, sum, min, max, mean, p50, p90, p99, hist: [[bucket, count], ...]}} */
json_t *result_metrics(struct metrics *m);
/* {"count", "passed", "failed": [seeds]} */
json_t *result_runs(uint64_t passed, const uint64_t *failed_seeds, uint64_t failed);
/* Adds `more` to `into`, both whole results. NULL, or why they cannot be added. The order does not matter. */
const char *result_add(json_t *into, const json_t *more);
/* What differs between the metrics of two results, the largest relative change first. */
void result_compare(FILE *out, const json_t *before, const json_t *now);

#endif
