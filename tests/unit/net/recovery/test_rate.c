/* Delivery rate samples, worked by hand: draft-ietf-ccwg-bbr §4.1.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/recovery/rate.h"
#include "support_rand.h"

enum { MS = 1000, PKT = 1000, PKTS_MAX = 64 };

/* A flow whose packets, of PKT bytes, are numbered from 0. */
struct flow {
    struct rate r;
    uint64_t in_flight, next;
    uint64_t sent_us[PKTS_MAX];
    struct rate_mark mark[PKTS_MAX];
};

static void leave(struct flow *f, uint64_t now_us) {
    assert_true(f->next < PKTS_MAX);
    rate_sent(&f->r, now_us, PKT, f->in_flight, &f->mark[f->next]);
    f->sent_us[f->next++] = now_us;
    f->in_flight += PKT;
}

static void arrive(struct flow *f, struct rate_sample *s, uint64_t now_us, uint64_t pn) {
    f->in_flight -= PKT;
    rate_acked(&f->r, s, now_us, pn, f->sent_us[pn], PKT, &f->mark[pn]);
}

static struct rate_sample sample(struct flow *f, uint64_t now_us, uint64_t pn, uint64_t min_us) {
    struct rate_sample s = {0};
    arrive(f, &s, now_us, pn);
    rate_finish(&f->r, &s, min_us);
    return s;
}

/* Ten packets a millisecond apart over 100 ms, then each acknowledgement lets one more go: from the
 * second round on the rate is ten packets in a round trip. */
static void a_window_over_its_round_trip_is_the_rate(void **state) {
    (void)state;
    struct flow f = {0};
    const uint64_t t0 = 5000 * MS;
    for (uint64_t i = 0; i < 10; i++)
        leave(&f, t0 + i * MS);
    for (uint64_t i = 0; i < 10; i++) {
        const struct rate_sample s = sample(&f, t0 + (100 + i) * MS, i, 100 * MS);
        assert_int_equal(s.prior_delivered, 0);
        assert_int_equal(s.delivered, (i + 1) * PKT);
        assert_int_equal(s.send_us, i * MS);
        assert_int_equal(s.ack_us, (100 + i) * MS);
        assert_int_equal(s.interval_us, (100 + i) * MS);
        assert_int_equal(s.bytes_per_s, (i + 1) * PKT * 1000 / (100 + i));
        assert_int_equal(s.newly_acked, PKT);
        assert_int_equal(s.in_flight, (i + 1) * PKT);
        assert_false(s.app_limited);
        leave(&f, t0 + (100 + i) * MS);
    }
    for (uint64_t i = 10; i < 20; i++) {
        const struct rate_sample s = sample(&f, t0 + (190 + i) * MS, i, 100 * MS);
        assert_int_equal(s.prior_delivered, (i - 9) * PKT);
        assert_int_equal(s.delivered, 10 * PKT);
        assert_int_equal(s.send_us, 100 * MS);
        assert_int_equal(s.ack_us, 100 * MS);
        assert_int_equal(s.bytes_per_s, 100000);
        assert_int_equal(s.in_flight, 10 * PKT);
    }
}

/* §4.1.2.1: acknowledgements that were held back and come together must not look like a fast path:
 * the time to send caps the rate. */
static void compressed_acknowledgements_are_capped_by_the_send_rate(void **state) {
    (void)state;
    struct flow f = {0};
    leave(&f, 1000 * MS);
    leave(&f, 1050 * MS);
    leave(&f, 1100 * MS);
    sample(&f, 1149 * MS, 0, 0); /* its acknowledgement was held back */
    leave(&f, 1150 * MS);
    struct rate_sample s = {0};
    for (uint64_t pn = 1; pn <= 3; pn++)
        arrive(&f, &s, 1200 * MS, pn);
    rate_finish(&f.r, &s, 50 * MS);
    assert_int_equal(s.newest_pn, 3);
    assert_int_equal(s.newly_acked, 3 * PKT);
    assert_int_equal(s.delivered, 3 * PKT);
    assert_int_equal(s.ack_us, 51 * MS);
    assert_int_equal(s.send_us, 150 * MS);
    assert_int_equal(s.bytes_per_s, 20000); /* not 58,823 */
}

