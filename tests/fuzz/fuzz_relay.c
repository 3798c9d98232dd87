/* fuzz_relay.c: a relay and one client, to each of whom anybody says anything: the input is a list
 * of things to do. Numbers that were told are put into what is said, so that it gets further. What
 * comes out is a train, no more bytes than went in, and to where a client is. */
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/base/limits.h"
#include "net/relay/relay_client.h"
#include "net/relay/relay_server.h"

enum { CLIENTS = 5, NUMBERS = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct relay_server *s;
    struct relay_client *c;
    uint32_t numbers[NUMBERS], told;
    uint64_t now_us, in, out;
};

static void fill(void *ctx, void *buf, size_t len) {
    uint64_t *x = ctx;
    for (size_t i = 0; i < len; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)buf)[i] = (uint8_t)(*x >> 56);
    }
}

static struct hop hop_of(uint8_t n) {
    return hop_udp(&(struct addr){.kind = ADDR_IPV4, .port = 9, .ip = {10, 0, 0, n}}, n % 4);
}

static struct peer_ref peer_of(uint8_t n) {
    return (struct peer_ref){n, 1};
}

static struct node_id id_of(uint8_t n) {
    return (struct node_id){{n}};
}

static void say(struct world *w, uint8_t n, uint8_t op, uint8_t pick) {
    static const uint8_t ops[] = {RELAY_RESERVE, RELAY_OPEN, RELAY_CLOSE, RELAY_ACCEPT,
                                  RELAY_REFUSE};
    static const uint8_t lies[] = {RELAY_RESERVED, RELAY_OPENED,     RELAY_INCOMING, RELAY_ENDED,
                                   RELAY_REFUSED,  RELAY_RESTARTING, RELAY_LOAD};
    uint8_t out[RELAY_MSG_MAX_BYTES];
    struct relay_msg m = {.request = pick % 4,
                          .flow = w->numbers[pick % NUMBERS],
                          .peer = id_of(pick % CLIENTS),
                          .lifetime_s = pick,
                          .reason = pick};
    m.op = ops[op % sizeof ops];
    relay_server_input(w->s, w->now_us, peer_of(n), out, relay_msg_write(&m, out));
    m.op = lies[op % sizeof lies];
    relay_client_input(w->c, w->now_us, peer_of(n % 2), out, relay_msg_write(&m, out));
}

static void pull(struct world *w, uint32_t full) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    uint8_t out[RELAY_MSG_MAX_BYTES];
    struct relay_event e;
    struct relay_msg m;
    struct peer_ref to;
    size_t len;
    while (relay_server_next(w->s, w->now_us, &to, out, &len)) {
        if (to.index >= CLIENTS || !relay_msg_read(&m, out, len))
            abort();
        if (m.flow != 0)
            w->numbers[w->told++ % NUMBERS] = m.flow;
    }
    while (relay_client_next(w->c, w->now_us, &to, out, &len))
        if (!relay_msg_read(&m, out, len))
            abort();
    while (relay_client_poll(w->c, &e))
        ;
    struct train t = {.buf = buf, .full = full};
    while (relay_server_output(w->s, w->now_us, &t)) {
        if (t.len == 0 || t.segment_bytes == 0 || t.len > sizeof buf || t.to.kind != HOP_UDP ||
            train_is_unwanted(&t, &t.to) || buf[0] != PACKET_FORWARDED)
            abort();
        w->out += t.len;
    }
    if (w->out > w->in)
        abort();
}

static void forward(struct world *w, uint8_t n, uint8_t pick, const uint8_t *data, size_t size) {
    uint8_t buf[4096] = {0};
    const size_t segment = 40 + pick;
    const size_t len = segment * (1 + n) < sizeof buf ? segment * (1 + n) : sizeof buf;
    memcpy(buf, data, size < len ? size : len);
    for (size_t at = 0; at + FORWARD_HEADER_BYTES < len; at += segment)
        if (buf[at] % 4 != 0) {
            forward_write(buf + at, PACKET_FORWARD, w->numbers[(pick + (buf[at] > 250)) % NUMBERS]);
            buf[at + FORWARD_HEADER_BYTES] = PACKET_DATA;
        }
    relay_server_forward(
        w->s, w->now_us,
        &(struct train_in){
            .buf = buf, .len = len, .segment_bytes = segment, .from = hop_of(n % CLIENTS)});
    w->in += len;
}

static void act(struct world *w, const uint8_t *data, size_t size) {
    const uint8_t n = data[1], x = data[2];
    const struct node_id id = id_of(x % CLIENTS);
    const struct hop hop = hop_of(n % CLIENTS);
    uint32_t request;
    switch (data[0] % 12) {
    case 0:
        if (relay_server_client_up(w->s, w->now_us, peer_of(n % CLIENTS), &id, &hop) != 0)
            return;
        break;
    case 1:
        relay_server_client_down(w->s, w->now_us, peer_of(n % CLIENTS));
        break;
    case 2:
        relay_server_client_moved(w->s, w->now_us, peer_of(x % CLIENTS), &hop);
        break;
    case 3:
        w->now_us += (uint64_t)1 << (x % 32);
        relay_server_timeout(w->s, w->now_us);
        relay_client_timeout(w->c, w->now_us);
        break;
    case 4:
        relay_server_input(w->s, w->now_us, peer_of(n % CLIENTS), data + 3, size - 3);
        relay_client_input(w->c, w->now_us, peer_of(n % 2), data + 3, size - 3);
        break;
    case 5:
        if (relay_client_open(w->c, w->now_us, peer_of(n % 2), &id, &request) == 0 &&
            relay_client_reserve(w->c, w->now_us, peer_of(x % 2)) != 0)
            abort();
        break;
    case 6:
        if (relay_client_answer(w->c, w->now_us, peer_of(n % 2), w->numbers[x % NUMBERS], n & 8,
                                RELAY_DENIED) != 0)
            relay_client_close(w->c, w->now_us, peer_of(n % 2), w->numbers[x % NUMBERS]);
        break;
    case 7:
        if (x % 8 == 0)
            relay_client_relay_down(w->c, w->now_us, peer_of(n % 2));
        break;
    case 8:
    case 9:
        forward(w, n % 12, x, data, size);
        break;
    default:
        say(w, n % CLIENTS, x, data[0]);
        break;
    }
    pull(w, n & 3 ? 0 : x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t seed = 1;
    struct relay_limits l = relay_limits_default();
    l.client_bytes_per_day = 100000;
    l.client_bytes_per_s = 50000;
    l.flows_per_client = 3;
    struct world w = {.now_us = 1000000};
    for (unsigned i = 0; i < NUMBERS; i++)
        w.numbers[i] = 1 + i;
    w.s = relay_server_new(&l, &(struct rng){fill, &seed}, w.now_us);
    w.c = relay_client_new(&(struct rng){fill, &seed});
    if (!w.s || !w.c)
        abort();
    for (uint8_t n = 0; n < CLIENTS; n++) {
        const struct node_id id = id_of(n);
        const struct hop hop = hop_of(n);
        if (relay_server_client_up(w.s, w.now_us, peer_of(n), &id, &hop) != 0)
            abort();
        say(&w, n, 0, 200);
    }
    for (; size >= 3; data += 3, size -= 3)
        act(&w, data, size);
    relay_server_free(w.s);
    relay_client_free(w.c);
    return 0;
}
