/* What makes a path be trusted with marks, and what ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/recovery/ecn.h"

static struct ecn_counts counts(uint64_t ect0, uint64_t ect1, uint64_t ce) {
    return (struct ecn_counts){ect0, ect1, ce};
}

/* So many marked packets leave. */
static uint8_t send(struct ecn *e, unsigned n) {
    uint8_t serial = 0;
    while (n-- > 0) {
        assert_true(ecn_marks(e, true));
        serial = ecn_sent(e, true);
        assert_int_not_equal(serial, 0);
    }
    return serial;
}

static enum ecn_verdict told(struct ecn *e, uint64_t largest, struct ecn_counts c, uint64_t fresh,
                             uint64_t *ce) {
    return ecn_acked(e, largest, &c, fresh, ce);
}

static struct ecn capable(unsigned marked) {
    struct ecn e = {0};
    uint64_t ce;
    send(&e, 1);
    assert_int_equal(told(&e, 0, counts(1, 0, 0), 1, &ce), ECN_VALIDATED);
    assert_int_equal(ce, 0);
    send(&e, marked - 1);
    return e;
}

static void each_mark_is_counted_as_what_it_is(void **state) {
    (void)state;
    struct ecn e = {0};
    static const uint8_t fields[] = {ECN_NOT_ECT, ECN_ECT0, ECN_ECT0, ECN_ECT1,
                                     ECN_CE,      ECN_CE,   ECN_CE};
    assert_false(ecn_has_counts(&e.seen));
    for (size_t i = 0; i < sizeof fields; i++)
        ecn_received(&e, fields[i]);
    assert_true(e.seen.ect0 == 2 && e.seen.ect1 == 1 && e.seen.ce == 3);
    assert_true(ecn_has_counts(&e.seen));
}

static void a_path_is_marked_again_when_the_test_has_come_back(void **state) {
    (void)state;
    struct ecn e = {0};
    uint64_t ce;
    send(&e, ECN_TEST_PKTS);
    assert_false(ecn_marks(&e, true)); /* their fate is waited for */
    assert_int_equal(told(&e, 3, counts(2, 0, 0), 2, &ce), ECN_VALIDATED);
    assert_true(ecn_marks(&e, true));
    assert_int_equal(told(&e, 9, counts(7, 0, 1), 6, &ce), ECN_AS_BEFORE);
    assert_int_equal(ce, 1);
    assert_int_equal(e.state, ECN_CAPABLE);
}

static void congestion_is_told_once_and_old_news_is_none(void **state) {
    (void)state;
    struct ecn e = capable(100);
    uint64_t ce;
    assert_int_equal(told(&e, 50, counts(40, 0, 5), 44, &ce), ECN_AS_BEFORE);
    assert_int_equal(ce, 5);
    assert_int_equal(told(&e, 50, counts(40, 0, 5), 0, &ce), ECN_AS_BEFORE);
    assert_int_equal(ce, 0);
    /* Overtaken by the one before: its counts are lower, and that means nothing. */
    assert_int_equal(told(&e, 40, counts(30, 0, 2), 1, &ce), ECN_AS_BEFORE);
    assert_int_equal(ce, 0);
    assert_int_equal(told(&e, 90, counts(80, 0, 7), 10, &ce), ECN_AS_BEFORE);
    assert_int_equal(ce, 2);
}

