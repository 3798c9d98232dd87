#include "sim/run/perform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/world/plug.h"

static void refused(struct stage *st, const struct action *a, uint32_t from, int err) {
    struct run *r = st->run;
    if (r->actions_failed < RUN_NOTES_MAX) {
        struct run_note *n = &r->notes[r->actions_failed];
        n->at = a->at;
        (void)snprintf(n->text, sizeof n->text, "%s: %s was refused: %s",
                       sim_host_name(r->sim, from), action_name(a->kind), err_text(err));
    }
    r->actions_failed++;
}

/* ---- with one host ---- */

typedef int on_host(struct stage *st, const struct action *a, uint32_t host);

static int change_disk(struct stage *st, const struct action *a, uint32_t host) {
    struct disk_config c;
    disk_get_config(sim_disk(st->run->sim, host), &c);
    disk_patch_apply(&a->disk, &c);
    disk_configure(sim_disk(st->run->sim, host), &c);
    return 0;
}

/* ---- with one of its interfaces ---- */

static uint32_t nic_of(const struct stage *st, const struct action *a, uint32_t host) {
    uint32_t i = sim_nic_count(st->run->sim, host) - 1;
    while (i > 0 && strcmp(sim_nic_name(st->run->sim, host, i), a->nic) != 0)
        i--;
    return i;
}

static int change_link(struct stage *st, const struct action *a, uint32_t host) {
    const uint32_t nic = nic_of(st, a, host);
    struct link_config c[2];
    sim_nic_link_get(st->run->sim, host, nic, c);
    for (unsigned d = SIM_UP; d <= SIM_DOWN; d++)
        link_patch_apply(&a->link, d, &c[d]);
    sim_nic_link_set(st->run->sim, host, nic, c);
    return 0;
}

static int move(struct stage *st, const struct action *a, uint32_t host) {
    sim_nic_move(st->run->sim, host, nic_of(st, a, host),
                 a->site == SITE_NONE ? SITE_NONE : st->sites[a->site]);
    return 0;
}

static int roam(struct stage *st, const struct action *a, uint32_t host) {
    sim_nic_roam(st->run->sim, host, nic_of(st, a, host));
    return 0;
}

static int rebind(struct stage *st, const struct action *a, uint32_t host) {
    sim_nic_rebind(st->run->sim, host, nic_of(st, a, host));
    return 0;
}

static int plug(struct stage *st, const struct action *a, uint32_t host) {
    sim_nic_switch(st->run->sim, host, nic_of(st, a, host), a->kind == ACT_UP);
    return 0;
}

/* ---- with the whole host ---- */

static int suspend(struct stage *st, const struct action *a, uint32_t host) {
    sim_suspend(st->run->sim, host, a->for_ns);
    return 0;
}

static int stall(struct stage *st, const struct action *a, uint32_t host) {
    sim_stall(st->run->sim, host, a->for_ns);
    return 0;
}

static int set_clock(struct stage *st, const struct action *a, uint32_t host) {
    sim_clock(st->run->sim, host, a->jump_us, a->sets_drift ? &a->drift_ppb : NULL);
    return 0;
}

static int map(struct stage *st, const struct action *a, uint32_t host) {
    return sim_map(st->run->sim, host, a->amount / SIM_S);
}

static int turn_hostile(struct stage *st, const struct action *a, uint32_t host) {
    sim_hostile(st->run->sim, host, &a->plan);
    return 0;
}

static int lose(struct stage *st, const struct action *a, uint32_t host) {
    sim_link_lose(st->run->sim, host, a->direction, a->packets, a->packet_count);
    return 0;
}

static int die(struct stage *st, const struct action *a, uint32_t host) {
    sim_die(st->run->sim, host, a->amount, a->power);
    return 0;
}

static int store(struct stage *st, const struct action *a, uint32_t host) {
    sim_store_fails(st->run->sim, host, &a->store);
    return 0;
}

static int set_path(struct stage *st, const struct action *a, uint32_t host) {
    sim_path(st->run->sim, host, a->path);
    return 0;
}

