/* Scenarios written in a test: run, or refused at a place. */
#include "support_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void run_text(const char *text, struct run *out) {
    struct scenario sc;
    struct problem p = {.text = ""};
    if (!scenario_parse(&sc, text, NULL, 0, &p) ||
        !run_scenario(&sc, &(struct run_options){.seed = 1}, out, &p))
        fail_msg("%u:%u: %s\n%s", p.at.line, p.at.column, p.text, text);
    scenario_clear(&sc);
}

double metric_in(struct run *r, const char *metric) {
    double v = 0;
    if (metrics_value(&r->metrics, metric, STAT_MAX, &v) == METRIC_UNKNOWN)
        fail_msg("there is no metric %s", metric);
    return v;
}

double metric_of(const char *text, const char *metric) {
    struct run r;
    run_text(text, &r);
    const double v = metric_in(&r, metric);
    run_clear(&r);
    return v;
}

void refused_at(const char *text, unsigned line, unsigned column) {
    struct scenario sc;
    struct problem p = {.text = ""};
    if (scenario_parse(&sc, text, NULL, 0, &p)) {
        scenario_clear(&sc);
        fail_msg("this is taken:\n%s", text);
    }
    if (p.at.line != line || p.at.column != column)
        fail_msg("%u:%u instead of %u:%u: %s\n%s", p.at.line, p.at.column, line, column, p.text,
                 text);
}
