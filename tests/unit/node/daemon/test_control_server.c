/* The control socket: who is let in, what is left of a client that is not, and that no client and
 * no shortage of memory ends it for the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "../support_world.h"
#include "node/api/rpc/control_proto.h"
#include "node/daemon/control_server.h"

enum { NOBODY = 65534 };

/* ---- no memory for a while ---- */

static bool no_memory;
static unsigned fail_at; /* 0: none; else the n-th allocation from now fails, and only that */

static bool fails(void) {
    return no_memory || (fail_at > 0 && --fail_at == 0);
}

#ifdef MESHD_TEST_WRAP
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n) {
    return fails() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    return fails() ? NULL : __real_realloc(p, n);
}
#endif

/* ---- a server ---- */

static const struct log quiet = {LOG_ERROR};

struct scene {
    char top[64], dir[96], path[128];
    uv_loop_t loop;
    struct world *w;
    struct control *control;
    struct control_server *server;
};

static uint64_t on_begin(void *ctx) {
    struct scene *s = ctx;
    return s->w->now_us;
}

static void on_end(void *ctx) {
    struct scene *s = ctx;
    (void)control_run(s->control, s->w->now_us);
    control_server_flush(s->server, s->w->now_us);
}

/* The loop has nothing more to do at once. */
static void settle(struct scene *s) {
    for (unsigned i = 0; i < 20; i++) {
        uv_run(&s->loop, UV_RUN_NOWAIT);
        on_end(s);
    }
}

static struct scene *scene_new(mode_t mode) {
    struct scene *s = calloc(1, sizeof *s);
    strcpy(s->top, "/tmp/meshd-control-XXXXXX");
    assert_non_null(mkdtemp(s->top));
    assert_int_equal(chmod(s->top, 0755), 0);
    snprintf(s->dir, sizeof s->dir, "%s/run", s->top);
    snprintf(s->path, sizeof s->path, "%s/control.sock", s->dir);
    if (mode) {
        assert_int_equal(mkdir(s->dir, 0700), 0);
        assert_int_equal(chmod(s->dir, mode), 0);
    }
    assert_int_equal(uv_loop_init(&s->loop), 0);
    s->w = world_new(1, 1);
    struct control_facts facts = {.version = "0"};
    s->control = control_new(s->w->nodes[0].node, &facts);
    assert_non_null(s->control);
    return s;
}

static int scene_listen(struct scene *s) {
    static const struct control_server_callbacks cb = {on_begin, on_end};
    int r = control_server_open(&s->server, &s->loop, s->path, &quiet);
    if (r == 0)
        assert_int_equal(control_server_start(s->server, s->control, &cb, s), 0);
    return r;
}

static void scene_free(struct scene *s) {
    control_server_close(s->server, s->w->now_us);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0); /* no handle is left */
    control_free(s->control);
    world_free(s->w);
    unlink(s->path);
    rmdir(s->dir);
    rmdir(s->top);
    free(s);
}

static struct scene *scene_open(mode_t mode) {
    struct scene *s = scene_new(mode);
    assert_int_equal(scene_listen(s), 0);
    return s;
}

/* ---- clients ---- */

