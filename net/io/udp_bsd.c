#include "net/io/udp_bsd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/base/ecn_field.h"
#include "net/io/sockaddr.h"

#ifndef SO_RCVBUFFORCE /* for the privileged: past the system's limit */
#define SO_RCVBUFFORCE SO_RCVBUF
#define SO_SNDBUFFORCE SO_SNDBUF
#endif

#ifdef __linux__
enum { KEPT_PER_ASKED = 2 }; /* Linux keeps, and reports, as much again for its own overhead */
#else
enum { KEPT_PER_ASKED = 1 };
#endif

int udp_bsd_open(bool ipv6) {
    const int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    if (fd < 0)
        return -errno;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        const int err = errno;
        close(fd);
        return -err;
    }
    return fd;
}

static bool switch_on(int fd, int level, int option) {
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Asks for UDP_BUFFER_BYTES; returns what the kernel gave. */
static int set_buffer(int fd, int force, int plain) {
    int want = UDP_BUFFER_BYTES, got = 0;
    socklen_t len = sizeof got;
    if (setsockopt(fd, SOL_SOCKET, force, &want, sizeof want) != 0)
        (void)setsockopt(fd, SOL_SOCKET, plain, &want, sizeof want);
    if (getsockopt(fd, SOL_SOCKET, plain, &got, &len) != 0)
        return 0;
    return got / KEPT_PER_ASKED;
}

static bool tell_addresses(int fd, bool ipv6) {
    if (ipv6)
        return switch_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
#if defined(IP_RECVDSTADDR)
    return switch_on(fd, IPPROTO_IP, IP_RECVDSTADDR);
#elif defined(IP_PKTINFO)
    return switch_on(fd, IPPROTO_IP, IP_PKTINFO);
#else
    return false;
#endif
}

void udp_bsd_options(int fd, const struct addr *at, struct udp_caps *caps) {
    const bool ipv6 = at->kind == ADDR_IPV6;
    caps->recv_buffer_bytes = set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    caps->send_buffer_bytes = set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    caps->buffers_capped =
        caps->recv_buffer_bytes < UDP_BUFFER_BYTES || caps->send_buffer_bytes < UDP_BUFFER_BYTES;
    caps->ecn =
        ipv6 ? switch_on(fd, IPPROTO_IPV6, IPV6_RECVTCLASS) : switch_on(fd, IPPROTO_IP, IP_RECVTOS);
    caps->dont_fragment = udp_dont_fragment(fd, ipv6);
    /* On a socket that is bound to one address everything leaves from it anyway. */
    caps->sources = addr_is_unspecified(at) && tell_addresses(fd, ipv6);
}

int udp_bsd_bind(int fd, const struct addr *at, struct addr *bound) {
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(&sa, at);
    if (at->kind == ADDR_IPV6 && !switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY))
        return -errno;
    if (bind(fd, (struct sockaddr *)&sa, len) != 0)
        return -errno;
    len = sizeof sa;
    if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        return -errno;
    return sockaddr_to(bound, (struct sockaddr *)&sa) ? 0 : -EINVAL;
}

bool udp_bsd_set_ecn(int fd, bool ipv6, uint8_t ecn) {
    const int field = ecn & ECN_MASK;
    return setsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_TCLASS : IP_TOS, &field,
                      sizeof field) == 0;
}

void udp_bsd_forget_error(int fd) {
    int err = 0;
    socklen_t len = sizeof err;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
}

enum udp_sent udp_bsd_verdict(int err) {
    switch (err) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
        return UDP_WOULD_BLOCK;
    case EMSGSIZE:
        return UDP_TOO_BIG;
    case EIO:
    case EINVAL:
    case EOPNOTSUPP:
        return UDP_REFUSED;
    default:
        return UDP_LOST;
    }
}
