/* hostile.h: what a hostile host does beside running the honest core: it stands between its node
 * and the network. */
#ifndef MESHD_SIM_WORLD_HOSTILE_H
#define MESHD_SIM_WORLD_HOSTILE_H

#include "crypto/identity/identity.h"
#include "net/base/addr.h"
#include "sim/world/hostile_plan.h"
#include "sim/world/packet.h"

struct event;

enum { HOSTILE_KEEP = 32, HOSTILE_KEEP_BYTES = 1500 };

struct hostile_kept { /* a datagram seen, to be sent again */
    struct addr to;
    uint32_t len;
    uint8_t data[HOSTILE_KEEP_BYTES];
};

enum { HOSTILE_LATE = 256 };

struct hostile_late { /* a datagram that it holds back */
    uint64_t due_ns;
    struct hostile_kept what;
};

struct hostile {
    struct hostile_plan plan;
    uint64_t draws;
    struct hostile_late *late; /* HOSTILE_LATE of them; due_ns 0: free */
    struct hostile_kept other; /* what it has forwarded last; len 0: nothing yet */
    struct identity forged;    /* if it forges */
    struct hostile_kept *kept; /* a ring */
    uint32_t kept_count, kept_next;
};

/* From now on, also while it runs; a plan of zeroes makes it honest again. True: its node has to
 * start again for it, since it shows its certificate from its start on. */
bool hostile_begin(struct host *h, const struct hostile_plan *plan);
void hostile_clear(struct host *h);
/* Of what its node sends; true: this one does not leave. */
bool hostile_keeps(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len);
/* Another host has sent this: whoever stands on its path copies it. */
void hostile_overheard(struct world *w, uint32_t from, const struct packet *p);
/* Of what its node gets. */
void hostile_receives(struct host *h, const struct packet *p);
void hostile_run(struct host *h, const struct event *e); /* EVENT_HOSTILE */

#endif
