#include "cli/screen/line.h"

#include <stdio.h>

#include "cli/screen/terminal.h"
#include "cli/screen/width.h"
#include "net/os/tty.h"

static size_t shown; /* columns of the line that stands there */

bool line_on(void) {
    return tty_is_ours(stderr);
}

/* Blanks up to what the line before had, if the terminal is still as wide. */
static int rest(size_t used) {
    size_t width = terminal_columns_or(stderr, TERMINAL_COLUMNS), end = shown;
    if (end >= width)
        end = width > 0 ? width - 1 : 0;
    return end > used ? (int)(end - used) : 0;
}

void line_show(const char *text) {
    if (!line_on())
        return;
    size_t used = width_of_text(text);
    fprintf(stderr, "\r%s%*s", text, rest(used), "");
    fflush(stderr);
    shown = used;
}

void line_clear(void) {
    if (shown > 0 && line_on())
        fprintf(stderr, "\r%*s\r", rest(0), "");
    shown = 0;
}

void line_end(void) {
    if (shown > 0 && line_on())
        fputc('\n', stderr);
    shown = 0;
}
