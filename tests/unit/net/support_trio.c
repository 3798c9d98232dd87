/* The links and the clock of several endpoints. */
#include "support_trio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/relay/relay_limits.h"
#include "support_rand.h"

static void fill(void *ctx, void *buf, size_t len) {
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)(trio_draw(ctx) >> 32);
}

uint64_t trio_draw(struct trio *t) {
    t->seed ^= t->seed >> 12;
    t->seed ^= t->seed << 25;
    t->seed ^= t->seed >> 27;
    return t->seed * UINT64_C(2685821657736338717);
}

static struct endpoint *make(struct trio *t, unsigned i) {
    const struct endpoint_config cfg = {
        .identity = &t->id[i], .rng = t->rng, .wall_us = UINT64_C(1790000000000000) + t->now_us};
    struct endpoint *e = endpoint_new(&cfg, t->now_us);
    assert_non_null(e);
    return e;
}

struct trio *trio_new(const char *name, uint64_t number, unsigned count) {
    struct trio *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->seed = rand_seeded(name, number).x | 1;
    t->now_us = 1000000;
    t->rng = (struct rng){fill, t};
    t->delay_us = 5000;
    t->count = count;
    for (unsigned i = 0; i < count; i++) {
        identity_generate(&t->id[i], &t->rng);
        t->addr[i] = (struct addr){
            .kind = ADDR_IPV4, .port = (uint16_t)(100 + i), .ip = {10, 0, (uint8_t)i, 1}};
        t->ep[i] = make(t, i);
    }
    return t;
}

void trio_free(struct trio *t) {
    for (unsigned i = 0; i < t->in_flight; i++)
        free(t->flights[i].data);
    for (unsigned i = 0; i < t->count; i++)
        endpoint_free(t->ep[i]);
    free(t);
}

void trio_restart(struct trio *t, unsigned i) {
    endpoint_free(t->ep[i]);
    t->ep[i] = make(t, i);
}

void trio_know(struct trio *t, unsigned i, unsigned k, bool with_addr, const struct psk *psk,
               bool ticket, enum path_policy policy) {
    struct peer_setup s = {.id = t->id[k].id,
                           .transport = t->id[k].transport_public,
                           .addrs = {t->addr[k]},
                           .addr_count = with_addr,
                           .pairing = ticket,
                           .path = policy};
    if (psk) {
        s.psks[0] = *psk;
        s.psk_count = 1;
    }
    assert_int_equal(endpoint_peer_add(t->ep[i], &s, &t->peer[i][k]), 0);
}

void trio_serve(struct trio *t, unsigned i) {
    struct relay_limits l = relay_limits_default();
    l.bytes_per_s = 0; /* the link is the limit */
    assert_int_equal(endpoint_relay_serve(t->ep[i], &l, t->now_us), 0);
}

static unsigned node_at(const struct trio *t, const struct addr *a) {
    for (unsigned i = 0; i < t->count; i++)
        if (addr_equal(&t->addr[i], a))
            return i;
    return TRIO_MAX;
}

static void launch(struct trio *t, unsigned to, const struct addr *from, const void *data,
                   size_t len, uint64_t delay_us) {
    assert_true(t->in_flight < TRIO_FLIGHTS);
    struct trio_flight *f = &t->flights[t->in_flight++];
    *f = (struct trio_flight){t->now_us + delay_us, t->order++, to, *from, len, malloc(len + 1)};
    if (!f->data)
        abort();
    memcpy(f->data, data, len);
}

void trio_inject(struct trio *t, unsigned to, const struct addr *from, const void *data,
                 size_t len) {
    launch(t, to, from, data, len, 0);
}

static void datagram(struct trio *t, unsigned from, const struct hop *hop, uint8_t *data,
                     size_t len) {
    assert_int_equal(hop->kind, HOP_UDP);
    if (t->moves_us > 0 && t->now_us >= t->moves_us) {
        t->addr[A].port += 1000;
        t->moves_us = 0;
    }
    const unsigned to = node_at(t, &hop->udp.remote);
    t->sent_bytes[from] += len;
    t->sent_pkts[from]++;
    if ((t->tap && !t->tap(t, from, to, data, len)) || to == TRIO_MAX)
        return;
    if (t->dead[to] || t->cut[from][to] || (t->mtu && len > t->mtu) ||
        (t->loss_permille && trio_draw(t) % 1000 < t->loss_permille))
        return;
    launch(t, to, &t->addr[from], data, len, t->delay_us);
}

