/* File operations as the worker runs them: files without a name until they are whole, temporaries
 * where that cannot be, what is refused, and what is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "scripted.h"

/* Small files have no name, and no note, until they are whole; the others are hidden temporaries
 * with one. */
static void a_file_gets_its_name_when_it_is_whole(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++) {
        struct place p;
        way_open(&p, (enum way)way);
        assert_int_equal(run(&p, FILE_OP_CREATE, "a file", size_of((enum way)way)), 0);
        const bool named = p.slot.temp[0] != '\0';
        if (way == NO_PROC || way == LARGE)
            assert_true(named);
        assert_int_equal(empty(p.dir, false), named);
        assert_int_equal(empty(p.partials, false), named);
        assert_int_equal(write_text(&p, "hello"), 0);
        assert_int_equal(empty(p.dir, false), named);
        assert_int_equal(run(&p, FILE_OP_COMMIT, NULL, 0), 0);
        assert_int_equal(p.slot.file.fd, -1);
        assert_int_equal(empty(p.dir, false), 1);
        assert_int_equal(empty(p.partials, false), 0);
        is_file(&p, "a file", "hello");
#ifdef MESHD_TEST_WRAP
        assert_int_equal(script.file_syncs, 1);
        assert_int_equal(script.dir_syncs, 0); /* once for all, by FILE_OP_SYNC_DIR */
        assert_int_equal(named, way != UNNAMED || !os_dir_can_name());
#endif
        place_close(&p);
    }
}

/* Nothing is replaced: not what was there, not what came meanwhile, not a link that leads
 * nowhere. */
static void a_name_that_is_taken_is_left_alone(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++)
        for (int dangling = 0; dangling < 2; dangling++) {
            struct place p;
            way_open(&p, (enum way)way);
            assert_int_equal(run(&p, FILE_OP_CHECK, "x", 0), 0);
            assert_int_equal(run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)), 0);
            assert_int_equal(write_text(&p, "late"), 0);
            const int dir_fd = open(p.dir, O_RDONLY | O_DIRECTORY);
            if (dangling) {
                assert_int_equal(symlinkat("nowhere", dir_fd, "x"), 0);
            } else {
                const int fd = openat(dir_fd, "x", O_WRONLY | O_CREAT | O_EXCL, 0600);
                assert_int_equal(write(fd, "first", 5), 5);
                close(fd);
            }
            assert_int_equal(run(&p, FILE_OP_COMMIT, NULL, 0), ERR_EXISTS);
            assert_int_equal(p.slot.file.fd, -1);
            assert_int_equal(empty(p.dir, false), 1);
            struct stat st;
            assert_int_equal(fstatat(dir_fd, "x", &st, AT_SYMLINK_NOFOLLOW), 0);
            assert_int_equal(S_ISLNK(st.st_mode), dangling);
            if (!dangling)
                assert_int_equal(st.st_size, 5);
            assert_int_equal(run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)), ERR_EXISTS);
            assert_int_equal(run(&p, FILE_OP_CHECK, "x", 0), ERR_EXISTS);
            assert_int_equal(p.slot.file.fd, -1);
            assert_int_equal(p.slot.dir.fd, -1);
            close(dir_fd);
            place_close(&p);
        }
}

/* Given up half way: no file, no temporary, no note. */
static void what_is_given_up_leaves_nothing(void **state) {
    (void)state;
    for (int way = UNNAMED; way < WAYS; way++) {
        struct place p;
        way_open(&p, (enum way)way);
        assert_int_equal(run(&p, FILE_OP_CREATE, "x", size_of((enum way)way)), 0);
        assert_int_equal(write_text(&p, "half"), 0);
        assert_int_equal(run(&p, FILE_OP_CLOSE, NULL, 0), 0);
        assert_int_equal(empty(p.dir, false), 0);
        assert_int_equal(empty(p.partials, false), 0);
        assert_int_equal(run(&p, FILE_OP_COMMIT, NULL, 0), ERR_IO); /* nothing is open */
        place_close(&p);
    }
}

#ifdef MESHD_TEST_WRAP

/* What surely does not fit is refused before a byte has come. A file system that says it has
 * nothing, or says nothing, is tried: a ramfs takes any file. */
static void room_that_is_not_known_is_tried(void **state) {
    (void)state;
    static const struct {
        long long room;
        uint64_t bytes;
        int err;
    } all[] = {
        {0, 6, 0},           {0, UINT64_C(1) << 40, 0}, {-1, 6, 0},
        {10, 0, 0},          {10, 10 * 4096, 0},        {10, 10 * 4096 + 1, ERR_DISK},
        {1, 4097, ERR_DISK}, {1, UINT64_MAX, ERR_DISK},
    };
    struct place p;
    place_open(&p, true);
    script.tells_room = true;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        script.room = all[i].room;
        struct file_op op = {.kind = FILE_OP_PREPARE, .path = p.dir, .size = all[i].bytes};
        file_op_run(&op, &p.slot, &p.env);
        assert_int_equal(op.err, all[i].err);
    }
    place_close(&p);
}

#endif

