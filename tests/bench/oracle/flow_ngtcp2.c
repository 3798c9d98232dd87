/* flow_ngtcp2.c: the oracle: libngtcp2's client (A) and server (B) with its CUBIC, its pacer, and
 * windows that are never the limit.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/oracle/flow.h"
#include "tests/bench/oracle/null_tls.h"

enum {
    WINDOW_BYTES = 1 << 30,
    CID_BYTES = 8,
    FEED_BYTES = 64 * 1024,
    /* Packets in one go before the pacer is told: as many as our own pacer lets out at once. The
     * library would allow 64 KiB (45 packets), which overflows small queues. */
    BURST_PKTS = 10,
    /* A receiver of this version closes the connection when one stream has 1,000 gaps, which a
     * queue that overflows in slow start reaches; so packets go to several streams in turn. */
    STREAMS = 64,
};

static uint8_t feed_data[FEED_BYTES]; /* never written; ngtcp2_vec has no const */

struct half {
    ngtcp2_conn *conn; /* B's: NULL until A's first packet comes */
    struct sockaddr_in local, remote;
    ngtcp2_path path;
    unsigned burst_pkts;
    bool done;
};

struct ngtcp2 {
    struct flow flow;
    struct draw_stream random;
    struct half half[SIDES];
    bool sending;
    int64_t streams[STREAMS];
    unsigned turn;
    uint64_t delivered_bytes;
};

static _Noreturn void die(const char *what, int err) {
    fprintf(stderr, "oracle: ngtcp2: %s: %s\n", what, ngtcp2_strerror(err));
    abort();
}

static struct ngtcp2 *ngtcp2_of(struct flow *f) {
    return (struct ngtcp2 *)(void *)f;
}

static const struct ngtcp2 *ngtcp2_of_const(const struct flow *f) {
    return (const struct ngtcp2 *)(const void *)f;
}

/* ---- callbacks ---- */

static void random_bytes(uint8_t *dest, size_t len, const ngtcp2_rand_ctx *ctx) {
    draw_stream_fill(ctx->native_handle, dest, len);
}

static int new_connection_id(ngtcp2_conn *c, ngtcp2_cid *cid, uint8_t *token, size_t len,
                             void *user) {
    struct ngtcp2 *n = user;
    (void)c;
    draw_stream_fill(&n->random, cid->data, len);
    cid->datalen = len;
    draw_stream_fill(&n->random, token, NGTCP2_STATELESS_RESET_TOKENLEN);
    return 0;
}

static int path_challenge(ngtcp2_conn *c, uint8_t *data, void *user) {
    struct ngtcp2 *n = user;
    (void)c;
    draw_stream_fill(&n->random, data, NGTCP2_PATH_CHALLENGE_DATALEN);
    return 0;
}

static int handshake_done(ngtcp2_conn *c, void *user) {
    struct ngtcp2 *n = user;
    n->half[ngtcp2_conn_is_server(c) ? SIDE_B : SIDE_A].done = true;
    return 0;
}

static int recv_stream_data(ngtcp2_conn *c, uint32_t flags, int64_t stream, uint64_t offset,
                            const uint8_t *data, size_t len, void *user, void *stream_user) {
    struct ngtcp2 *n = user;
    (void)flags, (void)offset, (void)data, (void)stream_user;
    n->delivered_bytes += len;
    ngtcp2_conn_extend_max_offset(c, len);
    return ngtcp2_conn_extend_max_stream_offset(c, stream, len) ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static ngtcp2_callbacks callbacks(void) {
    ngtcp2_callbacks c = {.rand = random_bytes,
                          .get_new_connection_id = new_connection_id,
                          .get_path_challenge_data = path_challenge,
                          .handshake_completed = handshake_done,
                          .recv_stream_data = recv_stream_data};
    null_tls_callbacks(&c);
    return c;
}

/* ---- connections ---- */

static ngtcp2_settings settings(struct ngtcp2 *n, uint64_t now_ns) {
    ngtcp2_settings s;
    ngtcp2_settings_default(&s);
    s.cc_algo = NGTCP2_CC_ALGO_CUBIC;
    s.initial_ts = now_ns;
    s.rand_ctx.native_handle = &n->random;
    s.max_tx_udp_payload_size = FLOW_UDP_PAYLOAD_BYTES;
    s.no_tx_udp_payload_size_shaping = 1; /* full size from the start */
    s.no_pmtud = 1;
    return s;
}

static ngtcp2_transport_params transport_params(void) {
    ngtcp2_transport_params p;
    ngtcp2_transport_params_default(&p);
    p.initial_max_data = WINDOW_BYTES;
    p.initial_max_stream_data_bidi_local = WINDOW_BYTES;
    p.initial_max_stream_data_bidi_remote = WINDOW_BYTES;
    p.initial_max_stream_data_uni = WINDOW_BYTES;
    p.initial_max_streams_uni = STREAMS;
    p.max_idle_timeout = 0;
    return p;
}

static struct sockaddr_in address(uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port, .sin_addr = {1}};
}

