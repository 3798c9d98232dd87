/* flow_ours.c: two real endpoints, one session, one stream. Encryption is real; there is no
 * disk. */
#include <stdio.h>
#include <stdlib.h>

#include "net/base/timer.h"
#include "net/endpoint_int.h"
#include "tests/bench/oracle/flow.h"

enum { FEED_BYTES = 64 * 1024, FEED_BELOW_BYTES = 512 * 1024 };

static const uint64_t wall_offset_us = UINT64_C(1790000000000000);
static const uint8_t feed_data[FEED_BYTES];

struct ours {
    struct flow flow;
    struct draw_stream random[SIDES];
    struct identity identity[SIDES];
    struct addr addr[SIDES];
    struct endpoint *endpoint[SIDES];
    struct session_ref session[SIDES];
    bool up[SIDES], sending;
    uint64_t stream, delivered_bytes;
};

static _Noreturn void die(const char *what, int err) {
    fprintf(stderr, "oracle: ours: %s (error %d)\n", what, err);
    abort();
}

static struct ours *ours_of(struct flow *f) {
    return (struct ours *)(void *)f;
}

static const struct ours *ours_of_const(const struct flow *f) {
    return (const struct ours *)(const void *)f;
}

static struct flow *ours_open(const struct flow_config *cfg, uint64_t now_ns) {
    struct ours *o = calloc(1, sizeof *o);
    if (!o)
        abort();
    o->flow.ops = &flow_ours_ops;
    for (unsigned i = 0; i < SIDES; i++) {
        draw_stream_init(&o->random[i], cfg->draw, cfg->entity, i);
        const struct rng rng = {draw_stream_fill, &o->random[i]};
        identity_generate(&o->identity[i], &rng);
        o->addr[i] =
            (struct addr){.kind = ADDR_IPV4, .port = (uint16_t)(100 + i), .ip = {10, 0, 0, 1}};
        const struct endpoint_config ec = {.identity = &o->identity[i],
                                           .rng = rng,
                                           .cc = cfg->cc,
                                           .mtu_max_bytes = FLOW_UDP_PAYLOAD_BYTES,
                                           .wall_us = wall_offset_us + now_ns / 1000};
        o->endpoint[i] = endpoint_new(&ec, now_ns / 1000);
        if (!o->endpoint[i])
            abort();
    }
    struct peer_ref peer[SIDES];
    for (unsigned i = 0; i < SIDES; i++) {
        const struct peer_setup s = {.id = o->identity[!i].id,
                                     .transport = o->identity[!i].transport_public,
                                     .addrs = {o->addr[!i]},
                                     .addr_count = 1};
        const int err = endpoint_peer_add(o->endpoint[i], &s, &peer[i]);
        if (err)
            die("no peer", err);
    }
    const int err = endpoint_connect(o->endpoint[SIDE_A], now_ns / 1000, peer[SIDE_A]);
    if (err)
        die("cannot connect", err);
    return &o->flow;
}

static void ours_free(struct flow *f) {
    struct ours *o = ours_of(f);
    for (unsigned i = 0; i < SIDES; i++)
        endpoint_free(o->endpoint[i]);
    free(o);
}

static bool ours_connected(const struct flow *f) {
    const struct ours *o = ours_of_const(f);
    return o->up[SIDE_A] && o->up[SIDE_B];
}

static void ours_start(struct flow *f, uint64_t now_ns) {
    struct ours *o = ours_of(f);
    (void)now_ns;
    const int err = stream_open(o->endpoint[SIDE_A], o->session[SIDE_A], &o->stream);
    if (err)
        die("no stream", err);
    o->sending = true;
}

static uint64_t ours_delivered_bytes(const struct flow *f) {
    return ours_of_const(f)->delivered_bytes;
}

static struct flow_state ours_state(const struct flow *f) {
    const struct ours *o = ours_of_const(f);
    const struct session *s = endpoint_find(o->endpoint[SIDE_A], o->session[SIDE_A]);
    if (!s || !s->tp)
        return (struct flow_state){0};
    return (struct flow_state){.cwnd_bytes = s->tp->rec->cc.cwnd_bytes,
                               .ssthresh_bytes = s->tp->rec->cc.ssthresh_bytes,
                               .in_flight_bytes = s->tp->rec->cc.bytes_in_flight,
                               .srtt_us = s->tp->rec->rtt.srtt_us};
}

static void read_all(struct ours *o, uint64_t now_ns, uint64_t stream) {
    struct span spans[8];
    bool fin;
    unsigned n;
    while ((n = stream_peek(o->endpoint[SIDE_B], o->session[SIDE_B], stream, 0, spans, 8, &fin)) >
           0) {
        size_t bytes = 0;
        for (unsigned i = 0; i < n; i++)
            bytes += spans[i].len;
        stream_consume(o->endpoint[SIDE_B], now_ns / 1000, o->session[SIDE_B], stream, bytes);
        o->delivered_bytes += bytes;
    }
}

static void poll_events(struct ours *o, enum side side, uint64_t now_ns) {
    struct ep_event e;
    while (endpoint_poll(o->endpoint[side], &e)) {
        if (e.kind == EP_SESSION_UP) {
            o->session[side] = e.session;
            o->up[side] = true;
        } else if (e.kind == EP_SESSION_DOWN || e.kind == EP_CONNECT_FAILED) {
            die("the session ended", e.err);
        } else if (e.kind == EP_STREAM_READABLE && side == SIDE_B) {
            read_all(o, now_ns, e.stream);
        }
    }
}

/* The application is never the limit, but the endpoint's memory may be. */
static void feed(struct ours *o) {
    struct endpoint *e = o->endpoint[SIDE_A];
    size_t taken = 1;
    while (taken > 0 && stream_unsent(e, o->session[SIDE_A], o->stream) < FEED_BELOW_BYTES) {
        const int err =
            stream_write(e, o->session[SIDE_A], o->stream, feed_data, sizeof feed_data, &taken);
        if (err && err != ERR_AGAIN)
            die("cannot write", err);
    }
}

static void ours_input(struct flow *f, enum side to, uint64_t now_ns, uint8_t *data, size_t len) {
    struct ours *o = ours_of(f);
    const struct hop from = hop_udp(&o->addr[!to], 0);
    endpoint_input(o->endpoint[to], now_ns / 1000, &from, ECN_NOT_ECT, data, len);
    poll_events(o, to, now_ns);
}

static bool ours_output(struct flow *f, enum side from, uint64_t now_ns, struct train *t) {
    struct ours *o = ours_of(f);
    if (o->sending && from == SIDE_A)
        feed(o);
    return endpoint_output(o->endpoint[from], now_ns / 1000, t);
}

static uint64_t ours_deadline_ns(const struct flow *f, enum side side) {
    const uint64_t us = endpoint_deadline_us(ours_of_const(f)->endpoint[side]);
    return us == TIME_NEVER ? UINT64_MAX : us * 1000;
}

static void ours_timeout(struct flow *f, enum side side, uint64_t now_ns) {
    struct ours *o = ours_of(f);
    endpoint_timeout(o->endpoint[side], now_ns / 1000);
    poll_events(o, side, now_ns);
}

const struct flow_ops flow_ours_ops = {
    .name = "ours",
    .open = ours_open,
    .free = ours_free,
    .connected = ours_connected,
    .start = ours_start,
    .delivered_bytes = ours_delivered_bytes,
    .state = ours_state,
    .input = ours_input,
    .output = ours_output,
    .deadline_ns = ours_deadline_ns,
    .timeout = ours_timeout,
};
