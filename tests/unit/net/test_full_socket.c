/* One socket takes nothing: what leaves by the others goes on, and nothing of its own is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_rand.h"
#include "support_world.h"

enum { PEERS = 6, SOCKETS = 3 };

/* Side 0 of so many pairs is one endpoint; peer i reaches it by socket i % SOCKETS. */
static struct hub {
    struct identity id[PEERS + 1];
    struct endpoint *ep[PEERS + 1]; /* the last one is the hub */
    struct peer_ref peer[PEERS];    /* as the hub knows them */
    struct session_ref session[PEERS];
    uint64_t now_us, sent[PEERS], got[PEERS], stream[PEERS];
    uint32_t full;
    struct rand_state rnd;
} hub;

static void fill(void *ctx, void *buf, size_t len) {
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)rand_u64(ctx);
}

static struct addr at(unsigned i) {
    return (struct addr){.kind = ADDR_IPV4, .port = (uint16_t)(100 + i), .ip = {10, 0, 0, 1}};
}

static void know(unsigned who, unsigned whom, struct peer_ref *out) {
    const struct peer_setup s = {.id = hub.id[whom].id,
                                 .transport = hub.id[whom].transport_public,
                                 .addrs = {at(whom)},
                                 .addr_count = 1};
    assert_int_equal(endpoint_peer_add(hub.ep[who], &s, out), 0);
}

static void read_all(unsigned i, const struct ep_event *e) {
    struct span v[16];
    bool fin;
    for (unsigned n; (n = stream_peek(hub.ep[i], e->session, e->stream, 0, v, 16, &fin)) > 0;) {
        size_t total = 0;
        for (unsigned k = 0; k < n; k++)
            total += v[k].len;
        hub.got[i] += total;
        stream_consume(hub.ep[i], hub.now_us, e->session, e->stream, total);
    }
}

static bool pump(unsigned i) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct ep_event e;
    bool any = false;
    for (; endpoint_poll(hub.ep[i], &e); any = true) {
        if (i == PEERS && e.kind == EP_SESSION_UP)
            for (unsigned k = 0; k < PEERS; k++)
                if (e.peer.index == hub.peer[k].index)
                    hub.session[k] = e.session;
        if (e.kind == EP_STREAM_READABLE)
            read_all(i, &e);
    }
    struct train t = {.buf = buf, .full = i == PEERS ? hub.full : 0};
    for (; endpoint_output(hub.ep[i], hub.now_us, &t); any = true) {
        const unsigned to = t.to.udp.remote.port - 100u;
        const struct addr here = at(i);
        const struct hop from = hop_udp(&here, to == PEERS ? i % SOCKETS : 0);
        if (i == PEERS) {
            assert_false(train_is_unwanted(&t, &t.to));
            hub.sent[to] += t.len;
        }
        for (size_t p = 0; p < t.len; p += t.segment_bytes)
            endpoint_input(hub.ep[to], hub.now_us, &from, t.ecn, t.buf + p,
                           t.len - p < t.segment_bytes ? t.len - p : t.segment_bytes);
    }
    return any;
}

static void run(uint64_t us) {
    static const uint8_t data[4096];
    const uint64_t end_us = hub.now_us + us;
    for (; hub.now_us < end_us; hub.now_us += MS) {
        for (unsigned i = 0; i < PEERS; i++) {
            size_t taken;
            if (hub.session[i].serial != 0 && hub.stream[i] != UINT64_MAX)
                assert_true(stream_write(hub.ep[PEERS], hub.session[i], hub.stream[i], data,
                                         sizeof data, &taken) <= 0);
        }
        for (unsigned i = 0; i <= PEERS; i++)
            if (endpoint_deadline_us(hub.ep[i]) <= hub.now_us)
                endpoint_timeout(hub.ep[i], hub.now_us);
        for (bool any = true; any;) {
            any = false;
            for (unsigned i = 0; i <= PEERS; i++)
                any |= pump(i);
        }
    }
}

static void a_full_socket_stops_nothing_but_itself(void **state) {
    (void)state;
    hub.rnd = rand_seeded("full socket", 1);
    hub.now_us = 1000 * MS;
    const struct rng rng = {fill, &hub.rnd};
    for (unsigned i = 0; i <= PEERS; i++) {
        identity_generate(&hub.id[i], &rng);
        const struct endpoint_config cfg = {.identity = &hub.id[i],
                                            .rng = rng,
                                            .mtu_max_bytes = 1472,
                                            .wall_us = UINT64_C(1790000000000000)};
        hub.ep[i] = endpoint_new(&cfg, hub.now_us);
        assert_non_null(hub.ep[i]);
    }
    for (unsigned i = 0; i < PEERS; i++) {
        struct peer_ref r;
        know(PEERS, i, &hub.peer[i]);
        know(i, PEERS, &r);
        hub.stream[i] = UINT64_MAX;
        assert_int_equal(endpoint_connect(hub.ep[i], hub.now_us, r), 0);
    }
    run(100 * MS);
    for (unsigned i = 0; i < PEERS; i++)
        assert_int_equal(stream_open(hub.ep[PEERS], hub.session[i], &hub.stream[i]), 0);
    run(200 * MS);
    for (hub.full = 0; hub.full < 1u << SOCKETS; hub.full++) {
        uint64_t sent[PEERS], got[PEERS];
        memcpy(sent, hub.sent, sizeof sent);
        memcpy(got, hub.got, sizeof got);
        for (unsigned i = 0; i < PEERS; i++) /* answers of the session wait, too */
            assert_int_equal(session_ping(hub.ep[PEERS], hub.now_us, hub.session[i], i), 0);
        run(200 * MS);
        for (unsigned i = 0; i < PEERS; i++) {
            const bool full = hub.full >> (i % SOCKETS) & 1;
            assert_true(full ? hub.sent[i] == sent[i] : hub.got[i] > got[i] + 100000);
        }
        const uint32_t was = hub.full;
        hub.full = 0;
        run(300 * MS);
        hub.full = was;
        for (unsigned i = 0; i < PEERS; i++)
            assert_true(hub.got[i] > got[i] + 100000);
    }
    assert_int_equal(endpoint_counters(hub.ep[PEERS])->queue_dropped, 0);
    assert_int_equal(endpoint_session_count(hub.ep[PEERS]), PEERS);
    for (unsigned i = 0; i <= PEERS; i++)
        endpoint_free(hub.ep[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_socket_stops_nothing_but_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
