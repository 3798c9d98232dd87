/* BBR outside its probes by example, after draft-ietf-ccwg-bbr: beginning, draining, losses,
 * pauses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/cc/cc_bbr.h"
#include "support_cc_bbr.h"

/* §5.3.1.2: the pipe is full after three rounds without a quarter more; a quarter begins the count
 * again. */
static void startup_ends_after_three_rounds_without_a_quarter_more(void **state) {
    (void)state;
    struct cc c = fresh();
    const struct cc_bbr *b = &c.u.bbr;
    uint64_t now_us = 1 * S;
    c.bytes_in_flight = 1 << 20; /* the queue that STARTUP has made */
    static const struct {
        uint64_t rate;
        uint32_t count;
    } rounds[] = {{1000000, 0}, {1250000, 0}, {1562499, 1}, {1562499, 2},
                  {1562500, 0}, {1900000, 1}, {1953124, 2}, {1953124, 3}};
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        assert_int_equal(b->state, BBR_STARTUP);
        round_at(&c, now_us += 40 * MS, 40 * MS, rounds[i].rate);
        assert_int_equal(b->full_bw_count, rounds[i].count);
    }
    assert_true(b->full_bw_reached);
    assert_int_equal(b->state, BBR_DRAIN);
    assert_int_equal(b->pacing_gain, BBR_DRAIN_PACING_PERCENT);
    assert_int_equal(b->max_bw, 1953124);
}

static void what_is_limited_by_the_application_does_not_fill_the_pipe(void **state) {
    (void)state;
    struct cc c = fresh();
    uint64_t now_us = 1 * S;
    round_at(&c, now_us += 40 * MS, 40 * MS, 1000000);
    for (int i = 0; i < 20; i++) {
        const uint64_t prior = c.rate.delivered;
        c.rate.delivered += 20000;
        ack(&c, (struct hand){.now_us = now_us += 40 * MS,
                              .rtt_us = 40 * MS,
                              .prior = prior,
                              .delivered = 20000,
                              .bytes_per_s = 500000,
                              .in_flight = 20000,
                              .newly = 20000,
                              .app_limited = true});
    }
    assert_int_equal(c.u.bbr.state, BBR_STARTUP);
    assert_int_equal(c.u.bbr.max_bw, 1000000); /* §5.5.5: nor lower the bandwidth */
    /* A faster sample is one, whoever was the limit. */
    ack(&c, (struct hand){.now_us = now_us += 1,
                          .prior = c.rate.delivered - 1,
                          .delivered = 1,
                          .bytes_per_s = 1000001,
                          .app_limited = true});
    assert_int_equal(c.u.bbr.max_bw, 1000001);
    for (int i = 0; i < 20; i++) { /* several ACKs of one round count once */
        ack(&c, (struct hand){.now_us = now_us += 1,
                              .rtt_us = 40 * MS,
                              .prior = c.rate.delivered - 1,
                              .delivered = 1,
                              .bytes_per_s = 1000000});
        assert_true(c.u.bbr.full_bw_count <= 1);
    }
}

/* §5.3.1.3: six loss events in a round, and more than 2 % lost. */
static void startup_ends_by_loss_at_six_events_and_two_percent(void **state) {
    (void)state;
    static const struct {
        unsigned events;
        uint64_t lost, in_flight;
        bool leaves;
    } table[] = {{6, 2401, 120000, true}, {5, 2401, 120000, false}, {6, 2400, 120000, false},
                 {6, 1200, 12000, false}, /* a single packet never is too many */
                 {6, 1201, 12000, true},  {9, 60000, 120000, true}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cc c = fresh();
        struct cc_bbr *b = &c.u.bbr;
        round_at(&c, 1 * S + 40 * MS, 40 * MS, 3000000);
        for (unsigned n = 0; n < table[i].events; n++)
            for (int twice = 0; twice < 2; twice++) /* of one ACK: one event */
                cc_packet_lost(&c, 1 * S + 50 * MS + n, &(struct rate_mark){0}, 0);
        assert_int_equal(b->loss_events_in_round, table[i].events);
        const uint64_t prior = c.rate.delivered;
        c.rate.delivered += 150000;
        ack(&c, (struct hand){.now_us = 1 * S + 80 * MS,
                              .rtt_us = 40 * MS,
                              .prior = prior,
                              .delivered = 150000,
                              .bytes_per_s = 6000000, /* twice: no plateau */
                              .lost = table[i].lost,
                              .in_flight = table[i].in_flight,
                              .newly = 150000});
        assert_int_equal(b->full_bw_reached, table[i].leaves);
        assert_int_equal(b->state != BBR_STARTUP, table[i].leaves);
        assert_int_equal(b->loss_events_in_round, 0);
        if (table[i].leaves) /* max(BDP, inflight_latest) of then: 3 MB/s x 40 ms, 150,000 */
            assert_int_equal(b->inflight_longterm, 150000);
        else
            assert_true(b->inflight_longterm == BBR_INFINITY);
    }
}

