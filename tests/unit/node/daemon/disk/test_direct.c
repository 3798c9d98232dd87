/* Writing past the page cache: the file must be the bytes, whatever their sizes and whatever the
 * file system says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/daemon/disk/odirect.h"

enum { B = DIRECT_BUFFER_BYTES, A = DIRECT_ALIGN_BYTES };

#ifndef O_DIRECT
#define O_DIRECT 0
#endif

/* ---- a kernel that is told what to do ---- */

static struct script {
    size_t take;         /* a write takes at most so many bytes (0: all) */
    unsigned interrupts; /* so many fail with EINTR first */
    bool refuses;        /* EINVAL while O_DIRECT is on */
    bool strict;         /* EINVAL while it is on and something is not aligned, as disks do */
    int err;             /* every write fails with this, after */
    unsigned after;      /* so many */
    bool zero;           /* writes nothing */
    unsigned calls, direct_calls;
} script;

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at) {
    const bool direct = (fcntl(fd, F_GETFL) & O_DIRECT) != 0;
    const unsigned call = script.calls++;
    script.direct_calls += direct;
    if (script.err && call >= script.after) {
        errno = script.err;
        return -1;
    }
    if (script.zero)
        return 0;
    if (script.interrupts > 0) {
        script.interrupts--;
        errno = EINTR;
        return -1;
    }
    const bool odd = (uintptr_t)buf % A != 0 || len % A != 0 || at % A != 0;
    if (direct && (script.refuses || (script.strict && odd))) {
        errno = EINVAL;
        return -1;
    }
    if (script.take && len > script.take)
        len = script.take;
    return __real_pwrite(fd, buf, len, at);
}

/* ---- files ---- */

static uint8_t byte_at(uint64_t i) {
    return (uint8_t)(i * 131 + (i >> 12) * 7 + (i >> 20));
}

static int temp_file(const char *dir) {
    char name[64];
    strcpy(name, dir);
    strcat(name, "/meshd-direct-XXXXXX");
    const int fd = mkstemp(name);
    if (fd >= 0)
        (void)unlink(name);
    return fd;
}

static bool is_direct(int fd) {
    return (fcntl(fd, F_GETFL) & O_DIRECT) != 0;
}

/* Writes `total` bytes in pieces of `piece`, each in three parts; gives the first error. `hash` may
 * be NULL. */
static int write_all(struct direct *d, uint64_t total, size_t piece, struct treehash *hash) {
    uint8_t *buf = malloc(piece);
    assert_non_null(buf);
    int err = 0;
    for (uint64_t at = 0; at < total && !err;) {
        const size_t n = total - at < piece ? (size_t)(total - at) : piece;
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_at(at + i);
        const size_t first = n / 3, second = n / 5;
        const struct os_piece iov[] = {
            {buf, first}, {buf + first, second}, {buf + first + second, n - first - second}};
        err = direct_write(d, iov, 3, hash);
        at += n;
    }
    free(buf);
    return err;
}

/* On the disk, and to the hash. */
static void is_the_bytes(int fd, uint64_t total, const struct treehash *hash) {
    static uint8_t buf[B];
    uint8_t root[TREEHASH_BYTES], want[TREEHASH_BYTES];
    struct treehash *plain = treehash_new();
    assert_non_null(plain);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, total);
    for (uint64_t at = 0; at < total;) {
        const ssize_t n = pread(fd, buf, sizeof buf, (off_t)at);
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            if (buf[i] != byte_at(at + (uint64_t)i))
                fail_msg("byte %u of %u differs", (unsigned)(at + (uint64_t)i), (unsigned)total);
        treehash_update(plain, buf, (size_t)n);
        at += (uint64_t)n;
    }
    treehash_final(plain, want);
    treehash_final(hash, root);
    assert_memory_equal(root, want, sizeof root);
    treehash_free(plain);
}

/* The whole way, on the directory's file system; false if it has no O_DIRECT. */
static bool passes(const char *dir, uint64_t total, size_t piece, const struct script *how) {
    const int fd = temp_file(dir);
    if (fd < 0)
        return false; /* no such directory here */
    struct direct d;
    memset(&script, 0, sizeof script);
    if (!direct_begin(&d, (struct os_file){fd})) {
        assert_null(d.buffers[0]);
        assert_false(is_direct(fd));
        close(fd);
        return false;
    }
    assert_true(is_direct(fd));
    script = *how;
    struct treehash *hash = treehash_new();
    assert_non_null(hash);
    assert_int_equal(write_all(&d, total, piece, hash), 0);
    assert_int_equal(direct_end(&d), 0);
    assert_null(d.buffers[0]);
    if (total % A != 0)
        assert_false(is_direct(fd)); /* the end fills no page */

    const int flags = fcntl(fd, F_GETFL);
    assert_int_equal(fcntl(fd, F_SETFL, flags & ~O_DIRECT), 0);
    is_the_bytes(fd, total, hash);
    treehash_free(hash);
    close(fd);
    return true;
}

static const char *const dirs[] = {".", "/tmp", "/dev/shm"};

static void every_size_around_the_borders_is_written_whole(void **state) {
    (void)state;
    static const uint64_t totals[] = {
        0, 1,     511,       512,   A - 1,     A,         A + 1, B - A,     B - A + 1, B - 1,
        B, B + 1, B + A - 1, B + A, B + A + 1, 2 * B - 1, 2 * B, 2 * B + 1, 3 * B - A, 3 * B + 777};
    static const size_t pieces[] = {1400, A, 65536, B - 1, B, B + 1, 3 * B};
    unsigned done = 0;
    for (size_t k = 0; k < sizeof dirs / sizeof *dirs; k++)
        for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
            for (size_t n = 0; n < sizeof pieces / sizeof *pieces; n++)
                done += passes(dirs[k], totals[i], pieces[n], &(struct script){0});
    printf("%u files written with O_DIRECT\n", done);
}

