/* cmd_run.c: meshsim run, check, metrics. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/os/clock.h"
#include "net/os/tty.h"
#include "node/api/escape.h"
#include "sim/campaign/trial.h"
#include "sim/cmd/cmd.h"
#include "sim/memory/grow.h"
#include "sim/report/html.h"
#include "sim/report/pcap.h"
#include "sim/report/report.h"
#include "sim/report/result.h"
#include "sim/report/series.h"
#include "sim/run/collect.h"

enum { PROGRESS_US = 250000 };

/* ---- what -v shows ---- */

static void show_event(void *ctx, uint64_t time_ns, const char *host, const struct node_event *e) {
    char detail[ESCAPE_GROWTH * sizeof e->detail];
    (void)ctx;
    escape_text(detail, sizeof detail, e->detail, strlen(e->detail));
    fprintf(stderr, "%12.6f %-8s %s %s id=%" PRIu64 " bytes=%" PRIu64 "/%" PRIu64 " %s %s\n",
            (double)time_ns / 1e9, host, node_event_name(e->kind), e->contact, e->id, e->bytes,
            e->total, e->err ? err_name(e->err) : "", detail);
}

static void show_log(void *ctx, uint64_t time_ns, const char *host, enum log_level level,
                     const char *line) {
    (void)ctx;
    fprintf(stderr, "%12.6f %-8s log%u %s\n", (double)time_ns / 1e9, host, (unsigned)level, line);
}

static void show_datagram(const struct options *o, const struct sim_datagram *d) {
    char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
    if (d->fate == FATE_DELIVERED && o->verbose < 3)
        return;
    addr_text(&d->from, from);
    addr_text(&d->to, to);
    fprintf(stderr, "%12.6f %s > %s %u bytes type %u %s\n", (double)d->time_ns / 1e9, from, to,
            d->len, d->len ? d->data[0] : 0u, fate_name(d->fate));
}

static void show_icmp(void *ctx, uint64_t time_ns, const struct icmp_note *note) {
    char router[ADDR_TEXT_MAX], from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
    (void)ctx;
    addr_text(&note->router, router);
    addr_text(&note->from, from);
    addr_text(&note->to, to);
    fprintf(stderr, "%12.6f %s says: %s %s > %s %u bytes mtu %u\n", (double)time_ns / 1e9, router,
            icmp_name(note->kind), from, to, note->bytes, note->mtu_bytes);
}

/* ---- all who look on ---- */

struct audience {
    const struct options *o;
    struct series series;
    struct pcap pcap;
    bool draws;
};

static void on_begin(void *ctx, const struct sim *s) {
    struct audience *a = ctx;
    a->pcap.sim = s;
}

static void on_datagram(void *ctx, const struct sim_datagram *d) {
    struct audience *a = ctx;
    if (a->o->verbose > 1)
        show_datagram(a->o, d);
    if (a->draws)
        series_datagram(&a->series, d);
    if (a->pcap.out)
        pcap_datagram(&a->pcap, d);
}

static void on_event(void *ctx, uint64_t time_ns, const char *host, const struct node_event *e) {
    struct audience *a = ctx;
    if (a->o->verbose > 0)
        show_event(NULL, time_ns, host, e);
    if (a->draws)
        series_event(&a->series, time_ns, host, e);
}

static bool seat(struct audience *a, const struct options *o, const struct scenario *sc,
                 struct sim_tap *tap) {
    *a = (struct audience){
        .o = o, .draws = o->html != NULL, .series = {.duration_ns = sc->duration_ns}};
    *tap = (struct sim_tap){.ctx = a, .begin = on_begin};
    a->pcap.from_ns = o->pcap_from_ns;
    a->pcap.to_ns = o->pcap_to_ns;
    if (o->pcap && !pcap_open(&a->pcap, o->pcap)) {
        fprintf(stderr, "meshsim: %s cannot be made\n", o->pcap);
        return false;
    }
    if (o->verbose > 0 || a->draws)
        tap->node_event = on_event;
    if (o->verbose > 1)
        tap->log = show_log;
    if (o->verbose > 1)
        tap->icmp = show_icmp;
    if (o->verbose > 1 || a->draws || o->pcap)
        tap->datagram = on_datagram;
    return true;
}

