/* What is asked before a path moves: the places one session looks at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/timer.h"
#include "net/base/train.h"
#include "net/path/path_challenge.h"
#include "support_places.h"

enum { MS = 1000, S = 1000000, PACKET = 41 };

static struct rand_state source = {.x = 5};
static const struct rng rng = {places_fill, &source};

static bool heard(struct path_challenges *p, uint64_t now_us, uint8_t last, size_t bytes,
                  bool moves) {
    const struct hop a = place(last);
    return path_challenge_heard(p, &rng, now_us, &a, bytes, moves);
}

static const struct path_candidate *answered(struct path_challenges *p, uint64_t now_us,
                                             const uint8_t *data, uint8_t last) {
    uint8_t copy[PATH_CHALLENGE_BYTES];
    const struct hop a = place(last);
    memcpy(copy, data, sizeof copy);
    return path_challenge_answered(p, now_us, copy, &a);
}

static void took(struct path_challenges *p, uint64_t now_us, uint8_t to, uint8_t left, bool shun) {
    const struct hop a = place(to), b = place(left);
    path_challenge_took(p, &rng, now_us, &a, &b, shun);
    path_challenge_remember(p, now_us, &b);
}

static void only_the_right_bytes_count_whichever_way_they_come(void **state) {
    (void)state;
    struct path_challenges p = {0};
    assert_int_equal(path_challenge_deadline_us(&p), TIME_NEVER);
    assert_false(heard(&p, S, 1, 100, false)); /* a probe, or an old packet: not looked at */
    assert_int_equal(path_challenge_deadline_us(&p), TIME_NEVER);
    assert_false(heard(&p, S, 1, 100, true));
    assert_int_equal(path_challenge_deadline_us(&p), S);
    static const uint8_t zeroes[PATH_CHALLENGE_BYTES];
    assert_null(answered(&p, S, zeroes, 1));
    const struct path_candidate *c = path_challenge_due(&p, S, PACKET);
    assert_non_null(c);
    assert_int_equal(c->hop.udp.remote.ip[3], 1);
    assert_null(path_challenge_due(&p, S, PACKET));
    uint8_t wrong[PATH_CHALLENGE_BYTES];
    memcpy(wrong, c->data, sizeof wrong);
    wrong[7] ^= 1;
    assert_null(answered(&p, S, wrong, 1));
    c = answered(&p, S + 20 * MS, c->data, 2);
    assert_non_null(c);
    assert_int_equal(c->hop.udp.remote.ip[3], 1);
    assert_true(c->wanted);
    assert_int_equal(path_challenge_deadline_us(&p), TIME_NEVER); /* nothing to wake for */
    assert_null(answered(&p, S + 21 * MS, c->data, 1));           /* once */
    assert_true(heard(&p, S + PATH_VALID_US, 1, 100, true));
    assert_false(heard(&p, S + 20 * MS + PATH_VALID_US, 1, 100, true)); /* long ago: asked again */
    assert_non_null(path_challenge_due(&p, S + 20 * MS + PATH_VALID_US, PACKET));
}

static void a_place_gets_three_times_what_came_from_it_and_not_for_ever(void **state) {
    (void)state;
    for (unsigned bytes = 14; bytes <= 500; bytes += 9) {
        struct path_challenges p = {0};
        unsigned sent = 0, got = 0;
        uint64_t now_us = S;
        heard(&p, now_us, 1, bytes, true);
        got += bytes;
        for (int i = 0; i < 400; i++, now_us += 50 * MS) {
            if (i == 30) { /* also what is no reason to move counts */
                heard(&p, now_us, 1, bytes, false);
                got += path_challenge_deadline_us(&p) == TIME_NEVER ? 0 : bytes;
            }
            while (path_challenge_due(&p, now_us, PACKET))
                sent += PACKET;
            const struct hop a = place(1);
            if (i == 1 && path_challenge_may_send(&p, &a, PACKET))
                sent += PACKET;
            assert_true(sent <= PATH_AMPLIFICATION * got);
        }
        assert_true(sent <= (PATH_CHALLENGE_TRIES + 1) * PACKET);
        assert_true(bytes < 90 || sent >= 3 * PACKET);
        assert_int_equal(path_challenge_deadline_us(&p), TIME_NEVER);
        for (unsigned i = 0; i < PATH_CANDIDATES; i++)
            assert_int_equal(p.v[i].state, PATH_FREE);
    }
}

