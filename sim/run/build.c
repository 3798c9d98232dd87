#include "sim/run/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/world/plug.h"
#include "sim/world/sim_int.h"

static bool fail(struct problem *problem, struct place at, const char *format, ...)
    PRINTF_LIKE(3, 4);
static bool fail(struct problem *problem, struct place at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    problem->at = at;
    (void)vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    return false;
}

/* ---- places ---- */

static bool regions(const struct scenario *sc, struct sites *ss, struct problem *problem) {
    for (uint32_t i = 0; i < sc->region_count; i++)
        if (sites_region_add(ss, sc->regions[i]))
            return fail(problem, (struct place){1, 1}, "region %s is there twice", sc->regions[i]);
    for (uint32_t i = 0; i < sc->rtt_count; i++) {
        const struct scenario_rtt *r = &sc->rtts[i];
        ss->rtt_ns[r->a][r->b] = ss->rtt_ns[r->b][r->a] = r->rtt_ns;
    }
    return true;
}

static bool sites(const struct scenario *sc, struct sim *s, uint32_t *numbers,
                  struct problem *problem) {
    for (uint32_t i = 0; i < sc->site_count; i++) {
        const struct scenario_site *w = &sc->sites[i];
        const uint32_t parent = w->parent == SITE_NONE ? SITE_NONE : numbers[w->parent];
        const uint32_t region = w->region == SITE_NONE && parent != SITE_NONE
                                    ? s->sites.list[parent]->region
                                    : w->region;
        const struct site_options o = {w->name, parent, region, &w->nat};
        const int err = sites_add(&s->sites, &o, &numbers[i]);
        if (err)
            return fail(problem, w->at, "site %s: %s", w->name, err_text(err));
        struct site *made = s->sites.list[numbers[i]];
        made->has_link = w->has_link;
        link_patch_apply(&w->link, SIM_UP, &made->up.cfg);
        link_patch_apply(&w->link, SIM_DOWN, &made->down.cfg);
        if (w->has_gateway)
            sim_site_gateway(s, numbers[i], &w->gateway);
    }
    return true;
}

/* ---- hosts ---- */

/* A NAT of its own, drawn if it is one of a mix; behind that site. */
static int own_site(const char *nat, uint64_t drawn, uint32_t parent, struct sim *s,
                    struct sim_host_options *o) {
    struct nat_config cfg;
    char label[32];
    if (nat_mix_known(nat))
        nat_mix_draw(&cfg, nat, drawn);
    else if (nat_config_read(&cfg, nat))
        return ERR_USAGE;
    nat_config_name(&cfg, label);
    const uint32_t region =
        o->region == SITE_NONE && parent != SITE_NONE ? s->sites.list[parent]->region : o->region;
    const struct site_options site = {label, parent, region, &cfg};
    return sites_add(&s->sites, &site, &o->site);
}

static uint32_t place(uint32_t site, const uint32_t *numbers) {
    return site == SITE_NONE ? SITE_NONE : numbers[site];
}

static bool hosts(const struct scenario *sc, struct sim *s, const uint32_t *numbers,
                  struct problem *problem) {
    for (uint32_t i = 0; i < sc->host_count; i++) {
        const struct scenario_host *h = &sc->hosts[i];
        struct sim_host_options o = h->options;
        uint32_t host;
        int err = 0;
        o.name = h->name;
        o.group = h->group;
        o.site = place(o.site, numbers);
        if (h->nat[0])
            err = own_site(h->nat, sim_choice(s, sim_host_count(s), 0), place(h->behind, numbers),
                           s, &o);
        o.no_udp = h->no_udp_ppb > 0 && draw_chance(sim_choice(s, i, 1), h->no_udp_ppb);
        if (!err)
            err = sim_host_add(s, &o, &host);
        if (err)
            return fail(problem, h->at, "node %s: %s", h->name, err_text(err));
    }
    return true;
}

static bool nics(const struct scenario *sc, struct sim *s, const uint32_t *numbers,
                 struct problem *problem) {
    for (uint32_t i = 0; i < sc->nic_count; i++) {
        const struct scenario_nic *n = &sc->nics[i];
        struct sim_host_options o = n->options;
        struct link_config c[2];
        uint32_t nic;
        int err = 0;
        o.site = place(o.site, numbers);
        if (n->nat[0]) /* hosts draw the numbers below for themselves */
            err = own_site(n->nat, sim_choice(s, n->host, 1 + sim_nic_count(s, n->host)),
                           place(n->behind, numbers), s, &o);
        const struct sim_nic_options own = {n->name, o.ipv4, o.ipv6, o.site, o.region};
        if (!err)
            err = sim_nic_add(s, n->host, &own, &nic);
        if (err)
            return fail(problem, n->at, "nic %s: %s", n->name, err_text(err));
        sim_nic_link_get(s, n->host, nic, c);
        link_patch_apply(&n->link, SIM_UP, &c[SIM_UP]);
        link_patch_apply(&n->link, SIM_DOWN, &c[SIM_DOWN]);
        sim_nic_link_set(s, n->host, nic, c);
    }
    return true;
}

