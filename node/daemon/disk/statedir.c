#include "node/daemon/disk/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/os/oserr.h"
#include "node/api/xdg.h"
#include "node/daemon/os/trouble.h"

/* What was made in this directory has its name on the disk. A file system that has no such thing says
 * EINVAL; a directory in which we may make things but may not read cannot be synced. */
static int sync_dir(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : oserr(errno);
    const int err = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    close(fd);
    errno = err;
    return err ? oserr(err) : 0;
}

/* Makes one directory, whose parents are there, so that it survives a power cut. */
static int make_one(const char *path) {
    char parent[PATH_TEXT_MAX];
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return paths_parent(parent, sizeof parent, path) == 0 ? sync_dir(parent) : 0;
    int err = errno;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    errno = err == EEXIST ? ENOTDIR : err;
    return oserr(errno);
}

int statedir_make(const char *path) {
    char part[PATH_TEXT_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part) {
        errno = ENAMETOOLONG;
        return ERR_IO;
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char end = part[i];
        part[i] = '\0';
        int err = make_one(part);
        if (err)
            return err;
        part[i] = end;
    }
    return 0;
}

static const char *kind(mode_t mode) {
    return S_ISDIR(mode) ? "a directory" : S_ISLNK(mode) ? "a symbolic link" : "no regular file";
}

int statedir_check_secret(const struct stat *st, const char *dir, const char *name,
                          const struct log *log) {
    char full[PATH_TEXT_MAX], quoted[TROUBLE_WORD_MAX];
    trouble_word(quoted, paths_join(full, sizeof full, dir, name) == 0 ? full : name);
    if (!S_ISREG(st->st_mode)) {
        log_put(log, LOG_ERROR, "%s/%s is %s; put the file itself there, or move that away", dir,
                name, kind(st->st_mode));
        return ERR_PERM;
    }
    if (st->st_uid != geteuid()) {
        log_put(
            log, LOG_ERROR,
            "%s/%s belongs to another user (uid %lu), and meshd runs as uid %lu; run it as that "
            "user, or mend it with: chown %lu %s",
            dir, name, (unsigned long)st->st_uid, (unsigned long)geteuid(),
            (unsigned long)geteuid(), quoted);
        return ERR_PERM;
    }
    if (st->st_mode & (S_IRWXG | S_IRWXO)) {
        log_put(log, LOG_ERROR,
                "others can reach the secrets in %s/%s (mode %03o); mend it with: "
                "chmod 600 %s",
                dir, name, (unsigned)st->st_mode & 0777U, quoted);
        return ERR_PERM;
    }
    return 0;
}

static int file_trouble(const struct log *log, const char *doing, const char *dir, const char *name,
                        int err) {
    char full[PATH_TEXT_MAX];
    if (paths_join(full, sizeof full, dir, name) != 0)
        return trouble_put(log, doing, dir, ENAMETOOLONG, NULL);
    return trouble_put(log, doing, full, err, "--state");
}

static int check_owner(const struct statedir *s, const char *path, const struct log *log) {
    struct stat st;
    char quoted[TROUBLE_WORD_MAX];
    trouble_word(quoted, path);
    if (fstat(s->dir_fd, &st) != 0)
        return trouble_put(log, "look at", path, errno, "--state");
    if (st.st_uid != geteuid()) {
        log_put(log, LOG_ERROR,
                "%s belongs to another user (uid %lu), and meshd runs as uid %lu; run it as that "
                "user, or choose another place with --state",
                path, (unsigned long)st.st_uid, (unsigned long)geteuid());
        return ERR_PERM;
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        log_put(log, LOG_ERROR,
                "others can reach %s, where secrets are kept (mode %03o); mend it with: "
                "chmod 700 %s",
                path, (unsigned)st.st_mode & 0777U, quoted);
        return ERR_PERM;
    }
    return 0;
}

/* The database, with what SQLite keeps beside it: pairing secrets are in all of them. */
static int check_secrets(const struct statedir *s, const char *path, const struct log *log) {
    static const char *const names[] = {"meshd.db", "meshd.db-wal", "meshd.db-shm",
                                        "meshd.db-journal"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat st;
        if (fstatat(s->dir_fd, names[i], &st, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT)
                continue;
            return file_trouble(log, "look at", path, names[i], errno);
        }
        int r = statedir_check_secret(&st, path, names[i], log);
        if (r != 0)
            return r;
    }
    return 0;
}

/* The holder's process id is in the file, for the message only: the lock itself is the kernel's. */
static int take_lock(struct statedir *s, const char *path, const struct log *log) {
    char pid[32] = "";
    s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0) {
        const int err = errno == EISDIR || errno == ENXIO ? EEXIST : errno;
        return file_trouble(log, "lock", path, "lock", err);
    }
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return file_trouble(log, "lock", path, "lock", errno);
        ssize_t n = pread(s->lock_fd, pid, sizeof pid - 1, 0);
        pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        log_put(
            log, LOG_ERROR,
            "another meshd%s%s is already running on %s; use that one, end it, or give this one "
            "another directory with --state",
            pid[0] ? ", process " : "", pid, path);
        return ERR_EXISTS;
    }
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, pid, (size_t)n, 0) != n)
        log_put(log, LOG_DEBUG, "%s/lock: %s", path, strerror(errno));
    return 0;
}

int statedir_open(struct statedir *s, const char *path, const struct log *log) {
    s->dir_fd = s->lock_fd = -1;
    if (statedir_make(path) != 0)
        return trouble_put(log, "make the state directory", path, errno, "--state");
    s->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd < 0)
        return trouble_put(log, "open the state directory", path, errno, "--state");
    int r = check_owner(s, path, log);
    if (r == 0)
        r = take_lock(s, path, log);
    if (r == 0)
        r = check_secrets(s, path, log);
    if (r != 0)
        statedir_close(s);
    return r;
}

void statedir_close(struct statedir *s) {
    if (s->lock_fd >= 0)
        close(s->lock_fd); /* gives the lock back */
    if (s->dir_fd >= 0)
        close(s->dir_fd);
    s->dir_fd = s->lock_fd = -1;
}
