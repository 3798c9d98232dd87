/* tty.c: POSIX's terminals; their width by the ioctl that all systems have. */
#include "net/os/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

bool tty_is(FILE *f) {
    return isatty(fileno(f));
}

bool tty_is_ours(FILE *f) {
    return tty_is(f) && tcgetpgrp(fileno(f)) == getpgrp();
}

unsigned tty_width(FILE *f) {
    struct winsize size;
    return ioctl(fileno(f), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool tty_keep_stdio(void) {
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            return false; /* the lowest number that is free: it cannot be another */
    return true;
}

bool tty_stdout_is_closed(void) {
    return write(STDOUT_FILENO, "", 0) < 0 && errno == EBADF;
}
