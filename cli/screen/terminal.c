#include "cli/screen/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

unsigned terminal_columns_or(int fd, unsigned fallback) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : fallback;
}

unsigned terminal_columns(FILE *f) {
    const int fd = fileno(f);
    if (fd < 0 || !isatty(fd))
        return 0;
    return terminal_columns_or(fd, TERMINAL_COLUMNS);
}
