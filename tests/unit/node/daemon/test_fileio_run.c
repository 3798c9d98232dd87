/* File operations as the worker runs them: files without a name until they are whole, temporaries where that cannot be,
 * and the one sync of the directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/daemon/disk/fileio_run.h"

#ifndef O_TMPFILE
#define O_TMPFILE 0
#endif

/* ---- a kernel that is told what to do ---- */

static struct script {
    bool no_tmpfile; /* a file system without O_TMPFILE */
    bool no_replace; /* one without RENAME_NOREPLACE */
    bool no_link;    /* one without hard links */
    int fsync_err;   /* of directories */
    bool tells_room; /* statvfs says that there is `room`, in pieces of 4 KiB; -1: it fails */
    long long room;
    unsigned dir_syncs, file_syncs;
    unsigned dies_at,
        calls; /* the process is killed before its n-th call that changes a directory */
    struct {   /* what was done, in order */
        char
            what; /* 's' a file was synced, 'd' a directory, 'm' one was made, 'n' a name was given */
        ino_t ino; /* of the directory that was synced, or in which something was made */
    } log[64];
    unsigned count;
} script;

static void did(char what, ino_t ino) {
    assert_true(script.count < sizeof script.log / sizeof *script.log);
    script.log[script.count].what = what;
    script.log[script.count++].ino = ino;
}

static void changes(void) {
    if (++script.calls == script.dies_at)
        _exit(77);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        script.dir_syncs++;
        did('d', st.st_ino);
        if (script.fsync_err) {
            errno = script.fsync_err;
            return -1;
        }
        return 0;
    }
    script.file_syncs++;
    did('s', 0);
    return 0;
}
int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...) {
    va_list ap;
    va_start(ap, flags);
    const mode_t mode = va_arg(ap, mode_t);
    va_end(ap);
    if (flags & O_CREAT)
        changes();
    if (script.no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_openat(dir, path, flags, mode);
}
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at) {
    return __real_pwrite(fd, buf, len, at);
}

#ifdef MESHD_TEST_WRAP

int __real_statvfs(const char *path, struct statvfs *v);
int __wrap_statvfs(const char *path, struct statvfs *v);
int __wrap_statvfs(const char *path, struct statvfs *v) {
    const int r = __real_statvfs(path, v);
    if (!script.tells_room)
        return r;
    v->f_frsize = v->f_bsize = 4096;
    v->f_blocks = 1000;
    v->f_bavail = script.room > 0 ? (fsblkcnt_t)script.room : 0;
    errno = ENOSYS;
    return script.room < 0 ? -1 : r;
}
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode) {
    char up[256];
    struct stat st;
    const int r = __real_mkdir(path, mode);
    (void)snprintf(up, sizeof up, "%s/..", path);
    if (r == 0 && stat(up, &st) == 0)
        did('m', st.st_ino);
    return r;
}
int __real_linkat(int from, const char *path, int to, const char *name, int flags);
int __wrap_linkat(int from, const char *path, int to, const char *name, int flags);
int __wrap_linkat(int from, const char *path, int to, const char *name, int flags) {
    changes();
    did('n', 0);
    if (script.no_link && flags == 0) {
        errno = EPERM;
        return -1;
    }
    return __real_linkat(from, path, to, name, flags);
}
int __real_renameat(int from, const char *path, int to, const char *name);
int __wrap_renameat(int from, const char *path, int to, const char *name);
int __wrap_renameat(int from, const char *path, int to, const char *name) {
    changes();
    did('n', 0);
    return __real_renameat(from, path, to, name);
}
int __real_renameat2(int from, const char *path, int to, const char *name, unsigned flags);
int __wrap_renameat2(int from, const char *path, int to, const char *name, unsigned flags);
int __wrap_renameat2(int from, const char *path, int to, const char *name, unsigned flags) {
    changes();
    did('n', 0);
    if (script.no_replace) {
        errno = EINVAL;
        return -1;
    }
    return __real_renameat2(from, path, to, name, flags);
}
int __real_symlinkat(const char *target, int dir, const char *name);
int __wrap_symlinkat(const char *target, int dir, const char *name);
int __wrap_symlinkat(const char *target, int dir, const char *name) {
    changes();
    return __real_symlinkat(target, dir, name);
}
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags) {
    changes();
    return __real_unlinkat(dir, name, flags);
}

