/* The scripted kernel: the linker puts these calls in front of the real ones. */
#include "scripted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef O_TMPFILE
#define O_TMPFILE 0
#endif

/* ---- a kernel that is told what to do ---- */

struct script script;

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

void place_open(struct place *p, bool can_link) {
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

unsigned empty(const char *dir, bool remove) {
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

void place_close(struct place *p) {
    file_slot_drop(&p->slot, 3, &p->env);
    empty(p->dir, true);
    assert_int_equal(empty(p->partials, true), 0);
    close(p->env.partials.fd);
    assert_int_equal(rmdir(p->dir), 0);
    assert_int_equal(rmdir(p->partials), 0);
    block_pool_free(p->pool);
}

int run(struct place *p, enum file_op_kind kind, const char *name, uint64_t size) {
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

int write_text(struct place *p, const char *text) {
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

void is_file(const struct place *p, const char *name, const char *text) {
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

uint64_t size_of(enum way way) {
    return way == LARGE ? DIRECT_MIN_BYTES : 5;
}

void way_open(struct place *p, enum way way) {
    place_open(p, way != NO_PROC);
#ifdef MESHD_TEST_WRAP
    script.no_tmpfile = way == NO_TMPFILE || way == LINKED || way == PLACED;
    script.no_replace = way == LINKED || way == PLACED;
    script.no_link = way == PLACED;
#endif
}
