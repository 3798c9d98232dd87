/* Two endpoints with a session: what is sent arrives as it was, once, wherever the peer is by then;
 * and a session that is idle, silent or without its peer costs little and ends in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_pair.h"

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
        struct pair *p = pair_known(seed, 0);
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
    struct pair *p = pair_known(10, 0);
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
    struct pair *p = pair_known(11, 0);
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
    struct pair *p = pair_known(12, 0);
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
    struct pair *p = pair_known(13, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    p->mtu = 1472;
    transfer(p, s[0], 500000, 20000000);
    p->mtu = 1252;
    transfer(p, s[0], 200000, 20000000);
    pair_free(p);
}

/* By the first that is not answered: whatever the round trip, in four of them or in little more
 * than a second. */
static void a_peer_that_restarts_is_noticed(void **state) {
    (void)state;
    static const uint64_t delays_us[] = {100, 20000, 300000, 600000};
    for (unsigned i = 0; i < 4; i++) {
        struct pair *p = pair_known(14, 0);
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

/* What was sent in the silence goes again as soon as the peer is heard, not when the next probe is
 * due. */
static void the_end_of_a_silence_is_the_end_of_waiting(void **state) {
    (void)state;
    struct pair *p = pair_known(17, 0);
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

/* A call that nobody waits for is made in five packets; somebody who comes to wait for it makes it
 * an ordinary one. */
static void a_call_is_calm_until_somebody_waits(void **state) {
    (void)state;
    struct pair *p = pair_known(18, 0);
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
    assert_true(sizeof(struct session) <= 2040); /* what an allocator rounds to 2 KiB */
    assert_true(sizeof(struct session) + sizeof(struct peer) <= 4096);
    struct pair *p = pair_known(15, 0);
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
    struct pair *p = pair_known(16, 0);
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
    struct pair *p = pair_known(17, 0);
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
    struct pair *p = pair_known(18, 0);
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
    struct pair *p = pair_known(19, 0);
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
