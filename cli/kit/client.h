/* client.h: the client's end of the control socket: blocking, with a deadline for everything, and
 * nothing the other side sends can make it grow or wait without bound. Times are monotonic us
 * (clock_now_us).
 *
 * Answers and notifications share the stream: while an answer is awaited, notifications are put
 * aside and client_note gives them later, in order.
 */
#ifndef MESHD_CLI_KIT_CLIENT_H
#define MESHD_CLI_KIT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/os/clock.h"
#include "net/os/connection.h"
#include "node/api/rpc/control_proto.h"

enum {
    CLIENT_MESSAGE_MAX = 16 << 20, /* twice what a daemon lets wait for one client */
    CLIENT_ASIDE_MAX = 4096,       /* notifications put aside; one more is an error */
};
#define CLIENT_ANSWER_US UINT64_C(30000000)  /* for a request that is answered at once */
#define CLIENT_LAST_WORD_US UINT64_C(100000) /* of a daemon that has closed already */
#define CLIENT_CONNECT_US UINT64_C(5000000)  /* for a daemon that listens, but does not accept */

struct client {
    struct os_connection connection;
    bool wakes; /* in client_either */
    uint32_t last_id;
    struct proto_reader in;
    struct proto_writer out;
    uint64_t most; /* after ERR_REFUSED: so many clients may be there */
    struct proto_msg *aside;
    uint32_t aside_count, aside_cap;
};

void client_init(struct client *c);
/* ERR_NO_DAEMON (nobody listens there), ERR_PERM, ERR_AUTH (another user answers, or could: the
 * directory is his), ERR_USAGE (path too long), ERR_TIMEOUT, ERR_CANCELLED, ERR_IO. */
int client_open(struct client *c, const char *path) MUST_USE;
void client_close(struct client *c); /* idempotent */

/* Opens a request and its map of arguments, to be filled in by the caller; client_send closes and
 * sends it. */
struct proto_writer *client_request(struct client *c, const char *method, uint32_t *id);
/* ERR_NOMEM, ERR_CLOSED, ERR_TIMEOUT, ERR_CANCELLED (SIGINT), ERR_FULL (the request is too large),
 * ERR_REFUSED (there are too many clients). */
int client_send(struct client *c) MUST_USE;

/* The answer to request `id`; *m is cleared by the caller. An answer that is an error is a success
 * here. ERR_TIMEOUT, ERR_CANCELLED (SIGINT), ERR_CLOSED, ERR_PROTO, ERR_NOMEM, ERR_AGAIN (events
 * came faster than they were taken: the daemon closes), ERR_REFUSED. The same for the two below. */
int client_answer(struct client *c, uint32_t id, uint64_t deadline_us,
                  struct proto_msg *m) MUST_USE;
/* The next notification. This and client_either may give ERR_TIMEOUT before the deadline, where a
 * change of the terminal's size is caught (interrupt.h) and has come. */
int client_note(struct client *c, uint64_t deadline_us, struct proto_msg *m) MUST_USE;
/* Whichever comes first: a notification or the answer to `id` (m->kind tells). */
int client_either(struct client *c, uint32_t id, uint64_t deadline_us,
                  struct proto_msg *m) MUST_USE;

#endif
