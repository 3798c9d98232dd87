/* report.h: what came of a run, for people and for programs (jansson; keys sorted, one object a
 * run). */
#ifndef MESHD_SIM_REPORT_H
#define MESHD_SIM_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "sim/run.h"

void report_text(FILE *out, const struct scenario *sc, const char *file, struct run *r);
/* The same for programs: sim/result.h. */
json_t *report_result(const struct scenario *sc, const char *file, struct run *r);
/* Writes it (NULL: to stdout) and gives it up. False: it could not be written. */
bool report_write(json_t *result, const char *file);
/* Only the expectations that were not met, the notes and the world's failure. */
void report_broken(FILE *out, const struct scenario *sc, const char *file, const struct run *r);

struct report_sweep { /* many seeds of one scenario */
    uint64_t first, last, passed, failed;
    const uint64_t *failed_seeds;
    double needed; /* fraction that must pass */
    uint64_t wall_us;
    struct metrics total;
};
bool report_sweep_ok(const struct report_sweep *w);
void report_sweep_text(FILE *out, const char *file, struct report_sweep *w);
json_t *report_sweep_result(const char *file, struct report_sweep *w);

#endif
