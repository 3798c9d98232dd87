#include "cli/screen/terminal.h"

#include "net/os/tty.h"

unsigned terminal_columns_or(FILE *f, unsigned fallback) {
    const unsigned width = tty_width(f);
    return width > 0 ? width : fallback;
}

unsigned terminal_columns(FILE *f) {
    return tty_is(f) ? terminal_columns_or(f, TERMINAL_COLUMNS) : 0;
}
