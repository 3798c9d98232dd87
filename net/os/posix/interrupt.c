/* interrupt.c: by sigaction, and a pipe that a handler writes into. */
#include "net/os/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int pipe_fds[2] = {-1, -1};
static volatile sig_atomic_t seen, heard, resized;

static void on_signal(int sig) {
    int saved = errno;
    (void)sig;
    if (seen || heard)
        _exit(128 + SIGINT); /* the documented code of an interruption, whichever it was */
    seen = 1;
    if (write(pipe_fds[1], "", 1) < 0) {
        /* The pipe is full: it is readable then, which is all that is wanted. */
    }
    errno = saved;
}

static void on_resize(int sig) {
    (void)sig;
    resized = 1;
}

static void handle(int sig, void (*handler)(int)) {
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = handler;
    sigemptyset(&sa.sa_mask);
    sigaction(sig, &sa, NULL);
}

void interrupt_catch(void) {
    struct sigaction old;
    if (pipe(pipe_fds) != 0) {
        pipe_fds[0] = pipe_fds[1] = -1;
        return;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(pipe_fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(pipe_fds[i], F_SETFL, O_NONBLOCK);
    }
    handle(SIGINT, on_signal);
    handle(SIGTERM, on_signal);
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        handle(SIGHUP, on_signal);
}

void interrupt_catch_resize(void) {
    handle(SIGWINCH, on_resize);
}

bool interrupt_resized(void) {
    bool was = resized != 0;
    resized = 0;
    return was;
}

/* Waits for the one or for a signal; a negative descriptor is ignored. */
static int wait_for(int fd, short events, int ms, bool *ready) {
    struct pollfd p[2] = {{.fd = fd, .events = events}, {.fd = pipe_fds[0], .events = POLLIN}};
    const int n = poll(p, 2, ms);
    *ready = n > 0 && p[0].revents != 0;
    return n < 0 && errno != EINTR ? errno : 0;
}

int interrupt_wait(struct os_connection c, bool writing, int ms, bool *ready) {
    return wait_for(c.fd, writing ? POLLOUT : POLLIN, ms, ready);
}

int interrupt_read_stdin(void *out, size_t cap, size_t *got) {
    for (*got = 0;;) {
        bool ready;
        if (seen)
            return EINTR;
        const int err = wait_for(STDIN_FILENO, POLLIN, -1, &ready);
        if (err)
            return err;
        if (seen)
            return EINTR;
        if (!ready)
            continue;
        const ssize_t n = read(STDIN_FILENO, out, cap);
        if (n >= 0) {
            *got = (size_t)n;
            return 0;
        }
        if (errno != EINTR && errno != EAGAIN)
            return errno;
    }
}

bool interrupt_seen(void) {
    return seen != 0;
}

void interrupt_clear(void) {
    char sink[16];
    while (pipe_fds[0] >= 0 && read(pipe_fds[0], sink, sizeof sink) > 0)
        continue;
    heard = heard || seen;
    seen = 0;
}

bool interrupt_sleep(uint64_t us) {
    struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
    if (seen)
        return false;
    (void)poll(&p, pipe_fds[0] >= 0 ? 1 : 0, (int)(us / 1000));
    return !seen;
}
