/* Nothing is taken twice, and nothing new is refused that the window reaches. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "crypto/noise/replay.h"
#include "tests/unit/crypto/support_crypto.h"

static bool take(struct replay *r, uint64_t counter) {
    bool ok = replay_check(r, counter);
    if (ok)
        replay_mark(r, counter);
    return ok;
}

#define LIM ((uint64_t)REPLAY_WINDOW_PKTS + 1)

/* The steps of WireGuard's own self test of its counter (drivers/net/wireguard/selftest). */
static const struct {
    uint64_t counter;
    bool accepted;
} steps[] = {
    {0, true},
    {0, false},
    {1, true},
    {1, false},
    {9, true},
    {8, true},
    {7, true},
    {7, false},
    {LIM, true},
    {LIM - 1, true},
    {LIM - 1, false},
    {LIM - 2, true},
    {2, true},
    {2, false},
    {LIM + 16, true},
    {3, false},
    {LIM + 16, false},
    {LIM * 4, true},
    {LIM * 4 - (LIM - 1), true},
    {10, false},
    {LIM * 4 - LIM, false},
    {LIM * 4 - (LIM + 1), false},
    {LIM * 4 - (LIM - 2), true},
    {LIM * 4 + 1 - LIM, false},
    {0, false},
    {UINT64_MAX, false},
    {UINT64_MAX - 1, true},
    {UINT64_MAX, false},
    {UINT64_MAX - 1, false},
    {UINT64_MAX - 2, true},
    {UINT64_MAX - 1 - REPLAY_WINDOW_PKTS, true},
    {UINT64_MAX - 2 - REPLAY_WINDOW_PKTS, false},
    {UINT64_MAX - REPLAY_WINDOW_PKTS, true},
    {0, false},
};

static void wireguards_table_holds(void **state) {
    (void)state;
    struct replay r = {0};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (take(&r, steps[i].counter) != steps[i].accepted)
            fail_msg("step %zu", i);
    }
}

static void a_whole_window_is_taken_backwards_once(void **state) {
    (void)state;
    struct replay r = {0};
    for (uint64_t i = LIM; i-- > 0;)
        assert_true(take(&r, i));
    for (uint64_t i = 0; i < LIM; i++)
        assert_false(take(&r, i));
    assert_true(take(&r, LIM));
    assert_false(take(&r, 0));
}

static void the_edge_is_exactly_the_window(void **state) {
    (void)state;
    /* every position of the newest counter within a word, and over the ring's seam */
    for (uint64_t newest = REPLAY_WINDOW_PKTS + 1; newest < REPLAY_WINDOW_PKTS * 2 + 200;
         newest += 7) {
        struct replay r = {0};
        assert_true(take(&r, newest));
        assert_true(replay_check(&r, newest - REPLAY_WINDOW_PKTS));
        assert_false(replay_check(&r, newest - REPLAY_WINDOW_PKTS - 1));
        assert_true(take(&r, newest - REPLAY_WINDOW_PKTS));
        assert_false(take(&r, newest - REPLAY_WINDOW_PKTS));
        assert_false(replay_check(&r, newest));
    }
}

static void checking_changes_nothing_and_marking_twice_is_harmless(void **state) {
    (void)state;
    struct replay r = {0}, before;
    replay_mark(&r, 100);
    before = r;
    assert_true(replay_check(&r, 50));
    assert_true(replay_check(&r, 1000000));
    assert_memory_equal(&r, &before, sizeof r);
    replay_mark(&r, 100);
    assert_memory_equal(&r, &before, sizeof r);
}

static void marking_what_is_too_old_touches_no_newer_counter(void **state) {
    (void)state;
    struct replay r = {0}, before;
    replay_mark(&r, 5 * LIM);
    before = r;
    replay_mark(&r, 3);
    replay_mark(&r, UINT64_MAX);
    assert_memory_equal(&r, &before, sizeof r);
}

/* The model keeps every accepted counter; ranges are small enough for a table. */
enum { MODEL_MAX = 400000, MODEL_STEPS = 200000 };
static bool seen[MODEL_MAX];

