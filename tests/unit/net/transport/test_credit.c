/* Receive credit: how windows follow what is consumed, RFC 9000 §4.2, and the gap that holds a
 * reader back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_bare.h"

enum { MS = 1000, KIB = 1024, MIB = 1 << 20 };

/* A transport with a round trip, and a stream of it that is only told what was consumed. */
static struct bare *with_rtt(uint64_t srtt_us, struct stream **s) {
    struct bare *b = bare_new(CC_CUBIC, MTU_BASE_BYTES);
    b->t->rec->rtt = (struct rtt){
        .has_sample = true, .latest_us = srtt_us, .min_us = srtt_us, .srtt_us = srtt_us};
    *s = bare_stream(b, 0);
    return b;
}

static void consume(struct bare *b, struct stream *s, uint64_t now_us, uint64_t n) {
    s->in.read += n;
    if (s->in.highest < s->in.read)
        s->in.highest = s->in.read;
    transport_stream_credit(b->t, now_us, s);
}

/* Eight times what was consumed in a round trip, measured over one to eight of them; never less
 * than before, never more than the bound; at least what was consumed in 16 ms, measured over 4. */
static void the_window_is_eight_round_trips_of_what_is_consumed(void **state) {
    (void)state;
    static const struct {
        uint64_t srtt_us, elapsed_us, consumed, window;
    } table[] = {
        {50 * MS, 50 * MS, 100 * KIB, 800 * KIB},
        {50 * MS, 50 * MS - 1, 100 * KIB, 512 * KIB}, /* not a round trip yet */
        {50 * MS, 100 * MS, 200 * KIB, 800 * KIB},    /* the rate counts */
        {50 * MS, 100 * MS, 100 * KIB, 512 * KIB},    /* 400 KiB: less than there is */
        {50 * MS, 50 * MS, 64 * KIB, 512 * KIB},
        {50 * MS, 50 * MS, 64 * KIB + 1, 512 * KIB + 8},
        {50 * MS, 400 * MS - 1, 4 * MIB, 4194314}, /* 4 MiB x 8 x 50 / 399.999 */
        {50 * MS, 400 * MS, 4 * MIB, 512 * KIB},   /* after a pause: a beginning */
        {50 * MS, 50 * MS, STREAM_WINDOW_MAX_BYTES / 8 - 1, STREAM_WINDOW_MAX_BYTES - 8},
        {50 * MS, 50 * MS, STREAM_WINDOW_MAX_BYTES / 8 + 1, STREAM_WINDOW_MAX_BYTES},
        {50 * MS, 50 * MS, UINT64_C(1) << 40, STREAM_WINDOW_MAX_BYTES},
        {100, 4 * MS, 1 * MIB, 4 * MIB},
        {2 * MS, 4 * MS, 1 * MIB, 4 * MIB},
        {3 * MS, 4 * MS, 1 * MIB, 6 * MIB},
        {3 * MS, 4 * MS - 1, 1 * MIB, 512 * KIB},
        {100, 4 * MS - 1, 1 * MIB, 512 * KIB},
        {100, 32 * MS - 1, 1 * MIB, 524304},
        {100, 32 * MS, 100 * MIB, 512 * KIB},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct stream *s;
        struct bare *b = with_rtt(table[i].srtt_us, &s);
        s->in.given.limit = s->in.highest = UINT64_C(1) << 50;
        consume(b, s, 5000 * MS, 7777); /* the beginning */
        assert_int_equal(s->in.given.window, STREAM_WINDOW_BYTES);
        consume(b, s, 5000 * MS + table[i].elapsed_us, table[i].consumed);
        if (s->in.given.window != table[i].window)
            fail_msg("%u: %u", (unsigned)i, (unsigned)s->in.given.window);
        bare_free(b);
    }
}

/* Each measurement begins where the last one ended. */
static void measurements_follow_each_other(void **state) {
    (void)state;
    struct stream *s;
    struct bare *b = with_rtt(50 * MS, &s);
    uint64_t now_us = 5000 * MS, per_rtt = 100 * KIB;
    for (int i = 0; i < 10; i++) { /* a sender that doubles is never held by the window */
        for (int k = 0; k < 10; k++)
            consume(b, s, now_us += 5 * MS, per_rtt / 10);
        assert_true(s->in.given.window >= 2 * per_rtt ||
                    s->in.given.window == STREAM_WINDOW_MAX_BYTES);
        per_rtt *= 2;
    }
    assert_int_equal(s->in.given.window, STREAM_WINDOW_MAX_BYTES);
    for (int k = 0; k < 100; k++)
        consume(b, s, now_us += 5 * MS, 1);
    assert_int_equal(s->in.given.window, STREAM_WINDOW_MAX_BYTES);
    bare_free(b);
}

