/* site.h: who has which address: regions with an RTT matrix, and sites, that is, networks behind a
 * NAT (RFC 4787), which may stand behind one another (a home behind a carrier's NAT).
 *
 * Public IPv4 addresses are 198.18.0.0/15 (set aside for tests, RFC 2544: nodes treat them as they
 * would the internet's), numbered from 1. Inside a site hosts have 192.168.1.2 and up (10.0.0.0/8
 * from the 251st on) and sites within it 100.64.0.1 and up: every site has the same ones, as in
 * life. Within a firewall they have addresses of around it. IPv6 addresses are global (2001:2::/48)
 * also within a site, whose router filters them like a firewall with the same timeout (`ip6=` of
 * its NAT says otherwise).
 */
#ifndef MESHD_SIM_WORLD_SITE_H
#define MESHD_SIM_WORLD_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/addr.h"
#include "sim/link/link.h"
#include "sim/nat/gateway.h"
#include "sim/nat/nat.h"
#include "sim/nat/nat_config.h"

struct host;
struct world;

#define SITE_NONE UINT32_MAX
enum {
    REGIONS_MAX = 64,
    SITE_NAME_MAX = 32,
    SITES_MAX = 100000,
    SITE_DEPTH_MAX = 8, /* sites behind one another */
};

struct site {
    char name[SITE_NAME_MAX + 1];
    uint32_t index, parent, region; /* parent SITE_NONE: on the internet */
    struct nat_config cfg;
    struct nat *nat;            /* IPv4 */
    struct nat *wall;           /* IPv6 */
    struct nat *tcp, *tcp_wall; /* the same for TCP; NULL until they are needed */
    struct gateway *gateway;
    struct addr external[NAT_POOL_MAX]; /* in the parent's address space */
    unsigned external_count;
    uint32_t *members; /* by address inside: host or site, see site_int.h; 0: nobody */
    uint32_t member_count, member_cap, member_hand;
    bool has_link; /* an access link of its own that all within share */
    struct link up, down;
    uint64_t reboots;
};

struct sites {
    struct world *world;
    struct site **list;
    uint32_t count, cap;
    uint32_t *owners; /* public address number - 1 -> host or site */
    uint32_t number_count, number_cap, number_hand;
    char regions[REGIONS_MAX][SITE_NAME_MAX + 1];
    uint32_t region_count;
    uint64_t rtt_ns[REGIONS_MAX][REGIONS_MAX];
};

void sites_init(struct sites *ss, struct world *w);
void sites_clear(struct sites *ss);
/* The number of a region; SITE_NONE if there is none of that name. ERR_FULL, ERR_EXISTS when
 * adding. */
uint32_t sites_region(const struct sites *ss, const char *name);
int sites_region_add(struct sites *ss, const char *name) MUST_USE;

struct site_options {
    const char *name;
    uint32_t parent, region;
    const struct nat_config *cfg; /* copied */
};
/* Its external addresses come from its parent. ERR_FULL: no addresses are left, or too many sites
 * are behind one another. */
int sites_add(struct sites *ss, const struct site_options *o, uint32_t *site) MUST_USE;
/* The NAT loses its table; with `move`, it also gets new external addresses. False: none are left.
 */
bool sites_reboot(struct sites *ss, uint32_t site, bool move);

/* Its NAT for TCP, which works as that for UDP does, with TCP's timeouts. */
struct nat *sites_tcp_nat(struct sites *ss, struct site *w, bool ipv6);

/* A public number for the time before the start, and for hosts on the internet. 0: none is left. */
uint32_t sites_number_new(struct sites *ss, const struct host *h);
void site_number_address(uint32_t number, bool ipv6, uint16_t port, struct addr *out);
/* The host that has this address before the start, or NULL. */
struct host *sites_setup_owner(const struct sites *ss, const struct addr *a);
/* Gives the host's interface new addresses in its site, and takes the old ones away. False: none
 * are left. */
bool sites_settle(struct sites *ss, struct host *h, uint32_t nic);
void sites_leave(struct sites *ss, struct host *h, uint32_t nic);

#endif
