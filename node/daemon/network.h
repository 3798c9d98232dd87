/* network.h: where this machine is, for the daemon: its own addresses as tickets tell them, and
 * word when they or the default route are others than before, or when the machine has slept. Who
 * listens at some addresses only is not touched by what becomes of others.
 */
#ifndef MESHD_NODE_DAEMON_NETWORK_H
#define MESHD_NODE_DAEMON_NETWORK_H

#include <stdbool.h>

#include "net/io/watch/netwatch.h"
#include "node/daemon/sockets.h"

struct network { /* owned by the daemon; zeroes are closed */
    const struct sockets *sockets;
    struct netwatch *watch;
    void (*changed)(void *ctx, bool slept);
    void *ctx;
    struct addr own[PEER_ADDRS_MAX];
    unsigned own_count;
};

/* Looks at the addresses. True: they are others than at the last look. */
bool network_look(struct network *w);
/* `changed` is called from the loop from now on. ERR_NOMEM. */
int network_open(struct network *w, uv_loop_t *loop, void (*changed)(void *ctx, bool slept),
                 void *ctx) MUST_USE;
void network_close(struct network *w);

#endif
