/* limit.c: NS_A NS_B ADDRESS_OF_B DIR: what the steps of a transfer that cannot be left out cost on
 * this machine, as JSON: CPU nanoseconds per byte for reading a cached file, its tree hash,
 * sealing, UDP by trains from namespace A to B and out of the kernel again, opening, writing a file
 * and syncing it. One thread does one step at a time and reads its CPU clock, so that what else
 * runs here disturbs little, and the kernel's share (of UDP: both ends) is in it. Of each step the
 * median of SLICES.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "crypto/aead/aead.h"
#include "crypto/tree/treehash.h"
#include "net/base/limits.h"
#include "net/wire/packet.h"
#include "node/daemon/measure.h"

enum {
    SLICES = 5,
    DATAGRAM_BYTES = 1472, /* MTU 1500 */
    PLAIN_BYTES = DATAGRAM_BYTES - DATA_OVERHEAD_BYTES,
    TRAIN_PKTS = TRAIN_MAX_BYTES / DATAGRAM_BYTES,
    BLOCK_BYTES = 256 << 10,
    FILE_BYTES = 64 << 20,
    MEMORY_BYTES =
        16 << 20, /* hashed and sealed as in a transfer: not from the first-level cache */
    SLICE_NS = 40 * 1000 * 1000,
};

static uint8_t *memory;
static double ns_per_byte[SLICES];

_Noreturn static void die(const char *what) {
    fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double median(void) {
    qsort(ns_per_byte, SLICES, sizeof ns_per_byte[0], ascending);
    return ns_per_byte[SLICES / 2];
}

/* ---- hash ---- */

static double hash_cost(void) {
    for (int i = 0; i < SLICES; i++) {
        struct treehash *t = treehash_new();
        uint8_t root[TREEHASH_BYTES];
        if (!t)
            die("hash");
        uint64_t begin = cpu_ns(), bytes = 0;
        while (cpu_ns() - begin < SLICE_NS) {
            treehash_update(t, memory + bytes % MEMORY_BYTES, BLOCK_BYTES);
            bytes += BLOCK_BYTES;
        }
        treehash_final(t, root);
        ns_per_byte[i] = (double)(cpu_ns() - begin) / (double)bytes;
        treehash_free(t);
    }
    return median();
}

/* ---- packets ---- */

struct sealing {
    struct aead *aead;
    enum aead_suite suite;
    struct aead_key key;
    uint64_t key_id;
};

static uint8_t *packet(uint64_t n) {
    return memory + n % (MEMORY_BYTES / DATAGRAM_BYTES) * DATAGRAM_BYTES;
}

static void seal_cost(struct sealing *s, double *seal, double *open) {
    double opened[SLICES];
    uint64_t count = MEMORY_BYTES / DATAGRAM_BYTES, counter = 0;
    for (int i = 0; i < SLICES; i++) {
        uint64_t first = counter, begin = cpu_ns();
        for (uint64_t n = 0; n < count; n++, counter++)
            aead_seal(s->aead, s->suite, &s->key, s->key_id, counter, packet(n), DATA_HEADER_BYTES,
                      packet(n) + DATA_HEADER_BYTES, PLAIN_BYTES);
        uint64_t middle = cpu_ns();
        for (uint64_t n = 0; n < count; n++)
            if (!aead_open(s->aead, s->suite, &s->key, s->key_id, first + n, packet(n),
                           DATA_HEADER_BYTES, packet(n) + DATA_HEADER_BYTES,
                           PLAIN_BYTES + AEAD_TAG_BYTES))
                die("a packet did not open");
        opened[i] = (double)(cpu_ns() - middle) / (double)(count * PLAIN_BYTES);
        ns_per_byte[i] = (double)(middle - begin) / (double)(count * PLAIN_BYTES);
    }
    *seal = median();
    memcpy(ns_per_byte, opened, sizeof opened);
    *open = median();
}

/* ---- UDP ---- */

static int socket_in(const char *ns) {
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", ns);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
        die(path);
    close(fd);
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;
    if (sock < 0)
        die("socket");
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return sock;
}

/* A train to the other namespace, and all of it back from the kernel: nothing waits long. */
static void train(int from, int to, const uint8_t *data) {
    static uint8_t got[65536];
    size_t len = (size_t)TRAIN_PKTS * DATAGRAM_BYTES;
    if (send(from, data, len, 0) != (ssize_t)len)
        die("UDP_SEGMENT send");
    for (size_t have = 0; have < len;) {
        ssize_t n = recv(to, got, sizeof got, 0);
        if (n <= 0)
            die("UDP_GRO receive");
        have += (size_t)n;
    }
}

static double udp_cost(const char *ns_a, const char *ns_b, const char *addr) {
    int to = socket_in(ns_b), from = socket_in(ns_a), on = 1, segment = DATAGRAM_BYTES;
    struct timeval patience = {.tv_sec = 2};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    if (inet_pton(AF_INET, addr, &at.sin_addr) != 1 ||
        bind(to, (struct sockaddr *)&at, sizeof at) ||
        getsockname(to, (struct sockaddr *)&at, &len) ||
        connect(from, (struct sockaddr *)&at, len) ||
        setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
        setsockopt(to, IPPROTO_UDP, UDP_GRO, &on, sizeof on) ||
        setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment))
        die("UDP between the namespaces");
    for (int i = 0; i < SLICES; i++) {
        uint64_t begin = cpu_ns(), trains = 0;
        for (; cpu_ns() - begin < SLICE_NS; trains++)
            train(from, to, memory + trains % 64 * 65536);
        ns_per_byte[i] =
            (double)(cpu_ns() - begin) / (double)(trains * TRAIN_PKTS * (uint64_t)PLAIN_BYTES);
    }
    close(from);
    close(to);
    return median();
}

