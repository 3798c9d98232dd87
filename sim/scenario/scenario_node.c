/* scenario_node.c: who there is: nodes and groups; and who knows whom. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/scenario_int.h"

/* ---- names: "a", "n[1..8]", a group, "all"; each also with a share, like "home:25%" ---- */

struct span_of_names { /* what a word stands for: prefix + first..last, or just prefix */
    char prefix[SIM_NAME_MAX + 1];
    bool numbered;
    unsigned long first, last;
};

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

static bool read_names(struct parser *p, const struct word *w, struct span_of_names *out) {
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

static void name_at(const struct span_of_names *n, unsigned long i,
                    char out[static SIM_NAME_MAX + 1]) {
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

static bool is_taken(const struct scenario *sc, const char *name) {
    return strcmp(name, "all") == 0 || strcmp(name, "contacts") == 0 || strcmp(name, "to") == 0 ||
           strcmp(name, "with") == 0 || find_group(sc, name) ||
           scenario_find_host(sc, name) != SIM_NO_HOST;
}

static bool add_host(struct parser *p, const struct word *w, const char *name) {
    struct scenario *sc = p->sc;
    if (is_taken(sc, name))
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
    if (set->count == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 8;
        set->hosts = realloc(set->hosts, set->cap * sizeof *set->hosts);
        if (!set->hosts)
            abort();
    }
    set->hosts[set->count++] = host;
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
    if (!read_names(p, &w, &names))
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

/* ---- nodes and groups ---- */

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
static bool read_option(struct parser *p, const struct word *w, struct scenario_host *h) {
    static const char *const ccs[] = {"cubic", "reno", "bbr"}, *const ips[] = {"4", "6", "dual"},
                             *const aeads[] = {"all", "chacha"}, *const dials[] = {"yes", "no"};
    const char *v;
    unsigned i;
    struct sim_host_options *o = &h->options;
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
                      "udp=yes|no|SHARE dials=yes|no nat=KIND site=NAME behind=SITE region=NAME");
}

/* The options, which may stand anywhere among the names, are for all of them. */
static bool read_options(struct parser *p, uint32_t first) {
    struct scenario_host model = {.behind = SITE_NONE};
    model.options = (struct sim_host_options){
        .cc = CC_BBR, .ipv4 = true, .site = SITE_NONE, .region = SITE_NONE};
    for (size_t i = 0; i < p->lexer.count; i++)
        if (strchr(p->lexer.words[i].text, '=') && !read_option(p, &p->lexer.words[i], &model))
            return false;
    if (model.options.site != SITE_NONE && model.nat[0])
        return parse_fail(p, p->lexer.words[0].at, "a node has a site or a NAT of its own");
    if (model.behind != SITE_NONE && !model.nat[0])
        return parse_fail(p, p->lexer.words[0].at, "behind= goes with nat=");
    if (scenario_site_depth(p->sc, model.behind) >= SITE_DEPTH_MAX)
        return parse_fail(p, p->lexer.words[0].at, "at most %d sites stand behind one another",
                          SITE_DEPTH_MAX);
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
        if (!read_names(p, w, &names))
            return false;
        for (unsigned long i = names.first; i <= names.last; i++) {
            name_at(&names, i, name);
            if (!add_host(p, w, name))
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
    if (!w || !read_names(p, w, &names) || !parse_quantity(p, QUANTITY_COUNT, "how many", &count))
        return false;
    if (names.numbered || is_taken(sc, names.prefix))
        return parse_fail(p, w->at, "'%.60s' is no new name", w->text);
    if (count == 0 || count > SIM_HOSTS_MAX)
        return parse_fail(p, w->at, "a group has 1 to %d nodes", SIM_HOSTS_MAX);
    const uint32_t first = sc->host_count;
    names.numbered = true;
    for (unsigned long i = 1; i <= count; i++) {
        char name[SIM_NAME_MAX + 1];
        name_at(&names, i, name);
        if (!add_host(p, w, name))
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

/* ---- contacts ---- */

/* Whether there are two different nodes that it is about. */
static bool make_pairs(const struct scenario_graph *g) {
    const struct host_set *others = g->with.count > 0 ? &g->with : &g->set;
    for (uint32_t i = 0; i < others->count; i++)
        if (g->set.count > 0 && others->hosts[i] != g->set.hosts[0])
            return true;
    return g->with.count > 0 && g->set.count > 1;
}

static bool has_twins(const struct scenario *sc, const struct host_set *set) {
    bool *seen = calloc(sc->host_count + 1, sizeof *seen);
    bool twins = false;
    if (!seen)
        abort();
    for (uint32_t i = 0; i < set->count; i++) {
        twins = twins || seen[set->hosts[i]];
        seen[set->hosts[i]] = true;
    }
    free(seen);
    return twins;
}

/* contacts SET... [with SET...] [degree=N] */
bool parse_contacts(struct parser *p) {
    struct scenario *sc = p->sc;
    const struct word *w, *first = parse_peek(p);
    sc->graphs = scenario_room(sc->graphs, sc->graph_count, &sc->graph_cap, sizeof *sc->graphs);
    struct scenario_graph *g = &sc->graphs[sc->graph_count++];
    *g = (struct scenario_graph){.at = p->lexer.words[0].at, .id = parse_id(p, p->lexer.words)};
    bool with = false;
    while ((w = parse_peek(p))) {
        uint64_t n;
        const char *v = parse_key(w, "degree");
        p->next++;
        if (v) {
            if (!parse_value(p, w, v, QUANTITY_COUNT, &n))
                return false;
            if (n == 0 || n > 256)
                return parse_fail(p, w->at, "a degree is 1 to 256");
            g->degree = (uint32_t)n;
        } else if (strcmp(w->text, "with") == 0 && !with) {
            with = true;
        } else if (!parse_hosts(p, w, with ? &g->with : &g->set)) {
            return false;
        } else if (g->set.has_share || g->with.has_share) {
            return parse_fail(p, w->at, "contacts are whole sets, without a share");
        }
    }
    if (!first || (with && g->with.count == 0) || !make_pairs(g))
        return parse_fail(p, g->at, "contacts are two or more nodes");
    if (has_twins(sc, &g->set) || has_twins(sc, &g->with))
        return parse_fail(p, g->at, "a node is there twice");
    if (g->degree > 0 && !with && g->degree >= g->set.count)
        return parse_fail(p, g->at, "so many contacts need more nodes");
    return true;
}
