/* scenario_act.c: names of nodes, and the actions. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario_int.h"

enum { MESSAGE_BYTES = 100 };

static const struct verb {
    const char *name;
    bool setup_only, pairs, keyed; /* only before the start; takes two names; takes keys */
} verbs[ACTIONS] = {
    [ACT_LINK] = {.name = "link", .keyed = true},
    [ACT_DISK] = {.name = "disk", .keyed = true},
    [ACT_CONTACTS] = {.name = "contacts", .setup_only = true},
    [ACT_CONNECT] = {.name = "connect", .pairs = true},
    [ACT_PING] = {.name = "ping", .pairs = true},
    [ACT_TRANSFER] = {.name = "transfer", .pairs = true},
    [ACT_MESSAGE] = {.name = "message", .pairs = true},
    [ACT_PAIR] = {.name = "pair", .pairs = true},
    [ACT_CUT] = {.name = "cut", .pairs = true},
    [ACT_HEAL] = {.name = "heal"},
    [ACT_ROAM] = {.name = "roam"},
    [ACT_REBIND] = {.name = "rebind"},
    [ACT_KILL] = {.name = "kill"},
    [ACT_STOP] = {.name = "stop"},
    [ACT_START] = {.name = "start"},
};

const char *action_name(enum action_kind k) {
    return verbs[k].name;
}

struct action *scenario_add_action(struct scenario *sc) {
    if (sc->action_count == sc->action_cap) {
        sc->action_cap = sc->action_cap ? sc->action_cap * 2 : 16;
        sc->actions = realloc(sc->actions, sc->action_cap * sizeof *sc->actions);
        if (!sc->actions)
            abort();
    }
    struct action *a = &sc->actions[sc->action_count++];
    *a = (struct action){0};
    return a;
}

/* ---- names: "a", "n[1..8]", "all" ---- */

struct names { /* what a word stands for: prefix + first..last, or just prefix */
    char prefix[SIM_NAME_MAX + 1];
    bool numbered;
    unsigned long first, last;
};

static bool parse_names(struct parser *p, const struct word *w, struct names *out) {
    const size_t len = strcspn(w->text, "[");
    *out = (struct names){0};
    if (len == 0 || len > SIM_NAME_MAX - 6)
        return parse_fail(p, w->at, "'%.60s' is not a node's name", w->text);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)w->text[i]) && w->text[i] != '_' && w->text[i] != '-')
            return parse_fail(p, w->at, "a node's name has letters, digits, '-' and '_' only");
    memcpy(out->prefix, w->text, len);
    if (!w->text[len])
        return true;
    int end = 0;
    out->numbered = true;
    if (sscanf(w->text + len, "[%5lu..%5lu]%n", &out->first, &out->last, &end) != 2 || end == 0 ||
        w->text[len + (size_t)end] || out->first > out->last)
        return parse_fail(p, w->at, "several nodes are written like n[1..8]");
    return true;
}

static void name_at(const struct names *n, unsigned long i, char out[static SIM_NAME_MAX + 1]) {
    if (n->numbered)
        (void)snprintf(out, SIM_NAME_MAX + 1, "%.26s%lu", n->prefix, i);
    else
        (void)snprintf(out, SIM_NAME_MAX + 1, "%s", n->prefix);
}

static uint32_t find_host(const struct scenario *sc, const char *name) {
    for (uint32_t i = 0; i < sc->host_count; i++)
        if (strcmp(sc->hosts[i].name, name) == 0)
            return i;
    return SIM_NO_HOST;
}

static bool add_host(struct parser *p, const struct word *w, const char *name) {
    struct scenario *sc = p->sc;
    if (strcmp(name, "all") == 0 || find_host(sc, name) != SIM_NO_HOST)
        return parse_fail(p, w->at, "the name '%s' is taken", name);
    if (sc->host_count == SIM_HOSTS_MAX)
        return parse_fail(p, w->at, "there are too many nodes");
    if (sc->host_count == sc->host_cap) {
        sc->host_cap = sc->host_cap ? sc->host_cap * 2 : 16;
        sc->hosts = realloc(sc->hosts, sc->host_cap * sizeof *sc->hosts);
        if (!sc->hosts)
            abort();
    }
    struct scenario_host *h = &sc->hosts[sc->host_count++];
    *h = (struct scenario_host){.at = w->at};
    (void)snprintf(h->name, sizeof h->name, "%s", name);
    return true;
}

