#include "cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int pipe_fds[2] = {-1, -1};
static volatile sig_atomic_t seen;

static void on_signal(int sig) {
    int saved = errno;
    if (seen)
        _exit(128 + sig);
    seen = 1;
    if (write(pipe_fds[1], "", 1) < 0) {
        /* The pipe is full: it is readable then, which is all that is wanted. */
    }
    errno = saved;
}

void interrupt_catch(void) {
    if (pipe(pipe_fds) != 0) {
        pipe_fds[0] = pipe_fds[1] = -1;
        return;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(pipe_fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(pipe_fds[i], F_SETFL, O_NONBLOCK);
    }
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = on_signal;
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

int interrupt_fd(void) {
    return pipe_fds[0];
}

bool interrupt_seen(void) {
    return seen != 0;
}

void interrupt_clear(void) {
    char sink[16];
    while (pipe_fds[0] >= 0 && read(pipe_fds[0], sink, sizeof sink) > 0)
        continue;
    seen = 0;
}

bool interrupt_sleep(uint64_t us) {
    struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
    if (seen)
        return false;
    (void)poll(&p, pipe_fds[0] >= 0 ? 1 : 0, (int)(us / 1000));
    return !seen;
}
