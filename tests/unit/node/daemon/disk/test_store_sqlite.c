/* The store on SQLite with real files: transactions, who may open it, what cannot be read, and what
 * is left of a secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "database.h"

/* ---- promises ---- */
static void a_transaction_is_whole_or_nothing(void **state) {
    (void)state;
    struct place *p = open_place();
    assert_int_equal(p->store.begin(p->store.ctx), 0);
    assert_int_equal(put(p, "a", "1"), 0);
    assert_true(has(p, "a"));
    p->store.rollback(p->store.ctx);
    assert_false(has(p, "a"));
    assert_int_equal(p->store.begin(p->store.ctx), 0);
    assert_int_equal(put(p, "a", "1"), 0);
    assert_int_equal(p->store.del(p->store.ctx, "t", "b", 1), 0);
    assert_int_equal(p->store.commit(p->store.ctx), 0);
    stop(p);
    start(p);
    assert_true(has(p, "a"));
    close_place(p);
}

static void a_full_disk_takes_the_transaction_back(void **state) {
    (void)state;
    struct place *p = open_place();
    char *large = malloc(STORE_VALUE_MAX);
    memset(large, 'x', STORE_VALUE_MAX);
    limit_files((rlim_t)log_bytes(p) + 20000);
    assert_int_equal(p->store.begin(p->store.ctx), 0);
    assert_int_equal(put(p, "a", "1"), 0);
    assert_int_equal(p->store.put(p->store.ctx, "t", "b", 1, large, STORE_VALUE_MAX), 0);
    assert_int_equal(p->store.commit(p->store.ctx), ERR_IO);
    assert_false(has(p, "a"));
    assert_int_equal(put(p, "c", "1"), 0);
    assert_true(has(p, "c"));
    limit_files(RLIM_INFINITY);
    free(large);
    close_place(p);
}

/* What another process is told that wants to write: this program once more (a forked child would
 * have this one's locks in its memory). */
static int other_process(const char *path) {
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "other", path, (char *)NULL);
        _exit(99);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static int be_the_other(const char *path) {
    sqlite3 *db;
    int rc = sqlite3_open(path, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    sqlite3_close(db);
    return rc;
}

static void nobody_else_can_lock_it(void **state) {
    (void)state;
    struct place *p = open_place();
    assert_int_equal(other_process(p->path), SQLITE_BUSY);
    assert_int_equal(put(p, "a", "1"), 0);
    assert_int_equal(barrier(p, STORE_SYNC_SCRUB), 0);
    assert_int_equal(other_process(p->path), SQLITE_BUSY); /* also after a checkpoint */
    close_place(p);
}

static void a_burned_secret_is_in_no_file(void **state) {
    (void)state;
    struct place *p = open_place();
    assert_int_equal(put(p, "SECRET-KEY-0123456789", "SECRET-VALUE-0123456789"), 0);
    assert_int_equal(barrier(p, 0), 0);
    assert_true(on_disk(p, "SECRET-KEY-0123456789"));
    assert_int_equal(p->store.del(p->store.ctx, "t", "SECRET-KEY-0123456789", 21), 0);
    assert_int_equal(barrier(p, STORE_SYNC_SCRUB), 0);
    assert_false(on_disk(p, "SECRET-KEY-0123456789"));
    assert_false(on_disk(p, "SECRET-VALUE-0123456789"));
    assert_int_equal(log_bytes(p), 0);
    assert_int_equal(put(p, "after", "1"), 0);
    assert_true(has(p, "after"));
    close_place(p);
}

/* ---- a disk that cannot be read ---- */
static unsigned reads_left;

static ssize_t read_some(int fd, void *buf, size_t len, off_t at) {
    if (reads_left == 0) {
        errno = EIO;
        return -1;
    }
    reads_left--;
    return pread(fd, buf, len, at);
}

static void set_reads(bool fail) {
    static const char *const names[] = {"pread", "pread64"};
    sqlite3_vfs *vfs = sqlite3_vfs_find(store_sqlite_vfs());
    for (unsigned i = 0; i < 2; i++)
        (void)vfs->xSetSystemCall(vfs, names[i], fail ? (sqlite3_syscall_ptr)read_some : NULL);
}

/* Opens it, and reads in it; what is said meanwhile is in the file `said`. */
static int use(struct place *p, int said) {
    const struct store_sync_setup setup = {on_done, on_all_done, p};
    uint8_t value[8];
    size_t len;
    const int keep = dup(STDERR_FILENO);
    dup2(said, STDERR_FILENO);
    int err = store_sqlite_open(&p->db, &p->store, p->path, &p->log);
    assert_int_equal(uv_loop_init(&p->loop), 0);
    if (!err)
        err = store_sync_open(&p->sync, &p->loop, p->db, &setup, &p->log);
    if (!err)
        err = p->store.get(p->store.ctx, "t", "k199", 4, value, sizeof value, &len);
    dup2(keep, STDERR_FILENO);
    close(keep);
    return err;
}

/* Whoever moved the database away then, as one does a damaged one, would lose it for nothing. */
static void what_cannot_be_read_is_not_called_damaged(void **state) {
    (void)state;
    struct place *p = open_place();
    char key[8], text[4096];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "k%u", i);
        assert_int_equal(put(p, key, "12345"), 0);
    }
    assert_int_equal(barrier(p, STORE_SYNC_SCRUB), 0);
    stop(p);
    unsigned n = 0;
    for (int err = ERR_IO; err; n++) {
        FILE *said = tmpfile();
        assert_non_null(said);
        p->sync = NULL;
        p->db = NULL;
        reads_left = n;
        set_reads(true);
        err = use(p, fileno(said));
        set_reads(false);
        store_sync_close(p->sync);
        uv_loop_close(&p->loop);
        store_sqlite_close(p->db);
        rewind(said);
        text[fread(text, 1, sizeof text - 1, said)] = '\0';
        fclose(said);
        if (err) {
            assert_int_equal(err, ERR_IO);
            assert_null(strstr(text, "is damaged"));
            assert_non_null(strstr(text, "the disk reports an error"));
        }
    }
    assert_true(n > 3);
    start(p);
    close_place(p);
}

static void a_newer_store_is_refused(void **state) {
    (void)state;
    struct place *p = open_place();
    stop(p);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct store_sqlite *s;
    struct store store;
    assert_int_equal(store_sqlite_open(&s, &store, p->path, &p->log), ERR_FORMAT);
    assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    start(p); /* an older one is taken */
    close_place(p);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return be_the_other(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_is_whole_or_nothing),
        cmocka_unit_test(a_full_disk_takes_the_transaction_back),
        cmocka_unit_test(nobody_else_can_lock_it),
        cmocka_unit_test(a_burned_secret_is_in_no_file),
        cmocka_unit_test(what_cannot_be_read_is_not_called_damaged),
        cmocka_unit_test(a_newer_store_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
