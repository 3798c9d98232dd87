/* table.h: tables on a terminal: columns as wide as their content, or as there is room for. */
#ifndef MESHD_CLI_SCREEN_TABLE_H
#define MESHD_CLI_SCREEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "node/api/rpc/control_proto.h"

enum { TABLE_COLUMNS_MAX = 10 };

struct table_column {
    bool right;    /* '>' aligned to the right */
    bool shrinks;  /* '~' its cells may be shortened (cli/screen/name.h) */
    bool sentence; /* '.' they are of no use if shortened as far as names are */
    bool optional; /* '?' it may be left out; the last one first */
    bool head;     /* '<' with '~': shortened at its end, not in the middle */
    bool note;     /* '!' where a line has no room for it, it stands below its row, whole */
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
/* No line is wider than `columns` if that can be had: notes go below; what shrinks does, down to
 * NAME_LEAST_COLUMNS (sentences and heads: TABLE_SENTENCE_LEAST); then what is optional goes; then
 * what shrinks does so further. 0: everything is shown. */
enum { TABLE_SENTENCE_LEAST = 24 };
void table_print(const struct table *t, FILE *f, unsigned columns);
void table_clear(struct table *t); /* idempotent, legal on zeroes */

#endif
