#include "node/daemon/disk/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/api/xdg.h"
#include "node/daemon/os/trouble.h"

static const char file_name[] = "identity", temp_name[] = "identity.new";

/* An errno, or 0. */
static int write_all(int fd, const char *text, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* The temporary's rename makes it whole or absent after a crash. The state directory's lock is
 * held. 0, or an errno. */
static int create(struct identity *out, int dir_fd, const struct rng *rng) {
    char text[IDENTITY_FILE_MAX];
    identity_generate(out, rng);
    int err = identity_encode(out, text, sizeof text) == 0 ? 0 : EOVERFLOW;
    if (err)
        goto out;
    (void)unlinkat(dir_fd, temp_name, 0); /* of a run that was killed */
    int fd = openat(dir_fd, temp_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        err = errno;
        goto out;
    }
    err = write_all(fd, text, strlen(text));
    if (close(fd) != 0 && !err)
        err = errno;
    if (!err && (renameat(dir_fd, temp_name, dir_fd, file_name) != 0 || fsync(dir_fd) != 0))
        err = errno;
    if (err)
        (void)unlinkat(dir_fd, temp_name, 0);
out:
    sodium_memzero(text, sizeof text);
    if (err)
        identity_clear(out);
    return err;
}

/* ---- reading ---- */

/* An errno, or 0. */
static int read_text(int fd, char *text, size_t cap, size_t *len) {
    for (*len = 0; *len < cap;) {
        ssize_t n = read(fd, text + *len, cap - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : 0;
        *len += (size_t)n;
    }
    return 0;
}

static const char way_out[] =
    "put a copy of it back; without one this node is lost to its contacts, and to begin anew as "
    "another node, whom they do not know, move it and meshd.db* away";

static int read_file(struct identity *out, int fd, const char *path, const struct log *log) {
    char text[IDENTITY_FILE_MAX + 1];
    size_t len;
    int err = read_text(fd, text, sizeof text, &len), r = 0;
    if (err)
        r = trouble_put(log, "read", path, err, NULL);
    else if (len == 0)
        log_put(log, LOG_ERROR, "%s is empty; %s", path, way_out);
    else if (len > IDENTITY_FILE_MAX)
        log_put(log, LOG_ERROR, "%s is too large for an identity (%d bytes at most); %s", path,
                IDENTITY_FILE_MAX, way_out);
    else if (identity_decode(out, text, len) == 0)
        goto out;
    else
        log_put(log, LOG_ERROR, "%s is damaged, or of a newer meshd; %s", path, way_out);
    r = r ? r : ERR_FORMAT;
out:
    sodium_memzero(text, sizeof text);
    return r;
}

/* ---- the first start ---- */

/* A database without the identity it belongs to: a new one would be a stranger to all its contacts. */
static int check_first(const struct statedir *s, const char *state_dir, const char *path,
                       const struct log *log) {
    struct stat st;
    if (fstatat(s->dir_fd, "meshd.db", &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_size == 0)
        return 0;
    char full[PATH_TEXT_MAX], dir[TROUBLE_WORD_MAX], old[TROUBLE_WORD_MAX];
    trouble_word(dir, state_dir);
    snprintf(full, sizeof full, "%s/old", state_dir);
    trouble_word(old, full);
    log_put(log, LOG_ERROR,
            "%s is missing, and meshd.db beside it has the contacts and messages of that identity; "
            "put a copy of it back, or begin anew as another node, whom they do not know, with: "
            "mkdir %s && mv %s/meshd.db* %s",
            path, old, dir, old);
    return ERR_NOT_FOUND;
}

static int make_first(struct identity *out, const struct statedir *s, const char *path,
                      const struct rng *rng, const struct log *log) {
    int err = create(out, s->dir_fd, rng);
    if (err)
        return trouble_put(log, "make the identity", path, err, "--state");
    log_put(log, LOG_INFO, "made a new identity: %s; keep a copy of it, it is this node", path);
    return 0;
}

int keyfile_load(struct identity *out, const struct statedir *s, const char *state_dir,
                 const struct rng *rng, const struct log *log) {
    char path[PATH_TEXT_MAX];
    struct stat st;
    if (paths_join(path, sizeof path, state_dir, file_name) != 0)
        return trouble_put(log, "use", state_dir, ENAMETOOLONG, "--state");
    /* A link is told from a file before it is opened: the kernel's word for it is a puzzle. */
    bool there = fstatat(s->dir_fd, file_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there && errno == ENOENT) {
        int r = check_first(s, state_dir, path, log);
        return r ? r : make_first(out, s, path, rng, log);
    }
    int r = there ? statedir_check_secret(&st, state_dir, file_name, log)
                  : trouble_put(log, "look at", path, errno, NULL);
    if (r != 0)
        return r;
    int fd = openat(s->dir_fd, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return trouble_put(log, "read", path, errno, NULL);
    /* Of what was opened, in case it is another one now. */
    r = fstat(fd, &st) == 0 ? statedir_check_secret(&st, state_dir, file_name, log)
                            : trouble_put(log, "look at", path, errno, NULL);
    if (r == 0)
        r = read_file(out, fd, path, log);
    close(fd);
    return r;
}
