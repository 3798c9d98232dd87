/* scenario_act.c: the actions: what happens, and to whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/scenario/scenario_int.h"

enum { MESSAGE_BYTES = 100, MAP_LEASE_S = 3600 };

/* What follows an action's name. */
enum shape {
    SHAPE_NONE,
    SHAPE_HOSTS, /* hosts, then options */
    SHAPE_PAIRS, /* hosts, hosts (or "contacts"), then options */
    SHAPE_KEYS,  /* hosts and key=value, mixed */
    SHAPE_SITES, /* sites, then options */
};

static const struct verb {
    const char *name;
    enum shape shape;
    bool setup; /* also without a time */
} verbs[ACTIONS] = {
    [ACT_LINK] = {"link", SHAPE_KEYS, true},
    [ACT_DISK] = {"disk", SHAPE_KEYS, true},
    [ACT_CONNECT] = {"connect", SHAPE_PAIRS, false},
    [ACT_PING] = {"ping", SHAPE_PAIRS, false},
    [ACT_TRANSFER] = {"transfer", SHAPE_PAIRS, false},
    [ACT_MESSAGE] = {"message", SHAPE_PAIRS, false},
    [ACT_PAIR] = {"pair", SHAPE_PAIRS, false},
    [ACT_CUT] = {"cut", SHAPE_PAIRS, false},
    [ACT_CLOG] = {"clog", SHAPE_PAIRS, false},
    [ACT_HEAL] = {"heal", SHAPE_NONE, false},
    [ACT_ROAM] = {"roam", SHAPE_HOSTS, false},
    [ACT_REBIND] = {"rebind", SHAPE_HOSTS, false},
    [ACT_KILL] = {"kill", SHAPE_HOSTS, false},
    [ACT_POWERCUT] = {"powercut", SHAPE_HOSTS, false},
    [ACT_DIE] = {"die", SHAPE_HOSTS, false},
    [ACT_STORE] = {"store", SHAPE_HOSTS, true},
    [ACT_STEAL] = {"steal", SHAPE_PAIRS, false},
    [ACT_STOP] = {"stop", SHAPE_HOSTS, false},
    [ACT_START] = {"start", SHAPE_HOSTS, false},
    [ACT_WIPE] = {"wipe", SHAPE_HOSTS, false},
    [ACT_SUSPEND] = {"suspend", SHAPE_HOSTS, false},
    [ACT_STALL] = {"stall", SHAPE_HOSTS, false},
    [ACT_RESUME] = {"resume", SHAPE_HOSTS, false},
    [ACT_CLOCK] = {"clock", SHAPE_HOSTS, true},
    [ACT_MOVE] = {"move", SHAPE_HOSTS, false},
    [ACT_REBOOT] = {"reboot", SHAPE_SITES, false},
    [ACT_GATEWAY] = {"gateway", SHAPE_SITES, false},
    [ACT_MAP] = {"map", SHAPE_HOSTS, false},
    [ACT_HOSTILE] = {"hostile", SHAPE_HOSTS, true},
    [ACT_LOSE] = {"lose", SHAPE_HOSTS, true},
    [ACT_CROWD] = {"crowd", SHAPE_SITES, false},
    [ACT_DOWN] = {"down", SHAPE_HOSTS, false},
    [ACT_UP] = {"up", SHAPE_HOSTS, false},
    [ACT_PATH] = {"path", SHAPE_HOSTS, false},
    [ACT_MARK] = {"mark", SHAPE_NONE, false},
};

const char *action_name(enum action_kind k) {
    return verbs[k].name;
}

struct action *scenario_add_action(struct scenario *sc) {
    grow(&sc->actions, &sc->action_cap, sc->action_count + 1, sizeof *sc->actions);
    struct action *a = &sc->actions[sc->action_count++];
    *a = (struct action){.site = SITE_NONE};
    return a;
}

/* ---- shapes ---- */

