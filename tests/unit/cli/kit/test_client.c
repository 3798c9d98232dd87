/* meshctl sends nothing before it knows that its own user's meshd, or root's, is at the other
 * end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/kit/client.h"
#include "node/control/control.h"

enum { NOBODY = 65534 };

struct place {
    char top[64], dir[96], path[128];
};

static struct place place_new(mode_t mode, uid_t owner) {
    struct place p = {.top = "/tmp/meshctl-client-XXXXXX"};
    assert_non_null(mkdtemp(p.top));
    assert_int_equal(chmod(p.top, 0755), 0);
    snprintf(p.dir, sizeof p.dir, "%s/run", p.top);
    snprintf(p.path, sizeof p.path, "%s/control.sock", p.dir);
    assert_int_equal(mkdir(p.dir, 0700), 0);
    if (owner != geteuid())
        assert_int_equal(chown(p.dir, owner, owner), 0);
    assert_int_equal(chmod(p.dir, mode), 0);
    return p;
}

static void place_free(const struct place *p) {
    unlink(p->path);
    rmdir(p->dir);
    rmdir(p->top);
}

/* A server of another user, which counts the bytes of its first client and exits with 0 if there
 * were none. It listens when this returns. */
static pid_t serve(const struct place *p, uid_t uid) {
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child != 0) {
        close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        return child;
    }
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, p->path, strlen(p->path) + 1);
    if (uid != geteuid() && (setgid(uid) != 0 || setuid(uid) != 0))
        _exit(10);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || chmod(p->path, 0666) != 0 ||
        listen(fd, 1) != 0 || write(ready[1], "", 1) != 1)
        _exit(11);
    alarm(10);
    int client = accept(fd, NULL, NULL);
    _exit(client >= 0 && read(client, &byte, 1) == 0 ? 0 : 12);
}

static void expect_open(mode_t mode, uid_t owner, uid_t server, int want) {
    struct place p = place_new(mode, owner);
    pid_t child = serve(&p, server);
    struct client c;
    int status = -1;
    client_init(&c);
    assert_int_equal(client_open(&c, p.path), want);
    if (!os_connection_is_open(
            c.connection)) { /* refused before it was even connected: the server waits still */
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        memcpy(addr.sun_path, p.path, strlen(p.path) + 1);
        (void)!connect(fd, (struct sockaddr *)&addr, sizeof addr);
        close(fd);
    }
    client_close(&c);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0); /* nothing was sent */
    place_free(&p);
}

static void our_own_meshd_is_talked_to(void **state) {
    (void)state;
    expect_open(0700, geteuid(), geteuid(), 0);
    expect_open(0755, geteuid(), geteuid(), 0);
    expect_open(01777, geteuid(), geteuid(), 0);
}

static void a_directory_that_others_write_to_is_not_used(void **state) {
    (void)state;
    expect_open(0777, geteuid(), geteuid(), ERR_AUTH);
    expect_open(0770, geteuid(), geteuid(), ERR_AUTH);
}

static void somebody_elses_directory_is_not_used(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    expect_open(0755, NOBODY, NOBODY, ERR_AUTH);
    expect_open(0755, NOBODY, 0, ERR_AUTH);
}

static void somebody_elses_server_in_tmp_is_not_talked_to(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    expect_open(01777, 0, NOBODY, ERR_AUTH);
}

static void nobody_there_is_no_daemon(void **state) {
    (void)state;
    struct place p = place_new(0700, geteuid());
    struct client c;
    client_init(&c);
    assert_int_equal(client_open(&c, p.path), ERR_NO_DAEMON);
    assert_int_equal(client_open(&c, "/no/such/directory/control.sock"), ERR_NO_DAEMON);
    place_free(&p);
}

/* A daemon that says these messages to its first client, which has asked for nothing yet. */
static pid_t say(const struct place *p, const struct proto_writer *w, size_t len) {
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child != 0) {
        close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        return child;
    }
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, p->path, strlen(p->path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, 1) != 0 ||
        write(ready[1], "", 1) != 1)
        _exit(11);
    alarm(10);
    int client = accept(fd, NULL, NULL);
    _exit(send(client, w->buf, len, 0) == (ssize_t)len ? 0 : 12);
}

