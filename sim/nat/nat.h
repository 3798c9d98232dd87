/* nat.h: one NAT for UDP after RFC 4787, as sim/nat/nat_config.h describes it; with `firewall`, a
 * stateful packet filter that leaves addresses alone (RFC 6092). Mappings die of age when somebody
 * looks at them or room is needed. Works on addresses only: who is behind them, and how long a
 * packet takes, is the caller's business. Chains are the caller's, too: one NAT after the other.
 */
#ifndef MESHD_SIM_NAT_NAT_H
#define MESHD_SIM_NAT_NAT_H

#include "net/base/addr.h"
#include "sim/engine/draw.h"
#include "sim/nat/nat_config.h"

enum nat_verdict {
    NAT_PASS,
    NAT_NO_MAPPING, /* inbound: nobody inside has this address and port */
    NAT_FILTERED,   /* inbound: there is a mapping, but it is not for this sender */
    NAT_FULL,       /* outbound: no room, or no port is left */
    NAT_NO_HAIRPIN, /* to our own external address: this NAT does not do that */
    NAT_NO_ROUTE,   /* of its network: this family does not pass there (sim/world/route.c) */
};

struct nat;

/* `draw` must outlive it. Aborts when out of memory. */
struct nat *nat_new(const struct nat_config *cfg, const struct draw *draw, uint32_t entity);
void nat_free(struct nat *n); /* NULL is fine */
/* Its external addresses (ports are ignored); existing mappings are lost. */
void nat_set_external(struct nat *n, const struct addr *pool, unsigned count);

/* Outbound: the source becomes the external address. */
enum nat_verdict nat_out(struct nat *n, uint64_t now_ns, struct addr *src, const struct addr *dst);
/* Inbound: the destination becomes the inner address. */
enum nat_verdict nat_in(struct nat *n, uint64_t now_ns, const struct addr *src, struct addr *dst);
/* From inside to one of our external addresses: both may change (RFC 4787 §6). */
enum nat_verdict nat_hairpin(struct nat *n, uint64_t now_ns, struct addr *src, struct addr *dst);

/* An ICMP error about a packet that has gone through it (RFC 5508 §4.2): from outside about one
 * that went out, whose quoted source becomes the inner address, which also gets it; from inside
 * about one that came in, whose quoted destination becomes the external one. Nothing of the NAT
 * changes by it. Not NAT_PASS: it is dropped. (icmp=drop is for the caller to heed, who knows which
 * NATs it meets.) */
enum nat_verdict nat_icmp_in(struct nat *n, uint64_t now_ns, struct addr *quoted_src,
                             const struct addr *quoted_dst);
enum nat_verdict nat_icmp_out(struct nat *n, uint64_t now_ns, const struct addr *quoted_src,
                              struct addr *quoted_dst);

/* A mapping made on request (RFC 6887), which lets everybody in: *external gets the address and
 * port. The port wanted if it is free, else another; the one the inner address has already is kept.
 * False: no room. */
bool nat_map_fixed(struct nat *n, uint64_t now_ns, const struct addr *inner, uint16_t wanted,
                   uint64_t expires_ns, struct addr *external);
/* Such a mapping, if there is one, ends then at the latest. */
void nat_fixed_until(struct nat *n, const struct addr *inner, uint64_t expires_ns);
void nat_unmap_fixed(struct nat *n,
                     const struct addr *inner); /* no such mapping: nothing happens */

/* Every mapping is lost, fixed ones too, and hosts get other blocks of ports than before. */
void nat_reboot(struct nat *n);
/* Others behind it take `count` places of its table (UINT32_MAX: all) until then. What is there
 * stays, unless the table forgets its oldest to make room. */
void nat_crowd(struct nat *n, uint64_t now_ns, uint32_t count, uint64_t until_ns);
uint32_t nat_mapping_count(const struct nat *n, uint64_t now_ns);

#endif
