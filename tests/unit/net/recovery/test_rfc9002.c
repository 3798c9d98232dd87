/* RFC 9002, worked by hand: round trips, thresholds to the microsecond, probe timeouts, persistent
 * congestion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_bare.h"
#include "support_rand.h"

enum { MS = 1000, S = 1000000 };

/* ---- §5: round trips ---- */

/* §5.3 and A.7 in a chain, computed by hand; also RFC 6298 §2.2 and §2.3, whose rules these are
 * (alpha 1/8, beta 1/4, the variation from the smoothed value before it moves). */
static void a_chain_of_samples_gives_the_numbers_worked_by_hand(void **state) {
    (void)state;
    static const struct {
        uint64_t sample_us, delay_us, min_us, srtt_us, var_us;
    } chain[] = {
        {100000, 10000, 100000, 100000, 50000}, /* the first: no delay taken off, half is var */
        {120000, 10000, 100000, 101250, 40000}, /* 110: (3*50+10)/4, (7*100+110)/8 */
        {105000, 8000, 100000, 101718, 30937},  /* 97 would be below min: 105 */
        {90000, 25000, 90000, 100253, 26132},   /* a new minimum */
        {200000, 60000, 90000, 109596, 38285},  /* 60 counts as max_ack_delay, 25: 175 */
        {115000, 25000, 90000, 107146, 33612},  /* to min exactly: 90 */
        {115000, 25001, 90000, 105002, 29495},  /* capped to 25 before it is compared */
        {114999, 25000, 90000, 106251, 24620},  /* one microsecond below min: 114.999 */
    };
    struct rtt r;
    rtt_init(&r);
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++) {
        rtt_sample(&r, chain[i].sample_us, chain[i].delay_us);
        assert_int_equal(r.latest_us, chain[i].sample_us);
        assert_int_equal(r.min_us, chain[i].min_us);
        assert_int_equal(r.srtt_us, chain[i].srtt_us);
        assert_int_equal(r.var_us, chain[i].var_us);
    }
    assert_int_equal(rtt_pto_us(&r), 106251 + 4 * 24620 + 25000); /* §6.2.1 */
}

/* §6.2.1: max(4 * rttvar, kGranularity). */
static void the_granularity_is_the_least_spread(void **state) {
    (void)state;
    static const struct {
        uint64_t var_us, pto_us;
    } table[] = {{0, 36000}, {249, 36000}, {250, 36000}, {251, 36004}, {10000, 75000}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct rtt r = {.has_sample = true, .srtt_us = 10000, .var_us = table[i].var_us};
        assert_int_equal(rtt_pto_us(&r), table[i].pto_us);
    }
}

/* §5.1: a sample only if the largest acknowledged is newly acknowledged; from its send time. */
static void only_the_largest_newly_acknowledged_gives_a_sample(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
    for (uint64_t i = 0; i < 4; i++)
        bare_ping(b, 1 * S + i * 10 * MS);
    bare_ack2(b, 1100 * MS, 0, 0, 1, 2, 0);
    assert_int_equal(b->t->rec->rtt.latest_us, 90 * MS); /* of packet 1 */
    bare_ack2(b, 1120 * MS, 0, 1, 1, 2, 0);              /* 0 is new, the largest is not */
    assert_int_equal(b->t->rec->rtt.latest_us, 90 * MS);
    assert_int_equal(b->t->sent.outstanding, 2);
    bare_ack2(b, 1130 * MS, 0, 0, 2, 4, 5 * MS); /* two new ones: one sample, of the larger */
    assert_int_equal(b->t->rec->rtt.latest_us, 100 * MS);
    /* 95 after the delay: var (3 * 45 + 5) / 4, srtt (7 * 90 + 95) / 8 */
    assert_int_equal(b->t->rec->rtt.var_us, 35 * MS);
    assert_int_equal(b->t->rec->rtt.srtt_us, 90625);
    bare_free(b);
}