static void put_event(struct proto_writer *w, const char *event) {
    proto_notify(w, "event");
    proto_map(w, NULL);
    proto_str(w, "event", event);
    proto_end(w);
}

static void ends_of_a_subscription_are_told_apart(void **state) {
    (void)state;
    static const int cut_short[] = {ERR_AGAIN, ERR_CLOSED, ERR_CLOSED};
    for (unsigned i = 0; i < 3; i++) { /* overflow; a daemon that dies; in mid-message */
        struct place p = place_new(0700, geteuid());
        struct proto_writer w;
        struct proto_msg m;
        struct client c;
        int status;
        proto_writer_init(&w, 4096);
        put_event(&w, "peer.up");
        if (i != 1)
            put_event(&w, "overflow");
        pid_t child = say(&p, &w, i == 2 ? w.len - 1 : w.len);
        client_init(&c);
        assert_int_equal(client_open(&c, p.path), 0);
        uint64_t deadline_us = clock_now_us() + 5000000;
        assert_int_equal(client_note(&c, deadline_us, &m), 0);
        assert_true(proto_str_is(proto_get(&m.params, "event"), "peer.up"));
        proto_msg_clear(&m);
        assert_int_equal(client_note(&c, deadline_us, &m), cut_short[i]);
        client_close(&c);
        proto_writer_clear(&w);
        waitpid(child, &status, 0);
        place_free(&p);
    }
}

static void more_events_than_can_be_put_aside_are_an_error(void **state) {
    (void)state;
    struct place p = place_new(0700, geteuid());
    struct proto_writer w;
    struct proto_msg m;
    struct client c;
    int status;
    proto_writer_init(&w, 1 << 20);
    for (unsigned i = 0; i <= CLIENT_ASIDE_MAX; i++)
        put_event(&w, "peer.up");
    pid_t child = say(&p, &w, w.len);
    client_init(&c);
    assert_int_equal(client_open(&c, p.path), 0);
    assert_int_equal(client_answer(&c, 1, clock_now_us() + 5000000, &m), ERR_PROTO);
    client_close(&c);
    proto_writer_clear(&w);
    waitpid(child, &status, 0);
    place_free(&p);
}

/* Before the request was sent, or after: what the daemon said before it closed is heard. */
static void a_daemon_with_no_place_is_told_from_one_that_is_gone(void **state) {
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct place p = place_new(0700, geteuid());
        struct proto_writer w;
        struct proto_msg m;
        struct client c;
        uint32_t id;
        int status;
        proto_writer_init(&w, 4096);
        control_refusal(&w);
        pid_t child = say(&p, &w, w.len);
        client_init(&c);
        assert_int_equal(client_open(&c, p.path), 0);
        if (late)
            waitpid(child, &status, 0);
        client_request(&c, "id", &id);
        int err = client_send(&c);
        if (!err)
            err = client_answer(&c, id, clock_now_us() + 5000000, &m);
        assert_int_equal(err, ERR_REFUSED);
        assert_int_equal(c.most, CONTROL_CONNS_MAX);
        client_close(&c);
        proto_writer_clear(&w);
        if (!late)
            waitpid(child, &status, 0);
        place_free(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_meshd_is_talked_to),
        cmocka_unit_test(a_directory_that_others_write_to_is_not_used),
        cmocka_unit_test(somebody_elses_directory_is_not_used),
        cmocka_unit_test(somebody_elses_server_in_tmp_is_not_talked_to),
        cmocka_unit_test(nobody_there_is_no_daemon),
        cmocka_unit_test(ends_of_a_subscription_are_told_apart),
        cmocka_unit_test(more_events_than_can_be_put_aside_are_an_error),
        cmocka_unit_test(a_daemon_with_no_place_is_told_from_one_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
