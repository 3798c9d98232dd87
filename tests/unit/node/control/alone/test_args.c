/* The arguments of a request against the table; and what they are when it was followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/control/call/control_args.h"
#include "support_desk.h"

static int run(struct call *call) {
    (void)call;
    return call_empty(call);
}

static const struct method methods[] = {
    {"m",
     run,
     {{"str", ARG_STR, true, 4},
      {"text", ARG_TEXT, false, 8},
      {"n", ARG_UINT, false, 10},
      {"yes", ARG_BOOL, false, 0},
      {"strs", ARG_STRS, false, 3},
      {"few", ARG_FEW, false, 3}}},
    {NULL, NULL, {{0}}},
};
static const struct group group = {.methods = methods};

static void refused(struct desk *d, const char *detail, const char *says) {
    assert_int_equal(desk_run(d), ERR_USAGE);
    assert_string_equal(d->call.detail, detail);
    assert_non_null(strstr(d->call.text, says));
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    struct desk *d = desk_open(&group);
    desk_ask(d, "m");
    refused(d, "str", "needs the argument");
    proto_uint(desk_ask(d, "m"), "str", 1);
    refused(d, "str", "must be a string");
    proto_str(desk_ask(d, "m"), "str", "12345");
    refused(d, "str", "longer than 4 bytes");
    proto_strn(desk_ask(d, "m"), "str", "a\0b", 3);
    refused(d, "str", "must be a string");
    struct proto_writer *w = desk_ask(d, "m");
    proto_str(w, "str", "a");
    proto_str(w, "str", "b");
    refused(d, "str", "given twice");
    w = desk_ask(d, "m");
    proto_str(w, "str", "a");
    proto_uint(w, "n", 11);
    refused(d, "n", "10 at most");
    w = desk_ask(d, "m");
    proto_str(w, "str", "a");
    proto_str(w, "yes", "true");
    refused(d, "yes", "true or false");
    proto_str(desk_ask(d, "m"), "st\x1br", "a");
    refused(d, "st?r", "no argument");
    desk_close(d);
}

static void lists_hold_strings_and_not_too_many(void **state) {
    (void)state;
    struct desk *d = desk_open(&group);
    struct proto_writer *w = desk_ask(d, "m");
    proto_array(w, "few");
    for (unsigned i = 0; i <= CONTROL_FEW_MAX; i++)
        proto_str(w, NULL, "a");
    proto_end(w);
    refused(d, "few", "more than 64");
    w = desk_ask(d, "m");
    proto_array(w, "strs");
    proto_uint(w, NULL, 1);
    proto_end(w);
    refused(d, "strs", "strings only");
    w = desk_ask(d, "m");
    proto_array(w, "strs");
    proto_str(w, NULL, "1234");
    proto_end(w);
    refused(d, "strs", "longer than 3");
    desk_close(d);
}

static int look(struct call *call) {
    char str[5];
    size_t len;
    unsigned count = 0;
    assert_true(arg_str(call, "str", str, sizeof str));
    assert_string_equal(str, "abcd");
    const char *text = arg_text(call, "text", &len);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "a\0b", 3);
    assert_int_equal(arg_uint(call, "n", 5), 10);
    assert_int_equal(arg_deadline(call, "n"), call->now_us + 10);
    assert_true(arg_bool(call, "yes"));
    assert_false(arg_given(call, "few"));
    char **strs = arg_strs(call, "strs", &count);
    assert_non_null(strs);
    assert_int_equal(count, 2);
    assert_string_equal(strs[0], "a");
    assert_string_equal(strs[1], "");
    assert_null(strs[2]);
    free(strs);
    return call_empty(call);
}

static int look_at_none(struct call *call) {
    char str[5];
    size_t len;
    unsigned count = 1;
    assert_false(arg_str(call, "str", str, sizeof str));
    assert_string_equal(str, "");
    assert_string_equal(arg_text(call, "text", &len), "");
    assert_int_equal(len, 0);
    assert_int_equal(arg_uint(call, "n", 5), 5);
    assert_int_equal(arg_deadline(call, "n"), UINT64_MAX);
    assert_false(arg_bool(call, "yes"));
    char **strs = arg_strs(call, "strs", &count);
    assert_non_null(strs);
    assert_int_equal(count, 0);
    free(strs);
    return call_empty(call);
}

static void getters_give_what_was_given_or_nothing(void **state) {
    (void)state;
    static struct method lookers[] = {
        {"given", look, {{0}}}, {"none", look_at_none, {{0}}}, {NULL, NULL, {{0}}}};
    memcpy(lookers[0].args, methods[0].args, sizeof methods[0].args);
    const struct group looking = {.methods = lookers};
    struct desk *d = desk_open(&looking);
    struct proto_writer *w = desk_ask(d, "given");
    proto_str(w, "str", "abcd");
    proto_strn(w, "text", "a\0b", 3);
    proto_uint(w, "n", 10);
    proto_bool(w, "yes", true);
    proto_nil(w, "few");
    proto_array(w, "strs");
    proto_str(w, NULL, "a");
    proto_str(w, NULL, "");
    proto_end(w);
    assert_int_equal(desk_run(d), 0);
    desk_ask(d, "none");
    assert_int_equal(desk_run(d), 0);
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(lists_hold_strings_and_not_too_many),
        cmocka_unit_test(getters_give_what_was_given_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
