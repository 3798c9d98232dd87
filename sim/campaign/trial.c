#include "sim/campaign/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/os/clock.h"
#include "sim/report/report.h"
#include "sim/run/run.h"

enum { READ_BYTES = 65536, RESULT_MAX_BYTES = 512 << 20 };

const char *trial_kind_name(enum trial_kind k) {
    static const char *const names[] = {"ok", "broken", "crash", "hang", "unreadable"};
    return names[k];
}

void trial_clear(struct trial *t) {
    text_clear(&t->why);
    text_clear(&t->signature);
    metrics_clear(&t->metrics);
    *t = (struct trial){0};
}

/* ---- the child: runs, and writes "KIND\n", hash, sections of "LENGTH\n" and bytes ---- */

static void put_section(FILE *out, const void *data, size_t len) {
    fprintf(out, "%zu\n", len);
    if (len > 0)
        (void)fwrite(data, 1, len, out);
}

static void put_metrics(FILE *out, const struct metrics *m) {
    fprintf(out, "%zu\n", m->count);
    for (size_t i = 0; i < m->count; i++) {
        const struct metric *item = &m->items[i];
        fprintf(out, "%s %d %a %zu\n", item->name, item->sampled, item->value, item->samples.count);
        if (item->samples.count > 0)
            (void)fwrite(item->samples.values, sizeof(double), item->samples.count, out);
    }
}

static void sign(const struct scenario *sc, const struct run *r, struct text *out) {
    for (unsigned i = 0; i < INVARIANTS && sim_watch(r->sim); i++)
        if (run_never_breaks(sc, r, (enum invariant)i))
            text_add(out, "never %s\n", invariant_name((enum invariant)i));
    if (sim_failure(r->sim))
        text_add(out, "stopped\n");
    for (size_t i = 0; i < sc->expect_count; i++)
        if (!r->verdicts[i].met && !sc->expects[i].sometimes)
            text_add(out, "expect %s\n", sc->expects[i].metric);
    for (unsigned k = 0; k < DEMAND_KINDS; k++)
        if (sim_demands(r->sim)->counts[k].failed > 0)
            text_add(out, "undone %s\n", demand_kind_name((enum demand_kind)k));
    if (!r->ok && out->len == 0)
        text_add(out, "action refused\n");
}

static void child(const void *arg, FILE *out) {
    const struct trial_job *job = arg;
    struct scenario sc;
    struct problem problem = {0};
    struct run r;
    struct text signature = {0};
    const struct run_options o = {
        .seed = job->seed, .has_crypto = job->has_crypto, .crypto = job->crypto};
    bool ok = scenario_parse(&sc, job->text, job->lets, job->let_count, &problem);
    if (ok && !run_scenario(&sc, &o, &r, &problem))
        ok = false;
    if (!ok) {
        char why[320];
        const int n = snprintf(why, sizeof why, "%s:%u:%u: %s\n", job->label, problem.at.line,
                               problem.at.column, problem.text);
        fprintf(out, "%d\n", TRIAL_UNREADABLE);
        put_section(out, why, (size_t)n);
        put_section(out, "unreadable\n", 11);
        return;
    }
    char *why = NULL;
    size_t why_len = 0;
    FILE *mem = open_memstream(&why, &why_len);
    if (!mem)
        abort();
    report_broken(mem, &sc, job->label, &r);
    (void)fclose(mem);
    sign(&sc, &r, &signature);
    fprintf(out, "%d\n", r.ok ? TRIAL_OK : TRIAL_BROKEN);
    put_section(out, why, r.ok ? 0 : why_len);
    put_section(out, text_of(&signature), signature.len);
    (void)fwrite(r.hash, 1, sizeof r.hash, out);
    if (job->want_metrics)
        put_metrics(out, &r.metrics);
}

/* ---- the parent ---- */

bool trial_start(struct trial_process *p, const struct trial_job *job) {
    *p = (struct trial_process){.started_us = clock_now_us(), .limit_s = job->limit_s};
    return os_child_start(&p->child, child, job) == 0;
}

struct reader {
    const char *p, *end;
    bool ok;
};

static size_t read_number(struct reader *r) {
    char *after;
    const char *line = memchr(r->p, '\n', (size_t)(r->end - r->p));
    if (!r->ok || !line) {
        r->ok = false;
        return 0;
    }
    const unsigned long long n = strtoull(r->p, &after, 10);
    r->ok = after == line;
    r->p = line + 1;
    return (size_t)n;
}

