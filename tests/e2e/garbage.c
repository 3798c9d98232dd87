/* garbage.c: PORT COUNT SEED: sends COUNT datagrams of random length and content to 127.0.0.1:PORT,
 * a quarter of them with the type byte and size of a real message, at about 100,000 a second, so
 * that the receiver has to look at most of them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, BYTES = 1500 };

static uint64_t next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static size_t make(uint8_t *buf, uint64_t *state) {
    static const size_t sizes[] = {0, 288, 216, 80};
    size_t len = (size_t)(next(state) % BYTES);
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)next(state);
    uint64_t shape = next(state) % 16;
    if (shape < 1 || shape > 4)
        return len;
    if (shape < 4)
        len = sizes[shape];
    memset(buf, 0, 4);
    buf[0] = (uint8_t)shape;
    return len;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: garbage PORT COUNT SEED\n");
        return 2;
    }
    static uint8_t bytes[BATCH][BYTES];
    struct mmsghdr msgs[BATCH];
    struct iovec iov[BATCH];
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(argv[1])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long count = atol(argv[2]);
    uint64_t state = strtoull(argv[3], NULL, 0) | 1;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) {
        perror("garbage");
        return 1;
    }
    printf("seed %s, %ld datagrams\n", argv[3], count);
    for (long sent = 0; sent < count; sent += BATCH) {
        memset(msgs, 0, sizeof msgs);
        for (int i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec){bytes[i], make(bytes[i], &state)};
            msgs[i].msg_hdr.msg_iov = &iov[i];
            msgs[i].msg_hdr.msg_iovlen = 1;
        }
        if (sendmmsg(fd, msgs, BATCH, 0) < 0 && sent == 0) {
            perror("garbage");
            return 1;
        }
        nanosleep(&(struct timespec){0, 300000}, NULL);
    }
    close(fd);
    return 0;
}