/* Slow start, whose data and whose credit each need half a round trip: all that it wants to send is
 * granted in time. */
static void a_sender_that_doubles_is_never_held_by_the_window(void **state) {
    (void)state;
    enum { STEPS = 20, ROUNDS = 11 }; /* of a round trip */
    struct stream *s;
    struct bare *b = with_rtt(300 * MS, &s);
    uint64_t granted[STEPS]; /* limits of the last round trip: the sender knows the oldest */
    for (unsigned i = 0; i < STEPS; i++)
        granted[i] = s->in.given.limit;
    uint64_t now_us = 5000 * MS, per_round = 10 * KIB;
    consume(b, s, now_us, 1);
    for (unsigned i = 0; i < ROUNDS * STEPS; i++) {
        const unsigned k = i % STEPS;
        if (k == 0)
            per_round *= 2;
        /* Within a round trip linear from 2/3 to 4/3 of its average. */
        const uint64_t more = per_round * (2 * STEPS + 2 * k) / (3 * STEPS * STEPS);
        if (s->in.read + more > granted[k])
            fail_msg("round trip %u, %u: %u of %u KiB granted", i / STEPS, k,
                     (unsigned)(granted[k] / KIB), (unsigned)((s->in.read + more) / KIB));
        consume(b, s, now_us += 300 * MS / STEPS, more);
        granted[k] = s->in.given.limit;
    }
    bare_free(b);
}

/* RFC 9000 §4.2: more credit is announced when half of it is used, not before. */
static void credit_is_topped_up_at_half_of_the_window(void **state) {
    (void)state;
    struct stream *s;
    struct bare *b = with_rtt(50 * MS, &s);
    const uint64_t half = STREAM_WINDOW_BYTES / 2;
    consume(b, s, 5000 * MS, half - 1);
    assert_int_equal(s->in.given.limit, STREAM_WINDOW_BYTES);
    assert_false(s->in.given.due);
    consume(b, s, 5000 * MS, 1);
    assert_int_equal(s->in.given.limit, half + STREAM_WINDOW_BYTES);
    assert_true(s->in.given.due && list_has(&s->ctl));
    /* It is said in the next packet, and said again if that is lost. */
    assert_true(bare_send(b) > 0);
    assert_false(s->in.given.due);
    transport_requeue(b->t, sent_get(&b->t->sent, 0));
    assert_true(s->in.given.due);
    assert_true(bare_send(b) > 0);
    /* Each probe says it, too, until one that did is acknowledged: then a loss means nothing. */
    for (int i = 0; i < 3; i++) {
        bare_ping(b, b->now_us);
        const struct sent_pkt *p = sent_get(&b->t->sent, b->next_pn - 1);
        assert_int_equal(p->nframes, 1);
        assert_int_equal(p->frames[0].kind, SENT_MAX_STREAM_DATA);
        assert_int_equal(p->frames[0].offset, half + STREAM_WINDOW_BYTES);
    }
    bare_ack(b, b->now_us + 50 * MS, 4, 5);
    assert_false(s->in.given.due);
    assert_int_equal(s->in.given.known, s->in.given.limit);
    bare_ping(b, b->now_us);
    assert_int_equal(sent_get(&b->t->sent, b->next_pn - 1)->nframes, 0);
    /* Not for what will never come. */
    s->in.given.due = false;
    s->in.has_final = true;
    consume(b, s, 5000 * MS, STREAM_WINDOW_BYTES);
    assert_false(s->in.given.due);
    bare_free(b);
}

