/* mishaps.c: what happens to hosts while the world runs: they move, sleep, crash, and are cut off.
 */
#include "crypto/base/mem.h"
#include "sim/world/inspect.h"
#include "sim/world/pause.h"
#include "sim/world/relays.h"
#include "sim/world/sim_int.h"
#include "sim/world/turn.h"

void sim_kill(struct sim *s, uint32_t host) {
    host_kill(s->world.hosts[host]);
}

void sim_power_cut(struct sim *s, uint32_t host) {
    host_power_cut(s->world.hosts[host]);
}

void sim_die(struct sim *s, uint32_t host, uint64_t writes, bool power) {
    struct host *h = s->world.hosts[host];
    if (!h->node)
        return;
    h->mortal = true;
    h->dies_of_power = power;
    store_mem_die(h->store, writes);
}

void sim_store_fails(struct sim *s, uint32_t host, const struct sim_store_fault *f) {
    struct host *h = s->world.hosts[host];
    store_mem_fail(h->store, f->after, f->write_err);
    if (f->write_err == 0 && f->sync_err == 0)
        store_mem_die(h->store, UINT64_MAX);
    store_mem_fail_sync(h->store, 0, f->sync_err);
    duty_trouble(&s->duties, h, TROUBLE_STORE, f->write_err != 0 || f->sync_err != 0);
}

void sim_stop(struct sim *s, uint32_t host) {
    turn_stop(s->world.hosts[host]);
}

int sim_start(struct sim *s, uint32_t host) {
    if (s->world.hosts[host]->state != HOST_RUNS)
        return ERR_OFFLINE;
    turn_start(s->world.hosts[host]);
    return s->world.hosts[host]->node ? 0 : ERR_IO;
}

void sim_wipe(struct sim *s, uint32_t host) {
    struct host *h = s->world.hosts[host];
    host_kill(h);
    duty_trouble(&s->duties, h, TROUBLE_WIPED, true);
    h->wiped = true;
    store_mem_wipe(h->store);
    disk_wipe(h->disk);
}

void sim_suspend(struct sim *s, uint32_t host, uint64_t for_ns) {
    pause_begin(s->world.hosts[host], HOST_SUSPENDED, for_ns);
}

void sim_stall(struct sim *s, uint32_t host, uint64_t for_ns) {
    pause_begin(s->world.hosts[host], HOST_STALLED, for_ns);
}

void sim_resume(struct sim *s, uint32_t host) {
    pause_end(s->world.hosts[host]);
}

void sim_clock(struct sim *s, uint32_t host, int64_t jump_us, const int64_t *drift_ppb) {
    struct host *h = s->world.hosts[host];
    if (drift_ppb)
        hclock_drift(&h->clock, h->state == HOST_SUSPENDED ? h->stopped_ns : s->world.now_ns,
                     *drift_ppb);
    h->clock.wall_offset_us += jump_us;
    if (!h->node || h->state != HOST_RUNS)
        return;
    host_set_wall(h);
    turn_pump(h);
}

void sim_hostile(struct sim *s, uint32_t host, const struct hostile_plan *plan) {
    struct host *h = s->world.hosts[host];
    if (hostile_begin(h, plan) && h->node) {
        host_kill(h);
        if (h->state == HOST_RUNS) /* else somebody has to start it */
            turn_start(h);
    }
    host_tell(h);
    host_set_wall(h);
    duty_hostile(&s->duties, h);
}

void sim_site_reboot(struct sim *s, uint32_t site, bool move) {
    if (!sites_reboot(&s->sites, site, move))
        world_fail(&s->world, NULL, "no addresses are left");
    duty_site(&s->duties, site);
}

void sim_site_crowd(struct sim *s, uint32_t site, uint32_t count, uint64_t for_ns) {
    struct site *w = s->sites.list[site];
    const uint64_t until_ns = for_ns > 0 ? s->world.now_ns + for_ns : UINT64_MAX;
    nat_crowd(w->nat, s->world.now_ns, count, until_ns);
    nat_crowd(w->wall, s->world.now_ns, count, until_ns);
}