/* At most four times a second of real time: how far, how fast, how long still. */
static void show_progress(void *ctx, uint64_t now_ns, uint64_t duration_ns) {
    static uint64_t begun_us, shown_us;
    (void)ctx;
    const uint64_t now_us = clock_now_us();
    if (begun_us == 0)
        begun_us = now_us;
    if (now_ns < duration_ns && now_us - shown_us < PROGRESS_US)
        return;
    shown_us = now_us;
    const double real_s = (double)(now_us - begun_us) / 1e6, sim_s = (double)now_ns / 1e9;
    const double speed = real_s > 0 ? sim_s / real_s : 0;
    const double left_s = speed > 0 ? ((double)duration_ns / 1e9 - sim_s) / speed : 0;
    fprintf(stderr, "\r%.0f of %.0f s simulated, %.0f x real time, %.0f s left   ", sim_s,
            (double)duration_ns / 1e9, speed, left_s);
    if (now_ns >= duration_ns)
        fprintf(stderr, "\r%70s\r", "");
}

/* ---- once ---- */

static int once(struct options *o, const struct scenario *sc, uint64_t seed,
                const struct sim_tap *tap, struct run *r) {
    struct run_options ro = {.seed = seed,
                             .tap = *tap,
                             .clock_us = clock_now_us,
                             .has_crypto = o->has_crypto,
                             .crypto = o->crypto};
    struct problem problem;
    if ((tty_is(stderr) && o->verbose == 0) || o->progress)
        ro.progress = show_progress;
    if (!run_scenario(sc, &ro, r, &problem))
        return cmd_complain(o->files[0], &problem);
    return r->ok ? EXIT_OK : EXIT_BROKEN;
}

/* The records of one second of two runs, one after the other: the first that differs is named. */
struct second {
    uint64_t from_ns, to_ns;
    struct trace_record *records;
    size_t count;
    uint32_t cap;
};

static void keep_record(void *ctx, const struct trace_record *r) {
    struct second *s = ctx;
    if (r->time_ns < s->from_ns || r->time_ns >= s->to_ns)
        return;
    grow(&s->records, &s->cap, s->count + 1, sizeof *s->records);
    s->records[s->count++] = *r;
}

static void show_record(const struct run *r, const struct second *s, size_t i) {
    if (i >= s->count) {
        fprintf(stderr, "  nothing more in this second\n");
        return;
    }
    const struct trace_record *t = &s->records[i];
    const char *what = t->kind >= TRACE_NODE_EVENT
                           ? node_event_name((enum node_event_kind)(t->kind - TRACE_NODE_EVENT))
                       : t->kind >= TRACE_ICMP ? icmp_name((enum icmp_kind)(t->kind - TRACE_ICMP))
                                               : fate_name((enum fate)t->kind);
    fprintf(stderr, "  %.9f s %s > %s %s length %u detail %" PRIu64 "\n",
            (double)(t->time_ns - sim_start_ns()) / 1e9,
            t->source == SIM_NO_HOST ? "-" : sim_host_name(r->sim, t->source),
            t->target == SIM_NO_HOST ? "-" : sim_host_name(r->sim, t->target), what, t->length,
            t->detail);
}

static bool records_equal(const struct trace_record *a, const struct trace_record *b) {
    return a->time_ns == b->time_ns && a->source == b->source && a->target == b->target &&
           a->length == b->length && a->kind == b->kind && a->detail == b->detail;
}

/* Both runs again, with all records of the second kept. */
static void name_difference(struct options *o, const struct scenario *sc, uint64_t seed,
                            uint64_t second) {
    struct second s[2];
    struct run r[2];
    for (unsigned i = 0; i < 2; i++) {
        s[i] = (struct second){.from_ns = sim_start_ns() + second * SIM_S,
                               .to_ns = sim_start_ns() + (second + 1) * SIM_S};
        const struct sim_tap tap = {.ctx = &s[i], .record = keep_record};
        if (once(o, sc, seed, &tap, &r[i]) == EXIT_USAGE)
            return;
    }
    size_t at = 0;
    while (at < s[0].count && at < s[1].count &&
           records_equal(&s[0].records[at], &s[1].records[at]))
        at++;
    if (at == s[0].count && at == s[1].count)
        fprintf(stderr, "twice: when looked at again, this second was the same in both\n");
    else
        fprintf(stderr, "twice: the first event that differs, in one run and in the other:\n");
    for (unsigned i = 0; i < 2; i++) {
        if (at < s[0].count || at < s[1].count)
            show_record(&r[i], &s[i], at);
        mem_free(s[i].records);
        run_clear(&r[i]);
    }
}

