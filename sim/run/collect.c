#include "sim/run/collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/run/collect_relays.h"
#include "sim/world/sim_int.h"

/* The slowest by the fastest. */
static void collect_spread(struct metrics *m) {
    double most, least;
    struct samples *s = metrics_samples(m, "transfer.seconds");
    struct samples *out;
    const bool any = samples_stat(s, STAT_MAX, &most) && samples_stat(s, STAT_MIN, &least);
    out = metrics_samples(m, "transfer.spread");
    if (any && least > 0)
        samples_add(out, most / least);
}

static void collect_transfers(const struct world *w, const struct ledger *l, struct metrics *m) {
    uint64_t done = 0, failed = 0, wrong = 0;
    metrics_samples(m, "transfer.seconds");
    metrics_samples(m, "transfer.goodput_bps");
    metrics_samples(m, "transfer.goodput_fraction");
    metrics_samples(m, "transfer.vs_cubic");
    metrics_samples(m, "transfer.stall");
    for (uint64_t i = 0; i < l->transfer_count; i++) {
        const struct ledger_transfer *t = &l->transfers[i];
        failed += t->failed;
        done += t->done && t->verified;
        wrong += t->done && !t->verified;
        if (!t->done || !t->verified || t->started_ns == LEDGER_NEVER)
            continue;
        const double running_s = (double)(t->ended_ns - t->started_ns) / 1e9;
        const double bps = running_s > 0 ? (double)t->size * 8 / running_s : 0;
        samples_add(metrics_samples(m, "transfer.seconds"),
                    (double)(t->ended_ns - t->asked_ns) / 1e9);
        samples_add(metrics_samples(m, "transfer.goodput_bps"), bps);
        if (t->path.rate_bps > 0) {
            samples_add(metrics_samples(m, "transfer.goodput_fraction"), bps / t->path.rate_bps);
            samples_add(metrics_samples(m, "transfer.vs_cubic"),
                        bps / response_goodput_bps(&t->path));
        }
        char path[160];
        struct disk_file_info info;
        (void)snprintf(path, sizeof path, WORLD_DOWNLOADS "/%s", t->name);
        if (disk_file_info(w->hosts[t->to]->disk, path, &info))
            samples_add(metrics_samples(m, "transfer.stall"), (double)info.longest_gap_ns / 1e9);
    }
    collect_spread(m);
    metrics_set_in(m, "transfer", "asked", l->transfer_count);
    metrics_set_in(m, "transfer", "done", done);
    metrics_set_in(m, "transfer", "failed", failed);
    metrics_set_in(m, "transfer", "wrong", wrong);
    metrics_set_in(m, "transfer", "open", l->transfer_count - done - failed - wrong);
}

static void collect_ledger(const struct ledger *l, struct metrics *m) {
    samples_append(metrics_samples(m, "handshake"), &l->handshake);
    samples_append(metrics_samples(m, "reconnect"), &l->reconnect);
    samples_append(metrics_samples(m, "ping"), &l->ping);
    samples_append(metrics_samples(m, "message"), &l->message);
    samples_append(metrics_samples(m, "flow"), &l->flow);
    samples_append(metrics_samples(m, "transfer.first_byte"), &l->first_byte);
    samples_append(metrics_samples(m, "peer.noticed"), &l->noticed);
    metrics_set_in(m, "peer", "doubted", l->doubted);
    metrics_set_in(m, "peer", "doubted_wrongly", l->doubted_wrongly);
    metrics_set_in(m, "flow", "sent", l->flow_sent);
    metrics_set_in(m, "flow", "lost", l->flow_sent - l->flow.count);
    metrics_set_in(m, "flow", "received", l->flow.count);
    metrics_set_in(m, "load", "done", l->load_done);
    metrics_set_in(m, "load", "refused", l->load_refused);
    metrics_set_in(m, "handshake", "failed", l->handshakes_failed);
    metrics_set_in(m, "ping", "failed", l->pings_failed);
    metrics_set_in(m, "message", "sent", l->message_count);
    metrics_set_in(m, "message", "received", l->messages_received);
    metrics_set_in(m, "message", "delivered", l->messages_delivered);
    metrics_set_in(m, "message", "doubled", l->messages_doubled);
    metrics_set_in(m, "message", "disordered", l->messages_disordered);
    metrics_set_in(m, "message", "unknown", l->messages_unknown);
    for (unsigned i = 0; i < NODE_EVENT_KINDS; i++)
        metrics_set_in(m, "event", node_event_name((enum node_event_kind)i), l->events[i]);
}

