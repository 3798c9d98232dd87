/* sim_int.h: all that a world is made of. Only sim.c, orders.c and mishaps.c see it whole, and
 * whoever sets one up and reads it off (sim/run).
 */
#ifndef MESHD_SIM_WORLD_SIM_INT_H
#define MESHD_SIM_WORLD_SIM_INT_H

#include "sim/world/duty.h"
#include "sim/world/flight.h"
#include "sim/world/host.h"
#include "sim/world/inspect.h"
#include "sim/world/load.h"
#include "sim/world/pipes.h"
#include "sim/world/sim.h"
#include "sim/world/site.h"
#include "sim/world/world.h"

struct sim {
    struct world world;
    struct sites sites;
    struct flight flight;
    struct duties duties;
    struct inspection inspection;
    struct loads loads;
    struct pipes pipes;
};

/* What a load wants now is ordered like anything else (orders.c). */
void order_load(struct sim *s, const struct load_due *due);

#endif
