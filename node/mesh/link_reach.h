/* link_reach.h: the way to a session with a relay: its name is looked up, its key is asked for, it
 * is dialled.
 */
#ifndef MESHD_NODE_MESH_LINK_REACH_H
#define MESHD_NODE_MESH_LINK_REACH_H

#include "node/mesh/link_base.h"

/* From where it stands now. measure: its key is asked for, whatever is known, and that is all,
 * unless it is needed. */
void link_reach_begin(struct links *links, struct relay *r, bool measure);
/* A name that was looked up: 0 addresses, nothing was found. */
void link_reach_resolved(struct links *links, struct relay *r, const struct addr *addrs,
                         unsigned count);
/* Who has answered is at this place of several: that is the one from now on. */
void link_reach_answers(struct relay *r, const struct hop *from);
/* A valid answer of whoever is there. */
void link_reach_told(struct links *links, struct relay *r, const struct node_id *id,
                     const struct dh_public *transport, uint64_t cert_seq);
/* Nobody has answered. */
void link_reach_no_key(struct links *links, struct relay *r);
/* No session came about: nobody answered, or it did not let us in. */
void link_reach_failed(struct links *links, struct relay *r, int err);
/* Its peering was a contact's, who is gone. */
void link_reach_own(struct links *links, struct relay *r);
/* It is time. */
void link_reach_step(struct links *links, struct relay *r);
/* Nobody needs it: its session ends, what is under way is forgotten. */
void link_reach_end(struct links *links, struct relay *r);

#endif
