/* What a window of sinks finds (node/file/sink), on a real stream and without a receiver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipe.h"

enum { S = 1000000 };

static void refused(struct pipe *p, int err, const char *bad) {
    pipe_run(p, 20 * S);
    assert_int_equal(p->taken, SINK_REFUSED);
    assert_int_equal(p->sinks.err, err);
    if (bad)
        assert_string_equal(p->sinks.bad, bad);
    else
        assert_null(p->sinks.bad);
    assert_false(transfer_ended(p->to.t)); /* that is for who hears it */
}

/* Everything it has is given back, and no file is left that is not whole. */
static void ends(struct pipe *p) {
    struct disk_totals totals;
    transfer_fail(&p->to.room->files, p->to.t, ERR_CANCELLED, NULL);
    pipe_disks(p);
    disk_totals(p->to.disk, &totals);
    assert_int_equal(totals.open_slots, 0);
    assert_int_equal(totals.temporaries, 0);
    assert_int_equal(disk_partial(p->to.disk), 0);
    assert_null(p->to.t->side);
    pipe_free(p);
}

static void bytes_that_are_not_the_senders_are_refused(void **state) {
    (void)state;
    struct pipe *p = pipe_new(3, 100000);
    disk_faults_of(p->from.disk)->flip = "/f1";
    refused(p, ERR_INTEGRITY, "f1");
    assert_int_equal(pipe_whole_files(p), 1);
    ends(p);
}

static void an_early_end_is_refused(void **state) {
    (void)state;
    static const uint8_t some[5000] = {0};
    struct pipe *p = pipe_new(2, 10000);
    pipe_write(p, some, sizeof some, true);
    refused(p, ERR_PROTO, "f0");
    ends(p);
    p = pipe_new(2, 0);
    pipe_write(p, some, TREEHASH_BYTES / 2, true); /* in a root */
    refused(p, ERR_PROTO, "f0");
    ends(p);
}

static void more_than_was_offered_is_refused(void **state) {
    (void)state;
    struct pipe *p = pipe_new(1, 0);
    uint8_t bytes[TREEHASH_BYTES + 1] = {0};
    struct treehash *h = treehash_new();
    assert_non_null(h);
    treehash_final(h, bytes); /* of no bytes */
    treehash_free(h);
    pipe_write(p, bytes, sizeof bytes, false);
    refused(p, ERR_PROTO, NULL);
    ends(p);
}

static void what_the_disk_says_is_refused_with_the_file(void **state) {
    (void)state;
    struct pipe *p = pipe_new(2, 100000);
    assert_int_equal(disk_make_file(p->to.disk, "in/f1", 10), 0);
    refused(p, ERR_EXISTS, "f1");
    ends(p);
    p = pipe_new(2, 100000);
    disk_faults_of(p->to.disk)->room_late = 150000;
    refused(p, ERR_DISK, "f1");
    ends(p);
}

static void no_slot_is_left(void **state) {
    (void)state;
    struct pipe *p = pipe_new(2, 100000);
    uint32_t slot;
    for (unsigned i = 0; i < FILE_SLOTS_MAX; i++)
        assert_int_equal(work_slot_take(&p->to.room->work, &slot), 0);
    refused(p, ERR_FULL, NULL);
    assert_int_equal(p->to.room->turn.met.limit, LIMIT_OPEN_FILES);
    ends(p);
}

/* Not before the last byte is on the disk and the sender has said that there is no more. */
static void all_is_whole_only_with_the_end(void **state) {
    (void)state;
    struct pipe *p = pipe_new(1, 0);
    uint8_t root[TREEHASH_BYTES];
    struct treehash *h = treehash_new();
    assert_non_null(h);
    treehash_final(h, root);
    treehash_free(h);
    pipe_write(p, root, sizeof root, false);
    pipe_run(p, S);
    assert_int_equal(p->taken, SINK_GOES_ON);
    assert_int_equal(pipe_whole_files(p), 1);
    assert_int_equal(p->to.t->info.state, TRANSFER_VERIFYING);
    pipe_write(p, NULL, 0, true);
    pipe_run(p, S);
    assert_int_equal(p->taken, SINK_WHOLE);
    assert_int_equal(p->wholes, 1);
    assert_int_equal(sink_pump(&p->sinks), SINK_GOES_ON); /* said once */
    ends(p);
}

/* A few bytes wait for more, but not for long. */
static void few_bytes_are_held_back_for_a_while(void **state) {
    (void)state;
    static const uint8_t some[100] = {0};
    struct pipe *p = pipe_new(1, 10000);
    pipe_write(p, some, sizeof some, false);
    pipe_run(p, 15000);
    assert_int_equal(p->sinks.skip, 0);
    assert_in_range(p->to.t->wake_us, p->net->now_us - 5000, p->net->now_us + SINK_HOLD_US);
    pipe_run(p, 2 * SINK_HOLD_US);
    assert_int_equal(p->sinks.written_bytes, sizeof some);
    assert_int_equal(p->to.t->wake_us, 0);
    ends(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_not_the_senders_are_refused),
        cmocka_unit_test(an_early_end_is_refused),
        cmocka_unit_test(more_than_was_offered_is_refused),
        cmocka_unit_test(what_the_disk_says_is_refused_with_the_file),
        cmocka_unit_test(no_slot_is_left),
        cmocka_unit_test(all_is_whole_only_with_the_end),
        cmocka_unit_test(few_bytes_are_held_back_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
