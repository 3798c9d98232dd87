#include "sim/report/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/measure/hist.h"
#include "sim/memory/grow.h"

/* ---- making ---- */

static void set_number(json_t *o, const char *key, double v) {
    json_object_set_new(o, key, json_real(v));
}

static const struct {
    const char *name;
    double part;
} percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};

static double number(const json_t *o, const char *key) {
    return json_number_value(json_object_get(o, key));
}

/* The value below which this part of the samples lies, by the histogram, but never outside of min
 * and max. */
static double percentile(const json_t *o, double part) {
    const double count = number(o, "count");
    double seen = 0, v = 0;
    size_t i;
    json_t *pair;
    json_array_foreach(json_object_get(o, "hist"), i, pair) {
        seen += json_number_value(json_array_get(pair, 1));
        v = hist_value((unsigned)json_integer_value(json_array_get(pair, 0)));
        if (seen >= part * count)
            break;
    }
    const double min = number(o, "min"), max = number(o, "max");
    return v < min ? min : v > max ? max : v;
}

/* By the histogram, whoever has added it up. */
static void set_percentiles(json_t *o) {
    for (unsigned i = 0; i < sizeof percentiles / sizeof *percentiles; i++)
        set_number(o, percentiles[i].name, percentile(o, percentiles[i].part));
}

static json_t *sampled(struct samples *s, bool exact) {
    static const enum statistic stats[] = {STAT_MIN, STAT_MAX, STAT_MEAN,
                                           STAT_P50, STAT_P90, STAT_P99};
    json_t *o = json_object(), *hist = json_array();
    double sum = 0, v;
    uint64_t *counts = mem_calloc(HIST_BUCKETS, sizeof *counts);
    if (!counts)
        abort();
    for (size_t i = 0; i < s->count; i++) {
        sum += s->values[i];
        counts[hist_bucket(s->values[i])]++;
    }
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        if (counts[i] > 0)
            json_array_append_new(hist, json_pack("[i, I]", (int)i, (json_int_t)counts[i]));
    mem_free(counts);
    json_object_set_new(o, "count", json_integer((json_int_t)s->count));
    set_number(o, "sum", sum);
    for (unsigned i = 0; i < sizeof stats / sizeof *stats; i++)
        if (samples_stat(s, stats[i], &v))
            set_number(o, stat_name(stats[i]), v);
    json_object_set_new(o, "hist", hist);
    if (!exact && s->count > 0)
        set_percentiles(o);
    return o;
}

json_t *result_metrics(struct metrics *m, bool exact) {
    json_t *all = json_object();
    for (size_t i = 0; i < m->count; i++)
        json_object_set_new(all, m->items[i].name,
                            m->items[i].sampled ? sampled(&m->items[i].samples, exact)
                                                : json_real(m->items[i].value));
    return all;
}

json_t *result_runs(uint64_t passed, const uint64_t *failed_seeds, uint64_t failed) {
    json_t *seeds = json_array();
    for (uint64_t i = 0; i < failed; i++)
        json_array_append_new(seeds, json_integer((json_int_t)failed_seeds[i]));
    return json_pack("{s:I, s:I, s:o}", "count", (json_int_t)(passed + failed), "passed",
                     (json_int_t)passed, "failed", seeds);
}

/* ---- adding ---- */

static json_t *add_hist(const json_t *a, const json_t *b) {
    uint64_t *counts = mem_calloc(HIST_BUCKETS, sizeof *counts);
    const json_t *both[] = {a, b};
    json_t *sum = json_array();
    size_t i;
    json_t *pair;
    if (!counts)
        abort();
    for (unsigned k = 0; k < 2; k++)
        json_array_foreach(both[k], i, pair) {
            const json_int_t at = json_integer_value(json_array_get(pair, 0));
            if (at >= 0 && at < HIST_BUCKETS)
                counts[at] += (uint64_t)json_integer_value(json_array_get(pair, 1));
        }
    for (unsigned k = 0; k < HIST_BUCKETS; k++)
        if (counts[k] > 0)
            json_array_append_new(sum, json_pack("[i, I]", (int)k, (json_int_t)counts[k]));
    mem_free(counts);
    return sum;
}

