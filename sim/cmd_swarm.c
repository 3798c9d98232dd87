/* cmd_swarm.c: meshsim swarm: a campaign of drawn scenarios. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/campaign.h"
#include "sim/cmd.h"
#include "sim/report.h"
#include "sim/swarm.h"

struct swarm {
    struct options *o;
    struct report_sweep report;
    uint64_t *failed;
};

static void draw(void *ctx, uint64_t seed, struct text *out) {
    const struct swarm *w = ctx;
    swarm_draw(seed, w->o->medium ? SWARM_MEDIUM : SWARM_SMALL, out);
}

/* Where the scenario of a failing seed is kept. */
static void save(const struct swarm *w, uint64_t seed, const char *text, const struct trial *t) {
    const char *dir = w->o->out ? w->o->out : "swarm-failures";
    char path[4096];
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "meshsim: %s cannot be made: %s\n", dir, strerror(errno));
        return;
    }
    (void)snprintf(path, sizeof path, "%s/swarm-%" PRIu64 ".mesh", dir, seed);
    FILE *f = fopen(path, "w");
    bool ok = f != NULL;
    if (f) {
        fprintf(f, "# meshsim swarm --seed %" PRIu64 ": %s\n", seed, trial_kind_name(t->kind));
        for (const char *line = text_of(&t->why); *line;) {
            const size_t len = strcspn(line, "\n");
            fprintf(f, "# %.*s\n", (int)len, line);
            line += len + (line[len] == '\n');
        }
        fputs(text, f);
        ok = fclose(f) == 0;
    }
    fprintf(stderr, ok ? "  kept as %s\n" : "  %s cannot be written\n", path);
}

static bool one_more(void *ctx, uint64_t seed, const char *text, struct trial *t) {
    struct swarm *w = ctx;
    if (t->kind == TRIAL_OK) {
        w->report.passed++;
    } else {
        fprintf(stderr, "seed %" PRIu64 ": %s\n%s", seed, trial_kind_name(t->kind),
                text_of(&t->why));
        save(w, seed, text, t);
        w->failed = realloc(w->failed, (w->report.failed + 1) * sizeof *w->failed);
        if (!w->failed)
            abort();
        w->failed[w->report.failed++] = seed;
    }
    metrics_merge(&w->report.total, &t->metrics);
    return true;
}

/* What the campaign should have met and has not. */
static bool marks_met(struct metrics *total) {
    bool all = true;
    const char *name;
    for (unsigned i = 0; (name = swarm_mark(i)) != NULL; i++) {
        double v = 0;
        if (metrics_value(total, name, STAT_COUNT, &v) == METRIC_FOUND && v > 0)
            continue;
        fprintf(stderr, "never met: %s\n", name);
        all = false;
    }
    return all;
}

int cmd_swarm(struct options *o) {
    if (o->print || o->has_seed) {
        struct text t = {0};
        if (!o->has_seed) {
            fprintf(stderr, "meshsim: --print needs --seed N\n");
            return EXIT_USAGE;
        }
        if (o->print) {
            swarm_draw(o->seed, o->medium ? SWARM_MEDIUM : SWARM_SMALL, &t);
            fputs(text_of(&t), stdout);
            text_clear(&t);
            return EXIT_OK;
        }
        o->first = o->last = o->seed;
    } else if (!o->has_seeds) {
        fprintf(stderr, "meshsim: swarm needs --seeds A..B or --seed N\n");
        return EXIT_USAGE;
    }
    if (!cmd_of_many(o))
        return EXIT_USAGE;
    const struct trial_job model = {.label = "swarm",
                                    .lets = o->lets,
                                    .let_count = o->let_count,
                                    .has_crypto = true,
                                    .crypto = o->has_crypto ? o->crypto : CRYPTO_REAL,
                                    .limit_s = o->limit_s,
                                    .want_metrics = true};
    struct swarm w = {.o = o,
                      .report = {.source = {.file = "swarm",
                                            .text = o->medium ? "medium" : "small",
                                            .crypto = model.crypto},
                                 .first = o->first,
                                 .last = o->last,
                                 .needed = o->needed}};
    const struct campaign c = {.first = o->first,
                               .last = o->last,
                               .jobs = o->jobs,
                               .model = &model,
                               .ctx = &w,
                               .draw = draw,
                               .result = one_more};
    const uint64_t start_us = trial_clock_us();
    const bool ran = campaign_run(&c);
    w.report.failed_seeds = w.failed;
    w.report.wall_us = trial_clock_us() - start_us;
    int code = ran && report_sweep_ok(&w.report) ? EXIT_OK : EXIT_BROKEN;
    if (o->json && !report_write(report_sweep_result(&w.report), o->json_file))
        code = EXIT_USAGE;
    if (!o->json || o->json_file)
        report_sweep_text(stdout, &w.report);
    if (!marks_met(&w.report.total) && o->need_marks)
        code = EXIT_BROKEN;
    metrics_clear(&w.report.total);
    free(w.failed);
    return code;
}