/* ---- §6.1: thresholds ---- */

struct flight {
    struct sent sent;
    struct loss loss;
};

static void flight_init(struct flight *f) {
    sent_init(&f->sent, 0);
    loss_init(&f->loss, 0, 0);
}

static void flight_clear(struct flight *f) {
    sent_clear(&f->sent);
}

static struct sent_pkt *leave(struct flight *f, uint64_t pn, uint64_t sent_us) {
    struct sent_pkt *p;
    assert_int_equal(sent_add(&f->sent, pn, &p), 0);
    p->sent_us = sent_us;
    p->path = f->loss.path;
    loss_sent(&f->loss, sent_us);
    return p;
}

static bool arrive(struct flight *f, uint64_t pn) {
    struct sent_pkt *p = sent_get(&f->sent, pn);
    assert_non_null(p);
    const bool was_lost = p->state == SENT_LOST;
    if (!was_lost)
        f->sent.outstanding--;
    p->state = SENT_ACKED;
    return loss_acked(&f->loss, p, was_lost);
}

static unsigned lost(struct flight *f, const struct rtt *rtt, uint64_t now_us) {
    uint64_t cursor = 0;
    unsigned n = 0;
    while (loss_detect(&f->loss, &f->sent, rtt, now_us, &cursor))
        n++;
    return n;
}

/* §6.1.1: kPacketThreshold is 3: "sent at least three before an acknowledged packet". */
static void the_packet_threshold_is_three_numbers(void **state) {
    (void)state;
    const struct rtt rtt = {
        .has_sample = true, .latest_us = 1 * S, .min_us = 1 * S, .srtt_us = 1 * S};
    for (uint64_t distance = 1; distance <= 5; distance++) {
        struct flight f;
        flight_init(&f);
        for (uint64_t pn = 0; pn <= distance; pn++)
            leave(&f, pn, 1000 + pn);
        arrive(&f, distance);
        assert_int_equal(lost(&f, &rtt, 2000), distance >= 3 ? distance - 2 : 0);
        flight_clear(&f);
    }
}

/* §6.1.2: max(kTimeThreshold * max(smoothed_rtt, latest_rtt), kGranularity), kTimeThreshold 9/8. */
static void the_time_threshold_is_exact_to_the_microsecond(void **state) {
    (void)state;
    static const struct {
        uint64_t latest_us, srtt_us, delay_us;
    } table[] = {{80000, 80000, 90000}, {160000, 80000, 180000},
                 {40000, 80000, 90000}, {100001, 100001, 112501},
                 {888, 800, 1000},      {889, 800, 1000},
                 {890, 800, 1001},      {1, 1, 1000},
                 {7, 7, 1000},          {8000, 8007, 9007}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct rtt rtt = {.has_sample = true,
                                .latest_us = table[i].latest_us,
                                .min_us = 1,
                                .srtt_us = table[i].srtt_us};
        struct flight f;
        flight_init(&f);
        leave(&f, 0, 5000);
        leave(&f, 1, 5001);
        leave(&f, 2, 5002);
        arrive(&f, 1);
        const uint64_t at_us = 5000 + table[i].delay_us;
        assert_int_equal(lost(&f, &rtt, at_us - 1), 0);
        assert_int_equal(f.loss.loss_time_us, at_us);
        assert_int_equal(loss_deadline_us(&f.loss, &f.sent, &rtt), at_us);
        assert_int_equal(lost(&f, &rtt, at_us), 1);
        assert_int_equal(f.loss.loss_time_us, TIME_NEVER);
        /* Nothing later than 2 was acknowledged: age alone says nothing (§6.1). */
        assert_int_equal(lost(&f, &rtt, 100 * S), 0);
        flight_clear(&f);
    }
}

