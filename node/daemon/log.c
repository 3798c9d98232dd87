#include "node/daemon/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/config.h"

static unsigned errors; /* one process, one standard error */

unsigned log_errors(void) {
    return errors;
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

static void emit(enum log_level level, const char *line) {
    struct timespec t;
    struct tm tm;
    char out[LOG_LINE_MAX], when[32];
    errors += level == LOG_ERROR;
    clock_gettime(CLOCK_REALTIME, &t);
    localtime_r(&t.tv_sec, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    int n = snprintf(out, sizeof out, "%s.%03ld %-5s ", when, t.tv_nsec / 1000000,
                     config_log_level_name(level));
    if (n < 0)
        return;
    char *text = out + n;
    size_t room = sizeof out - (size_t)n - 1; /* for the newline */
    size_t len = strnlen(line, room - 1);
    memcpy(text, line, len);
    text[len] = '\0';
    disarm(text);
    text[len] = '\n';
    /* One write, so that lines of two processes do not mix; a log that takes nothing is no reason
     * to stop. */
    ssize_t w = write(STDERR_FILENO, out, (size_t)n + len + 1);
    (void)w;
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
