#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_pair.h"

static const struct psk secret = {{1, 2, 3}}, other_secret = {{9}};

static struct pair *known(uint64_t seed) {
    struct pair *p = pair_new(seed);
    pair_start(p, 0);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    return p;
}

/* ---- handshake ---- */

static void two_who_know_each_other_get_one_session(void **state) {
    (void)state;
    struct pair *p = known(1);
    struct session_ref s[2];
    pair_connect(p, s);
    struct session_info a, b;
    assert_true(endpoint_session_info(p->ep[0], p->now_us, s[0], &a));
    assert_true(endpoint_session_info(p->ep[1], p->now_us, s[1], &b));
    assert_true(a.session_id == b.session_id && a.initiator && !b.initiator);
    assert_true(node_id_equal(&a.peer, &p->id[1].id) && node_id_equal(&b.peer, &p->id[0].id));
    pair_free(p);
}

static void strangers_and_wrong_secrets_are_refused(void **state) {
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct pair *p = pair_new(2);
        pair_start(p, 0);
        pair_know(p, 0, way == 1 ? NULL : &secret, false);
        if (way > 0) /* 0: not known at all; 1: a secret is missing; 2: another secret */
            pair_know(p, 1, way == 1 ? &secret : &other_secret, false);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        assert_true(pair_run(p, 10000000, 0, EP_CONNECT_FAILED));
        assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, way ? ERR_SECRET : ERR_UNKNOWN);
        assert_int_equal(endpoint_session_count(p->ep[1]), 0);
        assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
        assert_true(endpoint_counters(p->ep[1])->handshake_refused > 0);
        pair_free(p);
    }
}

/* Each session that comes up is told, logged, and perhaps written down: an authentic peer must not bring that about as fast
 * as handshakes go. */
static void who_opens_and_closes_without_end_is_not_answered_each_time(void **state) {
    (void)state;
    enum { MS = 1000, SECONDS = 20, AGAIN_US = 5 * MS };
    struct pair *p = known(4);
    struct session_ref s;
    p->delay_us = MS;
    const uint64_t end_us = p->now_us + (uint64_t)SECONDS * 1000 * MS;
    while (p->now_us < end_us) {
        if (endpoint_session(p->ep[0], p->peer[0], &s))
            endpoint_disconnect(p->ep[0], p->now_us, s, ERR_UNKNOWN);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, AGAIN_US, -1, -1);
        p->event_count[0] = 0;
    }
    assert_in_range(pair_count(p, 1, EP_SESSION_UP), PEER_OPEN_BURST,
                    PEER_OPEN_BURST + (uint64_t)SECONDS * 1000 * MS / PEER_OPEN_US + 1);
    assert_true(endpoint_counters(p->ep[1])->handshakes_limited > 0);
    /* And then it is let in as ever. */
    if (endpoint_session(p->ep[0], p->peer[0], &s))
        endpoint_disconnect(p->ep[0], p->now_us, s, ERR_CLOSED);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 2000 * MS, 0, EP_SESSION_UP));
    pair_free(p);
}

static void nobody_there_is_a_timeout(void **state) {
    (void)state;
    struct pair *p = known(3);
    p->cut = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 10000000, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_TIMEOUT);
    pair_free(p);
}

static void a_ticket_pairs_once(void **state) {
    (void)state;
    struct pair *p = pair_new(4);
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &secret, TIME_NEVER), 0);
    pair_know(p, 0, &secret, true);
    struct session_ref s[2];
    pair_connect(p, s);
    const struct ep_event *a = pair_event(p, 0, EP_PAIRED), *b = pair_event(p, 1, EP_PAIRED);
    assert_non_null(a);
    assert_non_null(b);
    assert_memory_equal(&a->secret, &b->secret, sizeof a->secret);
    assert_memory_not_equal(&a->secret, &secret, sizeof secret);
    assert_memory_equal(&b->ticket, &secret, sizeof secret);
    assert_true(node_id_equal(&b->node, &p->id[0].id));
    /* Used up: somebody else who has it gets nothing. */
    identity_generate(&p->id[0], &p->rng);
    pair_restart(p, 0);
    pair_know(p, 0, &secret, true);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 10000000, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_UNKNOWN);
    assert_true(pair_event(p, 0, EP_CONNECT_FAILED)->by_ticket);
    pair_free(p);
}

