/* cmd_shrink.c: meshsim shrink: the smallest scenario that still fails, and its story. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/campaign/shrink.h"
#include "sim/campaign/story.h"
#include "sim/campaign/trial.h"
#include "sim/cmd/cmd.h"

struct task {
    struct options *o;
    uint64_t seed;
    struct text signature; /* how it must fail */
    unsigned runs;
};

static struct trial_job job_of(const struct task *k, const char *text) {
    return (struct trial_job){.text = text,
                              .label = k->o->files[0],
                              .seed = k->seed,
                              .lets = k->o->lets,
                              .let_count = k->o->let_count,
                              .has_crypto = k->o->has_crypto,
                              .crypto = k->o->crypto,
                              .limit_s = k->o->limit_s};
}

static void try_text(const struct task *k, const char *text, struct trial *t) {
    const struct trial_job job = job_of(k, text);
    trial_run(&job, t);
}

static bool fails(void *ctx, const char *text) {
    struct task *k = ctx;
    struct trial t;
    try_text(k, text, &t);
    const bool same = trial_same(&t, &k->signature);
    k->runs++;
    trial_clear(&t);
    return same;
}

static void losses(void *ctx, const char *text, struct text *out) {
    const struct task *k = ctx;
    const struct trial_job job = job_of(k, text);
    story_losses(&job, out);
}

static bool write_out(const struct task *k, const char *text, FILE *out) {
    struct trial t;
    struct text story = {0};
    try_text(k, text, &t);
    fprintf(out, "# Shrunk from %s, seed %" PRIu64 ", in %u runs. It fails like this:\n",
            k->o->files[0], k->seed, k->runs);
    for (const char *line = text_of(&t.why); *line;) {
        const size_t len = strcspn(line, "\n");
        fprintf(out, "#   %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    fputs(text, out);
    if (t.kind == TRIAL_BROKEN) {
        const struct trial_job job = job_of(k, text);
        story_tell(&job, &story);
        fputs(text_of(&story), out);
    }
    text_clear(&story);
    trial_clear(&t);
    return !ferror(out);
}

int cmd_shrink(struct options *o) {
    struct task k = {.o = o};
    struct scenario sc;
    struct problem problem;
    struct trial t;
    struct text least = {0};
    char *text = cmd_read_file(o->files[0]);
    if (!text)
        return EXIT_USAGE;
    if (!scenario_parse(&sc, text, o->lets, o->let_count, &problem)) {
        mem_free(text);
        return cmd_complain(o->files[0], &problem);
    }
    /* The line that uses one may be shrunk away. */
    for (size_t i = 0; i < o->let_count; i++)
        o->lets[i].optional = true;
    k.seed = o->has_seed ? o->seed : sc.has_seed ? sc.seed : 1;
    scenario_clear(&sc);
    try_text(&k, text, &t);
    const bool failing = t.kind != TRIAL_OK && t.kind != TRIAL_UNREADABLE;
    text_add(&k.signature, "%s", text_of(&t.signature));
    if (t.kind == TRIAL_UNREADABLE)
        fputs(text_of(&t.why), stderr);
    else if (!failing)
        fprintf(stderr,
                "meshsim: %s does not fail with seed %" PRIu64 "; there is nothing to shrink\n",
                o->files[0], k.seed);
    trial_clear(&t);
    if (!failing) {
        mem_free(text);
        text_clear(&k.signature);
        return EXIT_USAGE;
    }
    struct shrinker s = {.ctx = &k, .fails = fails, .losses = losses, .budget = o->budget};
    /* What demands that all works again makes no sense without the part that heals. */
    s.keep_marked = strncmp(text_of(&k.signature), "expect", 6) == 0;
    shrink(&s, text, &least);
    FILE *out = o->out ? fopen(o->out, "w") : stdout;
    bool ok = out && write_out(&k, text_of(&least), out);
    if (out && out != stdout)
        ok = fclose(out) == 0 && ok;
    if (!ok)
        fprintf(stderr, "meshsim: %s cannot be written\n", o->out ? o->out : "the scenario");
    text_clear(&least);
    text_clear(&k.signature);
    mem_free(text);
    return ok ? EXIT_OK : EXIT_BROKEN;
}
