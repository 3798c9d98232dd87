/* sockets.h: the UDP sockets a daemon listens on, and which of them a train leaves by. Their
 * numbers are in the `local` of datagrams and trains (net/base/train.h). One that is full holds up
 * nothing but what must leave by it.
 */
#ifndef MESHD_NODE_DAEMON_SOCKETS_H
#define MESHD_NODE_DAEMON_SOCKETS_H

#include "net/io/udp.h"
#include "node/config/config.h"
#include "node/daemon/os/log.h"

/* Datagrams for any socket that find theirs full: so many wait at each, then they are lost (all of
 * them are handshakes, which are repeated). */
enum { SOCKETS_WAITING_MAX = 64 };

struct waiting; /* one of them */

struct sockets {
    struct udp *udp[CONFIG_LISTEN_MAX];
    struct addr bound[CONFIG_LISTEN_MAX];
    unsigned count;
    uint32_t full; /* a bit for each that keeps a train: the `full` of trains to be pulled */
    struct waiting *waiting[CONFIG_LISTEN_MAX]; /* in order */
};

/* Opens all of cfg->listen; of the default ones, a family the machine lacks may be missing. Says
 * why not in the log; the error is that of udp_open. */
int sockets_open(struct sockets *s, uv_loop_t *loop, const struct config *cfg,
                 const struct udp_callbacks *cb, void *ctx, const struct log *log) MUST_USE;
/* The socket the train names, or for LOCAL_ANY one that can reach its address. NULL: there is none.
 */
struct udp *sockets_for(const struct sockets *s, const struct train *t);
/* Sends a train by its socket. If that is full already, one that is a single datagram waits, any
 * other is lost: trains that name a socket are not pulled while it is full. */
void sockets_send(struct sockets *s, const struct train *t);
/* The socket takes trains again, beginning with those that have waited. */
void sockets_writable(struct sockets *s, uint32_t socket);
/* The largest datagram worth trying: MTU_MAX_BYTES, or MTU_BASE_BYTES if some socket cannot keep
 * its datagrams whole. */
uint16_t sockets_mtu_max(const struct sockets *s);
void sockets_close(struct sockets *s);

#endif