/* ---- files ---- */

/* CPU time of FILE_BYTES by `move`, which is read or write. */
static double pass(int fd, bool writing) {
    uint64_t begin = cpu_ns();
    for (size_t at = 0; at < FILE_BYTES; at += BLOCK_BYTES) {
        uint8_t *block = memory + at % MEMORY_BYTES;
        ssize_t n = writing ? pwrite(fd, block, BLOCK_BYTES, (off_t)at)
                            : pread(fd, block, BLOCK_BYTES, (off_t)at);
        if (n != BLOCK_BYTES)
            die("file");
    }
    if (writing && fsync(fd) != 0)
        die("fsync");
    return (double)(cpu_ns() - begin) / FILE_BYTES;
}

/* Each slice writes a new file and reads it while it is cached. */
static void file_cost(const char *dir, double *reading, double *writing) {
    char path[512];
    double reads[SLICES];
    snprintf(path, sizeof path, "%s/limit.file", dir);
    for (int i = 0; i < SLICES; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            die(path);
        unlink(path);
        ns_per_byte[i] = pass(fd, true);
        reads[i] = pass(fd, false);
        close(fd);
    }
    *writing = median();
    memcpy(ns_per_byte, reads, sizeof reads);
    *reading = median();
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: bench_limit NS_A NS_B ADDRESS_OF_B DIR\n");
        return 2;
    }
    struct sealing s = {.aead = aead_new(measure_aead(NULL))};
    memory = malloc(MEMORY_BYTES);
    if (!memory || !s.aead)
        die("memory");
    memset(memory, 0xa5, MEMORY_BYTES);
    s.suite = (enum aead_suite)aead_choose(aead_suites(s.aead), aead_suites(s.aead));
    s.key_id = aead_key_id(s.aead);
    double seal, open, reading, writing;
    file_cost(argv[4], &reading, &writing);
    seal_cost(&s, &seal, &open);
    double hash = hash_cost();
    double udp = udp_cost(argv[1], argv[2], argv[3]);
    printf("{\"suite\":\"%s\",\"provider\":\"%s\",\"hash\":\"blake3\",\"packet_bytes\":%d,"
           "\"ns_per_byte\":{\"read\":%.4f,\"hash\":%.4f,\"seal\":%.4f,\"udp\":%.4f,\"open\":%.4f,"
           "\"write\":%.4f}}\n",
           aead_suite_name(s.suite), aead_provider_name(s.aead), DATAGRAM_BYTES, reading, hash,
           seal, udp, open, writing);
    aead_free(s.aead);
    free(memory);
    return 0;
}
