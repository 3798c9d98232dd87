#include "node/daemon/disk/statedir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/os/oserr.h"
#include "net/os/process.h"
#include "node/api/xdg.h"
#include "node/daemon/os/trouble.h"

/* What was made in this directory has its name on the disk. A file system that has no such thing
 * says EINVAL; a directory in which we may make things but may not read cannot be synced. */
static int sync_dir(const char *path) {
    struct os_dir d;
    int err = os_dir_open(&d, path);
    if (err)
        return err == EACCES ? 0 : err;
    err = os_dir_sync(d);
    os_dir_close(&d);
    return err == EINVAL ? 0 : err;
}

/* Makes one directory, whose parents are there, so that it survives a power cut. 0, or an errno. */
static int make_one(const char *path) {
    char parent[PATH_TEXT_MAX];
    struct os_info info;
    const int err = os_dir_make(path, 0700);
    if (err == 0)
        return paths_parent(parent, sizeof parent, path) == 0 ? sync_dir(parent) : 0;
    if (os_path_info(path, true, &info) == 0 && info.kind == OS_DIRECTORY)
        return 0;
    return err == EEXIST ? ENOTDIR : err;
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
        errno = make_one(part);
        if (errno)
            return oserr(errno);
        part[i] = end;
    }
    return 0;
}

static const char *kind_text(enum os_kind k) {
    return k == OS_DIRECTORY ? "a directory" : k == OS_LINK ? "a symbolic link" : "no regular file";
}

int statedir_check_secret(const struct os_info *info, const char *dir, const char *name,
                          const struct log *log) {
    char full[PATH_TEXT_MAX], quoted[TROUBLE_WORD_MAX];
    trouble_word(quoted, paths_join(full, sizeof full, dir, name) == 0 ? full : name);
    if (info->kind != OS_REGULAR) {
        log_put(log, LOG_ERROR, "%s/%s is %s; put the file itself there, or move that away", dir,
                name, kind_text(info->kind));
        return ERR_PERM;
    }
    if (info->owner != process_user()) {
        log_put(
            log, LOG_ERROR,
            "%s/%s belongs to another user (uid %lu), and meshd runs as uid %lu; run it as that "
            "user, or mend it with: chown %lu %s",
            dir, name, (unsigned long)info->owner, (unsigned long)process_user(),
            (unsigned long)process_user(), quoted);
        return ERR_PERM;
    }
    if (info->mode & 077) {
        log_put(log, LOG_ERROR,
                "others can reach the secrets in %s/%s (mode %03o); mend it with: "
                "chmod 600 %s",
                dir, name, info->mode & 0777U, quoted);
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
    struct os_info info;
    char quoted[TROUBLE_WORD_MAX];
    trouble_word(quoted, path);
    const int err = os_dir_info(s->dir, &info);
    if (err)
        return trouble_put(log, "look at", path, err, "--state");
    if (info.owner != process_user()) {
        log_put(log, LOG_ERROR,
                "%s belongs to another user (uid %lu), and meshd runs as uid %lu; run it as that "
                "user, or choose another place with --state",
                path, (unsigned long)info.owner, (unsigned long)process_user());
        return ERR_PERM;
    }
    if (info.mode & 077) {
        log_put(log, LOG_ERROR,
                "others can reach %s, where secrets are kept (mode %03o); mend it with: "
                "chmod 700 %s",
                path, info.mode & 0777U, quoted);
        return ERR_PERM;
    }
    return 0;
}

/* The database, with what SQLite keeps beside it: pairing secrets are in all of them. */
static int check_secrets(const struct statedir *s, const char *path, const struct log *log) {
    static const char *const names[] = {"meshd.db", "meshd.db-wal", "meshd.db-shm",
                                        "meshd.db-journal"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct os_info info;
        const int err = os_dir_look(s->dir, names[i], &info);
        if (err == ENOENT)
            continue;
        if (err)
            return file_trouble(log, "look at", path, names[i], err);
        int r = statedir_check_secret(&info, path, names[i], log);
        if (r != 0)
            return r;
    }
    return 0;
}

/* The holder's process id is in the file, for the message only: the lock itself is the kernel's. */
static int take_lock(struct statedir *s, const char *path, const struct log *log) {
    char pid[32] = "";
    struct os_piece piece = {pid, sizeof pid - 1};
    size_t n;
    int err = os_dir_file(s->dir, "lock", OS_READ | OS_WRITE | OS_CREATE | OS_NOFOLLOW, &s->lock);
    if (err)
        return file_trouble(log, "lock", path, "lock",
                            err == EISDIR || err == ENXIO ? EEXIST : err);
    err = os_file_lock(s->lock);
    if (err && err != EWOULDBLOCK)
        return file_trouble(log, "lock", path, "lock", err);
    if (err) {
        if (os_file_read_at(s->lock, &piece, 1, 0, &n) != 0)
            n = 0;
        pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        log_put(
            log, LOG_ERROR,
            "another meshd%s%s is already running on %s; use that one, end it, or give this one "
            "another directory with --state",
            pid[0] ? ", process " : "", pid, path);
        return ERR_EXISTS;
    }
    piece.len = (size_t)snprintf(pid, sizeof pid, "%lu\n", process_id());
    err = os_file_set_size(s->lock, 0);
    if (!err)
        err = os_file_write_at(s->lock, &piece, 1, 0);
    if (err)
        log_put(log, LOG_DEBUG, "%s/lock: %s", path, strerror(err));
    return 0;
}

int statedir_open(struct statedir *s, const char *path, const struct log *log) {
    s->dir = OS_DIR_NONE;
    s->lock = OS_FILE_NONE;
    if (statedir_make(path) != 0)
        return trouble_put(log, "make the state directory", path, errno, "--state");
    const int err = os_dir_open(&s->dir, path);
    if (err)
        return trouble_put(log, "open the state directory", path, err, "--state");
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
    (void)os_file_close(&s->lock); /* gives the lock back */
    os_dir_close(&s->dir);
}
