/* Files and directories by handle: what the callers rely on, on the system at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/os/dir.h"
#include "net/os/process.h"

struct place {
    char path[64];
    struct os_dir dir;
};

static void begin(struct place *p) {
    strcpy(p->path, "/tmp/meshd-test-dir-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    assert_int_equal(os_dir_open(&p->dir, p->path), 0);
}

struct emptying {
    struct os_dir dir;
    unsigned seen;
};

static void take_away(void *ctx, const char *name) {
    struct emptying *e = ctx;
    e->seen++;
    assert_int_equal(os_dir_remove(e->dir, name), 0);
}

static void end(struct place *p, unsigned names) {
    struct emptying e = {p->dir, 0};
    assert_int_equal(os_dir_each(p->dir, take_away, &e), 0);
    assert_int_equal(e.seen, names);
    os_dir_close(&p->dir);
    os_dir_close(&p->dir); /* once is enough */
    assert_int_equal(rmdir(p->path), 0);
}

static void put(struct os_dir d, const char *name, const char *text) {
    struct os_file f;
    assert_int_equal(os_dir_file(d, name, OS_WRITE | OS_NEW, &f), 0);
    assert_int_equal(os_file_write(f, text, strlen(text)), 0);
    assert_int_equal(os_file_close(&f), 0);
}

static void holds(struct os_dir d, const char *name, const char *text) {
    struct os_file f;
    char got[32] = "";
    size_t len;
    assert_int_equal(os_dir_file(d, name, OS_READ, &f), 0);
    assert_int_equal(os_file_read(f, got, sizeof got - 1, &len), 0);
    assert_int_equal(os_file_close(&f), 0);
    got[len] = '\0';
    assert_string_equal(got, text);
}

static void a_new_file_takes_nobodys_place(void **state) {
    (void)state;
    struct place p;
    struct os_file f;
    struct os_info info;
    begin(&p);
    put(p.dir, "a", "first");
    assert_int_equal(os_dir_file(p.dir, "a", OS_WRITE | OS_NEW, &f), EEXIST);
    assert_false(os_file_is_open(f));
    assert_int_equal(os_dir_note(p.dir, "link", "a"), 0);
    assert_int_equal(os_dir_file(p.dir, "link", OS_READ | OS_NOFOLLOW, &f), ELOOP);
    assert_int_equal(os_dir_look(p.dir, "link", &info), 0);
    assert_int_equal(info.kind, OS_LINK);
    assert_int_equal(os_dir_look(p.dir, "a", &info), 0);
    assert_int_equal(info.kind, OS_REGULAR);
    assert_int_equal(info.size, 5);
    assert_int_equal(info.mode & 077, 0);
    assert_int_equal(info.owner, process_user());
    assert_int_equal(os_dir_look(p.dir, "b", &info), ENOENT);
    end(&p, 2);
}

static void renaming_replaces_only_where_it_is_meant_to(void **state) {
    (void)state;
    struct place p;
    begin(&p);
    put(p.dir, "a", "first");
    put(p.dir, "b", "second");
    const int err = os_dir_rename_new(p.dir, "b", "a");
    assert_true(err == EEXIST || err == ENOSYS || err == EINVAL);
    assert_int_equal(os_dir_link(p.dir, "b", "a"), EEXIST);
    holds(p.dir, "a", "first");
    assert_int_equal(os_dir_rename(p.dir, "b", "a"), 0);
    holds(p.dir, "a", "second");
    end(&p, 1);
}

static void pieces_are_one_read_and_one_write(void **state) {
    (void)state;
    struct place p;
    struct os_file f;
    char one[] = "hello ", none[1] = "", two[] = "world", in[3][8] = {{0}};
    const struct os_piece out[] = {{one, 6}, {none, 0}, {two, 5}};
    const struct os_piece into[] = {{in[0], 4}, {in[1], 0}, {in[2], 8}};
    size_t got;
    begin(&p);
    assert_int_equal(os_dir_file(p.dir, "x", OS_READ | OS_WRITE | OS_NEW, &f), 0);
    assert_int_equal(os_file_write_at(f, out, 3, 2), 0);
    assert_int_equal(os_file_read_at(f, into, 3, 2, &got), 0);
    assert_int_equal(got, 11); /* its end comes before theirs */
    assert_memory_equal(in[0], "hell", 4);
    assert_memory_equal(in[2], "o world", 7);
    assert_true(os_file_has_byte(f, 12));
    assert_false(os_file_has_byte(f, 13));
    assert_int_equal(os_file_set_size(f, 3), 0);
    assert_int_equal(os_file_read_at(f, into, 3, 3, &got), 0);
    assert_int_equal(got, 0);
    assert_int_equal(os_file_close(&f), 0);
    end(&p, 1);
}

static void a_file_without_a_name_gets_a_free_one(void **state) {
    (void)state;
    struct place p;
    struct os_file f;
    begin(&p);
    if (os_dir_can_name() && os_dir_unnamed(p.dir, &f) == 0) {
        put(p.dir, "taken", "theirs");
        assert_int_equal(os_file_write(f, "ours", 4), 0);
        assert_int_equal(os_dir_name(p.dir, f, "taken"), EEXIST);
        assert_int_equal(os_dir_name(p.dir, f, "free"), 0);
        assert_int_equal(os_file_close(&f), 0);
        holds(p.dir, "taken", "theirs");
        holds(p.dir, "free", "ours");
        end(&p, 2);
    } else {
        end(&p, 0);
    }
}

static void a_note_is_a_text_that_nobody_follows(void **state) {
    (void)state;
    struct place p;
    char text[16];
    begin(&p);
    assert_int_equal(os_dir_note(p.dir, "n", "/nowhere/at all"), 0);
    assert_int_equal(os_dir_read_note(p.dir, "n", text, sizeof text), 0);
    assert_string_equal(text, "/nowhere/at all");
    assert_int_equal(os_dir_read_note(p.dir, "n", text, 5), 0);
    assert_string_equal(text, "/now");
    assert_int_equal(os_dir_read_note(p.dir, "m", text, sizeof text), ENOENT);
    put(p.dir, "file", "x");
    assert_int_equal(os_dir_read_note(p.dir, "file", text, sizeof text), EINVAL);
    end(&p, 2);
}

static void a_lock_has_one_holder(void **state) {
    (void)state;
    struct place p;
    struct os_file a, b;
    begin(&p);
    assert_int_equal(os_dir_file(p.dir, "lock", OS_READ | OS_WRITE | OS_CREATE, &a), 0);
    assert_int_equal(os_dir_file(p.dir, "lock", OS_READ | OS_WRITE | OS_CREATE, &b), 0);
    assert_int_equal(os_file_lock(a), 0);
    assert_int_equal(os_file_lock(b), EWOULDBLOCK);
    assert_int_equal(os_file_close(&a), 0);
    assert_int_equal(os_file_lock(b), 0);
    assert_int_equal(os_file_close(&b), 0);
    end(&p, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_takes_nobodys_place),
        cmocka_unit_test(renaming_replaces_only_where_it_is_meant_to),
        cmocka_unit_test(pieces_are_one_read_and_one_write),
        cmocka_unit_test(a_file_without_a_name_gets_a_free_one),
        cmocka_unit_test(a_note_is_a_text_that_nobody_follows),
        cmocka_unit_test(a_lock_has_one_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
