/* Which relays are kept warm, and how often they are told so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/mesh/homes.h"
#include "node/mesh/keepalive.h"

enum { MS = 1000 };

static struct home_choice at(uint64_t net, uint64_t rtt_us) {
    return (struct home_choice){.usable = true, .net = net, .rtt_us = rtt_us, .draw = 7};
}

static struct home_choice home_at(uint64_t net, uint64_t rtt_us) {
    struct home_choice c = at(net, rtt_us);
    c.home = true;
    return c;
}

static void expect(const struct home_choice *list, unsigned count, int first, int second) {
    unsigned out[HOMES_MAX] = {0};
    const unsigned n = homes_choose(list, count, out);
    assert_int_equal(n, (first >= 0) + (second >= 0));
    if (first >= 0)
        assert_int_equal(out[0], first);
    if (second >= 0)
        assert_int_equal(out[1], second);
}

static void the_two_nearest_are_taken(void **state) {
    (void)state;
    const struct home_choice list[] = {at(1, 90 * MS), at(2, 20 * MS), at(3, 50 * MS)};
    expect(list, 3, 1, 2);
    expect(list, 1, 0, -1);
    expect(list, 0, -1, -1);
}

static void who_does_not_answer_is_not_taken(void **state) {
    (void)state;
    struct home_choice list[] = {at(1, 90 * MS), home_at(2, 20 * MS), at(3, 50 * MS)};
    list[1].usable = false;
    expect(list, 3, 2, 0);
    list[2].usable = list[0].usable = false;
    expect(list, 3, -1, -1);
}

static void the_second_is_of_another_network_where_there_is_a_choice(void **state) {
    (void)state;
    struct home_choice list[] = {at(1, 10 * MS), at(1, 30 * MS), at(2, 200 * MS)};
    expect(list, 3, 0, 2);
    expect(list, 2, 0, 1);
    list[2].load_percent = 95; /* that is no choice */
    expect(list, 3, 0, 1);
}

static void an_old_one_stays_unless_another_is_much_nearer(void **state) {
    (void)state;
    static const struct {
        uint64_t old_ms, new_ms;
        bool changes;
    } cases[] = {
        {90, 59, true},  {90, 60, false},  {90, 80, false}, /* below 2/3 */
        {24, 15, false}, {24, 13, true},                    /* and 10 ms */
        {9, 1, false},   {300, 199, true},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct home_choice list[] = {home_at(1, cases[i].old_ms * MS),
                                           at(2, cases[i].new_ms * MS)};
        expect(list, 2, cases[i].changes ? 1 : 0, cases[i].changes ? 0 : 1);
    }
}

static void an_overloaded_one_is_passed_over(void **state) {
    (void)state;
    struct home_choice list[] = {home_at(1, 10 * MS), home_at(2, 20 * MS), at(3, 200 * MS)};
    list[0].load_percent = 81;
    expect(list, 3, 1, 2);
    list[0].load_percent = 80;
    expect(list, 3, 0, 1);
    list[0].load_percent = list[1].load_percent = list[2].load_percent = 100; /* then they do */
    expect(list, 3, 0, 1);
}

/* It says that it is idle, but what goes through it comes late, or not at all. */
static void a_relay_that_lies_about_its_load_is_found_out(void **state) {
    (void)state;
    struct home_choice list[] = {home_at(1, 20 * MS), home_at(2, 20 * MS), at(3, 40 * MS)};
    list[0].rtt_us = 150 * MS;
    expect(list, 3, 1, 2);
    list[0].rtt_us = 20 * MS;
    list[0].lost_percent = 40;
    expect(list, 3, 1, 2);
    assert_int_equal(home_cost_us(&list[0]), 84 * MS);
}

static void an_unmeasured_one_does_not_push_out_a_measured(void **state) {
    (void)state;
    const struct home_choice list[] = {at(1, 0), home_at(2, 300 * MS), at(3, 290 * MS)};
    expect(list, 3, 1, 2);
}

/* Relays that are as good as each other, and a thousand nodes that each draw for themselves. */
static void equals_are_spread_over_the_clients(void **state) {
    (void)state;
    unsigned had[4] = {0}, out[HOMES_MAX];
    uint32_t draw = 12345;
    for (unsigned node = 0; node < 1000; node++) {
        struct home_choice list[4];
        for (unsigned i = 0; i < 4; i++) {
            list[i] = at(i, (20 + i * 2) * MS);
            list[i].draw = draw = draw * 1664525 + 1013904223;
        }
        assert_int_equal(homes_choose(list, 4, out), 2);
        had[out[0]]++;
        had[out[1]]++;
    }
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(had[i], 400, 600);
}

