/* The hub's clock and wires, and the packets of its contacts. */
#include "support_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fill(void *ctx, void *buf, size_t len) {
    struct hub *h = ctx;
    for (size_t i = 0; i < len; i++) {
        h->seed = h->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        ((uint8_t *)buf)[i] = (uint8_t)(h->seed >> 40);
    }
}

static int number_of(const struct hub *h, const struct addr *a) {
    for (unsigned i = 0; i < h->count; i++)
        if (addr_equal(&h->addr[i], a))
            return (int)i;
    return -1;
}

static int contact_of(const struct hub *h, struct session_ref s) {
    for (unsigned i = 1; i < h->count; i++)
        if (h->at0[i].serial == s.serial && h->at0[i].index == s.index)
            return (int)i;
    return -1;
}

static uint64_t read_all(struct hub *h, unsigned at, struct session_ref s, uint64_t stream) {
    uint64_t bytes = 0;
    struct span v[8];
    bool fin;
    for (unsigned n; (n = stream_peek(h->ep[at], s, stream, 0, v, 8, &fin)) > 0;) {
        size_t sum = 0;
        while (n > 0)
            sum += v[--n].len;
        stream_consume(h->ep[at], h->now_us, s, stream, sum);
        bytes += sum;
    }
    return bytes;
}

static void hear(struct hub *h, unsigned at) {
    struct ep_event e;
    while (endpoint_poll(h->ep[at], &e)) {
        const int i = at == 0 ? contact_of(h, e.session) : 0;
        if (at == 0 && e.kind == EP_SESSION_UP) {
            for (unsigned k = 1; k < h->count; k++)
                if (node_id_equal(&h->id[k].id, &e.node))
                    h->at0[k] = e.session;
        } else if (at > 0 && e.kind == EP_SESSION_UP) {
            h->mine[at] = e.session;
        }
        if (i < 0)
            continue;
        if (at == 0)
            h->told[i][e.kind]++;
        if (e.kind == EP_STREAM_READABLE && at == 0 && !h->slow[i])
            h->read[i] += read_all(h, 0, e.session, e.stream);
        else if (e.kind == EP_STREAM_READABLE && at > 0)
            h->read_at[at] += read_all(h, at, e.session, e.stream);
    }
}

void hub_hear(struct hub *h) {
    hear(h, 0);
}

static bool is_lost(struct hub *h, unsigned contact) {
    uint32_t draw;
    if (!h->lossy[contact])
        return false;
    fill(h, &draw, sizeof draw);
    return draw % 20 == 0;
}

static bool pass(struct hub *h, unsigned at) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    if (!endpoint_output(h->ep[at], h->now_us, &t))
        return false;
    const int to = number_of(h, hop_addr(&t.to));
    for (size_t i = 0; to >= 0 && i < t.len; i += t.segment_bytes) {
        const size_t n = t.len - i < t.segment_bytes ? t.len - i : t.segment_bytes;
        if ((at > 0 || !h->deaf[to]) && !is_lost(h, at > 0 ? at : (unsigned)to))
            endpoint_input(h->ep[to], h->now_us, AT(&h->addr[at]), ECN_NOT_ECT, buf + i, n);
    }
    return true;
}

void hub_run(struct hub *h, uint64_t us) {
    for (const uint64_t end_us = h->now_us + us; h->now_us < end_us; h->now_us += 1000) {
        bool more = true;
        for (unsigned i = 0; i < h->count; i++)
            endpoint_timeout(h->ep[i], h->now_us);
        for (unsigned round = 0; more && round < 1000; round++) {
            more = false;
            for (unsigned i = 0; i < h->count; i++) {
                while (pass(h, i))
                    more = true;
                if (i > 0 || !h->unheard)
                    hear(h, i);
            }
        }
    }
}

static void know(struct hub *h, unsigned at, unsigned whom, struct peer_ref *p) {
    const struct peer_setup s = {.id = h->id[whom].id,
                                 .transport = h->id[whom].transport_public,
                                 .addrs = {h->addr[whom]},
                                 .addr_count = 1};
    assert_int_equal(endpoint_peer_add(h->ep[at], &s, p), 0);
}

