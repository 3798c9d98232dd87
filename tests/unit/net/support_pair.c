/* The virtual link and the clock of a pair of endpoints. */
#include "support_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fill(void *ctx, void *buf, size_t len) {
    struct pair *p = ctx;
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)(pair_draw(p) >> 32);
}

uint64_t pair_draw(struct pair *p) {
    p->seed ^= p->seed >> 12;
    p->seed ^= p->seed << 25;
    p->seed ^= p->seed >> 27;
    return p->seed * UINT64_C(2685821657736338717);
}

struct pair *pair_new(uint64_t seed) {
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->seed = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    p->now_us = 1000000;
    p->rng = (struct rng){fill, p};
    p->delay_us = 10000;
    for (int i = 0; i < 2; i++) {
        identity_generate(&p->id[i], &p->rng);
        p->addr[i] =
            (struct addr){.kind = ADDR_IPV4, .port = (uint16_t)(100 + i), .ip = {10, 0, 0, 1}};
    }
    return p;
}

static struct endpoint *make(struct pair *p, int side, uint64_t rekey_us) {
    struct endpoint_config cfg = {.identity = &p->id[side],
                                  .rng = p->rng,
                                  .wall_us = UINT64_C(1790000000000000) + p->now_us,
                                  .rekey_us = rekey_us};
    struct endpoint *e = endpoint_new(&cfg, p->now_us);
    assert_non_null(e);
    return e;
}

void pair_start(struct pair *p, uint64_t rekey_us) {
    for (int i = 0; i < 2; i++)
        p->ep[i] = make(p, i, rekey_us);
}

void pair_restart(struct pair *p, int side) {
    endpoint_free(p->ep[side]);
    p->ep[side] = make(p, side, 0);
}

void pair_know(struct pair *p, int side, const struct psk *psk, bool pairing) {
    struct peer_setup s = {.id = p->id[!side].id,
                           .transport = p->id[!side].transport_public,
                           .addrs = {p->addr[!side]},
                           .addr_count = 1,
                           .pairing = pairing};
    if (psk) {
        s.psks[0] = *psk;
        s.psk_count = 1;
    }
    assert_int_equal(endpoint_peer_add(p->ep[side], &s, &p->peer[side]), 0);
}

void pair_free(struct pair *p) {
    for (unsigned i = 0; i < p->in_flight; i++)
        free(p->queue[i].data);
    for (int i = 0; i < 2; i++)
        endpoint_free(p->ep[i]);
    free(p);
}

static bool chance(struct pair *p, unsigned permille) {
    return permille > 0 && pair_draw(p) % 1000 < permille;
}

static void launch(struct pair *p, int to, const struct addr *from, uint8_t ecn,
                   const uint8_t *data, size_t len, uint64_t delay_us) {
    if (p->in_flight == PAIR_QUEUE)
        return;
    struct flight *f = &p->queue[p->in_flight++];
    *f = (struct flight){.at_us = p->now_us + delay_us,
                         .order = p->order++,
                         .to = to,
                         .from = *from,
                         .len = len,
                         .ecn = ecn};
    f->data = malloc(len + 1);
    if (!f->data)
        abort();
    memcpy(f->data, data, len);
}

void pair_inject(struct pair *p, int to, const struct addr *from, const uint8_t *data, size_t len) {
    launch(p, to, from, ECN_NOT_ECT, data, len, 0);
}

static void datagram(struct pair *p, int from, uint8_t ecn, uint8_t *data, size_t len) {
    p->sent_bytes[from] += len;
    if (p->tap && !p->tap(p, from, data, len))
        return;
    if (p->cut || chance(p, p->loss_permille) || (p->mtu && len > p->mtu))
        return;
    if (p->field)
        ecn = p->field(p, from, ecn);
    if (ecn == PAIR_DROP)
        return;
    unsigned copies = chance(p, p->dup_permille) ? 2 : 1;
    while (copies-- > 0) {
        uint64_t delay = p->delay_us + (p->jitter_us ? pair_draw(p) % p->jitter_us : 0);
        launch(p, !from, &p->addr[from], ecn, data, len, delay);
        if (chance(p, p->corrupt_permille))
            p->queue[p->in_flight - 1].data[pair_draw(p) % len] ^= 1;
    }
}

