/* When an acknowledgement is due, and what it reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/base/limits.h"
#include "net/base/timer.h"
#include "net/recovery/ack.h"
#include "net/wire/frame.h"

static struct ack fresh(void) {
    struct ack a;
    ack_init(&a);
    return a;
}

static void take(struct ack *a, uint64_t now_us, uint64_t pn) {
    assert_int_equal(ack_received(a, now_us, pn, true), 0);
}

/* In-order packets, one every `gap_us`, acknowledged when wanted. */
static uint64_t steady(struct ack *a, uint64_t now_us, uint64_t gap_us, uint64_t pkts) {
    for (uint64_t i = 0; i < pkts; i++, now_us += gap_us) {
        take(a, now_us, a->has_largest ? a->largest + 1 : 0);
        if (ack_wanted(a, now_us))
            ack_sent(a);
    }
    return now_us;
}

static void nothing_is_said_while_nothing_waits(void **state) {
    (void)state;
    struct ack a = fresh();
    assert_false(ack_wanted(&a, UINT64_MAX - 1));
    assert_int_equal(ack_received(&a, 5, 0, false), 0); /* an ACK is not acknowledged */
    assert_int_equal(ack_received(&a, 6, 9, false), 0);
    assert_false(ack_wanted(&a, UINT64_MAX - 1));
    assert_true(ranges_has(&a.received, 0)); /* but reported, when something else is */
    ack_clear(&a);
}

static void every_second_packet_is_acknowledged_at_first(void **state) {
    (void)state;
    struct ack a = fresh();
    uint64_t now_us = 1000;
    for (uint64_t pn = 0; pn < ACK_QUICK_PKTS; pn++, now_us += 10) {
        take(&a, now_us, pn);
        assert_int_equal(a.due, pn % 2 == 1);
        if (a.due)
            ack_sent(&a);
        else
            assert_int_equal(a.deadline_us, now_us + 25000);
    }
    ack_clear(&a);
}

static void a_lone_packet_waits_no_longer_than_the_delay_promised(void **state) {
    (void)state;
    struct ack a = fresh();
    take(&a, 1000, 0);
    assert_false(ack_wanted(&a, 25999));
    assert_true(ack_wanted(&a, 26000));
    ack_sent(&a);
    assert_false(ack_wanted(&a, UINT64_MAX - 1));
    assert_true(a.deadline_us == TIME_NEVER);
    ack_clear(&a);
}

static void a_gap_is_reported_at_once(void **state) {
    (void)state;
    struct ack a = fresh();
    take(&a, 0, 10); /* the first packet has nothing before it */
    assert_false(a.due);
    ack_sent(&a);
    take(&a, 1, 12);
    assert_true(a.due);
    ack_sent(&a);
    take(&a, 2, 13); /* the gap is known already */
    assert_false(a.due);
    ack_clear(&a);
}

static void a_late_packet_is_reported_at_once(void **state) {
    (void)state;
    struct ack a = fresh();
    take(&a, 0, 10);
    take(&a, 0, 12);
    ack_sent(&a);
    take(&a, 1, 11);
    assert_true(a.due);
    assert_int_equal(a.received.count, 1);
    assert_int_equal(a.largest, 12);
    ack_sent(&a);
    /* Even when what surrounds it need not be repeated: it undoes a false loss. */
    take(&a, 2, 20);
    ack_sent(&a);
    const struct ack_told told = ack_told(&a, a.received.count);
    ack_forget(&a, &told);
    assert_int_equal(a.received.count, 1);
    take(&a, 3, 15);
    assert_true(a.due);
    assert_true(ranges_has(&a.received, 15));
    assert_false(ranges_has(&a.received, 12));
    assert_true(ranges_has(&a.received, 20));
    ack_clear(&a);
}

static void non_eliciting_packets_do_not_look_like_a_gap(void **state) {
    (void)state;
    struct ack a = fresh();
    take(&a, 0, 0);
    ack_sent(&a);
    assert_int_equal(ack_received(&a, 1, 1, false), 0);
    take(&a, 2, 2);
    assert_false(a.due);
    ack_clear(&a);
}

