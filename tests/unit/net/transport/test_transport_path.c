/* A session whose path changes, or what the path carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support_rand.h"
#include "support_world.h"

static void drop_in_flight(struct pair *p) {
    for (unsigned k = 0; k < p->in_flight; k++)
        free(p->queue[k].data);
    p->in_flight = 0;
}

/* The old path dies with all that is on it. */
static void a_new_path_carries_on_within_a_few_round_trips(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("path switch", 8).x);
    uint64_t id = world_open(w, 0);
    for (int i = 0; i < 100; i++) {
        world_feed(w, 0, id, 8 << 20);
        world_run(w, 2 * MS);
    }
    for (int i = 0; i < 3; i++) {
        drop_in_flight(w->p);
        uint64_t before = w->read[1][id], start_us = w->p->now_us;
        w->p->addr[1].port++;
        assert_int_equal(
            session_switch_path(w->p->ep[0], w->p->now_us, w->s[0], AT(&w->p->addr[1])), 0);
        while (w->read[1][id] < before + 20000 && w->p->now_us < start_us + 2000 * MS) {
            world_feed(w, 0, id, 8 << 20);
            world_run(w, MS);
        }
        assert_true(w->p->now_us - start_us <= 7 * 20 * MS);
    }
    world_send_all(w, id, 8 << 20, 60000 * MS);
    world_nobody_hung_up(w);
    world_free(w);
}

/* What holds wherever it is stays; what is out is not late at once; and the peer hears from
 * there. */
static void a_new_path_begins_with_what_does_not_depend_on_it(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("begins", 21).x);
    const uint64_t id = world_open(w, 0);
    for (int i = 0; i < 20; i++) {
        world_feed(w, 0, id, 8 << 20);
        world_run(w, 2 * MS);
    }
    struct transport *t = world_tp(w, 0);
    assert_true(t->sent.outstanding > 0);
    t->rec->cc_kind = CC_BBR;
    t->rec->mtu_max = 1401;
    t->ack.has_largest = true;
    t->ack.due = false;
    assert_int_equal(transport_path_switched(t, w->p->now_us, 7, NULL), 0);
    assert_int_equal(t->rec->loss.path, 7);
    assert_int_equal(t->rec->cc_kind, CC_BBR);
    assert_int_equal(t->rec->mtu_max, 1401);
    assert_true(t->ack.due);
    assert_true(recovery_deadline_us(t->rec, &t->sent) > w->p->now_us);
    world_free(w);
}

static void a_black_hole_for_big_packets_is_left_behind(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("black hole", 10).x);
    w->p->mtu = 1472;
    uint64_t id = world_open(w, 0);
    for (int i = 0; i < 400; i++) {
        world_feed(w, 0, id, 8 << 20);
        world_run(w, 5 * MS);
        if (transport_mtu(world_tp(w, 0)) > 1400 && w->read[1][id] > (1 << 20))
            break;
    }
    uint16_t mtu = transport_mtu(world_tp(w, 0));
    assert_true(mtu > 1400 && mtu <= 1472); /* found, and no more than that */
    assert_false(w->fin[1][id]);
    w->p->mtu = 1252;
    drop_in_flight(w->p);
    uint64_t before = w->read[1][id], start_us = w->p->now_us;
    while (w->read[1][id] < before + 100000 && w->p->now_us < start_us + 10000 * MS) {
        world_feed(w, 0, id, 8 << 20);
        world_run(w, 5 * MS);
    }
    assert_true(w->p->now_us - start_us < 3000 * MS);
    assert_true(transport_mtu(world_tp(w, 0)) <= 1252);
    assert_int_equal(endpoint_counters(w->p->ep[0])->black_holes, 1);
    world_send_all(w, id, 8 << 20, 60000 * MS);
    world_nobody_hung_up(w);
    world_free(w);
}

/* The new path carries less than the old one, silently, and everything that was under way is
 * gone. */
