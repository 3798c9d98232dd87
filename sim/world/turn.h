/* turn.h: how a host's node runs: it starts and stops, it is given what comes, and after each such
 * input the world pulls what it has to give until it comes to rest: that is a turn (node/node.h).
 */
#ifndef MESHD_SIM_WORLD_TURN_H
#define MESHD_SIM_WORLD_TURN_H

#include "sim/world/host.h"
#include "sim/world/icmp_note.h"
#include "sim/world/packet.h"

/* From what is on its disk and in its store; nothing if it runs. With a broken store it does not.
 */
void turn_start(struct host *h);
void turn_stop(struct host *h); /* with goodbye */

void turn_pump(struct host *h); /* something was asked of its node: it takes its turn */
void turn_wake(struct host *h); /* EVENT_WAKE */
void turn_file_done(struct host *h, const struct event *e); /* EVENT_FILE */
void turn_receive(struct host *h, struct packet *p);        /* what flight_deliver gives; freed */
void turn_too_big(struct host *h, const struct icmp_note *note);

#endif
