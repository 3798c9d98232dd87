/* Rekeys over a path that loses, crosses, forges or moves them: no session ends by it while its
 * keys live, and nobody but the peer moves a path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_outage.h"

enum { BLOCK = 300 };

static const struct addr first_addr = {.kind = ADDR_IPV4, .port = 101, .ip = {10, 0, 0, 1}};
static const struct addr second_addr = {.kind = ADDR_IPV4, .port = 201, .ip = {10, 0, 0, 2}};

/* Both ask each other for new keys after the same silence: one of the two handshakes must come
 * through. */
static void rekeys_that_cross_late_end_in_new_keys(void **state) {
    (void)state;
    for (uint64_t over_us = 2500 * MS; over_us < 4000 * MS; over_us += 110 * MS) {
        struct pair *p = pair_known(71, 0);
        struct run r = {0};
        struct session_ref s[2];
        size_t taken;
        p->user = &r;
        p->on_event = read_all;
        pair_connect(p, s);
        pair_run(p, S, -1, -1);
        p->cut = true;
        for (int i = 0; i < 2; i++) {
            uint64_t id;
            assert_int_equal(stream_open(p->ep[i], s[i], &id), 0);
            assert_int_equal(stream_write(p->ep[i], s[i], id, "x", 1, &taken), 0);
        }
        pair_run(p, over_us, -1, -1);
        p->cut = false;
        pair_run(p, 1500 * MS, -1, -1);
        struct session_info info[2];
        for (int i = 0; i < 2; i++) {
            assert_true(endpoint_session_info(p->ep[i], p->now_us, s[i], &info[i]));
            assert_int_equal(info[i].key_epoch, 1);
        }
        pair_free(p);
    }
}

static bool no_data(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)p;
    (void)len;
    return !(from == 0 && data[0] == PACKET_DATA);
}

/* All proofs of a rekey are lost, and then nobody says anything for a while: whoever answered knows
 * the old keys only. */
static void a_proof_that_was_lost_is_given_again(void **state) {
    (void)state;
    for (int way = 0; way < 2;
         way++) { /* while the old keys may send; when they may not any more */
        struct pair *p = pair_known(71, 119 * S); /* the other side's turn comes 30 s later */
        struct run r = {0};
        struct session_ref s[2];
        uint64_t id;
        size_t taken;
        p->user = &r;
        p->on_event = read_all;
        pair_connect(p, s);
        pair_run(p, UINT64_C(120) * S, -1, -1);
        p->tap = no_data;
        assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
        assert_int_equal(session_datagram(p->ep[0], p->now_us, s[0], "x", 1, TIME_NEVER), 0);
        pair_run(p, 4 * S, -1, -1);
        struct session *x = endpoint_find(p->ep[0], s[0]);
        assert_true(x && x->keys.current.epoch == 1 && !x->keys.shown);
        transport_free(x->tp); /* nothing of its own is to be sent again */
        x->tp = NULL;
        pair_run(p, 14 * S, -1, -1);
        p->tap = NULL;
        pair_run(p, (way ? 50 : 1) * S, -1, -1);
        assert_false(x->keys.shown);
        assert_int_equal(x->confirm_left, 0);
        assert_int_equal(stream_open(p->ep[1], s[1], &id), 0);
        assert_int_equal(stream_write(p->ep[1], s[1], id, "x", 1, &taken), 0);
        pair_run(p, S, -1, -1);
        assert_true(x->keys.shown);
        assert_int_equal(r.got[1], 1);
        assert_int_equal(r.downs, 0);
        pair_free(p);
    }
}

/* ---- RETRYs that nobody asked for ---- */

enum { FORGE_CHALLENGE, FORGE_COOKIE, FORGE_REFUSAL };

struct forger {
    int what;
    unsigned forged, seen;
    uint8_t last[INITIATION_BYTES];
};

/* Sniffs and injects, nearer than the peer; it cannot hold anything back. */
static bool forge(struct pair *p, int from, uint8_t *data, size_t len) {
    struct forger *f = p->tap_ctx;
    if (len != INITIATION_BYTES || data[0] != PACKET_INITIATION)
        return true;
    uint8_t m[RETRY_BYTES] = {PACKET_RETRY}, made[16], none[16] = {0};
    f->seen += memcmp(f->last + 8, data + 8, 32) != 0;
    memcpy(f->last, data, len);
    rng_fill(&p->rng, made, sizeof made);
    memcpy(m + 4, data + 4, 4);
    rng_fill(&p->rng, m + 8, COOKIE_NONCE_BYTES);
    cookie_seal(&p->id[!from].transport_public, m + 8, data + INITIATION_BYTES - 2 * MAC_BYTES,
                f->what == FORGE_COOKIE ? made : none, f->what == FORGE_CHALLENGE ? made : none,
                m + 8 + COOKIE_NONCE_BYTES);
    pair_inject(p, from, &p->addr[!from], m, sizeof m);
    p->queue[p->in_flight - 1].at_us = p->now_us + 2 * MS;
    f->forged++;
    return true;
}