static void dense_traffic_is_acknowledged_rarely(void **state) {
    (void)state;
    struct ack a = fresh();
    uint64_t now_us = steady(&a, 1000, 10, 1000); /* 100 a millisecond */
    assert_int_equal(a.every, ACK_EVERY_MAX);
    int acks = 0;
    for (int i = 0; i < 320; i++, now_us += 10) {
        take(&a, now_us, a.largest + 1);
        if (ack_wanted(&a, now_us)) {
            acks++;
            ack_sent(&a);
        }
    }
    assert_int_equal(acks, 10);
    ack_clear(&a);
}

static void a_stopped_sender_is_not_kept_waiting_for_a_count(void **state) {
    (void)state;
    struct ack a = fresh();
    uint64_t now_us = steady(&a, 1000, 10, 1000);
    ack_sent(&a);
    take(&a, now_us, a.largest + 1); /* its window ends here */
    assert_false(a.due);
    assert_int_equal(a.deadline_us, now_us + 2 * ACK_SPREAD_MAX_US);
    ack_clear(&a);
}

static void sparse_traffic_goes_back_to_every_second(void **state) {
    (void)state;
    struct ack a = fresh();
    uint64_t now_us = steady(&a, 1000, 10, 1000);
    now_us = steady(&a, now_us, 5000, 30);
    assert_int_equal(a.every, ACK_EVERY_FIRST);
    steady(&a, now_us, 100, 1000); /* ten a millisecond */
    assert_in_range(a.every, 9, 11);
    ack_clear(&a);
}

static void the_table_is_bounded_and_forgets_the_oldest(void **state) {
    (void)state;
    struct ack a = fresh();
    for (uint64_t i = 0; i < 1000; i++)
        take(&a, i, 100 + 2 * i);
    assert_int_equal(a.received.count, ACK_RANGES_MAX);
    assert_int_equal(ranges_at(&a.received, ACK_RANGES_MAX - 1).lo, 100 + 2 * 999);
    assert_int_equal(ranges_at(&a.received, 0).lo, 100 + 2 * (1000 - ACK_RANGES_MAX));
    take(&a, 2000, 50); /* older than all that are remembered: does not push out a newer one */
    assert_int_equal(a.received.count, ACK_RANGES_MAX);
    assert_int_equal(ranges_at(&a.received, 0).lo, 100 + 2 * (1000 - ACK_RANGES_MAX));
    assert_true(a.due);
    ack_clear(&a);
    assert_false(a.has_largest);
}

static void the_delay_is_that_of_the_largest(void **state) {
    (void)state;
    struct ack a = fresh();
    assert_int_equal(ack_delay_us(&a, 500), 0);
    take(&a, 1000, 7);
    take(&a, 3000, 5);
    assert_int_equal(ack_delay_us(&a, 4500), 3500);
    assert_int_equal(ack_delay_us(&a, 900), 0);
    ack_clear(&a);
}

static void an_impossible_number_is_refused(void **state) {
    (void)state;
    struct ack a = fresh();
    assert_int_equal(ack_received(&a, 0, UINT64_MAX, true), ERR_PROTO);
    assert_int_equal(ack_received(&a, 0, (UINT64_C(1) << 62) - 1, true),
                     ERR_PROTO); /* no varint names it */
    assert_false(a.has_largest);
    assert_false(ack_wanted(&a, 1 << 30));
    ack_clear(&a);
}

