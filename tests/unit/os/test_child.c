/* A process of our own making tells what it has, and whatever becomes of it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/os/child.h"

static void speaks(const void *arg, FILE *out) {
    fputs(arg, out);
}

static void leaves(const void *arg, FILE *out) {
    (void)out;
    _exit(*(const int *)arg);
}

static void sleeps(const void *arg, FILE *out) {
    (void)arg, (void)out;
    for (;;)
        pause();
}

/* What it says until it closes its end. */
static size_t listen_to(struct os_child *c, char *out, size_t cap) {
    size_t len = 0;
    for (;;) {
        size_t n;
        const int err = os_child_read(c, out + len, cap - len, &n);
        if (err == 0 && n == 0)
            return len;
        assert_true(err == 0 || err == EAGAIN);
        len += n;
        if (err)
            os_child_wait((struct os_child *[]){NULL, c}, 2, 1000);
    }
}

static void what_it_prints_arrives(void **state) {
    (void)state;
    struct os_child c;
    char got[32];
    assert_int_equal(os_child_start(&c, speaks, "hello"), 0);
    assert_int_equal(listen_to(&c, got, sizeof got), 5);
    assert_memory_equal(got, "hello", 5);
    const struct os_ending end = os_child_end(&c, false);
    assert_false(end.by_signal);
    assert_int_equal(end.number, 0);
}

static void its_exit_code_and_its_signal_are_told(void **state) {
    (void)state;
    struct os_child c;
    char got[4];
    const int code = 7;
    assert_int_equal(os_child_start(&c, leaves, &code), 0);
    assert_int_equal(listen_to(&c, got, sizeof got), 0);
    struct os_ending end = os_child_end(&c, false);
    assert_false(end.by_signal);
    assert_int_equal(end.number, 7);
    assert_int_equal(os_child_start(&c, sleeps, NULL), 0);
    end = os_child_end(&c, true);
    assert_true(end.by_signal);
    assert_int_equal(end.number, SIGKILL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_prints_arrives),
        cmocka_unit_test(its_exit_code_and_its_signal_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
