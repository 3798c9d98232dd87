/* swarm.h: draws whole scenarios: who there is, on which links, what they do, what goes wrong and
 * when; then everything heals, and it is demanded that everything works again (the way of
 * TigerBeetle's VOPR and FoundationDB's simulator). The text is a function of the seed alone, the
 * same on every machine.
 *
 * Hosts are s1.. (public addresses that stay) and m1.. (movers: public or behind a NAT of their
 * own; they roam, and so know only hosts that stay). Faults happen from 5 s to 60 s, at 60 s all is
 * healed; from 65 s on movers and stayers dial their contacts, from 125 s on there are transfers
 * and messages that must all arrive.
 */
#ifndef MESHD_SIM_CAMPAIGN_SWARM_H
#define MESHD_SIM_CAMPAIGN_SWARM_H

#include <stdint.h>

#include "sim/text/text.h"

/* Up to 8 and up to 60 hosts; small worlds of which a third has relays. */
enum swarm_scale { SWARM_SMALL, SWARM_MEDIUM, SWARM_RELAYS };

void swarm_draw(uint64_t seed, enum swarm_scale scale, struct text *out);
/* Metrics of which a campaign must have seen at least one; NULL after the last. */
const char *swarm_mark(unsigned i);

#endif
