/* build.h: a scenario becomes a world, up to the moment before time 0: regions, sites, hosts,
 * contacts, loads. */
#ifndef MESHD_SIM_RUN_BUILD_H
#define MESHD_SIM_RUN_BUILD_H

#include "sim/scenario/scenario.h"

/* `sites` gets the world's number of each of the scenario's sites. False with the problem. */
bool build_world(const struct scenario *sc, struct sim *s, uint32_t *sites,
                 struct problem *problem);

#endif
