/* html_figures.c: the drawings of a report's page. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/report/html_int.h"
#include "sim/world/sim.h"

enum { W = 320, H = 150, LEFT = 48, BOTTOM = 18, TOP = 6, RIGHT = 8 };
enum { CDF_POINTS = 160, RING_HOSTS = 200, EDGES_SHOWN = 1500 };

/* ---- axes ---- */

struct axis {
    double lo, hi;
    bool logarithmic, seconds;
};

static double place(const struct axis *a, double v, double from, double to) {
    double part;
    if (a->logarithmic)
        part = (log(v > a->lo ? v : a->lo) - log(a->lo)) / (log(a->hi) - log(a->lo));
    else
        part = (v - a->lo) / (a->hi - a->lo);
    return from + (to - from) * (part < 0 ? 0 : part > 1 ? 1 : part);
}

static void label(FILE *out, double x, double y, const char *anchor, double v, bool seconds) {
    char text[32];
    if (seconds)
        html_seconds(text, v);
    else
        html_number(text, v);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    html_text(out, text);
    fputs("</text>", out);
}

static void frame(FILE *out, double width, double height, const struct axis *x, double y_hi) {
    fprintf(out, "<path class=\"axis\" d=\"M%d %d V%.0f H%.0f\"/>", LEFT, TOP, height - BOTTOM,
            width - RIGHT);
    label(out, LEFT, height - 4, "start", x->lo, x->seconds);
    label(out, width - RIGHT, height - 4, "end", x->hi, x->seconds);
    const double middle = x->logarithmic ? sqrt(x->lo * x->hi) : (x->lo + x->hi) / 2;
    label(out, place(x, middle, LEFT, width - RIGHT), height - 4, "middle", middle, x->seconds);
    label(out, LEFT - 4, TOP + 8, "end", y_hi, false);
    label(out, LEFT - 4, height - BOTTOM, "end", 0, false);
}

/* ---- distributions ---- */

static void cdf(FILE *out, const struct metric *m) {
    const struct samples *s = &m->samples;
    struct axis x = {
        .lo = s->values[0], .hi = s->values[s->count - 1], .seconds = metrics_is_time(m->name)};
    double positive = 0;
    for (size_t i = 0; i < s->count && !(positive > 0); i++)
        positive = s->values[i];
    x.logarithmic = positive > 0 && x.hi > 100 * positive;
    if (x.logarithmic)
        x.lo = positive;
    if (!(x.hi > x.lo)) {
        x.hi = x.lo + fabs(x.lo) * 0.5 + 1e-9;
        x.lo -= fabs(x.lo) * 0.5;
        x.logarithmic = false;
    }
    fputs("<figure class=\"cdf\"><figcaption>", out);
    html_text(out, m->name);
    fprintf(
        out,
        " <span class=\"dim\">(%zu)</span></figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">",
        s->count, W, H);
    frame(out, W, H, &x, 1);
    fprintf(out, "<path d=\"M%d %d", LEFT, H - BOTTOM);
    const size_t step = s->count > CDF_POINTS ? s->count / CDF_POINTS : 1;
    for (size_t i = 0; i < s->count;
         i = i + step < s->count || i == s->count - 1 ? i + step : s->count - 1) {
        const double px = place(&x, s->values[i], LEFT, W - RIGHT);
        fprintf(out, " H%.1f V%.1f", px,
                H - BOTTOM - (H - BOTTOM - TOP) * (double)(i + 1) / (double)s->count);
    }
    fprintf(out, " H%d\" fill=\"none\" stroke=\"var(--c0)\" stroke-width=\"1.6\"/></svg></figure>",
            W - RIGHT);
}

void html_cdfs(FILE *out, struct metrics *m) {
    fputs("<h2>Distributions</h2><p>The share of samples at or below a value; seconds, bit/s, "
          "bytes or fractions. A wide range is "
          "drawn logarithmically.</p><div class=\"grid\">",
          out);
    for (size_t i = 0; i < m->count; i++) {
        double v;
        if (m->items[i].sampled && samples_stat(&m->items[i].samples, STAT_P50, &v)) /* sorts */
            cdf(out, &m->items[i]);
    }
    fputs("</div>", out);
}

/* ---- stacked areas over time ---- */

struct layer {
    const char *name, *colour;
    const double *values;
};

static double peak(const struct layer *layers, unsigned count) {
    double most = 0;
    for (unsigned i = 0; i < SERIES_BUCKETS; i++) {
        double sum = 0;
        for (unsigned k = 0; k < count; k++)
            sum += layers[k].values[i];
        most = sum > most ? sum : most;
    }
    return most;
}

