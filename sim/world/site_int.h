/* site_int.h: private to route.c (who has which address), way.c (which way a datagram goes) and icmp.c (and what is said of it). */
#ifndef MESHD_SIM_WORLD_SITE_INT_H
#define MESHD_SIM_WORLD_SITE_INT_H

#include "sim/world/site.h"

/* Owners and members are numbers: 0 nobody, host + 1, or SITE_BIT | site. */
#define SITE_BIT UINT32_C(0x80000000)

uint32_t route_number_of(const struct addr *a); /* of a public address; 0: not one of ours */
uint32_t route_owner_of(const struct sim *s, const struct addr *a); /* of a public address */
/* The member that has this address within the site; 0: nobody. */
uint32_t route_member_of(const struct site *w, const struct addr *a);
/* The site whose addresses are used within this one: its own, or those of around it where there is only a wall (a firewall;
 * IPv6 everywhere). SITE_NONE: public ones. */
uint32_t route_space(const struct sim *s, uint32_t at, bool ipv6);

/* ---- way.c ---- */

struct nat *route_nat(const struct site *w, bool ipv6);
bool route_is_within(const struct sim *s, uint32_t at, uint32_t site);
/* Who in the site (or behind walls within it) has this address; 0: nobody. */
uint32_t route_find_within(const struct sim *s, const struct site *w, const struct addr *to);

/* From a site (SITE_NONE: the internet) to the host that has an address there, which the NATs on the way change. */
struct descent {
    void *ctx;
    enum nat_verdict (*cross)(void *ctx, struct sim *s, struct site *w); /* into the site */
    const struct addr *to;                                               /* as it is now */
};
enum fate route_descend(struct sim *s, const struct descent *d, uint32_t member, uint32_t from,
                        uint32_t *host);

#endif
