/* manager.c: PATH: a service manager's notification socket (sd_notify(3)): each datagram is a line,
 * its newlines '|', until it is ended. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (argc != 2 || strlen(argv[1]) >= sizeof at.sun_path)
        return 2;
    memcpy(at.sun_path, argv[1], strlen(argv[1]) + 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at))
        return 1;
    char buf[4096];
    for (ssize_t n; (n = read(fd, buf, sizeof buf - 1)) >= 0;) {
        buf[n] = '\0';
        for (char *nl; (nl = strchr(buf, '\n'));)
            *nl = '|';
        puts(buf);
        fflush(stdout);
    }
    return 0;
}
