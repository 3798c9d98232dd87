/* Credit between two endpoints: who has none waits, and what is lost of it is told again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_rand.h"
#include "support_world.h"

static void who_does_not_read_stops_the_sender(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("flow", 2).x);
    uint64_t total = 4 << 20, slow = world_open(w, 0), quick = world_open(w, 0);
    w->deaf[1] = true;
    for (int i = 0; i < 400; i++) {
        world_feed(w, 0, slow, total);
        world_run(w, 5 * MS);
        world_credit_is_kept(w);
    }
    assert_int_equal(transport_stream(world_tp(w, 0), slow)->out.next, STREAM_WINDOW_BYTES);
    /* It does not stop the others. */
    world_feed(w, 0, quick, 1000);
    world_run(w, 100 * MS);
    world_read(w, 1, quick);
    assert_int_equal(w->read[1][quick], 1000);
    w->deaf[1] = false;
    world_read(w, 1, slow);
    world_send_all(w, slow, total, 60000 * MS);
    world_nobody_hung_up(w);
    world_free(w);
}

static void who_ignores_credit_is_cut_off(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct world *w = world_new(rand_seeded("credit", 3).x);
        w->deaf[1] = true;
        uint64_t id = world_open(w, 0);
        if (way == 0) { /* of the stream */
            world_feed(w, 0, id, STREAM_WINDOW_BYTES + 5000);
            transport_stream(world_tp(w, 0), id)->out.credit = VARINT_MAX;
        } else { /* of the session, by three streams within theirs */
            world_tp(w, 0)->memo->credit.send_limit = VARINT_MAX;
            for (int i = 0; i < 3; i++, id = world_open(w, 0))
                world_feed(w, 0, id, STREAM_WINDOW_BYTES);
        }
        assert_true(pair_run(w->p, 20000 * MS, 1, EP_SESSION_DOWN));
        assert_int_equal(pair_event(w->p, 1, EP_SESSION_DOWN)->err, ERR_PROTO);
        assert_int_equal(endpoint_counters(w->p->ep[1])->frames_bad, 1);
        world_free(w);
    }
}

/* One way only, and of what comes back seven packets of ten are lost, the credit among them, once
 * so many bytes (tap_ctx) of the first stream are there: who only receives has few packets in
 * flight whose acknowledgement could show that one is missing. */
static bool lose_most_of_the_way_back(struct pair *p, int from, uint8_t *data, size_t len) {
    const struct world *w = p->user;
    const uint64_t *begin = p->tap_ctx;
    (void)data;
    (void)len;
    return from == 0 || w->read[1][0] < *begin || pair_draw(p) % 10 >= 7;
}

/* Gives the longest time without progress. */
static uint64_t one_way(struct world *w, uint64_t total) {
    const uint64_t id = world_open(w, 0), from_us = w->p->now_us;
    uint64_t moved_us = from_us, before = 0, stall_us = 0;
    while (w->read[1][id] < total && w->p->now_us < from_us + 300000 * MS) {
        world_feed(w, 0, id, total);
        world_run(w, MS);
        if (w->read[1][id] != before)
            moved_us = w->p->now_us;
        else if (w->p->now_us - moved_us > stall_us)
            stall_us = w->p->now_us - moved_us;
        before = w->read[1][id];
        world_credit_is_kept(w);
    }
    assert_int_equal(w->read[1][id], total);
    return stall_us;
}

static void lost_credit_is_told_again_before_it_is_missed(void **state) {
    (void)state;
    struct rand_state r = rand_seeded("lost credit", 16);
    uint64_t took_us = 0;
    for (int i = 0; i < 8; i++) {
        struct world *w = world_new(rand_u64(&r));
        uint64_t begin = 1 << 20;
        w->p->tap = lose_most_of_the_way_back;
        w->p->tap_ctx = &begin;
        w->p->mtu = 1472;
        const uint64_t from_us = w->p->now_us, stall_us = one_way(w, 16 << 20);
        printf("  longest stall %u ms, %u KB/s\n", (unsigned)(stall_us / MS),
               (unsigned)((16 << 20) * UINT64_C(1000) / (w->p->now_us - from_us)));
        assert_true(stall_us <= 1000 * MS);
        took_us += w->p->now_us - from_us;
        world_nobody_hung_up(w);
        world_free(w);
    }
    assert_true(took_us <= 8 * 1500 * MS);
}

