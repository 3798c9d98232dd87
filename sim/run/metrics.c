#include "sim/run/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/world/sim_int.h"

void metrics_clear(struct metrics *m) {
    for (size_t i = 0; i < m->count; i++)
        samples_clear(&m->items[i].samples);
    mem_free(m->items);
    *m = (struct metrics){0};
}

static struct metric *find(const struct metrics *m, const char *name) {
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->items[i].name, name) == 0)
            return &m->items[i];
    return NULL;
}

static struct metric *named(struct metrics *m, const char *name) {
    struct metric *item = find(m, name);
    if (item)
        return item;
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 128;
        m->items = mem_realloc(m->items, m->cap * sizeof *m->items);
        if (!m->items)
            abort();
    }
    item = &m->items[m->count++];
    *item = (struct metric){0};
    (void)snprintf(item->name, sizeof item->name, "%s", name);
    return item;
}

void metrics_set(struct metrics *m, const char *name, double value) {
    named(m, name)->value = value;
}

static void set_in(struct metrics *m, const char *group, const char *name, uint64_t value) {
    char full[sizeof m->items->name];
    (void)snprintf(full, sizeof full, "%s.%s", group, name);
    metrics_set(m, full, (double)value);
}

static struct samples *sampled(struct metrics *m, const char *name) {
    struct metric *item = named(m, name);
    item->sampled = true;
    return &item->samples;
}

struct samples *metrics_samples(struct metrics *m, const char *name) {
    return sampled(m, name);
}

void metrics_merge(struct metrics *m, const struct metrics *more) {
    for (size_t i = 0; i < more->count; i++) {
        const struct metric *from = &more->items[i];
        struct metric *to = named(m, from->name);
        to->sampled = from->sampled;
        to->value += from->value;
        samples_append(&to->samples, &from->samples);
    }
}

static void collect_transfers(const struct world *w, const struct ledger *l, struct metrics *m) {
    uint64_t done = 0, failed = 0, wrong = 0;
    sampled(m, "transfer.seconds");
    sampled(m, "transfer.goodput_bps");
    sampled(m, "transfer.goodput_fraction");
    sampled(m, "transfer.vs_cubic");
    sampled(m, "transfer.stall");
    for (uint64_t i = 0; i < l->transfer_count; i++) {
        const struct ledger_transfer *t = &l->transfers[i];
        failed += t->failed;
        done += t->done && t->verified;
        wrong += t->done && !t->verified;
        if (!t->done || !t->verified || t->started_ns == LEDGER_NEVER)
            continue;
        const double running_s = (double)(t->ended_ns - t->started_ns) / 1e9;
        const double bps = running_s > 0 ? (double)t->size * 8 / running_s : 0;
        samples_add(sampled(m, "transfer.seconds"), (double)(t->ended_ns - t->asked_ns) / 1e9);
        samples_add(sampled(m, "transfer.goodput_bps"), bps);
        if (t->path.rate_bps > 0) {
            samples_add(sampled(m, "transfer.goodput_fraction"), bps / t->path.rate_bps);
            samples_add(sampled(m, "transfer.vs_cubic"), bps / response_goodput_bps(&t->path));
        }
        char path[160];
        struct disk_file_info info;
        (void)snprintf(path, sizeof path, WORLD_DOWNLOADS "/%s", t->name);
        if (disk_file_info(w->hosts[t->to]->disk, path, &info))
            samples_add(sampled(m, "transfer.stall"), (double)info.longest_gap_ns / 1e9);
    }
    set_in(m, "transfer", "asked", l->transfer_count);
    set_in(m, "transfer", "done", done);
    set_in(m, "transfer", "failed", failed);
    set_in(m, "transfer", "wrong", wrong);
    set_in(m, "transfer", "open", l->transfer_count - done - failed - wrong);
}

