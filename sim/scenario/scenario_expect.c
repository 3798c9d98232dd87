/* scenario_expect.c: what must come of it: expect, eventually, sometimes, never. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/scenario/scenario_int.h"

static const char *const comparison_signs[] = {"<", "<=", ">", ">=", "==", "!="};

const char *comparison_sign(enum comparison c) {
    return comparison_signs[c];
}

/* ---- expect, eventually ---- */

static struct expectation *add_expectation(struct scenario *sc) {
    grow(&sc->expects, &sc->expect_cap, sc->expect_count + 1, sizeof *sc->expects);
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

bool parse_expect(struct parser *p) {
    return parse_condition(p, add_expectation(p->sc)) && parse_end(p);
}

bool parse_eventually(struct parser *p) {
    struct expectation *e = add_expectation(p->sc);
    e->eventually = true;
    return parse_condition(p, e) && parse_keyword(p, "within") &&
           parse_quantity(p, QUANTITY_DURATION, "a duration", &e->within_ns) && parse_end(p);
}

bool parse_sometimes(struct parser *p) {
    struct expectation *e = add_expectation(p->sc);
    e->sometimes = true;
    return parse_condition(p, e) && parse_end(p);
}

/* never NAME...: invariants (sim/invariants/invariants.h); "all" is every one. */
bool parse_never(struct parser *p) {
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
