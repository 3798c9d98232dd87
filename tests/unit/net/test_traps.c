/* Mistakes that other transports have made, each with the example that would show it here. The
 * list, and the tests of the others, are in docs/TRANSPORT.md ("Traps and the tests that hold
 * them").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_bare.h"

enum { MS = 1000, S = 1000000 };

/* A path of 40 ms, known, with `n` packets in flight. */
static struct bare *in_flight(enum cc_kind cc, unsigned n, uint16_t mtu_max) {
    struct bare *b = bare_new(cc, mtu_max);
    bare_ping(b, 1 * S);
    bare_ack(b, 1 * S + 40 * MS, 0, 1);
    for (unsigned i = 0; i < n; i++)
        bare_ping(b, 2 * S + i);
    assert_int_equal(b->t->sent.outstanding, n);
    return b;
}

/* Stale acknowledgements of the old path poison min_rtt and the window: they free data and do
 * nothing else. */
static void acknowledgements_of_the_old_path_feed_nothing(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_BBR; kind++) {
        struct bare *b = in_flight((enum cc_kind)kind, 0, MTU_BASE_BYTES);
        struct transport *t = b->t;
        struct stream *s = bare_stream(b, 5000);
        b->now_us = 2 * S;
        while (bare_send(b) > 0)
            ;
        const uint64_t old = b->next_pn;
        assert_int_equal(s->out.next, 5000);
        assert_true(old >= 5);
        b->now_us += 10 * MS;
        assert_int_equal(transport_path_switched(t, b->now_us, 1, NULL), 0);
        const struct cc before = t->rec->cc;
        assert_int_equal(t->rec->cc.bytes_in_flight, 0);
        bare_ack(b, b->now_us + 1, 1, old);   /* 10 ms after they left, over a path of 40 */
        assert_int_equal(s->out.first, 5000); /* freed */
        assert_int_equal(t->sent.outstanding, 0);
        assert_false(t->rec->rtt.has_sample);
        assert_int_equal(t->rec->rtt.srtt_us, RTT_INITIAL_US);
        assert_false(b->memo.has_rtt);
        assert_int_equal(t->rec->cc.cwnd_bytes, before.cwnd_bytes);
        assert_int_equal(t->rec->cc.bytes_in_flight, 0);
        assert_int_equal(t->rec->cc.rate.delivered, 0);
        assert_false(t->rec->loss.has_acked); /* nor does it say what of the new path is late */
        /* One frame that acknowledges both: the new packet alone gives the sample. */
        bare_ping(b, b->now_us + 1);
        bare_ack(b, b->now_us + 70 * MS, 1, b->next_pn);
        assert_int_equal(t->rec->rtt.min_us, 70 * MS);
        bare_free(b);
    }
}

/* A switch with much in flight to a path that is silent: one timeout after another, not one a
 * packet. */
static void a_silent_new_path_is_probed_and_not_stormed(void **state) {
    (void)state;
    struct bare *b = in_flight(CC_CUBIC, 200, MTU_BASE_BYTES);
    struct transport *t = b->t;
    b->now_us = 2 * S + 20 * MS;
    assert_int_equal(transport_path_switched(t, b->now_us, 1, NULL), 0);
    const uint64_t from_us = b->now_us;
    unsigned packets = 0;
    while (b->now_us < from_us + 20 * S) {
        while (bare_send(b) > 0)
            packets++;
        const uint64_t next_us = transport_deadline_us(t);
        assert_true(next_us > b->now_us); /* no timer in the past */
        b->now_us = next_us;
        transport_timeout(t, b->now_us);
    }
    /* At once, after 1.024 s, then every 2 s: two probes each. */
    assert_in_range(b->counters.ptos, 9, 11);
    assert_true(packets <= 2 * b->counters.ptos + 1);
    assert_int_equal(t->rec->cc.reductions, 0);
    bare_free(b);
}

