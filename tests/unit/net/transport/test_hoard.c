/* What counts as holding much for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/base/limits.h"
#include "net/transport/hoard.h"

#define MUCH (UINT64_C(2) * HOARD_BYTES)

static void little_may_be_held_for_ever(void **state) {
    (void)state;
    struct hoard h;
    hoard_init(&h, 0, 0);
    assert_false(hoard_lasts(&h, 100 * (uint64_t)HOARD_US, HOARD_BYTES, 0));
}

static void much_is_a_hoard_only_after_a_while(void **state) {
    (void)state;
    struct hoard h;
    hoard_init(&h, 5, 7);
    hoard_look(&h, 10, HOARD_BYTES, 7); /* little yet: its time begins here */
    hoard_look(&h, 20, MUCH, 7);
    assert_false(hoard_lasts(&h, 9 + HOARD_US, MUCH, 7));
    assert_true(hoard_lasts(&h, 10 + HOARD_US, MUCH, 7));
    assert_true(hoard_lasts(&h, 10 + HOARD_US, MUCH, 7 + MUCH - 1));
}

static void as_much_gone_as_is_held_begins_its_time_anew(void **state) {
    (void)state;
    struct hoard h;
    hoard_init(&h, 0, 0);
    hoard_look(&h, HOARD_US - 1, MUCH, MUCH);
    assert_false(hoard_lasts(&h, HOARD_US, MUCH, MUCH));
    assert_false(hoard_lasts(&h, 2 * (uint64_t)HOARD_US - 2, MUCH, MUCH + 1));
    assert_true(hoard_lasts(&h, 2 * (uint64_t)HOARD_US - 1, MUCH, MUCH + 1));
}

static void a_look_by_itself_changes_nothing_while_it_lasts(void **state) {
    (void)state;
    struct hoard h;
    hoard_init(&h, 0, 0);
    for (uint64_t now_us = 1; now_us < HOARD_US; now_us += HOARD_US / 50)
        hoard_look(&h, now_us, MUCH, now_us * 10 < MUCH ? now_us % 1000 : 1000);
    assert_true(hoard_lasts(&h, HOARD_US, MUCH, 1000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little_may_be_held_for_ever),
        cmocka_unit_test(much_is_a_hoard_only_after_a_while),
        cmocka_unit_test(as_much_gone_as_is_held_begins_its_time_anew),
        cmocka_unit_test(a_look_by_itself_changes_nothing_while_it_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
