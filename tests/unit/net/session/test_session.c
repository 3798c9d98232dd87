/* A session's life: what it believes of a packet, its path, its keys and their renewal, its
 * counters, and how it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_pair.h"
#include "support_rand.h"

enum { MS = 1000 };

static const struct addr elsewhere = {.kind = ADDR_IPV4, .port = 77, .ip = {10, 6, 6, 6}};

static struct session *inner(const struct pair *p, int side, const struct session_ref s[2]) {
    struct session *x = endpoint_find(p->ep[side], s[side]);
    assert_non_null(x);
    return x;
}

static unsigned readable;

static void count_readable(struct pair *p, int side, const struct ep_event *e) {
    (void)p;
    readable += side == 1 && e->kind == EP_STREAM_READABLE;
}

static size_t drop_from; /* datagrams of side 0 at least so long are lost */

static bool lose_long(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)p;
    (void)data;
    return from != 0 || len < drop_from;
}

/* The peer's FIN has come, and what lies before it or nothing is missing: it hears that nobody
 * reads. */
static void a_stop_is_sent_whether_or_not_the_fin_has_come(void **state) {
    (void)state;
    static const uint8_t data[900];
    for (int all = 0; all < 2; all++) {
        struct pair *p = pair_known(rand_seeded("stop after fin", 3).x, 0);
        struct session_ref s[2];
        uint64_t id;
        size_t taken;
        pair_connect(p, s);
        p->tap = lose_long;
        drop_from = all ? 2000 : 500;
        assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
        assert_int_equal(stream_write(p->ep[0], s[0], id, data, sizeof data, &taken), 0);
        pair_run(p, 0, -1, -1);
        assert_int_equal(stream_finish(p->ep[0], s[0], id), 0);
        pair_run(p, 11 * MS, -1, -1);
        struct stream *st = transport_stream(inner(p, 1, s)->tp, id);
        assert_non_null(st);
        assert_true(st->in.has_final);
        assert_int_equal(stream_stop(p->ep[1], s[1], id, ERR_UNSUPPORTED), 0);
        assert_true(st->want_stop && !st->stop_sent);
        if (!all) {
            assert_true(pair_run(p, 11 * MS, 0, EP_STREAM_STOPPED));
            assert_int_equal(pair_event(p, 0, EP_STREAM_STOPPED)->err, ERR_UNSUPPORTED);
        }
        pair_free(p);
    }
}

/* An acknowledgement of what was never sent is a lie, whether or not anything is under way (RFC
 * 9000 §13.1). */
static void an_acknowledgement_of_the_future_needs_no_transport_to_be_a_lie(void **state) {
    (void)state;
    for (int future = 0; future < 2; future++) {
        struct pair *p = pair_known(rand_seeded("future", 4).x, 0);
        struct session_ref s[2];
        pair_connect(p, s);
        pair_run(p, 5000 * MS, -1, -1);
        struct session *from = inner(p, 0, s), *to = inner(p, 1, s);
        assert_null(to->tp);
        const uint64_t named = to->send_counter - !future;
        uint8_t frames[16];
        struct wr w = wr_init(frames, sizeof frames);
        wr_u8(&w, FRAME_ACK);
        wr_varint(&w, named);
        for (int i = 0; i < 3; i++)
            wr_varint(&w, 0);
        endpoint_send_frames(p->ep[0], from, p->now_us, frames, wr_len(&w));
        assert_int_equal(pair_run(p, 100 * MS, 1, EP_SESSION_DOWN), future);
        if (future)
            assert_int_equal(pair_event(p, 1, EP_SESSION_DOWN)->err, ERR_PROTO);
        else
            assert_null(inner(p, 1, s)->tp);
        pair_free(p);
    }
}

/* ---- what moves a path, and what is believed ---- */

struct catch {
    uint8_t data[2048];
    size_t len;
};

static bool catch_data(struct pair *p, int from, uint8_t *data, size_t len) {
    struct catch *c = p->tap_ctx;
    if (from == 0 && data[0] == PACKET_DATA && len <= sizeof c->data) {
        memcpy(c->data, data, len);
        c->len = len;
    }
    return false;
}

static void hello(struct pair *p, struct session_ref s) {
    uint64_t id;
    size_t taken;
    assert_int_equal(stream_open(p->ep[0], s, &id), 0);
    assert_int_equal(stream_write(p->ep[0], s, id, "hello, hello", 12, &taken), 0);
    pair_run(p, 1 * MS, -1, -1);
}

