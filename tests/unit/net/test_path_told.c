/* What a session does when it is told to move, cannot, or does not know where its peer is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/wire/frame.h"
#include "support_rand.h"
#include "support_ways.h"

static void told_to_move(struct ways *v, int side, unsigned way) {
    const struct hop there = ways_hop(side, way);
    assert_int_equal(session_switch_path(v->w->p->ep[side], v->w->p->now_us, v->w->s[side], &there),
                     0);
}

/* Nothing else is under way: who moves says so by more than a probe, since the peer follows only
 * that; and knows the place for the next time. */
static void who_is_told_to_move_takes_an_idle_peer_along(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("told to move", 31).x, 10 * MS);
    world_run(v->w, 5000 * MS);
    told_to_move(v, 1, 1);
    world_run(v->w, 500 * MS);
    assert_int_equal(ways_used(v, 0), 1);
    assert_int_equal(ways_used(v, 1), 1);
    const struct hop there = ways_hop(1, 1);
    assert_true(hop_same_place(&ways_session(v, 1)->peer->last_path, &there));
    assert_true(v->way[1].packets[1] >= 2); /* the question, and the word that it is there */
    /* Both paths live, and what was on its way along the old one leads nobody back. */
    for (int side = 0; side < 2; side++)
        assert_int_equal(endpoint_counters(v->w->p->ep[side])->roamed, 1);
    ways_free(v);
}

/* No memory for what is known of one more path: all stays as it was, and goes on. */
static void who_cannot_move_stays(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("stays", 32).x, 10 * MS);
    const uint64_t id = world_open(v->w, 0);
    v->way[0].per_s = 1 << 20;
    v->way[0].queue_us = 50 * MS;
    ways_feed(v, 0, id, 500 * MS);
    struct transport *t = world_tp(v->w, 0);
    struct recovery *const rec = t->rec;
    for (struct recovery *r; (r = recoveries_add(&t->paths));) /* none of them was left */
        recovery_init(r, v->w->p->now_us, 1000, t->next_pn);
    told_to_move(v, 0, 1);
    ways_feed(v, 0, id, 500 * MS);
    assert_ptr_equal(t->rec, rec);
    assert_int_equal(ways_used(v, 0), 0);
    assert_int_equal(ways_session(v, 0)->paths.current.number, 0);
    assert_int_equal(endpoint_counters(v->w->p->ep[0])->roamed, 0);
    assert_int_equal(pair_count(v->w->p, 0, EP_ROAMED), 0);
    const uint64_t read = v->w->read[1][id];
    ways_feed(v, 0, id, 500 * MS);
    assert_true(v->w->read[1][id] > read);
    ways_free(v);
}

/* What is remembered of a path is its round trip; without one there is nothing to remember. */
static void a_path_that_has_shown_no_round_trip_is_not_remembered(void **state) {
    (void)state;
    for (int shown = 0; shown < 2; shown++) {
        struct ways *v = ways_new(rand_seeded("remembered", 33).x, 10 * MS);
        const uint64_t id = world_open(v->w, 0);
        world_feed(v->w, 0, id, 1000);
        world_run(v->w, 100 * MS);
        world_tp(v->w, 0)->rec->rtt.has_sample = shown;
        told_to_move(v, 0, 1);
        world_run(v->w, 100 * MS);
        assert_int_equal(ways_used(v, 0), 1);
        const struct hop left = ways_hop(0, 0);
        const struct paths *p = &ways_session(v, 0)->paths;
        assert_true((paths_recall(p, &left, v->w->p->now_us) != NULL) == (shown != 0));
        ways_free(v);
    }
}

/* Asked from elsewhere: the answer goes there, and along the path in use unless that is in doubt,
 * where nobody may be who has asked for anything. */
static void no_answer_goes_along_a_path_in_doubt(void **state) {
    (void)state;
    for (int doubtful = 0; doubtful < 2; doubtful++) {
        struct ways *v = ways_new(rand_seeded("in doubt", 34).x, 10 * MS);
        world_run(v->w, 5000 * MS);
        ways_session(v, 1)->paths.current.doubtful = doubtful;
        uint8_t frame[1 + PATH_CHALLENGE_BYTES] = {FRAME_PATH_CHALLENGE, 7};
        const struct hop to = ways_hop(0, 1);
        const uint64_t before[2] = {v->way[0].packets[1], v->way[1].packets[1]};
        endpoint_send_frames_to(v->w->p->ep[0], ways_session(v, 0), v->w->p->now_us, &to, frame,
                                sizeof frame);
        world_run(v->w, 15 * MS);
        assert_int_equal(v->way[0].packets[1] - before[0], doubtful ? 0 : 1);
        assert_in_range(v->way[1].packets[1] - before[1], 1, 2);
        ways_free(v);
    }
}

/* The first path of a session has not answered: others known are asked, but not at once. */
static void others_are_asked_when_the_first_has_had_its_time(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("asked later", 35).x, 10 * MS);
    struct endpoint *e = v->w->p->ep[1];
    struct session *s = ways_session(v, 1);
    s->paths.current.doubtful = true;
    s->peer->last_path = ways_hop(1, 1);
    const uint64_t before = e->counters.paths_challenged;
    endpoint_send_challenges(e, s, s->up_us + PATH_DOUBT_US - 1);
    assert_int_equal(e->counters.paths_challenged, before);
    endpoint_send_challenges(e, s, s->up_us + PATH_DOUBT_US);
    assert_int_equal(e->counters.paths_challenged, before + 1);
    world_run(v->w, MS);
    assert_int_equal(v->way[1].packets[1], 1);
    ways_free(v);
}

/* A flow through a relay that nobody holds is a place like another: nobody is there. */
static void a_place_behind_a_relay_is_asked_like_another(void **state) {
    (void)state;
    struct ways *v = ways_new(rand_seeded("relayed", 36).x, 10 * MS);
    const struct hop flow = {.kind = HOP_RELAY, .relay = {.by = {7, 7}, .flow = 0x10203}};
    struct endpoint *e = v->w->p->ep[0];
    assert_int_equal(endpoint_path_offer(e, ways_session(v, 0), v->w->p->now_us, &flow), 0);
    struct path_info info[PATHS_MAX];
    world_run(v->w, 10000 * MS);
    assert_int_equal(session_paths(e, v->w->s[0], info), 2);
    assert_int_equal(info[1].status, PATH_FAILED);
    endpoint_path_withdraw(e, ways_session(v, 0), v->w->p->now_us, &flow);
    assert_int_equal(session_paths(e, v->w->s[0], info), 1);
    assert_int_equal(info[0].status, PATH_ACTIVE);
    ways_free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_told_to_move_takes_an_idle_peer_along),
        cmocka_unit_test(who_cannot_move_stays),
        cmocka_unit_test(a_path_that_has_shown_no_round_trip_is_not_remembered),
        cmocka_unit_test(no_answer_goes_along_a_path_in_doubt),
        cmocka_unit_test(others_are_asked_when_the_first_has_had_its_time),
        cmocka_unit_test(a_place_behind_a_relay_is_asked_like_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
