/* Records: what reaches whom, what they leave alone, and what a flood of them costs. */
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

enum { MS = 1000, S = 1000 * MS };

struct fixture {
    struct pair *p;
    struct session_ref s[2];
    struct session *ours, *theirs;
    unsigned heard;
    size_t len;
    uint8_t last[RECORD_MAX_BYTES];
};

static void on_event(struct pair *p, int side, const struct ep_event *e) {
    struct fixture *f = p->user;
    if (side != 1 || e->kind != EP_RECORD)
        return;
    assert_true(e->len <= sizeof f->last);
    f->heard++;
    f->len = e->len;
    if (e->len > 0)
        memcpy(f->last, e->data, e->len);
}

/* A session that is quiet: no transport on either side. */
static void quiet(struct fixture *f, uint64_t seed, uint64_t rekey_us, bool old) {
    *f = (struct fixture){.p = pair_new(rand_seeded("records", seed).x)};
    f->p->user = f;
    f->p->on_event = on_event;
    pair_start(f->p, rekey_us);
    if (old) /* a build that knows no records */
        f->p->ep[1]->caps = 0;
    pair_know(f->p, 0, NULL, false);
    pair_know(f->p, 1, NULL, false);
    pair_connect(f->p, f->s);
    pair_run(f->p, 5 * S, -1, -1);
    f->ours = endpoint_find(f->p->ep[0], f->s[0]);
    f->theirs = endpoint_find(f->p->ep[1], f->s[1]);
    assert_non_null(f->ours);
    assert_non_null(f->theirs);
    assert_null(f->ours->tp);
}

static int say(struct fixture *f, const void *data, size_t len) {
    return session_record(f->p->ep[0], f->p->now_us, f->s[0], data, len);
}

static void a_record_comes_as_it_was_and_attaches_nothing(void **state) {
    (void)state;
    struct fixture f;
    uint8_t data[RECORD_MAX_BYTES + 1];
    quiet(&f, 1, 0, false);
    f.p->mtu = MTU_BASE_BYTES;
    memset(data, 0x5a, sizeof data);
    static const size_t sizes[] = {0, 1, 63, 64, RECORD_MAX_BYTES};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        f.p->sent_bytes[1] = 0;
        assert_int_equal(say(&f, data, sizes[i]), 0);
        pair_run(f.p, S, -1, -1);
        assert_int_equal(f.heard, i + 1);
        assert_int_equal(f.len, sizes[i]);
        assert_memory_equal(f.last, data, sizes[i]);
        assert_int_equal(f.p->sent_bytes[1], 0); /* not even acknowledged */
    }
    assert_null(f.ours->tp);
    assert_null(f.theirs->tp);
    assert_int_equal(say(&f, data, sizeof data), ERR_USAGE);
    f.ours->memo.mtu_bytes = MTU_MIN_BYTES; /* a tunnel in a tunnel */
    assert_int_equal(say(&f, data, MTU_MIN_BYTES - DATA_OVERHEAD_BYTES - 2), ERR_USAGE);
    assert_int_equal(say(&f, data, MTU_MIN_BYTES - DATA_OVERHEAD_BYTES - 3), 0);
    assert_int_equal(endpoint_counters(f.p->ep[1])->records_in, 5);
    assert_int_equal(session_record(f.p->ep[0], f.p->now_us, (struct session_ref){77, 1}, data, 1),
                     ERR_NOT_FOUND);
    pair_free(f.p);
}

static void who_does_not_know_them_gets_none_and_is_not_hurt(void **state) {
    (void)state;
    struct fixture f;
    quiet(&f, 2, 0, true);
    assert_int_equal(say(&f, "x", 1), ERR_UNSUPPORTED);
    assert_int_equal(session_ping(f.p->ep[0], f.p->now_us, f.s[0], 5), 0);
    assert_true(pair_run(f.p, S, 0, EP_PONG));
    assert_int_equal(endpoint_session_count(f.p->ep[1]), 1);
    pair_free(f.p);
}

/* Gossip goes on all the time; a session that nobody needs ends all the same, on both sides. */
static void gossip_keeps_no_idle_session(void **state) {
    (void)state;
    struct fixture f;
    quiet(&f, 3, 0, false);
    const uint64_t from_us = f.p->now_us, rekeys = endpoint_counters(f.p->ep[0])->rekeys;
    int err = 0;
    unsigned said = 0;
    for (; err == 0; said += err == 0) {
        err = say(&f, "rumour", 6);
        pair_run(f.p, S, -1, -1);
    }
    assert_int_equal(err, ERR_AGAIN); /* the keys are too old: that alone asks for new ones */
    assert_true(f.p->now_us - from_us > 100 * (uint64_t)S);
    assert_int_equal(f.heard, said);
    assert_int_equal(endpoint_counters(f.p->ep[0])->rekeys, rekeys + 1);
    while (f.p->now_us < from_us + SESSION_IDLE_US + 10 * S &&
           endpoint_session_count(f.p->ep[0]) > 0) {
        err = say(&f, "rumour", 6);
        pair_run(f.p, S, -1, -1);
    }
    assert_int_equal(endpoint_session_count(f.p->ep[0]), 0);
    pair_run(f.p, 10 * S, -1, -1);
    assert_int_equal(endpoint_session_count(f.p->ep[1]), 0);
    assert_true(f.heard > 300);
    pair_free(f.p);
}

