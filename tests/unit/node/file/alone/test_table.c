/* The table of transfers on sides that only note what they are asked
 * (node/file/transfer/transfer). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/owner.h"
#include "support_room.h"

static void one_is_found_by_number_and_by_cookie(void **state) {
    (void)state;
    struct room *r = room_new(1);
    struct noted n = {0};
    struct transfer *t[20];
    uint64_t cookies[20];
    for (unsigned i = 0; i < 20; i++) {
        t[i] = room_transfer(r, i % ROOM_CONTACTS, i % 2 == 0, &n);
        cookies[i] = owner_pack(ROOM_PART, t[i]->ref);
        assert_int_equal(t[i]->info.id, i + 1);
    }
    transfers_drop_last(&r->files);
    transfers_drop_oldest(&r->files);
    for (unsigned i = 1; i < 19; i++) {
        assert_ptr_equal(transfer_by_id(&r->files, i + 1), t[i]);
        assert_ptr_equal(transfer_by_owner(&r->files, cookies[i]), t[i]);
    }
    struct transfer *late = room_transfer(r, 0, true, &n); /* in the place of one that has gone */
    assert_null(transfer_by_id(&r->files, 1));
    assert_null(transfer_by_id(&r->files, 20));
    assert_null(transfer_by_owner(&r->files, cookies[0]));
    assert_null(transfer_by_owner(&r->files, cookies[19]));
    assert_int_equal(late->info.id, 21);
    assert_ptr_equal(transfer_by_id(&r->files, 21), late);
    room_free(r);
    assert_int_equal(n.freed, 21);
}

static void states_are_told_and_counted(void **state) {
    (void)state;
    struct room *r = room_new(2);
    struct noted n = {0};
    struct node_event e;
    struct transfer *in = room_transfer(r, 1, false, &n), *out = room_transfer(r, 2, true, &n);
    transfer_enter(&r->files, in, TRANSFER_RUNNING);
    assert_true(room_event(r, NODE_TRANSFER_STARTED, &e));
    assert_int_equal(e.id, in->info.id);
    assert_string_equal(e.contact, "contact1");
    transfer_enter(&r->files, out, TRANSFER_CONNECTING);
    transfer_enter(&r->files, out, TRANSFER_OFFERED);
    assert_false(room_event(r, NODE_TRANSFER_STARTED, &e));
    transfer_enter(&r->files, out, TRANSFER_RUNNING);
    assert_int_equal(transfers_running(&r->files), 2);
    assert_int_equal(transfers_sending(&r->files), 1);
    in->info.bytes_total = 77;
    transfer_enter(&r->files, in, TRANSFER_VERIFYING);
    transfer_enter(&r->files, in, TRANSFER_DONE);
    assert_true(room_event(r, NODE_TRANSFER_DONE, &e));
    assert_int_equal(e.bytes, 77);
    assert_int_equal(transfers_live(&r->files), 1);
    assert_int_equal(n.wound_down, 1);
    assert_int_equal(n.freed, 1);
    room_free(r);
}

static void an_end_is_told_to_the_peer_once_and_the_side_lives_until_its_last_operation(
    void **state) {
    (void)state;
    struct room *r = room_new(3);
    struct noted n = {0};
    struct node_event e;
    struct transfer *t = room_transfer(r, 0, false, &n);
    struct file_op *op[2];
    t->has_stream = true;
    for (unsigned i = 0; i < 2; i++) {
        op[i] = transfer_op(&r->files, t, FILE_OP_CHECK);
        assert_int_equal(owner_part(op[i]->owner), ROOM_PART);
        transfer_submit(&r->files, t, op[i]);
        assert_ptr_equal(work_take(&r->work), op[i]);
    }
    transfer_op_done(&r->files, op[0]);
    assert_int_equal(n.done, 1);
    transfer_abort(&r->files, t, ERR_EXISTS, "a\x1b");
    transfer_abort(&r->files, t, ERR_IO, NULL);
    transfer_fail(&r->files, t, ERR_IO, NULL);
    assert_int_equal(n.told, 1);
    assert_int_equal(n.told_err, ERR_EXISTS);
    assert_true(room_event(r, NODE_TRANSFER_FAILED, &e));
    assert_int_equal(e.err, ERR_EXISTS);
    assert_string_equal(e.detail, "a\x1b"); /* escaped by who shows it */
    assert_false(room_event(r, NODE_TRANSFER_FAILED, &e));
    assert_int_equal(n.freed, 0);
    transfer_op_done(&r->files, op[1]);
    assert_int_equal(n.late, 1);
    assert_int_equal(n.freed, 1);
    assert_null(t->side);
    room_free(r);
    assert_int_equal(n.freed, 1);
}

static void progress_is_told_five_times_a_second_and_at_the_end(void **state) {
    (void)state;
    struct room *r = room_new(4);
    struct noted n = {0};
    struct node_event e;
    struct transfer *t = room_transfer(r, 0, false, &n);
    unsigned told = 0;
    t->info.bytes_total = 1001;
    transfer_enter(&r->files, t, TRANSFER_RUNNING);
    for (unsigned i = 1; i <= 1000; i++) {
        r->turn.now_us += 1000;
        transfer_progress(&r->files, t, i);
        told += transfer_take_progress(&r->files, t, &e);
    }
    assert_int_equal(told, 5);
    transfer_progress(&r->files, t, 1001);
    assert_true(transfer_take_progress(&r->files, t, &e));
    assert_int_equal(e.bytes, 1001);
    assert_false(transfer_take_progress(&r->files, t, &e));
    room_free(r);
}

static void of_those_that_have_ended_the_contact_with_most_loses_its_oldest(void **state) {
    (void)state;
    struct room *r = room_new(5);
    struct noted n = {0};
    for (unsigned i = 0; i < 3; i++)
        transfer_abort(&r->files, room_transfer(r, 1, true, &n), ERR_CANCELLED, NULL);
    for (unsigned i = 0; i < 2 * TRANSFERS_KEPT; i++)
        transfer_abort(&r->files, room_transfer(r, 0, false, &n), ERR_CANCELLED, NULL);
    assert_in_range(r->files.count, TRANSFERS_KEPT, TRANSFERS_KEPT + 1);
    for (uint64_t id = 1; id <= 3; id++)
        assert_non_null(transfer_by_id(&r->files, id));
    assert_null(transfer_by_id(&r->files, 4));
    for (unsigned i = 0; i < TRANSFERS_MAX; i++) /* those that live have places of their own */
        (void)room_transfer(r, 2, true, &n);
    struct transfer *t;
    assert_int_equal(transfer_new(&r->files, &r->contact[3], true, TRANSFER_OPENING, &t), ERR_FULL);
    assert_int_equal(r->turn.met.limit, LIMIT_TRANSFERS);
    room_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_found_by_number_and_by_cookie),
        cmocka_unit_test(states_are_told_and_counted),
        cmocka_unit_test(
            an_end_is_told_to_the_peer_once_and_the_side_lives_until_its_last_operation),
        cmocka_unit_test(progress_is_told_five_times_a_second_and_at_the_end),
        cmocka_unit_test(of_those_that_have_ended_the_contact_with_most_loses_its_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
