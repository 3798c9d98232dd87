/* scenario.c: the statements of a scenario, and what only the whole tells. */
#include "sim/scenario/scenario.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "sim/scenario/scenario_int.h"

static bool parse_seed(struct parser *p) {
    p->sc->has_seed = true;
    return parse_quantity(p, QUANTITY_COUNT, "a number", &p->sc->seed) && parse_end(p);
}

static bool parse_for(struct parser *p) {
    return parse_quantity(p, QUANTITY_DURATION, "a duration", &p->sc->duration_ns) && parse_end(p);
}

static bool parse_let(struct parser *p) {
    const struct word *name = parse_word(p, "a name");
    const struct word *value = name ? parse_word(p, "a value") : NULL;
    if (value && strcmp(value->text, "=") == 0)
        value = parse_word(p, "a value");
    if (!value || !parse_end(p))
        return false;
    return lexer_let(&p->lexer, name->text, value->text, false)
               ? true
               : parse_fail(p, name->at, "'%.60s' is not a name, or there are too many",
                            name->text);
}

static bool parse_crypto(struct parser *p) {
    const struct word *w = parse_word(p, "real, memo or stub");
    if (!w)
        return false;
    if (!crypto_mode_find(w->text, &p->sc->crypto))
        return parse_fail(p, w->at, "cryptography is real, memo or stub");
    p->sc->has_crypto = true;
    return parse_end(p);
}

/* ---- the whole ---- */

static bool parse_at(struct parser *p) {
    struct action *a = scenario_add_action(p->sc);
    a->setup = false;
    if (!parse_quantity(p, QUANTITY_DURATION, "a time", &a->time_ns))
        return false;
    const struct word *w = parse_word(p, "an action");
    if (w && strcmp(w->text, "every") == 0) {
        if (!parse_quantity(p, QUANTITY_DURATION, "a duration", &a->every_ns))
            return false;
        if (a->every_ns == 0)
            return parse_fail(p, w->at, "'every' needs a duration above zero");
        w = parse_word(p, "an action");
    }
    return w && parse_action(p, w, a);
}

static bool parse_setup(struct parser *p, const struct word *verb) {
    struct action *a = scenario_add_action(p->sc);
    a->setup = true;
    return parse_action(p, verb, a);
}

static bool parse_statement(struct parser *p) {
    static const struct {
        const char *name;
        bool (*parse)(struct parser *p);
    } verbs[] = {
        {"seed", parse_seed},           {"for", parse_for},       {"let", parse_let},
        {"node", parse_node},           {"group", parse_group},   {"nic", parse_nic},
        {"site", parse_site},           {"region", parse_region}, {"rtt", parse_rtt},
        {"contacts", parse_contacts},   {"load", parse_load},     {"at", parse_at},
        {"crypto", parse_crypto},       {"expect", parse_expect}, {"eventually", parse_eventually},
        {"sometimes", parse_sometimes}, {"never", parse_never}};
    static const char *const setups[] = {"link", "disk", "clock", "hostile", "lose", "store"};
    p->next = 0;
    const struct word *verb = parse_word(p, "a statement");
    if (!verb)
        return false;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verb->text, verbs[i].name) == 0)
            return verbs[i].parse(p);
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++)
        if (strcmp(verb->text, setups[i]) == 0)
            return parse_setup(p, verb);
    return parse_fail(
        p, verb->at,
        "unknown statement '%.60s'; there are: seed for let crypto node group nic site "
        "region rtt contacts link disk clock hostile lose store load at expect eventually "
        "sometimes never",
        verb->text);
}

/* A name from the command line that the scenario does not have is a mistake. */
static bool check_lets(struct parser *p, const struct scenario_let *lets, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < p->lexer.let_count; k++)
            if (!lets[i].optional && !p->lexer.lets[k].used &&
                strcmp(p->lexer.lets[k].name, lets[i].name) == 0)
                return parse_fail(p, (struct place){0, 0},
                                  "--set %.31s: the scenario has no $%.31s", lets[i].name,
                                  lets[i].name);
    return true;
}

static bool region_used(const struct scenario *sc, uint32_t region) {
    for (uint32_t i = 0; i < sc->host_count; i++)
        if (sc->hosts[i].options.region == region)
            return true;
    for (uint32_t i = 0; i < sc->nic_count; i++)
        if (sc->nics[i].options.region == region)
            return true;
    for (uint32_t i = 0; i < sc->site_count; i++)
        if (sc->sites[i].region == region)
            return true;
    return false;
}

