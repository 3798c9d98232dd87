/* main.c: the command line of meshsim. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/quantity.h"
#include "sim/report.h"

enum {
    EXIT_OK = 0,
    EXIT_BROKEN = 1,
    EXIT_USAGE = 2,
    FILE_MAX_BYTES = 16 << 20,
    SEEDS_MAX = 1000000
};

struct options {
    const char *file;
    bool json, twice, has_seed, has_seeds;
    int verbose;
    uint64_t seed, first, last;
    double needed;
    struct scenario_let lets[LEXER_LETS_MAX];
    size_t let_count;
};

static const char usage[] =
    "usage: meshsim run FILE [options]     run a scenario (FILE - : from stdin)\n"
    "       meshsim check FILE [options]   only read it\n"
    "       meshsim metrics                the names that `expect` knows\n"
    "       meshsim --help | --version\n"
    "options:\n"
    "  --seed N          instead of the scenario's seed\n"
    "  --seeds A..B      once with each seed, then a summary\n"
    "  --pass P          how many of them must pass: 99.9% (default 100%)\n"
    "  --twice           run twice and compare the traces\n"
    "  --set NAME=VALUE  instead of the scenario's `let NAME`\n"
    "  --json            the report as JSON\n"
    "  -v                node events on stderr; -vv: also logs and drops, -vvv: every datagram\n"
    "exit codes: 0 all expectations met, 1 not, 2 usage or a scenario that cannot be run\n";

static uint64_t clock_us(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- what -v shows ---- */

static void show_event(void *ctx, uint64_t time_ns, const char *host, const struct node_event *e) {
    (void)ctx;
    fprintf(stderr, "%12.6f %-8s %s %s id=%" PRIu64 " bytes=%" PRIu64 "/%" PRIu64 " %s %s\n",
            (double)time_ns / 1e9, host, node_event_name(e->kind), e->contact, e->id, e->bytes,
            e->total, e->err ? err_name(e->err) : "", e->detail);
}

static void show_log(void *ctx, uint64_t time_ns, const char *host, enum log_level level,
                     const char *line) {
    (void)ctx;
    fprintf(stderr, "%12.6f %-8s log%u %s\n", (double)time_ns / 1e9, host, (unsigned)level, line);
}

static void show_datagram(void *ctx, const struct sim_datagram *d) {
    const struct options *o = ctx;
    char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
    if (d->fate == FATE_DELIVERED && o->verbose < 3)
        return;
    addr_text(&d->from, from);
    addr_text(&d->to, to);
    fprintf(stderr, "%12.6f %s > %s %u bytes type %u %s\n", (double)d->time_ns / 1e9, from, to,
            d->len, d->len ? d->data[0] : 0u, fate_name(d->fate));
}

static struct sim_tap make_tap(struct options *o) {
    struct sim_tap tap = {.ctx = o};
    if (o->verbose > 0)
        tap.node_event = show_event;
    if (o->verbose > 1) {
        tap.log = show_log;
        tap.datagram = show_datagram;
    }
    return tap;
}

static void show_progress(void *ctx, uint64_t now_ns, uint64_t duration_ns) {
    (void)ctx;
    fprintf(stderr, "\r%.0f of %.0f s", (double)now_ns / 1e9, (double)duration_ns / 1e9);
    if (now_ns >= duration_ns)
        fprintf(stderr, "\r%40s\r", "");
}

/* ---- commands ---- */

static char *read_all(const char *file) {
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
    char *text = f ? malloc(FILE_MAX_BYTES + 1) : NULL;
    if (text) {
        const size_t len = fread(text, 1, FILE_MAX_BYTES, f);
        text[len] = '\0';
        if (ferror(f) || !feof(f) || strlen(text) != len) {
            free(text);
            text = NULL;
        }
    }
    if (f && f != stdin)
        (void)fclose(f);
    if (!text)
        fprintf(stderr, "meshsim: %s cannot be read as a scenario\n", file);
    return text;
}

static int complain(const struct options *o, const struct problem *p) {
    fprintf(stderr, "%s:%u:%u: %s\n", o->file, p->at.line, p->at.column, p->text);
    return EXIT_USAGE;
}

static bool load(const struct options *o, struct scenario *sc) {
    struct problem problem;
    char *text = read_all(o->file);
    if (!text)
        return false;
    const bool ok = scenario_parse(sc, text, o->lets, o->let_count, &problem);
    free(text);
    if (!ok)
        (void)complain(o, &problem);
    return ok;
}

static int once(struct options *o, const struct scenario *sc, uint64_t seed, struct run *r) {
    struct run_options ro = {.seed = seed, .tap = make_tap(o), .clock_us = clock_us};
    struct problem problem;
    if (isatty(STDERR_FILENO) && o->verbose == 0 && !o->has_seeds)
        ro.progress = show_progress;
    if (!run_scenario(sc, &ro, r, &problem))
        return complain(o, &problem);
    return r->ok ? EXIT_OK : EXIT_BROKEN;
}

/* The same seed again: the same hash, or where it went apart. */
static int compare_again(struct options *o, const struct scenario *sc, uint64_t seed,
                         const struct run *first) {
    struct run again;
    uint64_t second = 0;
    const int code = once(o, sc, seed, &again);
    if (code == EXIT_USAGE)
        return code;
    const bool same = memcmp(first->hash, again.hash, sizeof again.hash) == 0;
    if (same)
        fprintf(stderr, "twice: the traces are the same\n");
    else if (trace_first_difference(sim_trace(first->sim), sim_trace(again.sim), &second))
        fprintf(stderr, "twice: the traces differ, first in second %" PRIu64 "\n", second);
    else
        fprintf(stderr, "twice: the traces differ in the last second\n");
    run_clear(&again);
    return same ? EXIT_OK : EXIT_BROKEN;
}