static void pull(struct pair *p, int side) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct ep_event e;
    while (endpoint_poll(p->ep[side], &e)) {
        if (p->on_event)
            p->on_event(p, side, &e);
        if (e.kind != EP_STREAM_READABLE && e.kind != EP_STREAM_WRITABLE) {
            assert_true(p->event_count[side] < PAIR_EVENTS);
            p->events[side][p->event_count[side]++] = e;
        }
    }
    struct train t = {.buf = buf};
    while (endpoint_output(p->ep[side], p->now_us, &t)) {
        if (p->route && !p->route(p, side, &t))
            continue;
        for (size_t at = 0; at < t.len; at += t.segment_bytes)
            datagram(p, side, t.ecn, t.buf + at,
                     t.len - at < t.segment_bytes ? t.len - at : t.segment_bytes);
    }
}

static int earliest(const struct pair *p) {
    int best = -1;
    for (unsigned i = 0; i < p->in_flight; i++)
        if (best < 0 || p->queue[i].at_us < p->queue[best].at_us ||
            (p->queue[i].at_us == p->queue[best].at_us && p->queue[i].order < p->queue[best].order))
            best = (int)i;
    return best;
}

bool pair_run(struct pair *p, uint64_t us, int side, int kind) {
    uint64_t end = p->now_us + us;
    unsigned seen = side >= 0 ? p->event_count[side] : 0;
    for (;;) {
        pull(p, 0);
        pull(p, 1);
        for (; kind >= 0 && seen < p->event_count[side]; seen++)
            if ((int)p->events[side][seen].kind == kind)
                return true;
        int f = earliest(p);
        uint64_t next = f >= 0 ? p->queue[f].at_us : TIME_NEVER;
        for (int i = 0; i < 2; i++)
            if (endpoint_deadline_us(p->ep[i]) < next)
                next = endpoint_deadline_us(p->ep[i]);
        if (next > end) {
            p->now_us = end;
            return kind < 0;
        }
        if (next > p->now_us)
            p->now_us = next;
        for (int i = 0; i < 2; i++)
            if (endpoint_deadline_us(p->ep[i]) <= p->now_us)
                endpoint_timeout(p->ep[i], p->now_us);
        if (f >= 0 && p->queue[f].at_us <= p->now_us) {
            struct flight x = p->queue[f];
            p->queue[f] = p->queue[--p->in_flight];
            endpoint_input(p->ep[x.to], p->now_us, AT_SOCKET(&x.from, p->local[x.to]), x.ecn,
                           x.data, x.len);
            free(x.data);
        }
    }
}

struct pair *pair_known(uint64_t seed, uint64_t rekey_us) {
    struct pair *p = pair_new(seed);
    pair_start(p, rekey_us);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    return p;
}

const struct ep_event *pair_event(const struct pair *p, int side, int kind) {
    for (unsigned i = p->event_count[side]; i-- > 0;)
        if ((int)p->events[side][i].kind == kind)
            return &p->events[side][i];
    return NULL;
}

unsigned pair_count(const struct pair *p, int side, int kind) {
    unsigned n = 0;
    for (unsigned i = 0; i < p->event_count[side]; i++)
        n += (int)p->events[side][i].kind == kind;
    return n;
}

void pair_connect(struct pair *p, struct session_ref s[2]) {
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 8000000, 0, EP_SESSION_UP));
    if (!pair_event(p, 1, EP_SESSION_UP))
        assert_true(pair_run(p, 8000000, 1, EP_SESSION_UP));
    for (int i = 0; i < 2; i++) {
        const struct ep_event *up = pair_event(p, i, EP_SESSION_UP);
        if (!up)
            abort();
        s[i] = up->session;
    }
}
