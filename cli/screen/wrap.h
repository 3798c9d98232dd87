/* wrap.h: text on a terminal, broken at blanks before the terminal would break it, and indented:
 * what it would put at the beginning of a line could pass for a line of ours. A word is never
 * broken, so a long one (an address on the web) can be copied; without a blank in it it passes for
 * nothing.
 */
#ifndef MESHD_CLI_SCREEN_WRAP_H
#define MESHD_CLI_SCREEN_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* Columns that `text` takes at most, whatever the terminal's tables say. Well-formed UTF-8. */
size_t wrap_width(const char *text, size_t len);
/* `text` from column `column` on; later lines of the same paragraph stand behind `indent`.
 * `columns` 0: as it is. */
void wrap_print(FILE *f, const char *text, size_t column, size_t columns, const char *indent);

#endif
