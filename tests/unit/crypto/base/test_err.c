/* Each error has a name, a text and an exit code, and its number on the wire means the same for
 * ever.
 */
#include <string.h>

#include "crypto/base/err.h"
#include "tests/unit/crypto/support_crypto.h"

static const struct {
    int err, num, exit_code;
    const char *name;
} list[] = {
#define X(sym, num, name, code, text) {sym, num, code, name},
    ERR_LIST(X)
#undef X
};
enum { COUNT = sizeof list / sizeof list[0] };

static void every_error_has_its_name_text_and_exit_code(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(list[i].err, -list[i].num);
        assert_string_equal(err_name(list[i].err), list[i].name);
        assert_true(strlen(err_text(list[i].err)) > 10);
        assert_int_equal(err_exit_code(list[i].err), list[i].exit_code);
    }
}

static void numbers_and_names_are_used_once(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = i + 1; j < COUNT; j++) {
            assert_int_not_equal(list[i].num, list[j].num);
            assert_string_not_equal(list[i].name, list[j].name);
        }
    }
}

static void the_exit_codes_of_the_design_stand(void **state) {
    (void)state;
    assert_int_equal(err_exit_code(ERR_OK), 0);
    assert_int_equal(err_exit_code(ERR_FAILED), 1);
    assert_int_equal(err_exit_code(ERR_USAGE), 2);
    assert_int_equal(err_exit_code(ERR_NO_DAEMON), 3);
    assert_int_equal(err_exit_code(ERR_NOT_FOUND), 4);
    assert_int_equal(err_exit_code(ERR_REFUSED), 5);
    assert_int_equal(err_exit_code(ERR_OFFLINE), 6);
    assert_int_equal(err_exit_code(ERR_AUTH), 7);
    assert_int_equal(err_exit_code(ERR_INTEGRITY), 8);
    assert_int_equal(err_exit_code(ERR_DISK), 9);
    assert_int_equal(err_exit_code(ERR_TIMEOUT), 10);
}

static void wire_numbers_come_back_as_the_same_error(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(err_from_wire((unsigned long long)list[i].num), list[i].err);
    assert_int_equal(err_from_wire(0), ERR_OK);
}

static void unknown_numbers_are_a_plain_failure(void **state) {
    (void)state;
    assert_int_equal(err_from_wire(9999), ERR_FAILED);
    assert_int_equal(err_from_wire(~0ULL), ERR_FAILED);
    assert_string_equal(err_name(-9999), "unknown");
    assert_string_equal(err_name(1), "unknown");
    assert_int_equal(err_exit_code(-9999), 1);
    assert_non_null(err_text(-9999));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_name_text_and_exit_code),
        cmocka_unit_test(numbers_and_names_are_used_once),
        cmocka_unit_test(the_exit_codes_of_the_design_stand),
        cmocka_unit_test(wire_numbers_come_back_as_the_same_error),
        cmocka_unit_test(unknown_numbers_are_a_plain_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
