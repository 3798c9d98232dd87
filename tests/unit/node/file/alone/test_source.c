/* What a window of sources finds (node/file/source), on a real stream and without a sender. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipe.h"

enum { S = 1000000 };

static void what_is_given_is_whole_at_the_other_side(void **state) {
    (void)state;
    static const struct {
        unsigned count;
        uint64_t bytes;
    } cases[] = {{1, 0}, {1, 1}, {3, 3 << 20}, {PIPE_FILES, 1000}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pipe *p = pipe_new(cases[i].count, cases[i].bytes);
        pipe_run(p, 60 * S);
        assert_int_equal(p->given, SOURCE_GIVEN);
        assert_int_equal(p->taken, SINK_WHOLE);
        assert_int_equal(p->wholes, 1);
        assert_int_equal(pipe_whole_files(p), cases[i].count);
        assert_int_equal(p->sources.given_bytes, cases[i].count * cases[i].bytes);
        assert_int_equal(p->sources.ahead_bytes, 0);
        assert_int_equal(p->from.t->info.files_done, cases[i].count);
        struct disk_totals totals;
        disk_totals(p->from.disk, &totals);
        assert_int_equal(totals.open_slots, 0);
        pipe_free(p);
    }
}

/* Which file it is about is said, and nothing is done about it. */
static void what_a_file_has_become_is_found(void **state) {
    (void)state;
    enum { READ_ERROR, GROWS, SHRINKS, TOUCHED, GONE, CASES };
    for (unsigned i = 0; i < CASES; i++) {
        struct pipe *p = pipe_new(3, 100000);
        struct disk_faults *f = disk_faults_of(p->from.disk);
        char gone[] = "/away";
        int err = ERR_CHANGED;
        if (i == READ_ERROR) {
            f->read_error = "/f1";
            err = ERR_IO;
        } else if (i == GONE) {
            p->paths[1] = gone;
            err = ERR_NOT_FOUND;
        } else {
            *(i == GROWS ? &f->grow : i == SHRINKS ? &f->shrink : &f->touch) = "/f1";
        }
        pipe_run(p, 10 * S);
        assert_int_equal(p->given, SOURCE_FAILED);
        assert_int_equal(p->sources.err, err);
        assert_string_equal(p->sources.bad, "f1");
        assert_int_equal(p->from.t->info.state, TRANSFER_RUNNING);
        pipe_free(p);
    }
}

static void reading_runs_ahead_only_so_far(void **state) {
    (void)state;
    struct pipe *p = pipe_new(40, 1 << 20);
    p->net->cut = true;
    pipe_run(p, 2 * S);
    assert_in_range(p->sources.ahead_bytes, SOURCE_AHEAD_BYTES / 2,
                    SOURCE_AHEAD_BYTES + FILE_OP_SPANS * STREAM_BLOCK_BYTES);
    assert_in_range(p->sources.next, 2, 20);
    pipe_free(p);
}

/* At its end what is open is closed, and the last operation takes all with it. */
static void an_end_closes_what_is_open(void **state) {
    (void)state;
    struct pipe *p = pipe_new(40, 1 << 20);
    struct disk_totals totals;
    p->net->cut = true;
    pipe_run(p, S);
    disk_totals(p->from.disk, &totals);
    assert_true(totals.open_slots > 0);
    transfer_fail(&p->from.room->files, p->from.t, ERR_CANCELLED, NULL);
    assert_non_null(p->from.t->side);
    pipe_disks(p);
    disk_totals(p->from.disk, &totals);
    assert_int_equal(totals.open_slots, 0);
    assert_null(p->from.t->side);
    pipe_free(p);
}

static void a_stream_that_has_gone_is_found(void **state) {
    (void)state;
    struct pipe *p = pipe_new(1, 1 << 20);
    pipe_run(p, 2000);
    assert_int_equal(stream_reset(p->net->ep[0], p->session[0], p->from.t->stream, ERR_IO), 0);
    pipe_run(p, S);
    assert_int_equal(p->given, SOURCE_FAILED);
    assert_int_equal(p->sources.err, ERR_CLOSED);
    assert_null(p->sources.bad);
    pipe_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_is_whole_at_the_other_side),
        cmocka_unit_test(what_a_file_has_become_is_found),
        cmocka_unit_test(reading_runs_ahead_only_so_far),
        cmocka_unit_test(an_end_closes_what_is_open),
        cmocka_unit_test(a_stream_that_has_gone_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
