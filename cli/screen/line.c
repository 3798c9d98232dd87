#include "cli/screen/line.h"

#include <stdio.h>

#include "cli/screen/columns.h"
#include "net/os/terminal.h"

enum { COLUMNS_DEFAULT = 80 };

static size_t shown; /* columns of the line that stands there */

bool line_on(void) {
    return terminal_is_ours(stderr);
}

unsigned line_columns(FILE *f, unsigned fallback) {
    const unsigned width = terminal_width(f);
    return width > 0 ? width : fallback;
}

/* Blanks up to what the line before had, if the terminal is still as wide. */
static int rest(size_t used) {
    size_t width = line_columns(stderr, COLUMNS_DEFAULT), end = shown;
    if (end >= width)
        end = width > 0 ? width - 1 : 0;
    return end > used ? (int)(end - used) : 0;
}

void line_show(const char *text) {
    if (!line_on())
        return;
    size_t used = columns_text(text);
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