static int dial(const struct scene *s) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, s->path, strlen(s->path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void ask(int fd, const char *method, uint32_t id) {
    struct proto_writer w;
    proto_writer_init(&w, 4096);
    proto_request(&w, id, method);
    proto_map(&w, NULL);
    proto_end(&w);
    assert_int_equal(send(fd, w.buf, w.len, MSG_NOSIGNAL), w.len);
    proto_writer_clear(&w);
}

/* Whether the connection has ended; what came before is counted in *bytes. */
static bool ended(int fd, size_t *bytes) {
    char buf[65536];
    ssize_t n;
    while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
        *bytes += (size_t)n;
    return n == 0 || errno != EAGAIN;
}

static bool answers(struct scene *s, int fd) {
    size_t bytes = 0;
    ask(fd, "id", 1);
    settle(s);
    bool over = ended(fd, &bytes);
    return !over && bytes > 0;
}

/* ---- the socket ---- */

static void the_socket_is_its_owners_only(void **state) {
    (void)state;
    mode_t old = umask(0);
    struct scene *s = scene_open(0);
    assert_int_equal(umask(old), 0); /* left as it was */
    struct stat st;
    assert_int_equal(stat(s->path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(s->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    scene_free(s);
}

static void a_directory_that_others_write_to_is_refused(void **state) {
    (void)state;
    static const struct {
        mode_t mode;
        int want;
    } cases[] = {{0777, ERR_PERM}, {0770, ERR_PERM}, {0757, ERR_PERM}, {0755, 0}, {01777, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene *s = scene_new(cases[i].mode);
        assert_int_equal(scene_listen(s), cases[i].want);
        assert_int_equal(access(s->path, F_OK) == 0, cases[i].want == 0);
        scene_free(s);
    }
}

static void somebody_elses_directory_is_refused(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    struct scene *s = scene_new(0755);
    assert_int_equal(chown(s->dir, NOBODY, NOBODY), 0);
    assert_int_equal(scene_listen(s), ERR_PERM);
    scene_free(s);
}

static void a_dead_daemons_socket_is_replaced_and_a_living_ones_is_not(void **state) {
    (void)state;
    struct scene *s = scene_new(0700), *second = scene_new(0700);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, s->path, strlen(s->path) + 1);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, (struct sockaddr *)&addr, sizeof addr), 0);
    close(dead);
    assert_int_equal(scene_listen(s), 0);
    char own[sizeof second->path];
    strcpy(own, second->path);
    strcpy(second->path, s->path);
    assert_int_equal(scene_listen(second), ERR_EXISTS);
    strcpy(second->path, own);
    int fd = dial(s);
    assert_true(answers(s, fd)); /* the first one is untouched */
    close(fd);
    int file = open(second->path, O_CREAT | O_WRONLY, 0600);
    close(file);
    assert_int_equal(scene_listen(second), ERR_EXISTS);
    assert_int_equal(access(second->path, F_OK), 0);
    scene_free(second);
    scene_free(s);
}

/* ---- clients ---- */

static void another_user_is_refused_even_where_the_mode_lets_him(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    struct scene *s = scene_open(0755);
    assert_int_equal(chmod(s->path, 0666), 0);
    int gate[2];
    assert_int_equal(pipe(gate), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
            _exit(10);
        int fd = dial(s);
        if (fd < 0)
            _exit(11);
        (void)send(fd, "\x94\x00\x01\xa2id\x80", 7, MSG_NOSIGNAL);
        if (write(gate[1], "", 1) != 1)
            _exit(12);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 10000) != 1)
            _exit(13);
        _exit(recv(fd, &byte, 1, 0) > 0 ? 14 : 0); /* not one byte */
    }
    char byte;
    int status = -1;
    assert_int_equal(read(gate[0], &byte, 1), 1);
    settle(s);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    int fd = dial(s); /* we are let in */
    assert_true(answers(s, fd));
    close(fd);
    close(gate[0]);
    close(gate[1]);
    scene_free(s);
}

static void one_client_too_many_is_closed_and_the_next_finds_room(void **state) {
    (void)state;
    struct scene *s = scene_open(0700);
    int fds[CONTROL_CONNS_MAX + 8];
    size_t bytes = 0;
    unsigned open_ones = 0, count = 0;
    for (unsigned round = 0; round < 3; round++) {
        /* All at once: as many as the kernel queues at a time. */
        for (count = 0; count < CONTROL_CONNS_MAX + 8; count++) {
            fds[count] = dial(s);
            if (count % 8 == 7)
                settle(s);
        }
        settle(s);
        open_ones = 0;
        for (unsigned i = 0; i < count; i++)
            open_ones += !ended(fds[i], &bytes);
        assert_int_equal(open_ones, CONTROL_CONNS_MAX);
        assert_true(answers(s, fds[0]));
        close(fds[1]);
        settle(s);
        fds[1] = dial(s);
        settle(s);
        assert_true(answers(s, fds[1]));
        for (unsigned i = 0; i < count; i++)
            close(fds[i]);
        settle(s);
    }
    scene_free(s);
}

static void a_shortage_of_memory_does_not_end_the_socket(void **state) {
    (void)state;
#ifndef MESHD_TEST_WRAP
    skip();
#endif
    struct scene *s = scene_open(0700);
    int poor = dial(s), old = dial(s);
    no_memory = true;
    settle(s);
    no_memory = false;
    int fd = dial(s);
    settle(s);
    assert_true(answers(s, fd));
    assert_true(answers(s, old));
    no_memory = true; /* and with requests on their way */
    (void)send(poor, "\x94\x00\x01\xa2id\x80", 7, MSG_NOSIGNAL);
    (void)send(old, "\x94\x00\x01\xa6status\x80", 11, MSG_NOSIGNAL);
    settle(s);
    no_memory = false;
    int last = dial(s);
    settle(s);
    assert_true(answers(s, last));
    close(poor);
    close(old);
    close(fd);
    close(last);
    scene_free(s);
}

