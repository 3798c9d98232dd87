/* The ring of packets that were sent says of each what became of it, and has an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/recovery/sent.h"
#include "support_rand.h"

static struct sent_pkt *add(struct sent *s, uint64_t pn) {
    struct sent_pkt *p;
    assert_int_equal(sent_add(s, pn, &p), 0);
    assert_true(p->pn == pn && p->state == SENT_OUTSTANDING && p->nframes == 0);
    return p;
}

static void a_slot_is_clean_even_when_its_place_was_used_before(void **state) {
    (void)state;
    struct sent s;
    sent_init(&s, 0);
    for (uint64_t pn = 0; pn < 10 * SENT_RING_FIRST; pn++) {
        struct sent_pkt *p = add(&s, pn);
        assert_true(p->sent_us == 0 && !p->in_flight && !p->probe && !p->requeued);
        p->nframes = SENT_FRAMES_MAX;
        p->sent_us = pn + 1;
        p->in_flight = p->probe = p->requeued = true;
        p->state = SENT_ACKED;
        s.outstanding--;
        sent_trim(&s, 0);
    }
    assert_int_equal(s.cap, SENT_RING_FIRST); /* settled packets cost no room */
    sent_clear(&s);
    sent_clear(&s);
}

static void a_late_acknowledgement_still_finds_a_lost_packet(void **state) {
    (void)state;
    struct sent s;
    sent_init(&s, 0);
    for (uint64_t pn = 0; pn < 4; pn++)
        add(&s, pn);
    for (uint64_t pn = 0; pn < 3; pn++) {
        struct sent_pkt *p = sent_get(&s, pn);
        p->state = pn == 1 ? SENT_LOST : SENT_ACKED;
        p->lost_us = 500;
        s.outstanding--;
    }
    sent_trim(&s, 500);
    assert_int_equal(s.base, 1);
    assert_int_equal(sent_get(&s, 1)->state, SENT_LOST);
    sent_trim(&s, 501);
    assert_int_equal(s.base, 3); /* 3 is still on its way */
    assert_null(sent_get(&s, 1));
    sent_trim(&s, UINT64_MAX);
    assert_int_equal(s.base, 3);
    sent_clear(&s);
}

static void a_packet_taken_back_was_never_there(void **state) {
    (void)state;
    struct sent s;
    sent_init(&s, 7);
    add(&s, 7);
    sent_undo(&s);
    assert_null(sent_get(&s, 7));
    assert_int_equal(s.outstanding, 0);
    assert_int_equal(add(&s, 7)->pn, 7);
    add(&s, 9);
    sent_undo(&s);
    assert_null(sent_get(&s, 9));
    assert_null(sent_get(&s, 8));
    assert_int_equal(s.outstanding, 1);
    sent_clear(&s);
}

/* Numbers are used, left out, settled and trimmed at random; an array knows what must be there. */
static void the_ring_agrees_with_an_array(void **state) {
    (void)state;
    enum { N = 20000 };
    struct rand_state r = rand_seeded("sent", 1);
    uint8_t *model = calloc(N, 1);
    assert_non_null(model);
    struct sent s;
    uint64_t next = rand_below(&r, 100), oldest = next;
    uint32_t outstanding = 0;
    sent_init(&s, next);
    while (next < N - 8) {
        uint64_t what = rand_below(&r, 4);
        if (what < 2) {
            next += rand_below(&r, 8) == 0 ? rand_below(&r, 6) : 0;
            add(&s, next)->bytes = (uint16_t)next;
            model[next++] = SENT_OUTSTANDING;
            outstanding++;
        } else if (what == 2 && next > oldest) {
            uint64_t pn = oldest + rand_below(&r, next - oldest);
            struct sent_pkt *p = sent_get(&s, pn);
            if (model[pn] != SENT_OUTSTANDING)
                continue;
            assert_non_null(p);
            p->state = model[pn] = SENT_ACKED;
            s.outstanding--;
            outstanding--;
        } else {
            sent_trim(&s, 0);
            while (oldest < next && model[oldest] != SENT_OUTSTANDING)
                oldest++;
        }
        for (uint64_t pn = oldest; pn < next && pn < oldest + 200; pn++) {
            struct sent_pkt *p = sent_get(&s, pn);
            if (model[pn] == SENT_OUTSTANDING) {
                assert_non_null(p);
                assert_int_equal(p->bytes, (uint16_t)pn);
            } else {
                assert_true(!p || p->state == model[pn]);
            }
        }
        assert_int_equal(s.outstanding, outstanding);
    }
    sent_clear(&s);
    free(model);
}

