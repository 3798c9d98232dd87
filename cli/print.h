/* print.h: what meshctl shows: sizes, durations, tables, a progress line, JSON. Whatever may come
 * from a peer goes through print_text or print_prose (terminal) or json_text (JSON).
 */
#ifndef MESHD_CLI_PRINT_H
#define MESHD_CLI_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "node/control_proto.h"

enum {
    PRINT_SCHEMA = 1, /* "schema" in every JSON object; docs/CONTROL.md, "Versions" */
    PRINT_NUMBER_MAX = 48,
    PRINT_REAL_DIGITS =
        15, /* of a JSON number with a fraction: 0.000461, not 0.00046099999999999998 */
    TABLE_COLUMNS_MAX = 10,
};

/* "0 B", "999 B", "1.50 kB", "12.3 MB": decimal units, three digits. */
void print_size(char out[static PRINT_NUMBER_MAX], uint64_t bytes);
/* "850 us", "12.3 ms", "4.50 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
void print_duration(char out[static PRINT_NUMBER_MAX], uint64_t us);
/* "118 MB/s"; "-" if us is 0. */
void print_rate(char out[static PRINT_NUMBER_MAX], uint64_t bytes, uint64_t us);
/* "2026-11-21 14:05:09", local time. */
void print_time(char out[static PRINT_NUMBER_MAX], uint64_t wall_us);
/* Escaped, on one line. */
void print_text(FILE *f, const char *s, size_t len);
/* What `head` writes about `o`, and a message behind it: its lines as lines (node/prose), each but the first indented
 * by four blanks, and on a terminal none longer than that (cli/wrap). */
void print_prose(FILE *f, void (*head)(FILE *f, const msgpack_object *o), const msgpack_object *o,
                 const char *s, size_t len);
/* As print_text into a heap string (free it; never NULL: dies without memory). */
char *print_escaped(const char *s, size_t len);

/* ---- tables: columns as wide as their content ---- */
struct table {
    unsigned columns;
    size_t cells, cap;
    char **cell;
};
/* Headers are separated by '|'; one that begins with '>' is aligned to the right. */
void table_init(struct table *t, const char *headers);
void table_text(struct table *t, const char *s, size_t len); /* escapes */
void table_cell(struct table *t, const char *s);             /* ours: not escaped */
void table_str(struct table *t, const msgpack_object *o, const char *key);
void table_uint(struct table *t, uint64_t v);
void table_print(struct table *t, FILE *f);
void table_clear(struct table *t); /* idempotent, legal on zeroes */

/* ---- progress, on standard error when that is a terminal ---- */
struct progress {
    bool on, shown;
    uint64_t last_us, last_bytes, rate; /* bytes per second, smoothed */
};
void progress_init(struct progress *p, bool wanted);
void progress_say(struct progress *p, const char *what);
void progress_update(struct progress *p, uint64_t now_us, uint64_t bytes, uint64_t total);
void progress_clear(struct progress *p);

/* ---- JSON ---- */
/* A JSON string in which bytes that are not UTF-8 have become U+FFFD. */
json_t *json_text(const char *s, size_t len);
json_t *json_from(const msgpack_object *o);
/* One object on one line of standard output, with "schema" added, in ASCII. Gives `o` back to
 * jansson. */
void print_json(json_t *o);

#endif
