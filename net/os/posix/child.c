/* child.c: fork and a pipe. */
#include "net/os/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int os_child_start(struct os_child *c, void (*body)(const void *arg, FILE *out), const void *arg) {
    int fds[2];
    if (pipe(fds) != 0)
        return errno;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid < 0) {
        const int err = errno;
        (void)close(fds[0]);
        (void)close(fds[1]);
        return err;
    }
    if (pid == 0) {
        (void)close(fds[0]);
        FILE *out = fdopen(fds[1], "wb");
        if (!out)
            _exit(3);
        body(arg, out);
        (void)fclose(out);
        _exit(0); /* at once: what the parent had open is the parent's */
    }
    (void)close(fds[1]);
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    *c = (struct os_child){.id = pid, .fd = fds[0]};
    return 0;
}

int os_child_read(struct os_child *c, void *out, size_t cap, size_t *got) {
    ssize_t n;
    do
        n = read(c->fd, out, cap);
    while (n < 0 && errno == EINTR);
    *got = n > 0 ? (size_t)n : 0;
    return n >= 0 ? 0 : errno;
}

void os_child_wait(struct os_child *const children[], unsigned count, int ms) {
    struct pollfd fds[OS_CHILDREN_MAX];
    nfds_t n = 0;
    assert(count <= OS_CHILDREN_MAX);
    for (unsigned i = 0; i < count; i++)
        if (children[i])
            fds[n++] = (struct pollfd){.fd = children[i]->fd, .events = POLLIN};
    (void)poll(fds, n, ms);
}

struct os_ending os_child_end(struct os_child *c, bool now) {
    int status = 0;
    if (now)
        (void)kill((pid_t)c->id, SIGKILL);
    while (waitpid((pid_t)c->id, &status, 0) < 0 && errno == EINTR) {
    }
    (void)close(c->fd);
    *c = (struct os_child){.fd = -1};
    return (struct os_ending){WIFSIGNALED(status),
                              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)};
}
