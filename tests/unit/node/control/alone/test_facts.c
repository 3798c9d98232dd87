/* What the daemon told of itself is kept, whatever becomes of the strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "node/control/methods/control_facts.h"

static void strings_are_copied(void **state) {
    (void)state;
    char version[] = "1.0";
    const char *const strings[] = {version, NULL, "/s", "/c"};
    struct facts f;
    assert_true(facts_init(&f, strings));
    version[0] = 'x';
    assert_string_equal(f.version, "1.0");
    assert_string_equal(f.state_dir, "");
    assert_string_equal(f.socket_path, "/s");
    assert_true(facts_set_config_path(&f, "/other"));
    assert_string_equal(f.config_path, "/other");
    assert_true(facts_set_config_path(&f, f.config_path));
    assert_string_equal(f.config_path, "/other");
    facts_clear(&f);
    facts_clear(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
