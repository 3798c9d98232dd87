/* Where state, configuration, sockets and downloads are, and whose directories are safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/api/xdg.h"

struct xdg_case {
    const char *dir, *home, *want; /* want NULL: no place */
};

static void state_follows_xdg(void **s) {
    (void)s;
    static const struct xdg_case cases[] = {
        {"/s", "/home/u", "/s/meshd"},
        {NULL, "/home/u", "/home/u/.local/state/meshd"},
        {"", "/home/u", "/home/u/.local/state/meshd"},
        {"relative", "/home/u", "/home/u/.local/state/meshd"},
        {NULL, NULL, NULL},
        {NULL, "", NULL},
        {NULL, "home", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[PATH_TEXT_MAX];
        int r = paths_state(out, sizeof out, cases[i].dir, cases[i].home);
        assert_int_equal(r, cases[i].want ? 0 : ERR_NOT_FOUND);
        assert_string_equal(out, cases[i].want ? cases[i].want : "");
    }
}

static void config_follows_xdg(void **s) {
    (void)s;
    char out[PATH_TEXT_MAX];
    assert_int_equal(paths_config(out, sizeof out, "/c", "/home/u"), 0);
    assert_string_equal(out, "/c/meshd/meshd.conf");
    assert_int_equal(paths_config(out, sizeof out, NULL, "/home/u"), 0);
    assert_string_equal(out, "/home/u/.config/meshd/meshd.conf");
    assert_int_equal(paths_config(out, sizeof out, NULL, NULL), ERR_NOT_FOUND);
}

static void socket_prefers_the_runtime_directory(void **s) {
    (void)s;
    static const struct {
        const char *runtime, *state, *home, *want;
    } cases[] = {
        {"/run/user/1", "/s", "/home/u", "/run/user/1/meshd/control.sock"},
        {NULL, "/s", "/home/u", "/s/meshd/control.sock"},
        {"run", "s", "/home/u", "/home/u/.local/state/meshd/control.sock"},
        {NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[PATH_TEXT_MAX];
        int r = paths_socket(out, sizeof out, cases[i].runtime, cases[i].state, cases[i].home);
        assert_int_equal(r, cases[i].want ? 0 : ERR_NOT_FOUND);
        assert_string_equal(out, cases[i].want ? cases[i].want : "");
    }
}

static void a_named_state_directory_holds_the_socket(void **s) {
    (void)s;
    char out[PATH_TEXT_MAX];
    assert_int_equal(paths_state_socket(out, sizeof out, "/srv/a"), 0);
    assert_string_equal(out, "/srv/a/control.sock");
    assert_int_equal(paths_state_socket(out, sizeof out, "/srv/a/"), 0);
    assert_string_equal(out, "/srv/a/control.sock");
}

static void downloads_go_home(void **s) {
    (void)s;
    char out[PATH_TEXT_MAX];
    assert_int_equal(paths_download(out, sizeof out, "/home/u", "/s"), 0);
    assert_string_equal(out, "/home/u/Downloads");
    assert_int_equal(paths_download(out, sizeof out, NULL, "/s"), 0);
    assert_string_equal(out, "/s/downloads");
}

static void relative_and_home_paths_become_absolute(void **s) {
    (void)s;
    static const struct {
        const char *path, *home, *want;
    } cases[] = {{"/a/b", NULL, "/a/b"},   {"a/b", "/h", "/base/a/b"},       {"~", "/h", "/h"},
                 {"~/x", "/h", "/h/x"},    {"~other", "/h", "/base/~other"}, {"~/x", NULL, NULL},
                 {"~/x", "relative", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[PATH_TEXT_MAX];
        int r = paths_absolute(out, sizeof out, cases[i].path, cases[i].home, "/base");
        assert_int_equal(r, cases[i].want ? 0 : ERR_NOT_FOUND);
        assert_string_equal(out, cases[i].want ? cases[i].want : "");
    }
}

static void parents(void **s) {
    (void)s;
    char out[PATH_TEXT_MAX];
    assert_int_equal(paths_parent(out, sizeof out, "/a/b/c"), 0);
    assert_string_equal(out, "/a/b");
    assert_int_equal(paths_parent(out, sizeof out, "/a"), 0);
    assert_string_equal(out, "/");
    assert_int_equal(paths_parent(out, sizeof out, "a"), 0);
    assert_string_equal(out, ".");
}

static void what_does_not_fit_is_an_error(void **s) {
    (void)s;
    for (size_t cap = 1; cap <= 9; cap++) { /* "/s/meshd" needs 9 */
        char out[16] = "untouched";
        int r = paths_state(out, cap, "/s", NULL);
        assert_int_equal(r, cap < 9 ? ERR_FULL : 0);
        assert_string_equal(out, cap < 9 ? "" : "/s/meshd");
    }
}

static void a_socket_is_safe_where_others_cannot_replace_it(void **s) {
    (void)s;
    static const struct {
        unsigned owner, mode;
        bool safe;
    } cases[] = {
        {1000, 040700, true},  {1000, 040755, true},  {1000, 040711, true},  {1000, 040770, false},
        {1000, 040757, false}, {1000, 040777, false}, {0, 040755, true},     {0, 041777, true},
        {0, 040777, false},    {0, 040775, false},    {1001, 040700, false}, {1001, 040755, false},
        {1001, 041777, false}, {1000, 041777, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(paths_socket_dir_safe(cases[i].owner, cases[i].mode, 1000), cases[i].safe);
    assert_true(paths_socket_dir_safe(0, 040700, 0));
    assert_false(paths_socket_dir_safe(1000, 040700, 0)); /* root is no exception */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_follows_xdg),
        cmocka_unit_test(config_follows_xdg),
        cmocka_unit_test(socket_prefers_the_runtime_directory),
        cmocka_unit_test(a_named_state_directory_holds_the_socket),
        cmocka_unit_test(downloads_go_home),
        cmocka_unit_test(relative_and_home_paths_become_absolute),
        cmocka_unit_test(parents),
        cmocka_unit_test(what_does_not_fit_is_an_error),
        cmocka_unit_test(a_socket_is_safe_where_others_cannot_replace_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