static void a_session_has_its_share_of_what_waits(void **state) {
    (void)state;
    struct fixture f;
    quiet(&f, 4, 0, false);
    for (unsigned i = 0; i < 2 * SMALL_RECORDS_PER_SESSION_MAX; i++) {
        const uint8_t what[] = {RECORD_KIND_RELAY + 1, (uint8_t)i};
        assert_int_equal(say(&f, what, sizeof what),
                         i < SMALL_RECORDS_PER_SESSION_MAX ? 0 : ERR_FULL);
    }
    assert_int_equal(endpoint_counters(f.p->ep[0])->records_unsent, SMALL_RECORDS_PER_SESSION_MAX);
    assert_int_equal(session_ping(f.p->ep[0], f.p->now_us, f.s[0], 9), 0); /* has its own queue */
    assert_int_equal(f.ours->records_waiting, SMALL_RECORDS_PER_SESSION_MAX);
    assert_true(pair_run(f.p, S, 0, EP_PONG));
    pair_run(f.p, S, -1, -1);
    assert_int_equal(f.heard, SMALL_RECORDS_PER_SESSION_MAX);
    assert_int_equal(f.ours->records_waiting, 0);
    assert_int_equal(say(&f, "x", 1), 0);
    pair_free(f.p);
}

/* By turns: neither a transfer nor gossip without end stops the other. */
static void records_and_streams_take_turns(void **state) {
    (void)state;
    struct fixture f;
    uint8_t buf[TRAIN_MAX_BYTES], bytes[60000] = {0};
    uint64_t stream;
    size_t taken;
    quiet(&f, 5, 0, false);
    struct endpoint *e = f.p->ep[0];
    assert_int_equal(stream_open(e, f.s[0], &stream), 0);
    assert_int_equal(stream_write(e, f.s[0], stream, bytes, sizeof bytes, &taken), 0);
    for (unsigned i = 0; i < SMALL_RECORDS_PER_SESSION_MAX; i++)
        assert_int_equal(say(&f, &i, sizeof i), 0);
    struct train t = {.buf = buf};
    static const bool records[] = {true, false, true, true}; /* the last: the window is full */
    for (unsigned i = 0; i < sizeof records / sizeof records[0]; i++) {
        const size_t small = DATA_OVERHEAD_BYTES + 2 + sizeof i;
        do
            assert_true(endpoint_output(e, f.p->now_us, &t));
        while (i == 3 && t.len != small);
        assert_int_equal(t.len == small, records[i]);
    }
    pair_free(f.p);
}

static void a_flood_costs_what_one_session_may_cost(void **state) {
    (void)state;
    struct fixture f;
    uint8_t buf[DATA_OVERHEAD_BYTES + 64];
    quiet(&f, 6, 0, false);
    struct endpoint *e = f.p->ep[1];
    const struct endpoint_counters *c = endpoint_counters(e);
    for (unsigned i = 0; i < 1000; i++) { /* nobody polls meanwhile, then somebody does at once */
        struct wr w = wr_init(buf + DATA_HEADER_BYTES, 64);
        frame_write_record(&w, "flood", 5);
        const size_t len =
            session_seal(f.ours, f.p->ep[0]->aead, f.ours->send_counter++, buf, wr_len(&w));
        endpoint_input(e, f.p->now_us, AT(&f.p->addr[0]), ECN_NOT_ECT, buf, len);
    }
    assert_int_equal(e->events.records, EVENTS_RECORDS_SESSION_MAX);
    assert_int_equal(c->records_in, EVENTS_RECORDS_SESSION_MAX);
    assert_int_equal(c->records_dropped, 1000 - EVENTS_RECORDS_SESSION_MAX);
    pair_run(f.p, S, -1, -1);
    assert_int_equal(e->events.records, 0);
    assert_int_equal(f.theirs->memo.told.records, 0);
    for (unsigned i = 0; i < 1000; i++) { /* polled every time: by the second */
        if (say(&f, &i, sizeof i) == 0)
            pair_run(f.p, MS, -1, -1);
    }
    pair_run(f.p, 100 * MS, -1, -1);
    assert_in_range(c->records_in, 2 * RECORDS_BURST + S / RECORD_US - 5,
                    2 * RECORDS_BURST + S / RECORD_US + 10);
    assert_int_equal(endpoint_session_count(e), 1);
    assert_null(f.theirs->tp);
    pair_free(f.p);
}

static void a_malformed_record_ends_the_session(void **state) {
    (void)state;
    struct fixture f;
    quiet(&f, 7, 0, false);
    static const uint8_t bad[] = {FRAME_RECORD, 3, 0, 0}; /* longer than the packet */
    endpoint_send_frames(f.p->ep[0], f.ours, f.p->now_us, bad, sizeof bad);
    pair_run(f.p, S, -1, -1);
    assert_int_equal(endpoint_session_count(f.p->ep[1]), 0);
    assert_int_equal(pair_event(f.p, 1, EP_SESSION_DOWN)->err, ERR_PROTO);
    pair_free(f.p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_as_it_was_and_attaches_nothing),
        cmocka_unit_test(who_does_not_know_them_gets_none_and_is_not_hurt),
        cmocka_unit_test(gossip_keeps_no_idle_session),
        cmocka_unit_test(a_session_has_its_share_of_what_waits),
        cmocka_unit_test(records_and_streams_take_turns),
        cmocka_unit_test(a_flood_costs_what_one_session_may_cost),
        cmocka_unit_test(a_malformed_record_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