struct hub *hub_new(unsigned contacts) {
    struct hub *h = calloc(1, sizeof *h);
    assert_non_null(h);
    *h = (struct hub){.seed = 7, .now_us = 1000000, .count = contacts + 1};
    const struct rng rng = {fill, h};
    for (unsigned i = 0; i < h->count; i++) {
        identity_generate(&h->id[i], &rng);
        h->addr[i] =
            (struct addr){.kind = ADDR_IPV4, .port = (uint16_t)(100 + i), .ip = {10, 0, 0, 1}};
        const struct endpoint_config cfg = {
            .identity = &h->id[i], .rng = rng, .wall_us = UINT64_C(1790000000000000)};
        h->ep[i] = endpoint_new(&cfg, h->now_us);
        assert_non_null(h->ep[i]);
    }
    for (unsigned i = 1; i < h->count; i++) {
        struct peer_ref p;
        know(h, 0, i, &p);
        know(h, i, 0, &p);
        assert_int_equal(endpoint_connect(h->ep[i], h->now_us, p), 0);
        hub_run(h, 2000);
        assert_non_null(hub_session(h, i));
        assert_non_null(endpoint_find(h->ep[i], h->mine[i]));
    }
    return h;
}

void hub_free(struct hub *h) {
    for (unsigned i = 0; i < h->count; i++)
        endpoint_free(h->ep[i]);
    free(h);
}

struct session *hub_session(const struct hub *h, unsigned i) {
    return endpoint_find(h->ep[0], h->at0[i]);
}

void hub_hostile(struct hub *h, unsigned i, const void *frames, size_t len) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct session *s = endpoint_find(h->ep[i], h->mine[i]);
    if (!s) /* it was thrown out and knows */
        return;
    memcpy(buf + DATA_HEADER_BYTES, frames, len);
    const size_t n = session_seal(s, h->ep[i]->aead, s->send_counter++, buf, len);
    endpoint_input(h->ep[0], h->now_us, AT(&h->addr[i]), ECN_NOT_ECT, buf, n);
}

void hub_bytes(struct hub *h, unsigned i, uint64_t stream, uint64_t offset, size_t len) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct wr w = wr_init(buf, sizeof buf);
    frame_write_stream_header(&w, stream, offset, len, false);
    uint8_t *at = wr_room(&w, len);
    assert_non_null(at);
    memset(at, 0x5a, len);
    hub_hostile(h, i, buf, wr_len(&w));
}

void hub_works_for(struct hub *h, unsigned i, size_t len) {
    static const uint8_t data[64 * 1024];
    uint64_t there, back;
    hub_run(h, 100 * 1000); /* what is still under way */
    const uint64_t before = h->read[i], before_at = h->read_at[i];
    assert_int_equal(stream_open(h->ep[i], h->mine[i], &there), 0);
    assert_int_equal(stream_open(h->ep[0], h->at0[i], &back), 0);
    size_t sent = 0, sent_back = 0;
    for (int step = 0; step < 20000; step++) {
        size_t taken = 0;
        const size_t n = len - sent < sizeof data ? len - sent : sizeof data;
        const size_t k = len - sent_back < sizeof data ? len - sent_back : sizeof data;
        if (n > 0 && stream_write(h->ep[i], h->mine[i], there, data, n, &taken) == 0)
            sent += taken;
        if (k > 0 && stream_write(h->ep[0], h->at0[i], back, data, k, &taken) == 0)
            sent_back += taken;
        hub_run(h, 5 * 1000);
        if (h->read[i] - before == len && h->read_at[i] - before_at == len)
            return;
    }
    fail_msg("contact %u: %u of %u read from it, %u by it", i, (unsigned)(h->read[i] - before),
             (unsigned)len, (unsigned)(h->read_at[i] - before_at));
}
