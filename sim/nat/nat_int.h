/* nat_int.h: private to nat.c (mappings, permissions, packets), nat_ports.c (which external address and port a mapping
 * gets), nat_icmp.c (ICMP errors) and nat_linux.c (the NAT of Linux, which has entries of its own).
 */
#ifndef MESHD_SIM_NAT_NAT_INT_H
#define MESHD_SIM_NAT_NAT_INT_H

#include "sim/nat/nat.h"
#include "sim/nat/nat_table.h"

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

/* nat.c */
struct nat_key nat_host_key(const struct addr *a);
uint64_t nat_drawn(struct nat *n); /* another draw */
bool nat_is_free(struct nat *n, const struct addr *outer, uint64_t now_ns);
/* Drops the dead mappings; gives the oldest of the others that may be evicted, or UINT32_MAX. */
uint32_t nat_bury(struct nat *n, uint64_t now_ns);

/* How many mappings it holds at most now. */
uint32_t nat_room(const struct nat *n, uint64_t now_ns);
/* The living mapping that this packet from inside has; NULL: it would get a new one. */
struct nat_mapping *nat_mapping_from(struct nat *n, uint64_t now_ns, const struct addr *src,
                                     const struct addr *dst);
/* The living mapping with this external address and port; NULL. */
struct nat_mapping *nat_mapping_at(struct nat *n, uint64_t now_ns, const struct addr *outer);
/* Whether the mapping lets `src` in. `refreshes`: if so, it does so for its full time from now on. */
bool nat_is_permitted(struct nat *n, uint64_t now_ns, const struct nat_mapping *m,
                      const struct addr *src, bool refreshes);

/* nat_ports.c */
/* The block that an external address and port are in; NULL where there are none. */
struct nat_block *nat_block_at(struct nat *n, const struct addr *outer);
/* Under which address and port the inner one is seen from now on. False: none is free. */
bool nat_choose_outer(struct nat *n, uint64_t now_ns, const struct addr *inner, struct addr *outer);

#endif
