/* cmd_sweep.c: meshsim run --seeds: one scenario with many seeds. */
#include <inttypes.h>
#include <stdio.h>

#include "sim/cmd/sweep.h"

struct one { /* scenario for all seeds */
    struct sweep sweep;
    const char *text;
    bool unreadable;
};

static void same_text(void *ctx, uint64_t seed, struct text *out) {
    const struct one *s = ctx;
    (void)seed;
    text_add(out, "%s", s->text);
}

static bool one_more(void *ctx, uint64_t seed, const char *text, struct trial *t) {
    struct one *s = ctx;
    (void)text;
    if (t->kind == TRIAL_UNREADABLE) {
        fputs(text_of(&t->why), stderr);
        s->unreadable = true;
        return false;
    }
    if (!sweep_count(&s->sweep, seed, t))
        fprintf(stderr, "seed %" PRIu64 ":\n%s", seed, text_of(&t->why));
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
    struct one s = {.text = text};
    struct report_sweep *report = &s.sweep.report;
    sweep_init(&s.sweep, o, o->files[0]);
    s.sweep.ctx = &s;
    s.sweep.draw = same_text;
    s.sweep.result = one_more;
    report->source.text = text;
    report->source.lets = o->lets;
    report->source.let_count = o->let_count;
    report->source.crypto = o->has_crypto ? o->crypto : sc->crypto;
    report->sc = sc;
    int code = EXIT_USAGE;
    if (sweep_run(&s.sweep) && !s.unreadable) {
        report->sometimes_broken = !sometimes_met(sc, &report->total, o->files[0]);
        code = sweep_tell(&s.sweep);
    }
    sweep_clear(&s.sweep);
    return code;
}