/* Packets of one acknowledgement in any order: the one with the largest number speaks. */
static void the_newest_packet_of_an_acknowledgement_counts(void **state) {
    (void)state;
    static const uint64_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}};
    for (size_t i = 0; i < 4; i++) {
        struct flow f = {0};
        for (uint64_t k = 0; k < 3; k++)
            leave(&f, (1000 + 10 * k) * MS);
        struct rate_sample s = {0};
        for (size_t k = 0; k < 3; k++)
            arrive(&f, &s, 1100 * MS, orders[i][k]);
        rate_finish(&f.r, &s, 0);
        assert_int_equal(s.newest_pn, 2);
        assert_int_equal(s.newly_acked, 3 * PKT);
        assert_int_equal(s.in_flight, 3 * PKT);
        assert_int_equal(s.delivered, 3 * PKT);
        assert_int_equal(s.send_us, 20 * MS);
        assert_int_equal(s.ack_us, 100 * MS);
        assert_int_equal(f.r.first_sent_us, 1020 * MS); /* the next flight is measured from it */
        assert_int_equal(f.r.delivered_us, 1100 * MS);
    }
    /* An old packet that comes alone does not move the beginning back. */
    struct flow f = {0};
    leave(&f, 1000 * MS);
    leave(&f, 1010 * MS);
    sample(&f, 1100 * MS, 1, 0);
    sample(&f, 1105 * MS, 0, 0);
    assert_int_equal(f.r.first_sent_us, 1010 * MS);
}

/* §4.1.2.4: the bubble is over when more than what was in flight with it has been delivered. */
static void an_application_limited_bubble_marks_what_leaves_in_it(void **state) {
    (void)state;
    struct flow f = {0};
    leave(&f, 1000 * MS);
    leave(&f, 1001 * MS);
    rate_app_limited(&f.r, f.in_flight);
    assert_int_equal(f.r.bubble, 2 * PKT);
    leave(&f, 1050 * MS); /* 2: in the bubble */
    assert_false(sample(&f, 1100 * MS, 0, 0).app_limited);
    assert_false(sample(&f, 1101 * MS, 1, 0).app_limited);
    assert_int_equal(f.r.bubble, 2 * PKT); /* exactly delivered is not beyond */
    leave(&f, 1102 * MS);                  /* 3: still in it */
    assert_true(sample(&f, 1150 * MS, 2, 0).app_limited);
    assert_int_equal(f.r.bubble, 0);
    leave(&f, 1151 * MS); /* 4: after it */
    assert_true(sample(&f, 1202 * MS, 3, 0).app_limited);
    assert_false(sample(&f, 1251 * MS, 4, 0).app_limited);
    /* Before anything was delivered, with nothing in flight: a bubble all the same. */
    struct flow g = {0};
    rate_app_limited(&g.r, 0);
    leave(&g, 1 * MS);
    assert_true(g.mark[0].app_limited);
    rate_finish(&g.r, &(struct rate_sample){0}, 0); /* an ACK of nothing */
    assert_true(g.r.bubble != 0);
}

/* §4.1.2.3.2: after a pause the interval begins with the first packet; the pause is not part of
 * it. */
static void a_restart_from_idle_begins_a_new_interval(void **state) {
    (void)state;
    struct flow f = {0};
    leave(&f, 1000 * MS);
    sample(&f, 1100 * MS, 0, 0);
    leave(&f, 9000 * MS);
    leave(&f, 9001 * MS);
    assert_int_equal(f.mark[1].delivered_ago_us, 0);
    assert_int_equal(f.mark[1].first_sent_ago_us, 0);
    const struct rate_sample s = sample(&f, 9100 * MS, 1, 100 * MS);
    assert_int_equal(s.interval_us, 100 * MS);
    assert_int_equal(s.bytes_per_s, 10000);
    assert_int_equal(sample(&f, 9101 * MS, 2, 100 * MS).interval_us, 101 * MS);
    /* With something in flight it goes on from there. */
    leave(&f, 9200 * MS);
    leave(&f, 9250 * MS);
    assert_int_equal(f.mark[4].delivered_ago_us, 50 * MS);
    assert_int_equal(f.mark[4].first_sent_ago_us, 50 * MS);
}

/* §4.1.2.3.3: "the sender MAY have been misled ... below the minimum round trip": no rate then, nor
 * from no time. */
