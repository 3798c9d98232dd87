#include "sim/measure/samples.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"

void samples_clear(struct samples *s) {
    mem_free(s->values);
    *s = (struct samples){0};
}

void samples_add(struct samples *s, double v) {
    if (s->count == s->cap) {
        const size_t cap = s->cap ? s->cap * 2 : 16;
        double *grown = mem_realloc(s->values, cap * sizeof *grown);
        if (!grown)
            abort();
        s->values = grown;
        s->cap = cap;
    }
    s->values[s->count++] = v;
    s->sorted = false;
}

void samples_append(struct samples *s, const struct samples *more) {
    for (size_t i = 0; i < more->count; i++)
        samples_add(s, more->values[i]);
}

static const char *const stat_names[STATS] = {"count", "min", "mean", "p50", "p90", "p99", "max"};

const char *stat_name(enum statistic s) {
    return s < STATS ? stat_names[s] : "unknown";
}

bool stat_find(const char *name, enum statistic *out) {
    for (unsigned i = 0; i < STATS; i++)
        if (strcmp(name, stat_names[i]) == 0) {
            *out = (enum statistic)i;
            return true;
        }
    return false;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const struct samples *s, size_t percent) {
    const size_t rank = (s->count * percent + 99) / 100;
    return s->values[rank > 0 ? rank - 1 : 0];
}

bool samples_stat(struct samples *s, enum statistic which, double *out) {
    *out = (double)s->count;
    if (which == STAT_COUNT)
        return true;
    if (s->count == 0)
        return false;
    if (!s->sorted)
        qsort(s->values, s->count, sizeof *s->values, ascending);
    s->sorted = true;
    double sum = 0;
    switch (which) {
    case STAT_COUNT:
    case STATS:
        break;
    case STAT_MIN:
        *out = s->values[0];
        break;
    case STAT_MEAN:
        for (size_t i = 0; i < s->count; i++)
            sum += s->values[i];
        *out = sum / (double)s->count;
        break;
    case STAT_P50:
        *out = percentile(s, 50);
        break;
    case STAT_P90:
        *out = percentile(s, 90);
        break;
    case STAT_P99:
        *out = percentile(s, 99);
        break;
    case STAT_MAX:
        *out = s->values[s->count - 1];
        break;
    }
    return true;
}
