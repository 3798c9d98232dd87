/* Any number of kinds of events is a set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/control/call/control_kinds.h"

static void each_kind_is_in_it_or_not(void **state) {
    (void)state;
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++) {
        struct kinds s = {{0}};
        kinds_add(&s, k);
        for (unsigned j = 0; j < NODE_EVENT_KINDS; j++)
            assert_int_equal(kinds_has(&s, j), j == k);
    }
    const struct kinds all = kinds_all();
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++)
        assert_true(kinds_has(&all, k));
}

static void there_is_room_for_every_kind(void **state) {
    (void)state;
    assert_true(KINDS_WORDS * 64 >= NODE_EVENT_KINDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_in_it_or_not),
        cmocka_unit_test(there_is_room_for_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
