#include "node/mesh/homes.h"

#include <stddef.h>

uint64_t home_net(const struct addr *a) {
    const unsigned bytes = a->kind == ADDR_IPV6 ? 4 : 2;
    uint64_t net = a->kind;
    for (unsigned i = 0; i < bytes; i++)
        net = net << 8 | a->ip[i];
    return net;
}

uint64_t home_cost_us(const struct home_choice *c) {
    const uint64_t rtt_us = c->rtt_us ? c->rtt_us : HOMES_UNMEASURED_US;
    return rtt_us + 8 * rtt_us * c->lost_percent / 100;
}

/* What another one must be below. */
static uint64_t bar_us(const struct home_choice *home) {
    const uint64_t cost = home_cost_us(home), part = cost * 2 / 3;
    const uint64_t less = cost > HOMES_BETTER_US ? cost - HOMES_BETTER_US : 0;
    return part < less ? part : less;
}

/* Overloaded ones last; one in the network of the first before those, if that cannot be helped. */
static unsigned rank(const struct home_choice *c, const struct home_choice *first) {
    return (c->load_percent > HOMES_LOAD_MAX_PERCENT ? 2u : 0u) +
           (first && first->net == c->net ? 1u : 0u);
}

/* Of the old ones, or of the others, the one that is nearest. */
static int nearest(const struct home_choice *list, unsigned count, int taken, bool home) {
    const struct home_choice *first = taken >= 0 ? &list[taken] : NULL;
    int at = -1;
    for (unsigned i = 0; i < count; i++) {
        const struct home_choice *c = &list[i];
        if (!c->usable || (int)i == taken || c->home != home)
            continue;
        const unsigned mine = rank(c, first), its = at < 0 ? UINT32_MAX : rank(&list[at], first);
        if (mine < its || (mine == its && home_cost_us(c) < home_cost_us(&list[at])))
            at = (int)i;
    }
    return at;
}

/* One of those that are as good as the nearest: every node draws for itself. */
static int drawn(const struct home_choice *list, unsigned count, int taken, int at) {
    const struct home_choice *first = taken >= 0 ? &list[taken] : NULL, *best_of = &list[at];
    for (unsigned i = 0; i < count; i++) {
        const struct home_choice *c = &list[i];
        if (!c->usable || (int)i == taken || c->home || rank(c, first) != rank(best_of, first))
            continue;
        if (home_cost_us(c) < home_cost_us(best_of) + HOMES_BETTER_US && c->draw < list[at].draw)
            at = (int)i;
    }
    return at;
}

static int best(const struct home_choice *list, unsigned count, int taken) {
    const struct home_choice *first = taken >= 0 ? &list[taken] : NULL;
    const int old = nearest(list, count, taken, true);
    int other = nearest(list, count, taken, false);
    if (other >= 0)
        other = drawn(list, count, taken, other);
    if (old < 0 || other < 0)
        return old < 0 ? other : old;
    const unsigned of_old = rank(&list[old], first), of_other = rank(&list[other], first);
    if (of_old != of_other)
        return of_old < of_other ? old : other;
    return home_cost_us(&list[other]) < bar_us(&list[old]) ? other : old;
}

unsigned homes_choose(const struct home_choice *list, unsigned count,
                      unsigned out[static HOMES_MAX]) {
    const int first = best(list, count, -1);
    if (first < 0)
        return 0;
    out[0] = (unsigned)first;
    const int second = best(list, count, first);
    if (second < 0)
        return 1;
    out[1] = (unsigned)second;
    return 2;
}
