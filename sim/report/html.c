#include "sim/report/html.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/report/html_int.h"

static const char style[] =
    ":root{--bg:#fff;--fg:#1b1f24;--dim:#667080;--line:#d8dee6;--card:#f6f8fa;--c0:#2f6fb0;--c1:#"
    "c77d2b;--c2:#4d9a57;"
    "--c3:#8b5fb5;--c4:#7d8590;--c5:#b5485d;--good:#1a7f37;--bad:#c0352b}"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e3e7ec;--dim:#98a2af;--line:#"
    "333a43;--card:#1c2127;"
    "--c0:#6ca9e6;--c1:#e0a35a;--c2:#7cc486;--c3:#b795dc;--c4:#9aa3ae;--c5:#e07f92;--good:#57c26d;-"
    "-bad:#ff7b72}}"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1080px;padding:20px 16px "
    "48px;background:var(--bg);color:var(--fg);"
    "font:15px/1.5 system-ui,sans-serif}h1{font-size:21px;margin:0 0 "
    "4px;overflow-wrap:anywhere}h2{font-size:16px;margin:32px 0 8px}"
    "p,.dim{color:var(--dim)}p{margin:4px 0 10px}code{font:12.5px "
    "ui-monospace,monospace;overflow-wrap:anywhere}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:13.5px}td,th{padding:4px 12px "
    "4px 0;text-align:left;"
    "border-bottom:1px solid "
    "var(--line);vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".ok{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:600}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:14px}"
    "figure{margin:0;background:var(--card);border:1px solid "
    "var(--line);border-radius:8px;padding:10px 12px}"
    "figcaption{font-size:13px;font-weight:600;margin-bottom:4px}svg{display:block;width:100%;"
    "height:auto}"
    "svg text{fill:var(--dim);font:10.5px "
    "system-ui,sans-serif}.axis{stroke:var(--line);stroke-width:1;fill:none}"
    ".key{display:flex;flex-wrap:wrap;gap:4px "
    "14px;font-size:12.5px;color:var(--dim);margin-top:6px}"
    ".key i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:5px}"
    "details{margin-top:8px}summary{cursor:pointer}";

/* ---- head and verdicts ---- */

static void head(FILE *out, const char *file, const struct run *r) {
    fputs(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\"><link rel=\"icon\" href=\"data:,\"><title>",
        out);
    html_text(out, file);
    fprintf(out, "</title><style>%s</style></head><body><h1>", style);
    html_text(out, file);
    fprintf(out,
            " <span class=\"%s\">%s</span></h1><p>seed %" PRIu64
            " &middot; %.0f s simulated in %.2f s &middot; crypto %s%s<br>"
            "trace <code>",
            r->ok ? "ok" : "no", r->ok ? "ok" : "broken", sim_seed(r->sim),
            (double)sim_now_ns(r->sim) / 1e9, (double)r->wall_us / 1e6, crypto_mode_name(r->crypto),
            r->crypto == CRYPTO_STUB ? " (nothing is secret: for questions of scale)" : "");
    for (unsigned i = 0; i < TRACE_BYTES; i++)
        fprintf(out, "%02x", r->hash[i]);
    fputs("</code></p>", out);
}

/* open: it is not known whether it holds. */
static void verdict_row(FILE *out, bool ok, bool open, unsigned line, const char *what) {
    fprintf(out, "<tr><td class=\"%s\">%s</td><td class=\"n\">%u</td><td>", ok ? "ok" : "no",
            !ok    ? "broken"
            : open ? "not judged"
                   : "met",
            line);
    html_text(out, what);
    fputs("</td><td class=\"n\">", out);
}

static void expectations(FILE *out, const struct scenario *sc, const struct run *r, bool met) {
    for (size_t i = 0; i < sc->expect_count; i++) {
        const struct expectation *e = &sc->expects[i];
        const struct verdict *v = &r->verdicts[i];
        char what[192], value[32];
        if (v->met != met)
            continue;
        (void)snprintf(what, sizeof what, "%s %s %s %s",
                       e->eventually  ? "eventually"
                       : e->sometimes ? "sometimes"
                                      : "expect",
                       e->metric, comparison_sign(e->cmp), e->value_text);
        verdict_row(out, v->met, false, e->at.line, what);
        html_number(value, v->value);
        html_text(out, v->empty ? "nothing measured" : value);
        fputs("</td></tr>", out);
    }
}

static void nevers(FILE *out, const struct scenario *sc, const struct run *r, bool met) {
    for (unsigned i = 0; i < INVARIANTS && sim_watch(r->sim); i++) {
        const struct never *n = run_never(sc, (enum invariant)i);
        const struct watch_verdict *v = watch_verdict(sim_watch(r->sim), (enum invariant)i);
        char what[256];
        const bool holds = !run_never_breaks(sc, r, (enum invariant)i);
        if (!n || holds != met)
            continue;
        const bool judged = run_never_verdict(r, (enum invariant)i) != NEVER_NOT_JUDGED;
        (void)snprintf(what, sizeof what, "never %s%s%s", invariant_name((enum invariant)i),
                       v->count ? ": " : "", v->text);
        verdict_row(out, holds, !judged, n->at.line, what);
        fprintf(out, "%" PRIu64 "</td></tr>", v->count);
    }
}

static void verdicts(FILE *out, const struct scenario *sc, const struct run *r) {
    fputs("<h2>Verdicts</h2><div class=\"wide\"><table id=\"verdicts\"><tr><th></th><th "
          "class=\"n\">line</th><th>statement</th>"
          "<th class=\"n\">value</th></tr>",
          out);
    if (sim_failure(r->sim)) {
        verdict_row(out, false, false, 0, sim_failure(r->sim));
        fputs("</td></tr>", out);
    }
    const struct demands *w = sim_demands(r->sim);
    for (uint64_t i = 0; i < w->failed && i < DEMAND_NOTES; i++) {
        verdict_row(out, false, false, w->failures[i].line, w->failures[i].text);
        fputs("</td></tr>", out);
    }
    for (unsigned met = 0; met < 2; met++) {
        expectations(out, sc, r, met == 1);
        nevers(out, sc, r, met == 1);
    }
    fputs("</table></div>", out);
}

static void numbers(FILE *out, const struct metrics *m) {
    fputs("<h2>Numbers</h2><details><summary>All that are not zero</summary><div "
          "class=\"wide\"><table>",
          out);
    for (size_t i = 0; i < m->count; i++) {
        char value[32];
        if (m->items[i].sampled || !(fabs(m->items[i].value) > 0))
            continue;
        html_number(value, m->items[i].value);
        fputs("<tr><td>", out);
        html_text(out, m->items[i].name);
        fprintf(out, "</td><td class=\"n\">%s</td></tr>", value);
    }
    fputs("</table></div></details>", out);
}

bool html_write(const char *path, const struct scenario *sc, const char *file, struct run *r,
                const struct series *s) {
    FILE *out = fopen(path, "w");
    if (!out)
        return false;
    head(out, file, r);
    verdicts(out, sc, r);
    html_cdfs(out, &r->metrics);
    html_traffic(out, s);
    html_drops(out, s);
    html_matrix(out, r->sim);
    html_topology(out, r->sim, s);
    html_timeline(out, s);
    numbers(out, &r->metrics);
    fputs("</body></html>\n", out);
    const bool ok = !ferror(out);
    return fclose(out) == 0 && ok;
}
