#include "net/io/udp.h"

#include <uv.h>

#include "net/io/udp_impl.h"

int udp_open(struct udp **out, uv_loop_t *loop, enum udp_kind kind, const struct addr *at,
             uint32_t local, const struct udp_callbacks *cb, void *ctx) {
    struct udp base = {.local = local, .cb = *cb, .ctx = ctx};
    *out = NULL;
    if (local >= LOCAL_SOCKETS_MAX)
        return ERR_USAGE;
    if (at->kind != ADDR_IPV4 && at->kind != ADDR_IPV6)
        return ERR_USAGE;
    return kind == UDP_AUTO ? udp_native_open(out, loop, at, &base)
                            : udp_uv_open(out, loop, at, &base);
}

void udp_address(const struct udp *u, struct addr *out) {
    *out = u->bound;
}

void udp_caps(const struct udp *u, struct udp_caps *out) {
    *out = u->caps;
}

int udp_send(struct udp *u, const struct train *t) {
    if (t->len == 0 || t->to.kind != HOP_UDP || t->to.udp.remote.kind != u->bound.kind)
        return 0; /* the other family cannot be reached from this socket: lost, as on the network */
    return u->ops->send(u, t);
}

void udp_close(struct udp *u) {
    if (u)
        u->ops->close(u);
}
