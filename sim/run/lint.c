/* lint.c: each rule has its test in tests/unit/sim/run/test_lint.c. */
#include "sim/run/lint.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/run/absent.h"

static bool fail(struct problem *problem, struct place at, const char *format, ...)
    PRINTF_LIKE(3, 4);
static bool fail(struct problem *problem, struct place at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    problem->at = at;
    (void)vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    return false;
}

/* ---- values: all metrics, and all that they are compared with, are 0 or more; a count is whole
 * ---- */

static bool is_whole(double v) {
    return v >= floor(v) && v <= floor(v);
}

static bool counts(const struct metrics *m, const char *metric) {
    static const char *const fractions[] = {"sim.wall_seconds", "sim.events_per_s",
                                            "sim.datagrams_per_s", "sim.seconds"};
    const char *dot = strrchr(metric, '.');
    bool whole = dot && strcmp(dot, ".count") == 0;
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->items[i].name, metric) == 0)
            whole = !m->items[i].sampled;
    for (unsigned i = 0; i < sizeof fractions / sizeof *fractions; i++)
        whole = whole && strcmp(fractions[i], metric) != 0;
    return whole;
}

/* A count is compared with what no count is. */
static bool is_between(const struct expectation *e, const struct metrics *m) {
    return !is_whole(e->value) && counts(m, e->metric);
}

static bool never_fails(const struct expectation *e, const struct metrics *m) {
    return (e->cmp == CMP_GREATER_EQUAL && e->value <= 0) ||
           (e->cmp == CMP_UNEQUAL && is_between(e, m));
}

static bool never_holds(const struct expectation *e, const struct metrics *m) {
    return (e->cmp == CMP_LESS && e->value <= 0) || (e->cmp == CMP_EQUAL && is_between(e, m));
}

/* ---- what a scenario asks for ---- */

static bool asks(const struct scenario *sc) {
    return absent_not(sc, ACT_CONNECT, LOAD_CONNECT) || absent_not(sc, ACT_PING, LOAD_PING) ||
           absent_not(sc, ACT_MESSAGE, LOAD_MESSAGE) ||
           absent_not(sc, ACT_TRANSFER, LOAD_TRANSFER) || absent_not(sc, ACT_PAIR, LOAD_KINDS);
}

/* Whether contacts dial each other by themselves. */
static bool dials(const struct scenario *sc) {
    for (uint32_t i = 0; i < sc->graph_count; i++)
        for (uint32_t k = 0; k < sc->graphs[i].set.count; k++)
            if (!sc->hosts[sc->graphs[i].set.hosts[k]].options.lazy)
                return true;
    for (uint32_t i = 0; i < sc->graph_count; i++)
        for (uint32_t k = 0; k < sc->graphs[i].with.count; k++)
            if (!sc->hosts[sc->graphs[i].with.hosts[k]].options.lazy)
                return true;
    return false;
}

/* What is missing for a metric of this base ever to be another; NULL: nothing. */
static const char *missing(const struct scenario *sc, const char *base) {
    if (!base)
        return NULL;
    if (strcmp(base, "asked.transfer") == 0 || strcmp(base, "disk.written_bytes") == 0)
        return absent_not(sc, ACT_TRANSFER, LOAD_TRANSFER) ? NULL : "nothing is transferred";
    if (strcmp(base, "asked.message") == 0)
        return absent_not(sc, ACT_MESSAGE, LOAD_MESSAGE) ? NULL : "no message is sent";
    if (strcmp(base, "asked.ping") == 0)
        return absent_not(sc, ACT_PING, LOAD_PING) ? NULL : "nobody pings";
    if (strcmp(base, "flow.sent") == 0)
        return absent_not(sc, ACTIONS, LOAD_FLOW) ? NULL : "there is no flow";
    if (strcmp(base, "healed.asked") == 0)
        return absent_not(sc, ACT_HEAL, LOAD_KINDS) && absent_not(sc, ACT_TRANSFER, LOAD_TRANSFER)
                   ? NULL
                   : "nothing is healed, or nothing transferred";
    if (strcmp(base, "load.done") == 0)
        return sc->load_count > 0 ? NULL : "there is no load";
    if (strcmp(base, "peers.wanted") == 0 && dials(sc))
        return NULL;
    if (strcmp(base, "peers.wanted") == 0 || strcmp(base, "work.asked") == 0)
        return asks(sc) ? NULL : "nobody is asked for anything";
    return NULL;
}

/* ---- two lines about one thing ---- */

/* Whether `a` says all that `b` says. */
static bool implies(const struct expectation *a, const struct expectation *b) {
    if (a->eventually != b->eventually || a->sometimes != b->sometimes ||
        strcmp(a->metric, b->metric) != 0 || a->within_ns > b->within_ns)
        return false;
    switch (b->cmp) {
    case CMP_LESS:
        return (a->cmp == CMP_LESS && a->value <= b->value) ||
               ((a->cmp == CMP_LESS_EQUAL || a->cmp == CMP_EQUAL) && a->value < b->value);
    case CMP_LESS_EQUAL:
        return (a->cmp == CMP_LESS || a->cmp == CMP_LESS_EQUAL || a->cmp == CMP_EQUAL) &&
               a->value <= b->value;
    case CMP_GREATER:
        return (a->cmp == CMP_GREATER && a->value >= b->value) ||
               ((a->cmp == CMP_GREATER_EQUAL || a->cmp == CMP_EQUAL) && a->value > b->value);
    case CMP_GREATER_EQUAL:
        return (a->cmp == CMP_GREATER || a->cmp == CMP_GREATER_EQUAL || a->cmp == CMP_EQUAL) &&
               a->value >= b->value;
    case CMP_EQUAL:
    case CMP_UNEQUAL:
        return a->cmp == b->cmp && a->value >= b->value && a->value <= b->value;
    }
    return false;
}