/* §5.3.2: until what is in flight fits the pipe, or three rounds have passed. */
static void drain_ends_when_the_queue_is_gone_or_after_three_rounds(void **state) {
    (void)state;
    for (int fits = 0; fits < 2; fits++) {
        struct cc c = knowing(BBR_DRAIN, 10 * S);
        c.bytes_in_flight = 400000 + !fits; /* the BDP */
        ack(&c, (struct hand){.now_us = 10 * S + 1, .rtt_us = 40 * MS, .delivered = 1});
        assert_int_equal(c.u.bbr.state, fits ? BBR_PROBE_CRUISE : BBR_DRAIN); /* by DOWN */
    }
    struct cc c = knowing(BBR_DRAIN, 10 * S);
    c.u.bbr.state_round = c.u.bbr.round_count;
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(c.u.bbr.state, BBR_DRAIN);
        c.bytes_in_flight = 700000;
        round_at(&c, 10 * S + (uint64_t)i * 40 * MS, 40 * MS, 10000000);
    }
    assert_int_equal(c.u.bbr.state, BBR_PROBE_DOWN);
}

/* §5.4.1: after a pause pacing begins at the bandwidth; a PROBE_RTT whose time is over ends, and
 * the first ACK does not begin one. */
static void a_restart_from_idle_is_paced_at_the_bandwidth(void **state) {
    (void)state;
    struct cc c = knowing(BBR_PROBE_UP, 10 * S);
    struct cc_bbr *b = &c.u.bbr;
    c.bytes_in_flight = 0;
    b->pacing_rate = 12375000;
    cc_sent(&c, 30 * S, MSS, &(struct rate_mark){0});
    assert_int_equal(b->pacing_rate, 12375000); /* not app-limited: no pause */
    c.bytes_in_flight = 0;
    rate_app_limited(&c.rate, 0);
    cc_sent(&c, 30 * S, MSS, &(struct rate_mark){0});
    assert_int_equal(b->pacing_rate, 9900000);
    assert_true(b->idle_restart);
    assert_int_equal(b->extra_start_us, 30 * S);
    ack(&c, (struct hand){
                .now_us = 30 * S + 50 * MS, .rtt_us = 50 * MS, .delivered = MSS, .newly = MSS});
    assert_int_not_equal(b->state, BBR_PROBE_RTT);
    assert_int_equal(b->min_rtt_us, 50 * MS);
    assert_false(b->idle_restart);

    for (int over = 0; over < 2; over++) {
        c = knowing(BBR_PROBE_RTT, 10 * S);
        c.bytes_in_flight = 0;
        rate_app_limited(&c.rate, 0);
        b->probe_rtt_done_us = 11 * S;
        b->prior_cwnd = 900000;
        cc_sent(&c, 11 * S + (unsigned)over, MSS, &(struct rate_mark){0});
        assert_int_equal(b->state, over ? BBR_PROBE_CRUISE : BBR_PROBE_RTT);
        assert_int_equal(c.cwnd_bytes, over ? 900000 : 800000);
    }
}

/* §5.5.11: a loss that was false: back to where it was, with the bounds of then. */
static void a_false_loss_is_undone(void **state) {
    (void)state;
    struct cc c = fresh();
    struct cc_bbr *b = &c.u.bbr;
    round_at(&c, 1 * S + 40 * MS, 40 * MS, 3000000);
    for (unsigned n = 0; n < 6; n++)
        cc_packet_lost(&c, 1 * S + 50 * MS + n, &(struct rate_mark){0}, 1000);
    cc_lost(&c, 1 * S + 60 * MS, 1 * S + 50 * MS, 0);
    const uint64_t before = c.cwnd_bytes, prior = c.rate.delivered;
    c.rate.delivered += 150000;
    ack(&c, (struct hand){.now_us = 1 * S + 80 * MS,
                          .rtt_us = 40 * MS,
                          .prior = prior,
                          .delivered = 150000,
                          .bytes_per_s = 6000000,
                          .lost = 6000,
                          .in_flight = 150000,
                          .newly = 150000});
    assert_int_not_equal(b->state, BBR_STARTUP);
    assert_true(b->inflight_longterm != BBR_INFINITY);
    cc_spurious(&c, 1 * S + 90 * MS);
    assert_int_equal(b->state, BBR_STARTUP);
    assert_int_equal(b->pacing_gain, BBR_STARTUP_PACING_PERCENT);
    assert_false(b->full_bw_reached || b->full_bw_now || b->in_recovery);
    assert_true(b->inflight_longterm == BBR_INFINITY);
    assert_true(c.cwnd_bytes >= before);

    c = knowing(BBR_PROBE_UP, 10 * S);
    b->is_probe_sample = true;
    b->bw_shortterm = 9000000;
    b->inflight_shortterm = 500000;
    b->inflight_longterm = 700000;
    cc_packet_lost(&c, 10 * S, &(struct rate_mark){.in_flight = 500000}, 50000);
    cc_lost(&c, 10 * S, 9 * S, 0);
    assert_int_equal(b->state, BBR_PROBE_DOWN);
    assert_true(b->inflight_longterm < 700000);
    b->bw_shortterm = 1000000;
    b->inflight_shortterm = 1000;
    c.cwnd_bytes = 100000;
    cc_spurious(&c, 10 * S + 1);
    assert_int_equal(b->state, BBR_PROBE_REFILL);
    assert_int_equal(b->inflight_longterm, 700000);
    assert_true(b->bw_shortterm >= 9000000 && b->inflight_shortterm >= 500000);
    assert_int_equal(c.cwnd_bytes, 800000);
    /* Once. */
    b->state = BBR_PROBE_CRUISE;
    cc_spurious(&c, 10 * S + 2);
    assert_int_equal(b->state, BBR_PROBE_CRUISE);
}