#endif

/* ---- a directory of its own ---- */

struct place {
    char dir[64], partials[64];
    struct file_env env;
    struct file_slot slot;
    struct block_pool *pool;
};

static void place_open(struct place *p, bool can_link) {
    memset(&script, 0, sizeof script);
    strcpy(p->dir, "./meshd-files-XXXXXX");
    strcpy(p->partials, "./meshd-parts-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_non_null(mkdtemp(p->partials));
    p->env = (struct file_env){.umask = 027, .can_link = can_link};
    p->env.partials.fd = open(p->partials, O_RDONLY | O_DIRECTORY);
    assert_true(p->env.partials.fd >= 0);
    file_slot_init(&p->slot);
    p->pool = block_pool_new(8, 2);
}

/* Gives how many entries there were. */
static unsigned empty(const char *dir, bool remove) {
    DIR *d = opendir(dir);
    assert_non_null(d);
    unsigned n = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            n++;
            if (remove)
                assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
        }
    closedir(d);
    return n;
}

static void place_close(struct place *p) {
    file_slot_drop(&p->slot, 3, &p->env);
    empty(p->dir, true);
    assert_int_equal(empty(p->partials, true), 0);
    close(p->env.partials.fd);
    assert_int_equal(rmdir(p->dir), 0);
    assert_int_equal(rmdir(p->partials), 0);
    block_pool_free(p->pool);
}

static int run(struct place *p, enum file_op_kind kind, const char *name, uint64_t size) {
    struct file_op op = {.kind = kind,
                         .slot = 3,
                         .path = p->dir,
                         .name = name,
                         .id = 77,
                         .size = size,
                         .mode = 0666,
                         .mtime_s = 1000000000,
                         .mtime_ns = 5000};
    file_op_run(&op, &p->slot, &p->env);
    return op.err;
}

static int write_text(struct place *p, const char *text) {
    struct block *b = block_new(p->pool, 512);
    assert_non_null(b);
    memcpy(b->data, text, strlen(text));
    struct file_op op = {.kind = FILE_OP_WRITE, .slot = 3, .nspans = 1};
    op.spans[0] = (struct span){b, 0, (uint32_t)strlen(text)};
    file_op_run(&op, &p->slot, &p->env);
    assert_int_equal(op.err ? 0 : op.bytes, op.err ? 0 : strlen(text));
    block_put(b);
    return op.err;
}

static void is_file(const struct place *p, const char *name, const char *text) {
    char path[128], got[64] = {0};
    strcpy(path, p->dir);
    strcat(path, "/");
    strcat(path, name);
    const int fd = open(path, O_RDONLY | O_NOFOLLOW);
    assert_true(fd >= 0);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640); /* what was asked for, without the user's umask */
    assert_int_equal(st.st_mtim.tv_sec, 1000000000);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(read(fd, got, sizeof got - 1), (ssize_t)strlen(text));
    assert_string_equal(got, text);
    close(fd);
}

#ifdef MESHD_TEST_WRAP
enum way { UNNAMED, NO_PROC, NO_TMPFILE, LARGE, LINKED, PLACED, WAYS };
#else
enum way { UNNAMED, NO_PROC, NO_TMPFILE, LARGE, WAYS };
#endif

static uint64_t size_of(enum way way) {
    return way == LARGE ? DIRECT_MIN_BYTES : 5;
}

static void way_open(struct place *p, enum way way) {
    place_open(p, way != NO_PROC);
#ifdef MESHD_TEST_WRAP
    script.no_tmpfile = way == NO_TMPFILE || way == LINKED || way == PLACED;
    script.no_replace = way == LINKED || way == PLACED;
    script.no_link = way == PLACED;
#endif
}