/* Between any two regions in which somebody is there is a way, and it is not of no length by
 * mistake. */
static bool check_regions(struct parser *p) {
    const struct scenario *sc = p->sc;
    bool known[REGIONS_MAX][REGIONS_MAX] = {{false}}, used[REGIONS_MAX];
    for (uint32_t i = 0; i < sc->rtt_count; i++)
        known[sc->rtts[i].a][sc->rtts[i].b] = known[sc->rtts[i].b][sc->rtts[i].a] = true;
    for (uint32_t i = 0; i < sc->region_count; i++)
        used[i] = region_used(sc, i);
    for (uint32_t i = 0; i < sc->region_count; i++)
        for (uint32_t k = i + 1; k < sc->region_count; k++)
            if (used[i] && used[k] && !known[i][k])
                return parse_fail(p, p->lexer.at, "no rtt between %s and %s", sc->regions[i],
                                  sc->regions[k]);
    return true;
}

uint64_t scenario_settled_ns(const struct scenario *sc) {
    uint64_t last_ns = 0;
    for (size_t i = 0; i < sc->action_count; i++) {
        const struct action *a = &sc->actions[i];
        if (!a->setup && a->every_ns == 0 && a->time_ns + a->for_ns > last_ns)
            last_ns = a->time_ns + a->for_ns;
    }
    return last_ns;
}

/* Things that only the whole tells. */
static bool check_whole(struct parser *p) {
    const struct scenario *sc = p->sc;
    const struct place end = p->lexer.at;
    if (sc->host_count == 0)
        return parse_fail(p, end, "there is no node");
    if (sc->duration_ns == 0)
        return parse_fail(p, end, "how long it runs is missing: for DURATION");
    for (size_t i = 0; i < sc->action_count; i++)
        if (!sc->actions[i].setup && sc->actions[i].time_ns > sc->duration_ns)
            return parse_fail(p, sc->actions[i].at, "this is after the end of the run");
    for (uint32_t i = 0; i < sc->load_count; i++)
        if (sc->loads[i].load.from_ns >= sc->duration_ns)
            return parse_fail(p, sc->loads[i].at, "this begins after the end of the run");
    for (size_t i = 0; i < sc->expect_count; i++)
        if (sc->expects[i].eventually && scenario_settled_ns(sc) >= sc->duration_ns)
            return parse_fail(
                p, sc->expects[i].at,
                "the last action ends with the run or after it: nothing is left of it");
    return check_regions(p);
}

bool scenario_parse(struct scenario *sc, const char *text, const struct scenario_let *lets,
                    size_t let_count, struct problem *problem) {
    struct parser p = {.sc = sc};
    *sc = (struct scenario){0};
    lexer_init(&p.lexer, text);
    bool ok = true;
    for (size_t i = 0; i < let_count && ok; i++)
        ok = lexer_let(&p.lexer, lets[i].name, lets[i].value, true) ||
             parse_fail(&p, (struct place){0, 0}, "--set %.60s: not a name, or too long a value",
                        lets[i].name);
    while (ok && lexer_next(&p.lexer))
        ok = parse_statement(&p);
    ok = ok && p.lexer.problem.at.line == 0 && check_lets(&p, lets, let_count) && check_whole(&p);
    *problem = p.lexer.problem;
    lexer_clear(&p.lexer);
    if (!ok)
        scenario_clear(sc);
    return ok;
}

void scenario_clear(struct scenario *sc) {
    for (size_t i = 0; i < sc->action_count; i++) {
        mem_free(sc->actions[i].from.hosts);
        mem_free(sc->actions[i].to.hosts);
        mem_free(sc->actions[i].sites);
        mem_free(sc->actions[i].packets);
    }
    for (uint32_t i = 0; i < sc->graph_count; i++) {
        mem_free(sc->graphs[i].set.hosts);
        mem_free(sc->graphs[i].with.hosts);
    }
    for (uint32_t i = 0; i < sc->load_count; i++) {
        mem_free(sc->loads[i].from.hosts);
        mem_free(sc->loads[i].to.hosts);
    }
    mem_free(sc->nics);
    mem_free(sc->graphs);
    mem_free(sc->loads);
    mem_free(sc->sites);
    mem_free(sc->groups);
    mem_free(sc->rtts);
    mem_free(sc->nevers);
    names_clear(&sc->names);
    mem_free(sc->actions);
    mem_free(sc->hosts);
    mem_free(sc->expects);
    *sc = (struct scenario){0};
}
