/* Endpoints without a loop: what comes to an end's socket and is not a packet of the pair goes into
 * its endpoint, and what that wants to send goes out at once. */
#include "tests/bench/through/mesh.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "net/endpoint.h"
#include "net/wire/relay_msg.h"

enum { JOIN_S = 30, QUIET_S = 5, STEP_MS = 5, ENDS_MAX = 2 * PAIRS_MAX, TRAINS_MAX = 64 };

struct node {
    struct end *end;
    struct identity identity;
    struct endpoint *ep;
    struct peer_ref relay;
    bool asked, up, reserved;
    unsigned wanted, opened; /* flows, from here */
    struct hop flow;         /* the last one */
};

static struct node nodes[ENDS_MAX];
static unsigned node_count;
static struct {
    struct hop at;
    struct sockaddr_in addr;
    struct node_id id;
    struct dh_public transport;
    uint64_t cert_seq, wall_us;
    bool known;
} relay;
static bool leaving;
static uint64_t progress_us; /* when something was last achieved */

static uint64_t now_us(void) {
    return clock_ns() / 1000;
}

static void fresh(void *ctx, void *buf, size_t len) {
    (void)ctx;
    for (size_t at = 0; at < len;) {
        const ssize_t n = getrandom((uint8_t *)buf + at, len - at, 0);
        if (n <= 0)
            die("getrandom");
        at += (size_t)n;
    }
}

_Noreturn static void fail(const char *what, int err) {
    (void)fprintf(stderr, "bench_through: %s: %s\n", what, err_text(err));
    exit(1);
}

static unsigned place_of(const struct node *n) {
    return (unsigned)(n - nodes);
}

/* Nodes 2i and 2i+1 are a and b of pair i. */
static void open_more(struct node *n, uint64_t now) {
    uint32_t request;
    if (n->opened >= n->wanted || !n->reserved)
        return;
    const unsigned to = (place_of(n) + 1 + 2 * n->opened) % node_count;
    if (!nodes[to].reserved)
        return;
    const int err = relay_open(n->ep, now, n->relay, &nodes[to].identity.id, &request);
    if (err && err != ERR_FULL && err != ERR_AGAIN)
        fail("relay_open", err);
    n->asked = err == 0;
}

static void on_key(struct node *n, uint64_t now, const struct ep_event *e) {
    (void)n;
    (void)now;
    if (e->err || !node_id_equal(&e->node, &relay.id))
        fail("the relay's key", e->err ? e->err : ERR_AUTH);
    relay.transport = e->transport;
    relay.cert_seq = e->cert_seq;
    relay.known = true;
}

static void on_up(struct node *n, uint64_t now, const struct ep_event *e) {
    (void)e;
    n->up = true;
    if (relay_reserve(n->ep, now, n->relay))
        fail("relay_reserve", ERR_FULL);
}

static void on_down(struct node *n, uint64_t now, const struct ep_event *e) {
    (void)n;
    (void)now;
    if (!leaving)
        fail("the session with the relay", e->err);
}

static void on_not_connected(struct node *n, uint64_t now, const struct ep_event *e) {
    (void)now;
    (void)e;
    n->asked = false;
}

static void on_reserved(struct node *n, uint64_t now, const struct ep_event *e) {
    (void)now;
    (void)e;
    n->reserved = true;
    n->asked = false;
}

static void on_refused(struct node *n, uint64_t now, const struct ep_event *e) {
    (void)now;
    if (!n->reserved)
        fail(relay_reason_name(e->relay.reason), e->err);
    n->asked = false;
}

static void on_incoming(struct node *n, uint64_t now, const struct ep_event *e) {
    if (relay_answer(n->ep, now, n->relay, e->hop.relay.flow, true) == 0)
        n->flow = e->hop;
}

static void on_opened(struct node *n, uint64_t now, const struct ep_event *e) {
    (void)now;
    n->opened++;
    n->flow = e->hop;
    n->asked = false;
}

static void event(struct node *n, uint64_t now, const struct ep_event *e) {
    static void (*const on[])(struct node *, uint64_t, const struct ep_event *) = {
        [EP_KEY_TOLD] = on_key,
        [EP_SESSION_UP] = on_up,
        [EP_SESSION_DOWN] = on_down,
        [EP_CONNECT_FAILED] = on_not_connected,
        [EP_RELAY_RESERVED] = on_reserved,
        [EP_RELAY_REFUSED] = on_refused,
        [EP_RELAY_INCOMING] = on_incoming,
        [EP_RELAY_OPENED] = on_opened,
    };
    if ((size_t)e->kind >= sizeof on / sizeof *on || !on[e->kind])
        return;
    progress_us = now;
    on[e->kind](n, now, e);
}

static void pump(struct node *n, uint64_t now) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct ep_event e;
    if (endpoint_deadline_us(n->ep) <= now)
        endpoint_timeout(n->ep, now);
    for (unsigned i = 0; i < TRAINS_MAX; i++) {
        struct train t = {.buf = buf};
        while (endpoint_poll(n->ep, &e))
            event(n, now, &e);
        if (!endpoint_output(n->ep, now, &t))
            break;
        for (size_t at = 0; at < t.len; at += t.segment_bytes)
            end_send(n->end, &relay.addr, buf + at,
                     t.len - at < t.segment_bytes ? t.len - at : t.segment_bytes);
    }
}

