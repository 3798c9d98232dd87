/* samples.h: measured values of one kind, kept whole, and their statistics. Percentiles are by
 * nearest rank. */
#ifndef MESHD_SIM_MEASURE_SAMPLES_H
#define MESHD_SIM_MEASURE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

struct samples { /* all zeroes is empty */
    double *values;
    size_t count, cap;
    bool sorted;
};

void samples_clear(struct samples *s);
void samples_add(struct samples *s, double v); /* aborts when out of memory */
void samples_append(struct samples *s, const struct samples *more);

enum statistic { STAT_COUNT, STAT_MIN, STAT_MEAN, STAT_P50, STAT_P90, STAT_P99, STAT_MAX, STATS };
const char *stat_name(enum statistic s);
bool stat_find(const char *name, enum statistic *out);
/* False if there is no sample (STAT_COUNT always has a value). Sorts. */
bool samples_stat(struct samples *s, enum statistic which, double *out);

#endif
