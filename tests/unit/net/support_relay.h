/* support_relay.h: a relay's server alone, whose clients are numbers: client n has an id, a peer
 * reference and an address (10.x.y.9, each in a /24 of its own) that follow from n. What the relay
 * says is taken out one by one and compared.
 */
#ifndef MESHD_TESTS_SUPPORT_RELAY_H
#define MESHD_TESTS_SUPPORT_RELAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/bytes.h"
#include "net/base/limits.h"
#include "net/base/timer.h"
#include "net/relay/relay_queue.h"
#include "net/relay/relay_server.h"
#include "support_rand.h"

enum { RELAY_T0 = 1000000, RELAY_S = 1000000, RELAY_MS = 1000 };

static inline void relay_fill(void *ctx, void *buf, size_t len) {
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)rand_u64(ctx);
}

static inline struct node_id relay_id(uint32_t n) {
    struct node_id id = {{0x1d}};
    store_le32(id.bytes + 4, n);
    return id;
}

static inline struct peer_ref relay_peer(uint32_t n) {
    return (struct peer_ref){n + 1, 7};
}

static inline uint32_t relay_number_of(struct peer_ref p) {
    assert_int_equal(p.generation, 7);
    return p.index - 1;
}

static inline struct hop relay_hop(uint32_t n) {
    const struct addr a = {
        .kind = ADDR_IPV4, .port = 4000, .ip = {10, (uint8_t)(n >> 8), (uint8_t)n, 9}};
    return hop_udp(&a, n % 3);
}

static inline struct relay_server *relay_alone(const struct relay_limits *l,
                                               struct rand_state *rnd) {
    struct relay_server *s = relay_server_new(l, &(struct rng){relay_fill, rnd}, RELAY_T0);
    assert_non_null(s);
    return s;
}

static inline void relay_up(struct relay_server *s, uint64_t now_us, uint32_t n) {
    const struct node_id id = relay_id(n);
    const struct hop hop = relay_hop(n);
    assert_int_equal(relay_server_client_up(s, now_us, relay_peer(n), &id, &hop), 0);
}

static inline void relay_say(struct relay_server *s, uint64_t now_us, uint32_t n,
                             struct relay_msg m) {
    uint8_t out[RELAY_MSG_MAX_BYTES];
    const size_t len = relay_msg_write(&m, out);
    relay_server_input(s, now_us, relay_peer(n), out, len);
}

/* What is said next; to whom is *n. */
static inline bool relay_hear(struct relay_server *s, uint64_t now_us, uint32_t *n,
                              struct relay_msg *m) {
    struct peer_ref to;
    uint8_t out[RELAY_MSG_MAX_BYTES];
    size_t len;
    if (!relay_server_next(s, now_us, &to, out, &len))
        return false;
    assert_true(relay_msg_read(m, out, len));
    assert_true(relay_op_is_relays(m->op));
    *n = relay_number_of(to);
    return true;
}

static inline struct relay_msg relay_expect(struct relay_server *s, uint64_t now_us, uint32_t n,
                                            uint8_t op) {
    struct relay_msg m = {0};
    uint32_t to = UINT32_MAX;
    assert_true(relay_hear(s, now_us, &to, &m));
    assert_int_equal(to, n);
    assert_int_equal(m.op, op);
    return m;
}

static inline void relay_expect_nothing(struct relay_server *s, uint64_t now_us) {
    struct relay_msg m = {0};
    uint32_t to;
    assert_false(relay_hear(s, now_us, &to, &m));
}

static inline void relay_expect_reason(struct relay_server *s, uint64_t now_us, uint32_t n,
                                       uint8_t op, uint8_t reason) {
    assert_int_equal(relay_expect(s, now_us, n, op).reason, reason);
}

static inline void relay_reserve_ok(struct relay_server *s, uint64_t now_us, uint32_t n) {
    relay_say(s, now_us, n,
              (struct relay_msg){.op = RELAY_RESERVE, .request = n, .lifetime_s = 3600});
    assert_int_equal(relay_expect(s, now_us, n, RELAY_RESERVED).request, n);
}

static inline void relay_ask(struct relay_server *s, uint64_t now_us, uint32_t from, uint32_t to) {
    relay_say(s, now_us, from,
              (struct relay_msg){.op = RELAY_OPEN, .request = 1000 + to, .peer = relay_id(to)});
}

struct relay_numbers {
    uint32_t from, to; /* their ends' numbers */
};

/* An open flow between two that are up, of whom `to` has a reservation. */
static inline struct relay_numbers relay_flow_up(struct relay_server *s, uint64_t now_us,
                                                 uint32_t from, uint32_t to) {
    struct relay_numbers f;
    relay_ask(s, now_us, from, to);
    const struct relay_msg in = relay_expect(s, now_us, to, RELAY_INCOMING);
    f.to = in.flow;
    relay_say(s, now_us, to, (struct relay_msg){.op = RELAY_ACCEPT, .flow = in.flow});
    f.from = relay_expect(s, now_us, from, RELAY_OPENED).flow;
    return f;
}

/* Clients 0 .. n-1 are up and have reservations. */
static inline void relay_crowd(struct relay_server *s, uint64_t now_us, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        relay_up(s, now_us, i);
        relay_reserve_ok(s, now_us, i);
    }
}

/* A DATA packet of two ends in a FORWARD: `len` bytes in all; `mark` is told again. */
static inline void relay_packet(uint8_t *out, size_t len, uint32_t flow, uint32_t mark) {
    assert_true(len >= FORWARD_HEADER_BYTES + DATA_OVERHEAD_BYTES);
    memset(out, 0x5a, len);
    forward_write(out, PACKET_FORWARD, flow);
    out[FORWARD_HEADER_BYTES] = PACKET_DATA;
    store_le32(out + FORWARD_HEADER_BYTES + 16, mark);
}

static inline void relay_forward_run(struct relay_server *s, uint64_t now_us,
                                     const struct hop *from, uint8_t *buf, size_t len,
                                     size_t segment) {
    relay_server_forward(
        s, now_us,
        &(struct train_in){.buf = buf, .len = len, .segment_bytes = segment, .from = *from});
}

static inline void relay_forward_one(struct relay_server *s, uint64_t now_us, uint32_t from,
                                     uint32_t flow, size_t len, uint32_t mark) {
    uint8_t buf[2048];
    const struct hop hop = relay_hop(from);
    relay_packet(buf, len, flow, mark);
    relay_forward_run(s, now_us, &hop, buf, len, len);
}

static inline struct relay_stats relay_stats_of(const struct relay_server *s) {
    struct relay_stats st;
    relay_server_stats(s, &st);
    return st;
}

#endif
