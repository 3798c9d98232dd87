/* udp.h: the UDP edge: one socket, batches in, trains out.
 *
 * Implementations behind one face: udp_linux.c (own non-blocking socket under uv_poll, recvmmsg
 * with UDP_GRO, sendmmsg/sendmsg with UDP_SEGMENT, each probed at run time and switched off for
 * good when it fails in mid-run); in its place on other systems udp_posix.c (the same socket, one
 * datagram a call); and udp_uv.c (uv_udp, one datagram a call, no marks, no sources; every
 * platform). A train that the kernel does not take at once is kept and sent first when the socket
 * is writable again: nothing is lost on our side of the socket.
 */
#ifndef MESHD_NET_IO_UDP_H
#define MESHD_NET_IO_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "crypto/base/err.h"
#include "net/base/hop.h"
#include "net/base/train.h"
#include "net/base/train_in.h"

enum udp_kind { UDP_AUTO, UDP_PORTABLE };

struct udp_callbacks { /* may only enqueue, and must not close the socket */
    /* Datagrams that came together, to be opened in place; the buffer is the socket's own. A train
     * to the same hop (net/base/hop.h) leaves from the address they came to, where caps.sources is
     * set. Called for each run of a batch... */
    void (*train)(void *ctx, const struct train_in *r);
    /* ...then once: pull output, events. */
    void (*batch_end)(void *ctx);
    /* The socket takes trains again after udp_send gave ERR_AGAIN. */
    void (*writable)(void *ctx, uint32_t socket);
    /* A datagram of this size does not fit the interface (EMSGSIZE). */
    void (*too_big)(void *ctx, const struct addr *to, size_t bytes);
};

struct udp;

struct udp_caps {
    bool gso, gro;
    bool ecn;           /* marks of what arrives are seen; those of trains are set */
    bool sources;       /* bound to no address, and answers leave from where they were asked */
    bool dont_fragment; /* what does not fit a link is not cut: without that, packet sizes cannot be
                         * found by trying (RFC 8899 §3), and MTU_BASE_BYTES are the most (RFC 9000
                         * §14) */
    int send_buffer_bytes, recv_buffer_bytes; /* what the kernel gave */
    bool buffers_capped; /* less than asked for: say so in the log, with the sysctl's name */
};

enum { UDP_BUFFER_BYTES = 7 << 20 };

/* Binds `at` (port 0: any) and starts reading. `local` is the socket's number, below
 * LOCAL_SOCKETS_MAX. An IPv6 unspecified address is bound v6-only. Errors: ERR_EXISTS (address in
 * use), ERR_PERM, ERR_USAGE (no such address here), ERR_IO, ERR_NOMEM. */
int udp_open(struct udp **out, uv_loop_t *loop, enum udp_kind kind, const struct addr *at,
             uint32_t local, const struct udp_callbacks *cb, void *ctx) MUST_USE;
/* The address it is bound to. */
void udp_address(const struct udp *u, struct addr *out);
void udp_caps(const struct udp *u, struct udp_caps *out);
/* Sends a train; copies what it cannot send at once (one train at most). ERR_AGAIN: this train was
 * kept; send no more until `writable`. Errors of the network (unreachable, refused by a firewall)
 * are not errors here: the datagrams are lost. */
int udp_send(struct udp *u, const struct train *t) MUST_USE;
void udp_close(struct udp *u); /* asynchronous inside; no callback follows */

#endif
