/* way_options.h: the relays by which a contact may be reached, the best first: its own, as it has
 * told, and our homes, where it may be, too; by round trip, losses, load and state. */
#ifndef MESHD_NODE_MESH_WAY_OPTIONS_H
#define MESHD_NODE_MESH_WAY_OPTIONS_H

#include "node/mesh/ways.h"

struct way_option {
    struct relay_addr at;
    uint64_t cost_us;
};

enum { WAY_OPTIONS_MAX = RELAY_SET_MAX + HOMES_MAX };

/* Returns how many; each relay once. */
unsigned way_options(const struct ways *ways, const struct contact *c,
                     struct way_option list[static WAY_OPTIONS_MAX]);

#endif
