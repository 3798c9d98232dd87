/* control.h: the control API's server side, sans-IO: MessagePack-RPC requests in, responses and
 * notifications out (docs/CONTROL.md lists methods, arguments, results, notifications, errors). The
 * daemon's socket (node/daemon/control_server) and the tests feed it bytes; it calls the node core.
 *
 * A request may be answered later (wait, ping); a connection that goes away cancels what it waited
 * for and ends its recv subscriptions. Output per connection is bounded (CONTROL_OUT_MAX): a
 * subscriber that does not read loses progress notifications first, then is closed. Garbage closes
 * the connection, with an error response if a request id was readable.
 */
#ifndef MESHD_NODE_CONTROL_H
#define MESHD_NODE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/err.h"
#include "node/node.h"

enum {
    CONTROL_CONNS_MAX = 64,
    CONTROL_REQUEST_MAX = 4 << 20, /* one request's bytes; larger: closed */
    CONTROL_OUT_MAX = 8 << 20,
};

struct control;

struct control_facts { /* what only the daemon knows, for "status"; strings copied */
    const char *version, *state_dir, *socket_path, *config_path;
    const struct addr *listen;
    unsigned listen_count;
    int udp_gso, udp_gro;
};

struct control *control_new(struct node *n, const struct control_facts *facts);
void control_free(struct control *c);

int control_open(struct control *c, uint32_t *conn) MUST_USE; /* ERR_FULL, ERR_NOMEM */
void control_close(struct control *c, uint64_t now_us, uint32_t conn);
/* Bytes from the client, in any pieces. ERR_PROTO: send what output there is, then close. */
int control_input(struct control *c, uint64_t now_us, uint32_t conn, const uint8_t *buf,
                  size_t len) MUST_USE;
/* Bytes to write, valid until the next call; false if none. */
bool control_output(struct control *c, uint32_t conn, const uint8_t **buf, size_t *len);
void control_sent(struct control *c, uint32_t conn, size_t n);
/* True once the connection asked for too much or broke the protocol and its output has been given.
 */
bool control_wants_close(const struct control *c, uint32_t conn);
/* True after a client asked for "shutdown". */
bool control_wants_shutdown(const struct control *c);

/* Every event that node_poll gives goes through here. */
void control_event(struct control *c, uint64_t now_us, const struct node_event *e);
uint64_t control_deadline_us(const struct control *c); /* of waiting requests */
void control_timeout(struct control *c, uint64_t now_us);

#endif