/* Small files have no name, and no note, until they are whole; the others are hidden temporaries with one. */
static void a_file_gets_its_name_when_it_is_whole(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++) {
        struct place p;
        way_open(&p, (enum way)way);
        assert_int_equal(run(&p, FILE_OP_CREATE, "a file", size_of((enum way)way)), 0);
        const bool named = p.slot.temp[0] != '\0';
        if (way == NO_PROC || way == LARGE)
            assert_true(named);
        assert_int_equal(empty(p.dir, false), named);
        assert_int_equal(empty(p.partials, false), named);
        assert_int_equal(write_text(&p, "hello"), 0);
        assert_int_equal(empty(p.dir, false), named);
        assert_int_equal(run(&p, FILE_OP_COMMIT, NULL, 0), 0);
        assert_int_equal(p.slot.file.fd, -1);
        assert_int_equal(empty(p.dir, false), 1);
        assert_int_equal(empty(p.partials, false), 0);
        is_file(&p, "a file", "hello");
#ifdef MESHD_TEST_WRAP
        assert_int_equal(script.file_syncs, 1);
        assert_int_equal(script.dir_syncs, 0); /* once for all, by FILE_OP_SYNC_DIR */
        assert_int_equal(named, way != UNNAMED || !os_dir_can_name());
#endif
        place_close(&p);
    }
}

/* Nothing is replaced: not what was there, not what came meanwhile, not a link that leads nowhere. */
static void a_name_that_is_taken_is_left_alone(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++)
        for (int dangling = 0; dangling < 2; dangling++) {
            struct place p;
            way_open(&p, (enum way)way);
            assert_int_equal(run(&p, FILE_OP_CHECK, "x", 0), 0);
            assert_int_equal(run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)), 0);
            assert_int_equal(write_text(&p, "late"), 0);
            const int dir_fd = open(p.dir, O_RDONLY | O_DIRECTORY);
            if (dangling) {
                assert_int_equal(symlinkat("nowhere", dir_fd, "x"), 0);
            } else {
                const int fd = openat(dir_fd, "x", O_WRONLY | O_CREAT | O_EXCL, 0600);
                assert_int_equal(write(fd, "first", 5), 5);
                close(fd);
            }
            assert_int_equal(run(&p, FILE_OP_COMMIT, NULL, 0), ERR_EXISTS);
            assert_int_equal(p.slot.file.fd, -1);
            assert_int_equal(empty(p.dir, false), 1);
            struct stat st;
            assert_int_equal(fstatat(dir_fd, "x", &st, AT_SYMLINK_NOFOLLOW), 0);
            assert_int_equal(S_ISLNK(st.st_mode), dangling);
            if (!dangling)
                assert_int_equal(st.st_size, 5);
            assert_int_equal(run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)), ERR_EXISTS);
            assert_int_equal(run(&p, FILE_OP_CHECK, "x", 0), ERR_EXISTS);
            assert_int_equal(p.slot.file.fd, -1);
            assert_int_equal(p.slot.dir.fd, -1);
            close(dir_fd);
            place_close(&p);
        }
}

/* Given up half way: no file, no temporary, no note. */
static void what_is_given_up_leaves_nothing(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++) {
        struct place p;
        way_open(&p, (enum way)way);
        assert_int_equal(run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)), 0);
        assert_int_equal(write_text(&p, "half"), 0);
        assert_int_equal(run(&p, FILE_OP_CLOSE, NULL, 0), 0);
        assert_int_equal(empty(p.dir, false), 0);
        assert_int_equal(empty(p.partials, false), 0);
        assert_int_equal(run(&p, FILE_OP_COMMIT, NULL, 0), ERR_IO); /* nothing is open */
        place_close(&p);
    }
}

#ifdef MESHD_TEST_WRAP

