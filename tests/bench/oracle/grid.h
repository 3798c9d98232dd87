/* grid.h: which cells there are. */
#ifndef MESHD_TESTS_ORACLE_GRID_H
#define MESHD_TESTS_ORACLE_GRID_H

#include "tests/bench/oracle/cell.h"

struct grid { /* all zeroes is empty */
    struct cell *cells;
    unsigned count, cap;
};

void grid_add(struct grid *g, const struct cell *c);
/* Every rate x RTT x loss x reordering x buffer, then jitter, then two flows. */
void grid_full(struct grid *g);
/* Some of each in seconds, for the test. */
void grid_short(struct grid *g);
void grid_clear(struct grid *g);

#endif