static void wrong_counts_end_it(void **state) {
    (void)state;
    static const struct {
        const char *name;
        struct ecn_counts c;
        uint64_t fresh;
    } cases[] = {
        {"too few", {10, 0, 0}, 20},
        {"as if bleached", {20, 0, 0}, 5},
        {"ECT(0) goes back", {19, 0, 30}, 1},
        {"CE goes back", {60, 0, 1}, 1},
        {"ECT(1) was never set", {60, 1, 2}, 1},
        {"more than ever left", {200, 0, 2}, 1},
        {"more CE than ever left", {20, 0, 81}, 1},
        {"no counts", {0, 0, 0}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ecn e = capable(100);
        uint64_t ce;
        assert_int_equal(told(&e, 30, counts(20, 0, 2), 20, &ce), ECN_AS_BEFORE);
        if (told(&e, 60, cases[i].c, cases[i].fresh, &ce) != ECN_REFUTED || ce != 0)
            fail_msg("%s passed", cases[i].name);
        assert_false(ecn_marks(&e, true));
        /* And stays so: right counts come too late, and are no sign of congestion. */
        assert_int_equal(told(&e, 70, counts(25, 0, 4), 1, &ce), ECN_AS_BEFORE);
        assert_int_equal(ce, 0);
        assert_false(ecn_marks(&e, true));
    }
    struct ecn e = capable(100);
    uint64_t ce;
    assert_int_equal(ecn_acked(&e, 30, NULL, 0, &ce), ECN_AS_BEFORE); /* about others */
    assert_int_equal(ecn_acked(&e, 31, NULL, 1, &ce), ECN_REFUTED);
}

static void a_path_that_drops_marks_is_left_alone_after_one_test(void **state) {
    (void)state;
    struct ecn e = {0};
    const uint8_t serial = send(&e, ECN_TEST_PKTS);
    for (unsigned i = 1; i < ECN_TEST_PKTS; i++)
        assert_false(ecn_lost(&e, serial));
    assert_true(ecn_lost(&e, serial));
    assert_int_equal(e.state, ECN_FAILED);
    assert_false(ecn_lost(&e, serial));
}

static void a_lost_packet_is_no_proof_and_two_in_a_row_are(void **state) {
    (void)state;
    struct ecn e = {0};
    for (unsigned test = 1; test <= ECN_TESTS_MAX; test++) {
        const uint8_t serial = send(&e, 1);
        ecn_timeout(&e, 1);
        assert_false(ecn_marks(&e, true)); /* what the timeout sends must come through */
        assert_int_equal(ecn_lost(&e, serial), test == ECN_TESTS_MAX);
        assert_false(ecn_lost(&e, serial)); /* of a test that is over */
    }
    assert_int_equal(e.state, ECN_FAILED);
    /* One that comes through in between. */
    uint64_t ce;
    ecn_new_path(&e);
    const uint8_t serial = send(&e, 2);
    ecn_timeout(&e, 1);
    assert_false(ecn_lost(&e, serial));
    assert_int_equal(told(&e, 9, counts(1, 0, 0), 1, &ce), ECN_VALIDATED);
}

static void a_train_may_be_longer_than_the_test(void **state) {
    (void)state;
    struct ecn e = {0};
    uint8_t serial = send(&e, ECN_TEST_PKTS);
    for (unsigned i = 0; i < 20; i++)
        serial = ecn_sent(&e, true);
    for (unsigned i = 1; i < ECN_TEST_PKTS + 20; i++)
        assert_false(ecn_lost(&e, serial));
    assert_true(ecn_lost(&e, serial));
}

static void a_silent_path_is_tested_again_once_it_answers(void **state) {
    (void)state;
    struct ecn e = capable(30);
    uint64_t ce;
    const uint8_t before = send(&e, 5);
    ecn_timeout(&e, 1);
    assert_true(ecn_marks(&e, true));
    ecn_timeout(&e, 2);
    assert_false(ecn_marks(&e, true));
    for (unsigned i = 0; i < 5; i++)
        assert_false(ecn_lost(&e, before)); /* lost with the rest */
    assert_int_equal(ecn_acked(&e, 40, NULL, 0, &ce), ECN_AS_BEFORE);
    assert_int_equal(e.state, ECN_TESTING);
    send(&e, ECN_TEST_PKTS);
    assert_int_equal(told(&e, 60, counts(11, 0, 0), 10, &ce), ECN_VALIDATED);
}

static void a_new_path_begins_where_the_counts_are(void **state) {
    (void)state;
    struct ecn e = capable(50);
    uint64_t ce;
    assert_int_equal(told(&e, 30, counts(10, 0, 3), 5, &ce), ECN_AS_BEFORE);
    assert_int_equal(told(&e, 31, counts(10, 0, 3), 1, &ce), ECN_REFUTED);
    ecn_new_path(&e);
    send(&e, 4);
    assert_int_equal(told(&e, 40, counts(14, 0, 3), 4, &ce), ECN_VALIDATED);
    assert_int_equal(ce, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mark_is_counted_as_what_it_is),
        cmocka_unit_test(a_path_is_marked_again_when_the_test_has_come_back),
        cmocka_unit_test(congestion_is_told_once_and_old_news_is_none),
        cmocka_unit_test(wrong_counts_end_it),
        cmocka_unit_test(a_path_that_drops_marks_is_left_alone_after_one_test),
        cmocka_unit_test(a_lost_packet_is_no_proof_and_two_in_a_row_are),
        cmocka_unit_test(a_train_may_be_longer_than_the_test),
        cmocka_unit_test(a_silent_path_is_tested_again_once_it_answers),
        cmocka_unit_test(a_new_path_begins_where_the_counts_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
