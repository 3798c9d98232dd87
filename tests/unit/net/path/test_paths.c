/* The places of one session: when it moves, what may leave before, and what is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/timer.h"
#include "net/path/paths.h"
#include "support_places.h"

enum { S = 1000000, MS = 1000, PACKET = 100 };

static struct rand_state source = {.x = 7};
static const struct rng rng = {places_fill, &source};

static struct paths begun(uint8_t last, bool doubtful) {
    struct paths p = {0};
    const struct hop first = place(last);
    paths_begin(&p, &first, doubtful);
    return p;
}

static bool is_at(const struct paths *p, uint8_t last) {
    const struct hop there = place(last);
    return hop_equal(paths_current(p), &there);
}

static struct paths_move heard(struct paths *p, uint64_t now_us, uint8_t last, bool moves) {
    const struct hop from = place(last);
    return paths_heard(p, &rng, now_us, &from, PACKET, moves);
}

/* Whoever is asked answers, if it is one of these. */
static struct paths_move answer(struct paths *p, uint64_t now_us, uint8_t last, bool silent) {
    struct paths_move m = {.what = PATHS_STAY};
    const struct hop there = place(last);
    for (const struct path_candidate *c; (c = paths_due(p, now_us, PACKET));) {
        uint8_t data[PATH_CHALLENGE_BYTES];
        if (!hop_same_place(&c->hop, &there))
            continue;
        memcpy(data, c->data, sizeof data);
        m = paths_answered(p, &rng, now_us, data, &there, silent);
    }
    return m;
}

static void follow(struct paths *p, uint64_t now_us, uint8_t last) {
    assert_int_equal(heard(p, now_us, last, true).what, PATHS_STAY); /* asked first */
    const struct paths_move m = answer(p, now_us, last, false);
    assert_int_equal(m.what, PATHS_MOVE);
    assert_false(is_at(p, last)); /* until the owner has moved */
    paths_moved(p, &rng, now_us, &m);
    assert_true(is_at(p, last));
}

static void the_peer_is_followed_where_it_answers(void **state) {
    (void)state;
    struct paths p = begun(1, false);
    assert_int_equal(heard(&p, S, 1, true).what, PATHS_STAY);
    assert_int_equal(heard(&p, S, 2, false).what, PATHS_STAY); /* a probe, or an old packet */
    assert_null(p.asked);                                      /* costs nothing */
    assert_int_equal(paths_deadline_us(&p), TIME_NEVER);
    follow(&p, S, 2);
    assert_int_equal(p.current.number, 1);
    assert_int_equal(answer(&p, S, 1, false).what, PATHS_STAY); /* it lives, and is not wanted */
    follow(&p, 2 * S, 3);
    assert_int_equal(p.current.number, 2);
    paths_clear(&p);
    assert_int_equal(paths_current(&p)->kind, HOP_NONE);
}

static void packets_from_many_places_do_not_make_it_flap(void **state) {
    (void)state;
    struct paths p = begun(1, false);
    unsigned moves = 0;
    for (uint64_t now_us = 10 * S; now_us < 20 * S; now_us += 10 * MS) {
        const uint8_t last = is_at(&p, 1) ? 2 : 1;
        struct paths_move m = heard(&p, now_us, last, true);
        if (m.what == PATHS_STAY)
            m = answer(&p, now_us, last, false);
        if (m.what != PATHS_MOVE)
            continue;
        paths_moved(&p, &rng, now_us, &m);
        moves++;
    }
    assert_in_range(moves, PATH_SWITCHES_MAX, PATH_SWITCHES_MAX + 10);
    paths_clear(&p);
}