static void give_secrets(struct pair *p, int side, const struct psk *first,
                         const struct psk *second) {
    struct peer_setup s = {.id = p->id[!side].id,
                           .transport = p->id[!side].transport_public,
                           .psks = {*first, *second},
                           .psk_count = 2,
                           .pairing = true,
                           .addrs = {p->addr[!side]},
                           .addr_count = 1};
    assert_int_equal(endpoint_peer_add(p->ep[side], &s, &p->peer[side]), 0);
}

static void again(struct pair *p, int from) {
    struct session_ref s;
    assert_true(endpoint_session(p->ep[from], p->peer[from], &s));
    endpoint_disconnect(p->ep[from], p->now_us, s, ERR_CLOSED);
    pair_run(p, 1000000, -1, -1);
    unsigned ups = pair_count(p, !from, EP_SESSION_UP);
    assert_int_equal(endpoint_connect(p->ep[from], p->now_us, p->peer[from]), 0);
    pair_run(p, 10000000, -1, -1);
    assert_int_equal(pair_count(p, !from, EP_SESSION_UP), ups + 1);
}

/* Each may lose what it has not stored yet: the ticket's secret holds until both have the other. */
static void a_pairing_secret_opens_nothing_until_it_is_given_back(void **state) {
    (void)state;
    struct pair *p = pair_new(5);
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &secret, TIME_NEVER), 0);
    pair_know(p, 0, &secret, true);
    struct session_ref s[2];
    pair_connect(p, s);
    p->peer[1] = pair_event(p, 1, EP_PAIRED)->peer;
    again(p, 0); /* neither has given it back: by the ticket once more, bound to this peer */
    assert_int_equal(pair_count(p, 0, EP_PAIRED), 2);
    assert_int_equal(pair_count(p, 1, EP_PAIRED), 2);
    struct psk made = pair_event(p, 0, EP_PAIRED)->secret;
    give_secrets(p, 0, &made, &secret);
    again(p, 0); /* only one has */
    assert_int_equal(pair_count(p, 0, EP_PAIRED), 3);
    assert_int_equal(pair_count(p, 0, EP_TICKET_DONE), 0);
    made = pair_event(p, 0, EP_PAIRED)->secret;
    for (int i = 0; i < 2; i++)
        give_secrets(p, i, &made, &secret);
    again(p, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair_count(p, i, EP_PAIRED), 3);
        assert_int_equal(pair_count(p, i, EP_TICKET_DONE), 1);
    }
    again(p, 1);
    assert_int_equal(pair_count(p, 1, EP_TICKET_DONE), 1);
    pair_free(p);
}

/* The first datagram that a side has to send; others are lost. 0: none. */
static size_t first_out(struct pair *p, int side, uint8_t out[static TRAIN_MAX_BYTES]) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    size_t len = 0;
    while (endpoint_output(p->ep[side], p->now_us, &t)) {
        if (len == 0)
            memcpy(out, t.buf, len = t.len);
    }
    return len;
}

static void hand_over(struct pair *p, int to, uint8_t *msg, size_t len) {
    endpoint_input(p->ep[to], p->now_us, AT(&p->addr[!to]), ECN_NOT_ECT, msg, len);
}

/* Two handshakes cross: one with the pairing secret succeeds at side 0, which has answered one with the
 * ticket's; out of that answer side 1 takes another pairing secret afterwards. */