static void random_traffic_agrees_with_a_naive_model(void **state) {
    (void)state;
    for (uint64_t run = 1; run <= 4; run++) {
        struct seeded seed;
        struct rng rng = seeded_rng(&seed, run);
        struct replay r = {0};
        uint64_t newest = 0;
        bool any = false;
        memset(seen, 0, sizeof seen);
        for (unsigned i = 0; i < MODEL_STEPS; i++) {
            uint32_t dice = rng_u32(&rng), v = rng_u32(&rng);
            uint64_t c;
            if (dice % 1000 == 0)
                c = newest + v % (3 * REPLAY_WINDOW_PKTS); /* a huge jump */
            else if (dice % 4 == 0)
                c = newest + 1;
            else if (dice % 4 == 1)
                c = newest > REPLAY_WINDOW_PKTS + 3 ? newest - REPLAY_WINDOW_PKTS + v % 7 - 3
                                                    : v % 8;
            else
                c = newest > 2 * REPLAY_WINDOW_PKTS ? newest - v % (2 * REPLAY_WINDOW_PKTS)
                                                    : v % (newest + 2);
            if (c >= MODEL_MAX)
                break;
            bool want = !any || c > newest || (newest - c <= REPLAY_WINDOW_PKTS && !seen[c]);
            if (take(&r, c) != want)
                fail_msg("seed %u, step %u", (unsigned)run, i);
            if (want) {
                seen[c] = true;
                newest = any && newest > c ? newest : c;
                any = true;
            }
        }
    }
}

/* Whatever the window is, nothing is taken twice, and nothing new is refused that is in reach of
 * the small one. */
static void a_window_that_grows_and_shrinks_takes_everything_once(void **state) {
    (void)state;
    for (uint64_t run = 1; run <= 4; run++) {
        struct seeded seed;
        struct rng rng = seeded_rng(&seed, 100 + run);
        struct replay_room room;
        struct replay r = {0};
        uint64_t newest = 0;
        memset(seen, 0, sizeof seen);
        for (unsigned i = 0; i < MODEL_STEPS; i++) {
            const uint32_t dice = rng_u32(&rng), v = rng_u32(&rng);
            if (dice % 512 == 0)
                replay_widen(&r, &room);
            else if (dice % 512 == 1)
                (void)replay_narrow(&r);
            uint64_t c =
                dice % 4 ? newest + v % 3 : newest - v % (newest < 50000 ? newest + 1 : 50000);
            if (dice % 1024 == 2)
                c = newest + v % 20000;
            if (c >= MODEL_MAX)
                break;
            if (take(&r, c)) {
                assert_false(seen[c]);
                seen[c] = true;
                newest = c > newest ? c : newest;
            } else {
                assert_true(seen[c] || newest - c > REPLAY_WINDOW_PKTS);
            }
        }
    }
}

static void the_wide_window_reaches_four_times_as_far(void **state) {
    (void)state;
    for (uint64_t newest = REPLAY_WIDE_PKTS + 1; newest < REPLAY_WIDE_PKTS + 200; newest += 7) {
        struct replay_room room;
        struct replay r = {0};
        replay_widen(&r, &room);
        assert_true(take(&r, newest));
        assert_true(take(&r, newest - REPLAY_WIDE_PKTS));
        assert_false(take(&r, newest - REPLAY_WIDE_PKTS));
        assert_false(take(&r, newest - REPLAY_WIDE_PKTS - 1));
        assert_true(replay_narrow(&r) == &room);
        assert_false(take(&r, newest - REPLAY_WINDOW_PKTS - 1));
        assert_true(take(&r, newest - REPLAY_WINDOW_PKTS));
        /* What was forgotten meanwhile is not taken for new. */
        replay_widen(&r, &room);
        assert_false(take(&r, newest - REPLAY_WIDE_PKTS));
        assert_false(take(&r, newest - REPLAY_WINDOW_PKTS - 128));
        assert_false(take(&r, newest - REPLAY_WINDOW_PKTS));
        assert_true(take(&r, newest + REPLAY_WIDE_PKTS));
        assert_true(take(&r, newest + 1));
        assert_null(replay_narrow(&(struct replay){0}));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wireguards_table_holds),
        cmocka_unit_test(a_whole_window_is_taken_backwards_once),
        cmocka_unit_test(the_edge_is_exactly_the_window),
        cmocka_unit_test(checking_changes_nothing_and_marking_twice_is_harmless),
        cmocka_unit_test(marking_what_is_too_old_touches_no_newer_counter),
        cmocka_unit_test(random_traffic_agrees_with_a_naive_model),
        cmocka_unit_test(a_window_that_grows_and_shrinks_takes_everything_once),
        cmocka_unit_test(the_wide_window_reaches_four_times_as_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
