/* Packets out on two paths at once: one ring and one ACK for both, and each path hears only of its
 * own. Only the transport is asked here; which path a session uses is another's decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_bare.h"

enum { MS = 1000, S = 1000000 };

struct two {
    struct bare *b;
    struct recovery *first, *second;
};

/* The first path has 40 ms; of the second nothing is known. */
static struct two setup(void) {
    struct two w = {.b = bare_new(CC_RENO, MTU_BASE_BYTES)};
    struct transport *t = w.b->t;
    bare_ping(w.b, 1 * S);
    bare_ack(w.b, 1 * S + 40 * MS, 0, 1);
    w.first = t->rec;
    w.second = recoveries_add(&t->paths);
    assert_non_null(w.second);
    w.second->cc_kind = CC_RENO;
    w.second->mtu_max = MTU_BASE_BYTES;
    recovery_init(w.second, 1 * S, 7, t->next_pn);
    return w;
}

static void ping(struct two *w, struct recovery *by, uint64_t now_us) {
    w->b->t->rec = by;
    bare_ping(w->b, now_us);
    w->b->t->rec = w->first;
}

static void each_path_has_its_own_round_trip(void **state) {
    (void)state;
    struct two w = setup();
    ping(&w, w.first, 2 * S);           /* 1 */
    ping(&w, w.second, 2 * S + 1 * MS); /* 2 */
    assert_int_equal(sent_get(&w.b->t->sent, 1)->path, 0);
    assert_int_equal(sent_get(&w.b->t->sent, 2)->path, 7);
    const uint64_t window = w.first->cc.cwnd_bytes, flight = w.first->cc.bytes_in_flight;
    bare_ack(w.b, 2 * S + 11 * MS, 2, 3);
    assert_int_equal(w.second->rtt.min_us, 10 * MS);
    assert_int_equal(w.first->rtt.min_us, 40 * MS);
    assert_int_equal(w.b->memo.rtt.min_us, 40 * MS); /* of the path in use */
    assert_int_equal(w.first->cc.cwnd_bytes, window);
    assert_int_equal(w.first->cc.bytes_in_flight, flight);
    assert_int_equal(w.second->cc.bytes_in_flight, 0);
    assert_false(w.first->loss.has_acked && w.first->loss.largest_acked > 0);
    bare_ack(w.b, 2 * S + 30 * MS, 1, 3);
    assert_int_equal(w.b->t->sent.outstanding, 0);
    assert_int_equal(w.first->outstanding + w.second->outstanding, 0);
    bare_free(w.b);
}

/* Later packets of one path do not make those of the other late. */
static void a_quick_path_does_not_make_packets_of_a_slow_one_lost(void **state) {
    (void)state;
    struct two w = setup();
    ping(&w, w.first, 2 * S); /* 1 */
    for (unsigned i = 0; i < 20; i++)
        ping(&w, w.second, 2 * S + 1 + i);
    bare_ack(w.b, 2 * S + 10 * MS, 2, 22);
    assert_int_equal(sent_get(&w.b->t->sent, 1)->state, SENT_OUTSTANDING);
    assert_int_equal(w.b->counters.pkts_lost, 0);
    bare_free(w.b);
}

static void what_one_path_loses_only_its_own_window_pays_for(void **state) {
    (void)state;
    struct two w = setup();
    const uint64_t window = w.first->cc.cwnd_bytes, seconds = w.second->cc.cwnd_bytes;
    for (unsigned i = 0; i < 10; i++) { /* the even ones by the first */
        ping(&w, i % 2 ? w.first : w.second, 2 * S + i);
    }
    bare_ack(w.b, 2 * S + 40 * MS, 9, 11); /* the newest of each */
    assert_int_equal(w.first->cc.reductions, 1);
    assert_int_equal(w.second->cc.reductions, 1);
    assert_true(w.first->cc.cwnd_bytes < window && w.second->cc.cwnd_bytes < seconds);
    const uint64_t before = w.first->cc.reductions;
    for (unsigned i = 0; i < 5; i++)
        ping(&w, w.second, 3 * S + i);
    bare_ack(w.b, 3 * S + 60 * MS, 15, 16);
    assert_int_equal(w.second->cc.reductions, 2);
    assert_int_equal(w.first->cc.reductions, before);
    bare_free(w.b);
}

