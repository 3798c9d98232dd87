/* hist.h: a histogram whose buckets are the same everywhere, so that those of several runs add up
 * exactly: logarithmic with 32 steps to each factor of two (an error of at most 3 %), from 2^-30 (a
 * nanosecond, for seconds) to 2^60. Zero and less go into the first, more into the last.
 */
#ifndef MESHD_SIM_MEASURE_HIST_H
#define MESHD_SIM_MEASURE_HIST_H

#include <stdint.h>

enum { HIST_STEPS = 32, HIST_BUCKETS = 90 * HIST_STEPS + 2 };

unsigned hist_bucket(double v);
/* The middle of a bucket, on a logarithmic scale; 0 for the first. */
double hist_value(unsigned bucket);

#endif
