/* The table of comparisons, its last line, and the same as JSON. */
#include "tests/bench/oracle/report.h"

#define RATIO_OK 0.9

void report_head(FILE *f) {
    fprintf(f, "%-34s %11s %11s %6s %10s %10s %6s %6s\n", "Mbit/s,RTT ms,loss %,reorder,BDP",
            "ours Mbit/s", "ngtcp2", "ratio", "p99 queue", "ngtcp2 ms", "Jain", "ngtcp2");
}

void report_row(FILE *f, const struct comparison *c) {
    char name[CELL_NAME_BYTES];
    cell_name(&c->cell, name);
    if (!c->valid) {
        fprintf(f, "%-34s a run of this cell died\n", name);
        return;
    }
    fprintf(f, "%-34s %11.3f %11.3f %6.2f%c%9.2f%c %9.2f", name, c->ours.goodput_bps / 1e6,
            c->ngtcp2.goodput_bps / 1e6, c->ratio, c->ratio < RATIO_OK ? '<' : ' ',
            c->ours.queue_p99_s * 1e3,
            c->queue_ok       ? ' '
            : c->queue_counts ? '>'
                              : '.',
            c->ngtcp2.queue_p99_s * 1e3);
    if (c->cell.share == SHARE_SAME)
        fprintf(f, " %6.3f %6.3f", c->ours.jain, c->ngtcp2.jain);
    else if (c->cell.share == SHARE_MIXED)
        fprintf(f, " %6.3f", c->jain);
    fputc('\n', f);
}

struct summary report_summarise(const struct comparison *c, unsigned count) {
    struct summary s = {.cells = count, .ratio_min = 99, .jain_min = 1, .mixed_ratio_min = 99};
    unsigned ratio_ok = 0, queue_ok = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!c[i].valid) {
            s.invalid++;
        } else if (c[i].cell.share == SHARE_MIXED) {
            s.mixed++;
            if (c[i].ratio < s.mixed_ratio_min)
                s.mixed_ratio_min = c[i].ratio;
            if (c[i].ratio > s.mixed_ratio_max)
                s.mixed_ratio_max = c[i].ratio;
        } else {
            s.compared++;
            ratio_ok += c[i].ratio >= RATIO_OK;
            s.queues += c[i].queue_counts;
            queue_ok += c[i].queue_counts && c[i].queue_ok;
            if (c[i].ratio < s.ratio_min)
                s.ratio_min = c[i].ratio;
            if (c[i].jain < s.jain_min)
                s.jain_min = c[i].jain;
        }
    }
    if (s.compared > 0) {
        s.ratio_ok_share = (double)ratio_ok / s.compared;
        s.queue_ok_share = s.queues > 0 ? (double)queue_ok / s.queues : 1;
    }
    return s;
}

void report_summary(FILE *f, const struct summary *s) {
    fprintf(
        f,
        "%u cells: ratio >= %.1f in %.1f %% of %u, min %.2f; p99 queue <= 1.1x in %.1f %% of %u; "
        "min Jain %.3f",
        s->cells, RATIO_OK, 100 * s->ratio_ok_share, s->compared, s->ratio_min,
        100 * s->queue_ok_share, s->queues, s->jain_min);
    if (s->mixed > 0)
        fprintf(f, "; beside ngtcp2 %.2f to %.2f of its share", s->mixed_ratio_min,
                s->mixed_ratio_max);
    if (s->invalid > 0)
        fprintf(f, "; %u died", s->invalid);
    fputc('\n', f);
}

static void json_side(FILE *f, const char *name, const struct compare_side *s) {
    fprintf(f, "\"%s\": {\"goodput_bps\": %.0f, \"jain\": %.4f, \"queue_p99_s\": %.6f}", name,
            s->goodput_bps, s->jain, s->queue_p99_s);
}

static void json_row(FILE *f, const struct comparison *c) {
    char name[CELL_NAME_BYTES];
    cell_name(&c->cell, name);
    fprintf(f,
            "    {\"cell\": \"%s\", \"valid\": %s, \"ratio\": %.4f, \"queue_counts\": %s, "
            "\"queue_ok\": %s, ",
            name, c->valid ? "true" : "false", c->ratio, c->queue_counts ? "true" : "false",
            c->queue_ok ? "true" : "false");
    json_side(f, "ours", &c->ours);
    fprintf(f, ", ");
    json_side(f, "ngtcp2", &c->ngtcp2);
    fputc('}', f);
}

void report_json(FILE *f, const struct comparison *c, unsigned count, const struct summary *s) {
    fprintf(f, "{\n  \"cells\": [\n");
    for (unsigned i = 0; i < count; i++) {
        json_row(f, &c[i]);
        fprintf(f, i + 1 < count ? ",\n" : "\n");
    }
    fprintf(
        f,
        "  ],\n  \"summary\": {\"cells\": %u, \"died\": %u, \"compared\": %u, "
        "\"ratio_ok_share\": %.4f, \"ratio_min\": %.4f, \"queues\": %u, \"queue_ok_share\": %.4f, "
        "\"jain_min\": %.4f, \"mixed\": %u, \"mixed_ratio_min\": %.4f, "
        "\"mixed_ratio_max\": %.4f}\n}\n",
        s->cells, s->invalid, s->compared, s->ratio_ok_share, s->ratio_min, s->queues,
        s->queue_ok_share, s->jain_min, s->mixed, s->mixed_ratio_min, s->mixed_ratio_max);
}