/* Where nobody has answered yet no more goes than has come from there. */
static void a_place_in_doubt_gets_three_times_what_came(void **state) {
    (void)state;
    struct paths p = begun(1, false);
    const struct hop first = place(1), other = place(2);
    assert_true(paths_sure(&p, &first) && paths_room(&p) == SIZE_MAX);
    paths_doubt(&p, &rng, S, &first, PACKET); /* the same place again is none */
    assert_true(paths_sure(&p, &first));
    paths_doubt(&p, &rng, S, &other, PACKET);
    assert_true(paths_doubtful(&p) && !paths_sure(&p, &first));
    assert_int_equal(paths_room(&p), PATH_AMPLIFICATION * PACKET);
    assert_true(paths_spend(&p, &first, PACKET) && paths_spend(&p, &other, PACKET));
    assert_true(paths_spend(&p, &first, 2 * PACKET));
    assert_false(paths_spend(&p, &first, 1));
    assert_int_equal(paths_room(&p), 0);
    assert_int_equal(heard(&p, S, 1, true).what, PATHS_STAY); /* that alone is no proof */
    const struct paths_move m = answer(&p, S, 1, false);
    assert_int_equal(m.what, PATHS_SURE);
    assert_true(paths_sure(&p, &first) && paths_room(&p) == SIZE_MAX);
    assert_int_equal(p.current.number, 0);
    paths_clear(&p);
}

static void other_places_are_asked_once_and_not_the_one_in_use(void **state) {
    (void)state;
    struct paths p = begun(1, true);
    const struct hop places[] = {place(1), place(2), place(2), place(3), place(4)};
    unsigned seen[5] = {0}, asked = 0;
    for (int i = 0; i < 2; i++)
        paths_ask_around(&p, &rng, S, places, 5);
    for (const struct path_candidate *c; (c = paths_due(&p, S, PACKET)); asked++)
        seen[c->hop.udp.remote.ip[3]]++;
    assert_int_equal(asked, PATH_CANDIDATES - 1);
    assert_true(seen[2] == 1 && seen[3] == 1);
    for (uint64_t t = S; t < 20 * S; t += 100 * MS) /* nobody answers */
        while (paths_due(&p, t, PACKET))
            ;
    paths_ask_around(&p, &rng, 20 * S, places, 5);
    assert_null(paths_due(&p, 20 * S, PACKET));
    paths_clear(&p);
    p = begun(1, false); /* nor where there is no doubt */
    paths_ask_around(&p, &rng, S, places, 5);
    assert_null(p.asked);
}

static void where_nobody_was_ever_seen_nothing_goes_and_nobody_is_asked(void **state) {
    (void)state;
    struct paths p = begun(1, true);
    const struct hop first = place(1);
    assert_int_equal(paths_room(&p), 0);
    assert_false(paths_spend(&p, &first, 1));
    follow(&p, S, 2);
    for (const struct path_candidate *c; (c = paths_due(&p, S, PACKET));)
        assert_false(hop_equal(&c->hop, &first));
    paths_clear(&p);
}

static void what_the_user_asks_for_is_done_however_often_the_path_has_moved(void **state) {
    (void)state;
    struct paths p = begun(1, false);
    struct paths_move m;
    for (uint8_t n = 0; n < PATH_SWITCHES_MAX; n++)
        follow(&p, 10 * S, is_at(&p, 1) ? 2 : 1);
    assert_int_equal(heard(&p, 10 * S, 3, true).what, PATHS_STAY);
    assert_int_equal(answer(&p, 10 * S, 3, false).what, PATHS_STAY); /* too often */
    const struct hop there = place(4);
    assert_int_equal(paths_ask(&p, &rng, 10 * S, &there), 0);
    m = answer(&p, 10 * S, 4, false);
    assert_int_equal(m.what, PATHS_MOVE);
    paths_clear(&p);
}

/* The one left last is asked again when the new one is silent; its answer counts only while it
 * is. */