static void collect_ledger(const struct ledger *l, struct metrics *m) {
    samples_append(sampled(m, "handshake"), &l->handshake);
    samples_append(sampled(m, "reconnect"), &l->reconnect);
    samples_append(sampled(m, "ping"), &l->ping);
    samples_append(sampled(m, "message"), &l->message);
    samples_append(sampled(m, "flow"), &l->flow);
    set_in(m, "flow", "sent", l->flow_sent);
    set_in(m, "flow", "received", l->flow.count);
    set_in(m, "load", "done", l->load_done);
    set_in(m, "load", "refused", l->load_refused);
    set_in(m, "handshake", "failed", l->handshakes_failed);
    set_in(m, "ping", "failed", l->pings_failed);
    set_in(m, "message", "sent", l->message_count);
    set_in(m, "message", "received", l->messages_received);
    set_in(m, "message", "delivered", l->messages_delivered);
    set_in(m, "message", "doubled", l->messages_doubled);
    set_in(m, "message", "disordered", l->messages_disordered);
    set_in(m, "message", "unknown", l->messages_unknown);
    for (unsigned i = 0; i < NODE_EVENT_KINDS; i++)
        set_in(m, "event", node_event_name((enum node_event_kind)i), l->events[i]);
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
    set_in(m, "healed", "asked", asked);
    set_in(m, "healed", "failed", failed);
    set_in(m, "healed", "open", open);
    set_in(m, "message", "lost", lost);
}

static void collect_sessions(const struct world *w, struct metrics *m) {
    uint64_t sessions = 0, half_open = 0, online = 0;
    sampled(m, "session.mtu_bytes");
    sampled(m, "session.srtt");
    sampled(m, "session.cwnd_bytes");
    for (uint32_t i = 0; i < w->host_count; i++) {
        struct node *n = w->hosts[i]->node;
        struct contact_info c;
        if (!n)
            continue;
        sessions += node_session_count(n);
        half_open += node_half_open_count(n);
        for (unsigned k = 0; node_contact_at(n, host_now_us(w->hosts[i]), k, &c); k++) {
            online += c.online;
            if (!c.online || !c.session.has_transport)
                continue;
            samples_add(sampled(m, "session.mtu_bytes"), c.session.mtu_bytes);
            samples_add(sampled(m, "session.srtt"), (double)c.session.srtt_us / 1e6);
            samples_add(sampled(m, "session.cwnd_bytes"), (double)c.session.cwnd_bytes);
        }
    }
    set_in(m, "session", "count", sessions);
    set_in(m, "session", "half_open", half_open);
    set_in(m, "session", "online", online);
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
#define X(name) set_in(m, "endpoint", #name, sum.name);
    ENDPOINT_COUNTERS(X)
#undef X
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
    set_in(m, "peers", "wanted", wanted);
    set_in(m, "peers", "connected", together);
    set_in(m, "peers", "disconnected", apart);
    metrics_set(m, "connected", together > 0 && apart == 0);
}

/* What was asked of nodes, and what came of it (sim/measure/demand.h). */
static void collect_work(const struct demands *w, struct metrics *m) {
    struct demand_count sum = {0};
    for (unsigned k = 0; k < DEMAND_KINDS; k++) {
        const struct demand_count *c = &w->counts[k];
        set_in(m, "asked", demand_kind_name((enum demand_kind)k), c->asked);
        sum.asked += c->asked;
        sum.done += c->done;
        sum.failed += c->failed;
        sum.excused += c->excused;
        sum.allowed += c->allowed;
    }
    set_in(m, "work", "asked", sum.asked);
    set_in(m, "work", "done", sum.done);
    set_in(m, "work", "failed", sum.failed);
    set_in(m, "work", "excused", sum.excused);
    set_in(m, "work", "allowed", sum.allowed);
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
    set_in(m, "disk", "read_bytes", sum.read_bytes);
    set_in(m, "disk", "written_bytes", sum.written_bytes);
    set_in(m, "disk", "wrong_bytes", sum.wrong_bytes);
    set_in(m, "disk", "temporaries", sum.temporaries);
    set_in(m, "datagram", "sent", w->stats.sent);
    set_in(m, "datagram", "sent_bytes", w->stats.sent_bytes);
    set_in(m, "datagram", "delivered", w->stats.delivered);
    set_in(m, "datagram", "delivered_bytes", w->stats.delivered_bytes);
    for (unsigned f = FATE_DELIVERED + 1; f < FATE_COUNT; f++)
        set_in(m, "drop", fate_name((enum fate)f), w->stats.drops[f]);
    set_in(m, "ecn", "marked", w->stats.marked);
    for (unsigned k = 0; k < ICMP_KINDS; k++)
        set_in(m, "icmp", icmp_name((enum icmp_kind)k), w->stats.icmp[k]);
    set_in(m, "icmp", "lost", w->stats.icmp_lost);
    set_in(m, "fault", "duplicated", w->stats.duplicated);
    set_in(m, "fault", "reordered", w->stats.reordered);
    set_in(m, "fault", "corrupted", w->stats.corrupted);
    set_in(m, "sim", "events", w->stats.events);
    set_in(m, "sim", "turns", w->stats.turns);
    set_in(m, "sim", "file_ops", w->stats.file_ops);
    metrics_set(m, "sim.seconds", (double)world_run_ns(w) / 1e9);
}

