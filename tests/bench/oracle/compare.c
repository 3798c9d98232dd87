/* Rates, fairness and their ranges over a cell's runs, and who is the better one. */
#include "tests/bench/oracle/compare.h"

#include <stdlib.h>

unsigned compare_plan(const struct cell *c, enum cc_kind cc, unsigned seed_base,
                      struct dumbbell_setup setups[COMPARE_RUNS_MAX]) {
    const unsigned seeds = cell_has_chance(c) ? COMPARE_SEEDS : 1;
    const unsigned kinds = c->share == SHARE_MIXED ? 1 : 2;
    unsigned n = 0;
    for (unsigned kind = 0; kind < kinds; kind++)
        for (unsigned i = 0; i < seeds; i++) {
            const struct flow_ops *first = kind == 0 ? &flow_ours_ops : &flow_ngtcp2_ops;
            setups[n++] = (struct dumbbell_setup){
                .cell = *c,
                .stacks = {first, c->share == SHARE_MIXED ? &flow_ngtcp2_ops : first},
                .flow_count = c->share == SHARE_ALONE ? 1 : 2,
                .cc = cc,
                .seed = seed_base + i};
        }
    return n;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, unsigned count) {
    double sorted[COMPARE_RUNS_MAX];
    for (unsigned i = 0; i < count; i++)
        sorted[i] = values[i];
    qsort(sorted, count, sizeof sorted[0], by_value);
    return sorted[count / 2];
}

/* Jain's fairness index: 1 for equal shares, 1/2 if one of two gets all. */
static double jain(const double *x, unsigned count) {
    double sum = 0, squares = 0;
    for (unsigned i = 0; i < count; i++) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    return squares > 0 ? sum * sum / (count * squares) : 0;
}

/* The flows from..to-1 of each run together. */
static struct compare_side summarise(const struct dumbbell_result *results, unsigned runs,
                                     unsigned from, unsigned to) {
    double goodput[COMPARE_RUNS_MAX], queue[COMPARE_RUNS_MAX], fair[COMPARE_RUNS_MAX];
    for (unsigned i = 0; i < runs; i++) {
        goodput[i] = 0;
        for (unsigned f = from; f < to; f++)
            goodput[i] += results[i].goodput_bps[f];
        queue[i] = results[i].queue_p99_s;
        fair[i] = jain(results[i].goodput_bps + from, to - from);
    }
    return (struct compare_side){.goodput_bps = median(goodput, runs),
                                 .queue_p99_s = median(queue, runs),
                                 .jain = median(fair, runs)};
}

static double mixed_jain(const struct dumbbell_result *results, unsigned runs) {
    double fair[COMPARE_RUNS_MAX];
    for (unsigned i = 0; i < runs; i++)
        fair[i] = jain(results[i].goodput_bps, FLOWS_MAX);
    return median(fair, runs);
}

void compare(const struct cell *c, const struct dumbbell_result *results, unsigned count,
             struct comparison *out) {
    *out = (struct comparison){.cell = *c, .valid = true};
    for (unsigned i = 0; i < count; i++)
        out->valid = out->valid && results[i].valid;
    if (!out->valid)
        return;
    const unsigned flows = c->share == SHARE_ALONE ? 1 : FLOWS_MAX;
    if (c->share == SHARE_MIXED) {
        out->ours = summarise(results, count, 0, 1);
        out->ngtcp2 = summarise(results, count, 1, 2);
        out->jain = mixed_jain(results, count);
    } else {
        out->ours = summarise(results, count / 2, 0, flows);
        out->ngtcp2 = summarise(results + count / 2, count / 2, 0, flows);
        out->jain = out->ours.jain;
    }
    if (out->ngtcp2.goodput_bps > 0)
        out->ratio = out->ours.goodput_bps / out->ngtcp2.goodput_bps;
    else
        out->ratio = out->ours.goodput_bps > 0 ? 99 : 1;
    out->queue_counts = out->ratio <= 2;
    out->queue_ok =
        out->ours.queue_p99_s <= 1.1 * out->ngtcp2.queue_p99_s + (double)cell_packet_ns(c) / 1e9;
}
