#include "node/daemon/disk/fileio_run.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/os/oserr.h"
#include "node/daemon/disk/statedir.h"

enum {
    PUSH_BYTES = 8 << 20, /* written bytes between two starts of write-out: so that the final fsync
                           * finds most of the file on the disk already */
    READ_SPANS = 4,
    TEMP_TRIES = 16, /* other tags tried when a temporary's name is taken */
};

void file_slot_init(struct file_slot *s) {
    memset(s, 0, sizeof *s);
    s->fd = s->dir_fd = -1;
}

void file_slot_drop(struct file_slot *s, uint32_t number, const struct file_env *env) {
    direct_drop(&s->direct);
    if (s->fd >= 0)
        close(s->fd);
    if (s->temp[0]) {
        (void)unlinkat(s->dir_fd, s->temp, 0);
        partials_remove(env->partials_fd, number);
    }
    if (s->dir_fd >= 0)
        close(s->dir_fd);
    file_slot_init(s);
}

/* The error, and the limit of the system's that errno is about. */
static int failed(struct file_op *op, int e) {
    if (e == EMFILE || e == ENFILE)
        op->limit = LIMIT_DESCRIPTORS;
    else if (e == EDQUOT)
        op->limit = LIMIT_DISK_QUOTA;
    else if (e == EFBIG)
        op->limit = LIMIT_FILE_SIZE;
    return oserr(e);
}

/* ---- sources ---- */

static void note_stat(struct file_op *op, const struct stat *st) {
    op->size = (uint64_t)st->st_size;
    op->mtime_s = st->st_mtim.tv_sec;
    op->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
}

/* Size 0, and yet there is something to read: made while it is read (/proc), so that what it holds is
 * known to nobody before. */
static bool has_no_size(int fd, const struct stat *st) {
    char byte;
    return st->st_size == 0 && pread(fd, &byte, 1, 0) > 0;
}

