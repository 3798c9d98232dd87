/* metrics.h: everything a scenario can expect something of, by name: numbers ("drop.queue") and
 * samples
 * ("handshake", with ".p99" and the like). Units are seconds, bit/s, bytes and fractions.
 * docs/SIMULATOR.md lists them.
 */
#ifndef MESHD_SIM_RUN_METRICS_H
#define MESHD_SIM_RUN_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/measure/samples.h"

struct metric {
    char name[48];
    bool sampled;
    double value;
    struct samples samples;
};

struct metrics { /* all zeroes is empty */
    struct metric *items;
    size_t count, cap;
};

void metrics_clear(struct metrics *m);
/* Whether it depends on the machine and the moment. */
bool metrics_is_real_time(const char *name);
/* Whether the samples of this name are seconds. */
bool metrics_is_time(const char *name);
void metrics_set(struct metrics *m, const char *name, double value);
/* "GROUP.NAME" */
void metrics_set_in(struct metrics *m, const char *group, const char *name, uint64_t value);
/* The samples of this name; it becomes a metric of samples. Valid until the next metric is added.
 */
struct samples *metrics_samples(struct metrics *m, const char *name);
/* Adds the samples of `more` to those here, and its numbers to the numbers. */
void metrics_merge(struct metrics *m, const struct metrics *more);

/* The number without which this one says nothing: nothing was lost where nothing was sent. NULL: it
 * stands for itself. */
const char *metrics_base(const char *name);

enum metrics_lookup { METRIC_FOUND, METRIC_EMPTY, METRIC_UNKNOWN }; /* EMPTY: no sample yet */
/* Samples named without a statistic give `bare`: the worst one for whoever asks. */
enum metrics_lookup metrics_value(struct metrics *m, const char *name, enum statistic bare,
                                  double *out);

#endif