/* The MTU of the old path must not be tried on the new one; nor its probe that is still out. */
static void a_new_path_begins_with_the_smallest_packets(void **state) {
    (void)state;
    struct bare *b = in_flight(CC_CUBIC, 5, 9000);
    struct transport *t = b->t;
    bare_stream(b, 200000);
    b->now_us = 3 * S;
    uint64_t probe = 0;
    while (probe == 0) {
        assert_true(bare_send(b) > 0);
        if (b->info.probe)
            probe = b->next_pn - 1;
    }
    assert_int_equal(sent_get(&t->sent, probe)->bytes, 1472);
    bare_ack(b, b->now_us + 40 * MS, probe, probe + 1);
    assert_int_equal(transport_mtu(t), 1472);
    assert_int_equal(t->rec->cc.mss_bytes, 1472);
    assert_int_equal(b->memo.mtu_bytes, 1472);
    while (!b->info.probe && bare_send(b) > 0)
        ;
    assert_true(b->info.probe); /* of 8,972, on the old path */
    probe = b->next_pn - 1;
    b->now_us += 10 * MS;
    assert_int_equal(transport_path_switched(t, b->now_us, 1, NULL), 0);
    assert_int_equal(transport_mtu(t), MTU_BASE_BYTES);
    assert_int_equal(t->rec->cc.mss_bytes, MTU_BASE_BYTES);
    assert_int_equal(b->memo.mtu_bytes, 0);
    b->now_us += 1;
    while (bare_send(b) > 0)
        assert_true(b->info.probe || sent_get(&t->sent, b->next_pn - 1)->bytes <= MTU_BASE_BYTES);
    bare_ack(b, b->now_us + 20 * MS, probe, probe + 1);
    assert_int_equal(transport_mtu(t), MTU_BASE_BYTES);
    bare_free(b);
}

/* RFC 8899 §3: a probe's loss is no congestion, neither in the window nor in the books. */
static void a_lost_mtu_probe_is_not_congestion(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_BBR; kind++) {
        struct bare *b = in_flight((enum cc_kind)kind, 5, 9000);
        struct transport *t = b->t;
        bare_stream(b, 200000);
        b->now_us = 3 * S;
        while (!b->info.probe)
            assert_true(bare_send(b) > 0);
        const uint64_t probe = b->next_pn - 1;
        b->t->rec->probes = 3;
        for (int i = 0; i < 3; i++)
            assert_true(bare_send(b) > 0);
        const uint64_t flight = t->rec->cc.bytes_in_flight;
        assert_int_equal(bare_ack2(b, 3 * S + 40 * MS, 1, probe, probe + 1, b->next_pn, 0), 0);
        assert_true(flight > 0);
        assert_int_equal(t->rec->cc.bytes_in_flight, 0); /* also its bytes */
        assert_int_equal(t->rec->cc.reductions, 0);
        assert_int_equal(t->rec->cc.rate.lost, 0);
        assert_int_equal(b->counters.pkts_lost, 0);
        assert_int_equal(t->rec->pmtud.probe_losses, 1);
        assert_int_equal(t->rec->pmtud.probe_bytes, 0); /* and it is tried again */
        bare_free(b);
    }
}

/* RFC 8899 §4.6: the socket says that a size does not fit. */
static void a_size_the_socket_refuses_is_left_at_once(void **state) {
    (void)state;
    struct bare *b = in_flight(CC_CUBIC, 0, 9000);
    struct transport *t = b->t;
    t->rec->pmtud.mtu_bytes = 8972;
    cc_set_mss(&t->rec->cc, 8972);
    transport_too_big(t, 2 * S, MTU_MIN_BYTES); /* nothing smaller is tried */
    assert_int_equal(transport_mtu(t), 8972);
    transport_too_big(t, 2 * S, 1 << 20); /* above what is used: nothing changes */
    assert_int_equal(transport_mtu(t), 8972);
    transport_too_big(t, 2 * S, 8972);
    assert_int_equal(transport_mtu(t), MTU_BASE_BYTES);
    assert_int_equal(t->rec->cc.mss_bytes, MTU_BASE_BYTES);
    assert_int_equal(b->memo.mtu_bytes, MTU_BASE_BYTES);
    transport_too_big(t, 2 * S, MTU_BASE_BYTES);
    assert_int_equal(transport_mtu(t), MTU_MIN_BYTES);
    assert_int_equal(t->rec->cc.mss_bytes, MTU_MIN_BYTES);
    bare_free(b);
}

