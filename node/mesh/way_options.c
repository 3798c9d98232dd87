#include "node/mesh/way_options.h"

static uint64_t cost_us(const struct ways *ways, const struct relay_addr *at) {
    const struct relay *r = relay_by_id(&ways->links->book, &at->id);
    uint64_t us = r && r->rtt_us ? r->rtt_us : WAY_UNKNOWN_US;
    if (r && (r->state == RELAY_IS_SILENT || r->state == RELAY_IS_RESTARTING))
        us += 10 * (uint64_t)WAY_OWN_US;
    if (r && r->state == RELAY_IS_WRONG_KEY)
        us += 100 * (uint64_t)WAY_OWN_US;
    if (r)
        us += r->lost_percent * us * 8 / 100;
    return r && r->load_percent > HOMES_LOAD_MAX_PERCENT ? us + WAY_OWN_US : us;
}

static void offer(struct way_option *list, unsigned *count, const struct relay_addr *at,
                  uint64_t us) {
    unsigned i = *count;
    for (unsigned k = 0; k < *count; k++)
        if (node_id_equal(&list[k].at.id, &at->id))
            return;
    if (*count == WAY_OPTIONS_MAX)
        return;
    for (; i > 0 && list[i - 1].cost_us > us; i--)
        list[i] = list[i - 1];
    list[i] = (struct way_option){*at, us};
    ++*count;
}

unsigned way_options(const struct ways *ways, const struct contact *c,
                     struct way_option list[static WAY_OPTIONS_MAX]) {
    struct relay_set homes;
    unsigned count = 0;
    for (unsigned i = 0; c->relays && i < c->relays->count; i++)
        offer(list, &count, &c->relays->list[i],
              cost_us(ways, &c->relays->list[i]) + (uint64_t)c->relay_rtts_ms[i] * 1000);
    links_homes(ways->links, &homes);
    for (unsigned i = 0; i < homes.count && i < HOMES_MAX; i++)
        if (!node_id_equal(&homes.list[i].id, &c->id))
            offer(list, &count, &homes.list[i], cost_us(ways, &homes.list[i]) + WAY_OWN_US);
    return count;
}