static void the_window_of_packets_has_an_end(void **state) {
    (void)state;
    struct sent s;
    struct sent_pkt *p;
    sent_init(&s, 0);
    for (uint64_t pn = 0; pn < SENT_PKTS_MAX; pn++)
        add(&s, pn);
    assert_int_equal(sent_add(&s, SENT_PKTS_MAX, &p), ERR_FULL);
    assert_int_equal(s.outstanding, SENT_PKTS_MAX);
    sent_get(&s, 0)->state = SENT_ACKED;
    s.outstanding--;
    sent_trim(&s, 0);
    add(&s, SENT_PKTS_MAX);
    sent_clear(&s);
}

/* A full ring in which everything up to some packet is settled: knowing late that a loss was false
 * is given up, not the sending. */
static void a_full_ring_of_settled_packets_makes_room(void **state) {
    (void)state;
    static const uint64_t settled[] = {0, 1, SENT_PKTS_MAX / 2, SENT_PKTS_MAX};
    for (size_t i = 0; i < sizeof settled / sizeof *settled; i++) {
        struct sent s;
        struct sent_pkt *p;
        sent_init(&s, 0);
        for (uint64_t pn = 0; pn < SENT_PKTS_MAX; pn++)
            add(&s, pn)->bytes = (uint16_t)pn;
        for (uint64_t pn = 0; pn < settled[i]; pn++) {
            p = sent_get(&s, pn);
            p->state = pn % 2 ? SENT_ACKED : SENT_LOST;
            p->lost_us = UINT64_MAX - 1; /* as late as can be: it would be kept */
            s.outstanding--;
        }
        sent_trim(&s, 0);
        assert_true(s.base <= 1);
        if (settled[i] == 0) {
            assert_int_equal(sent_add(&s, SENT_PKTS_MAX, &p), ERR_FULL);
            assert_int_equal(s.outstanding, SENT_PKTS_MAX);
        } else {
            add(&s, SENT_PKTS_MAX);
            assert_int_equal(s.base, settled[i]);
            assert_int_equal(s.outstanding, SENT_PKTS_MAX - settled[i] + 1);
            for (uint64_t pn = settled[i]; pn < SENT_PKTS_MAX; pn++)
                assert_int_equal(sent_get(&s, pn)->bytes, (uint16_t)pn);
            assert_null(sent_get(&s, settled[i] - 1));
        }
        assert_int_equal(s.cap, SENT_PKTS_MAX);
        sent_clear(&s);
    }
    /* Numbers that nothing was tracked for, more than the ring holds, between a settled packet and
     * the next. */
    struct sent s;
    sent_init(&s, 0);
    add(&s, 0)->state = SENT_LOST;
    s.outstanding--;
    sent_get(&s, 0)->lost_us = 5;
    add(&s, 3 * SENT_PKTS_MAX);
    assert_int_equal(s.base, 3 * SENT_PKTS_MAX);
    assert_int_equal(s.cap, SENT_RING_FIRST);
    assert_int_equal(s.outstanding, 1);
    sent_clear(&s);
}

/* A number that the bound does not allow while a settled packet is kept, but does once that is
 * given up: then the ring may still be too small for it, and grows. */
static void what_trimming_makes_possible_is_grown_for(void **state) {
    (void)state;
    struct sent s;
    sent_init(&s, 0);
    add(&s, 0)->state = SENT_LOST;
    s.outstanding--;
    sent_get(&s, 0)->lost_us = UINT64_MAX - 1;
    add(&s, 1)->bytes = 77;
    assert_int_equal(s.cap, SENT_RING_FIRST);
    add(&s, SENT_PKTS_MAX)->bytes = 78;
    assert_int_equal(s.base, 1);
    assert_int_equal(s.cap, SENT_PKTS_MAX);
    assert_int_equal(s.outstanding, 2);
    assert_int_equal(sent_get(&s, 1)->bytes, 77);
    assert_int_equal(sent_get(&s, SENT_PKTS_MAX)->bytes, 78);
    for (uint64_t pn = 2; pn < SENT_PKTS_MAX; pn++)
        assert_null(sent_get(&s, pn));
    sent_clear(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_is_clean_even_when_its_place_was_used_before),
        cmocka_unit_test(a_late_acknowledgement_still_finds_a_lost_packet),
        cmocka_unit_test(a_packet_taken_back_was_never_there),
        cmocka_unit_test(the_ring_agrees_with_an_array),
        cmocka_unit_test(the_window_of_packets_has_an_end),
        cmocka_unit_test(a_full_ring_of_settled_packets_makes_room),
        cmocka_unit_test(what_trimming_makes_possible_is_grown_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
