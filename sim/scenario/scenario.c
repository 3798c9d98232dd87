#include "sim/scenario/scenario.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/quantity.h"
#include "sim/scenario/scenario_int.h"

static const char *const comparison_signs[] = {"<", "<=", ">", ">=", "==", "!="};

const char *comparison_sign(enum comparison c) {
    return comparison_signs[c];
}

bool parse_fail(struct parser *p, struct place at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    p->lexer.problem.at = at;
    (void)vsnprintf(p->lexer.problem.text, sizeof p->lexer.problem.text, format, args);
    va_end(args);
    return false;
}

const struct word *parse_word(struct parser *p, const char *what) {
    const struct lexer *l = &p->lexer;
    if (p->next < l->count)
        return &l->words[p->next++];
    const struct word *last = &l->words[l->count - 1];
    const struct place end = {last->at.line, last->at.column + (unsigned)strlen(last->text)};
    (void)parse_fail(p, end, "%s is expected", what);
    return NULL;
}

bool parse_end(struct parser *p) {
    if (p->next == p->lexer.count)
        return true;
    const struct word *w = &p->lexer.words[p->next];
    return parse_fail(p, w->at, "unexpected '%.60s'", w->text);
}

uint64_t parse_id(const struct parser *p, const struct word *from) {
    const struct lexer *l = &p->lexer;
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a, each word with its end */
    for (const struct word *w = from; w < l->words + l->count; w++)
        for (const char *c = w->text;; c++) {
            h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
            if (!*c)
                break;
        }
    return h;
}

bool parse_quantity(struct parser *p, enum quantity q, const char *what, uint64_t *out) {
    const struct word *w = parse_word(p, what);
    if (!w)
        return false;
    const char *wrong = quantity_parse(w->text, q, out);
    return wrong ? parse_fail(p, w->at, "'%.60s': %s", w->text, wrong) : true;
}

const struct word *parse_peek(const struct parser *p) {
    return p->next < p->lexer.count ? &p->lexer.words[p->next] : NULL;
}

const char *parse_key(const struct word *w, const char *key) {
    const size_t len = strlen(key);
    return strncmp(w->text, key, len) == 0 && w->text[len] == '=' ? w->text + len + 1 : NULL;
}

bool parse_value(struct parser *p, const struct word *w, const char *value, enum quantity q,
                 uint64_t *out) {
    const char *wrong = quantity_parse(value, q, out);
    return wrong ? parse_fail(p, w->at, "'%.60s': %s", w->text, wrong) : true;
}

void *scenario_room(void *items, uint32_t count, uint32_t *cap, size_t item_bytes) {
    if (count == *cap) {
        *cap = *cap ? *cap * 2 : 8;
        items = realloc(items, *cap * item_bytes);
        if (!items)
            abort();
    }
    memset((char *)items + count * item_bytes, 0, item_bytes);
    return items;
}

bool parse_keyword(struct parser *p, const char *keyword) {
    const struct word *w = parse_word(p, keyword);
    if (!w)
        return false;
    return strcmp(w->text, keyword) == 0 ? true : parse_fail(p, w->at, "'%s' is expected", keyword);
}

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

/* ---- expect, eventually ---- */

static struct expectation *add_expectation(struct scenario *sc) {
    if (sc->expect_count == sc->expect_cap) {
        sc->expect_cap = sc->expect_cap ? sc->expect_cap * 2 : 8;
        sc->expects = realloc(sc->expects, sc->expect_cap * sizeof *sc->expects);
        if (!sc->expects)
            abort();
    }
    struct expectation *e = &sc->expects[sc->expect_count++];
    *e = (struct expectation){0};
    return e;
}

static bool parse_comparison(struct parser *p, struct expectation *e) {
    const struct word *sign = parse_word(p, "a comparison (< <= > >= == !=)");
    if (!sign)
        return false;
    unsigned i = 0;
    while (i < sizeof comparison_signs / sizeof *comparison_signs &&
           strcmp(sign->text, comparison_signs[i]) != 0)
        i++;
    if (i == sizeof comparison_signs / sizeof *comparison_signs)
        return parse_fail(p, sign->at, "one of < <= > >= == != is expected");
    e->cmp = (enum comparison)i;
    const struct word *value = parse_word(p, "a value");
    if (!value)
        return false;
    const char *wrong = quantity_number(value->text, &e->value);
    size_t len = strlen(value->text);
    if (wrong || len >= sizeof e->value_text)
        return parse_fail(p, value->at, "'%.60s': %s", value->text, wrong ? wrong : "too long");
    memcpy(e->value_text, value->text, len + 1);
    return true;
}

