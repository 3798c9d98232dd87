/* report.h: comparisons as a table, in one line, and as JSON. */
#ifndef MESHD_TESTS_ORACLE_REPORT_H
#define MESHD_TESTS_ORACLE_REPORT_H

#include <stdio.h>

#include "tests/bench/oracle/compare.h"

struct summary {
    unsigned cells, invalid;
    /* Of cells that one stack has to itself, alone or as two flows: */
    unsigned compared;
    double ratio_ok_share, ratio_min; /* at least 0.9 */
    unsigned queues;                  /* compared ones whose queues can be compared, too */
    double queue_ok_share;
    double jain_min; /* two flows of ours */
    /* Of cells shared with ngtcp2: */
    unsigned mixed;
    double mixed_ratio_min, mixed_ratio_max;
};

void report_head(FILE *f);
void report_row(FILE *f, const struct comparison *c);
struct summary report_summarise(const struct comparison *c, unsigned count);
void report_summary(FILE *f, const struct summary *s);
void report_json(FILE *f, const struct comparison *c, unsigned count, const struct summary *s);

#endif