/* The same seed again: the same hash, or where it went apart. */
static int compare_again(struct options *o, const struct scenario *sc, uint64_t seed,
                         const struct run *first) {
    struct run again;
    uint64_t second = 0;
    const struct sim_tap tap = {.ctx = NULL};
    const int code = once(o, sc, seed, &tap, &again);
    if (code == EXIT_USAGE)
        return code;
    const bool same = memcmp(first->hash, again.hash, sizeof again.hash) == 0;
    const bool found =
        !same && trace_first_difference(sim_trace(first->sim), sim_trace(again.sim), &second);
    if (!found)
        second = sim_now_ns(first->sim) / SIM_S;
    run_clear(&again);
    if (same) {
        fprintf(stderr, "twice: the traces are the same\n");
        return EXIT_OK;
    }
    fprintf(stderr, "twice: the traces differ, first in second %" PRIu64 "\n", second);
    name_difference(o, sc, seed, second);
    return EXIT_BROKEN;
}

/* What differs from an earlier result, on stdout. */
static bool compare(const char *file, const json_t *now) {
    json_error_t error;
    json_t *before = json_load_file(file, 0, &error);
    const char *wrong = before ? result_compare(stdout, before, now) : error.text;
    if (wrong)
        fprintf(stderr, "meshsim: %s cannot be compared with: %s\n", file, wrong);
    json_decref(before);
    return wrong == NULL;
}

static bool write_reports(struct options *o, const struct scenario *sc, const char *text,
                          struct run *r, struct audience *a) {
    bool ok = true;
    const struct report_source source = {.file = o->files[0],
                                         .text = text,
                                         .lets = o->lets,
                                         .let_count = o->let_count,
                                         .crypto = r->crypto};
    json_t *result = report_result(sc, &source, r);
    if (o->baseline) {
        ok = compare(o->baseline, result);
    } else if (!o->json || o->json_file) {
        report_text(stdout, sc, o->files[0], r);
    }
    if (!o->json)
        json_decref(result);
    else if (!report_write(result, o->json_file)) {
        fprintf(stderr, "meshsim: the JSON cannot be written\n");
        ok = false;
    }
    if (o->html && !html_write(o->html, sc, o->files[0], r, &a->series)) {
        fprintf(stderr, "meshsim: %s cannot be written\n", o->html);
        ok = false;
    }
    return ok;
}

static int run_one(struct options *o, const struct scenario *sc, const char *text) {
    const uint64_t seed = o->has_seed ? o->seed : sc->has_seed ? sc->seed : 1;
    struct audience a;
    struct sim_tap tap;
    struct run r;
    if (!seat(&a, o, sc, &tap))
        return EXIT_USAGE;
    int code = once(o, sc, seed, &tap, &r);
    const bool captured = pcap_close(&a.pcap);
    if (!captured)
        fprintf(stderr, "meshsim: %s cannot be written\n", o->pcap);
    if (code == EXIT_USAGE)
        return code;
    if (!write_reports(o, sc, text, &r, &a) || !captured)
        code = EXIT_USAGE;
    series_clear(&a.series);
    if (o->twice && code != EXIT_USAGE) {
        const int compared = compare_again(o, sc, seed, &r);
        if (compared != EXIT_OK)
            code = compared;
    }
    run_clear(&r);
    return code;
}

/* ---- the commands ---- */

static int with_scenario(struct options *o, bool run) {
    struct scenario sc;
    struct problem problem;
    int code = EXIT_OK;
    char *text = cmd_read_file(o->files[0]);
    if (!text)
        return EXIT_USAGE;
    if (!scenario_parse(&sc, text, o->lets, o->let_count, &problem)) {
        mem_free(text);
        return cmd_complain(o->files[0], &problem);
    }
    if (!run_check(&sc, &problem))
        code = cmd_complain(o->files[0], &problem);
    else if (run)
        code = o->has_seeds ? cmd_sweep(o, &sc, text) : run_one(o, &sc, text);
    scenario_clear(&sc);
    mem_free(text);
    return code;
}

int cmd_run(struct options *o) {
    return with_scenario(o, true);
}

int cmd_check(struct options *o) {
    return with_scenario(o, false);
}

int cmd_metrics(void) {
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
