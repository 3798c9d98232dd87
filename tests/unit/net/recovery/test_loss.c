/* What makes a packet lost, what only looks like it, and when a probe is due (RFC 9002). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/base/timer.h"
#include "net/recovery/loss.h"

struct world {
    struct sent sent;
    struct loss loss;
    struct rtt rtt;
};

/* `n` packets, a millisecond apart, from time 1 ms on; RTT 100 ms. */
static void setup(struct world *w, unsigned n) {
    sent_init(&w->sent, 0);
    loss_init(&w->loss, 0, 0);
    rtt_init(&w->rtt);
    rtt_sample(&w->rtt, 100000, 0);
    for (unsigned i = 0; i < n; i++) {
        struct sent_pkt *p;
        assert_int_equal(sent_add(&w->sent, i, &p), 0);
        p->sent_us = 1000 * (i + 1);
        p->bytes = 1200;
        p->in_flight = true;
        loss_sent(&w->loss, p->sent_us);
    }
}

static void teardown(struct world *w) {
    sent_clear(&w->sent);
}

/* Acknowledges [lo, hi); returns how many were new. */
static unsigned ack(struct world *w, uint64_t lo, uint64_t hi, bool *undo) {
    unsigned n = 0;
    uint64_t pn;
    while (sent_next_acked(&w->sent, lo, hi, &pn)) {
        struct sent_pkt *p = sent_get(&w->sent, pn);
        bool was_lost = p->state == SENT_LOST;
        bool u = loss_acked(&w->loss, p, was_lost);
        if (undo && u)
            *undo = true;
        if (!was_lost)
            w->sent.outstanding--;
        p->state = SENT_ACKED;
        n++;
    }
    return n;
}

static unsigned lost(struct world *w, uint64_t now_us) {
    uint64_t cursor = 0;
    unsigned n = 0;
    while (loss_detect(&w->loss, &w->sent, &w->rtt, now_us, &cursor))
        n++;
    return n;
}

static void three_later_acknowledgements_make_a_loss(void **state) {
    (void)state;
    struct world w;
    setup(&w, 10);
    assert_int_equal(ack(&w, 1, 3, NULL), 2);
    assert_int_equal(lost(&w, 50000), 0); /* 0 is two behind */
    assert_int_equal(ack(&w, 1, 4, NULL), 1);
    assert_int_equal(lost(&w, 50000), 1);
    assert_int_equal(sent_get(&w.sent, 0)->state, SENT_LOST);
    assert_int_equal(lost(&w, 50000), 0);
    teardown(&w);
}

static void an_eighth_more_than_the_round_trip_makes_a_loss(void **state) {
    (void)state;
    struct world w;
    setup(&w, 2);
    ack(&w, 1, 2, NULL);
    assert_int_equal(lost(&w, 1000 + 112499), 0);
    assert_int_equal(w.loss.loss_time_us, 1000 + 112500);
    assert_int_equal(loss_deadline_us(&w.loss, &w.sent, &w.rtt), 1000 + 112500);
    assert_int_equal(lost(&w, 1000 + 112500), 1);
    teardown(&w);
}

static void the_probe_timeout_doubles_to_its_cap(void **state) {
    (void)state;
    struct world w;
    setup(&w, 1);
    /* srtt 100 ms, var 50 ms: 100 + 4 x 50 + 25 ms after the last packet. */
    assert_int_equal(loss_deadline_us(&w.loss, &w.sent, &w.rtt), 1000 + 325000);
    w.loss.pto_count = 1;
    assert_int_equal(loss_deadline_us(&w.loss, &w.sent, &w.rtt), 1000 + 650000);
    w.loss.pto_count = 20;
    assert_int_equal(loss_deadline_us(&w.loss, &w.sent, &w.rtt), 1000 + LOSS_PTO_CAP_US);
    ack(&w, 0, 1, NULL);
    assert_true(loss_deadline_us(&w.loss, &w.sent, &w.rtt) == TIME_NEVER);
    teardown(&w);
}