static void forged_retries_end_no_session(void **state) {
    (void)state;
    for (int what = FORGE_CHALLENGE; what <= FORGE_REFUSAL; what++) {
        struct pair *p = pair_known(71, 10 * S);
        struct run r = {0};
        struct forger f = {.what = what};
        struct session_ref s[2];
        uint64_t id;
        size_t taken;
        p->user = &r;
        p->on_event = read_all;
        pair_connect(p, s);
        p->tap = forge;
        p->tap_ctx = &f;
        assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
        for (int i = 0; i < 350; i++) {
            assert_int_equal(stream_write(p->ep[0], s[0], id, "x", 1, &taken), 0);
            pair_run(p, 100 * MS, -1, -1);
        }
        const struct endpoint_counters *c = endpoint_counters(p->ep[0]);
        assert_int_equal(r.downs, 0);
        assert_int_equal(r.got[0], 350);
        assert_true(c->rekeys >= 3 && f.forged >= c->rekeys);
        /* A rekey has time: what is in flight stays, and its answer is taken. */
        assert_true(f.seen == c->rekeys);
        assert_true(f.forged <= c->rekeys * 2 * (1 + HANDSHAKE_REBUILDS));
        pair_free(p);
    }
}

static void forged_retries_stop_no_first_contact(void **state) {
    (void)state;
    for (int what = FORGE_CHALLENGE; what <= FORGE_REFUSAL; what++) {
        struct pair *p = pair_known(71, 0);
        struct forger f = {.what = what};
        p->tap = forge;
        p->tap_ctx = &f;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        assert_true(pair_run(p, 2 * S, 0, EP_SESSION_UP));
        assert_true(f.forged > 0);
        pair_free(p);
    }
}

/* The peer refuses, for a while, and the session has good keys. */
static void a_refused_rekey_is_tried_again_but_not_in_a_storm(void **state) {
    (void)state;
    struct pair *p = pair_known(71, 10 * S);
    struct run r = {0};
    const struct psk another = {{9}};
    struct session_ref s[2];
    uint64_t id;
    size_t taken;
    p->user = &r;
    p->on_event = read_all;
    pair_connect(p, s);
    pair_know(p, 1, &another, false);
    assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
    for (int i = 0; i < 600; i++) {
        assert_int_equal(stream_write(p->ep[0], s[0], id, "x", 1, &taken), 0);
        pair_run(p, 100 * MS, -1, -1);
    }
    const struct endpoint_counters *c = endpoint_counters(p->ep[0]);
    assert_true(c->rekeys_failed >= 6 && c->rekeys_failed <= 10);
    assert_int_equal(r.got[0], 600);
    pair_know(p, 1, NULL, false);
    pair_run(p, 10 * S, -1, -1);
    assert_int_equal(stream_write(p->ep[0], s[0], id, "x", 1, &taken), 0);
    pair_run(p, S, -1, -1);
    assert_int_equal(r.downs, 0);
    assert_true(c->rekeys > 0);
    pair_free(p);
}

/* ---- a rekey that the peer does not answer ---- */

static void a_session_lives_while_its_keys_do(void **state) {
    (void)state;
    struct pair *p = pair_known(71, 0);
    struct run r = {0};
    struct session_ref s[2];
    uint64_t id;
    size_t taken;
    p->user = &r;
    p->on_event = read_all;
    pair_connect(p, s);
    p->tap = no_initiation;
    assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
    unsigned written = 0;
    for (int i = 0; i < 179 * 5; i++, written++) {
        assert_int_equal(stream_write(p->ep[0], s[0], id, "x", 1, &taken), 0);
        pair_run(p, 200 * MS, -1, -1);
    }
    assert_int_equal(r.downs, 0);
    assert_int_equal(r.got[0], written);
    /* It kept trying, and not in a storm: 60 s at one in 250 to 700 ms would be 90 at least. */
    uint64_t tries = endpoint_counters(p->ep[0])->handshakes_out;
    assert_true(tries > 20 && tries < 90);
    p->tap = NULL; /* just in time */
    for (int i = 0; i < 20 * 5; i++, written++) {
        assert_int_equal(stream_write(p->ep[0], s[0], id, "x", 1, &taken), 0);
        pair_run(p, 200 * MS, -1, -1);
    }
    assert_int_equal(r.downs, 0);
    assert_int_equal(r.got[0], written);
    assert_true(endpoint_counters(p->ep[0])->rekeys + endpoint_counters(p->ep[1])->rekeys >= 2);
    pair_free(p);
}

/* ---- an answer from another address ---- */

struct two_homes {
    bool first_dead;
    uint64_t got;
};

