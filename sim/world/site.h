/* site.h: who has which address, and which way a datagram goes: regions with an RTT matrix, and sites, that is,
 * networks behind a NAT (RFC 4787), which may stand behind one another (a home behind a carrier's NAT).
 *
 * Public IPv4 addresses are 198.18.0.0/15 (set aside for tests, RFC 2544: nodes treat them as they would the
 * internet's), numbered from 1. Inside a site hosts have 192.168.1.2 and up (10.0.0.0/8 from the 251st on) and sites
 * within it 100.64.0.1 and up: every site has the same ones, as in life. Within a firewall they have addresses of
 * around it. IPv6 addresses are global (2001:2::/48) also within a site, whose router filters them like a firewall with the
 * same timeout (`ip6=` of its NAT says otherwise).
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
struct packet;
struct sim;

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
    struct nat *nat;  /* IPv4 */
    struct nat *wall; /* IPv6 */
    struct gateway *gateway;
    struct addr external[NAT_POOL_MAX]; /* in the parent's address space */
    unsigned external_count;
    uint32_t *members; /* by address inside: host or site, see route.c; 0: nobody */
    uint32_t member_count, member_cap, member_hand;
    bool has_link; /* an access link of its own that all within share */
    struct link up, down;
    uint64_t reboots;
};

struct route {
    struct site **sites;
    uint32_t site_count, site_cap;
    uint32_t *owners; /* public address number - 1 -> host or site */
    uint32_t number_count, number_cap, number_hand;
    char regions[REGIONS_MAX][SITE_NAME_MAX + 1];
    uint32_t region_count;
    uint64_t rtt_ns[REGIONS_MAX][REGIONS_MAX];
};

void route_clear(struct route *r);
/* The number of a region; SITE_NONE if there is none of that name. ERR_FULL, ERR_EXISTS when adding. */
uint32_t route_region(const struct route *r, const char *name);
int route_region_add(struct route *r, const char *name) MUST_USE;

/* A site; `cfg` is copied. Its external addresses come from its parent. ERR_FULL: no addresses are left, or too many
 * sites are behind one another. */
int route_site_add(struct sim *s, const char *name, uint32_t parent, uint32_t region,
                   const struct nat_config *cfg, uint32_t *site) MUST_USE;
uint32_t route_site_find(const struct sim *s, const char *name); /* SITE_NONE */
/* The NAT loses its table; with `move`, it also gets new external addresses. */
void route_site_reboot(struct sim *s, uint32_t site, bool move);

/* A public number for the time before the start, and for hosts on the internet. 0: none is left. */
uint32_t route_number_new(struct sim *s, const struct host *h);
void route_number_address(uint32_t number, bool ipv6, uint16_t port, struct addr *out);
void route_number_free(struct sim *s, uint32_t number);
/* Gives the host new addresses in its site (host->addrs), and takes the old ones away. */
bool route_settle(struct sim *s, struct host *h);
void route_leave(struct sim *s, struct host *h);

/* ---- way.c ---- */

/* The sender's side: through its NATs. Sets p->from and p->top, and p->target if it turns within a site. */
enum fate route_out(struct sim *s, struct host *h, struct packet *p);
/* The receiver's side: finds p->target, through its NATs, if route_out has not. Sets p->to. */
enum fate route_in(struct sim *s, struct packet *p);
/* The host that has this address before the start, or NULL. */
struct host *route_setup_owner(const struct sim *s, const struct addr *a);
/* Whether the packet would meet only plain links on the receiver's side: then it needs no event there. */
bool route_plain(const struct sim *s, struct packet *p);
/* One way through the core, from the host to whoever has the address. */
uint64_t route_delay_ns(const struct sim *s, const struct host *h, const struct packet *p);
/* The same between two hosts, wherever they are now. */
uint64_t route_core_ns(const struct sim *s, const struct host *from, const struct host *to);
/* The first site from `at` outwards that has a line of its own, before `top`; SITE_NONE. */
uint32_t route_line_up(const struct sim *s, uint32_t at, uint32_t top);
/* The outermost one between `below` and the site `home`, both outside; SITE_NONE. */
uint32_t route_line_down(const struct sim *s, uint32_t home, uint32_t below);
/* All links that a packet between two hosts passes, in order; how many. */
enum { ROUTE_LINKS_MAX = 2 + 2 * SITE_DEPTH_MAX };
unsigned route_links(const struct sim *s, const struct host *from, const struct host *to,
                     const struct link *out[static ROUTE_LINKS_MAX]);

#endif