uint32_t sim_host_site(const struct sim *s, uint32_t host) {
    return s->world.hosts[host]->first.site;
}

void sim_site_gateway(struct sim *s, uint32_t site, const struct gateway_config *c) {
    struct site *w = s->sites.list[site];
    if (!w->gateway)
        w->gateway = gateway_new(w->nat, s->world.now_ns);
    gateway_configure(w->gateway, s->world.now_ns, c);
}

static void add(struct sim *s, enum fault_kind kind, const struct sim_between *b) {
    const struct fault f = {
        .kind = kind,
        .hosts = s->world.host_count,
        .oneway = b->oneway,
        .from_ns = s->world.now_ns,
        .until_ns = b->for_ns > 0 ? s->world.now_ns + b->for_ns : UINT64_MAX,
    };
    faults_forget(&s->world.faults, s->world.now_ns);
    faults_add(&s->world.faults, &f, b->from, b->from_count, b->to, b->to_count);
    struct fault since = f; /* by the run's time, and never forgotten */
    since.from_ns = world_run_ns(&s->world);
    since.until_ns = b->for_ns > 0 ? since.from_ns + b->for_ns : UINT64_MAX;
    faults_add(&s->duties.troubles.cuts, &since, b->from, b->from_count, b->to, b->to_count);
}

void sim_mark(struct sim *s) {
    s->world.marked_ns = s->world.now_ns;
    for (uint32_t i = 0; i < s->world.host_count; i++) {
        mem_free(s->world.hosts[i]->idle.seconds);
        s->world.hosts[i]->idle = (struct host_idle){0};
    }
}

void sim_fault(struct sim *s) {
    progress_fault(&s->duties.ledger.progress, world_run_ns(&s->world));
}

void sim_path(struct sim *s, uint32_t host, enum path_policy path) {
    struct host *h = s->world.hosts[host];
    if (h->options.path != path)
        duty_moment(&s->duties, h, TROUBLE_POLICY);
    h->options.path = path;
    inspect_policy(&s->inspection, h);
    relays_reload(h);
    if (h->node && h->state == HOST_RUNS)
        turn_pump(h);
}

void sim_cut(struct sim *s, const struct sim_between *b) {
    add(s, FAULT_CUT, b);
}

void sim_clog(struct sim *s, const struct sim_between *b) {
    add(s, FAULT_CLOG, b);
    world_push(&s->world, s->world.hosts[0],
               &(struct event){.time_ns = s->world.now_ns + b->for_ns, .kind = EVENT_UNCLOG});
}

void sim_heal(struct sim *s) {
    for (uint32_t i = 0; i < s->sites.count; i++) {
        nat_crowd(s->sites.list[i]->nat, s->world.now_ns, 0, 0);
        nat_crowd(s->sites.list[i]->wall, s->world.now_ns, 0, 0);
    }
    faults_heal(&s->world.faults, s->world.now_ns);
    faults_heal(&s->duties.troubles.cuts, world_run_ns(&s->world));
    clog_release(&s->flight.clog, true);
    s->duties.ledger.healed_ns = world_run_ns(&s->world);
}

int sim_map(struct sim *s, uint32_t host, uint64_t lifetime_s) {
    struct host *h = s->world.hosts[host];
    struct nic *n = &h->first;
    struct gateway *g = n->site == SITE_NONE ? NULL : s->sites.list[n->site]->gateway;
    struct gateway_answer answer;
    if (!g || !h->node || n->off || n->addr_count == 0 || n->addrs[0].kind != ADDR_IPV4)
        return ERR_OFFLINE;
    const struct gateway_request ask = {
        .inner = n->addrs[0], .wanted_port = n->addrs[0].port, .lifetime_s = (uint32_t)lifetime_s};
    switch (gateway_map(g, s->world.now_ns, &ask, &answer)) {
    case GATEWAY_OK:
        n->mapped = lifetime_s > 0 ? answer.external : (struct addr){0};
        host_tell(h);
        return 0;
    case GATEWAY_SILENT:
        return ERR_OFFLINE;
    case GATEWAY_REFUSED:
        break;
    }
    return ERR_REFUSED;
}
