/* The virtual disk: what a name holds, what is kept, what goes wrong and when, what a power cut
 * takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/disk/disk.h"

enum { SLOT = 7, BYTES = 5000 };

struct bench {
    struct draw draw;
    struct disk *disk;
    struct block *block;
    uint8_t data[BYTES];
};

static struct bench *bench(bool keeps) {
    static struct bench b;
    static _Alignas(16) uint8_t memory[sizeof(struct block) + BYTES];
    draw_init(&b.draw, 1);
    b.disk = disk_new(&b.draw, 0);
    if (keeps)
        disk_keep_bytes(b.disk);
    b.block = (struct block *)(void *)memory;
    return &b;
}

static int run(struct bench *b, struct file_op *op) {
    op->slot = SLOT;
    disk_run(b->disk, 0, op);
    return op->err;
}

static int simple(struct bench *b, enum file_op_kind kind, const char *path, const char *name) {
    struct file_op op = {.kind = kind, .path = path, .name = name, .id = 1, .mode = 0600};
    return run(b, &op);
}

static int write_at(struct bench *b, uint64_t at, const void *bytes, size_t len) {
    struct file_op op = {.kind = FILE_OP_WRITE, .offset = at, .nspans = 1};
    op.spans[0] = (struct span){.block = b->block, .len = (uint32_t)len};
    memcpy(b->block->data, bytes, len);
    const int err = run(b, &op);
    assert_int_equal(op.bytes, err ? 0 : len);
    return err;
}

static int read_at(struct bench *b, uint64_t at, size_t len, uint64_t *got) {
    struct file_op op = {.kind = FILE_OP_READ, .offset = at, .nspans = 1};
    op.spans[0] = (struct span){.block = b->block, .len = (uint32_t)len};
    const int err = run(b, &op);
    memcpy(b->data, b->block->data, len);
    *got = op.bytes;
    return err;
}

static void commit(struct bench *b, const char *dir, const char *name, const void *bytes,
                   size_t len) {
    struct file_op op = {.kind = FILE_OP_CREATE, .path = dir, .name = name, .size = len};
    assert_int_equal(run(b, &op), 0);
    assert_int_equal(write_at(b, 0, bytes, len), 0);
    assert_int_equal(simple(b, FILE_OP_COMMIT, NULL, NULL), 0);
}

static bool there(const struct bench *b, const char *path) {
    struct disk_file_info info;
    return disk_file_info(b->disk, path, &info);
}

/* ---- what files hold ---- */

static void a_name_holds_the_same_bytes_on_every_disk(void **state) {
    (void)state;
    struct bench *b = bench(false);
    struct disk *other = disk_new(&b->draw, 5);
    assert_int_equal(disk_make_file(b->disk, "/x/name", 100000), 0);
    assert_int_equal(disk_make_file(b->disk, "/x/name", 100000), ERR_EXISTS);
    assert_int_equal(disk_make_file(other, "/elsewhere/name", 100000), 0);
    assert_int_equal(disk_make_file(other, "/x/eman", 100000), 0);
    assert_int_equal(disk_make_file(other, "/y/name", 99999), 0);
    assert_true(disk_same(b->disk, "/x/name", other, "/elsewhere/name"));
    assert_false(disk_same(b->disk, "/x/name", other, "/x/eman"));
    assert_false(disk_same(b->disk, "/x/name", other, "/y/name"));
    assert_false(disk_same(b->disk, "/x/name", other, "/none"));
    assert_int_equal(disk_make_again(other, "/elsewhere/name", 100000, 1), 0);
    assert_false(disk_same(b->disk, "/x/name", other, "/elsewhere/name"));
    disk_free(other);
    disk_free(b->disk);
}

static void a_wrong_byte_is_counted(void **state) {
    (void)state;
    struct bench *b = bench(false);
    uint8_t right[100];
    disk_generate(disk_content_key(&b->draw, "f"), 0, right, sizeof right);
    commit(b, "in", "f", right, sizeof right);
    assert_int_equal(disk_partial(b->disk), 0);
    right[50] ^= 1;
    commit(b, "in2", "f", right, sizeof right);
    assert_int_equal(disk_partial(b->disk), 1);
    disk_free(b->disk);
}

static void kept_bytes_are_what_was_written(void **state) {
    (void)state;
    struct bench *b = bench(true);
    struct file_op op = {.kind = FILE_OP_CREATE, .path = "in", .name = "f", .size = 9};
    uint64_t got;
    assert_int_equal(run(b, &op), 0);
    assert_int_equal(write_at(b, 1000, "end", 3), 0); /* what is before it is zeroes */
    assert_int_equal(write_at(b, 2, "mid", 3), 0);
    assert_int_equal(simple(b, FILE_OP_COMMIT, NULL, NULL), 0);
    assert_int_equal(simple(b, FILE_OP_OPEN, "in/f", NULL), 0);
    assert_int_equal(read_at(b, 0, 2000, &got), 0);
    assert_int_equal(got, 1003);
    assert_memory_equal(b->data, "\0\0mid\0\0", 7);
    assert_memory_equal(b->data + 999, "\0end", 4);
    assert_int_equal(read_at(b, 1003, 1, &got), 0);
    assert_int_equal(got, 0);
    disk_free(b->disk);
}

