/* The log: one line a message, whatever a peer managed to get into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/daemon/os/log.h"

static char said[16384];

/* What these two functions write to standard error. */
static void capture(void (*put)(const char *text), const char *text) {
    FILE *f = tmpfile();
    assert_non_null(f);
    int old = dup(STDERR_FILENO);
    dup2(fileno(f), STDERR_FILENO);
    put(text);
    dup2(old, STDERR_FILENO);
    close(old);
    ssize_t n = pread(fileno(f), said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    fclose(f);
}

static void by_put(const char *text) {
    static const struct log l = {LOG_INFO};
    log_put(&l, LOG_INFO, "%s", text);
    log_put(&l, LOG_DEBUG, "not shown");
}

static void by_sink(const char *text) {
    struct log l = {LOG_INFO};
    log_sink(&l, LOG_WARN, text);
    log_sink(&l, LOG_DEBUG, "not shown");
}

static void a_line_is_one_line_without_control_characters(void **state) {
    (void)state;
    static void (*const ways[])(const char *) = {by_put, by_sink};
    for (unsigned i = 0; i < 2; i++) {
        capture(ways[i], "a\x1b[31m\x07\n2026 error forged\r\x7f\xc2\x9b"
                         "2J\xc2\x85"
                         "b \xc3\xbc");
        size_t len = strlen(said);
        assert_true(len > 0 && said[len - 1] == '\n');
        said[len - 1] = '\0';
        for (const char *p = said; *p; p++)
            assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
        assert_null(strstr(said, "\xc2\x9b"));
        assert_null(strstr(said, "\xc2\x85"));
        assert_non_null(strstr(said, "a?[31m??2026 error forged??"));
        assert_non_null(strstr(said, "b \xc3\xbc"));
        assert_null(strstr(said, "not shown"));
    }
}

static void a_long_line_is_cut(void **state) {
    (void)state;
    static char text[3 * LOG_LINE_MAX];
    memset(text, 'x', sizeof text - 1);
    capture(by_put, text);
    assert_true(strlen(said) <= LOG_LINE_MAX);
    assert_int_equal(said[strlen(said) - 1], '\n');
    capture(by_sink, text);
    assert_true(strlen(said) <= LOG_LINE_MAX);
}

/* Nobody reads: no line waits, and the first one that is taken tells how many were not. */
static void a_full_pipe_costs_lines_not_time(void **state) {
    (void)state;
    static const struct log l = {LOG_INFO};
    char text[LOG_LINE_MAX / 2], got[16 * LOG_LINE_MAX];
    int ends[2];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    int old = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    for (unsigned i = 0; i < 5000; i++)
        log_put(&l, LOG_INFO, "%s", text);
    while (read(ends[0], got, sizeof got) > 0) {
    }
    log_put(&l, LOG_INFO, "the end");
    ssize_t n = read(ends[0], got, sizeof got - 1);
    dup2(old, STDERR_FILENO);
    close(old);
    close(ends[0]);
    close(ends[1]);
    assert_true(n > 0);
    got[n] = '\0';
    const char *at = strstr(got, " lines before this one were lost");
    assert_non_null(at);
    while (at > got && at[-1] >= '0' && at[-1] <= '9')
        at--;
    assert_in_range(strtoul(at, NULL, 10), 1000, 4999);
    assert_non_null(strstr(at, "the end"));
}

/* A peer may cause events as fast as it likes: offers that it takes back. */
static void what_peers_cause_is_said_at_a_bounded_rate(void **state) {
    (void)state;
    struct log_budget b = {0};
    uint64_t now_us = 1000000, unsaid = 0, lines = 0, missing = 0;
    for (unsigned i = 0; i < 100000; i++, now_us += 100) {
        if (!log_may(&b, now_us, &unsaid))
            continue;
        lines++;
        missing += unsaid;
    }
    assert_in_range(lines, LOG_PEERS_BURST + 190, LOG_PEERS_BURST + 210); /* in 10 s */
    assert_int_equal(lines + missing + b.unsaid, 100000);
    now_us += 20 * 1000000;
    assert_true(log_may(&b, now_us, &unsaid));
    for (unsigned i = 1; i < LOG_PEERS_BURST; i++) { /* all of it is there again */
        assert_true(log_may(&b, now_us, &unsaid));
        assert_int_equal(unsaid, 0);
    }
    assert_false(log_may(&b, now_us, &unsaid));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_line_without_control_characters),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(a_full_pipe_costs_lines_not_time),
        cmocka_unit_test(what_peers_cause_is_said_at_a_bounded_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
