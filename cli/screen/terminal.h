/* terminal.h: how wide the terminal is, asked each time. */
#ifndef MESHD_CLI_SCREEN_TERMINAL_H
#define MESHD_CLI_SCREEN_TERMINAL_H

#include <stdio.h>

/* Of one that does not say. */
enum { TERMINAL_COLUMNS = 80 };

/* Columns of the terminal that `f` is; 0: it is none. */
unsigned terminal_columns(FILE *f);
/* The same, or `fallback` if it is none or does not say. */
unsigned terminal_columns_or(FILE *f, unsigned fallback);

#endif