static const struct expectation *said_already(const struct scenario *sc, size_t i) {
    for (size_t k = 0; k < sc->expect_count; k++)
        /* Of two that say the same the second is one too many. */
        if (k != i && implies(&sc->expects[k], &sc->expects[i]) &&
            (k < i || !implies(&sc->expects[i], &sc->expects[k])))
            return &sc->expects[k];
    return NULL;
}

static bool lint_expectation(const struct scenario *sc, struct metrics *m, size_t i,
                             struct problem *problem) {
    const struct expectation *e = &sc->expects[i];
    const char *why = missing(sc, metrics_base(e->metric));
    if (!why)
        why = absent_why(sc, e->metric);
    if (strcmp(e->metric, "connected") == 0)
        why = missing(sc, "peers.wanted");
    if (why)
        return fail(problem, e->at, "%s says nothing here: %s", e->metric, why);
    if (never_fails(e, m))
        return fail(problem, e->at, "this cannot fail: %s is never anything else", e->metric);
    if (never_holds(e, m))
        return fail(problem, e->at, "this cannot hold: %s is never so", e->metric);
    const struct expectation *other = said_already(sc, i);
    return !other || fail(problem, e->at, "line %u says this already%s", other->at.line,
                          implies(e, other) ? "" : ", and more strictly");
}

/* ---- never ---- */

static const char *unjudgeable(const struct scenario *sc, enum invariant i) {
    if (i == NEVER_WRONG_BYTES || i == NEVER_PARTIAL_FILE)
        return missing(sc, "asked.transfer");
    if (i == NEVER_USED_TICKET)
        return absent_not(sc, ACT_STEAL, LOAD_KINDS) ? NULL : "nobody steals a ticket";
    if (i == NEVER_MISDELIVERED)
        return missing(sc, "asked.message");
    if (sc->crypto == CRYPTO_STUB && i == NEVER_UNSIGNED_ACCEPT)
        return "crypto stub has no signatures";
    return NULL;
}

static bool lint_never(const struct scenario *sc, uint32_t i, struct problem *problem) {
    const struct never *n = &sc->nevers[i];
    enum invariant kind;
    for (uint32_t k = 0; k < i; k++)
        if (strcmp(sc->nevers[k].name, n->name) == 0)
            return fail(problem, n->at, "line %u says this already", sc->nevers[k].at.line);
    const char *why = invariant_find(n->name, &kind) ? unjudgeable(sc, kind) : NULL;
    return !why || fail(problem, n->at, "%s cannot be judged here: %s", n->name, why);
}

/* ---- who asks nobody ---- */

static bool has_any(const struct host_set *a, const struct host_set *b) {
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++)
            if (a->hosts[i] == b->hosts[k])
                return true;
    return false;
}

/* Some of these get a contact: before time 0, or by a ticket. */
static bool have_contacts(const struct scenario *sc, const struct host_set *who) {
    for (uint32_t i = 0; i < sc->graph_count; i++)
        if (has_any(who, &sc->graphs[i].set) || has_any(who, &sc->graphs[i].with))
            return true;
    for (size_t i = 0; i < sc->action_count; i++) {
        const struct action *a = &sc->actions[i];
        if ((a->kind == ACT_PAIR || a->kind == ACT_STEAL) &&
            (has_any(who, &a->from) || has_any(who, &a->to)))
            return true;
    }
    return false;
}

static bool lint_asked(const struct scenario *sc, struct problem *problem) {
    static const char none[] = "this asks nobody: none of them has a contact";
    for (size_t i = 0; i < sc->action_count; i++)
        if (sc->actions[i].to_contacts && !have_contacts(sc, &sc->actions[i].from))
            return fail(problem, sc->actions[i].at, none);
    for (uint32_t i = 0; i < sc->load_count; i++)
        if (sc->loads[i].to.count == 0 && !have_contacts(sc, &sc->loads[i].from))
            return fail(problem, sc->loads[i].at, none);
    return true;
}

/* ---- what goes up has been down ---- */

static bool is_down_before(const struct scenario *sc, const struct action *up, uint32_t host) {
    for (size_t i = 0; i < sc->action_count; i++) {
        const struct action *a = &sc->actions[i];
        const bool earlier = a->time_ns < up->time_ns || up->every_ns > 0;
        for (uint32_t k = 0; a->kind == ACT_DOWN && earlier && k < a->from.count; k++)
            if (a->from.hosts[k] == host && strcmp(a->nic, up->nic) == 0)
                return true;
    }
    return false;
}

static bool lint_up(const struct scenario *sc, struct problem *problem) {
    for (size_t i = 0; i < sc->action_count; i++) {
        const struct action *a = &sc->actions[i];
        bool any = a->kind != ACT_UP;
        for (uint32_t k = 0; !any && k < a->from.count; k++)
            any = is_down_before(sc, a, a->from.hosts[k]);
        if (!any)
            return fail(problem, a->at, "this does nothing: the interface has not gone down");
    }
    return true;
}

bool lint_scenario(const struct scenario *sc, struct metrics *m, struct problem *problem) {
    for (size_t i = 0; i < sc->expect_count; i++)
        if (!lint_expectation(sc, m, i, problem))
            return false;
    for (uint32_t i = 0; i < sc->never_count; i++)
        if (!lint_never(sc, i, problem))
            return false;
    return lint_asked(sc, problem) && lint_up(sc, problem);
}