/* A name that leads to bytes the disk does not have yet would be an empty file after a power cut. */
static void a_file_is_synced_before_it_gets_its_name(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++) {
        struct place p;
        way_open(&p, (enum way)way);
        assert_int_equal(run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)), 0);
        assert_int_equal(write_text(&p, "hello"), 0);
        script.count = 0;
        assert_int_equal(run(&p, FILE_OP_COMMIT, NULL, 0), 0);
        assert_true(script.count >= 2);
        assert_int_equal(script.log[0].what, 's');
        for (unsigned i = 1; i < script.count; i++)
            assert_int_equal(script.log[i].what, 'n');
        place_close(&p);
    }
}

/* Each is on the disk before what is made in it. */
static void made_parents_are_synced(void **state) {
    (void)state;
    struct place p;
    place_open(&p, true);
    char deep[128], *end;
    (void)snprintf(deep, sizeof deep, "%s/one/two/three", p.dir);
    struct file_op op = {.kind = FILE_OP_PREPARE, .path = deep};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(op.err, 0);
    assert_int_equal(script.count, 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(script.log[i].what, i % 2 ? 'd' : 'm');
        assert_int_equal(script.log[i].ino, script.log[i & ~1u].ino);
    }
    script.count = 0;
    file_op_run(&op, &p.slot, &p.env); /* there already: nothing to do */
    assert_int_equal(op.err, 0);
    assert_int_equal(script.count, 0);
    for (; (end = strrchr(deep, '/')) > deep + strlen(p.dir) - 1; *end = '\0')
        assert_int_equal(rmdir(deep), 0);
    script.fsync_err = EIO;
    (void)snprintf(deep, sizeof deep, "%s/one", p.dir);
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(op.err, ERR_IO);
    assert_int_equal(rmdir(deep), 0);
    place_close(&p);
}

/* What surely does not fit is refused before a byte has come. A file system that says it has nothing,
 * or says nothing, is tried: a ramfs takes any file. */
static void room_that_is_not_known_is_tried(void **state) {
    (void)state;
    static const struct {
        long long room;
        uint64_t bytes;
        int err;
    } all[] = {
        {0, 6, 0},           {0, UINT64_C(1) << 40, 0}, {-1, 6, 0},
        {10, 0, 0},          {10, 10 * 4096, 0},        {10, 10 * 4096 + 1, ERR_DISK},
        {1, 4097, ERR_DISK}, {1, UINT64_MAX, ERR_DISK},
    };
    struct place p;
    place_open(&p, true);
    script.tells_room = true;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        script.room = all[i].room;
        struct file_op op = {.kind = FILE_OP_PREPARE, .path = p.dir, .size = all[i].bytes};
        file_op_run(&op, &p.slot, &p.env);
        assert_int_equal(op.err, all[i].err);
    }
    place_close(&p);
}

/* What the dead left, and what the next start makes of it. */
static void is_whole_or_nothing(const struct place *p, enum way way) {
    const struct log quiet = {.level = LOG_ERROR};
    struct stat st;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/x", p->dir);
    if (way != PLACED && stat(path, &st) == 0)
        assert_int_equal(st.st_size, 5);
    const int state_fd = open(p->partials, O_RDONLY | O_DIRECTORY);
    struct os_dir d;
    assert_int_equal(partials_open(&d, (struct os_dir){state_fd}, p->partials, &quiet), 0);
    os_dir_close(&d);
    close(state_fd);
    const bool there = stat(path, &st) == 0;
    if (there)
        assert_int_equal(st.st_size, 5);
    assert_int_equal(empty(p->dir, false), there);
}

/* Killed before any step of it, a file has its name and is whole, or there is nothing of it: at the latest after the
 * next start. */
