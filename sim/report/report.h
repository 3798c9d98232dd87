/* report.h: what came of a run, for people and for programs (jansson; keys sorted, one object a
 * run). */
#ifndef MESHD_SIM_REPORT_REPORT_H
#define MESHD_SIM_REPORT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "sim/run/run.h"

void report_text(FILE *out, const struct scenario *sc, const char *file, struct run *r);
struct report_source { /* what was run */
    const char *file;
    const char *text; /* of the scenario; of a swarm: its scale */
    const struct scenario_let *lets;
    size_t let_count;
    enum crypto_mode crypto;
};
/* The same for programs: sim/report/result.h. */
json_t *report_result(const struct scenario *sc, const struct report_source *source, struct run *r);
/* Writes it (NULL: to stdout) and gives it up. False: it could not be written. */
bool report_write(json_t *result, const char *file);
/* Only the expectations that were not met, the notes and the world's failure. */
void report_broken(FILE *out, const struct scenario *sc, const char *file, const struct run *r);

/* A `sometimes` that was not met in any run. */
void report_never_happened(FILE *out, const char *file, const struct expectation *e, double value);

struct report_sweep { /* many seeds of one scenario */
    struct report_source source;
    const struct scenario *sc; /* NULL: each has its own */
    bool sometimes_broken;
    uint64_t first, last, passed, failed;
    const uint64_t *failed_seeds;
    double needed; /* fraction that must pass */
    uint64_t wall_us;
    struct metrics total;
};
bool report_sweep_ok(const struct report_sweep *w);
void report_sweep_text(FILE *out, struct report_sweep *w);
json_t *report_sweep_result(struct report_sweep *w);

#endif
