/* oracle: our transport beside ngtcp2's CUBIC on the same simulated bottlenecks.
 *
 *   oracle [-j N] [--json FILE] [--cc KIND] [--seed N]     the full grid
 *   oracle --short                                          some of each kind; fails below the bar
 *   oracle --cell RATE,RTT,LOSS,REORDER,BUFFER[,JITTER[,SHARE]] [-v] [--duration S]
 *
 * Exit: 0; 1 the bar is missed or a run died; 2 usage.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/oracle/compare.h"
#include "tests/bench/oracle/grid.h"
#include "tests/bench/oracle/jobs.h"
#include "tests/bench/oracle/report.h"

/* What --short demands. A change that lowers these has made the transport worse. */
#define SHORT_RATIO_OK_SHARE 0.95
#define SHORT_RATIO_MIN 0.75
#define SHORT_QUEUE_OK_SHARE 0.90
#define SHORT_JAIN_MIN 0.95

static const char usage[] =
    "usage: oracle [-j N] [--cc bbr|cubic|reno] [--seed N] [--json FILE] [--short]\n"
    "       oracle --cell RATE,RTT,LOSS,REORDER,BUFFER[,JITTER:MS|none[,alone|same|mixed]]"
    " [--duration S] [-v]\n"
    "       (Mbit/s, ms, %, packets, BDP; jitter gauss, wifi or tail)\n";

struct options {
    unsigned parallel, seed;
    enum cc_kind cc;
    const char *json, *cell;
    double duration_s;
    bool is_short, verbose;
};

static const struct {
    const char *name;
    enum cc_kind kind;
} cc_names[] = {{"cubic", CC_CUBIC}, {"reno", CC_RENO}, {"bbr", CC_BBR}};

static bool parse_cc(const char *name, enum cc_kind *out) {
    for (unsigned i = 0; i < sizeof cc_names / sizeof cc_names[0]; i++)
        if (strcmp(cc_names[i].name, name) == 0) {
            *out = cc_names[i].kind;
            return true;
        }
    return false;
}

static bool parse_options(int argc, char **argv, struct options *o) {
    *o = (struct options){.parallel = 1, .seed = 1, .cc = CC_BBR};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--short") == 0) {
            o->is_short = true;
            continue;
        }
        if (strcmp(argv[i], "-v") == 0) {
            o->verbose = true;
            continue;
        }
        if (!value)
            return false;
        if (strcmp(argv[i], "-j") == 0)
            o->parallel = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            o->seed = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--json") == 0)
            o->json = value;
        else if (strcmp(argv[i], "--cell") == 0)
            o->cell = value;
        else if (strcmp(argv[i], "--duration") == 0)
            o->duration_s = strtod(value, NULL);
        else if (strcmp(argv[i], "--cc") != 0 || !parse_cc(value, &o->cc))
            return false;
        i++;
    }
    return o->parallel > 0;
}

/* ---- many cells ---- */

struct campaign {
    const struct grid *grid;
    struct dumbbell_setup *setups;
    struct dumbbell_result *results;
    unsigned *first;   /* cell i has the runs first[i] .. first[i + 1] - 1 */
    unsigned *missing; /* how many of them have not ended */
    unsigned printed, count;
    struct comparison *comparisons;
};

/* Rows in the order of the grid, as early as possible. */
static void run_done(void *ctx, unsigned run) {
    struct campaign *c = ctx;
    unsigned cell = 0;
    while (c->first[cell + 1] <= run)
        cell++;
    c->missing[cell]--;
    for (; c->printed < c->grid->count && c->missing[c->printed] == 0; c->printed++) {
        const unsigned i = c->printed;
        compare(&c->grid->cells[i], c->results + c->first[i], c->first[i + 1] - c->first[i],
                &c->comparisons[i]);
        report_row(stdout, &c->comparisons[i]);
        fflush(stdout);
    }
}

static void *array_new(size_t count, size_t size) {
    void *p = calloc(count + 1, size);
    if (!p)
        abort();
    return p;
}

