/* recoveries.c: a handful of pointers, looked through one by one: mostly there is one path. */
#include "net/path/recoveries.h"

#include "crypto/base/mem.h"
#include "net/base/timer.h"

void recoveries_clear(struct recoveries *r) {
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        mem_free(r->v[i]);
    *r = (struct recoveries){0};
}

struct recovery *recoveries_add(struct recoveries *r) {
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (!r->v[i])
            return r->v[i] = mem_calloc(1, sizeof *r->v[i]);
    return NULL;
}

int recoveries_find(const struct recoveries *r, uint16_t path) {
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (r->v[i] && r->v[i]->loss.path == path)
            return (int)i;
    return -1;
}

uint64_t recoveries_give_up_us(const struct recoveries *r) {
    uint64_t first_us = TIME_NEVER;
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (r->v[i] && r->v[i]->loss.give_up_us < first_us)
            first_us = r->v[i]->loss.give_up_us;
    return first_us;
}

void recoveries_reap(struct recoveries *r) {
    for (unsigned i = 0; i < RECOVERIES_MAX; i++) {
        if (!r->v[i] || r->v[i]->outstanding > 0 || !loss_has_left(&r->v[i]->loss))
            continue;
        mem_free(r->v[i]);
        r->v[i] = NULL;
    }
}