static void an_interval_below_the_minimum_round_trip_gives_none(void **state) {
    (void)state;
    static const struct {
        uint64_t min_us, bytes_per_s;
    } table[] = {{0, 20000}, {49 * MS, 20000}, {50 * MS, 20000}, {50 * MS + 1, 0}, {1000 * MS, 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct flow f = {0};
        leave(&f, 1000 * MS);
        const struct rate_sample s = sample(&f, 1050 * MS, 0, table[i].min_us);
        assert_true(s.any);
        assert_int_equal(s.bytes_per_s, table[i].bytes_per_s);
        assert_int_equal(s.delivered, PKT); /* which still counts rounds */
    }
    struct flow f = {0};
    leave(&f, 1000 * MS);
    assert_int_equal(sample(&f, 1000 * MS, 0, 0).bytes_per_s, 0);
}

/* Marks keep 32 bits: wherever the counters stand, the differences are the same. */
static void the_marks_wrap_without_a_trace(void **state) {
    (void)state;
    static const uint64_t origins[] = {0,
                                       UINT32_MAX - 1500,
                                       UINT32_MAX - 999,
                                       UINT32_MAX,
                                       (uint64_t)UINT32_MAX + 1,
                                       5 * ((uint64_t)UINT32_MAX + 1) - 2500,
                                       UINT64_C(1) << 50};
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        for (size_t k = 0; k < sizeof origins / sizeof *origins; k++) {
            struct flow f = {.r = {.delivered = origins[i], .lost = origins[k]}};
            for (uint64_t n = 0; n < 4; n++)
                leave(&f, (1000 + n) * MS);
            sample(&f, 1100 * MS, 0, 0);
            f.r.lost += 700; /* packet 1 */
            f.in_flight -= PKT;
            leave(&f, 1101 * MS);
            assert_int_equal(rate_lost_since(&f.r, &f.mark[2]), 700);
            assert_int_equal(rate_lost_since(&f.r, &f.mark[4]), 0);
            struct rate_sample s = sample(&f, 1102 * MS, 2, 0);
            assert_true(s.prior_delivered == origins[i]);
            assert_int_equal(s.delivered, 2 * PKT);
            assert_true(s.prior_lost == origins[k]);
            assert_int_equal(s.lost, 700);
            s = sample(&f, 1201 * MS, 4, 0);
            assert_true(s.prior_delivered == origins[i] + PKT);
            assert_int_equal(s.delivered, 2 * PKT);
            assert_int_equal(s.lost, 0);
            assert_int_equal(s.bytes_per_s, 2 * PKT * 1000 / 101);
        }
}

/* What does not fit into a mark is kept at its bound, so no sample is made larger by it. */
static void what_is_too_large_for_a_mark_is_bounded(void **state) {
    (void)state;
    struct rate r = {.delivered_us = 1, .first_sent_us = 1};
    struct rate_mark m;
    rate_sent(&r, UINT64_C(1) << 40, PKT, UINT64_C(1) << 33, &m);
    assert_int_equal(m.in_flight, UINT32_MAX);
    assert_int_equal(m.delivered_ago_us, UINT32_MAX);
    assert_int_equal(m.first_sent_ago_us, UINT32_MAX);
    r = (struct rate){.delivered_us = 900, .first_sent_us = 900};
    rate_sent(&r, 800, PKT, PKT, &m); /* a clock that stood still, at worst */
    assert_int_equal(m.delivered_ago_us, 0);
    assert_int_equal(m.first_sent_ago_us, 0);
}

/* Whatever the order: never more than was sent in the interval, and the counters add up. */
static void no_sample_is_faster_than_the_sending(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("rate", 1);
    for (int round = 0; round < 500; round++) {
        struct flow f = {.r = {.delivered = rand_u64(&rnd) >> 20}};
        const uint64_t origin = f.r.delivered;
        const uint64_t gap_us = 1 + rand_below(&rnd, 5000); /* the sender's fastest */
        uint64_t now_us = 1000000, acked = 0;
        bool done[PKTS_MAX] = {false};
        while (f.next < PKTS_MAX || f.in_flight > 0) {
            now_us += gap_us + (rand_below(&rnd, 8) == 0 ? rand_below(&rnd, 100000) : 0);
            if (f.next < PKTS_MAX)
                leave(&f, now_us);
            if (rand_below(&rnd, 4) > 0)
                continue;
            struct rate_sample s = {0};
            for (uint64_t n = 1 + rand_below(&rnd, 8), pn = 0; n > 0 && pn < f.next; pn++) {
                if (done[pn] || rand_below(&rnd, 3) == 0)
                    continue;
                done[pn] = true;
                arrive(&f, &s, now_us, pn);
                acked += PKT;
                n--;
            }
            rate_finish(&f.r, &s, 0);
            assert_true(f.r.delivered == origin + acked);
            /* At the sender's fastest one packet leaves each gap_us; the first is not part of the
             * interval. */
            if (s.bytes_per_s > 0)
                assert_true(s.bytes_per_s * s.interval_us <= s.delivered * UINT64_C(1000000));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_over_its_round_trip_is_the_rate),
        cmocka_unit_test(compressed_acknowledgements_are_capped_by_the_send_rate),
        cmocka_unit_test(the_newest_packet_of_an_acknowledgement_counts),
        cmocka_unit_test(an_application_limited_bubble_marks_what_leaves_in_it),
        cmocka_unit_test(a_restart_from_idle_begins_a_new_interval),
        cmocka_unit_test(an_interval_below_the_minimum_round_trip_gives_none),
        cmocka_unit_test(the_marks_wrap_without_a_trace),
        cmocka_unit_test(what_is_too_large_for_a_mark_is_bounded),
        cmocka_unit_test(no_sample_is_faster_than_the_sending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
