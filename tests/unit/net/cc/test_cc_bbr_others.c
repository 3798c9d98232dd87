/* BBR beside others: a queue that is not ours, and what changes with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_cc_bbr.h"

/* A flow that drains what others fill again: a round trip of 46 instead of 40 ms, though it sends
 * less than it may. */
static struct cc draining(uint64_t *now_us, unsigned rounds, uint64_t rtt_us) {
    struct cc c = knowing(BBR_PROBE_DOWN, *now_us);
    for (unsigned i = 0; i < rounds; i++) {
        c.bytes_in_flight = 450000;
        round_at(&c, *now_us += rtt_us, rtt_us, 9000000);
    }
    assert_int_equal(c.u.bbr.state, BBR_PROBE_DOWN);
    return c;
}

/* After six rounds what still stands is somebody else's; an eighth of the round trip is no
 * queue. */
static void what_stands_after_six_rounds_is_others(void **state) {
    (void)state;
    for (unsigned rounds = 1; rounds <= 8; rounds++)
        for (int queue = 0; queue < 2; queue++) {
            uint64_t now_us = 10 * S;
            struct cc c = draining(&now_us, rounds, 45 * MS + (queue ? 1 : 0));
            assert_int_equal(c.u.bbr.others, queue && rounds >= 6);
        }
}

/* They are gone when the third round of cruising has no queue; a queue there may be ours. */
static void others_are_gone_when_cruising_has_no_queue(void **state) {
    (void)state;
    for (int others = 0; others < 2; others++)
        for (int queue = 0; queue < 2; queue++) {
            uint64_t now_us = 10 * S;
            struct cc c = knowing(BBR_PROBE_CRUISE, now_us);
            c.u.bbr.others = others;
            for (unsigned i = 1; i <= 5; i++) {
                const uint64_t rtt_us = 45 * MS + (queue ? 1 : 0);
                round_at(&c, now_us += rtt_us, rtt_us, 10000000);
                assert_int_equal(c.u.bbr.others, others && (queue || i < 3));
            }
            assert_int_equal(c.u.bbr.state, BBR_PROBE_CRUISE);
        }
}

/* Alone, cruising follows what is delivered; beside others that would hand them one share after the
 * other. */
static void cruising_gives_nothing_away_to_others(void **state) {
    (void)state;
    for (int others = 0; others < 2; others++) {
        uint64_t now_us = 10 * S;
        struct cc c = knowing(BBR_PROBE_CRUISE, now_us);
        c.u.bbr.others = others;
        bbr_cruise_begins(&c, now_us);
        for (unsigned i = 0; i < BBR_CRUISE_ROUNDS; i++)
            round_at(&c, now_us += 46 * MS, 46 * MS, 9500000);
        assert_int_equal(c.u.bbr.bw, others ? 10000000 : 9500000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_after_six_rounds_is_others),
        cmocka_unit_test(others_are_gone_when_cruising_has_no_queue),
        cmocka_unit_test(cruising_gives_nothing_away_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
