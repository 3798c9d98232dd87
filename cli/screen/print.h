/* print.h: what meshctl shows: sizes, durations, tables, JSON. Whatever may come
 * from a peer goes through print_text or print_prose (terminal) or json_text (JSON).
 */
#ifndef MESHD_CLI_SCREEN_PRINT_H
#define MESHD_CLI_SCREEN_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "node/api/control_proto.h"

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
/* What `head` writes about `o`, and a message behind it: its lines as lines (node/api/prose), each but the first indented
 * by four blanks, and on a terminal none longer than that (cli/screen/wrap). */
void print_prose(FILE *f, void (*head)(FILE *f, const msgpack_object *o), const msgpack_object *o,
                 const char *s, size_t len);
/* As print_text into a heap string (free it; never NULL: dies without memory). */
char *print_escaped(const char *s, size_t len);
/* So many bytes; dies without memory. */
void *print_alloc(size_t size);

/* ---- tables: columns as wide as their content, or as there is room for ---- */
struct table_column {
    bool right;    /* '>' aligned to the right */
    bool shrinks;  /* '~' its cells may be shortened (cli/screen/name.h) */
    bool sentence; /* '.' they are of no use if shortened as far as names are */
    bool optional; /* '?' it may be left out; the last one first */
};
struct table {
    unsigned columns;
    struct table_column column[TABLE_COLUMNS_MAX];
    size_t cells;
    uint32_t cap;
    char **cell;
};
/* Headers are separated by '|', and begin with the marks of struct table_column. */
void table_init(struct table *t, const char *headers);
void table_text(struct table *t, const char *s, size_t len); /* escapes */
void table_cell(struct table *t, const char *s);             /* ours: not escaped */
void table_str(struct table *t, const msgpack_object *o, const char *key);
void table_uint(struct table *t, uint64_t v);
/* No line is wider than `columns` if that can be had: what shrinks does, down to NAME_LEAST_COLUMNS
 * (sentences: TABLE_SENTENCE_LEAST); then what is optional goes; then what shrinks does so further. 0: everything is shown. */
enum { TABLE_SENTENCE_LEAST = 24 };
void table_print(const struct table *t, FILE *f, unsigned columns);
void table_clear(struct table *t); /* idempotent, legal on zeroes */

/* ---- JSON ---- */
/* A JSON string in which bytes that are not UTF-8 have become U+FFFD. */
json_t *json_text(const char *s, size_t len);
json_t *json_from(const msgpack_object *o);
/* One object on one line of standard output, with "schema" added, in ASCII. Gives `o` back to
 * jansson. */
void print_json(json_t *o);

#endif
