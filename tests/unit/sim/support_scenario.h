/* support_scenario.h: scenarios as text, in tests of the simulator. */
#ifndef MESHD_TESTS_SUPPORT_SCENARIO_H
#define MESHD_TESTS_SUPPORT_SCENARIO_H

#include "sim/run/run.h"

/* Runs it with seed 1; ends the test if it cannot be run. run_clear when done. */
void run_text(const char *text, struct run *out);
/* A metric of such a run, e.g. "drop.queue". */
double metric_of(const char *text, const char *metric);
double metric_in(struct run *r, const char *metric);
/* Ends the test unless the text is refused, with a complaint at this place. */
void refused_at(const char *text, unsigned line, unsigned column);

#endif
