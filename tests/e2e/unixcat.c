/* unixcat.c: PATH: standard input to a Unix socket; whatever comes back to standard output, until
 * either side ends. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (argc != 2 || strlen(argv[1]) >= sizeof to.sun_path)
        return 2;
    memcpy(to.sun_path, argv[1], strlen(argv[1]) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
        return 1;
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    char buf[4096];
    while (poll(fds, 2, 2000) > 0) {
        if (fds[0].revents) {
            ssize_t n = read(STDIN_FILENO, buf, sizeof buf);
            if (n <= 0) {
                shutdown(fd, SHUT_WR);
                fds[0].fd = -1;
            } else if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n) {
                return 0; /* closed by the other side */
            }
        }
        if (fds[1].revents) {
            ssize_t n = read(fd, buf, sizeof buf);
            if (n <= 0 || write(STDOUT_FILENO, buf, (size_t)n) != n)
                return 0;
        }
    }
    return 0;
}
