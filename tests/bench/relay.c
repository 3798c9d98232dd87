/* relay.c: how fast a relay forwards, without sockets: trains of 1,200-byte packets in, trains out,
 * on one core. Prints packets a second of its time, nanoseconds a packet, and how full trains are.
 *   bench_relay [FLOWS [SECONDS [PACKETS IN A RUN]]]      100 flows, 1 s, runs of 43
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/base/bytes.h"
#include "net/base/limits.h"
#include "net/relay/relay_server.h"

enum { PACKET_BYTES = 1200, RUN_MAX = 54, ROUND = 16 };

static uint64_t cpu_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fill(void *ctx, void *buf, size_t len) {
    uint64_t *x = ctx;
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        b[i] = (uint8_t)(*x >> 56);
    }
}

static struct hop hop_of(uint32_t n) {
    return hop_udp(&(struct addr){.kind = ADDR_IPV4,
                                  .port = 1,
                                  .ip = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}},
                   0);
}

static struct peer_ref peer_of(uint32_t n) {
    return (struct peer_ref){n, 1};
}

static void say(struct relay_server *s, uint64_t now_us, uint32_t from, struct relay_msg m) {
    uint8_t out[RELAY_MSG_MAX_BYTES];
    const size_t len = relay_msg_write(&m, out);
    relay_server_input(s, now_us, peer_of(from), out, len);
}

static uint32_t hear(struct relay_server *s, uint64_t now_us, uint8_t op) {
    uint8_t out[RELAY_MSG_MAX_BYTES];
    struct peer_ref to;
    struct relay_msg m;
    size_t len;
    while (relay_server_next(s, now_us, &to, out, &len))
        if (relay_msg_read(&m, out, len) && m.op == op)
            return m.flow;
    (void)fprintf(stderr, "bench_relay: a relay that does not answer\n");
    exit(1);
}

static struct node_id id_of(uint32_t n) {
    struct node_id id = {{1}};
    store_le32(id.bytes + 8, n);
    return id;
}

/* Flow i leads from client 2 i to client 2 i + 1. */
static void set_up(struct relay_server *s, uint64_t now_us, uint32_t flows, uint32_t *numbers) {
    for (uint32_t i = 0; i < 2 * flows; i++) {
        const struct node_id id = id_of(i);
        const struct hop hop = hop_of(i);
        if (relay_server_client_up(s, now_us, peer_of(i), &id, &hop) != 0)
            exit(1);
    }
    for (uint32_t i = 0; i < flows; i++) {
        say(s, now_us, 2 * i + 1, (struct relay_msg){.op = RELAY_RESERVE, .lifetime_s = 3600});
        (void)hear(s, now_us, RELAY_RESERVED);
        say(s, now_us, 2 * i, (struct relay_msg){.op = RELAY_OPEN, .peer = id_of(2 * i + 1)});
        const uint32_t flow = hear(s, now_us, RELAY_INCOMING);
        say(s, now_us, 2 * i + 1, (struct relay_msg){.op = RELAY_ACCEPT, .flow = flow});
        numbers[i] = hear(s, now_us, RELAY_OPENED);
    }
}

static void write_run(uint8_t *buf, uint32_t run, uint32_t flow) {
    for (uint32_t i = 0; i < run; i++) {
        forward_write(buf + (size_t)i * PACKET_BYTES, PACKET_FORWARD, flow);
        buf[(size_t)i * PACKET_BYTES + FORWARD_HEADER_BYTES] = PACKET_DATA;
    }
}

int main(int argc, char **argv) {
    const uint32_t flows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100;
    const double seconds = argc > 2 ? strtod(argv[2], NULL) : 1;
    const uint32_t run = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 43;
    static uint8_t in[ROUND][RUN_MAX * PACKET_BYTES], out[TRAIN_MAX_BYTES];
    uint64_t seed = 1, trains = 0;
    if (flows == 0 || flows > 50000 || run == 0 || run > RUN_MAX)
        return 2;
    struct relay_limits l = relay_limits_default();
    l.clients = 2 * flows;
    l.flows = flows;
    l.reservations_per_prefix = UINT32_MAX;
    l.bytes_per_s = 0;
    uint64_t now_us = 1000000;
    uint32_t *numbers = calloc(flows, sizeof *numbers);
    struct relay_server *s = relay_server_new(&l, &(struct rng){fill, &seed}, now_us);
    if (!s || !numbers)
        return 1;
    set_up(s, now_us, flows, numbers);
    for (uint32_t i = 0; i < ROUND; i++)
        fill(&seed, in[i], sizeof in[i]);
    struct relay_stats st;
    const uint64_t from_ns = cpu_ns();
    uint64_t ns = 0;
    for (uint32_t at = 0; (double)ns < seconds * 1e9; ns = cpu_ns() - from_ns) {
        now_us += 10;
        for (uint32_t i = 0; i < ROUND; i++, at = (at + 1) % flows) {
            const struct train_in r = {.buf = in[i],
                                       .len = (size_t)run * PACKET_BYTES,
                                       .segment_bytes = PACKET_BYTES,
                                       .from = hop_of(2 * at)};
            write_run(in[i], run, numbers[at]);
            relay_server_forward(s, now_us, &r);
        }
        struct train t = {.buf = out};
        while (relay_server_output(s, now_us, &t))
            trains++;
    }
    relay_server_stats(s, &st);
    const uint64_t pkts = st.counters.forwarded_pkts;
    printf("relay: %u flows, runs of %u: %.0f packets/s, %.0f ns a packet, %.1f Gbit/s, "
           "%.1f packets a train out, %.1f KiB, dropped %llu\n",
           flows, run, (double)pkts * 1e9 / (double)ns, (double)ns / (double)pkts,
           (double)st.counters.forwarded_bytes * 8 / (double)ns, (double)pkts / (double)trains,
           (double)st.memory_bytes / 1024,
           (unsigned long long)(st.counters.queue_full + st.counters.queue_late));
    relay_server_free(s);
    free(numbers);
    return pkts > 0 ? 0 : 1;
}
