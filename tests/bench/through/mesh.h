/* mesh.h: pairs through a relay of ours: each end is an endpoint of its own on the end's socket,
 * with a session to the relay, as guest; a flow leads from a to b. */
#ifndef MESHD_BENCH_THROUGH_MESH_H
#define MESHD_BENCH_THROUGH_MESH_H

#include "tests/bench/through/ends.h"

/* All of them, from the first packet to the flow. `id`: the relay's, as text. Ends the program if
 * the relay does not do as asked within JOIN_S. */
void mesh_join(struct pair *pairs, unsigned count, const struct sockaddr_in *relay, const char *id);
/* As mesh_join, but each a opens flows to `each` different b. Returns how many flows there are when
 * all are, or nothing has moved for a while. Nothing can be sent then. */
unsigned mesh_flows(struct pair *pairs, unsigned count, const struct sockaddr_in *relay,
                    const char *id, unsigned each);
/* To be called some times a second while the pairs are in use. */
void mesh_tend(void);
void mesh_leave(void);

#endif
