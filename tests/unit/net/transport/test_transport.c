/* Frames, datagrams and acknowledgements between two endpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/wire/frame.h"
#include "support_rand.h"
#include "support_world.h"

static void who_acknowledges_what_was_never_sent_is_cut_off(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("optimistic", 7).x);
    uint64_t id = world_open(w, 0);
    while (ranges_empty(&world_tp(w, 0)->skipped)) {
        world_feed(w, 0, id, 64 << 20);
        world_run(w, 5 * MS);
    }
    world_nobody_hung_up(w);
    assert_int_equal(ack_received(&world_tp(w, 1)->ack, w->p->now_us,
                                  ranges_at(&world_tp(w, 0)->skipped, 0).lo, true),
                     0);
    world_feed(w, 0, id, 64 << 20);
    assert_true(pair_run(w->p, 1000 * MS, 0, EP_SESSION_DOWN));
    assert_int_equal(pair_event(w->p, 0, EP_SESSION_DOWN)->err, ERR_PROTO);
    world_free(w);
}

static void late_datagrams_are_dropped_and_lost_ones_not_repeated(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("datagrams", 11).x);
    struct pair *p = w->p;
    p->loss_permille = 300;
    uint64_t none = TIME_NEVER;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(session_datagram(p->ep[0], p->now_us, w->s[0], &i, sizeof i, none), 0);
        world_run(w, 2 * MS);
    }
    world_run(w, 5000 * MS);
    unsigned came = pair_count(p, 1, EP_DATAGRAM);
    assert_true(came > 600 && came < 800);
    assert_int_equal(session_datagram(p->ep[0], p->now_us, w->s[0], "x", 1, p->now_us - 1), 0);
    world_run(w, 1000 * MS);
    assert_int_equal(endpoint_counters(p->ep[0])->datagrams_expired, 1);
    assert_int_equal(pair_count(p, 1, EP_DATAGRAM), came);
    uint8_t big[DATAGRAM_MAX_BYTES + 1] = {0};
    assert_int_equal(session_datagram(p->ep[0], p->now_us, w->s[0], big, sizeof big, none),
                     ERR_USAGE);
    world_free(w);
}

static bool frames_take(struct world *w, const uint8_t *frame, size_t len, int *err) {
    uint8_t *exact = malloc(len ? len : 1); /* so that a read beyond it is seen */
    assert_non_null(exact);
    memcpy(exact, frame, len);
    struct rd r = rd_init(exact, len);
    bool eliciting = false;
    *err = transport_frame(world_tp(w, 1), w->p->now_us, rd_u8(&r), &r, &eliciting);
    bool all = r.ok && rd_left(&r) == 0;
    free(exact);
    return all;
}

static void every_truncated_frame_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("truncated", 12).x);
    w->deaf[1] = true;
    uint64_t id = world_open(w, 0);
    world_feed(w, 0, id, 5000);
    world_run(w, 100 * MS);
    static const struct {
        const char *name;
        uint8_t bytes[16];
        size_t len;
    } whole[] = {
        {"ack", {FRAME_ACK, 0x40, 0, 0x40, 5, 0x40, 0, 0x40, 0}, 9},
        {"ack with counts",
         {FRAME_ACK_ECN, 0x40, 0, 0x40, 5, 0x40, 0, 0x40, 0, 0x40, 1, 0x40, 0, 0x40, 0},
         15},
        {"reset", {FRAME_RESET, 0x40, 0, 0x40, 5, 0x80, 0, 0x17, 0x70}, 9},
        {"stop", {FRAME_STOP, 0x40, 0, 0x40, 5}, 5},
        {"stream", {FRAME_STREAM | STREAM_LEN | STREAM_OFF, 0x40, 0, 0x40, 1, 3, 1, 2, 3}, 9},
        {"max data", {FRAME_MAX_DATA, 0x80, 0, 0, 1}, 5},
        {"max stream data", {FRAME_MAX_STREAM_DATA, 0x40, 0, 0x80, 0, 0, 1}, 7},
        {"max streams", {FRAME_MAX_STREAMS, 0x40, 1}, 3},
        {"datagram", {FRAME_DATAGRAM, 4, 1, 2, 3, 4}, 6},
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        int err;
        for (size_t cut = 1; cut < whole[i].len; cut++)
            if (frames_take(w, whole[i].bytes, cut, &err) || err != ERR_PROTO)
                fail_msg("%s of %zu bytes passed: %d", whole[i].name, cut, err);
        /* RESET last would end the stream for the others: each is tried whole on its own. */
        if (whole[i].bytes[0] != FRAME_RESET && whole[i].bytes[0] != FRAME_STOP)
            if (!frames_take(w, whole[i].bytes, whole[i].len, &err) || err != 0)
                fail_msg("%s did not pass: %d", whole[i].name, err);
    }
    static const uint8_t unknown[] = {0x06, 0x07, 0x13, 0x1d, 0x24, 0x31, 0x40, 0xff};
    for (size_t i = 0; i < sizeof unknown; i++) {
        int err;
        frames_take(w, unknown + i, 1, &err);
        assert_int_equal(err, ERR_PROTO);
    }
    world_free(w);
}

/* A slow way back that loses half of the acknowledgements, and of the credit (asymmetric lines,
 * busy relays): each says all there is, so nothing that arrived is taken for lost, and what stands
 * still goes on within probe timeouts. */
static bool lose_half_of_the_way_back(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)data;
    return from == 0 || len > 200 || pair_draw(p) % 10 < 5;
}

static void every_second_acknowledgement_may_be_lost(void **state) {
    (void)state;
    uint64_t took_us[2];
    for (int lossy = 0; lossy < 2; lossy++) {
        struct world *w = world_new(rand_seeded("lost acks", 14).x);
        w->p->tap = lossy ? lose_half_of_the_way_back : NULL;
        const uint64_t from_us = w->p->now_us;
        world_send_all(w, world_open(w, 0), 8 << 20, 60000 * MS);
        took_us[lossy] = w->p->now_us - from_us;
        /* Nothing that carried data was lost. */
        struct transport *t = world_tp(w, 0);
        if (lossy && t)
            assert_true(t->rec->cc.reductions - t->rec->cc.undone <= 1);
        world_nobody_hung_up(w);
        world_free(w);
    }
    assert_true(took_us[1] < took_us[0] + 5000 * MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_acknowledges_what_was_never_sent_is_cut_off),
        cmocka_unit_test(late_datagrams_are_dropped_and_lost_ones_not_repeated),
        cmocka_unit_test(every_truncated_frame_is_refused),
        cmocka_unit_test(every_second_acknowledgement_may_be_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
