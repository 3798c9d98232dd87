/* event_line.h: what the node tells, as a sentence for the log and whoever reads it.
 */
#ifndef MESHD_NODE_DAEMON_EVENT_LINE_H
#define MESHD_NODE_DAEMON_EVENT_LINE_H

#include <stddef.h>

#include "node/node.h"

enum { EVENT_LINE_MAX = 1536 };

/* The level at which it is logged: what the user's own command has answered already is for
 * debugging. */
enum log_level event_line_level(const struct node_event *e);
void event_line(char out[static EVENT_LINE_MAX], const struct node_event *e);

#endif
