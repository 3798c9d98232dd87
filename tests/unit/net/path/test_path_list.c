/* The places of a session that has several: which are asked when, how they are counted, which is
 * the better one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/timer.h"
#include "net/path/path_list.h"
#include "support_places.h"

enum { S = 1000000, MS = 1000 };

static struct rand_state source = {.x = 7};
static const struct rng rng = {places_fill, &source};

static struct path_place *added(struct path_list *l, uint8_t last) {
    const struct hop there = place(last);
    struct path_place *p = path_list_add(l, S, &there, false);
    assert_non_null(p);
    return p;
}

/* With place 1 in use. */
static struct path_list begun(void) {
    struct path_list l = {0};
    path_enter(added(&l, 1), S, PATH_ACTIVE, PATH_WHY_BEGAN);
    return l;
}

static struct path_place *at(struct path_list *l, uint8_t last) {
    const struct hop there = place(last);
    return path_list_find(l, &there);
}

/* Whatever is due is asked; this place answers. How many were asked. */
static unsigned asked(struct path_list *l, uint64_t now_us, uint8_t last) {
    unsigned n = 0;
    const struct hop there = place(last);
    for (struct path_place *p; (p = path_list_due(l, &rng, now_us)); n++)
        if (hop_equal(&p->hop, &there))
            assert_ptr_equal(path_list_answered(l, now_us + 10 * MS, p->data, &there), p);
    return n;
}

static void an_answer_counts_only_from_where_it_was_asked(void **state) {
    (void)state;
    struct path_list l = begun();
    struct path_place *p = added(&l, 2);
    const struct hop there = place(2), elsewhere = place(1);
    assert_ptr_equal(path_list_due(&l, &rng, S), p);
    assert_null(path_list_due(&l, &rng, S));
    assert_int_equal(p->status, PATH_PROBING);
    assert_null(path_list_answered(&l, S, p->data, &elsewhere));
    assert_int_equal(p->status, PATH_PROBING);
    assert_ptr_equal(path_list_answered(&l, S + 30 * MS, p->data, &there), p);
    assert_int_equal(p->status, PATH_VALIDATED);
    assert_int_equal(p->rtt.srtt_us, 30 * MS);
    assert_ptr_equal(path_list_standby(&l), p);
    assert_null(path_list_answered(&l, S, p->data, &there)); /* once */
}

static void who_does_not_answer_is_asked_three_times_and_fails(void **state) {
    (void)state;
    struct path_list l = begun();
    struct path_place *p = added(&l, 2);
    unsigned n = 0;
    for (uint64_t t = S; t < 20 * S; t += 100 * MS)
        n += asked(&l, t, 0);
    assert_int_equal(n, PATH_ASK_TRIES);
    assert_int_equal(p->status, PATH_FAILED);
    assert_string_equal(path_why_text((enum path_why)p->why), "does not answer");
    assert_int_equal(path_list_deadline_us(&l), TIME_NEVER); /* nothing flows */
}

static void a_failed_one_is_asked_ever_less_often_and_then_forgotten(void **state) {
    (void)state;
    struct path_list l = begun();
    added(&l, 2)->heard_us = S;
    uint64_t last_us = 0, pause_us = 0;
    unsigned n = 0;
    for (uint64_t t = S; t < 700 * S && at(&l, 2); t += 100 * MS) {
        path_list_used(&l, t);
        if (asked(&l, t, 0) == 0)
            continue;
        assert_true(t < 10 * S || t - last_us >= pause_us || t - last_us >= PATH_FAILED_MAX_US);
        pause_us = t - last_us;
        last_us = t;
        n++;
    }
    assert_in_range(n, 10, 20);
    assert_null(at(&l, 2));
    /* What the user has offered stays. */
    added(&l, 2)->offered = true;
    for (uint64_t t = 700 * S; t < 2000 * S; t += 100 * MS) {
        path_list_used(&l, t);
        (void)asked(&l, t, 0);
    }
    assert_non_null(at(&l, 2));
}

static void a_quiet_one_is_asked_while_data_flows_and_at_once_when_it_flows_again(void **state) {
    (void)state;
    struct path_list l = begun();
    added(&l, 2);
    assert_int_equal(asked(&l, S, 2), 1);
    unsigned n = 0;
    for (uint64_t t = S; t < 31 * S; t += 100 * MS) {
        path_list_used(&l, t);
        n += asked(&l, t, 2);
    }
    assert_in_range(n, 5, 6);
    for (uint64_t t = 31 * S; t < 300 * S; t += 100 * MS)
        assert_true(asked(&l, t, 2) == 0 || t < 31 * S + PATH_FLOW_US);
    assert_int_equal(path_list_deadline_us(&l), TIME_NEVER);
    path_list_used(&l, 300 * S);
    assert_true(path_list_deadline_us(&l) <= 300 * S);
    assert_int_equal(asked(&l, 300 * S, 2), 1);
}

static void eight_places_and_a_failed_one_gives_way(void **state) {
    (void)state;
    struct path_list l = begun();
    for (uint8_t n = 2; n <= PATHS_MAX; n++)
        (void)asked(&l, S, added(&l, n)->hop.udp.remote.ip[3]);
    const struct hop ninth = place(9);
    assert_null(path_list_add(&l, 2 * S, &ninth, false));
    assert_int_equal(path_list_count(&l), PATHS_MAX);
    path_place_fail(at(&l, 5), 2 * S, PATH_WHY_NO_ANSWER);
    assert_non_null(path_list_add(&l, 2 * S, &ninth, false));
    assert_null(at(&l, 5));
    const struct hop tenth = place(10);
    assert_non_null(path_list_add(&l, 2 * S, &tenth, true)); /* never the one in use */
    assert_non_null(at(&l, 1));
}

