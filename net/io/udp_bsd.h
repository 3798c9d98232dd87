/* udp_bsd.h: what udp_linux.c and udp_posix.c do with a socket that is a descriptor: open, bind,
 * its options, and what an errno of a send means.
 */
#ifndef MESHD_NET_IO_UDP_BSD_H
#define MESHD_NET_IO_UDP_BSD_H

#include "net/io/udp_impl.h"

/* Not blocking, closed on exec. Negative: -errno. */
int udp_bsd_open(bool ipv6);
/* Buffers, marks, no fragments, and for a socket that is bound to no address, to which of ours each
 * datagram came: what could be had of it, into *caps. Before the bind. */
void udp_bsd_options(int fd, const struct addr *at, struct udp_caps *caps);
/* 0 with the address it is bound to, or -errno. */
int udp_bsd_bind(int fd, const struct addr *at, struct addr *bound);
/* The ECN field of what is sent from now on. */
bool udp_bsd_set_ecn(int fd, bool ipv6, uint8_t ecn);
/* Takes the error of an earlier datagram (ICMP) off the socket. */
void udp_bsd_forget_error(int fd);

/* How errno of a send ends for the datagrams in it. ENOBUFS, ENETUNREACH, EPERM and the like are
 * the network's doing: UDP_LOST. */
enum udp_sent { UDP_SENT, UDP_WOULD_BLOCK, UDP_TOO_BIG, UDP_REFUSED, UDP_LOST };
enum udp_sent udp_bsd_verdict(int err);

#endif
