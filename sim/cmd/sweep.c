#include "sim/cmd/sweep.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/base/mem.h"
#include "net/os/clock.h"
#include "sim/memory/grow.h"

void sweep_init(struct sweep *s, const struct options *o, const char *label) {
    *s = (struct sweep){
        .o = o,
        .model = {.label = label,
                  .lets = o->lets,
                  .let_count = o->let_count,
                  .has_crypto = o->has_crypto,
                  .crypto = o->crypto,
                  .limit_s = o->limit_s,
                  .want_metrics = true},
        .report = {
            .source = {.file = label}, .first = o->first, .last = o->last, .needed = o->needed}};
}

bool sweep_run(struct sweep *s) {
    const struct campaign c = {.first = s->o->first,
                               .last = s->o->last,
                               .jobs = s->o->jobs,
                               .model = &s->model,
                               .ctx = s->ctx,
                               .draw = s->draw,
                               .result = s->result};
    const uint64_t start_us = clock_now_us();
    const bool ran = campaign_run(&c);
    s->report.failed_seeds = s->failed;
    s->report.wall_us = clock_now_us() - start_us;
    if (!ran)
        fprintf(stderr, "meshsim: no process could be made\n");
    return ran;
}

bool sweep_count(struct sweep *s, uint64_t seed, struct trial *t) {
    const bool ok = t->kind == TRIAL_OK;
    if (ok) {
        s->report.passed++;
    } else {
        grow(&s->failed, &s->failed_cap, s->report.failed + 1, sizeof *s->failed);
        s->failed[s->report.failed++] = seed;
    }
    metrics_merge(&s->report.total, &t->metrics);
    return ok;
}

int sweep_tell(struct sweep *s) {
    int code = report_sweep_ok(&s->report) ? EXIT_OK : EXIT_BROKEN;
    if (s->o->json && !report_write(report_sweep_result(&s->report), s->o->json_file))
        code = EXIT_USAGE;
    if (!s->o->json || s->o->json_file)
        report_sweep_text(stdout, &s->report);
    return code;
}

void sweep_clear(struct sweep *s) {
    metrics_clear(&s->report.total);
    mem_free(s->failed);
}
