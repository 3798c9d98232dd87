/* resolver.h: host names looked up by the system (getaddrinfo on libuv's workers), for the core,
 * which looks nothing up (node/base/resolve.h) and lets RESOLVE_OUT_MAX be out at once: libuv gives
 * look-ups half of its workers at most, so that files and the store go on while no server answers.
 */
#ifndef MESHD_NODE_DAEMON_RESOLVER_H
#define MESHD_NODE_DAEMON_RESOLVER_H

#include <stdbool.h>
#include <uv.h>

#include "node/daemon/os/log.h"
#include "node/node.h"

struct lookup {
    uv_getaddrinfo_t req;
    struct resolver *in; /* NULL: free */
    struct resolve name;
};

struct resolver { /* must not move while it is open */
    uv_loop_t *loop;
    const struct log *log;
    /* What was found, from the loop, never from within resolver_ask; and then that it was. */
    void (*found)(void *ctx, uint64_t id, const struct addr *addrs, unsigned count);
    void (*all_found)(void *ctx);
    void *ctx;
    struct lookup lookups[RESOLVE_OUT_MAX];
    bool closing;
    uv_idle_t later; /* answers those that could not be begun */
};

/* The fields up to `ctx` are filled. */
void resolver_open(struct resolver *r);
/* At most RESOLVE_OUT_MAX are out. */
void resolver_ask(struct resolver *r, const struct resolve *name);
/* Nobody is told anything any more. False: a worker is still busy with one, which cannot be ended,
 * and *r must stay. Otherwise it is closed once the loop has run. One of zeroes is fine. */
bool resolver_close(struct resolver *r);

#endif
