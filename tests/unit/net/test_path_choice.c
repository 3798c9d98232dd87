/* Which of several paths is in use: the better one, without flapping, whatever they are like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_rand.h"
#include "support_ways.h"

static struct ways *two(const char *name, uint64_t seed, uint64_t delay0_us, uint64_t delay1_us) {
    struct ways *v = ways_new(rand_seeded(name, seed).x, delay0_us);
    v->way[1].delay_us[0] = v->way[1].delay_us[1] = delay1_us;
    for (unsigned k = 0; k < WAYS; k++) {
        v->way[k].per_s = 1 << 20;
        v->way[k].queue_us = 100 * MS;
        v->way[k].mtu = 1472;
    }
    return v;
}

static uint64_t roamed(struct ways *v, int side) {
    return endpoint_counters(v->w->p->ep[side])->roamed;
}

/* Whoever sends, the side that began the session chooses, and the other one follows. */
static void the_better_path_is_taken_and_kept(void **state) {
    (void)state;
    for (int from = 0; from < 2; from++) {
        struct ways *v = two("better", 1, 40 * MS, 10 * MS);
        const uint64_t id = world_open(v->w, from);
        ways_feed(v, from, id, 1000 * MS);
        ways_offer(v, 0, 1);
        ways_feed(v, from, id, 9000 * MS);
        assert_int_equal(ways_used(v, 0), 1);
        assert_int_equal(ways_used(v, 1), 1);
        ways_feed(v, from, id, 60000 * MS);
        for (int side = 0; side < 2; side++) {
            assert_int_equal(ways_used(v, side), 1);
            assert_int_equal(roamed(v, side), 1);
            assert_int_equal(ways_status(v, side, 0), PATH_VALIDATED);
            assert_int_equal(endpoint_counters(v->w->p->ep[side])->paths_suspected, 0);
        }
        assert_int_equal(endpoint_counters(v->w->p->ep[0])->paths_bettered, 1);
        world_nobody_hung_up(v->w);
        ways_free(v);
    }
}

/* Both ways are full or not, equal, jittering, slow in one direction each. */
static void equal_paths_do_not_flap(void **state) {
    (void)state;
    for (int kind = 0; kind < 6; kind++) {
        struct ways *v = two("equal", (uint64_t)kind, 20 * MS, 20 * MS);
        if (kind % 3 == 1)
            v->way[0].jitter_us = v->way[1].jitter_us = 15 * MS;
        if (kind % 3 == 2) {
            v->way[0].delay_us[0] = v->way[1].delay_us[1] = 5 * MS;
            v->way[0].delay_us[1] = v->way[1].delay_us[0] = 35 * MS;
        }
        const uint64_t id = world_open(v->w, 0), back = world_open(v->w, 1);
        ways_offer(v, 0, 1);
        for (int i = 0; i < 60 * 20; i++) {
            if (kind < 3)
                ways_feed(v, 0, id, 5 * MS);
            world_feed(v->w, 0, id, v->w->read[1][id] + 2000);
            world_feed(v->w, 1, back, v->w->read[0][back] + 2000);
            world_run(v->w, 45 * MS);
        }
        for (int side = 0; side < 2; side++)
            if (roamed(v, side) > 1)
                fail_msg("kind %d: side %d moved %u times", kind, side, (unsigned)roamed(v, side));
        world_nobody_hung_up(v->w);
        ways_free(v);
    }
}

static uint64_t goodput(int flapping, unsigned from_way) {
    struct ways *v = two("flapping", 5, 5 * MS, 30 * MS);
    const uint64_t id = world_open(v->w, 0);
    if (flapping)
        ways_offer(v, 0, 1);
    else if (from_way == 1) {
        const struct hop there = ways_hop(0, 1);
        assert_int_equal(session_switch_path(v->w->p->ep[0], v->w->p->now_us, v->w->s[0], &there),
                         0);
    }
    ways_feed(v, 0, id, 1000 * MS);
    const uint64_t before = v->w->read[1][id];
    for (int i = 0; i < 30; i++) {
        v->way[0].cut = flapping && i % 2 == 0;
        ways_feed(v, 0, id, 2000 * MS);
    }
    const uint64_t got = v->w->read[1][id] - before;
    world_nobody_hung_up(v->w);
    ways_free(v);
    return got;
}

static void a_path_that_flaps_costs_less_than_half(void **state) {
    (void)state;
    const uint64_t alone = goodput(0, 1), flapping = goodput(1, 0);
    print_message("alone %u KiB/s, flapping %u KiB/s\n", (unsigned)(alone / 60 / 1024),
                  (unsigned)(flapping / 60 / 1024));
    assert_true(2 * flapping >= alone);
}

