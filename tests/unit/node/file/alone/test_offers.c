/* Who gives way when there are too many offers (node/file/transfer/offers). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/file/transfer/offers.h"

enum { A = 1, B, C, LIST = 128, MIB = 1 << 20 };

struct some {
    struct offer list[LIST];
    struct offers o;
};

static void add(struct some *s, unsigned count, uint32_t contact, size_t bytes,
                enum offer_stand stand) {
    s->o.list = s->list;
    while (count-- > 0)
        s->list[s->o.count++] = (struct offer){contact, bytes, stand};
}

static void there_is_room_until_a_share_is_used_up(void **state) {
    (void)state;
    struct some s = {0};
    struct offers_word w;
    assert_int_equal(offers_judge(&s.o, A, 20 * MIB, &w), OFFERS_ROOM);
    add(&s, OFFERS_MAX_PER_CONTACT - 1, A, 1, OFFER_WAITS);
    assert_int_equal(offers_judge(&s.o, A, 1, &w), OFFERS_ROOM);
    assert_int_equal(w.limit, LIMIT_NONE);
    add(&s, 1, A, 1, OFFER_ENDS); /* what has ended counts while its operations are out */
    assert_int_equal(offers_judge(&s.o, A, 1, &w), OFFERS_FULL);
    assert_int_equal(w.limit, LIMIT_OFFERS_CONTACT);
    assert_int_equal(w.max, OFFERS_MAX_PER_CONTACT);
    assert_int_equal(offers_judge(&s.o, B, 1, &w), OFFERS_ROOM);
    s.list[3].stand = OFFER_GONE;
    assert_int_equal(offers_judge(&s.o, A, 1, &w), OFFERS_ROOM);
    assert_int_equal(offers_judge(&s.o, A, OFFERS_BYTES_MAX_PER_CONTACT, &w), OFFERS_FULL);
    assert_int_equal(w.limit, LIMIT_OFFER_BYTES_CONTACT);
}

static void the_one_that_holds_most_gives_way_with_its_newest_that_waits(void **state) {
    (void)state;
    struct some s = {0};
    struct offers_word w;
    add(&s, 10, B, 1, OFFER_WAITS);
    add(&s, 30, A, 1, OFFER_WAITS);
    add(&s, 1, A, 1, OFFER_STALLS);
    add(&s, 7, A, 1, OFFER_MOVES);
    assert_int_equal(s.o.count, OFFERS_MAX);
    assert_int_equal(offers_judge(&s.o, C, 1, &w), OFFERS_GIVE_WAY);
    assert_int_equal(w.at, 39);
    assert_int_equal(w.limit, LIMIT_OFFERS);
    for (unsigned i = 10; i < 40; i++) /* none waits any more: then what has stopped */
        s.list[i].stand = OFFER_MOVES;
    assert_int_equal(offers_judge(&s.o, C, 1, &w), OFFERS_GIVE_WAY);
    assert_int_equal(w.at, 40);
    s.list[w.at].stand = OFFER_GIVES; /* it is not waited for */
    assert_int_equal(offers_judge(&s.o, C, 1, &w), OFFERS_ROOM);
}

static void what_moves_is_left_alone_but_for_who_has_none(void **state) {
    (void)state;
    struct some s = {0};
    struct offers_word w;
    add(&s, 30, A, 1, OFFER_MOVES);
    add(&s, 17, B, 1, OFFER_MOVES);
    add(&s, 1, C, 1, OFFER_MOVES);
    assert_int_equal(offers_judge(&s.o, C, 1, &w), OFFERS_FULL);
    assert_int_equal(offers_judge(&s.o, C + 1, 1, &w), OFFERS_GIVE_WAY);
    assert_int_equal(w.at, 29);
}

static void nobody_gives_way_to_who_would_then_have_as_many(void **state) {
    (void)state;
    struct some s = {0};
    struct offers_word w;
    for (uint32_t contact = 0; contact < 6; contact++)
        add(&s, OFFERS_MAX / 6, A + contact, 1, OFFER_WAITS);
    s.list[OFFERS_MAX - 1].contact = A + 6;
    assert_int_equal(offers_judge(&s.o, A + 5, 1, &w), OFFERS_FULL); /* has 7, others 8 */
    assert_int_equal(offers_judge(&s.o, A + 6, 1, &w), OFFERS_GIVE_WAY);
}

static void memory_is_shared_like_places(void **state) {
    (void)state;
    struct some s = {0};
    struct offers_word w;
    add(&s, 2, A, 11 * MIB, OFFER_WAITS);
    add(&s, 20, B, 1 * MIB, OFFER_WAITS);
    add(&s, 1, C, 10 * MIB, OFFER_WAITS);
    assert_int_equal(offers_judge(&s.o, C + 1, 12 * MIB, &w), OFFERS_ROOM);
    assert_int_equal(offers_judge(&s.o, C + 1, 13 * MIB, &w), OFFERS_GIVE_WAY);
    assert_int_equal(w.limit, LIMIT_OFFER_BYTES);
    assert_int_equal(w.at, 1); /* of A, which holds the most bytes */
    assert_int_equal(offers_judge(&s.o, C, 13 * MIB, &w), OFFERS_FULL); /* it would hold more */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_room_until_a_share_is_used_up),
        cmocka_unit_test(the_one_that_holds_most_gives_way_with_its_newest_that_waits),
        cmocka_unit_test(what_moves_is_left_alone_but_for_who_has_none),
        cmocka_unit_test(nobody_gives_way_to_who_would_then_have_as_many),
        cmocka_unit_test(memory_is_shared_like_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
