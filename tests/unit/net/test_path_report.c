/* What the two sides of a session with several paths tell each other of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_rand.h"
#include "support_ways.h"

static uint64_t reports(struct ways *v, int side) {
    return endpoint_counters(v->w->p->ep[side])->path_reports_in;
}

static void reports_come_once_a_second_where_there_are_several_paths(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("reports", 1).x, 10 * MS);
    for (unsigned k = 0; k < WAYS; k++) {
        v->way[k].per_s = 1 << 20;
        v->way[k].queue_us = 50 * MS;
        v->way[k].mtu = 1472;
    }
    const uint64_t id = world_open(v->w, 0);
    ways_feed(v, 0, id, 5000 * MS);
    assert_int_equal(reports(v, 0) + reports(v, 1), 0);
    ways_offer(v, 0, 1);
    ways_feed(v, 0, id, 20000 * MS);
    for (int side = 0; side < 2; side++)
        assert_in_range(reports(v, side), 18, 21);
    struct path_info info[PATHS_MAX];
    assert_int_equal(ways_used(v, 0), 0); /* though full: the queue is our own */
    assert_int_equal(session_paths(v->w->p->ep[0], v->w->s[0], info), 2);
    assert_true(info[0].in_use && info[0].srtt_us >= 20 * MS && info[0].mtu_bytes > 1200);
    assert_false(info[1].in_use);
    assert_in_range(info[1].srtt_us, 20 * MS, 21 * MS);
    assert_string_equal(info[1].why, "answers, ready to take over");
    world_run(v->w, 5000 * MS);
    const uint64_t before = reports(v, 0) + reports(v, 1);
    world_run(v->w, 60000 * MS);
    assert_int_equal(reports(v, 0) + reports(v, 1), before);
    world_nobody_hung_up(v->w);
    ways_free(v);
}

static void who_does_not_know_them_is_sent_none(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("old", 2).x, 10 * MS);
    for (int side = 0; side < 2; side++)
        ways_session(v, side)->caps &= ~(uint32_t)CAPABILITY_PATHS;
    v->way[0].per_s = 1 << 20;
    v->way[0].queue_us = 50 * MS;
    const uint64_t id = world_open(v->w, 0);
    ways_offer(v, 0, 1);
    ways_feed(v, 0, id, 5000 * MS);
    assert_int_equal(reports(v, 0) + reports(v, 1), 0);
    /* All else works: it is asked before the peer goes there, as ever. */
    assert_int_equal(ways_status(v, 1, 1), -1);
    v->way[0].cut = true;
    ways_feed(v, 0, id, 2000 * MS);
    assert_int_equal(ways_used(v, 0), 1);
    assert_int_equal(ways_used(v, 1), 1);
    world_nobody_hung_up(v->w);
    ways_free(v);
}

static void a_report_moves_nothing(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("moves", 3).x, 10 * MS);
    ways_offer(v, 0, 1);
    world_run(v->w, 5000 * MS);
    uint8_t frame[PATH_REPORT_BYTES_MAX];
    struct wr w = wr_init(frame, sizeof frame);
    frame_write_path_report(&w, &(struct path_report){1000, 1000000, 1472});
    const struct hop other = ways_hop(0, 1);
    endpoint_send_frames_to(v->w->p->ep[0], ways_session(v, 0), v->w->p->now_us, &other, frame,
                            wr_len(&w));
    world_run(v->w, 1000 * MS);
    assert_int_equal(reports(v, 1), 1);
    assert_int_equal(ways_used(v, 1), 0);
    assert_null(world_tp(v->w, 1)); /* and costs no transport */
    world_nobody_hung_up(v->w);
    ways_free(v);
}

/* Small packets pass, full ones do not: smaller ones first; where not even the base passes, by the
 * other path. */