static bool parse_keys(struct parser *p, struct action *a) {
    bool any = false;
    const struct word *w;
    while ((w = parse_peek(p))) {
        p->next++;
        if (!strchr(w->text, '=')) {
            if (any)
                return parse_fail(p, w->at, "key=value is expected");
            if (!parse_hosts(p, w, &a->from))
                return false;
            continue;
        }
        const char *nic = a->kind == ACT_LINK ? parse_key(w, "nic") : NULL;
        if (nic && !parse_which_nic(p, w, nic, a))
            return false;
        if (nic)
            continue;
        const char *wrong = a->kind == ACT_LINK ? link_patch_read(&a->link, w->text)
                                                : disk_patch_read(&a->disk, w->text);
        if (wrong)
            return parse_fail(p, w->at, "'%.60s': %s", w->text, wrong);
        any = true;
    }
    if (a->from.count == 0)
        return parse_word(p, "a node's name") != NULL;
    return any || parse_word(p, "KEY=VALUE") != NULL;
}

static bool number_follows(const struct parser *p) {
    const struct word *w = parse_peek(p);
    return w && strcmp(w->text, "may") != 0 && strcmp(w->text, "each") != 0 &&
           strcmp(w->text, "if-up") != 0;
}

static bool parse_message_size(struct parser *p, struct action *a) {
    a->amount = 1;
    a->size = MESSAGE_BYTES;
    if (number_follows(p) && !parse_quantity(p, QUANTITY_COUNT, "how many", &a->amount))
        return false;
    if (number_follows(p) && !parse_quantity(p, QUANTITY_BYTES, "a size", &a->size))
        return false;
    if (a->amount == 0)
        return parse_fail(p, a->at, "no message at all is none");
    return a->size <= MESSAGE_MAX_BYTES
               ? true
               : parse_fail(p, a->at, "messages have at most %d bytes", MESSAGE_MAX_BYTES);
}

/* steal THIEF USER GIVER */
static bool parse_giver(struct parser *p, struct action *a) {
    const struct word *w = parse_word(p, "whose ticket it was");
    a->giver = w ? scenario_find_host(p->sc, w->text) : SIM_NO_HOST;
    return a->giver != SIM_NO_HOST ||
           (w && parse_fail(p, w->at, "there is no node '%.60s'", w->text));
}

static bool parse_pairs(struct parser *p, struct action *a) {
    if (!parse_hosts(p, parse_word(p, "a node's name"), &a->from))
        return false;
    const struct word *w = parse_word(p, "another node's name");
    if (w && strcmp(w->text, "contacts") == 0 && a->kind != ACT_CUT && a->kind != ACT_CLOG &&
        a->kind != ACT_PAIR && a->kind != ACT_STEAL)
        a->to_contacts = true;
    else if (!parse_hosts(p, w, &a->to))
        return false;
    if (a->from.count == 1 && a->to.count == 1 && a->from.hosts[0] == a->to.hosts[0])
        return parse_fail(p, a->at, "two different nodes are needed");
    if (a->kind == ACT_STEAL && !parse_giver(p, a))
        return false;
    if (a->kind == ACT_TRANSFER && !parse_quantity(p, QUANTITY_BYTES, "a size", &a->size))
        return false;
    if (a->kind == ACT_MESSAGE && !parse_message_size(p, a))
        return false;
    if (!parse_options(p, a))
        return false;
    if (a->each && (a->from.count != a->to.count || a->from.has_share || a->to.has_share))
        return parse_fail(p, a->at, "each goes with as many others, whole sets");
    return a->kind != ACT_CLOG || a->for_ns > 0 ||
           parse_fail(p, a->at, "a clog needs to end: for=TIME");
}

/* An option: it has '=' or '(', or is one of the words that are. */
static bool is_option(const struct action *a, const struct word *w) {
    static const char *const words[] = {"honest", "forge", "up", "down", "move", "may", "power"};
    if (strpbrk(w->text, "=("))
        return true;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(w->text, words[i]) == 0)
            return true;
    enum path_policy path;
    if (a->kind == ACT_PATH)
        return scenario_path_policy(w->text, &path);
    if (a->kind == ACT_CROWD) /* a number is how many; a name may not be one */
        return w->text[strspn(w->text, "0123456789")] == '\0';
    return a->kind == ACT_LOSE && a->from.count > 0;
}

