/* The state directory and the files with secrets in it: who else can reach them is told, with the
 * remedy, and nothing is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/daemon/disk/keyfile.h"
#include "node/daemon/disk/statedir.h"

static const struct log quiet = {LOG_ERROR};

struct place {
    char top[64], dir[96], said[8192];
};

static struct place place_new(void) {
    struct place p = {.top = "/tmp/meshd-statedir-XXXXXX"};
    assert_non_null(mkdtemp(p.top));
    snprintf(p.dir, sizeof p.dir, "%s/state", p.top);
    return p;
}

static void place_free(const struct place *p) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", p->top);
    assert_int_equal(system(command), 0);
}

/* A file of this mode in the directory, which is made if it is not there. */
static void put(const struct place *p, const char *name, mode_t mode) {
    char path[160];
    if (mkdir(p->dir, 0700) != 0)
        assert_int_equal(access(p->dir, F_OK), 0);
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* Opens and closes the directory; p->said is what the log said meanwhile. */
static int try_open(struct place *p) {
    struct statedir s;
    char path[96];
    snprintf(path, sizeof path, "%s/log", p->top);
    int log = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600), old = dup(STDERR_FILENO);
    dup2(log, STDERR_FILENO);
    int r = statedir_open(&s, p->dir, &quiet);
    dup2(old, STDERR_FILENO);
    close(old);
    ssize_t n = pread(log, p->said, sizeof p->said - 1, 0);
    p->said[n > 0 ? n : 0] = '\0';
    close(log);
    if (r == 0)
        statedir_close(&s);
    return r;
}

static void a_missing_directory_is_made_for_its_owner_only(void **state) {
    (void)state;
    struct place p = place_new();
    struct stat st;
    mode_t old = umask(0);
    assert_int_equal(try_open(&p), 0);
    umask(old);
    assert_int_equal(stat(p.dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(try_open(&p), 0); /* and again */
    place_free(&p);
}

static void a_directory_that_others_can_reach_is_refused(void **state) {
    (void)state;
    static const mode_t modes[] = {0755, 0750, 0711, 0701, 0704, 0740, 0770, 0777, 01777, 0702};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct place p = place_new();
        assert_int_equal(mkdir(p.dir, 0700), 0);
        assert_int_equal(chmod(p.dir, modes[i]), 0);
        assert_int_equal(try_open(&p), ERR_PERM);
        assert_non_null(strstr(p.said, "chmod 700 '"));
        assert_int_equal(chmod(p.dir, 0700), 0);
        assert_int_equal(try_open(&p), 0);
        place_free(&p);
    }
}

static void a_database_that_others_can_reach_is_refused(void **state) {
    (void)state;
    static const char *const names[] = {"meshd.db", "meshd.db-wal", "meshd.db-shm",
                                        "meshd.db-journal"};
    static const mode_t modes[] = {0644, 0640, 0604, 0620, 0602, 0601};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
            struct place p = place_new();
            char remedy[128];
            put(&p, names[n], modes[i]);
            snprintf(remedy, sizeof remedy, "chmod 600 '%s/%s'", p.dir, names[n]);
            assert_int_equal(try_open(&p), ERR_PERM);
            assert_non_null(strstr(p.said, remedy));
            put(&p, names[n], 0600);
            assert_int_equal(try_open(&p), 0);
            place_free(&p);
        }
}

static void a_database_that_is_a_link_is_refused(void **state) {
    (void)state;
    struct place p = place_new();
    char path[160];
    put(&p, "elsewhere", 0600);
    snprintf(path, sizeof path, "%s/meshd.db", p.dir);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(try_open(&p), ERR_PERM);
    place_free(&p);
}

static void what_belongs_to_another_user_is_refused(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    struct place p = place_new();
    char path[160];
    put(&p, "meshd.db", 0600);
    snprintf(path, sizeof path, "%s/meshd.db", p.dir);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(try_open(&p), ERR_PERM);
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chown(p.dir, 65534, 65534), 0);
    assert_int_equal(try_open(&p), ERR_PERM);
    place_free(&p);
}

static void one_daemon_has_a_directory(void **state) {
    (void)state;
    struct place p = place_new();
    struct statedir s;
    assert_int_equal(statedir_open(&s, p.dir, &quiet), 0);
    assert_int_equal(try_open(&p), ERR_EXISTS);
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    assert_non_null(strstr(p.said, pid));
    statedir_close(&s);
    assert_int_equal(try_open(&p), 0);
    place_free(&p);
}

static void zeroes(void *ctx, void *buf, size_t len) {
    (void)ctx;
    memset(buf, 7, len);
}

static void an_identity_that_others_can_read_is_refused(void **state) {
    (void)state;
    struct place p = place_new();
    struct statedir s;
    struct identity a, b;
    struct rng rng = {zeroes, NULL};
    assert_int_equal(statedir_open(&s, p.dir, &quiet), 0);
    assert_int_equal(keyfile_load(&a, &s, p.dir, &rng, &quiet), 0);
    assert_int_equal(keyfile_load(&b, &s, p.dir, &rng, &quiet), 0);
    assert_memory_equal(&a.id, &b.id, sizeof a.id);
    put(&p, "identity", 0640);
    assert_int_equal(keyfile_load(&b, &s, p.dir, &rng, &quiet), ERR_PERM);
    statedir_close(&s);
    place_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_directory_is_made_for_its_owner_only),
        cmocka_unit_test(a_directory_that_others_can_reach_is_refused),
        cmocka_unit_test(a_database_that_others_can_reach_is_refused),
        cmocka_unit_test(a_database_that_is_a_link_is_refused),
        cmocka_unit_test(what_belongs_to_another_user_is_refused),
        cmocka_unit_test(one_daemon_has_a_directory),
        cmocka_unit_test(an_identity_that_others_can_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