/* node NAME... [cc=cubic|reno] [ip=4|6] */
bool parse_node(struct parser *p) {
    const uint32_t first = p->sc->host_count;
    struct sim_host_options options = {.cc = CC_CUBIC};
    while (p->next < p->lexer.count) {
        const struct word *w = &p->lexer.words[p->next++];
        struct names names;
        char name[SIM_NAME_MAX + 1];
        if (strcmp(w->text, "cc=cubic") == 0 || strcmp(w->text, "cc=reno") == 0) {
            options.cc = w->text[3] == 'r' ? CC_RENO : CC_CUBIC;
            continue;
        }
        if (strcmp(w->text, "ip=4") == 0 || strcmp(w->text, "ip=6") == 0) {
            options.ipv6 = w->text[3] == '6';
            continue;
        }
        if (strchr(w->text, '='))
            return parse_fail(p, w->at, "nodes have: cc=cubic|reno ip=4|6");
        if (!parse_names(p, w, &names))
            return false;
        for (unsigned long i = names.first; i <= names.last; i++) {
            name_at(&names, i, name);
            if (!add_host(p, w, name))
                return false;
        }
    }
    if (p->sc->host_count == first)
        return parse_word(p, "a name") != NULL;
    for (uint32_t i = first; i < p->sc->host_count; i++)
        p->sc->hosts[i].options = options;
    return true;
}

static void add_to_set(struct host_set *set, uint32_t host) {
    set->hosts = realloc(set->hosts, (set->count + 1) * sizeof *set->hosts);
    if (!set->hosts)
        abort();
    set->hosts[set->count++] = host;
}

static bool parse_hosts(struct parser *p, const struct word *w, struct host_set *set) {
    struct names names;
    char name[SIM_NAME_MAX + 1];
    if (!w)
        return false;
    if (strcmp(w->text, "all") == 0) {
        for (uint32_t i = 0; i < p->sc->host_count; i++)
            add_to_set(set, i);
        return true;
    }
    if (!parse_names(p, w, &names))
        return false;
    for (unsigned long i = names.first; i <= names.last; i++) {
        name_at(&names, i, name);
        const uint32_t host = find_host(p->sc, name);
        if (host == SIM_NO_HOST)
            return parse_fail(p, w->at, "there is no node '%s'", name);
        add_to_set(set, host);
    }
    return true;
}

/* ---- actions ---- */

static bool parse_keys(struct parser *p, struct action *a) {
    bool any = false;
    while (p->next < p->lexer.count) {
        const struct word *w = &p->lexer.words[p->next++];
        if (!strchr(w->text, '=')) {
            if (any)
                return parse_fail(p, w->at, "key=value is expected");
            if (!parse_hosts(p, w, &a->from))
                return false;
            continue;
        }
        const char *wrong = a->kind == ACT_LINK ? link_patch_read(&a->link, w->text)
                                                : disk_patch_read(&a->disk, w->text);
        if (wrong)
            return parse_fail(p, w->at, "'%.60s': %s", w->text, wrong);
        any = true;
    }
    return a->from.count > 0 ? true : parse_word(p, "a node's name") != NULL;
}

static bool parse_message_size(struct parser *p, struct action *a) {
    a->amount = 1;
    a->size = MESSAGE_BYTES;
    if (p->next < p->lexer.count && !parse_quantity(p, QUANTITY_COUNT, "how many", &a->amount))
        return false;
    if (p->next < p->lexer.count && !parse_quantity(p, QUANTITY_BYTES, "a size", &a->size))
        return false;
    return a->size <= MESSAGE_MAX_BYTES
               ? true
               : parse_fail(p, a->at, "messages have at most %d bytes", MESSAGE_MAX_BYTES);
}

static bool parse_pairs(struct parser *p, struct action *a) {
    if (!parse_hosts(p, parse_word(p, "a node's name"), &a->from) ||
        !parse_hosts(p, parse_word(p, "another node's name"), &a->to))
        return false;
    if (a->from.count == 1 && a->to.count == 1 && a->from.hosts[0] == a->to.hosts[0])
        return parse_fail(p, a->at, "two different nodes are needed");
    if (a->kind == ACT_TRANSFER)
        return parse_quantity(p, QUANTITY_BYTES, "a size", &a->size);
    return a->kind == ACT_MESSAGE ? parse_message_size(p, a) : true;
}

bool parse_action(struct parser *p, const struct word *verb, struct action *a) {
    unsigned k = 0;
    while (k < ACTIONS && strcmp(verbs[k].name, verb->text) != 0)
        k++;
    if (k == ACTIONS)
        return parse_fail(p, verb->at,
                          "unknown action '%.60s'; there are: link disk connect ping transfer "
                          "message pair cut heal roam rebind kill stop start",
                          verb->text);
    a->kind = (enum action_kind)k;
    a->at = verb->at;
    if (verbs[k].setup_only && !a->setup)
        return parse_fail(p, verb->at, "'%s' stands without a time: it is before the start",
                          verb->text);
    bool ok = true;
    if (verbs[k].keyed)
        ok = parse_keys(p, a);
    else if (verbs[k].pairs)
        ok = parse_pairs(p, a);
    else if (a->kind != ACT_HEAL) {
        do
            ok = parse_hosts(p, parse_word(p, "a node's name"), &a->from);
        while (ok && p->next < p->lexer.count);
    }
    if (ok && a->kind == ACT_CONTACTS && a->from.count < 2)
        return parse_fail(p, verb->at, "contacts are two or more nodes");
    return ok && parse_end(p);
}