static bool short_passes(const struct summary *s) {
    return s->invalid == 0 && s->ratio_ok_share >= SHORT_RATIO_OK_SHARE &&
           s->ratio_min >= SHORT_RATIO_MIN && s->queue_ok_share >= SHORT_QUEUE_OK_SHARE &&
           s->jain_min >= SHORT_JAIN_MIN;
}

static int run_grid(const struct grid *g, const struct options *o) {
    const size_t runs_max = (size_t)g->count * COMPARE_RUNS_MAX;
    struct campaign c = {.grid = g,
                         .setups = array_new(runs_max, sizeof *c.setups),
                         .results = array_new(runs_max, sizeof *c.results),
                         .first = array_new(g->count, sizeof *c.first),
                         .missing = array_new(g->count, sizeof *c.missing),
                         .comparisons = array_new(g->count, sizeof *c.comparisons)};
    for (unsigned i = 0; i < g->count; i++) {
        c.first[i] = c.count;
        c.missing[i] = compare_plan(&g->cells[i], o->cc, o->seed, c.setups + c.count);
        c.count += c.missing[i];
    }
    c.first[g->count] = c.count;
    report_head(stdout);
    jobs_run(c.setups, c.results, c.count, o->parallel, run_done, &c);

    const struct summary s = report_summarise(c.comparisons, g->count);
    report_summary(stdout, &s);
    int status = s.invalid > 0 ? 1 : 0;
    if (o->is_short && !short_passes(&s)) {
        printf("below the bar: ratio >= 0.9 in %.0f %%, min ratio %.2f, queue in %.0f %%, "
               "min Jain %.2f\n",
               100 * SHORT_RATIO_OK_SHARE, SHORT_RATIO_MIN, 100 * SHORT_QUEUE_OK_SHARE,
               SHORT_JAIN_MIN);
        status = 1;
    }
    if (o->json) {
        FILE *f = fopen(o->json, "w");
        if (!f) {
            perror(o->json);
            status = 1;
        } else {
            report_json(f, c.comparisons, g->count, &s);
            fclose(f);
        }
    }
    free(c.setups);
    free(c.results);
    free(c.first);
    free(c.missing);
    free(c.comparisons);
    return status;
}

/* ---- one cell, over time ---- */

static void trace_cell(const struct cell *cell, const struct options *o) {
    struct dumbbell_setup setups[COMPARE_RUNS_MAX];
    const unsigned runs = compare_plan(cell, o->cc, o->seed, setups);
    const unsigned stacks = cell->share == SHARE_MIXED ? 1 : 2;
    for (unsigned i = 0; i < stacks; i++) {
        struct dumbbell_result r;
        dumbbell_run(&setups[i * (runs / stacks)], stdout, &r);
        fprintf(stderr,
                "%s: %.3f + %.3f Mbit/s, p99 queue %.2f ms, %llu packets, %llu queue drops, %llu "
                "lost\n",
                setups[i * (runs / stacks)].stacks[0]->name, r.goodput_bps[0] / 1e6,
                r.goodput_bps[1] / 1e6, r.queue_p99_s * 1e3, (unsigned long long)r.sent_pkts,
                (unsigned long long)r.queue_drops, (unsigned long long)r.random_losses);
    }
}

int main(int argc, char **argv) {
    struct options o;
    struct grid g = {0};
    struct cell cell;
    if (!parse_options(argc, argv, &o) || (o.cell && !cell_parse(o.cell, &cell))) {
        fputs(usage, stderr);
        return 2;
    }
    if (o.cell && o.duration_s > 0)
        cell.duration_ns = (uint64_t)(o.duration_s * 1e9);
    if (o.cell && o.verbose) {
        trace_cell(&cell, &o);
        return 0;
    }
    if (o.cell)
        grid_add(&g, &cell);
    else if (o.is_short)
        grid_short(&g);
    else
        grid_full(&g);
    const int status = run_grid(&g, &o);
    grid_clear(&g);
    return status;
}