static void area(FILE *out, const struct layer *layers, unsigned upto, double width, double height,
                 double top) {
    double y[SERIES_BUCKETS] = {0}, base[SERIES_BUCKETS] = {0};
    for (unsigned i = 0; i < SERIES_BUCKETS; i++)
        for (unsigned k = 0; k <= upto; k++) {
            y[i] += layers[k].values[i];
            base[i] += k < upto ? layers[k].values[i] : 0;
        }
    const double step = (width - LEFT - RIGHT) / SERIES_BUCKETS, full = height - BOTTOM - TOP;
    fputs("<path d=\"M", out);
    for (unsigned i = 0; i < SERIES_BUCKETS; i++)
        fprintf(out, "%s%.1f %.1f", i ? " L" : "", LEFT + step * (i + 0.5),
                height - BOTTOM - full * y[i] / top);
    for (unsigned i = SERIES_BUCKETS; i-- > 0;)
        fprintf(out, " L%.1f %.1f", LEFT + step * (i + 0.5),
                height - BOTTOM - full * base[i] / top);
    fprintf(out, "Z\" fill=\"%s\"><title>", layers[upto].colour);
    html_text(out, layers[upto].name);
    fputs("</title></path>", out);
}

static void stacked(FILE *out, const char *id, const struct series *s, const struct layer *layers,
                    unsigned count) {
    const double width = 960, height = 200, top = peak(layers, count);
    const struct axis x = {.lo = 0, .hi = (double)s->duration_ns / 1e9, .seconds = true};
    fprintf(out, "<figure><svg id=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\">", id, width,
            height);
    frame(out, width, height, &x, top);
    for (unsigned k = 0; k < count && top > 0; k++)
        area(out, layers, k, width, height, top);
    fputs("</svg><div class=\"key\">", out);
    for (unsigned k = 0; k < count; k++) {
        fprintf(out, "<span><i style=\"background:%s\"></i>", layers[k].colour);
        html_text(out, layers[k].name);
        fputs("</span>", out);
    }
    fputs("</div></figure>", out);
}

static const char *const colours[] = {"var(--c0)", "var(--c1)", "var(--c2)",
                                      "var(--c3)", "var(--c4)", "var(--c5)"};

void html_traffic(FILE *out, const struct series *s) {
    struct layer layers[SERIES_KINDS];
    for (unsigned k = 0; k < SERIES_KINDS; k++)
        layers[k] = (struct layer){series_kind_name(k), colours[k], s->bytes[k]};
    fprintf(out,
            "<h2>Traffic</h2><p>Bytes delivered by kind of datagram, per %.3g s; the axis is "
            "simulated seconds.</p>",
            series_time_s(s, 1));
    stacked(out, "traffic", s, layers, SERIES_KINDS);
}

void html_drops(FILE *out, const struct series *s) {
    struct layer layers[FATE_COUNT];
    unsigned count = 0;
    for (unsigned f = FATE_DELIVERED + 1; f < FATE_COUNT; f++) {
        double sum = 0;
        for (unsigned i = 0; i < SERIES_BUCKETS; i++)
            sum += s->drops[f][i];
        if (sum > 0) {
            layers[count] =
                (struct layer){fate_name((enum fate)f), colours[count % 6], s->drops[f]};
            count++;
        }
    }
    fputs("<h2>Losses</h2>", out);
    if (count == 0) {
        fputs("<p>No datagram was lost.</p>", out);
        return;
    }
    fprintf(out, "<p>Datagrams lost by cause, per %.3g s.</p>", series_time_s(s, 1));
    stacked(out, "losses", s, layers, count);
}

/* ---- labels: who could reach whom ---- */

struct labels {
    const char *names[SERIES_LABELS];
    unsigned count;
    uint32_t wanted[SERIES_LABELS][SERIES_LABELS], up[SERIES_LABELS][SERIES_LABELS];
};

static unsigned label_of(struct labels *l, const char *name) {
    unsigned i = 0;
    while (i < l->count && strcmp(l->names[i], name) != 0)
        i++;
    if (i < l->count)
        return i;
    if (l->count == SERIES_LABELS)
        return SERIES_LABELS - 1; /* the last one stands for the rest */
    l->names[l->count] = l->count == SERIES_LABELS - 1 ? "others" : name;
    return l->count++;
}

void html_matrix(FILE *out, const struct sim *sim) {
    struct labels l = {.count = 0};
    const struct ledger *g = sim_ledger(sim);
    for (uint32_t i = 0; i < g->host_count && i < sim_host_count(sim); i++)
        for (uint32_t k = 0; k < g->hosts[i].bond_count; k++) {
            const struct ledger_bond *b = &g->hosts[i].bonds[k];
            if (b->to >= sim_host_count(sim) || (!b->wanted && !b->ever_up))
                continue;
            const unsigned from = label_of(&l, sim_host_label(sim, i)),
                           to = label_of(&l, sim_host_label(sim, b->to));
            l.wanted[from][to]++;
            l.up[from][to] += b->ever_up;
        }
    fputs("<h2>Who reached whom</h2><p>Pairs of hosts that had a session, of those that wanted "
          "one: from the row's kind (its group, or "
          "its NAT) to the column's.</p><div class=\"wide\"><table id=\"matrix\"><tr><th></th>",
          out);
    for (unsigned k = 0; k < l.count; k++) {
        fputs("<th class=\"n\">", out);
        html_text(out, l.names[k]);
        fputs("</th>", out);
    }
    fputs("</tr>", out);
    for (unsigned i = 0; i < l.count; i++) {
        fputs("<tr><th>", out);
        html_text(out, l.names[i]);
        fputs("</th>", out);
        for (unsigned k = 0; k < l.count; k++) {
            const unsigned share = l.wanted[i][k] ? 100 * l.up[i][k] / l.wanted[i][k] : 0;
            if (l.wanted[i][k])
                fprintf(out,
                        "<td class=\"n\" style=\"background:color-mix(in srgb,var(--c2) "
                        "%u%%,transparent)\">%u/%u</td>",
                        share / 2, l.up[i][k], l.wanted[i][k]);
            else
                fputs("<td class=\"n dim\">&ndash;</td>", out);
        }
        fputs("</tr>", out);
    }
    fputs("</table></div>", out);
}