static void a_packet_with_any_byte_changed_is_nothing(void **state) {
    (void)state;
    struct rand_state r = rand_seeded("flip", 6);
    struct pair *p = pair_known(rand_u64(&r), 0);
    struct session_ref s[2];
    struct catch c = {.len = 0};
    pair_connect(p, s);
    pair_run(p, 1000 * MS, -1, -1);
    readable = 0;
    p->on_event = count_readable;
    p->tap = catch_data;
    p->tap_ctx = &c;
    hello(p, s[0]);
    assert_true(c.len > 0);
    uint64_t got = inner(p, 1, s)->pkts_received;
    for (size_t i = 0; i < c.len; i++) {
        uint8_t bad[2048];
        memcpy(bad, c.data, c.len);
        bad[i] ^= (uint8_t)(1 << rand_below(&r, 8));
        pair_inject(p, 1, &elsewhere, bad, c.len);
    }
    for (size_t cut = 0; cut < c.len; cut++)
        pair_inject(p, 1, &elsewhere, c.data, cut);
    pair_run(p, 1 * MS, -1, -1);
    assert_int_equal(inner(p, 1, s)->pkts_received, got);
    assert_int_equal(readable, 0);
    assert_int_equal(pair_count(p, 1, EP_ROAMED), 0);
    assert_int_equal(endpoint_session_count(p->ep[1]), 1);
    /* The true one counts, from wherever it comes, and once; the path stays, since nobody answers
     * from there. */
    pair_inject(p, 1, &elsewhere, c.data, c.len);
    pair_run(p, 1 * MS, -1, -1);
    assert_int_equal(readable, 1);
    uint64_t replayed = endpoint_counters(p->ep[1])->replay_dropped;
    pair_inject(p, 1, &p->addr[0], c.data, c.len);
    pair_run(p, 1 * MS, -1, -1);
    assert_int_equal(endpoint_counters(p->ep[1])->replay_dropped, replayed + 1);
    pair_run(p, 10000 * MS, -1, -1);
    assert_true(endpoint_counters(p->ep[1])->paths_challenged > 0);
    assert_int_equal(pair_count(p, 1, EP_ROAMED), 0);
    assert_true(hop_is_to(session_hop(inner(p, 1, s)), &p->addr[0]));
    pair_free(p);
}

static void a_late_packet_from_the_old_place_does_not_move_the_path_back(void **state) {
    (void)state;
    struct pair *p = pair_known(rand_seeded("late", 7).x, 0);
    struct session_ref s[2];
    struct catch old = {.len = 0};
    pair_connect(p, s);
    pair_run(p, 1000 * MS, -1, -1);
    readable = 0;
    p->on_event = count_readable;
    p->tap = catch_data;
    p->tap_ctx = &old;
    hello(p, s[0]); /* held back */
    assert_true(old.len > 0);
    struct addr place = p->addr[0];
    p->tap = NULL;
    p->addr[0] = elsewhere;
    hello(p, s[0]);
    pair_run(p, 100 * MS, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_ROAMED), 1);
    uint64_t got = inner(p, 1, s)->pkts_received;
    pair_inject(p, 1, &place, old.data, old.len);
    pair_run(p, 1 * MS, -1, -1);
    assert_int_equal(inner(p, 1, s)->pkts_received, got + 1); /* it is authentic */
    assert_true(hop_is_to(session_hop(inner(p, 1, s)), &elsewhere));
    assert_int_equal(pair_count(p, 1, EP_ROAMED), 1);
    pair_free(p);
}

/* ---- a session's life ---- */

static void counters_go_on_across_rekeys(void **state) {
    (void)state;
    struct pair *p = pair_known(rand_seeded("rekey", 8).x, 100 * MS);
    struct session_ref s[2];
    pair_connect(p, s);
    uint64_t counter[2] = {0}, newest[2] = {0};
    for (int i = 0; i < 200; i++) {
        hello(p, s[0]);
        pair_run(p, 20 * MS, -1, -1);
        for (int side = 0; side < 2; side++) {
            const struct session *x = inner(p, side, s);
            assert_true(x->send_counter >= counter[side]);
            assert_true(x->replay.newest >= newest[side]);
            counter[side] = x->send_counter;
            newest[side] = x->replay.newest;
        }
    }
    for (int side = 0; side < 2; side++) {
        assert_true(endpoint_counters(p->ep[side])->rekeys >= 5);
        assert_int_equal(endpoint_counters(p->ep[side])->auth_fail, 0);
        assert_int_equal(pair_count(p, side, EP_SESSION_UP), 1);
        assert_int_equal(pair_count(p, side, EP_SESSION_DOWN), 0);
    }
    assert_true(inner(p, 0, s)->keys.current.first_counter > 0);
    pair_free(p);
}

