/* BBR's probes by example, after draft-ietf-ccwg-bbr: for bandwidth, down and up, and for the round
 * trip; acknowledgements made by hand, each border exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/cc/cc_bbr.h"
#include "support_cc_bbr.h"

/* §5.3.3.5: DOWN to CRUISE when the flight leaves headroom and fits; to REFILL after the waiting
 * time. */
static void down_ends_with_the_queue_or_the_waiting_time(void **state) {
    (void)state;
    static const struct {
        uint64_t longterm, in_flight, wait_us;
        enum cc_bbr_state after;
    } table[] = {
        {BBR_INFINITY, 400000, 0, BBR_PROBE_CRUISE},
        {BBR_INFINITY, 400001, 0, BBR_PROBE_DOWN},
        {420000, 400000, 0, BBR_PROBE_CRUISE}, /* headroom, but not out of the pipe */
        {600000, 400001, 0, BBR_PROBE_DOWN},
        {300000, 300001, 0, BBR_PROBE_DOWN}, /* the bound is smaller than the pipe */
        {300000, 300000, 0, BBR_PROBE_CRUISE},
        {BBR_INFINITY, 400001, 2500 * MS, BBR_PROBE_DOWN},
        {BBR_INFINITY, 400001, 2500 * MS + 1, BBR_PROBE_REFILL},
        {BBR_INFINITY, 400000, 2500 * MS + 1, BBR_PROBE_REFILL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cc c = knowing(BBR_PROBE_DOWN, 10 * S);
        c.u.bbr.inflight_longterm = table[i].longterm;
        c.bytes_in_flight = table[i].in_flight;
        ack(&c,
            (struct hand){.now_us = 10 * S + table[i].wait_us, .rtt_us = 40 * MS, .delivered = 1});
        assert_int_equal(c.u.bbr.state, table[i].after);
    }
}

/* §5.3.3.5.3: after at most 63 rounds, or as many as the flight has packets, whichever is less:
 * Reno's. */
static void reno_coexistence_bounds_the_rounds_between_probes(void **state) {
    (void)state;
    static const struct {
        uint64_t cwnd, rounds;
    } table[] = {{800000, 63}, {63 * MSS, 63}, {62 * MSS, 62}, {10 * MSS, 10}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int enough = 0; enough < 2; enough++) {
            struct cc c = knowing(BBR_PROBE_CRUISE, 10 * S);
            c.cwnd_bytes = table[i].cwnd;
            c.u.bbr.rounds_since_probe = table[i].rounds - !enough;
            ack(&c, (struct hand){.now_us = 10 * S + 1, .rtt_us = 40 * MS, .delivered = 1});
            assert_int_equal(c.u.bbr.state, enough ? BBR_PROBE_REFILL : BBR_PROBE_CRUISE);
        }
}

/* REFILL is one round; UP ends when the pipe shows no more, or where it was too much before. */
static void up_ends_when_more_brings_no_more(void **state) {
    (void)state;
    struct cc c = knowing(BBR_PROBE_REFILL, 10 * S);
    struct cc_bbr *b = &c.u.bbr;
    b->bw_shortterm = 5000000;
    uint64_t now_us = 10 * S;
    ack(&c, (struct hand){.now_us = ++now_us, .rtt_us = 40 * MS, .delivered = 1});
    assert_int_equal(b->state, BBR_PROBE_REFILL); /* not a round yet */
    round_at(&c, now_us += 40 * MS, 40 * MS, 10000000);
    assert_int_equal(b->state, BBR_PROBE_UP);
    assert_true(b->is_probe_sample);
    assert_int_equal(b->pacing_gain, 125);
    assert_int_equal(b->cwnd_gain, 225);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(b->state, BBR_PROBE_UP);
        c.bytes_in_flight = 450000;
        round_at(&c, now_us += 44 * MS, 44 * MS, 10000000);
    }
    assert_int_equal(b->state, BBR_PROBE_DOWN);
    assert_int_equal(b->pacing_gain, 90);
}

/* One round is enough where a quarter more than the product of bandwidth and round trip, and two
 * packets, is in flight; two where even the quickest packet waited for an eighth of the round trip,
 * else three; always three where the queue is that of others. */
static void up_ends_sooner_where_a_queue_stands(void **state) {
    (void)state;
    static const struct {
        uint64_t rtt_us, in_flight;
        unsigned rounds;
        bool others;
    } table[] = {{45 * MS, 450000, 3, false},           {45 * MS + 1, 450000, 2, false},
                 {45 * MS + 1, 450000, 3, true},        {44 * MS, 500000 + 2 * MSS - 1, 3, false},
                 {44 * MS, 500000 + 2 * MSS, 1, false}, {44 * MS, 500000 + 2 * MSS, 3, true}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cc c = knowing(BBR_PROBE_REFILL, 10 * S);
        uint64_t now_us = 10 * S;
        c.u.bbr.others = table[i].others;
        round_at(&c, now_us += 40 * MS, 40 * MS, 10000000);
        c.u.bbr.round_min_rtt_us = UINT64_MAX; /* of the round that begins */
        for (unsigned n = 0; n < table[i].rounds; n++) {
            assert_int_equal(c.u.bbr.state, BBR_PROBE_UP);
            ack(&c, (struct hand){.now_us = now_us + 1, .rtt_us = table[i].rtt_us, .delivered = 1});
            c.bytes_in_flight = table[i].in_flight;
            round_at(&c, now_us += 50 * MS, table[i].rtt_us, 10000000);
        }
        assert_int_equal(c.u.bbr.state, BBR_PROBE_DOWN);
    }
}

