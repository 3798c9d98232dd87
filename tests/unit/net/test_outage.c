/* A path that carries nothing for a while costs time, never a session: an outage of 12 s that
 * begins at any moment, around a rekey above all, in one direction or both, loses no stream. A peer
 * that is gone for good is noticed in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_outage.h"

enum { BLOCK = 300 };

/* True if the session is there at the end and all that was written has arrived. */
static bool survives(struct run *r) {
    struct pair *p = pair_known(71, r->rekey_us);
    struct session_ref s[2];
    uint64_t id[2];
    static const uint8_t bytes[BLOCK];
    p->user = r;
    p->on_event = read_all;
    pair_connect(p, s);
    r->up_us = p->now_us;
    p->tap = cut;
    for (int i = 0; i < 2; i++)
        assert_int_equal(stream_open(p->ep[i], s[i], &id[i]), 0);
    pair_run(p, r->write_from, -1, -1);
    while (p->now_us < r->up_us + r->cut_from_us + OUTAGE_US + 25 * S && r->downs == 0) {
        for (int i = 0; i < 2; i++) {
            size_t taken = 0;
            if (r->writers & 1u << i && p->now_us < r->up_us + r->cut_from_us + OUTAGE_US + 2 * S &&
                stream_write(p->ep[i], s[i], id[i], bytes, sizeof bytes, &taken) == 0)
                r->written[i] += taken;
        }
        pair_run(p, 200 * MS, -1, -1);
    }
    bool ok = r->downs == 0 && r->written[0] == r->got[0] && r->written[1] == r->got[1];
    pair_free(p);
    return ok;
}

/* The moment of the first rekey's INITIATION, after the session came up. */
static uint64_t rekey_moment(uint64_t rekey_us, unsigned writers) {
    struct run r = {.rekey_us = rekey_us, .cut_from_us = UINT64_MAX / 2};
    struct pair *p = pair_known(71, rekey_us);
    struct session_ref s[2];
    uint64_t id[2];
    p->user = &r;
    p->on_event = read_all;
    pair_connect(p, s);
    r.up_us = p->now_us;
    for (int i = 0; i < 2; i++)
        assert_int_equal(stream_open(p->ep[i], s[i], &id[i]), 0);
    uint64_t out[2], next_us = 0;
    for (int i = 0; i < 2; i++)
        out[i] = endpoint_counters(p->ep[i])->handshakes_out;
    for (;; pair_run(p, MS, -1, -1)) {
        for (int i = 0; i < 2; i++)
            if (endpoint_counters(p->ep[i])->handshakes_out > out[i]) {
                uint64_t at = p->now_us - r.up_us;
                pair_free(p);
                return at;
            }
        size_t taken;
        for (int i = 0; i < 2 && p->now_us >= next_us; i++)
            if (writers & 1u << i)
                assert_int_equal(stream_write(p->ep[i], s[i], id[i], "x", 1, &taken), 0);
        if (p->now_us >= next_us)
            next_us = p->now_us + 200 * MS;
    }
}

static unsigned sweep(uint64_t rekey_us, uint64_t from_us, uint64_t to_us, uint64_t step_us,
                      uint64_t write_from) {
    unsigned lost = 0;
    for (uint64_t at = from_us; at < to_us; at += step_us)
        for (unsigned dead = 1; dead <= 3; dead++)
            for (unsigned writers = 1; writers <= 3; writers++) {
                struct run r = {.rekey_us = rekey_us,
                                .writers = writers,
                                .write_from = write_from,
                                .cut_from_us = at,
                                .dead = dead};
                if (survives(&r))
                    continue;
                lost++;
                print_error("outage from %.3f s, dead %u, writers %u: down %u, %llu of %llu, %llu "
                            "of %llu\n",
                            (double)at / 1e6, dead, writers, r.downs, (unsigned long long)r.got[0],
                            (unsigned long long)r.written[0], (unsigned long long)r.got[1],
                            (unsigned long long)r.written[1]);
            }
    return lost;
}

/* Every millisecond of the handshake's round trip and a half, and coarser before and after it. */
static void an_outage_that_begins_at_any_moment_of_a_rekey_is_survived(void **state) {
    (void)state;
    uint64_t at = rekey_moment(20 * S, 3);
    assert_int_equal(sweep(20 * S, at - 6 * MS, at + 60 * MS, 3 * MS, 0), 0);
}

static void an_outage_around_a_rekey_is_survived(void **state) {
    (void)state;
    uint64_t at = rekey_moment(20 * S, 3);
    assert_int_equal(sweep(20 * S, at - 13 * S, at + 6 * S, 1700 * MS, 0), 0);
}

/* With the real times: the keys die in the middle of the outage, or before anybody writes. */
static void an_outage_in_which_the_keys_die_is_survived(void **state) {
    (void)state;
    assert_int_equal(sweep(0, 165 * S, 185 * S, 2900 * MS, 165 * S), 0);
    assert_int_equal(sweep(0, 181 * S, 190 * S, 2300 * MS, 181 * S), 0);
}

