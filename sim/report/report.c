#include "sim/report/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "sim/report/result.h"

enum { HASH_TEXT = 2 * TRACE_BYTES + 1, SEEDS_SHOWN = 20 };

static const enum statistic shown_stats[] = {STAT_MIN, STAT_MEAN, STAT_P50, STAT_P99, STAT_MAX};
enum { SHOWN_STATS = sizeof shown_stats / sizeof *shown_stats };

static void hash_text(const uint8_t hash[static TRACE_BYTES], char out[static HASH_TEXT]) {
    (void)sodium_bin2hex(out, HASH_TEXT, hash, TRACE_BYTES);
}

static void text_metrics(FILE *out, struct metrics *m) {
    for (size_t i = 0; i < m->count; i++) {
        struct metric *item = &m->items[i];
        if (item->sampled && item->samples.count > 0) {
            fprintf(out, "  %-28s", item->name);
            for (size_t k = 0; k < SHOWN_STATS; k++) {
                double v = 0;
                (void)samples_stat(&item->samples, shown_stats[k], &v);
                fprintf(out, " %s %.6g", stat_name(shown_stats[k]), v);
            }
            fprintf(out, " (%zu)\n", item->samples.count);
        } else if (!item->sampled && item->value > 0) {
            fprintf(out, "  %-28s %.10g\n", item->name, item->value);
        }
    }
}

static void text_expectation(FILE *out, const char *file, const struct expectation *e,
                             const struct verdict *v) {
    fprintf(out, "%s %s:%u: %s %s %s %s",
            v->met         ? "met   "
            : e->sometimes ? "not yet"
                           : "BROKEN",
            file, e->at.line,
            e->eventually  ? "eventually"
            : e->sometimes ? "sometimes"
                           : "expect",
            e->metric, comparison_sign(e->cmp), e->value_text);
    if (v->empty)
        fprintf(out, ": nothing was measured\n");
    else if (e->eventually && v->met)
        fprintf(out, ": at %.2f s\n", (double)v->met_ns / 1e9);
    else
        fprintf(out, ": %.6g\n", v->value);
}

static void text_nevers(FILE *out, const struct scenario *sc, const char *file, const struct run *r,
                        bool only_broken) {
    for (unsigned i = 0; i < INVARIANTS && sim_watch(r->sim); i++) {
        const struct never *n = run_never(sc, (enum invariant)i);
        const struct watch_verdict *v = watch_verdict(sim_watch(r->sim), (enum invariant)i);
        const bool breaks = run_never_breaks(sc, r, (enum invariant)i);
        if (!n || (only_broken && !breaks))
            continue;
        const enum never_verdict verdict = run_never_verdict(r, (enum invariant)i);
        fprintf(out, "%s %s:%u: never %s",
                breaks                        ? "BROKEN"
                : verdict == NEVER_NOT_JUDGED ? "open  "
                                              : "met   ",
                file, n->at.line, invariant_name((enum invariant)i));
        if (verdict == NEVER_NOT_JUDGED)
            fprintf(out, ": not judged");
        else if (!v->count)
            fprintf(out, ": judged %" PRIu64 " times", v->judged);
        else
            fprintf(out, ": %" PRIu64 " times, first at %.6f s: %s", v->count,
                    (double)(v->first_ns - sim_start_ns()) / 1e9, v->text);
        fprintf(out, "\n");
    }
}

static void text_notes(FILE *out, const char *file, const struct run *r) {
    if (sim_failure(r->sim))
        fprintf(out, "BROKEN the world stopped: %s\n", sim_failure(r->sim));
    const struct demands *w = sim_demands(r->sim);
    for (uint64_t i = 0; i < w->failed && i < DEMAND_NOTES; i++)
        fprintf(out, "BROKEN %s:%u: %s\n", file, w->failures[i].line, w->failures[i].text);
    if (w->failed > DEMAND_NOTES)
        fprintf(out, "BROKEN and %" PRIu64 " more that were asked for and not done\n",
                w->failed - DEMAND_NOTES);
    for (uint64_t i = 0; i < r->actions_failed && i < RUN_NOTES_MAX; i++)
        fprintf(out, "note   %s:%u: %s\n", file, r->notes[i].at.line, r->notes[i].text);
    if (r->actions_failed > RUN_NOTES_MAX)
        fprintf(out, "note   and %" PRIu64 " more\n", r->actions_failed - RUN_NOTES_MAX);
}