static void up_ends_where_it_was_too_much_before(void **state) {
    (void)state;
    for (int there = 0; there < 2; there++) {
        struct cc c = knowing(BBR_PROBE_UP, 10 * S);
        struct cc_bbr *b = &c.u.bbr;
        b->full_bw = 10000000;
        b->prev_too_high = true;
        b->inflight_longterm = 450000;
        c.bytes_in_flight = 450000 - !there;
        ack(&c, (struct hand){.now_us = 10 * S + 1, .rtt_us = 40 * MS, .delivered = 1});
        assert_int_equal(b->state, there ? BBR_PROBE_DOWN : BBR_PROBE_UP);
        assert_int_equal(b->prev_precautionary, there);
    }
    /* Where the bound holds the window, it is not the path: the count of rounds begins again. */
    struct cc c = knowing(BBR_PROBE_UP, 10 * S);
    c.u.bbr.inflight_longterm = c.cwnd_bytes = 450000;
    c.u.bbr.full_bw = 10000000;
    c.u.bbr.full_bw_count = 2;
    c.cwnd_limited = true;
    round_at(&c, 10 * S + 40 * MS, 40 * MS, 10000000);
    assert_int_equal(c.u.bbr.state, BBR_PROBE_UP);
    assert_int_equal(c.u.bbr.full_bw_count, 0);
}

/* §5.5.10.2, InflightAtLoss, by hand: of 100,000 in flight, 5,000 in this packet; 6,000 lost with
 * it. Before it 95,000 might lose 1,900 and had lost 1,000; 900 / 0.98 = 918 more would have been 2
 * %. */