/* ---- contacts ---- */

static bool pair(struct sim *s, const struct scenario_graph *g, uint32_t a, uint32_t b,
                 struct problem *problem) {
    uint32_t known = 0;
    const uint32_t *contacts = sim_contacts(s, a, &known);
    for (uint32_t i = 0; i < known; i++)
        if (contacts[i] == b)
            return true;
    const int err = a == b ? 0 : sim_pair(s, a, b);
    return err == 0 || fail(problem, g->at, "%s and %s do not become contacts: %s",
                            world_name(&s->world, a), world_name(&s->world, b), err_text(err));
}

/* Everybody with everybody of the set, or of the other set. */
static bool pair_all(struct sim *s, const struct scenario_graph *g, struct problem *problem) {
    for (uint32_t i = 0; i < g->set.count; i++) {
        const bool within = g->with.count == 0;
        const struct host_set *others = within ? &g->set : &g->with;
        for (uint32_t k = within ? i + 1 : 0; k < others->count; k++)
            if (!pair(s, g, g->set.hosts[i], others->hosts[k], problem))
                return false;
    }
    return true;
}

/* A circulant graph: everyone with those so many places further on around the circle, for drawn
 * distances, so that each has exactly `degree` contacts (one fewer in all for an odd degree of an
 * odd number of hosts). */
static bool pair_circle(struct sim *s, const struct scenario_graph *g, struct problem *problem) {
    const uint32_t n = g->set.count;
    uint32_t distances[256], count = 0;
    for (uint64_t tries = 0; count < g->degree / 2 && tries < 100000; tries++) {
        const uint32_t d =
            1 + (uint32_t)draw_below(sim_choice(s, g->set.hosts[0], g->id + tries), (n - 1) / 2);
        bool is_new = 2 * d != n;
        for (uint32_t i = 0; i < count; i++)
            is_new = is_new && distances[i] != d;
        if (is_new)
            distances[count++] = d;
    }
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < n; i++)
            if (!pair(s, g, g->set.hosts[i], g->set.hosts[(i + distances[k]) % n], problem))
                return false;
    for (uint32_t i = 0; g->degree % 2 == 1 && i < n / 2; i++)
        if (!pair(s, g, g->set.hosts[i], g->set.hosts[i + n / 2], problem))
            return false;
    return true;
}

static bool pair_each(struct sim *s, const struct scenario_graph *g, struct problem *problem) {
    for (uint32_t i = 0; i < g->set.count; i++)
        if (!pair(s, g, g->set.hosts[i], g->with.hosts[i], problem))
            return false;
    return true;
}

static bool pair_with(struct sim *s, const struct scenario_graph *g, struct problem *problem) {
    for (uint32_t i = 0; i < g->set.count; i++)
        for (uint64_t k = 0; k < g->degree; k++) {
            const uint64_t drawn = sim_choice(s, g->set.hosts[i], g->id + k);
            if (!pair(s, g, g->set.hosts[i], g->with.hosts[draw_below(drawn, g->with.count)],
                      problem))
                return false;
        }
    return true;
}

static bool contacts(const struct scenario *sc, struct sim *s, struct problem *problem) {
    for (uint32_t i = 0; i < sc->graph_count; i++) {
        const struct scenario_graph *g = &sc->graphs[i];
        const bool ok = g->each             ? pair_each(s, g, problem)
                        : g->degree == 0    ? pair_all(s, g, problem)
                        : g->with.count > 0 ? pair_with(s, g, problem)
                                            : pair_circle(s, g, problem);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- loads ---- */

/* Those of the set that take part; a share is drawn once. */
static uint32_t *chosen(const struct sim *s, const struct host_set *set, uint64_t number,
                        uint32_t *count) {
    uint32_t *list = mem_calloc(set->count + 1, sizeof *list);
    if (!list)
        abort();
    *count = 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (!set->has_share || draw_chance(sim_choice(s, set->hosts[i], number), set->share_ppb))
            list[(*count)++] = set->hosts[i];
    return list;
}

static void loads(const struct scenario *sc, struct sim *s) {
    for (uint32_t i = 0; i < sc->load_count; i++) {
        const struct scenario_load *x = &sc->loads[i];
        struct load l = x->load;
        l.hosts = chosen(s, &x->from, l.id, &l.host_count);
        l.targets = chosen(s, &x->to, l.id + 1, &l.target_count);
        if (x->to.count > 0 && l.target_count == 0)
            l.host_count = 0; /* nobody is left to do it with */
        loads_add(&s->loads, &l);
    }
}

bool build_world(const struct scenario *sc, struct sim *s, uint32_t *numbers,
                 struct problem *problem) {
    if (!regions(sc, &s->sites, problem) || !sites(sc, s, numbers, problem) ||
        !hosts(sc, s, numbers, problem) || !nics(sc, s, numbers, problem) ||
        !contacts(sc, s, problem))
        return false;
    loads(sc, s);
    return true;
}
