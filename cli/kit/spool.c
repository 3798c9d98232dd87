#include "cli/kit/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/kit/meter.h"
#include "cli/screen/line.h"
#include "net/os/interrupt.h"

enum {
    SPOOL_BUFFER = 256 * 1024,
    /* Descriptors from here on are rare: a meshd that sees other processes under our number, in a
     * container of its own, finds nothing there rather than something else. */
    SPOOL_FD = 700,
};
#define SPOOL_SAY_US UINT64_C(500000)

/* A file without a name in this directory, or -1 with errno. */
static int unnamed(const char *dir) {
    char path[PATH_TEXT_MAX];
#ifdef O_TMPFILE
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
#endif
    if (snprintf(path, sizeof path, "%s/meshctl-XXXXXX", dir) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int named = mkostemp(path, O_CLOEXEC);
    if (named >= 0)
        unlink(path);
    return named;
}

static int open_spool(struct app *a, const char **dir) {
    const char *given = getenv("TMPDIR");
    const char *const dirs[] = {given && given[0] ? given : "/var/tmp", "/tmp"};
    int fd = -1;
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs && fd < 0; i++) {
        *dir = dirs[i];
        fd = unnamed(dirs[i]);
    }
    if (fd < 0)
        return -app_fail(a, ERR_IO, "cannot make a temporary file in %s: %s; set TMPDIR", *dir,
                         strerror(errno));
    int high = fcntl(fd, F_DUPFD_CLOEXEC, SPOOL_FD);
    if (high >= 0)
        close(fd);
    return high >= 0 ? high : fd;
}

static int write_all(int fd, const char *buf, size_t len) {
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, buf + at, len - at);
        if (n < 0 && errno == EINTR && !interrupt_seen())
            continue;
        if (n < 0)
            return errno;
        at += (size_t)n;
    }
    return 0;
}

static int copy_failed(struct app *a, int err, bool writing, const char *dir) {
    if (err == EINTR)
        return app_broken(a, ERR_CANCELLED);
    if (!writing)
        return app_fail(a, ERR_IO, "reading standard input failed: %s; check where it comes from",
                        strerror(err));
    if (err == ENOSPC || err == EDQUOT || err == EFBIG)
        return app_fail(a, ERR_DISK,
                        "there is no room in %s for a copy of standard input (%s); name a "
                        "directory with more room by TMPDIR",
                        dir, strerror(err));
    return app_fail(a, ERR_IO, "writing a copy of standard input to %s failed: %s", dir,
                    strerror(err));
}

static int copy(struct app *a, int fd, const char *dir, uint64_t *bytes) {
    static char buf[SPOOL_BUFFER];
    uint64_t said_us = 0;
    for (*bytes = 0;;) {
        uint64_t now_us = clock_now_us();
        if (now_us >= said_us + SPOOL_SAY_US) {
            char size[PRINT_NUMBER_MAX];
            print_size(size, *bytes);
            meter_say("reading standard input to its end: %s", size);
            said_us = now_us;
        }
        size_t n;
        int err = interrupt_read_stdin(buf, sizeof buf, &n);
        if (err)
            return copy_failed(a, err, false, dir);
        if (n == 0)
            return 0;
        err = write_all(fd, buf, n);
        if (err)
            return copy_failed(a, err, true, dir);
        *bytes += n;
    }
}

int spool_stdin(struct app *a, char path[static SPOOL_PATH_MAX], uint64_t *bytes) {
    const char *dir = "";
    int fd = open_spool(a, &dir);
    if (fd < 0)
        return -fd;
    int code = copy(a, fd, dir, bytes);
    line_clear();
    if (code) {
        close(fd);
        return code;
    }
    snprintf(path, SPOOL_PATH_MAX, "/proc/%ld/fd/%d", (long)getpid(), fd);
    return 0; /* it stays open: it is what holds the file */
}
