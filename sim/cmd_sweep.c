/* cmd_sweep.c: meshsim run --seeds: one scenario with many seeds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/campaign.h"
#include "sim/cmd.h"
#include "sim/report.h"

struct sweep {
    struct options *o;
    const char *text;
    struct report_sweep report;
    uint64_t *failed;
    bool unreadable;
};

static void same_text(void *ctx, uint64_t seed, struct text *out) {
    const struct sweep *s = ctx;
    (void)seed;
    text_add(out, "%s", s->text);
}

static bool one_more(void *ctx, uint64_t seed, const char *text, struct trial *t) {
    struct sweep *s = ctx;
    (void)text;
    if (t->kind == TRIAL_UNREADABLE) {
        fputs(text_of(&t->why), stderr);
        s->unreadable = true;
        return false;
    }
    if (t->kind == TRIAL_OK) {
        s->report.passed++;
    } else {
        fprintf(stderr, "seed %" PRIu64 ":\n%s", seed, text_of(&t->why));
        s->failed = realloc(s->failed, (s->report.failed + 1) * sizeof *s->failed);
        if (!s->failed)
            abort();
        s->failed[s->report.failed++] = seed;
    }
    metrics_merge(&s->report.total, &t->metrics);
    return true;
}

/* `sometimes`: over all runs together. */
static bool sometimes_met(const struct scenario *sc, struct metrics *total, const char *file) {
    bool ok = true;
    for (size_t i = 0; i < sc->expect_count; i++) {
        const struct expectation *e = &sc->expects[i];
        struct verdict v;
        if (!e->sometimes)
            continue;
        run_judge(total, e, &v);
        if (!v.met)
            report_never_happened(stderr, file, e, v.value);
        ok = ok && v.met;
    }
    return ok;
}

int cmd_sweep(struct options *o, const struct scenario *sc, const char *text) {
    if (!cmd_of_many(o))
        return EXIT_USAGE;
    const struct trial_job model = {.label = o->files[0],
                                    .lets = o->lets,
                                    .let_count = o->let_count,
                                    .has_crypto = o->has_crypto,
                                    .crypto = o->crypto,
                                    .limit_s = o->limit_s,
                                    .want_metrics = true};
    struct sweep s = {.o = o,
                      .text = text,
                      .report = {.source = {.file = o->files[0],
                                            .text = text,
                                            .lets = o->lets,
                                            .let_count = o->let_count,
                                            .crypto = o->has_crypto ? o->crypto : sc->crypto},
                                 .sc = sc,
                                 .first = o->first,
                                 .last = o->last,
                                 .needed = o->needed}};
    const struct campaign c = {.first = o->first,
                               .last = o->last,
                               .jobs = o->jobs,
                               .model = &model,
                               .ctx = &s,
                               .draw = same_text,
                               .result = one_more};
    const uint64_t start_us = trial_clock_us();
    const bool ran = campaign_run(&c);
    s.report.failed_seeds = s.failed;
    s.report.wall_us = trial_clock_us() - start_us;
    int code = EXIT_USAGE;
    if (!ran)
        fprintf(stderr, "meshsim: no process could be made\n");
    if (ran && !s.unreadable) {
        s.report.sometimes_broken = !sometimes_met(sc, &s.report.total, o->files[0]);
        code = report_sweep_ok(&s.report) ? EXIT_OK : EXIT_BROKEN;
        if (o->json && !report_write(report_sweep_result(&s.report), o->json_file))
            code = EXIT_USAGE;
        if (!o->json || o->json_file)
            report_sweep_text(stdout, &s.report);
    }
    metrics_clear(&s.report.total);
    free(s.failed);
    return code;
}