static void a_ticket_is_not_forgotten_while_an_answer_by_it_is_out(void **state) {
    (void)state;
    static uint8_t by_ticket[TRAIN_MAX_BYTES], by_secret[TRAIN_MAX_BYTES];
    const struct psk made = {{7}};
    struct pair *p = pair_new(6);
    while (memcmp(&p->id[0].transport_public, &p->id[1].transport_public, DH_KEY_BYTES) > 0)
        identity_generate(&p->id[0], &p->rng); /* side 0 yields */
    pair_start(p, 0);
    give_secrets(p, 0, &made, &secret);
    pair_know(p, 1, &secret, true); /* it has the pairing secret, but not safely yet */
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_int_equal(endpoint_connect(p->ep[1], p->now_us, p->peer[1]), 0);
    size_t secret_len = first_out(p, 0, by_secret), ticket_len = first_out(p, 1, by_ticket);
    hand_over(p, 0, by_ticket, ticket_len);
    ticket_len = first_out(p, 0, by_ticket);
    assert_int_equal(ticket_len, RESPONSE_BYTES);
    give_secrets(p, 1, &made, &secret);
    p->now_us += 1500000; /* side 1 insists no longer */
    hand_over(p, 1, by_secret, secret_len);
    secret_len = first_out(p, 1, by_secret);
    assert_int_equal(secret_len, RESPONSE_BYTES);
    hand_over(p, 0, by_secret, secret_len);
    struct session_ref s;
    assert_true(endpoint_session(p->ep[0], p->peer[0], &s)); /* by the pairing secret */
    hand_over(p, 1, by_ticket, ticket_len);
    pair_run(p, 0, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_PAIRED), 1); /* and side 1 has another one now */
    const struct psk other = pair_event(p, 1, EP_PAIRED)->secret;
    assert_int_equal(pair_count(p, 0, EP_TICKET_DONE), 0);
    pair_restart(p, 1);
    give_secrets(p, 1, &other, &secret);
    unsigned ups = pair_count(p, 1, EP_SESSION_UP);
    assert_int_equal(endpoint_connect(p->ep[1], p->now_us, p->peer[1]), 0);
    pair_run(p, 10000000, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_SESSION_UP), ups + 1);
    pair_free(p);
}

static void simultaneous_opens_merge_into_one_session(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct pair *p = known(seed);
        p->loss_permille = seed % 3 == 0 ? 200 : 0;
        p->jitter_us = seed % 2 ? 15000 : 0;
        for (int i = 0; i < 2; i++)
            assert_int_equal(endpoint_connect(p->ep[i], p->now_us, p->peer[i]), 0);
        pair_run(p, 12000000, -1, -1);
        struct session_info info[2];
        for (int i = 0; i < 2; i++) {
            struct session_ref s;
            assert_true(endpoint_session(p->ep[i], p->peer[i], &s));
            assert_int_equal(endpoint_session_count(p->ep[i]), 1);
            assert_int_equal(endpoint_half_open_count(p->ep[i]), 0);
            assert_true(endpoint_session_info(p->ep[i], p->now_us, s, &info[i]));
        }
        assert_true(info[0].session_id == info[1].session_id);
        pair_free(p);
    }
}

static void handshakes_survive_a_bad_network(void **state) {
    (void)state;
    unsigned good = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct pair *p = known(seed);
        p->loss_permille = 200;
        p->dup_permille = 500;
        p->jitter_us = 40000;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        bool a = pair_run(p, 5000000, 0, EP_SESSION_UP);
        good += a && (pair_event(p, 1, EP_SESSION_UP) || pair_run(p, 2000000, 1, EP_SESSION_UP));
        pair_free(p);
    }
    assert_true(good >= 999);
}

struct first { /* the first INITIATION that side 0 sends */
    uint8_t msg[INITIATION_BYTES];
    bool have, swallow;
};

static bool keep_first(struct pair *p, int from, uint8_t *data, size_t len) {
    struct first *f = p->tap_ctx;
    if (from == 0 && len == INITIATION_BYTES && data[0] == PACKET_INITIATION && !f->have) {
        memcpy(f->msg, data, len);
        f->have = true;
    }
    return !(f->swallow && from == 0);
}

