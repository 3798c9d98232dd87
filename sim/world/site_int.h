/* site_int.h: private to site.c (who has which address), route.c (which way a datagram goes) and
 * icmp.c (and what is said of it): how addresses are given out.
 */
#ifndef MESHD_SIM_WORLD_SITE_INT_H
#define MESHD_SIM_WORLD_SITE_INT_H

#include "sim/world/site.h"

/* Owners and members are numbers: 0 nobody, nic << MEMBER_NIC_SHIFT | host + 1, or
 * SITE_BIT | site. */
#define SITE_BIT UINT32_C(0x80000000)
enum { MEMBER_NIC_SHIFT = 24 };

static inline uint32_t member_of_nic(uint32_t host, uint32_t nic) {
    return nic << MEMBER_NIC_SHIFT | (host + 1);
}
static inline uint32_t member_host(uint32_t member) {
    return (member & ((UINT32_C(1) << MEMBER_NIC_SHIFT) - 1)) - 1;
}
static inline uint32_t member_nic(uint32_t member) {
    return member >> MEMBER_NIC_SHIFT;
}

uint32_t site_number_of(const struct addr *a); /* of a public address; 0: not one of ours */
uint32_t sites_owner_of(const struct sites *ss, const struct addr *a); /* of a public address */
/* The member that has this address within the site; 0: nobody. */
uint32_t site_member_of(const struct site *w, const struct addr *a);
/* The site whose addresses are used within this one: its own, or those of around it where there is
 * only a wall (a firewall; IPv6 everywhere). SITE_NONE: public ones. */
uint32_t sites_space(const struct sites *ss, uint32_t at, bool ipv6);

#endif
