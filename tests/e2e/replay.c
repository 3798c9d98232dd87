/* replay.c: record PORT FILE: waits at 127.0.0.1:PORT for a first handshake message and keeps it.
 *           send PORT FILE COUNT: sends it COUNT times; prints bytes sent, bytes that came back and
 * the largest answer. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { INITIATION = 288 };

static struct sockaddr_in at(const char *port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(port)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int record(int fd, const char *port, const char *path) {
    struct sockaddr_in here = at(port);
    struct timeval limit = {10, 0};
    uint8_t buf[2048];
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (bind(fd, (struct sockaddr *)&here, sizeof here))
        return 1;
    ssize_t n;
    do
        n = recv(fd, buf, sizeof buf, 0);
    while (n >= 0 && n != INITIATION);
    FILE *f = n > 0 ? fopen(path, "wb") : NULL;
    if (!f || fwrite(buf, 1, INITIATION, f) != INITIATION || fclose(f))
        return 1;
    return 0;
}

static int replay(int fd, const char *port, const char *path, long count) {
    struct sockaddr_in to = at(port);
    uint8_t msg[INITIATION], buf[2048];
    FILE *f = fopen(path, "rb");
    if (!f || fread(msg, 1, sizeof msg, f) != sizeof msg || fclose(f) ||
        connect(fd, (struct sockaddr *)&to, sizeof to))
        return 1;
    unsigned long long sent = 0, back = 0;
    ssize_t largest = 0;
    for (long i = 0; i < count; i++) {
        if (send(fd, msg, sizeof msg, 0) > 0)
            sent += sizeof msg;
        if (i % 32 == 31)
            nanosleep(&(struct timespec){0, 200000}, NULL);
        for (ssize_t n; (n = recv(fd, buf, sizeof buf, MSG_DONTWAIT)) > 0;) {
            back += (unsigned long long)n;
            largest = n > largest ? n : largest;
        }
    }
    printf("%llu %llu %zd\n", sent, back, largest);
    return 0;
}

int main(int argc, char **argv) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0), rc = 2;
    if (argc == 4 && strcmp(argv[1], "record") == 0)
        rc = record(fd, argv[2], argv[3]);
    else if (argc == 5 && strcmp(argv[1], "send") == 0)
        rc = replay(fd, argv[2], argv[3], atol(argv[4]));
    if (rc)
        fprintf(stderr, "replay: failed (%d)\n", rc);
    close(fd);
    return rc;
}