static int run_open(struct file_op *op, struct file_slot *s) {
    struct stat st;
    /* Looked at first: opening a device can do something. */
    if (stat(op->path, &st) != 0)
        return failed(op, errno);
    if (!S_ISREG(st.st_mode))
        return ERR_UNSUPPORTED;
    s->fd = open(op->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (s->fd < 0)
        return failed(op, errno);
    if (fstat(s->fd, &st) != 0)
        return failed(op, errno);
    if (!S_ISREG(st.st_mode))
        return ERR_UNSUPPORTED;
    if (has_no_size(s->fd, &st))
        return ERR_UNSIZED;
    (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    note_stat(op, &st);
    op->mode = (uint32_t)st.st_mode & 0777;
    return 0;
}

/* Looks once more at a source before it is closed: the core compares. */
static void run_close(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    struct stat st;
    if (s->fd >= 0 && s->dir_fd < 0 && fstat(s->fd, &st) == 0)
        note_stat(op, &st);
    file_slot_drop(s, op->slot, env);
}

static size_t fill_iov(const struct file_op *op, struct iovec iov[static FILE_OP_SPANS]) {
    size_t total = 0;
    for (unsigned i = 0; i < op->nspans; i++) {
        const struct span *p = &op->spans[i];
        iov[i] = (struct iovec){p->block->data + p->offset, p->len};
        total += p->len;
    }
    return total;
}

/* Moves iov over n bytes; returns the index of the first one with something left. */
static unsigned advance(struct iovec *iov, unsigned i, unsigned count, size_t n) {
    while (i < count && n >= iov[i].iov_len)
        n -= iov[i++].iov_len;
    if (i < count) {
        iov[i].iov_base = (uint8_t *)iov[i].iov_base + n;
        iov[i].iov_len -= n;
    }
    return i;
}

static void hash_spans(const struct file_op *op, const struct span *p, size_t bytes) {
    for (; op->hash && bytes > 0; p++) {
        size_t n = p->len < bytes ? p->len : bytes;
        treehash_update(op->hash, p->block->data + p->offset, n);
        bytes -= n;
    }
}

/* Fills iov[0..count) from `offset` on; *done is less than it holds only at the end of the file. */
static int read_into(int fd, struct iovec *iov, unsigned count, uint64_t offset, size_t *done) {
    unsigned i = advance(iov, 0, count, 0);
    *done = 0;
    while (i < count) {
        ssize_t n = preadv(fd, iov + i, (int)(count - i), (off_t)(offset + *done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oserr(errno);
        if (n == 0)
            return 0;
        *done += (size_t)n;
        i = advance(iov, i, count, (size_t)n);
    }
    return 0;
}

/* Some spans at a time, so that they are hashed while they are in the cache. */
static int run_read(struct file_op *op, const struct file_slot *s) {
    struct iovec iov[FILE_OP_SPANS];
    (void)fill_iov(op, iov);
    op->bytes = 0;
    for (unsigned at = 0; at < op->nspans; at += READ_SPANS) {
        const unsigned count = op->nspans - at < READ_SPANS ? op->nspans - at : READ_SPANS;
        size_t done, wanted = 0;
        for (unsigned i = at; i < at + count; i++)
            wanted += op->spans[i].len;
        const int err = read_into(s->fd, iov + at, count, op->offset + op->bytes, &done);
        if (err)
            return err;
        hash_spans(op, op->spans + at, done);
        op->bytes += done;
        if (done < wanted)
            break;
    }
    return 0;
}

/* ---- destinations ---- */

/* Whether `bytes` surely do not fit. None at all free says nothing: a ramfs, and some file systems of
 * the network or of FUSE, do not know and say 0. There the first write that fails is the answer. */
static bool too_small(const char *dir, uint64_t bytes) {
    struct statvfs vfs;
    if (statvfs(dir, &vfs) != 0 || vfs.f_bavail == 0)
        return false;
    const uint64_t unit = vfs.f_frsize > 0 ? vfs.f_frsize : vfs.f_bsize;
    return unit > 0 && bytes / unit + (bytes % unit > 0) > vfs.f_bavail;
}

static int run_prepare(const struct file_op *op) {
    int r = statedir_make(op->path);
    if (r != 0)
        return r;
    if (access(op->path, W_OK | X_OK) != 0)
        return oserr(errno);
    return too_small(op->path, op->size) ? ERR_DISK : 0;
}

/* The core has checked it; what protects the file system is checked twice. */
static bool name_is_one_component(const char *name) {
    size_t n = strlen(name);
    return n > 0 && n <= FILE_NAME_MAX_BYTES && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* Is the name free in this directory? fstatat does not follow, so a dangling link counts as taken.
 */
static int check_free(int dir_fd, const char *name) {
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return ERR_EXISTS;
    if (errno == ENOENT)
        return 0;
    return errno == ENAMETOOLONG ? ERR_USAGE : oserr(errno);
}

static int run_check(const struct file_op *op) {
    if (!name_is_one_component(op->name))
        return ERR_USAGE;
    int fd = open(op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return oserr(errno);
    int r = check_free(fd, op->name);
    close(fd);
    return r;
}

/* O_EXCL and O_NOFOLLOW on a single component: there is nothing left that could lead out of the
 * directory. The temporary is noted before it is made: killed in between, we leave a note without a
 * file. */
static int make_temporary(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    int err = 0;
    for (unsigned i = 0; i < TEMP_TRIES; i++) {
        partials_name(s->temp, op->id + i);
        partials_add(env->partials_fd, op->slot, op->path, s->temp);
        s->fd =
            openat(s->dir_fd, s->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (s->fd >= 0)
            return 0;
        err = errno;
        if (err != EEXIST)
            break;
    }
    s->temp[0] = '\0';
    partials_remove(env->partials_fd, op->slot);
    return err == EEXIST ? ERR_IO : failed(op, err);
}

/* A file that has no name until it is whole: killed in between, nothing is left. Not for large ones, which are to be
 * found again. False: the system or the file system cannot do it. */
static bool make_unnamed(const struct file_op *op, struct file_slot *s,
                         const struct file_env *env) {
#ifdef O_TMPFILE
    if (!env->can_link || op->size >= DIRECT_MIN_BYTES)
        return false;
    s->fd = openat(s->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return s->fd >= 0;
#else
    (void)op, (void)s, (void)env;
    return false;
#endif
}

static int run_create(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    if (!name_is_one_component(op->name))
        return ERR_USAGE;
    s->dir_fd = open(op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd < 0)
        return failed(op, errno);
    int r = check_free(s->dir_fd, op->name);
    if (r != 0)
        return r;
    strcpy(s->name, op->name);
    if (make_unnamed(op, s, env))
        return 0;
    r = make_temporary(op, s, env);
    if (r == 0 && op->size >= DIRECT_MIN_BYTES)
        (void)direct_begin(&s->direct, s->fd); /* else as usual */
    return r;
}

static int run_write_direct(struct file_op *op, struct file_slot *s) {
    struct iovec iov[FILE_OP_SPANS];
    op->bytes = 0;
    const size_t total = fill_iov(op, iov);
    const int err = direct_write(&s->direct, iov, op->nspans, op->hash);
    if (err)
        return failed(op, err);
    op->bytes = total;
    return 0;
}

static int run_write(struct file_op *op, struct file_slot *s) {
    struct iovec iov[FILE_OP_SPANS];
    size_t total = fill_iov(op, iov), done = 0;
    unsigned i = advance(iov, 0, op->nspans, 0);
    while (done < total) {
        ssize_t n = pwritev(s->fd, iov + i, (int)(op->nspans - i), (off_t)(op->offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? ERR_IO : failed(op, errno);
        done += (size_t)n;
        i = advance(iov, i, op->nspans, (size_t)n);
    }
    hash_spans(op, op->spans, done);
    op->bytes = done;
#ifdef SYNC_FILE_RANGE_WRITE
    uint64_t end = op->offset + done;
    if (end >= s->pushed + PUSH_BYTES) {
        (void)sync_file_range(s->fd, (off_t)s->pushed, (off_t)(end - s->pushed),
                              SYNC_FILE_RANGE_WRITE);
        s->pushed = end;
    }
#endif
    return 0;
}

/* No name -> name, replacing nothing: the way of open(2), under O_TMPFILE. */
static int link_new(const struct file_slot *s) {
    char self[32];
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", s->fd);
    return linkat(AT_FDCWD, self, s->dir_fd, s->name, AT_SYMLINK_FOLLOW) == 0 ? 0 : oserr(errno);
}

/* Neither of the ways below: an empty file made with O_EXCL takes the name, noted, and is then
 * replaced. Killed in between, the next start removes it. */
static int rename_over_place(struct file_slot *s, uint32_t number, const struct file_env *env) {
    const int taken = check_free(s->dir_fd, s->name); /* nobody else's is to be noted */
    if (taken)
        return taken;
    partials_add_place(env->partials_fd, number, s->name);
    int fd = openat(s->dir_fd, s->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return oserr(errno);
    close(fd);
    if (renameat(s->dir_fd, s->temp, s->dir_fd, s->name) == 0) {
        s->temp[0] = '\0';
        return 0;
    }
    int err = errno;
    (void)unlinkat(s->dir_fd, s->name, 0);
    return oserr(err);
}

/* temp -> name, replacing nothing. A temporary that is still there is dropped with the slot. */
static int rename_new(struct file_slot *s, uint32_t number, const struct file_env *env) {
#ifdef RENAME_NOREPLACE
    if (renameat2(s->dir_fd, s->temp, s->dir_fd, s->name, RENAME_NOREPLACE) == 0) {
        s->temp[0] = '\0';
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return oserr(errno);
#endif
    /* A file system without it (NFS, FUSE): a second name for the whole file. */
    if (linkat(s->dir_fd, s->temp, s->dir_fd, s->name, 0) == 0)
        return 0;
    /* And without that (FAT of old, some FUSE). */
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK)
        return rename_over_place(s, number, env);
    return oserr(errno);
}

static int run_commit(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = (time_t)op->mtime_s, .tv_nsec = (long)op->mtime_ns}};
    if (s->dir_fd < 0)
        return ERR_USAGE;
    const int err = direct_end(&s->direct);
    if (err)
        return failed(op, err);
    /* A file system without modes or times (FAT) still gets the file. */
    (void)fchmod(s->fd, (mode_t)(op->mode & 0777 & ~env->umask));
    if (op->mtime_ns < 1000000000)
        (void)futimens(s->fd, times);
    if (fsync(s->fd) != 0)
        return failed(op, errno);
    if (!s->temp[0])
        return link_new(s);
    int r = rename_new(s, op->slot, env);
    if (!s->temp[0])
        partials_remove(env->partials_fd, op->slot);
    return r;
}

static int run_sync_dir(const struct file_op *op) {
    int fd = open(op->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return oserr(errno);
    int r = fsync(fd) == 0 || errno == EINVAL ? 0 : oserr(errno);
    close(fd);
    return r;
}

void file_op_run(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    bool needs_open =
        op->kind == FILE_OP_READ || op->kind == FILE_OP_WRITE || op->kind == FILE_OP_COMMIT;
    op->bytes = 0;
    op->limit = LIMIT_NONE;
    if (needs_open && s->fd < 0) {
        op->err = ERR_IO;
        return;
    }
    switch (op->kind) {
    case FILE_OP_OPEN:
        op->err = run_open(op, s);
        break;
    case FILE_OP_READ:
        op->err = run_read(op, s);
        return;
    case FILE_OP_PREPARE:
        op->err = run_prepare(op);
        return;
    case FILE_OP_CHECK:
        op->err = run_check(op);
        return;
    case FILE_OP_CREATE:
        op->err = run_create(op, s, env);
        break;
    case FILE_OP_WRITE:
        op->err = s->direct.active ? run_write_direct(op, s) : run_write(op, s);
        return;
    case FILE_OP_COMMIT:
        op->err = run_commit(op, s, env);
        file_slot_drop(s, op->slot, env);
        return;
    case FILE_OP_CLOSE:
        op->err = 0;
        run_close(op, s, env);
        return;
    case FILE_OP_SYNC_DIR:
        op->err = run_sync_dir(op);
        return;
    case FILE_OP_STORE_SYNC: /* node/daemon/disk/store_sync does it */
        op->err = ERR_UNSUPPORTED;
        return;
    }
    if (op->err != 0)
        file_slot_drop(s, op->slot, env);
}