static void the_session_is_topped_up_and_grows_the_same_way(void **state) {
    (void)state;
    struct stream *s;
    struct bare *b = with_rtt(50 * MS, &s);
    struct credit *c = &b->memo.credit;
    const uint64_t half = SESSION_WINDOW_BYTES / 2;
    transport_credit_consumed(b->t, 5000 * MS, half - 1);
    assert_false(b->memo.credit.given.due);
    transport_credit_consumed(b->t, 5000 * MS, 1);
    assert_true(b->memo.credit.given.due);
    assert_int_equal(c->given.limit, half + SESSION_WINDOW_BYTES);
    transport_credit_consumed(b->t, 5050 * MS, 1 * MIB); /* and the byte since the beginning */
    assert_int_equal(c->given.window, 8 * MIB + 8);
    assert_int_equal(c->given.limit, c->consumed + 8 * MIB + 8);
    transport_credit_consumed(b->t, 5100 * MS, 100 * MIB);
    assert_int_equal(c->given.window, SESSION_WINDOW_MAX_BYTES);
    bare_free(b);
}

static int stream_frame(struct bare *b, uint64_t id, uint64_t offset, size_t len) {
    static uint8_t buf[70000];
    struct wr w = wr_init(buf, sizeof buf);
    frame_write_stream_header(&w, id, offset, len, false);
    uint8_t *at = wr_room(&w, len);
    assert_non_null(at);
    memset(at, 1, len);
    struct rd r = rd_init(buf, wr_len(&w));
    bool eliciting = false;
    const uint8_t type = rd_u8(&r);
    const int err = transport_frame(b->t, b->now_us, type, &r, &eliciting);
    assert_true(eliciting);
    return err;
}

static void has_read(struct bare *b, struct stream *s, uint64_t n) {
    s->in.read = s->in.highest = n;
    b->memo.credit.consumed = b->memo.credit.received = n;
    s->in.given.limit = n + s->in.given.window;
    b->memo.credit.given.limit = n + b->memo.credit.given.window;
    assert_int_equal(ranges_add(&s->in.got, 0, n), 0);
    s->in.first_slot = n / STREAM_BLOCK_BYTES;
}

/* Gaps alone widen nothing: whatever a peer sends that nobody reads, it gets no more credit than at
 * the beginning. */
static void nothing_is_granted_for_what_nobody_reads(void **state) {
    (void)state;
    struct stream *s;
    struct bare *b = with_rtt(50 * MS, &s);
    for (int i = 0; i < 20; i++)
        assert_int_equal(stream_frame(b, s->id, STREAM_WINDOW_BYTES - 1 - 2 * (uint64_t)i, 1), 0);
    assert_int_equal(s->in.given.window, STREAM_WINDOW_BYTES);
    assert_int_equal(s->in.given.limit, STREAM_WINDOW_BYTES);
    assert_int_equal(b->memo.credit.given.limit, SESSION_WINDOW_BYTES);
    assert_false(s->in.given.due || b->memo.credit.given.due);
    bare_free(b);
}

/* Where readers have read, gaps drive the windows to four times that, and to their limits and no
 * further. */
static void gaps_widen_windows_as_far_as_readers_have_read(void **state) {
    (void)state;
    static const struct {
        uint64_t read, window, session;
    } table[] = {
        {MIB / 8, MIB / 2, MIB},
        {3 * MIB, 12 * MIB, 12 * MIB},
        {18 * MIB, 72 * MIB, 72 * MIB},
        {40 * MIB, STREAM_WINDOW_MAX_BYTES, SESSION_WINDOW_MAX_BYTES},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct stream *s;
        struct bare *b = with_rtt(50 * MS, &s);
        has_read(b, s, table[i].read);
        for (int k = 0; k < 20; k++)
            assert_int_equal(stream_frame(b, s->id, s->in.given.limit - 1 - (uint64_t)k, 1), 0);
        assert_int_equal(s->in.given.window, table[i].window);
        assert_int_equal(b->memo.credit.given.window, table[i].session);
        bare_free(b);
    }
}