static int run_one(struct options *o, const struct scenario *sc) {
    const uint64_t seed = o->has_seed ? o->seed : sc->has_seed ? sc->seed : 1;
    struct run r;
    int code = once(o, sc, seed, &r);
    if (code == EXIT_USAGE)
        return code;
    if (o->json)
        report_json(stdout, sc, o->file, &r);
    else
        report_text(stdout, sc, o->file, &r);
    if (o->twice) {
        const int compared = compare_again(o, sc, seed, &r);
        if (compared != EXIT_OK)
            code = compared;
    }
    run_clear(&r);
    return code;
}

static int run_many(struct options *o, const struct scenario *sc) {
    struct report_sweep w = {.first = o->first, .last = o->last, .needed = o->needed};
    uint64_t *failed = calloc((size_t)(o->last - o->first + 1), sizeof *failed);
    const uint64_t start_us = clock_us();
    int code = EXIT_OK;
    if (!failed)
        abort();
    for (uint64_t seed = o->first; seed <= o->last && code != EXIT_USAGE; seed++) {
        struct run r;
        code = once(o, sc, seed, &r);
        if (code == EXIT_USAGE)
            break;
        if (o->twice && compare_again(o, sc, seed, &r) != EXIT_OK)
            code = EXIT_BROKEN;
        if (code == EXIT_BROKEN) {
            fprintf(stderr, "seed %" PRIu64 ":\n", seed);
            report_broken(stderr, sc, o->file, &r);
            failed[w.failed++] = seed;
        } else {
            w.passed++;
        }
        metrics_merge(&w.total, &r.metrics);
        run_clear(&r);
    }
    w.failed_seeds = failed;
    w.wall_us = clock_us() - start_us;
    if (code != EXIT_USAGE) {
        code = report_sweep_ok(&w) ? EXIT_OK : EXIT_BROKEN;
        if (o->json)
            report_sweep_json(stdout, o->file, &w);
        else
            report_sweep_text(stdout, o->file, &w);
    }
    metrics_clear(&w.total);
    free(failed);
    return code;
}

static int list_metrics(void) {
    struct sim *s = sim_new(&(struct sim_config){.seed = 1});
    struct metrics m = {0};
    metrics_collect(s, &m);
    for (size_t i = 0; i < m.count; i++)
        printf("%s%s\n", m.items[i].name,
               m.items[i].sampled ? " [.count .min .mean .p50 .p90 .p99 .max]" : "");
    metrics_clear(&m);
    sim_free(s);
    return EXIT_OK;
}

/* ---- the command line ---- */

static bool read_seed(const char *text, uint64_t *out) {
    return quantity_parse(text, QUANTITY_COUNT, out) == NULL && *out <= INT64_MAX;
}

static bool read_seeds(const char *text, struct options *o) {
    char first[32];
    const char *dots = strstr(text, "..");
    if (!dots || (size_t)(dots - text) >= sizeof first)
        return false;
    memcpy(first, text, (size_t)(dots - text));
    first[dots - text] = '\0';
    o->has_seeds = true;
    return read_seed(first, &o->first) && read_seed(dots + 2, &o->last) && o->first <= o->last &&
           o->last - o->first < SEEDS_MAX;
}

static bool read_set(char *text, struct options *o) {
    char *eq = strchr(text, '=');
    if (!eq || o->let_count == LEXER_LETS_MAX)
        return false;
    *eq = '\0';
    o->lets[o->let_count++] = (struct scenario_let){text, eq + 1};
    return true;
}

static bool read_options(int argc, char **argv, struct options *o) {
    static const struct option longs[] = {{"seed", required_argument, NULL, 's'},
                                          {"seeds", required_argument, NULL, 'S'},
                                          {"pass", required_argument, NULL, 'p'},
                                          {"twice", no_argument, NULL, 't'},
                                          {"set", required_argument, NULL, 'D'},
                                          {"json", no_argument, NULL, 'j'},
                                          {NULL, 0, NULL, 0}};
    bool ok = true;
    int c;
    while ((c = getopt_long(argc, argv, "v", longs, NULL)) != -1 && ok) {
        if (c == 's')
            ok = o->has_seed = read_seed(optarg, &o->seed);
        else if (c == 'S')
            ok = read_seeds(optarg, o);
        else if (c == 'p')
            ok = quantity_number(optarg, &o->needed) == NULL && o->needed <= 1;
        else if (c == 't')
            o->twice = true;
        else if (c == 'D')
            ok = read_set(optarg, o);
        else if (c == 'j')
            o->json = true;
        else if (c == 'v')
            o->verbose++;
        else
            ok = false;
    }
    if (ok && optind + 1 == argc)
        o->file = argv[optind];
    return ok && o->file && !(o->has_seed && o->has_seeds);
}

int main(int argc, char **argv) {
    struct options o = {.needed = 1};
    struct scenario sc;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("meshsim " MESHD_VERSION);
        return EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "metrics") == 0)
        return list_metrics();
    const bool run = argc > 2 && strcmp(argv[1], "run") == 0;
    const bool check = argc > 2 && strcmp(argv[1], "check") == 0;
    if ((!run && !check) || !read_options(argc - 1, argv + 1, &o)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!load(&o, &sc))
        return EXIT_USAGE;
    int code = EXIT_OK;
    if (run)
        code = o.has_seeds ? run_many(&o, &sc) : run_one(&o, &sc);
    scenario_clear(&sc);
    return code;
}
