/* result.h: results as JSON that can be added up: metrics with histograms (sim/measure/hist.h),
 * seeds that failed. Those of runs, of sweeps over seeds and of swarms have one shape, and so has a
 * sum of them (docs/SIMULATOR.md).
 */
#ifndef MESHD_SIM_REPORT_RESULT_H
#define MESHD_SIM_REPORT_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "sim/run/metrics.h"

enum { RESULT_SCHEMA = 3 };

/* {"name": number | {count, sum, min, max, mean, p50, p90, p99, hist: [[bucket, count], ...]}} */
/* Percentiles are exact, or, where results are made to be added up, by the histogram: then a sum
 * has the same as the whole. */
json_t *result_metrics(struct metrics *m, bool exact);
/* {"count", "passed", "failed": [seeds]} */
json_t *result_runs(uint64_t passed, const uint64_t *failed_seeds, uint64_t failed);
/* [[first, last]]: the ranges of seeds that are in it. */
json_t *result_seeds(uint64_t first, uint64_t last);
/* A metric's value, of samples the one that decides: false if it is not there, or no sample is. */
bool result_value(const json_t *result, const char *metric, enum statistic bare, double *out);
/* Adds `more` to `into`, both whole results. NULL, or why they cannot be added. The order does not
 * matter. */
const char *result_add(json_t *into, const json_t *more);
/* What differs between the metrics of two results, the largest relative change first, without those
 * of real time. NULL, or why they cannot be compared. */
const char *result_compare(FILE *out, const json_t *before, const json_t *now);

#endif
