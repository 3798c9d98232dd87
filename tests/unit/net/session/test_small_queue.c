/* Whole packets that wait: whose turn it is, what is dropped when full, and what a stuck socket
 * costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"
#include "net/session/small_queue.h"

static const struct addr there = {.kind = ADDR_IPV4, .port = 1};

static bool push(struct small_queue *q, enum small_class class, uint32_t socket, uint8_t mark) {
    const struct small_packet head = {.to = hop_udp(&there, socket), .class = class};
    return small_push(q, &head, &mark, 1);
}

static int pop(struct small_queue *q, uint32_t full) { /* the mark; -1: nothing */
    const struct train t = {.full = full};
    struct small_packet *p = small_pop(q, &t);
    const int mark = p ? p->data[0] : -1;
    mem_free(p);
    return mark;
}

static void each_class_has_a_bound_of_its_own(void **state) {
    (void)state;
    static const unsigned most[] = {
        [SMALL_SESSION] = SMALL_SESSION_MAX, [SMALL_ATTEMPT] = SMALL_ATTEMPT_MAX,
        [SMALL_ANSWER] = SMALL_ANSWER_MAX,   [SMALL_RETRY] = SMALL_RETRY_MAX,
        [SMALL_RECORD] = SMALL_RECORD_MAX,
    };
    struct small_queue q = {0};
    for (unsigned class = SMALL_CLASSES; class -- > 0;) { /* RETRYs and records before CONFIRMs */
        unsigned taken = 0;
        for (unsigned i = 0; i < 2000; i++)
            taken += push(&q, (enum small_class) class, 0, (uint8_t)i);
        assert_int_equal(taken, most[class]);
        assert_int_equal(q.dropped[class], 2000 - most[class]);
    }
    small_clear(&q);
    small_clear(&q);
    assert_int_equal(pop(&q, 0), -1);
}

static void urgent_ones_take_turns_and_records_are_asked_for(void **state) {
    (void)state;
    struct small_queue q = {0};
    for (unsigned i = 0; i < 100; i++) {
        assert_true(push(&q, SMALL_RECORD, 0, 99));
        assert_true(push(&q, SMALL_RETRY, 0, SMALL_RETRY));
    }
    for (unsigned i = 0; i < 3; i++)
        assert_true(push(&q, SMALL_SESSION, 0, SMALL_SESSION));
    static const int order[] = {SMALL_SESSION, SMALL_RETRY, SMALL_SESSION, SMALL_RETRY,
                                SMALL_SESSION, SMALL_RETRY, SMALL_RETRY};
    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++)
        assert_int_equal(pop(&q, 0), order[i]);
    while (pop(&q, 0) >= 0)
        continue;
    unsigned records = 0;
    for (struct small_packet *p; (p = small_pop_record(&q, NULL)); mem_free(p))
        records++;
    assert_int_equal(records, 100);
    small_clear(&q);
}

static void what_waits_for_a_full_socket_takes_no_place_of_anothers(void **state) {
    (void)state;
    struct small_queue q = {0};
    unsigned stuck = 0;
    for (unsigned i = 0; i < SMALL_SESSION_MAX; i++)
        stuck += push(&q, SMALL_SESSION, 3, 1);
    assert_int_equal(stuck, SMALL_SESSION_MAX);
    assert_int_equal(pop(&q, 1u << 3), -1); /* all of them are passed over once */
    assert_int_equal(q.lists[SMALL_SESSION].count, 0);
    assert_false(push(&q, SMALL_SESSION, 3, 1)); /* it has had its share */
    for (unsigned i = 0; i < SMALL_SESSION_MAX; i++)
        assert_true(push(&q, SMALL_SESSION, 2, 2));
    assert_int_equal(pop(&q, 1u << 3), 2);
    assert_int_equal(q.parked->lists[SMALL_SESSION][3].count, SMALL_SESSION_MAX);
    assert_int_equal(pop(&q, 0), 1); /* it has room again: they have waited longest */
    assert_int_equal(pop(&q, 1u << 3), 2);
    assert_int_equal(pop(&q, 1u << 2 | 1u << 3), -1);
    for (unsigned i = 1; i < SMALL_SESSION_MAX; i++)
        assert_int_equal(pop(&q, 1u << 2), 1);
    assert_int_equal(pop(&q, 1u << 2), -1);
    assert_int_equal(q.parked->at[SMALL_SESSION], 1u << 2);
    assert_int_equal(q.held, q.parked->lists[SMALL_SESSION][2].count);
    small_clear(&q);
    assert_null(q.parked);
    assert_int_equal(q.held, 0);
}

/* Taken out, and back: nothing is forgotten, since nobody looks into a queue that holds nothing. */
static void what_waits_after_all_is_held_still(void **state) {
    (void)state;
    struct small_queue q = {0};
    assert_true(push(&q, SMALL_SESSION, 3, 5));
    struct small_packet *p = small_pop(&q, NULL);
    assert_int_equal(q.held, 0);
    assert_true(small_wait(&q, p, 3));
    assert_int_equal(q.held, 1);
    assert_int_equal(pop(&q, 1u << 3), -1);
    assert_int_equal(pop(&q, 0), 5);
    assert_int_equal(q.held, 0);
    small_clear(&q);
}

/* A packet by whatever socket gets there is never held back. */
static void what_is_bound_to_no_socket_waits_for_none(void **state) {
    (void)state;
    struct small_queue q = {0};
    assert_true(push(&q, SMALL_ATTEMPT, LOCAL_ANY, 7));
    assert_int_equal(pop(&q, UINT32_MAX), 7);
    assert_null(q.parked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_has_a_bound_of_its_own),
        cmocka_unit_test(urgent_ones_take_turns_and_records_are_asked_for),
        cmocka_unit_test(what_waits_for_a_full_socket_takes_no_place_of_anothers),
        cmocka_unit_test(what_waits_after_all_is_held_still),
        cmocka_unit_test(what_is_bound_to_no_socket_waits_for_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
