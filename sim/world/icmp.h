/* icmp.h: what routers and hosts say of datagrams that they do not forward or take (RFC 792, RFC
 * 4443; `icmp=on` at the link), and how that finds its way back: the same way, through the same
 * NATs, each of which turns the quoted packet back (sim/nat/nat_icmp.c) or drops it. The first NAT
 * on the way out lends it its own address, as a router with private ones needs (RFC 5508 §4.2.2).
 * What does not quote a packet of a mapping ends there; the node believes only what quotes a packet
 * it has sent (endpoint_icmp_too_big). Linux says of each too long packet that it was; that is how
 * it is here, too.
 */
#ifndef MESHD_SIM_WORLD_ICMP_H
#define MESHD_SIM_WORLD_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world/icmp_note.h"
#include "sim/world/packet.h"
#include "sim/world/site.h"

/* The packet ends here: its sender is told, if the note finds back. */
void icmp_report(struct sites *ss, const struct packet *p, enum icmp_kind kind, uint32_t mtu_bytes);
/* A note has come to its host: whether that hears it. */
bool icmp_heard(struct world *w, const struct icmp_note *note);
/* A hostile host says so of a packet that it makes up: `model` without router and host. */
void icmp_forge(struct sites *ss, struct host *h, const struct icmp_note *model);

/* Whose address it is that the packet is sent to, by the mappings of the NATs before it;
 * SIM_NO_HOST: nobody's. For one that was lost on the way to them. */
uint32_t icmp_host_of(struct sites *ss, const struct packet *p);

#endif
