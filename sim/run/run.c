#include "sim/run/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/run/build.h"
#include "sim/run/collect.h"
#include "sim/run/lint.h"
#include "sim/run/perform.h"

static const uint64_t tick_ns =
    10 * SIM_MS; /* how often "eventually" is looked at, up to 100 hosts */

struct runner {
    const struct scenario *sc;
    const struct run_options *o;
    struct run *r;
    uint64_t *next_ns; /* per action; UINT64_MAX: no more */
    struct stage stage;
    uint64_t settled_ns; /* when the last single action happens: "eventually" counts from here */
    uint64_t told_s;
};

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

/* ---- before time 0 ---- */

static bool prepare(struct runner *x, struct problem *problem) {
    const struct scenario *sc = x->sc;
    struct sim *s = x->r->sim;
    if (!build_world(sc, s, x->stage.sites, problem))
        return false;
    x->settled_ns = scenario_settled_ns(sc);
    for (size_t i = 0; i < sc->action_count; i++) {
        const struct action *a = &sc->actions[i];
        x->next_ns[i] = a->setup ? UINT64_MAX : a->time_ns;
        if (a->setup)
            perform(&x->stage, a);
    }
    sim_begin(s);
    if (sim_failure(s))
        return fail(problem, sc->hosts[0].at, "%s", sim_failure(s));
    return true;
}

bool run_check(const struct scenario *sc, struct problem *problem) {
    struct sim *s = sim_new(&(struct sim_config){.seed = 1}); /* an empty world has them all */
    struct metrics m = {0};
    bool ok = true;
    metrics_collect(s, &m);
    for (size_t i = 0; i < sc->expect_count && ok; i++) {
        double v;
        const struct expectation *e = &sc->expects[i];
        if (metrics_value(&m, e->metric, STAT_MAX, &v) == METRIC_UNKNOWN)
            ok = fail(problem, e->at, "there is no metric '%s'", e->metric);
    }
    ok = ok && lint_scenario(sc, &m, problem);
    metrics_clear(&m);
    sim_free(s);
    return ok;
}

/* ---- judging ---- */

bool run_holds(const struct expectation *e, double v) {
    switch (e->cmp) {
    case CMP_LESS:
        return v < e->value;
    case CMP_LESS_EQUAL:
        return v <= e->value;
    case CMP_GREATER:
        return v > e->value;
    case CMP_GREATER_EQUAL:
        return v >= e->value;
    case CMP_EQUAL:
        return v >= e->value && v <= e->value;
    case CMP_UNEQUAL:
        return v < e->value || v > e->value;
    }
    return false;
}

enum statistic run_bare(const struct expectation *e) {
    return e->cmp == CMP_GREATER || e->cmp == CMP_GREATER_EQUAL ? STAT_MIN : STAT_MAX;
}

/* The worst sample decides, unless a statistic is named. */
void run_judge(struct metrics *m, const struct expectation *e, struct verdict *v) {
    const char *base = metrics_base(e->metric);
    double of = 1;
    v->empty = metrics_value(m, e->metric, run_bare(e), &v->value) != METRIC_FOUND;
    if (base && metrics_value(m, base, STAT_MAX, &of) == METRIC_FOUND && of < 1)
        v->empty = true;
    v->met = !v->empty && run_holds(e, v->value);
}

static bool in_window(const struct runner *x, size_t i, uint64_t now_ns) {
    const struct expectation *e = &x->sc->expects[i];
    return e->eventually && !x->r->verdicts[i].met && now_ns >= x->settled_ns &&
           now_ns - x->settled_ns <= e->within_ns;
}

static bool waiting(const struct runner *x, uint64_t now_ns) {
    for (size_t i = 0; i < x->sc->expect_count; i++)
        if (in_window(x, i, now_ns))
            return true;
    return false;
}

static void look(struct runner *x) {
    const uint64_t now_ns = sim_now_ns(x->r->sim);
    /* At the moment of the last action it has not happened yet. */
    if (!waiting(x, now_ns) || now_ns == x->settled_ns)
        return;
    metrics_collect(x->r->sim, &x->r->metrics);
    for (size_t i = 0; i < x->sc->expect_count; i++)
        if (in_window(x, i, now_ns)) {
            run_judge(&x->r->metrics, &x->sc->expects[i], &x->r->verdicts[i]);
            x->r->verdicts[i].met_ns = now_ns;
        }
}

/* ---- running ---- */

/* Looking costs as much as there are hosts. */
static uint64_t look_every_ns(const struct sim *s) {
    const uint64_t times = 1 + sim_host_count(s) / 100;
    return times * tick_ns < SIM_S ? times * tick_ns : SIM_S;
}

static void advance(struct runner *x, uint64_t to_ns) {
    struct sim *s = x->r->sim;
    while (sim_now_ns(s) < to_ns && !sim_failure(s)) {
        const uint64_t now_ns = sim_now_ns(s);
        uint64_t step = waiting(x, now_ns) ? look_every_ns(s) : SIM_S;
        if (step > to_ns - now_ns)
            step = to_ns - now_ns;
        sim_run_until(s, now_ns + step);
        look(x);
        if (x->o->progress && sim_now_ns(s) / SIM_S > x->told_s) {
            x->told_s = sim_now_ns(s) / SIM_S;
            x->o->progress(x->o->progress_ctx, sim_now_ns(s), x->sc->duration_ns);
        }
    }
}

/* The next action in time, then in the order they were written. */
static size_t next_action(const struct runner *x) {
    size_t best = x->sc->action_count;
    for (size_t i = 0; i < x->sc->action_count; i++)
        if (x->next_ns[i] <= x->sc->duration_ns &&
            (best == x->sc->action_count || x->next_ns[i] < x->next_ns[best]))
            best = i;
    return best;
}

