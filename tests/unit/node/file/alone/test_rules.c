/* Standing orders as a table (node/file/transfer/recv_rule). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/file/transfer/recv_rule.h"

static const struct node_id ann = {{1}}, bob = {{2}};

static uint64_t add(struct recv_rules *r, const char *dir, const struct node_id *from, bool once) {
    uint64_t id = 0;
    assert_int_equal(recv_rule_add(r, dir, from, once, &id), 0);
    return id;
}

static void the_oldest_rule_that_fits_takes_it(void **state) {
    (void)state;
    struct recv_rules r = {0};
    char dir[RECV_DIR_MAX];
    uint64_t rule = 99;
    assert_false(recv_rule_apply(&r, &ann, dir, &rule));
    assert_int_equal(rule, 0);
    const uint64_t bobs = add(&r, "/bob", &bob, false), once = add(&r, "/once", NULL, true);
    const uint64_t all = add(&r, "/all", NULL, false);
    assert_true(recv_rule_apply(&r, &bob, dir, &rule));
    assert_int_equal(rule, bobs);
    assert_true(recv_rule_apply(&r, &ann, dir, &rule));
    assert_int_equal(rule, once);
    assert_string_equal(dir, "/once");
    assert_false(recv_rule_stands(&r, once)); /* used up */
    assert_true(recv_rule_apply(&r, &ann, dir, &rule));
    assert_int_equal(rule, all);
    recv_rule_stop(&r, all);
    recv_rule_stop(&r, all);
    assert_false(recv_rule_apply(&r, &ann, dir, &rule));
    assert_true(recv_rule_stands(&r, bobs));
    recv_rules_clear(&r);
    assert_false(recv_rule_stands(&r, bobs));
}

static void the_configuration_takes_what_no_rule_does(void **state) {
    (void)state;
    struct recv_rules r = {.accept = ACCEPT_CONTACTS};
    char dir[RECV_DIR_MAX];
    uint64_t rule;
    assert_false(recv_rule_apply(&r, &ann, dir, &rule)); /* where to? */
    strcpy(r.download_dir, "/home");
    assert_true(recv_rule_apply(&r, &ann, dir, &rule));
    assert_string_equal(dir, "/home");
    assert_int_equal(rule, 0);
    const uint64_t id = add(&r, "/x", NULL, false);
    assert_true(recv_rule_apply(&r, &ann, dir, &rule));
    assert_int_equal(rule, id);
    recv_rules_clear(&r);
}

static void a_directory_is_given_or_configured_and_fits(void **state) {
    (void)state;
    struct recv_rules r = {0};
    char longest[RECV_DIR_MAX + 1];
    memset(longest, 'd', sizeof longest);
    longest[RECV_DIR_MAX] = '\0';
    assert_null(recv_dir(&r, NULL));
    assert_null(recv_dir(&r, ""));
    assert_null(recv_dir(&r, longest));
    longest[RECV_DIR_MAX - 1] = '\0';
    assert_ptr_equal(recv_dir(&r, longest), longest);
    strcpy(r.download_dir, "/home");
    assert_string_equal(recv_dir(&r, NULL), "/home");
}

static void no_more_than_the_bound(void **state) {
    (void)state;
    struct recv_rules r = {0};
    uint64_t last = 0, id;
    for (unsigned i = 0; i < RECV_RULES_MAX; i++) {
        id = add(&r, "/d", &ann, true);
        assert_true(id > last);
        last = id;
    }
    assert_int_equal(recv_rule_add(&r, "/d", NULL, false, &id), ERR_FULL);
    recv_rule_stop(&r, last);
    assert_true(add(&r, "/d", NULL, false) > last); /* no number twice */
    recv_rules_clear(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_rule_that_fits_takes_it),
        cmocka_unit_test(the_configuration_takes_what_no_rule_does),
        cmocka_unit_test(a_directory_is_given_or_configured_and_fits),
        cmocka_unit_test(no_more_than_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