static void reordering_does_not_collapse_the_window(void **state) {
    (void)state;
    struct world w;
    setup(&w, 40);
    ack(&w, 1, 11, NULL);
    assert_int_equal(lost(&w, 50000), 1);
    w.loss.event_open = true;
    w.loss.unproven = 1;
    bool undo = false;
    assert_int_equal(ack(&w, 0, 1, &undo), 1); /* it was only late, by ten */
    assert_true(undo);
    assert_true(w.loss.pkt_threshold >= 11);
    ack(&w, 12, 21, NULL);
    assert_int_equal(lost(&w, 50000), 0); /* 11 is nine behind: that is normal here */
    teardown(&w);
}

/* A probe that comes late says nothing about the losses for which the window was reduced. */
static void what_was_no_sign_of_congestion_proves_no_loss_false(void **state) {
    (void)state;
    struct world w;
    setup(&w, 40);
    ack(&w, 2, 12, NULL);
    assert_int_equal(lost(&w, 50000), 2);
    sent_get(&w.sent, 0)->excused = true; /* 1 is what the window was reduced for */
    w.loss.event_open = true;
    w.loss.unproven = 1;
    bool undo = false;
    assert_int_equal(ack(&w, 0, 1, &undo), 1);
    assert_false(undo);
    assert_int_equal(ack(&w, 1, 2, &undo), 1);
    assert_true(undo);
    teardown(&w);
}

static void repeated_ranges_settle_nothing_twice(void **state) {
    (void)state;
    struct world w;
    setup(&w, 100);
    assert_int_equal(ack(&w, 0, 50, NULL), 50);
    assert_int_equal(ack(&w, 0, 60, NULL), 10);
    assert_int_equal(ack(&w, 0, 60, NULL), 0);
    assert_int_equal(w.sent.outstanding, 40);
    sent_trim(&w.sent, TIME_NEVER);
    assert_int_equal(w.sent.base, 60);
    teardown(&w);
}

static void the_old_path_is_given_up_after_its_own_timeout(void **state) {
    (void)state;
    struct world w;
    struct loss other;
    struct rtt unknown;
    uint64_t pn, cursor = 0;
    setup(&w, 5);
    loss_leave(&w.loss, 10000, 325000);
    loss_init(&other, 1, 5);
    rtt_init(&unknown);
    struct sent_pkt *p;
    assert_int_equal(sent_add(&w.sent, 5, &p), 0);
    p->path = 1;
    p->sent_us = 20000;
    loss_sent(&other, p->sent_us);
    /* An acknowledgement on the new path says nothing about the old one's packets. */
    assert_true(sent_next_acked(&w.sent, 5, 6, &pn));
    assert_false(loss_acked(&other, p, false));
    p->state = SENT_ACKED;
    w.sent.outstanding--;
    assert_null(loss_detect(&other, &w.sent, &unknown, 300000, &cursor));
    assert_int_equal(lost(&w, 300000), 0);
    assert_int_equal(loss_deadline_us(&w.loss, &w.sent, &w.rtt), 335000);
    assert_int_equal(lost(&w, 334999), 0);
    assert_int_equal(lost(&w, 335000), 5);
    teardown(&w);
}

static void the_ring_is_bounded_and_skips_numbers(void **state) {
    (void)state;
    struct sent s;
    struct sent_pkt *p;
    sent_init(&s, 1000);
    assert_int_equal(sent_add(&s, 1000, &p), 0);
    assert_int_equal(sent_add(&s, 1005, &p), 0);
    assert_null(sent_get(&s, 1003));
    assert_null(sent_get(&s, 999));
    assert_non_null(sent_get(&s, 1005));
    assert_int_equal(sent_add(&s, 1000 + SENT_PKTS_MAX, &p), ERR_FULL);
    sent_undo(&s);
    assert_int_equal(s.outstanding, 1);
    sent_clear(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_no_sign_of_congestion_proves_no_loss_false),
        cmocka_unit_test(three_later_acknowledgements_make_a_loss),
        cmocka_unit_test(an_eighth_more_than_the_round_trip_makes_a_loss),
        cmocka_unit_test(the_probe_timeout_doubles_to_its_cap),
        cmocka_unit_test(reordering_does_not_collapse_the_window),
        cmocka_unit_test(repeated_ranges_settle_nothing_twice),
        cmocka_unit_test(the_old_path_is_given_up_after_its_own_timeout),
        cmocka_unit_test(the_ring_is_bounded_and_skips_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
