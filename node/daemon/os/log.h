/* log.h: the daemon's log: one line a message on stderr, with wall time and level, or, where that
 * is the journal's (JOURNAL_STREAM), with the level as the journal's prefix and without the time,
 * which it has itself. A line that standard error does not take at once is dropped, and counted in
 * a later one: nobody who lets a pipe fill up stops the daemon. Control characters become '?':
 * whatever a peer managed to get into a line, it cannot drive a terminal.
 */
#ifndef MESHD_NODE_DAEMON_OS_LOG_H
#define MESHD_NODE_DAEMON_OS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/node.h"

struct log {
    enum log_level level; /* less important lines are dropped */
};

enum {
    LOG_LINE_MAX = 2048, /* longer ones are cut */
    /* Lines that a peer can cause: so many at once, and one each LOG_PEERS_US after that (200 MB a
     * day at most, where it was as much as the peer likes). */
    LOG_PEERS_BURST = 200,
    LOG_PEERS_US = 50 * 1000,
};

struct log_budget {  /* zeroes = nothing said yet */
    uint64_t due_us; /* when the lines said so far are paid for */
    uint64_t unsaid;
};
/* Whether one more line may be said. If so, *unsaid is how many were not since the last one. */
bool log_may(struct log_budget *b, uint64_t now_us, uint64_t *unsaid);

/* Whose standard error is. Before that it is anybody's. */
void log_begin(void);
/* An error before there is a log: "meshd: LINE". */
void log_complain(const char *line);
PRINTF_LIKE(3, 4) void log_put(const struct log *l, enum log_level level, const char *fmt, ...);
/* Errors that this process has logged: whoever ends it for a reason can tell whether it was
 * said. */
unsigned log_errors(void);
/* The sink in struct env; ctx is a struct log. */
void log_sink(void *ctx, enum log_level level, const char *line);

#endif