/* What was asked after everything was healed has no excuse. */
static void collect_healed(const struct ledger *l, struct metrics *m) {
    uint64_t asked = 0, failed = 0, open = 0, lost = 0;
    for (uint64_t i = 0; i < l->transfer_count; i++) {
        const struct ledger_transfer *t = &l->transfers[i];
        if (l->healed_ns == 0 || t->asked_ns <= l->healed_ns)
            continue;
        asked++;
        failed += t->failed;
        open += t->ended_ns == LEDGER_NEVER;
    }
    for (uint64_t i = 0; i < l->message_count; i++)
        lost += l->messages[i].times_received == 0 && !l->messages[i].excused;
    metrics_set_in(m, "healed", "asked", asked);
    metrics_set_in(m, "healed", "failed", failed);
    metrics_set_in(m, "healed", "open", open);
    metrics_set_in(m, "message", "lost", lost);
}

static void collect_sessions(const struct world *w, struct metrics *m) {
    uint64_t sessions = 0, half_open = 0, online = 0, relayed = 0, direct = 0;
    metrics_samples(m, "session.mtu_bytes");
    metrics_samples(m, "session.srtt");
    metrics_samples(m, "session.cwnd_bytes");
    for (uint32_t i = 0; i < w->host_count; i++) {
        struct node *n = w->hosts[i]->node;
        struct contact_info c;
        if (!n)
            continue;
        sessions += node_session_count(n);
        half_open += node_half_open_count(n);
        for (unsigned k = 0; node_contact_at(n, host_now_us(w->hosts[i]), k, &c); k++) {
            online += c.online;
            relayed += c.online && c.reach.via == VIA_RELAY;
            direct += c.online && c.reach.via == VIA_DIRECT;
            if (!c.online || !c.session.has_transport)
                continue;
            samples_add(metrics_samples(m, "session.mtu_bytes"), c.session.mtu_bytes);
            samples_add(metrics_samples(m, "session.srtt"), (double)c.session.srtt_us / 1e6);
            samples_add(metrics_samples(m, "session.cwnd_bytes"), (double)c.session.cwnd_bytes);
        }
    }
    metrics_set_in(m, "session", "count", sessions);
    metrics_set_in(m, "session", "half_open", half_open);
    metrics_set_in(m, "session", "online", online);
    metrics_set_in(m, "session", "via_relay", relayed);
    metrics_set_in(m, "session", "direct", direct);
}

static void collect_endpoints(const struct world *w, struct metrics *m) {
    struct endpoint_counters sum = {0};
    for (uint32_t i = 0; i < w->host_count; i++) {
        const struct host *h = w->hosts[i];
        static const struct endpoint_counters none;
        const struct endpoint_counters *now = h->node ? node_counters(h->node) : &none;
#define X(name) sum.name += h->past.name + now->name;
        ENDPOINT_COUNTERS(X)
#undef X
    }
#define X(name) metrics_set_in(m, "endpoint", #name, sum.name);
    ENDPOINT_COUNTERS(X)
#undef X
}

/* How long nothing came through. */
static void collect_gaps(const struct world *w, const struct ledger *l, struct metrics *m) {
    progress_gaps(&l->progress, world_run_ns(w), metrics_samples(m, "path.gap"));
    progress_flow_gaps(&l->progress, metrics_samples(m, "flow.gap"));
}

static bool is_up(const struct ledger *l, uint32_t from, uint32_t to) {
    for (uint32_t k = 0; from < l->host_count && k < l->hosts[from].bond_count; k++)
        if (l->hosts[from].bonds[k].to == to)
            return l->hosts[from].bonds[k].up;
    return false;
}

/* Somebody asked it to, or it dials its contacts by itself, and there is a way to this one. */
static bool wants(const struct world *w, uint32_t from, const struct ledger_bond *b) {
    return b->wanted || (b->willing && duty_can_reach(w, from, b->to));
}

/* Who wanted whom, and whether both know it. Where one of them does not run, nothing is told: but
 * if that is so of all, they are not connected. */
static void collect_peers(const struct world *w, const struct ledger *l, struct metrics *m) {
    uint64_t wanted = 0, apart = 0, together = 0;
    for (uint32_t i = 0; i < l->host_count && i < w->host_count; i++)
        for (uint32_t k = 0; k < l->hosts[i].bond_count; k++) {
            const struct ledger_bond *b = &l->hosts[i].bonds[k];
            if (b->to >= w->host_count || !wants(w, i, b))
                continue;
            const bool both = b->up && is_up(l, b->to, i);
            wanted++;
            together += both;
            apart += !both && w->hosts[i]->node && w->hosts[b->to]->node;
        }
    metrics_set_in(m, "peers", "wanted", wanted);
    metrics_set_in(m, "peers", "connected", together);
    metrics_set_in(m, "peers", "disconnected", apart);
    metrics_set(m, "connected", together > 0 && apart == 0);
}