static void a_lossy_probe_ends_at_the_flight_that_was_too_much(void **state) {
    (void)state;
    static const struct {
        uint64_t in_flight, bytes, lost, longterm;
        bool app_limited;
    } table[] = {
        {1000000, 50000, 60000, 959183, false}, /* may 19,000, had 10,000: 9,000 / 0.98 = 9,183 */
        {1000000, 5000, 60000, 995000, false},  /* too many already before it */
        {100000, 5000, 6000, 280000, false},    /* not below beta of the target, 0.7 x BDP */
        {1000000, 50000, 60000, BBR_INFINITY, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cc c = knowing(BBR_PROBE_UP, 10 * S);
        struct cc_bbr *b = &c.u.bbr;
        b->is_probe_sample = true;
        c.rate.lost = 7000000000;
        const struct rate_mark m = {
            .lost = (uint32_t)(c.rate.lost + table[i].bytes - table[i].lost),
            .in_flight = (uint32_t)table[i].in_flight,
            .app_limited = table[i].app_limited,
        };
        cc_packet_lost(&c, 10 * S + 1, &m, table[i].bytes);
        assert_true(b->inflight_longterm == table[i].longterm);
        assert_true(b->prev_too_high);
        assert_int_equal(b->state, BBR_PROBE_DOWN);
        assert_int_equal(b->undo_state, BBR_PROBE_UP);
        /* Once per probe. */
        b->inflight_longterm = 77;
        cc_packet_lost(&c, 10 * S + 1, &m, table[i].bytes);
        assert_int_equal(b->inflight_longterm, 77);
    }
    /* 2 % exactly is not too many. */
    struct cc c = knowing(BBR_PROBE_UP, 10 * S);
    c.u.bbr.is_probe_sample = true;
    cc_packet_lost(&c, 10 * S + 1, &(struct rate_mark){.in_flight = 100000}, 2000);
    assert_int_equal(c.u.bbr.state, BBR_PROBE_UP);
    cc_packet_lost(&c, 10 * S + 1, &(struct rate_mark){.in_flight = 100000}, 1);
    assert_int_equal(c.u.bbr.state, BBR_PROBE_DOWN);
}

/* §5.3.4: ten seconds without a sample at or below the minimum. */
static void the_round_trip_is_probed_after_ten_seconds(void **state) {
    (void)state;
    for (int past = 0; past < 2; past++) {
        struct cc c = knowing(BBR_PROBE_CRUISE, 10 * S);
        c.u.bbr.probe_wait_us = 100 * S;
        ack(&c,
            (struct hand){.now_us = 20 * S + (unsigned)past, .rtt_us = 41 * MS, .delivered = 1});
        assert_int_equal(c.u.bbr.state, past ? BBR_PROBE_RTT : BBR_PROBE_CRUISE);
        assert_int_equal(c.u.bbr.min_rtt_us, past ? 41 * MS : 40 * MS);
    }
    /* A sample equal to it, or below, refreshes it. */
    for (unsigned less = 0; less < 2; less++) {
        struct cc c = knowing(BBR_PROBE_CRUISE, 10 * S);
        c.u.bbr.probe_wait_us = 100 * S;
        ack(&c, (struct hand){.now_us = 19 * S, .rtt_us = 40 * MS - less, .delivered = 1});
        assert_int_equal(c.u.bbr.min_rtt_us, 40 * MS - less);
        ack(&c, (struct hand){.now_us = 29 * S, .rtt_us = 45 * MS, .delivered = 1});
        assert_int_equal(c.u.bbr.state, BBR_PROBE_CRUISE);
        ack(&c, (struct hand){.now_us = 29 * S + 1, .rtt_us = 45 * MS, .delivered = 1});
        assert_int_equal(c.u.bbr.state, BBR_PROBE_RTT);
    }
    /* An ACK without a sample changes nothing but the state. */
    struct cc c = knowing(BBR_PROBE_CRUISE, 10 * S);
    c.u.bbr.probe_wait_us = 100 * S;
    ack(&c, (struct hand){.now_us = 20 * S + 1, .delivered = 1});
    assert_int_equal(c.u.bbr.min_rtt_us, 40 * MS);
}

/* §5.3.4.3: half the BDP in flight for 200 ms and a round; then the window of before, and CRUISE,
 * or STARTUP where that was not over. */
static void probe_rtt_lasts_200_ms_and_a_round(void **state) {
    (void)state;
    for (int full = 0; full < 2; full++) {
        struct cc c = knowing(BBR_PROBE_CRUISE, 10 * S);
        struct cc_bbr *b = &c.u.bbr;
        b->probe_wait_us = 100 * S;
        if (!full) {
            b->full_bw_reached = false;
            b->state = BBR_STARTUP;
        }
        uint64_t now_us = 20 * S + 1;
        ack(&c, (struct hand){.now_us = now_us, .rtt_us = 40 * MS + 1, .delivered = 1});
        assert_int_equal(b->state, BBR_PROBE_RTT);
        assert_int_equal(b->prior_cwnd, 800000);
        assert_int_equal(b->probe_rtt_cwnd, 200000); /* half of 10 MB/s x 40 ms */
        assert_int_equal(c.cwnd_bytes, 200000);
        assert_int_equal(b->probe_rtt_done_us, 0);
        c.bytes_in_flight = 200001;
        ack(&c, (struct hand){.now_us = now_us += 10 * MS, .rtt_us = 40 * MS, .delivered = 1});
        assert_int_equal(b->probe_rtt_done_us, 0); /* still too much in flight */
        c.bytes_in_flight = 200000;
        ack(&c, (struct hand){.now_us = now_us += 10 * MS, .rtt_us = 40 * MS, .delivered = 1});
        const uint64_t done_us = now_us + 200 * MS;
        assert_int_equal(b->probe_rtt_done_us, done_us);
        assert_true(c.rate.bubble != 0); /* low rates say nothing now */
        /* The time alone is not enough ... */
        ack(&c, (struct hand){.now_us = done_us + 1, .rtt_us = 40 * MS, .delivered = 1});
        assert_int_equal(b->state, BBR_PROBE_RTT);
        assert_int_equal(c.cwnd_bytes, 200000);
        /* ... nor the round. */
        struct cc early = c;
        round_at(&early, done_us, 40 * MS, 5000000);
        assert_int_equal(early.u.bbr.state, BBR_PROBE_RTT);
        ack(&early, (struct hand){.now_us = done_us + 1, .rtt_us = 40 * MS, .delivered = 1});
        assert_int_equal(early.u.bbr.state, full ? BBR_PROBE_CRUISE : BBR_STARTUP);
        round_at(&c, done_us + 2, 40 * MS, 5000000);
        assert_int_equal(b->state, full ? BBR_PROBE_CRUISE : BBR_STARTUP);
        assert_true(c.cwnd_bytes >= 800000);
        assert_int_equal(b->min_rtt_stamp_us, done_us + 2);
        assert_int_equal(b->max_bw, 10000000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(down_ends_with_the_queue_or_the_waiting_time),
        cmocka_unit_test(reno_coexistence_bounds_the_rounds_between_probes),
        cmocka_unit_test(up_ends_when_more_brings_no_more),
        cmocka_unit_test(up_ends_sooner_where_a_queue_stands),
        cmocka_unit_test(up_ends_where_it_was_too_much_before),
        cmocka_unit_test(a_lossy_probe_ends_at_the_flight_that_was_too_much),
        cmocka_unit_test(the_round_trip_is_probed_after_ten_seconds),
        cmocka_unit_test(probe_rtt_lasts_200_ms_and_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
