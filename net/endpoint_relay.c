/* endpoint_relay.c: relays: to come. */
#include "net/endpoint_int.h"

int endpoint_relay_serve(struct endpoint *e, const struct relay_limits *l, uint64_t now_us) {
    (void)e, (void)l, (void)now_us;
    return ERR_UNSUPPORTED;
}

int endpoint_relay_allow(struct endpoint *e, const struct node_id *allowed, unsigned allowed_count,
                         const struct node_id *blocked, unsigned blocked_count) {
    (void)e, (void)allowed, (void)allowed_count, (void)blocked, (void)blocked_count;
    return ERR_UNSUPPORTED;
}

void endpoint_relay_restarting(struct endpoint *e, uint64_t now_us, uint32_t in_ms,
                               uint32_t for_ms) {
    (void)e, (void)now_us, (void)in_ms, (void)for_ms;
}

bool endpoint_relay_stats(const struct endpoint *e, struct relay_stats *out) {
    (void)e, (void)out;
    return false;
}

int relay_reserve(struct endpoint *e, uint64_t now_us, struct peer_ref relay) {
    (void)e, (void)now_us, (void)relay;
    return ERR_UNSUPPORTED;
}

void relay_unreserve(struct endpoint *e, uint64_t now_us, struct peer_ref relay) {
    (void)e, (void)now_us, (void)relay;
}

int relay_open(struct endpoint *e, uint64_t now_us, struct peer_ref relay,
               const struct node_id *peer, uint32_t *request) {
    (void)e, (void)now_us, (void)relay, (void)peer, (void)request;
    return ERR_UNSUPPORTED;
}

int relay_answer(struct endpoint *e, uint64_t now_us, struct peer_ref relay, uint32_t flow,
                 bool accept) {
    (void)e, (void)now_us, (void)relay, (void)flow, (void)accept;
    return ERR_UNSUPPORTED;
}

void relay_close(struct endpoint *e, uint64_t now_us, const struct hop *flow) {
    (void)e, (void)now_us, (void)flow;
}

int endpoint_key_ask(struct endpoint *e, uint64_t now_us, const struct hop *at, uint64_t *nonce) {
    (void)e, (void)now_us, (void)at, (void)nonce;
    return ERR_UNSUPPORTED;
}

int endpoint_peer_place_add(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                            const struct hop *at) {
    (void)e, (void)now_us, (void)p, (void)at;
    return ERR_UNSUPPORTED;
}

void endpoint_peer_place_remove(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                                const struct hop *at) {
    (void)e, (void)now_us, (void)p, (void)at;
}

bool endpoint_peer_id(const struct endpoint *e, struct peer_ref r, struct node_id *out) {
    const struct peer *p = peers_by_ref(&e->peers, r);
    if (p)
        *out = p->setup.id;
    return p != NULL;
}

int endpoint_keepalive(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                       uint64_t interval_us) {
    (void)e, (void)now_us, (void)p, (void)interval_us;
    return ERR_UNSUPPORTED;
}