static void replayed_initiations_make_no_session(void **state) {
    (void)state;
    struct pair *p = known(5);
    struct first f = {.swallow = true};
    p->tap = keep_first;
    p->tap_ctx = &f;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 100000, -1, -1);
    assert_true(f.have);
    p->cut = true;
    p->sent_bytes[1] = 0;
    for (int i = 0; i < 100000; i++) {
        pair_inject(p, 1, &p->addr[0], f.msg, sizeof f.msg);
        if (i % 100 == 99)
            pair_run(p, 20000, -1, -1);
    }
    assert_int_equal(endpoint_session_count(p->ep[1]), 0);
    assert_true(endpoint_half_open_count(p->ep[1]) <= 1);
    assert_true(p->sent_bytes[1] > 0 && p->sent_bytes[1] <= UINT64_C(100000) * INITIATION_BYTES);
    pair_free(p);
}

static void a_clock_that_went_back_is_challenged_and_let_in(void **state) {
    (void)state;
    struct pair *p = known(6);
    struct session_ref s[2];
    pair_connect(p, s);
    endpoint_disconnect(p->ep[0], p->now_us, s[0], ERR_CLOSED);
    pair_run(p, 1000000, -1, -1);
    pair_restart(p, 0);
    pair_know(p, 0, NULL, false);
    endpoint_set_wall(p->ep[0], p->now_us, UINT64_C(1780000000000000));
    unsigned before = pair_count(p, 0, EP_SESSION_UP);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 2000000, 0, EP_SESSION_UP));
    assert_int_equal(pair_count(p, 0, EP_SESSION_UP), before + 1);
    assert_true(endpoint_counters(p->ep[1])->challenges_sent >= 1);
    pair_free(p);
}

static void under_load_a_cookie_opens_the_door(void **state) {
    (void)state;
    struct pair *p = known(7);
    /* A flood with the right mac1 from another address, from somebody who knows our key. */
    struct addr flooder = {.kind = ADDR_IPV4, .port = 9, .ip = {10, 9, 9, 9}};
    uint8_t junk[INITIATION_BYTES];
    for (int i = 0; i < 2 * HANDSHAKE_LOAD_PER_S; i++) {
        for (size_t k = 0; k < sizeof junk; k++)
            junk[k] = (uint8_t)pair_draw(p);
        memset(junk, 0, 4);
        junk[0] = PACKET_INITIATION;
        cookie_mac1(&p->id[1].transport_public, junk, sizeof junk - 2 * MAC_BYTES,
                    junk + sizeof junk - 2 * MAC_BYTES);
        endpoint_input(p->ep[1], p->now_us, AT(&flooder), ECN_NOT_ECT, junk, sizeof junk);
        static uint8_t out[TRAIN_MAX_BYTES];
        struct train t = {.buf = out};
        while (endpoint_output(p->ep[1], p->now_us, &t))
            assert_true(t.len <= RETRY_BYTES);
    }
    assert_true(endpoint_counters(p->ep[1])->cookies_sent >= HANDSHAKE_LOAD_PER_S);
    struct session_ref s[2];
    p->delay_us = 1000;
    pair_connect(p, s);
    pair_free(p);
}

static void silent_to_whoever_does_not_know_the_key(void **state) {
    (void)state;
    struct pair *p = known(8);
    uint8_t junk[INITIATION_BYTES] = {PACKET_INITIATION};
    for (int i = 0; i < 1000; i++) {
        for (size_t k = 4; k < sizeof junk; k++)
            junk[k] = (uint8_t)pair_draw(p);
        pair_inject(p, 1, &p->addr[0], junk, sizeof junk);
    }
    pair_run(p, 1000000, -1, -1);
    assert_int_equal(p->sent_bytes[1], 0);
    assert_int_equal(endpoint_counters(p->ep[1])->mac_fail, 1000);
    pair_free(p);
}

/* ---- data ---- */

struct copy { /* what side 1 received on any stream */
    uint8_t *got;
    size_t len;
    bool fin;
};

