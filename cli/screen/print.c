#include "cli/screen/print.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/screen/terminal.h"
#include "cli/screen/wrap.h"
#include "node/api/escape.h"
#include "node/api/prose.h"

void *print_or_die(void *p) {
    if (!p) {
        fputs("meshctl: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

void *print_alloc(size_t size) {
    return print_or_die(malloc(size));
}

/* Three digits: "1.50", "15.0", "150". */
static void three(char *out, size_t cap, double v, const char *unit) {
    snprintf(out, cap, "%.*f %s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, unit);
}

void print_size(char out[static PRINT_NUMBER_MAX], uint64_t bytes) {
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(out, PRINT_NUMBER_MAX, "%u B", (unsigned)bytes);
        return;
    }
    double v = (double)bytes / 1000;
    unsigned u = 0;
    for (; v >= 999.5 && u < 5; u++)
        v /= 1000;
    three(out, PRINT_NUMBER_MAX, v, units[u]);
}

void print_duration(char out[static PRINT_NUMBER_MAX], uint64_t us) {
    uint64_t s = us / 1000000;
    if (us < 1000)
        snprintf(out, PRINT_NUMBER_MAX, "%u us", (unsigned)us);
    else if (us < 999500)
        three(out, PRINT_NUMBER_MAX, (double)us / 1000, "ms");
    else if (s < 60)
        three(out, PRINT_NUMBER_MAX, (double)us / 1000000, "s");
    else if (s < 3600)
        snprintf(out, PRINT_NUMBER_MAX, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
    else if (s < 86400)
        snprintf(out, PRINT_NUMBER_MAX, "%u h %u min", (unsigned)(s / 3600),
                 (unsigned)(s % 3600 / 60));
    else
        snprintf(out, PRINT_NUMBER_MAX, "%llu d %u h", (unsigned long long)(s / 86400),
                 (unsigned)(s % 86400 / 3600));
}

void print_rate(char out[static PRINT_NUMBER_MAX], uint64_t bytes, uint64_t us) {
    if (us == 0) {
        snprintf(out, PRINT_NUMBER_MAX, "-");
        return;
    }
    char size[PRINT_NUMBER_MAX];
    print_size(size, (uint64_t)((double)bytes * 1e6 / (double)us));
    snprintf(out, PRINT_NUMBER_MAX, "%.40s/s", size);
}

void print_time(char out[static PRINT_NUMBER_MAX], uint64_t wall_us) {
    time_t t = (time_t)(wall_us / 1000000);
    struct tm tm;
    if (!localtime_r(&t, &tm) || !strftime(out, PRINT_NUMBER_MAX, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(out, PRINT_NUMBER_MAX, "?");
}

char *print_escaped(const char *s, size_t len) {
    size_t cap = len * ESCAPE_GROWTH + 1;
    char *out = print_or_die(malloc(cap));
    escape_text(out, cap, s, len);
    return out;
}

void print_text(FILE *f, const char *s, size_t len) {
    char *text = print_escaped(s, len);
    fputs(text, f);
    free(text);
}

void print_prose(FILE *f, void (*head)(FILE *f, const msgpack_object *o), const msgpack_object *o,
                 const char *s, size_t len) {
    static const char indent[] = "    ";
    char *line = NULL;
    size_t line_len, cap = prose_show(NULL, 0, s, len, indent) + 1;
    char *text = print_or_die(malloc(cap));
    FILE *memory = print_or_die(open_memstream(&line, &line_len));
    prose_show(text, cap, s, len, indent);
    head(memory, o);
    if (fclose(memory) != 0)
        print_or_die(NULL);
    fputs(line, f);
    wrap_print(f, text, wrap_width(line, line_len), terminal_columns(f), indent);
    free(line);
    free(text);
}