static void half_init(struct half *h, uint16_t local_port, uint16_t remote_port) {
    h->local = address(local_port);
    h->remote = address(remote_port);
    h->path = (ngtcp2_path){
        .local = {(struct sockaddr *)(void *)&h->local, sizeof h->local},
        .remote = {(struct sockaddr *)(void *)&h->remote, sizeof h->remote},
    };
}

static ngtcp2_cid random_cid(struct ngtcp2 *n) {
    uint8_t bytes[CID_BYTES];
    ngtcp2_cid cid;
    draw_stream_fill(&n->random, bytes, sizeof bytes);
    ngtcp2_cid_init(&cid, bytes, sizeof bytes);
    return cid;
}

static struct flow *ng_open(const struct flow_config *cfg, uint64_t now_ns) {
    struct ngtcp2 *n = calloc(1, sizeof *n);
    if (!n)
        abort();
    n->flow.ops = &flow_ngtcp2_ops;
    draw_stream_init(&n->random, cfg->draw, cfg->entity, 0);
    half_init(&n->half[SIDE_A], 1, 2);
    half_init(&n->half[SIDE_B], 2, 1);
    const ngtcp2_callbacks c = callbacks();
    const ngtcp2_settings s = settings(n, now_ns);
    const ngtcp2_transport_params p = transport_params();
    const ngtcp2_cid dcid = random_cid(n), scid = random_cid(n);
    struct half *h = &n->half[SIDE_A];
    const int err = ngtcp2_conn_client_new(&h->conn, &dcid, &scid, &h->path, NGTCP2_PROTO_VER_V1,
                                           &c, &s, &p, NULL, n);
    if (err)
        die("no client", err);
    return &n->flow;
}

static void accept_client(struct ngtcp2 *n, uint64_t now_ns, const uint8_t *data, size_t len) {
    ngtcp2_pkt_hd hd;
    int err = ngtcp2_accept(&hd, data, len);
    if (err)
        die("not a first packet", err);
    const ngtcp2_callbacks c = callbacks();
    const ngtcp2_settings s = settings(n, now_ns);
    ngtcp2_transport_params p = transport_params();
    p.original_dcid = hd.dcid;
    const ngtcp2_cid scid = random_cid(n);
    struct half *h = &n->half[SIDE_B];
    err = ngtcp2_conn_server_new(&h->conn, &hd.scid, &scid, &h->path, hd.version, &c, &s, &p, NULL,
                                 n);
    if (err)
        die("no server", err);
}

static void ng_free(struct flow *f) {
    struct ngtcp2 *n = ngtcp2_of(f);
    for (unsigned i = 0; i < SIDES; i++)
        ngtcp2_conn_del(n->half[i].conn);
    free(n);
}

static bool ng_connected(const struct flow *f) {
    const struct ngtcp2 *n = ngtcp2_of_const(f);
    return n->half[SIDE_A].done && n->half[SIDE_B].done;
}

