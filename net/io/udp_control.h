/* udp_control.h: what the kernel and we say to each other beside the bytes of datagrams: the
 * lengths in a train, the ECN field, the address of ours a datagram came to and that an answer
 * leaves from (cmsg(3), udp(7), ip(7), ipv6(7)).
 */
#ifndef MESHD_NET_IO_UDP_CONTROL_H
#define MESHD_NET_IO_UDP_CONTROL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net/base/addr.h"
#include "net/base/train.h"
#include "net/io/local_addrs.h"

#ifdef MESHD_LINUX /* older headers do not name them */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#endif

/* In: one int (GRO), one int or byte (traffic class), the address it came to; out: one u16 (GSO),
 * the address it leaves from. */
struct udp_control_buf {
    _Alignas(struct cmsghdr)
        uint8_t bytes[2 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp_control_in {
    size_t segment; /* the length of the datagrams in a GRO run; 0 if the message is one datagram */
    bool nonsense;  /* it says of a run what cannot be: where its datagrams end is not known */
    uint8_t ecn;    /* of all of them: the kernel does not merge different ones */
    struct addr to; /* our address; ADDR_NONE: not said, or nobody's alone */
};
/* Of a message of `len` bytes. */
struct udp_control_in udp_control_read(struct msghdr *m, size_t len);

struct udp_control_out {
    struct udp_control_buf buf;
    size_t len, without_source; /* of the buffer in use, and if the source is left out */
    uint32_t source;            /* its number in the table; 0: none is named */
};
/* For a train, or one datagram of it; the source is the address its `local` names. */
void udp_control_write(struct udp_control_out *c, const struct train *t,
                       const struct local_addrs *locals, bool segments);
/* The first `len` bytes of it: all, or without_source. `c` must outlive the send. */
void udp_control_attach(struct msghdr *m, struct udp_control_out *c, size_t len);

#endif
