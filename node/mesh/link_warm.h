/* link_warm.h: a session with a relay that is up: its reservation, and whether it still answers. */
#ifndef MESHD_NODE_MESH_LINK_WARM_H
#define MESHD_NODE_MESH_LINK_WARM_H

#include "node/mesh/link_base.h"

/* Its session is up. */
void link_warm_up(struct links *links, struct relay *r);
/* Has become a home, or is none any more. */
void link_warm_home(struct links *links, struct relay *r);
/* Asked for an echo now, unless one is out already. One has come back. */
void link_warm_ask(struct links *links, struct relay *r);
void link_warm_reserved(struct links *links, struct relay *r, uint16_t lifetime_s, uint8_t load);
void link_warm_refused(struct links *links, struct relay *r, unsigned reason);
void link_warm_load(struct relay *r, uint8_t load);
void link_warm_echo(struct links *links, struct relay *r, uint64_t id);
/* It is time. */
void link_warm_step(struct links *links, struct relay *r);
uint64_t link_warm_due_us(const struct relay *r);

#endif
