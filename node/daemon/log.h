/* log.h: the daemon's log: one line a message on stderr, with wall time and level; a service
 * manager takes it from there. Control characters become '?': whatever a peer managed to get into a
 * line, it cannot drive a terminal.
 */
#ifndef MESHD_NODE_DAEMON_LOG_H
#define MESHD_NODE_DAEMON_LOG_H

#include "crypto/err.h"
#include "node/node.h"

struct log {
    enum log_level level; /* less important lines are dropped */
};

enum { LOG_LINE_MAX = 2048 }; /* longer ones are cut */

PRINTF_LIKE(3, 4) void log_put(const struct log *l, enum log_level level, const char *fmt, ...);
/* The sink in struct env; ctx is a struct log. */
void log_sink(void *ctx, enum log_level level, const char *line);

#endif