static void a_choice_that_was_made_is_made_again(void **state) {
    (void)state;
    uint32_t draw = 99;
    for (unsigned round = 0; round < 2000; round++) {
        struct home_choice list[6];
        for (unsigned i = 0; i < 6; i++) {
            draw = draw * 1664525 + 1013904223;
            list[i] = at(draw >> 28 & 3, (draw >> 16 & 63) * MS);
            list[i].draw = draw;
            list[i].load_percent = draw >> 8 & 127;
        }
        unsigned out[HOMES_MAX], again[HOMES_MAX];
        assert_int_equal(homes_choose(list, 6, out), 2);
        assert_int_not_equal(out[0], out[1]);
        list[out[0]].home = list[out[1]].home = true;
        assert_int_equal(homes_choose(list, 6, again), 2);
        assert_true((again[0] == out[0] && again[1] == out[1]) ||
                    (again[0] == out[1] && again[1] == out[0]));
    }
}

static void the_network_is_a_16_or_a_32(void **state) {
    (void)state;
    struct addr a, b, c;
    assert_int_equal(addr_parse(&a, "10.1.2.3:1"), 0);
    assert_int_equal(addr_parse(&b, "10.1.99.3:2"), 0);
    assert_int_equal(addr_parse(&c, "10.2.2.3:1"), 0);
    assert_true(home_net(&a) == home_net(&b) && home_net(&a) != home_net(&c));
    assert_int_equal(addr_parse(&a, "[2001:db8:1::1]:1"), 0);
    assert_int_equal(addr_parse(&b, "[2001:db8:2::1]:1"), 0);
    assert_int_equal(addr_parse(&c, "[2001:db9:1::1]:1"), 0);
    assert_true(home_net(&a) == home_net(&b) && home_net(&a) != home_net(&c));
}

/* ---- keepalive ---- */

static void the_pause_is_stretched_while_it_does_no_harm(void **state) {
    (void)state;
    struct keepalive k = {0};
    for (uint64_t draw = 0; draw < 1000; draw++)
        assert_in_range(keepalive_drawn_us(&k, draw * 7919123), 22500000, 25000000);
    assert_int_not_equal(keepalive_drawn_us(&k, 1), keepalive_drawn_us(&k, 2));
    static const unsigned steps_s[] = {25, 40, 60, 85, 110, 110};
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(keepalive_us(&k), steps_s[i] * 1000000);
        for (unsigned n = 0; n < KEEPALIVE_SURE; n++)
            keepalive_well(&k, 0);
    }
}

static void a_loss_takes_one_step_back_and_stays_there(void **state) {
    (void)state;
    struct keepalive k = {0};
    for (unsigned n = 0; n < 3 * KEEPALIVE_SURE; n++)
        keepalive_well(&k, 0);
    assert_int_equal(keepalive_us(&k), 85000000);
    keepalive_harm(&k, 0);
    assert_int_equal(keepalive_us(&k), 60000000);
    const uint64_t wary_us = (uint64_t)KEEPALIVE_WARY_S * 1000000;
    for (unsigned n = 0; n < 100; n++)
        keepalive_well(&k, wary_us - 1);
    assert_int_equal(keepalive_us(&k), 60000000);
    keepalive_well(&k, wary_us);
    assert_int_equal(keepalive_us(&k), 85000000);
    for (unsigned n = 0; n < 10; n++)
        keepalive_harm(&k, 0);
    assert_int_equal(keepalive_us(&k), 25000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_nearest_are_taken),
        cmocka_unit_test(who_does_not_answer_is_not_taken),
        cmocka_unit_test(the_second_is_of_another_network_where_there_is_a_choice),
        cmocka_unit_test(an_old_one_stays_unless_another_is_much_nearer),
        cmocka_unit_test(an_overloaded_one_is_passed_over),
        cmocka_unit_test(a_relay_that_lies_about_its_load_is_found_out),
        cmocka_unit_test(an_unmeasured_one_does_not_push_out_a_measured),
        cmocka_unit_test(equals_are_spread_over_the_clients),
        cmocka_unit_test(a_choice_that_was_made_is_made_again),
        cmocka_unit_test(the_network_is_a_16_or_a_32),
        cmocka_unit_test(the_pause_is_stretched_while_it_does_no_harm),
        cmocka_unit_test(a_loss_takes_one_step_back_and_stays_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