/* METRIC COMPARISON VALUE; `connected` stands for connected == 1. */
static bool parse_condition(struct parser *p, struct expectation *e) {
    const struct word *metric = parse_word(p, "a metric");
    if (!metric)
        return false;
    e->at = metric->at;
    if (strcmp(metric->text, "connected") == 0) {
        (void)snprintf(e->metric, sizeof e->metric, "connected");
        (void)snprintf(e->value_text, sizeof e->value_text, "1");
        e->value = 1;
        e->cmp = CMP_EQUAL;
        return true;
    }
    size_t len = strlen(metric->text);
    if (len >= sizeof e->metric)
        return parse_fail(p, metric->at, "the name is too long");
    memcpy(e->metric, metric->text, len + 1);
    return parse_comparison(p, e);
}

static bool parse_expect(struct parser *p) {
    return parse_condition(p, add_expectation(p->sc)) && parse_end(p);
}

static bool parse_eventually(struct parser *p) {
    struct expectation *e = add_expectation(p->sc);
    e->eventually = true;
    return parse_condition(p, e) && parse_keyword(p, "within") &&
           parse_quantity(p, QUANTITY_DURATION, "a duration", &e->within_ns) && parse_end(p);
}

static bool parse_sometimes(struct parser *p) {
    struct expectation *e = add_expectation(p->sc);
    e->sometimes = true;
    return parse_condition(p, e) && parse_end(p);
}

/* never NAME...: invariants (sim/invariants/invariants.h); "all" is every one. */
static bool parse_never(struct parser *p) {
    struct scenario *sc = p->sc;
    const struct word *w = parse_word(p, "an invariant");
    for (; w; w = parse_peek(p) ? parse_word(p, "") : NULL) {
        enum invariant known;
        if (strcmp(w->text, "all") != 0 && !invariant_find(w->text, &known))
            return parse_fail(
                p, w->at,
                "there is no invariant '%.60s' (sim/invariants/invariants.h, docs/SIMULATOR.md)",
                w->text);
        sc->nevers = scenario_room(sc->nevers, sc->never_count, &sc->never_cap, sizeof *sc->nevers);
        struct never *n = &sc->nevers[sc->never_count++];
        n->at = w->at;
        (void)snprintf(n->name, sizeof n->name, "%.31s", w->text);
    }
    return p->lexer.problem.at.line == 0;
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
    } verbs[] = {{"seed", parse_seed},
                 {"for", parse_for},
                 {"let", parse_let},
                 {"node", parse_node},
                 {"group", parse_group},
                 {"site", parse_site},
                 {"region", parse_region},
                 {"rtt", parse_rtt},
                 {"contacts", parse_contacts},
                 {"load", parse_load},
                 {"at", parse_at},
                 {"crypto", parse_crypto},
                 {"expect", parse_expect},
                 {"eventually", parse_eventually},
                 {"sometimes", parse_sometimes},
                 {"never", parse_never}};
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
        "unknown statement '%.60s'; there are: seed for let crypto node group site "
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
    for (uint32_t i = 0; i < sc->site_count; i++)
        if (sc->sites[i].region == region)
            return true;
    return false;
}

/* Between any two regions in which somebody is there is a way, and it is not of no length by mistake. */
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
        free(sc->actions[i].from.hosts);
        free(sc->actions[i].to.hosts);
        free(sc->actions[i].sites);
        free(sc->actions[i].packets);
    }
    for (uint32_t i = 0; i < sc->graph_count; i++) {
        free(sc->graphs[i].set.hosts);
        free(sc->graphs[i].with.hosts);
    }
    for (uint32_t i = 0; i < sc->load_count; i++) {
        free(sc->loads[i].from.hosts);
        free(sc->loads[i].to.hosts);
    }
    free(sc->graphs);
    free(sc->loads);
    free(sc->sites);
    free(sc->groups);
    free(sc->rtts);
    free(sc->nevers);
    names_clear(&sc->names);
    free(sc->actions);
    free(sc->hosts);
    free(sc->expects);
    *sc = (struct scenario){0};
}