/* ---- names ---- */

static void a_file_has_its_name_when_it_is_whole(void **state) {
    (void)state;
    struct bench *b = bench(true);
    struct file_op op = {.kind = FILE_OP_CREATE, .path = "in", .name = "f"};
    assert_int_equal(simple(b, FILE_OP_CHECK, "in", "f"), 0);
    assert_int_equal(run(b, &op), 0);
    assert_false(there(b, "in/f"));
    assert_int_equal(simple(b, FILE_OP_COMMIT, NULL, NULL), 0);
    assert_int_equal(simple(b, FILE_OP_CHECK, "in", "f"), ERR_EXISTS);
    assert_int_equal(run(b, &op), ERR_EXISTS);
    assert_int_equal(simple(b, FILE_OP_OPEN, "in/f", NULL), 0);
    assert_int_equal(op.slot, SLOT);
    struct file_op close = {.kind = FILE_OP_CLOSE};
    assert_int_equal(run(b, &close), 0);
    op.name = "g";
    assert_int_equal(run(b, &op), 0);
    assert_int_equal(run(b, &close), 0); /* given up */
    struct disk_totals t;
    disk_totals(b->disk, &t);
    assert_true(t.files == 1 && t.temporaries == 0 && t.open_slots == 0);
    disk_free(b->disk);
}

static void a_power_cut_takes_names_that_are_not_synced(void **state) {
    (void)state;
    struct bench *b = bench(true);
    struct file_op open = {.kind = FILE_OP_CREATE, .path = "in", .name = "open"};
    commit(b, "in", "safe", "x", 1);
    assert_int_equal(simple(b, FILE_OP_SYNC_DIR, "in", NULL), 0);
    commit(b, "in", "drawn", "x", 1);
    commit(b, "in", "lost", "x", 1);
    assert_int_equal(run(b, &open), 0);
    disk_power_cut(b->disk, 1u << 1); /* the second one, of what is not safe */
    assert_true(there(b, "in/safe") && there(b, "in/drawn") && !there(b, "in/lost"));
    struct disk_totals t;
    disk_totals(b->disk, &t);
    assert_true(t.files == 2 && t.temporaries == 0 && t.open_slots == 0);
    disk_power_cut(b->disk, 0); /* what has survived one is on the disk */
    assert_true(there(b, "in/drawn"));
    disk_free(b->disk);
}

static void a_dead_process_leaves_temporaries_and_the_next_sweeps_them(void **state) {
    (void)state;
    struct bench *b = bench(true);
    struct file_op op = {.kind = FILE_OP_CREATE, .path = "in", .name = "f"};
    struct disk_totals t;
    commit(b, "in", "whole", "x", 1);
    assert_int_equal(run(b, &op), 0);
    disk_crash(b->disk);
    disk_totals(b->disk, &t);
    assert_true(t.files == 2 && t.temporaries == 1 && t.open_slots == 0);
    disk_sweep(b->disk);
    disk_totals(b->disk, &t);
    assert_true(t.files == 1 && t.temporaries == 0);
    disk_free(b->disk);
}

/* ---- what goes wrong ---- */

static void the_nth_operation_fails_and_so_many_after_it(void **state) {
    (void)state;
    struct bench *b = bench(true);
    struct disk_faults *f = disk_faults_of(b->disk);
    f->fail_after = 2;
    f->fail_more = 1;
    assert_int_equal(simple(b, FILE_OP_PREPARE, "in", NULL), 0);
    assert_int_equal(simple(b, FILE_OP_SYNC_DIR, "in", NULL), ERR_IO);
    assert_int_equal(simple(b, FILE_OP_CLOSE, NULL, NULL), 0); /* it cannot, and does not count */
    assert_int_equal(simple(b, FILE_OP_CHECK, "in", "f"), ERR_IO);
    assert_int_equal(simple(b, FILE_OP_CHECK, "in", "f"), 0);
    disk_free(b->disk);
}

static void a_directory_that_cannot_be_synced_makes_nothing_safe(void **state) {
    (void)state;
    struct bench *b = bench(true);
    disk_configure(b->disk, &(struct disk_config){.sync_error_ppb = DRAW_ALWAYS_PPB});
    commit(b, "in", "f", "x", 1);
    assert_int_equal(simple(b, FILE_OP_SYNC_DIR, "in", NULL), ERR_IO);
    disk_power_cut(b->disk, 0);
    assert_false(there(b, "in/f"));
    disk_free(b->disk);

    /* Half of them: as many as one expects, and not by the draws of reads. */
    b = bench(true);
    unsigned failed = 0;
    disk_configure(b->disk, &(struct disk_config){.sync_error_ppb = DRAW_ALWAYS_PPB / 2});
    for (unsigned i = 0; i < 1000; i++)
        failed += simple(b, FILE_OP_SYNC_DIR, "in", NULL) == ERR_IO;
    assert_in_range(failed, 450, 550);
    disk_free(b->disk);
}