static void add_samples(json_t *a, const json_t *b) {
    const json_int_t na = json_integer_value(json_object_get(a, "count")),
                     nb = json_integer_value(json_object_get(b, "count"));
    if (nb == 0) {
        if (na > 0)
            set_percentiles(a);
        return;
    }
    const double min =
        na == 0 || number(b, "min") < number(a, "min") ? number(b, "min") : number(a, "min");
    const double max =
        na == 0 || number(b, "max") > number(a, "max") ? number(b, "max") : number(a, "max");
    const double sum = number(a, "sum") + number(b, "sum");
    json_object_set_new(a, "hist",
                        add_hist(json_object_get(a, "hist"), json_object_get(b, "hist")));
    json_object_set_new(a, "count", json_integer(na + nb));
    set_number(a, "sum", sum);
    set_number(a, "min", min);
    set_number(a, "max", max);
    set_number(a, "mean", sum / (double)(na + nb));
    set_percentiles(a);
}

static int by_seed(const void *a, const void *b) {
    const json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;
    return x < y ? -1 : x > y;
}

static json_t *add_runs(const json_t *a, const json_t *b) {
    const json_t *fa = json_object_get(a, "failed"), *fb = json_object_get(b, "failed");
    const size_t na = json_array_size(fa), n = na + json_array_size(fb);
    json_int_t *seeds = mem_calloc(n + 1, sizeof *seeds);
    json_t *list = json_array();
    if (!seeds)
        abort();
    for (size_t i = 0; i < n; i++)
        seeds[i] = json_integer_value(i < na ? json_array_get(fa, i) : json_array_get(fb, i - na));
    qsort(seeds, n, sizeof *seeds, by_seed);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_integer(seeds[i]));
    mem_free(seeds);
    return json_pack("{s:I, s:I, s:o}", "count",
                     json_integer_value(json_object_get(a, "count")) +
                         json_integer_value(json_object_get(b, "count")),
                     "passed",
                     json_integer_value(json_object_get(a, "passed")) +
                         json_integer_value(json_object_get(b, "passed")),
                     "failed", list);
}

static bool is_result(const json_t *r) {
    return json_integer_value(json_object_get(r, "schema")) == RESULT_SCHEMA &&
           json_array_size(json_object_get(r, "seeds")) > 0 &&
           json_is_object(json_object_get(r, "metrics")) &&
           json_is_object(json_object_get(r, "runs"));
}

json_t *result_seeds(uint64_t first, uint64_t last) {
    return json_pack("[[I, I]]", (json_int_t)first, (json_int_t)last);
}

struct range {
    json_int_t first, last;
};

static int by_first(const void *a, const void *b) {
    const struct range *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* The ranges of both, joined where they touch; NULL if some seed is in both. */
static json_t *add_ranges(const json_t *a, const json_t *b) {
    const size_t na = json_array_size(a), n = na + json_array_size(b);
    struct range *list = mem_calloc(n + 1, sizeof *list);
    json_t *sum = json_array();
    size_t joined = 0;
    if (!list)
        abort();
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = i < na ? json_array_get(a, i) : json_array_get(b, i - na);
        list[i] = (struct range){json_integer_value(json_array_get(pair, 0)),
                                 json_integer_value(json_array_get(pair, 1))};
    }
    qsort(list, n, sizeof *list, by_first);
    bool apart = true;
    for (size_t i = 0; i < n; i++) {
        apart = apart && (i == 0 || list[i].first > list[joined - 1].last);
        if (i > 0 && list[i].first == list[joined - 1].last + 1)
            list[joined - 1].last = list[i].last;
        else
            list[joined++] = list[i];
    }
    for (size_t i = 0; i < joined; i++)
        json_array_append_new(sum, json_pack("[I, I]", list[i].first, list[i].last));
    mem_free(list);
    if (apart)
        return sum;
    json_decref(sum);
    return NULL;
}

/* Whether both are about the same: its text, what was set, how it was encrypted. */
static bool same_source(const json_t *a, const json_t *b) {
    static const char *const keys[] = {"scenario", "text", "lets", "crypto"};
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i])))
            return false;
    return true;
}

static void set_seeds(json_t *into, json_t *ranges) {
    const json_t *first = json_array_get(ranges, 0),
                 *last = json_array_get(ranges, json_array_size(ranges) - 1);
    json_object_set(into, "first", json_array_get(first, 0));
    json_object_set(into, "last", json_array_get(last, 1));
    json_object_set_new(into, "seeds", ranges);
}

