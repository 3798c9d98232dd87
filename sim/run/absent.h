/* absent.h: what cannot happen in a scenario, by what it contains: no NAT, no loss, nobody who
 * pings. A line about that is true whatever the nodes do.
 */
#ifndef MESHD_SIM_RUN_ABSENT_H
#define MESHD_SIM_RUN_ABSENT_H

#include "sim/scenario/scenario.h"

/* An action of this kind (ACTIONS: none), or a load of that (LOAD_KINDS: none). */
bool absent_not(const struct scenario *sc, enum action_kind a, enum load_kind l);
/* Why this metric can be nothing but 0 (static text); NULL: it can. */
const char *absent_why(const struct scenario *sc, const char *metric);

#endif
