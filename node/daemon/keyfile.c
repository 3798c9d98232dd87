#include "node/daemon/keyfile.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/daemon/oserr.h"

static const char file_name[] = "identity", temp_name[] = "identity.new";

static int write_all(int fd, const char *text, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* The temporary's rename makes it whole or absent after a crash. The state directory's lock is
 * held. */
static int create(struct identity *out, int dir_fd, const struct rng *rng) {
    char text[IDENTITY_FILE_MAX];
    identity_generate(out, rng);
    int r = identity_encode(out, text, sizeof text);
    if (r != 0)
        goto out;
    (void)unlinkat(dir_fd, temp_name, 0); /* of a run that was killed */
    int fd = openat(dir_fd, temp_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        r = oserr(errno);
        goto out;
    }
    bool bad = write_all(fd, text, strlen(text)) != 0;
    r = bad ? oserr(errno) : 0;
    if (close(fd) != 0 && r == 0)
        r = oserr(errno);
    if (r == 0 && (renameat(dir_fd, temp_name, dir_fd, file_name) != 0 || fsync(dir_fd) != 0))
        r = oserr(errno);
    if (r != 0)
        (void)unlinkat(dir_fd, temp_name, 0);
out:
    sodium_memzero(text, sizeof text);
    if (r != 0)
        identity_clear(out);
    return r;
}

static int check_file(int fd, const char *state_dir, const struct log *log) {
    struct stat st;
    return fstat(fd, &st) == 0 ? statedir_check_secret(&st, state_dir, file_name, log)
                               : oserr(errno);
}

static int read_file(struct identity *out, int fd) {
    char text[IDENTITY_FILE_MAX + 1];
    size_t len = 0;
    int r = 0;
    while (len < sizeof text) {
        ssize_t n = read(fd, text + len, sizeof text - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = oserr(errno);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    if (r == 0)
        r = len > IDENTITY_FILE_MAX ? ERR_FORMAT : identity_decode(out, text, len);
    sodium_memzero(text, sizeof text);
    return r;
}

int keyfile_load(struct identity *out, const struct statedir *s, const char *state_dir,
                 const struct rng *rng, const struct log *log) {
    int r;
    int fd = openat(s->dir_fd, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        r = create(out, s->dir_fd, rng);
        if (r == 0)
            log_put(log, LOG_INFO, "made a new identity: %s/%s", state_dir, file_name);
    } else if (fd < 0) {
        r = oserr(errno);
    } else {
        r = check_file(fd, state_dir, log);
        if (r != 0) {
            close(fd);
            return r;
        }
        r = read_file(out, fd);
        close(fd);
    }
    if (r != 0)
        log_put(log, LOG_ERROR, "%s/%s: %s", state_dir, file_name, err_text(r));
    return r;
}
