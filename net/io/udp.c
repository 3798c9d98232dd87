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

static bool set_option(uv_os_fd_t fd, int level, int option, int value) {
#if defined(_WIN32)
    return setsockopt((SOCKET)fd, level, option, (const char *)&value, sizeof value) == 0;
#else
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
#endif
}

bool udp_dont_fragment(uv_os_fd_t fd, bool ipv6) {
#if defined(__linux__)
    return ipv6 ? set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)
                : set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
#else
    /* FreeBSD and macOS have both options, OpenBSD and NetBSD that of IPv6, Windows names the other one differently. */
#if defined(IPV6_DONTFRAG)
    if (ipv6)
        return set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
#endif
#if defined(IP_DONTFRAG)
    if (!ipv6)
        return set_option(fd, IPPROTO_IP, IP_DONTFRAG, 1);
#elif defined(IP_DONTFRAGMENT)
    if (!ipv6)
        return set_option(fd, IPPROTO_IP, IP_DONTFRAGMENT, 1);
#endif
    (void)fd;
    (void)ipv6;
    (void)set_option;
    return false;
#endif
}