static void came(void *ctx, uint8_t *buf, size_t len, const struct sockaddr_in *from) {
    struct node *n = ctx;
    if (from->sin_addr.s_addr != relay.addr.sin_addr.s_addr ||
        from->sin_port != relay.addr.sin_port)
        return;
    endpoint_input(n->ep, now_us(), &relay.at, ECN_NOT_ECT, buf, len);
    pump(n, now_us());
}

static void node_open(struct node *n, struct end *end) {
    const struct rng rng = {fresh, NULL};
    *n = (struct node){.end = end};
    identity_generate(&n->identity, &rng);
    const struct endpoint_config cfg = {
        .identity = &n->identity, .rng = rng, .cc = CC_BBR, .wall_us = relay.wall_us};
    n->ep = endpoint_new(&cfg, now_us());
    if (!n->ep)
        fail("an endpoint", ERR_NOMEM);
    end->other = came;
    end->ctx = n;
}

static void node_connect(struct node *n) {
    const struct peer_setup peer = {.id = relay.id,
                                    .transport = relay.transport,
                                    .cert_seq = relay.cert_seq,
                                    .addrs = {relay.at.udp.remote},
                                    .addr_count = 1};
    int err = n->relay.generation ? 0 : endpoint_peer_add(n->ep, &peer, &n->relay);
    if (!err)
        err = endpoint_connect(n->ep, now_us(), n->relay);
    if (err)
        fail("the relay", err);
    n->asked = true;
}

/* What each has to do next. True: nobody has. */
static bool step(void) {
    bool ready = relay.known;
    for (unsigned i = 0; i < node_count && relay.known; i++) {
        struct node *n = &nodes[i];
        if (!n->up && !n->asked)
            node_connect(n);
        else if (n->reserved && !n->asked)
            open_more(n, now_us());
        ready = ready && n->reserved && n->opened >= n->wanted;
        pump(n, now_us());
    }
    return ready;
}

static void receive(struct pair *pairs, unsigned count) {
    struct pollfd p[ENDS_MAX];
    for (unsigned i = 0; i < node_count; i++)
        p[i] = (struct pollfd){.fd = nodes[i].end->fd, .events = POLLIN};
    if (poll(p, node_count, STEP_MS) > 0)
        for (unsigned i = 0; i < count; i++)
            if ((p[2 * i].revents | p[2 * i + 1].revents) & POLLIN)
                pair_receive(&pairs[i], i, 0, NULL, NULL);
}

static bool run(struct pair *pairs, unsigned count, unsigned each) {
    uint64_t nonce;
    for (unsigned i = 0; i < count; i++) {
        node_open(&nodes[2 * i], &pairs[i].a);
        node_open(&nodes[2 * i + 1], &pairs[i].b);
        nodes[2 * i].wanted = each;
    }
    node_count = 2 * count;
    progress_us = now_us();
    if (endpoint_key_ask(nodes[0].ep, now_us(), &relay.at, &nonce))
        fail("asking for the relay's key", ERR_FULL);
    pump(&nodes[0], now_us());
    for (const uint64_t begin = now_us(); now_us() - begin < (uint64_t)JOIN_S * 1000000;) {
        if (step())
            return true;
        if (now_us() - progress_us > (uint64_t)QUIET_S * 1000000)
            return false;
        receive(pairs, count);
        if (!relay.known)
            pump(&nodes[0], now_us());
    }
    return false;
}

static void set_relay(const struct sockaddr_in *at, const char *id) {
    struct addr a = {.kind = ADDR_IPV4, .port = ntohs(at->sin_port)};
    struct timespec t;
    memcpy(a.ip, &at->sin_addr, 4);
    relay.at = hop_udp(&a, 0);
    relay.addr = *at;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    relay.wall_us = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
    if (node_id_parse(&relay.id, id))
        fail("the relay's id", ERR_FORMAT);
}

void mesh_join(struct pair *pairs, unsigned count, const struct sockaddr_in *at, const char *id) {
    set_relay(at, id);
    if (!run(pairs, count, 1)) {
        errno = ETIMEDOUT;
        die("flows through the relay");
    }
    for (unsigned i = 0; i < count; i++) {
        pairs[i].to = *at;
        pairs[i].head_bytes = pairs[i].head_in_bytes = FORWARD_HEADER_BYTES;
        forward_write(pairs[i].head, PACKET_FORWARD, nodes[2 * i].flow.relay.flow);
    }
}

unsigned mesh_flows(struct pair *pairs, unsigned count, const struct sockaddr_in *at,
                    const char *id, unsigned each) {
    unsigned flows = 0;
    set_relay(at, id);
    (void)run(pairs, count, each);
    for (unsigned i = 0; i < node_count; i++)
        flows += nodes[i].opened;
    return flows;
}

void mesh_tend(void) {
    for (unsigned i = 0; i < node_count; i++)
        pump(&nodes[i], now_us());
}

void mesh_leave(void) {
    leaving = true;
    for (unsigned i = 0; i < node_count; i++) {
        struct session_ref s;
        if (endpoint_session(nodes[i].ep, nodes[i].relay, &s))
            endpoint_disconnect(nodes[i].ep, now_us(), s, ERR_CLOSED);
        pump(&nodes[i], now_us());
        endpoint_free(nodes[i].ep);
    }
    node_count = 0;
}
