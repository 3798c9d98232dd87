/* scenario_node.c: who there is: nodes and groups. */
#include <stdio.h>
#include <string.h>

#include "sim/scenario/scenario_int.h"

static bool choose(const char *value, const char *const *words, unsigned count, unsigned *out) {
    for (unsigned i = 0; i < count; i++)
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool read_nat(struct parser *p, const struct word *w, const char *value,
                     char out[static NAT_TEXT_MAX + 1]) {
    struct nat_config cfg;
    const char *wrong = nat_mix_known(value) ? NULL : nat_config_read(&cfg, value);
    if (!wrong && strlen(value) > NAT_TEXT_MAX)
        wrong = "too long";
    if (wrong)
        return parse_fail(p, w->at, "nat=%.60s: %s", value, wrong);
    (void)snprintf(out, NAT_TEXT_MAX + 1, "%s", value);
    return true;
}

/* One key=value of a node or group. */
bool parse_node_option(struct parser *p, const struct word *w, struct scenario_host *h) {
    static const char *const ccs[] = {"cubic", "reno", "bbr"}, *const ips[] = {"4", "6", "dual"},
                             *const aeads[] = {"all", "chacha"}, *const dials[] = {"yes", "no"};
    const char *v;
    unsigned i;
    bool used;
    struct sim_host_options *o = &h->options;
    if (!parse_relay_option(p, w, o, &used) || used)
        return p->lexer.problem.at.line == 0;
    if ((v = parse_key(w, "cc")) && choose(v, ccs, 3, &i)) {
        o->cc = (enum cc_kind)i; /* in the order of the enum */
        return true;
    }
    if ((v = parse_key(w, "ip")) && choose(v, ips, 3, &i)) {
        o->ipv4 = i != 1;
        o->ipv6 = i != 0;
        return true;
    }
    if ((v = parse_key(w, "aead")) && choose(v, aeads, 2, &i)) {
        o->suites = i == 0 ? 0 : AEAD_CHACHA20_POLY1305;
        return true;
    }
    if ((v = parse_key(w, "dials")) && choose(v, dials, 2, &i)) {
        o->lazy = i == 1;
        return true;
    }
    if ((v = parse_key(w, "udp"))) {
        uint64_t ppb = strcmp(v, "no") == 0 ? 0 : DRAW_ALWAYS_PPB;
        if (strcmp(v, "no") != 0 && strcmp(v, "yes") != 0 &&
            !parse_value(p, w, v, QUANTITY_CHANCE, &ppb))
            return false;
        h->no_udp_ppb = (uint32_t)(DRAW_ALWAYS_PPB - ppb);
        return true;
    }
    if ((v = parse_key(w, "nat")))
        return read_nat(p, w, v, h->nat);
    if ((v = parse_key(w, "site")))
        return parse_site_name(p, w, v, &o->site);
    if ((v = parse_key(w, "behind")))
        return parse_site_name(p, w, v, &h->behind);
    if ((v = parse_key(w, "region")))
        return parse_region_name(p, w, v, &o->region);
    return parse_fail(p, w->at,
                      "nodes have: cc=cubic|reno|bbr ip=4|6|dual aead=all|chacha "
                      "udp=yes|no|SHARE dials=yes|no relay=yes|no relays=HOST,... "
                      "relay_capacity|rate|quota|flows|prefix=N path=auto|relay_only|direct_only "
                      "nat=KIND site=NAME behind=SITE "
                      "region=NAME");
}

bool parse_place_check(struct parser *p, const struct scenario_host *h) {
    const struct place at = p->lexer.words[0].at;
    if (h->options.site != SITE_NONE && h->nat[0])
        return parse_fail(p, at, "a node has a site or a NAT of its own");
    if (h->options.serves && (h->options.site != SITE_NONE || h->nat[0]))
        return parse_fail(p, at, "a relay stands on the internet, behind no NAT");
    if (h->behind != SITE_NONE && !h->nat[0])
        return parse_fail(p, at, "behind= goes with nat=");
    return scenario_site_depth(p->sc, h->behind) < SITE_DEPTH_MAX ||
           parse_fail(p, at, "at most %d sites stand behind one another", SITE_DEPTH_MAX);
}

/* The options, which may stand anywhere among the names, are for all of them. */
static bool read_options(struct parser *p, uint32_t first) {
    struct scenario_host model = {.behind = SITE_NONE};
    model.options = (struct sim_host_options){
        .cc = CC_BBR, .ipv4 = true, .site = SITE_NONE, .region = SITE_NONE};
    for (size_t i = 0; i < p->lexer.count; i++)
        if (strchr(p->lexer.words[i].text, '=') &&
            !parse_node_option(p, &p->lexer.words[i], &model))
            return false;
    if (!parse_place_check(p, &model))
        return false;
    for (uint32_t i = first; i < p->sc->host_count; i++) {
        struct scenario_host *h = &p->sc->hosts[i];
        h->options = model.options;
        h->no_udp_ppb = model.no_udp_ppb;
        h->behind = model.behind;
        memcpy(h->nat, model.nat, sizeof h->nat);
    }
    return true;
}

bool parse_node(struct parser *p) {
    const uint32_t first = p->sc->host_count;
    while (p->next < p->lexer.count) {
        const struct word *w = &p->lexer.words[p->next++];
        struct span_of_names names;
        char name[SIM_NAME_MAX + 1];
        if (strchr(w->text, '='))
            continue;
        if (!parse_names(p, w, &names))
            return false;
        for (unsigned long i = names.first; i <= names.last; i++) {
            name_at(&names, i, name);
            if (!scenario_add_host(p, w, name))
                return false;
        }
    }
    if (p->sc->host_count == first)
        return parse_word(p, "a name") != NULL;
    return read_options(p, first);
}

/* group NAME COUNT KEY=VALUE...: hosts NAME1 .. NAMECOUNT; NAME stands for them all. */
bool parse_group(struct parser *p) {
    struct scenario *sc = p->sc;
    const struct word *w = parse_word(p, "a name");
    struct span_of_names names;
    uint64_t count;
    if (!w || !parse_names(p, w, &names) || !parse_quantity(p, QUANTITY_COUNT, "how many", &count))
        return false;
    if (names.numbered || scenario_is_taken(sc, names.prefix))
        return parse_fail(p, w->at, "'%.60s' is no new name", w->text);
    if (count == 0 || count > SIM_HOSTS_MAX)
        return parse_fail(p, w->at, "a group has 1 to %d nodes", SIM_HOSTS_MAX);
    const uint32_t first = sc->host_count;
    names.numbered = true;
    for (unsigned long i = 1; i <= count; i++) {
        char name[SIM_NAME_MAX + 1];
        name_at(&names, i, name);
        if (!scenario_add_host(p, w, name))
            return false;
        memcpy(sc->hosts[sc->host_count - 1].group, names.prefix, sizeof names.prefix);
    }
    sc->groups = scenario_room(sc->groups, sc->group_count, &sc->group_cap, sizeof *sc->groups);
    struct scenario_group *g = &sc->groups[sc->group_count++];
    g->first = first;
    g->count = (uint32_t)count;
    memcpy(g->name, names.prefix, sizeof g->name);
    while ((w = parse_peek(p)) && strchr(w->text, '='))
        p->next++;
    return parse_end(p) && read_options(p, first);
}
