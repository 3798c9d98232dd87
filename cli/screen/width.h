/* width.h: how many columns of a terminal a text takes: none for marks that combine, two for East
 * Asian and emoji characters, one for all others (Unicode 14, UAX #11). A table of our own, since
 * libc's wcwidth knows none of that where the locale is "C", as it is in cron and over many an ssh,
 * while the terminal at the end shows UTF-8 all the same; and since each libc has another.
 */
#ifndef MESHD_CLI_SCREEN_WIDTH_H
#define MESHD_CLI_SCREEN_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0, 1 or 2. */
unsigned width_of_char(uint32_t cp);
/* Of a text without control characters; a byte that is not UTF-8 counts as one column. */
size_t width_of(const char *s, size_t len);
size_t width_of_text(const char *s); /* up to its NUL */

#endif
