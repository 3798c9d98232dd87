/* terminal.c: COMMAND...: runs it on a terminal of its own, as the leader of its session, prints
 * its process id and hangs the terminal up when standard input ends. Ends with the command, and
 * with its exit status. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *terminal, char **argv) {
    setsid();
    int fd = open(terminal, O_RDWR);
    if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
        _exit(125);
    for (int i = 0; i < 3; i++)
        dup2(fd, i);
    if (fd > 2)
        close(fd);
    execvp(argv[0], argv);
    _exit(127);
}

int main(int argc, char **argv) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), status = 0;
    if (argc < 2 || master < 0 || grantpt(master) || unlockpt(master))
        return 2;
    pid_t child = fork();
    if (child == 0)
        become(ptsname(master), argv + 1);
    printf("%ld\n", (long)child);
    fflush(stdout);
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = master, .events = POLLIN}};
    char buf[4096];
    while (poll(fds, 2, -1) > 0) {
        if (fds[1].revents && read(master, buf, sizeof buf) <= 0)
            break;
        if (fds[0].revents && read(STDIN_FILENO, buf, sizeof buf) <= 0)
            break;
    }
    close(master);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
