/* Operations on the worker pool, and what becomes of them when there is no memory to hand them
 * over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/daemon/disk/fileio.h"

/* ---- an allocator that is told what to do ---- */

/* 0: none fails; n: the n-th of this thread from now, once. */
static _Thread_local unsigned fail_after;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n) {
    return fail_after > 0 && --fail_after == 0 ? NULL : __real_malloc(n);
}

/* ---- a directory, and who wants something done in it ---- */

enum { FILES = 5 };

struct place {
    char dir[64];
    int dir_fd;
    uv_loop_t loop;
    struct log log;
    struct fileio *f;
    struct file_op ops[FILES];
    unsigned done, all_done;
};

static void on_done(void *ctx, struct file_op *op) {
    struct place *p = ctx;
    (void)op;
    p->done++;
}

static void on_all_done(void *ctx) {
    ((struct place *)ctx)->all_done++;
}

static void place_open(struct place *p) {
    *p = (struct place){0};
    strcpy(p->dir, "./meshd-fileio-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->dir_fd = open(p->dir, O_RDONLY | O_DIRECTORY);
    assert_true(p->dir_fd >= 0);
    assert_int_equal(uv_loop_init(&p->loop), 0);
    const struct fileio_setup setup = {.state = {p->dir_fd},
                                       .state_dir = p->dir,
                                       .umask = 077,
                                       .done = on_done,
                                       .all_done = on_all_done,
                                       .ctx = p};
    assert_int_equal(fileio_open(&p->f, &p->loop, &setup, &p->log), 0);
}

static void place_close(struct place *p) {
    char command[96] = "rm -r ";
    fileio_close(p->f);
    assert_int_equal(uv_run(&p->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&p->loop), 0);
    close(p->dir_fd);
    strcat(command, p->dir);
    assert_int_equal(system(command), 0);
}

static const char *name_of(unsigned i) {
    static const char *const names[FILES] = {"a", "b", "c", "d", "e"};
    return names[i];
}

/* One operation for each file. */
static void submit_all(struct place *p, enum file_op_kind kind) {
    for (unsigned i = 0; i < FILES; i++) {
        p->ops[i] = (struct file_op){.kind = kind,
                                     .slot = i,
                                     .path = p->dir,
                                     .name = name_of(i),
                                     .id = i,
                                     .mode = 0600,
                                     .err = ERR_FAILED};
        fileio_submit(p->f, &p->ops[i]);
    }
}

static void all_went_well(struct place *p) {
    assert_int_equal(p->done, FILES);
    assert_int_equal(fileio_pending(p->f), 0);
    for (unsigned i = 0; i < FILES; i++)
        assert_int_equal(p->ops[i].err, 0);
    p->done = 0;
}

static bool is_there(const struct place *p, unsigned i) {
    struct stat st;
    return fstatat(p->dir_fd, name_of(i), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void operations_come_back_finished(void **state) {
    (void)state;
    struct place p;
    place_open(&p);
    static const enum file_op_kind kinds[] = {FILE_OP_CREATE, FILE_OP_COMMIT};
    for (unsigned k = 0; k < 2; k++) {
        submit_all(&p, kinds[k]);
        assert_int_equal(p.done, 0); /* nothing is done behind the loop's back */
        fileio_flush(p.f);
        assert_int_equal(fileio_pending(p.f), FILES);
        assert_int_equal(uv_run(&p.loop, UV_RUN_DEFAULT), 0);
        all_went_well(&p);
        assert_true(p.all_done > 0);
    }
    for (unsigned i = 0; i < FILES; i++)
        assert_true(is_there(&p, i));
    place_close(&p);
}

#ifdef MESHD_TEST_WRAP

/* A file that is half written must not stay so because its next operation could not be handed over:
 * it runs here. */
static void without_memory_to_hand_over_operations_run_here(void **state) {
    (void)state;
    for (unsigned share = 1; share <= 2; share++) {
        struct place p;
        place_open(&p);
        submit_all(&p, FILE_OP_CREATE);
        fail_after = share; /* the first thread's, or the second's */
        fileio_flush(p.f);
        assert_int_equal(fail_after, 0);
        assert_in_range(p.done, 1, FILES - 1); /* one share, at once */
        const unsigned at_once = p.done;
        assert_int_equal(fileio_pending(p.f), FILES - at_once);
        assert_int_equal(uv_run(&p.loop, UV_RUN_DEFAULT), 0);
        all_went_well(&p);
        submit_all(&p, FILE_OP_COMMIT); /* the files are open as if a thread had made them */
        fileio_flush(p.f);
        assert_int_equal(uv_run(&p.loop, UV_RUN_DEFAULT), 0);
        all_went_well(&p);
        for (unsigned i = 0; i < FILES; i++)
            assert_true(is_there(&p, i));
        place_close(&p);
    }
}

/* Without memory for the file itself the operation has failed, and only that one. */
static void without_memory_for_a_file_its_operation_fails(void **state) {
    (void)state;
    struct place p;
    place_open(&p);
    fail_after = 1;
    submit_all(&p, FILE_OP_CREATE);
    assert_int_equal(p.done, 1);
    assert_int_equal(p.ops[0].err, ERR_NOMEM);
    fileio_flush(p.f);
    assert_int_equal(uv_run(&p.loop, UV_RUN_DEFAULT), 0);
    p.ops[0].err = 0;
    all_went_well(&p);
    place_close(&p);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_come_back_finished),
#ifdef MESHD_TEST_WRAP
        cmocka_unit_test(without_memory_to_hand_over_operations_run_here),
        cmocka_unit_test(without_memory_for_a_file_its_operation_fails),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
