/* A stream to another process of this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/os/connection.h"
#include "net/os/process.h"

static void bytes_go_both_ways_and_its_user_is_known(void **state) {
    (void)state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct os_connection c;
    uint64_t user;
    char got[8];
    size_t n;
    snprintf(at.sun_path, sizeof at.sun_path, "/tmp/meshd-test-connection-%ld", (long)getpid());
    assert_int_equal(os_connection_open(&c, at.sun_path), ENOENT);
    assert_false(os_connection_is_open(c));
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(os_connection_open(&c, at.sun_path), ECONNREFUSED);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(os_connection_open(&c, at.sun_path), 0);
    const int other = accept(listener, NULL, NULL);
    assert_true(other >= 0);
    assert_int_equal(os_connection_user(c, &user), 0);
    assert_int_equal(user, process_user());
    assert_int_equal(os_connection_receive(c, got, sizeof got, &n), EAGAIN);
    assert_int_equal(n, 0);
    assert_int_equal(os_connection_send(c, "there", 5, &n), 0);
    assert_int_equal(n, 5);
    assert_int_equal(read(other, got, sizeof got), 5);
    assert_int_equal(write(other, "back", 4), 4);
    assert_int_equal(os_connection_receive(c, got, sizeof got, &n), 0);
    assert_int_equal(n, 4);
    close(other);
    assert_int_equal(os_connection_receive(c, got, sizeof got, &n), 0);
    assert_int_equal(n, 0);                                     /* the other end has closed, */
    assert_int_equal(os_connection_send(c, "x", 1, &n), EPIPE); /* and no signal ends us */
    os_connection_close(&c);
    os_connection_close(&c);
    close(listener);
    unlink(at.sun_path);
}

static void a_path_that_is_too_long_is_said_to_be(void **state) {
    (void)state;
    struct os_connection c;
    char path[512];
    memset(path, 'x', sizeof path);
    path[os_connection_path_max() + 1] = '\0';
    assert_int_equal(os_connection_open(&c, path), ENAMETOOLONG);
    path[os_connection_path_max()] = '\0';
    assert_int_equal(os_connection_open(&c, path), ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways_and_its_user_is_known),
        cmocka_unit_test(a_path_that_is_too_long_is_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