/* ---- topology ---- */

struct edge {
    uint32_t a, b;
    uint64_t bytes, drops;
};

static int by_bytes(const void *x, const void *y) {
    const struct edge *a = x, *b = y;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return a->b < b->b ? -1 : a->b > b->b;
}

static void node_at(uint32_t i, uint32_t count, double *x, double *y) {
    const double turn = 6.283185307179586 * i / count - 1.5707963267948966;
    *x = 300 + 250 * cos(turn);
    *y = 280 + 250 * sin(turn);
}

void html_topology(FILE *out, const struct sim *sim, const struct series *s) {
    struct labels l = {.count = 0};
    const bool grouped = sim_host_count(sim) > RING_HOSTS;
    uint32_t count = 0;
    struct edge *edges = mem_calloc(s->pairs.count + 1, sizeof *edges);
    if (!edges)
        abort();
    for (uint32_t i = 0; i < s->pairs.cap; i++) {
        const struct watch_entry *e = &s->pairs.entries[i];
        if (!e->used)
            continue;
        const uint32_t a = (uint32_t)e->key[0], b = (uint32_t)e->key[1];
        edges[count++] =
            (struct edge){grouped ? label_of(&l, sim_host_label(sim, a)) : a,
                          grouped ? label_of(&l, sim_host_label(sim, b)) : b, e->a, e->b};
    }
    qsort(edges, count, sizeof *edges, by_bytes);
    const uint32_t nodes = grouped ? l.count : sim_host_count(sim);
    fprintf(out,
            "<h2>Topology</h2><p>Who exchanged datagrams%s; a thicker line carried more "
            "bytes.</p><figure><svg id=\"topology\" "
            "viewBox=\"-50 0 700 560\" role=\"img\" style=\"max-width:640px;margin:0 auto\">",
            grouped ? ", by group or kind of NAT" : "");
    for (uint32_t i = 0; i < count && i < EDGES_SHOWN && edges[0].bytes > 0; i++) {
        double x0, y0, x1, y1;
        node_at(edges[i].a, nodes, &x0, &y0);
        node_at(edges[i].b, nodes, &x1, &y1);
        fprintf(out,
                "<path d=\"M%.1f %.1fQ300 280 %.1f %.1f\" fill=\"none\" stroke=\"var(--c0)\" "
                "stroke-opacity=\".5\" "
                "stroke-width=\"%.2f\"><title>%" PRIu64 " bytes, %" PRIu64 " lost</title></path>",
                x0, y0, x1, y1, 0.5 + 4 * sqrt((double)edges[i].bytes / (double)edges[0].bytes),
                edges[i].bytes, edges[i].drops);
    }
    for (uint32_t i = 0; i < nodes; i++) {
        double x, y;
        node_at(i, nodes, &x, &y);
        fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"var(--c1)\"/>", x, y,
                nodes > 60 ? 3 : 6);
        if (nodes <= 40) {
            fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", 300 + (x - 300) * 1.05,
                    280 + (y - 280) * 1.05 + 4,
                    x > 310   ? "start"
                    : x < 290 ? "end"
                              : "middle");
            html_text(out, grouped ? l.names[i] : sim_host_name(sim, i));
            fputs("</text>", out);
        }
    }
    fputs("</svg></figure>", out);
    mem_free(edges);
}

/* ---- timeline ---- */

void html_timeline(FILE *out, const struct series *s) {
    fprintf(out,
            "<h2>Timeline</h2><details id=\"timeline\"%s><summary>%u events%s</summary><div "
            "class=\"wide\"><table>",
            s->note_count <= 60 ? " open" : "", s->note_count,
            s->notes_dropped ? ", the first of more" : "");
    for (uint32_t i = 0; i < s->note_count; i++) {
        fprintf(out, "<tr><td class=\"n\">%.6f s</td><td>", (double)s->notes[i].time_ns / 1e9);
        html_text(out, s->notes[i].text);
        fputs("</td></tr>", out);
    }
    fputs("</table></div></details>", out);
}