const char *result_add(json_t *into, const json_t *more) {
    const char *key;
    json_t *value;
    if (!is_result(into) || !is_result(more))
        return "not a result of meshsim, or of another schema";
    if (!same_source(into, more))
        return "results of another scenario, of other --set values or another --crypto";
    json_t *ranges = add_ranges(json_object_get(into, "seeds"), json_object_get(more, "seeds"));
    if (!ranges)
        return "some seeds are in both";
    /* What was one run's own does not stand for several. */
    static const char *const own[] = {"seed",   "trace", "ok",      "expectations",
                                      "nevers", "notes", "failure", "undone"};
    for (unsigned i = 0; i < sizeof own / sizeof *own; i++)
        (void)json_object_del(into, own[i]);
    json_object_set_new(into, "runs",
                        add_runs(json_object_get(into, "runs"), json_object_get(more, "runs")));
    set_seeds(into, ranges);
    json_t *sum = json_object_get(into, "metrics");
    json_object_foreach(json_object_get(more, "metrics"), key, value) {
        json_t *old = json_object_get(sum, key);
        if (!old)
            json_object_set_new(sum, key, json_deep_copy(value));
        else if (json_is_object(old) && json_is_object(value))
            add_samples(old, value);
        else if (json_is_number(old) && json_is_number(value))
            json_object_set_new(sum, key,
                                json_real(json_number_value(old) + json_number_value(value)));
    }
    return NULL;
}

/* ---- reading ---- */

bool result_value(const json_t *result, const char *metric, enum statistic bare, double *out) {
    const json_t *all = json_object_get(result, "metrics"), *m = json_object_get(all, metric);
    char group[64];
    const char *dot = strrchr(metric, '.');
    enum statistic which = bare;
    if (!m && dot && (size_t)(dot - metric) < sizeof group && stat_find(dot + 1, &which)) {
        memcpy(group, metric, (size_t)(dot - metric));
        group[dot - metric] = '\0';
        m = json_object_get(all, group);
    }
    const json_t *v = json_is_object(m) ? json_object_get(m, stat_name(which)) : m;
    *out = json_number_value(v);
    return json_is_number(v);
}

/* ---- comparing ---- */

struct change {
    char name[80];
    double before, now, ratio;
};
struct changes {
    struct change *list;
    uint32_t count, cap;
};

static void note(struct changes *c, const char *name, const char *stat, double before, double now) {
    if (fabs(before - now) <= 1e-9 * fmax(fabs(before), fabs(now)))
        return;
    grow(&c->list, &c->cap, c->count + 1, sizeof *c->list);
    struct change *x = &c->list[c->count++];
    (void)snprintf(x->name, sizeof x->name, "%s%s%s", name, stat[0] ? "." : "", stat);
    x->before = before;
    x->now = now;
    x->ratio = fabs(before) > 0 ? (now - before) / fabs(before) : HUGE_VAL;
}

static int by_size(const void *a, const void *b) {
    const struct change *x = a, *y = b;
    const double dx = fabs(x->ratio), dy = fabs(y->ratio);
    return dx > dy ? -1 : dx < dy ? 1 : strcmp(x->name, y->name);
}

const char *result_compare(FILE *out, const json_t *before, const json_t *now) {
    if (!is_result(before))
        return "it is not a result of meshsim, or of another schema";
    if (!json_equal(json_object_get(before, "text"), json_object_get(now, "text")))
        fprintf(out, "the baseline is of another scenario text (%s)\n",
                json_string_value(json_object_get(before, "scenario")));
    static const char *const stats[] = {"count", "mean", "p50", "p99", "max"};
    struct changes c = {0};
    const json_t *old = json_object_get(before, "metrics");
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(now, "metrics"), key, value) {
        const json_t *was = json_object_get(old, key);
        if (metrics_is_real_time(key))
            continue;
        if (json_is_number(value) && json_is_number(was))
            note(&c, key, "", json_number_value(was), json_number_value(value));
        for (unsigned i = 0;
             json_is_object(value) && json_is_object(was) && i < sizeof stats / sizeof *stats; i++)
            note(&c, key, stats[i], number(was, stats[i]), number(value, stats[i]));
    }
    if (c.count > 0)
        qsort(c.list, c.count, sizeof *c.list, by_size);
    if (c.count == 0)
        fprintf(out, "nothing differs from the baseline\n");
    for (size_t i = 0; i < c.count; i++) {
        const struct change *x = &c.list[i];
        if (isinf(x->ratio))
            fprintf(out, "%-34s %14.6g -> %14.6g        new\n", x->name, x->before, x->now);
        else
            fprintf(out, "%-34s %14.6g -> %14.6g %+9.2f %%\n", x->name, x->before, x->now,
                    100 * x->ratio);
    }
    mem_free(c.list);
    return NULL;
}
