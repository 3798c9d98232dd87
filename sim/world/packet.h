/* packet.h: a datagram on its way: it is made, scheduled and ended here, and everybody who watches
 * is told of its end. Where it goes in between is flight.c's.
 */
#ifndef MESHD_SIM_WORLD_PACKET_H
#define MESHD_SIM_WORLD_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/addr.h"
#include "sim/world/world.h"

struct packet {
    uint32_t source, target; /* hosts; target SIM_NO_HOST until it is known who gets it */
    uint32_t likely;         /* a guess at target, only to fetch its memory early */
    uint32_t top;            /* the site in which it turns; SITE_NONE: the internet */
    uint32_t at;             /* the site whose line is next; SITE_NONE: none */
    uint32_t number;         /* of the public address it goes to, once it is on the internet */
    uint64_t late_ns;        /* of the downlink's delay already in its time of delivery */
    uint64_t core_ns;        /* how long the core takes */
    uint32_t len, seq;       /* seq: the source's how-manieth datagram, from 0 */
    uint32_t link_host;      /* whose link ended it, if one did */
    uint8_t source_nic, target_nic; /* which interface of the two hosts */
    bool link_down;
    uint64_t link_packet; /* its number there */
    uint8_t ecn;          /* of the IP header (net/recovery/ecn.h) */
    bool tcp;             /* a segment of a byte pipe (pipes.h), no datagram */
    bool resolved;        /* on its way down: target is right, and nothing lies between */
    bool hairpin;         /* the NAT of `top` has brought it back */
    bool descends;        /* it has been in the core, or where it turned */
    uint32_t router;      /* the site in which the sending end of the present link is */
    struct addr from, to; /* as they are on this part of the way: NATs rewrite them */
    uint8_t data[];
};

/* From the host's own address of that kind, by the interface that has it; ADDR_NONE if there is
 * none. */
struct packet *packet_new(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len);
/* By this interface, if it is up and has an address of the kind; else as it was, as a kernel does
 * whose sender has lost its address (net/io/udp.h). -1: any. */
void packet_leave_by(struct host *h, struct packet *p, int nic);
struct packet *packet_copy(struct world *w, const struct packet *p);
void packet_free(struct world *w, struct packet *p); /* nobody is told; NULL is fine */
void packet_schedule(struct world *w, struct packet *p, uint64_t at_ns, enum event_kind kind);
/* It has ended like this: everybody who watches is told. */
void packet_ended(struct world *w, const struct packet *p, enum fate fate);
/* The same of one that was not delivered; it is freed. */
void packet_drop(struct world *w, struct packet *p, enum fate fate);
uint32_t packet_wire_bytes(const struct packet *p); /* with IP and UDP headers */

#endif