static void pull(struct trio *t, unsigned i) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct ep_event e;
    if (t->dead[i])
        return;
    while (endpoint_poll(t->ep[i], &e)) {
        if (e.kind == EP_STREAM_READABLE || e.kind == EP_STREAM_WRITABLE)
            continue;
        assert_true(t->event_count[i] < TRIO_EVENTS);
        t->events[i][t->event_count[i]++] = e;
    }
    struct train train = {.buf = buf, .full = t->full[i]};
    while (endpoint_output(t->ep[i], t->now_us, &train)) {
        assert_false(train_is_unwanted(&train, &train.to));
        for (size_t at = 0; at < train.len; at += train.segment_bytes) {
            const size_t left = train.len - at;
            datagram(t, i, &train.to, buf + at,
                     left < train.segment_bytes ? left : train.segment_bytes);
        }
    }
}

static int earliest(const struct trio *t) {
    int best = -1;
    for (unsigned i = 0; i < t->in_flight; i++) {
        const struct trio_flight *f = &t->flights[i], *b = best < 0 ? NULL : &t->flights[best];
        if (!b || f->at_us < b->at_us || (f->at_us == b->at_us && f->order < b->order))
            best = (int)i;
    }
    return best;
}

static void arrive(struct trio *t, int which) {
    const struct trio_flight f = t->flights[which];
    t->flights[which] = t->flights[--t->in_flight];
    if (!t->dead[f.to])
        endpoint_input(t->ep[f.to], t->now_us, AT(&f.from), ECN_NOT_ECT, f.data, f.len);
    free(f.data);
    pull(t, f.to);
}

bool trio_run(struct trio *t, uint64_t us, unsigned node, int kind) {
    const uint64_t end = t->now_us + us;
    unsigned seen = kind >= 0 ? t->event_count[node] : 0;
    for (;;) {
        for (unsigned i = 0; i < t->count; i++)
            pull(t, i);
        for (; kind >= 0 && seen < t->event_count[node]; seen++)
            if ((int)t->events[node][seen].kind == kind)
                return true;
        const int f = earliest(t);
        uint64_t next = f >= 0 ? t->flights[f].at_us : TIME_NEVER;
        for (unsigned i = 0; i < t->count; i++)
            if (!t->dead[i] && endpoint_deadline_us(t->ep[i]) < next)
                next = endpoint_deadline_us(t->ep[i]);
        if (next > end) {
            t->now_us = end;
            return kind < 0;
        }
        if (next > t->now_us)
            t->now_us = next;
        for (unsigned i = 0; i < t->count; i++)
            if (!t->dead[i] && endpoint_deadline_us(t->ep[i]) <= t->now_us)
                endpoint_timeout(t->ep[i], t->now_us);
        for (int k = f; k >= 0 && t->flights[k].at_us <= t->now_us; k = earliest(t))
            arrive(t, k);
    }
}

const struct ep_event *trio_event(const struct trio *t, unsigned node, int kind) {
    for (unsigned i = t->event_count[node]; i-- > 0;)
        if ((int)t->events[node][i].kind == kind)
            return &t->events[node][i];
    return NULL;
}

struct ep_event trio_told(const struct trio *t, unsigned node, int kind) {
    const struct ep_event *e = trio_event(t, node, kind);
    if (!e)
        abort();
    return *e;
}

unsigned trio_count(const struct trio *t, unsigned node, int kind) {
    unsigned n = 0;
    for (unsigned i = t->event_count[node]; i-- > 0;)
        n += (int)t->events[node][i].kind == kind;
    return n;
}

bool trio_has_session(const struct trio *t, unsigned i, unsigned k) {
    struct session_ref s;
    return endpoint_session(t->ep[i], t->peer[i][k], &s);
}

struct session *trio_session(const struct trio *t, unsigned i, unsigned k) {
    struct session_ref r;
    assert_true(endpoint_session(t->ep[i], t->peer[i][k], &r));
    return endpoint_find(t->ep[i], r);
}

void trio_connect(struct trio *t, unsigned i, unsigned k) {
    assert_int_equal(endpoint_connect(t->ep[i], t->now_us, t->peer[i][k]), 0);
    for (unsigned n = 0; n < 90 && !trio_has_session(t, i, k); n++)
        trio_run(t, 100 * 1000, 0, -1);
    assert_true(trio_has_session(t, i, k));
    trio_run(t, 200 * 1000, 0, -1);
}