/* A.10: the loss timer is that of the earliest of the packets that are late but not lost yet. */
static void the_loss_timer_is_the_earliest_of_the_late_packets(void **state) {
    (void)state;
    const struct rtt rtt = {
        .has_sample = true, .latest_us = 80000, .min_us = 80000, .srtt_us = 80000, .var_us = 1};
    struct flight f;
    flight_init(&f);
    leave(&f, 0, 1000);
    leave(&f, 1, 3000);
    leave(&f, 2, 4000);
    arrive(&f, 2);
    assert_int_equal(lost(&f, &rtt, 50000), 0);
    assert_int_equal(loss_deadline_us(&f.loss, &f.sent, &rtt), 1000 + 90000);
    assert_int_equal(lost(&f, &rtt, 91000), 1);
    assert_int_equal(loss_deadline_us(&f.loss, &f.sent, &rtt), 3000 + 90000);
    assert_int_equal(lost(&f, &rtt, 93000), 1);
    assert_true(loss_deadline_us(&f.loss, &f.sent, &rtt) == TIME_NEVER);
    flight_clear(&f);
}

/* The thresholds follow what the path shows (§6.1.1, §6.1.2; RFC 8985 §6.2): the distance seen, up
 * to a bound, and 9/8, 5/4, 3/2, 2 round trips. */
static void late_packets_raise_the_thresholds_step_by_step(void **state) {
    (void)state;
    static const uint64_t delays_us[] = {90000, 100000, 120000, 160000, 160000};
    const struct rtt rtt = {
        .has_sample = true, .latest_us = 80000, .min_us = 80000, .srtt_us = 80000};
    struct flight f;
    flight_init(&f);
    uint64_t pn = 0;
    for (size_t i = 0; i < 5; i++) {
        const uint64_t sent_us = (i + 1) * S;
        leave(&f, pn, sent_us);
        leave(&f, pn + 1, sent_us);
        arrive(&f, pn + 1);
        assert_int_equal(lost(&f, &rtt, sent_us + delays_us[i] - 1), 0);
        assert_int_equal(lost(&f, &rtt, sent_us + delays_us[i]), 1);
        assert_false(arrive(&f, pn));              /* late; no reduction to undo */
        assert_int_equal(f.loss.pkt_threshold, 3); /* two numbers are no news */
        pn += 2;
    }
    static const struct {
        uint64_t distance, threshold;
    } steps[] = {{3, 4}, {9, 10}, {4, 10}, {255, 256}, {300, 256}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const uint64_t sent_us = (i + 10) * S;
        for (uint64_t k = 0; k <= steps[i].distance; k++)
            leave(&f, pn + k, sent_us);
        arrive(&f, pn + steps[i].distance);
        lost(&f, &rtt, sent_us + 10 * S);
        arrive(&f, pn);
        assert_int_equal(f.loss.pkt_threshold, steps[i].threshold);
        pn += steps[i].distance + 1;
    }
    flight_clear(&f);
}

/* ---- §6.2: probe timeouts ---- */

/* §6.2.1: doubles with every expiry; here to 2 s at most, unless a single one is longer
 * (docs/TRANSPORT.md). */
