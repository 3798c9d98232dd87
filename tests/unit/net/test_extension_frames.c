/* Frames of tomorrow: which are passed over, what they cost, and which end the session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_pair.h"
#include "support_rand.h"

enum { MS = 1000 };

struct fixture {
    struct pair *p;
    struct session_ref s[2];
    struct session *ours, *theirs;
};

/* A session that is quiet: no transport on either side. */
static void quiet(struct fixture *f, uint64_t seed) {
    f->p = pair_new(rand_seeded("extension frames", seed).x);
    pair_start(f->p, 0);
    pair_know(f->p, 0, NULL, false);
    pair_know(f->p, 1, NULL, false);
    pair_connect(f->p, f->s);
    pair_run(f->p, 5000 * MS, -1, -1);
    f->ours = endpoint_find(f->p->ep[0], f->s[0]);
    f->theirs = endpoint_find(f->p->ep[1], f->s[1]);
    assert_non_null(f->ours);
    assert_non_null(f->theirs);
    assert_null(f->theirs->tp);
    f->p->sent_bytes[1] = 0;
}

static void say(struct fixture *f, const uint8_t *frames, size_t len) {
    endpoint_send_frames(f->p->ep[0], f->ours, f->p->now_us, frames, len);
    pair_run(f->p, 500 * MS, -1, -1);
}

static void unknown_session_frames_are_passed_over_and_cost_nothing(void **state) {
    (void)state;
    struct fixture f;
    quiet(&f, 1);
    for (unsigned type = FRAME_LATER_SESSION; type < 0x60; type++) {
        /* Between two echoes, so that it is seen that its length was believed. */
        const uint8_t frames[] = {
            FRAME_ECHO, 1, 0, 0, 0, 0, 0, 0, 0, (uint8_t)type, 3, 0xff, 0xff, 0xff,
            FRAME_ECHO, 2, 0, 0, 0, 0, 0, 0, 0, (uint8_t)type, 0};
        const unsigned before = pair_count(f.p, 0, EP_PONG);
        say(&f, frames, sizeof frames);
        assert_int_equal(pair_count(f.p, 0, EP_PONG), before + 2);
    }
    f.p->sent_bytes[1] = 0;
    static const uint8_t alone[] = {0x47, 2, 1, 1};
    say(&f, alone, sizeof alone);
    assert_int_equal(f.p->sent_bytes[1], 0); /* not even acknowledged */
    assert_null(f.theirs->tp);
    assert_int_equal(endpoint_session_count(f.p->ep[1]), 1);
    pair_free(f.p);
}

static void unknown_transport_frames_are_passed_over_and_acknowledged(void **state) {
    (void)state;
    struct fixture f;
    quiet(&f, 2);
    for (unsigned type = 0x60; type < 0x80; type++) {
        const uint8_t frame[] = {(uint8_t)type, 2, 0xff, 0xff};
        const uint64_t pn = f.ours->send_counter;
        f.p->sent_bytes[1] = 0;
        say(&f, frame, sizeof frame);
        assert_true(f.p->sent_bytes[1] > 0);
        assert_non_null(f.theirs->tp);
        assert_true(ranges_covers(&f.theirs->tp->ack.received, pn, pn + 1));
    }
    pair_run(f.p, 5000 * MS, -1, -1);
    assert_null(f.theirs->tp); /* no longer than a PING keeps it */
    assert_int_equal(endpoint_session_count(f.p->ep[1]), 1);
    pair_free(f.p);
}

static void what_has_no_length_or_a_wrong_one_ends_the_session(void **state) {
    (void)state;
    static const uint8_t bad[][4] = {
        {0x41, 3, 0, 0}, /* longer than the packet */
        {0x5f, 0xff, 0, 0}, {0x60, 3, 0, 0},
        {0x7f, 0x80, 0, 0}, {0x13, 0, 0, 0}, /* not one of the ranges */
        {0x26, 0, 0, 0},    {0x3f, 0, 0, 0},
        {0x80, 0, 0, 0},    {0xff, 0, 0, 0},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fixture f;
        quiet(&f, 3);
        say(&f, bad[i], sizeof bad[i]);
        assert_int_equal(endpoint_session_count(f.p->ep[1]), 0);
        assert_int_equal(pair_event(f.p, 1, EP_SESSION_DOWN)->err, ERR_PROTO);
        assert_int_equal(pair_event(f.p, 0, EP_SESSION_DOWN)->err, ERR_PROTO);
        pair_free(f.p);
    }
}

static void an_ack_of_what_was_not_sent_ends_a_quiet_session_too(void **state) {
    (void)state;
    for (int too_far = 0; too_far < 2; too_far++) {
        struct fixture f;
        quiet(&f, 4);
        const uint8_t ack[] = {FRAME_ACK, (uint8_t)(f.theirs->send_counter - 1 + (unsigned)too_far),
                               0, 0, 0};
        say(&f, ack, sizeof ack);
        assert_int_equal(endpoint_session_count(f.p->ep[1]), !too_far);
        pair_free(f.p);
    }
}

/* An ACK could not name it, so no packet that tries to acknowledge it could be built. */
static void a_counter_that_is_no_varint_is_no_counter(void **state) {
    (void)state;
    static const uint64_t counters[] = {VARINT_MAX, VARINT_MAX + 1, UINT64_MAX - 1, UINT64_MAX};
    for (unsigned i = 0; i < 4; i++) {
        struct fixture f;
        quiet(&f, 5);
        struct endpoint *e = f.p->ep[1];
        uint8_t buf[DATA_OVERHEAD_BYTES + 1];
        buf[DATA_HEADER_BYTES] = FRAME_PING;
        const size_t len = session_seal(f.ours, f.p->ep[0]->aead, counters[i], buf, 1);
        const uint64_t before = endpoint_counters(e)->data_accepted;
        endpoint_input(e, f.p->now_us, AT(&f.p->addr[0]), ECN_NOT_ECT, buf, len);
        assert_int_equal(endpoint_counters(e)->data_accepted - before, i == 0);
        uint8_t out[TRAIN_MAX_BYTES];
        for (unsigned n = 0; n < 100 && f.p->now_us < 600000 * (uint64_t)MS; n++) {
            struct train t = {.buf = out};
            while (endpoint_output(e, f.p->now_us, &t))
                continue;
            assert_true(endpoint_deadline_us(e) > f.p->now_us); /* no timer in the past */
            f.p->now_us = endpoint_deadline_us(e);
            endpoint_timeout(e, f.p->now_us);
        }
        pair_free(f.p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_session_frames_are_passed_over_and_cost_nothing),
        cmocka_unit_test(unknown_transport_frames_are_passed_over_and_acknowledged),
        cmocka_unit_test(what_has_no_length_or_a_wrong_one_ends_the_session),
        cmocka_unit_test(a_counter_that_is_no_varint_is_no_counter),
        cmocka_unit_test(an_ack_of_what_was_not_sent_ends_a_quiet_session_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
