/* scenario_nic.c: interfaces that hosts have beside their first. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/scenario/scenario_int.h"

bool parse_nic_name(struct parser *p, const struct word *w, const char *name,
                    char out[static NIC_NAME_MAX + 1]) {
    const size_t len = strlen(name);
    bool ok = len > 0 && len <= NIC_NAME_MAX;
    for (size_t i = 0; i < len; i++)
        ok = ok && (isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '-');
    if (!ok)
        return parse_fail(p, w->at, "'%.60s' is not an interface's name", name);
    memcpy(out, name, len + 1);
    return true;
}

const struct scenario_nic *scenario_find_nic(const struct scenario *sc, uint32_t host,
                                             const char *name) {
    for (uint32_t i = 0; i < sc->nic_count; i++)
        if (sc->nics[i].host == host && strcmp(sc->nics[i].name, name) == 0)
            return &sc->nics[i];
    return NULL;
}

static bool add(struct parser *p, const struct scenario_nic *model, uint32_t host) {
    struct scenario *sc = p->sc;
    uint32_t has = 1;
    for (uint32_t i = 0; i < sc->nic_count; i++)
        has += sc->nics[i].host == host;
    if (scenario_find_nic(sc, host, model->name))
        return parse_fail(p, model->at, "%s has an interface '%s' already", sc->hosts[host].name,
                          model->name);
    if (has >= HOST_NICS_MAX)
        return parse_fail(p, model->at, "%s would have more than %d interfaces",
                          sc->hosts[host].name, HOST_NICS_MAX);
    sc->nics = scenario_room(sc->nics, sc->nic_count, &sc->nic_cap, sizeof *sc->nics);
    sc->nics[sc->nic_count] = *model;
    sc->nics[sc->nic_count++].host = host;
    return true;
}

/* Where it is, as of a node, or what its link is like. */
static bool read_option(struct parser *p, const struct word *w, struct scenario_host *place,
                        struct link_patch *link) {
    static const char *const keys[] = {"ip", "nat", "site", "behind", "region"};
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
        if (parse_key(w, keys[i]))
            return parse_node_option(p, w, place);
    const char *wrong = link_patch_read(link, w->text);
    return !wrong || parse_fail(p, w->at, "'%.60s': %s", w->text, wrong);
}

/* nic NAME HOSTS... [KEY=VALUE...] */
bool parse_nic(struct parser *p) {
    struct scenario_nic model = {.at = p->lexer.words[0].at};
    struct scenario_host place = {.behind = SITE_NONE};
    struct host_set set = {0};
    place.options = (struct sim_host_options){.ipv4 = true, .site = SITE_NONE, .region = SITE_NONE};
    const struct word *w = parse_word(p, "a name");
    bool ok = w && parse_nic_name(p, w, w->text, model.name);
    while (ok && (w = parse_peek(p))) {
        p->next++;
        ok =
            strchr(w->text, '=') ? read_option(p, w, &place, &model.link) : parse_hosts(p, w, &set);
    }
    if (ok && set.has_share)
        ok = parse_fail(p, model.at, "who has an interface is not drawn");
    if (ok && set.count == 0)
        ok = parse_word(p, "a node's name") != NULL;
    ok = ok && parse_place_check(p, &place);
    model.options = place.options;
    model.behind = place.behind;
    memcpy(model.nat, place.nat, sizeof model.nat);
    for (uint32_t i = 0; ok && i < set.count; i++)
        ok = add(p, &model, set.hosts[i]);
    host_set_clear(&set);
    return ok;
}

bool parse_which_nic(struct parser *p, const struct word *w, const char *name, struct action *a) {
    if (!parse_nic_name(p, w, name, a->nic))
        return false;
    for (uint32_t i = 0; i < a->from.count; i++)
        if (!scenario_find_nic(p->sc, a->from.hosts[i], a->nic))
            return parse_fail(p, w->at, "%s has no interface '%s'",
                              p->sc->hosts[a->from.hosts[i]].name, a->nic);
    return true;
}
