/* cmd_swarm.c: meshsim swarm: a campaign of drawn scenarios. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "net/os/dir.h"
#include "sim/campaign/swarm.h"
#include "sim/cmd/sweep.h"

static enum swarm_scale scale_of(const struct options *o) {
    return o->relays ? SWARM_RELAYS : o->medium ? SWARM_MEDIUM : SWARM_SMALL;
}

static void draw(void *ctx, uint64_t seed, struct text *out) {
    const struct sweep *w = ctx;
    swarm_draw(seed, scale_of(w->o), out);
}

/* Where the scenario of a failing seed is kept. */
static void save(const struct sweep *w, uint64_t seed, const char *text, const struct trial *t) {
    const char *dir = w->o->out ? w->o->out : "swarm-failures";
    char path[4096];
    const int err = os_dir_make(dir, 0777);
    if (err && err != EEXIST) {
        fprintf(stderr, "meshsim: %s cannot be made: %s\n", dir, strerror(err));
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
    struct sweep *w = ctx;
    if (sweep_count(w, seed, t))
        return true;
    fprintf(stderr, "seed %" PRIu64 ": %s\n%s", seed, trial_kind_name(t->kind), text_of(&t->why));
    save(w, seed, text, t);
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
            swarm_draw(o->seed, scale_of(o), &t);
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
    struct sweep w;
    sweep_init(&w, o, "swarm");
    w.ctx = &w;
    w.draw = draw;
    w.result = one_more;
    w.model.has_crypto = true;
    if (!o->has_crypto)
        w.model.crypto = CRYPTO_REAL;
    w.report.source.text = o->relays ? "relays" : o->medium ? "medium" : "small";
    w.report.source.crypto = w.model.crypto;
    const bool ran = sweep_run(&w);
    int code = sweep_tell(&w);
    const bool met = marks_met(&w.report.total);
    if (!ran || (!met && o->need_marks))
        code = EXIT_BROKEN;
    sweep_clear(&w);
    return code;
}
