/* line.h: the one line that changes in place: progress, or what is waited for. On standard error,
 * where that is a terminal and we are in its foreground; elsewhere nothing is written, as scp and
 * rsync do it. The terminal's width is asked at each change. No escape sequences: a return and
 * blanks, so that dumb terminals hold. Whoever writes something else calls line_clear first
 * (app_fail, app_say and transfer_report do).
 */
#ifndef MESHD_CLI_SCREEN_LINE_H
#define MESHD_CLI_SCREEN_LINE_H

#include <stdbool.h>
#include <stdio.h>

bool line_on(void);
/* `text` is escaped, and shorter than the terminal is wide. */
void line_show(const char *text);
/* Nothing of it stays. Idempotent. */
void line_clear(void);
/* It stays as it is, and what follows begins below it: after a Ctrl-C, whose echo may have wrapped
 * it. */
void line_end(void);

#endif