/* Nor is more granted than the session may hold as others do. */
static void nothing_is_granted_that_there_is_no_memory_for(void **state) {
    (void)state;
    for (int gap = 0; gap < 2; gap++) {
        struct stream *s;
        struct bare *b = with_rtt(50 * MS, &s);
        static struct block *held[1536];
        unsigned n = 0;
        while (n < 1536 - 8) /* eight are left */
            assert_non_null(held[n++] = block_new(b->pool, STREAM_BLOCK_BYTES));
        has_read(b, s, 40 * MIB);
        if (gap) {
            for (int k = 0; k < 20; k++)
                assert_int_equal(stream_frame(b, s->id, s->in.given.limit - 1 - (uint64_t)k, 1), 0);
            assert_true(s->in.given.window > MIB && s->in.given.window <= 3 * MIB);
        } else {
            s->in.given.limit = b->memo.credit.given.limit = 71 * MIB; /* in better times */
            consume(b, s, 5000 * MS, 7777);
            consume(b, s, 5050 * MS, 30 * MIB);
            assert_int_equal(s->in.given.window, STREAM_WINDOW_MAX_BYTES);
            assert_int_equal(s->in.given.limit, s->in.read + 4 * MIB);
            transport_credit_consumed(b->t, 5000 * MS, 7777);
            transport_credit_consumed(b->t, 5050 * MS, 30 * MIB);
            assert_int_equal(b->memo.credit.given.limit, b->memo.credit.consumed + 4 * MIB);
        }
        while (n > 0)
            block_put(held[--n]);
        bare_free(b);
    }
}

/* One lost packet in front of a whole window: the reader has nothing to consume, so nothing would
 * ever be granted. The window doubles when the writer comes within half of its end. */
static void a_gap_does_not_starve_the_writer(void **state) {
    (void)state;
    struct stream *s;
    struct bare *b = with_rtt(50 * MS, &s);
    const uint64_t w = STREAM_WINDOW_BYTES, read = MIB;
    has_read(b, s, read);
    uint64_t at = 1400;
    for (; at + 1000 <= w / 2; at += 1000) {
        assert_int_equal(stream_frame(b, s->id, read + at, 1000), 0);
        assert_int_equal(s->in.given.window, w);
    }
    assert_int_equal(stream_frame(b, s->id, read + w / 2 - 1, 1), 0); /* exactly half is left */
    assert_int_equal(s->in.given.window, w);
    assert_int_equal(stream_frame(b, s->id, read + w / 2, 1), 0);
    assert_int_equal(s->in.given.window, 2 * w);
    assert_int_equal(s->in.given.limit, read + 2 * w);
    assert_true(s->in.given.due);
    assert_int_equal(b->memo.credit.given.window,
                     3 * w); /* the session must not be what stops it */
    assert_true(b->memo.credit.given.due);
    assert_int_equal(stream_frame(b, s->id, read + 2 * w, 1), ERR_PROTO); /* and not a byte more */
    bare_free(b);
    /* Without a gap the reader is what it waits for, and slow readers get no more. */
    b = with_rtt(50 * MS, &s);
    for (at = 0; at + 1024 <= w; at += 1024)
        assert_int_equal(stream_frame(b, s->id, at, 1024), 0);
    assert_int_equal(s->in.given.window, w);
    bare_free(b);
}

/* §4.1: who is out of credit waits, says nothing, and goes on at once when more is granted: a lost
 * MAX_DATA must not stop it for ever, so the receiver repeats it (above); an older limit changes
 * nothing. */
static void without_credit_nothing_leaves_and_with_it_at_once(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_CUBIC, MTU_BASE_BYTES);
    b->memo.credit.send_limit = 0;
    struct stream *s = bare_stream(b, 3000);
    assert_int_equal(bare_send(b), 0);
    assert_false(transport_has_streams(b->t));
    struct rd r;
    bool eliciting;
    static const uint8_t session[] = {FRAME_MAX_DATA, 0x43, 0xe8}; /* 1,000 */
    r = rd_init(session + 1, 2);
    assert_int_equal(transport_frame(b->t, b->now_us, session[0], &r, &eliciting), 0);
    assert_true(transport_has_streams(b->t));
    assert_true(bare_send(b) > 1000);
    assert_int_equal(s->out.next, 1000);
    assert_int_equal(b->memo.credit.send_used, 1000);
    assert_int_equal(bare_send(b), 0);
    static const uint8_t older[] = {FRAME_MAX_DATA, 0x41, 0};
    r = rd_init(older + 1, 2);
    assert_int_equal(transport_frame(b->t, b->now_us, older[0], &r, &eliciting), 0);
    assert_int_equal(b->memo.credit.send_limit, 1000);
    /* The stream's own limit likewise. */
    b->memo.credit.send_limit = 1 << 20;
    s->out.credit = 1000;
    static const uint8_t stream[] = {FRAME_MAX_STREAM_DATA, 0x40, 0, 0x45, 0xdc}; /* 1,500 */
    assert_int_equal(bare_send(b), 0);
    r = rd_init(stream + 1, 4);
    assert_int_equal(transport_frame(b->t, b->now_us, stream[0], &r, &eliciting), 0);
    assert_true(bare_send(b) > 0);
    assert_int_equal(s->out.next, 1500);
    /* What was lost goes again without any credit. */
    bare_ping(b, b->now_us);
    bare_ping(b, b->now_us);
    bare_ping(b, b->now_us);
    bare_ack(b, b->now_us + 50 * MS, 4, 5);
    assert_true(bare_send(b) > 0);
    assert_int_equal(b->memo.credit.send_used, 1500);
    bare_free(b);
}