static int64_t score(const struct hop *there, uint64_t rtt_us, unsigned loss_permille) {
    struct path_place p = {.hop = *there, .status = PATH_VALIDATED};
    rtt_init(&p.rtt);
    path_place_sample(&p, S, rtt_us, false);
    p.loss_permille = (uint16_t)loss_permille;
    return path_place_score(&p);
}

static void the_score_is_the_round_trip_and_what_makes_it_worse(void **state) {
    (void)state;
    const struct hop v4 = place(1), relay = {.kind = HOP_RELAY, .relay = {.flow = 7}};
    struct hop v6 = v4;
    v6.udp.remote.kind = ADDR_IPV6;
    assert_int_equal(score(&v4, 40 * MS, 0), 40 * MS);
    assert_int_equal(score(&v6, 40 * MS, 0), 37 * MS);
    assert_int_equal(score(&relay, 40 * MS, 0), 65 * MS);
    assert_int_equal(score(&v4, 40 * MS, PATH_LOSS_FREE_PERMILLE), 40 * MS);
    assert_int_equal(score(&v4, 40 * MS, PATH_LOSS_FREE_PERMILLE + 100), 40 * MS * 18 / 10);
    const struct path_place unknown = {.hop = v4};
    assert_int_equal(path_place_score(&unknown), INT64_MAX);
}

static bool preferred(uint64_t active_us, uint64_t other_us, unsigned samples) {
    struct path_list l = begun();
    struct path_place *p = added(&l, 2);
    path_place_sample(at(&l, 1), S, active_us, false);
    path_enter(p, S, PATH_VALIDATED, PATH_WHY_ANSWERS);
    bool yes = false;
    for (unsigned i = 0; i < samples; i++) {
        assert_false(yes);
        path_place_sample(p, S, other_us, false);
        yes = path_list_prefers(&l, p, S);
    }
    return yes;
}

static void better_is_five_milliseconds_or_a_tenth_three_times_in_a_row(void **state) {
    (void)state;
    assert_true(preferred(20 * MS, 15 * MS, 3));
    assert_false(preferred(20 * MS, 15 * MS, 2));
    assert_false(preferred(20 * MS, 15 * MS + 1, 9));
    assert_true(preferred(100 * MS, 90 * MS, 3));
    assert_false(preferred(100 * MS, 91 * MS, 9));
    /* In a row: one that is not breaks it. */
    struct path_list l = begun();
    struct path_place *p = added(&l, 2);
    path_place_sample(at(&l, 1), S, 50 * MS, false);
    path_enter(p, S, PATH_VALIDATED, PATH_WHY_ANSWERS);
    path_place_sample(p, S, 20 * MS, false);
    assert_false(path_list_prefers(&l, p, S));
    assert_false(path_list_prefers(&l, p, S));
    p->low_us[0] = 50 * MS;
    assert_false(path_list_prefers(&l, p, S));
    p->low_us[0] = 20 * MS;
    assert_false(path_list_prefers(&l, p, S));
    assert_false(path_list_prefers(&l, p, S));
    assert_true(path_list_prefers(&l, p, S));
}

/* What is measured while much of ours is under way has our own queue in it. */
static void our_own_queue_does_not_make_a_path_worse(void **state) {
    (void)state;
    struct path_list l = begun();
    struct path_place *p = at(&l, 1);
    path_place_sample(p, S, 30 * MS, false);
    for (uint64_t t = S; t < 100 * S; t += S)
        path_place_sample(p, t, 200 * MS, true);
    assert_int_equal(path_place_score(p), 30 * MS);
    path_place_sample(p, 100 * S, 20 * MS, true);
    assert_int_equal(path_place_score(p), 20 * MS);
    for (uint64_t t = 100 * S; t < 150 * S; t += S)
        path_place_sample(p, t, 200 * MS, false); /* it has become longer */
    assert_int_equal(path_place_score(p), 200 * MS);
}

static void losses_count_where_there_is_enough_to_tell(void **state) {
    (void)state;
    struct path_list l = begun();
    struct path_place *p = at(&l, 1);
    path_place_losses(p, PATH_LOSS_ENOUGH_PKTS - 1, PATH_LOSS_ENOUGH_PKTS - 1);
    assert_int_equal(p->loss_permille, 0);
    for (int i = 0; i < 60; i++)
        path_place_losses(p, 100, 10);
    assert_in_range(p->loss_permille, 90, 100);
    for (int i = 0; i < 60; i++)
        path_place_losses(p, 100, 0);
    assert_in_range(p->loss_permille, 0, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_counts_only_from_where_it_was_asked),
        cmocka_unit_test(who_does_not_answer_is_asked_three_times_and_fails),
        cmocka_unit_test(a_failed_one_is_asked_ever_less_often_and_then_forgotten),
        cmocka_unit_test(a_quiet_one_is_asked_while_data_flows_and_at_once_when_it_flows_again),
        cmocka_unit_test(eight_places_and_a_failed_one_gives_way),
        cmocka_unit_test(the_score_is_the_round_trip_and_what_makes_it_worse),
        cmocka_unit_test(better_is_five_milliseconds_or_a_tenth_three_times_in_a_row),
        cmocka_unit_test(our_own_queue_does_not_make_a_path_worse),
        cmocka_unit_test(losses_count_where_there_is_enough_to_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
