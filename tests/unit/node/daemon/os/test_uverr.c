/* libuv's error numbers as errno. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/daemon/os/uverr.h"

static void what_can_go_wrong_with_a_path_keeps_its_name(void **state) {
    (void)state;
    static const struct {
        int uv, err;
    } cases[] = {
        {0, 0},
        {UV_EACCES, EACCES},
        {UV_EADDRINUSE, EADDRINUSE},
        {UV_EEXIST, EEXIST},
        {UV_EINVAL, EINVAL},
        {UV_EISDIR, EISDIR},
        {UV_ELOOP, ELOOP},
        {UV_EMFILE, EMFILE},
        {UV_ENAMETOOLONG, ENAMETOOLONG},
        {UV_ENFILE, ENFILE},
        {UV_ENOENT, ENOENT},
        {UV_ENOMEM, ENOMEM},
        {UV_ENOSPC, ENOSPC},
        {UV_ENOTDIR, ENOTDIR},
        {UV_EPERM, EPERM},
        {UV_EROFS, EROFS},
        {UV_ECHARSET, EIO},
        {UV_EOF, EIO},
        {-123456, EIO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(uverr_errno(cases[i].uv), cases[i].err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_go_wrong_with_a_path_keeps_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
