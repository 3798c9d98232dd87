/* cmd_merge.c: meshsim merge: results of several runs, from several machines, become one. */
#include <stdio.h>

#include "sim/cmd.h"
#include "sim/report.h"
#include "sim/result.h"

static json_t *load(const char *file) {
    json_error_t error;
    json_t *j = json_load_file(file, 0, &error);
    if (!j)
        fprintf(stderr, "meshsim: %s:%d:%d: %s\n", file, error.line, error.column, error.text);
    return j;
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
    if (!report_write(sum, o->out))
        return EXIT_USAGE;
    return (double)passed >= o->needed * (double)count ? EXIT_OK : EXIT_BROKEN;
}