static void ack_marked(struct bare *b, uint64_t now_us, uint64_t lo, uint64_t hi,
                       struct ecn_counts counts) {
    uint8_t buf[64];
    struct wr w = wr_init(buf, sizeof buf);
    struct ranges set;
    ranges_init(&set, 4);
    assert_int_equal(ranges_add(&set, lo, hi), 0);
    assert_true(frame_write_ack(&w, &set, 0, &counts, sizeof buf));
    ranges_clear(&set);
    struct rd r = rd_init(buf, wr_len(&w));
    bool eliciting = false;
    const uint8_t type = rd_u8(&r);
    assert_int_equal(transport_frame(b->t, now_us, type, &r, &eliciting), 0);
}

/* The peer counts marks for the whole session. */
static void congestion_marks_of_the_path_left_are_not_the_new_ones(void **state) {
    (void)state;
    for (int late = 0; late < 2; late++) { /* does the ACK tell of a packet of the old path? */
        struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
        struct transport *t = b->t;
        bare_ping(b, 1 * S); /* 0: of each path the first has no mark */
        bare_ping(b, 1 * S); /* 1 */
        ack_marked(b, 1 * S + 40 * MS, 0, 2, (struct ecn_counts){.ect0 = 1});
        assert_int_equal(b->counters.ecn_validated, 1);
        bare_ping(b, 2 * S); /* 2 */
        if (!late)
            ack_marked(b, 2 * S + 1 * MS, 2, 3, (struct ecn_counts){.ect0 = 2});
        assert_int_equal(transport_path_switched(t, 2 * S + 2 * MS, 1, NULL), 0);
        bare_ping(b, 2 * S + 3 * MS); /* 3 */
        bare_ping(b, 2 * S + 3 * MS); /* 4 */
        ack_marked(b, 2 * S + 50 * MS, late ? 2 : 3, 5, (struct ecn_counts){.ect0 = 2, .ce = 1});
        assert_int_equal(b->counters.ecn_failed, 0);
        assert_int_equal(t->rec->cc.reductions, late ? 0 : 1);
        bare_free(b);
    }
}

/* Where no place is left the path that was left longest ago gives up early; nothing is kept for
 * ever. */
static void many_moves_keep_a_bounded_number_of_paths(void **state) {
    (void)state;
    struct bare *b = bare_new(CC_RENO, MTU_BASE_BYTES);
    struct transport *t = b->t;
    for (unsigned i = 0; i < 3 * RECOVERIES_MAX; i++) {
        bare_ping(b, 1 * S + i * MS);
        assert_int_equal(transport_path_switched(t, b->now_us, (uint16_t)(i + 1), NULL), 0);
        unsigned kept = 0;
        for (unsigned k = 0; k < RECOVERIES_MAX; k++)
            kept += t->paths.v[k] != NULL;
        assert_int_equal(kept, i + 2 < RECOVERIES_MAX ? i + 2 : RECOVERIES_MAX);
    }
    assert_int_equal(sent_get(&t->sent, 0)->state, SENT_LOST);
    assert_int_equal(sent_get(&t->sent, b->next_pn - 1)->state, SENT_OUTSTANDING);
    assert_int_equal(b->counters.pkts_lost, 0); /* none of the path in use */
    b->now_us += 20 * S;
    transport_timeout(t, b->now_us);
    assert_int_equal(t->sent.outstanding, 0);
    for (unsigned k = 0; k < RECOVERIES_MAX; k++)
        assert_true(!t->paths.v[k] || t->paths.v[k] == t->rec);
    bare_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_has_its_own_round_trip),
        cmocka_unit_test(a_quick_path_does_not_make_packets_of_a_slow_one_lost),
        cmocka_unit_test(what_one_path_loses_only_its_own_window_pays_for),
        cmocka_unit_test(congestion_marks_of_the_path_left_are_not_the_new_ones),
        cmocka_unit_test(many_moves_keep_a_bounded_number_of_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
