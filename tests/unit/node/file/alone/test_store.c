/* The list of transfers in the store, without a node (node/file/transfer/transfer_store,
 * transfer_entry). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/file/transfer/transfer_entry.h"
#include "node/file/transfer/transfer_store.h"
#include "support_room.h"

/* What the process would be after a restart: the same store, another table. */
static void restart(struct room *r) {
    struct transfers *files = &r->files;
    const struct transfers fresh = {.turn = files->turn,
                                    .keep = files->keep,
                                    .work = files->work,
                                    .contacts = files->contacts,
                                    .part = files->part};
    transfers_clear(files);
    *files = fresh;
    r->turn.now_us += 1000;
    assert_int_equal(transfer_store_load(files), 0);
}

static void what_ended_is_as_it_was_and_what_had_not_has_failed(void **state) {
    (void)state;
    struct room *r = room_new(1);
    struct noted n = {0};
    struct transfer *a = room_transfer(r, 0, true, &n), *b = room_transfer(r, 1, false, &n);
    a->info.files = 3;
    a->info.bytes_total = 1 << 30;
    snprintf(a->info.dir, sizeof a->info.dir, "/somewhere");
    transfer_enter(&r->files, b, TRANSFER_RUNNING);
    transfer_abort(&r->files, a, ERR_EXISTS, "name");
    const struct transfer_info was = a->info;
    transfer_store_pump(&r->files);
    assert_int_equal(store_mem_count(r->store, "transfers"), 2);
    restart(r);
    assert_int_equal(r->files.count, 2);
    const struct transfer *t = transfer_by_id(&r->files, 1);
    assert_int_equal(t->info.state, TRANSFER_FAILED);
    assert_int_equal(t->info.err, ERR_EXISTS);
    assert_string_equal(t->info.detail, "name");
    assert_string_equal(t->info.contact, "contact0");
    assert_string_equal(t->info.dir, "/somewhere");
    assert_int_equal(t->info.files, 3);
    assert_int_equal(t->info.bytes_total, 1 << 30);
    assert_true(t->info.outgoing);
    assert_int_equal(t->info.ended_us - t->info.started_us, was.ended_us - was.started_us);
    assert_int_equal(transfer_by_id(&r->files, 2)->info.err, ERR_ENDED);
    room_free(r);
}

static void no_number_is_given_twice(void **state) {
    (void)state;
    struct room *r = room_new(2);
    struct noted n = {0};
    uint64_t last = 0;
    for (unsigned i = 0; i < 100; i++) {
        struct transfer *t = room_transfer(r, 0, true, &n);
        assert_true(t->info.id > last);
        last = t->info.id;
        transfer_abort(&r->files, t, ERR_CANCELLED, NULL);
        transfer_store_pump(&r->files);
        if (i % 10 == 9)
            restart(r); /* as after a crash: what was laid by is skipped */
    }
    last = room_transfer(r, 0, true, &n)->info.id;
    transfer_store_end(&r->files); /* an orderly end gives back what was not used */
    restart(r);
    assert_int_equal(room_transfer(r, 0, true, &n)->info.id, last + 1);
    room_free(r);
}

static void what_left_the_list_leaves_the_store(void **state) {
    (void)state;
    struct room *r = room_new(3);
    struct noted n = {0};
    for (unsigned i = 0; i < 3; i++)
        (void)room_transfer(r, i, true, &n);
    transfer_store_pump(&r->files);
    assert_int_equal(store_mem_count(r->store, "transfers"), 3);
    transfers_drop_oldest(&r->files);
    r->turn.now_us += 1000000;
    transfer_store_pump(&r->files);
    assert_int_equal(store_mem_count(r->store, "transfers"), 2);
    restart(r);
    assert_null(transfer_by_id(&r->files, 1));
    assert_non_null(transfer_by_id(&r->files, 3));
    room_free(r);
}

static void a_full_disk_is_tried_again(void **state) {
    (void)state;
    struct room *r = room_new(4);
    struct noted n = {0};
    struct transfer *t = room_transfer(r, 0, true, &n);
    store_mem_fail(r->store, 0, ERR_DISK);
    transfer_store_pump(&r->files);
    assert_int_equal(store_mem_count(r->store, "transfers"), 0);
    assert_true(t->changed);
    store_mem_fail(r->store, 0, 0);
    transfer_store_pump(&r->files); /* not yet */
    assert_int_equal(store_mem_count(r->store, "transfers"), 0);
    r->turn.now_us = write_pace_deadline_us(&r->files.pace);
    transfer_store_pump(&r->files);
    assert_int_equal(store_mem_count(r->store, "transfers"), 1);
    assert_false(t->changed);
    room_free(r);
}

static void an_entry_cut_short_is_none(void **state) {
    (void)state;
    struct room *r = room_new(5);
    struct noted n = {0};
    struct transfer *t = room_transfer(r, 0, false, &n);
    uint8_t value[TRANSFER_VALUE_MAX], key[MANIFEST_KEY_BYTES] = {7};
    manifest_init(&t->manifest, key);
    assert_int_equal(manifest_add(&t->manifest, "one", 3), 0);
    t->manifest.files[0].size = 5;
    const size_t len = transfer_entry_write(t, r->turn.now_us, value);
    for (size_t i = 0; i <= len; i++) {
        struct transfer back = {0};
        assert_int_equal(transfer_entry_read(&back, value, i), i == len);
        if (i == len)
            assert_string_equal(back.manifest.files[0].name, "one");
        manifest_clear(&back.manifest);
    }
    value[0]++; /* a version that is not known */
    struct transfer back = {0};
    assert_false(transfer_entry_read(&back, value, len));
    manifest_clear(&back.manifest);
    room_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ended_is_as_it_was_and_what_had_not_has_failed),
        cmocka_unit_test(no_number_is_given_twice),
        cmocka_unit_test(what_left_the_list_leaves_the_store),
        cmocka_unit_test(a_full_disk_is_tried_again),
        cmocka_unit_test(an_entry_cut_short_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
