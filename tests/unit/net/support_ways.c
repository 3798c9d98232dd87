#include "support_ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ways *ways;

static struct addr addr_of(int side, unsigned way) {
    return (struct addr){.kind = ADDR_IPV4,
                         .port = (uint16_t)(100 * (side + 1)),
                         .ip = {10, (uint8_t)way, 0, (uint8_t)(side + 1)}};
}

struct hop ways_hop(int side, unsigned way) {
    const struct addr there = addr_of(!side, way);
    return *AT(&there);
}

static void pass(struct pair *p, int from, unsigned k, const uint8_t *data, size_t len) {
    struct way *y = &ways->way[k];
    uint64_t delay_us = y->delay_us[from];
    if (y->cut || (y->mtu > 0 && len > y->mtu) ||
        (y->loss_permille > 0 && pair_draw(p) % 1000 < y->loss_permille))
        return;
    if (y->jitter_us > 0)
        delay_us += pair_draw(p) % y->jitter_us;
    if (y->per_s > 0) {
        const uint64_t start_us = y->free_us[from] > p->now_us ? y->free_us[from] : p->now_us;
        if (start_us - p->now_us > y->queue_us)
            return;
        y->free_us[from] = start_us + len * 1000000 / y->per_s;
        delay_us += y->free_us[from] - p->now_us;
    }
    y->packets[from]++;
    y->bytes[from] += len;
    if (len > y->largest[from])
        y->largest[from] = len;
    const struct addr source = addr_of(from, k);
    const unsigned before = p->in_flight;
    pair_inject(p, !from, &source, data, len);
    if (p->in_flight > before)
        p->queue[before].at_us = p->now_us + delay_us;
}

static bool route(struct pair *p, int from, const struct train *t) {
    for (unsigned k = 0; k < WAYS; k++) {
        const struct addr there = addr_of(!from, k);
        if (!hop_is_to(&t->to, &there))
            continue;
        for (size_t at = 0; at < t->len; at += t->segment_bytes)
            pass(p, from, k, t->buf + at,
                 t->len - at < t->segment_bytes ? t->len - at : t->segment_bytes);
    }
    return false;
}

struct ways *ways_new(uint64_t seed, uint64_t delay_us) {
    ways = calloc(1, sizeof *ways);
    struct world *w = calloc(1, sizeof *w);
    assert_true(ways && w);
    ways->w = w;
    for (unsigned k = 0; k < WAYS; k++)
        ways->way[k].delay_us[0] = ways->way[k].delay_us[1] = delay_us;
    world_begin(w, seed);
    for (int side = 0; side < 2; side++)
        w->p->addr[side] = addr_of(side, 0);
    w->p->route = route;
    world_connect(w);
    return ways;
}

void ways_free(struct ways *v) {
    world_free(v->w);
    free(v);
}

struct session *ways_session(struct ways *v, int side) {
    struct session *s = endpoint_find(v->w->p->ep[side], v->w->s[side]);
    assert_non_null(s);
    return s;
}

unsigned ways_used(struct ways *v, int side) {
    for (unsigned k = 0; k < WAYS; k++) {
        const struct hop there = ways_hop(side, k);
        if (hop_same_place(session_hop(ways_session(v, side)), &there))
            return k;
    }
    fail();
    return WAYS;
}

int ways_status(struct ways *v, int side, unsigned way) {
    struct path_info all[PATHS_MAX];
    const struct hop there = ways_hop(side, way);
    const unsigned n = session_paths(v->w->p->ep[side], v->w->s[side], all);
    for (unsigned i = 0; i < n; i++)
        if (hop_same_place(&all[i].hop, &there))
            return (int)all[i].status;
    return -1;
}

void ways_offer(struct ways *v, int side, unsigned way) {
    const struct hop there = ways_hop(side, way);
    assert_int_equal(
        endpoint_path_offer(v->w->p->ep[side], ways_session(v, side), v->w->p->now_us, &there), 0);
    world_run(v->w, 2 * (v->way[way].delay_us[0] + v->way[way].delay_us[1]) +
                        2 * v->way[way].jitter_us + 1);
    assert_int_equal(ways_status(v, side, way), PATH_VALIDATED);
}

void ways_feed(struct ways *v, int from, uint64_t id, uint64_t us) {
    for (uint64_t t = 0; t < us; t += 5 * MS) {
        world_feed(v->w, from, id, v->w->read[!from][id] + (1 << 20));
        world_run(v->w, 5 * MS);
    }
}
