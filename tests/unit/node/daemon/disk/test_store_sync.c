/* The barriers of the store on SQLite, and their failures: what is synced, and when it is made good
 * by copying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "database.h"

static void a_commit_syncs_nothing_and_a_barrier_the_log(void **state) {
    (void)state;
    struct place *p = open_place();
    synced.calls = 0;
    const uint64_t commits = store_sqlite_commits(p->db);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(put(p, "a", "1"), 0);
    assert_int_equal(synced.calls, 0);
    assert_int_equal(store_sqlite_commits(p->db), commits + 50);
    assert_true(store_sqlite_log_frames(p->db) >= 50); /* nothing was copied out of it meanwhile */
    assert_int_equal(barrier(p, 0), 0);
    assert_int_equal(synced.calls, 1);
    assert_string_equal(synced.last, "meshd.db-wal");
    close_place(p);
}

static void what_is_found_is_synced_before_it_is_used(void **state) {
    (void)state;
    struct place *p = open_place();
    assert_int_equal(put(p, "a", "1"), 0);
    /* Another process that died: its log is there. */
    char other[80], command[512];
    snprintf(other, sizeof other, "%s.other", p->dir);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", p->dir, other);
    assert_int_equal(system(command), 0);
    struct store_sqlite *db;
    struct store store;
    char path[128];
    size_t len;
    uint8_t value[8];
    snprintf(path, sizeof path, "%s/meshd.db", other);
    synced.calls = synced.dirs = 0;
    assert_int_equal(store_sqlite_open(&db, &store, path, &p->log), 0);
    assert_int_equal(synced.calls, 2); /* the log, and the directory */
    assert_int_equal(synced.dirs, 1);
    assert_int_equal(store.get(store.ctx, "t", "a", 1, value, sizeof value, &len), 0);
    store_sqlite_close(db);
    synced.err = EIO;
    assert_int_equal(store_sqlite_open(&db, &store, path, &p->log), ERR_IO);
    synced.err = 0;
    snprintf(command, sizeof command, "rm -r '%s'", other);
    assert_int_equal(system(command), 0);
    close_place(p);
}

/* After an fsync that failed, a second one of the same bytes proves nothing. */
static void a_failed_sync_is_made_good_by_copying(void **state) {
    (void)state;
    struct place *p = open_place();
    assert_int_equal(put(p, "a", "1"), 0);
    synced.err = ENOSPC;
    assert_int_equal(barrier(p, 0), ERR_DISK);
    synced.err = EIO;
    assert_int_equal(put(p, "b", "1"), 0);
    synced.calls = 0;
    assert_int_equal(barrier(p, 0), 0); /* it is in the database itself, by SQLite's own syncs */
    assert_int_equal(synced.calls, 0);
    synced.err = 0;
    assert_int_equal(put(p, "c", "1"), 0);
    assert_int_equal(barrier(p, 0), 0);
    assert_int_equal(synced.calls, 1);
    close_place(p);
}

static off_t database_bytes(struct place *p) {
    struct stat st;
    assert_int_equal(stat(p->path, &st), 0);
    return st.st_size;
}

/* And as long as they cannot be copied, nothing is safe. */
static void a_failed_sync_stands_until_all_is_copied(void **state) {
    (void)state;
    struct place *p = open_place();
    char *large = malloc(STORE_VALUE_MAX);
    memset(large, 'x', STORE_VALUE_MAX);
    assert_int_equal(p->store.put(p->store.ctx, "t", "b", 1, large, STORE_VALUE_MAX), 0);
    synced.err = EIO;
    assert_int_equal(barrier(p, 0), ERR_IO);
    synced.err = 0;
    limit_files((rlim_t)database_bytes(p)); /* no room for it in the database */
    assert_int_equal(barrier(p, 0), ERR_IO);
    assert_int_equal(barrier(p, 0), ERR_IO);
    limit_files(RLIM_INFINITY);
    synced.calls = 0;
    assert_int_equal(barrier(p, 0), 0);
    assert_int_equal(synced.calls, 0); /* still by copying */
    free(large);
    close_place(p);
}

/* A process that died had a secret in its log, deleted already: the next one cuts it, unasked. */
static void a_log_that_was_left_is_cut(void **state) {
    (void)state;
    struct place *p = open_place(), next = {.log = p->log};
    char command[512];
    assert_int_equal(put(p, "SECRET-KEY-0123456789", "SECRET-VALUE-0123456789"), 0);
    assert_int_equal(barrier(p, 0), 0);
    assert_int_equal(p->store.del(p->store.ctx, "t", "SECRET-KEY-0123456789", 21), 0);
    snprintf(next.dir, sizeof next.dir, "%.32s.next", p->dir);
    snprintf(next.path, sizeof next.path, "%s/meshd.db", next.dir);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", p->dir, next.dir);
    assert_int_equal(system(command), 0);
    assert_true(on_disk(&next, "SECRET-VALUE-0123456789"));
    start(&next);
    run(&next);
    assert_int_equal(log_bytes(&next), 0);
    assert_false(on_disk(&next, "SECRET-KEY-0123456789"));
    assert_false(on_disk(&next, "SECRET-VALUE-0123456789"));
    stop(&next);
    snprintf(command, sizeof command, "rm -r '%s'", next.dir);
    assert_int_equal(system(command), 0);
    close_place(p);
}

static void the_log_stays_short(void **state) {
    (void)state;
    struct place *p = open_place();
    char value[2000];
    memset(value, 'x', sizeof value);
    off_t longest = 0;
    for (unsigned i = 0; i < 5000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        assert_int_equal(p->store.put(p->store.ctx, "t", key, strlen(key), value, sizeof value), 0);
        store_sync_turn(p->sync);
        uv_run(&p->loop, UV_RUN_NOWAIT);
        if (log_bytes(p) > longest)
            longest = log_bytes(p);
        if (i % 1000 == 999) /* a busy loop may leave no moment; a quiet one does */
            run(p);
    }
    assert_true(longest > 0);
    run(p);
    assert_true(log_bytes(p) < 5 << 20);
    close_place(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_syncs_nothing_and_a_barrier_the_log),
        cmocka_unit_test(what_is_found_is_synced_before_it_is_used),
        cmocka_unit_test(a_failed_sync_is_made_good_by_copying),
        cmocka_unit_test(a_failed_sync_stands_until_all_is_copied),
        cmocka_unit_test(a_log_that_was_left_is_cut),
        cmocka_unit_test(the_log_stays_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
