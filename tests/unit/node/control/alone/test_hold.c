/* What ends with the connection that asked for it, and only with that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/control/call/control_hold.h"
#include "support_fake_node.h"

static void its_transfers_end_and_no_others(void **state) {
    (void)state;
    static struct holds h;
    fake_reset();
    fake_transfer(1, true, TRANSFER_RUNNING);
    fake_transfer(2, true, TRANSFER_OFFERED);
    fake_transfer(3, true, TRANSFER_RUNNING);
    hold_add(&h, NULL, 4, 1);
    hold_add(&h, NULL, 5, 2);
    hold_add(&h, NULL, 4, 3);
    hold_drop_conn(&h, NULL, 0, 4);
    hold_drop_conn(&h, NULL, 0, 4);
    assert_int_equal(fake_asked("abandon 1"), 1);
    assert_int_equal(fake_asked("abandon 2"), 0);
    assert_int_equal(fake_asked("abandon 3"), 1);
}

static void those_that_are_over_make_room(void **state) {
    (void)state;
    static struct holds h;
    fake_reset();
    for (uint64_t id = 1; id <= TRANSFERS_MAX; id++) {
        fake_transfer(id, true, TRANSFER_RUNNING);
        hold_add(&h, NULL, 0, id);
    }
    fake.transfers[9].state = TRANSFER_DONE;
    fake_transfer(100, true, TRANSFER_RUNNING);
    hold_add(&h, NULL, 1, 100);
    hold_drop_conn(&h, NULL, 0, 1);
    assert_int_equal(fake_asked("abandon 100"), 1);
    assert_int_equal(fake.log_count, 1);
}

static void its_receptions_are_few_and_stop_with_it(void **state) {
    (void)state;
    static struct holds h;
    fake_reset();
    for (uint64_t id = 1; id <= CONTROL_RECVS_MAX; id++) {
        assert_true(hold_recv_room(&h, NULL, 2));
        hold_recv_add(&h, 2, id);
        fake.standing |= UINT64_C(1) << id;
    }
    assert_false(hold_recv_room(&h, NULL, 2));
    assert_true(hold_recv_room(&h, NULL, 3));
    fake.standing &= ~(UINT64_C(1) << 4); /* its transfer has come */
    assert_true(hold_recv_room(&h, NULL, 2));
    assert_false(hold_recv_drop(&h, 2, 4));
    assert_true(hold_recv_drop(&h, 2, 5));
    assert_false(hold_recv_drop(&h, 2, 5));
    assert_false(hold_recv_drop(&h, 3, 6));
    hold_drop_conn(&h, NULL, 0, 2);
    assert_int_equal(fake.log_count, CONTROL_RECVS_MAX - 2);
    assert_int_equal(fake_asked("recv stop 6"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_transfers_end_and_no_others),
        cmocka_unit_test(those_that_are_over_make_room),
        cmocka_unit_test(its_receptions_are_few_and_stop_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
