/* Somebody sees every packet of two nodes and sends what he likes in anybody's name: copies that
 * come before the originals or long after, from their addresses or his, forged RETRYs; but he stops
 * nothing. Then nothing may stop: every call comes through, no session ends, every echo is
 * answered, and nobody else is flooded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_pair.h"
#include "support_rand.h"

enum { MS = 1000, S = 1000 * MS, KEPT = 512, PLACES = 2, MAX_BYTES = 1500 };

struct sniffer {
    struct rand_state r;
    struct {
        uint8_t data[MAX_BYTES];
        size_t len;
        int from;
    } kept[KEPT];
    unsigned count;
    /* Of a thousand packets: copied before they arrive, replayed, RETRYs forged for an
     * INITIATION. */
    unsigned early, replays, retries;
    bool forwards; /* what is sent to his places he passes on */
    uint64_t to[PLACES], from[PLACES];
    uint64_t answered[2]; /* the last echo that each side has got back */
    bool down, failed;
};

static const struct addr place = {.kind = ADDR_IPV4, .port = 0, .ip = {203, 0, 113, 9}};

/* His own places, or the sender's. */
static struct addr some_address(struct pair *p, struct sniffer *n, int from, size_t len) {
    const uint64_t k = rand_below(&n->r, PLACES + 2);
    if (k >= PLACES)
        return p->addr[from];
    struct addr a = place;
    a.port = (uint16_t)k;
    n->from[k] += len;
    return a;
}

static void send(struct pair *p, struct sniffer *n, int to, const uint8_t *data, size_t len,
                 uint64_t delay_us) {
    if (p->in_flight > PAIR_QUEUE / 2)
        return;
    const struct addr from = some_address(p, n, !to, len);
    pair_inject(p, to, &from, data, len);
    p->queue[p->in_flight - 1].at_us = p->now_us + delay_us;
}

static bool chance(struct sniffer *n, unsigned permille) {
    return rand_below(&n->r, 1000) < permille;
}

static void forge_retry(struct pair *p, struct sniffer *n, int from, const uint8_t *initiation) {
    uint8_t retry[RETRY_BYTES] = {PACKET_RETRY}, values[2][COOKIE_BYTES] = {{0}};
    memcpy(retry + 4, initiation + 4, 4);
    const uint64_t kind = rand_below(&n->r, 4); /* 0: refused */
    values[0][0] = kind & 1 ? (uint8_t)(1 + rand_below(&n->r, 255)) : 0;
    values[1][0] = kind & 2 ? (uint8_t)(1 + rand_below(&n->r, 255)) : 0;
    cookie_seal(&p->id[!from].transport_public, retry + 8,
                initiation + INITIATION_BYTES - 2 * MAC_BYTES, values[0], values[1],
                retry + 8 + COOKIE_NONCE_BYTES);
    send(p, n, from, retry, sizeof retry, rand_below(&n->r, 2 * p->delay_us));
}

static bool sniff(struct pair *p, int from, uint8_t *data, size_t len) {
    struct sniffer *n = p->user;
    if (len > MAX_BYTES)
        return true;
    const unsigned at = n->count++ % KEPT;
    memcpy(n->kept[at].data, data, len);
    n->kept[at].len = len;
    n->kept[at].from = from;
    if (chance(n, n->early))
        send(p, n, !from, data, len, rand_below(&n->r, p->delay_us));
    while (chance(n, n->replays)) {
        const unsigned k = (unsigned)rand_below(&n->r, n->count < KEPT ? n->count : KEPT);
        /* Handshakes above all. */
        if (n->kept[k].data[0] == PACKET_DATA && chance(n, 700))
            continue;
        send(p, n, !n->kept[k].from, n->kept[k].data, n->kept[k].len,
             rand_below(&n->r, 3 * p->delay_us));
    }
    while (data[0] == PACKET_INITIATION && chance(n, n->retries))
        forge_retry(p, n, from, data);
    return true;
}

static bool to_his_places(struct pair *p, int from, const struct train *t) {
    struct sniffer *n = p->user;
    if (t->to.udp.remote.ip[0] != place.ip[0])
        return hop_is_to(&t->to, &p->addr[!from]);
    n->to[t->to.udp.remote.port] += t->len;
    for (size_t at = 0; n->forwards && at < t->len; at += t->segment_bytes) {
        const size_t left = t->len - at;
        struct addr a = place;
        a.port = t->to.udp.remote.port;
        pair_inject(p, !from, &a, t->buf + at, left < t->segment_bytes ? left : t->segment_bytes);
        p->queue[p->in_flight - 1].at_us = p->now_us + p->delay_us;
    }
    return false;
}