/* An eighth of the round trip, between 0.1 and 1 ms; also what dense traffic waits for. */
static void acknowledgements_follow_the_round_trip(void **state) {
    (void)state;
    static const struct {
        uint64_t srtt_us, spread_us;
        uint32_t every; /* at a packet each 50 us; the average stays up to 1 us above that */
    } table[] = {{0, 100, 2},      {1, 100, 2},        {799, 100, 2},      {800, 100, 2},
                 {808, 101, 2},    {1600, 200, 3},     {4000, 500, 9},     {7999, 999, 19},
                 {8000, 1000, 19}, {100000, 1000, 19}, {5000000, 1000, 19}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ack a = fresh();
        ack_set_rtt(&a, table[i].srtt_us);
        assert_int_equal(a.spread_us, table[i].spread_us);
        uint64_t now_us = steady(&a, 1000, 50, 1000);
        ack_sent(&a);
        assert_int_equal(a.every, table[i].every);
        take(&a, now_us, a.largest + 1);
        assert_int_equal(a.deadline_us,
                         now_us + (table[i].every > 2 ? 2 * table[i].spread_us : 25000));
        ack_clear(&a);
    }
    /* Four acknowledgements in each round trip at least, however many packets that holds. */
    for (uint64_t rtt_us = 1000; rtt_us < 200000; rtt_us += rtt_us / 3)
        for (uint64_t pkts = 16; pkts <= 4096; pkts *= 2) {
            struct ack a = fresh();
            ack_set_rtt(&a, rtt_us);
            const uint64_t gap_us = rtt_us / pkts ? rtt_us / pkts : 1;
            uint64_t now_us = steady(&a, 1000, gap_us, 2000);
            ack_sent(&a);
            unsigned acks = 0;
            for (uint64_t k = 0; k < rtt_us / gap_us; k++, now_us += gap_us) {
                take(&a, now_us, a.largest + 1);
                if (ack_wanted(&a, now_us)) {
                    acks++;
                    ack_sent(&a);
                }
            }
            assert_true(acks >= 4);
            ack_clear(&a);
        }
}

/* Packets are lost for ever and others come late, all the time: an ACK still says little more than
 * what a round trip brought. */
static void on_a_path_that_reorders_acks_stay_short(void **state) {
    (void)state;
    enum { PKTS = 20000, UNDER_WAY = 60 /* ACKs in a round trip */ };
    struct ack a;
    struct ack_told told[UNDER_WAY];
    uint8_t buf[1400];
    const struct ecn_counts none = {0};
    unsigned count = 0;
    ack_init(&a);
    for (uint64_t pn = 0; pn < PKTS; pn++) {
        const uint64_t now_us = 1000000 + pn * 100;
        if (pn % 100 == 50 || pn % 37 == 36) /* lost; or delayed */
            continue;
        assert_int_equal(ack_received(&a, now_us, pn, true), 0);
        if (pn > 40 && pn % 37 == 3)
            assert_int_equal(ack_received(&a, now_us, pn - 4, true), 0);
        if (!ack_wanted(&a, now_us))
            continue;
        struct wr w = wr_init(buf, sizeof buf);
        const unsigned ranges = frame_write_ack(&w, &a.received, 0, &none, sizeof buf);
        if (count > 1000)
            assert_in_range(ranges, 1, 30);
        const struct ack_told now = ack_told(&a, ranges);
        if (count >= UNDER_WAY)
            ack_forget(&a, &told[count % UNDER_WAY]);
        told[count++ % UNDER_WAY] = now;
        ack_sent(&a);
    }
    assert_true(count > 2000);
    ack_clear(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_while_nothing_waits),
        cmocka_unit_test(every_second_packet_is_acknowledged_at_first),
        cmocka_unit_test(a_lone_packet_waits_no_longer_than_the_delay_promised),
        cmocka_unit_test(a_gap_is_reported_at_once),
        cmocka_unit_test(a_late_packet_is_reported_at_once),
        cmocka_unit_test(on_a_path_that_reorders_acks_stay_short),
        cmocka_unit_test(non_eliciting_packets_do_not_look_like_a_gap),
        cmocka_unit_test(dense_traffic_is_acknowledged_rarely),
        cmocka_unit_test(a_stopped_sender_is_not_kept_waiting_for_a_count),
        cmocka_unit_test(sparse_traffic_goes_back_to_every_second),
        cmocka_unit_test(the_table_is_bounded_and_forgets_the_oldest),
        cmocka_unit_test(the_delay_is_that_of_the_largest),
        cmocka_unit_test(an_impossible_number_is_refused),
        cmocka_unit_test(acknowledgements_follow_the_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
