#include "node/mesh/way_options.h"

#include "net/wire/relay_msg.h"

struct option {
    const struct relay_addr *at;
    uint64_t cost_us;
};

struct options {
    struct option list[WAY_OPTIONS_MAX];
    unsigned count;
};

static bool is_late(const struct links *links, const struct relay *r) {
    return (r->state == RELAY_IS_RESOLVING || r->state == RELAY_IS_ASKING_KEY ||
            r->state == RELAY_IS_CONNECTING) &&
           links->turn->now_us >= r->since_us + WAY_LATE_US;
}

static bool is_loaded(const struct links *links, const struct node_id *id) {
    const struct relay *r = relay_by_id(&links->book, id);
    return r && r->load_percent > HOMES_LOAD_MAX_PERCENT;
}

static uint64_t cost_us(const struct links *links, const struct relay_addr *at) {
    const struct relay *r = relay_by_id(&links->book, &at->id);
    uint64_t us = r && r->rtt_us ? r->rtt_us : WAY_UNKNOWN_US;
    if (!r)
        return us;
    if (r->state == RELAY_IS_SILENT || r->state == RELAY_IS_RESTARTING || is_late(links, r))
        us += WAY_DOWN_TIMES * (uint64_t)WAY_OWN_US;
    if (r->state == RELAY_IS_WRONG_KEY)
        us += WAY_WRONG_TIMES * (uint64_t)WAY_OWN_US;
    return us + r->lost_percent * us * 8 / 100;
}

/* In its place; the first word on a relay counts. */
static void offer(struct options *o, const struct relay_addr *at, uint64_t us) {
    unsigned i = o->count;
    for (unsigned k = 0; k < o->count; k++)
        if (node_id_equal(&o->list[k].at->id, &at->id))
            return;
    if (o->count == WAY_OPTIONS_MAX)
        return;
    for (; i > 0 && o->list[i - 1].cost_us > us; i--)
        o->list[i] = o->list[i - 1];
    o->list[i] = (struct option){at, us};
    o->count++;
}

unsigned way_options(const struct links *links, const struct contact *c,
                     struct relay_addr out[static WAY_OPTIONS_MAX], unsigned *free) {
    struct options o = {.count = 0};
    struct relay_set homes;
    for (unsigned i = 0; c->relays && i < c->relays->count; i++)
        offer(&o, &c->relays->list[i],
              cost_us(links, &c->relays->list[i]) + (uint64_t)c->relay_rtts_ms[i] * 1000);
    links_homes(links, &homes);
    for (unsigned i = 0; i < homes.count && i < HOMES_MAX; i++)
        if (!node_id_equal(&homes.list[i].id, &c->id))
            offer(&o, &homes.list[i], cost_us(links, &homes.list[i]) + WAY_OWN_US);
    unsigned n = 0;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < o.count; i++)
            if (is_loaded(links, &o.list[i].at->id) == (round == 1))
                out[n++] = *o.list[i].at;
        *free = round == 0 ? n : *free;
    }
    return n;
}

const char *way_refusal_text(unsigned reason) {
    switch (reason) {
    case RELAY_GONE:
        return "it is not there at its relay";
    case RELAY_FULL:
        return "its relay is full";
    case RELAY_DENIED:
        return "its relay, or it, does not let this node in";
    case RELAY_RESTARTS:
        return "its relay restarts";
    case RELAY_EXPIRED:
        return "nothing was sent through its relay for long";
    case RELAY_QUOTA:
        return "the relay's share of the day is used up";
    default:
        return "its relay has ended the flow";
    }
}
