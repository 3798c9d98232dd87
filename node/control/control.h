/* control.h: the control API's server side, sans-IO: MessagePack-RPC requests in, responses and
 * notifications out (docs/CONTROL.md lists methods, arguments, results, notifications, errors). The
 * daemon's socket (node/daemon/control_server) and the tests feed it bytes; it calls the node core.
 *
 * Bytes are taken at once, requests are carried out by control_run: a bounded amount of work per
 * call, one request of each client in turn, so that no client holds the loop or starves another. A
 * client whose next request waits, or who does not read its answers, is not read from meanwhile.
 *
 * A request may be answered later (wait, ping); a connection that goes away cancels what it waited
 * for and ends its recv subscriptions. Memory for unread output, for unfinished requests and for
 * waiting ones is one pool each (below), of which a connection gets at most as much as is still
 * free: so however greedy the others are, something is left for the next. A subscriber that does
 * not read loses progress notifications first; then it is told "overflow", and closed. Garbage
 * closes the connection, with an error response if a request id was readable.
 *
 * Its layers, each of which includes only those before it:
 *   control_conn       connections, their bytes in and out, whose share of memory
 *   control_call       one request: its answer, how it fails
 *   control_args       its arguments; control_page: those of a list
 *   control_wait       requests that are answered later
 *   control_show       contacts, sessions, transfers as maps; control_reach: until a peer is
 * reached
 *   control_methods_*  a group each: what a part of the node brings, as control_group.h says
 *   control            requests in, dispatch, events: lists the groups
 */
#ifndef MESHD_NODE_CONTROL_CONTROL_H
#define MESHD_NODE_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/api/rpc/control_proto.h"
#include "node/control/call/control_limits.h"
#include "node/node.h"

struct control;

struct control_facts { /* what only the daemon knows, for "status"; strings copied */
    const char *version, *state_dir, *socket_path, *config_path;
    const struct addr *listen;
    unsigned listen_count;
    int udp_gso, udp_gro;
    bool private_network;
};

struct control *control_new(struct node *n, const struct control_facts *facts);
void control_free(struct control *c);

/* For "status": where the settings were read from last; false: no memory, and the path is the one
 * from before. */
bool control_set_config_path(struct control *c, const char *path);
/* For "status": the longest turn of the loop since its start. */
void control_set_longest_turn(struct control *c, uint64_t us);

/* What it consists of, by part of the node (control_group.h); NULL at the end. For tests. */
struct group;
extern const struct group *const control_groups[];

int control_open(struct control *c, uint32_t *conn) MUST_USE; /* ERR_FULL */
/* What a client is told for whom there is no place: error "full" as the answer to request 0, which
 * no client makes. `w` is the caller's, empty. */
void control_refusal(struct proto_writer *w);
void control_close(struct control *c, uint64_t now_us, uint32_t conn);
/* Bytes from the client, in any pieces; control_run follows. ERR_PROTO: send what output there is,
 * then close. */
int control_input(struct control *c, uint64_t now_us, uint32_t conn, const uint8_t *buf,
                  size_t len) MUST_USE;
/* Carries out what waits, up to the bounds above. True if something is left for the next turn. */
bool control_run(struct control *c, uint64_t now_us);
/* What the last control_run did, for tests of those bounds. */
struct control_work {
    unsigned requests;
    size_t bytes; /* of requests and their answers */
};
struct control_work control_last_work(const struct control *c);
/* False while its requests wait or its answers are not read: leave its bytes in the socket. */
bool control_wants_input(const struct control *c, uint32_t conn);
/* True while a request of it waits to be carried out. */
bool control_has_work(const struct control *c, uint32_t conn);
/* Bytes to write, valid until the next call; false if none. */
bool control_output(struct control *c, uint32_t conn, const uint8_t **buf, size_t *len);
void control_sent(struct control *c, uint32_t conn, size_t n);
/* True once the connection asked for too much or broke the protocol, and its output has been given
 * or was not read for too long. */
bool control_wants_close(const struct control *c, uint32_t conn);
/* True after a client asked for "shutdown". */
bool control_wants_shutdown(const struct control *c);

/* Every event that node_poll gives goes through here. */
void control_event(struct control *c, uint64_t now_us, const struct node_event *e);
uint64_t control_deadline_us(const struct control *c); /* of waiting requests */
void control_timeout(struct control *c, uint64_t now_us);

#endif