static bool parse_host_list(struct parser *p, struct action *a) {
    do
        if (!parse_hosts(p, parse_word(p, "a node's name"), &a->from))
            return false;
    while (p->next < p->lexer.count && !is_option(a, parse_peek(p)));
    if ((a->kind == ACT_CLOCK || a->kind == ACT_HOSTILE) && !parse_peek(p))
        return parse_word(p, a->kind == ACT_CLOCK ? "jump=TIME or drift=PPM" : "a plan or honest");
    if (a->kind == ACT_MAP)
        a->amount = MAP_LEASE_S * SIM_S;
    if (!parse_options(p, a))
        return false;
    if (a->kind == ACT_MOVE && !a->move)
        return parse_fail(p, a->at, "where to is missing: site=SITE or site=internet");
    if (a->kind == ACT_PATH && !a->has_path)
        return parse_fail(p, a->at, "path NAME... auto|relay_only|direct_only");
    return a->kind != ACT_LOSE || a->packet_count > 0 ||
           parse_fail(p, a->at, "lose NAME up|down NUMBER...");
}

/* Hosts stand for the NATs they are behind. */
static bool parse_behind(struct parser *p, const struct word *w, struct action *a) {
    const uint32_t first = a->from.count;
    bool any = false;
    if (!parse_hosts(p, w, &a->from))
        return false;
    for (uint32_t i = first; i < a->from.count; i++) {
        const struct scenario_host *h = &p->sc->hosts[a->from.hosts[i]];
        any = any || h->options.site != SITE_NONE || h->nat[0];
    }
    return any || parse_fail(p, w->at, "'%.60s' is no site, and behind no NAT", w->text);
}

static bool parse_site_list(struct parser *p, struct action *a) {
    const struct word *w;
    do {
        uint32_t site;
        w = parse_word(p, "a site's name");
        if (!w)
            return false;
        if (a->kind != ACT_GATEWAY && !scenario_has_site(p->sc, w->text)) {
            if (!parse_behind(p, w, a))
                return false;
            continue;
        }
        if (!parse_site_name(p, w, w->text, &site))
            return false;
        grow(&a->sites, &a->site_cap, a->site_count + 1, sizeof *a->sites);
        a->sites[a->site_count++] = site;
    } while (a->kind != ACT_GATEWAY && (w = parse_peek(p)) && !is_option(a, w));
    if (a->kind == ACT_CROWD)
        a->amount = UINT32_MAX;
    if (a->kind == ACT_GATEWAY && !parse_peek(p))
        return parse_word(p, "how the gateway behaves") != NULL;
    return parse_options(p, a);
}

bool parse_action(struct parser *p, const struct word *verb, struct action *a) {
    unsigned k = 0;
    while (k < ACTIONS && (!verbs[k].name || strcmp(verbs[k].name, verb->text) != 0))
        k++;
    if (k == ACTIONS)
        return parse_fail(
            p, verb->at,
            "unknown action '%.60s'; there are: link disk connect ping transfer "
            "message pair steal cut clog heal roam move rebind kill powercut die store stop start "
            "wipe suspend stall resume clock reboot crowd gateway map hostile lose down up path "
            "mark",
            verb->text);
    a->kind = (enum action_kind)k;
    a->at = verb->at;
    a->id = parse_id(p, verb);
    if (a->setup && !verbs[k].setup)
        return parse_fail(p, verb->at, "'%s' needs a time: at TIME %s", verb->text, verb->text);
    switch (verbs[k].shape) {
    case SHAPE_NONE:
        return parse_end(p);
    case SHAPE_HOSTS:
        return parse_host_list(p, a);
    case SHAPE_PAIRS:
        return parse_pairs(p, a);
    case SHAPE_KEYS:
        return parse_keys(p, a);
    case SHAPE_SITES:
        return parse_site_list(p, a);
    }
    return false;
}