static void a_new_path_with_a_smaller_mtu_carries_on(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("smaller mtu", 15).x);
    const uint64_t id = world_open(w, 0);
    w->p->mtu = 8972;
    while (transport_mtu(world_tp(w, 0)) != 8972) {
        world_feed(w, 0, id, w->read[1][id] + (1 << 20));
        world_run(w, 5 * MS);
        assert_false(w->fin[1][id]);
    }
    for (size_t mtu = 1452; mtu >= 1200; mtu -= 84) {
        drop_in_flight(w->p);
        w->p->mtu = mtu;
        w->p->addr[1].port++;
        const uint64_t before = w->read[1][id], start_us = w->p->now_us;
        assert_int_equal(session_switch_path(w->p->ep[0], start_us, w->s[0], AT(&w->p->addr[1])),
                         0);
        while (w->read[1][id] < before + 100000 && w->p->now_us < start_us + 3000 * MS) {
            world_feed(w, 0, id, w->read[1][id] + (1 << 20));
            world_run(w, MS);
        }
        assert_true(w->p->now_us - start_us <= 10 * 20 * MS); /* no black hole to be found first */
        for (int i = 0; i < 300; i++) {
            world_feed(w, 0, id, w->read[1][id] + (1 << 20));
            world_run(w, MS);
            assert_true(transport_mtu(world_tp(w, 0)) <= mtu);
        }
    }
    assert_int_equal(endpoint_counters(w->p->ep[0])->black_holes, 0);
    world_nobody_hung_up(w);
    world_free(w);
}

/* Underlays of tunnels and hotels: 1,124 bytes of IPv4, and less. From the first packet on, and
 * after one that carried more. */
static void an_underlay_below_the_base_carries_everything(void **state) {
    (void)state;
    static const size_t sizes[] = {1252, 1200, 1199, 1096, 996, 700, MTU_MIN_BYTES};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int later = 0; later < 2; later++) {
            struct world *w = world_new(rand_seeded("underlay", 16).x);
            const uint64_t id = world_open(w, 0);
            w->p->mtu = later ? 1472 : sizes[i];
            if (later) {
                while (!world_feed(w, 0, id, 1 << 20))
                    world_run(w, 5 * MS);
                w->p->mtu = sizes[i];
            }
            world_send_all(w, id, 2 << 20, 12000 * MS);
            assert_true(transport_mtu(world_tp(w, 0)) <= sizes[i]);
            world_nobody_hung_up(w);
            /* The next transport of this session knows it, and so does who asks. */
            assert_int_equal(stream_finish(w->p->ep[1], w->s[1], id), 0);
            world_run(w, 5000 * MS);
            assert_null(world_tp(w, 0));
            const uint64_t black_holes = endpoint_counters(w->p->ep[0])->black_holes;
            struct session_info info;
            assert_true(endpoint_session_info(w->p->ep[0], w->p->now_us, w->s[0], &info));
            assert_true(info.mtu_bytes <= sizes[i]);
            const uint64_t next = world_open(w, 0);
            world_send_all(w, next, 1 << 20, 3000 * MS);
            assert_int_equal(endpoint_counters(w->p->ep[0])->black_holes, black_holes);
            world_nobody_hung_up(w);
            world_free(w);
        }
}

/* A datagram that no packet of this path has room for is dropped, and holds up nothing. */
static void a_datagram_too_large_for_the_path_holds_up_nothing(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("large datagram", 17).x);
    static const uint8_t data[DATAGRAM_MAX_BYTES];
    const uint64_t id = world_open(w, 0);
    w->p->mtu = 1096;
    while (transport_mtu(world_tp(w, 0)) > 1096 || w->read[1][id] < 100000) {
        world_feed(w, 0, id, w->read[1][id] + (64 << 10));
        world_run(w, 5 * MS);
    }
    assert_int_equal(
        session_datagram(w->p->ep[0], w->p->now_us, w->s[0], data, sizeof data, TIME_NEVER), 0);
    assert_int_equal(session_datagram(w->p->ep[0], w->p->now_us, w->s[0], data, 900, TIME_NEVER),
                     0);
    assert_true(pair_run(w->p, 500 * MS, 1, EP_DATAGRAM));
    assert_int_equal(pair_event(w->p, 1, EP_DATAGRAM)->len, 900);
    assert_int_equal(pair_count(w->p, 1, EP_DATAGRAM), 1);
    const uint64_t read = w->read[1][id];
    for (int i = 0; i < 100; i++) {
        world_feed(w, 0, id, w->read[1][id] + (64 << 10));
        world_run(w, 5 * MS);
    }
    assert_true(w->read[1][id] > read + 100000);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_underlay_below_the_base_carries_everything),
        cmocka_unit_test(a_datagram_too_large_for_the_path_holds_up_nothing),
        cmocka_unit_test(a_new_path_carries_on_within_a_few_round_trips),
        cmocka_unit_test(a_new_path_begins_with_what_does_not_depend_on_it),
        cmocka_unit_test(a_black_hole_for_big_packets_is_left_behind),
        cmocka_unit_test(a_new_path_with_a_smaller_mtu_carries_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