static void play(struct runner *x) {
    struct sim *s = x->r->sim;
    size_t i;
    while ((i = next_action(x)) < x->sc->action_count && !sim_failure(s)) {
        const struct action *a = &x->sc->actions[i];
        advance(x, x->next_ns[i]);
        if (sim_failure(s))
            break;
        perform(&x->stage, a);
        x->next_ns[i] = a->every_ns > 0 ? x->next_ns[i] + a->every_ns : UINT64_MAX;
    }
    look(x);
    advance(x, x->sc->duration_ns);
}

const struct never *run_never(const struct scenario *sc, enum invariant i) {
    const struct never *all = NULL;
    for (uint32_t k = 0; k < sc->never_count; k++) {
        if (strcmp(sc->nevers[k].name, invariant_name(i)) == 0)
            return &sc->nevers[k];
        if (strcmp(sc->nevers[k].name, "all") == 0)
            all = &sc->nevers[k];
    }
    return all;
}

enum never_verdict run_never_verdict(const struct run *r, enum invariant i) {
    const struct watch_verdict *v = watch_verdict(sim_watch(r->sim), i);
    return v->count > 0 ? NEVER_BROKEN : v->judged > 0 ? NEVER_HOLDS : NEVER_NOT_JUDGED;
}

bool run_never_breaks(const struct scenario *sc, const struct run *r, enum invariant i) {
    const struct never *n = sim_watch(r->sim) ? run_never(sc, i) : NULL;
    if (!n)
        return false;
    const enum never_verdict v = run_never_verdict(r, i);
    return v == NEVER_BROKEN || (v == NEVER_NOT_JUDGED && strcmp(n->name, "all") != 0);
}

static void count_judged(struct run *r) {
    for (unsigned i = 0; i < INVARIANTS && sim_watch(r->sim); i++) {
        char name[48];
        (void)snprintf(name, sizeof name, "judged.%s", invariant_name((enum invariant)i));
        metrics_set(&r->metrics, name,
                    (double)watch_verdict(sim_watch(r->sim), (enum invariant)i)->judged);
    }
}

static void finish(struct runner *x) {
    struct run *r = x->r;
    const double wall_s = (double)r->wall_us / 1e6;
    double events = 0, datagrams = 0;
    bool tolerated = false;
    sim_settle(r->sim);
    metrics_collect(r->sim, &r->metrics);
    (void)metrics_value(&r->metrics, "sim.events", STAT_MAX, &events);
    (void)metrics_value(&r->metrics, "datagram.sent", STAT_MAX, &datagrams);
    metrics_set(&r->metrics, "sim.wall_seconds", wall_s);
    metrics_set(&r->metrics, "sim.events_per_s", wall_s > 0 ? events / wall_s : 0);
    metrics_set(&r->metrics, "sim.datagrams_per_s", wall_s > 0 ? datagrams / wall_s : 0);
    metrics_set(&r->metrics, "action.failed", (double)r->actions_failed);
    trace_hash(sim_trace(r->sim), r->hash);
    sim_end(r->sim);
    count_judged(r);
    r->ok = sim_failure(r->sim) == NULL;
    for (size_t i = 0; i < x->sc->expect_count; i++) {
        const struct expectation *e = &x->sc->expects[i];
        if (!e->eventually)
            run_judge(&r->metrics, e, &r->verdicts[i]);
        r->ok = r->ok && (e->sometimes || r->verdicts[i].met);
        tolerated = tolerated || strcmp(e->metric, "action.failed") == 0;
    }
    if ((r->actions_failed > 0 && !tolerated) || sim_demands(r->sim)->failed > 0)
        r->ok = false;
    for (unsigned i = 0; i < INVARIANTS; i++)
        r->ok = r->ok && !run_never_breaks(x->sc, r, (enum invariant)i);
}

bool run_scenario(const struct scenario *sc, const struct run_options *o, struct run *out,
                  struct problem *problem) {
    struct runner x = {.sc = sc, .o = o, .r = out};
    const uint64_t start_us = o->clock_us ? o->clock_us() : 0;
    const enum crypto_mode mode = o->has_crypto ? o->crypto : sc->crypto;
    if (!run_check(sc, problem))
        return false;
    if (!crypto_mode_supported(mode))
        return fail(problem, (struct place){1, 1}, "this build knows only: crypto real");
    crypto_mode_set(mode);
    *out = (struct run){.sim = sim_new(&(struct sim_config){
                            .seed = o->seed, .watched = sc->never_count > 0, .tap = o->tap})};
    out->crypto = mode;
    out->verdicts = mem_calloc(sc->expect_count + 1, sizeof *out->verdicts);
    x.next_ns = mem_calloc(sc->action_count + 1, sizeof *x.next_ns);
    if (!out->verdicts || !x.next_ns)
        abort();
    x.stage.run = out;
    x.stage.sites = mem_calloc(sc->site_count + 1, sizeof *x.stage.sites);
    if (!x.stage.sites)
        abort();
    const bool built = prepare(&x, problem);
    if (built) {
        play(&x);
        out->wall_us = o->clock_us ? o->clock_us() - start_us : 0;
        finish(&x);
    }
    mem_free(x.next_ns);
    mem_free(x.stage.sites);
    if (!built)
        run_clear(out);
    return built;
}

void run_clear(struct run *r) {
    sim_free(r->sim);
    metrics_clear(&r->metrics);
    mem_free(r->verdicts);
    *r = (struct run){0};
}
