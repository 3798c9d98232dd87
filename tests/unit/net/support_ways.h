/* support_ways.h: two ways between the two sides of support_world.h: each has an address at either
 * end, a delay each way, losses, a packet size; and what has passed by it is counted.
 */
#ifndef MESHD_TESTS_SUPPORT_WAYS_H
#define MESHD_TESTS_SUPPORT_WAYS_H

#include "net/endpoint_int.h"
#include "support_world.h"

enum { WAYS = 3 };

struct way {
    uint64_t delay_us[2]; /* of what side 0, side 1 sends */
    uint64_t jitter_us;
    unsigned loss_permille;
    size_t mtu; /* larger ones vanish; 0: none do */
    bool cut;
    uint64_t per_s;                /* bytes a second each way; 0: without bound */
    uint64_t queue_us;             /* what waits longer is dropped */
    uint64_t free_us[2];           /* when the line is free again */
    size_t largest[2];             /* of these, until a test begins anew */
    uint64_t packets[2], bytes[2]; /* sent by side 0, side 1, that have arrived */
};

struct ways {
    struct world *w;
    struct way way[WAYS];
};

/* A session by way 0; all ways have this delay. One at a time. */
struct ways *ways_new(uint64_t seed, uint64_t delay_us);
void ways_free(struct ways *v);
/* The place of the other side by this way, as side `side` sees it. */
struct hop ways_hop(int side, unsigned way);
struct session *ways_session(struct ways *v, int side);
/* By which one side sends now. */
unsigned ways_used(struct ways *v, int side);
/* Side `side` is told of the place, and it has answered. */
void ways_offer(struct ways *v, int side, unsigned way);
/* Its state in a side's list; -1: it does not know it. */
int ways_status(struct ways *v, int side, unsigned way);
/* Side `from` has always something to send, for so long. */
void ways_feed(struct ways *v, int from, uint64_t id, uint64_t us);

#endif
