/* endpoint_place.c: places of a peer beside its addresses: flows through relays. */
#include "net/handshake_int.h"

int endpoint_peer_place_add(struct endpoint *e, uint64_t now_us, struct peer_ref r,
                            const struct hop *at) {
    struct peer *p = peers_by_ref(&e->peers, r);
    if (!p)
        return ERR_NOT_FOUND;
    if (at->kind == HOP_NONE || !peer_takes(p, at))
        return ERR_USAGE;
    const int err = peer_place_add(p, at);
    if (err)
        return err;
    if (p->dial)
        handshake_also_to(e, p->dial, at);
    if (p->session)
        endpoint_path_candidate(e, p->session, now_us, at);
    return 0;
}

void endpoint_place_gone(struct endpoint *e, struct peer *p, uint64_t now_us,
                         const struct hop *at) {
    (void)peer_place_remove(p, at);
    if (hop_same_place(&p->last_path, at))
        p->last_path = (struct hop){0};
    if (p->session)
        endpoint_path_gone(e, p->session, now_us, at);
}

void endpoint_peer_place_remove(struct endpoint *e, uint64_t now_us, struct peer_ref r,
                                const struct hop *at) {
    struct peer *p = peers_by_ref(&e->peers, r);
    if (p)
        endpoint_place_gone(e, p, now_us, at);
}
