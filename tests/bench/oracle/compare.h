/* compare.h: what a cell's runs say about the two stacks. */
#ifndef MESHD_TESTS_ORACLE_COMPARE_H
#define MESHD_TESTS_ORACLE_COMPARE_H

#include "tests/bench/oracle/dumbbell.h"

enum { COMPARE_SEEDS = 3, COMPARE_RUNS_MAX = 2 * COMPARE_SEEDS };

/* The runs a cell needs: alone and same, those of ours first, then as many of ngtcp2's; mixed,
 * ours as flow 0 beside ngtcp2 as flow 1. One seed where nothing is left to chance. Returns how
 * many. */
unsigned compare_plan(const struct cell *c, enum cc_kind cc, unsigned seed_base,
                      struct dumbbell_setup setups[COMPARE_RUNS_MAX]);

struct compare_side { /* medians over the seeds */
    double goodput_bps;
    double queue_p99_s; /* mixed: the same for both */
    double jain;        /* of two flows of this stack; 1 for one */
};

struct comparison {
    struct cell cell;
    bool valid;
    struct compare_side ours, ngtcp2;
    double ratio; /* of goodputs, ours to ngtcp2's */
    /* ngtcp2 carries at least half of what ours does: who leaves the link idle has no queue */
    bool queue_counts;
    bool queue_ok; /* p99 is at most 1.1 x ngtcp2's, give or take one packet */
    double jain;   /* of all flows in the cell's runs with ours; 1 for one */
};

void compare(const struct cell *c, const struct dumbbell_result *results, unsigned count,
             struct comparison *out);

#endif
