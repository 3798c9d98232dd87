/* resolve.h: host names on their way to addresses. The core looks nothing up: it hands names out
 * (node_next_resolve), the environment looks them up and gives back what it found (node_resolved):
 * meshd asks the system, meshsim its hosts.
 *
 * A part that needs a name asks for it here, and all parts hear what became of it (part_ops
 * .resolved). A name is asked for once at a time, whoever wants it; RESOLVE_OUT_MAX are out at
 * once, so that a resolver that does not answer does not take all of the environment's workers;
 * RESOLVES_MAX wait at most. Nothing is remembered: when a name is asked for again is its user's
 * business, who waits longer each time. Each name handed out comes back, after the time that the
 * system's resolver takes (tens of seconds at worst).
 */
#ifndef MESHD_NODE_BASE_RESOLVE_H
#define MESHD_NODE_BASE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/addr.h"
#include "node/base/relay_addr.h"
#include "node/base/turn.h"

enum {
    RESOLVES_MAX = 32,                        /* names that wait or are out; beyond: ERR_FULL */
    RESOLVE_OUT_MAX = 2,                      /* of them */
    RESOLVES_TOLD_MAX = RESOLVES_MAX / 4 * 3, /* of names that contacts and tickets give */
    RESOLVE_TOLD_OUT_MAX = RESOLVE_OUT_MAX - 1,
    RESOLVE_ADDRS_MAX = 8, /* of one name; further ones are not looked at */
};

struct resolve { /* a name to look up */
    uint64_t id;
    char host[RELAY_HOST_MAX + 1];
};

struct resolving {
    uint64_t id;    /* 0: free */
    bool out, told; /* told: the user has not named it */
    char host[RELAY_HOST_MAX + 1];
};

struct resolves { /* zeroes but for `turn` = none */
    struct turn *turn;
    struct resolving *list; /* of RESOLVES_MAX; NULL while nobody has asked yet */
    unsigned waiting, out;
    unsigned told, told_out; /* of both, and of those that are out */
    uint64_t last_id;
};

void resolves_clear(struct resolves *r);
/* `host` as relay_addr has it. It may be on its way already. The outcome never comes from within
 * this call. ERR_FULL, ERR_NOMEM, ERR_CLOSED (the node ends). */
int resolve_ask(struct resolves *r, const char *host) MUST_USE;
/* The same of a name that a contact or a ticket gives: RESOLVES_TOLD_MAX of them at most, looked up
 * after the user's, RESOLVE_TOLD_OUT_MAX at once, since their look-up may take as long as it likes.
 */
int resolve_ask_told(struct resolves *r, const char *host) MUST_USE;
/* The next one to look up, in the order in which they were asked for; false: none may leave now. */
bool resolve_next(struct resolves *r, struct resolve *out);
/* What became of it: all parts hear it. Ports are not looked at. count 0: nothing was found. An id
 * that is not out is passed over. */
void resolve_done(struct resolves *r, uint64_t id, const struct addr *addrs, unsigned count);

extern const struct part_ops resolves_part; /* self: the struct resolves */

#endif