/* Growth while the application is the limit (RFC 9002 §7.8): a window is not earned by not using
 * it. */
static void a_window_that_is_not_used_does_not_grow(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_RENO; kind++) {
        struct bare *b = in_flight((enum cc_kind)kind, 0, MTU_BASE_BYTES);
        struct transport *t = b->t;
        struct stream *s = bare_stream(b, 0);
        assert_int_equal(bare_send(b), 0); /* nothing to send: that is noted */
        const uint64_t window = t->rec->cc.cwnd_bytes;
        for (unsigned i = 0; i < 100; i++) {
            struct block *block = block_new(b->pool, 512);
            assert_non_null(block);
            block->len = 500;
            assert_int_equal(sstream_push(&s->out, (struct span){block, 0, 500}), 0);
            transport_activate(t, s);
            b->now_us += 10 * MS;
            assert_true(bare_send(b) > 500);
            assert_int_equal(bare_send(b), 0);
            bare_ack(b, b->now_us + 40 * MS, b->next_pn - 1, b->next_pn);
        }
        assert_int_equal(t->rec->cc.cwnd_bytes, window);
        bare_free(b);
        /* The same packets, but the window was full: it grows. */
        b = in_flight((enum cc_kind)kind, 0, MTU_BASE_BYTES);
        t = b->t;
        bare_stream(b, 500000);
        t->rec->pacer.tokens_bytes = 1 << 20;
        while (bare_send(b) > 0)
            b->now_us += 1 * MS;
        assert_false(t->rec->app_limited);
        bare_ack(b, b->now_us + 40 * MS, 1, b->next_pn);
        assert_true(t->rec->cc.cwnd_bytes > window);
        bare_free(b);
    }
}

/* Who acknowledges what was not sent yet, too, lies (RFC 9000 §13.1). */
static void an_acknowledgement_of_the_future_is_a_protocol_error(void **state) {
    (void)state;
    struct bare *b = in_flight(CC_CUBIC, 3, MTU_BASE_BYTES);
    assert_int_equal(bare_ack2(b, 3 * S, 0, 0, 3, b->next_pn + 1, 0), ERR_PROTO);
    assert_int_equal(bare_ack2(b, 3 * S, 0, 0, b->next_pn, b->next_pn + 1, 0), ERR_PROTO);
    assert_int_equal(bare_ack2(b, 3 * S, 0, 0, 3, b->next_pn, 0), 0);
    bare_free(b);
}

/* As many numbers are left out as packets fit into the air; whichever of them is named, its sender
 * lies (RFC 9000 §21.4). */
static void every_number_left_out_is_known_while_it_is_in_flight(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_CUBIC, MTU_BASE_BYTES);
    uint64_t *skipped = calloc(SENT_PKTS_MAX, sizeof *skipped);
    assert_non_null(skipped);
    unsigned count = 0;
    while (b->t->sent.next - b->t->sent.base + 2 < SENT_PKTS_MAX) {
        bare_ping(b, b->now_us + 1);
        if (b->info.skip_after)
            skipped[count++] = b->next_pn - 1;
    }
    assert_true(count > 100);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(bare_ack2(b, b->now_us, 0, 0, skipped[i], skipped[i] + 1, 0), ERR_PROTO);
        assert_int_equal(bare_ack2(b, b->now_us, 0, 0, skipped[i] - 1, b->next_pn, 0), ERR_PROTO);
    }
    /* What is settled needs no trap any more. */
    for (unsigned i = 0; i <= count; i++)
        bare_ack(b, b->now_us, i > 0 ? skipped[i - 1] + 1 : 0, i < count ? skipped[i] : b->next_pn);
    assert_int_equal(b->t->sent.outstanding, 0);
    bare_ack(b, b->now_us, skipped[0] - 1, skipped[0] + 1);
    free(skipped);
    bare_free(b);
}