#ifdef MESHD_TEST_WRAP

/* Whole aligned buffers leave directly, only the end does not. */
static void only_the_last_bytes_go_through_the_cache(void **state) {
    (void)state;
    if (!passes(".", 2 * B + A + 5, 1400, &(struct script){.strict = true}))
        skip();
    assert_int_equal(script.calls, 4); /* two buffers, a page, five bytes */
    assert_int_equal(script.direct_calls, 3);
}

/* A file system that took the flag and refuses the write: once, then as usual. */
static void who_refuses_is_not_asked_again(void **state) {
    (void)state;
    static const uint64_t totals[] = {5, A, A + 5, B, 3 * B + A + 5};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        if (!passes(".", totals[i], 5000, &(struct script){.refuses = true}))
            skip();
        assert_int_equal(script.direct_calls, totals[i] >= A);
    }
}

/* Short writes: aligned ones go on directly; after one that is not, the disk refuses and the rest
 * goes as usual. */
static void short_writes_lose_and_repeat_nothing(void **state) {
    (void)state;
    static const size_t takes[] = {A, 3 * A, 65536, 1000, A + 1, 300001};
    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++)
        for (unsigned interrupts = 0; interrupts < 4; interrupts += 3)
            for (int strict = 0; strict < 2; strict++)
                if (!passes(".", 2 * B + A + 5, 65536,
                            &(struct script){.take = takes[i],
                                             .interrupts = interrupts,
                                             /* the real disk is strict where ours is not asked */
                                             .strict = strict || takes[i] % A != 0}))
                    skip();
}

static void what_the_disk_says_is_told(void **state) {
    (void)state;
    static const struct {
        struct script how;
        int err;
    } table[] = {{{.err = ENOSPC}, ENOSPC},
                 {{.err = ENOSPC, .after = 1}, ENOSPC},
                 {{.err = EIO, .after = 2}, EIO},
                 {{.err = EINVAL, .after = 0}, EINVAL}, /* also as usual */
                 {{.zero = true}, EIO}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const int fd = temp_file(".");
        assert_true(fd >= 0);
        struct direct d;
        if (!direct_begin(&d, (struct os_file){fd})) {
            close(fd);
            skip();
        }
        memset(&script, 0, sizeof script);
        script = table[i].how;
        int err = write_all(&d, 2 * B + A + 5, 65536, NULL);
        const int end = direct_end(&d);
        if (!err)
            err = end;
        assert_int_equal(err, table[i].err);
        assert_null(d.buffers[0]);
        direct_drop(&d); /* twice is fine */
        close(fd);
    }
}

#endif

/* Each has two buffers and a thread: sixteen at once, further ones as usual, and another when one
 * has ended. */
static void only_so_many_files_are_direct_at_once(void **state) {
    (void)state;
    struct direct d[DIRECT_FILES_MAX], more;
    int fds[DIRECT_FILES_MAX + 1];
    memset(&script, 0, sizeof script);
    for (unsigned i = 0; i <= DIRECT_FILES_MAX; i++) {
        fds[i] = temp_file(".");
        assert_true(fds[i] >= 0);
    }
    const int last = fds[DIRECT_FILES_MAX];
    const bool can = os_file_set_direct((struct os_file){last}, true) == 0;
    assert_int_equal(os_file_set_direct((struct os_file){last}, false), 0);
    unsigned begun = 0;
    while (begun < DIRECT_FILES_MAX && direct_begin(&d[begun], (struct os_file){fds[begun]}))
        begun++;
    assert_int_equal(begun, can ? DIRECT_FILES_MAX : 0); /* who is done has given its place back */
    if (can) {
        assert_false(direct_begin(&more, (struct os_file){last}));
        assert_false(is_direct(last));
        direct_drop(&more); /* frees no place that it does not have */
        assert_false(direct_begin(&more, (struct os_file){last}));
        assert_int_equal(write_all(&d[3], B + 5, 65536, NULL), 0);
        assert_int_equal(direct_end(&d[3]), 0);
        assert_true(direct_begin(&more, (struct os_file){last}));
        assert_false(direct_begin(&d[3], (struct os_file){fds[3]}));
        direct_drop(&d[5]); /* given up */
        assert_true(direct_begin(&d[3], (struct os_file){fds[3]}));
        direct_drop(&more);
    }
    for (unsigned i = 0; i < begun; i++)
        direct_drop(&d[i]);
    for (unsigned i = 0; i <= DIRECT_FILES_MAX; i++)
        close(fds[i]);
    if (!can)
        skip();
}

static void not_in_use_is_all_zeroes(void **state) {
    (void)state;
    struct direct d = {0};
    assert_int_equal(direct_end(&d), 0);
    direct_drop(&d);
    assert_false(direct_begin(&d, (struct os_file){-1})); /* no file: no */
    assert_null(d.buffers[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_around_the_borders_is_written_whole),
#ifdef MESHD_TEST_WRAP
        cmocka_unit_test(only_the_last_bytes_go_through_the_cache),
        cmocka_unit_test(who_refuses_is_not_asked_again),
        cmocka_unit_test(short_writes_lose_and_repeat_nothing),
        cmocka_unit_test(what_the_disk_says_is_told),
#endif
        cmocka_unit_test(only_so_many_files_are_direct_at_once),
        cmocka_unit_test(not_in_use_is_all_zeroes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
