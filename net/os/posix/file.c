/* file.c: POSIX's files. What Linux alone has of them: linux/file_more.c. */
#include "net/os/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/os/posix/posix.h"

/* Descriptors from here on are rare: a process that sees others under our number, in a container of
 * its own, finds nothing there rather than something else. */
enum { SHARED_FD = 700 };

static int done(int r) {
    return r == 0 ? 0 : errno;
}

int os_flags(unsigned how) {
    const int access = how & OS_WRITE ? how & OS_READ ? O_RDWR : O_WRONLY : O_RDONLY;
    return access | O_CLOEXEC | O_NOCTTY | (how & (OS_CREATE | OS_NEW) ? O_CREAT : 0) |
           (how & OS_NEW ? O_EXCL : 0) | (how & OS_NOFOLLOW ? O_NOFOLLOW : 0) |
           (how & OS_NOWAIT ? O_NONBLOCK : 0);
}

static enum os_kind kind_of(mode_t mode) {
    if (S_ISREG(mode))
        return OS_REGULAR;
    if (S_ISDIR(mode))
        return OS_DIRECTORY;
    if (S_ISLNK(mode))
        return OS_LINK;
    if (S_ISFIFO(mode))
        return OS_PIPE;
    return S_ISSOCK(mode) ? OS_SOCKET : OS_OTHER;
}

int os_stat_result(int r, const struct stat *st, struct os_info *out) {
    if (r != 0)
        return errno;
    *out = (struct os_info){
        .kind = kind_of(st->st_mode),
        .size = (uint64_t)st->st_size,
        .mtime_s = st->st_mtim.tv_sec,
        .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
        .mode = (unsigned)st->st_mode & 07777U,
        .owner = st->st_uid,
    };
    return 0;
}

int os_file_open(struct os_file *out, const char *path, unsigned how) {
    out->fd = open(path, os_flags(how), 0600);
    return out->fd >= 0 ? 0 : errno;
}