static int frame(struct bare *b, const uint8_t *bytes, size_t len) {
    struct rd r = rd_init(bytes + 1, len - 1);
    bool eliciting;
    return transport_frame(b->t, b->now_us, bytes[0], &r, &eliciting);
}

/* RESET and FIN in any order, with the reader before, between or after them: one end, the credit
 * given back once, and no contradiction of the final size (RFC 9000 §3.2, §4.5). */
static void a_reset_that_races_a_fin_ends_the_stream_once(void **state) {
    (void)state;
    /* Stream 1 is the peer's first. Four bytes and the end; a reset at four; one at five. */
    static const uint8_t fin[] = {FRAME_STREAM | STREAM_LEN | STREAM_FIN, 1, 4, 1, 2, 3, 4};
    static const uint8_t reset[] = {FRAME_RESET, 1, 7, 4};
    static const uint8_t other[] = {FRAME_RESET, 1, 7, 5};
    for (int reset_first = 0; reset_first < 2; reset_first++)
        for (int reads = 0; reads < 2; reads++) {
            struct bare *b = in_flight(CC_CUBIC, 0, MTU_BASE_BYTES);
            const struct credit *c = &b->memo.credit;
            assert_int_equal(
                reset_first ? frame(b, reset, sizeof reset) : frame(b, fin, sizeof fin), 0);
            struct stream *s = transport_stream(b->t, 1);
            assert_non_null(s);
            bool told = false;
            if (reads && !reset_first) {
                struct span v[2];
                assert_int_equal(rstream_peek(&s->in, 0, v, 2, &told), 1);
                assert_true(told);
                rstream_consume(&s->in, 4);
                transport_credit_consumed(b->t, b->now_us, 4);
                s->in.fin_told = true;
            }
            /* Another final size is a lie, unless all is over for the reader. */
            assert_int_equal(frame(b, other, sizeof other), told || reset_first ? 0 : ERR_PROTO);
            assert_int_equal(
                reset_first ? frame(b, fin, sizeof fin) : frame(b, reset, sizeof reset), 0);
            assert_int_equal(c->received, 4);
            assert_int_equal(c->consumed, 4);
            assert_int_equal(frame(b, reset, sizeof reset), 0); /* repeated */
            assert_int_equal(frame(b, fin, sizeof fin), 0);
            assert_int_equal(c->received, 4);
            assert_int_equal(c->consumed, 4);
            unsigned resets = 0;
            for (struct ep_event e; events_pop(&b->events, &e);)
                resets += e.kind == EP_STREAM_RESET;
            assert_int_equal(resets, told ? 0 : 1);
            assert_int_equal(block_pool_in_use(b->pool), 0); /* although our half is open */
            bare_free(b);
        }
}

/* The sender's side: what is acknowledged of a FIN that left before the reset, or a reset that is
 * lost. */
static void a_reset_after_the_fin_left_is_repeated_until_acknowledged(void **state) {
    (void)state;
    struct bare *b = in_flight(CC_CUBIC, 0, MTU_BASE_BYTES);
    struct transport *t = b->t;
    struct stream *s = bare_stream(b, 1000);
    s->out.fin = true;
    b->now_us = 2 * S;
    assert_true(bare_send(b) > 1000); /* 1: data and FIN */
    assert_true(s->out.fin_sent);
    sstream_reset(&s->out, ERR_CANCELLED);
    transport_deactivate(t, s);
    transport_want_ctl(t, s);
    assert_true(bare_send(b) > 0); /* 2: the reset */
    assert_true(s->out.reset_sent);
    for (int i = 0; i < 3; i++)
        bare_ping(b, 2 * S);                                           /* 3 to 5 */
    assert_int_equal(bare_ack2(b, 2 * S + 40 * MS, 1, 2, 5, 6, 0), 0); /* 2 is lost */
    assert_false(s->out.reset_sent);
    assert_true(bare_send(b) > 0);
    assert_true(s->out.reset_sent);
    unsigned finished = 0;
    for (struct ep_event e; events_pop(&b->events, &e);)
        finished += e.kind == EP_STREAM_FINISHED;
    assert_int_equal(finished, 0); /* who resets has given up: no success is told */
    bare_ack(b, 2 * S + 90 * MS, b->next_pn - 1, b->next_pn);
    assert_true(s->out.reset_acked && sstream_done(&s->out));
    bare_free(b);
}