static void collect(struct pair *p, int side, const struct ep_event *e) {
    struct copy *c = p->user;
    if (e->kind != EP_STREAM_READABLE || side != 1)
        return;
    struct span spans[8];
    bool fin;
    unsigned n;
    while ((n = stream_peek(p->ep[1], e->session, e->stream, 0, spans, 8, &fin)) > 0) {
        size_t total = 0;
        for (unsigned i = 0; i < n; i++) {
            memcpy(c->got + c->len, spans[i].block->data + spans[i].offset, spans[i].len);
            c->len += spans[i].len;
            total += spans[i].len;
        }
        stream_consume(p->ep[1], p->now_us, e->session, e->stream, total);
        if (fin)
            break;
    }
    c->fin = c->fin || fin;
}

static uint8_t byte_at(size_t i) {
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

/* Sends `size` bytes from 0 to 1 within `us`. */
static void transfer(struct pair *p, struct session_ref s, size_t size, uint64_t us) {
    struct copy c = {.got = malloc(size + 1)};
    p->user = &c;
    p->on_event = collect;
    uint64_t id, end = p->now_us + us;
    size_t at = 0;
    assert_int_equal(stream_open(p->ep[0], s, &id), 0);
    while (!c.fin && p->now_us < end) {
        uint8_t buf[4096];
        size_t taken = 1;
        while (at < size && taken > 0) {
            size_t n = size - at < sizeof buf ? size - at : sizeof buf;
            for (size_t i = 0; i < n; i++)
                buf[i] = byte_at(at + i);
            int err = stream_write(p->ep[0], s, id, buf, n, &taken);
            assert_true(err == 0 || err == ERR_AGAIN);
            at += taken;
        }
        if (at == size)
            assert_int_equal(stream_finish(p->ep[0], s, id), 0);
        pair_run(p, 5000, -1, -1);
    }
    assert_true(c.fin);
    assert_int_equal(c.len, size);
    for (size_t i = 0; i < size; i++)
        if (c.got[i] != byte_at(i))
            fail_msg("byte %zu differs", i);
    free(c.got);
    p->on_event = NULL;
}

static void bytes_arrive_exactly_over_a_bad_link(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct pair *p = known(seed);
        struct session_ref s[2];
        pair_connect(p, s);
        p->loss_permille = 50;
        p->dup_permille = 50;
        p->corrupt_permille = 10;
        p->jitter_us = 8000;
        transfer(p, s[0], 300000, UINT64_C(120000000));
        pair_free(p);
    }
}

static void a_rekey_loses_no_byte(void **state) {
    (void)state;
    struct pair *p = pair_new(9);
    pair_start(p, 100000); /* every 0.1 s */
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    struct session_ref s[2];
    pair_connect(p, s);
    p->loss_permille = 20;
    transfer(p, s[0], 24000000, UINT64_C(240000000));
    assert_true(endpoint_counters(p->ep[0])->rekeys >= 5);
    assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN) + pair_count(p, 1, EP_SESSION_DOWN), 0);
    pair_free(p);
}

static bool flip_last(struct pair *p, int from, uint8_t *data, size_t len) {
    size_t *at = p->tap_ctx;
    if (from == 0 && data[0] == PACKET_DATA && *at < len)
        data[(*at)++] ^= 0x40;
    return true;
}

static void one_flipped_bit_anywhere_is_never_delivered(void **state) {
    (void)state;
    struct pair *p = known(10);
    struct session_ref s[2];
    pair_connect(p, s);
    size_t at = 0;
    p->tap = flip_last;
    p->tap_ctx = &at;
    /* Each packet that leaves is hit one byte further on; the bytes still arrive, by repetition. */
    transfer(p, s[0], 20000, UINT64_C(6000000000));
    assert_true(at > 20);
    const struct endpoint_counters *c = endpoint_counters(p->ep[1]);
    assert_true(c->auth_fail + c->malformed + c->unknown_index + c->mac_fail + c->replay_dropped >
                0);
    pair_free(p);
}

struct tape {
    uint8_t data[64][2048];
    size_t len[64];
    unsigned count;
};

static bool record(struct pair *p, int from, uint8_t *data, size_t len) {
    struct tape *t = p->tap_ctx;
    if (from == 0 && data[0] == PACKET_DATA && t->count < 64 && len <= sizeof t->data[0]) {
        memcpy(t->data[t->count], data, len);
        t->len[t->count++] = len;
    }
    return true;
}

