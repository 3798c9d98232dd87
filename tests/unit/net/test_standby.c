/* A session with several paths: which is kept ready, when another one takes over, and what that
 * costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_rand.h"
#include "support_ways.h"

static void a_place_that_answers_is_ready_at_both_ends_and_not_in_use(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("ready", 1).x, 10 * MS);
    assert_int_equal(ways_status(v, 0, 0), PATH_ACTIVE);
    assert_int_equal(ways_status(v, 0, 1), -1);
    ways_offer(v, 0, 1);
    world_run(v->w, 100 * MS);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(ways_status(v, side, 1), PATH_VALIDATED);
        assert_int_equal(ways_used(v, side), 0);
    }
    /* And one that does not answer is asked a few times and no more. */
    v->way[2].cut = true;
    const struct hop nobody = ways_hop(0, 2);
    assert_int_equal(
        endpoint_path_offer(v->w->p->ep[0], ways_session(v, 0), v->w->p->now_us, &nobody), 0);
    world_run(v->w, 10000 * MS);
    assert_int_equal(ways_status(v, 0, 2), PATH_FAILED);
    const uint64_t sent = ways_session(v, 0)->pkts_sent + ways_session(v, 1)->pkts_sent;
    world_run(v->w, 100000 * MS);
    assert_int_equal(ways_session(v, 0)->pkts_sent + ways_session(v, 1)->pkts_sent, sent);
    world_nobody_hung_up(v->w);
    ways_free(v);
}

static void while_data_flows_a_standby_is_asked_every_five_seconds(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("warm", 2).x, 10 * MS);
    const uint64_t id = world_open(v->w, 0);
    ways_offer(v, 0, 1);
    ways_feed(v, 0, id, 1000 * MS);
    const uint64_t before = v->way[1].packets[0];
    ways_feed(v, 0, id, 30000 * MS);
    /* Each side asks, and answers what it is asked. */
    assert_in_range(v->way[1].packets[0] - before, 2 * 5, 2 * 7);
    world_run(v->w, 10000 * MS);
    const uint64_t sent = v->way[1].packets[0] + v->way[1].packets[1];
    world_run(v->w, 60000 * MS);
    assert_int_equal(v->way[1].packets[0] + v->way[1].packets[1], sent);
    assert_int_equal(ways_used(v, 0), 0);
    assert_int_equal(endpoint_counters(v->w->p->ep[0])->paths_suspected, 0);
    assert_int_equal(endpoint_counters(v->w->p->ep[0])->trains_copied, 0);
    ways_free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_that_answers_is_ready_at_both_ends_and_not_in_use),
        cmocka_unit_test(while_data_flows_a_standby_is_asked_every_five_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
