#include "sim/run/collect_relays.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/base/mem.h"
#include "sim/world/host.h"

static uint32_t relay_of_id(const struct world *w, const struct node_id *id) {
    for (uint32_t i = 0; i < w->host_count; i++)
        if (w->hosts[i]->options.serves && node_id_equal(&w->hosts[i]->identity.id, id))
            return i;
    return SIM_NO_HOST;
}

/* How many relays each node is reached by, and by how many nodes each relay is chosen for that. */
static void collect_homes(const struct world *w, struct metrics *m) {
    uint32_t *clients = mem_calloc(w->host_count + 1, sizeof *clients);
    if (!clients)
        abort();
    (void)metrics_samples(m, "relay.homes");
    (void)metrics_samples(m, "relay.clients");
    for (uint32_t i = 0; i < w->host_count; i++) {
        const struct host *h = w->hosts[i];
        struct relay_info r;
        double homes = 0;
        for (unsigned k = 0; h->node && node_relay_at(h->node, k, &r); k++) {
            const uint32_t relay = relay_of_id(w, &r.at.id);
            const bool kept = r.home && r.reserved;
            homes += kept;
            if (kept && relay != SIM_NO_HOST)
                clients[relay]++;
        }
        if (h->node && h->options.relay_count > 0)
            samples_add(metrics_samples(m, "relay.homes"), homes);
    }
    for (uint32_t i = 0; i < w->host_count; i++)
        if (w->hosts[i]->node && w->hosts[i]->options.serves)
            samples_add(metrics_samples(m, "relay.clients"), clients[i]);
    mem_free(clients);
}

static void add_served(struct relay_stats *sum, const struct relay_stats *s) {
    sum->clients += s->clients;
    sum->reservations += s->reservations;
    sum->flows += s->flows;
#define X(name) sum->counters.name += s->counters.name;
    RELAY_COUNTERS(X)
#undef X
}

/* What all relays that run say together: of what was before their last start nothing. */
static void collect_served(const struct world *w, struct metrics *m) {
    static const char *const dropped[] = {"malformed",  "unknown_flow", "wrong_source",
                                          "not_open",   "too_big",      "over_rate",
                                          "over_quota", "queue_full",   "queue_late"};
    struct relay_stats sum = {0};
    for (uint32_t i = 0; i < w->host_count; i++) {
        const struct host *h = w->hosts[i];
        struct node_status s;
        if (!h->node || !h->options.serves)
            continue;
        node_status(h->node, host_now_us(h), &s);
        if (s.relay.serves)
            add_served(&sum, &s.relay.served);
    }
    const struct relay_counters *c = &sum.counters;
    const uint64_t drops[] = {c->malformed,  c->unknown_flow, c->wrong_source,
                              c->not_open,   c->too_big,      c->over_rate,
                              c->over_quota, c->queue_full,   c->queue_late};
    for (unsigned i = 0; i < sizeof drops / sizeof *drops; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "dropped.%s", dropped[i]);
        metrics_set_in(m, "relay", name, drops[i]);
    }
    metrics_set_in(m, "relay", "reservations", sum.reservations);
    metrics_set_in(m, "relay", "flows", sum.flows);
    metrics_set_in(m, "relay", "forwarded.packets", c->forwarded_pkts);
    metrics_set_in(m, "relay", "forwarded.bytes", c->forwarded_bytes);
    metrics_set_in(m, "relay", "refused.reservations", c->reservations_refused);
    metrics_set_in(m, "relay", "refused.flows", c->opens_refused);
}

/* What hosts that are no relays say and hear since `mark`, a second. */
static void collect_idle(const struct world *w, struct metrics *m) {
    const double seconds = (double)(w->now_ns - w->marked_ns) / 1e9;
    metrics_samples(m, "relay.idle_bytes_per_s");
    metrics_samples(m, "relay.idle_worst_bytes_per_s");
    metrics_samples(m, "relay.idle_back_bytes_per_s");
    metrics_samples(m, "peer.idle_bytes_per_s");
    for (uint32_t i = 0; i < w->host_count && w->marked_ns > 0 && seconds > 0; i++) {
        const struct host *h = w->hosts[i];
        if (h->options.serves)
            continue;
        samples_add(metrics_samples(m, "peer.idle_bytes_per_s"),
                    (double)h->idle.to_others / seconds);
        if (h->options.relay_count == 0)
            continue;
        samples_add(metrics_samples(m, "relay.idle_bytes_per_s"),
                    (double)h->idle.to_relays / seconds);
        samples_add(metrics_samples(m, "relay.idle_worst_bytes_per_s"),
                    (double)h->idle.worst / IDLE_SECONDS);
        samples_add(metrics_samples(m, "relay.idle_back_bytes_per_s"),
                    (double)h->idle.from_relays / seconds);
    }
}

void collect_relays(const struct world *w, struct metrics *m) {
    collect_homes(w, m);
    collect_served(w, m);
    collect_idle(w, m);
}
