/* nic.h: one of a host's interfaces: where it is plugged in, its addresses there, its access link.
 * Most hosts have one. Number i stands as local socket i in the hops of the host's node
 * (net/base/hop.h): what comes by an interface is answered by it, as long as it is up.
 */
#ifndef MESHD_SIM_WORLD_NIC_H
#define MESHD_SIM_WORLD_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/addr.h"
#include "sim/link/link.h"

enum { HOST_NICS_MAX = 4, NIC_NAME_MAX = 31 };

struct nic {
    uint32_t site, region;
    bool ipv4, ipv6; /* which addresses it gets */
    bool off;        /* nothing leaves or comes by it; it keeps its addresses meanwhile */
    bool plain_down; /* link_is_plain(&down) */
    unsigned addr_count;
    struct addr addrs[2]; /* its own, IPv4 and IPv6; inside its site */
    struct link up, down;
    struct addr mapped;          /* what a port-mapping gateway gave; ADDR_NONE */
    struct addr outer;           /* in a site: under which the internet saw it last; ADDR_NONE */
    char name[NIC_NAME_MAX + 1]; /* of the first: empty */
};

/* The address of that kind (enum addr_kind), or NULL. */
static inline const struct addr *nic_addr(const struct nic *n, unsigned kind) {
    for (unsigned i = 0; i < n->addr_count; i++)
        if (n->addrs[i].kind == kind)
            return &n->addrs[i];
    return NULL;
}

static inline bool nic_has(const struct nic *n, const struct addr *a) { /* whatever the port */
    const struct addr *own = nic_addr(n, a->kind);
    return own && addr_same_host(own, a);
}

static inline bool nic_owns(const struct nic *n, const struct addr *a) {
    const struct addr *own = nic_addr(n, a->kind);
    return own && addr_equal(own, a);
}

#endif
