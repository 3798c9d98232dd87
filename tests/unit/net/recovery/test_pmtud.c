/* The search on paths of every size, and the ways back: RFC 8899. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/base/limits.h"
#include "net/recovery/pmtud.h"
#include "support_rand.h"

#define S UINT64_C(1000000)

/* Runs the search over a path that passes `limit` bytes. Gives the number of probes; `lossy` of 256
 * probes are lost although they would fit. `told`: the socket says what does not fit. */
static unsigned search(struct pmtud *p, uint64_t now_us, uint16_t limit, bool told, unsigned lossy,
                       struct rand_state *rnd) {
    unsigned probes = 0;
    for (uint16_t size; (size = pmtud_probe(p, now_us)) != 0; probes++) {
        assert_true(size > p->mtu_bytes && size <= p->max_bytes);
        assert_true(probes < 200);
        if (told && size > limit) {
            assert_false(pmtud_too_big(p, now_us, size));
            continue;
        }
        pmtud_probe_sent(p, size);
        assert_int_equal(pmtud_probe(p, now_us), 0); /* one at a time */
        if (size > limit || (rnd && rand_below(rnd, 256) < lossy))
            pmtud_probe_lost(p, now_us, size);
        else
            assert_true(pmtud_probe_acked(p, now_us, size));
    }
    assert_int_equal(p->state, PMTUD_COMPLETE);
    assert_true(p->mtu_bytes <= limit);
    return probes;
}

static void it_starts_with_what_every_path_carries(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    assert_int_equal(p.mtu_bytes, 1200);
    assert_int_equal(p.state, PMTUD_SEARCHING);
    pmtud_init(&p, 500);
    assert_int_equal(p.mtu_bytes, 1200);
    assert_int_equal(pmtud_probe(&p, 0), 0);
    assert_int_equal(p.state, PMTUD_COMPLETE);
}

static void common_paths_are_found_exactly_and_quickly(void **state) {
    (void)state;
    static const struct {
        uint16_t limit, found;
        bool told;
        unsigned probes_max;
    } table[] = {
        {65507, 65507, false, 3}, /* loopback */
        {1472, 1472, true, 3},    /* Ethernet, as the socket knows it */
        {1472, 1472, false, 7},   /* Ethernet, in silence */
        {8972, 8972, true, 4},    {8972, 8972, false, 8},  {1452, 1452, true, 8},
        {1420, 1420, false, 16},  {1392, 1392, false, 16}, {1372, 1372, false, 16},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pmtud p;
        pmtud_init(&p, MTU_MAX_BYTES);
        unsigned probes = search(&p, 0, table[i].limit, table[i].told, 0, NULL);
        assert_int_equal(p.mtu_bytes, table[i].found);
        assert_in_range(probes, 1, table[i].probes_max);
    }
}

static void every_path_is_found_to_within_the_gap(void **state) {
    (void)state;
    for (unsigned limit = 1200; limit <= 65507; limit += limit < 9100 ? 1 : 37) {
        struct pmtud p;
        pmtud_init(&p, MTU_MAX_BYTES);
        search(&p, 0, (uint16_t)limit, limit % 2, 0, NULL);
        assert_true(limit - p.mtu_bytes < PMTUD_GAP_BYTES);
    }
}

static void nothing_above_the_bound_is_tried(void **state) {
    (void)state;
    for (unsigned max = 1200; max <= 1600; max++) {
        struct pmtud p;
        pmtud_init(&p, (uint16_t)max);
        search(&p, 0, MTU_MAX_BYTES, false, 0, NULL); /* checks every size */
        assert_int_equal(p.mtu_bytes, max);
    }
}

static void random_loss_does_not_raise_it_too_far(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("pmtud", 7);
    unsigned exact = 0;
    for (int i = 0; i < 500; i++) {
        struct pmtud p;
        pmtud_init(&p, MTU_MAX_BYTES);
        search(&p, 0, 1472, false, 26, &rnd); /* 10 % */
        exact += p.mtu_bytes == 1472;
    }
    assert_true(exact > 480); /* three losses in a row are one in a thousand */
}

static void a_size_is_given_up_after_three_losses(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    uint16_t size = pmtud_probe(&p, 0);
    for (int i = 0; i < PMTUD_PROBES; i++) {
        assert_int_equal(pmtud_probe(&p, 0), size);
        pmtud_probe_sent(&p, size);
        pmtud_probe_lost(&p, 0, (uint16_t)(size - 1)); /* not ours */
        assert_int_equal(pmtud_probe(&p, 0), 0);
        pmtud_probe_lost(&p, 0, size);
    }
    assert_true(pmtud_probe(&p, 0) < size);
    assert_int_equal(p.mtu_bytes, 1200);
}