static int start(struct stage *st, const struct action *a, uint32_t host) {
    (void)a;
    return sim_start(st->run->sim, host);
}

static void act_on_site(struct stage *st, const struct action *a, uint32_t site) {
    if (a->kind == ACT_REBOOT)
        sim_site_reboot(st->run->sim, site, a->move);
    else if (a->kind == ACT_CROWD)
        sim_site_crowd(st->run->sim, site, (uint32_t)a->amount, a->for_ns);
    else
        sim_site_gateway(st->run->sim, site, &a->gateway);
}

/* The NAT it is behind now; who is behind none has nothing to fear. */
static int act_on_nat_of(struct stage *st, const struct action *a, uint32_t host) {
    const uint32_t site = sim_host_site(st->run->sim, host);
    if (site != SITE_NONE)
        act_on_site(st, a, site);
    return 0;
}

static int on_host_alone(struct stage *st, const struct action *a, uint32_t host) {
    static void (*const plain[ACTIONS])(struct sim * s,
                                        uint32_t host) = {[ACT_KILL] = sim_kill,
                                                          [ACT_STOP] = sim_stop,
                                                          [ACT_WIPE] = sim_wipe,
                                                          [ACT_RESUME] = sim_resume,
                                                          [ACT_POWERCUT] = sim_power_cut};
    if (!plain[a->kind])
        return ERR_USAGE;
    plain[a->kind](st->run->sim, host);
    return 0;
}

static int act_on_host(struct stage *st, const struct action *a, uint32_t host) {
    static on_host *const verbs[ACTIONS] = {[ACT_DISK] = change_disk,
                                            [ACT_LINK] = change_link,
                                            [ACT_MOVE] = move,
                                            [ACT_ROAM] = roam,
                                            [ACT_REBIND] = rebind,
                                            [ACT_DOWN] = plug,
                                            [ACT_UP] = plug,
                                            [ACT_SUSPEND] = suspend,
                                            [ACT_STALL] = stall,
                                            [ACT_CLOCK] = set_clock,
                                            [ACT_MAP] = map,
                                            [ACT_LOSE] = lose,
                                            [ACT_HOSTILE] = turn_hostile,
                                            [ACT_START] = start,
                                            [ACT_PATH] = set_path,
                                            [ACT_DIE] = die,
                                            [ACT_STORE] = store,
                                            [ACT_REBOOT] = act_on_nat_of,
                                            [ACT_CROWD] = act_on_nat_of};
    return verbs[a->kind] ? verbs[a->kind](st, a, host) : on_host_alone(st, a, host);
}

/* ---- with two hosts, with sites ---- */

static int act_on_pair(struct sim *s, const struct action *a, uint32_t from, uint32_t to) {
    static int (*const plain[ACTIONS])(struct sim * s, uint32_t from, uint32_t to) = {
        [ACT_CONNECT] = sim_connect, [ACT_PING] = sim_ping, [ACT_PAIR] = sim_use_ticket};
    if (plain[a->kind])
        return plain[a->kind](s, from, to);
    if (a->kind == ACT_STEAL)
        return sim_steal_ticket(s, from, to, a->giver);
    if (a->kind == ACT_TRANSFER)
        return sim_transfer(s, from, to, a->size, NULL);
    return a->kind == ACT_MESSAGE ? sim_message(s, from, to, a->amount, a->size) : ERR_USAGE;
}

/* What is asked of nodes is judged by itself (sim_demands); of the rest a refusal is a mistake. */
static void act_on_pair_noted(struct stage *st, const struct action *a, uint32_t from,
                              uint32_t to) {
    const int err = act_on_pair(st->run->sim, a, from, to);
    if (err && a->kind == ACT_STEAL && !a->may)
        refused(st, a, from, err);
}

static void act_on_sites(struct stage *st, const struct action *a) {
    for (uint32_t i = 0; i < a->site_count; i++)
        act_on_site(st, a, st->sites[a->sites[i]]);
}

/* A share ("home:25%") is drawn anew each time, for every host on its own: by what was written, on
 * which side, and when, so that other actions make no difference. */
