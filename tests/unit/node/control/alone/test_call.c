/* How a call fails, and its short answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "node/control/call/control_call.h"

static void a_failure_keeps_its_sentence_and_what_it_is_about(void **state) {
    (void)state;
    struct call call = {0};
    assert_int_equal(call_fail(&call, ERR_USAGE, "x", "there are %d of %s", 3, "them"), ERR_USAGE);
    assert_string_equal(call.text, "there are 3 of them");
    assert_string_equal(call.detail, "x");
    struct call plain = {0};
    assert_int_equal(call_fail(&plain, ERR_IO, NULL, NULL), ERR_IO);
    assert_string_equal(plain.text, "");
    assert_string_equal(plain.detail, "");
}

static void a_long_sentence_is_cut(void **state) {
    (void)state;
    static char text[2000];
    struct call call = {0};
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(call_fail(&call, ERR_USAGE, text, "%s", text), ERR_USAGE);
    assert_int_equal(strlen(call.text), sizeof call.text - 1);
    assert_int_equal(strlen(call.detail), sizeof call.detail - 1);
}

static void a_limit_says_which_and_how_much(void **state) {
    (void)state;
    struct call call = {0};
    assert_int_equal(call_limit(&call, LIMIT_FILES, 5, "paths"), limit_err(LIMIT_FILES));
    assert_int_equal(call.cause.limit, LIMIT_FILES);
    assert_int_equal(call.cause.max, 5);
    assert_string_equal(call.detail, "paths");
}

static void short_answers_are_maps(void **state) {
    (void)state;
    struct proto_writer w;
    proto_writer_init(&w, 1000);
    struct call call = {.w = &w};
    assert_int_equal(call_empty(&call), 0);
    assert_memory_equal(w.buf, "\xdf\0\0\0\0", 5);
    proto_writer_reset(&w);
    assert_int_equal(call_uint(&call, "id", 7), 0);
    assert_memory_equal(w.buf, "\xdf\0\0\0\1\xa2id\7", 9);
    assert_true(w.ok);
    proto_writer_clear(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_keeps_its_sentence_and_what_it_is_about),
        cmocka_unit_test(a_long_sentence_is_cut),
        cmocka_unit_test(a_limit_says_which_and_how_much),
        cmocka_unit_test(short_answers_are_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
