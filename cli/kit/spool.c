#include "cli/kit/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit/meter.h"
#include "cli/screen/line.h"
#include "net/os/dir.h"
#include "net/os/interrupt.h"

enum { SPOOL_BUFFER = 256 * 1024 };
#define SPOOL_SAY_US UINT64_C(500000)

/* A file without a name in this directory; 0 or an errno. */
static int unnamed(const char *dir, struct os_file *out) {
    char path[PATH_TEXT_MAX];
    struct os_dir d;
    int err = os_dir_open(&d, dir);
    if (err == 0) {
        err = os_dir_unnamed(d, out);
        os_dir_close(&d);
        if (err == 0)
            return 0;
    }
    if (snprintf(path, sizeof path, "%s/meshctl-XXXXXX", dir) >= (int)sizeof path)
        return ENAMETOOLONG;
    err = os_file_temporary(out, path);
    if (err == 0 && (err = os_path_remove(path)) != 0)
        (void)os_file_close(out);
    return err;
}

static int open_spool(struct app *a, struct os_file *out, const char **dir) {
    const char *given = getenv("TMPDIR");
    const char *const dirs[] = {given && given[0] ? given : "/var/tmp", "/tmp"};
    int err = ENOENT;
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs && err != 0; i++) {
        *dir = dirs[i];
        err = unnamed(dirs[i], out);
    }
    return err ? app_fail(a, ERR_IO, "cannot make a temporary file in %s: %s; set TMPDIR", *dir,
                          strerror(err))
               : 0;
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

static int copy(struct app *a, struct os_file f, const char *dir, uint64_t *bytes) {
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
        err = os_file_write(f, buf, n);
        if (err)
            return copy_failed(a, err, true, dir);
        *bytes += n;
    }
}

int spool_stdin(struct app *a, char path[static SPOOL_PATH_MAX], uint64_t *bytes) {
    const char *dir = "";
    struct os_file f = OS_FILE_NONE;
    int code = open_spool(a, &f, &dir);
    if (code)
        return code;
    const int err = os_file_share(&f, path, SPOOL_PATH_MAX);
    if (err)
        code = app_fail(a, ERR_IO,
                        "this system does not let meshd read a file without a name (%s); write "
                        "standard input to a file, and send that",
                        strerror(err));
    if (code == 0) {
        code = copy(a, f, dir, bytes);
        line_clear();
    }
    if (code)
        (void)os_file_close(&f);
    return code; /* it stays open: it is what holds the file */
}
