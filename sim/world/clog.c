#include "sim/world/clog.h"

#include <stdlib.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

void clog_init(struct clog *c, struct world *w) {
    *c = (struct clog){.world = w};
}

void clog_hold(struct clog *c, struct packet *p, enum event_kind again, uint64_t until_ns) {
    if (c->count == WORLD_CLOGGED_MAX) {
        packet_drop(c->world, p, FATE_QUEUE);
        return;
    }
    grow(&c->list, &c->cap, c->count + 1, sizeof *c->list);
    p->late_ns = 0; /* the last delay begins when it is let go */
    c->list[c->count++] = (struct clogged){.packet = p, .again = again, .until_ns = until_ns};
}

void clog_release(struct clog *c, bool all) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct clogged x = c->list[i];
        if (all || x.until_ns <= c->world->now_ns)
            packet_schedule(c->world, x.packet, c->world->now_ns, x.again);
        else
            c->list[kept++] = x;
    }
    c->count = kept;
}

void clog_clear(struct clog *c) {
    for (uint32_t i = 0; i < c->count; i++)
        packet_free(c->world, c->list[i].packet);
    mem_free(c->list);
    clog_init(c, c->world);
}
