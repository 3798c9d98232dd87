/* nat_config.h: which NAT: how it maps and filters (RFC 4787), as words say it.
 *
 *   none of these | eim/apdf | apdm/apdf,ports=random,timeout=60s
 *
 * MAP/FILTER: eim, adm, apdm (endpoint-independent, address-dependent, address-and-port-dependent
 * mapping, RFC 4787 §4.1) and eif, adf, apdf (filtering, §5), then options after commas:
 *
 *   ports=preserve|seq|delta(N)|random|block(N)
 *                     which external port a new mapping gets (§4.2); block: an inner host gets
 *                     ports of one block of N, random within (RFC 6888)
 *   timeout=TIME      of a mapping that nothing refreshes (§4.3; default 120 s)
 *   refresh=out|both|in
 *                     which direction refreshes it (default out)
 *   hairpin=none|ext|int
 *                     packets to our own external address: dropped, or brought back with the
 *                     external (§6 REQ-9) or the internal source address
 *   table=N[:lru]     mappings it can hold; full: refuses new ones, or forgets the oldest
 *   limit=N           mappings per inner host
 *   pool=N  pooling=paired|arbitrary
 *                     external addresses, and whether a host keeps one (§4.1 REQ-2)
 *
 *   icmp=pass|drop    errors of routers and hosts (RFC 5508 REQ-3..5)
 *   ip6=firewall|open|none
 *                     what IPv6 meets here: a stateful filter (RFC 6092), nothing, a dead end
 *   unreplied=TIME  input=accept|drop
 *                     linux alone: see below
 *
 * Kinds: fullcone (eim/eif), restricted (eim/adf), portrestricted (eim/apdf), symmetric
 * (apdm/apdf,ports=random), sequential (apdm/apdf,ports=seq), cgn
 * (eim/apdf,ports=block(512),pool=4,limit=512,timeout=300s), firewall (addresses stay, apdf). A
 * kind takes the same options.
 *
 * linux (sim/nat/nat_linux.h: conntrack and masquerade) has icmp=, ip6=, timeout= (of a stream, 120
 * s), unreplied= (30 s), input=drop|accept, ports=preserve|random (random: fully-random), hairpin=
 * and table= (16384) only.
 */
#ifndef MESHD_SIM_NAT_NAT_CONFIG_H
#define MESHD_SIM_NAT_NAT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/draw.h"

enum nat_dependence { NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT, NAT_ADDRESS_PORT_DEPENDENT };
enum nat_ports { NAT_PORTS_PRESERVE, NAT_PORTS_SEQUENTIAL, NAT_PORTS_RANDOM, NAT_PORTS_BLOCK };
enum nat_refresh { NAT_REFRESH_OUT, NAT_REFRESH_BOTH, NAT_REFRESH_IN };
enum nat_hairpin_kind { NAT_HAIRPIN_NONE, NAT_HAIRPIN_EXTERNAL, NAT_HAIRPIN_INTERNAL };

enum nat_ipv6 { NAT_IPV6_FIREWALL, NAT_IPV6_OPEN, NAT_IPV6_NONE };

enum { NAT_POOL_MAX = 8, NAT_TEXT_MAX = 95, NAT_TABLE_MAX = 1 << 20 };

struct nat_config {
    enum nat_dependence mapping, filtering;
    enum nat_ports ports;
    uint32_t port_step; /* sequential: 1, or delta */
    uint32_t block_ports;
    uint64_t timeout_ns;
    enum nat_refresh refresh;
    enum nat_hairpin_kind hairpin;
    uint32_t table, per_host; /* mappings at most; per_host 0: no limit */
    bool evicts;              /* a full table forgets its least recently used mapping */
    uint32_t pool;            /* external addresses, 1 .. NAT_POOL_MAX */
    bool arbitrary;           /* pooling */
    bool firewall;            /* addresses and ports stay as they are */
    bool drops_icmp;
    enum nat_ipv6 ipv6;
    bool conntrack; /* sim/nat/nat_linux.h; mapping, filtering and refresh say nothing then */
    uint64_t unreplied_ns; /* of it */
    bool input_accepts;    /* of it */
};

/* What a router that does this with UDP does with TCP: the same, with other timeouts, and both
 * directions refresh. RFC 5382 REQ-5: two hours and four minutes; Linux' conntrack: five days, and
 * two minutes for a connection that is not answered. `wall`: only its filter, for IPv6. */
void nat_config_tcp(const struct nat_config *udp, bool wall, struct nat_config *out);

/* NULL, or what is wrong (static text). */
const char *nat_config_read(struct nat_config *out, const char *text);
/* "mix:home", "mix:corp", "mix:mobile": shares of kinds; see nat_config.c for where the figures are
 * from. */
bool nat_mix_known(const char *text);
/* One of the mix, by the draw. */
void nat_mix_draw(struct nat_config *out, const char *text, uint64_t drawn);
/* "eim/apdf,preserve": the three that decide whether a hole can be punched. */
void nat_config_name(const struct nat_config *c, char out[static 32]);

#endif