void report_broken(FILE *out, const struct scenario *sc, const char *file, const struct run *r) {
    for (size_t i = 0; i < sc->expect_count; i++)
        if (!r->verdicts[i].met && !sc->expects[i].sometimes)
            text_expectation(out, file, &sc->expects[i], &r->verdicts[i]);
    text_nevers(out, sc, file, r, true);
    text_notes(out, file, r);
}

void report_text(FILE *out, const struct scenario *sc, const char *file, struct run *r) {
    char hash[HASH_TEXT];
    hash_text(r->hash, hash);
    fprintf(out, "scenario  %s\nseed      %" PRIu64 "\ntrace     %s\n", file, sim_seed(r->sim),
            hash);
    fprintf(out, "crypto    %s%s\n", crypto_mode_name(r->crypto),
            r->crypto == CRYPTO_STUB ? " (nothing is secret or authentic: for questions of scale)"
                                     : "");
    fprintf(out, "simulated %.3f s in %.3f s of real time\n", (double)sim_now_ns(r->sim) / 1e9,
            (double)r->wall_us / 1e6);
    text_metrics(out, &r->metrics);
    for (size_t i = 0; i < sc->expect_count; i++)
        text_expectation(out, file, &sc->expects[i], &r->verdicts[i]);
    text_nevers(out, sc, file, r, false);
    text_notes(out, file, r);
    fprintf(out, "%s\n", r->ok ? "ok" : "broken");
}

/* ---- JSON ---- */

static json_t *json_nevers(const struct scenario *sc, const struct run *r) {
    json_t *all = json_array();
    for (unsigned i = 0; i < INVARIANTS && sim_watch(r->sim); i++) {
        const struct never *n = run_never(sc, (enum invariant)i);
        const struct watch_verdict *v = watch_verdict(sim_watch(r->sim), (enum invariant)i);
        if (n)
            json_array_append_new(
                all, json_pack("{s:s, s:i, s:I, s:I, s:b, s:s}", "name",
                               invariant_name((enum invariant)i), "line", (int)n->at.line, "judged",
                               (json_int_t)v->judged, "count", (json_int_t)v->count, "broken",
                               (int)run_never_breaks(sc, r, (enum invariant)i), "first", v->text));
    }
    return all;
}

static json_t *json_expectations(const struct scenario *sc, const struct run *r) {
    json_t *all = json_array();
    for (size_t i = 0; i < sc->expect_count; i++) {
        const struct expectation *e = &sc->expects[i];
        const struct verdict *v = &r->verdicts[i];
        json_array_append_new(
            all, json_pack("{s:i, s:s, s:s, s:s, s:b, s:b, s:o}", "line", (int)e->at.line, "metric",
                           e->metric, "comparison", comparison_sign(e->cmp), "expected",
                           e->value_text, "eventually", (int)e->eventually, "met", (int)v->met,
                           "value", v->empty ? json_null() : json_real(v->value)));
    }
    return all;
}

/* What was asked of nodes, and had to be done, and was not: the first ones. */
static json_t *json_undone(const struct run *r) {
    const struct demands *w = sim_demands(r->sim);
    json_t *all = json_array();
    for (uint64_t i = 0; i < w->failed && i < DEMAND_NOTES; i++)
        json_array_append_new(all, json_pack("{s:i, s:s}", "line", (int)w->failures[i].line, "text",
                                             w->failures[i].text));
    return all;
}

/* For whoever adds results up. */
static json_t *json_sometimes(const struct scenario *sc) {
    json_t *all = json_array();
    for (size_t i = 0; sc && i < sc->expect_count; i++) {
        const struct expectation *e = &sc->expects[i];
        if (e->sometimes)
            json_array_append_new(all, json_pack("{s:i, s:s, s:s, s:s, s:f}", "line",
                                                 (int)e->at.line, "metric", e->metric, "comparison",
                                                 comparison_sign(e->cmp), "expected", e->value_text,
                                                 "number", e->value));
    }
    return all;
}