/* Where we are not the draft (head of cc_bbr.c): only rounds with more than 2 % of at least 100
 * packets lost lower the short-term bounds, to 0.7 or what was delivered. */
static void only_a_lossy_round_lowers_the_short_term_bounds(void **state) {
    (void)state;
    static const struct {
        uint64_t delivered, lost, rate;
        bool lowered;
        uint64_t bw, inflight;
    } table[] = {
        {490000, 10000, 9000000, false, 0, 0}, /* 2 % */
        {489999, 10001, 9000000, true, 9000000, 560000},
        {489999, 10001, 5000000, true, 7000000, 560000},
        {588000, 12001, 9000000, true, 9000000, 588000},
        {100 * MSS - 12000 - 1, 12000, 5000000, false, 0, 0}, /* too few packets */
        {100 * MSS - 12000, 12000, 5000000, true, 7000000, 560000},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int probing = 0; probing < 2; probing++) {
            struct cc c = knowing(probing ? BBR_PROBE_REFILL : BBR_PROBE_CRUISE, 10 * S);
            struct cc_bbr *b = &c.u.bbr;
            bbr_reset_short_term(b);
            b->next_round_delivered = UINT64_MAX; /* no round of the other kind ends */
            const uint64_t prior = c.rate.delivered;
            cc_packet_lost(&c, 10 * S, &(struct rate_mark){0}, table[i].lost);
            c.rate.delivered += table[i].delivered;
            ack(&c, (struct hand){.now_us = 10 * S + 40 * MS,
                                  .rtt_us = 40 * MS,
                                  .prior = prior,
                                  .delivered = table[i].delivered,
                                  .bytes_per_s = table[i].rate});
            if (table[i].lowered && !probing) {
                assert_int_equal(b->bw_shortterm, table[i].bw);
                assert_int_equal(b->inflight_shortterm, table[i].inflight);
                assert_int_equal(b->bw, table[i].bw);
            } else {
                assert_true(b->bw_shortterm == BBR_INFINITY);
                assert_true(b->inflight_shortterm == BBR_INFINITY);
            }
        }
}

/* §5.5.9: what comes beyond the bandwidth's share of the time raises the window. */
static void aggregation_is_what_the_bandwidth_does_not_explain(void **state) {
    (void)state;
    struct cc c = knowing(BBR_PROBE_CRUISE, 10 * S);
    const struct cc_bbr *b = &c.u.bbr;
    /* 10 MB/s: 50,000 in 5 ms; 80,000 come. */
    ack(&c, (struct hand){.now_us = 10 * S + 1, .rtt_us = 40 * MS, .newly = 1000});
    assert_int_equal(bbr_extra_acked(b), 1000);
    ack(&c, (struct hand){.now_us = 10 * S + 5 * MS, .rtt_us = 40 * MS, .newly = 80000});
    /* The 1,000 were explained meanwhile: a new stretch begins with these. */
    assert_int_equal(bbr_extra_acked(b), 80000);
    ack(&c, (struct hand){.now_us = 10 * S + 7 * MS, .rtt_us = 40 * MS, .newly = 40000});
    assert_int_equal(bbr_extra_acked(b), 100000);
    ack(&c, (struct hand){.now_us = 19 * S, .rtt_us = 40 * MS, .newly = 900000});
    assert_true(bbr_extra_acked(b) <= c.cwnd_bytes);
    /* The maximum of ten rounds, in two windows of five. */
    for (int i = 1; i <= 10; i++) {
        assert_true(bbr_extra_acked(b) > 100000);
        round_at(&c, 19 * S + (uint64_t)i * S / 10, 40 * MS, 1000000);
    }
    assert_true(bbr_extra_acked(b) <= 100000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup_ends_after_three_rounds_without_a_quarter_more),
        cmocka_unit_test(what_is_limited_by_the_application_does_not_fill_the_pipe),
        cmocka_unit_test(startup_ends_by_loss_at_six_events_and_two_percent),
        cmocka_unit_test(drain_ends_when_the_queue_is_gone_or_after_three_rounds),
        cmocka_unit_test(a_restart_from_idle_is_paced_at_the_bandwidth),
        cmocka_unit_test(a_false_loss_is_undone),
        cmocka_unit_test(only_a_lossy_round_lowers_the_short_term_bounds),
        cmocka_unit_test(aggregation_is_what_the_bandwidth_does_not_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