static void a_close_is_told_with_its_reason(void **state) {
    (void)state;
    struct pair *p = pair_known(rand_seeded("close", 9).x, 0);
    struct session_ref s[2];
    uint64_t id;
    pair_connect(p, s);
    hello(p, s[0]);
    pair_run(p, 100 * MS, -1, -1);
    endpoint_disconnect(p->ep[0], p->now_us, s[0], ERR_REFUSED);
    assert_true(pair_run(p, 1000 * MS, 1, EP_SESSION_DOWN));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair_event(p, i, EP_SESSION_DOWN)->err, ERR_REFUSED);
        assert_int_equal(stream_open(p->ep[i], s[i], &id), ERR_NOT_FOUND);
        assert_int_equal(endpoint_session_count(p->ep[i]), 0);
        assert_true(endpoint_deadline_us(p->ep[i]) == TIME_NEVER);
        assert_int_equal(block_pool_in_use(endpoint_blocks(p->ep[i])), 0);
    }
    pair_connect(p, s);
    pair_free(p);
}

static void a_peer_that_restarts_mid_stream_ends_the_session_and_gets_another(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) { /* who speaks first afterwards */
        struct pair *p = pair_known(rand_seeded("restart", 10).x, 0);
        struct session_ref s[2], fresh;
        uint64_t id;
        size_t taken;
        static uint8_t bulk[200000];
        pair_connect(p, s);
        assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
        assert_int_equal(stream_write(p->ep[0], s[0], id, bulk, sizeof bulk, &taken), 0);
        pair_run(p, 45 * MS, -1, -1);
        assert_true(inner(p, 0, s)->tp->sent.outstanding > 0);
        pair_restart(p, 1);
        pair_know(p, 1, NULL, false);
        if (way == 1)
            assert_int_equal(endpoint_connect(p->ep[1], p->now_us, p->peer[1]), 0);
        assert_true(pair_run(p, 20000 * MS, 0, EP_SESSION_DOWN));
        pair_run(p, 3000 * MS, -1, -1);
        assert_int_equal(stream_write(p->ep[0], s[0], id, "x", 1, &taken), ERR_NOT_FOUND);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, 3000 * MS, -1, -1);
        assert_true(endpoint_session(p->ep[0], p->peer[0], &fresh));
        for (int i = 0; i < 2; i++)
            assert_int_equal(endpoint_session_count(p->ep[i]), 1);
        readable = 0;
        p->on_event = count_readable;
        hello(p, fresh);
        pair_run(p, 1000 * MS, -1, -1);
        assert_true(readable > 0);
        pair_free(p);
    }
}

static void an_idle_session_has_no_transport_and_sleeps(void **state) {
    (void)state;
    assert_true(sizeof(struct session) + sizeof(struct peer) <= 4096);
    struct pair *p = pair_known(rand_seeded("idle", 11).x, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    assert_int_equal(session_datagram(p->ep[0], p->now_us, s[0], "x", 1, TIME_NEVER), 0);
    pair_run(p, 100 * MS, -1, -1);
    assert_non_null(inner(p, 0, s)->tp);
    pair_run(p, 15000 * MS, -1, -1);
    for (int i = 0; i < 2; i++) {
        assert_null(inner(p, i, s)->tp);
        assert_null(inner(p, i, s)->hs_out);
        assert_null(inner(p, i, s)->hs_in);
        assert_true(endpoint_deadline_us(p->ep[i]) > p->now_us + 60000 * MS);
    }
    pair_free(p);
}

static bool drop_responses(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)p;
    (void)len;
    return !(from == 1 && data[0] == PACKET_RESPONSE);
}

