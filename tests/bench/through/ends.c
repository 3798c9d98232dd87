/* The sockets of both ends: runs of packets out with UDP_SEGMENT and in with UDP_GRO (udp(7)), so
 * that one core of the generator can fill a relay's. */
#include "tests/bench/through/ends.h"

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

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { BATCH = 32, BUFFER_BYTES = 16 << 20, BATCHES_MAX = 16, OFFSET_SERIAL = 8, OFFSET_SENT = 16 };

uint64_t clock_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void die(const char *what) {
    (void)fprintf(stderr, "bench_through: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void end_open(struct end *e, const char *ns, const struct in_addr *addr) {
    char path[256];
    const int on = 1, size = BUFFER_BYTES;
    socklen_t len = sizeof e->at;
    (void)snprintf(path, sizeof path, "/run/netns/%s", ns);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
        die(path);
    (void)close(fd);
    e->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = *addr};
    e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&e->at, sizeof e->at) != 0 ||
        getsockname(e->fd, (struct sockaddr *)&e->at, &len) != 0 ||
        setsockopt(e->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) != 0 ||
        setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0 ||
        setsockopt(e->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
        die("a socket");
}

void pair_open(struct pair *p, const char *ns_a, const struct in_addr *addr_a, const char *ns_b,
               const struct in_addr *addr_b) {
    *p = (struct pair){.next = 0};
    end_open(&p->a, ns_a, addr_a);
    end_open(&p->b, ns_b, addr_b);
}

void pair_close(struct pair *p) {
    (void)close(p->a.fd);
    (void)close(p->b.fd);
}

void end_send(const struct end *e, const struct sockaddr_in *to, const void *data, size_t len) {
    if (sendto(e->fd, data, len, 0, (const struct sockaddr *)to, sizeof *to) != (ssize_t)len &&
        errno != ECONNREFUSED)
        die("sendto");
}

static void put_packet(uint8_t *at, const struct pair *p, uint32_t number, uint64_t serial,
                       uint64_t now_ns) {
    memcpy(at, p->head, p->head_bytes);
    at += p->head_bytes;
    memcpy(at, "\x04\0\0", 4);
    memcpy(at + 4, &number, sizeof number);
    memcpy(at + OFFSET_SERIAL, &serial, sizeof serial);
    memcpy(at + OFFSET_SENT, &now_ns, sizeof now_ns);
}

void pair_send(struct pair *p, uint32_t number, unsigned count, size_t bytes) {
    static uint8_t run[RUN_MAX_BYTES];
    struct {
        _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control = {.bytes = {0}};
    const uint16_t segment = (uint16_t)(p->head_bytes + bytes);
    struct iovec iov = {run, (size_t)count * segment};
    struct msghdr m = {.msg_name = &p->to,
                       .msg_namelen = sizeof p->to,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    const uint64_t now_ns = clock_ns();
    for (unsigned i = 0; i < count; i++)
        put_packet(run + (size_t)i * segment, p, number, p->next++, now_ns);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(c), &segment, sizeof segment);
    /* What the kernel does not take is lost like what the relay drops. */
    if (sendmsg(p->a.fd, &m, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED && errno != ENOBUFS)
        die("sendmsg");
}

static void take(struct pair *p, uint32_t number, const uint8_t *packet, packet_fn *each,
                 void *ctx) {
    uint32_t whose;
    uint64_t serial, sent_ns;
    memcpy(&whose, packet + 4, sizeof whose);
    memcpy(&serial, packet + OFFSET_SERIAL, sizeof serial);
    memcpy(&sent_ns, packet + OFFSET_SENT, sizeof sent_ns);
    p->heard_ns = clock_ns();
    if (whose != number || serial >= p->next) {
        (void)fprintf(stderr, "bench_through: a packet of pair %u came to pair %u\n", whose,
                      number);
        exit(1);
    }
    p->received++;
    if (serial >= p->seen)
        p->seen = serial + 1;
    if (each)
        each(ctx, p->heard_ns - sent_ns);
}

static size_t segment_of(struct msghdr *m, size_t len) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
            return (size_t)segment;
        }
    return len;
}

struct receiving {
    struct pair *pair; /* NULL: packets of ours do not come here */
    uint32_t number;
    size_t bytes;
    packet_fn *each;
    void *ctx;
};

static void datagram(const struct receiving *r, const struct end *e, uint8_t *buf, size_t len,
                     const struct sockaddr_in *from) {
    const struct pair *p = r->pair;
    if (p && len == p->head_in_bytes + r->bytes &&
        memcmp(buf + p->head_in_bytes, "\x04\0\0", 4) == 0)
        take(r->pair, r->number, buf + p->head_in_bytes, r->each, r->ctx);
    else if (e->other)
        e->other(e->ctx, buf, len, from);
}

/* One batch; false: nothing is left. */
static bool batch(const struct end *e, const struct receiving *r) {
    static uint8_t bytes[BATCH][RUN_MAX_BYTES];
    static struct { _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(int))]; } control[BATCH];
    struct mmsghdr v[BATCH];
    struct iovec iov[BATCH];
    struct sockaddr_in from[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){bytes[i], sizeof bytes[i]};
        v[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                       .msg_namelen = sizeof from[i],
                                       .msg_iov = &iov[i],
                                       .msg_iovlen = 1,
                                       .msg_control = &control[i],
                                       .msg_controllen = sizeof control[i]};
    }
    const int n = recvmmsg(e->fd, v, BATCH, MSG_DONTWAIT, NULL);
    if (n < 0 && errno != EAGAIN && errno != ECONNREFUSED && errno != EINTR)
        die("recvmmsg");
    for (int i = 0; i < n; i++) {
        const size_t len = v[i].msg_len, segment = segment_of(&v[i].msg_hdr, len);
        for (size_t at = 0; at < len && segment > 0; at += segment)
            datagram(r, e, bytes[i] + at, len - at < segment ? len - at : segment, &from[i]);
    }
    return n == BATCH;
}

void pair_receive(struct pair *p, uint32_t number, size_t bytes, packet_fn *each, void *ctx) {
    const struct receiving at_b = {p, number, bytes, each, ctx}, at_a = {.bytes = bytes};
    for (unsigned i = 0; i < BATCHES_MAX && batch(&p->b, &at_b); i++)
        ;
    for (unsigned i = 0; i < BATCHES_MAX && p->a.other && batch(&p->a, &at_a); i++)
        ;
}
