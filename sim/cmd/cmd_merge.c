/* cmd_merge.c: meshsim merge: results of several runs, from several machines, become one. */
#include <stdio.h>
#include <string.h>

#include "sim/campaign/swarm.h"
#include "sim/cmd/cmd.h"
#include "sim/report/report.h"
#include "sim/report/result.h"

static json_t *load(const char *file) {
    json_error_t error;
    json_t *j = json_load_file(file, 0, &error);
    if (!j)
        fprintf(stderr, "meshsim: %s:%d:%d: %s\n", file, error.line, error.column, error.text);
    return j;
}

static const char *string(const json_t *o, const char *key) {
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* `sometimes`: over all runs together. */
static bool sometimes_met(const json_t *sum) {
    bool ok = true;
    size_t i;
    json_t *x;
    json_array_foreach(json_object_get(sum, "sometimes"), i, x) {
        struct expectation e = {
            .at.line = (unsigned)json_integer_value(json_object_get(x, "line")),
            .value = json_number_value(json_object_get(x, "number")),
        };
        const char *sign = string(x, "comparison");
        while (e.cmp < CMP_UNEQUAL && strcmp(comparison_sign(e.cmp), sign) != 0)
            e.cmp = (enum comparison)(e.cmp + 1);
        (void)snprintf(e.metric, sizeof e.metric, "%s", string(x, "metric"));
        (void)snprintf(e.value_text, sizeof e.value_text, "%s", string(x, "expected"));
        double v;
        if (result_value(sum, e.metric, run_bare(&e), &v) && run_holds(&e, v))
            continue;
        report_never_happened(stderr, string(sum, "scenario"), &e, v);
        ok = false;
    }
    return ok;
}

/* What a swarm should have met. */
static bool marks_met(const json_t *sum) {
    const char *scenario = string(sum, "scenario"), *name;
    bool all = true;
    for (unsigned i = 0; strcmp(scenario, "swarm") == 0 && (name = swarm_mark(i)) != NULL; i++) {
        double v;
        if (result_value(sum, name, STAT_COUNT, &v) && v > 0)
            continue;
        fprintf(stderr, "never met: %s\n", name);
        all = false;
    }
    return all;
}

int cmd_merge(struct options *o) {
    json_t *sum = load(o->files[0]);
    int code = sum ? EXIT_OK : EXIT_USAGE;
    for (int i = 1; i < o->file_count && code == EXIT_OK; i++) {
        json_t *more = load(o->files[i]);
        const char *wrong = more ? result_add(sum, more) : "";
        if (!more || wrong) {
            if (more)
                fprintf(stderr, "meshsim: %s: %s\n", o->files[i], wrong);
            code = EXIT_USAGE;
        }
        json_decref(more);
    }
    if (code != EXIT_OK) {
        json_decref(sum);
        return code;
    }
    const json_t *runs = json_object_get(sum, "runs");
    const json_int_t count = json_integer_value(json_object_get(runs, "count")),
                     passed = json_integer_value(json_object_get(runs, "passed"));
    fprintf(stderr, "%lld of %lld runs passed\n", (long long)passed, (long long)count);
    const bool often = sometimes_met(sum), marked = marks_met(sum) || !o->need_marks;
    if (!report_write(sum, o->out))
        return EXIT_USAGE;
    return (double)passed >= o->needed * (double)count && often && marked ? EXIT_OK : EXIT_BROKEN;
}
