/* nat_ports.c: which external address and port a mapping gets (RFC 4787 §4.1, §4.2; RFC 6888). */
#include <string.h>

#include "sim/nat/nat_int.h"
#include "sim/nat/nat_mapping.h"

enum { PORT_TRIES = 64 };

/* RFC 4787 §4.1: paired keeps a host on one external address. */
static const struct addr *external_for(struct nat *n, const struct addr *inner) {
    if (n->external_count <= 1)
        return &n->external[0];
    const struct nat_key k = nat_host_key(inner);
    const uint64_t at = n->cfg.arbitrary ? nat_drawn(n) >> 32 : nat_hash(&k);
    return &n->external[at % n->external_count];
}

/* A free port of the block, from a drawn one on. */
static bool port_in_block(struct nat *n, uint64_t now_ns, uint32_t at, struct addr *outer) {
    const uint32_t size = n->cfg.block_ports;
    const uint32_t from = (uint32_t)draw_below(nat_drawn(n), size);
    for (uint32_t i = 0; i < size; i++) {
        outer->port = (uint16_t)(NAT_PORT_FIRST + at * size + (from + i) % size);
        if (nat_is_free(n, outer, now_ns))
            return true;
    }
    return false;
}

/* In one of the host's own blocks, else in one that is nobody's (RFC 6888, RFC 7753): a block is
 * never shared. */
static bool choose_in_blocks(struct nat *n, uint64_t now_ns, const struct addr *inner,
                             struct addr *outer) {
    const uint32_t count = NAT_PORT_COUNT / n->cfg.block_ports;
    const struct nat_key k = nat_host_key(inner);
    const uint32_t home = (nat_hash(&k) / 8 + n->boots * 7919) % count;
    for (unsigned pass = 0; pass < 3; pass++) { /* own; free; free once the dead are buried */
        if (pass == 2)
            (void)nat_bury(n, now_ns);
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t at = (home + i) % count;
            outer->port = (uint16_t)(NAT_PORT_FIRST + at * n->cfg.block_ports);
            const struct nat_block *b = nat_block_at(n, outer);
            const bool mine = b->used > 0 && memcmp(b->owner, inner->ip, sizeof b->owner) == 0;
            if ((pass == 0 ? mine : b->used == 0) && port_in_block(n, now_ns, at, outer))
                return true;
        }
    }
    return false;
}

static uint16_t port_try(struct nat *n, const struct addr *inner, uint32_t tries) {
    switch (n->cfg.ports) {
    case NAT_PORTS_PRESERVE: /* taken: one near by, else any */
        if (tries == 0)
            return inner->port;
        if (tries < 16)
            return (uint16_t)(NAT_PORT_FIRST +
                              (inner->port + (NAT_PORT_COUNT - NAT_PORT_FIRST) + tries) %
                                  NAT_PORT_COUNT);
        return (uint16_t)(NAT_PORT_FIRST + draw_below(nat_drawn(n), NAT_PORT_COUNT));
    case NAT_PORTS_SEQUENTIAL:
        if (n->last_port == 0)
            n->last_port = (uint16_t)(NAT_PORT_FIRST + draw_below(nat_drawn(n), NAT_PORT_COUNT));
        n->last_port =
            (uint16_t)(NAT_PORT_FIRST +
                       (n->last_port - NAT_PORT_FIRST + n->cfg.port_step) % NAT_PORT_COUNT);
        return n->last_port;
    case NAT_PORTS_RANDOM:
        return (uint16_t)(NAT_PORT_FIRST + draw_below(nat_drawn(n), NAT_PORT_COUNT));
    case NAT_PORTS_BLOCK: /* choose_in_blocks */
        break;
    }
    return 0;
}

bool nat_choose_outer(struct nat *n, uint64_t now_ns, const struct addr *inner,
                      struct addr *outer) {
    if (n->cfg.firewall) {
        *outer = *inner;
        return true;
    }
    if (n->external_count == 0)
        return false;
    *outer = *external_for(n, inner);
    if (n->cfg.ports == NAT_PORTS_BLOCK)
        return choose_in_blocks(n, now_ns, inner, outer);
    for (uint32_t tries = 0; tries < PORT_TRIES; tries++) {
        outer->port = port_try(n, inner, tries);
        if (nat_is_free(n, outer, now_ns))
            return true;
    }
    return false;
}
