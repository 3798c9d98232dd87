/* flight.h: the way of a datagram: the sender's uplink and NATs, the core, the receiver's NATs and
 * downlink. Each part of it that takes time ends with an event, which sim.c hands back to here;
 * what arrives is handed to the caller.
 */
#ifndef MESHD_SIM_WORLD_FLIGHT_H
#define MESHD_SIM_WORLD_FLIGHT_H

#include "sim/world/clog.h"
#include "sim/world/packet.h"
#include "sim/world/site.h"

struct flight {
    struct world *world;
    struct sites *sites;
    struct clog clog; /* what waits on the way */
};

void flight_init(struct flight *f, struct world *w, struct sites *sites);
/* Out of its host; the packet is taken over, also by the next two. */
void flight_send(struct flight *f, struct packet *p);
void flight_arrive(struct flight *f, struct packet *p); /* EVENT_ARRIVE */
void flight_line(struct flight *f, struct packet *p);   /* EVENT_LINE */
/* EVENT_DELIVER: the packet if it has come to the running node of host p->target, which takes it;
 * NULL: it is gone, or on its way still. */
struct packet *flight_deliver(struct flight *f, struct packet *p);

#endif