static void replayed_data_is_dropped_and_moves_no_path(void **state) {
    (void)state;
    struct pair *p = known(11);
    struct session_ref s[2];
    pair_connect(p, s);
    struct tape *t = calloc(1, sizeof *t);
    p->tap = record;
    p->tap_ctx = t;
    transfer(p, s[0], 20000, 10000000);
    struct addr elsewhere = {.kind = ADDR_IPV4, .port = 77, .ip = {10, 6, 6, 6}};
    uint64_t before = endpoint_counters(p->ep[1])->replay_dropped;
    for (unsigned i = 0; i < t->count; i++)
        pair_inject(p, 1, &elsewhere, t->data[i], t->len[i]);
    pair_run(p, 100000, -1, -1);
    assert_int_equal(endpoint_counters(p->ep[1])->replay_dropped, before + t->count);
    assert_int_equal(pair_count(p, 1, EP_ROAMED), 0);
    free(t);
    pair_free(p);
}

static void a_peer_that_moves_is_followed(void **state) {
    (void)state;
    struct pair *p = known(12);
    struct session_ref s[2];
    pair_connect(p, s);
    transfer(p, s[0], 100000, 10000000);
    p->addr[0].port = 4242;
    transfer(p, s[0], 100000, 10000000);
    pair_run(p, 50000, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_ROAMED), 1);
    struct session_info info;
    assert_true(endpoint_session_info(p->ep[1], p->now_us, s[1], &info));
    assert_int_equal(info.path.port, 4242);
    assert_int_equal(pair_count(p, 1, EP_SESSION_DOWN), 0);
    pair_free(p);
}

static void a_black_hole_for_big_packets_is_survived(void **state) {
    (void)state;
    struct pair *p = known(13);
    struct session_ref s[2];
    pair_connect(p, s);
    p->mtu = 1472;
    transfer(p, s[0], 500000, 20000000);
    p->mtu = 1252;
    transfer(p, s[0], 200000, 20000000);
    pair_free(p);
}

/* By the first that is not answered: whatever the round trip, in four of them or in little more than a second. */
static void a_peer_that_restarts_is_noticed(void **state) {
    (void)state;
    static const uint64_t delays_us[] = {100, 20000, 300000, 600000};
    for (unsigned i = 0; i < 4; i++) {
        struct pair *p = known(14);
        struct session_ref s[2];
        uint64_t id;
        size_t taken;
        p->delay_us = delays_us[i];
        pair_connect(p, s);
        pair_run(p, 10 * delays_us[i], -1, -1);
        pair_restart(p, 1);
        pair_know(p, 1, NULL, false);
        assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
        assert_int_equal(stream_write(p->ep[0], s[0], id, "hello", 5, &taken), 0);
        const uint64_t at_us = p->now_us;
        assert_true(pair_run(p, 20000000, 0, EP_SESSION_DOWN));
        const uint64_t rtt_us = 2 * delays_us[i],
                       silent_us = 4 * rtt_us > 1000000 ? 4 * rtt_us : 1000000;
        assert_in_range(p->now_us - at_us, 1000000, silent_us + 2 * rtt_us + 10000);
        pair_run(p, 1000000 + 4 * rtt_us, -1, -1);
        struct session_ref fresh;
        assert_true(endpoint_session(p->ep[0], p->peer[0], &fresh));
        transfer(p, fresh, 1000, 20000000);
        pair_free(p);
    }
}

/* What was sent in the silence goes again as soon as the peer is heard, not when the next probe is due. */
static void the_end_of_a_silence_is_the_end_of_waiting(void **state) {
    (void)state;
    struct pair *p = known(17);
    struct session_ref s[2];
    uint64_t id;
    size_t taken;
    pair_connect(p, s);
    pair_run(p, 100000, -1, -1);
    for (uint64_t over_us = 3000000; over_us < 11000000; over_us += 370000) {
        p->cut = true;
        assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
        assert_int_equal(stream_write(p->ep[0], s[0], id, "hello", 5, &taken), 0);
        pair_run(p, over_us, -1, -1);
        p->cut = false;
        const uint64_t at_us = p->now_us;
        assert_true(pair_run(p, 3000000, 1, EP_STREAM_OPENED));
        assert_in_range(p->now_us - at_us, 0, 800000); /* repetitions are 0.7 s apart */
        pair_run(p, 5000000, -1, -1);
        p->event_count[0] = p->event_count[1] = 0;
    }
    pair_free(p);
}