/* Many streams at once, each with credit of its own under way, two of them given up by either side
 * in the middle. */
static void each_stream_is_reminded_of_its_own(void **state) {
    (void)state;
    enum { STREAMS = 12, EACH = 8000000 };
    struct rand_state r = rand_seeded("credit of many", 18);
    struct world *w = world_new(rand_u64(&r));
    w->p->mtu = 1472;
    uint64_t begin = 50000;
    w->p->tap = lose_most_of_the_way_back;
    w->p->tap_ctx = &begin;
    uint64_t ids[STREAMS];
    bool ended[STREAMS] = {0};
    for (int i = 0; i < STREAMS; i++)
        ids[i] = world_open(w, 0);
    for (int step = 0; step < 20000 && w->fins[1] < STREAMS - 2; step++) {
        for (int i = 0; i < STREAMS; i++) {
            const bool given_up = i == 1 || i == 2;
            if (ended[i])
                continue;
            if (given_up && w->read[1][ids[i]] > EACH / 2) {
                ended[i] = true;
                assert_int_equal(i == 1 ? stream_reset(w->p->ep[0], w->s[0], ids[i], ERR_CANCELLED)
                                        : stream_stop(w->p->ep[1], w->s[1], ids[i], ERR_CANCELLED),
                                 0);
            } else if (world_feed(w, 0, ids[i], given_up ? 4 * EACH : EACH) && !given_up) {
                ended[i] = true;
                world_finish(w, 0, ids[i]);
            }
        }
        world_run(w, 5 * MS);
        world_credit_is_kept(w);
    }
    for (int i = 0; i < STREAMS; i++)
        if (i != 1 && i != 2)
            assert_int_equal(w->read[1][ids[i]], EACH);
    assert_true(endpoint_counters(w->p->ep[1])->credit_repeated > 0);
    world_nobody_hung_up(w);
    world_free(w);
}

/* Where nothing is lost, nothing is said twice: over any path, in bulk, in small portions, with a
 * slow reader. */
static void credit_costs_nothing_where_nothing_is_lost(void **state) {
    (void)state;
    struct rand_state r = rand_seeded("kept credit", 17);
    static const uint64_t delays_us[] = {50, MS, 10 * MS, 150 * MS};
    for (int i = 0; i < 12; i++) {
        struct world *w = world_new(rand_u64(&r));
        struct pair *p = w->p;
        p->delay_us = delays_us[i % 4];
        p->mtu = 1472;
        if (i < 4)
            one_way(w, 8 << 20);
        const uint64_t id = world_open(w, 0);
        for (uint64_t total = 0; i >= 4 && total < (3 << 20);) {
            w->deaf[1] = i >= 8 && rand_below(&r, 4) > 0;
            if (!w->deaf[1])
                world_read(w, 1, id);
            world_feed(w, 0, id, total += rand_below(&r, 60000));
            world_run(w, rand_below(&r, 60 * MS));
        }
        world_run(w, 5000 * MS);
        uint64_t quiet[2];
        for (int side = 0; side < 2; side++) {
            quiet[side] = endpoint_counters(p->ep[side])->pkts_out;
            assert_int_equal(endpoint_counters(p->ep[side])->credit_repeated, 0);
        }
        world_run(w, 60000 * MS);
        for (int side = 0; side < 2; side++)
            assert_int_equal(endpoint_counters(p->ep[side])->pkts_out, quiet[side]);
        world_nobody_hung_up(w);
        world_free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_read_stops_the_sender),
        cmocka_unit_test(who_ignores_credit_is_cut_off),
        cmocka_unit_test(lost_credit_is_told_again_before_it_is_missed),
        cmocka_unit_test(each_stream_is_reminded_of_its_own),
        cmocka_unit_test(credit_costs_nothing_where_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