static void a_flood_of_places_does_not_push_out_one_that_is_being_asked(void **state) {
    (void)state;
    struct path_challenges p = {0};
    heard(&p, S, 1, 100, true);
    const struct path_candidate *c = path_challenge_due(&p, S, PACKET);
    uint8_t data[PATH_CHALLENGE_BYTES];
    memcpy(data, c->data, sizeof data);
    for (uint8_t i = 2; i < 250; i++)
        heard(&p, S + (uint64_t)i * MS, i, 100, true);
    c = answered(&p, S + 250 * MS, data, 1);
    assert_non_null(c);
    took(&p, S + 250 * MS, 1, 0, false);
    /* Later the one heard longest ago gives way. */
    heard(&p, S + 600 * MS, 250, 100, true);
    bool known = false;
    for (unsigned i = 0; i < PATH_CANDIDATES; i++)
        known |= p.v[i].state == PATH_CHECKING && p.v[i].hop.udp.remote.ip[3] == 250;
    assert_true(known);
}

static bool is_watched(const struct path_challenges *p, uint8_t last) {
    for (unsigned i = 0; i < PATH_CANDIDATES; i++)
        if (p->v[i].state != PATH_FREE && p->v[i].hop.udp.remote.ip[3] == last)
            return true;
    return false;
}

/* Three have had their time; 2 has been silent for longest, though it is not the one that was heard
 * first. */
static void who_was_heard_longest_ago_gives_way(void **state) {
    (void)state;
    struct path_challenges p = {0};
    for (uint8_t i = 1; i <= PATH_CANDIDATES; i++)
        heard(&p, S + (uint64_t)i * MS, i, 100, true);
    heard(&p, S + 100 * MS, 1, 100, true);
    heard(&p, S + 200 * MS, 3, 100, true);
    heard(&p, S + 600 * MS, 9, 100, true);
    assert_true(is_watched(&p, 9) && is_watched(&p, 1) && is_watched(&p, 3));
    assert_false(is_watched(&p, 2));
}

static void what_was_left_is_asked_once_more_and_answers_from_anywhere(void **state) {
    (void)state;
    struct path_challenges p = {0};
    took(&p, S, 2, 1, false);
    const struct path_candidate *c = path_challenge_due(&p, S, PACKET);
    assert_non_null(c);
    assert_int_equal(c->hop.udp.remote.ip[3], 1);
    assert_false(c->wanted); /* that it lives is no reason to go back */
    c = answered(&p, S + 20 * MS, c->data, 2);
    assert_non_null(c);
    assert_false(c->wanted);
    assert_false(heard(&p, S + 30 * MS, 1, 100, false));
    assert_true(heard(&p, S + 40 * MS, 1, 100, true)); /* but if the peer sends from there it is */
    took(&p, S + 40 * MS, 1, 2, false);
    /* Dead, as mostly: asked a few times. */
    unsigned asked = 0;
    for (uint64_t t = S + 40 * MS; t < 20 * S; t += 10 * MS)
        while (path_challenge_due(&p, t, PACKET))
            asked++;
    assert_int_equal(asked, PATH_CHALLENGE_TRIES_LEFT);
    assert_int_equal(path_challenge_deadline_us(&p), TIME_NEVER);
}

