/* relayd.c: a relay and nothing else: the real endpoint on the real UDP edge, without a node around
 * it. Says "ready ID", then forwards until it is ended, with hardly a limit.
 *
 *   bench_relayd PORT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "net/endpoint.h"
#include "net/io/udp.h"
#include "net/relay/relay_limits.h"
#include "node/daemon/measure.h"

enum { TURN_TRAINS = 64, POLL_MS_MAX = 1000 };

static struct relayd {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_idle_t more;
    uv_signal_t end;
    struct udp *udp;
    struct endpoint *ep;
    bool blocked;
    uint8_t tx[TRAIN_MAX_BYTES];
} relayd;

static uint64_t now_us(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void fresh(void *ctx, void *buf, size_t len) {
    (void)ctx;
    for (size_t at = 0; at < len;) {
        const ssize_t n = getrandom((uint8_t *)buf + at, len - at, 0);
        if (n <= 0)
            abort();
        at += (size_t)n;
    }
}

static void turn(void);
static void on_more(uv_idle_t *i) {
    (void)i;
    turn();
}
static void on_timer(uv_timer_t *t) {
    (void)t;
    turn();
}

static void turn(void) {
    const uint64_t now = now_us();
    unsigned budget = TURN_TRAINS;
    struct ep_event e;
    if (endpoint_deadline_us(relayd.ep) <= now)
        endpoint_timeout(relayd.ep, now);
    while (endpoint_poll(relayd.ep, &e))
        ;
    while (budget > 0 && !relayd.blocked) {
        struct train t = {.buf = relayd.tx};
        if (!endpoint_output(relayd.ep, now, &t))
            break;
        budget--;
        relayd.blocked = udp_send(relayd.udp, &t) == ERR_AGAIN;
    }
    if (budget == 0) {
        (void)uv_idle_start(&relayd.more, on_more);
        return;
    }
    (void)uv_idle_stop(&relayd.more);
    const uint64_t deadline = endpoint_deadline_us(relayd.ep);
    const uint64_t left_ms = deadline > now ? (deadline - now + 999) / 1000 : 0;
    uv_update_time(&relayd.loop);
    (void)uv_timer_start(&relayd.timer, on_timer, left_ms < POLL_MS_MAX ? left_ms : POLL_MS_MAX, 0);
}

static void on_train(void *ctx, const struct train_in *r) {
    (void)ctx;
    endpoint_input_train(relayd.ep, now_us(), r);
}
static void on_batch_end(void *ctx) {
    (void)ctx;
    turn();
}
static void on_writable(void *ctx, uint32_t socket) {
    (void)ctx;
    (void)socket;
    relayd.blocked = false;
    turn();
}
static void on_end(uv_signal_t *s, int number) {
    (void)number;
    uv_stop(s->loop);
}

int main(int argc, char **argv) {
    static const struct udp_callbacks cb = {on_train, on_batch_end, on_writable, NULL};
    const struct rng rng = {fresh, NULL};
    struct identity identity;
    struct timespec wall;
    char id[NODE_ID_TEXT_CHARS + 1];
    struct addr at = {.kind = ADDR_IPV4, .port = (uint16_t)(argc == 2 ? atoi(argv[1]) : 0)};
    struct relay_limits limits = relay_limits_default();
    limits.reservations_per_prefix = limits.clients;
    limits.bytes_per_s = 0;
    identity_generate(&identity, &rng);
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    const struct endpoint_config cfg = {.identity = &identity,
                                        .rng = rng,
                                        .cc = CC_BBR,
                                        .provider = measure_aead(NULL),
                                        .wall_us = (uint64_t)wall.tv_sec * 1000000};
    relayd.ep = endpoint_new(&cfg, now_us());
    if (argc != 2 || !relayd.ep || endpoint_relay_serve(relayd.ep, &limits, now_us()) != 0 ||
        uv_loop_init(&relayd.loop) != 0 ||
        udp_open(&relayd.udp, &relayd.loop, UDP_AUTO, &at, 0, &cb, NULL) != 0) {
        (void)fputs("bench_relayd: cannot start\n", stderr);
        return 1;
    }
    (void)uv_timer_init(&relayd.loop, &relayd.timer);
    (void)uv_idle_init(&relayd.loop, &relayd.more);
    (void)uv_signal_init(&relayd.loop, &relayd.end);
    (void)uv_signal_start(&relayd.end, on_end, SIGTERM);
    node_id_text(&identity.id, id);
    (void)printf("ready %s\n", id);
    (void)fflush(stdout);
    turn();
    (void)uv_run(&relayd.loop, UV_RUN_DEFAULT);
    endpoint_free(relayd.ep);
    return 0;
}
