/* Streams between two endpoints: what is written arrives, in turn, and leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_rand.h"
#include "support_world.h"

static void eight_mebibytes_arrive_exactly_over_a_bad_link(void **state) {
    (void)state;
    struct rand_state r = rand_seeded("transfer", 1);
    for (int round = 0; round < 4; round++) {
        struct world *w = world_new(rand_u64(&r));
        w->p->loss_permille = 50;
        w->p->dup_permille = 50;
        w->p->jitter_us = round % 2 ? 12 * MS : 0;
        world_send_all(w, world_open(w, 0), 8 << 20, UINT64_C(600000000));
        world_nobody_hung_up(w);
        world_free(w);
    }
}

static void bulk_does_not_delay_an_urgent_message(void **state) {
    (void)state;
    const uint64_t bulk_bytes = UINT64_C(4)
                                << 30; /* never all: the path has no limit but the windows */
    struct world *w = world_new(rand_seeded("priority", 4).x);
    uint64_t bulk = world_open(w, 0);
    stream_set_priority(w->p->ep[0], w->s[0], bulk, 7);
    for (int i = 0; i < 20; i++) {
        world_feed(w, 0, bulk, bulk_bytes);
        world_run(w, 5 * MS);
    }
    for (int i = 0; i < 20; i++) {
        uint64_t urgent = world_open(w, 0);
        stream_set_priority(w->p->ep[0], w->s[0], urgent, 0);
        world_feed(w, 0, bulk, bulk_bytes);
        assert_true(stream_unsent(w->p->ep[0], w->s[0], bulk) >= STREAM_SEND_BUFFER_BYTES / 2);
        world_feed(w, 0, urgent, 1000);
        world_finish(w, 0, urgent);
        uint64_t start_us = w->p->now_us;
        for (int k = 0; k < 100 && !w->fin[1][urgent]; k++) {
            world_run(w, MS);
            world_feed(w, 0, bulk, bulk_bytes);
        }
        assert_true(w->fin[1][urgent]);
        /* Half a round trip, and at most one until the window opens. */
        assert_true(w->p->now_us - start_us <= 35 * MS);
    }
    world_nobody_hung_up(w);
    world_free(w);
}

static void each_half_closes_by_itself(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("half close", 5).x);
    w->p->loss_permille = 100;
    uint64_t id = world_open(w, 0);
    size_t taken;
    world_feed(w, 0, id, 30000);
    world_finish(w, 0, id);
    world_finish(w, 0, id); /* twice is fine */
    assert_int_equal(stream_write(w->p->ep[0], w->s[0], id, "x", 1, &taken), ERR_CLOSED);
    world_run(w, 20000 * MS);
    assert_true(w->fin[1][id] && w->read[1][id] == 30000 && !w->fin[0][id]);
    /* The answer flows after the question's end was read. */
    world_feed(w, 1, id, 50000);
    world_run(w, 20000 * MS);
    assert_true(w->read[0][id] == 50000 && !w->fin[0][id]);
    world_finish(w, 1, id);
    world_run(w, 20000 * MS);
    assert_true(w->fin[0][id]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair_count(w->p, i, EP_STREAM_FINISHED), 1);
        assert_null(world_tp(w, i)); /* nothing left of it */
    }
    assert_int_equal(pair_count(w->p, 1, EP_STREAM_OPENED), 1);
    world_nobody_hung_up(w);
    world_free(w);
}

static void given_up_streams_leave_nothing_behind(void **state) {
    (void)state;
    struct rand_state r = rand_seeded("reset", 6);
    struct world *w = world_new(rand_u64(&r));
    w->p->loss_permille = 100;
    w->p->jitter_us = 10 * MS;
    for (int i = 0; i < 200; i++) {
        uint64_t id = world_open(w, 0);
        world_feed(w, 0, id, 1 + rand_below(&r, 100000));
        world_run(w, rand_below(&r, 100 * MS));
        int way = (int)rand_below(&r, 3);
        if (way == 0) {
            assert_int_equal(stream_reset(w->p->ep[0], w->s[0], id, ERR_CANCELLED), 0);
            int err = stream_stop(w->p->ep[0], w->s[0], id, ERR_CANCELLED);
            assert_true(err == 0 || err == ERR_NOT_FOUND);
        } else if (way == 1) {
            int err = stream_stop(w->p->ep[1], w->s[1], id, ERR_REFUSED);
            assert_true(err == 0 || err == ERR_NOT_FOUND);
            world_finish(w, 0, id);
        } else {
            world_finish(w, 0, id);
        }
    }
    world_run(w, 30000 * MS);
    for (uint64_t id = 0; id < 400; id += 2) { /* the answering halves */
        int err = stream_reset(w->p->ep[1], w->s[1], id, ERR_CANCELLED);
        assert_true(err == 0 || err == ERR_NOT_FOUND);
    }
    world_run(w, 60000 * MS);
    world_nobody_hung_up(w);
    for (int i = 0; i < 2; i++)
        if (world_tp(w, i))
            assert_int_equal(world_tp(w, i)->stream_count, 0);
    struct session *a = endpoint_find(w->p->ep[0], w->s[0]),
                   *b = endpoint_find(w->p->ep[1], w->s[1]);
    /* Credit is neither lost nor invented: all that was used counts as read. */
    assert_true(a->memo.credit.send_used == b->memo.credit.received);
    assert_true(b->memo.credit.received == b->memo.credit.consumed);
    assert_int_equal(block_pool_in_use(endpoint_blocks(w->p->ep[0])), 0);
    assert_int_equal(block_pool_in_use(endpoint_blocks(w->p->ep[1])), 0);
    world_free(w);
}

