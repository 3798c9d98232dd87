/* Which file names are possible where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/os/names.h"

static const struct {
    const char *name;
    size_t len; /* 0: that of the string */
    bool posix, windows;
} cases[] = {
    {"a", 0, true, true},
    {"report.pdf", 0, true, true},
    {".profile", 0, true, true},
    {"...x", 0, true, true},
    {"a b", 0, true, true},
    {"\xc3\xa9t\xc3\xa9", 0, true, true},
    /* nowhere */
    {"", 0, false, false},
    {".", 0, false, false},
    {"..", 0, false, false},
    {"a/b", 0, false, false},
    {"/", 0, false, false},
    {"a\0b", 3, false, false},
    {"a\0", 2, false, false},
    /* characters */
    {"a:b", 0, true, false},
    {"a\\b", 0, true, false},
    {"what?", 0, true, false},
    {"*", 0, true, false},
    {"\"a\"", 0, true, false},
    {"<a>", 0, true, false},
    {"a|b", 0, true, false},
    {"a\nb", 0, true, false},
    {"a\x01", 0, true, false},
    {"a\x1f"
     "b",
     0, true, false},
    {"a\x7f", 0, true, true},
    /* ends */
    {"a.", 0, true, false},
    {"...", 0, true, false},
    {"a ", 0, true, false},
    {" a", 0, true, true},
    /* devices */
    {"con", 0, true, false},
    {"CON", 0, true, false},
    {"Aux.txt", 0, true, false},
    {"nul.tar.gz", 0, true, false},
    {"NUL .txt", 0, true, false},
    {"prn", 0, true, false},
    {"conin$", 0, true, false},
    {"CONOUT$.log", 0, true, false},
    {"com1", 0, true, false},
    {"COM0", 0, true, false},
    {"lpt9.x", 0, true, false},
    {"COM\xc2\xb9", 0, true, false},
    {"LPT\xc2\xb3.txt", 0, true, false},
    {"com", 0, true, true},
    {"com10", 0, true, true},
    {"COM\xc2\xb4", 0, true, true},
    {"lptx", 0, true, true},
    {"console", 0, true, true},
    {"nulls", 0, true, true},
    {"a.con", 0, true, true},
    {".con", 0, true, true},
};

static void each_system_has_its_own_impossible_names(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name = cases[i].name;
        const size_t len = cases[i].len ? cases[i].len : strlen(name);
        if (os_name_ok_posix(name, len) != cases[i].posix ||
            os_name_ok_windows(name, len) != cases[i].windows)
            fail_msg("\"%s\"", name);
    }
}

static void this_system_has_one_of_both(void **state) {
    (void)state;
    assert_true(os_name_ok("a:b", 3) == os_name_ok_posix("a:b", 3) ||
                os_name_ok("a:b", 3) == os_name_ok_windows("a:b", 3));
    assert_false(os_name_ok("a/b", 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_system_has_its_own_impossible_names),
        cmocka_unit_test(this_system_has_one_of_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