static void choose(struct stage *st, const struct action *a, unsigned side, struct host_set *out) {
    const struct host_set *set = side == 0 ? &a->from : &a->to;
    struct sim *s = st->run->sim;
    const uint64_t number = a->id + 2 * sim_now_ns(s) + side;
    *out = (struct host_set){.hosts = mem_calloc(set->count + 1, sizeof *out->hosts)};
    if (!out->hosts)
        abort();
    for (uint32_t i = 0; i < set->count; i++)
        if (!set->has_share || draw_chance(sim_choice(s, set->hosts[i], number), set->share_ppb))
            out->hosts[out->count++] = set->hosts[i];
}

static void act_between(struct stage *st, const struct action *a, const struct host_set *from,
                        const struct host_set *to) {
    const struct sim_between b = {.from = from->hosts,
                                  .to = to->hosts,
                                  .from_count = from->count,
                                  .to_count = to->count,
                                  .oneway = a->oneway,
                                  .for_ns = a->for_ns};
    if (a->kind == ACT_CUT)
        sim_cut(st->run->sim, &b);
    else
        sim_clog(st->run->sim, &b);
}

/* only: of the others, that one; UINT32_MAX: all. */
static void act_with(struct stage *st, const struct action *a, uint32_t from,
                     const struct host_set *others, uint32_t only) {
    struct sim *s = st->run->sim;
    uint32_t known = 0;
    const uint32_t *contacts = sim_contacts(s, from, &known);
    const uint32_t count = a->to_contacts ? known : others->count;
    for (uint32_t k = 0; k < count; k++) {
        if (only != UINT32_MAX && k != only)
            continue;
        const uint32_t to = a->to_contacts ? contacts[k] : others->hosts[k];
        if (from != to &&
            (!a->if_up || (sim_runs(s, from) && (a->kind != ACT_PAIR || sim_runs(s, to)))))
            act_on_pair_noted(st, a, from, to);
    }
}

static void act_on_hosts(struct stage *st, const struct action *a, const struct host_set *from,
                         const struct host_set *to) {
    for (uint32_t i = 0; i < from->count; i++) {
        if (a->to.count > 0 || a->to_contacts) {
            act_with(st, a, from->hosts[i], to, a->each ? i : UINT32_MAX);
            continue;
        }
        const int err = act_on_host(st, a, from->hosts[i]);
        if (err && !a->may)
            refused(st, a, from->hosts[i], err);
    }
}

/* Whether it is done to hosts or networks, and hinders them. */
static bool is_fault(enum action_kind k) {
    static const enum action_kind kinds[] = {
        ACT_CUT,  ACT_CLOG, ACT_ROAM,    ACT_REBIND, ACT_KILL, ACT_POWERCUT, ACT_STOP, ACT_WIPE,
        ACT_MOVE, ACT_DOWN, ACT_SUSPEND, ACT_STALL,  ACT_DIE,  ACT_REBOOT,   ACT_PATH, ACT_HOSTILE};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i] == k)
            return true;
    return false;
}

void perform(struct stage *st, const struct action *a) {
    struct host_set from, to;
    if (is_fault(a->kind) && !a->setup)
        sim_fault(st->run->sim);
    sim_asks(st->run->sim, &(struct demand_asker){a->at.line, a->may});
    if (a->kind == ACT_MARK)
        sim_mark(st->run->sim);
    if (a->kind == ACT_HEAL)
        sim_heal(st->run->sim);
    act_on_sites(st, a);
    choose(st, a, 0, &from);
    choose(st, a, 1, &to);
    if (a->each && a->kind == ACT_CUT)
        for (uint32_t i = 0; i < from.count; i++)
            act_between(st, a, &(struct host_set){.hosts = &from.hosts[i], .count = 1},
                        &(struct host_set){.hosts = &to.hosts[i], .count = 1});
    else if (a->kind == ACT_CUT || a->kind == ACT_CLOG)
        act_between(st, a, &from, &to);
    else
        act_on_hosts(st, a, &from, &to);
    mem_free(from.hosts);
    mem_free(to.hosts);
    sim_asks(st->run->sim, &(struct demand_asker){0});
}
