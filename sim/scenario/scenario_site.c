/* scenario_site.c: where nodes are: sites and regions. */
#include <stdio.h>
#include <string.h>

#include "sim/scenario/scenario_int.h"

bool parse_site_name(struct parser *p, const struct word *w, const char *name, uint32_t *out) {
    for (uint32_t i = 0; i < p->sc->site_count; i++)
        if (strcmp(p->sc->sites[i].name, name) == 0) {
            *out = i;
            return true;
        }
    return parse_fail(p, w->at, "there is no site '%.60s'", name);
}

bool scenario_has_site(const struct scenario *sc, const char *name) {
    for (uint32_t i = 0; i < sc->site_count; i++)
        if (strcmp(sc->sites[i].name, name) == 0)
            return true;
    return false;
}

bool parse_region_name(struct parser *p, const struct word *w, const char *name, uint32_t *out) {
    for (uint32_t i = 0; i < p->sc->region_count; i++)
        if (strcmp(p->sc->regions[i], name) == 0) {
            *out = i;
            return true;
        }
    return parse_fail(p, w->at, "there is no region '%.60s'", name);
}

unsigned scenario_site_depth(const struct scenario *sc, uint32_t site) {
    unsigned depth = 0;
    for (; site != SITE_NONE; site = sc->sites[site].parent)
        depth++;
    return depth;
}

/* site NAME nat=KIND [behind=SITE] [region=NAME] [gateway=KIND] [link keys] */
bool parse_site(struct parser *p) {
    struct scenario *sc = p->sc;
    const struct word *w = parse_word(p, "a name");
    if (!w)
        return false;
    if (strlen(w->text) > SITE_NAME_MAX)
        return parse_fail(p, w->at, "the name is too long");
    for (uint32_t i = 0; i < sc->site_count; i++)
        if (strcmp(sc->sites[i].name, w->text) == 0)
            return parse_fail(p, w->at, "the site '%s' is there already", w->text);
    struct scenario_site site = {.at = w->at, .parent = SITE_NONE, .region = SITE_NONE};
    (void)snprintf(site.name, sizeof site.name, "%.32s", w->text);
    while ((w = parse_peek(p))) {
        const char *v, *wrong = NULL;
        p->next++;
        if ((v = parse_key(w, "nat"))) {
            wrong = nat_config_read(&site.nat, v);
            site.has_nat = true;
        } else if ((v = parse_key(w, "behind"))) {
            if (!parse_site_name(p, w, v, &site.parent))
                return false;
        } else if ((v = parse_key(w, "region"))) {
            if (!parse_region_name(p, w, v, &site.region))
                return false;
        } else if ((v = parse_key(w, "gateway"))) {
            wrong = gateway_config_read(&site.gateway, v);
            site.has_gateway = true;
        } else {
            wrong = link_patch_read(&site.link, w->text);
            site.has_link = true;
        }
        if (wrong)
            return parse_fail(p, w->at, "'%.60s': %s", w->text, wrong);
    }
    if (!site.has_nat)
        return parse_fail(p, site.at, "a site needs nat=KIND");
    if (scenario_site_depth(sc, site.parent) >= SITE_DEPTH_MAX)
        return parse_fail(p, site.at, "at most %d sites stand behind one another", SITE_DEPTH_MAX);
    sc->sites = scenario_room(sc->sites, sc->site_count, &sc->site_cap, sizeof *sc->sites);
    sc->sites[sc->site_count++] = site;
    return true;
}

bool parse_region(struct parser *p) {
    struct scenario *sc = p->sc;
    const struct word *w;
    if (!parse_peek(p))
        return parse_word(p, "a name") != NULL;
    while ((w = parse_peek(p))) {
        p->next++;
        for (uint32_t i = 0; i < sc->region_count; i++)
            if (strcmp(sc->regions[i], w->text) == 0)
                return parse_fail(p, w->at, "the region '%s' is there already", w->text);
        if (sc->region_count == REGIONS_MAX || strlen(w->text) > SITE_NAME_MAX)
            return parse_fail(p, w->at, "there are too many regions, or the name is too long");
        (void)snprintf(sc->regions[sc->region_count++], sizeof *sc->regions, "%.32s", w->text);
    }
    return true;
}

/* rtt REGION REGION TIME */
bool parse_rtt(struct parser *p) {
    struct scenario *sc = p->sc;
    struct scenario_rtt r = {0};
    const struct word *a = parse_word(p, "a region"), *b = a ? parse_word(p, "a region") : NULL;
    if (!b || !parse_region_name(p, a, a->text, &r.a) || !parse_region_name(p, b, b->text, &r.b) ||
        !parse_quantity(p, QUANTITY_DURATION, "a time", &r.rtt_ns) || !parse_end(p))
        return false;
    sc->rtts = scenario_room(sc->rtts, sc->rtt_count, &sc->rtt_cap, sizeof *sc->rtts);
    sc->rtts[sc->rtt_count++] = r;
    return true;
}