static void a_silent_path_gives_way_to_the_one_left(void **state) {
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct paths p = begun(1, false);
        follow(&p, S, 2);
        for (uint64_t t = S; t < 8 * S; t += 100 * MS) /* 1 does not answer, and is forgotten */
            while (paths_due(&p, t, PACKET))
                ;
        paths_rescue(&p, &rng, 10 * S);
        const struct paths_move m = answer(&p, 10 * S, 1, silent);
        assert_int_equal(m.what, silent ? PATHS_MOVE : PATHS_STAY);
        if (silent) {
            paths_moved(&p, &rng, 10 * S, &m);
            assert_true(is_at(&p, 1));
            assert_int_equal(heard(&p, 11 * S, 2, true).what, PATHS_STAY); /* shunned */
            assert_null(paths_due(&p, 11 * S, PACKET));
        }
        paths_clear(&p);
    }
}

/* Whoever leads it from place to place does not make the one forgotten that was good. */
static void a_silent_path_gives_way_to_one_that_carried(void **state) {
    (void)state;
    for (int carried = 0; carried < 2; carried++) {
        struct paths p = begun(1, false);
        follow(&p, S, 2);
        if (carried)
            paths_carries(&p);
        for (uint8_t last = 3; last < 6; last++)
            follow(&p, S * last, last);
        for (uint64_t t = 5 * S; t < 12 * S; t += 100 * MS)
            while (paths_due(&p, t, PACKET))
                ;
        paths_rescue(&p, &rng, 12 * S);
        const struct paths_move m = answer(&p, 12 * S, carried ? 2 : 1, true);
        assert_int_equal(m.what, PATHS_MOVE);
        paths_clear(&p);
    }
}

static enum path_status status_of(struct paths *p, uint8_t last) {
    const struct hop at = place(last);
    const struct path_place *found = path_list_find(p->known, &at);
    assert_non_null(found);
    return (enum path_status)found->status;
}

/* It is asked by the name of any socket, and answers by that: it is the same one, in use, whatever
 * state that is in. (swarm --scale relays, seed 10) */
static void the_path_in_use_may_answer_by_another_name(void **state) {
    (void)state;
    for (int suspect = 0; suspect < 2; suspect++) {
        struct paths p = begun(1, false);
        const struct hop other = place(2), now = place(1), any = hop_by_any_socket(&now);
        uint8_t data[PATH_CHALLENGE_BYTES];
        assert_int_equal(now.udp.local == any.udp.local, false);
        assert_int_equal(paths_offer(&p, S, &other), 0);
        if (suspect)
            path_list_suspect(p.known, S);
        assert_int_equal(paths_ask(&p, &rng, S, &any), 0);
        const struct path_candidate *c = paths_due(&p, S, PACKET);
        assert_non_null(c);
        memcpy(data, c->data, sizeof data);
        const struct paths_move m = paths_answered(&p, &rng, S, data, &any, false);
        assert_true(m.what == PATHS_MOVE);
        assert_int_equal(status_of(&p, 1), suspect ? PATH_SUSPECT : PATH_ACTIVE);
        assert_int_equal(path_list_count(p.known), 2);
        paths_clear(&p);
    }
}

/* What the user has left may be good again, or wanted again: it stays a standby if it answers, and
 * is asked again if it does not. */
static void what_the_user_has_left_is_still_a_place(void **state) {
    (void)state;
    for (int answers = 0; answers < 2; answers++) {
        struct paths p = begun(1, false);
        const struct hop there = place(2), before = place(1);
        uint8_t data[PATH_CHALLENGE_BYTES];
        bool ours;
        assert_int_equal(paths_ask(&p, &rng, S, &there), 0);
        const struct paths_move m = answer(&p, S, 2, false);
        assert_int_equal(m.what, PATHS_MOVE);
        paths_moved(&p, &rng, S, &m);
        assert_int_equal(status_of(&p, 1), PATH_PROBING);
        if (answers) {
            assert_int_equal(answer(&p, S, 1, false).what, PATHS_STAY);
            assert_int_equal(status_of(&p, 1), PATH_VALIDATED);
            paths_clear(&p);
            continue;
        }
        uint64_t t = S;
        for (; status_of(&p, 1) == PATH_PROBING && t < 10 * S; t += 100 * MS)
            (void)paths_place_due(&p, &rng, t);
        assert_int_equal(status_of(&p, 1), PATH_FAILED);
        const struct path_place *asked = NULL;
        for (const uint64_t end = t + 5 * S; !asked && t < end; t += 100 * MS) {
            path_list_used(p.known, t);
            asked = paths_place_due(&p, &rng, t);
        }
        assert_non_null(asked);
        memcpy(data, asked->data, sizeof data);
        const struct paths_move stays = paths_place_answered(&p, t, data, &before, false, &ours);
        assert_int_equal(stays.what, PATHS_STAY);
        assert_true(ours);
        assert_int_equal(status_of(&p, 1), PATH_VALIDATED);
        paths_clear(&p);
    }
}

