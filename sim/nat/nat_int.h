/* nat_int.h: private to nat_*.c: what a NAT is. From the bottom: nat_table.c (a hash table),
 * nat_mapping.c (the table of mappings), nat_ports.c (which external address and port a mapping
 * gets), nat_linux.c (the NAT of Linux, which has entries of its own), nat.c (permissions,
 * packets), nat_icmp.c (ICMP errors).
 */
#ifndef MESHD_SIM_NAT_NAT_INT_H
#define MESHD_SIM_NAT_NAT_INT_H

#include "sim/nat/nat.h"
#include "sim/nat/nat_table.h"

enum { NAT_PORT_FIRST = 1024, NAT_PORT_COUNT = 65536 - NAT_PORT_FIRST };

struct nat_mapping {
    bool used, fixed;
    uint32_t
        generation; /* the how-manieth of this NAT: permissions of an earlier one are not its */
    struct addr inner, outer;
    struct addr towards; /* address- and port-dependent mappings: to whom */
    uint64_t last_ns, expires_ns;
};

struct nat_block { /* of ports, of one inner host alone */
    uint8_t owner[16];
    uint32_t used; /* mappings; 0: nobody's */
};

struct nat {
    struct nat_config cfg;
    const struct draw *draw;
    uint32_t entity;
    uint64_t draws;
    struct addr external[NAT_POOL_MAX];
    unsigned external_count;
    struct nat_mapping *mappings;
    uint32_t mapping_count, mapping_cap, live, generations;
    struct nat_block
        *blocks[NAT_POOL_MAX]; /* ports=block: of each external address, when first used */
    uint64_t sweep_ns;         /* when permissions are looked through next */
    uint32_t hand;             /* where the search for old mappings goes on */
    uint16_t last_port;        /* sequential */
    uint32_t boots;            /* reboots: each gives blocks of its own */
    uint32_t crowd;            /* of the table, taken by others until then */
    uint64_t crowd_until_ns;
    struct nat_table table;
    struct nat_flow *flows; /* nat_linux.c */
    uint32_t flow_count, flow_cap, flow_live, flow_hand;
    struct nat_table flow_table;
};

/* nat.c: whether the mapping lets `src` in. `refreshes`: if so, it does so for its full time from
 * now on. */
bool nat_is_permitted(struct nat *n, uint64_t now_ns, const struct nat_mapping *m,
                      const struct addr *src, bool refreshes);

/* nat_ports.c: under which address and port the inner one is seen from now on. False: none is
 * free. */
bool nat_choose_outer(struct nat *n, uint64_t now_ns, const struct addr *inner, struct addr *outer);

#endif