static void a_success_between_losses_starts_the_count_again(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    for (int i = 0; i < 2; i++) {
        pmtud_probe_sent(&p, 1472);
        pmtud_probe_lost(&p, 0, 1472);
    }
    pmtud_probe_sent(&p, 1472);
    assert_true(pmtud_probe_acked(&p, 0, 1472));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pmtud_probe(&p, 0), 8972);
        pmtud_probe_sent(&p, 8972);
        pmtud_probe_lost(&p, 0, 8972);
    }
    assert_int_equal(pmtud_probe(&p, 0), 8972);
}

static void a_late_answer_still_counts(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    for (int i = 0; i < PMTUD_PROBES; i++) {
        pmtud_probe_sent(&p, 1472);
        pmtud_probe_lost(&p, 0, 1472);
    }
    uint16_t lower = pmtud_probe(&p, 0);
    assert_true(lower < 1472);
    pmtud_probe_sent(&p, lower);
    assert_true(pmtud_probe_acked(&p, 0, 1472));
    assert_int_equal(p.mtu_bytes, 1472);
    assert_false(pmtud_probe_acked(&p, 0, lower)); /* no longer of interest */
    assert_int_equal(p.mtu_bytes, 1472);
    assert_int_equal(pmtud_probe(&p, 0), 8972); /* and the bound it had made is gone */
}

static void a_finished_search_rests_until_the_raise_timer(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    search(&p, 5 * S, 1472, false, 0, NULL);
    assert_int_equal(pmtud_probe(&p, 5 * S + PMTUD_RAISE_US - 1), 0);
    assert_int_equal(pmtud_probe(&p, 5 * S + PMTUD_RAISE_US), 8972);
    search(&p, 5 * S + PMTUD_RAISE_US, 8972, false, 0, NULL); /* the path has become better */
    assert_int_equal(p.mtu_bytes, 8972);
    assert_int_equal(pmtud_probe(&p, 6 * S + PMTUD_RAISE_US), 0);
}

static void the_largest_size_leaves_nothing_to_raise(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, 1472);
    search(&p, 0, 1472, false, 0, NULL);
    assert_int_equal(pmtud_probe(&p, 2 * PMTUD_RAISE_US), 0);
    assert_int_equal(p.state, PMTUD_COMPLETE);
}

static void the_socket_refusing_a_confirmed_size_leads_to_the_base(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    search(&p, 0, 8972, true, 0, NULL);
    assert_true(pmtud_too_big(&p, S, 1472)); /* the interface changed */
    assert_int_equal(p.mtu_bytes, 1200);
    assert_int_equal(p.state, PMTUD_SEARCHING);
    assert_true(pmtud_probe(&p, S) < 1472);
    search(&p, S, 1471, true, 0, NULL);
    assert_in_range(p.mtu_bytes, 1452, 1471);
    assert_false(pmtud_too_big(&p, S, MTU_MIN_BYTES)); /* there is nothing smaller */
    assert_false(pmtud_too_big(&p, S, 100));
    assert_in_range(p.mtu_bytes, 1452, 1471);
    assert_true(pmtud_too_big(&p, S, 1200)); /* an underlay of 1124, say */
    assert_int_equal(p.mtu_bytes, MTU_MIN_BYTES);
    search(&p, S, 1096, true, 0, NULL);
    assert_int_equal(p.mtu_bytes, 1096);
}

static void a_refused_probe_in_flight_is_forgotten(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    pmtud_probe_sent(&p, 1472);
    assert_false(pmtud_too_big(&p, 0, 1400));
    uint16_t next = pmtud_probe(&p, 0);
    assert_in_range(next, 1201, 1399);
    pmtud_probe_lost(&p, 0, 1472); /* says nothing new */
    assert_int_equal(pmtud_probe(&p, 0), next);
}

