/* columns.h: texts made to fit the columns of a terminal (cli/screen/width.h). Pure. */
#ifndef MESHD_CLI_SCREEN_COLUMNS_H
#define MESHD_CLI_SCREEN_COLUMNS_H

#include <stddef.h>

/* Of a text that is escaped already. A byte that is not UTF-8 counts 1. */
size_t columns_text(const char *s);
/* Escapes a text (node/api/escape.h) and, if it takes more than `columns`, leaves out its middle: "holi...2026.mkv". What
 * is escaped is not cut apart. Writes at most cap - 1 bytes and a NUL; returns the columns it takes. Below 8 columns
 * only the beginning is kept. */
size_t columns_shorten(char *out, size_t cap, const char *s, size_t len, size_t columns);

#endif
