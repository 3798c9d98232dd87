/* The database of the tests of the store; its fsync is in front of the real one. */
#include "database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- an fsync that does what it is told ---- */
struct synced synced;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
    struct stat st;
    char link[64], path[256];
    synced.calls++;
    synced.dirs += fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(path, '/');
    snprintf(synced.last, sizeof synced.last, "%.63s", slash ? slash + 1 : path);
    if (synced.err) {
        errno = synced.err;
        return -1;
    }
    return __real_fsync(fd);
}

/* ---- a database in a directory of its own ---- */
void on_done(void *ctx, struct file_op *op) {
    struct place *p = ctx;
    (void)op;
    p->done++;
}

void on_all_done(void *ctx) {
    struct place *p = ctx;
    store_sync_turn(p->sync);
}

void start(struct place *p) {
    const struct store_sync_setup setup = {on_done, on_all_done, p};
    assert_int_equal(store_sqlite_open(&p->db, &p->store, p->path, &p->log), 0);
    assert_int_equal(uv_loop_init(&p->loop), 0);
    assert_int_equal(store_sync_open(&p->sync, &p->loop, p->db, &setup, &p->log), 0);
}

void run(struct place *p) {
    store_sync_turn(p->sync);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_false(store_sync_busy(p->sync));
}

void stop(struct place *p) {
    run(p);
    store_sync_close(p->sync);
    uv_loop_close(&p->loop);
    store_sqlite_close(p->db);
}

struct place *open_place(void) {
    struct place *p = calloc(1, sizeof *p);
    memset(&synced, 0, sizeof synced);
    snprintf(p->dir, sizeof p->dir, "store-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/meshd.db", p->dir);
    p->log.level = LOG_ERROR;
    start(p);
    run(p);
    return p;
}

void close_place(struct place *p) {
    stop(p);
    DIR *d = opendir(p->dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        (void)unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    assert_int_equal(rmdir(p->dir), 0);
    free(p);
}

int put(struct place *p, const char *key, const char *value) {
    return p->store.put(p->store.ctx, "t", key, strlen(key), value, strlen(value));
}

bool has(struct place *p, const char *key) {
    char value[4096];
    size_t len;
    return p->store.get(p->store.ctx, "t", key, strlen(key), value, sizeof value, &len) == 0;
}

int barrier(struct place *p, uint64_t flags) {
    unsigned before = p->done;
    p->op = (struct file_op){.kind = FILE_OP_STORE_SYNC, .id = flags};
    store_sync_submit(p->sync, &p->op);
    run(p);
    assert_int_equal(p->done, before + 1);
    return p->op.err;
}

bool on_disk(struct place *p, const char *bytes) {
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

off_t log_bytes(struct place *p) {
    char path[160];
    struct stat st;
    snprintf(path, sizeof path, "%s-wal", p->path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

void limit_files(rlim_t bytes) {
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}