/* Whoever asks properly is never told that he did not. */
static void want_of_memory_is_called_so(void **state) {
    (void)state;
#ifndef MESHD_TEST_WRAP
    skip();
#endif
    struct scene *s = scene_open(0700);
    unsigned told = 0;
    for (unsigned at = 1; at <= 12; at++) {
        char buf[4096] = "";
        int fd = dial(s);
        settle(s);
        assert_int_equal(send(fd, "\x94\x00\x01\xa6status\x80", 11, MSG_NOSIGNAL), 11);
        fail_at = at;
        settle(s);
        fail_at = 0;
        const ssize_t n = recv(fd, buf, sizeof buf, 0);
        if (n > 0) {
            assert_null(memmem(buf, (size_t)n, "not a MessagePack", 17));
            told += memmem(buf, (size_t)n, "memory", 6) != NULL;
        }
        close(fd);
        settle(s);
    }
    assert_true(told > 0);
    scene_free(s);
}

static void what_was_asked_before_the_end_is_answered(void **state) {
    (void)state;
    struct scene *s = scene_open(0700);
    int fd = dial(s);
    size_t bytes = 0;
    for (uint32_t i = 0; i < 100; i++) /* more than one turn does */
        ask(fd, "id", i);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    settle(s);
    assert_true(ended(fd, &bytes));
    assert_true(bytes > 100 * 60);
    close(fd);
    scene_free(s);
}

static void answers_that_wait_in_the_daemon_at_the_end_are_given_too(void **state) {
    (void)state;
    enum { ASKED = 450 };
    struct scene *s = scene_open(0700);
    int fd = dial(s);
    size_t all = 0, bytes = 0;
    for (uint32_t i = 0; i < ASKED; i++) {
        ask(fd, "status", i);
        settle(s);
    }
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    settle(s);
    while (!ended(fd, &bytes)) {
        assert_true(bytes > 0); /* there is more as long as it is not over */
        all += bytes;
        bytes = 0;
        settle(s);
    }
    all += bytes;
    /* As many bytes as a client gets that takes each answer at once. */
    int other = dial(s);
    size_t want = 0;
    for (uint32_t i = 0; i < ASKED; i++) {
        ask(other, "status", i);
        settle(s);
        assert_false(ended(other, &want));
    }
    assert_true(want > 300000); /* more than the kernel keeps */
    assert_int_equal(all, want);
    close(fd);
    close(other);
    scene_free(s);
}

static void a_client_that_does_not_read_holds_up_nobody(void **state) {
    (void)state;
    struct scene *s = scene_open(0700);
    int deaf = dial(s), fd = dial(s);
    for (uint32_t i = 0; i < 20000; i++) {
        struct pollfd p = {.fd = deaf, .events = POLLOUT};
        if (poll(&p, 1, 0) != 1)
            break; /* not read from any more: our own send buffer is full */
        ask(deaf, "status", i);
        if (i % 64 == 0)
            settle(s);
        assert_true(i < 19999);
    }
    assert_true(answers(s, fd));
    size_t bytes = 0;
    assert_false(ended(deaf, &bytes));
    settle(s);
    assert_false(ended(deaf, &bytes)); /* it was not given up, and gets more */
    close(deaf);
    settle(s);
    assert_true(answers(s, fd));
    close(fd);
    scene_free(s);
}

static void garbage_is_answered_and_closed(void **state) {
    (void)state;
    struct scene *s = scene_open(0700);
    int fd = dial(s), other = dial(s);
    size_t bytes = 0;
    assert_int_equal(send(fd, "\x94\x00\x07\xc1", 4, MSG_NOSIGNAL), 4);
    settle(s);
    assert_true(ended(fd, &bytes));
    assert_true(bytes > 0);
    assert_true(answers(s, other));
    close(fd);
    close(other);
    scene_free(s);
}

int main(void) {
    (void)signal(SIGPIPE, SIG_IGN); /* as process_prepare does */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_socket_is_its_owners_only),
        cmocka_unit_test(a_directory_that_others_write_to_is_refused),
        cmocka_unit_test(somebody_elses_directory_is_refused),
        cmocka_unit_test(a_dead_daemons_socket_is_replaced_and_a_living_ones_is_not),
        cmocka_unit_test(another_user_is_refused_even_where_the_mode_lets_him),
        cmocka_unit_test(one_client_too_many_is_closed_and_the_next_finds_room),
        cmocka_unit_test(a_shortage_of_memory_does_not_end_the_socket),
        cmocka_unit_test(want_of_memory_is_called_so),
        cmocka_unit_test(what_was_asked_before_the_end_is_answered),
        cmocka_unit_test(answers_that_wait_in_the_daemon_at_the_end_are_given_too),
        cmocka_unit_test(a_client_that_does_not_read_holds_up_nobody),
        cmocka_unit_test(garbage_is_answered_and_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
