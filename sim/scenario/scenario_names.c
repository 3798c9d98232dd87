/* scenario_names.c: names of nodes: "a", "n[1..8]", a group, "all"; each also with a share, like
 * "home:25%". */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/scenario/scenario_int.h"

/* Digits, five at most, after `before`. */
static bool read_number(const char **at, const char *before, unsigned long *out) {
    const size_t skip = strlen(before);
    if (strncmp(*at, before, skip) != 0)
        return false;
    const size_t digits = strspn(*at + skip, "0123456789");
    *out = strtoul(*at + skip, NULL, 10);
    *at += skip + digits;
    return digits > 0 && digits <= 5;
}

bool parse_names(struct parser *p, const struct word *w, struct span_of_names *out) {
    const size_t len = strcspn(w->text, "[");
    *out = (struct span_of_names){0};
    if (len == 0 || len > SIM_NAME_MAX - 6)
        return parse_fail(p, w->at, "'%.60s' is not a node's name", w->text);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)w->text[i]) && w->text[i] != '_' && w->text[i] != '-')
            return parse_fail(p, w->at, "a node's name has letters, digits, '-' and '_' only");
    memcpy(out->prefix, w->text, len);
    if (!w->text[len])
        return true;
    out->numbered = true;
    const char *at = w->text + len;
    if (!read_number(&at, "[", &out->first) || !read_number(&at, "..", &out->last) ||
        strcmp(at, "]") != 0 || out->first > out->last)
        return parse_fail(p, w->at, "several nodes are written like n[1..8]");
    return true;
}

void name_at(const struct span_of_names *n, unsigned long i, char out[static SIM_NAME_MAX + 1]) {
    if (n->numbered)
        (void)snprintf(out, SIM_NAME_MAX + 1, "%.26s%lu", n->prefix, i);
    else
        (void)snprintf(out, SIM_NAME_MAX + 1, "%s", n->prefix);
}

uint32_t scenario_find_host(const struct scenario *sc, const char *name) {
    return names_find(&sc->names, name);
}

static const struct scenario_group *find_group(const struct scenario *sc, const char *name) {
    for (uint32_t i = 0; i < sc->group_count; i++)
        if (strcmp(sc->groups[i].name, name) == 0)
            return &sc->groups[i];
    return NULL;
}

bool scenario_is_taken(const struct scenario *sc, const char *name) {
    return strcmp(name, "all") == 0 || strcmp(name, "contacts") == 0 || strcmp(name, "to") == 0 ||
           strcmp(name, "with") == 0 || strcmp(name, "each") == 0 || find_group(sc, name) ||
           scenario_find_host(sc, name) != SIM_NO_HOST;
}

bool scenario_add_host(struct parser *p, const struct word *w, const char *name) {
    struct scenario *sc = p->sc;
    if (scenario_is_taken(sc, name))
        return parse_fail(p, w->at, "the name '%s' is taken", name);
    if (sc->host_count == SIM_HOSTS_MAX)
        return parse_fail(p, w->at, "there are too many nodes");
    const struct scenario_host *before = sc->hosts;
    sc->hosts = scenario_room(sc->hosts, sc->host_count, &sc->host_cap, sizeof *sc->hosts);
    if (sc->hosts != before) { /* the names have moved with it */
        names_clear(&sc->names);
        for (uint32_t i = 0; i < sc->host_count; i++)
            names_add(&sc->names, sc->hosts[i].name, i);
    }
    struct scenario_host *h = &sc->hosts[sc->host_count];
    *h = (struct scenario_host){.at = w->at, .behind = SITE_NONE};
    (void)snprintf(h->name, sizeof h->name, "%s", name);
    names_add(&sc->names, h->name, sc->host_count++);
    return true;
}

static void add_to_set(struct host_set *set, uint32_t host) {
    grow(&set->hosts, &set->cap, set->count + 1, sizeof *set->hosts);
    set->hosts[set->count++] = host;
}

void host_set_clear(struct host_set *set) {
    mem_free(set->hosts);
    *set = (struct host_set){0};
}

static bool share_of(struct parser *p, struct word *w, struct host_set *set) {
    char *colon = strchr(w->text, ':');
    if (!colon)
        return true;
    uint64_t ppb;
    const char *wrong = quantity_parse(colon + 1, QUANTITY_CHANCE, &ppb);
    if (wrong)
        return parse_fail(p, w->at, "'%.60s': a share is like home:25%%: %s", w->text, wrong);
    if (set->count > 0)
        return parse_fail(p, w->at, "a share stands alone");
    set->has_share = true;
    set->share_ppb = (uint32_t)ppb;
    *colon = '\0';
    return true;
}

bool parse_hosts(struct parser *p, const struct word *word, struct host_set *set) {
    struct span_of_names names;
    char name[SIM_NAME_MAX + 1];
    if (!word)
        return false;
    struct word w = *word;
    if (set->has_share)
        return parse_fail(p, w.at, "a share stands alone");
    if (!share_of(p, &w, set))
        return false;
    const struct scenario_group *g = find_group(p->sc, w.text);
    if (g || strcmp(w.text, "all") == 0) {
        const uint32_t first = g ? g->first : 0, count = g ? g->count : p->sc->host_count;
        for (uint32_t i = 0; i < count; i++)
            add_to_set(set, first + i);
        return true;
    }
    if (!parse_names(p, &w, &names))
        return false;
    for (unsigned long i = names.first; i <= names.last; i++) {
        name_at(&names, i, name);
        const uint32_t host = scenario_find_host(p->sc, name);
        if (host == SIM_NO_HOST)
            return parse_fail(p, w.at, "there is no node '%s'", name);
        add_to_set(set, host);
    }
    return true;
}