static const char *read_bytes(struct reader *r, size_t n) {
    const char *at = r->p;
    if (!r->ok || (size_t)(r->end - r->p) < n) {
        r->ok = false;
        return NULL;
    }
    r->p += n;
    return at;
}

static void read_section(struct reader *r, struct text *out) {
    const size_t n = read_number(r);
    const char *at = read_bytes(r, n);
    if (at)
        text_add(out, "%.*s", (int)n, at);
}

static void read_metrics(struct reader *r, struct metrics *m) {
    const size_t count = r->p < r->end ? read_number(r) : 0;
    for (size_t i = 0; i < count && r->ok; i++) {
        char name[64];
        int sampled, used = 0;
        double value;
        size_t n;
        const char *line = memchr(r->p, '\n', (size_t)(r->end - r->p));
        if (!line || sscanf(r->p, "%63s %d %la %zu%n", name, &sampled, &value, &n, &used) != 4 ||
            r->p + used != line) {
            r->ok = false;
            return;
        }
        r->p = line + 1;
        const char *values = read_bytes(r, n * sizeof(double));
        metrics_set(m, name, value);
        struct samples *into = sampled ? metrics_samples(m, name) : NULL;
        for (size_t k = 0; into && values && k < n; k++) {
            double v;
            memcpy(&v, values + k * sizeof v, sizeof v);
            samples_add(into, v);
        }
    }
}

static void understand(const struct trial_process *p, struct trial *out) {
    struct reader r = {.p = text_of(&p->got), .ok = true};
    r.end = r.p + p->got.len;
    out->kind = (enum trial_kind)read_number(&r);
    read_section(&r, &out->why);
    read_section(&r, &out->signature);
    if (r.ok && out->kind <= TRIAL_BROKEN) {
        const char *hash = read_bytes(&r, TRACE_BYTES);
        if (hash)
            memcpy(out->hash, hash, TRACE_BYTES);
        read_metrics(&r, &out->metrics);
    }
    if (!r.ok) {
        trial_clear(out);
        out->kind = TRIAL_CRASH;
        text_add(&out->why, "the process ended without a result\n");
        text_add(&out->signature, "crash\n");
    }
}

static void ended(struct trial_process *p, struct trial *out, bool hang) {
    const struct os_ending end = os_child_end(&p->child, hang);
    *out = (struct trial){0};
    if (hang) {
        out->kind = TRIAL_HANG;
        text_add(&out->why, "not done after %u s\n", p->limit_s);
        text_add(&out->signature, "hang\n");
    } else if (end.by_signal || end.number != 0) {
        out->kind = TRIAL_CRASH;
        text_add(&out->why, "%s %d\n", end.by_signal ? "killed by signal" : "exit code",
                 end.number);
        text_add(&out->signature, "crash %d\n", end.number);
    } else {
        understand(p, out);
    }
    out->wall_us = clock_now_us() - p->started_us;
    text_clear(&p->got);
}

bool trial_poll(struct trial_process *p, struct trial *out) {
    char buf[READ_BYTES];
    for (;;) {
        size_t n;
        if (os_child_read(&p->child, buf, sizeof buf, &n) != 0)
            break;
        if (n == 0) {
            ended(p, out, false);
            return true;
        }
        text_put(&p->got, buf, n);
    }
    const bool late = clock_now_us() - p->started_us > (uint64_t)p->limit_s * 1000000;
    if (late || p->got.len > RESULT_MAX_BYTES)
        ended(p, out, true);
    return late || p->got.len > RESULT_MAX_BYTES;
}

void trial_run(const struct trial_job *job, struct trial *out) {
    struct trial_process p;
    if (!trial_start(&p, job)) {
        *out = (struct trial){.kind = TRIAL_CRASH};
        text_add(&out->why, "no process could be made\n");
        text_add(&out->signature, "no process\n");
        return;
    }
    while (!trial_poll(&p, out)) {
        struct os_child *one = &p.child;
        os_child_wait(&one, 1, 100);
    }
}

void trial_stop(struct trial_process *p) {
    struct trial t;
    ended(p, &t, true);
    trial_clear(&t);
}

bool trial_same(const struct trial *t, const struct text *wanted) {
    const char *first = text_of(wanted);
    const size_t len = strcspn(first, "\n");
    if (len == 0 || t->kind == TRIAL_OK || t->kind == TRIAL_UNREADABLE)
        return false;
    for (const char *line = text_of(&t->signature); *line; line += strcspn(line, "\n") + 1)
        if (strncmp(line, first, len) == 0 && line[len] == '\n')
            return true;
    return false;
}
