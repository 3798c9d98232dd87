/* scenario_act.c: the actions: what happens, and to whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/hclock.h"
#include "sim/scenario_int.h"

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
    *a = (struct action){.site = SITE_NONE};
    return a;
}

/* ---- options ---- */

/* "for=10s": for how long, where something lasts. */
static bool option_for(struct parser *p, const struct word *w, struct action *a, bool *used) {
    const bool lasts = a->kind == ACT_CUT || a->kind == ACT_CLOG || a->kind == ACT_SUSPEND ||
                       a->kind == ACT_STALL || a->kind == ACT_CROWD;
    const char *v = lasts ? parse_key(w, "for") : NULL;
    *used = v != NULL;
    return !v || parse_value(p, w, v, QUANTITY_DURATION, &a->for_ns);
}

/* "-90s", "2h" */
static const char *signed_quantity(const char *text, int64_t per, int64_t *out) {
    uint64_t ns;
    const bool minus = text[0] == '-';
    const char *wrong = quantity_parse(text + minus, QUANTITY_DURATION, &ns);
    if (!wrong && ns > INT64_MAX / 2)
        wrong = "too long";
    if (!wrong)
        *out = minus ? -(int64_t)ns / per : (int64_t)ns / per;
    return wrong;
}

static bool option_clock(struct parser *p, const struct word *w, struct action *a) {
    const char *v, *wrong = "a clock has jump=TIME and drift=PPM";
    if ((v = parse_key(w, "jump"))) {
        wrong = signed_quantity(v, 1000, &a->jump_us);
    } else if ((v = parse_key(w, "drift"))) {
        char *end;
        const double ppm = strtod(v, &end);
        const bool ok = end != v && (*end == '\0' || strcmp(end, "ppm") == 0) &&
                        ppm * 1000 <= HCLOCK_DRIFT_MAX_PPB && ppm * 1000 >= -HCLOCK_DRIFT_MAX_PPB;
        wrong = ok ? NULL : "a drift is in ppm, at most 500000";
        a->drift_ppb = ok ? (int64_t)(ppm * 1000) : 0;
        a->sets_drift = true;
    }
    return wrong ? parse_fail(p, w->at, "'%.60s': %s", w->text, wrong) : true;
}

static bool option_move(struct parser *p, const struct word *w, struct action *a) {
    const char *v = parse_key(w, "site");
    if (!v)
        return parse_fail(p, w->at, "move NAME... site=SITE, or site=internet");
    a->move = true;
    return strcmp(v, "internet") == 0 || parse_site_name(p, w, v, &a->site);
}

static uint32_t find_host(const void *ctx, const char *name) {
    return scenario_find_host(ctx, name);
}

static bool option_hostile(struct parser *p, const struct word *w, struct action *a) {
    if (strcmp(w->text, "honest") == 0)
        return true;
    const char *wrong = hostile_read(&a->plan, w->text, find_host, p->sc);
    return wrong ? parse_fail(p, w->at, "'%.60s': %s", w->text, wrong) : true;
}