enum { MANY = 1600 };

/* `each` bytes over each of `streams` streams both ways, all at once; gives how many had to wait
 * for memory. */
static unsigned all_finish(uint64_t seed, unsigned streams, unsigned each) {
    struct world *w = world_new(seed);
    w->p->loss_permille = 20;
    w->p->jitter_us = 5 * MS;
    w->whole = each;
    uint64_t ids[2][MANY];
    unsigned waiting = 0;
    for (unsigned i = 0; i < streams; i++)
        for (int side = 0; side < 2; side++) { /* both sides open */
            ids[side][i] = world_open(w, side);
            if (world_feed(w, side, ids[side][i], each))
                world_finish(w, side, ids[side][i]);
            else
                waiting++;
        }
    for (int i = 0; i < 6000 && (w->fins[0] < streams || w->fins[1] < streams); i++)
        world_run(w, 10 * MS);
    for (unsigned i = 0; i < streams; i++)
        for (int side = 0; side < 2; side++)
            assert_int_equal(w->read[!side][ids[side][i]], each);
    world_run(w, 1000 * MS);
    for (int side = 0; side < 2; side++)
        assert_int_equal(pair_count(w->p, side, EP_STREAM_FINISHED), streams);
    world_nobody_hung_up(w);
    world_free(w);
    return waiting;
}

static void a_thousand_streams_at_once_all_finish(void **state) {
    (void)state;
    assert_int_equal(all_finish(rand_seeded("streams", 9).x, 1000, 3000), 0);
}

/* More than there is memory to write into: the later ones wait for a turn. */
static void writers_wait_for_memory_and_all_finish(void **state) {
    (void)state;
    assert_true(all_finish(rand_seeded("waiting", 12).x, MANY, 60000) > 0);
}

/* Who stops reading gives the memory back at once, also when the other side goes on and never
 * ends. */
static void what_nobody_will_read_keeps_no_memory(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("stop", 13).x);
    w->deaf[1] = true;
    const uint64_t id = world_open(w, 0);
    for (int i = 0; i < 40; i++) {
        world_feed(w, 0, id, 300000);
        world_run(w, 5 * MS);
    }
    assert_true(block_pool_in_use(endpoint_blocks(w->p->ep[1])) >= 4);
    w->p->cut = true; /* so that no reset answers */
    assert_int_equal(stream_stop(w->p->ep[1], w->s[1], id, ERR_CANCELLED), 0);
    assert_int_equal(block_pool_in_use(endpoint_blocks(w->p->ep[1])), 0);
    assert_non_null(transport_stream(world_tp(w, 1), id));
    world_free(w);
}

static void an_aborted_stream_goes_on_in_neither_direction(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("abort", 14).x);
    const uint64_t id = world_open(w, 0);
    world_feed(w, 0, id, 30000);
    world_run(w, 200 * MS);
    world_feed(w, 1, id, 1000);
    stream_abort(w->p->ep[0], w->s[0], id, ERR_CHANGED);
    stream_abort(w->p->ep[0], w->s[0], id, ERR_CHANGED); /* twice is fine */
    world_run(w, 5000 * MS);
    assert_int_equal(pair_count(w->p, 1, EP_STREAM_RESET), 1);
    assert_int_equal(pair_count(w->p, 1, EP_STREAM_STOPPED), 1);
    assert_int_equal(pair_event(w->p, 1, EP_STREAM_RESET)->err, ERR_CHANGED);
    assert_int_equal(pair_event(w->p, 1, EP_STREAM_STOPPED)->err, ERR_CHANGED);
    for (int i = 0; i < 2; i++)
        assert_null(world_tp(w, i));                     /* nothing left of it */
    stream_abort(w->p->ep[0], w->s[0], id, ERR_CHANGED); /* nor is there anything to give up */
    world_free(w);
}

/* Whoever reads no more refuses more bytes, but not an end that has come. */
static void what_is_let_go_is_refused_only_if_more_may_come(void **state) {
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct world *w = world_new(rand_seeded("let go", 15).x);
        const uint64_t id = world_open(w, 0);
        w->deaf[1] = true;
        if (more)
            world_feed(w, 0, id, 1000);
        else
            world_finish(w, 0, id);
        world_run(w, 200 * MS);
        stream_let_go(w->p->ep[1], w->s[1], id);
        world_run(w, 200 * MS);
        assert_int_equal(pair_count(w->p, 0, EP_STREAM_STOPPED), more);
        world_free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_mebibytes_arrive_exactly_over_a_bad_link),
        cmocka_unit_test(bulk_does_not_delay_an_urgent_message),
        cmocka_unit_test(each_half_closes_by_itself),
        cmocka_unit_test(given_up_streams_leave_nothing_behind),
        cmocka_unit_test(a_thousand_streams_at_once_all_finish),
        cmocka_unit_test(writers_wait_for_memory_and_all_finish),
        cmocka_unit_test(what_nobody_will_read_keeps_no_memory),
        cmocka_unit_test(an_aborted_stream_goes_on_in_neither_direction),
        cmocka_unit_test(what_is_let_go_is_refused_only_if_more_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
