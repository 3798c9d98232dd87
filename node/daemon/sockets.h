/* sockets.h: the UDP sockets a daemon listens on, and which of them a train leaves by. Their
 * numbers are the `local` of datagrams and trains.
 */
#ifndef MESHD_NODE_DAEMON_SOCKETS_H
#define MESHD_NODE_DAEMON_SOCKETS_H

#include "net/io/udp.h"
#include "node/config.h"
#include "node/daemon/log.h"

struct sockets {
    struct udp *udp[CONFIG_LISTEN_MAX];
    struct addr bound[CONFIG_LISTEN_MAX];
    unsigned count;
};

/* Opens all of cfg->listen; of the default ones, a family the machine lacks may be missing. Says
 * why not in the log; the error is that of udp_open. */
int sockets_open(struct sockets *s, uv_loop_t *loop, const struct config *cfg,
                 const struct udp_callbacks *cb, void *ctx, const struct log *log) MUST_USE;
/* The socket the train names, or for LOCAL_ANY one that can reach its address. NULL: there is none.
 */
struct udp *sockets_for(const struct sockets *s, const struct train *t);
void sockets_close(struct sockets *s);

#endif
