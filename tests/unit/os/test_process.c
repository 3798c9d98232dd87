/* What the process sets for itself before it holds a secret. Each test runs in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef MESHD_LINUX
#include <sys/prctl.h>
#endif

#include "net/os/process.h"

/* The child gives the number of the check that failed, or 0. */
static void in_child(int (*check)(void)) {
    pid_t child = fork();
    if (child == 0)
        _exit(check());
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int dumpable(void) {
#ifdef MESHD_LINUX
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
#else
    return 0;
#endif
}

static int secrets_are_kept(void) {
    struct rlimit core;
    unsetenv("MESHD_DEBUG_DUMPABLE");
    umask(0);
    process_prepare();
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
        return 1;
    if (dumpable() != 0)
        return 2;
    return umask(0) == 077 ? 0 : 3;
}

static void no_core_is_dumped_and_files_are_the_owners(void **state) {
    (void)state;
    in_child(secrets_are_kept);
}

static int debugging_is_left_on(void) {
    int before = dumpable();
    setenv("MESHD_DEBUG_DUMPABLE", "1", 1);
    process_prepare();
    return dumpable() == before ? 0 : 1;
}

static void a_debugger_is_let_in_when_asked_for(void **state) {
    (void)state;
    in_child(debugging_is_left_on);
}

static int the_umask_before_is_told(void) {
    umask(027);
    return process_prepare() == 027 ? 0 : 1;
}

static void the_users_umask_is_known_afterwards(void **state) {
    (void)state;
    in_child(the_umask_before_is_told);
}

static int is_null(int fd) {
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 && a.st_rdev == b.st_rdev &&
           S_ISCHR(a.st_mode);
}

static int all_closed(void) {
    int next = open("/", O_RDONLY); /* the lowest number that is free besides */
    close(next);
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    process_keep_stdio();
    for (int fd = 0; fd <= 2; fd++)
        if (!is_null(fd) || (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR)
            return 1;
    return open("/", O_RDONLY) == next ? 0 : 2; /* none was left open */
}

static int one_closed(void) {
    struct stat in, after;
    int zero = open("/dev/zero", O_RDONLY);
    if (dup2(zero, 0) != 0 || fstat(0, &in) != 0)
        return 1;
    close(2);
    process_keep_stdio();
    if (fstat(0, &after) != 0 || in.st_rdev != after.st_rdev)
        return 2;
    return is_null(2) ? 0 : 3;
}

static void closed_standard_descriptors_become_dev_null(void **state) {
    (void)state;
    in_child(all_closed);
    in_child(one_closed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_core_is_dumped_and_files_are_the_owners),
        cmocka_unit_test(a_debugger_is_let_in_when_asked_for),
        cmocka_unit_test(the_users_umask_is_known_afterwards),
        cmocka_unit_test(closed_standard_descriptors_become_dev_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
