/* endpoint_hop.c: what a hop through a relay comes to when something leaves by it: the header before
 * each datagram, and the place at which the session with that relay is at that moment.
 */
#include "net/endpoint_int.h"

bool endpoint_carrier(const struct endpoint *e, const struct hop *h, struct carrier *out) {
    *out = (struct carrier){.to = *h};
    while (out->to.kind == HOP_RELAY) {
        const struct peer *p = peers_by_ref(&e->peers, out->to.relay.by);
        if (!p || !p->session || out->relays == RELAYS_IN_A_ROW_MAX) {
            out->relays += out->relays == 0; /* a size that it would have, at least */
            return false;
        }
        out->flows[out->relays] = out->to.relay.flow;
        out->by[out->relays++] = p->session;
        out->to = *session_hop(p->session);
    }
    return true;
}

size_t endpoint_hop_overhead(const struct endpoint *e, const struct hop *h) {
    struct carrier c;
    (void)endpoint_carrier(e, h, &c);
    return carrier_bytes(&c);
}

void carrier_write(const struct carrier *c, uint8_t *out) {
    for (unsigned i = c->relays; i-- > 0; out += FORWARD_HEADER_BYTES)
        forward_write(out, PACKET_FORWARD, c->flows[i]);
}

bool carrier_spend(const struct carrier *c, size_t bytes) {
    for (unsigned i = 0; i < c->relays; i++)
        if (!paths_spend(&c->by[i]->paths, session_hop(c->by[i]), bytes))
            return false;
    return true;
}

bool endpoint_may_come(struct endpoint *e, const struct peer *p, const struct hop *from) {
    const bool takes = peer_takes(p, from);
    e->counters.policy_dropped += !takes;
    return takes;
}