static void names_that_lead_elsewhere_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"", ".", "..", "a/b", "/etc/x", "../x", "a/"};
    struct place p;
    place_open(&p, true);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(run(&p, FILE_OP_CREATE, names[i], 5), ERR_USAGE);
        assert_int_equal(run(&p, FILE_OP_CHECK, names[i], 5), ERR_USAGE);
        assert_int_equal(p.slot.file.fd, -1);
    }
    assert_int_equal(empty(p.dir, false), 0);
    place_close(&p);
}

/* As much as there is, and the hash of just that: also where the file ends between two reads, or in
 * one. */
static void a_source_is_read_and_hashed_to_its_end(void **state) {
    (void)state;
    enum { SPAN = 512, MAX = FILE_OP_SPANS * SPAN };
    static const size_t sizes[] = {0,       1,   SPAN,   4 * SPAN, 4 * SPAN + 1, 5 * SPAN - 1,
                                   MAX - 1, MAX, MAX + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct place p;
        place_open(&p, true);
        char path[128];
        (void)snprintf(path, sizeof path, "%s/source", p.dir);
        uint8_t bytes[MAX + 1], root[TREEHASH_BYTES], want[TREEHASH_BYTES];
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(k * 7 + k / 256);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, sizes[i]), (ssize_t)sizes[i]);
        close(fd);
        struct file_op op = {.kind = FILE_OP_OPEN, .slot = 3, .path = path};
        file_op_run(&op, &p.slot, &p.env);
        assert_int_equal(op.err, 0);
        struct treehash *plain = treehash_new();
        op = (struct file_op){.kind = FILE_OP_READ, .slot = 3, .hash = treehash_new()};
        for (; op.nspans < FILE_OP_SPANS; op.nspans++)
            op.spans[op.nspans] = (struct span){block_new(p.pool, SPAN), 0, SPAN};
        file_op_run(&op, &p.slot, &p.env);
        const size_t got = sizes[i] < MAX ? sizes[i] : MAX;
        assert_int_equal(op.err, 0);
        assert_int_equal(op.bytes, got);
        for (size_t k = 0; k < got; k++)
            assert_int_equal(op.spans[k / SPAN].block->data[k % SPAN], bytes[k]);
        treehash_update(plain, bytes, got);
        treehash_final(plain, want);
        treehash_final(op.hash, root);
        assert_memory_equal(root, want, sizeof root);
        for (unsigned k = 0; k < op.nspans; k++)
            block_put(op.spans[k].block);
        treehash_free(plain);
        treehash_free(op.hash);
        place_close(&p);
    }
}

/* An empty file is one; a file that says so and has bytes is told as what it is, before anybody is
 * offered it. */
static void a_file_without_a_size_is_no_source(void **state) {
    (void)state;
    struct place p;
    char path[128];
    place_open(&p, true);
    (void)snprintf(path, sizeof path, "%s/empty", p.dir);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fclose(f);
    struct file_op op = {.kind = FILE_OP_OPEN, .path = path};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(op.err, 0);
    assert_int_equal(op.size, 0);
    assert_int_equal(run(&p, FILE_OP_CLOSE, NULL, 0), 0);
    assert_int_equal(unlink(path), 0);
    if (access("/proc/self/status", R_OK) == 0) {
        op = (struct file_op){.kind = FILE_OP_OPEN, .path = "/proc/self/status"};
        file_op_run(&op, &p.slot, &p.env);
        assert_int_equal(op.err, ERR_UNSIZED);
        assert_int_equal(p.slot.file.fd, -1);
    }
    place_close(&p);
}

/* "The disk is full" would be the wrong word for a file that the file system does not take at all,
 * and for a process that may open no more. */
static void limits_of_the_system_are_told_as_such(void **state) {
    (void)state;
    struct place p;
    struct rlimit was, none;
    place_open(&p, true);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = was;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct file_op op = {.kind = FILE_OP_OPEN, .path = "/etc/passwd"};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(op.err, ERR_FULL);
    assert_int_equal(op.limit, LIMIT_DESCRIPTORS);

    struct block *b = block_new(p.pool, 4096);
    assert_non_null(b);
    memset(b->data, 1, 4096);
    op = (struct file_op){.kind = FILE_OP_CREATE, .path = p.dir, .name = "x", .size = 4096};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(op.err, 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    none = was;
    none.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    op =
        (struct file_op){.kind = FILE_OP_WRITE, .size = 4096, .spans = {{b, 0, 4096}}, .nspans = 1};
    file_op_run(&op, &p.slot, &p.env);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(op.err, ERR_DISK);
    assert_int_equal(op.limit, LIMIT_FILE_SIZE);
    op = (struct file_op){.kind = FILE_OP_CLOSE};
    file_op_run(&op, &p.slot, &p.env);
    block_put(b);
    place_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_its_name_when_it_is_whole),
        cmocka_unit_test(a_name_that_is_taken_is_left_alone),
        cmocka_unit_test(what_is_given_up_leaves_nothing),
#ifdef MESHD_TEST_WRAP
        cmocka_unit_test(room_that_is_not_known_is_tried),
#endif
        cmocka_unit_test(a_file_without_a_size_is_no_source),
        cmocka_unit_test(limits_of_the_system_are_told_as_such),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(a_source_is_read_and_hashed_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
