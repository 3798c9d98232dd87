/* stream.c: how fast one stream goes through two sessions, without disks and hashes: the real
 * endpoint on the real UDP edge.
 *
 *   bench_stream recv PORT               counts what comes until it is ended
 *   bench_stream send ADDR:PORT SECONDS  says MB/s of acknowledged bytes, CPU seconds per GiB, and
 *                                        what a packet cost
 *
 * Both sides know each other's keys from a fixed seed. Options after these: chacha (suite), bbr |
 * cubic | reno.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "net/endpoint.h"
#include "net/io/udp.h"
#include "node/daemon/measure.h"

struct bench {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_idle_t more;
    struct udp *udp;
    struct endpoint *ep;
    struct session_ref session;
    struct block_pool *pool;
    struct block *block;
    bool sends, up, blocked, ended;
    uint64_t stream, written, received, start_us, end_us, seconds;
    uint8_t tx[TRAIN_MAX_BYTES];
};

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void known(void *ctx, void *buf, size_t len) {
    uint64_t *x = ctx;
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++) {
        *x = *x * UINT64_C(6364136223846793005) + 1442695040888963407;
        b[i] = (uint8_t)(*x >> 56);
    }
}

static void feed(struct bench *b) {
    while (stream_write_span(b->ep, b->session, b->stream,
                             (struct span){b->block, 0, STREAM_BLOCK_BYTES}) == 0)
        b->written += STREAM_BLOCK_BYTES;
}

static void drain(struct bench *b, uint64_t now, uint64_t stream) {
    struct span spans[16];
    unsigned n;
    bool fin;
    while ((n = stream_peek(b->ep, b->session, stream, 0, spans, 16, &fin)) > 0) {
        size_t len = 0;
        for (unsigned i = 0; i < n; i++)
            len += spans[i].len;
        stream_consume(b->ep, now, b->session, stream, len);
        b->received += len;
    }
}

static void event(struct bench *b, uint64_t now, const struct ep_event *e) {
    if (e->kind == EP_SESSION_UP) {
        b->session = e->session;
        b->up = true;
        if (b->sends && stream_open(b->ep, b->session, &b->stream) == 0) {
            b->start_us = now;
            feed(b);
        }
    } else if (e->kind == EP_STREAM_READABLE) {
        drain(b, now, e->stream);
    } else if (e->kind == EP_STREAM_WRITABLE && !b->ended) {
        feed(b);
    } else if (e->kind == EP_CONNECT_FAILED || (e->kind == EP_SESSION_DOWN && b->sends)) {
        fprintf(stderr, "bench: the session ended: %s\n", err_text(e->err));
        exit(1);
    }
}

static void on_more(uv_idle_t *i);
static void on_timer(uv_timer_t *t);

static void turn(struct bench *b) {
    const uint64_t now = now_us();
    unsigned budget = 16;
    struct ep_event e;
    if (endpoint_deadline_us(b->ep) <= now)
        endpoint_timeout(b->ep, now);
    while (endpoint_poll(b->ep, &e))
        event(b, now, &e);
    while (budget > 0 && !b->blocked) {
        struct train t = {.buf = b->tx};
        if (!endpoint_output(b->ep, now, &t))
            break;
        budget--;
        b->blocked = udp_send(b->udp, &t) == ERR_AGAIN;
        while (endpoint_poll(b->ep, &e))
            event(b, now, &e);
    }
    if (b->sends && b->up && !b->ended && now >= b->start_us + b->seconds * 1000000) {
        b->ended = true;
        b->end_us = now;
        uv_stop(&b->loop);
    }
    if (budget == 0) {
        (void)uv_idle_start(&b->more, on_more);
        return;
    }
    uv_idle_stop(&b->more);
    const uint64_t deadline = endpoint_deadline_us(b->ep);
    const uint64_t left_us = deadline > now ? deadline - now : 0;
    uv_update_time(&b->loop);
    (void)uv_timer_start(&b->timer, on_timer, left_us / 1000 < 100 ? left_us / 1000 : 100, 0);
}

static void on_more(uv_idle_t *i) {
    turn(i->data);
}
static void on_timer(uv_timer_t *t) {
    turn(t->data);
}
static void on_train(void *ctx, const struct train_in *r) {
    struct bench *b = ctx;
    endpoint_input_train(b->ep, now_us(), r);
}
static void on_batch_end(void *ctx) {
    turn(ctx);
}
static void on_writable(void *ctx, uint32_t socket) {
    (void)socket;
    struct bench *b = ctx;
    b->blocked = false;
    turn(b);
}

static void usage(void) {
    fputs("usage: bench_stream recv PORT | send ADDR:PORT SECONDS [chacha] [bbr|cubic|reno]\n",
          stderr);
    exit(2);
}

static void report(const struct bench *b) {
    struct rusage u;
    struct session_info s;
    getrusage(RUSAGE_SELF, &u);
    const double cpu = (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
                       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    const uint64_t unsent = stream_unsent(b->ep, b->session, b->stream);
    const double bytes = (double)(b->written - unsent),
                 wall = (double)(b->end_us - b->start_us) / 1e6;
    if (!endpoint_session_info(b->ep, now_us(), b->session, &s))
        return;
    printf("%.0f MB/s, sender %.2f CPU s/GiB, %.0f ns CPU per packet of %u bytes, lost %llu of "
           "%llu, srtt %.2f ms, cwnd %llu\n",
           bytes / wall / 1e6, cpu / (bytes / 1073741824), cpu * 1e9 / (double)s.pkts_sent,
           s.mtu_bytes, (unsigned long long)s.pkts_lost, (unsigned long long)s.pkts_sent,
           (double)s.srtt_us / 1000, (unsigned long long)s.cwnd_bytes);
}

int main(int argc, char **argv) {
    static struct bench b;
    static const struct udp_callbacks cb = {on_train, on_batch_end, on_writable, NULL};
    struct identity ids[2];
    uint64_t seed = 1;
    struct rng rng = {known, &seed};
    struct endpoint_config cfg = {.rng = rng,
                                  .cc = CC_BBR,
                                  .provider = measure_aead(NULL),
                                  .wall_us = UINT64_C(1790000000000000)};
    struct addr at = {.kind = ADDR_IPV4}, to = {0};
    if (argc < 3)
        usage();
    b.sends = strcmp(argv[1], "send") == 0;
    if (b.sends ? argc < 4 || addr_parse(&to, argv[2]) != 0 : strcmp(argv[1], "recv") != 0)
        usage();
    if (b.sends)
        b.seconds = strtoull(argv[3], NULL, 10);
    else
        at.port = (uint16_t)atoi(argv[2]);
    for (int i = b.sends ? 4 : 3; i < argc; i++) {
        if (strcmp(argv[i], "chacha") == 0)
            cfg.suites = AEAD_CHACHA20_POLY1305;
        else if (strcmp(argv[i], "cubic") == 0)
            cfg.cc = CC_CUBIC;
        else if (strcmp(argv[i], "reno") == 0)
            cfg.cc = CC_RENO;
        else if (strcmp(argv[i], "bbr") != 0)
            usage();
    }
    for (int i = 0; i < 2; i++)
        identity_generate(&ids[i], &rng);
    seed = (uint64_t)now_us() | 1;
    cfg.identity = &ids[b.sends];
    b.ep = endpoint_new(&cfg, now_us());
    struct peer_setup peer = {.id = ids[!b.sends].id,
                              .transport = ids[!b.sends].transport_public,
                              .addrs = {to},
                              .addr_count = b.sends ? 1 : 0};
    struct peer_ref ref;
    if (!b.ep || endpoint_peer_add(b.ep, &peer, &ref) || uv_loop_init(&b.loop) ||
        udp_open(&b.udp, &b.loop, UDP_AUTO, &at, 0, &cb, &b) || !(b.pool = block_pool_new(1, 0)) ||
        !(b.block = block_new(b.pool, STREAM_BLOCK_BYTES))) {
        fputs("bench: cannot start\n", stderr);
        return 1;
    }
    memset(b.block->data, 'x', STREAM_BLOCK_BYTES);
    b.block->len = STREAM_BLOCK_BYTES;
    (void)uv_timer_init(&b.loop, &b.timer);
    (void)uv_idle_init(&b.loop, &b.more);
    b.timer.data = b.more.data = &b;
    if (b.sends && endpoint_connect(b.ep, now_us(), ref))
        return 1;
    turn(&b);
    uv_run(&b.loop, UV_RUN_DEFAULT);
    report(&b);
    return 0;
}