/* A call that nobody waits for is made in five packets; somebody who comes to wait for it makes it an ordinary one. */
static void a_call_is_calm_until_somebody_waits(void **state) {
    (void)state;
    struct pair *p = known(18);
    const struct endpoint_counters *k = endpoint_counters(p->ep[0]);
    p->cut = true;
    assert_int_equal(endpoint_call(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 20000000, 0, EP_CONNECT_FAILED));
    assert_int_equal(k->handshakes_out, 5);
    assert_int_equal(endpoint_call(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 7000000, -1, -1);
    const uint64_t before = k->handshakes_out, at_us = p->now_us;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 1000, -1, -1);
    assert_int_equal(k->handshakes_out, before + 1);
    p->event_count[0] = 0;
    assert_true(pair_run(p, 20000000, 0, EP_CONNECT_FAILED));
    assert_int_equal(p->now_us - at_us, HANDSHAKE_ATTEMPT_US);
    assert_true(k->handshakes_out >= before + 12);
    pair_free(p);
}

static void an_idle_session_is_small_and_silent(void **state) {
    (void)state;
    assert_true(sizeof(struct session) + sizeof(struct peer) <= 4096);
    struct pair *p = known(15);
    struct session_ref s[2];
    pair_connect(p, s);
    transfer(p, s[0], 1000, 5000000);
    pair_run(p, 15000000, -1, -1);
    uint64_t before = p->sent_bytes[0] + p->sent_bytes[1];
    struct session_info info;
    for (int i = 0; i < 2; i++) {
        assert_true(endpoint_session_info(p->ep[i], p->now_us, s[i], &info));
        /* Side 1 never finished its half of the stream. */
        assert_true(i == 1 || info.bytes_sent > 0);
    }
    pair_run(p, 60000000, -1, -1);
    assert_int_equal(p->sent_bytes[0] + p->sent_bytes[1], before);
    pair_free(p);
}

static void old_keys_do_not_stop_a_ping(void **state) {
    (void)state;
    struct pair *p = known(16);
    struct session_ref s[2];
    pair_connect(p, s);
    pair_run(p, UINT64_C(200000000), -1, -1); /* older than KEYS_REJECT_US */
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 7), 0);
    assert_true(pair_run(p, 2000000, 0, EP_PONG));
    assert_int_equal(pair_event(p, 0, EP_PONG)->id, 7);
    assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN), 0);
    pair_free(p);
}

static void late_datagrams_are_dropped_and_never_repeated(void **state) {
    (void)state;
    struct pair *p = known(17);
    struct session_ref s[2];
    pair_connect(p, s);
    assert_int_equal(session_datagram(p->ep[0], p->now_us, s[0], "late", 4, p->now_us - 1), 0);
    assert_int_equal(session_datagram(p->ep[0], p->now_us, s[0], "good", 4, p->now_us + 50000), 0);
    pair_run(p, 1000000, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_DATAGRAM), 1);
    assert_int_equal(endpoint_counters(p->ep[0])->datagrams_expired, 1);
    p->cut = true;
    assert_int_equal(session_datagram(p->ep[0], p->now_us, s[0], "lost", 4, p->now_us + 50000), 0);
    pair_run(p, 100000, -1, -1);
    p->cut = false;
    pair_run(p, 3000000, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_DATAGRAM), 1);
    pair_free(p);
}

