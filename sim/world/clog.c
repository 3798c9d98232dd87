/* clog.c: packets that wait until what holds them up has ended, or until everything is healed. */
#include <stdlib.h>

#include "sim/world/sim_int.h"

void clog_hold(struct sim *s, struct packet *p, enum event_kind again, uint64_t until_ns) {
    struct clog *c = &s->clog;
    if (c->count == WORLD_CLOGGED_MAX) {
        wire_drop(s, p, FATE_QUEUE);
        return;
    }
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        c->list = realloc(c->list, c->cap * sizeof *c->list);
        if (!c->list)
            abort();
    }
    p->late_ns = 0; /* the last delay begins when it is let go */
    c->list[c->count++] = (struct clogged){.packet = p, .again = again, .until_ns = until_ns};
}

void clog_release(struct sim *s, bool all) {
    struct clog *c = &s->clog;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct clogged x = c->list[i];
        if (all || x.until_ns <= s->world.now_ns)
            wire_schedule(s, x.packet, s->world.now_ns, x.again);
        else
            c->list[kept++] = x;
    }
    c->count = kept;
}

void clog_clear(struct sim *s) {
    for (uint32_t i = 0; i < s->clog.count; i++)
        slab_put(&s->world.slab, s->clog.list[i].packet);
    free(s->clog.list);
    s->clog = (struct clog){0};
}