static void a_black_hole_is_left(void **state) {
    (void)state;
    for (int narrow = 0; narrow < 2; narrow++) {
        struct ways *v = ways_new(rand_seeded("hole", 4).x, 10 * MS);
        for (unsigned k = 0; k < WAYS; k++) {
            v->way[k].per_s = 1 << 20;
            v->way[k].queue_us = 50 * MS;
            v->way[k].mtu = 1472;
        }
        const uint64_t id = world_open(v->w, 0);
        ways_offer(v, 0, 1);
        ways_feed(v, 0, id, 3000 * MS);
        assert_int_equal(transport_mtu(world_tp(v->w, 0)), 1472);
        v->way[0].mtu = narrow ? 700 : 1252;
        ways_feed(v, 0, id, 5000 * MS);
        assert_int_equal(ways_used(v, 0), narrow ? 1 : 0);
        assert_int_equal(ways_used(v, 1), narrow ? 1 : 0);
        assert_true(transport_mtu(world_tp(v->w, 0)) >= 1200);
        const uint64_t read = v->w->read[1][id];
        ways_feed(v, 0, id, 5000 * MS);
        assert_true(v->w->read[1][id] > read + (3 << 20));
        assert_int_equal(ways_used(v, 0), narrow ? 1 : 0); /* and it does not come back */
        world_nobody_hung_up(v->w);
        ways_free(v);
    }
}

/* The same at the transport: what the peer has got tells a hole after three losses. */
static void small_packets_that_pass_show_a_hole_sooner(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("sooner", 5).x, 10 * MS);
    v->way[0].mtu = 1472;
    v->way[0].per_s = 1 << 20;
    v->way[0].queue_us = 50 * MS;
    const uint64_t id = world_open(v->w, 0);
    ways_feed(v, 0, id, 3000 * MS);
    struct transport *t = world_tp(v->w, 0);
    t->rec->pmtud.big_lost_bytes = 1472;
    t->rec->pmtud.big_losses = PATH_BLACK_HOLE_LOSSES - 1;
    assert_false(transport_black_hole(t, v->w->p->now_us, 548));
    t->rec->pmtud.big_losses = PATH_BLACK_HOLE_LOSSES;
    assert_false(transport_black_hole(t, v->w->p->now_us, 1472)); /* full ones pass */
    assert_int_equal(transport_mtu(t), 1472);
    assert_true(transport_black_hole(t, v->w->p->now_us, 548));
    assert_int_equal(transport_mtu(t), MTU_BASE_BYTES);
    ways_free(v);
}

static void a_report_is_read_as_it_was_written(void **state) {
    (void)state;
    uint8_t buf[64];
    const struct path_report told = {VARINT_MAX, 70000, 1472};
    struct wr w = wr_init(buf, sizeof buf);
    frame_write_path_report(&w, &told);
    assert_true(wr_len(&w) <= PATH_REPORT_BYTES_MAX);
    struct path_report got;
    struct rd r = rd_init(buf + 1, wr_len(&w) - 1);
    assert_int_equal(buf[0], FRAME_PATH_REPORT);
    assert_true(frame_read_path_report(&r, &got));
    assert_int_equal(rd_left(&r), 0);
    assert_memory_equal(&got, &told, sizeof told);
    /* Of a later version: more behind the three. Cut short: malformed. */
    static const uint8_t later[] = {5, 1, 2, 3, 9, 9, 0xee}, cut[] = {2, 1, 2, 3}, lies[] = {9, 1};
    r = rd_init(later, sizeof later);
    assert_true(frame_read_path_report(&r, &got) && got.largest == 3 && rd_left(&r) == 1);
    r = rd_init(cut, sizeof cut);
    assert_false(frame_read_path_report(&r, &got));
    r = rd_init(lies, sizeof lies);
    assert_false(frame_read_path_report(&r, &got));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_come_once_a_second_where_there_are_several_paths),
        cmocka_unit_test(who_does_not_know_them_is_sent_none),
        cmocka_unit_test(a_report_moves_nothing),
        cmocka_unit_test(a_black_hole_is_left),
        cmocka_unit_test(small_packets_that_pass_show_a_hole_sooner),
        cmocka_unit_test(a_report_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