/* What nodes cost (sim/memory/arena.h), and what NATs hold. */
static void collect_memory(const struct world *w, const struct sites *sites, struct metrics *m) {
    uint64_t leaked = 0, peak = w->stats.peak_node_bytes, mappings = 0;
    sampled(m, "node.bytes");
    for (uint32_t i = 0; i < w->host_count; i++) {
        const struct host *h = w->hosts[i];
        leaked += h->leaked_bytes;
        if (!h->node)
            continue;
        samples_add(sampled(m, "node.bytes"), (double)h->arena.bytes);
        if (h->arena.peak_bytes > peak)
            peak = h->arena.peak_bytes;
    }
    for (uint32_t i = 0; i < sites->count; i++)
        mappings += nat_mapping_count(sites->list[i]->nat, w->now_ns);
    set_in(m, "node", "peak_bytes", peak);
    set_in(m, "node", "leaked_bytes", leaked);
    set_in(m, "nat", "mappings", mappings);
}

static int by_name(const void *a, const void *b) {
    const struct metric *x = a, *y = b;
    return strcmp(x->name, y->name);
}

bool metrics_is_real_time(const char *name) {
    return strcmp(name, "sim.wall_seconds") == 0 || strcmp(name, "sim.events_per_s") == 0 ||
           strcmp(name, "sim.datagrams_per_s") == 0;
}

bool metrics_is_time(const char *name) {
    static const char *const times[] = {
        "transfer.seconds", "transfer.stall", "handshake",   "reconnect", "ping",
        "message",          "flow",           "session.srtt"};
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++)
        if (strcmp(times[i], name) == 0)
            return true;
    return false;
}

void metrics_collect(const struct sim *s, struct metrics *m) {
    const struct world *w = &s->world;
    const struct ledger *l = &s->duties.ledger;
    metrics_clear(m);
    collect_transfers(w, l, m);
    collect_ledger(l, m);
    collect_healed(l, m);
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
        set_in(m, "judged", invariant_name((enum invariant)i), 0);
    qsort(m->items, m->count, sizeof *m->items, by_name);
}

/* By how a name begins; the first row that fits. */
static const struct {
    const char *begins, *base;
} bases[] = {
    {"transfer.", "asked.transfer"},
    {"message.", "asked.message"},
    {"ping", "asked.ping"},
    {"handshake", "peers.wanted"},
    {"reconnect", "peers.wanted"},
    {"healed.", "healed.asked"},
    {"flow.", "flow.sent"},
    {"load.", "load.done"},
    {"work.", "work.asked"},
    {"peers.", "peers.wanted"},
    {"disk.wrong", "disk.written_bytes"},
    {"disk.temp", "disk.written_bytes"},
    {"event.", "peers.wanted"},
    {"session.", "peers.wanted"},
    {"endpoint.", "datagram.sent"},
    {"drop.", "datagram.sent"},
    {"fault.", "datagram.sent"},
    {"ecn.", "datagram.sent"},
};

const char *metrics_base(const char *name) {
    for (unsigned i = 0; i < sizeof bases / sizeof *bases; i++)
        if (strncmp(name, bases[i].begins, strlen(bases[i].begins)) == 0)
            return bases[i].base;
    return NULL;
}

enum metrics_lookup metrics_value(struct metrics *m, const char *name, enum statistic bare,
                                  double *out) {
    struct metric *item = find(m, name);
    enum statistic which = bare;
    if (!item) {
        char group[sizeof item->name];
        const char *dot = strrchr(name, '.');
        if (!dot || (size_t)(dot - name) >= sizeof group || !stat_find(dot + 1, &which))
            return METRIC_UNKNOWN;
        memcpy(group, name, (size_t)(dot - name));
        group[dot - name] = '\0';
        item = find(m, group);
        if (!item || !item->sampled)
            return METRIC_UNKNOWN;
    }
    if (!item->sampled) {
        *out = item->value;
        return METRIC_FOUND;
    }
    return samples_stat(&item->samples, which, out) ? METRIC_FOUND : METRIC_EMPTY;
}
