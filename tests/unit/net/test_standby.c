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

/* A path is cut under a transfer: how long until data comes by the other one, and the gap that the
 * reader sees. */
struct cut {
    uint64_t patience_us; /* what the sender waits for an acknowledgement */
    uint64_t rtt_us;      /* of the path cut, with its queue, or of the other one */
    uint64_t data_us, gap_us;
};

static struct cut cut_one(uint64_t seed, const uint64_t delay_us[2], unsigned loss_permille,
                          int from) {
    struct ways *v = ways_new(seed, delay_us[0]);
    struct rand_state r = {.x = seed};
    for (unsigned k = 0; k < 2; k++) {
        v->way[k].delay_us[0] = v->way[k].delay_us[1] = delay_us[k];
        v->way[k].per_s = 2 << 20;
        v->way[k].queue_us = 50 * MS;
        v->way[k].mtu = 1472;
        v->way[k].loss_permille = 0;
    }
    const uint64_t id = world_open(v->w, from);
    ways_offer(v, 0, 1);
    v->way[0].loss_permille = v->way[1].loss_permille = loss_permille;
    ways_feed(v, from, id, 500 * MS + rand_below(&r, 300) * MS);
    struct cut c = {0};
    uint64_t srtt_us = 0;
    v->way[0].cut = true;
    const uint64_t cut_us = v->w->p->now_us;
    uint64_t last_us = cut_us, read = v->w->read[!from][id];
    v->way[1].largest[from] = 0;
    while (v->w->p->now_us < cut_us + 3000 * MS) {
        world_feed(v->w, from, id, read + (1 << 20));
        world_run(v->w, MS);
        const uint64_t now_us = v->w->p->now_us;
        if (ways_used(v, from) == 0) /* what it was with the last acknowledgement */
            srtt_us = world_tp(v->w, from)->rec->rtt.srtt_us;
        if (c.data_us == 0 && v->way[1].largest[from] > 200)
            c.data_us = now_us + delay_us[1] - cut_us;
        if (v->w->read[!from][id] == read)
            continue;
        read = v->w->read[!from][id];
        if (now_us - last_us > c.gap_us)
            c.gap_us = now_us - last_us;
        last_us = now_us;
    }
    assert_true(v->w->p->now_us - last_us < 500 * MS);
    assert_int_equal(ways_used(v, 0), 1);
    assert_int_equal(ways_used(v, 1), 1);
    c.patience_us = 3 * srtt_us > 300 * MS ? 3 * srtt_us : 300 * MS;
    c.rtt_us = srtt_us > 2 * delay_us[1] ? srtt_us : 2 * delay_us[1];
    world_nobody_hung_up(v->w);
    ways_free(v);
    return c;
}

static void data_comes_by_the_other_path_within_three_round_trips_and_one(void **state) {
    (void)state;
    enum { SEEDS = 200 }; /* all of 1,000: MESH_SEED */
    struct rand_state r = rand_seeded("cut", 3);
    unsigned late = 0, gaps = 0;
    for (unsigned i = 0; i < SEEDS; i++) {
        const uint64_t delay_us[2] = {(2 + rand_below(&r, 60)) * MS, (2 + rand_below(&r, 60)) * MS};
        const struct cut c = cut_one(rand_u64(&r), delay_us, 0, i % 2);
        const bool is_late = c.data_us == 0 || c.data_us > c.patience_us + c.rtt_us;
        /* The first packets are of the oldest data, which may have come already; the answer to them
         * tells what has not. */
        const bool is_long = c.gap_us > c.patience_us + 3 * c.rtt_us;
        late += is_late;
        gaps += is_long;
        if (is_late || is_long)
            print_message("%u: patience %u, rtt %u, data %u, gap %u, ways of %u and %u ms\n", i,
                          (unsigned)(c.patience_us / MS), (unsigned)(c.rtt_us / MS),
                          (unsigned)(c.data_us / MS), (unsigned)(c.gap_us / MS),
                          (unsigned)(delay_us[0] / MS), (unsigned)(delay_us[1] / MS));
    }
    assert_true(late * 100 <= SEEDS);
    assert_true(gaps * 100 <= SEEDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_that_answers_is_ready_at_both_ends_and_not_in_use),
        cmocka_unit_test(while_data_flows_a_standby_is_asked_every_five_seconds),
        cmocka_unit_test(data_comes_by_the_other_path_within_three_round_trips_and_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