static void a_silent_path_is_shunned_after_the_old_one_has_answered(void **state) {
    (void)state;
    struct path_challenges p = {0};
    path_challenge_rescue(&p, &rng, S);
    assert_null(path_challenge_due(&p, S, PACKET)); /* there was none before */
    took(&p, S, 2, 1, false);
    uint64_t now_us = 20 * S;
    while (path_challenge_due(&p, now_us, PACKET))
        ;
    path_challenge_rescue(&p, &rng, now_us);
    path_challenge_rescue(&p, &rng, now_us);
    const struct path_candidate *c = path_challenge_due(&p, now_us, PACKET);
    assert_non_null(c);
    assert_null(path_challenge_due(&p, now_us, PACKET));
    path_challenge_rescue(&p, &rng, now_us); /* it is being asked already */
    assert_null(path_challenge_due(&p, now_us, PACKET));
    c = answered(&p, now_us, c->data, 1);
    assert_true(c && c->wanted && c->reason == PATH_RESCUE);
    took(&p, now_us, 1, 2, true);
    assert_int_equal(path_challenge_deadline_us(&p), TIME_NEVER);
    assert_false(heard(&p, now_us + PATH_SHUN_US - 1, 2, 100, true));
    assert_null(path_challenge_due(&p, now_us + PATH_SHUN_US - 1, PACKET));
    assert_false(heard(&p, now_us + PATH_SHUN_US, 2, 100, true));
    assert_non_null(path_challenge_due(&p, now_us + PATH_SHUN_US, PACKET));
    /* But when the other one is silent, too, it is better than nothing. */
    took(&p, 100 * S, 1, 2, true);
    assert_false(heard(&p, 101 * S, 2, 100, true));
    assert_null(path_challenge_due(&p, 101 * S, PACKET));
    path_challenge_rescue(&p, &rng, 101 * S);
    c = path_challenge_due(&p, 101 * S, PACKET);
    assert_true(c && c->wanted && c->hop.udp.remote.ip[3] == 2);
    /* Not for ever. */
    for (uint64_t t = 101 * S; t < 120 * S; t += S)
        (void)path_challenge_due(&p, t, PACKET);
    path_challenge_rescue(&p, &rng, 100 * S + PATH_RETURN_US + 1);
    assert_null(path_challenge_due(&p, 100 * S + PATH_RETURN_US + 1, PACKET));
}

static void a_place_the_user_names_is_asked_by_any_socket(void **state) {
    (void)state;
    struct path_challenges p = {0};
    const struct hop a = place(9), b = place(8), any = hop_by_any_socket(&a);
    path_challenge_begin(&p, &rng, S, &any, PATH_ASKED);
    unsigned asked = 0;
    uint8_t data[PATH_CHALLENGE_BYTES];
    for (uint64_t t = S; t < 2 * S; t += 10 * MS) {
        const struct path_candidate *c = path_challenge_due(&p, t, PACKET);
        if (c)
            memcpy(data, c->data, sizeof data);
        asked += c != NULL;
    }
    assert_int_equal(asked, 3);
    for (int other = 0; other < 2;
         other++) { /* the socket is known if the answer comes from there */
        struct path_challenges q = p;
        const struct path_candidate *c = path_challenge_answered(&q, 2 * S, data, other ? &b : &a);
        assert_true(c && c->wanted);
        assert_true(hop_equal(&c->hop, other ? &any : &a));
    }
}

/* Whoever sends from many places keeps nobody from asking where there is better reason to. */
static void a_flood_of_places_does_not_keep_a_better_reason_out(void **state) {
    (void)state;
    struct path_challenges p = {0};
    const struct hop good = place(1);
    path_challenge_remember(&p, S, &good);
    uint64_t now_us = S;
    for (uint8_t i = 0; i < PATH_CANDIDATES; i++)
        assert_false(heard(&p, now_us, (uint8_t)(10 + i), 100, true));
    while (path_challenge_due(&p, now_us, PACKET))
        ;
    path_challenge_rescue(&p, &rng, now_us);
    const struct path_candidate *c = path_challenge_due(&p, now_us, PACKET);
    assert_true(c && c->reason == PATH_RESCUE && c->hop.udp.remote.ip[3] == 1);
    /* And what is asked for that reason stays. */
    for (unsigned i = 0; i < 10; i++, now_us += 100 * MS)
        assert_false(heard(&p, now_us, (uint8_t)(30 + i), 100, true));
    assert_true(path_challenge_knows(&p, &good));
    /* So does what is shunned. */
    took(&p, now_us, 1, 50, true);
    const struct hop bad = place(50);
    for (unsigned i = 0; i < 90; i++, now_us += 100 * MS)
        assert_false(heard(&p, now_us, (uint8_t)(60 + i), 100, true));
    assert_true(path_challenge_knows(&p, &bad));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_right_bytes_count_whichever_way_they_come),
        cmocka_unit_test(a_place_gets_three_times_what_came_from_it_and_not_for_ever),
        cmocka_unit_test(who_was_heard_longest_ago_gives_way),
        cmocka_unit_test(a_flood_of_places_does_not_push_out_one_that_is_being_asked),
        cmocka_unit_test(a_flood_of_places_does_not_keep_a_better_reason_out),
        cmocka_unit_test(what_was_left_is_asked_once_more_and_answers_from_anywhere),
        cmocka_unit_test(a_silent_path_is_shunned_after_the_old_one_has_answered),
        cmocka_unit_test(a_place_the_user_names_is_asked_by_any_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