void trio_use_relay(struct trio *t, unsigned i, unsigned r) {
    trio_know(t, i, r, true, NULL, false, PATH_AUTO);
    trio_connect(t, i, r);
    assert_int_equal(endpoint_keepalive(t->ep[i], t->now_us, t->peer[i][r], 25 * 1000000), 0);
    assert_int_equal(relay_reserve(t->ep[i], t->now_us, t->peer[i][r]), 0);
    assert_true(trio_run(t, 5 * 1000000, i, EP_RELAY_RESERVED));
    assert_true(trio_told(t, i, EP_RELAY_RESERVED).relay.lifetime_s > 0);
}

void trio_flow(struct trio *t, unsigned i, unsigned r, unsigned k) {
    uint32_t request;
    assert_int_equal(relay_open(t->ep[i], t->now_us, t->peer[i][r], &t->id[k].id, &request), 0);
    assert_true(trio_run(t, 8 * 1000000, k, EP_RELAY_INCOMING));
    const struct ep_event in = trio_told(t, k, EP_RELAY_INCOMING);
    assert_true(node_id_equal(&in.node, &t->id[i].id));
    assert_int_equal(relay_answer(t->ep[k], t->now_us, t->peer[k][r], in.hop.relay.flow, true), 0);
    const struct peer *p = peers_by_id(&t->ep[k]->peers, &t->id[i].id);
    if (p) {
        t->peer[k][i] = peer_ref_of(p);
        assert_int_equal(endpoint_peer_place_add(t->ep[k], t->now_us, t->peer[k][i], &in.hop), 0);
    }
    assert_true(trio_run(t, 8 * 1000000, i, EP_RELAY_OPENED));
    const struct ep_event out = trio_told(t, i, EP_RELAY_OPENED);
    assert_true(node_id_equal(&out.node, &t->id[k].id));
    assert_int_equal(out.relay.request, request);
    assert_int_equal(endpoint_peer_place_add(t->ep[i], t->now_us, t->peer[i][k], &out.hop), 0);
}

/* ---- a transfer ---- */

static uint8_t byte_at(uint64_t at) {
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static size_t write_some(struct trio *t, unsigned i, struct session_ref s, uint64_t stream,
                         uint64_t from, size_t bytes) {
    static uint8_t buf[64 * 1024];
    const size_t n = bytes - from < sizeof buf ? (size_t)(bytes - from) : sizeof buf;
    size_t taken = 0;
    for (size_t k = 0; k < n; k++)
        buf[k] = byte_at(from + k);
    if (n > 0)
        (void)!stream_write(t->ep[i], s, stream, buf, n, &taken);
    return taken;
}

static size_t read_some(struct trio *t, unsigned k, struct session_ref s, uint64_t stream,
                        uint64_t from) {
    struct span v[16];
    bool fin;
    size_t sum = 0;
    const unsigned n = stream_peek(t->ep[k], s, stream, 0, v, 16, &fin);
    for (unsigned x = 0; x < n; x++)
        for (uint32_t at = 0; at < v[x].len; at++, sum++)
            assert_int_equal(v[x].block->data[v[x].offset + at], byte_at(from + sum));
    if (sum > 0)
        stream_consume(t->ep[k], t->now_us, s, stream, sum);
    return sum;
}

void trio_behind_relay(struct trio *t) {
    t->cut[A][B] = t->cut[B][A] = true;
    trio_serve(t, R);
    trio_use_relay(t, A, R);
    trio_use_relay(t, B, R);
}

void trio_talk_by_relay(struct trio *t) {
    trio_behind_relay(t);
    trio_know(t, A, B, true, NULL, false, PATH_AUTO);
    trio_know(t, B, A, true, NULL, false, PATH_AUTO);
    trio_flow(t, A, R, B);
    trio_connect(t, A, B);
}

void trio_transfer(struct trio *t, unsigned i, unsigned k, size_t bytes, uint64_t us) {
    struct session_ref from, to;
    uint64_t stream, sent = 0, got = 0;
    const uint64_t end = t->now_us + us;
    assert_true(endpoint_session(t->ep[i], t->peer[i][k], &from));
    assert_true(endpoint_session(t->ep[k], t->peer[k][i], &to));
    assert_int_equal(stream_open(t->ep[i], from, &stream), 0);
    while (got < bytes) {
        if (t->now_us >= end)
            fail_msg("%u of %u bytes came", (unsigned)got, (unsigned)bytes);
        sent += write_some(t, i, from, stream, sent, bytes);
        trio_run(t, 1000, 0, -1);
        for (size_t n; (n = read_some(t, k, to, stream, got)) > 0;)
            got += n;
    }
    assert_int_equal(stream_finish(t->ep[i], from, stream), 0);
    trio_run(t, 100 * 1000, 0, -1);
}
