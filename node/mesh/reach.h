/* reach.h: how a contact is reached, and why not otherwise: what users are shown.
 */
#ifndef MESHD_NODE_MESH_REACH_H
#define MESHD_NODE_MESH_REACH_H

#include "node/mesh/mesh.h"
#include "node/people/contact_info.h"

/* By which paths; and the sentence why it is not reached at an address. */
void reach_fill(const struct mesh *mesh, const struct contact *c, struct contact_reach *out);
/* "203.0.113.1:4000", "relay 203.0.113.7:4000"; "nowhere" for no place. */
void reach_text(const struct mesh *mesh, const struct hop *at, char out[static PLACE_TEXT_MAX]);
/* The contact is online: that is told, and by which way. */
void reach_up(const struct mesh *mesh, struct peering *p);
/* The contact's session goes another way now: that is told, if the two can be told apart. */
void reach_moved(const struct mesh *mesh, struct peering *p);
/* It has come up: by which way is remembered. */
void reach_began(const struct mesh *mesh, struct peering *p);
/* The same of one place: its kind, and where it is. */
void reach_place(const struct mesh *mesh, const struct hop *at, struct contact_path_shown *out);

#endif
