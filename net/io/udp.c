#include "net/io/udp.h"

#include <uv.h>

#include "net/io/udp_impl.h"

int udp_open(struct udp **out, uv_loop_t *loop, enum udp_kind kind, const struct addr *at,
             uint32_t local, const struct udp_callbacks *cb, void *ctx) {
    struct udp base = {.local = local, .cb = *cb, .ctx = ctx};
    *out = NULL;
    if (at->kind != ADDR_IPV4 && at->kind != ADDR_IPV6)
        return ERR_USAGE;
#ifdef __linux__
    if (kind == UDP_AUTO)
        return udp_linux_open(out, loop, at, &base);
#else
    (void)kind;
#endif
    return udp_uv_open(out, loop, at, &base);
}

void udp_address(const struct udp *u, struct addr *out) {
    *out = u->bound;
}

void udp_caps(const struct udp *u, struct udp_caps *out) {
    *out = u->caps;
}

int udp_send(struct udp *u, const struct train *t) {
    if (t->len == 0 || t->to.kind != u->bound.kind)
        return 0; /* the other family cannot be reached from this socket: lost, as on the network */
    return u->ops->send(u, t);
}

void udp_close(struct udp *u) {
    if (u)
        u->ops->close(u);
}

int udp_open_error(int uv_err) {
    switch (uv_err) {
    case UV_EADDRINUSE:
        return ERR_EXISTS;
    case UV_EACCES:
    case UV_EPERM:
        return ERR_PERM;
    case UV_EADDRNOTAVAIL:
    case UV_EAFNOSUPPORT:
    case UV_EINVAL:
        return ERR_USAGE;
    case UV_ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

void udp_dont_fragment(uv_os_fd_t fd, bool ipv6) {
#if defined(__linux__)
    if (ipv6) {
        int mode = IPV6_PMTUDISC_PROBE;
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &mode, sizeof mode);
    } else {
        int mode = IP_PMTUDISC_PROBE;
        (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof mode);
    }
#elif defined(IP_DONTFRAG) && defined(IPV6_DONTFRAG)
    int on = 1;
    (void)setsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_DONTFRAG : IP_DONTFRAG, &on,
                     sizeof on);
#else
    (void)fd;
    (void)ipv6;
#endif
}