/* What was asked of nodes, and what came of it (sim/measure/demand.h). */
static void collect_work(const struct demands *w, struct metrics *m) {
    struct demand_count sum = {0};
    for (unsigned k = 0; k < DEMAND_KINDS; k++) {
        const struct demand_count *c = &w->counts[k];
        metrics_set_in(m, "asked", demand_kind_name((enum demand_kind)k), c->asked);
        sum.asked += c->asked;
        sum.done += c->done;
        sum.failed += c->failed;
        sum.excused += c->excused;
        sum.allowed += c->allowed;
    }
    metrics_set_in(m, "work", "asked", sum.asked);
    metrics_set_in(m, "work", "done", sum.done);
    metrics_set_in(m, "work", "failed", sum.failed);
    metrics_set_in(m, "work", "excused", sum.excused);
    metrics_set_in(m, "work", "allowed", sum.allowed);
}

static void collect_world(const struct world *w, struct metrics *m) {
    struct disk_totals sum = {0};
    for (uint32_t i = 0; i < w->host_count; i++) {
        struct disk_totals t;
        disk_totals(w->hosts[i]->disk, &t);
        sum.read_bytes += t.read_bytes;
        sum.written_bytes += t.written_bytes;
        sum.wrong_bytes += t.wrong_bytes;
        sum.temporaries += t.temporaries;
    }
    metrics_set_in(m, "disk", "read_bytes", sum.read_bytes);
    metrics_set_in(m, "disk", "written_bytes", sum.written_bytes);
    metrics_set_in(m, "disk", "wrong_bytes", sum.wrong_bytes);
    metrics_set_in(m, "disk", "temporaries", sum.temporaries);
    metrics_set_in(m, "datagram", "sent", w->stats.sent);
    metrics_set_in(m, "datagram", "sent_bytes", w->stats.sent_bytes);
    metrics_set_in(m, "datagram", "delivered", w->stats.delivered);
    metrics_set_in(m, "datagram", "delivered_bytes", w->stats.delivered_bytes);
    for (unsigned f = FATE_DELIVERED + 1; f < FATE_COUNT; f++)
        metrics_set_in(m, "drop", fate_name((enum fate)f), w->stats.drops[f]);
    metrics_set_in(m, "ecn", "marked", w->stats.marked);
    for (unsigned k = 0; k < ICMP_KINDS; k++)
        metrics_set_in(m, "icmp", icmp_name((enum icmp_kind)k), w->stats.icmp[k]);
    metrics_set_in(m, "icmp", "lost", w->stats.icmp_lost);
    metrics_set_in(m, "fault", "duplicated", w->stats.duplicated);
    metrics_set_in(m, "fault", "reordered", w->stats.reordered);
    metrics_set_in(m, "fault", "corrupted", w->stats.corrupted);
    metrics_set_in(m, "sim", "events", w->stats.events);
    metrics_set_in(m, "sim", "turns", w->stats.turns);
    metrics_set_in(m, "sim", "file_ops", w->stats.file_ops);
    metrics_set(m, "sim.seconds", (double)world_run_ns(w) / 1e9);
}

/* What nodes cost (sim/memory/arena.h), and what NATs hold. */
static void collect_memory(const struct world *w, const struct sites *sites, struct metrics *m) {
    uint64_t leaked = 0, peak = w->stats.peak_node_bytes, mappings = 0;
    metrics_samples(m, "node.bytes");
    for (uint32_t i = 0; i < w->host_count; i++) {
        const struct host *h = w->hosts[i];
        leaked += h->leaked_bytes;
        if (!h->node)
            continue;
        samples_add(metrics_samples(m, "node.bytes"), (double)h->arena.bytes);
        if (h->arena.peak_bytes > peak)
            peak = h->arena.peak_bytes;
    }
    for (uint32_t i = 0; i < sites->count; i++)
        mappings += nat_mapping_count(sites->list[i]->nat, w->now_ns);
    metrics_set_in(m, "node", "peak_bytes", peak);
    metrics_set_in(m, "node", "leaked_bytes", leaked);
    metrics_set_in(m, "nat", "mappings", mappings);
}

static int by_name(const void *a, const void *b) {
    const struct metric *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void metrics_collect(const struct sim *s, struct metrics *m) {
    const struct world *w = &s->world;
    const struct ledger *l = &s->duties.ledger;
    metrics_clear(m);
    collect_transfers(w, l, m);
    collect_ledger(l, m);
    collect_healed(l, m);
    collect_gaps(w, l, m);
    collect_relays(w, m);
    collect_sessions(w, m);
    collect_endpoints(w, m);
    collect_peers(w, l, m);
    collect_work(&s->duties.demands, m);
    collect_world(w, m);
    collect_memory(w, &s->sites, m);
    /* Filled in by whoever has a real clock, or counts (sim/run/run.c). */
    metrics_set(m, "sim.wall_seconds", 0);
    metrics_set(m, "sim.events_per_s", 0);
    metrics_set(m, "sim.datagrams_per_s", 0);
    metrics_set(m, "action.failed", 0);
    for (unsigned i = 0; i < INVARIANTS; i++)
        metrics_set_in(m, "judged", invariant_name((enum invariant)i), 0);
    qsort(m->items, m->count, sizeof *m->items, by_name);
}
