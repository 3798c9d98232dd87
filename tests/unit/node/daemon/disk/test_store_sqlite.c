/* The store on SQLite and its worker, with real files: transactions, who may open it, barriers and
 * their failures, and what is left of a secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "node/daemon/disk/store_sync.h"

/* ---- an fsync that does what it is told ---- */
static struct {
    int err;              /* it fails with this */
    unsigned calls, dirs; /* of which on directories */
    char last[64];        /* the file's name */
} disk;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
    struct stat st;
    char link[64], path[256];
    disk.calls++;
    disk.dirs += fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(path, '/');
    snprintf(disk.last, sizeof disk.last, "%.63s", slash ? slash + 1 : path);
    if (disk.err) {
        errno = disk.err;
        return -1;
    }
    return __real_fsync(fd);
}

/* ---- a database in a directory of its own ---- */
struct place {
    char dir[64], path[128];
    struct log log;
    uv_loop_t loop;
    struct store_sqlite *db;
    struct store store;
    struct store_sync *sync;
    struct file_op op;
    unsigned done;
};

static void on_done(void *ctx, struct file_op *op) {
    struct place *p = ctx;
    (void)op;
    p->done++;
}

static void on_all_done(void *ctx) {
    struct place *p = ctx;
    store_sync_turn(p->sync);
}

static void start(struct place *p) {
    const struct store_sync_setup setup = {on_done, on_all_done, p};
    assert_int_equal(store_sqlite_open(&p->db, &p->store, p->path, &p->log), 0);
    assert_int_equal(uv_loop_init(&p->loop), 0);
    assert_int_equal(store_sync_open(&p->sync, &p->loop, p->db, &setup, &p->log), 0);
}

static void run(struct place *p) {
    store_sync_turn(p->sync);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_false(store_sync_busy(p->sync));
}

static void stop(struct place *p) {
    run(p);
    store_sync_close(p->sync);
    uv_loop_close(&p->loop);
    store_sqlite_close(p->db);
}

static struct place *open_place(void) {
    struct place *p = calloc(1, sizeof *p);
    memset(&disk, 0, sizeof disk);
    snprintf(p->dir, sizeof p->dir, "store-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/meshd.db", p->dir);
    p->log.level = LOG_ERROR;
    start(p);
    run(p);
    return p;
}

static void close_place(struct place *p) {
    stop(p);
    DIR *d = opendir(p->dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        (void)unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    assert_int_equal(rmdir(p->dir), 0);
    free(p);
}

static int put(struct place *p, const char *key, const char *value) {
    return p->store.put(p->store.ctx, "t", key, strlen(key), value, strlen(value));
}

static bool has(struct place *p, const char *key) {
    char value[4096];
    size_t len;
    return p->store.get(p->store.ctx, "t", key, strlen(key), value, sizeof value, &len) == 0;
}

/* A barrier to its end; its error. */
static int barrier(struct place *p, uint64_t flags) {
    unsigned before = p->done;
    p->op = (struct file_op){.kind = FILE_OP_STORE_SYNC, .id = flags};
    store_sync_submit(p->sync, &p->op);
    run(p);
    assert_int_equal(p->done, before + 1);
    return p->op.err;
}

/* Some file of the directory has these bytes. */
static bool on_disk(struct place *p, const char *bytes) {
    bool found = false;
    DIR *d = opendir(p->dir);
    for (struct dirent *e; !found && (e = readdir(d)) != NULL;) {
        /* Never the database by a descriptor of ours in this process: another one looks. */
        char command[512];
        snprintf(command, sizeof command, "grep -q -F '%s' '%s/%s'", bytes, p->dir, e->d_name);
        found = e->d_name[0] != '.' && system(command) == 0;
    }
    closedir(d);
    return found;
}

static off_t log_bytes(struct place *p) {
    char path[160];
    struct stat st;
    snprintf(path, sizeof path, "%s-wal", p->path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

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

/* No file may grow beyond `bytes`, as on a full disk. */
static void limit_files(rlim_t bytes) {
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
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

static void a_commit_syncs_nothing_and_a_barrier_the_log(void **state) {
    (void)state;
    struct place *p = open_place();
    disk.calls = 0;
    const uint64_t commits = store_sqlite_commits(p->db);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(put(p, "a", "1"), 0);
    assert_int_equal(disk.calls, 0);
    assert_int_equal(store_sqlite_commits(p->db), commits + 50);
    assert_true(store_sqlite_log_frames(p->db) >= 50); /* nothing was copied out of it meanwhile */
    assert_int_equal(barrier(p, 0), 0);
    assert_int_equal(disk.calls, 1);
    assert_string_equal(disk.last, "meshd.db-wal");
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
    disk.calls = disk.dirs = 0;
    assert_int_equal(store_sqlite_open(&db, &store, path, &p->log), 0);
    assert_int_equal(disk.calls, 2); /* the log, and the directory */
    assert_int_equal(disk.dirs, 1);
    assert_int_equal(store.get(store.ctx, "t", "a", 1, value, sizeof value, &len), 0);
    store_sqlite_close(db);
    disk.err = EIO;
    assert_int_equal(store_sqlite_open(&db, &store, path, &p->log), ERR_IO);
    disk.err = 0;
    snprintf(command, sizeof command, "rm -r '%s'", other);
    assert_int_equal(system(command), 0);
    close_place(p);
}

/* After an fsync that failed, a second one of the same bytes proves nothing. */
static void a_failed_sync_is_made_good_by_copying(void **state) {
    (void)state;
    struct place *p = open_place();
    assert_int_equal(put(p, "a", "1"), 0);
    disk.err = ENOSPC;
    assert_int_equal(barrier(p, 0), ERR_DISK);
    disk.err = EIO;
    assert_int_equal(put(p, "b", "1"), 0);
    disk.calls = 0;
    assert_int_equal(barrier(p, 0), 0); /* it is in the database itself, by SQLite's own syncs */
    assert_int_equal(disk.calls, 0);
    disk.err = 0;
    assert_int_equal(put(p, "c", "1"), 0);
    assert_int_equal(barrier(p, 0), 0);
    assert_int_equal(disk.calls, 1);
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
    disk.err = EIO;
    assert_int_equal(barrier(p, 0), ERR_IO);
    disk.err = 0;
    limit_files((rlim_t)database_bytes(p)); /* no room for it in the database */
    assert_int_equal(barrier(p, 0), ERR_IO);
    assert_int_equal(barrier(p, 0), ERR_IO);
    limit_files(RLIM_INFINITY);
    disk.calls = 0;
    assert_int_equal(barrier(p, 0), 0);
    assert_int_equal(disk.calls, 0); /* still by copying */
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
        cmocka_unit_test(a_commit_syncs_nothing_and_a_barrier_the_log),
        cmocka_unit_test(what_is_found_is_synced_before_it_is_used),
        cmocka_unit_test(a_failed_sync_is_made_good_by_copying),
        cmocka_unit_test(a_failed_sync_stands_until_all_is_copied),
        cmocka_unit_test(a_log_that_was_left_is_cut),
        cmocka_unit_test(a_burned_secret_is_in_no_file),
        cmocka_unit_test(the_log_stays_short),
        cmocka_unit_test(what_cannot_be_read_is_not_called_damaged),
        cmocka_unit_test(a_newer_store_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
