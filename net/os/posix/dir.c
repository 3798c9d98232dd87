/* dir.c: POSIX's directories. What Linux alone has of them: linux/file_more.c. */
#include "net/os/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "net/os/posix/posix.h"

static int done(int r) {
    return r == 0 ? 0 : errno;
}

int os_dir_open(struct os_dir *out, const char *path) {
    out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return out->fd >= 0 ? 0 : errno;
}

int os_dir_open_in(struct os_dir *out, struct os_dir parent, const char *name) {
    out->fd = openat(parent.fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return out->fd >= 0 ? 0 : errno;
}

void os_dir_close(struct os_dir *d) {
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

int os_dir_make(const char *path, unsigned mode) {
    return done(mkdir(path, (mode_t)mode));
}

int os_dir_make_in(struct os_dir parent, const char *name) {
    return done(mkdirat(parent.fd, name, 0700));
}

int os_dir_info(struct os_dir d, struct os_info *out) {
    struct stat st;
    return os_stat_result(fstat(d.fd, &st), &st, out);
}

int os_dir_sync(struct os_dir d) {
    return done(fsync(d.fd));
}

int os_dir_may_write(const char *path) {
    return done(access(path, W_OK | X_OK));
}

uint64_t os_dir_free_bytes(const char *path) {
    struct statvfs vfs;
    if (statvfs(path, &vfs) != 0)
        return 0;
    const uint64_t unit = vfs.f_frsize > 0 ? vfs.f_frsize : vfs.f_bsize;
    return unit > 0 && vfs.f_bavail > UINT64_MAX / unit ? UINT64_MAX : vfs.f_bavail * unit;
}

int os_dir_real_path(const char *path, char *out, size_t cap) {
    char *real = realpath(path, NULL);
    if (!real)
        return errno;
    const size_t len = strlen(real);
    if (len < cap)
        memcpy(out, real, len + 1);
    free(real);
    return len < cap ? 0 : ENAMETOOLONG;
}

/* ---- names in it ---- */

int os_dir_look(struct os_dir d, const char *name, struct os_info *out) {
    struct stat st;
    return os_stat_result(fstatat(d.fd, name, &st, AT_SYMLINK_NOFOLLOW), &st, out);
}

int os_dir_file(struct os_dir d, const char *name, unsigned how, struct os_file *out) {
    out->fd = openat(d.fd, name, os_flags(how), 0600);
    return out->fd >= 0 ? 0 : errno;
}

int os_dir_remove(struct os_dir d, const char *name) {
    return done(unlinkat(d.fd, name, 0));
}

int os_dir_rename(struct os_dir d, const char *from, const char *to) {
    return done(renameat(d.fd, from, d.fd, to));
}

int os_dir_link(struct os_dir d, const char *from, const char *to) {
    return done(linkat(d.fd, from, d.fd, to, 0));
}

int os_dir_note(struct os_dir d, const char *name, const char *text) {
    return done(symlinkat(text, d.fd, name));
}

int os_dir_read_note(struct os_dir d, const char *name, char *out, size_t cap) {
    const ssize_t n = readlinkat(d.fd, name, out, cap - 1);
    if (n < 0)
        return errno;
    out[n] = '\0';
    return 0;
}

int os_dir_each(struct os_dir d, void (*each)(void *ctx, const char *name), void *ctx) {
    const int fd = openat(d.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list) {
        const int err = errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    for (const struct dirent *e; (e = readdir(list));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            each(ctx, e->d_name);
    closedir(list);
    return 0;
}