/* Divisions where windows and round trips are as small as can be. */
static void the_smallest_windows_divide_by_nothing(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, 2, 1200, 65507};
    for (int kind = CC_CUBIC; kind <= CC_BBR; kind++)
        for (size_t i = 0; i < 4; i++) {
            struct cc c;
            cc_init(&c, (enum cc_kind)kind, sizes[i]);
            uint64_t now_us = 1;
            for (int n = 0; n < 3000; n++, now_us++) {
                assert_true(cc_pacing_rate(&c, 0) > 0 && cc_pacing_rate(&c, 1) > 0);
                if (!cc_may_send(&c))
                    cc_discard(&c, c.bytes_in_flight);
                struct rate_mark m;
                struct rate_sample s = {0};
                cc_sent(&c, now_us, sizes[i], &m);
                if (n % 3 == 0) {
                    cc_packet_lost(&c, now_us, &m, sizes[i]);
                    cc_lost(&c, now_us, now_us, sizes[i]);
                    if (n % 9 == 0)
                        cc_persistent(&c);
                    continue;
                }
                rate_acked(&c.rate, &s, now_us, (uint64_t)n, now_us, sizes[i], &m);
                rate_finish(&c.rate, &s, 0);
                cc_acked(&c, &(struct cc_ack){.now_us = now_us,
                                              .bytes = sizes[i],
                                              .newest_sent_us = now_us,
                                              .newest_pn = (uint64_t)n,
                                              .next_pn = (uint64_t)n + 1,
                                              .rtt_latest_us = 1,
                                              .rtt_min_us = 1,
                                              .srtt_us = 1,
                                              .rtt_sample_us = 1,
                                              .rate = s});
                assert_true(c.cwnd_bytes >= 2 * sizes[i]);
            }
        }
}

/* A clock of 1 ms would make every round trip in a LAN zero: nothing may divide by it, spin or
 * stall. */
static void a_round_trip_of_nothing_is_one_microsecond(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_BBR; kind++) {
        struct bare *b = bare_new((enum cc_kind)kind, MTU_BASE_BYTES);
        struct transport *t = b->t;
        struct stream *s = bare_stream(b, 400000);
        for (unsigned guard = 0; s->out.first < 400000; guard++) {
            assert_true(guard < 5000);
            const uint64_t first = b->next_pn;
            while (bare_send(b) > 0)
                ;
            if (b->next_pn > first) {
                bare_ack(b, b->now_us, first, b->next_pn); /* in the same microsecond */
                assert_int_equal(t->rec->rtt.min_us, 1);
            } else {
                assert_true(transport_deadline_us(t) <= b->now_us + 100 * MS);
                b->now_us =
                    transport_deadline_us(t) > b->now_us ? transport_deadline_us(t) : b->now_us + 1;
                transport_timeout(t, b->now_us);
            }
        }
        assert_true(b->now_us < 3 * S);
        assert_int_equal(b->counters.pkts_lost, 0);
        bare_free(b);
    }
}