static void killed_at_any_step_a_file_is_whole_or_not_there(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++) {
        unsigned at = 0, status = 77;
        while (status == 77) {
            struct place p;
            way_open(&p, (enum way)way);
            const struct log quiet = {.level = LOG_ERROR};
            const int noted = p.env.partials.fd; /* where it lies in STATE */
            assert_int_equal(
                partials_open(&p.env.partials, (struct os_dir){noted}, p.partials, &quiet), 0);
            const pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                script.calls = 0;
                script.dies_at = ++at;
                const bool good = run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)) == 0 &&
                                  write_text(&p, "hello") == 0 &&
                                  run(&p, FILE_OP_COMMIT, NULL, 0) == 0;
                _exit(good ? 0 : 1);
            }
            at++;
            int raw;
            assert_int_equal(waitpid(child, &raw, 0), child);
            assert_true(WIFEXITED(raw));
            status = (unsigned)WEXITSTATUS(raw);
            assert_true(status == 0 || status == 77);
            is_whole_or_nothing(&p, (enum way)way);
            assert_true(status == 77 || empty(p.dir, false) == 1);
            close(p.env.partials.fd);
            p.env.partials.fd = noted;
            assert_int_equal(unlinkat(noted, "partials", AT_REMOVEDIR), 0);
            place_close(&p);
        }
        assert_true(at > (way == UNNAMED ? 1 : 4)); /* it really died on the way */
    }
}

#endif

static void names_that_lead_elsewhere_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"", ".", "..", "a/b", "/etc/x", "../x", "a/"};
    struct place p;
    place_open(&p, true);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(run(&p, FILE_OP_CREATE, names[i], 5), ERR_USAGE);
        assert_int_equal(run(&p, FILE_OP_CHECK, names[i], 5), ERR_USAGE);
        assert_int_equal(p.slot.file.fd, -1);
    }
    assert_int_equal(empty(p.dir, false), 0);
    place_close(&p);
}

/* As much as there is, and the hash of just that: also where the file ends between two reads, or in one. */
static void a_source_is_read_and_hashed_to_its_end(void **state) {
    (void)state;
    enum { SPAN = 512, MAX = FILE_OP_SPANS * SPAN };
    static const size_t sizes[] = {0,       1,   SPAN,   4 * SPAN, 4 * SPAN + 1, 5 * SPAN - 1,
                                   MAX - 1, MAX, MAX + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct place p;
        place_open(&p, true);
        char path[128];
        (void)snprintf(path, sizeof path, "%s/source", p.dir);
        uint8_t bytes[MAX + 1], root[TREEHASH_BYTES], want[TREEHASH_BYTES];
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(k * 7 + k / 256);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, sizes[i]), (ssize_t)sizes[i]);
        close(fd);
        struct file_op op = {.kind = FILE_OP_OPEN, .slot = 3, .path = path};
        file_op_run(&op, &p.slot, &p.env);
        assert_int_equal(op.err, 0);
        struct treehash *plain = treehash_new();
        op = (struct file_op){.kind = FILE_OP_READ, .slot = 3, .hash = treehash_new()};
        for (; op.nspans < FILE_OP_SPANS; op.nspans++)
            op.spans[op.nspans] = (struct span){block_new(p.pool, SPAN), 0, SPAN};
        file_op_run(&op, &p.slot, &p.env);
        const size_t got = sizes[i] < MAX ? sizes[i] : MAX;
        assert_int_equal(op.err, 0);
        assert_int_equal(op.bytes, got);
        for (size_t k = 0; k < got; k++)
            assert_int_equal(op.spans[k / SPAN].block->data[k % SPAN], bytes[k]);
        treehash_update(plain, bytes, got);
        treehash_final(plain, want);
        treehash_final(op.hash, root);
        assert_memory_equal(root, want, sizeof root);
        for (unsigned k = 0; k < op.nspans; k++)
            block_put(op.spans[k].block);
        treehash_free(plain);
        treehash_free(op.hash);
        place_close(&p);
    }
}