/* The peer began a rekey, never heard the answer, and is gone: who writes then must hear of it. */
static void keys_are_renewed_before_they_have_sealed_too_much(void **state) {
    (void)state;
    struct pair *p = pair_known(rand_seeded("sealed", 15).x, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    pair_run(p, 1000 * MS, -1, -1);
    const struct endpoint_counters *c = endpoint_counters(p->ep[0]);
    inner(p, 0, s)->send_counter += KEYS_MAX_PACKETS / 2;
    assert_int_equal(c->rekeys, 0);
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
    pair_run(p, 1000 * MS, -1, -1);
    assert_int_equal(c->rekeys, 1);
    pair_free(p);
}

static void a_rekey_that_never_ended_does_not_block_the_next(void **state) {
    (void)state;
    struct pair *p = pair_known(rand_seeded("half rekey", 13).x, 1000 * MS);
    struct session_ref s[2];
    uint64_t id;
    size_t taken;
    pair_connect(p, s);
    pair_run(p, 1100 * MS, -1, -1);
    p->tap = drop_responses;
    hello(p, s[0]);
    pair_run(p, 9000 * MS, -1, -1);
    assert_true(endpoint_counters(p->ep[0])->rekeys_failed > 0);
    for (int i = 0; i < 2; i++) /* it costs nothing but itself */
        assert_int_equal(pair_count(p, i, EP_SESSION_DOWN), 0);
    p->cut = true;
    pair_run(p, UINT64_C(200000000), -1, -1); /* older than KEYS_REJECT_US */
    assert_int_equal(stream_open(p->ep[1], s[1], &id), 0);
    assert_int_equal(stream_write(p->ep[1], s[1], id, "x", 1, &taken), 0);
    assert_true(pair_run(p, 20000 * MS, 1, EP_SESSION_DOWN));
    pair_free(p);
}

/* While nothing may leave, since the keys are too old and the peer is silent, no timer may stay in
 * the past: the daemon would spin. */
static void waiting_for_new_keys_is_not_busy(void **state) {
    (void)state;
    struct pair *p = pair_known(rand_seeded("old keys", 12).x, 0);
    struct session_ref s[2];
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    pair_connect(p, s);
    pair_run(p, UINT64_C(200000000), -1, -1); /* older than KEYS_REJECT_US */
    assert_int_equal(session_datagram(p->ep[0], p->now_us, s[0], "x", 1, TIME_NEVER), 0);
    unsigned turns = 0;
    uint64_t end_us = p->now_us + 7000 * MS;
    while (p->now_us < end_us && turns < 1000) {
        while (endpoint_output(p->ep[0], p->now_us, &t))
            ;
        uint64_t next_us = endpoint_deadline_us(p->ep[0]);
        if (next_us > p->now_us)
            p->now_us = next_us < end_us ? next_us : end_us;
        endpoint_timeout(p->ep[0], p->now_us);
        turns++;
    }
    assert_true(turns < 100);
    pair_free(p);
}

/* One small packet must not make a large number of them. */
static void a_packet_gets_eight_answers_at_most(void **state) {
    (void)state;
    enum { ASKS = 20 };
    static const uint8_t mixed[] = {FRAME_CONFIRM, FRAME_ECHO, 1, 2, 3, 4, 5, 6, 7, 8,
                                    FRAME_CONFIRM};
    uint8_t confirms[ASKS], both[64];
    memset(confirms, FRAME_CONFIRM, sizeof confirms);
    memcpy(both, mixed, sizeof mixed);
    memset(both + sizeof mixed, FRAME_CONFIRM, sizeof both - sizeof mixed);
    const struct {
        const uint8_t *frames;
        size_t len;
        unsigned answers;
    } table[] = {{confirms, 1, 1},
                 {confirms, ANSWERS_PER_PACKET, ANSWERS_PER_PACKET},
                 {confirms, ASKS, ANSWERS_PER_PACKET},
                 {mixed, sizeof mixed, 3},
                 {both, sizeof both, ANSWERS_PER_PACKET}};
    struct pair *p = pair_known(rand_seeded("answers", 14).x, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    pair_run(p, 5000 * MS, -1, -1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const uint64_t before = endpoint_counters(p->ep[1])->pkts_out;
        endpoint_send_frames(p->ep[0], inner(p, 0, s), p->now_us, table[i].frames, table[i].len);
        pair_run(p, 1000 * MS, -1, -1);
        assert_int_equal(endpoint_counters(p->ep[1])->pkts_out - before, table[i].answers);
    }
    assert_int_equal(pair_count(p, 0, EP_PONG), 2);
    assert_int_equal(endpoint_counters(p->ep[1])->frames_bad, 0);
    assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN), 0);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_is_sent_whether_or_not_the_fin_has_come),
        cmocka_unit_test(an_acknowledgement_of_the_future_needs_no_transport_to_be_a_lie),
        cmocka_unit_test(a_packet_with_any_byte_changed_is_nothing),
        cmocka_unit_test(a_late_packet_from_the_old_place_does_not_move_the_path_back),
        cmocka_unit_test(counters_go_on_across_rekeys),
        cmocka_unit_test(a_close_is_told_with_its_reason),
        cmocka_unit_test(a_peer_that_restarts_mid_stream_ends_the_session_and_gets_another),
        cmocka_unit_test(an_idle_session_has_no_transport_and_sleeps),
        cmocka_unit_test(keys_are_renewed_before_they_have_sealed_too_much),
        cmocka_unit_test(a_rekey_that_never_ended_does_not_block_the_next),
        cmocka_unit_test(waiting_for_new_keys_is_not_busy),
        cmocka_unit_test(a_packet_gets_eight_answers_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