static void the_socket_is_known_from_the_first_packet_on(void **state) {
    (void)state;
    struct paths p = {0};
    const struct hop there = place(1), any = hop_by_any_socket(&there), other = place(2);
    paths_begin(&p, &any, false);
    paths_settle(&p, &other);
    assert_true(hop_equal(paths_current(&p), &any));
    paths_settle(&p, &there);
    assert_true(hop_equal(paths_current(&p), &there));
    struct hop socket = there;
    socket.udp.local = 2;
    paths_settle(&p, &socket); /* another one is another place, and has to answer */
    assert_true(hop_equal(paths_current(&p), &there));
}

static void what_a_path_was_like_is_remembered_for_its_return(void **state) {
    (void)state;
    struct paths p = begun(1, false);
    const struct hop first = place(1), second = place(2);
    const struct path_state was = {.hop = first, .left_us = S, .seed.cwnd_bytes = 5};
    assert_null(paths_recall(&p, &first, S));
    paths_remember(&p, &was);
    assert_int_equal(paths_recall(&p, &first, 2 * S)->seed.cwnd_bytes, 5);
    assert_null(paths_recall(&p, &second, 2 * S));
    assert_null(paths_recall(&p, &first, S + PATH_MEMORY_US + 1));
    paths_clear(&p);
}

/* A question from a place that is not being asked is answered as it came, and nothing is counted of
 * it. */
static void an_answer_is_never_more_than_the_question(void **state) {
    (void)state;
    struct paths p = begun(1, false);
    const struct hop stranger = place(9), known = place(2);
    for (int i = 0; i < 10; i++)
        assert_true(paths_answers(&p, &stranger, PACKET));
    (void)heard(&p, S, 2, true).what;
    unsigned answers = 0;
    for (int i = 0; i < 10; i++)
        answers += paths_answers(&p, &known, PACKET);
    assert_int_equal(answers, PATH_AMPLIFICATION);
    assert_false(paths_spend(&p, &stranger, 1));
    paths_clear(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peer_is_followed_where_it_answers),
        cmocka_unit_test(packets_from_many_places_do_not_make_it_flap),
        cmocka_unit_test(a_place_in_doubt_gets_three_times_what_came),
        cmocka_unit_test(other_places_are_asked_once_and_not_the_one_in_use),
        cmocka_unit_test(where_nobody_was_ever_seen_nothing_goes_and_nobody_is_asked),
        cmocka_unit_test(what_the_user_asks_for_is_done_however_often_the_path_has_moved),
        cmocka_unit_test(a_silent_path_gives_way_to_the_one_left),
        cmocka_unit_test(a_silent_path_gives_way_to_one_that_carried),
        cmocka_unit_test(the_path_in_use_may_answer_by_another_name),
        cmocka_unit_test(what_the_user_has_left_is_still_a_place),
        cmocka_unit_test(the_socket_is_known_from_the_first_packet_on),
        cmocka_unit_test(what_a_path_was_like_is_remembered_for_its_return),
        cmocka_unit_test(an_answer_is_never_more_than_the_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