static void pull_two(struct pair *p, int side, struct two_homes *h) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    struct ep_event e;
    while (endpoint_poll(p->ep[side], &e)) {
        p->events[side][p->event_count[side]++] = e;
        if (e.kind == EP_STREAM_READABLE) {
            struct run r = {0};
            p->user = &r;
            read_all(p, side, &e);
            h->got += r.got[0];
            p->event_count[side]--;
        }
    }
    while (endpoint_output(p->ep[side], p->now_us, &t))
        for (size_t at = 0; at < t.len; at += t.segment_bytes) {
            bool to_first = hop_is_to(&t.to, &first_addr);
            if (side == 0 && !(to_first && !h->first_dead) && !hop_is_to(&t.to, &second_addr))
                continue;
            size_t n = t.len - at < t.segment_bytes ? t.len - at : t.segment_bytes;
            const struct addr *from = side == 0       ? &p->addr[0]
                                      : h->first_dead ? &second_addr
                                                      : &first_addr;
            pair_inject(p, !side, from, t.buf + at, n);
            p->queue[p->in_flight - 1].at_us = p->now_us + 10 * MS;
        }
}

/* As pair_run; side 1 is reached at two addresses, of which the first may be dead. */
static void run_two(struct pair *p, struct two_homes *h, uint64_t us) {
    for (uint64_t end = p->now_us + us; p->now_us < end; p->now_us += MS) {
        for (int i = 0; i < 2; i++)
            if (endpoint_deadline_us(p->ep[i]) <= p->now_us)
                endpoint_timeout(p->ep[i], p->now_us);
        for (unsigned i = 0; i < p->in_flight;) {
            if (p->queue[i].at_us > p->now_us) {
                i++;
                continue;
            }
            struct flight x = p->queue[i];
            memmove(&p->queue[i], &p->queue[i + 1], (--p->in_flight - i) * sizeof p->queue[0]);
            endpoint_input(p->ep[x.to], p->now_us, AT(&x.from), x.ecn, x.data, x.len);
            free(x.data);
        }
        pull_two(p, 0, h);
        pull_two(p, 1, h);
    }
}

static void the_address_that_answers_a_rekey_becomes_the_path(void **state) {
    (void)state;
    struct pair *p = pair_new(72);
    struct two_homes h = {0};
    p->addr[0] = (struct addr){.kind = ADDR_IPV4, .port = 100, .ip = {10, 0, 0, 9}};
    pair_start(p, 0);
    pair_know(p, 1, NULL, false);
    struct peer_setup setup = {.id = p->id[1].id,
                               .transport = p->id[1].transport_public,
                               .addrs = {first_addr, second_addr},
                               .addr_count = 2};
    assert_int_equal(endpoint_peer_add(p->ep[0], &setup, &p->peer[0]), 0);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    run_two(p, &h, S);
    struct session_ref s;
    assert_true(endpoint_session(p->ep[0], p->peer[0], &s));
    struct session_info info;
    assert_true(endpoint_session_info(p->ep[0], p->now_us, s, &info));
    assert_true(addr_equal(&info.path, &first_addr));
    uint64_t id;
    size_t taken;
    assert_int_equal(stream_open(p->ep[0], s, &id), 0);
    h.first_dead = true;
    for (int i = 0; i < 150; i++) {
        assert_int_equal(stream_write(p->ep[0], s, id, "0123456789", 10, &taken), 0);
        run_two(p, &h, 200 * MS);
    }
    assert_int_equal(h.got, 1500);
    assert_true(endpoint_session_info(p->ep[0], p->now_us, s, &info));
    assert_true(addr_equal(&info.path, &second_addr));
    assert_true(pair_count(p, 0, EP_ROAMED) > 0);
    pair_free(p);
}

/* Somebody sees an answer and sends it first, in the name of a third. */
static bool steal_answer(struct pair *p, int from, uint8_t *data, size_t len) {
    if (from == 1 && len == RESPONSE_BYTES && data[0] == PACKET_RESPONSE)
        pair_inject(p, 0, &second_addr, data, len);
    return true;
}

static void an_answer_in_the_name_of_a_third_moves_no_path(void **state) {
    (void)state;
    struct pair *p = pair_known(71, 10 * S);
    struct run r = {0};
    struct session_ref s[2];
    struct session_info info;
    p->user = &r;
    p->on_event = read_all;
    pair_connect(p, s);
    p->tap = steal_answer;
    pair_run(p, 11 * S, -1, -1);
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
    pair_run(p, S, -1, -1);
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
    pair_run(p, S, -1, -1);
    assert_true(endpoint_counters(p->ep[0])->rekeys > 0);
    assert_true(endpoint_session_info(p->ep[0], p->now_us, s[0], &info));
    assert_true(addr_equal(&info.path, &p->addr[1]));
    assert_int_equal(pair_count(p, 0, EP_ROAMED), 0);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rekeys_that_cross_late_end_in_new_keys),
        cmocka_unit_test(a_proof_that_was_lost_is_given_again),
        cmocka_unit_test(forged_retries_end_no_session),
        cmocka_unit_test(forged_retries_stop_no_first_contact),
        cmocka_unit_test(a_refused_rekey_is_tried_again_but_not_in_a_storm),
        cmocka_unit_test(a_session_lives_while_its_keys_do),
        cmocka_unit_test(the_address_that_answers_a_rekey_becomes_the_path),
        cmocka_unit_test(an_answer_in_the_name_of_a_third_moves_no_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
