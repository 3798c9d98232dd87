/* File operations and a machine that may die at any moment: a file is on the disk before it has its
 * name, and so are the directories made for it; killed at any step there is all of it or nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripted.h"

#ifdef MESHD_TEST_WRAP

/* A name that leads to bytes the disk does not have yet would be an empty file after a power
 * cut. */
static void a_file_is_synced_before_it_gets_its_name(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++) {
        struct place p;
        way_open(&p, (enum way)way);
        assert_int_equal(run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)), 0);
        assert_int_equal(write_text(&p, "hello"), 0);
        script.count = 0;
        assert_int_equal(run(&p, FILE_OP_COMMIT, NULL, 0), 0);
        assert_true(script.count >= 2);
        assert_int_equal(script.log[0].what, 's');
        for (unsigned i = 1; i < script.count; i++)
            assert_int_equal(script.log[i].what, 'n');
        place_close(&p);
    }
}

/* Each is on the disk before what is made in it. */
static void made_parents_are_synced(void **state) {
    (void)state;
    struct place p;
    place_open(&p, true);
    char deep[128], *end;
    (void)snprintf(deep, sizeof deep, "%s/one/two/three", p.dir);
    struct file_op op = {.kind = FILE_OP_PREPARE, .path = deep};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(op.err, 0);
    assert_int_equal(script.count, 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(script.log[i].what, i % 2 ? 'd' : 'm');
        assert_int_equal(script.log[i].ino, script.log[i & ~1u].ino);
    }
    script.count = 0;
    file_op_run(&op, &p.slot, &p.env); /* there already: nothing to do */
    assert_int_equal(op.err, 0);
    assert_int_equal(script.count, 0);
    for (; (end = strrchr(deep, '/')) > deep + strlen(p.dir) - 1; *end = '\0')
        assert_int_equal(rmdir(deep), 0);
    script.fsync_err = EIO;
    (void)snprintf(deep, sizeof deep, "%s/one", p.dir);
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(op.err, ERR_IO);
    assert_int_equal(rmdir(deep), 0);
    place_close(&p);
}

/* What the dead left, and what the next start makes of it. */
static void is_whole_or_nothing(const struct place *p, enum way way) {
    const struct log quiet = {.level = LOG_ERROR};
    struct stat st;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/x", p->dir);
    if (way != PLACED && stat(path, &st) == 0)
        assert_int_equal(st.st_size, 5);
    const int state_fd = open(p->partials, O_RDONLY | O_DIRECTORY);
    struct os_dir d;
    assert_int_equal(partials_open(&d, (struct os_dir){state_fd}, p->partials, &quiet), 0);
    os_dir_close(&d);
    close(state_fd);
    const bool there = stat(path, &st) == 0;
    if (there)
        assert_int_equal(st.st_size, 5);
    assert_int_equal(empty(p->dir, false), there);
}

/* Killed before any step of it, a file has its name and is whole, or there is nothing of it: at the
 * latest after the next start. */
static void killed_at_any_step_a_file_is_whole_or_not_there(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++) {
        unsigned at = 0, status = 77;
        while (status == 77) {
            struct place p;
            way_open(&p, (enum way)way);
            const struct log quiet = {.level = LOG_ERROR};
            const int noted = p.env.partials.fd; /* where it lies in STATE */
            assert_int_equal(
                partials_open(&p.env.partials, (struct os_dir){noted}, p.partials, &quiet), 0);
            const pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                script.calls = 0;
                script.dies_at = ++at;
                const bool good = run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)) == 0 &&
                                  write_text(&p, "hello") == 0 &&
                                  run(&p, FILE_OP_COMMIT, NULL, 0) == 0;
                _exit(good ? 0 : 1);
            }
            at++;
            int raw;
            assert_int_equal(waitpid(child, &raw, 0), child);
            assert_true(WIFEXITED(raw));
            status = (unsigned)WEXITSTATUS(raw);
            assert_true(status == 0 || status == 77);
            is_whole_or_nothing(&p, (enum way)way);
            assert_true(status == 77 || empty(p.dir, false) == 1);
            close(p.env.partials.fd);
            p.env.partials.fd = noted;
            assert_int_equal(unlinkat(noted, "partials", AT_REMOVEDIR), 0);
            place_close(&p);
        }
        assert_true(at > (way == UNNAMED ? 1 : 4)); /* it really died on the way */
    }
}

#endif

/* The directory is synced once; a file system that has no such thing (EINVAL) is not an error, a
 * broken disk is. */
static void the_directory_is_synced(void **state) {
    (void)state;
    struct place p;
    place_open(&p, true);
    assert_int_equal(run(&p, FILE_OP_SYNC_DIR, NULL, 0), 0);
#ifdef MESHD_TEST_WRAP
    assert_int_equal(script.dir_syncs, 1);
    script.fsync_err = EINVAL;
    assert_int_equal(run(&p, FILE_OP_SYNC_DIR, NULL, 0), 0);
    script.fsync_err = EIO;
    assert_int_equal(run(&p, FILE_OP_SYNC_DIR, NULL, 0), ERR_IO);
    script.fsync_err = ENOSPC;
    assert_int_equal(run(&p, FILE_OP_SYNC_DIR, NULL, 0), ERR_DISK);
    assert_int_equal(script.dir_syncs, 4);
#endif
    struct file_op gone = {.kind = FILE_OP_SYNC_DIR, .path = "./there/is/no/such"};
    file_op_run(&gone, &p.slot, &p.env);
    assert_int_equal(gone.err, ERR_NOT_FOUND);
    place_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef MESHD_TEST_WRAP
        cmocka_unit_test(a_file_is_synced_before_it_gets_its_name),
        cmocka_unit_test(made_parents_are_synced),
        cmocka_unit_test(killed_at_any_step_a_file_is_whole_or_not_there),
#endif
        cmocka_unit_test(the_directory_is_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
