/* The three requests that are needed, and nothing of the rest of STUN (RFC 8489). */
#include "tests/bench/through/turn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ALLOCATE = 0x0003,
    CHANNEL_BIND = 0x0009,
    SUCCESS = 0x0100,
    CHANNEL_NUMBER = 0x000c,
    LIFETIME = 0x000d,
    XOR_PEER_ADDRESS = 0x0012,
    REQUESTED_TRANSPORT = 0x0019,
    COOKIE = 0x2112a442,
    CHANNEL = 0x4000,
    HEADER_BYTES = 20,
    MESSAGE_MAX_BYTES = 1500,
    WAIT_MS = 500,
    TRIES = 6,
    HOUR_S = 3600
};

struct message {
    uint8_t bytes[128];
    size_t len;
};

static void put(struct message *m, const void *bytes, size_t len) {
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}
static void put16(struct message *m, unsigned v) {
    put(m, &(uint16_t){htons((uint16_t)v)}, 2);
}
static void put32(struct message *m, uint32_t v) {
    put(m, &(uint32_t){htonl(v)}, 4);
}

static struct message request(unsigned type) {
    static uint32_t serial;
    struct message m = {.len = 0};
    put16(&m, type);
    put16(&m, 0);
    put32(&m, COOKIE);
    put32(&m, 0x6d657368);
    put32(&m, 0x62656e63);
    put32(&m, ++serial);
    return m;
}

/* Asks until the answer to this request comes. */
static void ask(const struct end *e, const struct sockaddr_in *server, struct message *m) {
    uint8_t got[MESSAGE_MAX_BYTES];
    const uint16_t body = htons((uint16_t)(m->len - HEADER_BYTES));
    memcpy(m->bytes + 2, &body, 2);
    for (unsigned i = 0; i < TRIES; i++) {
        struct pollfd p = {.fd = e->fd, .events = POLLIN};
        end_send(e, server, m->bytes, m->len);
        while (poll(&p, 1, WAIT_MS) > 0) {
            const ssize_t n = recv(e->fd, got, sizeof got, 0);
            if (n < HEADER_BYTES || memcmp(got + 4, m->bytes + 4, 16) != 0)
                continue;
            if ((got[0] << 8 | got[1]) == ((m->bytes[0] << 8 | m->bytes[1]) | SUCCESS))
                return;
            (void)fprintf(stderr, "bench_through: TURN request %02x refused\n", m->bytes[1]);
            exit(1);
        }
    }
    errno = ETIMEDOUT;
    die("the TURN server");
}

void turn_join(struct pair *p, const struct sockaddr_in *server, size_t packet_bytes) {
    struct message m = request(ALLOCATE);
    put16(&m, REQUESTED_TRANSPORT);
    put16(&m, 4);
    put32(&m, (uint32_t)IPPROTO_UDP << 24);
    put16(&m, LIFETIME);
    put16(&m, 4);
    put32(&m, HOUR_S);
    ask(&p->a, server, &m);
    m = request(CHANNEL_BIND);
    put16(&m, CHANNEL_NUMBER);
    put16(&m, 4);
    put32(&m, (uint32_t)CHANNEL << 16);
    put16(&m, XOR_PEER_ADDRESS);
    put16(&m, 8);
    put16(&m, 1); /* IPv4 */
    put16(&m, ntohs(p->b.at.sin_port) ^ (unsigned)COOKIE >> 16);
    put32(&m, ntohl(p->b.at.sin_addr.s_addr) ^ (uint32_t)COOKIE);
    ask(&p->a, server, &m);
    p->to = *server;
    p->head[0] = CHANNEL >> 8;
    p->head[2] = (uint8_t)(packet_bytes >> 8);
    p->head[3] = (uint8_t)packet_bytes;
    p->head_bytes = 4;
}