/* A rekey failed, and nobody minded. Much later somebody writes. */
static void an_old_failure_counts_for_nothing(void **state) {
    (void)state;
    struct pair *p = pair_known(71, 0);
    struct run r = {0};
    struct session_ref s[2];
    uint64_t id;
    size_t taken;
    p->user = &r;
    p->on_event = read_all;
    pair_connect(p, s);
    pair_run(p, UINT64_C(121) * S, -1, -1);
    assert_int_equal(session_datagram(p->ep[0], p->now_us, s[0], "x", 1, TIME_NEVER), 0);
    p->tap = no_initiation;
    pair_run(p, 20 * S, -1, -1);
    assert_int_equal(endpoint_counters(p->ep[0])->rekeys_failed, 1);
    p->tap = NULL;
    pair_run(p, 60 * S, -1, -1);
    p->cut = true;
    assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
    assert_int_equal(stream_write(p->ep[0], s[0], id, "x", 1, &taken), 0);
    pair_run(p, OUTAGE_US, -1, -1);
    p->cut = false;
    pair_run(p, 3 * S, -1, -1);
    assert_int_equal(r.downs, 0);
    assert_int_equal(r.got[0], 1);
    pair_free(p);
}

static void a_dead_peer_is_noticed_within_20_s(void **state) {
    (void)state;
    for (int way = 0; way < 3; way++) { /* fresh keys, keys due for a rekey, keys too old to send */
        struct pair *p = pair_known(71, 0);
        struct run r = {0};
        struct session_ref s[2];
        uint64_t id;
        size_t taken;
        p->user = &r;
        p->on_event = read_all;
        pair_connect(p, s);
        pair_run(p, way == 0 ? S : way == 1 ? UINT64_C(130) * S : UINT64_C(200) * S, -1, -1);
        p->cut = true;
        assert_int_equal(stream_open(p->ep[0], s[0], &id), 0);
        assert_int_equal(stream_write(p->ep[0], s[0], id, "x", 1, &taken), 0);
        uint64_t at = p->now_us;
        assert_true(pair_run(p, 20 * S, 0, EP_SESSION_DOWN));
        assert_int_equal(pair_event(p, 0, EP_SESSION_DOWN)->err, ERR_TIMEOUT);
        assert_true(p->now_us - at > OUTAGE_US + S);
        pair_free(p);
    }
}

enum { FORGE_CHALLENGE, FORGE_COOKIE, FORGE_REFUSAL };

/* ---- echoes alone ---- */

static bool only_known(struct pair *p, int from, const struct train *t) {
    return hop_is_to(&t->to, &p->addr[!from]);
}

/* Both have other addresses than the session knows, and nothing under way but an echo. */
static void an_echo_that_stays_unanswered_finds_the_peer_again(void **state) {
    (void)state;
    struct pair *p = pair_known(71, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    p->route = only_known;
    pair_run(p, 5 * S, -1, -1);
    /* Where nobody is any more. */
    endpoint_find(p->ep[0], s[0])->paths.current.hop.udp.remote.port += 7;
    endpoint_find(p->ep[1], s[1])->paths.current.hop.udp.remote.port += 7;
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
    pair_run(p, 8 * S, -1, -1);
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
    assert_true(pair_run(p, 100 * MS, 0, EP_PONG));
    assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN), 0);
    /* And where nobody is at all the session ends, instead of being up for what is asked next. */
    p->cut = true;
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
    pair_run(p, 17 * S, -1, -1);
    assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN), 1);
    pair_free(p);
}

/* The last that a peer says comes when our keys are too old to acknowledge it; then it is gone. */
static void an_acknowledgement_that_cannot_leave_keeps_no_session_for_ever(void **state) {
    (void)state;
    static const uint8_t ping = FRAME_PING;
    struct pair *p = pair_known(71, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    pair_run(p, UINT64_C(200) * S, -1, -1);
    struct session *mine = endpoint_find(p->ep[0], s[0]);
    uint8_t buf[DATA_OVERHEAD_BYTES + 1];
    memcpy(buf + DATA_HEADER_BYTES, &ping, 1);
    const size_t len = session_seal(mine, p->ep[0]->aead, mine->send_counter++, buf, 1);
    p->cut = true;
    pair_inject(p, 1, &p->addr[0], buf, len);
    assert_true(pair_run(p, 30 * S, 1, EP_SESSION_DOWN));
    assert_int_equal(endpoint_deadline_us(p->ep[1]), TIME_NEVER);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_that_begins_at_any_moment_of_a_rekey_is_survived),
        cmocka_unit_test(an_outage_around_a_rekey_is_survived),
        cmocka_unit_test(an_outage_in_which_the_keys_die_is_survived),
        cmocka_unit_test(an_old_failure_counts_for_nothing),
        cmocka_unit_test(a_dead_peer_is_noticed_within_20_s),
        cmocka_unit_test(an_acknowledgement_that_cannot_leave_keeps_no_session_for_ever),
        cmocka_unit_test(an_echo_that_stays_unanswered_finds_the_peer_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