/* The directory is synced once; a file system that has no such thing (EINVAL) is not an error, a broken disk is. */
static void the_directory_is_synced(void **state) {
    (void)state;
    struct place p;
    place_open(&p, true);
    assert_int_equal(run(&p, FILE_OP_SYNC_DIR, NULL, 0), 0);
#ifdef MESHD_TEST_WRAP
    assert_int_equal(script.dir_syncs, 1);
    script.fsync_err = EINVAL;
    assert_int_equal(run(&p, FILE_OP_SYNC_DIR, NULL, 0), 0);
    script.fsync_err = EIO;
    assert_int_equal(run(&p, FILE_OP_SYNC_DIR, NULL, 0), ERR_IO);
    script.fsync_err = ENOSPC;
    assert_int_equal(run(&p, FILE_OP_SYNC_DIR, NULL, 0), ERR_DISK);
    assert_int_equal(script.dir_syncs, 4);
#endif
    struct file_op gone = {.kind = FILE_OP_SYNC_DIR, .path = "./there/is/no/such"};
    file_op_run(&gone, &p.slot, &p.env);
    assert_int_equal(gone.err, ERR_NOT_FOUND);
    place_close(&p);
}

/* An empty file is one; a file that says so and has bytes is told as what it is, before anybody is offered it. */
static void a_file_without_a_size_is_no_source(void **state) {
    (void)state;
    struct place p;
    char path[128];
    place_open(&p, true);
    (void)snprintf(path, sizeof path, "%s/empty", p.dir);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fclose(f);
    struct file_op op = {.kind = FILE_OP_OPEN, .path = path};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(op.err, 0);
    assert_int_equal(op.size, 0);
    assert_int_equal(run(&p, FILE_OP_CLOSE, NULL, 0), 0);
    assert_int_equal(unlink(path), 0);
    if (access("/proc/self/status", R_OK) == 0) {
        op = (struct file_op){.kind = FILE_OP_OPEN, .path = "/proc/self/status"};
        file_op_run(&op, &p.slot, &p.env);
        assert_int_equal(op.err, ERR_UNSIZED);
        assert_int_equal(p.slot.file.fd, -1);
    }
    place_close(&p);
}

/* "The disk is full" would be the wrong word for a file that the file system does not take at all, and
 * for a process that may open no more. */
static void limits_of_the_system_are_told_as_such(void **state) {
    (void)state;
    struct place p;
    struct rlimit was, none;
    place_open(&p, true);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = was;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct file_op op = {.kind = FILE_OP_OPEN, .path = "/etc/passwd"};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(op.err, ERR_FULL);
    assert_int_equal(op.limit, LIMIT_DESCRIPTORS);

    struct block *b = block_new(p.pool, 4096);
    assert_non_null(b);
    memset(b->data, 1, 4096);
    op = (struct file_op){.kind = FILE_OP_CREATE, .path = p.dir, .name = "x", .size = 4096};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(op.err, 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    none = was;
    none.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    op =
        (struct file_op){.kind = FILE_OP_WRITE, .size = 4096, .spans = {{b, 0, 4096}}, .nspans = 1};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(op.err, ERR_DISK);
    assert_int_equal(op.limit, LIMIT_FILE_SIZE);
    op = (struct file_op){.kind = FILE_OP_CLOSE};
    file_op_run(&op, &p.slot, &p.env);
    block_put(b);
    place_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_its_name_when_it_is_whole),
        cmocka_unit_test(a_name_that_is_taken_is_left_alone),
        cmocka_unit_test(what_is_given_up_leaves_nothing),
#ifdef MESHD_TEST_WRAP
        cmocka_unit_test(a_file_is_synced_before_it_gets_its_name),
        cmocka_unit_test(made_parents_are_synced),
        cmocka_unit_test(room_that_is_not_known_is_tried),
        cmocka_unit_test(killed_at_any_step_a_file_is_whole_or_not_there),
#endif
        cmocka_unit_test(a_file_without_a_size_is_no_source),
        cmocka_unit_test(limits_of_the_system_are_told_as_such),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(a_source_is_read_and_hashed_to_its_end),
        cmocka_unit_test(the_directory_is_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