/* What was run, so that only results of the same are added up. */
static json_t *json_source(const struct report_source *s, const struct scenario *sc) {
    uint8_t hash[16];
    char text[2 * sizeof hash + 1];
    json_t *lets = json_object();
    (void)crypto_generichash(hash, sizeof hash, (const uint8_t *)s->text, strlen(s->text), NULL, 0);
    (void)sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    for (size_t i = 0; i < s->let_count; i++)
        json_object_set_new(lets, s->lets[i].name, json_string(s->lets[i].value));
    return json_pack("{s:i, s:s, s:s, s:s, s:o, s:s, s:o}", "schema", RESULT_SCHEMA, "meshsim",
                     MESHD_VERSION, "scenario", s->file, "text", text, "lets", lets, "crypto",
                     crypto_mode_name(s->crypto), "sometimes", json_sometimes(sc));
}

json_t *report_result(const struct scenario *sc, const struct report_source *source,
                      struct run *r) {
    char hash[HASH_TEXT];
    const uint64_t seed = sim_seed(r->sim);
    hash_text(r->hash, hash);
    json_t *notes = json_array();
    for (uint64_t i = 0; i < r->actions_failed && i < RUN_NOTES_MAX; i++)
        json_array_append_new(notes, json_pack("{s:i, s:s}", "line", (int)r->notes[i].at.line,
                                               "text", r->notes[i].text));
    const char *failure = sim_failure(r->sim);
    json_t *result = json_source(source, sc);
    json_t *more = json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:s, s:b, s:o, s:o, s:o, s:o}", "undone", json_undone(r), "runs",
        result_runs(r->ok ? 1 : 0, &seed, r->ok ? 0 : 1), "seeds", result_seeds(seed, seed),
        "metrics", result_metrics(&r->metrics, true), "seed", (json_int_t)seed, "trace", hash, "ok",
        (int)r->ok, "expectations", json_expectations(sc, r), "nevers", json_nevers(sc, r), "notes",
        notes, "failure", failure ? json_string(failure) : json_null());
    (void)json_object_update(result, more);
    json_decref(more);
    return result;
}

/* ---- many seeds ---- */

bool report_sweep_ok(const struct report_sweep *w) {
    const double runs = (double)(w->passed + w->failed);
    return (double)w->passed >= w->needed * runs && !w->sometimes_broken;
}

void report_sweep_text(FILE *out, struct report_sweep *w) {
    const uint64_t runs = w->passed + w->failed;
    fprintf(out, "scenario  %s\nseeds     %" PRIu64 "..%" PRIu64 "\n", w->source.file, w->first,
            w->last);
    fprintf(out, "passed    %" PRIu64 " of %" PRIu64 " (%.3f %%, needed %.3f %%) in %.3f s\n",
            w->passed, runs, runs ? 100.0 * (double)w->passed / (double)runs : 0, 100 * w->needed,
            (double)w->wall_us / 1e6);
    if (w->failed > 0) {
        fprintf(out, "failed   ");
        for (uint64_t i = 0; i < w->failed && i < SEEDS_SHOWN; i++)
            fprintf(out, " %" PRIu64, w->failed_seeds[i]);
        fprintf(out, "%s\n", w->failed > SEEDS_SHOWN ? " ..." : "");
    }
    text_metrics(out, &w->total);
    fprintf(out, "%s\n", report_sweep_ok(w) ? "ok" : "broken");
}

json_t *report_sweep_result(struct report_sweep *w) {
    json_t *result = json_source(&w->source, w->sc);
    json_t *more = json_pack("{s:I, s:I, s:o, s:o, s:o}", "first", (json_int_t)w->first, "last",
                             (json_int_t)w->last, "seeds", result_seeds(w->first, w->last), "runs",
                             result_runs(w->passed, w->failed_seeds, w->failed), "metrics",
                             result_metrics(&w->total, false));
    (void)json_object_update(result, more);
    json_decref(more);
    return result;
}

void report_never_happened(FILE *out, const char *file, const struct expectation *e, double value) {
    fprintf(out, "BROKEN %s:%u: sometimes %s %s %s: in all runs together %g\n", file, e->at.line,
            e->metric, comparison_sign(e->cmp), e->value_text, value);
}

bool report_write(json_t *result, const char *file) {
    FILE *out = file ? fopen(file, "w") : stdout;
    bool ok = out && json_dumpf(result, out, JSON_SORT_KEYS | JSON_INDENT(1)) == 0;
    ok = ok && fputc('\n', out) != EOF;
    if (out && out != stdout)
        ok = fclose(out) == 0 && ok;
    json_decref(result);
    return ok;
}