static void big_losses_without_a_big_success_are_a_black_hole(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    search(&p, 0, 1472, true, 0, NULL);
    assert_false(pmtud_packet_lost(&p, S, 1472)); /* after a success: excused, with its batch */
    assert_false(pmtud_packet_lost(&p, S, 1472));
    pmtud_packet_acked(&p, 300); /* small ones pass */
    assert_false(pmtud_packet_lost(&p, 2 * S, 1472));
    assert_false(pmtud_packet_lost(&p, 2 * S, 1472));
    assert_false(pmtud_packet_lost(&p, 3 * S, 800)); /* small losses say nothing about size */
    assert_false(pmtud_packet_lost(&p, 4 * S, 1472));
    assert_int_equal(p.mtu_bytes, 1472);
    assert_true(pmtud_packet_lost(&p, 4 * S, 1472));
    assert_int_equal(p.mtu_bytes, 1200);
    assert_false(pmtud_packet_lost(&p, 5 * S, 1472)); /* of before */
    search(&p, 5 * S, 1420, false, 0, NULL);          /* and starts again */
    assert_int_equal(p.mtu_bytes, 1420);
}

/* Not even 1,200 bytes pass: what the RFC calls the error state (RFC 8899 §5.2). */
static void the_base_itself_can_be_a_black_hole(void **state) {
    (void)state;
    for (unsigned limit = MTU_MIN_BYTES; limit < 1200; limit++) {
        struct pmtud p;
        pmtud_init(&p, MTU_MAX_BYTES);
        for (int i = 0; i < PMTUD_BLACK_HOLE_LOSSES - 1; i++) {
            assert_false(pmtud_packet_lost(&p, S, 1200));
            pmtud_packet_acked(&p, MTU_MIN_BYTES);
        }
        assert_true(pmtud_packet_lost(&p, S, 1200));
        assert_int_equal(p.mtu_bytes, MTU_MIN_BYTES);
        assert_int_equal(pmtud_probe(&p, S), 1200); /* it may have been a mistake */
        unsigned probes = search(&p, S, (uint16_t)limit, false, 0, NULL);
        assert_true(limit - p.mtu_bytes < PMTUD_GAP_BYTES);
        assert_true(probes <= 24);
    }
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    for (int i = 0; i < PMTUD_BLACK_HOLE_LOSSES; i++)
        (void)!pmtud_packet_lost(&p, S, 1200);
    search(&p, 2 * S, 1472, true, 0, NULL); /* it was an outage */
    assert_int_equal(p.mtu_bytes, 1472);
    assert_true(pmtud_too_big(&p, S, 1300));
    assert_int_equal(p.mtu_bytes, 1200);
}

static void congestion_is_not_a_black_hole(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    search(&p, 0, 1472, true, 0, NULL);
    for (uint64_t i = 1; i < 50; i++) { /* a full queue drops thirty in a row, again and again */
        pmtud_packet_acked(&p, 1472);
        pmtud_packet_acked(&p, 1300);
        for (int k = 0; k < 30; k++)
            assert_false(pmtud_packet_lost(&p, i * S, 1472));
    }
    assert_int_equal(p.mtu_bytes, 1472);
}

static void a_middling_success_does_not_hide_a_black_hole(void **state) {
    (void)state;
    struct pmtud p;
    pmtud_init(&p, MTU_MAX_BYTES);
    search(&p, 0, 8972, true, 0, NULL);
    bool hole = pmtud_packet_lost(&p, S, 8972);
    for (uint64_t i = 2; i < 10 && !hole; i++) {
        pmtud_packet_acked(&p, 1400);
        hole = pmtud_packet_lost(&p, i * S, 8972);
    }
    assert_true(hole);
    assert_int_equal(p.mtu_bytes, 1200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_with_what_every_path_carries),
        cmocka_unit_test(common_paths_are_found_exactly_and_quickly),
        cmocka_unit_test(every_path_is_found_to_within_the_gap),
        cmocka_unit_test(nothing_above_the_bound_is_tried),
        cmocka_unit_test(random_loss_does_not_raise_it_too_far),
        cmocka_unit_test(a_size_is_given_up_after_three_losses),
        cmocka_unit_test(a_success_between_losses_starts_the_count_again),
        cmocka_unit_test(a_late_answer_still_counts),
        cmocka_unit_test(a_finished_search_rests_until_the_raise_timer),
        cmocka_unit_test(the_largest_size_leaves_nothing_to_raise),
        cmocka_unit_test(the_socket_refusing_a_confirmed_size_leads_to_the_base),
        cmocka_unit_test(a_refused_probe_in_flight_is_forgotten),
        cmocka_unit_test(big_losses_without_a_big_success_are_a_black_hole),
        cmocka_unit_test(the_base_itself_can_be_a_black_hole),
        cmocka_unit_test(congestion_is_not_a_black_hole),
        cmocka_unit_test(a_middling_success_does_not_hide_a_black_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