/* An acknowledgement that leaves anyway takes what is unacknowledged along, once a PTO; where the
 * peer may be waiting for it, eight timeouts come without backoff, then it doubles as ever. */
static void unacknowledged_credit_rides_along_once_a_pto(void **state) {
    (void)state;
    struct stream *s;
    struct bare *b = with_rtt(50 * MS, &s);
    struct transport *t = b->t;
    b->now_us = 5000 * MS;
    consume(b, s, b->now_us, STREAM_WINDOW_BYTES); /* all that the peer knows of */
    transport_credit_consumed(t, b->now_us, SESSION_WINDOW_BYTES / 2);
    assert_true(bare_send(b) > 0);
    assert_int_equal(t->sent.outstanding, 1);
    unsigned told = 0;
    const uint64_t first_us = b->now_us;
    for (; b->now_us < first_us + 510 * MS;
         b->now_us += 5 * MS) { /* acknowledgements, every 5 ms */
        assert_int_equal(ack_received(&t->ack, b->now_us, b->now_us, true), 0);
        t->ack.due = true;
        const uint32_t before = t->sent.outstanding;
        assert_true(bare_send(b) > 0);
        told += t->sent.outstanding - before;
        if (t->sent.outstanding != before)
            assert_int_equal(sent_get(&t->sent, b->next_pn - 1)->nframes, 3); /* with both limits */
    }
    assert_int_equal(told, 6); /* 50 ms, 1 ms for the variance, 25 ms that the peer may wait */
    assert_int_equal(b->counters.credit_repeated, 2 * told);
    /* Nothing comes any more that would be acknowledged. */
    uint64_t gaps_us[12];
    for (int i = 0; i < 12; i++) {
        const uint64_t at_us = transport_deadline_us(t);
        gaps_us[i] = at_us - t->rec->loss.last_sent_us;
        b->now_us = at_us;
        transport_timeout(t, b->now_us);
        while (bare_send(b) > 0)
            ;
    }
    for (int i = 1; i <= LOSS_EVEN_PTOS; i++)
        assert_int_equal(gaps_us[i], gaps_us[0]);
    assert_int_equal(gaps_us[LOSS_EVEN_PTOS + 1], 2 * gaps_us[0]);
    assert_int_equal(gaps_us[LOSS_EVEN_PTOS + 2], 4 * gaps_us[0]);
    /* Once it is known, that is over. */
    bare_ack(b, b->now_us + 50 * MS, b->next_pn - 1, b->next_pn);
    assert_false(transport_credit_starves(t));
    assert_int_equal(b->memo.credit.given.known, b->memo.credit.given.limit);
    const uint64_t repeated = b->counters.credit_repeated;
    b->now_us += 1000 * MS;
    t->ack.due = true;
    assert_true(bare_send(b) > 0);
    assert_int_equal(b->counters.credit_repeated, repeated);
    bare_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_is_eight_round_trips_of_what_is_consumed),
        cmocka_unit_test(measurements_follow_each_other),
        cmocka_unit_test(a_sender_that_doubles_is_never_held_by_the_window),
        cmocka_unit_test(credit_is_topped_up_at_half_of_the_window),
        cmocka_unit_test(the_session_is_topped_up_and_grows_the_same_way),
        cmocka_unit_test(a_gap_does_not_starve_the_writer),
        cmocka_unit_test(unacknowledged_credit_rides_along_once_a_pto),
        cmocka_unit_test(nothing_is_granted_for_what_nobody_reads),
        cmocka_unit_test(gaps_widen_windows_as_far_as_readers_have_read),
        cmocka_unit_test(nothing_is_granted_that_there_is_no_memory_for),
        cmocka_unit_test(without_credit_nothing_leaves_and_with_it_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