int os_file_temporary(struct os_file *out, char *path) {
    out->fd = mkstemp(path);
    if (out->fd < 0)
        return errno;
    (void)fcntl(out->fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

/* Not of POSIX, but of no system's header either: Linux has it, and some others. */
int os_file_share(struct os_file *f, char *path, size_t cap) {
    const int high = fcntl(f->fd, F_DUPFD_CLOEXEC, SHARED_FD);
    if (high >= 0) {
        close(f->fd);
        f->fd = high;
    }
    if (snprintf(path, cap, "/proc/%ld/fd/%d", (long)getpid(), f->fd) >= (int)cap)
        return ENAMETOOLONG;
    return access(path, F_OK) == 0 ? 0 : ENOSYS;
}

int os_file_close(struct os_file *f) {
    const int fd = f->fd;
    f->fd = -1;
    return fd < 0 ? 0 : done(close(fd));
}

int os_file_info(struct os_file f, struct os_info *out) {
    struct stat st;
    return os_stat_result(fstat(f.fd, &st), &st, out);
}

int os_path_info(const char *path, bool follow, struct os_info *out) {
    struct stat st;
    return os_stat_result(follow ? stat(path, &st) : lstat(path, &st), &st, out);
}

int os_path_remove(const char *path) {
    return done(unlink(path));
}

int os_path_may_write(const char *path) {
    return done(access(path, W_OK));
}

int os_file_read(struct os_file f, void *out, size_t cap, size_t *len) {
    for (*len = 0; *len < cap;) {
        const ssize_t n = read(f.fd, (char *)out + *len, cap - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : 0;
        *len += (size_t)n;
    }
    return 0;
}

int os_file_write(struct os_file f, const void *bytes, size_t len) {
    for (size_t at = 0; at < len;) {
        const ssize_t n = write(f.fd, (const char *)bytes + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        at += (size_t)n;
    }
    return 0;
}

/* ---- pieces ---- */

static size_t take_pieces(struct iovec iov[static OS_PIECES_MAX], const struct os_piece *pieces,
                          unsigned count) {
    size_t total = 0;
    assert(count <= OS_PIECES_MAX);
    for (unsigned i = 0; i < count; i++) {
        iov[i] = (struct iovec){pieces[i].bytes, pieces[i].len};
        total += pieces[i].len;
    }
    return total;
}

/* Moves iov over n bytes; returns the index of the first one with something left. */
static unsigned advance(struct iovec *iov, unsigned i, unsigned count, size_t n) {
    while (i < count && n >= iov[i].iov_len)
        n -= iov[i++].iov_len;
    if (i < count) {
        iov[i].iov_base = (char *)iov[i].iov_base + n;
        iov[i].iov_len -= n;
    }
    return i;
}

int os_file_read_at(struct os_file f, const struct os_piece *pieces, unsigned count,
                    uint64_t offset, size_t *got) {
    struct iovec iov[OS_PIECES_MAX];
    (void)take_pieces(iov, pieces, count);
    unsigned i = advance(iov, 0, count, 0);
    *got = 0;
    while (i < count) {
        const ssize_t n = preadv(f.fd, iov + i, (int)(count - i), (off_t)(offset + *got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : 0;
        *got += (size_t)n;
        i = advance(iov, i, count, (size_t)n);
    }
    return 0;
}

int os_file_write_at(struct os_file f, const struct os_piece *pieces, unsigned count,
                     uint64_t offset) {
    struct iovec iov[OS_PIECES_MAX];
    const size_t total = take_pieces(iov, pieces, count);
    size_t put = 0;
    unsigned i = advance(iov, 0, count, 0);
    while (put < total) {
        const ssize_t n = pwritev(f.fd, iov + i, (int)(count - i), (off_t)(offset + put));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        put += (size_t)n;
        i = advance(iov, i, count, (size_t)n);
    }
    return 0;
}

int os_file_put_at(struct os_file f, const void *bytes, size_t len, uint64_t offset, size_t *put) {
    ssize_t n;
    do
        n = pwrite(f.fd, bytes, len, (off_t)offset);
    while (n < 0 && errno == EINTR);
    *put = n > 0 ? (size_t)n : 0;
    return n > 0 ? 0 : n < 0 ? errno : EIO;
}

bool os_file_has_byte(struct os_file f, uint64_t offset) {
    char byte;
    return pread(f.fd, &byte, 1, (off_t)offset) > 0;
}

/* ---- what it is ---- */

int os_file_set_size(struct os_file f, uint64_t bytes) {
    return done(ftruncate(f.fd, (off_t)bytes));
}

int os_file_set_mode(struct os_file f, unsigned mode) {
    return done(fchmod(f.fd, (mode_t)mode));
}

int os_file_set_mtime(struct os_file f, int64_t s, uint32_t ns) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = (time_t)s, .tv_nsec = (long)ns}};
    return done(futimens(f.fd, times));
}

int os_file_lock(struct os_file f) {
    return done(flock(f.fd, LOCK_EX | LOCK_NB));
}

int os_file_sync(struct os_file f) {
    return done(fsync(f.fd));
}

/* macOS's fsync leaves the bytes in the drive's cache. */
int os_file_sync_drive(struct os_file f) {
#ifdef F_FULLFSYNC
    if (fcntl(f.fd, F_FULLFSYNC) == 0)
        return 0;
#endif
    return os_file_sync(f);
}

void os_file_will_read(struct os_file f) {
#ifdef POSIX_FADV_SEQUENTIAL
    (void)posix_fadvise(f.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#else
    (void)f;
#endif
}

void os_file_will_not_read(struct os_file f) {
#ifdef POSIX_FADV_DONTNEED
    (void)posix_fadvise(f.fd, 0, 0, POSIX_FADV_DONTNEED);
#else
    (void)f;
#endif
}
