/* inspect.h: what the watch (sim/invariants/invariants.h) is told by the world. All of it does
 * nothing in a world without one, and nothing before time 0.
 */
#ifndef MESHD_SIM_WORLD_INSPECT_H
#define MESHD_SIM_WORLD_INSPECT_H

#include "sim/invariants/invariants.h"
#include "sim/measure/ledger.h"
#include "sim/world/host.h"
#include "sim/world/packet.h"
#include "sim/world/used_tickets.h"
#include "sim/world/world.h"

struct inspection {
    struct world *world;
    const struct ledger *ledger; /* what the nodes have said */
    struct watch *watch;         /* NULL: nobody looks */
    uint32_t acting;             /* whose node is being run */
    uint64_t inspected_s;        /* the last second that was looked at */
    struct used_tickets tickets;
};

void inspection_init(struct inspection *in, struct world *w, const struct ledger *l, bool watched);
void inspection_clear(struct inspection *in);

void inspect_begin(struct inspection *in);
/* Before the hosts are ended: what has happened since the last second began. */
void inspect_end(struct inspection *in);
/* After they were, and all events dropped: whatever is still in flight was lost track of. */
void inspect_packets(struct inspection *in);
void inspect_seconds(struct inspection *in); /* once a simulated second: tables, memory, sessions */
void inspect_confirmed(struct inspection *in); /* what was confirmed is there */

void inspect_started(struct inspection *in, const struct host *h);
void inspect_addresses(struct inspection *in, const struct host *h);
void inspect_policy(struct inspection *in,
                    const struct host *h); /* of its paths, and if it serves */
void inspect_resumed(struct inspection *in, const struct host *h); /* after a pause */
void inspect_contact(struct inspection *in, const struct host *h, uint32_t other);
void inspect_acting(struct inspection *in, const struct host *h); /* its node runs from now on */
void inspect_turn(struct inspection *in, const struct host *h);
/* The node of a host has ended; so many bytes are missing. */
void inspect_ended(struct inspection *in, const struct host *h, uint64_t bytes);

void inspect_sent(struct inspection *in, const struct host *h, const struct packet *p);
/* `accepted_before`: inspect_accepted before its node got it. */
void inspect_received(struct inspection *in, const struct host *h, const struct packet *p,
                      uint64_t accepted_before);
uint64_t inspect_accepted(const struct host *h);
void inspect_up(struct inspection *in, const struct host *h, uint32_t peer); /* a session is up */
void inspect_commit(struct inspection *in, const struct host *h); /* a file has got its name */
void inspect_transfer(struct inspection *in, const struct host *h, const char *name, bool right);
/* A message has come; serial: which of the ledger's it says that it is. */
void inspect_message(struct inspection *in, const struct host *h, uint32_t peer, uint64_t serial);

#endif
