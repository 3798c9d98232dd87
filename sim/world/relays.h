/* relays.h: which relays a host's node knows and whether it is one: what its settings say, and the
 * names in them, which the world looks up. A relay's host name is "h7.sim", for the host of that
 * number: it stays when the host moves.
 */
#ifndef MESHD_SIM_WORLD_RELAYS_H
#define MESHD_SIM_WORLD_RELAYS_H

#include "node/node.h"
#include "sim/world/host.h"

/* What the settings of its node say of relays. */
void relays_config(const struct host *h, struct relay_config *out);
/* The addresses that a name has now; how many: 0, there is no such host. */
unsigned relays_resolve(const struct world *w, const char *name,
                        struct addr out[static RESOLVE_ADDRS_MAX]);
/* Its node reads its settings again. */
void relays_reload(struct host *h);

#endif
