/* scenario_option.c: what follows the hosts of an action. */
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/engine/host_clock.h"
#include "sim/memory/grow.h"
#include "sim/scenario/scenario_int.h"

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

/* writes=N: that one, from now, is its last; power: the machine dies with it. */
static bool option_die(struct parser *p, const struct word *w, struct action *a) {
    const char *v = parse_key(w, "writes");
    if (v)
        return parse_value(p, w, v, QUANTITY_COUNT, &a->amount);
    a->power = strcmp(w->text, "power") == 0;
    return a->power || parse_fail(p, w->at, "die NAME... [writes=N] [power]");
}

/* fail=none|io|disk sync=none|io after=N */
static bool option_store(struct parser *p, const struct word *w, struct action *a) {
    static const struct {
        const char *name;
        int err;
    } kinds[] = {{"none", 0}, {"io", ERR_IO}, {"disk", ERR_DISK}};
    const char *after = parse_key(w, "after"), *v = parse_key(w, "fail");
    int *err = v ? &a->store.write_err : &a->store.sync_err;
    if (after)
        return parse_value(p, w, after, QUANTITY_COUNT, &a->store.after);
    if (!v)
        v = parse_key(w, "sync");
    for (unsigned i = 0; v && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(v, kinds[i].name) == 0) {
            *err = kinds[i].err;
            return true;
        }
    return parse_fail(p, w->at, "a store has: fail=none|io|disk after=WRITES sync=none|io|disk");
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
    grow(&a->packets, &a->packet_cap, a->packet_count + 1, sizeof *a->packets);
    if (!parse_value(p, w, w->text, QUANTITY_COUNT, &a->packets[a->packet_count]))
        return false;
    a->packet_count++;
    qsort(a->packets, a->packet_count, sizeof *a->packets, by_number);
    return true;
}

/* What is asked of a node may fail, or is asked only if it runs. */
static bool option_work(const struct word *w, struct action *a) {
    const bool asks = a->kind == ACT_CONNECT || a->kind == ACT_PING || a->kind == ACT_MESSAGE ||
                      a->kind == ACT_TRANSFER || a->kind == ACT_PAIR;
    const bool may = (asks || a->kind == ACT_START || a->kind == ACT_MAP || a->kind == ACT_STEAL) &&
                     strcmp(w->text, "may") == 0;
    const bool if_up = asks && strcmp(w->text, "if-up") == 0;
    const bool each = (asks || a->kind == ACT_CUT) && strcmp(w->text, "each") == 0;
    a->may |= may;
    a->if_up |= if_up;
    a->each |= each;
    return may || if_up || each;
}

/* It is about one interface. */
static bool has_nic(const struct action *a) {
    return a->kind == ACT_DOWN || a->kind == ACT_UP || a->kind == ACT_ROAM ||
           a->kind == ACT_REBIND || a->kind == ACT_MOVE;
}

/* Whatever follows the names. */
static bool parse_option(struct parser *p, const struct word *w, struct action *a) {
    bool used;
    const char *v;
    if (!option_for(p, w, a, &used) || used)
        return used && p->lexer.problem.at.line == 0;
    if (option_work(w, a))
        return true;
    if (has_nic(a) && (v = parse_key(w, "nic")))
        return parse_which_nic(p, w, v, a);
    switch (a->kind) {
    case ACT_CLOCK:
        return option_clock(p, w, a);
    case ACT_MOVE:
        return option_move(p, w, a);
    case ACT_HOSTILE:
        return option_hostile(p, w, a);
    case ACT_DIE:
        return option_die(p, w, a);
    case ACT_STORE:
        return option_store(p, w, a);
    case ACT_LOSE:
        return option_lose(p, w, a);
    case ACT_PATH:
        a->has_path = scenario_path_policy(w->text, &a->path);
        return a->has_path || parse_fail(p, w->at, "path NAME... auto|relay_only|direct_only");
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
    case ACT_MARK:
    case ACT_ROAM:
    case ACT_REBIND:
    case ACT_KILL:
    case ACT_POWERCUT:
    case ACT_STOP:
    case ACT_START:
    case ACT_STEAL:
    case ACT_WIPE:
    case ACT_SUSPEND:
    case ACT_STALL:
    case ACT_RESUME:
    case ACT_DOWN:
    case ACT_UP:
    case ACTIONS:
        break;
    }
    return parse_fail(p, w->at, "unexpected '%.60s'", w->text);
}

bool parse_options(struct parser *p, struct action *a) {
    const struct word *w;
    while ((w = parse_peek(p))) {
        p->next++;
        if (!parse_option(p, w, a))
            return false;
    }
    return true;
}
