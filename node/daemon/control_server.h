/* control_server.h: the control socket: a Unix socket of mode 0600 in a directory of ours, whose
 * clients are us or root (asked from the kernel); carries bytes between its connections and
 * node/control/control.h. A client that does not read its answers is not read from either.
 */
#ifndef MESHD_NODE_DAEMON_CONTROL_SERVER_H
#define MESHD_NODE_DAEMON_CONTROL_SERVER_H

#include <uv.h>

#include "node/control/control.h"
#include "node/daemon/os/log.h"

struct control_server;

struct control_server_callbacks {
    /* Before bytes of a client reach the core: the turn's time. */
    uint64_t (*begin)(void *ctx);
    /* After them: pull what the core has to say. */
    void (*end)(void *ctx);
};

/* Listens at `path`; a socket left by a dead daemon is replaced, its directory made (0700) if
 * missing. Says why not in the log: ERR_EXISTS (somebody answers there), ERR_PERM, ERR_IO,
 * ERR_NOMEM. */
int control_server_open(struct control_server **out, uv_loop_t *loop, const char *path,
                        const struct log *log) MUST_USE;
/* From here on clients are let in. */
int control_server_start(struct control_server *s, struct control *c,
                         const struct control_server_callbacks *cb, void *ctx) MUST_USE;
/* Writes out what the core has for its clients, and closes those that are to be closed. */
void control_server_flush(struct control_server *s, uint64_t now_us);
/* True if nothing is waiting to be written. */
bool control_server_idle(const struct control_server *s);
/* Closes all connections and removes the socket; asynchronous inside. NULL is fine. */
void control_server_close(struct control_server *s, uint64_t now_us);

#endif