static void heard(struct pair *p, int side, const struct ep_event *e) {
    struct sniffer *n = p->user;
    if (e->kind == EP_PONG && e->id > n->answered[side])
        n->answered[side] = e->id;
    n->down |= e->kind == EP_SESSION_DOWN;
    n->failed |= e->kind == EP_CONNECT_FAILED;
    if (e->kind != EP_STREAM_READABLE)
        p->event_count[side] = 0;
}

static void nobody_is_flooded(const struct sniffer *n) {
    for (unsigned i = 0; i < PLACES && !n->forwards; i++)
        assert_true(n->to[i] <= 3 * n->from[i]);
}

static void begin(struct pair *p, struct sniffer *n, struct rand_state *r, uint64_t rekey_us) {
    memset(n, 0, sizeof *n);
    n->r = (struct rand_state){rand_u64(r)};
    p->delay_us = 1 * MS + rand_below(r, 60 * MS);
    pair_start(p, rekey_us);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    p->user = n;
    p->tap = sniff;
    p->route = to_his_places;
    p->on_event = heard;
    n->early = (unsigned)rand_below(r, 1001);
    n->replays = (unsigned)rand_below(r, 800);
    n->retries = (unsigned)rand_below(r, 800);
}

/* Until both have a session and each an echo by it. True: within the time. */
static bool meet(struct pair *p, struct sniffer *n, uint64_t id, uint64_t us) {
    const uint64_t end = p->now_us + us;
    for (uint64_t k = id;; k++) {
        for (int i = 0; i < 2; i++) {
            struct session_ref s;
            if (endpoint_session(p->ep[i], p->peer[i], &s) && n->answered[i] < id &&
                session_ping(p->ep[i], p->now_us, s, k)) {
                /* Some wait already. */
            }
        }
        if (n->answered[0] >= id && n->answered[1] >= id)
            return true;
        if (p->now_us >= end)
            return false;
        pair_run(p, 100 * MS, -1, -1);
    }
}

/* One goes on calling whenever there is no session; both may begin. */
static void every_call_comes_through(void **state) {
    (void)state;
    struct rand_state seeds = rand_seeded("calls", 1);
    static struct sniffer n;
    for (int run = 0; run < 60; run++) {
        struct pair *p = pair_new(rand_u64(&seeds));
        begin(p, &n, &seeds, 0);
        const int who = run % 3; /* 2: both */
        uint64_t id = 1;
        for (int again = 0; again < 4; again++, id += 1000) {
            for (int i = 0; i < 2; i++)
                if (who == 2 || who == i)
                    assert_int_equal(endpoint_connect(p->ep[i], p->now_us, p->peer[i]), 0);
            assert_true(meet(p, &n, id, 3 * S));
            assert_false(n.failed);
            nobody_is_flooded(&n);
            /* One of them starts anew; what was recorded before is still there. */
            pair_run(p, rand_below(&seeds, 3 * S), -1, -1);
            const int side = (int)rand_below(&seeds, 2);
            pair_restart(p, side);
            pair_know(p, side, NULL, false);
            struct session_ref s;
            if (endpoint_session(p->ep[!side], p->peer[!side], &s))
                endpoint_disconnect(p->ep[!side], p->now_us, s, 0);
            n.down = false;
        }
        pair_free(p);
    }
}

static void no_session_ends(void **state) {
    (void)state;
    struct rand_state seeds = rand_seeded("sessions", 1);
    static struct sniffer n;
    for (int run = 0; run < 40; run++) {
        struct pair *p = pair_new(rand_u64(&seeds));
        begin(p, &n, &seeds, 500 * MS + rand_below(&seeds, S));
        const unsigned early = n.early;
        n.forwards = run % 2;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        assert_true(meet(p, &n, 1, 3 * S));
        for (uint64_t i = 0; i < 20; i++) {
            n.early = rand_below(&seeds, 2) ? early : 0;
            assert_true(meet(p, &n, 1000 * (i + 2), 3 * S));
            assert_false(n.down);
            nobody_is_flooded(&n);
            pair_run(p, rand_below(&seeds, 2 * S), -1, -1);
        }
        assert_true(endpoint_counters(p->ep[0])->rekeys > 3);
        pair_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_comes_through),
        cmocka_unit_test(no_session_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
