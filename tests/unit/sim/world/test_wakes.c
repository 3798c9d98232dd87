/* When hosts want to be woken: the earliest is on top, whatever was set, moved and dropped
 * before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/engine/draw.h"
#include "sim/world/wakes.h"

enum { HOSTS = 50, NONE = 0 };

static void nobody_wants_to_be_woken(void **state) {
    (void)state;
    struct wakes ws = {0};
    assert_null(wakes_top(&ws));
    wakes_drop(&ws, 7);
    wakes_set(&ws, &(struct wake){.time_ns = 1, .host = 7});
    wakes_drop(&ws, 6);
    assert_int_equal(wakes_top(&ws)->host, 7);
    wakes_drop(&ws, 7);
    assert_null(wakes_top(&ws));
    wakes_clear(&ws);
}

static void of_one_moment_the_first_host_is_first(void **state) {
    (void)state;
    struct wakes ws = {0};
    for (uint32_t h = HOSTS; h-- > 0;)
        wakes_set(&ws, &(struct wake){.time_ns = 5, .host = h, .seq = HOSTS - h});
    for (uint32_t h = 0; h < HOSTS; h++) {
        assert_int_equal(wakes_top(&ws)->host, h);
        assert_int_equal(wakes_top(&ws)->seq, HOSTS - h);
        wakes_drop(&ws, h);
    }
    assert_null(wakes_top(&ws));
    wakes_clear(&ws);
}

static void whatever_moves_the_earliest_is_on_top(void **state) {
    (void)state;
    struct wakes ws = {0};
    struct draw draw;
    uint64_t times[HOSTS] = {NONE};
    draw_init(&draw, 1);
    for (uint64_t i = 0; i < 20000; i++) {
        const uint64_t drawn = draw_u64(&draw, 0, DRAW_GRAPH, i);
        const uint32_t host = (uint32_t)(drawn % HOSTS);
        times[host] = drawn >> 32 & 1 ? 1 + (drawn >> 40) % 1000 : NONE;
        if (times[host] != NONE)
            wakes_set(&ws, &(struct wake){.time_ns = times[host], .host = host});
        else
            wakes_drop(&ws, host);
        uint32_t first = HOSTS;
        for (uint32_t h = 0; h < HOSTS; h++)
            if (times[h] != NONE && (first == HOSTS || times[h] < times[first]))
                first = h;
        const struct wake *top = wakes_top(&ws);
        assert_true(first == HOSTS ? !top : top && top->host == first);
        assert_true(!top || top->time_ns == times[first]);
    }
    wakes_clear(&ws);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_wants_to_be_woken),
        cmocka_unit_test(of_one_moment_the_first_host_is_first),
        cmocka_unit_test(whatever_moves_the_earliest_is_on_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