/* What the next acknowledgement names, oldest first; it leaves without asking for one. */
static struct frame_ack next_ack(struct bare *b) {
    struct frame_ack a;
    b->t->ack.due = true;
    const size_t len = bare_send(b);
    struct rd r = rd_init(b->buf, len);
    assert_int_equal(rd_u8(&r), FRAME_ACK);
    assert_true(frame_read_ack(&r, FRAME_ACK, &a));
    assert_int_equal(rd_left(&r), 0);
    return a;
}

static bool names(const struct frame_ack *a, uint64_t pn) {
    for (unsigned i = 0; i < a->count; i++)
        if (pn >= a->ranges[i].lo && pn < a->ranges[i].hi)
            return true;
    return false;
}

/* A segment of a train may be too small for all ranges: its acknowledgement says nothing about
 * those that were left out, nor about what came late since (RFC 9000 §13.2.4). Who forgets them has
 * the peer send everything in them again. */
static void ranges_that_were_never_told_are_not_forgotten(void **state) {
    (void)state;
    struct bare *b = in_flight(CC_CUBIC, 0, MTU_BASE_BYTES);
    struct transport *t = b->t;
    uint64_t pn = 0;
    for (; pn <= 60; pn += 2) /* every other one is missing */
        assert_int_equal(ack_received(&t->ack, b->now_us, pn, true), 0);
    t->rec->probes = 1;
    t->next_pn = b->next_pn;
    assert_true(transport_build(t, b->now_us, b->next_pn, b->buf, 40, DATA_OVERHEAD_BYTES, false,
                                &b->info) > 0);
    const struct sent_pkt *p = sent_get(&t->sent, b->next_pn++);
    assert_non_null(p);
    assert_int_equal(p->frames[0].kind, SENT_ACK);
    t->next_pn = b->next_pn;
    bare_ack(b, b->now_us + 40 * MS, b->next_pn - 1, b->next_pn);
    struct frame_ack a = next_ack(b);
    for (pn = 0; pn < 40; pn += 2)
        assert_true(names(&a, pn));
    assert_false(names(&a, 58)); /* was told and is known to be */
    assert_true(names(&a, 60));
    /* All are told; before that is known, one comes late. */
    bare_ping(b, b->now_us);
    assert_int_equal(ack_received(&t->ack, b->now_us, 61, true), 0);
    bare_ping(b, b->now_us);
    assert_int_equal(ack_received(&t->ack, b->now_us, 33, true), 0);
    (void)next_ack(b); /* is lost */
    bare_ack(b, b->now_us + 40 * MS, b->next_pn - 2, b->next_pn - 1);
    a = next_ack(b);
    assert_true(names(&a, 33));
    assert_true(names(&a, 61));
    /* And once all is known, nothing but the end is left. */
    bare_ping(b, b->now_us);
    assert_int_equal(ack_received(&t->ack, b->now_us, 62, true), 0);
    bare_ping(b, b->now_us);
    bare_ack(b, b->now_us + 40 * MS, b->next_pn - 1, b->next_pn);
    a = next_ack(b);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.ranges[0].lo, 62);
    bare_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledgements_of_the_old_path_feed_nothing),
        cmocka_unit_test(a_silent_new_path_is_probed_and_not_stormed),
        cmocka_unit_test(a_new_path_begins_with_the_smallest_packets),
        cmocka_unit_test(a_lost_mtu_probe_is_not_congestion),
        cmocka_unit_test(a_size_the_socket_refuses_is_left_at_once),
        cmocka_unit_test(a_window_that_is_not_used_does_not_grow),
        cmocka_unit_test(an_acknowledgement_of_the_future_is_a_protocol_error),
        cmocka_unit_test(every_number_left_out_is_known_while_it_is_in_flight),
        cmocka_unit_test(a_reset_that_races_a_fin_ends_the_stream_once),
        cmocka_unit_test(a_reset_after_the_fin_left_is_repeated_until_acknowledged),
        cmocka_unit_test(the_smallest_windows_divide_by_nothing),
        cmocka_unit_test(a_round_trip_of_nothing_is_one_microsecond),
        cmocka_unit_test(ranges_that_were_never_told_are_not_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
