#include "node/daemon/os/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/config/config.h"

static struct { /* of the process: there is one standard error */
    bool journal;
    unsigned errors;
    unsigned long lost; /* lines that were not taken */
} err;

unsigned log_errors(void) {
    return err.errors;
}

/* C0, DEL, and C1 in its UTF-8 form (c2 80 .. c2 9f). */
static void disarm(char *s) {
    for (uint8_t *p = (uint8_t *)s; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            p[0] = p[1] = '?';
    }
}

void log_begin(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    char here[64];
    struct stat st;
    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return;
    snprintf(here, sizeof here, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    err.journal = strcmp(stream, here) == 0;
}

/* What stands before a line: "2026-11-21T14:05:09.123 info  ", or sd-daemon(3)'s "<6>". */
static int head(char *out, size_t cap, enum log_level level) {
    static const char journal[] = {
        [LOG_ERROR] = '3', [LOG_WARN] = '4', [LOG_INFO] = '6', [LOG_DEBUG] = '7'};
    struct timespec t;
    struct tm tm;
    char when[32];
    if (err.journal)
        return snprintf(out, cap, "<%c>", journal[level]);
    clock_gettime(CLOCK_REALTIME, &t);
    localtime_r(&t.tv_sec, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    return snprintf(out, cap, "%s.%03ld %-5s ", when, t.tv_nsec / 1000000,
                    config_log_level_name(level));
}

/* One write, so that lines of two processes do not mix. A pipe that has room for a line has it for
 * all of it (PIPE_BUF); one that has none, or nobody at its other end, is no reason to wait or to
 * stop. */
static bool write_line(enum log_level level, const char *line) {
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    char out[LOG_LINE_MAX];
    int n = head(out, sizeof out, level);
    if (n < 0 || poll(&p, 1, 0) == 0)
        return false;
    char *text = out + n;
    size_t room = sizeof out - (size_t)n - 1; /* for the newline */
    size_t len = strnlen(line, room - 1);
    memcpy(text, line, len);
    text[len] = '\0';
    disarm(text);
    text[len] = '\n';
    return write(STDERR_FILENO, out, (size_t)n + len + 1) >= 0;
}

static void emit(enum log_level level, const char *line) {
    char lost[80];
    err.errors += level == LOG_ERROR;
    if (err.lost > 0) {
        snprintf(lost, sizeof lost, "%lu lines before this one were lost: nobody took them",
                 err.lost);
        if (write_line(LOG_WARN, lost))
            err.lost = 0;
    }
    err.lost += !write_line(level, line);
}

void log_complain(const char *line) {
    if (err.journal)
        emit(LOG_ERROR, line);
    else
        fprintf(stderr, "meshd: %s\n", line);
}

void log_put(const struct log *l, enum log_level level, const char *fmt, ...) {
    char line[LOG_LINE_MAX];
    if (level > l->level)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    emit(level, line);
}

void log_sink(void *ctx, enum log_level level, const char *line) {
    const struct log *l = ctx;
    if (level <= l->level)
        emit(level, line);
}

bool log_may(struct log_budget *b, uint64_t now_us, uint64_t *unsaid) {
    if (b->due_us < now_us)
        b->due_us = now_us;
    if (b->due_us - now_us >= (uint64_t)LOG_PEERS_BURST * LOG_PEERS_US) {
        b->unsaid++;
        return false;
    }
    b->due_us += LOG_PEERS_US;
    *unsaid = b->unsaid;
    b->unsaid = 0;
    return true;
}