static int by_number(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* lose NAME up|down N...: these packets of the link, from 0, are lost. */
static bool option_lose(struct parser *p, const struct word *w, struct action *a) {
    if (!a->directed) {
        a->directed = strcmp(w->text, "up") == 0 || strcmp(w->text, "down") == 0;
        a->direction = w->text[0] == 'u' ? SIM_UP : SIM_DOWN;
        return a->directed || parse_fail(p, w->at, "lose NAME up|down NUMBER...");
    }
    a->packets = realloc(a->packets, (a->packet_count + 1) * sizeof *a->packets);
    if (!a->packets)
        abort();
    if (!parse_value(p, w, w->text, QUANTITY_COUNT, &a->packets[a->packet_count]))
        return false;
    a->packet_count++;
    qsort(a->packets, a->packet_count, sizeof *a->packets, by_number);
    return true;
}

/* Whatever follows the names. */
static bool parse_option(struct parser *p, const struct word *w, struct action *a) {
    bool used;
    const char *v;
    if (!option_for(p, w, a, &used) || used)
        return used && p->lexer.problem.at.line == 0;
    switch (a->kind) {
    case ACT_CLOCK:
        return option_clock(p, w, a);
    case ACT_MOVE:
        return option_move(p, w, a);
    case ACT_HOSTILE:
        return option_hostile(p, w, a);
    case ACT_LOSE:
        return option_lose(p, w, a);
    case ACT_MAP:
        if ((v = parse_key(w, "lease")))
            return parse_value(p, w, v, QUANTITY_DURATION, &a->amount) &&
                   (a->amount % SIM_S == 0 ||
                    parse_fail(p, w->at, "a lease is whole seconds, or 0 to give it up"));
        break;
    case ACT_CUT:
    case ACT_CLOG:
        if (strcmp(w->text, "oneway") == 0)
            return a->oneway = true;
        break;
    case ACT_REBOOT:
        if (strcmp(w->text, "move") == 0)
            return a->move = true;
        break;
    case ACT_CROWD:
        return parse_value(p, w, w->text, QUANTITY_COUNT, &a->amount);
    case ACT_GATEWAY: {
        const char *wrong = gateway_config_read(&a->gateway, w->text);
        return wrong ? parse_fail(p, w->at, "'%.60s': %s", w->text, wrong) : true;
    }
    case ACT_LINK:
    case ACT_DISK:
    case ACT_CONNECT:
    case ACT_PING:
    case ACT_TRANSFER:
    case ACT_MESSAGE:
    case ACT_PAIR:
    case ACT_HEAL:
    case ACT_ROAM:
    case ACT_REBIND:
    case ACT_KILL:
    case ACT_POWERCUT:
    case ACT_STOP:
    case ACT_START:
    case ACT_WIPE:
    case ACT_SUSPEND:
    case ACT_STALL:
    case ACT_RESUME:
    case ACTIONS:
        break;
    }
    return parse_fail(p, w->at, "unexpected '%.60s'", w->text);
}

static bool parse_options(struct parser *p, struct action *a) {
    const struct word *w;
    while ((w = parse_peek(p))) {
        p->next++;
        if (!parse_option(p, w, a))
            return false;
    }
    return true;
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
    if (!parse_hosts(p, parse_word(p, "a node's name"), &a->from))
        return false;
    const struct word *w = parse_word(p, "another node's name");
    if (w && strcmp(w->text, "contacts") == 0 && a->kind != ACT_CUT && a->kind != ACT_CLOG &&
        a->kind != ACT_PAIR)
        a->to_contacts = true;
    else if (!parse_hosts(p, w, &a->to))
        return false;
    if (a->from.count == 1 && a->to.count == 1 && a->from.hosts[0] == a->to.hosts[0])
        return parse_fail(p, a->at, "two different nodes are needed");
    if (a->kind == ACT_TRANSFER && !parse_quantity(p, QUANTITY_BYTES, "a size", &a->size))
        return false;
    if (a->kind == ACT_MESSAGE && !parse_message_size(p, a))
        return false;
    if (!parse_options(p, a))
        return false;
    return a->kind != ACT_CLOG || a->for_ns > 0 ||
           parse_fail(p, a->at, "a clog needs to end: for=TIME");
}

/* An option: it has '=' or '(', or is one of the words that are. */
static bool is_option(const struct action *a, const struct word *w) {
    static const char *const words[] = {"honest", "forge", "up", "down", "move"};
    if (strpbrk(w->text, "=("))
        return true;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(w->text, words[i]) == 0)
            return true;
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
        a->sites = realloc(a->sites, (a->site_count + 1) * sizeof *a->sites);
        if (!a->sites)
            abort();
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
            "message pair cut clog heal roam move rebind kill powercut stop start wipe suspend "
            "stall resume clock reboot crowd gateway map hostile lose",
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
