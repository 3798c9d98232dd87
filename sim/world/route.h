/* route.h: which way a datagram goes between sites: through which NATs and walls, over which lines,
 * how far. */
#ifndef MESHD_SIM_WORLD_ROUTE_H
#define MESHD_SIM_WORLD_ROUTE_H

#include "sim/world/nic.h"
#include "sim/world/packet.h"
#include "sim/world/site.h"

/* The sender's side: from its interface through its NATs. Sets p->from and p->top, and p->target if
 * it turns within a site. */
enum fate route_out(struct sites *ss, struct host *h, struct packet *p);
/* The receiver's side: finds p->target, through its NATs, if route_out has not. Sets p->to. */
enum fate route_in(struct sites *ss, struct packet *p);
/* Whether the packet would meet only plain links on the receiver's side: then it needs no event
 * there. */
bool route_plain(const struct sites *ss, struct packet *p);
/* One way through the core, from the host to whoever has the address. */
uint64_t route_delay_ns(const struct sites *ss, const struct host *h, const struct packet *p);
/* The same between two interfaces, wherever they are now. */
uint64_t route_core_ns(const struct sites *ss, const struct nic *from, const struct nic *to);
/* The first site from `at` outwards that has a line of its own, before `top`; SITE_NONE. */
uint32_t route_line_up(const struct sites *ss, uint32_t at, uint32_t top);
/* The outermost one between `below` and the site `home`, both outside; SITE_NONE. */
uint32_t route_line_down(const struct sites *ss, uint32_t home, uint32_t below);
/* All links that a packet between two interfaces passes, in order; how many. */
enum { ROUTE_LINKS_MAX = 2 + 2 * SITE_DEPTH_MAX };
unsigned route_links(const struct sites *ss, const struct nic *from, const struct nic *to,
                     const struct link *out[static ROUTE_LINKS_MAX]);

struct nat *route_nat(const struct site *w, bool ipv6);
bool route_is_within(const struct sites *ss, uint32_t at, uint32_t site);
/* Who in the site (or behind walls within it) has this address; 0: nobody. */
uint32_t route_find_within(const struct sites *ss, const struct site *w, const struct addr *to);

/* From a site (SITE_NONE: the internet) to the interface that has an address there, which the NATs
 * on the way change; `found` is the member (site_int.h), unchanged if there is none. */
struct descent {
    void *ctx;
    enum nat_verdict (*cross)(void *ctx, struct sites *ss, struct site *w); /* into the site */
    const struct addr *to;                                                  /* as it is now */
};
enum fate route_descend(struct sites *ss, const struct descent *d, uint32_t member, uint32_t from,
                        uint32_t *found);

#endif