static void a_full_disk_promises_and_takes_no_more(void **state) {
    (void)state;
    struct bench *b = bench(true);
    struct file_op prepare = {.kind = FILE_OP_PREPARE, .path = "in", .size = 101};
    struct file_op create = {.kind = FILE_OP_CREATE, .path = "in", .name = "f"};
    static const uint8_t bytes[100];
    disk_configure(b->disk, &(struct disk_config){.capacity_bytes = 100});
    assert_int_equal(run(b, &prepare), ERR_DISK);
    prepare.size = 100;
    assert_int_equal(run(b, &prepare), 0);
    assert_int_equal(run(b, &create), 0);
    assert_int_equal(write_at(b, 0, bytes, 60), 0);
    assert_int_equal(write_at(b, 60, bytes, 41), ERR_DISK);
    assert_int_equal(write_at(b, 60, bytes, 40), 0);
    assert_int_equal(simple(b, FILE_OP_CLOSE, NULL, NULL), 0);
    assert_int_equal(run(b, &prepare), 0); /* given up, its room is free */
    disk_configure(b->disk, &(struct disk_config){0});
    disk_faults_of(b->disk)->room = 99;
    disk_faults_of(b->disk)->room_late = 120;
    assert_int_equal(run(b, &prepare), ERR_DISK);
    assert_int_equal(run(b, &create), 0);
    assert_int_equal(write_at(b, 0, bytes, 21), ERR_DISK);
    assert_int_equal(write_at(b, 0, bytes, 20), 0);
    disk_free(b->disk);
}

static void a_file_changes_while_it_is_sent(void **state) {
    (void)state;
    struct bench *b = bench(true);
    struct disk_faults *f = disk_faults_of(b->disk);
    assert_int_equal(disk_make_file(b->disk, "/f", 100), 0);
    f->grow = "/f";
    f->flip = "/f";
    for (unsigned i = 0; i < 2; i++) { /* what is opened is what it was before */
        struct file_op open = {.kind = FILE_OP_OPEN, .path = "/f"};
        struct file_op close = {.kind = FILE_OP_CLOSE};
        assert_int_equal(run(b, &open), 0);
        assert_int_equal(open.size, 100);
        assert_int_equal(run(b, &close), 0);
        assert_int_equal(close.size, 100 + i);
    }
    struct treehash *said = treehash_new(), *came = treehash_new();
    uint8_t a[TREEHASH_BYTES], c[TREEHASH_BYTES];
    struct file_op open = {.kind = FILE_OP_OPEN, .path = "/f"};
    struct file_op read = {.kind = FILE_OP_READ, .nspans = 1, .hash = said};
    read.spans[0] = (struct span){.block = b->block, .len = 101};
    assert_true(run(b, &open) == 0 && run(b, &read) == 0 && read.bytes == 101);
    treehash_update(came, b->block->data, 101);
    treehash_final(said, a);
    treehash_final(came, c);
    assert_memory_not_equal(a, c, TREEHASH_BYTES);
    treehash_free(said);
    treehash_free(came);
    f->read_error = "/f";
    assert_int_equal(run(b, &read), ERR_IO);
    disk_free(b->disk);
}

static void operations_wait_for_those_before_them(void **state) {
    (void)state;
    struct bench *b = bench(false);
    const struct file_op check = {.kind = FILE_OP_CHECK};
    struct file_op write = {.kind = FILE_OP_WRITE, .nspans = 1};
    write.spans[0].len = 1000;
    disk_configure(b->disk, &(struct disk_config){.latency_ns = 10, .rate_bytes = 1000000000});
    assert_int_equal(disk_submit(b->disk, 100, &check), 110);
    assert_int_equal(disk_submit(b->disk, 100, &write), 1120);
    assert_int_equal(disk_submit(b->disk, 2000, &check), 2010);
    disk_free(b->disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_holds_the_same_bytes_on_every_disk),
        cmocka_unit_test(a_wrong_byte_is_counted),
        cmocka_unit_test(kept_bytes_are_what_was_written),
        cmocka_unit_test(a_file_has_its_name_when_it_is_whole),
        cmocka_unit_test(a_power_cut_takes_names_that_are_not_synced),
        cmocka_unit_test(a_dead_process_leaves_temporaries_and_the_next_sweeps_them),
        cmocka_unit_test(the_nth_operation_fails_and_so_many_after_it),
        cmocka_unit_test(a_directory_that_cannot_be_synced_makes_nothing_safe),
        cmocka_unit_test(a_full_disk_promises_and_takes_no_more),
        cmocka_unit_test(a_file_changes_while_it_is_sent),
        cmocka_unit_test(operations_wait_for_those_before_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