static void ng_start(struct flow *f, uint64_t now_ns) {
    struct ngtcp2 *n = ngtcp2_of(f);
    (void)now_ns;
    for (unsigned i = 0; i < STREAMS; i++) {
        const int err = ngtcp2_conn_open_uni_stream(n->half[SIDE_A].conn, &n->streams[i], NULL);
        if (err)
            die("no stream", err);
    }
    n->sending = true;
}

static uint64_t ng_delivered_bytes(const struct flow *f) {
    return ngtcp2_of_const(f)->delivered_bytes;
}

static struct flow_state ng_state(const struct flow *f) {
    ngtcp2_conn_stat s;
    ngtcp2_conn_get_conn_stat(ngtcp2_of_const(f)->half[SIDE_A].conn, &s);
    return (struct flow_state){.cwnd_bytes = s.cwnd,
                               .ssthresh_bytes = s.ssthresh,
                               .in_flight_bytes = s.bytes_in_flight,
                               .srtt_us = s.smoothed_rtt / 1000};
}

/* ---- packets and time ---- */

static void ng_input(struct flow *f, enum side to, uint64_t now_ns, uint8_t *data, size_t len) {
    struct ngtcp2 *n = ngtcp2_of(f);
    struct half *h = &n->half[to];
    if (!h->conn)
        accept_client(n, now_ns, data, len);
    const ngtcp2_pkt_info info = {0};
    const int err = ngtcp2_conn_read_pkt(h->conn, &h->path, &info, data, len, now_ns);
    if (err)
        die("cannot read a packet", err);
}

static ngtcp2_ssize write_packet(struct half *h, int64_t stream, uint64_t now_ns, uint8_t *buf) {
    const ngtcp2_vec data = {feed_data, sizeof feed_data};
    ngtcp2_pkt_info info;
    ngtcp2_ssize taken;
    return ngtcp2_conn_writev_stream(h->conn, NULL, &info, buf, FLOW_UDP_PAYLOAD_BYTES, &taken,
                                     NGTCP2_WRITE_STREAM_FLAG_NONE, stream, &data,
                                     stream < 0 ? 0 : 1, now_ns);
}

static bool ng_output(struct flow *f, enum side from, uint64_t now_ns, struct train *t) {
    struct ngtcp2 *n = ngtcp2_of(f);
    struct half *h = &n->half[from];
    if (!h->conn)
        return false;
    ngtcp2_ssize len = 0;
    if (h->burst_pkts < BURST_PKTS) {
        const int64_t stream = n->sending && from == SIDE_A ? n->streams[n->turn++ % STREAMS] : -1;
        len = write_packet(h, stream, now_ns, t->buf);
        if (len == NGTCP2_ERR_STREAM_DATA_BLOCKED)
            len = write_packet(h, -1, now_ns, t->buf);
        if (len < 0)
            die("cannot write a packet", (int)len);
    }
    if (len == 0) {
        h->burst_pkts = 0;
        ngtcp2_conn_update_pkt_tx_time(h->conn, now_ns);
        return false;
    }
    h->burst_pkts++;
    t->len = (size_t)len;
    t->segment_bytes = (uint16_t)len;
    return true;
}

static uint64_t ng_deadline_ns(const struct flow *f, enum side side) {
    ngtcp2_conn *c = ngtcp2_of_const(f)->half[side].conn;
    return c ? ngtcp2_conn_get_expiry(c) : UINT64_MAX;
}

static void ng_timeout(struct flow *f, enum side side, uint64_t now_ns) {
    const int err = ngtcp2_conn_handle_expiry(ngtcp2_of(f)->half[side].conn, now_ns);
    if (err)
        die("timeout", err);
}

const struct flow_ops flow_ngtcp2_ops = {
    .name = "ngtcp2",
    .open = ng_open,
    .free = ng_free,
    .connected = ng_connected,
    .start = ng_start,
    .delivered_bytes = ng_delivered_bytes,
    .state = ng_state,
    .input = ng_input,
    .output = ng_output,
    .deadline_ns = ng_deadline_ns,
    .timeout = ng_timeout,
};
