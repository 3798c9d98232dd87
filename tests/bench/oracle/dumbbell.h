/* dumbbell.h: one or two flows over one bottleneck, in virtual time.
 *
 *     A0 --\                            /-- B0
 *           >-- rate, queue, faults -->
 *     A1 --/    <------ delay --------  \-- B1
 *
 * Access lines have neither rate nor delay; acknowledgements come back over a line that has only
 * the delay. The handshakes happen on a perfect path before time 0. Deterministic: everything
 * follows from the cell, the stacks and the seed.
 */
#ifndef MESHD_TESTS_ORACLE_DUMBBELL_H
#define MESHD_TESTS_ORACLE_DUMBBELL_H

#include <stdio.h>

#include "tests/bench/oracle/cell.h"
#include "tests/bench/oracle/flow.h"

enum { FLOWS_MAX = 2 };

struct dumbbell_setup {
    struct cell cell;
    const struct flow_ops *stacks[FLOWS_MAX];
    unsigned flow_count;
    enum cc_kind cc; /* of ours */
    uint64_t seed;
};

struct dumbbell_result {
    bool valid; /* false: the process that computed it died */
    /* Alone: from time 0 to the end. Two flows: in the second half, when both have long begun. */
    double goodput_bps[FLOWS_MAX];
    double queue_p99_s; /* what the packets that were accepted had to wait, all flows */
    uint64_t sent_pkts, queue_drops, random_losses;
};

/* `trace`: CSV of windows and queue over time, or NULL. */
void dumbbell_run(const struct dumbbell_setup *s, FILE *trace, struct dumbbell_result *out);

#endif
