/* wire.c: the way of a datagram: the sender's uplink, the core, the receiver's downlink. */
#include <stdlib.h>
#include <string.h>

#include "crypto/bytes.h"
#include "sim/world.h"

/* 198.18.0.0/15 and 2001:2::/48 are set aside for such tests (RFC 2544, RFC 5180): not private, so
 * nodes treat them as they would the internet's. Address number n is the low bits. */
enum { ADDR_BITS = 17 };

void wire_new_address(struct sim *s, struct host *h) {
    if (s->addr_count == s->addr_cap) {
        s->addr_cap = s->addr_cap ? s->addr_cap * 2 : 16;
        s->owners = realloc(s->owners, s->addr_cap * sizeof *s->owners);
        if (!s->owners)
            abort();
    }
    const uint32_t n = s->addr_count++;
    if (n >= (1u << ADDR_BITS) - 1) {
        world_fail(s, h, "no addresses are left");
        return;
    }
    const struct host *before = wire_owner(s, &h->addr);
    s->owners[n] = h->index + 1;
    const uint32_t low = n + 1;
    if (before == h) {
        const struct addr old = h->addr;
        const uint32_t was = (uint32_t)(old.ip[old.kind == ADDR_IPV4 ? 1 : 13] & 1) << 16 |
                             (uint32_t)old.ip[old.kind == ADDR_IPV4 ? 2 : 14] << 8 |
                             old.ip[old.kind == ADDR_IPV4 ? 3 : 15];
        s->owners[was - 1] = 0;
    }
    h->addr = (struct addr){.kind = h->ipv6 ? ADDR_IPV6 : ADDR_IPV4, .port = WORLD_PORT};
    (void)low;
}