static void a_place_that_is_gone_is_left_at_once(void **state) {
    (void)state;
    struct ways *v = two("gone", 6, 10 * MS, 10 * MS);
    const uint64_t id = world_open(v->w, 0);
    ways_offer(v, 0, 1);
    ways_feed(v, 0, id, 500 * MS);
    const struct hop gone = ways_hop(0, 0);
    v->way[0].cut = true;
    endpoint_path_withdraw(v->w->p->ep[0], ways_session(v, 0), v->w->p->now_us, &gone);
    assert_int_equal(ways_used(v, 0), 1);
    assert_int_equal(ways_status(v, 0, 0), -1);
    const uint64_t read = v->w->read[1][id];
    ways_feed(v, 0, id, 150 * MS);
    assert_true(v->w->read[1][id] > read);
    assert_int_equal(ways_used(v, 1), 1);
    /* The last one stays in use, and is no place to keep. */
    const struct hop last = ways_hop(0, 1);
    endpoint_path_withdraw(v->w->p->ep[0], ways_session(v, 0), v->w->p->now_us, &last);
    assert_int_equal(ways_used(v, 0), 1);
    ways_feed(v, 0, id, 1000 * MS);
    assert_true(v->w->read[1][id] > read + 100000);
    world_nobody_hung_up(v->w);
    ways_free(v);
}

/* After 1, 2, 4 s and so on while data flows; as soon as the network has changed; never in an idle
 * session. */
static void a_failed_path_is_asked_again_less_and_less_often(void **state) {
    (void)state;
    struct ways *v = two("failed", 7, 10 * MS, 10 * MS);
    const uint64_t id = world_open(v->w, 0);
    ways_offer(v, 0, 1);
    v->way[1].cut = true;
    ways_feed(v, 0, id, 10000 * MS);
    assert_int_equal(ways_status(v, 0, 1), PATH_FAILED);
    uint64_t asked = endpoint_counters(v->w->p->ep[0])->paths_challenged;
    ways_feed(v, 0, id, 300000 * MS);
    asked = endpoint_counters(v->w->p->ep[0])->paths_challenged - asked;
    assert_in_range(asked, 5, 10);
    v->way[1].cut = false;
    ways_feed(v, 0, id, 3000 * MS);
    endpoint_network_changed(v->w->p->ep[0], v->w->p->now_us);
    ways_feed(v, 0, id, 50 * MS);
    assert_int_equal(ways_status(v, 0, 1), PATH_VALIDATED);
    ways_free(v);
}

static void without_a_standby_nothing_is_sent_twice(void **state) {
    (void)state;
    for (int failed = 0; failed < 2; failed++) {
        struct ways *v = two("alone", 8, 10 * MS, 10 * MS);
        const uint64_t id = world_open(v->w, 0);
        if (failed) {
            ways_offer(v, 0, 1);
            v->way[1].cut = true;
        }
        ways_feed(v, 0, id, 10000 * MS);
        v->way[0].cut = true;
        ways_feed(v, 0, id, 3000 * MS);
        v->way[0].cut = false;
        ways_feed(v, 0, id, 3000 * MS);
        assert_int_equal(endpoint_counters(v->w->p->ep[0])->trains_copied, 0);
        assert_int_equal(ways_used(v, 0), 0);
        assert_int_equal(ways_status(v, 0, 0), PATH_ACTIVE);
        world_nobody_hung_up(v->w);
        ways_free(v);
    }
}

/* A busy peer, whose answers come late and along the path in use, is not left. */
static void who_answers_late_is_not_left(void **state) {
    (void)state;
    struct ways *v = two("late", 9, 10 * MS, 10 * MS);
    const uint64_t id = world_open(v->w, 0);
    ways_offer(v, 0, 1);
    ways_feed(v, 0, id, 1000 * MS);
    for (unsigned k = 0; k < 2; k++)
        v->way[k].delay_us[1] += 500 * MS; /* of all that it says */
    ways_feed(v, 0, id, 700 * MS);
    assert_int_equal(endpoint_counters(v->w->p->ep[0])->paths_suspected, 1);
    for (unsigned k = 0; k < 2; k++)
        v->way[k].delay_us[1] -= 500 * MS;
    ways_feed(v, 0, id, 2000 * MS);
    assert_int_equal(ways_used(v, 0), 0);
    assert_int_equal(ways_status(v, 0, 0), PATH_ACTIVE);
    ways_free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_better_path_is_taken_and_kept),
        cmocka_unit_test(equal_paths_do_not_flap),
        cmocka_unit_test(a_path_that_flaps_costs_less_than_half),
        cmocka_unit_test(a_place_that_is_gone_is_left_at_once),
        cmocka_unit_test(a_failed_path_is_asked_again_less_and_less_often),
        cmocka_unit_test(without_a_standby_nothing_is_sent_twice),
        cmocka_unit_test(who_answers_late_is_not_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