static void many_streams_all_finish(void **state) {
    (void)state;
    struct pair *p = known(18);
    struct session_ref s[2];
    pair_connect(p, s);
    p->loss_permille = 10;
    struct copy c = {.got = malloc(1 << 20)};
    p->user = &c;
    p->on_event = collect;
    for (int i = 0; i < 500; i++) {
        uint64_t id;
        size_t taken;
        assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
        assert_int_equal(stream_write(p->ep[0], s[0], id, "0123456789", 10, &taken), 0);
        assert_int_equal(stream_finish(p->ep[0], s[0], id), 0);
    }
    pair_run(p, 20000000, -1, -1);
    assert_int_equal(c.len, 5000);
    assert_int_equal(pair_count(p, 0, EP_STREAM_FINISHED), 500);
    free(c.got);
    pair_free(p);
}

static void reset_and_stop_reach_the_other_side(void **state) {
    (void)state;
    struct pair *p = known(19);
    struct session_ref s[2];
    uint64_t a, b;
    size_t taken;
    pair_connect(p, s);
    p->loss_permille = 300;
    assert_int_equal(stream_open(p->ep[0], s[0], &a), 0);
    assert_int_equal(stream_open(p->ep[0], s[0], &b), 0);
    assert_int_equal(stream_write(p->ep[0], s[0], a, "x", 1, &taken), 0);
    assert_int_equal(stream_write(p->ep[0], s[0], b, "x", 1, &taken), 0);
    pair_run(p, 3000000, -1, -1);
    assert_int_equal(stream_reset(p->ep[0], s[0], a, ERR_CHANGED), 0);
    assert_true(pair_run(p, 10000000, 1, EP_STREAM_RESET));
    assert_int_equal(pair_event(p, 1, EP_STREAM_RESET)->err, ERR_CHANGED);
    assert_int_equal(stream_stop(p->ep[1], s[1], b, ERR_REFUSED), 0);
    assert_true(pair_run(p, 10000000, 0, EP_STREAM_STOPPED));
    assert_int_equal(pair_event(p, 0, EP_STREAM_STOPPED)->err, ERR_REFUSED);
    assert_int_equal(stream_write(p->ep[0], s[0], b, "y", 1, &taken), ERR_CLOSED);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_who_know_each_other_get_one_session),
        cmocka_unit_test(strangers_and_wrong_secrets_are_refused),
        cmocka_unit_test(who_opens_and_closes_without_end_is_not_answered_each_time),
        cmocka_unit_test(nobody_there_is_a_timeout),
        cmocka_unit_test(a_ticket_pairs_once),
        cmocka_unit_test(a_pairing_secret_opens_nothing_until_it_is_given_back),
        cmocka_unit_test(a_ticket_is_not_forgotten_while_an_answer_by_it_is_out),
        cmocka_unit_test(simultaneous_opens_merge_into_one_session),
        cmocka_unit_test(handshakes_survive_a_bad_network),
        cmocka_unit_test(replayed_initiations_make_no_session),
        cmocka_unit_test(a_clock_that_went_back_is_challenged_and_let_in),
        cmocka_unit_test(under_load_a_cookie_opens_the_door),
        cmocka_unit_test(silent_to_whoever_does_not_know_the_key),
        cmocka_unit_test(bytes_arrive_exactly_over_a_bad_link),
        cmocka_unit_test(a_rekey_loses_no_byte),
        cmocka_unit_test(one_flipped_bit_anywhere_is_never_delivered),
        cmocka_unit_test(replayed_data_is_dropped_and_moves_no_path),
        cmocka_unit_test(a_peer_that_moves_is_followed),
        cmocka_unit_test(a_black_hole_for_big_packets_is_survived),
        cmocka_unit_test(a_peer_that_restarts_is_noticed),
        cmocka_unit_test(the_end_of_a_silence_is_the_end_of_waiting),
        cmocka_unit_test(a_call_is_calm_until_somebody_waits),
        cmocka_unit_test(an_idle_session_is_small_and_silent),
        cmocka_unit_test(old_keys_do_not_stop_a_ping),
        cmocka_unit_test(late_datagrams_are_dropped_and_never_repeated),
        cmocka_unit_test(many_streams_all_finish),
        cmocka_unit_test(reset_and_stop_reach_the_other_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
