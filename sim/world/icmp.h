/* icmp.h: what routers and hosts say of datagrams that they do not forward or take (RFC 792, RFC 4443; `icmp=on` at the
 * link), and how that finds its way back: the same way, through the same NATs, each of which turns the quoted packet back
 * (sim/nat/nat_icmp.c) or drops it. The first NAT on the way out lends it its own address, as a router with private ones
 * needs (RFC 5508 §4.2.2). What does not quote a packet of a mapping ends there; the node believes only what quotes a
 * packet it has sent (endpoint_icmp_too_big). Linux says of each too long packet that it was; that is how it is here, too.
 */
#ifndef MESHD_SIM_WORLD_ICMP_H
#define MESHD_SIM_WORLD_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/addr.h"

struct host;
struct packet;
struct sim;

enum icmp_kind {
    ICMP_TOO_BIG, /* type 3 code 4; IPv6: type 2 */
    ICMP_NO_HOST, /* nobody has the address: 3/1; 1/3 */
    ICMP_NO_PORT, /* nobody reads there: 3/3; 1/4. Nodes do not act on this and the one above */
    ICMP_KINDS
};
const char *icmp_name(enum icmp_kind k); /* "too_big", ... */

enum { ICMP_HEAD_BYTES = 64 };

struct icmp_note {
    enum icmp_kind kind;
    uint32_t host;            /* who gets it */
    uint32_t mtu_bytes;       /* too big: of the link, the whole IP packet */
    struct addr router;       /* its source; private if it comes from within the host's own site */
    struct addr from, to;     /* of the quoted packet */
    uint32_t bytes, head_len; /* its UDP payload; how much of that is quoted */
    uint8_t head[ICMP_HEAD_BYTES];
};

/* The packet ends here: its sender is told, if the note finds back. */
void icmp_report(struct sim *s, const struct packet *p, enum icmp_kind kind, uint32_t mtu_bytes);
void icmp_hear(struct sim *s, struct icmp_note *note);
/* A hostile host says so of a packet that it makes up: `model` without router and host. */
void icmp_forge(struct host *h, const struct icmp_note *model);

/* Whose address it is that the packet is sent to, by the mappings of the NATs before it; SIM_NO_HOST: nobody's. For one that was
 * lost on the way to them. */
uint32_t icmp_host_of(struct sim *s, const struct packet *p);

#endif
