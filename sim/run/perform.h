/* perform.h: an action of a scenario happens. What a node refuses is noted in the run. */
#ifndef MESHD_SIM_RUN_PERFORM_H
#define MESHD_SIM_RUN_PERFORM_H

#include "sim/run/run.h"

struct stage {
    struct run *run;
    uint32_t *sites; /* of the world, by the scenario's numbers; the owner's */
};

void perform(struct stage *st, const struct action *a);

#endif
