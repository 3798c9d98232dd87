/* A new identity: it is on the disk before it has its name, and its name is before anybody hears of
 * it. Whoever has learned the node id would otherwise know a node that a power cut takes away for
 * good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/daemon/disk/keyfile.h"

/* ---- a kernel that is told what to do ---- */

static struct script {
    /* in order: 's' a file was synced, 'n' it got its name, 'd' the directory was synced */
    char done[16];
    unsigned count;
    char fails; /* which of them */
} script;

static int did(char what) {
    assert_true(script.count < sizeof script.done - 1);
    script.done[script.count++] = what;
    if (what != script.fails)
        return 0;
    errno = EIO;
    return -1;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return did(S_ISDIR(st.st_mode) ? 'd' : 's');
}
int __real_renameat(int from, const char *path, int to, const char *name);
int __wrap_renameat(int from, const char *path, int to, const char *name);
int __wrap_renameat(int from, const char *path, int to, const char *name) {
    return did('n') == 0 ? __real_renameat(from, path, to, name) : -1;
}

static void bytes(void *ctx, void *out, size_t n) {
    (void)ctx;
    memset(out, 7, n);
}
static const struct rng rng = {.fill = bytes};

/* ---- a state directory ---- */

struct place {
    char dir[64], file[96];
    struct statedir s;
    struct log log;
};

static void open_place(struct place *p) {
    *p = (struct place){.dir = "/tmp/meshd-keyfile-XXXXXX", .log = {LOG_ERROR}};
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->file, sizeof p->file, "%s/identity", p->dir);
    p->s = (struct statedir){.dir = {open(p->dir, O_RDONLY | O_DIRECTORY)}, .lock = OS_FILE_NONE};
    assert_true(p->s.dir.fd >= 0);
}

static void close_place(struct place *p) {
    statedir_close(&p->s);
    (void)unlink(p->file);
    assert_int_equal(rmdir(p->dir), 0); /* so nothing else is left in it */
}

static int load(struct place *p, struct identity *out, char fails) {
    script = (struct script){.fails = fails};
    const int keep = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    const int err = keyfile_load(out, &p->s, p->dir, &rng, &p->log);
    dup2(keep, STDERR_FILENO);
    close(keep);
    close(null);
    return err;
}

static void an_identity_is_safe_before_it_is_used(void **state) {
    (void)state;
    struct place p;
    struct identity made, read;
    struct stat st;
    open_place(&p);
    assert_int_equal(load(&p, &made, 0), 0);
    assert_string_equal(script.done, "snd");
    assert_int_equal(stat(p.file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(load(&p, &read, 0), 0);
    assert_string_equal(script.done, "");
    assert_true(node_id_equal(&made.id, &read.id));
    close_place(&p);
}

/* Where any of the three fails nobody gets one, and what was begun is gone. */
static void one_that_is_not_safe_is_none(void **state) {
    (void)state;
    static const char steps[] = "snd";
    for (unsigned i = 0; i < 3; i++) {
        struct place p;
        struct identity made;
        static const struct identity none;
        open_place(&p);
        assert_int_equal(load(&p, &made, steps[i]), ERR_IO);
        assert_int_equal(script.count, i + 1);
        assert_memory_equal(&made, &none, sizeof made);
        assert_int_equal(access(p.file, F_OK), steps[i] == 'd' ? 0 : -1);
        close_place(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_is_safe_before_it_is_used),
        cmocka_unit_test(one_that_is_not_safe_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