static void the_probe_timeout_backs_off(void **state) {
    (void)state;
    static const struct {
        uint64_t srtt_us, var_us;
        uint64_t pto_us[8];
    } table[] = {
        {50000, 10000, {115000, 230000, 460000, 920000, 1840000, 2000000, 2000000, 2000000}},
        {1000, 0, {27000, 54000, 108000, 216000, 432000, 864000, 1728000, 1728000}},
        {900000, 268750, {2000000, 2000000, 2000000, 2000000, 2000000, 2000000, 2000000, 2000000}},
        {3000000, 0, {3026000, 3026000, 3026000, 3026000, 3026000, 3026000, 3026000, 3026000}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct rtt rtt = {
            .has_sample = true, .srtt_us = table[i].srtt_us, .var_us = table[i].var_us};
        struct loss l;
        loss_init(&l, 0, 0);
        for (uint32_t n = 0; n < 8; n++) {
            l.pto_count = n;
            assert_int_equal(loss_pto_us(&l, &rtt), table[i].pto_us[n]);
        }
        l.pto_count = UINT32_MAX; /* no shift too far */
        assert_int_equal(loss_pto_us(&l, &rtt), table[i].pto_us[7]);
    }
}

/* §6.2.1: armed for the newest ack-eliciting packet; not while the loss timer runs, not with
 * nothing in flight. */
static void the_probe_timer_counts_from_the_newest_packet(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
    struct transport *t = b->t;
    bare_ping(b, 1 * S);
    /* Before a sample: 333 + 4 * 166.5 + 25 ms (§6.2.2). */
    assert_int_equal(transport_deadline_us(t), 1 * S + 1024 * MS);
    bare_ping(b, 1 * S + 100 * MS);
    assert_int_equal(transport_deadline_us(t), 1 * S + 100 * MS + 1024 * MS);
    b->now_us = 1 * S + 1124 * MS - 1;
    transport_timeout(t, b->now_us);
    assert_int_equal(b->counters.ptos, 0);
    b->now_us++;
    transport_timeout(t, b->now_us);
    assert_int_equal(b->counters.ptos, 1);
    assert_int_equal(t->rec->probes, 2); /* §6.2.4: one or two */
    assert_int_equal(t->rec->loss.pto_count, 1);
    assert_int_equal(t->counters->pkts_lost, 0);                   /* §6.2: a timeout is no loss */
    assert_int_equal(transport_deadline_us(t), b->now_us + 2 * S); /* 2,048 ms, capped */
    /* Two probes leave, whatever the window says; the next timeout counts from the second. */
    assert_true(bare_send(b) > 0);
    b->now_us += 1000;
    assert_true(bare_send(b) > 0);
    assert_int_equal(t->rec->probes, 0);
    assert_int_equal(transport_deadline_us(t), b->now_us + 2 * S);
    /* §6.2.1: an acknowledgement resets the backoff. */
    bare_ack(b, b->now_us + 50 * MS, 0, 4);
    assert_int_equal(t->rec->loss.pto_count, 0);
    assert_int_equal(t->sent.outstanding, 0);
    assert_true(loss_deadline_us(&t->rec->loss, &t->sent, &t->rec->rtt) == TIME_NEVER);
    bare_free(b);
}

/* §6.2.4: a probe carries data where there is any, also the probes of the fifth timeout in a row:
 * what was sent again then is the oldest that was not. */
static void every_probe_carries_data(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
    struct transport *t = b->t;
    struct stream *s = bare_stream(b, 1000);
    assert_true(bare_send(b) > 1000);
    assert_int_equal(s->out.next, 1000);
    for (unsigned timeout = 1; timeout <= 6; timeout++) {
        b->now_us = transport_deadline_us(t);
        transport_timeout(t, b->now_us);
        assert_int_equal(b->counters.ptos, timeout);
        const size_t first = bare_send(b);
        assert_true(first > 1000);
        assert_true(bare_send(b) > 0);
    }
    bare_free(b);
}

/* The loss timer at its time, through the transport: A.9. */
static void the_loss_timer_fires_on_its_microsecond(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
    struct transport *t = b->t;
    bare_ping(b, 1 * S);
    bare_ping(b, 1 * S + 1000);
    bare_ping(b, 1 * S + 1000);
    bare_ack(b, 1 * S + 81000, 1, 2); /* 80 ms */
    const uint64_t at_us = 1 * S + 90000;
    assert_int_equal(transport_deadline_us(t), at_us);
    transport_timeout(t, at_us - 1);
    assert_int_equal(b->counters.pkts_lost, 0);
    transport_timeout(t, at_us);
    assert_int_equal(b->counters.pkts_lost, 1);
    assert_int_equal(b->counters.ptos, 0);
    assert_int_equal(t->rec->cc.reductions, 1);
    /* What is left, packet 2, is the probe timer's: 80 + 4 * 40 + 25 ms after it left. */
    assert_int_equal(transport_deadline_us(t), 1 * S + 1000 + 265000);
    bare_free(b);
}

/* Our paths' numbers stand where the RFC has packet number spaces and paths: backoff, thresholds
 * and the timer begin anew, and the old path's packets are given up one old timeout after the
 * switch. */
static void each_path_has_its_own_probe_timeout(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
    struct transport *t = b->t;
    bare_ping(b, 1 * S);
    bare_ack(b, 1 * S + 40 * MS, 0, 1); /* 40 + 4 * 20 + 25 = 145 ms */
    bare_ping(b, 2 * S);
    t->rec->loss.pto_count = 3;
    t->rec->loss.pkt_threshold = 50;
    t->rec->loss.time_shift = 0;
    b->now_us = 2 * S + 10 * MS;
    assert_int_equal(transport_path_switched(t, b->now_us, 1, NULL), 0);
    assert_int_equal(t->rec->loss.pto_count, 0);
    assert_int_equal(t->rec->loss.pkt_threshold, LOSS_PKT_THRESHOLD);
    assert_int_equal(t->rec->loss.time_shift, LOSS_TIME_SHIFT);
    assert_false(t->rec->rtt.has_sample);
    assert_int_equal(t->rec->probes, 1);
    assert_true(bare_send(b) > 0); /* says hello on the new path: packet 2 */
    assert_int_equal(transport_deadline_us(t), 2 * S + 10 * MS + 145 * MS);
    b->now_us = 2 * S + 155 * MS;
    transport_timeout(t, b->now_us);
    assert_int_equal(sent_get(&t->sent, 1)->state, SENT_LOST);
    assert_int_equal(b->counters.pkts_lost, 0); /* not this path's */
    assert_int_equal(t->rec->cc.reductions, 0);
    assert_int_equal(b->counters.ptos, 0);
    /* The new path's own: from what is not known yet. */
    assert_int_equal(transport_deadline_us(t), 2 * S + 10 * MS + 1024 * MS);
    bare_free(b);
}

/* ---- §7.6: persistent congestion ---- */

/* A transport that knows a path whose probe timeout is 2 s after the sample of 200 ms that the test
 * will give it. */
static struct bare *example(uint64_t first_sample_us) {
    struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
    bare_ping(b, first_sample_us - 200 * MS);
    bare_ack(b, first_sample_us, 0, 1);
    b->t->rec->rtt = (struct rtt){.has_sample = true,
                                  .latest_us = 200 * MS,
                                  .min_us = 200 * MS,
                                  .srtt_us = 200 * MS,
                                  .var_us = 591667};
    return b;
}

/* §7.6.2: the table. Timeouts of 2 s, so the duration is 6 s. Packet 1 is acknowledged at 1.2 s, 2
 * to 8 leave at 1, 2, 3, 4, 5, 6 and 8 s (the last is a probe), the next probe 9 at 12 s is
 * acknowledged at 12.2 s: 2 to 8 are lost, and from 1 to 8 s are 7. */
static void the_example_of_the_rfc_is_persistent_congestion(void **state) {
    (void)state;
    static const uint64_t sent_s[] = {1, 2, 3, 4, 5, 6, 8, 12}; /* packets 2 to 9 */
    const uint64_t zero_us = 100 * S;
    /* The RFC's packet 2 leaves before the ACK of 1 comes; §7.6.2 also wants a sample before the
     * period. Another flight gave that one. */
    struct bare *b = example(zero_us + 900 * MS);
    struct transport *t = b->t;
    for (size_t i = 0; i < 8; i++)
        bare_ping(b, zero_us + sent_s[i] * S);
    const uint64_t before = t->rec->cc.cwnd_bytes;
    bare_ack(b, zero_us + 12 * S + 200 * MS, 8, 9);
    assert_int_equal(rtt_pto_us(&t->rec->rtt), 2 * S); /* as the example says */
    assert_int_equal(b->counters.pkts_lost, 7);
    assert_int_equal(b->counters.persistent_congestion, 1);
    assert_int_equal(t->rec->cc.cwnd_bytes, 2 * MTU_BASE_BYTES); /* kMinimumWindow */
    assert_true(before > t->rec->cc.cwnd_bytes);
    bare_free(b);
}

/* §7.6.1, §7.6.2: the duration must be exceeded, by packets with nothing acknowledged between them,
 * sent after the first sample. */
static void persistent_congestion_begins_beyond_the_duration(void **state) {
    (void)state;
    static const struct {
        uint64_t last_us;   /* of the lost ones; the first leaves at 1 s */
        uint64_t sample_us; /* when the first sample was taken */
        bool between;       /* one in the middle arrives */
        bool persistent;
    } table[] = {
        {7 * S, 900 * MS, false, false}, /* 6 s to the microsecond */
        {7 * S + 1, 900 * MS, false, true},  {7 * S + 1, 900 * MS, true, false},
        {7 * S + 1, 1 * S - 1, false, true}, {7 * S + 1, 1 * S, false, false}, /* not after it */
        {30 * S, 900 * MS, true, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const uint64_t zero_us = 100 * S;
        struct bare *b = example(zero_us + table[i].sample_us);
        bare_ping(b, zero_us + 1 * S); /* packet 1 */
        bare_ping(b, zero_us + 4 * S);
        bare_ping(b, zero_us + table[i].last_us); /* packet 3 */
        b->now_us = zero_us + 40 * S;
        for (int k = 0; k < 3; k++)
            bare_ping(b, b->now_us);
        if (table[i].between)
            assert_int_equal(bare_ack2(b, b->now_us + 200 * MS, 2, 3, 6, 7, 0), 0);
        else
            bare_ack(b, b->now_us + 200 * MS, 6, 7);
        assert_int_equal(b->counters.persistent_congestion, table[i].persistent);
        assert_int_equal(b->t->rec->cc.cwnd_bytes == 2 * MTU_BASE_BYTES, table[i].persistent);
        bare_free(b);
    }
}

/* §7.6.2: "SHOULD NOT start until there is at least one RTT sample". */
static void without_a_sample_there_is_no_persistent_congestion(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
    bare_ping(b, 1 * S);
    bare_ping(b, 60 * S);
    for (int i = 0; i < 3; i++)
        bare_ping(b, 70 * S);
    bare_ack(b, 70 * S + 200 * MS, 4, 5);
    assert_int_equal(b->counters.pkts_lost, 2);
    assert_int_equal(b->counters.persistent_congestion, 0);
    bare_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_samples_gives_the_numbers_worked_by_hand),
        cmocka_unit_test(the_granularity_is_the_least_spread),
        cmocka_unit_test(only_the_largest_newly_acknowledged_gives_a_sample),
        cmocka_unit_test(the_packet_threshold_is_three_numbers),
        cmocka_unit_test(the_time_threshold_is_exact_to_the_microsecond),
        cmocka_unit_test(the_loss_timer_is_the_earliest_of_the_late_packets),
        cmocka_unit_test(late_packets_raise_the_thresholds_step_by_step),
        cmocka_unit_test(the_probe_timeout_backs_off),
        cmocka_unit_test(the_probe_timer_counts_from_the_newest_packet),
        cmocka_unit_test(every_probe_carries_data),
        cmocka_unit_test(the_loss_timer_fires_on_its_microsecond),
        cmocka_unit_test(each_path_has_its_own_probe_timeout),
        cmocka_unit_test(the_example_of_the_rfc_is_persistent_congestion),
        cmocka_unit_test(persistent_congestion_begins_beyond_the_duration),
        cmocka_unit_test(without_a_sample_there_is_no_persistent_congestion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
