/* clog.h: packets that wait until what holds them up has ended, or until everything is healed. */
#ifndef MESHD_SIM_WORLD_CLOG_H
#define MESHD_SIM_WORLD_CLOG_H

#include "sim/world/packet.h"

struct clogged {
    struct packet *packet;
    enum event_kind again; /* what goes on with it */
    uint64_t until_ns;
};

struct clog {
    struct world *world;
    struct clogged *list; /* in the order in which they came */
    uint32_t count, cap;
};

void clog_init(struct clog *c, struct world *w);
void clog_clear(struct clog *c); /* drops all of it */
/* Beyond WORLD_CLOGGED_MAX the packet is dropped. */
void clog_hold(struct clog *c, struct packet *p, enum event_kind again, uint64_t until_ns);
void clog_release(struct clog *c, bool all); /* those whose time has come, or all */

#endif
