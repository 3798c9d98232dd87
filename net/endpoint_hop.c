/* endpoint_hop.c: what a hop through a relay comes to when something leaves by it: the header
 * before each datagram, and the place at which the session with that relay is at that moment.
 */
#include "crypto/base/mem.h"
#include "net/endpoint_int.h"

bool endpoint_carrier(const struct endpoint *e, const struct hop *h, struct carrier *out) {
    *out = (struct carrier){.to = *h};
    while (out->to.kind == HOP_RELAY) {
        const struct peer *p = peers_by_ref(&e->peers, out->to.relay.by);
        if (!p || !p->session || out->relays == RELAYS_IN_A_ROW_MAX) {
            if (out->relays == 0) /* the size that it would have, at least */
                out->flows[out->relays++] = out->to.relay.flow;
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
    if (c->to.kind == HOP_RELAY) /* no way */
        return;
    for (unsigned i = c->relays; i-- > 0; out += FORWARD_HEADER_BYTES)
        forward_write(out, PACKET_FORWARD, c->flows[i]);
}

bool carrier_spend(struct endpoint *e, uint64_t now_us, const struct carrier *c, size_t bytes) {
    for (unsigned i = 0; i < c->relays; i++) {
        struct session *by = c->by[i];
        if (!e->relay_client ||
            !relay_client_use(e->relay_client, now_us, peer_ref_of(by->peer), c->flows[i]) ||
            !paths_spend(&by->paths, session_hop(by), bytes))
            return false;
        if (by->forward_us <= by->sent_us) /* it is kept more eagerly from now on */
            session_table_ready(&e->sessions, by);
        by->forward_us = now_us;
    }
    return true;
}

void endpoint_hop_moved(struct endpoint *e, const struct session *s) {
    if (e->relay_server && s->state == SESSION_UP)
        relay_server_client_moved(e->relay_server, e->told_us, peer_ref_of(s->peer),
                                  session_hop(s));
}

void endpoint_hop_down(struct endpoint *e, const struct session *s) {
    const struct peer_ref r = peer_ref_of(s->peer);
    mem_free(s->peer->unsaid);
    s->peer->unsaid = NULL;
    if (e->relay_server)
        relay_server_client_down(e->relay_server, e->told_us, r);
    if (e->relay_client)
        relay_client_relay_down(e->relay_client, e->told_us, r);
}

bool endpoint_may_come(struct endpoint *e, const struct peer *p, const struct hop *from) {
    const bool takes = peer_takes(p, from);
    e->counters.policy_dropped += !takes;
    return takes;
}
