/* run.h: a scenario is run once with one seed: its world is built, its actions happen at their
 * times, its expectations are judged.
 */
#ifndef MESHD_SIM_RUN_RUN_H
#define MESHD_SIM_RUN_RUN_H

#include "sim/run/metrics.h"
#include "sim/scenario/scenario.h"

struct run_options {
    uint64_t seed;
    bool has_crypto;
    enum crypto_mode crypto; /* instead of the scenario's */
    struct sim_tap tap;
    uint64_t (*clock_us)(void); /* real time, for sim.wall_seconds; NULL: stays 0 */
    void (*progress)(void *ctx, uint64_t now_ns, uint64_t duration_ns); /* each simulated second */
    void *progress_ctx;
};

struct verdict {
    bool met,
        empty; /* empty: nothing was measured, or there was nothing of which it could be said */
    double value;
    uint64_t met_ns; /* eventually: when */
};

struct run_note { /* an action that could not be done */
    struct place at;
    char text[128];
};

enum { RUN_NOTES_MAX = 16 };

struct run { /* what came of it; run_clear when done */
    struct sim *sim;
    enum crypto_mode crypto;
    struct metrics metrics;
    struct verdict *verdicts; /* one per expectation */
    struct run_note notes[RUN_NOTES_MAX];
    uint64_t actions_failed;
    uint8_t hash[TRACE_BYTES];
    uint64_t wall_us;
    bool ok; /* all expectations met and nothing else went wrong */
};

/* What can be said without running it: false with the problem if it names a metric that there is
 * not. */
bool run_check(const struct scenario *sc, struct problem *problem);
/* False with the problem if the scenario cannot be run (an expectation of an unknown metric, nodes
 * that do not start or do not pair). */
bool run_scenario(const struct scenario *sc, const struct run_options *o, struct run *out,
                  struct problem *problem);
void run_clear(struct run *r);
/* Which statistic of samples decides if none is named: the worst. */
enum statistic run_bare(const struct expectation *e);
bool run_holds(const struct expectation *e, double v);
/* The worst sample decides, unless a statistic is named. */
void run_judge(struct metrics *m, const struct expectation *e, struct verdict *v);
/* An invariant that was not looked at even once is not known to hold. */
enum never_verdict { NEVER_HOLDS, NEVER_BROKEN, NEVER_NOT_JUDGED };
enum never_verdict run_never_verdict(const struct run *r, enum invariant i);
/* Whether that breaks the run: not if it was asked for by "all" only, and could not be judged here.
 */
bool run_never_breaks(const struct scenario *sc, const struct run *r, enum invariant i);
/* The statement that forbids this, by its name if there is one, else "all"; NULL: none does. */
const struct never *run_never(const struct scenario *sc, enum invariant i);

#endif
