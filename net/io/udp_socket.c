/* udp_socket.c: what both implementations do with a socket before it is used. */
#include <uv.h>

#include "net/io/udp_impl.h"

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
    /* FreeBSD and macOS have both options, OpenBSD and NetBSD that of IPv6, Windows names the other
     * one differently. */
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
