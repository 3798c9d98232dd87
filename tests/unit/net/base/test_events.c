/* The queue of what the protocol has to tell: its bounds, and who owns the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/events.h"
#include "net/base/limits.h"

static struct ep_event numbered(enum ep_event_kind kind, uint64_t id) {
    return (struct ep_event){.kind = kind, .id = id};
}

/* Another session each time, so that only what holds for all is the limit. */
static struct told *next_session(void) {
    static struct told told[1000];
    static unsigned n;
    struct told *t = &told[n++ % 1000];
    t->noise = 0;
    return t;
}

static void events_come_out_as_they_went_in(void **state) {
    (void)state;
    struct events q = {0};
    struct ep_event e;
    uint64_t in = 0, out = 0;
    for (int round = 0; round < 100; round++) { /* the ring grows and wraps */
        for (int i = 0; i < 7 + round; i++, in++) {
            e = numbered(EP_PONG, in);
            assert_true(events_push(&q, &e));
        }
        for (int i = 0; i < 5 + round; i++, out++) {
            assert_true(events_pop(&q, &e));
            assert_int_equal(e.id, out);
        }
    }
    for (; events_pop(&q, &e); out++)
        assert_int_equal(e.id, out);
    assert_int_equal(in, out);
    events_clear(&q);
}

static void bytes_are_copied_and_live_until_the_next_pop(void **state) {
    (void)state;
    struct events q = {0};
    uint8_t bytes[3] = {1, 2, 3};
    struct ep_event e = {.kind = EP_DATAGRAM, .data = bytes, .len = sizeof bytes};
    assert_true(events_push_data(&q, next_session(), &e));
    memset(bytes, 9, sizeof bytes);
    e.len = 0;
    assert_true(events_push_data(&q, next_session(), &e));
    assert_true(events_push_data(&q, next_session(), &e)); /* nobody takes it */
    assert_true(events_pop(&q, &e));
    assert_int_equal(e.len, 3);
    assert_memory_equal(e.data, ((uint8_t[]){1, 2, 3}), 3);
    assert_true(events_pop(&q, &e));
    assert_int_equal(e.len, 0);
    events_clear(&q);
}

/* A peer can send as many datagrams as it likes: they fill a quarter, and what is told only once
 * still has its place. */
static void datagrams_leave_room_for_other_events(void **state) {
    (void)state;
    struct events q = {0};
    const uint8_t byte = 5;
    const struct ep_event data = {.kind = EP_DATAGRAM, .data = &byte, .len = 1};
    struct ep_event e;
    for (uint32_t i = 0; i < EVENTS_MAX / 4; i++)
        assert_true(events_push_data(&q, next_session(), &data));
    assert_false(events_push_data(&q, next_session(), &data));
    assert_int_equal(q.dropped, 1);
    for (uint32_t i = EVENTS_MAX / 4; i < EVENTS_MAX; i++) {
        e = numbered(EP_SESSION_DOWN, i);
        assert_true(events_push(&q, &e));
        assert_false(events_push_data(&q, next_session(), &data));
    }
    assert_false(events_push(&q, &e)); /* now it is full for all */
    for (uint32_t i = 0; i < EVENTS_MAX; i++) {
        assert_true(events_pop(&q, &e));
        assert_int_equal(e.kind, i < EVENTS_MAX / 4 ? EP_DATAGRAM : EP_SESSION_DOWN);
    }
    assert_false(events_pop(&q, &e));
    assert_true(events_push_data(&q, next_session(), &data));
    events_clear(&q);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_as_they_went_in),
        cmocka_unit_test(bytes_are_copied_and_live_until_the_next_pop),
        cmocka_unit_test(datagrams_leave_room_for_other_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
